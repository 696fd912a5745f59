"""Stopping: every socket 1012, exit code 0, in time; and what happens when a worker dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from iris_quart.demo import FaultRule, ThreadedDemoServer

from .conftest import Start
from .servers import free_port

pytestmark = pytest.mark.live

STOP_SECONDS = 6.0
"""What is promised for a stop, from the signal to the exit; one without work takes a fraction of it."""
KINDS: list[dict[str, Any]] = [
    {"workers": 1},
    {"workers": 2},
    {"workers": 1, "own": True},
    {"workers": 2, "own": True},
]


def name(kind: dict[str, Any] | int) -> str:
    if isinstance(kind, int):
        return signal.Signals(kind).name
    return f"{'serve' if kind.get('own') else 'hypercorn'}-{kind['workers']}"


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        *((kind, signal.SIGTERM) for kind in KINDS),
        (KINDS[3], signal.SIGINT),
        *(pytest.param(kind, signal.SIGINT, marks=pytest.mark.slow) for kind in KINDS[:3]),
    ],
    ids=name,
)
async def test_every_socket_is_told_to_come_back(start: Start, kind: dict[str, Any], number: int) -> None:
    server = start(**kind)
    async with server.person() as person, person.socket() as a, person.socket() as b, person.socket() as c:
        for socket in (a, b, c):
            await socket.ask("getSession")
        begun = time.monotonic()
        stopping = asyncio.create_task(server.stop_soon(number))
        for socket in (a, b, c):
            assert await socket.closed(1012) == "service restart"
        assert await stopping == 0
        assert time.monotonic() - begun < STOP_SECONDS
    assert "Traceback" not in server.log
    assert '"level": "error"' not in server.log


async def test_the_session_outlives_the_server(start: Start, tmp_path: Path) -> None:
    server = start()
    async with server.person() as person:
        async with person.socket() as socket:
            await socket.ask("getSession")
            stopping = asyncio.create_task(server.stop_soon())
            await socket.closed(1012)
            await stopping
        server.start()
        async with person.socket() as socket:
            assert (await socket.ask("getSession"))["user"] == "_SYSTEM"


async def test_silent_peers_do_not_hold_up_a_stop(start: Start) -> None:
    server = start()
    async with server.person() as person:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        jar = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.http.cookies.jar)
        writer.write(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            f"Cookie: {jar}\r\n\r\n".encode()
        )
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        begun = time.monotonic()
        assert await server.stop_soon() == 0
        assert time.monotonic() - begun < STOP_SECONDS
        writer.close()


async def test_a_killed_worker_is_replaced_and_the_others_go_on(start: Start) -> None:
    server = start(workers=2, own=True, metrics_bind=f"127.0.0.1:{free_port()}")
    before = server.workers()
    assert len(before) == 2
    assert "iris_quart_sockets" in await server.metrics()
    os.kill(before[0], signal.SIGKILL)
    async with server.person() as person, person.socket() as socket:
        await socket.ask("getSession")
        async with asyncio.timeout(10):
            while len(server.workers()) < 2 or before[0] in server.workers():
                await asyncio.sleep(0.1)
        await socket.ask("getSession")
        # Whichever of them served the metrics, somebody does.
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await server.metrics())["iris_quart_sockets"] == 1:
                        break
                await asyncio.sleep(0.1)
    assert await server.stop_soon() == 0


async def test_workers_end_when_their_supervisor_is_killed(start: Start) -> None:
    server = start(workers=2, own=True)
    workers = server.workers()
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    server.process = None
    async with asyncio.timeout(10):
        while any(Path(f"/proc/{worker}").exists() for worker in workers):
            await asyncio.sleep(0.05)


async def test_a_worker_of_hypercorn_that_is_told_to_end_ends(start: Start) -> None:
    server = start(workers=1)
    async with server.person() as person, person.socket() as socket:
        await socket.ask("getSession")
        (worker,) = server.workers()
        os.kill(worker, signal.SIGTERM)
        await socket.closed(1012)
    # Hypercorn's master goes with it; whoever started it starts it again.
    process = server.process
    assert process is not None
    async with asyncio.timeout(10):
        while process.poll() is None:
            await asyncio.sleep(0.05)
    server.process = None


@pytest.mark.slow
async def test_hypercorn_waits_for_a_command_longer_than_its_own_patience(
    start: Start, iris: ThreadedDemoServer
) -> None:
    server = start(workers=2)
    async with server.person() as person, person.socket() as socket:
        table = {"namespace": "SAMPLES", "tableName": "Sample.Company"}
        await socket.ask("requestData", table)
        rule = iris.add_fault(FaultRule(kind="latency", sql="Sample.{1,5}Company", delay=4.3))
        waiting = await socket.send("requestData", {**table, "page": 1, "count": "skip"})
        async with asyncio.timeout(5):
            while not rule.struck:
                await asyncio.sleep(0.01)
        stopping = asyncio.create_task(server.stop_soon())
        assert (await socket.answer(waiting))["event"] == "tableData"
        await socket.closed(1012)
        assert await stopping == 0
    iris.clear_faults()
