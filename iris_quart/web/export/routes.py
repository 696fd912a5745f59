"""`GET /api/export`: a table, what its filters leave of it, or some rows, streamed as CSV."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import quote

import msgspec
from pydantic import Field, ValidationError
from quart import Blueprint, Response, request

from iris_quart.commands.payloads import FilterFields, SortItem
from iris_quart.errors import AuthExpired, InvalidInput, RowGone
from iris_quart.names import ColumnName, NamespaceName, RowId, TableName
from iris_quart.services import AppServices, services
from iris_quart.sessions import Session
from iris_quart.sql.pages import RowQuery
from iris_quart.sql.values import Wire
from iris_quart.tables import Tables
from iris_quart.tables.row_queries import RowQueryRequest
from iris_quart.tables.rows import Page, Rows
from iris_quart.tables.whole_values import MeasuredValue
from iris_quart.web.current_session import session_tables, slide
from iris_quart.web.security import require_session
from iris_quart.web.transfers import Transfer, transfer

from .csv_long import cell_text, long_cell
from .csv_writer import CsvWriter, FormulaScan, is_long

__all__ = ["blueprint"]

blueprint = Blueprint("export", __name__)

PREVIEW = 1000
"""Characters of a long value that come with its row; what is longer is read by itself."""
PIECE_CELLS = 800
"""Cells that are written in one piece of work, which takes a fraction of a millisecond."""
PART_BYTES = 128 * 1024
"""Lines are sent when so much of them is there."""
BOM = b"\xef\xbb\xbf"
"""Byte order mark, by which spreadsheets recognise UTF-8."""
UNSAFE_NAME = re.compile(r"[^A-Za-z0-9._-]+")
JSON_FIELDS = ("filters", "sort", "columns", "rowIds")
FLAGS = {"true": True, "false": False, "1": True, "0": False}


class Export(FilterFields):
    """Parameters of an export; values of `filters`, `sort`, `columns` and `rowIds` are JSON in the query."""

    namespace: NamespaceName = Field(description="Namespace of the table.")
    table_name: TableName = Field(description="Schema.Table.")
    sort: tuple[SortItem, ...] | None = Field(
        None, max_length=8, fail_fast=True, description="Columns to sort by."
    )
    columns: tuple[ColumnName, ...] | None = Field(
        None, min_length=1, max_length=1000, fail_fast=True, description="Columns."
    )
    row_ids: tuple[RowId, ...] | None = Field(
        None, min_length=1, max_length=10_000, fail_fast=True, description="Only these rows, in this order."
    )
    format: Literal["csv"] = Field("csv", description="csv.")
    null: Literal["", "NULL", "null", "(null)", "NA", "\\N"] = Field(
        "", description="What is written for NULL."
    )
    safe: bool = Field(True, description="Defuse what a spreadsheet would run; false only with POST.")
    decimal: Literal["point", "comma"] = Field(
        "point", description="Sign before decimals; with comma, cells are separated by semicolons."
    )
    bom: bool = Field(True, description="Begin with a byte order mark.")


@dataclass(frozen=True, slots=True)
class _Job:
    services: AppServices
    session: Session
    tables: Tables
    rows: Rows
    view: RowQuery
    export: Export


@blueprint.get("/export")
@blueprint.post("/export")
async def export() -> Response:
    """Stream rows as CSV.

    A fault in the middle breaks the connection off, so that a cut file never looks like a whole one. Only POST, which
    is refused when another site sends it, may leave formulas as they are: a link from a mail always has the guard.
    """
    asked = _asked()
    if not asked.safe and request.method != "POST":
        raise InvalidInput(
            "safe: a link cannot export formulas as they are. Export from the table's page and switch the "
            "protection off there, or send the request with POST.",
            field="safe",
        )
    session_id, session = await require_session()
    async with transfer(session) as under_way:
        return await _exported(asked, session_id, session, under_way)


async def _exported(asked: Export, session_id: str, session: Session, under_way: Transfer) -> Response:
    await slide(session)
    tables = await session_tables(session_id, session)
    rows = Rows(
        tables.client,
        tables.catalogue,
        server_key=tables.server_key,
        preview=PREVIEW,
        turns=tables.turns,
    )
    view = await rows.view(
        RowQueryRequest(
            namespace=asked.namespace,
            table_name=asked.table_name,
            columns=asked.columns,
            sort=tuple((item.column, item.direction == "desc") for item in asked.sort or ()),
            filters=asked.filter_requests(),
            search=asked.search,
        )
    )
    job = _Job(services(), session, tables, rows, view, asked)
    pages = _chosen(job) if asked.row_ids else rows.stream(view)
    # The first page is read before anything is sent: what is wrong is still told by a status.
    first = await anext(pages, None)
    body = under_way.sending(_lines(job, first, pages))
    under_way.kept = True
    response = Response(body, content_type="text/csv; charset=utf-8; header=present")
    # An hour of rows is no error; each page has its own deadline.
    response.timeout = None
    name = f"{view.table.full_name}.csv"
    plain = UNSAFE_NAME.sub("-", name)
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    )
    return response


def _asked() -> Export:
    """Read the query. Raises InvalidInput naming the field."""
    raw: dict[str, object] = {}
    for name, text in request.args.items():
        if name in JSON_FIELDS:
            try:
                raw[name] = msgspec.Raw(msgspec.json.encode(msgspec.json.decode(text, type=msgspec.Raw)))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                raise InvalidInput(f"{name}: is not JSON", field=name) from None
        else:
            raw[name] = FLAGS.get(text, text) if name in {"safe", "bom"} else text
    try:
        return Export.model_validate_json(msgspec.json.encode(raw))
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        field = ".".join(str(part)[:64] for part in first["loc"][:4])
        raise InvalidInput(f"{field}: {first['msg']}", field=field) from None


async def _chosen(job: _Job) -> AsyncIterator[Page]:
    for row_id in job.export.row_ids or ():
        try:
            yield await job.rows.row(job.view.table, row_id)
        except RowGone:
            continue


async def _lines(job: _Job, first: Page | None, pages: AsyncIterator[Page]) -> AsyncGenerator[bytes]:
    writer = CsvWriter(
        null_text=job.export.null, safe=job.export.safe, decimal_comma=job.export.decimal == "comma"
    )
    columns = [column.name for column in job.view.columns]
    try:
        yield (BOM if job.export.bom else b"") + writer.line(columns).encode("utf-8", "replace")
        if first is not None:
            async for part in _parts(job, writer, columns, first):
                yield part
            del first
        async for page in pages:
            await _still_there(job)
            async for part in _parts(job, writer, columns, page):
                yield part
    finally:
        await job.rows.close()


async def _still_there(job: _Job) -> None:
    key = job.session.key
    session = (await job.services.store.recheck([key]))[key]
    if session is None:
        raise AuthExpired("The session ended while its rows were exported.")
    await slide(session, job.services)


async def _parts(job: _Job, writer: CsvWriter, columns: Sequence[str], page: Page) -> AsyncIterator[bytes]:
    """Write the rows of a page, with whole values instead of previews.

    Whole values may be large, and a page has many rows: what is written goes out before the next row is read.
    """
    waiting: list[bytes] = []
    size = 0
    piece = max(1, PIECE_CELLS // max(1, len(columns)))
    for place, row in enumerate(page.rows):
        if place % piece == 0:
            await job.tables.turns.wait()
        row_id = page.row_ids[place]
        cut = page.previews.get(str(place) if row_id is None else row_id, {})
        values = [await _value(job, row_id, name) if name in cut else row[name] for name in columns]
        async for part in _line(job, writer, values):
            waiting.append(part)
            size += len(part)
            if size >= PART_BYTES:
                yield b"".join(waiting)
                waiting.clear()
                size = 0
                await _still_there(job)
    if waiting:
        yield b"".join(waiting)


@dataclass(frozen=True, slots=True)
class _LongValue:
    """A value of many slices, which are read while they are written."""

    row_id: str
    column: str
    measured: MeasuredValue
    risky: bool


async def _value(job: _Job, row_id: str | None, column: str) -> Wire | _LongValue:
    if row_id is None:
        raise InvalidInput("Long values of a view without row IDs cannot be read whole.", field="columns")
    scan = FormulaScan()

    def look(content: bytes, media_type: str) -> None:
        scan.look(cell_text(content, media_type))

    value = await job.tables.values.measure_value(job.view.table, row_id, column, look)
    if value.size is None:
        return None
    if value.content is not None:
        return cell_text(value.content, value.media_type)
    return _LongValue(row_id, column, value, scan.risky)


async def _line(job: _Job, writer: CsvWriter, values: Sequence[Wire | _LongValue]) -> AsyncIterator[bytes]:
    """Write one line, in pieces where a value of it is long."""
    if any(isinstance(value, _LongValue) for value in values):
        async for part in _long_line(job, writer, values):
            yield part
        return
    held = cast("list[Wire]", values)
    if not any(map(is_long, held)):
        yield writer.lines([held])
        return
    for part in writer.slices(held):
        yield part
        await job.tables.turns.wait()


async def _long_line(
    job: _Job, writer: CsvWriter, values: Sequence[Wire | _LongValue]
) -> AsyncIterator[bytes]:
    """Write a line whose long values come in slices."""
    for number, value in enumerate(values):
        if number:
            yield writer.separator.encode()
        if isinstance(value, _LongValue):
            slices = job.tables.values.value_slices(
                job.view.table, value.row_id, value.column, value.measured
            )
            with_apostrophe = value.risky and job.export.safe
            cell = long_cell(slices, value.measured.media_type, with_apostrophe=with_apostrophe)
            async for part in cell:
                yield part
        else:
            yield writer.line([value]).removesuffix("\r\n").encode("utf-8", "replace")
    yield b"\r\n"
