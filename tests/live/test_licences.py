"""However a session ends, what it holds at IRIS is given back: licences are few and cost money."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from iris_quart.demo import ThreadedDemoServer

from .conftest import Start
from .servers import Person, WebServer

pytestmark = pytest.mark.live

PERSON = {"namespace": "SAMPLES", "tableName": "Sample.Person"}
SERVED: list[dict[str, Any]] = [{"own": True}, {"own": True, "workers": 2}, {"workers": 2}]


def held(iris: ThreadedDemoServer) -> int:
    """Count the sessions, and so licences, that IRIS has given out."""
    return len(iris.server.app.sessions)


async def given_back(iris: ThreadedDemoServer) -> None:
    """Wait until IRIS has all of them back."""
    async with asyncio.timeout(10):
        while held(iris):
            await asyncio.sleep(0.02)


@asynccontextmanager
async def at_work(server: WebServer, iris: ThreadedDemoServer) -> AsyncIterator[Person]:
    """Sign in and hold IRIS sessions by a socket, and by pages alone."""
    async with (
        server.person() as person,
        server.person("alice", "alice") as reader,
        person.socket() as socket,
    ):
        await asyncio.gather(
            *(socket.ask("requestData", {**PERSON, "offset": number, "count": "skip"}) for number in range(4))
        )
        export = await reader.http.get("/api/export", params={**PERSON, "rowIds": '["1"]'})
        assert export.status_code == 200
        assert held(iris) >= 2
        yield person


async def test_they_come_back_after_the_idle_time(start: Start, iris: ThreadedDemoServer) -> None:
    server = start(session_idle_seconds=2)
    async with at_work(server, iris):
        await given_back(iris)


async def test_they_come_back_when_another_sign_in_replaces_the_session(
    start: Start, iris: ThreadedDemoServer
) -> None:
    server = start()
    async with server.person() as person, person.socket() as socket:
        await socket.ask("requestData", PERSON)
        await person.sign_in("alice", "alice")
        await socket.closed(4002)
        await given_back(iris)


async def test_they_come_back_when_an_administrator_ends_all_sessions(
    start: Start, iris: ThreadedDemoServer
) -> None:
    server = start(workers=2, own=True)
    async with at_work(server, iris):
        command = [sys.executable, "-m", "iris_quart.cli", "sessions", "end", "--all"]
        environment = {**os.environ, "IRIS_QUART_INSTANCE": str(server.instance)}
        done = await asyncio.to_thread(
            subprocess.run, command, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == "2 sessions ended\n"
        await given_back(iris)


@pytest.mark.parametrize("kind", SERVED, ids=["serve-1", "serve-2", "hypercorn-2"])
async def test_they_come_back_at_a_stop(start: Start, iris: ThreadedDemoServer, kind: dict[str, Any]) -> None:
    server = start(**kind)
    async with at_work(server, iris):
        assert await server.stop_soon() == 0
        assert held(iris) == 0
