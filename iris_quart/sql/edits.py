"""Statements that change rows, and those that prove it; pure text, values only as parameters.

IRIS tells neither how many rows a statement changed nor which row an INSERT made, so every change is guarded by
what was seen and looked at afterwards (facts on action/query: DML answers with an empty list).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from .metadata import WHOLE_TEXT, Column, Table
from .pages import row_id_parameter
from .projection import Projection
from .values import Fragment, Parameter, Wire, compared, guard

__all__ = [
    "GUARDS_MAX",
    "RAISED",
    "Guards",
    "delete_statement",
    "guards_for",
    "insert_statement",
    "left_statement",
    "newest_statement",
    "prove_statement",
    "raising_guard",
    "same_rows_statement",
    "shown_statement",
    "update_statement",
    "written",
]

GUARDS_MAX = 150
"""Most columns that a guard compares: IRIS promises 200 question marks in a statement (%SQL.Statement)."""


RAISED = -400
"""SQLCODE of a statement whose raising guard did not match: the fatal error <DIVIDE>."""


class Guards(NamedTuple):
    """Conditions that a row still is as it was seen, and the columns that could not be compared in full."""

    conditions: tuple[Fragment, ...]
    unguarded: tuple[str, ...]


def guards_for(
    seen: Mapping[Column, Wire],
    *,
    preview: int,
    whole: Collection[Column] = (),
    lengths: Mapping[Column, int] | None = None,
) -> Guards:
    """Write the conditions that the columns still hold what was seen.

    Streams, binaries and lists cannot be compared, but for NULL. A text of `preview` characters in a column whose
    longer values travel cut may be the beginning of one, and is then compared as far as it goes, unless the column
    is one of `whole`: seen in full. Those of `lengths` were seen as previews: whole length and beginning are compared.
    """
    conditions: list[Fragment] = []
    unguarded: list[str] = []
    for column, value in seen.items():
        condition = guard(column.sql, column.category, value)
        if condition is None and value is None:
            condition = Fragment(f"{column.sql} IS NULL")
        if lengths and column in lengths and isinstance(value, str) and is_cut_text(column):
            beginning = _beginning(column, value)
            length = f"CHARACTER_LENGTH({column.sql}) = ?"
            conditions.append(
                Fragment(f"{length} AND {beginning.sql}", (lengths[column], *beginning.parameters))
            )
            unguarded.append(column.name)
            continue
        if condition is None or len(conditions) >= GUARDS_MAX:
            unguarded.append(column.name)
            continue
        if column.may_be_cut and isinstance(value, str) and len(value) == preview and column not in whole:
            beginning = _beginning(column, value)
            longer = f"CHARACTER_LENGTH({column.sql}) > {max(WHOLE_TEXT, preview)}"
            condition = Fragment(
                f"({condition.sql} OR ({longer} AND {beginning.sql}))",
                (*condition.parameters, *beginning.parameters),
            )
            unguarded.append(column.name)
        conditions.append(condition)
    return Guards(tuple(conditions), tuple(unguarded))


def is_cut_text(column: Column) -> bool:
    """Check whether a preview of a column is the beginning of its text."""
    return column.may_be_cut and not column.category.is_preview


def _beginning(column: Column, value: str) -> Fragment:
    """Write that a text begins with a value, in whichever units the server counts: characters or UTF-16 units."""
    exactly = f"%EXACT(SUBSTRING({column.sql}, 1, {len(value)})) = ?"
    units = len(value) if value.isascii() else len(value.encode("utf-16-le", "surrogatepass")) // 2
    if units == len(value):
        return Fragment(exactly, (value,))
    return Fragment(f"({exactly} OR %EXACT(SUBSTRING({column.sql}, 1, ?)) = ?)", (value, units, value))


def written(column: Column, value: Wire) -> Fragment:
    """Write a new value as it stands in SET and VALUES.

    A moment whose column may be a TIMESTAMP or a POSIXTIME is cast to a timestamp, which IRIS converts to either; text
    would fail the validation of a POSIXTIME, whose logical form is a number.
    """
    if column.is_open_moment and isinstance(value, str) and value:
        return Fragment("CAST(? AS TIMESTAMP)", (value,))
    return compared(column.category, value)


def update_statement(
    table: Table,
    row_id: str,
    values: Mapping[Column, Wire],
    guards: Sequence[Fragment],
    *,
    raising: bool = False,
) -> Fragment:
    """Change columns of one row, if it still is as the guards say.

    With `raising` the statement fails where they do not hold (see `raising_guard`), so that one that IRIS accepted
    surely matched or found no row.
    """
    if raising and guards:
        guards = (raising_guard(guards),)
    items = [(column.sql, written(column, value)) for column, value in values.items()]
    where = _where(table, row_id, guards)
    return Fragment(
        f"UPDATE {table.sql} SET {', '.join(f'{name} = {item.sql}' for name, item in items)}{where.sql}",
        (*(parameter for _, item in items for parameter in item.parameters), *where.parameters),
    )


def raising_guard(guards: Sequence[Fragment]) -> Fragment:
    """Write a condition that holds where all guards hold, and fails with SQLCODE -400 <DIVIDE> elsewhere.

    A statement whose guard does not match is not an error in IRIS, and its answer has no row count. Where the row
    cannot show whether it matched, since IRIS may store another value than the one that was sent, it has to fail.
    """
    return Fragment(
        f"CASE WHEN {' AND '.join(item.sql for item in guards)} THEN 1 ELSE 1 / 0 END = 1",
        tuple(parameter for item in guards for parameter in item.parameters),
    )


def delete_statement(table: Table, row_id: str, guards: Sequence[Fragment]) -> Fragment:
    """Delete one row, if it still is as the guards say."""
    where = _where(table, row_id, guards)
    return Fragment(f"DELETE FROM {table.sql}{where.sql}", where.parameters)


def insert_statement(table: Table, values: Mapping[Column, Wire]) -> Fragment:
    """Insert one row with only the columns that were filled; defaults stay IRIS's."""
    if not values:
        return Fragment(f"INSERT INTO {table.sql} DEFAULT VALUES")
    items = [written(column, value) for column, value in values.items()]
    names = ", ".join(column.sql for column in values)
    return Fragment(
        f"INSERT INTO {table.sql} ({names}) VALUES ({', '.join(item.sql for item in items)})",
        tuple(parameter for item in items for parameter in item.parameters),
    )


def prove_statement(table: Table, projection: Projection, row_ids: Sequence[str]) -> Fragment:
    """Read rows again by their row IDs."""
    select = f"SELECT {projection.sql} FROM {table.sql}"
    if len(row_ids) == 1:
        return Fragment(f"{select} WHERE {table.row_id} = ?", (row_id_parameter(row_ids[0]),))
    where = _among(table, row_ids)
    return Fragment(f"{select} WHERE {where.sql} ORDER BY {table.row_id}", where.parameters)


def left_statement(table: Table, row_ids: Sequence[str]) -> Fragment:
    """Count the rows of these row IDs that are there."""
    where = _among(table, row_ids)
    return Fragment(f'SELECT COUNT(*) AS "left_rows" FROM {table.sql} WHERE {where.sql}', where.parameters)


def shown_statement(table: Table, row_ids: Sequence[str]) -> Fragment:
    """Request which of these rows a view shows."""
    where = _among(table, row_ids)
    return Fragment(f'SELECT {table.row_id} AS "row_id" FROM {table.sql} WHERE {where.sql}', where.parameters)


def _among(table: Table, row_ids: Sequence[str]) -> Fragment:
    marks = ", ".join("?" for _ in row_ids)
    return Fragment(f"{table.row_id} IN ({marks})", tuple(row_id_parameter(row_id) for row_id in row_ids))


def newest_statement(table: Table) -> Fragment:
    """Ask for the greatest row ID."""
    return Fragment(f'SELECT MAX({table.row_id}) AS "newest" FROM {table.sql}')


def same_rows_statement(
    table: Table,
    projection: Projection,
    values: Mapping[Column, Wire],
    *,
    after: Parameter | None,
    limit: int,
) -> Fragment:
    """Look up rows that hold these values, of those with a greater row ID than `after`; at most `limit`.

    Columns that cannot be compared are not looked at.
    """
    conditions = [Fragment(f"{table.row_id} > ?", (after,))] if after is not None else []
    for column, value in values.items():
        condition = guard(column.sql, column.category, value)
        if condition is not None and len(conditions) < GUARDS_MAX:
            conditions.append(condition)
    where = f" WHERE {' AND '.join(item.sql for item in conditions)}" if conditions else ""
    return Fragment(
        f"SELECT TOP {limit} {projection.sql} FROM {table.sql}{where} ORDER BY {table.row_id}",
        tuple(parameter for item in conditions for parameter in item.parameters),
    )


def _where(table: Table, row_id: str, guards: Sequence[Fragment]) -> Fragment:
    conditions = [Fragment(f"{table.row_id} = ?", (row_id_parameter(row_id),)), *guards]
    return Fragment(
        f" WHERE {' AND '.join(item.sql for item in conditions)}",
        tuple(parameter for item in conditions for parameter in item.parameters),
    )
