"""A bounded queue between two tasks, in a fraction of the memory of asyncio.Queue."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

__all__ = ["Inbox"]

T = TypeVar("T")


class Inbox(Generic[T]):
    """A first-in, first-out queue; `put` waits while it is full, `get` while it is empty.

    Four empty deques make 3 KB of an asyncio.Queue, and each open socket has two queues that are nearly always empty.
    Here a list holds the items: it is short, so taking its first one costs nothing.
    """

    __slots__ = ("_items", "_size", "_waiting")

    def __init__(self, size: int) -> None:
        self._items: list[T] = []
        self._size = size
        self._waiting: list[asyncio.Future[None]] | None = None

    async def put(self, item: T) -> None:
        """Add an item once there is room."""
        while len(self._items) >= self._size:
            await self._changed()
        self._items.append(item)
        self._wake()

    async def get(self) -> T:
        """Remove and return the first item once there is one."""
        while not self._items:
            await self._changed()
        item = self._items.pop(0)
        self._wake()
        return item

    async def _changed(self) -> None:
        future = asyncio.get_running_loop().create_future()
        if self._waiting is None:
            self._waiting = []
        self._waiting.append(future)
        await future

    def _wake(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, None
            for future in waiting:
                if not future.done():
                    future.set_result(None)
