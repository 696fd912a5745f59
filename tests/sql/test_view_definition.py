"""Definitions of views: few are understood, and whatever is not leaves the view read-only."""

from __future__ import annotations

import pytest

from iris_quart.sql.identifiers import QualifiedName
from iris_quart.sql.view_definition import ViewSource, read_view


def read(definition: str, updatable: str = "YES") -> ViewSource | str:
    return read_view([{"VIEW_DEFINITION": definition, "IS_UPDATABLE": updatable}])


@pytest.mark.parametrize(
    ("definition", "schema", "table", "columns"),
    [
        ("SELECT ID, Name FROM Sample.Person", "Sample", "Person", ("ID", "Name")),
        ("select\n ID,Name from Person;", "SQLUser", "Person", ("ID", "Name")),
        ('SELECT "ID","a ""b""" FROM "My Schema"."T$1"', "My Schema", "T$1", ("ID", 'a "b"')),
        ("SELECT ID FROM A.B WHERE Age > 65 AND Name = 'SELECT -- FROM'", "A", "B", ("ID",)),
        ("SELECT ID FROM A.B WHERE (Age + 1.5) IN (1, 2) WITH CHECK OPTION", "A", "B", ("ID",)),
    ],
)
def test_some_columns_of_one_table(
    definition: str, schema: str, table: str, columns: tuple[str, ...]
) -> None:
    assert read(definition) == ViewSource(QualifiedName(schema, table), columns)


@pytest.mark.parametrize(
    "definition",
    [
        "",
        "SELECT",
        "SELECT ID",
        "SELECT FROM A.B",
        "SELECT ID, FROM A.B",
        "SELECT ID FROM",
        "SELECT ID FROM A.",
        "SELECT ID FROM A.B.C",
        "SELECT * FROM A.B",
        "SELECT %ID FROM A.B",
        "SELECT ID, Name AS Title FROM A.B",
        "SELECT ID, Name Title FROM A.B",
        "SELECT ID, Age + 1 FROM A.B",
        "SELECT ID, UPPER(Name) FROM A.B",
        "SELECT b.ID FROM A.B b",
        "SELECT ID FROM A.B AS b",
        "SELECT DISTINCT ID FROM A.B",
        "SELECT ALL ID FROM A.B",
        "SELECT TOP 5 ID FROM A.B",
        "SELECT ID FROM A.B, A.C",
        "SELECT ID FROM A.B JOIN A.C ON 1 = 1",
        "SELECT ID FROM (SELECT ID FROM A.B)",
        "SELECT ID FROM A.B ORDER BY ID",
        "SELECT ID FROM A.B GROUP BY ID",
        "SELECT ID FROM A.B WHERE ID IN (SELECT x FROM A.C)",
        "SELECT ID FROM A.B WHERE 1 = 1 UNION SELECT ID FROM A.C",
        "SELECT ID FROM A.B WHERE 1 = 1 ORDER BY ID",
        "SELECT ID FROM A.B WHERE %VID < 5",
        "SELECT ID /* all */ FROM A.B",
        "SELECT ID FROM A.B WHERE 1 = 1 -- all",
        "SELECT ID FROM A.B WHERE x = :host",
        "SELECT ID FROM A.B WHERE d = {d '2020-01-01'}",
        "SELECT ID FROM A.B WHERE x = 'open",
        "CALL A.B()",
        "SELECT ID FROM A.B WHERE x = 1" + " " * 5 + "AND x = 1" * 10_000,
    ],
)
def test_anything_else_is_read_only(definition: str) -> None:
    assert (
        read(definition)
        == "This view is more than some columns of one table, so its rows are not changed here."
    )


def test_what_iris_does_not_update_is_read_only() -> None:
    for rows in ([], [{"VIEW_DEFINITION": "SELECT ID FROM A.B", "IS_UPDATABLE": "NO"}]):
        assert read_view(rows) == "IRIS accepts no changes through this view."
