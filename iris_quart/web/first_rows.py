"""The first rows of a table, sent with the editor's page so that they are shown before the socket is open.

What the page would ask over the socket is read here, and its events travel as they would there.
"""

from __future__ import annotations

import asyncio
from typing import NoReturn

import msgspec
from pydantic import ValidationError

from iris_quart import logs
from iris_quart.atelier.request_count import tally_requests
from iris_quart.commands.payloads import PAGE_SIZE
from iris_quart.commands.rows import RequestData, TableData, request_data
from iris_quart.commands.tables import table_schema
from iris_quart.context import AuditEntry, Context, TableChange
from iris_quart.errors import IrisQuartError
from iris_quart.protocol import encode_event, encode_json
from iris_quart.services import AppServices
from iris_quart.sessions import Session

from .first_query import FirstQuery

__all__ = ["FIRST_ROWS_SECONDS", "ROWS_HERE", "FirstRows", "script_text"]

FIRST_ROWS_SECONDS = 0.15
"""Time that the end of the page waits for its rows; later ones are read over the socket."""
MESSAGE_ID = "page"
ROWS_HERE = "<!--rows-->"
"""Where the template has the rows. No value in a page can be written like this: < is escaped."""
BYTES_MAX = 512 * 1024
"""Larger first rows would hold up what the page needs more."""

log = logs.get_logger(__name__)


class FirstRows:
    """The read of one table for one page, begun before the page is sent and awaited at its end."""

    def __init__(self, services: AppServices, session_id: str, session: Session, query: FirstQuery) -> None:
        self._services = services
        self._session = session
        self._query = query
        loop = asyncio.get_running_loop()
        self._until = loop.time() + FIRST_ROWS_SECONDS
        self._task = loop.create_task(self._read(session_id))
        services.page_reads.add(self._task)
        self._task.add_done_callback(services.page_reads.discard)

    async def text(self) -> str:
        """Return the rows as JSON that may stand in a script element; empty when they are late or cannot be read."""
        left = self._until - asyncio.get_running_loop().time()
        # A read that is late goes on: the socket asks for the same and joins it.
        done, _ = await asyncio.wait({self._task}, timeout=max(0.0, left))
        return self._task.result() if done and not self._task.cancelled() else ""

    async def _read(self, session_id: str) -> str:
        try:
            return await self._events(session_id)
        except (IrisQuartError, ValidationError):
            return ""  # the socket meets the same error and says what it means
        except Exception as error:
            log.exception("first rows failed", trace_id=logs.trace_id(), exc_info=error)
            return ""

    async def _events(self, session_id: str) -> str:
        services, session = self._services, self._session
        credentials = await services.store.credentials(session_id, session)
        if credentials is None:
            return ""
        context = Context(
            session=session,
            settings=services.settings,
            tables=services.tables_for(session, credentials),
            results=services.store,
            announce=_refuse_announcement,
            audit=_refuse_audit,
            message_id=MESSAGE_ID,
            now=services.store.now,
        )
        read_at = services.store.now()
        query = self._query
        size = min(PAGE_SIZE, services.settings.page_size_max)
        asked = RequestData.model_validate(query.payload(size))
        described = tally_requests()
        table = await context.tables.catalogue.table(query.namespace, query.table_name)
        # A read that another page began is older than the mark: what changed since would stay unseen.
        context.tables.rows.forget(table.namespace, table.full_name)
        data = await request_data(context, asked)
        assert isinstance(data, TableData)  # nothing else comes without a count
        if isinstance(data.round_trips, int):
            data.round_trips += described.requests
        mark = services.live.read_marks.create(session.key, data.namespace, data.table_name, read_at)
        events = [msgspec.Raw(encode_event(event)) for event in (table_schema(context, table), data)]
        milliseconds = round((services.store.now() - read_at) * 1000)
        text = encode_json({**query.wire(), "readMark": mark, "ms": milliseconds, "events": events})
        return script_text(text) if len(text) <= BYTES_MAX else ""


def script_text(text: bytes) -> str:
    """Write JSON so that no part of it ends the script element around it (HTML Standard, 4.12.1.3).

    The characters stand only in strings of JSON, where their escapes mean the same.
    """
    return (
        text.decode()
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


async def _refuse_announcement(_change: TableChange) -> NoReturn:
    raise RuntimeError("a page reads only")


def _refuse_audit(_entry: AuditEntry) -> NoReturn:
    raise RuntimeError("a page reads only")
