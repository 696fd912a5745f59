"""Twenty stops under load: every socket is told to come back, and every command that was taken is answered."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest

from iris_quart.demo import FaultRule, ThreadedDemoServer
from tests.live.conftest import Start
from tests.live.servers import Socket

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(400)]

STOPS = 20
SOCKETS = 10
PERSON: dict[str, Any] = {"namespace": "SAMPLES", "tableName": "Sample.Person"}


async def load(socket: Socket, stop: int, number: int) -> list[str]:
    """Send three reads and a write, and make sure that they were taken; gives their ids."""
    reads = [
        await socket.send("requestData", {**PERSON, "pageSize": 20, "offset": offset, "count": "skip"})
        for offset in (0, 20, 40)
    ]
    row = str(1 + number)
    change = {"changeId": f"stop-{stop}-{number}", "kind": "update", "rowId": row}
    values = {"Home_Street": f"Stop {stop}"}
    write = await socket.send("saveChanges", {**PERSON, "changes": [{**change, "values": values}]})
    # Messages of a socket are taken in order, and this one is answered at once.
    await socket.ask("getSession")
    return [*reads, write]


async def answered(socket: Socket, message_id: str) -> bool:
    """Tell whether the command's last event came: a refusal as stale counts, silence does not."""
    try:
        event = await socket.answer(message_id, 10)
    except AssertionError:
        return False
    except Exception as error:  # noqa: BLE001 - a read that a newer one made stale is answered, too
        return str(getattr(error, "code", "")) == "CANCELLED"
    if event["event"] == "changeResult":
        assert event["payload"]["outcome"] == "saved", event
        event = await socket.answer(message_id, 10)
        return bool(event["event"] == "changesSaved")
    return bool(event["event"] == "tableData")


async def test_twenty_stops_under_load(start: Start, iris: ThreadedDemoServer) -> None:
    server = await asyncio.to_thread(lambda: start(own=True))
    async with server.person() as person:
        for stop in range(STOPS):
            async with AsyncExitStack() as opened:
                sockets = [await opened.enter_async_context(person.socket()) for _ in range(SOCKETS)]
                for socket in sockets:
                    await socket.ask("requestData", {**PERSON, "pageSize": 1})
                # What follows is still under way when the server is told to stop.
                rule = iris.add_fault(FaultRule("latency", sql="Sample.{1,5}Person", delay=0.05))
                ids = await asyncio.gather(
                    *(load(socket, stop, number) for number, socket in enumerate(sockets))
                )
                async with asyncio.timeout(10):
                    while not rule.struck:
                        await asyncio.sleep(0.005)
                begun = time.monotonic()
                stopping = asyncio.create_task(server.stop_soon())
                for socket, mine in zip(sockets, ids, strict=True):
                    assert [await answered(socket, one) for one in mine] == [True] * len(mine), (stop, mine)
                    assert await socket.closed(1012) == "service restart"
                assert await stopping == 0
                # What is promised, whatever is under way: drain_seconds, and one for the rest.
                assert time.monotonic() - begun < 6
                iris.clear_faults()
            await asyncio.to_thread(server.start)
    assert "Traceback" not in server.log
    assert '"level": "error"' not in server.log
