"""An IRIS whose answers keep to HTTP's letter only: nobody who reads notices, and no write is sent twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from iris_quart.demo import ThreadedDemoServer

from .rough import MANNERS, Manner, RoughRelay, running_relay
from .servers import Person, WebServer

pytestmark = [pytest.mark.live]

TABLE = {"namespace": "SAMPLES", "tableName": "Sample.Person"}
WRITES = ("UPDATE", "INSERT", "DELETE")
ROUNDS = 4


@pytest.fixture(scope="module")
def running(iris: ThreadedDemoServer) -> Iterator[RoughRelay]:
    with running_relay(iris.url) as relay:
        yield relay


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, running: RoughRelay) -> Iterator[WebServer]:
    """Run the product behind the relay."""
    with WebServer(tmp_path_factory.mktemp("instance"), running.url, own=True) as server:
        yield server


@pytest.fixture(params=MANNERS)
def relay(request: pytest.FixtureRequest, running: RoughRelay) -> RoughRelay:
    """Give the relay in each manner; whoever signs in does so through it."""
    running.manner = request.param
    running.connections = 0
    running.statements.clear()
    return running


@pytest.fixture
async def person(relay: RoughRelay, server: WebServer) -> AsyncIterator[Person]:
    async with server.person() as person:
        yield person


async def truth(iris: ThreadedDemoServer, sql: str, *parameters: Any) -> list[dict[str, Any]]:
    """Ask the embedded IRIS itself."""
    async with httpx.AsyncClient(auth=("_SYSTEM", "SYS")) as client:
        address = f"{iris.url}/api/atelier/v1/SAMPLES/action/query"
        answer = await client.post(address, json={"query": sql, "parameters": list(parameters)})
    content: list[dict[str, Any]] = answer.json()["result"]["content"]
    return content


def writes(relay: RoughRelay) -> Counter[bytes]:
    """Count the writes that the relay was given, each with its values."""
    return Counter(
        body
        for body in relay.statements
        if body and json.loads(body).get("query", "").lstrip().startswith(WRITES)
    )


async def test_reads_succeed_and_are_right(
    relay: RoughRelay, person: Person, iris: ThreadedDemoServer
) -> None:
    names = {str(row["ID"]): row["Name"] for row in await truth(iris, "SELECT %ID, Name FROM Sample.Person")}
    ids = sorted(names, key=int)
    async with person.socket() as one, person.socket() as two:
        for socket in (one, two):
            await socket.ask("selectNamespace", {"namespace": "SAMPLES"})
            await socket.ask("selectTable", TABLE)
        for page in range(ROUNDS):
            pages = {
                size: (socket, await socket.send("requestData", {**TABLE, "page": page, "pageSize": size}))
                for size, socket in ((7, one), (9, two))
            }
            row = await two.send("getRow", {**TABLE, "rowId": ids[page]})
            for size, (socket, message_id) in pages.items():
                shown = (await socket.answer(message_id))["payload"]
                wanted = ids[page * size : (page + 1) * size]
                assert shown["rowIds"] == wanted
                assert [row["Name"] for row in shown["rows"]] == [names[row_id] for row_id in wanted]
            assert (await two.answer(row))["payload"]["values"]["Name"] == names[ids[page]]
        assert (await one.ask("countRows", TABLE))["totalRows"] == len(names)
    assert relay.connections > 1


def changes_of(manner: Manner, number: int, row_id: str, name: str) -> list[dict[str, Any]]:
    """Make an update and an insert that nobody else makes."""
    mine = f"{manner} {number}"
    values = {"Name": f"New {mine}", "SSN": f"{MANNERS.index(manner):03}-00-{number:04}"}
    return [
        {
            "changeId": f"update-{manner.replace(' ', '-')}-{number}",
            "kind": "update",
            "rowId": row_id,
            "values": {"Name": f"Old {mine}"},
            "base": {"Name": name},
        },
        {"changeId": f"insert-{manner.replace(' ', '-')}-{number}", "kind": "insert", "values": values},
    ]


async def test_no_write_is_sent_twice(relay: RoughRelay, person: Person, iris: ThreadedDemoServer) -> None:
    told: dict[str, str] = {}
    async with person.socket() as socket:
        shown = await socket.ask("requestData", {**TABLE, "pageSize": ROUNDS})
        for number, row_id in enumerate(shown["rowIds"]):
            changes = changes_of(relay.manner, number, row_id, shown["rows"][number]["Name"])
            sent = await socket.send("saveChanges", {**TABLE, "changes": changes})
            names = {change["changeId"]: change["values"]["Name"] for change in changes}
            for _ in changes:
                result = await socket.answer(sent, 20)
                assert result["event"] == "changeResult"
                told[names[result["payload"]["changeId"]]] = result["payload"]["outcome"]
            await socket.answer(sent)
    found = await truth(iris, "SELECT Name FROM Sample.Person WHERE Name LIKE ?", f"% {relay.manner} %")
    kept = Counter(row["Name"] for row in found)
    assert all(count == 1 for count in kept.values())
    if relay.manner == "idle close":
        # A request that met the close may have been carried out: then it is not said that it was, or not.
        assert {name for name, outcome in told.items() if outcome == "saved"} <= set(kept)
        assert set(told.values()) <= {"saved", "unknown"}
    else:
        assert set(told.values()) == {"saved"}
        assert set(kept) == set(told)
        assert len(writes(relay)) == len(told)
    assert set(writes(relay).values()) == {1}
