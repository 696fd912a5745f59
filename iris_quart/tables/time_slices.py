"""Split long work into short slices so that other tasks can run in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

__all__ = ["TimeSlices"]

T = TypeVar("T")


class TimeSlices:
    """Turns at long work, one for a whole worker: at most one piece is done in a round of the event loop.

    A command takes several rounds, so each piece delays it more than once; hence pieces of a fraction of a
    millisecond.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def wait(self) -> None:
        """Wait for a round without other long work; what is done up to the next await is one piece."""
        await self._lock.acquire()
        asyncio.get_running_loop().call_soon(self._lock.release)

    async def pieces(self, items: Sequence[T], size: int) -> AsyncIterator[Sequence[T]]:
        """Return items piece by piece, each at its turn; few items are one piece, and wait for none."""
        if len(items) <= size:
            yield items
            return
        for start in range(0, len(items), size):
            await self.wait()
            yield items[start : start + size]
