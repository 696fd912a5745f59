"""The open sockets of this worker, by session."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from iris_quart.context import Browsing
from iris_quart.names import folded_table
from iris_quart.protocol import Message
from iris_quart.sessions import Session

from .connection import Connection
from .runner import Runner

__all__ = ["LiveSocket", "OpenTables", "Presence", "Registry"]

OPEN_TABLES_MAX = 64
"""Tables that one socket is told about; a page has few tabs, a script may walk through thousands."""


@dataclass(eq=False, slots=True)
class Presence:
    """A session that has sockets in this worker."""

    session: Session
    """As the store last told it."""
    sockets: set[LiveSocket] = field(default_factory=set)
    orphans: set[asyncio.Task[None]] = field(default_factory=set)
    """Writes that have begun and whose sockets are gone; they end with the session, too."""
    ended: bool = False
    warned: bool = False
    """Whether the sockets know that the session ends soon; forgotten when it is prolonged."""


@dataclass(eq=False, slots=True, weakref_slot=True)
class LiveSocket:
    """One open socket."""

    presence: Presence
    connection: Connection
    runner: Runner
    tables: OpenTables


class OpenTables:
    """The tables that one socket has read and so shows, most recent last."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: OrderedDict[tuple[str, str], None] = OrderedDict()

    def __contains__(self, name: object) -> bool:
        """Whether a table `(namespace, table)` is open; upper and lower case are the same."""
        return isinstance(name, tuple) and folded_table(*name) in self._names

    def note(self, payload: Message, browsing: Browsing) -> None:
        """Record the table that a command was answered for."""
        reference = payload.table_reference()
        if reference is None:
            return
        namespace, table_name = reference[0] or browsing.namespace, reference[1] or browsing.table_name
        if namespace and table_name:
            self.add(namespace, table_name)

    def add(self, namespace: str, table_name: str) -> None:
        """Record a table that the socket shows."""
        name = folded_table(namespace, table_name)
        self._names[name] = None
        self._names.move_to_end(name)
        if len(self._names) > OPEN_TABLES_MAX:
            self._names.popitem(last=False)


class Registry:
    """All open sockets of this worker."""

    def __init__(self) -> None:
        self._presences: dict[str, Presence] = {}
        self._sockets: set[LiveSocket] = set()
        self._begun_writes: set[asyncio.Task[None]] = set()  # also those whose client has gone
        self._empty = asyncio.Event()
        self._empty.set()

    async def emptied(self) -> None:
        """Wait until no socket is open."""
        await self._empty.wait()

    def __len__(self) -> int:
        """Count the open sockets."""
        return len(self._sockets)

    def __iter__(self) -> Iterator[LiveSocket]:
        """Go through the sockets that are open now; others may come and go meanwhile."""
        return iter(list(self._sockets))

    def presence(self, key: str) -> Presence | None:
        """Look up a session that has sockets here."""
        return self._presences.get(key)

    @contextmanager
    def present(self, session: Session) -> Iterator[Presence]:
        """Return the session's presence, kept as long as one of its sockets is inside this block."""
        presence = self._presences.get(session.key)
        if presence is None:
            presence = self._presences[session.key] = Presence(session)
        elif session.idle_until > presence.session.idle_until:
            presence.session = session
        try:
            yield presence
        finally:
            self._drop_unused(presence)

    def hold_write(self, task: asyncio.Task[None]) -> None:
        """Keep the task of a write that has begun until it ends."""
        self._begun_writes.add(task)
        task.add_done_callback(self._begun_writes.discard)

    def begun_writes(self) -> set[asyncio.Task[None]]:
        """Return the writes of this worker that have not ended, also those whose client has gone."""
        return set(self._begun_writes)

    def adopt(self, presence: Presence, writes: Iterable[asyncio.Task[None]]) -> None:
        """Keep a session's presence until these writes end."""

        def ended(task: asyncio.Task[None]) -> None:
            presence.orphans.discard(task)
            self._drop_unused(presence)

        for task in writes:
            presence.orphans.add(task)
            task.add_done_callback(ended)

    def _drop_unused(self, presence: Presence) -> None:
        key = presence.session.key
        if not (presence.sockets or presence.orphans) and self._presences.get(key) is presence:
            del self._presences[key]

    @contextmanager
    def joined(self, socket: LiveSocket) -> Iterator[None]:
        """Count a socket in as long as the block lasts."""
        self._sockets.add(socket)
        self._empty.clear()
        socket.presence.sockets.add(socket)
        try:
            yield
        finally:
            self._sockets.discard(socket)
            socket.presence.sockets.discard(socket)
            if not self._sockets:
                self._empty.set()
