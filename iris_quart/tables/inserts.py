"""Finding the row that an INSERT made: by its key, else among the rows that were not there before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from iris_quart.errors import InvalidResponse, IrisQuartError
from iris_quart.sql.edits import newest_statement, same_rows_statement
from iris_quart.sql.metadata import Column, Table
from iris_quart.sql.projection import Projection
from iris_quart.sql.values import Category, Wire

from .outcomes import Found, Outcome, Result, doubt
from .validation import Plan, same_value

if TYPE_CHECKING:
    from .catalogue import SqlClient

__all__ = ["InsertMark", "Inserts", "filled_key", "found_rows"]

SAME_ROWS_MAX = 100
"""Rows with equal columns that are remembered where row IDs have no order; with more, proof is ambiguous."""

MakeProjection = Callable[[Table, Sequence[Column], int], Awaitable[Projection]]


@dataclass(frozen=True, slots=True)
class InsertMark:
    """What was there before: the greatest row ID, or the rows that had the same values already."""

    key: tuple[Column, ...] = ()
    """Columns of a unique key that the new row fills: they alone tell it from all others."""
    newest: int | None = None
    before: frozenset[str] = frozenset()
    crowded: bool = False
    """There were too many equal rows to remember."""
    table: str | None = None
    """Table of `newest`."""

    def fits(self, plan: Plan) -> bool:
        """Tell whether it holds for another new row as well."""
        return self.newest is not None and self.table == plan.table.full_name and not filled_key(plan)

    def after(self, result: Result) -> InsertMark | None:
        """Give the mark for the row after one that was found: what is newer than that is newer than this."""
        if self.newest is None or result.outcome is not Outcome.SAVED or result.row_id is None:
            return None
        return replace(self, newest=int(result.row_id)) if result.row_id.isdigit() else None


class Inserts:
    """Remembers what was there before an INSERT and finds the new row after it."""

    def __init__(self, client: SqlClient, make_projection: MakeProjection) -> None:
        self._client = client
        self._make_projection = make_projection

    async def mark(self, plan: Plan) -> InsertMark:
        """Look at what is there before; nothing is asked when the new row brings its own key."""
        key = filled_key(plan)
        if key:
            return InsertMark(key)
        table = plan.table
        statement = newest_statement(table.behind)
        rows = (await self._client.query(table.namespace, statement.sql, statement.parameters)).rows
        newest = next(iter(rows[0].values()), None) if rows else None
        if newest in {None, "", "\0"}:
            return (
                InsertMark(newest=0, table=table.full_name)
                if _has_plain_row_ids(table)
                else await self._mark_by_values(plan)
            )
        counts = isinstance(newest, int) or (isinstance(newest, str) and newest.isdigit())
        if counts and not _may_be_keyed(plan):
            return InsertMark(newest=int(newest), table=table.full_name)
        return await self._mark_by_values(plan)

    async def look(self, plan: Plan, mark: InsertMark | None, *, in_doubt: bool) -> Result | None:
        """Find the new row; None when it is in doubt and not there, unknown when that cannot be told.

        A new row that cannot be told from others gives `row_id` None and `proof` "ambiguous".
        """
        by_key = mark is None or bool(mark.key)
        key = filled_key(plan) if mark is None else mark.key
        try:
            if by_key and key:
                return await self._look_by_key(plan, key, in_doubt=in_doubt)
            return await self._look_by_values(plan, mark, in_doubt=in_doubt)
        except IrisQuartError:
            if in_doubt:
                return doubt(plan)
            # IRIS said that the row is in; only where cannot be told now.
            return Result(Outcome.SAVED, None, proof="ambiguous")

    async def _look_by_key(self, plan: Plan, key: tuple[Column, ...], *, in_doubt: bool) -> Result | None:
        found = await self._same(plan, {column: plan.values[column] for column in key}, None, 2)
        if not found:
            return None if in_doubt else Result(Outcome.SAVED, None, proof="ambiguous")
        if len(found) > 1:
            return doubt(plan) if in_doubt else Result(Outcome.SAVED, None, proof="ambiguous")
        row = found[0]
        if in_doubt and not _equal(plan, row):
            # Somebody's row holds the key: another one, so that ours was refused, or ours, changed since.
            return doubt(plan)
        return Result(Outcome.SAVED, row.row_id, row.values)

    async def _look_by_values(self, plan: Plan, mark: InsertMark | None, *, in_doubt: bool) -> Result | None:
        ambiguous = Result(Outcome.SAVED, None, proof="ambiguous")
        if mark is None:
            # Nobody knows what was there before; an equal row may be anybody's.
            return doubt(plan)
        if mark.crowded:
            return doubt(plan) if in_doubt else ambiguous
        limit = len(mark.before) + 2
        found = [
            row
            for row in await self._same(plan, plan.values, mark.newest, limit)
            if row.row_id not in mark.before
        ]
        if len(found) == 1:
            return Result(Outcome.SAVED, found[0].row_id, found[0].values)
        if found:
            return ambiguous
        if in_doubt:
            # A row of ours that was changed since would be among the new ones.
            known = mark.newest is not None and not await self._same(plan, {}, mark.newest, 1)
            return None if known else doubt(plan)
        if mark.newest is not None:
            # A trigger or a type may have changed what was sent; then the only new row is ours.
            found = await self._same(plan, {}, mark.newest, 2)
            if len(found) == 1:
                return Result(Outcome.SAVED, found[0].row_id, found[0].values)
        return ambiguous

    async def _mark_by_values(self, plan: Plan) -> InsertMark:
        found = await self._same(plan, plan.values, None, SAME_ROWS_MAX + 1)
        if len(found) > SAME_ROWS_MAX:
            return InsertMark(crowded=True)
        return InsertMark(before=frozenset(row.row_id for row in found))

    async def _same(
        self, plan: Plan, values: dict[Column, Wire], after: int | None, limit: int
    ) -> list[Found]:
        table = plan.table
        columns = [
            column
            for column in table.columns
            if not (column.category.is_stream or column.category.is_preview) or column in plan.values
        ]
        longest = max((len(value) for value in plan.values.values() if isinstance(value, str)), default=0)
        projection = await self._make_projection(table, columns, longest)
        statement = same_rows_statement(table.behind, projection, values, after=after, limit=limit)
        answers = (await self._client.query(table.namespace, statement.sql, statement.parameters)).rows
        return found_rows(projection, answers)


def filled_key(plan: Plan) -> tuple[Column, ...]:
    """Return the columns of a unique key that a new row fills; empty without one."""
    table = plan.table
    keys = [*table.unique_keys, *((column.name,) for column in table.columns if column.unique)]
    for names in keys:
        columns = tuple(column for name in names if (column := table.find(name)) is not None)
        # A key with a NULL in it is unique for nobody (SQL-92 unique constraint).
        if len(columns) == len(names) and all(plan.values.get(column) is not None for column in columns):
            return columns
    return ()


def _has_plain_row_ids(table: Table) -> bool:
    """Tell whether row IDs are numbers that count up: not those of child tables, which are parent||number."""
    return any(column.is_identity and column.category.is_number for column in table.columns)


def _may_be_keyed(plan: Plan) -> bool:
    """Tell whether the row ID may be a key that a default or a trigger fills: such IDs need not count up.

    Where a primary key is the IDKEY, %ID is its value. Whole numbers that were left out are taken for counters.
    """
    return any(
        column.is_primary_key
        and not column.is_identity
        and column not in plan.values
        and column.category is not Category.INTEGER
        for column in plan.table.columns
    )


def _equal(plan: Plan, row: Found) -> bool:
    return all(
        column.name in row.cut or same_value(column, value, row.values.get(column.name))
        for column, value in plan.values.items()
    )


def found_rows(projection: Projection, answers: Sequence[Mapping[str, Any]]) -> list[Found]:
    """Read an answer's rows for a proof. Raises InvalidResponse for a row without its ID: it is not no row."""
    decoded = projection.read(answers)
    found = []
    for place, (row, row_id) in enumerate(zip(decoded.rows, decoded.row_ids, strict=True)):
        if row_id is None:
            raise InvalidResponse("IRIS answered with a row that lacks its row ID.")
        found.append(Found(row_id, row, frozenset(decoded.previews.get(place, ()))))
    return found
