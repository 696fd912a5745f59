"""`/api/export`: a table, what its filters leave of it, or some rows, streamed in one of FORMATS."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast
from urllib.parse import quote

from quart import Blueprint, Response, request

from iris_quart.errors import AuthExpired, InvalidInput, RowGone
from iris_quart.services import AppServices, services
from iris_quart.sessions import Session
from iris_quart.sql.pages import RowQuery
from iris_quart.sql.values import Wire
from iris_quart.tables import Tables
from iris_quart.tables.row_queries import RowQueryRequest
from iris_quart.tables.rows import Page, Rows
from iris_quart.web.current_session import session_tables, slide
from iris_quart.web.security import require_session
from iris_quart.web.transfers import Transfer, transfer

from .formats import FORMATS
from .formulas import FormulaScan
from .parameters import Export, asked_export
from .writing import LongValue, RowWriter, cell_text, is_long

__all__ = ["blueprint"]

blueprint = Blueprint("export", __name__)

PREVIEW = 1000
"""Characters of a long value that come with its row; what is longer is read by itself."""
PIECE_CELLS = 800
"""Cells that are written in one piece of work, which takes a fraction of a millisecond."""
PART_BYTES = 128 * 1024
"""Lines are sent when so much of them is there."""
UNSAFE_NAME = re.compile(r"[^A-Za-z0-9._-]+")


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
    """Stream rows.

    A fault in the middle breaks the connection off, so that a cut file never looks like a whole one. Only POST, which
    is refused when another site sends it, may leave formulas as they are: a link from a mail always has the guard.
    """
    session_id, session = await require_session()
    async with transfer(session) as under_way:
        asked = await asked_export()
        _refuse_unsafe_link(asked)
        return await _exported(asked, session_id, session, under_way)


def _refuse_unsafe_link(asked: Export) -> None:
    if not asked.safe and request.method != "POST":
        raise InvalidInput(
            "safe: a link cannot export formulas as they are. Export from the table's page and switch the "
            "protection off there, or send the request with POST.",
            field="safe",
        )


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
    form = FORMATS[asked.format]
    response = Response(body, content_type=form.content_type)
    # An hour of rows is fine: each page has its own deadline.
    response.timeout = None
    name = f"{view.table.full_name}.{form.extension}"
    plain = UNSAFE_NAME.sub("-", name)
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    )
    return response


async def _chosen(job: _Job) -> AsyncIterator[Page]:
    for row_id in job.export.row_ids or ():
        try:
            yield await job.rows.row(job.view.table, row_id)
        except RowGone:
            continue


async def _lines(job: _Job, first: Page | None, pages: AsyncIterator[Page]) -> AsyncGenerator[bytes]:
    writer = FORMATS[job.export.format].make_writer(job.export.write_options())
    columns = [column.name for column in job.view.columns]
    try:
        yield writer.head(columns)
        if first is not None:
            async for part in _parts(job, writer, columns, first):
                yield part
            del first
        async for page in pages:
            await _still_there(job)
            async for part in _parts(job, writer, columns, page):
                yield part
        if tail := writer.tail():
            yield tail
    finally:
        await job.rows.close()


async def _still_there(job: _Job) -> None:
    key = job.session.key
    session = (await job.services.store.recheck([key]))[key]
    if session is None:
        raise AuthExpired("The session ended while its rows were exported.")
    await slide(session, job.services)


async def _parts(job: _Job, writer: RowWriter, columns: Sequence[str], page: Page) -> AsyncIterator[bytes]:
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


async def _value(job: _Job, row_id: str | None, column: str) -> Wire | LongValue:
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
    slices = partial(job.tables.values.value_slices, job.view.table, row_id, column, value)
    return LongValue(slices, value.media_type, scan.risky)


async def _line(job: _Job, writer: RowWriter, values: Sequence[Wire | LongValue]) -> AsyncIterator[bytes]:
    """Write one line, in pieces where a value of it is long."""
    if any(isinstance(value, LongValue) for value in values):
        async for part in writer.long_row(values):
            yield part
        return
    held = cast("list[Wire]", values)
    if not any(map(is_long, held)):
        yield writer.lines([held])
        return
    for part in writer.slices(held):
        yield part
        await job.tables.turns.wait()
