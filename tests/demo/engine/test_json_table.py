"""JSON_TABLE: paths, types, refusals, and the switch that takes it away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.engine.interface import EngineOptions, Release
from iris_quart.demo.engine.namespace import Namespace

from .conftest import Refused, Rows

DOCUMENT = json.dumps({"r": [{"a": "x", "b": {"c": [1.5, None, True]}}, {"a": None}, {"a": ""}], "k k": 7})
ONE = "SELECT a FROM JSON_TABLE('[{\"a\":1}]', '$' COLUMNS (a INTEGER PATH '$.a'))"
PATHS: list[tuple[str, str, str, list[Any]]] = [
    ("$.r", "VARCHAR(10)", "$.a", ["x", None, ""]),
    ("$.r[*]", "VARCHAR(10)", "$.a", ["x", None, ""]),
    ("$.r[0]", "VARCHAR(30)", "$.b", ['{"c":[1.5,null,true]}']),
    ("$.r[0].b.c", "VARCHAR(10)", "$", ["1.5", None, "1"]),
    ("$.r", "INTEGER", "$.b.c[0]", [1, None, None]),
    ("$", "INTEGER", '$."k k"', [7]),
    ("lax $", "INTEGER", '$."k k"', [7]),
    ("$.nothing", "INTEGER", "$", []),
    ("$.r[9]", "INTEGER", "$", []),
    ("$", "VARCHAR(10)", "$.r[*].a", [None]),
]


@pytest.mark.parametrize(("path", "column_type", "column_path", "expected"), PATHS)
def test_paths(rows: Rows, path: str, column_type: str, column_path: str, expected: list[Any]) -> None:
    found = rows(
        f"SELECT v FROM JSON_TABLE(?, '{path}' COLUMNS (n FOR ORDINALITY, v {column_type} PATH '{column_path}'))"
        " ORDER BY n",
        DOCUMENT,
    )
    assert [row[0] for row in found] == expected


def test_digits_are_kept_and_null_has_no_rows(rows: Rows) -> None:
    digits = "123456789012345678.75"
    sql = "SELECT v FROM JSON_TABLE(?, '$' COLUMNS (v NUMERIC(30, 2) PATH '$'))"
    assert [str(row[0]) for row in rows(sql, f"[{digits}]")] == [digits]
    assert rows(sql, None) == []


@pytest.mark.parametrize(("sql", "sqlcode"), [
    (ONE.replace("}]", "}"), -400),
    (ONE.replace("'$' ", "'x' "), -400),
    (ONE.replace("$.a", "$..a"), -400),
    (ONE.replace(" PATH '$.a'", ""), -1),
    (ONE.replace("INTEGER", "NOTYPE"), -376),
    (ONE.replace("SELECT a", "SELECT b"), -29),
    (f"SELECT a FROM JSON_TABLE('{'[' * 100_000}', '$' COLUMNS (a INTEGER PATH '$.a'))", -400),
    ("SELECT a FROM JSON_TABLE('[NaN]', '$' COLUMNS (a INTEGER PATH '$'))", -400),
    ("SELECT a FROM Sample.Person p, JSON_TABLE(p.Name, '$' COLUMNS (a INTEGER PATH '$'))", -23),
])  # fmt: skip
def test_refusals(refused: Refused, sql: str, sqlcode: int) -> None:
    assert refused(sql).sqlcode == sqlcode


@pytest.mark.parametrize(("options", "exists"), [
    (EngineOptions(), True),
    (EngineOptions(release=Release(2023, 1)), False),
    (EngineOptions(release=Release(2023, 1), json_tables=True), True),
    (EngineOptions(json_tables=False), False),
])  # fmt: skip
def test_it_exists_by_release_and_by_switch(options: EngineOptions, exists: bool, tmp_path: Path) -> None:
    namespace = Namespace("X", tmp_path / "x.db", options)
    try:
        if exists:
            assert namespace.execute(ONE).rows == [(1,)]
        else:
            with pytest.raises(SqlError) as caught:
                namespace.execute(ONE)
            assert caught.value.sqlcode == -1
    finally:
        namespace.close()
