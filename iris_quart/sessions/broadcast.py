"""Broadcast of messages to several followers, some of which start late."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from .bell import Bell

__all__ = ["News"]

T = TypeVar("T")
PATIENCE_SECONDS = 60.0


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
