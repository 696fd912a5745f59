"""Commands that read rows: pages, counts, one row."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import suppress
from typing import Any, Literal, Self, cast

import msgspec
from pydantic import Field, model_validator

from iris_quart.atelier.request_count import Tally, tally_requests
from iris_quart.context import Context
from iris_quart.dispatch import CommandBlueprint
from iris_quart.errors import IrisQuartError
from iris_quart.names import ColumnName, NamespaceName, RowId, TableName
from iris_quart.protocol import UNSET, Event, UnsetType
from iris_quart.sql.pages import RowQuery
from iris_quart.tables.column_values import count_values
from iris_quart.tables.row_queries import RowQueryRequest
from iris_quart.tables.rows import After, Before, Jump, Page, Place, StartAt

from .payloads import (
    FilterFields,
    PreviewMark,
    QueryFields,
    TableFields,
    WireValue,
    named_table,
    preview_marks,
)

__all__ = [
    "ColumnValues",
    "Cursors",
    "PageAnswer",
    "RowCount",
    "RowDetail",
    "TableData",
    "TableFollowed",
    "read_page",
    "rows",
    "stale_view",
]

rows = CommandBlueprint("rows", __name__)

COUNT_SECONDS = 2.0
"""Time that a page waits for its exact count."""
OFFSET_MAX = 2**53 - 1
SOLE_VIEW = "rows"
"""The query of a client that has one grid."""


class RequestData(QueryFields):
    """Ask for one page of rows. At most one of page, after, before, offset and startAt says where it begins."""

    legacy_integers = ("pageSize", "page")

    page: int | None = Field(None, ge=0, strict=True, description="Number of the page, from zero.")
    after: str | None = Field(
        None, max_length=32768, description='Cursor: the rows behind it; "start": the first rows.'
    )
    before: str | None = Field(
        None, max_length=32768, description='Cursor: the rows that end before it; "end": the last rows.'
    )
    offset: int | None = Field(
        None, ge=0, le=OFFSET_MAX, strict=True, description="Number of rows to leave out before the page."
    )
    start_at: WireValue = Field(
        None,
        description="Value of the first sort column, or row ID: the page begins at the first row from it on.",
    )
    refresh: bool = Field(False, description="Count again, whatever is remembered.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        places = (self.page, self.after, self.before, self.offset, self.start_at)
        if len(places) - places.count(None) > 1:
            raise ValueError("use one of page, after, before, offset and startAt")
        return self

    def place(self, page_size: int) -> Place:
        """Return where the page begins."""
        if self.after is not None:
            return After(self.after)
        if self.before is not None:
            return Before(self.before)
        if self.offset is not None:
            return Jump(self.offset)
        if self.start_at is not None:
            return StartAt(self.start_at)
        return Jump(min((self.page or 0) * page_size, OFFSET_MAX))


class CountRows(FilterFields):
    """Ask how many rows there are."""

    refresh: bool = Field(False, description="Count again, whatever is remembered.")


class FollowTable(FilterFields):
    """Show a table whose first rows came with the page: receive its changes, without reading the rows again."""

    namespace: NamespaceName = Field(description="Namespace of the table.")
    table_name: TableName = Field(description="Schema.Table.")
    read_mark: str = Field(max_length=128, description="The mark that came with the rows.")


class GetRow(TableFields):
    """Ask for one row."""

    row_id: RowId = Field(description="Its row ID.")


CountState = Literal["exact", "pending", "estimate", "skipped"]


class Cursors(msgspec.Struct):
    """Where the pages beside this one begin; null where there is none."""

    next: str | None
    previous: str | None


class TableData(Event):
    """One page of rows.

    `rows` are objects by column name; `rowIds` stand in the same order, null in views without a key; `previews`
    tell by row ID (by place in the page without row IDs) which values are not shown whole. `offset` counts the
    rows before the page, when that is known. `totalRows` is exact or, when `countState` says otherwise, the
    least there are. `roundTrips` counts the requests to IRIS that the answer took until it left. `ignoredFilters`
    names the columns of filters that were left out, for a client that sends no ids: the table has no such columns.
    """

    rows: list[dict[str, Any]]
    total_rows: int
    page: int
    page_size: int
    namespace: str
    table_name: str
    row_ids: list[str | None]
    previews: dict[str, dict[str, PreviewMark]]
    cursors: Cursors
    count_state: CountState
    offset: int | UnsetType = UNSET
    round_trips: int | UnsetType = UNSET
    ignored_filters: list[str] | UnsetType = UNSET


class GetColumnValues(FilterFields):
    """Ask which values a column holds, in the rows that the filters leave."""

    column: ColumnName = Field(description="Name of the column.")


class ColumnValue(msgspec.Struct):
    """A value of a column and the number of rows that hold it."""

    value: Any
    rows: int


class ColumnValues(Event):
    """The values that a column holds, the most frequent first: at most 100. `more` is true where there are others."""

    namespace: str
    table_name: str
    column: str
    values: list[ColumnValue]
    more: bool


class RowCount(Event):
    """Number of rows of a table, or of its filtered rows."""

    namespace: str
    table_name: str
    total_rows: int
    count_state: CountState


class TableFollowed(Event):
    """Whether the socket receives the changes of a table whose rows came with the page.

    The changes that others made since the rows were read go ahead as `rowsChanged`. When `complete` is false, some
    may be missing: the client reads the rows, as always. A `countState` of pending announces a `rowCount`.
    """

    namespace: str
    table_name: str
    complete: bool
    count_state: CountState


class RowDetail(Event):
    """One row with all its columns; long values are still previews."""

    namespace: str
    table_name: str
    row_id: str
    values: dict[str, Any]
    previews: dict[str, PreviewMark]


PageAnswer = TableData | AsyncIterator[TableData | RowCount]
"""A page, or a page and the count that comes after it."""


def stale_view(context: Context, payload: QueryFields) -> Hashable:
    """Return the key of a page: a newer one replaces an older one that a client cannot tell from it.

    A client that names no table has one grid, so any newer page does. One that names its table reads several
    parts of it side by side; there only the same part does, asked for with other filters, say.
    """
    if payload.table_name is None:
        return SOLE_VIEW
    place: Hashable = None
    if isinstance(payload, RequestData):
        at = str(payload.start_at)
        place = (payload.page or 0, payload.offset or 0, payload.after, payload.before, at)
    return "rows", payload.namespace or "", payload.table_name.lower(), place


@rows.command("requestData", aliases=("refresh",), stale_key=stale_view, shows_rows=True)
async def request_data(context: Context, payload: RequestData) -> PageAnswer:
    """Read one page of a table: from a number, a cursor, an offset or a value on."""
    tally = tally_requests()
    request = payload.view_request(context)
    view = await context.tables.rows.view(request)
    ignored = request.ignored_filters(view.table)
    if payload.refresh:
        context.tables.counts.forget(view.table.namespace, view.table.full_name)
    place = payload.place(view.page_size)
    return await read_page(
        context, view, place, count=payload.count, page=payload.page, tally=tally, ignored=ignored
    )


async def _filtered(context: Context, payload: FilterFields) -> RowQuery:
    """Return the query of the rows of a table that the filters leave."""
    namespace, table_name = named_table(context, payload)
    request = RowQueryRequest(namespace, table_name, filters=payload.filter_requests(), search=payload.search)
    return await context.tables.rows.view(request)


@rows.command("countRows")
async def count_rows(context: Context, payload: CountRows) -> RowCount:
    """Count the rows of a table, or those that the filters leave, exactly."""
    view = await _filtered(context, payload)
    return _row_count(view, await context.tables.counts.total(view, refresh=payload.refresh))


@rows.command("getColumnValues")
async def get_column_values(context: Context, payload: GetColumnValues) -> ColumnValues:
    """Count the rows of a table, or those that the filters leave, by the values of one column."""
    view = await _filtered(context, payload)
    column = view.table.column(payload.column, field="column")
    values, more = await count_values(context.tables.client, view, column)
    return ColumnValues(
        namespace=view.table.namespace,
        table_name=view.table.full_name,
        column=column.name,
        values=[ColumnValue(value=value, rows=number) for value, number in values],
        more=more,
    )


@rows.command("followTable")
async def follow_table(context: Context, payload: FollowTable) -> AsyncIterator[TableFollowed | RowCount]:
    """Show a table whose first rows came with the page; the number of its rows follows when it is not known."""
    view = await _filtered(context, payload)
    namespace, table_name = view.table.namespace, view.table.full_name
    complete = context.follow(namespace, table_name, payload.read_mark)
    counts = context.tables.counts
    known = counts.peek(view)
    state: CountState = "skipped" if not complete else "pending" if known is None else "exact"
    yield TableFollowed(namespace=namespace, table_name=table_name, complete=complete, count_state=state)
    if state != "pending":
        return
    with suppress(IrisQuartError):
        yield _row_count(view, await counts.total(view))
        return
    yield _row_count(view, 0, "skipped")


@rows.command("getRow")
async def get_row(context: Context, payload: GetRow) -> RowDetail:
    """Read one row by its row ID."""
    namespace, table_name = named_table(context, payload)
    table = await context.tables.catalogue.table(namespace, table_name)
    page = await context.tables.rows.row(table, payload.row_id)
    row_id = page.row_ids[0] or payload.row_id
    return RowDetail(
        namespace=table.namespace,
        table_name=table.full_name,
        row_id=row_id,
        values=page.rows[0],
        previews=preview_marks(page.previews).get(row_id, {}),
    )


async def read_page(
    context: Context,
    view: RowQuery,
    place: Place,
    *,
    count: str,
    page: int | None,
    tally: Tally,
    ignored: list[str],
) -> PageAnswer:
    """Read a page and count beside it: one `TableData`, then `RowCount` if the count comes late.

    `page` is the number that the client gave the page, if it did. The count is asked for at the same time as
    the page, never before it.
    """
    counts = context.tables.counts
    known = counts.peek(view)
    if known is None and count != "skip" and not (count == "deferred" and counts.under_way(view)):
        return _page_and_count(context, view, place, count=count, page=page, tally=tally, ignored=ignored)
    found = await context.tables.rows.page(view, place, pass_on=True)
    if found.total is not None:
        known = found.total
        counts.put(view, known)
    elif known is not None and not found.agrees(known):
        counts.discard(view)
        known = None
        if count != "skip":
            return _page_and_count(
                context, view, place, count=count, page=page, tally=tally, ignored=ignored, found=found
            )
    answer = _shown(context, view, found, page, known, pending=False, round_trips=tally.requests)
    return _naming(answer, ignored)


async def _page_and_count(
    context: Context,
    view: RowQuery,
    place: Place,
    *,
    count: str,
    page: int | None,
    tally: Tally,
    ignored: list[str],
    found: Page | None = None,
) -> AsyncIterator[TableData | RowCount]:
    """Yield a page and its count; `found` is a page that was read already and contradicted the known count."""
    counts = context.tables.counts
    known: int | None = None
    background = count == "deferred"
    task = asyncio.create_task(counts.total(view, background=background))
    counting: asyncio.Task[int] | None = task
    try:
        if found is None:
            found = await context.tables.rows.page(view, place, pass_on=True)
        if found.total is not None:
            # The page's last row is the table's: it tells the number itself, sooner than the count does.
            known = found.total
            counts.put(view, known)
            context.tables.keep(task)
            counting = None
        elif not background:
            known = await _in_time(task)
            if known is not None and found.counted and not found.agrees(known):
                # Rows came or went between the two statements: the next page counts again.
                counts.discard(view)
                known, counting = None, None
        follows = known is None and counting is not None and context.message_id is not None
        least = found.least_total
        # Handed over, not kept: a large page must not stay here while a slow reader receives its text.
        pending = follows or not background
        answer = [_shown(context, view, found, page, known, pending=pending, round_trips=tally.requests)]
        _naming(answer[0], ignored)
        del found
        yield answer.pop()
        if follows and counting is not None:
            with suppress(IrisQuartError):
                yield _row_count(view, await counting)
                return
            yield _row_count(view, least, "skipped")
        elif counting is not None and known is None:
            # A legacy client knows no late count; what is counted now is there for its next page.
            context.tables.keep(counting)
            counting = None
    finally:
        if counting is not None:
            counting.cancel()
            with suppress(asyncio.CancelledError, IrisQuartError):
                await counting


async def _in_time(counting: asyncio.Task[int]) -> int | None:
    """Wait for a count, but not for ever; one that failed is as good as none, for the page itself is there."""
    done, _ = await asyncio.wait({counting}, timeout=COUNT_SECONDS)
    if not done or isinstance(counting.exception(), IrisQuartError):
        return None
    return counting.result()


def _shown(
    context: Context,
    view: RowQuery,
    page: Page,
    number: int | None,
    total: int | None,
    *,
    pending: bool,
    round_trips: int,
) -> TableData:
    """Return a page to the client, and remember where it begins and ends."""
    if number is None:
        number = 0 if page.position is None else page.position // view.page_size
    context.tables.anchors.remember(view, number, page)
    return TableData(
        rows=page.rows if page.passed is None else cast("list[dict[str, Any]]", page.passed),
        total_rows=page.least_total if total is None else total,
        page=number,
        page_size=view.page_size,
        namespace=view.table.namespace,
        table_name=view.table.full_name,
        row_ids=page.row_ids,
        previews=preview_marks(page.previews),
        cursors=Cursors(page.next, page.previous),
        count_state="exact" if total is not None else "pending" if pending else "skipped",
        offset=UNSET if page.position is None else page.position,
        round_trips=round_trips,
    )


def _naming(answer: TableData, ignored: list[str]) -> TableData:
    if ignored:
        answer.ignored_filters = ignored
    return answer


def _row_count(view: RowQuery, total: int, state: CountState = "exact") -> RowCount:
    return RowCount(
        namespace=view.table.namespace, table_name=view.table.full_name, total_rows=total, count_state=state
    )
