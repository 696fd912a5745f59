"""Caches of what was read from IRIS: bounded, with a lifetime, one read for concurrent callers."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["Cache", "Flights"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _GivenUp(Exception):
    """The one who read was cancelled."""


class _Flight(Generic[V]):
    """One read under way, in the task of the one who asked first, and those who wait for it."""

    __slots__ = ("task", "waiting")

    def __init__(self, task: asyncio.Task[object] | None) -> None:
        self.task = task
        self.waiting: list[asyncio.Future[V]] = []

    def fail(self, error: BaseException) -> None:
        for waiter in self.waiting:
            if not waiter.done():
                waiter.set_exception(error)
                waiter.exception()  # one who leaves before seeing it leaves no complaint

    def land(self, value: V) -> None:
        for waiter in self.waiting:
            if not waiter.done():
                waiter.set_result(value)


class Flights(Generic[K, V]):
    """Identical reads at the same time are sent once.

    Who asks first reads, in his own task; when he is cancelled, one of those who wait reads again. A task for each
    read would outlive him, but cost each page some turns of the event loop.
    """

    def __init__(self) -> None:
        self._flights: dict[K, _Flight[V]] = {}
        self._forgotten: set[_Flight[V]] = set()

    def __len__(self) -> int:
        """Count the reads under way that can be joined."""
        return len(self._flights)

    def __contains__(self, key: K) -> bool:
        """Return whether such a read is under way."""
        return key in self._flights

    async def run(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """Return what `load` gives, or what an identical read under way is about to give.

        Raises what `load` raises.
        """
        while (known := self._flights.get(key)) is not None:
            waiter: asyncio.Future[V] = asyncio.get_running_loop().create_future()
            known.waiting.append(waiter)
            try:
                return await waiter
            except _GivenUp:
                continue
        flight: _Flight[V] = _Flight(asyncio.current_task())
        self._flights[key] = flight
        try:
            value = await load()
        except asyncio.CancelledError:
            self._leave(key, flight)
            flight.fail(_GivenUp())
            raise
        except BaseException as error:
            self._leave(key, flight)
            flight.fail(error)
            raise
        self._leave(key, flight)
        flight.land(value)
        return value

    def forget(self, matches: Callable[[K], bool]) -> None:
        """Detach matching reads from later callers; present callers still get their answers."""
        for key in [key for key in self._flights if matches(key)]:
            self._forgotten.add(self._flights.pop(key))

    async def close(self) -> None:
        """Stop every read."""
        ended: list[asyncio.Future[V]] = []
        for flight in [*self._flights.values(), *self._forgotten]:
            if flight.task is None or flight.task is asyncio.current_task():
                continue
            waiter: asyncio.Future[V] = asyncio.get_running_loop().create_future()
            flight.waiting.append(waiter)
            ended.append(waiter)
            flight.task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)

    def _leave(self, key: K, flight: _Flight[V]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        self._forgotten.discard(flight)


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
        """Return what is known and still fresh, without asking."""
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
        """Return whether it is being read at this moment."""
        return (key, self._generation) in self._flights

    def keys(self) -> list[K]:
        """Return the keys of what is kept."""
        return list(self._values)

    async def get(self, key: K, load: Callable[[], Awaitable[V]], *, refresh: bool = False) -> V:
        """Return a value, read by `load` when it is not known; `refresh` reads in any case.

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
