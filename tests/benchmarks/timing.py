"""Clocks shared by the measurements."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

__all__ = ["best", "best_async", "resident_mb"]


def best(run: Callable[[], object], times: int = 5, repeat: int = 1) -> float:
    """Give the seconds of the quickest of several runs, each `repeat` calls long, per call."""
    found = float("inf")
    for _ in range(times):
        begun = time.perf_counter()
        for _ in range(repeat):
            run()
        found = min(found, (time.perf_counter() - begun) / repeat)
    return found


async def best_async(run: Callable[[], Awaitable[object]], times: int = 5) -> float:
    """Give the seconds of the quickest of several runs."""
    found = float("inf")
    for _ in range(times):
        begun = time.perf_counter()
        await run()
        found = min(found, time.perf_counter() - begun)
    return found


def resident_mb(pid: int) -> float:
    """Give the memory a process holds (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024
