"""Proof of changes by reading rows, because IRIS reports no row count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from iris_quart.errors import IrisQuartError
from iris_quart.sql.edits import left_statement, prove_statement, shown_statement
from iris_quart.sql.metadata import WHOLE_TEXT, Column, Table
from iris_quart.sql.projection import Projection, row_id_text
from iris_quart.sql.values import Fragment, Wire

from .derived import Derived
from .inserts import InsertMark, Inserts, found_rows
from .new_rows import NewRow, NewRows
from .outcomes import Found, Guard, Outcome, Result, doubt, is_judged, judge, outside
from .validation import ChangeKind, Plan

if TYPE_CHECKING:
    from .catalogue import SqlClient, StatementAnswer

__all__ = ["Projections", "Proofs", "ReadBehind", "Sent"]

TABLES_KEPT = 16
"""Tables whose select lists are kept."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A change that has been sent, and what is needed to prove it."""

    plan: Plan
    guard: Guard
    mark: InsertMark | None = None
    new_row: NewRow | None = None
    """The row that an INSERT makes, among those of other changes."""
    in_doubt: bool = False
    """The connection broke after the statement was handed over."""
    unapplied: bool = False
    """IRIS surely did not apply it."""
    conclusive: bool = True
    """All that was there before is known, so that a change without effect can be told from one undone since."""
    result: Result | None = None
    """Set when there is nothing to prove: IRIS refused it, or it never left."""
    proved: Mapping[str, Result] = field(default_factory=dict)
    """By row ID, what the read behind the statement proved of it and of the changes sent before it."""


@dataclass(frozen=True, slots=True)
class ReadBehind:
    """A read that proves changes by what it finds, sent behind the last of them without waiting.

    Whether it ran after them is not relied on: only new values that are there, and rows that are not, count.
    """

    sent: tuple[Sent, ...]
    statement: Fragment
    projection: Projection | None
    """None where the rows that are left are counted."""

    def prove(self, answer: StatementAnswer) -> dict[str, Result]:
        """Return what is proved, by row ID. Raises InvalidResponse."""
        if self.projection is None:
            rows: dict[str, Found] = {}
            if answer.rows != [{"left_rows": 0}]:
                return {}
        else:
            rows = {row.row_id: row for row in found_rows(self.projection, answer.rows)}
        proved = {}
        for item in self.sent:
            row_id = item.plan.row_id or ""
            if (row_id in rows) is (self.projection is None):
                continue
            result = judge(item.plan, item.guard, rows.get(row_id), in_doubt=True)
            if result is not None and result.outcome is Outcome.SAVED:
                proved[row_id] = result
        return proved


class Projections:
    """Select lists that read columns whole."""

    def __init__(self, client: SqlClient) -> None:
        self._client = client
        self._known: Derived[Projection] = Derived(TABLES_KEPT)

    async def whole(self, table: Table, columns: Sequence[Column], longest: int) -> Projection:
        """Return what reads columns whole, as far as texts of `longest` characters need it."""
        limit = WHOLE_TEXT
        while limit <= longest:
            limit *= 4  # few different texts, so that IRIS keeps their plans
        encoding = await self._client.encoding(table.namespace)
        key = (tuple(columns), encoding, limit)
        return self._known.get(table, key, lambda: Projection(table, columns, encoding, preview=limit))


class Proofs:
    """Looks at rows and judges changes by them; `inserts` finds new rows."""

    def __init__(self, client: SqlClient, new_rows: NewRows | None = None) -> None:
        self._client = client
        self._projections = Projections(client)
        self.inserts = Inserts(client, self._projections.whole, new_rows)

    async def look(self, sent: Sequence[Sent]) -> list[Result | None]:
        """Judge changes, each of another row, by the rows as they stand; None for what cannot be told yet."""
        results: list[Result | None] = [item.result for item in sent]
        groups: dict[tuple[int, frozenset[str]], list[int]] = {}
        for index, item in enumerate(sent):
            if results[index] is not None:
                continue
            if item.plan.kind is ChangeKind.INSERT:
                results[index] = await self.inserts.look(
                    item.plan, item.mark, in_doubt=item.in_doubt, new_row=item.new_row
                )
                continue
            names = frozenset(column.name for column in self._looked_at(item))
            groups.setdefault((id(item.plan.table), names), []).append(index)
        for (_, names), indexes in groups.items():
            table = sent[indexes[0]].plan.table
            ordered = [column for column in table.columns if column.name in names]
            row_ids = [row_id for index in indexes if (row_id := sent[index].plan.row_id) is not None]
            values = [value for index in indexes for value in _texts(sent[index])]
            try:
                rows = await self.read(table, ordered, row_ids, values)
            except IrisQuartError as error:
                for index in indexes:
                    # Even of a statement that was answered nobody knows whether its guard matched.
                    results[index] = _unproved(sent[index].plan, error)
                continue
            for index in indexes:
                item = sent[index]
                found = rows.get(item.plan.row_id or "")
                plan = item.plan if found is None else replace(item.plan, row_id=found.row_id)
                results[index] = judge(
                    plan, item.guard, found, in_doubt=item.in_doubt, unapplied=item.unapplied
                )
        await self._look_through_views(sent, results)
        return results

    async def read_behind(self, sent: Sequence[Sent]) -> ReadBehind | None:
        """Return the read that may be sent behind the last of these changes; None where one read cannot prove them."""
        first = sent[0].plan
        names = {column.name for column in self._looked_at(sent[0])}
        if first.kind is ChangeKind.INSERT or first.table.base is not None:
            return None
        for item in sent:
            if (
                item.plan.kind is not first.kind
                or item.plan.table is not first.table
                or item.result is not None
            ):
                return None
            if first.kind is ChangeKind.UPDATE and {column.name for column in self._looked_at(item)} != names:
                return None
        row_ids = [row_id for item in sent if (row_id := item.plan.row_id) is not None]
        table = first.table
        if first.kind is ChangeKind.DELETE:
            return ReadBehind(tuple(sent), left_statement(table.behind, row_ids), None)
        ordered = [column for column in table.columns if column.name in names]
        longest = _longest([value for item in sent for value in _texts(item)])
        projection = await self._projections.whole(table, ordered, longest)
        return ReadBehind(tuple(sent), prove_statement(table.behind, projection, row_ids), projection)

    async def _look_through_views(self, sent: Sequence[Sent], results: list[Result | None]) -> None:
        """Mark rows that a view no longer shows although the table behind it holds them."""
        groups: dict[int, list[int]] = {}
        for index, item in enumerate(sent):
            result = results[index]
            looked = item.result is None and item.plan.table.base is not None
            if looked and result is not None and result.row_id is not None and is_judged(item.plan, result):
                groups.setdefault(id(item.plan.table), []).append(index)
        for indexes in groups.values():
            table = sent[indexes[0]].plan.table
            row_ids = [row_id for index in indexes if (row_id := _row_id(results[index])) is not None]
            statement = shown_statement(table, row_ids)
            try:
                answers = (
                    await self._client.query(table.namespace, statement.sql, statement.parameters)
                ).rows
            except IrisQuartError:
                continue  # What was proved stands; whether the view shows it is not known.
            shown = {row_id_text(next(iter(answer.values()), None)) for answer in answers}
            for index in indexes:
                if _row_id(results[index]) not in shown:
                    results[index] = outside(sent[index].plan, results[index])

    def _looked_at(self, sent: Sent) -> list[Column]:
        table = sent.plan.table
        computed = [
            column
            for column in table.columns
            if not (column.editable or column.is_identity or column.category.is_preview)
        ]
        columns = [*sent.plan.values, *sent.guard.base]
        if sent.plan.kind is ChangeKind.UPDATE:
            columns += computed
        return columns

    async def read(
        self, table: Table, columns: Sequence[Column], row_ids: Sequence[str], values: Sequence[Wire]
    ) -> dict[str, Found]:
        """Read columns of rows, whole as far as these values are long; by row ID as it was asked for."""
        projection = await self._projections.whole(table, columns, _longest(values))
        statement = prove_statement(table.behind, projection, row_ids)
        answers = (await self._client.query(table.namespace, statement.sql, statement.parameters)).rows
        rows = found_rows(projection, answers)
        if len(row_ids) == 1:
            # IRIS may write the row ID otherwise than it was asked for.
            return dict(zip(row_ids, rows[:1], strict=False))
        return {row.row_id: row for row in rows}


def _row_id(result: Result | None) -> str | None:
    return None if result is None else result.row_id


def _texts(sent: Sent) -> list[Wire]:
    return [*sent.plan.values.values(), *sent.guard.base.values()]


def _longest(values: Sequence[Wire]) -> int:
    return max((len(value) for value in values if isinstance(value, str)), default=0)


def _unproved(plan: Plan, error: IrisQuartError) -> Result:
    result = doubt(plan)
    assert result.error is not None
    result.error.server_text = error.server_text
    return result
