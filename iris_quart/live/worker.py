"""Everything live of one worker, tied together: what a socket needs, started and stopped as one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from quart import Websocket

from iris_quart.background import persistently
from iris_quart.config import Settings
from iris_quart.context import AuditEntry
from iris_quart.dispatch import Commands
from iris_quart.metrics import Metrics
from iris_quart.sessions import Session, SessionStore

from .changes import Changes
from .drain import Drain
from .expiry import Expiry
from .heartbeat import Heartbeat
from .limits import SocketLimits
from .read_marks import ReadMarks
from .registry import Registry
from .upstream import MakeTables, Upstream

__all__ = ["EXTENSION", "Gate", "LiveWorker", "WriteAudit"]

EXTENSION = "iris_quart.live"
LOGOUT_SECONDS = 1.0
"""Time to give IRIS's sessions back at a stop."""

WriteAudit = Callable[[Session, AuditEntry], None]


class Gate(Protocol):
    """Decides whether a socket may be opened."""

    def origin_allowed(self, websocket: Websocket) -> bool:
        """Judge the Origin of a handshake."""

    async def session_of(self, websocket: Websocket) -> tuple[str, Session] | None:
        """Return the session id and session of a handshake. Raises StoreUnavailable."""


class LiveWorker:
    """The live side of one worker."""

    def __init__(
        self,
        settings: Settings,
        store: SessionStore,
        commands: Commands,
        gate: Gate,
        make_tables: MakeTables,
        audit: WriteAudit,
        metrics: Metrics,
        read_marks: ReadMarks,
    ) -> None:
        self.settings = settings
        self.store = store
        self.commands = commands
        self.gate = gate
        self.audit = audit
        self.metrics = metrics
        self.read_marks = read_marks
        self.upstream = Upstream(settings, make_tables)
        self.registry = Registry()
        self.writes_under_way: dict[tuple[str, str], asyncio.Future[Any]] = {}
        self.limits = SocketLimits(settings)
        self.changes = Changes(self.registry, store)
        self.expiry = Expiry(store, self.registry, settings, self.upstream.release)
        self.drain = Drain(self.registry, settings, lambda: self.upstream.close(LOGOUT_SECONDS))
        self._heartbeat = Heartbeat(self.registry, settings)
        self._work: list[Callable[[], Coroutine[Any, Any, None]]] = [
            self._heartbeat.run,
            self.changes.run,
            self.changes.publish,
            self.drain.watch,
        ]
        self._tasks: list[asyncio.Task[None]] = []

    def also_run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run something else beside, from the start to the stop."""
        self._work.append(work)

    async def start(self) -> None:
        """Begin to watch sessions, peers, changes and the order to stop; called in `before_serving`."""
        await self.expiry.start()
        self._tasks.extend(asyncio.create_task(persistently(work)) for work in self._work)

    async def stop(self) -> None:
        """Close what is open and give IRIS's sessions back; called in `after_serving`."""
        await self.drain.run()
        await self.changes.flush()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.expiry.stop()
        await self.upstream.close(LOGOUT_SECONDS)
