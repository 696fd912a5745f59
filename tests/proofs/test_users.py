"""Two hundred users at once: nobody's request reaches IRIS under another's name, nobody reads another's session."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo import DemoOptions, ThreadedDemoServer, User, running_in_thread
from tests.live.servers import Socket, WebServer

pytestmark = [pytest.mark.live, pytest.mark.slow]

USERS = 200
STEPS = 2
TABLE = {"namespace": "SAMPLES", "tableName": "Sample.Employee"}
NAMES = [f"user{number:03}" for number in range(USERS)]


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadedDemoServer]:
    """Run an embedded IRIS with that many accounts."""
    users = tuple(User(name, f"{name}-password") for name in NAMES)
    folder = tmp_path_factory.mktemp("crowded") / "data"
    with running_in_thread(DemoOptions(directory=folder, licences=None, users=users)) as server:
        yield server


@asynccontextmanager
async def signed_in(server: WebServer, name: str) -> AsyncIterator[Socket]:
    """Sign a user in and open a socket."""
    async with server.person(name, f"{name}-password") as person, person.socket() as socket:
        yield socket


async def live(socket: Socket, name: str, seed: int) -> None:
    """Do what a user does, in an order of their own, and look at every answer."""
    chance = random.Random(seed)
    for step in range(STEPS):
        await asyncio.sleep(chance.random() * 3)
        assert (await socket.ask("getSession"))["user"] == name
        values = {"Name": f"{name} {step}", "Company": 1}
        change = {"changeId": f"{name}-{step}", "kind": "insert", "values": values}
        assert (await socket.ask("saveChanges", {**TABLE, "changes": [change]}))["outcome"] in {
            "saved",
            "unknown",
        }
        mine = [{"column": "Name", "operator": "equals", "value": f"{name} {step}"}]
        found = await socket.ask("requestData", {**TABLE, "filters": mine, "count": "skip"})
        assert [row["Name"] for row in found["rows"]] == [f"{name} {step}"]


def names_in(parameters: list[Any]) -> set[str]:
    """Give the users that a statement's parameters speak of."""
    return {text[:7] for text in map(str, parameters) if text[:7] in NAMES}


async def test_two_hundred_interleaved_users(tmp_path: Path, crowded: ThreadedDemoServer) -> None:
    limits: dict[str, Any] = {"login_attempts_overall": 10_000, "request_timeout_seconds": 60}
    with WebServer(tmp_path / "instance", crowded.url, own=True, workers=2, **limits) as server:
        async with AsyncExitStack() as opened:
            gate = asyncio.Semaphore(10)

            async def enter(name: str) -> Socket:
                async with gate:
                    return await opened.enter_async_context(signed_in(server, name))

            sockets = await asyncio.gather(*(enter(name) for name in NAMES))
            async with asyncio.timeout(100):
                people = zip(sockets, NAMES, strict=True)
                await asyncio.gather(
                    *(live(socket, name, seed) for seed, (socket, name) in enumerate(people))
                )
        lines = (tmp_path / "instance" / "audit.jsonl").read_text().splitlines()
    # Who IRIS saw is who the statement speaks of, and each IRIS session belonged to one user only.
    spoken = [(names_in(record.parameters), record.user) for record in crowded.log if record.sql]
    assert sum(bool(names) for names, _ in spoken) >= USERS * STEPS * 2
    assert [(names, user) for names, user in spoken if names and names != {user}] == []
    owners: dict[str, set[str]] = {}
    for record in crowded.log:
        if record.session and record.user:
            owners.setdefault(record.session, set()).add(record.user)
    assert len(owners) >= USERS
    assert [users for users in owners.values() if len(users) > 1] == []
    # And the audit says the same.
    entries = [json.loads(line) for line in lines]
    written = [entry for entry in entries if entry["writeId"]]
    assert len(written) >= USERS * STEPS
    assert [entry for entry in written if not entry["writeId"].startswith(entry["user"])] == []
