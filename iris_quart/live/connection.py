"""One websocket as the rest sees it: texts go out in order through a single writer, and it ends in time."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Protocol

from hypercorn.utils import UnexpectedMessageError

from iris_quart.config import Settings
from iris_quart.protocol import CloseCode

from .patches.wire import Wire

__all__ = ["Connection", "Peer"]

OUTBOX_BYTES = 1024 * 1024
"""Answers wait for room when so much is waiting already."""
PUSHED_MAX = 1024
"""Texts that may wait in all; a peer that lets more gather does not read."""
PUSHED_BYTES_MAX = 8 * 1024 * 1024


class Peer(Protocol):
    """The part of Quart's websocket that is used."""

    async def send(self, data: str) -> None:
        """Send one text message."""

    async def close(self, code: int, reason: str = "") -> None:
        """Send the close frame."""


class _Close:
    """The last item of an outbox."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        self.code = code
        self.reason = reason


class Connection:
    """Texts out, and the end, of one websocket.

    The handler that receives runs inside it as an asynchronous context manager: a peer that does not answer
    a close, or does not read, ends that block. An idle connection has no task of its own.
    """

    def __init__(self, peer: Peer, wire: Wire | None, settings: Settings) -> None:
        self._peer = peer
        self._patience = settings.slow_reader_seconds
        self._close_seconds = settings.close_seconds
        # A list, for an empty one is small and a long one rare.
        self._outbox: list[bytes | _Close] = []
        self._waiting_bytes = 0
        self._room: asyncio.Event | None = None
        self._writer: asyncio.Task[None] | None = None
        # Somebody hands texts to the peer: the writer, or a task that found nothing waiting.
        self._writing = False
        # Runs from the close, or the cutting off, until the handler must have ended.
        self._deadline = asyncio.timeout(None)
        self._entered = False
        self._over = False
        self.wire = wire
        self.close_code: int | None = None
        """The code that we closed with; None while open or when the peer left by itself."""

    @property
    def closing(self) -> bool:
        """Whether the close frame was sent or is queued, or the peer has gone; nothing follows."""
        return self.close_code is not None or self._over

    async def __aenter__(self) -> Connection:
        """Begin the time in which the connection may be closed."""
        await self._deadline.__aenter__()
        self._entered = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """End; a peer that did not answer the close, or did not read, is aborted."""
        self._entered = False
        self._over = True
        self._wake()
        gave_up = False
        try:
            await self._deadline.__aexit__(kind, error, trace)
        except TimeoutError:
            gave_up = True
        # It knows the task that it watched, whose end knows all that was on its way.
        self._deadline = asyncio.timeout(None)
        if self._writer is not None:
            self._writer.cancel()
        if self.wire is not None and (gave_up or self._outbox):
            self.wire.abort()
        self._outbox.clear()
        return gave_up

    def push(self, text: bytes) -> None:
        """Queue a text without waiting; a peer for whom too much waits is cut off."""
        if self.closing:
            return
        if len(self._outbox) >= PUSHED_MAX or self._waiting_bytes > PUSHED_BYTES_MAX:
            self.cut_off(CloseCode.POLICY)
            return
        self._queue(text)

    async def send(self, text: bytes) -> None:
        """Queue a text once there is room; dropped when the connection is closing."""
        while self._waiting_bytes > OUTBOX_BYTES and not self.closing:
            if self._room is None:
                self._room = asyncio.Event()
            self._room.clear()
            await self._room.wait()
        if self._writing or self._outbox or self.closing:
            self.push(text)
            return
        # Nobody else writes: then this task may, and the common answer costs no task of its own.
        self._writing = True
        try:
            await self._out(text)
        finally:
            self._writing = False
            self._go_on()

    def close(self, code: CloseCode, reason: str = "", last: bytes | None = None) -> None:
        """Send what waits, then `last`, then the close frame; the first close wins."""
        if self.closing:
            return
        if last is not None:
            self._queue(last)
        self._queue(_Close(code, reason))
        self.close_code = int(code)
        self._wake()
        self._end_in(self._close_seconds)

    def cut_off(self, code: CloseCode) -> None:
        """End without a close frame: the peer would not read it."""
        if self.close_code is None:
            self.close_code = int(code)
        self._outbox.clear()
        self._wake()
        if self.wire is not None:
            self.wire.abort()
        self._end_in(0)

    def hurry(self, seconds: float) -> None:
        """Limit the time in which a peer must answer the close."""
        self._end_in(seconds)

    def _end_in(self, seconds: float) -> None:
        if not self._entered or self._deadline.expired():
            return
        at = asyncio.get_running_loop().time() + seconds
        known = self._deadline.when()
        if known is None or at < known:
            self._deadline.reschedule(at)

    def _queue(self, item: bytes | _Close) -> None:
        self._outbox.append(item)
        if isinstance(item, bytes):
            self._waiting_bytes += len(item)
        self._go_on()

    def _go_on(self) -> None:
        if self._outbox and not self._writing:
            self._writing = True
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._outbox:
                item = self._outbox[0]
                await self._out(item)
                # A cut-off empties the outbox meanwhile.
                if self._outbox:
                    self._outbox.pop(0)
                if isinstance(item, bytes):
                    self._waiting_bytes -= len(item)
                if self._waiting_bytes <= OUTBOX_BYTES:
                    self._wake()
        finally:
            self._writing = False
            self._writer = None

    async def _out(self, item: bytes | _Close) -> None:
        wire = self.wire
        try:
            if wire is not None and isinstance(item, bytes) and wire.send_text(item):
                # The common case: nothing waits, so no time need be kept.
                if wire.full:
                    async with asyncio.timeout(self._patience):
                        await wire.drain()
                return
            async with asyncio.timeout(self._patience):
                if isinstance(item, _Close):
                    await self._peer.close(int(item.code), item.reason)
                else:
                    await self._peer.send(item.decode())
        except TimeoutError:
            self.cut_off(CloseCode.POLICY)
        except (UnexpectedMessageError, RuntimeError, OSError):
            # The peer has gone; the handler is told by the cancelled receive.
            self._outbox.clear()
            self._wake()

    def _wake(self) -> None:
        if self._room is not None:
            self._room.set()
