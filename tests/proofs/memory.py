"""How high the memory of a process rose, and not only how high it is now (Linux)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live.servers import WebServer

__all__ = ["MIB", "Growth", "growth"]

MIB = 1024 * 1024
RESET_PEAK = "5"
"""What proc(5) wants in clear_refs to start the peak anew."""


@dataclass
class Growth:
    """Bytes by which the peak of resident memory rose above what was resident at the start."""

    bytes: int = 0


@contextmanager
def growth(server: WebServer) -> Iterator[Growth]:
    """Measure a server of one process (`own=True`) while the block runs; the result is there behind it."""
    assert server.process is not None
    process = Path(f"/proc/{server.process.pid}")
    (process / "clear_refs").write_text(RESET_PEAK)
    before = _field(process, "VmRSS")
    grown = Growth()
    yield grown
    grown.bytes = _field(process, "VmHWM") - before


def _field(process: Path, name: str) -> int:
    lines = (process / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024
