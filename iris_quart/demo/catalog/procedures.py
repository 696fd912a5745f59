"""Procedures that stand in FROM or after CALL: their columns, and the rows as SQLite text.

A procedure is one entry of PROCEDURES. Its text names the arguments {0}, {1}, ...; those that a call leaves out have
the values of `defaults`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from iris_quart.demo.core.types import BIGINT, DATE_TYPE, TIMESTAMP_TYPE, VARCHAR, SqlType

from .tables import fold


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure; `reads` names the tables whose grants a caller may want checked.

    One that `is_table` stands in FROM without parentheses: a table whose rows are made when it is read.
    """

    schema: str
    name: str
    columns: tuple[tuple[str, SqlType], ...]
    sql: str
    defaults: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    description: str = ""
    is_table: bool = False

    @property
    def full_name(self) -> str:
        """Return `Schema.Procedure`."""
        return f"{self.schema}.{self.name}"


def _tree(name: str, column: str, source: str, kind: str) -> Procedure:
    """Return a list of %SQL_MANAGER: arguments are whether to show system items, and a mask of `schema.name`."""
    return Procedure(
        "%SQL_MANAGER",
        name,
        (("SCHEMA_NAME", VARCHAR), (column, VARCHAR)),
        f"SELECT s AS c1, n AS c2 FROM ({source}) WHERE ({{0}} <> 0 OR s NOT IN ('INFORMATION_SCHEMA') AND"
        " s NOT LIKE '\\%%' ESCAPE '\\') AND iris_masked(s, n, {1})",
        ("0", "'*'"),
        description=f"The {kind} of a namespace.",
    )


_TABLES = (
    'SELECT TABLE_SCHEMA AS s, TABLE_NAME AS n FROM "INFORMATION_SCHEMA.TABLES" WHERE TABLE_TYPE NOT LIKE'
    " '%VIEW' ORDER BY 1, 2"
)
_VIEWS = 'SELECT TABLE_SCHEMA AS s, TABLE_NAME AS n FROM "INFORMATION_SCHEMA.VIEWS" ORDER BY 1, 2'
_ROUTINES = 'SELECT ROUTINE_SCHEMA AS s, ROUTINE_NAME AS n FROM "INFORMATION_SCHEMA.ROUTINES" ORDER BY 1, 2'

_CURRENT = Procedure(
    "INFORMATION_SCHEMA",
    "CURRENT_STATEMENTS",
    (
        ("ProcessID", BIGINT),
        ("SQLStatementID", BIGINT),
        ("StatementIndexHash", VARCHAR),
        ("UserName", VARCHAR),
        ("Namespace", VARCHAR),
        ("ExecutionStartUTC", TIMESTAMP_TYPE),
        ("ExecutionDuration", BIGINT),
        ("QueryStmtType", BIGINT),
        ("Status", VARCHAR),
    ),
    "SELECT value->>'process' AS c1, value->>'number' AS c2, value->>'hash' AS c3, value->>'user' AS c4,"
    " value->>'namespace' AS c5, value->>'started' AS c6, value->>'duration' AS c7, value->>'kind' AS c8,"
    " 'Running' AS c9 FROM json_each(iris_running())",
    is_table=True,
)

_LISTED = (
    _CURRENT,
    _tree("TablesTree", "TABLE_NAME", _TABLES, "tables"),
    _tree("ViewsTree", "VIEW_NAME", _VIEWS, "views"),
    _tree("ProceduresTree", "PROCEDURE_NAME", _ROUTINES, "procedures"),
    Procedure(
        "Sample",
        "SP_Sample_By_Name",
        (("ID", BIGINT), ("Name", VARCHAR), ("DOB", DATE_TYPE), ("SSN", VARCHAR)),
        'SELECT "%ID" AS c1, "Name" AS c2, "DOB" AS c3, "SSN" AS c4 FROM "Sample.Person"'
        ' WHERE iris_starts_upper("Name", {0}) ORDER BY "Name"',
        ("''",),
        reads=("Sample.Person",),
        description="The people whose name starts with a text.",
    ),
)
PROCEDURES: Mapping[tuple[str, str], Procedure] = {
    (fold(procedure.schema), fold(procedure.name)): procedure for procedure in _LISTED
}
"""Procedures by schema and name without letter case."""

__all__ = ["PROCEDURES", "Procedure"]
