"""A large paste through real servers that drop, stop and die: no row twice, and no answer that is not so."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from iris_quart.demo import FaultRule, ThreadedDemoServer

from .conftest import Start
from .servers import Closed, Person, Refused, Socket

pytestmark = pytest.mark.live

ROWS = 130


@pytest.fixture(autouse=True)
def table(iris: ThreadedDemoServer) -> Iterator[None]:
    """A table of its own, where each new row takes a moment."""
    iris.namespace("USER").run_script("CREATE TABLE Runs.Row (Name VARCHAR(50))")
    iris.add_fault(FaultRule(kind="latency", sql="^INSERT", delay=0.01, times=None))
    yield
    iris.clear_faults()
    iris.namespace("USER").run_script("DROP TABLE Runs.Row")


def made(iris: ThreadedDemoServer) -> list[str]:
    return sorted(
        str(name) for (name,) in iris.namespace("USER").execute("SELECT Name FROM Runs.Row", ()).rows
    )


ALL = sorted(f"N{number}" for number in range(ROWS))


def paste(suffix: str = "") -> list[dict[str, Any]]:
    return [
        {
            "changeId": f"pasted-row-number-{number:04}{suffix}",
            "kind": "insert",
            "values": {"Name": f"N{number}"},
        }
        for number in range(ROWS)
    ]


def payload(changes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"namespace": "USER", "tableName": "Runs.Row", "changes": changes}


async def answers(socket: Socket, message_id: str) -> dict[str, str]:
    """Collect outcomes until the command ends, or its socket does."""
    told: dict[str, str] = {}
    with contextlib.suppress(Closed):
        while (event := await socket.answer(message_id, 30))["event"] == "changeResult":
            told[event["payload"]["changeId"]] = event["payload"]["outcome"]
    return told


async def until_rows(iris: ThreadedDemoServer, count: int) -> None:
    async with asyncio.timeout(30):
        while len(made(iris)) < count:
            await asyncio.sleep(0.01)


async def begin_and_drop(person: Person, iris: ThreadedDemoServer, message_id: str) -> None:
    """Send the paste and cut the line when some rows are there."""
    async with person.socket() as socket:
        await socket.send("saveChanges", payload(paste()), id=message_id)
        await until_rows(iris, 5)
        socket.connection.transport.abort()


@pytest.mark.parametrize("workers", [1, 2])
async def test_stop_after_a_drop_and_a_second_save_make_each_row_once(
    start: Start, iris: ThreadedDemoServer, workers: int
) -> None:
    server = start(workers=workers)
    async with server.person() as person:
        await begin_and_drop(person, iris, "the-command-that-is-sent-twice")
        async with person.socket() as socket:
            command = await socket.send("saveChanges", payload(paste()), id="the-command-that-is-sent-twice")
            await until_rows(iris, 15)
            await socket.send("cancel", {"id": command})
            told = await answers(socket, command)
            assert set(told.values()) == {"saved", "skipped"}
            kept = [f"N{int(name[-4:])}" for name, outcome in told.items() if outcome == "saved"]
            assert made(iris) == sorted(kept)
            left = [change for change in paste("-again") if told[change["changeId"][:-6]] == "skipped"]
            again = await answers(socket, await socket.send("saveChanges", payload(left)))
            assert set(again.values()) == {"saved"}
    assert made(iris) == ALL


async def test_cancel_of_a_second_run_that_waits_stops_the_first(
    start: Start, iris: ThreadedDemoServer
) -> None:
    server = start(workers=1)
    async with server.person() as person:
        await begin_and_drop(person, iris, "sent-and-lost")
        slow = iris.add_fault(FaultRule(kind="latency", sql="^UPDATE", times=1, delay=1.5))
        async with person.socket() as socket:
            change = {"changeId": "one-before-it-on-this-socket", "kind": "update", "rowId": "1"}
            ahead = await socket.send("saveChanges", payload([{**change, "values": {"Name": "N0"}}]))
            async with asyncio.timeout(5):
                while not slow.struck:
                    await asyncio.sleep(0.01)
            waiting = await socket.send("saveChanges", payload(paste()))
            assert (await socket.ask("cancel", {"id": waiting}))["cancelled"] is True
            with pytest.raises(Refused, match="CANCELLED"):
                await socket.answer(waiting)
            await answers(socket, ahead)
            told = await answers(socket, await socket.send("saveChanges", payload(paste())))
    assert set(told.values()) == {"saved", "skipped"}
    assert made(iris) == sorted(f"N{int(name[-4:])}" for name, outcome in told.items() if outcome == "saved")


async def test_sign_out_ends_a_run_whose_socket_is_gone(start: Start, iris: ThreadedDemoServer) -> None:
    server = start(workers=2)
    async with server.person() as person:
        await begin_and_drop(person, iris, "left-alone")
        await person.sign_out()
        await person.sign_in()
        async with person.socket() as socket:
            told = await answers(socket, await socket.send("saveChanges", payload(paste())))
            # The whole story is in the store: what the ended run sent, and what it did not send.
            assert set(told.values()) == {"saved", "skipped"}
            kept = [f"N{int(name[-4:])}" for name, outcome in told.items() if outcome == "saved"]
            assert made(iris) == sorted(kept)


@pytest.mark.parametrize("workers", [1, 2])
async def test_restart_skips_what_was_not_sent_and_the_same_ids_run_afterwards(
    start: Start, iris: ThreadedDemoServer, workers: int
) -> None:
    iris.add_fault(FaultRule(kind="latency", sql="^INSERT", delay=0.05, times=None))
    server = start(workers=workers, drain_seconds=1)
    async with server.person() as person:
        async with person.socket() as socket:
            command = await socket.send("saveChanges", payload(paste()))
            await until_rows(iris, 3)
            stopping = asyncio.create_task(server.stop_soon())
            told = await answers(socket, command)
            await socket.closed(1012)
            assert await stopping == 0
        assert len(told) == ROWS
        assert set(told.values()) == {"saved", "skipped"}
        kept = [f"N{int(name[-4:])}" for name, outcome in told.items() if outcome == "saved"]
        assert made(iris) == sorted(kept)
        iris.clear_faults()
        server.start()
        async with person.socket() as socket:
            again = await answers(socket, await socket.send("saveChanges", payload(paste())))
        assert set(again.values()) == {"saved"}
    assert made(iris) == ALL


async def test_killed_worker_leaves_in_doubt_at_most_what_was_under_way(
    start: Start, iris: ThreadedDemoServer
) -> None:
    server = start(workers=1)
    async with server.person() as person:
        async with person.socket() as socket:
            await socket.send("saveChanges", payload(paste()))
            await until_rows(iris, 10)
            server.kill()
        iris.settled()
        server.start()
        async with person.socket() as socket:
            told = await answers(socket, await socket.send("saveChanges", payload(paste())))
    assert len(told) == ROWS
    doubtful = [f"N{int(name[-4:])}" for name, outcome in told.items() if outcome == "unknown"]
    assert len(doubtful) <= 1
    assert set(told.values()) <= {"saved", "unknown"}
    assert sorted({*made(iris), *doubtful}) == ALL
    assert len(made(iris)) == len(set(made(iris)))


async def test_live_run_is_taken_over_when_its_worker_is_killed(
    start: Start, iris: ThreadedDemoServer
) -> None:
    server = start(workers=2, own=True)
    async with server.person() as person, contextlib.AsyncExitStack() as opened:
        sockets = [await opened.enter_async_context(person.socket()) for _ in range(6)]
        told: dict[str, str] = {}
        commands = [
            await socket.send("saveChanges", payload(paste()), id="of-both-workers") for socket in sockets
        ]
        collecting = [asyncio.create_task(answers(*pair)) for pair in zip(sockets, commands, strict=True)]
        await until_rows(iris, 10)
        os.kill(server.workers()[0], signal.SIGKILL)
        results = await asyncio.gather(*collecting)
        # All six may have been of the killed worker: whoever comes back is told the whole story.
        async with person.socket() as socket:
            results.append(await answers(socket, await socket.send("saveChanges", payload(paste()))))
    for told in results:
        for name, outcome in told.items():
            assert outcome in {"saved", "unknown"}
            assert outcome == "unknown" or made(iris).count(f"N{int(name[-4:])}") == 1
    assert len(results[-1]) == ROWS
    assert len(made(iris)) == len(set(made(iris))) >= ROWS - 1
