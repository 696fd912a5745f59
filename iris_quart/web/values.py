"""One whole value: read, replaced and set to NULL at its own address, guarded by the hash that was seen."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from quart import Blueprint, Response, jsonify, request

from iris_quart.context import AuditEntry, RowChange, TableChange
from iris_quart.errors import (
    Conflict,
    InvalidInput,
    IrisQuartError,
    OutcomeUnknown,
    ReadOnly,
    RowGone,
)
from iris_quart.names import column_name, namespace_name, row_id, table_name
from iris_quart.protocol import PreviewMark
from iris_quart.read_only import why_read_only
from iris_quart.services import services
from iris_quart.sessions import Session
from iris_quart.sql.decoding import PREVIEW_BYTES, binary_preview
from iris_quart.sql.metadata import WHOLE_TEXT, Table
from iris_quart.sql.values import Wire
from iris_quart.tables import Tables
from iris_quart.tables.outcomes import Outcome
from iris_quart.tables.validation import parse_seen
from iris_quart.tables.whole_values import TEXT_TYPE, Value

from .current_session import session_tables, slide
from .failures import failure
from .security import require_session
from .transfers import Transfer, transfer
from .url_paths import path_parts

__all__ = ["blueprint"]

blueprint = Blueprint("values", __name__, url_prefix="/value")

ETAG = re.compile(r'(?:W/)?"([0-9a-f]{64})"\Z')
UNSAFE_NAME = re.compile(r"[^A-Za-z0-9._-]+")
OUTCOMES: Sequence[tuple[type[IrisQuartError], Outcome]] = (
    (Conflict, Outcome.CONFLICT),
    (RowGone, Outcome.GONE),
    (OutcomeUnknown, Outcome.UNKNOWN),
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value lies."""

    session: Session
    tables: Tables
    table: Table
    row_id: str
    column: str


async def _place(*, settled: bool = False) -> _Place:
    parts = path_parts("/api/value/", 4)
    namespace, table = namespace_name(parts[0]), table_name(parts[1])
    row, column = row_id(parts[2]), column_name(parts[3])
    session_id, session = await require_session()
    await slide(session)
    tables = await session_tables(session_id, session)
    described = await tables.catalogue.table(namespace, table, settled=settled)
    return _Place(session, tables, described, row, column)


@blueprint.get("/<path:address>")
async def read(address: str) -> Response:
    """Return a value whole, as a download; NULL is 204. The ETag is its hash."""
    _, session = await require_session()
    async with transfer(session) as under_way:
        return await _read(under_way)


async def _read(under_way: Transfer) -> Response:
    place = await _place()
    address = (place.table, place.row_id, place.column)
    # Its hash goes ahead of it, so a long value is read twice, rather than held until a slow peer has taken it.
    value = await place.tables.values.measure_value(*address)
    if value.size is None:
        response = Response(b"", 204)
    else:
        if request.method == "HEAD":
            response = Response(b"", content_type=value.media_type)
        else:
            body = under_way.sending(place.tables.values.value_slices(*address, value))
            under_way.kept = True
            response = Response(body, content_type=value.media_type)
            # Each request to IRIS has its own deadline, and a peer that takes nothing is cut off.
            response.timeout = None
        response.content_length = value.size
        kind = "txt" if value.media_type == TEXT_TYPE else "bin"
        name = UNSAFE_NAME.sub("-", f"{place.column}-{place.row_id}")[:100]
        # Somebody else's text must never run as a page of ours, however it is looked at.
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    response.headers["ETag"] = f'"{value.sha256}"'
    return response


@blueprint.put("/<path:address>")
async def replace(address: str) -> Response:
    """Replace a value if it still is the one whose hash If-Match names."""
    _, session = await require_session()
    async with transfer(session):
        return await _write(bytes(await request.body))


@blueprint.delete("/<path:address>")
async def clear(address: str) -> Response:
    """Set a value to NULL if it still is the one whose hash If-Match names."""
    return await _write(None)


async def _write(content: bytes | None) -> Response:
    given = request.headers.get("If-Match")
    seen = ETAG.match(given.strip()) if given else None
    if given is None:
        return failure(InvalidInput("If-Match must name the ETag that was read."), 428)
    if seen is None:
        return failure(InvalidInput("If-Match is not an ETag of a value."), 400)
    place = await _place(settled=True)
    reason = why_read_only(services().settings, place.session, place.table.namespace)
    if reason is not None:
        raise ReadOnly(reason)
    write_id = f"value-{secrets.token_hex(8)}"
    _audit(place, write_id, "started", None)
    try:
        values = place.tables.values
        value = await values.write_value(place.table, place.row_id, place.column, content, seen[1])
    except IrisQuartError as error:
        outcome = next((name for kind, name in OUTCOMES if isinstance(error, kind)), Outcome.FAILED)
        _audit(place, write_id, outcome, error.sqlcode)
        if isinstance(error, Conflict):
            return failure(error, 412)
        raise
    except BaseException:
        # The client has gone, or this is a defect: the value may have been written nevertheless.
        _audit(place, write_id, Outcome.UNKNOWN, None)
        raise
    finally:
        # Whatever became of it, what was read before is no longer the truth for sure.
        place.tables.note_write(place.table.namespace, place.table.full_name)
    _audit(place, write_id, Outcome.SAVED, None)
    message = TableChange(place.table.namespace, place.table.full_name, [_row_change(place, value)])
    await services().live.changes.announce(place.session, message, None)
    response = jsonify({"sha256": value.sha256})
    response.headers["ETag"] = f'"{value.sha256}"'
    return response


def _audit(place: _Place, write_id: str, outcome: str, sqlcode: int | None) -> None:
    entry = AuditEntry(
        namespace=place.table.namespace,
        table_name=place.table.full_name,
        kind="update",
        row_id=place.row_id,
        columns=[place.column],
        outcome=str(outcome),
        write_id=write_id,
        sqlcode=sqlcode,
    )
    services().audit.write(place.session, entry)


def _row_change(place: _Place, value: Value) -> RowChange:
    """Describe what others should see in the cell: a long value as a preview, marked as one."""
    column = place.table.column(place.column)
    shown: Wire
    mark = None
    if value.content is None:
        shown = None
    elif value.media_type != TEXT_TYPE:
        shown = binary_preview(value.content[:PREVIEW_BYTES].decode("latin-1") or "\0")
        mark = PreviewMark(len(value.content), "bytes")
    else:
        text = value.content.decode()
        shown = parse_seen(column, text)
        most = services().settings.preview_characters
        if isinstance(shown, str) and len(text) > (most if column.category.is_stream else WHOLE_TEXT):
            shown, mark = text[:most], PreviewMark(len(text), "characters")
    previews = None if mark is None else {column.name: mark}
    return RowChange("update", place.row_id, {column.name: shown}, previews)
