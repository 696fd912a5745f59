"""The floor: a bare aiohttp client that sends one recorded request over and over.

Run in a process of its own: `python -m tests.benchmarks.bare URL REQUEST_FILE CONCURRENCY SECONDS`.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp

__all__ = ["Floor", "floor"]

ROOT = Path(__file__).resolve().parents[2]
HEADERS = {"Content-Type": "application/json", "Cookie": "CSPSESSIONID=bench", "Accept-Encoding": "identity"}


@dataclass(frozen=True)
class Floor:
    """What the bare client reached."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_per_1000: float


def floor(url: str, request: Path, concurrency: int, seconds: float) -> Floor:
    """Measure the floor in a process of its own."""
    arguments = [
        sys.executable,
        "-m",
        "tests.benchmarks.bare",
        url,
        str(request),
        str(concurrency),
        str(seconds),
    ]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True)
    return Floor(**json.loads(done.stdout))


async def _measure(url: str, body: bytes, concurrency: int, seconds: float) -> Floor:
    times: list[float] = []
    cookies = aiohttp.DummyCookieJar()
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=cookies, headers=HEADERS) as session:
        warm = time.perf_counter() + 0.3
        until = warm + seconds

        async def one() -> None:
            while (begun := time.perf_counter()) < until:
                async with session.post(url, data=body) as response:
                    await response.read()
                if begun > warm:
                    times.append(time.perf_counter() - begun)

        cpu = time.process_time()
        await asyncio.gather(*(one() for _ in range(concurrency)))
        cpu = time.process_time() - cpu
    times.sort()
    return Floor(
        rate=len(times) / seconds,
        p50_ms=times[len(times) // 2] * 1e3,
        p99_ms=times[int(len(times) * 0.99)] * 1e3,
        cpu_per_1000=cpu / len(times) * 1000,
    )


def main() -> None:
    """Measure and print one JSON object."""
    import uvloop

    url, request, concurrency, seconds = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(_measure(url, Path(request).read_bytes(), int(concurrency), float(seconds)))
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
