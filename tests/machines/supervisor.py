"""Plays systemd for the unit of deploy/systemd, by what the unit itself says."""

from __future__ import annotations

import asyncio
import configparser
import contextlib
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.live.servers import ROOT, WebServer

__all__ = ["Supervisor", "unit"]

UNIT = ROOT / "deploy" / "systemd" / "iris-quart@.service"
INSTALLED = "/opt/iris-quart/bin/iris-quart"


def unit() -> configparser.SectionProxy:
    """Read the service part of the unit."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    return parser["Service"]


class Supervisor:
    """Keeps one worker running: `Restart=always` after `RestartSec`, and never after `RestartPreventExitStatus`.

    server: where it is bound and how it is configured; started and stopped by the supervisor alone.
    """

    def __init__(self, server: WebServer) -> None:
        service = unit()
        assert service["Restart"] == "always"
        self.server = server
        self._pause = float(service["RestartSec"])
        self._stop_signal = signal.Signals[service["KillSignal"]]
        self._stop_seconds = float(service["TimeoutStopSec"])
        self._final = {int(status) for status in service["RestartPreventExitStatus"].split()}
        line = shlex.split(service["ExecStart"].replace("%i", str(server.port)))
        assert line[0] == INSTALLED
        self._command = [sys.executable, "-m", "iris_quart.cli", *line[1:]]
        self._keeping: asyncio.Task[None] | None = None
        self._stopping = False
        self.starts = 0
        self.exits: list[int] = []

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """Give the worker's process."""
        assert self.server.process is not None
        return self.server.process

    async def __aenter__(self) -> Self:
        self._start()
        self._keeping = asyncio.create_task(self._keep())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _start(self) -> None:
        self.server.instance.mkdir(parents=True, exist_ok=True)
        with (self.server.instance / "server.log").open("ab") as log:
            self.server.process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self.server.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.starts += 1

    async def _keep(self) -> None:
        while True:
            status = await asyncio.to_thread(self.process.wait)
            self.exits.append(status)
            if self._stopping or status in self._final:
                return
            await asyncio.sleep(self._pause)
            if self._stopping:
                return
            self._start()

    def kill(self) -> None:
        """End the worker with SIGKILL, as the kernel does when memory is short."""
        os.killpg(self.process.pid, signal.SIGKILL)

    def restart(self) -> None:
        """Do what `systemctl restart` does; the worker is started again when it has ended."""
        self.process.send_signal(self._stop_signal)

    async def stop(self) -> None:
        """Do what `systemctl stop` does."""
        self._stopping = True
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(self._stop_signal)
        assert self._keeping is not None
        try:
            async with asyncio.timeout(self._stop_seconds):
                await self._keeping
        except TimeoutError:
            self.kill()
            await asyncio.to_thread(self.process.wait)
        self.server.process = None

    async def ended(self, seconds: float = 30) -> int:
        """Wait until it is given up, and give the last exit status."""
        assert self._keeping is not None
        async with asyncio.timeout(seconds):
            await asyncio.shield(self._keeping)
        return self.exits[-1]

    def listening(self) -> bool:
        """Tell whether the worker that runs now has begun to listen."""
        path = Path("/proc/net/tcp")
        return any(
            line.split()[1].endswith(f":{self.server.port:04X}") and line.split()[3] == "0A"
            for line in path.read_text().splitlines()[1:]
        )

    async def until_started(self, starts: int, seconds: float = 60) -> None:
        """Wait until the worker was started so often and listens."""
        async with asyncio.timeout(seconds):
            while self.starts < starts or not self.listening():
                await asyncio.sleep(0.05)
