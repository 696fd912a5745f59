"""One page of a query: its start, its statement, and its rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from iris_quart.errors import InvalidInput, InvalidResponse
from iris_quart.protocol import encode_json
from iris_quart.sql.pages import (
    Boundary,
    RowQuery,
    decode_cursor,
    encode_cursor,
    jump_statement,
    keyset_statement,
    sort_value,
)
from iris_quart.sql.passthrough import Passed, Passing
from iris_quart.sql.projection import Preview, Projection, Row
from iris_quart.sql.values import Category, Fragment, parse

from .catalogue import StatementAnswer
from .time_slices import TimeSlices

__all__ = ["After", "Before", "Jump", "Page", "PageReading", "Place", "StartAt"]

START, END = "start", "end"
"""Words that stand for a cursor before the first row and behind the last one."""

PASSED_CELLS = 4000
DECODED_CELLS = 400
"""Cells that are passed on, or decoded, in one piece of work, which takes a fraction of a millisecond."""

_ROW = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class Jump(msgspec.Struct, frozen=True):
    """Behind the first `offset` rows."""

    offset: int


class After(msgspec.Struct, frozen=True):
    """Behind the row of a cursor; "start" is before the first row."""

    cursor: str


class Before(msgspec.Struct, frozen=True):
    """The rows that end before the row of a cursor; "end" is behind the last row."""

    cursor: str


class StartAt(msgspec.Struct, frozen=True):
    """From the first row on whose first sort column, or row ID, is at or behind this value."""

    value: Any


Place = Jump | After | Before | StartAt


class Page(msgspec.Struct, frozen=True):
    """Some rows of a view.

    `next` and `previous` are cursors, None where there is nothing more. `position` counts the rows before the
    page, None when that is not known; it is `counted` unless it comes from a cursor, whose number may be out of
    date. `previews` are by row ID. `passed` holds the rows as the text of a JSON
    array, when that was allowed and either they could go on undecoded or they are many; `rows` is empty then.
    """

    rows: list[Row]
    row_ids: list[str | None]
    previews: dict[str, dict[str, Preview]]
    next: str | None
    previous: str | None
    position: int | None
    passed: msgspec.Raw | None = None
    counted: bool = True

    @property
    def least_total(self) -> int:
        """Count the rows that the view has at least; an empty page does not prove rows before it."""
        if not self.row_ids:
            return 0
        return (self.position or 0) + len(self.row_ids) + (1 if self.next is not None else 0)

    @property
    def total(self) -> int | None:
        """Count the rows of the view, if the page shows it: its last row is the view's."""
        if self.next is not None or self.position is None or not self.counted:
            return None
        if self.position and not self.row_ids:
            return None
        return self.position + len(self.row_ids)

    def agrees(self, total: int) -> bool:
        """Check that a count of the view does not contradict what the page shows."""
        ends = self.next is None
        if not self.row_ids:
            return not ends or self.position is None or total <= self.position
        return total == self.least_total if ends and self.position is not None else total >= self.least_total


class PageReading(msgspec.Struct, frozen=True):
    """Reads one page of a view.

    `send` runs a statement, `release` tells the server's release, `turns` are those at long work, `pass_on` allows
    rows as JSON text.
    """

    view: RowQuery
    projection: Projection
    server_key: str
    send: Callable[[Fragment], Awaitable[StatementAnswer]]
    release: Callable[[], Awaitable[tuple[int, int]]]
    turns: TimeSlices
    pass_on: bool = False

    async def read(self, place: Place) -> Page:
        """Read the page at a place. Raises InvalidInput for a cursor of another view."""
        match place:
            case Jump(offset):
                return await self._jump(offset)
            case After(cursor):
                if cursor == START:
                    return await self._jump(0)
                return await self._forward(decode_cursor(cursor, self.view, self.server_key, field="after"))
            case Before(cursor):
                if cursor == END:
                    return await self._backward(None)
                return await self._backward(decode_cursor(cursor, self.view, self.server_key, field="before"))
            case StartAt(value):
                return await self._start_at(value)

    async def single(self, statement: Fragment) -> Page:
        """Read what a statement gives as a page that stands alone."""
        return await self._page(await self._answers(statement), position=None, before=False, after=False)

    async def _jump(self, offset: int) -> Page:
        release = (0, 0) if offset == 0 else await self.release()
        size = self.view.page_size
        statement = jump_statement(self.view, self.projection, offset, limit=size + 1, release=release)
        answers = await self._answers(statement)
        return await self._page(answers[:size], position=offset, before=offset > 0, after=len(answers) > size)

    async def _forward(self, boundary: Boundary) -> Page:
        position = None if boundary.position is None else boundary.position + 1
        if boundary.row_id is None:
            return await self._jump(position or 0)
        size = self.view.page_size
        answers = await self._answers(keyset_statement(self.view, self.projection, boundary, limit=size + 1))
        after = len(answers) > size
        return await self._page(answers[:size], position=position, before=True, after=after, counted=False)

    async def _backward(self, boundary: Boundary | None) -> Page:
        if not self.view.table.has_row_id:
            return await self._backward_by_offset(boundary)
        size = self.view.page_size
        statement = keyset_statement(self.view, self.projection, boundary, limit=size + 1, reverse=True)
        answers = await self._answers(statement)
        more = len(answers) > size
        page = answers[:size][::-1]
        position = None
        if not more:
            position = 0
        elif boundary is not None and boundary.position is not None and boundary.position > len(page):
            position = boundary.position - len(page)
        return await self._page(page, position=position, before=more, after=boundary is not None)

    async def _backward_by_offset(self, boundary: Boundary | None) -> Page:
        if boundary is None or boundary.position is None:
            raise InvalidInput(
                "The end of a view without row IDs is found by its number of rows.", field="before"
            )
        end = boundary.position
        start = max(0, end - self.view.page_size)
        statement = jump_statement(
            self.view, self.projection, start, limit=end - start, release=await self.release()
        )
        answers = await self._answers(statement) if end else []
        return await self._page(answers, position=start, before=start > 0, after=True)

    async def _start_at(self, value: Any) -> Page:
        view, size = self.view, self.view.page_size
        if not view.table.has_row_id:
            raise InvalidInput("Rows of a view without row IDs cannot be found by a value.", field="startAt")
        if view.sort:
            first = view.sort[0].column
            # Only the first column is looked at; the boundary stands before all rows that have the value.
            boundary = Boundary((sort_value(first, parse(first.category, value, field="startAt")),), None)
        else:
            row_id = parse(Category.TEXT, value, field="startAt")
            if not row_id:
                raise InvalidInput("startAt accepts a row ID.", field="startAt")
            boundary = Boundary((), str(row_id))
        statement = keyset_statement(view, self.projection, boundary, limit=size + 1, inclusive=True)
        answers = await self._answers(statement)
        return await self._page(answers[:size], position=None, before=True, after=len(answers) > size)

    async def _answers(self, statement: Fragment) -> Sequence[Any]:
        """Return the rows of an answer: as JSON text if that may go on or they are many, else as dictionaries."""
        answer = await self.send(statement)
        passes = self.pass_on and self.projection.passing is not None
        many = self.view.page_size * len(self.view.columns) > DECODED_CELLS
        return answer.raw_rows() if passes or many else answer.rows

    async def _page(
        self,
        answers: Sequence[Any],
        *,
        position: int | None,
        before: bool,
        after: bool,
        counted: bool = True,
    ) -> Page:
        last = None if position is None else position + len(answers) - 1
        if self.projection.passing is not None and self.pass_on:
            passed = await self._pass(self.projection.passing, answers)
            if passed is not None:
                ids = passed.row_ids
                next_ = self._cursor(answers[-1:], last, ids[-1:]) or START if after else None
                previous = self._cursor(answers[:1], position, ids[:1]) or END if before else None
                return Page([], ids, {}, next_, previous, position, passed.rows, counted)
        next_ = self._cursor(answers[-1:], last) or START if after else None
        previous = self._cursor(answers[:1], position) or END if before else None
        rows, row_ids, previews, passed_rows = await self._decode(answers)
        return Page(rows, row_ids, previews, next_, previous, position, passed_rows, counted)

    async def _pass(self, passing: Passing, answers: Sequence[msgspec.Raw]) -> Passed | None:
        size = self._rows_of(PASSED_CELLS)
        if len(answers) <= size:
            return passing.rows(answers)
        parts = []
        async for some in self.turns.pieces(answers, size):
            part = passing.rows(some)
            if part is None:
                return None
            parts.append(part)
        return Passed.join(parts)

    async def _decode(
        self, answers: Sequence[Any]
    ) -> tuple[list[Row], list[str | None], dict[str, dict[str, Preview]], msgspec.Raw | None]:
        """Return rows, row IDs and previews; of many rows that may go on as text, the text instead of the rows.

        Many pages may be on their way at the same time, and their text is a fraction of their rows.
        """
        rows: list[Row] = []
        texts: list[bytes] = []
        row_ids: list[str | None] = []
        previews = {}
        size = self._rows_of(DECODED_CELLS)
        as_text = self.pass_on and len(answers) > size
        async for some in self.turns.pieces(answers, size):
            decoded = self.projection.read([_parsed(answer) for answer in some])
            for place, marks in decoded.previews.items():
                row_id = decoded.row_ids[place]
                previews[str(len(row_ids) + place) if row_id is None else row_id] = marks
            row_ids += decoded.row_ids
            if as_text:
                texts.append(encode_json(decoded.rows)[1:-1])
            else:
                rows += decoded.rows
        passed = msgspec.Raw(b"[" + b",".join(texts) + b"]") if as_text else None
        return rows, row_ids, previews, passed

    def _rows_of(self, cells: int) -> int:
        return max(1, cells // max(1, len(self.view.columns)))

    def _cursor(
        self, rows: Sequence[Any], position: int | None, row_ids: Sequence[str | None] = ()
    ) -> str | None:
        """Write the cursor of a row; None where no row stands any more, so that only the ends are left."""
        view = self.view
        if not view.table.has_row_id:
            if position is None or position < 0:
                return None
            boundary = Boundary(tuple(None for _ in view.sort), None, position)
        elif row_ids and not view.sort:
            # The row ID is all that it takes, so the row need not be parsed.
            boundary = Boundary((), row_ids[0], position)
        elif rows:
            row = _parsed(rows[0])
            values = (
                sort_value(item.column, self.projection.value(row, item.column.name)) for item in view.sort
            )
            boundary = Boundary(tuple(values), self.projection.row_id(row), position)
        else:
            return None
        return encode_cursor(view.key(self.server_key), boundary)


def _parsed(answer: Any) -> Mapping[str, Any]:
    """Return a row as a dictionary. Raises InvalidResponse when its text is none."""
    if isinstance(answer, dict):
        return answer
    try:
        return _ROW.decode(answer)
    except (msgspec.DecodeError, ValueError) as error:
        raise InvalidResponse("IRIS answered with something that is not a list of rows.") from error
