"""Finding the row that an INSERT made: by its key, else among the rows that were not there before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from iris_quart.errors import InvalidResponse, IrisQuartError
from iris_quart.sql.edits import newest_statement, same_rows_statement
from iris_quart.sql.metadata import Column, Table
from iris_quart.sql.projection import Projection
from iris_quart.sql.values import Category, Wire, number_text

from .new_rows import NewRow, NewRows
from .outcomes import Found, Outcome, Result, doubt
from .validation import Plan, may_become, rewritten_form, stored_form

if TYPE_CHECKING:
    from .catalogue import SqlClient

__all__ = ["InsertMark", "Inserts", "filled_key", "found_rows"]

KEY_HELD = "A row with this key is there, and it is not known whether it is the new one."
LOOKED_AT_MAX = 1000
"""Most new rows that are looked at for one; with more, it is not known which is it."""
SAME_ROWS_MAX = 100
"""Rows with equal columns that are remembered where row IDs have no order; with more, proof is ambiguous."""

MakeProjection = Callable[[Table, Sequence[Column], int], Awaitable[Projection]]


@dataclass(frozen=True, slots=True)
class InsertMark:
    """The rows before an INSERT: the greatest row ID, or the rows that already had the same values."""

    key: tuple[Column, ...] = ()
    """Columns of a unique key that the new row fills: they alone tell it from all others."""
    held: Found | None = None
    """The row that held this key before."""
    newest: int | None = None
    before: frozenset[str] = frozenset()
    empty: bool = False
    """There was no row at all."""
    crowded: bool = False
    """There were too many equal rows to remember."""
    table: str | None = None
    """Table of `newest`."""
    since: int = field(default=0, compare=False)
    """Sequence of NewRows before this was read."""

    def fits(self, plan: Plan) -> bool:
        """Return whether it holds for another new row as well."""
        return self.newest is not None and self.table == plan.table.full_name and not filled_key(plan)

    def after(self, result: Result) -> InsertMark | None:
        """Return the mark for the row after one that was found: what is newer than that is newer than this."""
        if self.newest is None or result.outcome is not Outcome.SAVED or result.row_id is None:
            return None
        return replace(self, newest=int(result.row_id)) if result.row_id.isdigit() else None


class Inserts:
    """Remembers what was there before an INSERT and finds the new row after it."""

    def __init__(
        self, client: SqlClient, make_projection: MakeProjection, new_rows: NewRows | None = None
    ) -> None:
        self._client = client
        self._make_projection = make_projection
        self._new_rows = new_rows or NewRows()

    async def mark(self, plan: Plan) -> InsertMark:
        """Read what is there before: the row that holds the key of the new one, else the greatest row ID."""
        key = filled_key(plan)
        if key:
            values = {column: plan.values[column] for column in key}
            # Side by side, for one is of no use without the other.
            async with asyncio.TaskGroup() as group:
                holding = group.create_task(self._same(plan, values, None, 1))
                counting = group.create_task(self._newest(plan))
            held, newest = holding.result(), counting.result()
            # Where the row ID is a key that was left out, its order says nothing.
            counts = _counts(newest) and not _may_be_keyed(plan)
            return InsertMark(key, held[0] if held else None, int(newest) if counts else None)
        table = plan.table
        newest = await self._newest(plan)
        if newest in {None, "", "\0"}:
            return (
                InsertMark(newest=0, table=table.full_name)
                if _has_plain_row_ids(table)
                else InsertMark(empty=True)
            )
        if _counts(newest) and not _may_be_keyed(plan):
            return InsertMark(newest=int(newest), table=table.full_name)
        return await self._mark_by_values(plan)

    async def _newest(self, plan: Plan) -> Any:
        """Return the greatest row ID as IRIS writes it; NULL in any form when there is no row."""
        statement = newest_statement(plan.table.behind)
        reply = await self._client.query(plan.table.namespace, statement.sql, statement.parameters)
        return next(iter(reply.rows[0].values()), None) if reply.rows else None

    async def look(
        self, plan: Plan, mark: InsertMark | None, *, in_doubt: bool, new_row: NewRow | None = None
    ) -> Result | None:
        """Look up the new row; None when it is in doubt and not there, unknown when that cannot be told.

        A new row that cannot be told from others gives `row_id` None and `proof` "ambiguous". A row that is found is
        attributed to `new_row`, and to no other change then.
        """
        by_key = mark is None or bool(mark.key)
        key = filled_key(plan) if mark is None else mark.key
        try:
            if by_key and key:
                result = await self._look_by_key(plan, key, mark, in_doubt=in_doubt, new_row=new_row)
            elif mark is None or (new_row is None and in_doubt):
                # Nobody knows what was there before; an equal row may be anybody's.
                return doubt(plan)
            elif in_doubt:
                assert new_row is not None
                return await self._look_in_doubt(plan, mark, new_row)
            else:
                result = await self._look_by_values(plan, mark, new_row)
        except IrisQuartError:
            if in_doubt:
                return doubt(plan)
            # IRIS said that the row is in; only where cannot be told now.
            return Result(Outcome.SAVED, None, proof="ambiguous")
        if result is not None and result.row_id is not None and new_row is not None:
            self._new_rows.claim(new_row, result.row_id)
        return result

    async def _look_by_key(
        self,
        plan: Plan,
        key: tuple[Column, ...],
        mark: InsertMark | None,
        *,
        in_doubt: bool,
        new_row: NewRow | None,
    ) -> Result | None:
        found = await self._same(plan, {column: plan.values[column] for column in key}, None, 2)
        if not found:
            return None if in_doubt else Result(Outcome.SAVED, None, proof="ambiguous")
        if len(found) > 1:
            return doubt(plan) if in_doubt else Result(Outcome.SAVED, None, proof="ambiguous")
        row = found[0]
        if not in_doubt:
            return Result(Outcome.SAVED, row.row_id, row.values, previews=row.previews)
        if mark is None:
            # Nobody knows whether the row was there before the statement was sent.
            return doubt(plan, KEY_HELD)
        if mark.newest is not None and row.row_id.isdigit() and int(row.row_id) <= mark.newest:
            # An older row has got the key since, unless the row ID is not a counter but a value that was sent.
            return doubt(plan, KEY_HELD) if _is_sent_value(row.row_id, plan) else None
        held = mark.held
        if held is not None and held.row_id == row.row_id:
            # It was there before. IRIS refuses a second one; only where the key is the row ID may it be a new one.
            return doubt(plan, KEY_HELD) if _may_be_row_id(row.row_id, plan, key) else None
        if not _equal(plan, row) or (new_row is not None and self._new_rows.is_taken(new_row, row.row_id)):
            # Somebody's row holds the key: another one, so that ours was refused, or ours, changed since.
            return doubt(plan, KEY_HELD)
        if new_row is not None and not self._new_rows.seen_long(new_row, frozenset({row.row_id})):
            # Another worker may be about to announce it.
            return doubt(plan, KEY_HELD)
        return Result(Outcome.SAVED, row.row_id, row.values, previews=row.previews)

    async def _look_by_values(self, plan: Plan, mark: InsertMark, new_row: NewRow | None) -> Result:
        """Look up a row that IRIS took: the only one that is new and may be it."""
        ambiguous = Result(Outcome.SAVED, None, proof="ambiguous")
        if mark.crowded:
            return ambiguous
        taken = 0 if new_row is None else self._new_rows.taken(new_row)
        limit = min(len(mark.before) + taken + 2, LOOKED_AT_MAX)
        read = await self._same(plan, plan.values, mark.newest, limit)
        found = self._unclaimed(read, mark, new_row)
        if found:
            known = len(found) == 1 and len(read) < limit
            return (
                Result(Outcome.SAVED, found[0].row_id, found[0].values, previews=found[0].previews)
                if known
                else ambiguous
            )
        if mark.newest is not None or mark.empty:
            # A trigger or a type may have changed what was sent; then the only new row is ours, if it may be it.
            read = await self._same(plan, {}, mark.newest, limit)
            found = self._unclaimed(read, mark, new_row)
            if len(found) == 1 and len(read) < limit and _may_be(plan, found[0]):
                return Result(Outcome.SAVED, found[0].row_id, found[0].values, previews=found[0].previews)
        return ambiguous

    async def _look_in_doubt(self, plan: Plan, mark: InsertMark, new_row: NewRow) -> Result | None:
        """Look up a row that IRIS may not have taken: as many new rows as changes that may have made one.

        An equal row may also be one that another worker is about to announce, so it has to be seen for a while.
        """
        if mark.crowded:
            return doubt(plan)
        rivals = self._new_rows.rivals(new_row)
        limit = len(mark.before) + self._new_rows.taken(new_row) + rivals.made + rivals.open + 2
        if limit > LOOKED_AT_MAX:
            return doubt(plan)
        read = await self._same(plan, plan.values, mark.newest, limit)
        found = self._unclaimed(read, mark, new_row)
        rivals = self._new_rows.rivals(new_row)
        spare = len(found) - rivals.made
        if spare <= 0:
            # A row of ours that was changed since would be among the new ones.
            return None if await self._nothing_else(plan, mark, new_row, limit) else doubt(plan)
        if spare != rivals.open + 1 or len(read) >= limit:
            return doubt(plan)
        ids = frozenset(row.row_id for row in found)
        if not self._new_rows.seen_long(new_row, ids):
            return doubt(plan)
        self._new_rows.note_made(new_row)
        if len(found) == 1 and self._new_rows.claim(new_row, found[0].row_id):
            return Result(Outcome.SAVED, found[0].row_id, found[0].values, previews=found[0].previews)
        return Result(Outcome.SAVED, None, proof="ambiguous")

    async def _nothing_else(self, plan: Plan, mark: InsertMark, new_row: NewRow, limit: int) -> bool:
        """Check whether every row that is new was made by another change."""
        if mark.newest is None and not mark.empty:
            return False
        read = await self._same(plan, {}, mark.newest, limit)
        return len(read) < limit and not self._unclaimed(read, mark, new_row)

    def _unclaimed(self, rows: Sequence[Found], mark: InsertMark, new_row: NewRow | None) -> list[Found]:
        return [
            row
            for row in rows
            if row.row_id not in mark.before
            and (new_row is None or not self._new_rows.is_taken(new_row, row.row_id))
        ]

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
    """Return whether row IDs are numbers that count up: not those of child tables, which are parent||number."""
    return any(column.is_identity and column.category.is_number for column in table.columns)


def _may_be_keyed(plan: Plan) -> bool:
    """Return whether the row ID may be a key that a default or a trigger fills: such IDs need not count up.

    Where a primary key is the IDKEY, %ID is its value. Whole numbers that were left out are taken for counters.
    """
    return any(
        column.is_primary_key
        and not column.is_identity
        and column not in plan.values
        and column.category is not Category.INTEGER
        for column in plan.table.columns
    )


def _counts(newest: Any) -> bool:
    return isinstance(newest, int) or (isinstance(newest, str) and newest.isdigit())


def _is_sent_value(row_id: str, plan: Plan) -> bool:
    """Check whether a value that was sent may be the row ID, as where a key is the IDKEY."""
    return any(_key_text(value) == row_id for value in plan.values.values())


def _may_be_row_id(row_id: str, plan: Plan, key: tuple[Column, ...]) -> bool:
    """Check whether the row ID is made of the key, so that a row that is inserted again has the same one."""
    return row_id == "||".join(_key_text(plan.values[column]) for column in key)


def _key_text(value: Wire) -> str:
    return "" if value is None else value if isinstance(value, str) else number_text(value)


def _may_be(plan: Plan, row: Found) -> bool:
    """Check whether what was sent can have become a row: by its types, or by a trigger that changes letter case."""
    return all(
        column.name in row.cut
        or may_become(column, value, row.values.get(column.name))
        or rewritten_form(value, row.values.get(column.name))
        for column, value in plan.values.items()
    )


def _equal(plan: Plan, row: Found) -> bool:
    return all(
        column.name in row.cut or stored_form(column, value, row.values.get(column.name))
        for column, value in plan.values.items()
    )


def found_rows(projection: Projection, answers: Sequence[Mapping[str, Any]]) -> list[Found]:
    """Read an answer's rows for a proof. Raises InvalidResponse for a row without its ID: it is not no row."""
    decoded = projection.read(answers)
    found = []
    for place, (row, row_id) in enumerate(zip(decoded.rows, decoded.row_ids, strict=True)):
        if row_id is None:
            raise InvalidResponse("IRIS answered with a row that lacks its row ID.")
        previews = decoded.previews.get(place, {})
        found.append(Found(row_id, row, frozenset(previews), previews))
    return found
