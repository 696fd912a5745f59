"""Crowds of bad peers with the settings as they ship: they are gone in time, and others are served meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from tests.live.crowds import flood, stuck_peer
from tests.live.servers import Socket, WebServer, free_port

from .memory import MIB, growth

pytestmark = [pytest.mark.live, pytest.mark.slow]

STUCK = 100
STUCK_MIB = 0.96
"""What one stuck reader may cost until it is cut off."""
READS = 8
SELECT = (
    '{"command":"requestData","payload":'
    '{"namespace":"SAMPLES","tableName":"Sample.Person","pageSize":200,"count":"skip","offset":%d}}'
)
ANSWERED = 'iris_quart_commands_total{command="requestData",outcome="ok"}'
CUT_OFF = 'iris_quart_socket_closes_total{code="1008"}'
SLOW_SECONDS = 5.0
"""No answer to somebody else may take so long, on a machine that runs other tests as well.

How much longer than else it takes is measured in tests/benchmarks/peers.py.
"""


@pytest.fixture(scope="module")
def server_settings() -> dict[str, Any]:
    return {"own": True, "metrics_bind": f"127.0.0.1:{free_port()}"}


@asynccontextmanager
async def somebody_else(server: WebServer) -> AsyncIterator[None]:
    """Work all the time as another user; the times of the answers are judged at the end."""
    times: list[float] = []

    async def work(socket: Socket) -> None:
        while True:
            begun = time.perf_counter()
            await socket.ask("getServerList")
            times.append(time.perf_counter() - begun)
            await asyncio.sleep(0.05)

    async with server.person("alice", "alice") as person, person.socket() as socket:
        working = asyncio.create_task(work(socket))
        try:
            yield
            assert not working.done(), working
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
    assert len(times) > 5
    assert max(times) < SLOW_SECONDS


async def test_a_hundred_stuck_readers_are_gone_in_fifteen_seconds(server: WebServer) -> None:
    async with AsyncExitStack() as people, somebody_else(server):
        persons = [await people.enter_async_context(server.person()) for _ in range(STUCK // 20)]
        with growth(server) as grown:
            peers = [await stuck_peer(persons[number % len(persons)]) for number in range(STUCK)]
            wanted = (await server.metrics()).get(ANSWERED, 0) + READS * STUCK
            for peer in peers:
                for offset in range(READS):
                    await peer.frame((SELECT % offset).encode())
            # All that they asked for is there, or they are gone already; none of them reads it.
            async with asyncio.timeout(60):
                while (seen := await server.metrics()).get(ANSWERED, 0) < wanted and not seen.get(CUT_OFF):
                    await asyncio.sleep(0.1)
            async with asyncio.timeout(15):
                while (await server.metrics())["iris_quart_sockets"] > 1:
                    await asyncio.sleep(0.1)
            assert (await server.metrics())[CUT_OFF] == STUCK
        for peer in peers:
            await peer.gone(5)
            peer.abort()
    # Each holds up to four answered reads as text, and what waits to be sent.
    assert grown.bytes < STUCK * STUCK_MIB * MIB, f"{grown.bytes / MIB:.0f} MiB"


async def test_a_flood_of_a_thousand_messages_a_second_is_closed(server: WebServer) -> None:
    async with server.person() as person, somebody_else(server):
        for _ in range(3):
            codes = await asyncio.gather(*(flood(person) for _ in range(5)))
            assert codes == [1008] * 5
