"""The two programs in C: the stub of IRIS and the load client, compiled where they run."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.live.servers import free_port

__all__ = ["Stub", "compiled", "hold", "load", "running_stub"]

SOURCES = Path(__file__).parent / "native"


def compiled(name: str) -> Path:
    """Compile a program once for its text; raise RuntimeError with the compiler's words."""
    source = SOURCES / f"{name}.c"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / "iris-quart-benchmarks"
    folder.mkdir(mode=0o700, exist_ok=True)
    program = folder / f"{name}-{digest}"
    if not program.exists():
        done = subprocess.run(
            ["cc", "-O2", "-o", str(program), str(source)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"cc is needed for the measurements: {done.stderr}")
    return program


class Stub:
    """A running stub; `ports` maps a latency in milliseconds to its port."""

    def __init__(self, ports: Mapping[int, int]) -> None:
        self.ports = ports

    def url(self, latency: int) -> str:
        """Give the address that answers after so many milliseconds."""
        return f"http://127.0.0.1:{self.ports[latency]}"


@contextmanager
def running_stub(replies: Path, latencies: Sequence[int] = (0, 5, 30)) -> Iterator[Stub]:
    """Run the stub on the answers that were recorded into `replies`."""
    ports = {latency: free_port() for latency in latencies}
    places = [str(part) for latency, port in ports.items() for part in (port, latency)]
    with subprocess.Popen([compiled("stub"), str(replies), *places], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline() != b"ready\n":
                raise RuntimeError("the stub did not start")
            yield Stub(ports)
        finally:
            process.kill()


def load(
    port: int,
    cookies: Path,
    sockets: int,
    seconds: float,
    done: str,
    messages: Path,
    pids: Sequence[int],
    *,
    warm: float = 0.5,
) -> dict[str, Any]:
    """Load the server and give what the load client measured."""
    arguments = _arguments(port, cookies, sockets, seconds, warm, done, messages, pids)
    finished = subprocess.run(arguments, capture_output=True, text=True, timeout=seconds + 180, check=False)
    if finished.returncode:
        raise RuntimeError(finished.stderr)
    result: dict[str, Any] = json.loads(finished.stdout)
    if result["errors"]:
        raise RuntimeError(f"{result['errors']} errors under load: {finished.stderr}")
    return result


@contextmanager
def hold(
    port: int, cookies: Path, sockets: int, messages: Path, pids: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Keep sockets open until the block ends; gives connect time and memory."""
    arguments = _arguments(port, cookies, sockets, 0, 0, "none", messages, pids)
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(20)


def _arguments(
    port: int,
    cookies: Path,
    sockets: int,
    seconds: float,
    warm: float,
    done: str,
    messages: Path,
    pids: Sequence[int],
) -> list[str]:
    numbers = ",".join(map(str, pids))
    values = (port, "/ws", cookies, sockets, seconds, warm, done, messages, numbers)
    return [str(compiled("load")), *map(str, values)]
