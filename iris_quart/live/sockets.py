"""The `/ws` route: admits a socket, reads its frames, and says why it ends."""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, cast

from quart import Blueprint, Websocket, abort, current_app, websocket

from iris_quart import logs
from iris_quart.context import AuditEntry, Browsing, Context, TableChange
from iris_quart.dispatch import Command
from iris_quart.errors import StoreUnavailable
from iris_quart.protocol import CloseCode, Message
from iris_quart.sessions import Session

from .connection import Connection
from .limits import TokenBucket, TooManySockets
from .patches.wire import WIRE, Wire
from .registry import LiveSocket, OpenTables, Presence
from .runner import Runner
from .worker import EXTENSION, LiveWorker

if TYPE_CHECKING:
    from iris_quart.tables import Tables

__all__ = ["blueprint"]

blueprint = Blueprint("live", __name__)

log = logs.get_logger(__name__)


@blueprint.websocket("/ws")
async def serve_socket() -> None:
    """Serve one socket from handshake to close."""
    worker = cast("LiveWorker", current_app.extensions[EXTENSION])
    peer: Websocket = websocket._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    if not worker.gate.origin_allowed(peer):
        # Before anything else, and as plain HTTP: no honest page ever sees it.
        abort(403)
    await peer.accept()
    wire = cast("Wire | None", peer.scope.get(WIRE))
    connection = Connection(peer, wire, worker.settings)
    async with connection:
        try:
            await _admit(worker, peer, connection)
        except StoreUnavailable:
            connection.close(CloseCode.TRY_LATER, "the session store does not answer")
        except Exception as error:
            # One that left this route would close the socket with 1000, as if all were well.
            log.exception("socket failed", trace_id=logs.trace_id(), exc_info=error)
            connection.close(CloseCode.INTERNAL, "internal error")
        # The peer answers the close, which cancels this; or the connection's deadline does.
        while True:
            await peer.receive()


async def _admit(worker: LiveWorker, peer: Websocket, connection: Connection) -> None:
    if worker.drain.draining:
        connection.close(CloseCode.RESTART, "service restart")
        return
    if not worker.expiry.store_up:
        raise StoreUnavailable("The session store does not answer.")
    found = await worker.gate.session_of(peer)
    credentials = await worker.store.credentials(*found) if found is not None else None
    if found is None or credentials is None:
        connection.close(CloseCode.UNAUTHORIZED, "Unauthorized")
        return
    session = found[1]
    try:
        with (
            worker.limits.counted(session.key, peer.remote_addr or "") as bytes_left,
            worker.registry.present(session) as presence,
        ):
            tables = worker.upstream.tables_for(session, credentials)
            await _serve(worker, peer, connection, presence, tables, bytes_left)
    except TooManySockets as error:
        connection.close(CloseCode.POLICY, str(error))
    finally:
        worker.expiry.forget(session.key)


async def _serve(
    worker: LiveWorker,
    peer: Websocket,
    connection: Connection,
    presence: Presence,
    tables: Tables,
    bytes_left: TokenBucket,
) -> None:
    socket = _make_socket(worker, connection, presence, tables)
    settings = worker.settings
    bucket = TokenBucket(settings.messages_per_second, settings.messages_burst)
    wire = connection.wire

    def take(message: object) -> None:
        if connection.closing:
            return
        if not isinstance(message, str):
            # bytes for a binary message, None for an empty one
            connection.close(CloseCode.TEXT_ONLY, "text only")
        elif _larger(message, settings.message_bytes_max):
            connection.close(CloseCode.TOO_LARGE, "message too large")
        elif not bucket.take():
            connection.close(CloseCode.POLICY, "too many messages")
        elif not bytes_left.take(_bytes(message)):
            connection.close(CloseCode.POLICY, "too many bytes")
        else:
            socket.runner.take(message)
            return
        socket.runner.stop_reads()

    with worker.registry.joined(socket), worker.metrics.socket():
        try:
            # It may have ended while the credentials were read, before anyone could tell this socket.
            if not await worker.expiry.still_there(presence):
                return
            worker.expiry.follow(presence)
            if wire is not None:
                wire.deliver(take)
            while not connection.closing:
                message = await peer.receive()
                if wire is not None:
                    wire.received()
                take(message)
        finally:
            if wire is not None:
                wire.release()
            socket.runner.stop_reads()
            worker.registry.adopt(presence, socket.runner.writes())
            worker.metrics.socket_closed(connection.close_code)


def _bytes(message: str) -> int:
    return len(message) if message.isascii() else len(message.encode("utf-8", "surrogatepass"))


def _larger(message: str, bytes_max: int) -> bool:
    length = len(message)
    return length > bytes_max or (length * 4 > bytes_max and len(message.encode()) > bytes_max)


def _make_socket(
    worker: LiveWorker, connection: Connection, presence: Presence, tables: Tables
) -> LiveSocket:
    browsing = Browsing(namespace=presence.session.namespace)
    # The parts of the socket must not hold it: it would survive its end until a full garbage collection.
    made: list[weakref.ref[LiveSocket]] = []

    async def announce(change: TableChange) -> None:
        await worker.changes.announce(presence.session, change, made[0]())

    def cancel(message_id: str) -> bool:
        socket = made[0]()
        return socket is not None and socket.runner.cancel(message_id)

    def follow(namespace: str, table_name: str, mark: str) -> bool:
        socket = made[0]()
        read_at = worker.read_marks.read(mark, presence.session.key, namespace, table_name)
        if socket is None or read_at is None:
            return False
        return worker.changes.follow(socket, namespace, table_name, read_at)

    def audit(entry: AuditEntry) -> None:
        worker.audit(presence.session, entry)

    context = Context(
        session=presence.session,
        settings=worker.settings,
        tables=tables,
        results=worker.store,
        announce=announce,
        audit=audit,
        browsing=browsing,
        cancel=cancel,
        follow=follow,
        ended=lambda: presence.ended,
        draining=lambda: worker.drain.late,
        under_way=worker.writes_under_way,
        now=worker.store.now,
    )
    open_tables = OpenTables()
    surroundings = _SocketSurroundings(worker, presence, connection, open_tables, browsing)
    runner = Runner(worker.commands, context, worker.settings, surroundings)
    socket = LiveSocket(presence, connection, runner, open_tables)
    made.append(weakref.ref(socket))
    return socket


class _SocketSurroundings:
    """The surroundings that the runner of one socket needs."""

    __slots__ = ("_browsing", "_connection", "_open_tables", "_presence", "_worker")

    def __init__(
        self,
        worker: LiveWorker,
        presence: Presence,
        connection: Connection,
        open_tables: OpenTables,
        browsing: Browsing,
    ) -> None:
        self._worker = worker
        self._presence = presence
        self._connection = connection
        self._open_tables = open_tables
        self._browsing = browsing

    async def admit(self, command: Command, background: bool) -> Session:
        return await self._worker.expiry.admit(self._presence, command, background)

    async def emit(self, text: bytes) -> None:
        await self._connection.send(text)

    def push(self, text: bytes) -> None:
        self._connection.push(text)

    def succeeded(self, command: Command, payload: Message) -> None:
        # Only a socket that was shown rows hears how they change.
        if command.shows_rows:
            self._open_tables.note(payload, self._browsing)

    def write_begun(self, task: asyncio.Task[None]) -> None:
        self._worker.registry.hold_write(task)

    def measured(self, command: str, outcome: str, seconds: float) -> None:
        self._worker.metrics.command(command, outcome, seconds)

    def credentials_refused(self) -> None:
        self._worker.expiry.end_soon(self._presence, "credentials")
