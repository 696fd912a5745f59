"""The queue between two tasks of a socket: in order, bounded, and nothing lost by a cancelled wait."""

from __future__ import annotations

import asyncio
import sys

from iris_quart.live.inbox import Inbox


async def test_items_come_in_order_and_a_full_inbox_makes_its_writer_wait() -> None:
    inbox: Inbox[int] = Inbox(3)
    put: list[int] = []

    async def write() -> None:
        for number in range(10):
            await inbox.put(number)
            put.append(number)

    writing = asyncio.create_task(write())
    await asyncio.sleep(0)
    assert put == [0, 1, 2]
    assert [await inbox.get() for _ in range(10)] == list(range(10))
    await writing


async def test_a_cancelled_reader_loses_nothing() -> None:
    inbox: Inbox[str] = Inbox(8)
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    await inbox.put("first")
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await inbox.put("second")
    assert [await inbox.get(), await inbox.get()] == ["first", "second"]


async def test_a_cancelled_writer_leaves_nothing() -> None:
    inbox: Inbox[str] = Inbox(1)
    await inbox.put("first")
    writing = asyncio.create_task(inbox.put("second"))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert await inbox.get() == "first"
    await inbox.put("third")
    assert await inbox.get() == "third"


async def test_an_empty_one_is_small() -> None:
    inbox: Inbox[str] = Inbox(8)
    assert sum(map(sys.getsizeof, (inbox, inbox._items))) < 200
