"""Announce proved changes to every other socket that shows the table, in all workers and machines."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from iris_quart import logs
from iris_quart.context import TableChange
from iris_quart.errors import StoreUnavailable
from iris_quart.protocol import UNSET, Event, PreviewMark, UnsetType, encode_event, encode_json
from iris_quart.sessions import Session, SessionStore

from .recent_changes import RecentChanges
from .registry import LiveSocket, Registry

__all__ = ["ChangedRow", "Changes", "RowsChanged"]

RETRY_SECONDS = 1.0
WAITING_MAX = 1000
"""Changes that wait to be told to other workers before a save waits as well."""
FLUSH_SECONDS = 0.3

NoteInserted = Callable[[str, str, str, Sequence[str]], None]
NotePending = Callable[[tuple[str, str, str], str, Mapping[str, Any] | None], None]

log = logs.get_logger(__name__)


class ChangedRow(msgspec.Struct, kw_only=True, rename="camel"):
    """One changed row; `values` are its new values by column, absent for a deleted row.

    `previews` marks the values that are cut, as `tableData.previews` does.
    """

    kind: str
    row_id: str | None
    values: dict[str, Any] | UnsetType = UNSET
    previews: dict[str, PreviewMark] | UnsetType = UNSET


class RowsChanged(Event):
    """Somebody else changed rows of a table that this socket shows."""

    namespace: str
    table_name: str
    changes: Sequence[ChangedRow]
    by: str


class _Published(msgspec.Struct):
    """A message between workers; `event` is the encoded text for the sockets."""

    server_key: str
    namespace: str
    table_name: str
    event: str


class _Pending(msgspec.Struct):
    """An INSERT whose answer is late or lost; without values it has ended."""

    server_key: str
    namespace: str
    table_name: str
    pending: str
    values: dict[str, Any] | None


class _Message(msgspec.Struct):
    """A message of another worker: `event` of a change, or `pending` of an INSERT."""

    server_key: str
    namespace: str
    table_name: str
    event: str = ""
    pending: str = ""
    values: dict[str, Any] | None = None


class _Inserted(msgspec.Struct):
    """As much of RowsChanged as tells which rows are new."""

    changes: Sequence[ChangedRow]


class _Event(msgspec.Struct):
    payload: _Inserted


_EVENT = msgspec.json.Decoder(_Event)


class Changes:
    """The fan-out of one worker."""

    def __init__(self, registry: Registry, store: SessionStore) -> None:
        self._registry = registry
        self._store = store
        self._recent = RecentChanges(store.now)
        self._decoder = msgspec.json.Decoder(_Message, float_hook=Decimal)
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(WAITING_MAX)
        self.note_inserted: NoteInserted | None = None
        """Called with the new rows that other workers announce: server key, namespace, table and row IDs."""

        self.note_pending: NotePending | None = None
        """Called with an INSERT that another worker announces as pending, or as ended: table, token, values."""

    def announce_pending(
        self, table: tuple[str, str, str], token: str, values: Mapping[str, Any] | None
    ) -> None:
        """Announce an INSERT whose answer is late or lost to other workers, or its end."""
        message = _Pending(*table, token, None if values is None else dict(values))
        try:
            self._waiting.put_nowait(encode_json(message))
        except asyncio.QueueFull:
            log.warning("a pending insert was not told to other workers")

    async def announce(self, session: Session, change: TableChange, writer: LiveSocket | None) -> None:
        """Announce a proved change to all sockets but the writer's: here at once, elsewhere as soon as possible.

        Who saved need not wait until other workers know.
        """
        rows = [
            ChangedRow(
                kind=row.kind,
                row_id=row.row_id,
                values=UNSET if row.values is None else row.values,
                previews=row.previews or UNSET,
            )
            for row in change.changes
        ]
        event = RowsChanged(
            namespace=change.namespace, table_name=change.table_name, changes=rows, by=session.user
        )
        message = _Published(
            session.server_key, change.namespace, change.table_name, encode_event(event).decode()
        )
        self._deliver(message, writer)
        await self._waiting.put(encode_json(message))

    def follow(self, socket: LiveSocket, namespace: str, table_name: str, read_at: float) -> bool:
        """Show a table on a socket that has its rows from elsewhere, and send it what changed since they were read.

        Return whether that is everything; otherwise nothing is done, and the rows must be read again. There is no
        moment between the past changes and the coming ones.
        """
        table = (socket.presence.session.server_key, namespace, table_name)
        missed = self._recent.since(read_at, table, socket)
        if missed is None:
            return False
        socket.tables.add(namespace, table_name)
        for text in missed:
            socket.connection.push(text)
        return True

    async def publish(self) -> None:
        """Publish local announcements to other workers, in order, until cancelled."""
        while True:
            messages = [await self._waiting.get()]
            while not self._waiting.empty():
                messages.append(self._waiting.get_nowait())
            try:
                await self._store.publish(*messages)
            except StoreUnavailable:
                # A store that is away loses only these.
                log.warning("changes were not told to other workers", count=len(messages))
            finally:
                for _message in messages:
                    self._waiting.task_done()

    async def flush(self) -> None:
        """Wait a moment until other workers know all that was announced."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._waiting.join()

    async def run(self) -> None:
        """Deliver what other workers announce, until cancelled."""
        while True:
            try:
                async for message in self._store.changes():
                    self._take(message)
                return
            except StoreUnavailable:
                self._recent.interrupted()
                await asyncio.sleep(RETRY_SECONDS)
                self._recent.interrupted()

    def _take(self, message: bytes) -> None:
        try:
            published = self._decoder.decode(message)
            if published.pending:
                if self.note_pending is not None:
                    table = (published.server_key, published.namespace, published.table_name)
                    self.note_pending(table, published.pending, published.values)
                return
            if self.note_inserted is not None and '"insert"' in published.event:
                changes = _EVENT.decode(published.event).payload.changes
                row_ids = [item.row_id for item in changes if item.kind == "insert" and item.row_id]
                self.note_inserted(published.server_key, published.namespace, published.table_name, row_ids)
            self._deliver(
                _Published(published.server_key, published.namespace, published.table_name, published.event),
                None,
            )
        except msgspec.DecodeError:
            log.warning("a change of another release was passed over")

    def _deliver(self, message: _Published, writer: LiveSocket | None) -> None:
        name = (message.namespace, message.table_name)
        text = message.event.encode()
        self._recent.add((message.server_key, *name), text, writer)
        for socket in self._registry:
            if (
                socket is not writer
                and not socket.presence.ended
                and socket.presence.session.server_key == message.server_key
                and name in socket.tables
            ):
                socket.connection.push(text)
