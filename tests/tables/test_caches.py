"""Caches: read once by many, bounded, forgotten in time, and never a failure remembered."""

from __future__ import annotations

import asyncio

import pytest

from iris_quart.tables.caches import Cache, Flights


class Source:
    """Something slow to read: counts the reads and lets the test answer them."""

    def __init__(self) -> None:
        self.reads = 0
        self.cancelled = 0
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def load(self) -> int:
        self.reads += 1
        number = self.reads
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return number


class Clock:
    """Time that only the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def started(source: Source, reads: int = 1) -> None:
    async with asyncio.timeout(5):
        while source.reads < reads:
            await asyncio.sleep(0)


async def test_identical_reads_are_sent_once() -> None:
    source, flights = Source(), Flights[str, int]()
    waiting = [asyncio.create_task(flights.run("a", source.load)) for _ in range(5)]
    await started(source)
    assert len(flights) == 1
    assert "a" in flights
    source.gate.set()
    assert await asyncio.gather(*waiting) == [1] * 5
    assert len(flights) == 0


async def test_when_the_one_who_reads_leaves_one_of_the_others_reads() -> None:
    source, flights = Source(), Flights[str, int]()
    first, second, third = (asyncio.create_task(flights.run("a", source.load)) for _ in range(3))
    await started(source)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    source.gate.set()
    assert [await second, await third] == [2, 2]
    assert source.cancelled == 1


async def test_one_who_waits_may_leave() -> None:
    source, flights = Source(), Flights[str, int]()
    first, second, third = (asyncio.create_task(flights.run("a", source.load)) for _ in range(3))
    await started(source)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    source.gate.set()
    assert [await first, await third] == [1, 1]
    assert source.cancelled == 0


async def test_close_stops_the_reads_also_those_that_nobody_can_join() -> None:
    source, flights = Source(), Flights[str, int]()
    reading = asyncio.create_task(flights.run("a", source.load))
    await started(source)
    flights.forget(lambda _key: True)
    joined = asyncio.create_task(flights.run("b", source.load))
    await asyncio.sleep(0)
    await flights.close()
    assert source.cancelled == 2
    answers = await asyncio.gather(reading, joined, return_exceptions=True)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError] * 2


async def test_the_last_one_that_leaves_stops_the_read() -> None:
    source, flights = Source(), Flights[str, int]()
    waiting = [asyncio.create_task(flights.run("a", source.load)) for _ in range(3)]
    await started(source)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.sleep(0)
    assert source.cancelled == 1
    source.gate.set()
    assert await flights.run("a", source.load) == 2, "a later reader does not join the stopped read"


async def test_failure_reaches_everyone_and_is_not_kept() -> None:
    source, cache = Source(), Cache[str, int](60, 8)
    source.error = OSError("away")
    waiting = [asyncio.create_task(cache.get("a", source.load)) for _ in range(3)]
    await started(source)
    source.gate.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["away"] * 3
    assert source.reads == 1
    source.error = None
    assert await cache.get("a", source.load) == 2


async def test_value_is_read_again_after_its_lifetime() -> None:
    clock, source = Clock(), Source()
    source.gate.set()
    cache = Cache[str, int](10, 8, clock=clock)
    assert await cache.get("a", source.load) == 1
    clock.now = 9.9
    assert await cache.get("a", source.load) == 1
    clock.now = 10
    assert await cache.get("a", source.load) == 2
    assert await cache.get("a", source.load, refresh=True) == 3


async def test_lifetime_of_nothing_remembers_nothing() -> None:
    source, cache = Source(), Cache[str, int](0, 8)
    source.gate.set()
    assert [await cache.get("a", source.load) for _ in range(2)] == [1, 2]


async def test_the_least_used_value_goes_first() -> None:
    cache = Cache[str, int](60, 2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.peek("a") == 1
    cache.put("c", 3)
    assert (cache.peek("a"), cache.peek("b"), cache.peek("c")) == (1, None, 3)
    assert len(cache) == 2


async def test_amended_value_ends_when_the_old_one_would_have() -> None:
    clock = Clock()
    cache = Cache[str, int](10, 8, clock=clock)
    cache.put("a", 1)
    clock.now = 5
    cache.amend("a", 2)
    cache.amend("b", 9)
    assert cache.peek("a") == 2
    assert cache.peek("b") is None
    clock.now = 10
    assert cache.peek("a") is None


async def test_read_that_began_before_a_drop_is_not_remembered() -> None:
    source, cache = Source(), Cache[str, int](60, 8)
    reading = asyncio.create_task(cache.get("a", source.load))
    await started(source)
    assert cache.under_way("a")
    cache.drop(lambda key: key == "a")
    assert not cache.under_way("a")
    after = asyncio.create_task(cache.get("a", source.load))
    await started(source, 2)
    source.gate.set()
    assert await reading == 1, "who asked before gets what was read for him"
    assert await after == 2
    assert cache.peek("a") == 2


async def test_close_stops_what_is_under_way() -> None:
    source, cache = Source(), Cache[str, int](60, 8)
    reading = asyncio.create_task(cache.get("a", source.load))
    await started(source)
    await cache.close()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert source.cancelled == 1
