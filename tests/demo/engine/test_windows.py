"""Window functions, document functions and EXPLAIN."""

from __future__ import annotations

import time
from decimal import Decimal
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
    ("SUM(Salary) OVER (ORDER BY ID ROWS 1 PRECEDING)", [100, 300]),
    ("SUM(Salary) OVER (ORDER BY ID ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)", [300, 200]),
    ("SUM(Salary) OVER (ORDER BY ID ROWS BETWEEN CURRENT ROW AND CURRENT ROW)", [100, 200]),
    ("AVG(Salary) OVER (ORDER BY ID ROWS UNBOUNDED PRECEDING)", [100, 150]),
    ("AVG(CAST(Salary AS DOUBLE)) OVER (ORDER BY ID ROWS 0 PRECEDING)", [100.0, 200.0]),
    ("SUM(CAST(0.1 AS DOUBLE) * ID) OVER (ORDER BY ID ROWS 0 PRECEDING)", [0.1, 0.2]),
    ("COUNT(*) OVER (ORDER BY ID ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING)", [0, 1]),
    ("MIN(Salary) OVER (ORDER BY ID ROWS BETWEEN 1 FOLLOWING AND 1 FOLLOWING)", [200, None]),
    ("LAST_VALUE(Salary) OVER (ORDER BY ID ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)", [200, 200]),
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
        ("SELECT SUM(ID) OVER (ORDER BY ID ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) FROM Sample.Person", -1),
        ("SELECT AVG(ID) OVER (ORDER BY ID ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) FROM Sample.Person", -1),
        ("SELECT RANK() OVER (ORDER BY ID ROWS 1 PRECEDING) FROM Sample.Person", -1),
        ("SELECT SUM(ID) OVER (ORDER BY ID ROWS 1 FOLLOWING) FROM Sample.Person", -1),
        ("SELECT SUM(ID) OVER (ORDER BY ID ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM Sample.Person", -1),
        (
            "SELECT SUM(ID) OVER (ORDER BY ID ROWS BETWEEN UNBOUNDED FOLLOWING AND 1 FOLLOWING) FROM Sample.Person",
            -1,
        ),
        ("SELECT SUM(ID) OVER (ORDER BY ID ROWS -1 PRECEDING) FROM Sample.Person", -1),
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
    namespace.run_script("CREATE TABLE T (a INTEGER, b INTEGER, c NUMERIC(10, 2))")
    rows = ((number % 97, number, Decimal(number) / 100) for number in range(100_000))
    namespace.bulk_load("SQLUser.T", ["a", "b", "c"], rows)
    for window in (
        "SUM(b) OVER (PARTITION BY a ORDER BY b)",
        "SUM(c) OVER (PARTITION BY a ORDER BY b)",
        "AVG(c) OVER (ORDER BY b ROWS 10 PRECEDING)",
        "LAG(c) OVER (ORDER BY b)",
    ):
        started = time.thread_time()
        found = namespace.execute(f"SELECT a, {window} FROM T ORDER BY b").rows
        assert time.thread_time() - started < 1, window
        assert len(found) == 100_000
    namespace.close()


def test_many_rows_leave_a_moving_window(rows: Rows) -> None:
    found = rows(
        "SELECT n, SUM(d) OVER (ORDER BY n ROWS 2 PRECEDING), SUM(i) OVER (ORDER BY n ROWS 2 PRECEDING) FROM"
        " JSON_TABLE('[1e300,1,0.1,0.2,0.3,null,0.5]', '$' COLUMNS (n FOR ORDINALITY, d DOUBLE PATH '$',"
        " i NUMERIC(5, 2) PATH '$')) WHERE n > 1 ORDER BY n"
    )
    assert [row[1] for row in found] == pytest.approx([1, 1.1, 1.3, 0.6, 0.5, 0.8], rel=1e-15)
    assert [str(row[2]) for row in found] == ["1", "1.1", "1.3", "0.6", "0.5", "0.8"]
