"""Stop without loss: answer commands in flight, then close every socket with 1012."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
from collections.abc import Awaitable, Callable
from multiprocessing.synchronize import Event as ProcessEvent

from iris_quart import logs
from iris_quart.config import Settings
from iris_quart.protocol import CloseCode

from .registry import LiveSocket, Registry

__all__ = ["Drain"]

POLL_SECONDS = 0.1
"""Hypercorn's workers look at the same flag at the same pace."""
SENDING_SHARE = 0.5
"""Share of the time of a stop in which writes go on; in the rest they prove what they sent and skip the others."""
ANSWER_SECONDS = 0.5
"""Time a peer has to answer the close at a stop; less than else, since a stop must not take long."""

log = logs.get_logger(__name__)


class Drain:
    """The stop of one worker."""

    def __init__(
        self, registry: Registry, settings: Settings, last_work: Callable[[], Awaitable[None]]
    ) -> None:
        self._registry = registry
        self._last_work = last_work
        self._seconds = settings.drain_seconds
        self._done: asyncio.Future[None] | None = None
        self.draining = False
        """Whether the worker is stopping: `/readyz` says so and new sockets are sent away."""
        self.late = False
        """Whether so much of the time has passed that writes must send nothing more, only prove what they sent."""

    async def watch(self) -> None:
        """Drain as soon as Hypercorn's master says so, or ends this worker by a signal.

        Hypercorn itself waits for sockets and then cuts them off, and its master ends the other workers when
        the first has stopped. Its flag has no public name; outside of a worker of its (`hypercorn -w 0`, our
        own `serve`) this does nothing.
        """
        stop, flag = asyncio.Event(), _master_flag()
        if flag is None:
            return
        loop = asyncio.get_running_loop()
        ours = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        if ours:
            loop.add_signal_handler(signal.SIGTERM, stop.set)
        while not stop.is_set() and not flag.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await stop.wait()
        await self.run()
        if ours and not flag.is_set():
            # Only this worker was told to end, and we took the signal that would have ended it.
            loop.remove_signal_handler(signal.SIGTERM)
            await self._last_work()
            signal.raise_signal(signal.SIGTERM)

    async def run(self) -> None:
        """Refuse what is new, let what was taken end, and close every socket with 1012; once."""
        if self._done is not None:
            await asyncio.shield(self._done)
            return
        self._done = asyncio.get_running_loop().create_future()
        self.draining = True
        try:
            log.info("stopping", sockets=len(self._registry))
            loop = asyncio.get_running_loop()
            until = loop.time() + self._seconds
            loop.call_later(self._seconds * SENDING_SHARE, self._hurry)
            await asyncio.gather(*(self._dismiss(socket) for socket in self._registry))
            if writes := self._registry.begun_writes():
                await asyncio.wait(writes, timeout=max(0.0, until - loop.time()))
            # The last close frames are still on their way.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until + ANSWER_SECONDS):
                    await self._registry.emptied()
        finally:
            self._done.set_result(None)

    def _hurry(self) -> None:
        self.late = True

    async def _dismiss(self, socket: LiveSocket) -> None:
        await socket.runner.finish(self._seconds)
        socket.connection.close(CloseCode.RESTART, "service restart")
        socket.connection.hurry(ANSWER_SECONDS)


def _master_flag() -> ProcessEvent | None:
    """Get the event by which Hypercorn's master stops its workers; None outside of one."""
    arguments = getattr(multiprocessing.current_process(), "_kwargs", None) or {}
    flag = arguments.get("shutdown_event")
    return flag if isinstance(flag, ProcessEvent) else None
