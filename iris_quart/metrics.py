"""Prometheus metrics of all workers on one port of its own; no label holds a user, host or table."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .background import persistently
from .config import BadSettings, Settings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["Metrics", "MetricsPort", "split_bind"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
RETRY_SECONDS = 1.0
GAUGE_SECONDS = 1.0
REQUEST_SECONDS = 5.0
FILE_BYTES = 1 << 16

logger = logging.getLogger("iris_quart.metrics")


class Metrics:
    """Counters and gauges; almost free when `settings.metrics_bind` is empty.

    Values lie in files below `instance/metrics`, one set a worker, so that whichever worker holds the port
    can add them up (prometheus_client's multiprocess mode).
    """

    def __init__(self, settings: Settings) -> None:
        self.on = bool(settings.metrics_bind)
        if not self.on:
            return
        self._directory = settings.instance / "metrics"
        _prepare(self._directory)
        # prometheus_client decides where values live when it is imported.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(self._directory)
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        _allocate_pages()
        own = CollectorRegistry()
        self._commands = Counter(
            "iris_quart_commands", "Commands by name and outcome.", ["command", "outcome"], registry=own
        )
        self._seconds = Histogram(
            "iris_quart_command_seconds",
            "Time from the start of a command to its last event.",
            ["command"],
            buckets=SECONDS,
            registry=own,
        )
        self._closes = Counter(
            "iris_quart_socket_closes", "Closed sockets by code; 0: the peer left.", ["code"], registry=own
        )
        self._sockets = _live_gauge(Gauge, "iris_quart_sockets", "Open sockets.", own)
        self._clients = _live_gauge(
            Gauge, "iris_quart_worker_sessions", "Sessions with an IRIS client, counted by worker.", own
        )
        self._iris_sessions = _live_gauge(
            Gauge, "iris_quart_iris_sessions", "IRIS sessions held, each perhaps a licence.", own
        )
        self._sessions = Gauge(
            "iris_quart_sessions",
            "Signed-in sessions in the store.",
            multiprocess_mode="livemax",
            registry=own,
        )
        self._store_up = Gauge(
            "iris_quart_store_up",
            "1 while the session store answers.",
            multiprocess_mode="livemin",
            registry=own,
        )
        self._round_trips = Counter("iris_quart_iris_requests", "Requests sent to IRIS.", registry=own)
        self._known_round_trips = 0

    def command(self, command: str, outcome: str, seconds: float) -> None:
        """Count a command; `command` is a registered name, `outcome` "ok" or an error code."""
        if self.on:
            self._commands.labels(command, outcome).inc()
            self._seconds.labels(command).observe(seconds)

    @contextmanager
    def socket(self) -> Iterator[None]:
        """Count an open socket as long as the block lasts."""
        if not self.on:
            yield
            return
        self._sockets.inc()
        try:
            yield
        finally:
            self._sockets.dec()

    def socket_closed(self, code: int | None) -> None:
        """Count a close by its code."""
        if self.on:
            self._closes.labels(str(code or 0)).inc()

    def state(
        self, *, sessions: int | None, store_up: bool, clients: int, iris_sessions: int, round_trips: int
    ) -> None:
        """Set the gauges that are refreshed periodically."""
        if not self.on:
            return
        if sessions is not None:
            self._sessions.set(sessions)
        self._store_up.set(1 if store_up else 0)
        self._clients.set(clients)
        self._iris_sessions.set(iris_sessions)
        self._round_trips.inc(max(0, round_trips - self._known_round_trips))
        self._known_round_trips = round_trips

    def text(self) -> bytes:
        """Write the values of all workers in Prometheus's text format."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        _forget_dead(self._directory)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, str(self._directory))  # type: ignore[no-untyped-call]
        return generate_latest(registry)


class MetricsPort:
    """Serves the metrics; of several workers one holds the port, and another takes over when it ends."""

    def __init__(self, metrics: Metrics, bind: str, refresh: Callable[[], Any]) -> None:
        self._metrics = metrics
        self._host, self._port = split_bind(bind)
        self._refresh = refresh

    async def run(self) -> None:
        """Keep the values fresh and serve them, until cancelled."""
        refreshing = asyncio.create_task(persistently(self._keep_fresh))
        try:
            while True:
                try:
                    server = await asyncio.start_server(self._answer, self._host, self._port)
                except OSError:
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                async with server:
                    await server.serve_forever()
        finally:
            refreshing.cancel()

    async def _keep_fresh(self) -> None:
        while True:
            await self._refresh()
            await asyncio.sleep(GAUGE_SECONDS)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                ours = head.startswith((b"GET /metrics ", b"GET / "))
                body = await asyncio.to_thread(self._metrics.text) if ours else b"not here\n"
                status = "200 OK" if ours else "404 Not Found"
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()


def split_bind(bind: str) -> tuple[str, int]:
    """Parse `host:port`. Raises BadSettings."""
    host, _, port = bind.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise BadSettings(f"metrics_bind: write it as host:port, not {bind!r}")
    return host.strip("[]"), int(port)


def _live_gauge(kind: Any, name: str, text: str, registry: CollectorRegistry) -> Any:
    return kind(name, text, multiprocess_mode="livesum", registry=registry)


def _allocate_pages() -> None:
    """Make prometheus_client map only bytes that the disk holds; a hole is SIGBUS on a full disk."""
    from prometheus_client import values
    from prometheus_client.mmap_dict import MmapedDict

    class AllocatedDict(MmapedDict):
        """Values in a file with allocated pages, or in this worker's memory when the disk is full."""

        def __init__(self, filename: str, read_mode: bool = False) -> None:
            if read_mode or not _allocated(Path(filename)):
                # An unlinked file of this worker alone would need the disk, too; anonymous memory does not.
                self._f: Any = None
                self._capacity = FILE_BYTES
                self._m: Any = mmap.mmap(-1, FILE_BYTES)
                self._m[:4] = (8).to_bytes(4, "little")
                self._used = 8
                self._positions: dict[str, int] = {}
                return
            super().__init__(filename)  # type: ignore[no-untyped-call]

        def _init_value(self, key: str) -> None:
            needed = self._used + len(key.encode()) + 32
            if needed > self._capacity:
                self._grow(2 * max(needed, self._capacity))
            super()._init_value(key)  # type: ignore[no-untyped-call]

        def _grow(self, capacity: int) -> None:
            if self._f is not None:
                try:
                    self._f.write(bytes(capacity - self._capacity))
                    self._f.flush()
                    self._m = mmap.mmap(self._f.fileno(), capacity)
                except OSError:
                    _log_full()
                    self._f = None
            if self._f is None:
                memory = mmap.mmap(-1, capacity)
                memory[: self._used] = self._m[: self._used]
                self._m = memory
            self._capacity = capacity

    values.MmapedDict = AllocatedDict  # type: ignore[attr-defined]  # imported there, not declared


def _allocated(file: Path) -> bool:
    """Write every byte of a new or an existing file; return False and leave no new one if there is no room."""
    data = b""
    try:
        with contextlib.suppress(FileNotFoundError):
            data = file.read_bytes()
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            whole = data or bytes(FILE_BYTES)
            if os.pwrite(descriptor, whole, 0) == len(whole):
                return True
        finally:
            os.close(descriptor)
    except OSError:
        pass
    if not data:
        with contextlib.suppress(OSError):
            file.unlink()
    _log_full()
    return False


def _log_full() -> None:
    logger.error("metrics of this worker are incomplete: the disk is full; free space and restart it")


def _prepare(directory: Path) -> None:
    """Create the folder; what a former run left is cleared unless one of its workers still lives."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = list(directory.glob("*.db"))
    if not any(_alive(_process(file)) for file in files):
        for file in files:
            file.unlink(missing_ok=True)


def _forget_dead(directory: Path) -> None:
    """Drop the gauges of workers that have ended; their counters stay, so that no sum goes back."""
    for file in directory.glob("gauge_live*.db"):
        if not _alive(_process(file)):
            with contextlib.suppress(OSError):
                file.unlink()


def _process(file: Path) -> int:
    number = file.stem.rpartition("_")[2]
    return int(number) if number.isdigit() else 0


def _alive(process: int) -> bool:
    if process <= 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
