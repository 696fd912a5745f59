"""Two machines behind nginx, and behind HAProxy: one service, and the loss of either loses nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from websockets.exceptions import InvalidHandshake

from iris_quart.demo import FaultRule
from tests.live.servers import Refused, Socket

from .conftest import Service
from .proxies import Visitor

pytestmark = [pytest.mark.live, pytest.mark.redis, pytest.mark.slow]

EMPLOYEE = {"namespace": "SAMPLES", "tableName": "Sample.Employee"}
PERSON = {"namespace": "SAMPLES", "tableName": "Sample.Person"}
MOVE_SECONDS = 5.0


@pytest_asyncio.fixture(autouse=True)
async def whole(service: Service) -> AsyncIterator[None]:
    """Begin each test with two servers that have no sockets, whatever the last one did."""
    await service.heal()
    await service.until_sockets(0, 0)
    yield


@asynccontextmanager
async def reconnected(visitor: Visitor) -> AsyncIterator[Socket]:
    """Come back as the page does: again and again until a command is answered."""
    deadline = time.monotonic() + MOVE_SECONDS
    while True:
        try:
            async with visitor.socket() as socket:
                await socket.ask("getSession")
                yield socket
                return
        except (OSError, AssertionError, InvalidHandshake):
            assert time.monotonic() < deadline, "no way back"
            await asyncio.sleep(0.05)


async def test_sockets_of_one_session_are_on_both_and_end_together(service: Service) -> None:
    async with service.front.person() as person, person.socket() as first, person.socket() as second:
        for socket in (first, second):
            assert (await socket.ask("getSession"))["user"] == "_SYSTEM"
        # Whichever signed this person in, a socket is at the other.
        await service.until_sockets(1, 1)
        await person.sign_out()
        begun = time.monotonic()
        for socket in (first, second):
            await socket.closed(4002)
        # 50 ms are promised with Redis; tests/benchmarks/peers.py measures it.
        assert time.monotonic() - begun < 1
        assert (await person.http.get("/api/session")).json()["status"] == "disconnected"


async def test_changes_cross_over(service: Service) -> None:
    async with (
        service.front.person() as writer,
        service.front.person("alice", "alice") as reader,
        writer.socket() as writes,
        reader.socket() as reads,
    ):
        await reads.ask("requestData", {**PERSON, "pageSize": 5})
        await writes.ask("getSession")
        await service.until_sockets(1, 1)
        change = {"changeId": "cross", "kind": "update", "rowId": "30", "values": {"Home_City": "Dinant"}}
        result = await writes.ask("saveChanges", {**PERSON, "changes": [change]})
        assert result["outcome"] == "saved"
        told = await reads.heard("rowsChanged")
        assert (told["changes"][0]["rowId"], told["by"]) == ("30", "_SYSTEM")


async def test_a_ticket_of_one_opens_a_socket_at_the_other_once(service: Service) -> None:
    async with service.front.person() as person, person.socket() as first:
        await first.ask("getSession")
        query = f"?token={await person.ticket()}"
        async with person.socket(cookies=False, query=query) as second:
            await second.ask("getSession")
            await service.until_sockets(1, 1)
        async with person.socket(cookies=False, query=query) as third:
            await third.closed(4001)


async def test_a_killed_server_loses_no_edit_and_applies_none_twice(service: Service) -> None:
    """A saved edit, two under way and one never sent; after the move all are sent again by their ids."""
    front = service.front
    row_id = str(10 + front.port % 40)
    values = {"Title": f"Moved {front.port}"}
    new, way, staged = (
        {
            "changeId": f"{kind}-{front.port}",
            "kind": "insert",
            "values": {"Name": f"{kind} {front.port}", "Company": 1},
        }
        for kind in ("new", "way", "staged")
    )
    async with front.person() as person:
        async with person.socket() as socket, person.socket() as another:
            victim = await service.server_of(socket)
            page = await socket.ask("requestData", {**EMPLOYEE, "pageSize": 100})
            base = {"Title": page["rows"][page["rowIds"].index(row_id)]["Title"]}
            update = {
                "changeId": f"set-{front.port}",
                "kind": "update",
                "rowId": row_id,
                "values": values,
                "base": base,
            }
            saved = await save(socket, new)
            assert saved["outcome"] == "saved", saved
            rule = service.iris.add_fault(FaultRule("latency", sql="(INSERT|UPDATE).*Employee", delay=1.0))
            await socket.send("saveChanges", {**EMPLOYEE, "changes": [update]})
            await struck(rule)
            await asyncio.to_thread(service.kill, victim)
            await socket.closed(1006)
            # The other server serves on meanwhile.
            await another.ask("getSession")
        async with reconnected(person) as socket:
            assert await save(socket, new) == saved
            assert (await saved_in_the_end(socket, update))["outcome"] == "saved"
            victim = service.servers[1 - service.servers.index(victim)]
            await service.heal()
            await socket.send("saveChanges", {**EMPLOYEE, "changes": [way]})
            rule = service.iris.add_fault(FaultRule("latency", sql="INSERT.*Employee", delay=1.0))
            await struck(rule)
            await asyncio.to_thread(service.kill, victim)
            await socket.closed(1006)
        async with reconnected(person) as socket:
            service.iris.clear_faults()
            await applied(service, "INSERT", 2)
            # Nobody can tell this row from one that somebody else entered, so it is not claimed as ours.
            assert (await save(socket, way))["outcome"] in {"unknown", "saved"}
            assert (await save(socket, staged))["outcome"] == "saved"
            found = await socket.ask("requestData", {**EMPLOYEE, "search": f" {front.port}"})
    names = sorted(row["Name"] for row in found["rows"] if row["Name"].endswith(f" {front.port}"))
    assert names == [f"{kind} {front.port}" for kind in ("new", "staged", "way")]


async def applied(service: Service, verb: str, count: int) -> None:
    """Wait until IRIS has carried out so many of such statements on this table since the test began."""
    async with asyncio.timeout(10):
        while True:
            done = [record for record in service.iris.log if record.applied and record.sql]
            mine = [record for record in done if str(service.front.port) in str(record.parameters)]
            if sum(record.sql.startswith(verb) for record in mine if record.sql) >= count:
                return
            await asyncio.sleep(0.05)


async def save(socket: Socket, change: dict[str, Any]) -> dict[str, Any]:
    """Send one change and give its result."""
    return await socket.ask("saveChanges", {**EMPLOYEE, "changes": [change]})


async def struck(rule: FaultRule) -> None:
    """Wait until the statement is at IRIS."""
    async with asyncio.timeout(5):
        while not rule.struck:
            await asyncio.sleep(0.01)


async def saved_in_the_end(socket: Socket, change: dict[str, Any]) -> dict[str, Any]:
    """Send a change until its outcome is known, as the page does; the id keeps it from running twice."""
    async with asyncio.timeout(20):
        while (result := await save(socket, change))["outcome"] == "unknown":
            await asyncio.sleep(0.2)
    return result


async def test_requests_go_on_while_a_server_is_dead(service: Service) -> None:
    async with service.front.person() as person:
        await asyncio.to_thread(service.kill, service.servers[1])
        for _ in range(20):
            response = await person.http.get("/api/session")
            assert response.json()["status"] == "connected", response.text
        # A sign-in is a POST: it is not sent twice, but a dead server never got it.
        await person.sign_in("alice", "alice")
        async with person.socket() as socket:
            assert (await socket.ask("getSession"))["user"] == "alice"


async def test_a_server_in_order_sends_its_people_to_the_other(service: Service) -> None:
    server = service.servers[0]
    async with service.front.person() as person, person.socket() as first, person.socket() as second:
        await first.ask("getSession")
        await second.ask("getSession")
        await service.until_sockets(1, 1)
        service.dead.append(server)
        assert await server.stop_soon() == 0
        codes = []
        for socket in (first, second):
            try:
                await socket.closed(1012, 0.5)
                codes.append(1012)
            except AssertionError:
                await socket.ask("getSession")
        assert codes == [1012]
        async with reconnected(person) as again:
            with pytest.raises(Refused):
                await again.ask("requestData", {**PERSON, "pageSize": 100_000})
