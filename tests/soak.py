"""Keeps sockets open and busy for as long as asked, and prints how memory and open files change.

python -m tests.soak --minutes 60 --sockets 300
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from iris_quart.demo import DemoOptions, running_in_thread
from tests.live.servers import Person, Socket, WebServer

MIB = 1024 * 1024
PERSON: dict[str, Any] = {"namespace": "SAMPLES", "tableName": "Sample.Person"}
SOCKETS_PER_PERSON = 10
REPORTS = 60
WARM = 0.2
"""The first part of the run fills caches and pools, and is left out of the slope."""


class Soak:
    """One run: sockets that read, write and come back, and people who sign out and in again."""

    def __init__(self, server: WebServer, sockets: int, until: float) -> None:
        self.server = server
        self.sockets = sockets
        self.until = until
        self.commands = 0
        self.failures = 0

    async def run(self) -> None:
        """Work until the time is over."""
        people = -(-self.sockets // SOCKETS_PER_PERSON)
        await asyncio.gather(*(self._person(number) for number in range(people)))

    async def _person(self, number: int) -> None:
        chance = random.Random(number)
        await asyncio.sleep(chance.random() * 5)
        while time.monotonic() < self.until:
            try:
                async with self.server.person() as person:
                    # Some minutes at a time, so that sessions end all along.
                    leave = min(self.until, time.monotonic() + 60 + chance.random() * 240)
                    seeds = range(SOCKETS_PER_PERSON)
                    await asyncio.gather(*(self._socket(person, number, seed, leave) for seed in seeds))
                    await person.sign_out()
            except (AssertionError, OSError) as error:
                self._failed(error)

    async def _socket(self, person: Person, number: int, seed: int, leave: float) -> None:
        chance = random.Random(f"{number} {seed}")
        while time.monotonic() < leave:
            try:
                async with person.socket() as socket:
                    for _ in range(chance.randrange(5, 50)):
                        if time.monotonic() >= leave:
                            return
                        await self._command(socket, chance)
                        await asyncio.sleep(chance.random() * 4)
            except (AssertionError, OSError) as error:
                self._failed(error)
                await asyncio.sleep(1)

    async def _command(self, socket: Socket, chance: random.Random) -> None:
        row = str(1 + chance.randrange(150))
        kind = chance.randrange(10)
        if kind < 6:
            page = {**PERSON, "pageSize": 50, "offset": chance.randrange(150), "count": "skip"}
            await socket.ask("requestData", page)
        elif kind < 8:
            await socket.ask("getRow", {**PERSON, "rowId": row})
        else:
            values = {"Home_Street": f"Soak {chance.randrange(10**6)}"}
            change = {"kind": "update", "rowId": row, "values": values, "changeId": os.urandom(8).hex()}
            await socket.ask("saveChanges", {**PERSON, "changes": [change]})
        self.commands += 1

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        print(f"  failed: {error!r}"[:200], file=sys.stderr)


def slope(points: list[tuple[float, float]]) -> float:
    """Fit a line by least squares; gives its rise for each second."""
    count = len(points)
    if count < 2:
        return 0.0
    middle = sum(x for x, _ in points) / count
    level = sum(y for _, y in points) / count
    spread = sum((x - middle) ** 2 for x, _ in points)
    return sum((x - middle) * (y - level) for x, y in points) / spread if spread else 0.0


def resident(process: int) -> int:
    """Give the bytes that a process holds in memory."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) * 1024


async def watch(soak: Soak, seconds: float) -> None:
    """Note memory, files and commands while all sockets work, then print the slopes."""
    assert soak.server.process is not None
    process = soak.server.process.pid
    memory: list[tuple[float, float]] = []
    files: list[tuple[float, float]] = []
    begun = time.monotonic()
    working = asyncio.create_task(soak.run())
    print("  minute  MiB     files  commands  failed")
    while not working.done() and time.monotonic() < soak.until:
        await asyncio.wait({working}, timeout=max(1.0, seconds / REPORTS))
        if working.done() or time.monotonic() >= soak.until:
            break
        at = time.monotonic() - begun
        memory.append((at, float(resident(process))))
        files.append((at, float(len(os.listdir(f"/proc/{process}/fd")))))  # noqa: PTH208 - a count, not paths
        print(
            f"  {at / 60:6.1f}  {memory[-1][1] / MIB:6.1f}  {files[-1][1]:5.0f}  {soak.commands:8}"
            f"  {soak.failures:6}",
            flush=True,
        )
    await working
    warm = seconds * WARM
    rise = slope([point for point in memory if point[0] >= warm]) * 3600 / MIB
    more = slope([point for point in files if point[0] >= warm]) * 3600
    print(
        f"memory {rise:+.2f} MiB an hour, files {more:+.1f} an hour, after the first {warm / 60:.1f} minutes"
    )
    print(f"{soak.commands} commands, {soak.failures} failed")


async def main() -> int:
    """Run it; 1 when the server logged a trace or a command failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--sockets", type=int, default=300)
    options = parser.parse_args()
    seconds = options.minutes * 60
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        iris = stack.enter_context(running_in_thread(DemoOptions(directory=folder / "iris", licences=None)))
        server = stack.enter_context(
            WebServer(
                folder / "instance",
                iris.url,
                own=True,
                sockets_per_address=100_000,
                login_attempts_overall=100_000,
                login_attempts_per_minute=100_000,
                login_attempts_per_address=100_000,
            )
        )
        soak = Soak(server, options.sockets, time.monotonic() + seconds)
        await watch(soak, seconds)
        broken = "Traceback" in server.log or '"level": "error"' in server.log
        if broken:
            print(server.log[-4000:], file=sys.stderr)
    return int(broken or soak.failures > 0)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(asyncio.run(main()))
