"""Ping quiet peers and abort those that do not answer; one task for all sockets."""

from __future__ import annotations

import asyncio
import time

from iris_quart.config import Settings
from iris_quart.protocol import CloseCode

from .connection import Connection
from .registry import Registry

__all__ = ["Heartbeat"]


class Heartbeat:
    """The heartbeat of one worker.

    A browser answers a ping by itself, also in a hidden tab whose timers sleep. Where the server has no wire
    to ping on (another server than Hypercorn, HTTP/2), peers are left alone.
    """

    def __init__(self, registry: Registry, settings: Settings) -> None:
        self._registry = registry
        self._every = settings.heartbeat_seconds
        self._dead_after = settings.dead_peer_seconds
        self._step = min(1.0, settings.heartbeat_seconds / 4, settings.dead_peer_seconds / 20)
        self._asked: dict[Connection, float] = {}

    async def run(self) -> None:
        """Look after the sockets until cancelled."""
        while True:
            self.look(time.monotonic())
            await asyncio.sleep(self._step)

    def look(self, now: float) -> None:
        """Ping and cut off what is due at this moment of the monotonic clock."""
        asked: dict[Connection, float] = {}
        for socket in self._registry:
            connection = socket.connection
            wire = connection.wire
            if wire is None or connection.closing:
                continue
            last_asked = self._asked.get(connection, 0.0)
            if now - wire.heard >= self._dead_after:
                connection.cut_off(CloseCode.POLICY)
            elif now - max(wire.heard, last_asked) >= self._every:
                wire.ping()
                asked[connection] = now
            elif last_asked > wire.heard:
                asked[connection] = last_asked
        self._asked = asked
