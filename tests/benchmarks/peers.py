"""What bad peers cost the others, how soon an end reaches a socket, and how often the store is written."""

from __future__ import annotations

import asyncio
import json
import math
import statistics
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

from iris_quart.demo import DemoOptions, running_in_thread
from iris_quart.sessions.sqlite import FILE_NAME
from tests.live.crowds import flood, stuck_peer
from tests.live.servers import WebServer, free_port
from tests.sessions.conftest import RedisServer

from .report import Figure, at_most
from .timing import resident_mb
from .wire import Bench, Served, benched

__all__ = ["measure"]

STUCK = 100
STUCK_PEOPLE = 5
SLOW_PAGES = 300
ENDS = 20
SAVES = 100
LIMITS = {"messages_per_second": 400, "messages_burst": 200, "sockets_per_session": 100}
"""Somebody who pages without a pause keeps below this rate; a flood of 1,000 a second does not."""
CUT_OFF = 'iris_quart_socket_closes_total{code="1008"}'
IDLE_SECONDS = 10.0
LAG_SECONDS = IDLE_SECONDS / 10
"""How far the stored deadline may lag before a command writes it: min(30 s, idle/10)."""


def measure(seconds: float) -> Iterator[tuple[str, list[Figure]]]:
    """Measure all of it, `seconds` for each load."""
    with benched(seconds) as bench:
        yield "Another person's pages, 5 ms to IRIS", list(_others(bench))
        yield "A reader that asks for 300 pages of 580 KB and does not read, 5 ms to IRIS", list(_slow(bench))
        yield "Writes of the session store, SQLite", list(_writes(bench))
    with tempfile.TemporaryDirectory() as name, _demo(Path(name) / "demo") as iris_url:
        yield "A sign-out reaches a socket in another process", list(_ends(Path(name), iris_url))
        yield "Saves with an id", [asyncio.run(_saves(Path(name) / "saves", iris_url))]


def _others(bench: Bench) -> Iterator[Figure]:
    metrics = f"127.0.0.1:{free_port()}"
    with bench.server(5, metrics_bind=metrics, **LIMITS) as served:
        alone = _p95(served)
        stuck, cut_off = asyncio.run(_beside_stuck(served))
        yield at_most(f"p95 beside {STUCK} stuck readers", stuck / alone, "x alone", 1.5)
        yield Figure("cut off of them", cut_off, "sockets")
        alone = min(alone, _p95(served))
        flooded, closes = asyncio.run(_beside_a_flood(served))
        yield at_most("p95 beside a flood, 1,000 messages a second", flooded / alone, "x alone", 1.2)
        yield Figure("times it was closed, and came again", closes, "")


def _slow(bench: Bench) -> Iterator[Figure]:
    with bench.server(5) as served:
        alone = served.load("page", 1)["p99_ms"]
        beside, grown = asyncio.run(_beside_a_slow_reader(served))
        alone = (alone + served.load("page", 1)["p99_ms"]) / 2
        yield at_most("memory", grown, "MB more", 20)
        yield at_most("another person's p99", beside / alone, "x alone", 2)


async def _beside_a_slow_reader(served: Served) -> tuple[float, float]:
    """Give another person's p99, and how much more memory the server had at most."""
    messages = served.bench.recording.messages["long pages"]
    pid = served.pids[0]
    async with served.web.person() as person:
        peer = await stuck_peer(person)
        before = most = resident_mb(pid)
        working = asyncio.create_task(asyncio.to_thread(served.load, "page", 1))
        for number in range(SLOW_PAGES):
            await peer.frame(messages[number % len(messages)].encode())
        while not working.done():
            most = max(most, resident_mb(pid))
            await asyncio.wait({working}, timeout=0.02)
        peer.abort()
    return float(working.result()["p99_ms"]), most - before


def _p95(served: Served) -> float:
    """Measure one person who pages, no faster than a socket may ask."""
    return float(served.load("page", 1)["p95_ms"])


async def _beside_stuck(served: Served) -> tuple[float, float]:
    """Let a hundred sockets ask and not read while somebody else works; gives p95 and how many were cut off."""
    messages = _large(served)
    async with AsyncExitStack() as people:
        persons = [await people.enter_async_context(served.web.person()) for _ in range(STUCK_PEOPLE)]
        peers = [await stuck_peer(persons[number % STUCK_PEOPLE]) for number in range(STUCK)]
        working = asyncio.create_task(asyncio.to_thread(_p95, served))
        for peer in peers:
            for text in messages:
                await peer.frame(text.encode())
        p95 = await working
        async with asyncio.timeout(30):
            while (cut_off := (await served.web.metrics()).get(CUT_OFF, 0)) < STUCK:
                await asyncio.sleep(0.2)
        for peer in peers:
            peer.abort()
    return p95, cut_off


def _large(served: Served) -> list[str]:
    """Ask for more than the network holds: 1,000 rows in two ways, of which none makes the other stale, and pages."""
    page = json.loads(served.bench.recording.messages["big page"][0])
    again = json.dumps({"command": "refreshData", "payload": page["payload"]})
    return [json.dumps(page), again, *served.pages[:10]]


async def _beside_a_flood(served: Served) -> tuple[float, int]:
    """Flood, and come again when closed, while somebody else works; gives p95 and the closes."""
    closes: list[int] = []

    async def on_and_on() -> None:
        async with served.web.person() as person:
            while True:
                closes.append(await flood(person, 1000))

    flooding = asyncio.create_task(on_and_on())
    p95 = await asyncio.to_thread(_p95, served)
    assert not flooding.done(), flooding
    flooding.cancel()
    await asyncio.gather(flooding, return_exceptions=True)
    assert set(closes) == {1008}, closes
    return p95, len(closes)


def _writes(bench: Bench) -> Iterator[Figure]:
    """Commits while one person works without a pause, and for each save."""
    with bench.server(0, session_idle_seconds=IDLE_SECONDS) as served:
        file = served.web.instance / FILE_NAME
        before, begun = _commits(file), time.perf_counter()
        done = served.load("cheap", 1)["rate"] * bench.seconds
        allowed = math.ceil((time.perf_counter() - begun) / LAG_SECONDS) + 1
        slides = _commits(file) - before
        yield Figure("commands of one session", done, "")
        yield at_most("commits for them, deadline lagging 1 s", slides, "", allowed)


def _commits(database: Path) -> int:
    """Count the transactions in SQLite's log since it was begun anew (sqlite.org/fileformat2.html, section 4)."""
    log = database.with_name(f"{database.name}-wal").read_bytes()
    page = struct.unpack(">I", log[8:12])[0]
    salts, commits = log[16:24], 0
    for start in range(32, len(log) - 24, 24 + page):
        size_after = struct.unpack(">I", log[start + 4 : start + 8])[0]
        if log[start + 8 : start + 16] != salts:
            break
        commits += size_after > 0
    return commits


@contextmanager
def _demo(folder: Path) -> Iterator[str]:
    with running_in_thread(DemoOptions(directory=folder)) as iris:
        yield iris.url


def _ends(folder: Path, iris_url: str) -> Iterator[Figure]:
    yield from _end_figures("SQLite", _pair(folder / "sqlite", iris_url), 500)
    redis = RedisServer(folder)
    redis.start()
    try:
        yield from _end_figures("Redis", _pair(folder / "redis", iris_url, store=redis.url), 50)
    finally:
        redis.kill()


def _pair(instance: Path, iris_url: str, **settings: Any) -> list[float]:
    """Run two servers of one instance, as two workers, and give the delays from one to the other."""
    with (
        WebServer(instance, iris_url, own=True, **settings) as here,
        WebServer(instance, iris_url, own=True, **settings) as there,
    ):
        return asyncio.run(_delays(here, there))


async def _delays(here: WebServer, there: WebServer) -> list[float]:
    """Sign out here, again and again, and give the seconds until a socket there has heard of it."""
    delays = []
    for _ in range(ENDS):
        async with here.person() as person, person.socket(base=there.url) as socket:
            await socket.ask("getSession")
            begun = time.perf_counter()
            await person.sign_out()
            await socket.heard("sessionExpired")
            delays.append(time.perf_counter() - begun)
    return delays


def _end_figures(store: str, delays: list[float], limit: float) -> Iterator[Figure]:
    yield at_most(f"{store}, median", statistics.median(delays) * 1e3, "ms", limit)
    yield at_most(f"{store}, slowest of {ENDS}", max(delays) * 1e3, "ms", limit)


async def _saves(instance: Path, iris_url: str) -> Figure:
    """Count what a save writes: the claim of its id, its result, and the news for other workers."""
    table: dict[str, Any] = {"namespace": "SAMPLES", "tableName": "Sample.Person"}
    with WebServer(instance, iris_url, own=True) as server:
        async with server.person() as person, person.socket() as socket:
            before = _commits(instance / FILE_NAME)
            for number in range(SAVES):
                change: dict[str, Any] = {
                    "changeId": f"c{number}",
                    "kind": "update",
                    "rowId": str(1 + number % 50),
                }
                change |= {"values": {"Home_City": f"City {number}"}}
                saved = await socket.ask("saveChanges", {**table, "changes": [change]})
                assert saved["outcome"] == "saved", saved
            commits = _commits(instance / FILE_NAME) - before
    return Figure("commits of the store per save", commits / SAVES, "")
