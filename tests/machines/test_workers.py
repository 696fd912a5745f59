"""One machine as docs/deploy.md recommends it: a process per worker, kept by systemd, behind nginx or HAProxy."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from iris_quart.demo import ThreadedDemoServer
from tests.live.servers import Socket

from .conftest import FRONTS, behind
from .proxies import Front, Visitor
from .supervisor import INSTALLED, UNIT, Supervisor

pytestmark = [pytest.mark.live, pytest.mark.slow]


@dataclass
class Machine:
    """A proxy and two supervised workers that share one instance folder, and so one SQLite file."""

    front: Front
    workers: list[Supervisor]


@pytest_asyncio.fixture(params=list(FRONTS))
async def machine(
    request: pytest.FixtureRequest, tmp_path: Path, iris: ThreadedDemoServer
) -> AsyncIterator[Machine]:
    """Run it."""
    async with AsyncExitStack() as running:
        front = running.enter_context(FRONTS[request.param](tmp_path / "front"))
        servers = [behind(front, tmp_path / "instance", iris) for _ in range(2)]
        supervisors = [Supervisor(server) for server in servers]
        workers = [await running.enter_async_context(supervisor) for supervisor in supervisors]
        for worker in workers:
            await worker.until_started(1)
        front.start([server.port for server in servers])
        async with front.client() as client, asyncio.timeout(30):
            while (await client.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.05)
        yield Machine(front, workers)


@dataclass
class Witness:
    """Somebody who works all the time: what was answered, and how often the socket had to be opened anew."""

    requests: int = 0
    commands: int = 0
    closes: list[int] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    async def ask(self, http: httpx.AsyncClient) -> None:
        """Ask for the session again and again."""
        while True:
            try:
                response = await http.get("/api/session")
                if response.status_code != 200 or response.json()["status"] != "connected":
                    self.failed.append(f"{response.status_code} {response.text[:100]}")
            except httpx.HTTPError as error:
                self.failed.append(repr(error))
            self.requests += 1
            await asyncio.sleep(0.02)

    async def talk(self, visitor: Visitor) -> None:
        """Keep a socket open and busy, coming back as the page does."""
        while True:
            try:
                async with visitor.socket() as socket:
                    await self._talk_on(socket)
            except OSError:
                pass
            await asyncio.sleep(0.1)

    async def _talk_on(self, socket: Socket) -> None:
        try:
            while True:
                await socket.ask("getSession", background=True)
                self.commands += 1
                await asyncio.sleep(0.02)
        except AssertionError:
            self.closes.append(socket.connection.close_code or 0)

    async def hears(self, more: int = 20) -> None:
        """Wait until so many more commands were answered."""
        wanted = self.commands + more
        async with asyncio.timeout(10):
            while self.commands < wanted:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def witness(machine: Machine) -> AsyncIterator[Witness]:
    """Let somebody work while the block runs."""
    async with machine.front.person() as person:
        seen = Witness()
        work = [asyncio.create_task(seen.ask(person.http)), asyncio.create_task(seen.talk(person))]
        try:
            await seen.hears()
            yield seen
            await seen.hears()
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)


async def test_killed_workers_do_not_take_the_service_down(machine: Machine) -> None:
    async with witness(machine) as seen:
        for worker in machine.workers:
            worker.kill()
            await seen.hears()
            await worker.until_started(2)
            await seen.hears()
    # At most the one answer that was half sent; nothing that could be asked elsewhere.
    assert len(seen.failed) <= len(machine.workers), seen.failed
    assert all("RemoteProtocolError" in failed for failed in seen.failed), seen.failed
    assert seen.requests > 20
    # The one socket was at one of them at a time; nobody told it to come back.
    assert seen.closes
    assert set(seen.closes) == {1006}
    assert [worker.starts for worker in machine.workers] == [2, 2]


async def test_an_update_worker_by_worker_is_not_noticed(machine: Machine) -> None:
    async with witness(machine) as seen:
        for worker in machine.workers:
            worker.restart()
            await worker.until_started(2)
            await seen.hears()
    assert seen.failed == []
    assert seen.closes
    assert set(seen.closes) == {1012}
    assert [worker.exits for worker in machine.workers] == [[0], [0]]


async def test_a_wrong_setting_is_told_once(tmp_path: Path, iris: ThreadedDemoServer) -> None:
    front = FRONTS["nginx"](tmp_path / "front")
    server = behind(front, tmp_path / "instance", iris, drain_seconds="never")
    async with Supervisor(server) as worker:
        assert await worker.ended() == 2
        assert worker.starts == 1
        assert "IRIS_QUART_DRAIN_SECONDS" in server.log


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    assert program is not None, "systemd-analyze is needed: apt-get install systemd"
    text = UNIT.read_text()
    assert f"ExecStart={INSTALLED} serve" in text
    (tmp_path / "iris-quart@8001.service").write_text(text.replace(INSTALLED, "/bin/true"))
    shutil.copy2(UNIT.with_name("iris-quart.target"), tmp_path)
    units = ["iris-quart@8001.service", "iris-quart.target"]
    verdict = subprocess.run(
        [program, "verify", "--man=no", *units], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (verdict.returncode, verdict.stderr) == (0, "")
