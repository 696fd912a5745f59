"""The goals of the wire: what a command costs beside a bare request for the same bytes."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.live.servers import ROOT, WebServer, free_port

from .bare import Floor, floor
from .native import Stub, hold, load, running_stub
from .recording import Recording, record
from .report import Figure, at_least, at_most

__all__ = ["Bench", "Served", "benched", "measure"]

UNBOUNDED = {
    "messages_per_second": 1_000_000,
    "messages_burst": 1_000_000,
    "sockets_per_session": 5000,
    "sockets_per_address": 5000,
    "login_attempts_overall": 100_000,
    "login_attempts_per_address": 100_000,
    "login_attempts_per_minute": 100_000,
    "count_seconds": 3600,
    "catalogue_seconds": 3600,
    "audit": "false",
}
PEOPLE = 50
DONE = {
    "cheap": "serverList",
    "page": "tableData",
    "select": "tableData",
    "select cold": "tableData",
    "save": "saveCellResult",
    "big page": "tableData",
}


class Bench:
    """One recording, one stub, and the means to measure a server on it."""

    def __init__(self, folder: Path, recording: Recording, stub: Stub, seconds: float) -> None:
        self.folder = folder
        self.recording = recording
        self.stub = stub
        self.seconds = seconds
        self.request = folder / "page-request.json"
        self.request.write_bytes(recording.page_request)

    def floor(self, latency: int, concurrency: int) -> Floor:
        """Measure the bare client for one page."""
        url = f"{self.stub.url(latency)}/api/atelier/v1/SAMPLES/action/query"
        return floor(url, self.request, concurrency, self.seconds)

    @contextmanager
    def server(self, latency: int, workers: int = 1, **changes: Any) -> Iterator[Served]:
        """Run the server on the stub with so many milliseconds, and sign people in."""
        with tempfile.TemporaryDirectory(dir=self.folder) as instance:
            settings: dict[str, Any] = UNBOUNDED | changes
            with WebServer(
                Path(instance), self.stub.url(latency), workers=workers, own=True, **settings
            ) as server:
                cookies = Path(instance) / "cookies"
                cookies.write_text("\n".join(asyncio.run(_sign_in(server, PEOPLE))) + "\n", "utf-8")
                pages = asyncio.run(_walk(server, self.recording))
                assert server.process is not None
                pids = [server.process.pid, *server.workers()]
                yield Served(self, server, cookies, pids, pages)


class Served:
    """A running server with people signed in."""

    def __init__(
        self, bench: Bench, web: WebServer, cookies: Path, pids: list[int], pages: list[str]
    ) -> None:
        self.bench = bench
        self.web = web
        self.pages = pages
        self.port = web.port
        self.cookies = cookies
        self.pids = pids

    def load(self, workload: str, sockets: int, seconds: float | None = None) -> dict[str, Any]:
        """Run a workload."""
        # Saves name their table; with it open at all sockets each save would be told to all the others.
        prepare = "" if workload in {"cheap", "save"} else self.bench.recording.prepare
        file = self.messages(workload, prepare)
        return load(
            self.port, self.cookies, sockets, seconds or self.bench.seconds, DONE[workload], file, self.pids
        )

    def messages(self, workload: str, prepare: str) -> Path:
        """Write the load client's file of messages."""
        file = self.cookies.with_name(f"{workload.replace(' ', '-')}.messages")
        messages = self.pages if workload == "page" else self.bench.recording.messages[workload]
        file.write_text("\n".join([prepare, *messages]) + "\n", "utf-8")
        return file


async def _sign_in(server: WebServer, people: int) -> list[str]:
    cookies = []
    for _ in range(people):
        async with server.person() as person:
            cookies.append("; ".join(f"{cookie.name}={cookie.value}" for cookie in person.http.cookies.jar))
            person.http.cookies.clear()
    return cookies


async def _walk(server: WebServer, recording: Recording) -> list[str]:
    """Follow the recorded pages; a cursor is valid for one server only, so each run has its own."""
    messages = []
    async with server.person() as person, person.socket() as socket:
        at: dict[str, Any] = {}
        for recorded in recording.messages["page"]:
            message = json.loads(recorded)
            message["payload"].update(at)
            messages.append(json.dumps(message))
            answer = await socket.ask("requestData", message["payload"])
            at = {"after": answer["cursors"]["next"]}
    return messages


@contextmanager
def benched(seconds: float) -> Iterator[Bench]:
    """Record the embedded IRIS and run the stub on it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recording = asyncio.run(record(folder))
        with running_stub(recording.replies) as stub:
            yield Bench(folder, recording, stub, seconds)


def measure(seconds: float) -> Iterator[tuple[str, list[Figure]]]:
    """Measure all goals of the wire, `seconds` for each load."""
    with benched(seconds) as bench:
        yield "Round trips to IRIS per command", _round_trips(bench.recording)
        yield "One person, 5 ms to IRIS, beside a bare request", list(_one_person(bench))
        yield "50 people, no latency, beside the bare client", list(_fifty(bench))
        yield "A command that asks IRIS nothing, beside a bare Quart socket", list(_cheap(bench))
        yield "An idle socket", list(_idle(bench))
        yield "Many sockets", list(_many(bench))
        yield "Fairness", list(_fairness(bench))
        unknown = httpx.get(f"{bench.stub.url(0)}/__stats", trust_env=False).text.split()[1]
        yield "The stub", [at_most("requests the stub did not know", float(unknown), "", 0)]
    yield "Start", list(_start())


def _round_trips(recording: Recording) -> list[Figure]:
    trips = recording.round_trips
    return [
        at_most("warm page", trips["page"], "requests", 1),
        at_most("warm open", trips["select"], "requests", 1),
        at_most("guarded and proved save", trips["save"], "requests", 2.1),
        Figure("first open of a session", trips["select cold"], "requests"),
    ]


def _one_person(bench: Bench) -> Iterator[Figure]:
    with bench.server(5) as server:
        # The machine changes its pace; each workload is judged beside bare requests right before and after it.
        before = bench.floor(5, 1)
        yield Figure("bare request p50", before.p50_ms, "ms")
        for workload, limit in (("page", 1.12), ("select", 1.15), ("select cold", 2.4), ("save", 1.2)):
            result = server.load(workload, 1)
            after = bench.floor(5, 1)
            bare = (before.p50_ms + after.p50_ms) / 2
            before = after
            yield at_most(f"{workload} p50", result["p50_ms"] / bare, "x bare", limit)
            yield Figure(f"{workload} p99", result["p99_ms"], "ms")
    bare = bench.floor(30, 1).p50_ms
    with bench.server(30) as server:
        yield Figure("page p50, 30 ms to IRIS", server.load("page", 1)["p50_ms"] / bare, "x bare")


def _fifty(bench: Bench) -> Iterator[Figure]:
    with bench.server(0) as server:
        before = bench.floor(0, 50)
        yield Figure("bare client", before.rate, "requests/s")
        yield Figure("bare client CPU", before.cpu_per_1000, "s per 1000")
        for workload, limit in (("page", 0.33), ("select", 0.30), ("save", 0.15)):
            result = server.load(workload, 50)
            after = bench.floor(0, 50)
            bare = (before.rate + after.rate) / 2
            before = after
            yield at_least(f"{workload} throughput", result["rate"] / bare, "x bare", limit)
            if workload == "page":
                yield at_most("page CPU", result["cpu_per_1000"], "s per 1000", 0.4)
                yield at_most("page p99", result["p99_ms"] / result["p50_ms"], "x p50", 2)
            else:
                yield Figure(f"{workload} CPU", result["cpu_per_1000"], "s per 1000")
                yield Figure(f"{workload} p99", result["p99_ms"] / result["p50_ms"], "x p50")
            yield Figure(f"resident after {workload}", result["resident_mb"], "MB")


def _cheap(bench: Bench) -> Iterator[Figure]:
    with bench.server(0) as server:
        ours = server.load("cheap", 50)
        file = server.messages("cheap", "")
        with _echo() as (port, pid):
            bare = load(port, server.cookies, 50, bench.seconds, DONE["cheap"], file, [pid])
    yield Figure("bare socket CPU", bare["cpu_per_1000"], "s per 1000")
    yield at_most("getServerList CPU", ours["cpu_per_1000"] / bare["cpu_per_1000"], "x bare socket", 1.3)


@contextmanager
def _echo() -> Iterator[tuple[int, int]]:
    port = free_port()
    program = (
        "import uvloop, asyncio\nfrom hypercorn.asyncio import serve\nfrom hypercorn.config import Config\n"
        f"from tests.benchmarks.echo import app\nc = Config()\nc.bind = ['127.0.0.1:{port}']\nc.backlog = 2048\n"
        "asyncio.Runner(loop_factory=uvloop.new_event_loop).run(serve(app, c))"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            transport = httpx.HTTPTransport(retries=40)
            with httpx.Client(transport=transport) as client:
                client.get(f"http://127.0.0.1:{port}/readyz").raise_for_status()
            yield port, process.pid
        finally:
            process.kill()


def _idle(bench: Bench) -> Iterator[Figure]:
    """Measure on a fresh server: after a load, sockets would use memory that the load has left to the process."""
    with bench.server(0) as server:
        file = server.messages("cheap", "")
        with hold(server.port, server.cookies, 1000, file, server.pids) as held:
            yield at_most("memory of an idle socket", held["kb_per_socket"], "KB", 40)


def _many(bench: Bench) -> Iterator[Figure]:
    with bench.server(0) as server:
        one = server.load("page", 500)
        file = server.messages("cheap", "")
        with hold(server.port, server.cookies, 1000, file, server.pids) as held:
            yield at_most("1,000 sockets connect", held["connect_s"], "s", 1.5)
            yield at_most("refused or lost of them", held["closed"] + held["errors"], "", 0)
    with bench.server(0, workers=2) as server:
        two = server.load("page", 500)
    yield Figure("500 sockets, one worker", one["rate"], "commands/s")
    yield at_least("500 sockets, two workers", two["rate"] / one["rate"], "x one", 1.4)


def _fairness(bench: Bench) -> Iterator[Figure]:
    """Another person's pages while one asks for much without a pause."""
    with bench.server(5) as server:
        greedy = server.cookies.with_name("greedy")
        greedy.write_text(server.cookies.read_text("utf-8").splitlines()[-1] + "\n", "utf-8")
        file = server.messages("big page", bench.recording.prepare)
        seconds = bench.seconds + 2

        def big_pages() -> None:
            load(server.port, greedy, 4, seconds, DONE["big page"], file, server.pids)

        def exports() -> None:
            until = time.monotonic() + seconds
            query = {"namespace": "SAMPLES", "tableName": "App.Wide"}
            headers = {"Cookie": greedy.read_text("utf-8").strip()}
            with httpx.Client(base_url=server.web.url, headers=headers, trust_env=False) as client:
                while time.monotonic() < until:
                    client.get("/api/export", params=query).raise_for_status()

        for name, noise in (("1,000-row pages", big_pages), ("exports", exports)):
            alone = server.load("page", 1)["p95_ms"]
            with ThreadPoolExecutor(1) as pool:
                making = pool.submit(noise)
                time.sleep(0.5)
                beside = server.load("page", 1)["p95_ms"]
                making.result()
            alone = (alone + server.load("page", 1)["p95_ms"]) / 2
            yield at_most(f"p95 beside {name}", beside / alone, "x alone", 1.5)


def _start() -> Iterator[Figure]:
    def seconds(code: str) -> float:
        best = 10.0
        for _ in range(3):
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, env=dict(os.environ))
            best = min(best, time.perf_counter() - begun)
        return best

    bare = seconds("pass")
    yield at_most("import iris_quart and its application", seconds("import iris_quart.app") - bare, "s", 0.6)
    best = 10.0
    for _ in range(3):
        with tempfile.TemporaryDirectory() as instance:
            begun = time.perf_counter()
            with WebServer(Path(instance), "http://127.0.0.1:9", own=True):
                best = min(best, time.perf_counter() - begun)
    yield at_most("ready to serve", best, "s", 1)
