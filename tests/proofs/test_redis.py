"""Redis is frozen for ten seconds, and comes back empty: nothing runs meanwhile, and soon after all is well again."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from iris_quart.demo import ThreadedDemoServer
from tests.live.servers import Closed, Refused, Socket, WebServer
from tests.sessions.conftest import RedisServer

pytestmark = [pytest.mark.live, pytest.mark.redis, pytest.mark.slow]

FROZEN_SECONDS = 10.0
RECOVERY_SECONDS = 5.0
"""What is promised: so soon after its return everything works again."""
PERSON = {"namespace": "SAMPLES", "tableName": "Sample.Person", "pageSize": 5, "count": "skip"}


@dataclass
class Machines:
    """Two servers with the settings as they ship, and their Redis."""

    redis: RedisServer
    one: WebServer
    two: WebServer

    def signal(self, number: int) -> None:
        """Send Redis a signal."""
        assert self.redis.process is not None
        self.redis.process.send_signal(number)


@pytest.fixture
def machines(tmp_path: Path, iris: ThreadedDemoServer) -> Iterator[Machines]:
    redis = RedisServer(tmp_path)
    redis.start()
    try:
        with WebServer(tmp_path / "one", iris.url, own=True, store=redis.url) as one:
            shutil.copytree(tmp_path / "one", tmp_path / "two", ignore=shutil.ignore_patterns("*.log"))
            with WebServer(tmp_path / "two", iris.url, own=True, store=redis.url) as two:
                found = Machines(redis, one, two)
                try:
                    yield found
                finally:
                    if redis.process is not None:
                        found.signal(signal.SIGCONT)
    finally:
        redis.kill()


async def refused(socket: Socket) -> None:
    """Ask for rows, and be refused for want of the store."""
    with pytest.raises(Refused) as caught:
        await socket.ask("requestData", PERSON)
    assert caught.value.code == "STORE_UNAVAILABLE"


async def recovered(socket: Socket, until: float) -> None:
    """Ask for rows until they come."""
    while True:
        try:
            assert (await socket.ask("requestData", PERSON))["rows"]
            return
        except Refused as error:
            if error.code != "STORE_UNAVAILABLE":
                raise
        assert time.monotonic() < until, "not back in time"
        await asyncio.sleep(0.05)


async def test_ten_frozen_seconds(machines: Machines, iris: ThreadedDemoServer) -> None:
    async with (
        machines.one.person() as person,
        machines.one.person("alice", "alice") as leaver,
        machines.two.person(signed_in=False) as newcomer,
        person.socket() as here,
        person.socket(base=machines.two.url) as there,
        leaver.socket(base=machines.two.url) as left,
    ):
        for socket in (here, there, left):
            await socket.ask("requestData", PERSON)
        machines.signal(signal.SIGSTOP)
        asked = len(iris.log)
        until = time.monotonic() + FROZEN_SECONDS
        await leaver.sign_out()
        refusals = 0
        while time.monotonic() < until:
            await asyncio.gather(refused(here), refused(there))
            refusals += 2
            await asyncio.sleep(0.2)
        assert refusals >= 10
        body = {"server": "demo", "username": "alice", "password": "alice"}
        assert (await newcomer.http.post("/api/connect", json=body)).status_code == 503
        async with person.socket() as another:
            await another.closed(1013)
        # Nothing was run, and nobody was let in.
        assert len(iris.log) == asked
        machines.signal(signal.SIGCONT)
        back = time.monotonic() + RECOVERY_SECONDS
        await asyncio.gather(recovered(here, back), recovered(there, back))
        # Whoever signed out meanwhile is signed out everywhere.
        await left.closed(4002, max(0.1, back - time.monotonic()))
        for server in (machines.one, machines.two):
            answer = await leaver.http.get(f"{server.url}/api/session")
            assert answer.json()["status"] == "disconnected"
        await newcomer.sign_in("alice", "alice")


async def test_it_comes_back_empty(machines: Machines, iris: ThreadedDemoServer) -> None:
    async with (
        machines.one.person() as person,
        person.socket() as here,
        person.socket(base=machines.two.url) as there,
    ):
        for socket in (here, there):
            await socket.ask("requestData", PERSON)
        machines.redis.kill()
        asked = len(iris.log)
        await asyncio.gather(refused(here), refused(there))
        machines.redis.start()
        back = time.monotonic() + RECOVERY_SECONDS
        for socket in (here, there):
            await socket.closed(4002, max(0.1, back - time.monotonic()))
            with pytest.raises(Closed):
                await socket.ask("requestData", PERSON)
        # Only licences were given back: no statement ran for a session that nobody knows any more.
        assert [entry.sql for entry in list(iris.log)[asked:] if entry.sql] == []
        async with person.socket() as lost:
            await lost.closed(4001)
        await person.sign_in()
        while True:
            async with person.socket(base=machines.two.url) as again:
                try:
                    await recovered(again, back)
                    break
                except Closed as closed:
                    # A worker whose store is not back yet asks the client to try again later.
                    if "1013" not in str(closed) or time.monotonic() > back:
                        raise
