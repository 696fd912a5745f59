"""Window functions, document functions and EXPLAIN."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo.engine.namespace import Namespace

from .conftest import Refused, Rows

WINDOWS: list[tuple[str, list[Any]]] = [
    ("SUM(Salary) OVER (ORDER BY ID)", [100, 300]),
    ("AVG(Salary) OVER ()", [150, 150]),
    ("MIN(Salary) OVER ()", [100, 100]),
    ("COUNT(*) OVER (PARTITION BY Company)", [1, 1]),
    ("LAG(Salary, 1, -1) OVER (ORDER BY ID)", [-1, 100]),
    ("LEAD(Name) OVER (ORDER BY ID)", ["adams,zoe", None]),
    ("FIRST_VALUE(Salary) OVER (ORDER BY ID DESC)", [200, 200]),
    ("LAST_VALUE(Salary) OVER (PARTITION BY Company)", [100, 200]),
    ("NTH_VALUE(Salary, 2) OVER (ORDER BY ID)", [None, 200]),
    ("NTILE(2) OVER (ORDER BY ID)", [1, 2]),
    ("PERCENT_RANK() OVER (ORDER BY ID)", [0.0, 1.0]),
    ("ROW_NUMBER() OVER (ORDER BY ID DESC)", [2, 1]),
]


@pytest.mark.parametrize(("window", "expected"), WINDOWS, ids=[window for window, _ in WINDOWS])
def test_windows(rows: Rows, window: str, expected: list[Any]) -> None:
    found = rows(f"SELECT {window} FROM Sample.Person WHERE ID < 3 ORDER BY ID")
    assert [row[0] for row in found] == expected


@pytest.mark.parametrize(
    ("sql", "sqlcode"),
    [
        ("SELECT SUM(DISTINCT Salary) OVER () FROM Sample.Person", -1),
        ("SELECT STDDEV(Salary) OVER () FROM Sample.Person", -1),
        ("SELECT NTILE() OVER (ORDER BY ID) FROM Sample.Person", -1),
        ("SELECT ID FROM Sample.Person WHERE RANK() OVER (ORDER BY ID) < 3", -12),
        ("EXPLAIN INSERT INTO Code (Code) VALUES ('x')", -481),
        ("EXPLAIN SELECT Nix FROM Code", -482),
        ("EXPLAIN SELECT FROM", -482),
    ],
)
def test_refusals(refused: Refused, sql: str, sqlcode: int) -> None:
    assert refused(sql).sqlcode == sqlcode


def test_explain_runs_nothing(rows: Rows) -> None:
    ((plan,),) = rows("EXPLAIN DELETE FROM Sample.Person WHERE Name < 'x'")
    assert plan.startswith("<plans>\r\n <plan>\r\n")
    assert "DELETE FROM Sample.Person WHERE Name &lt; 'x'" in plan
    assert rows("SELECT COUNT(*) FROM Sample.Person") == [(4,)]


def test_documents(rows: Rows) -> None:
    assert rows(
        "SELECT JSON_OBJECT('id':ID, 'name':Name, 'none':NULL, 'list':JSON_ARRAY(1.5, 'x')) FROM Sample.Person"
        " WHERE ID = 1"
    ) == [('{"id":1,"name":"Smith,John","none":null,"list":[1.5,"x"]}',)]
    assert rows("SELECT JSON_ARRAY(1, NULL, 2 ABSENT ON NULL)") == [("[1,2]",)]
    assert rows("SELECT JSON_ARRAYAGG(Salary) FROM Sample.Person WHERE ID < 3") == [("[100,200]",)]
    assert rows(
        "SELECT XMLAGG(XMLELEMENT(p, XMLATTRIBUTES(ID AS id), Name)) FROM Sample.Person WHERE ID = 1"
    ) == [('<p id="1">Smith,John</p>',)]
    assert rows("SELECT XMLELEMENT(p, '<&>')") == [("<p>&lt;&amp;&gt;</p>",)]


def test_a_window_over_100000_rows_takes_no_longer_than_a_second(tmp_path: Path) -> None:
    namespace = Namespace("X", tmp_path / "x.db")
    namespace.run_script("CREATE TABLE T (a INTEGER, b INTEGER)")
    namespace.bulk_load("SQLUser.T", ["a", "b"], ((number % 97, number) for number in range(100_000)))
    started = time.thread_time()
    found = namespace.execute("SELECT a, SUM(b) OVER (PARTITION BY a ORDER BY b) FROM T ORDER BY b").rows
    assert time.thread_time() - started < 1
    assert len(found) == 100_000
    namespace.close()
