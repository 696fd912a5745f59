"""What was read from IRIS and may be used again: bounded, with a lifetime, and read once by many."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["Cache", "Flights"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Flights(Generic[K, V]):
    """Identical reads at the same time are sent once.

    A read goes on while anybody waits for it; when the last one was cancelled, so is the read.
    """

    def __init__(self) -> None:
        self._tasks: dict[K, asyncio.Task[V]] = {}
        self._waiting: dict[asyncio.Task[V], int] = {}

    def __len__(self) -> int:
        """Count the reads under way."""
        return len(self._tasks)

    def __contains__(self, key: K) -> bool:
        """Tell whether such a read is under way."""
        return key in self._tasks

    async def run(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """Give what `load` gives, or what an identical read under way is about to give.

        Raises what `load` raises.
        """
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(_call(load))
            self._tasks[key] = task
            self._waiting[task] = 0
            task.add_done_callback(lambda done: self._settle(key, done))
        self._waiting[task] = self._waiting.get(task, 0) + 1
        try:
            return await asyncio.shield(task)
        finally:
            left = self._waiting.get(task, 0) - 1
            if not task.done():
                self._waiting[task] = left
                if left <= 0:
                    self._forget(key, task)
                    task.cancel()

    def forget(self, matches: Callable[[K], bool]) -> None:
        """Let no later caller join the reads that match; those who wait still get their answers."""
        for key in [key for key in self._tasks if matches(key)]:
            del self._tasks[key]

    async def close(self) -> None:
        """Stop every read."""
        tasks = list(self._waiting)
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _settle(self, key: K, task: asyncio.Task[V]) -> None:
        self._forget(key, task)
        self._waiting.pop(task, None)
        if not task.cancelled():
            task.exception()  # those who waited have it; a failure nobody waited for any more is no news

    def _forget(self, key: K, task: asyncio.Task[V]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]


async def _call(load: Callable[[], Awaitable[V]]) -> V:
    return await load()


class Cache(Generic[K, V]):
    """Values by key, the least used going first, each read again after its lifetime.

    `lifetime` is in seconds, 0 remembers nothing; `size` counts values.
    """

    def __init__(self, lifetime: float, size: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._lifetime = lifetime
        self._size = size
        self._clock = clock
        self._values: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._flights: Flights[tuple[K, int], V] = Flights()
        self._generation = 0

    def __len__(self) -> int:
        """Count the values kept."""
        return len(self._values)

    def peek(self, key: K) -> V | None:
        """Give what is known and still fresh, without asking."""
        found = self._values.get(key)
        if found is None:
            return None
        if self._clock() >= found[0]:
            del self._values[key]
            return None
        self._values.move_to_end(key)
        return found[1]

    def put(self, key: K, value: V) -> None:
        """Remember a value from now on."""
        if self._lifetime <= 0:
            return
        self._values[key] = (self._clock() + self._lifetime, value)
        self._values.move_to_end(key)
        while len(self._values) > self._size:
            self._values.popitem(last=False)

    def amend(self, key: K, value: V) -> None:
        """Replace a value that is known; it ends when the old one would have."""
        found = self._values.get(key)
        if found is not None:
            self._values[key] = (found[0], value)

    def drop(self, matches: Callable[[K], bool]) -> None:
        """Forget the values that match; reads under way that began before are not remembered either."""
        self._generation += 1
        for key in [key for key in self._values if matches(key)]:
            del self._values[key]

    def under_way(self, key: K) -> bool:
        """Tell whether it is being read at this moment."""
        return (key, self._generation) in self._flights

    def keys(self) -> list[K]:
        """Give the keys of what is kept."""
        return list(self._values)

    async def get(self, key: K, load: Callable[[], Awaitable[V]], *, refresh: bool = False) -> V:
        """Give a value, read by `load` when it is not known; `refresh` reads in any case.

        Raises what `load` raises, and remembers no failure.
        """
        if not refresh:
            known = self.peek(key)
            if known is not None:
                return known
        generation = self._generation

        async def read() -> V:
            value = await load()
            if generation == self._generation:
                self.put(key, value)
            return value

        return await self._flights.run((key, generation), read)

    async def close(self) -> None:
        """Stop the reads under way."""
        await self._flights.close()
