"""Serve the application: one worker in this process, or several that are supervised."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, cast
from urllib.parse import urlsplit

import hypercorn.asyncio
from hypercorn.config import Config
from quart import Quart

from iris_quart.process import settle_process

from .config import BadSettings, Settings, is_loopback
from .live.worker import EXTENSION, LiveWorker

__all__ = ["judge_bind", "run_on_loop", "serve_app", "supervise"]

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 15
AFTER_DRAIN_SECONDS = 0.5
"""Time that requests still under way have once the sockets are closed."""
STABLE_SECONDS = 60.0
"""Lifetime of a worker from which its start did not fail."""
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 0.5, 10.0
POLL_SECONDS = 0.1
BAD_SETTINGS = 2
KILL_SECONDS = 3.0
"""Time beyond the drain after which a worker that does not end is killed."""


def judge_bind(settings: Settings, bind: Sequence[str]) -> None:
    """Refuse to serve plain http to other machines. Raises BadSettings."""
    if settings.insecure_http or (settings.public_origin or "").startswith("https://"):
        return
    for place in bind:
        if place.startswith(("unix:", "fd://")):
            continue
        host = urlsplit(f"//{place}").hostname or ""
        if not is_loopback(host):
            raise BadSettings(
                f"bind {place}: plain http beyond loopback; set public_origin to the https address of the "
                "proxy in front, or insecure_http"
            )


def run_on_loop(main: Callable[[], Awaitable[int]]) -> int:
    """Run on uvloop where it is installed, else on asyncio's own loop."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(_awaited(main))


async def _awaited(main: Callable[[], Awaitable[int]]) -> int:
    return await main()


async def serve_app(app: Quart, settings: Settings, bind: Sequence[str], *, supervised: bool = False) -> None:
    """Serve until SIGTERM or SIGINT, then drain: answers, 1012, IRIS sessions freed.

    supervised: stop as well when standard input ends, for then the supervisor has gone.
    Raises OSError when a place is taken.
    """
    config = Config()
    config.bind = list(bind)
    config.backlog = BACKLOG
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.websocket_max_message_size = settings.message_bytes_max
    config.include_server_header = False
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if supervised:
        loop.add_reader(sys.stdin.fileno(), stop.set)
    app.before_serving(settle_process)
    live = cast("LiveWorker", app.extensions[EXTENSION])

    async def stopped() -> None:
        await stop.wait()
        await live.drain.run()
        config.graceful_timeout = AFTER_DRAIN_SECONDS

    await hypercorn.asyncio.serve(cast("Any", app), config, shutdown_trigger=stopped, mode="asgi")


@dataclass
class _Slot:
    """The place of one worker among several."""

    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = PAUSE_SECONDS
    not_before: float = field(default=0.0)


def supervise(settings: Settings, bind: Sequence[str], workers: int, arguments: Sequence[str]) -> int:
    """Run several workers on the same sockets, replace those that die, and stop them all together.

    arguments: options of `iris-quart serve` that each worker gets beside its sockets.
    Gives the exit code. Raises OSError when a place is taken.
    """
    settle_process()
    config = Config()
    config.bind = list(bind)
    sockets = config.create_sockets().insecure_sockets
    for listener in sockets:
        listener.listen(BACKLOG)
    stopping: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopping.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    slots = [_Slot() for _ in range(workers)]
    code = 0
    while not stopping:
        now = time.monotonic()
        for slot in slots:
            if slot.process is None and now >= slot.not_before:
                slot.process, slot.started = _start(sockets, arguments), now
            elif slot.process is not None and (ended := slot.process.poll()) is not None:
                if ended == BAD_SETTINGS:
                    stopping.append(ended)
                    code = BAD_SETTINGS
                _rest(slot, now)
        time.sleep(POLL_SECONDS)
    _end(slots, settings.drain_seconds + KILL_SECONDS)
    for listener in sockets:
        listener.close()
    return code


def _start(sockets: Sequence[socket.socket], arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    numbers = [listener.fileno() for listener in sockets]
    bind = [part for number in numbers for part in ("--bind", f"fd://{number}")]
    command = [sys.executable, "-m", "iris_quart.cli", "serve", "--supervised", *bind, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=numbers)  # noqa: S603 - our own program


def _rest(slot: _Slot, now: float) -> None:
    if slot.process is not None and slot.process.stdin is not None:
        slot.process.stdin.close()
    stable = now - slot.started > STABLE_SECONDS
    slot.pause = PAUSE_SECONDS if stable else min(slot.pause * 2, PAUSE_SECONDS_MAX)
    slot.not_before = now if stable else now + slot.pause / 2
    slot.process = None


def _end(slots: Sequence[_Slot], seconds: float) -> None:
    processes = [slot.process for slot in slots if slot.process is not None]
    for process in processes:
        process.send_signal(signal.SIGTERM)
    until = time.monotonic() + seconds
    for process in processes:
        try:
            process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
