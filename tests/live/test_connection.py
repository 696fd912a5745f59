"""Texts out and the end of one connection, over a peer that the test holds in its hand."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from iris_quart.config import Settings
from iris_quart.live.connection import OUTBOX_BYTES, PUSHED_MAX, Connection
from iris_quart.live.patches.wire import Wire
from iris_quart.protocol import CloseCode


class HeldPeer:
    """A peer that reads only while its gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.got: list[str | tuple[int, str]] = []
        self.lost = False

    async def send(self, data: str) -> None:
        await self.gate.wait()
        if self.lost:
            raise ConnectionResetError
        self.got.append(data)

    async def close(self, code: int, reason: str = "") -> None:
        await self.gate.wait()
        self.got.append((code, reason))


class CutWire:
    """A wire that notes that it was cut."""

    full = False

    def __init__(self) -> None:
        self.cut = False

    def send_text(self, _text: bytes) -> bool:
        return False

    def abort(self) -> None:
        self.cut = True


class Line:
    """A connection whose handler waits until it is made to end."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.peer = HeldPeer()
        self.wire = CutWire()
        self.connection = Connection(
            self.peer, cast("Wire", self.wire), Settings(instance=folder, **settings)
        )
        self.left = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Do as the handler does: receive until cancelled."""
        try:
            async with self.connection:
                await asyncio.Event().wait()
        finally:
            self.left.set()

    async def begin(self) -> Connection:
        self.task = asyncio.create_task(self.serve())
        await turns()
        return self.connection


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def line(tmp_path: Path) -> Any:
    line = Line(tmp_path, close_seconds=0.1, slow_reader_seconds=0.2)
    yield line
    if line.task is not None:
        line.task.cancel()
        await asyncio.gather(line.task, return_exceptions=True)


async def test_texts_go_out_in_order_and_nothing_after_the_close(line: Line) -> None:
    connection = await line.begin()
    connection.push(b"1")
    await connection.send(b"2")
    connection.close(CloseCode.SESSION_EXPIRED, "Session Expired", b"last")
    connection.push(b"3")
    await connection.send(b"4")
    connection.close(CloseCode.INTERNAL)
    await turns()
    assert line.peer.got == ["1", "2", "last", (4002, "Session Expired")]
    assert connection.close_code == 4002


async def test_a_peer_that_does_not_answer_the_close_ends_the_handler(line: Line) -> None:
    connection = await line.begin()
    connection.close(CloseCode.RESTART)
    async with asyncio.timeout(2):
        await line.left.wait()
    assert line.wire.cut


async def test_a_peer_that_does_not_read_is_cut_off(line: Line) -> None:
    connection = await line.begin()
    line.peer.gate.clear()
    connection.push(b"1")
    async with asyncio.timeout(2):
        await line.left.wait()
    assert (line.wire.cut, line.peer.got, connection.close_code) == (True, [], 1008)


async def test_a_close_behind_a_peer_that_does_not_read_ends_in_time(tmp_path: Path) -> None:
    line = Line(tmp_path, close_seconds=0.1, slow_reader_seconds=60)
    connection = await line.begin()
    line.peer.gate.clear()
    connection.push(b"1")
    connection.close(CloseCode.SESSION_EXPIRED)
    async with asyncio.timeout(10):
        await line.left.wait()
    assert line.wire.cut
    assert line.task is not None
    await line.task


async def test_answers_wait_for_room(line: Line) -> None:
    connection = await line.begin()
    line.peer.gate.clear()
    connection.push(b"x" * (OUTBOX_BYTES + 1))
    waiting = asyncio.create_task(connection.send(b"next"))
    await turns()
    assert not waiting.done()
    line.peer.gate.set()
    async with asyncio.timeout(1):
        await waiting
    await turns()
    assert line.peer.got[-1] == "next"


async def test_an_answer_that_waits_for_room_is_dropped_when_the_peer_leaves(line: Line) -> None:
    connection = await line.begin()
    line.peer.gate.clear()
    connection.push(b"x" * (OUTBOX_BYTES + 1))
    waiting = asyncio.create_task(connection.send(b"next"))
    await turns()
    assert line.task is not None
    line.task.cancel()
    async with asyncio.timeout(1):
        await waiting
        await line.left.wait()
    assert line.peer.got == []


async def test_texts_pushed_while_an_answer_is_being_sent_follow_it(line: Line) -> None:
    connection = await line.begin()
    line.peer.gate.clear()
    answering = asyncio.create_task(connection.send(b"answer"))
    await turns()
    connection.push(b"pushed")
    second = asyncio.create_task(connection.send(b"second"))
    await turns()
    connection.close(CloseCode.RESTART)
    line.peer.gate.set()
    await asyncio.gather(answering, second)
    await turns()
    assert line.peer.got == ["answer", "pushed", "second", (1012, "")]


async def test_an_answer_that_is_cancelled_holds_nothing_up(line: Line) -> None:
    connection = await line.begin()
    line.peer.gate.clear()
    answering = asyncio.create_task(connection.send(b"answer"))
    await turns()
    connection.push(b"pushed")
    answering.cancel()
    line.peer.gate.set()
    await asyncio.gather(answering, return_exceptions=True)
    await turns()
    assert line.peer.got == ["pushed"]


async def test_pushed_texts_have_a_bound(line: Line) -> None:
    connection = await line.begin()
    line.peer.gate.clear()
    for _ in range(PUSHED_MAX + 2):
        connection.push(b"x")
    assert connection.close_code == 1008
    async with asyncio.timeout(1):
        await line.left.wait()
    assert line.wire.cut


async def test_a_lost_peer_is_no_error(line: Line) -> None:
    connection = await line.begin()
    line.peer.lost = True
    connection.push(b"1")
    await turns()
    connection.push(b"2")
    await turns()
    assert line.peer.got == []
    assert not line.left.is_set()


async def test_an_idle_connection_has_no_task_of_its_own(line: Line) -> None:
    connection = await line.begin()
    before = len(asyncio.all_tasks())
    connection.push(b"1")
    await turns()
    assert len(asyncio.all_tasks()) == before


async def test_errors_of_the_handler_pass_through(tmp_path: Path) -> None:
    line = Line(tmp_path)
    with pytest.raises(KeyError):
        async with line.connection:
            raise KeyError
