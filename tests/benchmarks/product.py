"""What people feel: sockets, tables and saves on the demo, and the page in Chromium."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from iris_quart.demo import DemoOptions, FaultRule, ThreadedDemoServer, running_in_thread
from tests.live.servers import Socket, WebServer

from .report import Figure, at_most
from .timing import best_async, resident_mb

__all__ = ["measure"]

ROWS = 1_000_000
PERSON = {"namespace": "SAMPLES", "tableName": "Sample.Person"}
BIG = {"namespace": "SAMPLES", "tableName": "Big.Measurement"}
DEEP = 20_000 * 50
LIMITS: dict[str, Any] = {
    "messages_per_second": 100_000,
    "messages_burst": 100_000,
    "sockets_per_session": 1000,
}


def measure(_seconds: float) -> Iterator[tuple[str, list[Figure]]]:
    """Measure the product over the embedded IRIS with its large table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            running_in_thread(DemoOptions(directory=folder / "demo", rows=ROWS, licences=None)) as iris,
            WebServer(folder / "instance", iris.url, own=True, **LIMITS) as server,
        ):
            yield "The socket, on the demo", asyncio.run(_sockets(server))
            yield "Rows, on 1,000,000 of them", asyncio.run(_rows(server))
            yield "Writing, on the demo", asyncio.run(_writing(server, iris))


async def _sockets(server: WebServer) -> list[Figure]:
    async with server.person() as person, AsyncExitStack() as stack:

        async def first_reply() -> None:
            async with person.socket() as socket:
                await socket.ask("getSession")

        opened = await best_async(first_reply)
        socket = await stack.enter_async_context(person.socket())
        selecting = await best_async(lambda: _last(socket, "selectTable", PERSON, "tableData"))
        for _ in range(199):
            await stack.enter_async_context(person.socket())
        busy = await best_async(first_reply)
        assert server.process is not None
        memory = resident_mb(server.process.pid)
    return [
        at_most("socket open to first reply", opened * 1e3, "ms", 100),
        at_most("the same with 200 others open", busy * 1e3, "ms", 1000),
        at_most("selectTable", selecting * 1e3, "ms", 150),
        at_most("a worker's memory with 200 sockets", memory, "MB", 120),
    ]


async def _last(socket: Socket, command: str, payload: dict[str, Any], event: str) -> dict[str, Any]:
    """Send a command and give the payload of the event that ends its answer."""
    message_id = await socket.send(command, payload)
    while True:
        answer = await socket.answer(message_id, 60)
        if answer["event"] == event:
            found: dict[str, Any] = answer["payload"]
            return found


async def _rows(server: WebServer) -> list[Figure]:
    page = {**BIG, "pageSize": 50, "count": "skip"}
    async with server.person() as person, person.socket() as socket:
        await _last(socket, "selectTable", {**BIG, "pageSize": 50}, "tableData")
        near = await socket.ask("requestData", {**page, "offset": 0})
        far = await socket.ask("requestData", {**page, "offset": DEEP - 100})
        first = await best_async(
            lambda: socket.ask("requestData", {**page, "after": near["cursors"]["next"]}), 20
        )
        deep = await best_async(
            lambda: socket.ask("requestData", {**page, "after": far["cursors"]["next"]}), 20
        )
        begun = time.perf_counter()
        await socket.ask("requestData", {**page, "offset": 900_000, "sort": [{"column": "Station"}]})
        jump_sorted = time.perf_counter() - begun
        begun = time.perf_counter()
        await socket.ask("requestData", {**page, "offset": 900_001})
        jump = time.perf_counter() - begun
    return [
        at_most("page 20,000 by key", deep / first, "x page 0", 1.5),
        at_most("jump to row 900,000", jump, "s", 2),
        Figure("the same, sorted by a column", jump_sorted, "s"),
    ]


async def _writing(server: WebServer, iris: ThreadedDemoServer) -> list[Figure]:
    engine = iris.namespace("SAMPLES")
    engine.run_script(
        "CREATE TABLE App.Bench (Name VARCHAR(80), Amount INTEGER) WITH %CLASS;"
        "CREATE TABLE App.Texts (Name VARCHAR(80), Story LONGVARCHAR) WITH %CLASS;"
    )
    engine.bulk_load("App.Bench", ("Name", "Amount"), [(f"row {i}", i) for i in range(1000)])
    engine.bulk_load("App.Texts", ("Name", "Story"), [(f"row {i}", "long " * 600_000) for i in range(3)])
    bench = {"namespace": "SAMPLES", "tableName": "App.Bench"}
    figures = []
    async with server.person() as person, person.socket() as writer, person.socket() as reader:
        await _last(reader, "selectTable", bench, "tableData")
        delays = []
        for number in range(1, 21):
            begun = time.perf_counter()
            change = {"changeId": f"c{number}", "kind": "update", "rowId": str(number)}
            await _last(
                writer,
                "saveChanges",
                {
                    **bench,
                    "changes": [{**change, "base": {"Amount": number - 1}, "values": {"Amount": -number}}],
                },
                "changesSaved",
            )
            await reader.heard("rowsChanged")
            delays.append(time.perf_counter() - begun)
        figures.append(at_most("a saved cell at another socket", statistics.median(delays), "s", 0.5))

        iris.add_fault(FaultRule(kind="latency", delay=0.002))
        changes = [
            {
                "changeId": f"m{number}",
                "kind": "update",
                "rowId": str(number),
                "base": {"Name": f"row {number - 1}"},
                "values": {"Name": f"new {number}"},
            }
            for number in range(1, 1001)
        ]
        begun = time.perf_counter()
        done = await _last(writer, "saveChanges", {**bench, "changes": changes}, "changesSaved")
        figures.append(at_most("1,000 staged edits at 2 ms", time.perf_counter() - begun, "s", 10))
        figures.append(at_most("not saved of them", 1000 - done["saved"], "", 0))
        iris.clear_faults()

        texts = {"namespace": "SAMPLES", "tableName": "App.Texts"}
        message = await writer.send("selectTable", texts)
        size = 0
        while True:
            answer = await writer.answer(message, 60)
            size += len(str(answer))
            if answer["event"] == "tableData":
                break
        figures.append(at_most("a page of a table with 3 MB texts", size / 1e6, "MB", 1))
    return figures
