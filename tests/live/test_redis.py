"""Several servers with one Redis: they are one service, and it survives the loss of either."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo import ThreadedDemoServer
from tests.sessions.conftest import RedisServer

from .servers import Person, Refused, Socket, WebServer

pytestmark = [pytest.mark.live, pytest.mark.redis]

PERSON = {"namespace": "SAMPLES", "tableName": "Sample.Person"}


@dataclass
class Machines:
    """Two servers that share nothing but Redis and the instance's key."""

    redis: RedisServer
    one: WebServer
    two: WebServer

    @asynccontextmanager
    async def socket_at(self, server: WebServer, person: Person) -> AsyncIterator[Socket]:
        """Open a socket of somebody who signed in at either."""
        async with person.socket(base=server.url) as socket:
            yield socket


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory, iris: ThreadedDemoServer) -> Iterator[Machines]:
    folder = tmp_path_factory.mktemp("machines")
    redis = RedisServer(folder)
    redis.start(keep=True)
    settings: dict[str, Any] = {"store": redis.url, "own": True, "store_grace_seconds": 3}
    try:
        with WebServer(folder / "one", iris.url, **settings) as one:
            shutil.copytree(folder / "one", folder / "two", ignore=shutil.ignore_patterns("*.log"))
            with WebServer(folder / "two", iris.url, **settings) as two:
                yield Machines(redis, one, two)
    finally:
        assert redis.process is not None
        redis.process.send_signal(signal.SIGCONT)
        redis.process.kill()
        redis.process.wait()


async def test_sign_in_on_one_socket_on_the_other(machines: Machines) -> None:
    async with machines.one.person() as person, machines.socket_at(machines.two, person) as socket:
        assert (await socket.ask("getSession"))["user"] == "_SYSTEM"


async def test_signing_out_on_one_closes_sockets_on_the_other_at_once(machines: Machines) -> None:
    """50 ms are promised: five times that for the quickest of a few, for a busy machine may hold up the others."""
    delays = []
    for _ in range(5):
        async with machines.one.person() as person, machines.socket_at(machines.two, person) as socket:
            await socket.ask("getSession")
            begun = time.monotonic()
            await person.sign_out()
            await socket.closed(4002)
            delays.append(time.monotonic() - begun)
    assert min(delays) < 0.25
    assert max(delays) < 2.5


async def test_changes_cross_over(machines: Machines) -> None:
    async with (
        machines.one.person() as person,
        machines.two.person("alice", "alice") as other,
        machines.socket_at(machines.one, person) as writer,
        machines.socket_at(machines.two, other) as reader,
    ):
        await reader.ask("requestData", {**PERSON, "pageSize": 5})
        change = {"changeId": "cross-1", "kind": "update", "rowId": "20", "values": {"Home_City": "Dinant"}}
        await writer.ask("saveChanges", {**PERSON, "changes": [change]})
        told = await reader.heard("rowsChanged", 2)
        assert told["changes"][0]["rowId"] == "20"


async def test_one_server_killed_and_its_clients_move(machines: Machines) -> None:
    async with machines.one.person() as person:
        change = {"changeId": "moved-1", "kind": "update", "rowId": "21", "values": {"Home_City": "Dinant"}}
        async with machines.socket_at(machines.one, person) as socket:
            result = await socket.ask("saveChanges", {**PERSON, "changes": [change]})
            machines.one.kill()
            await socket.closed(1006)
        try:
            async with machines.socket_at(machines.two, person) as socket:
                again = await socket.ask("saveChanges", {**PERSON, "changes": [change]})
                assert again == result
        finally:
            machines.one.start()


async def test_without_redis_nothing_runs_and_it_comes_back_quickly(machines: Machines) -> None:
    async with machines.one.person() as person, machines.socket_at(machines.two, person) as socket:
        await socket.ask("getSession")
        process = machines.redis.process
        assert process is not None
        process.kill()
        process.wait()
        with pytest.raises(Refused) as caught:
            await socket.ask("requestData", PERSON)
        assert caught.value.code == "STORE_UNAVAILABLE"
        assert (await person.http.get("/readyz")).status_code == 503
        assert (await person.http.get("/livez")).status_code == 200
        machines.redis.start(keep=True)
        begun = time.monotonic()
        while True:
            try:
                await socket.ask("getSession")
                break
            except Refused:
                assert time.monotonic() - begun < 5
                await asyncio.sleep(0.1)
        await person.sign_out()
        await socket.closed(4002)


async def test_a_frozen_redis_closes_the_sockets_after_a_while(machines: Machines) -> None:
    async with machines.one.person() as person, machines.socket_at(machines.two, person) as socket:
        await socket.ask("getSession")
        process = machines.redis.process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        try:
            begun = time.monotonic()
            with pytest.raises(Refused) as caught:
                await socket.ask("getServerList")
            assert caught.value.code == "STORE_UNAVAILABLE"
            # A server that says nothing is given up after half a second.
            assert time.monotonic() - begun < 2.5
            await socket.closed(1013)
            # `store_grace_seconds` is 3 here, seen to begin and to end a second late at most.
            assert 2 < time.monotonic() - begun < 8
            async with machines.socket_at(machines.two, person) as another:
                await another.closed(1013)
        finally:
            process.send_signal(signal.SIGCONT)
        async with asyncio.timeout(5):
            while (await person.http.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.05)
        async with machines.socket_at(machines.two, person) as socket:
            await socket.ask("getSession")


def test_the_instance_of_a_second_machine_has_the_same_key(machines: Machines) -> None:
    keys = [(Path(server.instance) / "secret.key").read_bytes() for server in (machines.one, machines.two)]
    assert keys[0] == keys[1]
