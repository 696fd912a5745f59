"""Rows: pages of a query from any place, and single rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from iris_quart.errors import ColumnNotFound, InvalidInput, RowGone, TableNotFound
from iris_quart.sql.metadata import Table
from iris_quart.sql.pages import RowQuery, row_id_parameter
from iris_quart.sql.projection import Projection
from iris_quart.sql.server_format import ServerFormat
from iris_quart.sql.values import Category, Fragment, Parameter

from .caches import Flights
from .catalogue import Catalogue, SqlClient, StatementAnswer
from .derived import Derived
from .pages import After, Before, Jump, Page, PageReading, Place, StartAt
from .row_queries import RowQueryRequest, make_view
from .time_slices import TimeSlices

__all__ = ["After", "Before", "Jump", "Page", "Place", "Rows", "StartAt"]

EXPORT_ROWS = 1000
TABLES_KEPT = 64
"""Tables whose select lists are kept."""
VIEWS_KEPT = 256


class Rows:
    """Reads rows for one user of one server; identical reads at the same time are sent once.

    `server_key` names the server in cursors, so that they hold on every worker; `preview` is the length of
    previews in characters; `turns` are the worker's at long work.
    """

    def __init__(
        self,
        client: SqlClient,
        catalogue: Catalogue,
        *,
        server_key: str,
        preview: int = 200,
        turns: TimeSlices | None = None,
    ) -> None:
        self._client = client
        self._catalogue = catalogue
        self._server_key = server_key
        self._preview = preview
        self._turns = turns or TimeSlices()
        self._views: dict[RowQueryRequest, RowQuery] = {}
        self._projections: Derived[Projection] = Derived(TABLES_KEPT)
        self._flights: Flights[tuple[Any, ...], StatementAnswer] = Flights()

    async def view(self, request: RowQueryRequest, *, refresh: bool = False) -> RowQuery:
        """Check a view against its table. Raises InvalidInput naming the field, TableNotFound."""
        table = None if refresh else self._catalogue.peek(request.namespace, request.table_name)
        if table is None:
            # The encoding is asked for only once per server; it goes beside the first description.
            encoding = self._client.encoding(self._catalogue.namespace(request.namespace))
            described = self._catalogue.table(request.namespace, request.table_name, refresh=refresh)
            table = (await asyncio.gather(described, encoding))[0]
        view = self._made(table, request)
        compared = [item.column for item in view.sort] + [item.column for item in view.filters]
        if not table.timestamps_settled and any(item.category is Category.TIMESTAMP for item in compared):
            table = await self._catalogue.table(request.namespace, request.table_name, settled=True)
            view = make_view(table, request)
        return view

    def _made(self, table: Table, request: RowQueryRequest) -> RowQuery:
        """Create a view, or give the one that was made for the same request: it knows its texts and its key."""
        if request.filters:
            # Their values are any JSON, where 1 and True are alike to Python.
            return make_view(table, request)
        view = self._views.get(request)
        if view is None or view.table is not table:
            view = make_view(table, request)
            if len(self._views) >= VIEWS_KEPT:
                self._views.clear()
            self._views[request] = view
        return view

    async def page(self, view: RowQuery, place: Place, *, pass_on: bool = False) -> Page:
        """Read one page, in one round trip when the table's description is known.

        `pass_on` allows rows as the JSON text they came as (`Page.passed`). Raises InvalidInput for a cursor of
        another view, and what AtelierClient.query raises.
        """
        encoding = await self._client.encoding(view.table.namespace)
        return await self._reading(view, encoding, pass_on=pass_on).read(place)

    async def row(self, table: Table, row_id: str) -> Page:
        """Read one row by its row ID. Raises RowGone."""
        if not table.has_row_id:
            raise InvalidInput("Rows of a view without a key cannot be addressed.", field="rowId")
        encoding = await self._client.encoding(table.namespace)
        view = RowQuery(table, table.columns)
        select = self._projection(view, encoding).sql
        statement = Fragment(
            f"SELECT TOP 1 {select} FROM {table.sql} WHERE {table.row_id} = ?", (row_id_parameter(row_id),)
        )
        page = await self._reading(view, encoding, pass_on=False).single(statement)
        if not page.rows:
            raise RowGone("The row is no longer there.")
        return page

    async def stream(self, view: RowQuery) -> AsyncIterator[Page]:
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
        """Detach reads in flight, so that later reads see our own write."""
        wanted = (namespace.upper(), table.lower())
        self._flights.forget(lambda key: key[:2] == wanted)

    async def close(self) -> None:
        """Stop the reads under way."""
        await self._flights.close()

    def _reading(self, view: RowQuery, encoding: ServerFormat, *, pass_on: bool) -> PageReading:
        return PageReading(
            view=view,
            projection=self._projection(view, encoding),
            server_key=self._server_key,
            send=lambda statement: self._send(view, statement),
            release=self._release,
            turns=self._turns,
            pass_on=pass_on,
        )

    async def _release(self) -> tuple[int, int]:
        return (await self._catalogue.server()).release

    async def _send(self, view: RowQuery, statement: Fragment) -> StatementAnswer:
        namespace, sql, parameters = view.table.namespace, statement.sql, statement.parameters
        key = (namespace.upper(), view.table.full_name.lower(), sql, tuple(map(_typed, parameters)))

        async def load() -> StatementAnswer:
            try:
                return await self._client.query(namespace, sql, parameters)
            except (TableNotFound, ColumnNotFound):
                # What is remembered of the table is no longer so; the next command asks again.
                self._catalogue.forget(namespace, view.table.full_name)
                raise

        return await self._flights.run(key, load)

    def _projection(self, view: RowQuery, encoding: ServerFormat) -> Projection:
        known = view.projections.get(encoding)
        if known is None:
            known = view.projections[encoding] = self._shape(view, encoding)
        return known

    def _shape(self, view: RowQuery, encoding: ServerFormat) -> Projection:
        """Return what reads these columns; views of one table with the same columns share it."""

        def make() -> Projection:
            hidden = [item.column for item in view.sort]
            return Projection(view.table, view.columns, encoding, preview=self._preview, hidden=hidden)

        return self._projections.get(view.table, (view.columns, view.sort, encoding), make)


def _typed(parameter: Parameter) -> tuple[str, Parameter]:
    """1 and Decimal(1) are equal to Python, and "1" and 1 must not be mixed up either."""
    return type(parameter).__name__, parameter
