"""Broadcast within a worker: messages to several followers, some of which start late, and a bell that wakes them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

__all__ = ["Bell", "News"]

T = TypeVar("T")
PATIENCE_SECONDS = 60.0


class Bell:
    """Waiting with a time limit, cut short by `ring`; each waiter hears every ring since its last wait."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake all who wait."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Wait for the bell, but no longer than this."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await asyncio.wait([waiter], timeout=seconds)
        finally:
            self._waiters.discard(waiter)


class News(Generic[T]):
    """The latest `keep` items; a follower receives all that are still kept and then each new one."""

    def __init__(self, keep: int) -> None:
        self._items: deque[T] = deque(maxlen=keep)
        self._count = 0
        self._bell = Bell()
        self._closed = False

    def publish(self, item: T) -> None:
        """Add an item."""
        self._items.append(item)
        self._count += 1
        self._bell.ring()

    def close(self) -> None:
        """End all followers."""
        self._closed = True
        self._bell.ring()

    async def follow(self) -> AsyncIterator[T]:
        """Return the items in order, until closed; one who is slower than `keep` items misses some."""
        seen = 0
        while not self._closed:
            while seen < self._count:
                first = self._count - len(self._items)
                seen = max(seen, first) + 1
                yield self._items[seen - 1 - first]
            if not self._closed:
                await self._bell.wait(PATIENCE_SECONDS)
