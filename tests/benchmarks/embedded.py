"""The embedded IRIS: planning, pages of the large table, many requests at once, memory."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from iris_quart.demo import DemoOptions, running_in_thread
from iris_quart.demo.engine.namespace import Namespace
from tests.live.servers import ROOT, free_port

from .report import Figure, at_most
from .timing import best, resident_mb

__all__ = ["measure"]

ROWS = 1_000_000
COLUMNS = '%ID AS "row_id", "Station", "MeasuredAt", "Temperature", "Humidity", "Wind", "Quality", "Remark"'
FIRST = f'SELECT TOP 101 {COLUMNS} FROM "Big"."Measurement" ORDER BY %ID'
NEXT = f'SELECT TOP 101 {COLUMNS} FROM "Big"."Measurement" WHERE %ID > ? ORDER BY %ID'
REQUESTS, IN_FLIGHT = 1000, 100


def measure(_seconds: float) -> Iterator[tuple[str, list[Figure]]]:
    """Measure the embedded IRIS alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "demo"
        begun = time.perf_counter()
        with running_in_thread(DemoOptions(directory=folder, rows=ROWS)) as iris:
            made = time.perf_counter() - begun
            yield "Embedded IRIS: the engine", list(_engine(iris.namespace("SAMPLES"), made))
        yield "Embedded IRIS: over HTTP", list(_over_http(folder))


def _engine(samples: Namespace, made: float) -> Iterator[Figure]:
    yield at_most("make 1,000,000 rows", made, "s", 30)
    texts = (f"{FIRST} -- {number}" for number in itertools.count())
    yield at_most("plan, not cached", best(lambda: samples._plan(next(texts), False), 20) * 1e3, "ms", 3)
    samples._plan(FIRST, False)
    yield at_most("plan, cached", best(lambda: samples._plan(FIRST, False), 20, 1000) * 1e6, "us", 5)
    yield at_most("first page", best(lambda: samples.execute(FIRST), 20) * 1e3, "ms", 3)
    yield at_most(
        "page by key at row 900,000", best(lambda: samples.execute(NEXT, [900_000]), 20) * 1e3, "ms", 3
    )


def _over_http(folder: Path) -> Iterator[Figure]:
    port = free_port()
    arguments = ["--port", str(port), "--directory", str(folder), "--rows", str(ROWS), "--licences", "1000"]
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "iris_quart.demo", *arguments],
        cwd=ROOT,
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            transport = httpx.HTTPTransport(retries=40)
            with httpx.Client(transport=transport, auth=("_SYSTEM", "SYS"), timeout=20) as client:
                client.get(f"http://127.0.0.1:{port}/api/atelier/").raise_for_status()
            yield at_most("start with the data made", time.perf_counter() - begun, "s", 3)
            seconds, lost = asyncio.run(_mixed(port))
            yield Figure(f"{REQUESTS} mixed requests, {IN_FLIGHT} in flight", seconds, "s")
            yield at_most("errors and lost writes among them", lost, "", 0)
            yield at_most("memory with the large table", resident_mb(process.pid), "MB", 250)
        finally:
            process.terminate()


async def _mixed(port: int) -> tuple[float, int]:
    url = f"http://127.0.0.1:{port}/api/atelier/v1/SAMPLES/action/query"
    limits = httpx.Limits(max_connections=IN_FLIGHT)
    failed = 0
    async with httpx.AsyncClient(
        auth=("_SYSTEM", "SYS"), limits=limits, timeout=60, trust_env=False
    ) as client:

        async def one(number: int) -> None:
            nonlocal failed
            if number % 4 == 0:
                body = {
                    "query": "UPDATE Big.Measurement SET Remark = ? WHERE %ID = ?",
                    "parameters": [f"mixed {number}", number + 1],
                }
            else:
                body = {"query": NEXT, "parameters": [number * 900]}
            answer = await client.post(url, json=body, cookies={})
            failed += answer.status_code != 200 or bool(answer.json()["status"]["errors"])

        queue = iter(range(REQUESTS))

        async def worker() -> None:
            for number in queue:
                await one(number)

        begun = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
        seconds = time.perf_counter() - begun
        query = "SELECT COUNT(*) AS n FROM Big.Measurement WHERE Remark LIKE 'mixed %'"
        answer = await client.post(url, json={"query": query})
        written = answer.json()["result"]["content"][0]["n"]
    return seconds, failed + abs(REQUESTS // 4 - written)
