"""Rows: pages of a view, from any place, and single rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from iris_quart.errors import ColumnNotFound, InvalidInput, RowGone, TableNotFound
from iris_quart.sql.encoding import Encoding
from iris_quart.sql.identifiers import ROW_ID
from iris_quart.sql.metadata import Table
from iris_quart.sql.pages import (
    Boundary,
    View,
    decode_cursor,
    encode_cursor,
    jump_statement,
    keyset_statement,
    row_id_parameter,
    sort_value,
)
from iris_quart.sql.projection import Preview, Projection, Row
from iris_quart.sql.values import Category, Fragment, Parameter, parse

from .caches import Flights
from .catalogue import Catalogue, SqlClient
from .views import ViewRequest, make_view

__all__ = ["After", "Before", "Jump", "Page", "Place", "Rows", "StartAt"]

START, END = "start", "end"
"""Words that stand for a cursor before the first row and behind the last one."""
EXPORT_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Jump:
    """Behind the first `offset` rows."""

    offset: int


@dataclass(frozen=True, slots=True)
class After:
    """Behind the row of a cursor; "start" is before the first row."""

    cursor: str


@dataclass(frozen=True, slots=True)
class Before:
    """The rows that end before the row of a cursor; "end" is behind the last row."""

    cursor: str


@dataclass(frozen=True, slots=True)
class StartAt:
    """From the first row on whose first sort column, or row ID, is at or behind this value."""

    value: Any


Place = Jump | After | Before | StartAt


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a view.

    `next` and `previous` are cursors, None where there is nothing more. `position` counts the rows before the
    page, None when that is not known. `previews` are by row ID.
    """

    rows: list[Row]
    row_ids: list[str | None]
    previews: dict[str, dict[str, Preview]]
    next: str | None
    previous: str | None
    position: int | None

    @property
    def least_total(self) -> int:
        """How many rows the view has at least."""
        return (self.position or 0) + len(self.rows) + (1 if self.next is not None else 0)

    @property
    def total(self) -> int | None:
        """How many rows the view has, when the page tells it: its last row is the view's."""
        if self.next is not None or self.position is None or (self.position and not self.rows):
            return None
        return self.position + len(self.rows)


class Rows:
    """Reads rows for one user of one server; identical reads at the same time are sent once.

    `server_key` names the server in cursors, so that they hold on every worker; `preview` is the length of
    previews in characters.
    """

    def __init__(
        self, client: SqlClient, catalogue: Catalogue, *, server_key: str, preview: int = 200
    ) -> None:
        self._client = client
        self._catalogue = catalogue
        self._server_key = server_key
        self._preview = preview
        self._flights: Flights[tuple[Any, ...], list[dict[str, Any]]] = Flights()

    async def view(self, request: ViewRequest, *, refresh: bool = False) -> View:
        """Check a view against its table. Raises InvalidInput naming the field, TableNotFound."""
        table = None if refresh else self._catalogue.peek(request.namespace, request.table_name)
        if table is None:
            # The encoding is asked for only once per server; it goes beside the first description.
            encoding = self._client.encoding(self._catalogue.namespace(request.namespace))
            described = self._catalogue.table(request.namespace, request.table_name, refresh=refresh)
            table = (await asyncio.gather(described, encoding))[0]
        view = make_view(table, request)
        compared = [item.column for item in view.sort] + [item.column for item in view.filters]
        if not table.timestamps_settled and any(item.category is Category.TIMESTAMP for item in compared):
            table = await self._catalogue.table(request.namespace, request.table_name, settled=True)
            view = make_view(table, request)
        return view

    async def page(self, view: View, place: Place) -> Page:
        """Read one page, in one round trip when the table's description is known.

        Raises InvalidInput for a cursor of another view, and what AtelierClient.query raises.
        """
        encoding = await self._client.encoding(view.table.namespace)
        projection = self._projection(view, encoding)
        match place:
            case Jump(offset):
                return await self._jump(view, projection, offset)
            case After(cursor):
                if cursor == START:
                    return await self._jump(view, projection, 0)
                boundary = decode_cursor(cursor, view, self._server_key, field="after")
                return await self._forward(view, projection, boundary)
            case Before(cursor):
                if cursor == END:
                    return await self._backward(view, projection, None)
                boundary = decode_cursor(cursor, view, self._server_key, field="before")
                return await self._backward(view, projection, boundary)
            case StartAt(value):
                return await self._start_at(view, projection, value)

    async def row(self, table: Table, row_id: str) -> Page:
        """Read one row by its row ID. Raises RowGone."""
        if not table.has_row_id:
            raise InvalidInput("Rows of a view without a key cannot be addressed.", field="rowId")
        encoding = await self._client.encoding(table.namespace)
        view = View(table, table.columns)
        projection = self._projection(view, encoding)
        statement = Fragment(
            f"SELECT TOP 1 {projection.sql} FROM {table.sql} WHERE {ROW_ID} = ?", (row_id_parameter(row_id),)
        )
        answers = await self._read(view, statement)
        if not answers:
            raise RowGone("The row is no longer there.")
        return self._page(view, projection, answers, position=None, more_before=False, more_after=False)

    async def stream(self, view: View) -> AsyncIterator[Page]:
        """Read all rows of a view, page by page from the first to the last, each row once."""
        view = replace(view, page_size=EXPORT_ROWS)
        place: Place = Jump(0)
        while True:
            page = await self.page(view, place)
            yield page
            if page.next is None:
                return
            place = After(page.next)

    def forget(self, namespace: str, table: str) -> None:
        """Let reads that begin now see our own write: they do not join those that began before it."""
        wanted = (namespace.upper(), table.lower())
        self._flights.forget(lambda key: key[:2] == wanted)

    async def close(self) -> None:
        """Stop the reads under way."""
        await self._flights.close()

    async def _jump(self, view: View, projection: Projection, offset: int) -> Page:
        release = (0, 0) if offset == 0 else (await self._catalogue.server()).release
        statement = jump_statement(view, projection, offset, limit=view.page_size + 1, release=release)
        answers = await self._read(view, statement)
        return self._page(
            view,
            projection,
            answers[: view.page_size],
            position=offset,
            more_before=offset > 0,
            more_after=len(answers) > view.page_size,
        )

    async def _forward(self, view: View, projection: Projection, boundary: Boundary) -> Page:
        position = None if boundary.position is None else boundary.position + 1
        if boundary.row_id is None:
            return await self._jump(view, projection, position or 0)
        answers = await self._read(
            view, keyset_statement(view, projection, boundary, limit=view.page_size + 1)
        )
        return self._page(
            view,
            projection,
            answers[: view.page_size],
            position=position,
            more_before=True,
            more_after=len(answers) > view.page_size,
        )

    async def _backward(self, view: View, projection: Projection, boundary: Boundary | None) -> Page:
        if not view.table.has_row_id:
            return await self._backward_by_offset(view, projection, boundary)
        statement = keyset_statement(view, projection, boundary, limit=view.page_size + 1, reverse=True)
        answers = await self._read(view, statement)
        more = len(answers) > view.page_size
        page = answers[: view.page_size][::-1]
        position = None
        if not more:
            position = 0
        elif boundary is not None and boundary.position is not None and boundary.position > len(page):
            position = boundary.position - len(page)
        return self._page(
            view, projection, page, position=position, more_before=more, more_after=boundary is not None
        )

    async def _backward_by_offset(
        self, view: View, projection: Projection, boundary: Boundary | None
    ) -> Page:
        if boundary is None or boundary.position is None:
            raise InvalidInput(
                "The end of a view without row IDs is found by its number of rows.", field="before"
            )
        end = boundary.position
        start = max(0, end - view.page_size)
        release = (await self._catalogue.server()).release
        statement = jump_statement(view, projection, start, limit=end - start, release=release)
        answers = await self._read(view, statement) if end else []
        return self._page(view, projection, answers, position=start, more_before=start > 0, more_after=True)

    async def _start_at(self, view: View, projection: Projection, value: Any) -> Page:
        table = view.table
        if not table.has_row_id:
            raise InvalidInput("Rows of a view without row IDs cannot be found by a value.", field="startAt")
        if view.sort:
            first = view.sort[0].column
            parsed = parse(first.category, value, field="startAt")
            seek = keyset_statement(
                view, projection, Boundary((sort_value(first, parsed),), None), limit=view.page_size + 1
            )
        else:
            parsed = parse(Category.TEXT, value, field="startAt")
            if not parsed:
                raise InvalidInput("startAt takes a row ID.", field="startAt")
            seek = keyset_statement(
                view, projection, Boundary((), str(parsed)), limit=view.page_size + 1, inclusive=True
            )
        answers = await self._read(view, seek)
        return self._page(
            view,
            projection,
            answers[: view.page_size],
            position=None,
            more_before=True,
            more_after=len(answers) > view.page_size,
        )

    async def _read(self, view: View, statement: Fragment) -> list[dict[str, Any]]:
        namespace, sql, parameters = view.table.namespace, statement.sql, statement.parameters
        key = (namespace.upper(), view.table.full_name.lower(), sql, tuple(map(_typed, parameters)))

        async def load() -> list[dict[str, Any]]:
            try:
                return (await self._client.query(namespace, sql, parameters)).rows
            except (TableNotFound, ColumnNotFound):
                # What is remembered of the table is no longer so; the next command asks again.
                self._catalogue.forget(namespace, view.table.full_name)
                raise

        return await self._flights.run(key, load)

    def _projection(self, view: View, encoding: Encoding) -> Projection:
        key = (view.columns, view.sort, encoding, self._preview)
        texts = view.table.texts
        known = texts.get(key)
        if known is None:
            hidden = [item.column for item in view.sort]
            known = Projection(view.table, view.columns, encoding, preview=self._preview, hidden=hidden)
            if len(texts) >= SHAPES_KEPT:
                texts.clear()
            texts[key] = known
        assert isinstance(known, Projection)
        return known

    def _page(
        self,
        view: View,
        projection: Projection,
        answers: Sequence[Mapping[str, Any]],
        *,
        position: int | None,
        more_before: bool,
        more_after: bool,
    ) -> Page:
        decoded = projection.read(answers)
        previews = {}
        for place, marks in decoded.previews.items():
            row_id = decoded.row_ids[place]
            previews[str(place) if row_id is None else row_id] = marks
        last = None if position is None else position + len(answers) - 1
        return Page(
            rows=decoded.rows,
            row_ids=decoded.row_ids,
            previews=previews,
            next=self._cursor(view, projection, answers[-1:], last) or START if more_after else None,
            previous=self._cursor(view, projection, answers[:1], position) or END if more_before else None,
            position=position,
        )

    def _cursor(
        self, view: View, projection: Projection, row: Sequence[Mapping[str, Any]], position: int | None
    ) -> str | None:
        """Write the cursor of a row; None where no row stands any more, so that only the ends are left."""
        if not view.table.has_row_id:
            boundary = Boundary(tuple(None for _ in view.sort), None, position)
        elif row:
            values = (
                sort_value(item.column, projection.value(row[0], item.column.name)) for item in view.sort
            )
            boundary = Boundary(tuple(values), projection.row_id(row[0]), position)
        else:
            return None
        if boundary.row_id is None and (position is None or position < 0):
            return None
        return encode_cursor(view.key(self._server_key), boundary)


SHAPES_KEPT = 64


def _typed(parameter: Parameter) -> tuple[str, Parameter]:
    """1 and Decimal(1) are equal to Python, and "1" and 1 must not be mixed up either."""
    return type(parameter).__name__, parameter
