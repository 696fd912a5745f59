"""Commands under way: side by side, cancelled, stale, cut off by a drop, an expiry or a stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from iris_quart.demo import FaultRule, ThreadedDemoServer

from .conftest import Start
from .servers import Closed, Person, Refused, Socket, WebServer

pytestmark = pytest.mark.live

PERSON = {"namespace": "SAMPLES", "tableName": "Sample.Person"}
COMPANY = {"namespace": "SAMPLES", "tableName": "Sample.Company"}


@pytest.fixture(scope="module")
def server_settings() -> dict[str, Any]:
    return {"workers": 2, "sessions_poll_seconds": 0.05}


@pytest.fixture(autouse=True)
def lift_faults(iris: ThreadedDemoServer) -> Iterator[None]:
    yield
    iris.clear_faults()
    iris.settled()


@pytest.fixture
async def other(server: WebServer) -> AsyncIterator[Person]:
    """Somebody else."""
    async with server.person("alice", "alice") as person:
        yield person


def slow(iris: ThreadedDemoServer, sql: str, seconds: float) -> FaultRule:
    """Let statements that look like this take longer."""
    return iris.add_fault(FaultRule(kind="latency", sql=sql, delay=seconds))


async def struck(rule: FaultRule, times: int = 1) -> None:
    """Wait until a statement has reached IRIS."""
    async with asyncio.timeout(10):
        while rule.struck < times:
            await asyncio.sleep(0.01)


def row(changes: dict[str, Any], row_id: str = "10", change_id: str | None = None) -> dict[str, Any]:
    """One staged update without a guard of its own."""
    return {
        "changeId": change_id or f"c{time.monotonic_ns()}",
        "kind": "update",
        "rowId": row_id,
        "values": changes,
    }


async def open_table(socket: Socket, table: dict[str, str] = PERSON) -> dict[str, Any]:
    """Show a table on a socket."""
    return await socket.ask("requestData", {**table, "pageSize": 5})


async def save(socket: Socket, *changes: dict[str, Any], table: dict[str, str] = PERSON) -> dict[str, Any]:
    """Save staged edits and give the result of the first."""
    return await socket.ask("saveChanges", {**table, "changes": list(changes)})


async def test_a_change_reaches_all_who_show_the_table_and_nobody_else(person: Person, other: Person) -> None:
    async with (
        person.socket() as writer,
        person.socket() as mine,
        other.socket() as theirs,
        other.socket() as theirs_too,
        other.socket() as elsewhere,
        other.socket() as nowhere,
    ):
        for socket in (writer, mine, theirs, theirs_too):
            await open_table(socket)
        await open_table(elsewhere, COMPANY)
        result = await save(writer, row({"Home_City": "Bruges"}, "11"))
        assert result["outcome"] == "saved"
        for socket in (mine, theirs, theirs_too):
            told = await socket.heard("rowsChanged", 2)
            assert (told["namespace"], told["tableName"], told["by"]) == (
                "SAMPLES",
                "Sample.Person",
                "_SYSTEM",
            )
            (change,) = told["changes"]
            assert (change["kind"], change["rowId"]) == ("update", "11")
            assert change["values"]["Home_City"] == "Bruges"
        for socket in (writer, elsewhere, nowhere):
            await socket.ask("getSession")
            assert socket.pushed == []


async def test_inserts_and_deletes_are_told_too(person: Person, other: Person) -> None:
    async with person.socket() as writer, other.socket() as reader:
        await open_table(writer)
        await open_table(reader)
        insert = {"changeId": "ins-1", "kind": "insert", "values": {"Name": "Told,New", "SSN": "111-22-3333"}}
        row_id = (await save(writer, insert))["rowId"]
        (inserted,) = (await reader.heard("rowsChanged"))["changes"]
        assert (inserted["kind"], inserted["rowId"]) == ("insert", row_id)
        await save(writer, {"changeId": "del-1", "kind": "delete", "rowId": row_id})
        (deleted,) = (await reader.heard("rowsChanged"))["changes"]
        assert deleted == {"kind": "delete", "rowId": row_id}


async def test_a_refused_change_is_told_to_nobody(person: Person, other: Person) -> None:
    async with person.socket() as writer, other.socket() as reader:
        await open_table(reader)
        result = await save(writer, row({"SSN": "not a number", "Nope": 1}))
        assert result["outcome"] == "failed"
        await asyncio.sleep(0.5)  # longer than any delivery takes: nothing must come
        assert reader.pushed == []


async def test_reads_overtake_a_slow_one(socket: Socket, iris: ThreadedDemoServer) -> None:
    await open_table(socket)
    rule = slow(iris, "Sample.{1,5}Company", 1.5)
    waiting = await socket.send("requestData", {**COMPANY, "count": "skip"})
    await struck(rule)
    begun = time.monotonic()
    await socket.ask("requestData", {**PERSON, "page": 1, "count": "skip"})
    assert time.monotonic() - begun < 3
    assert (await socket.answer(waiting))["event"] == "tableData"


async def test_a_newer_page_replaces_an_older_one(socket: Socket, iris: ThreadedDemoServer) -> None:
    await open_table(socket)
    rule = slow(iris, "Sample.{1,5}Person", 1)
    older = await socket.send("requestData", {**PERSON, "page": 2, "search": "a", "count": "skip"})
    await struck(rule)
    iris.clear_faults()
    newer = await socket.send("requestData", {**PERSON, "page": 2, "search": "an", "count": "skip"})
    with pytest.raises(Refused) as caught:
        await socket.answer(older)
    assert caught.value.code == "CANCELLED"
    assert (await socket.answer(newer))["payload"]["page"] == 2
    await asyncio.sleep(1)  # the older statement has ended by now
    assert socket.pushed == []


async def test_cancel_stops_a_read(socket: Socket, iris: ThreadedDemoServer) -> None:
    await open_table(socket)
    rule = slow(iris, "Sample.{1,5}Person", 5)
    waiting = await socket.send("requestData", {**PERSON, "page": 4, "count": "skip"})
    await struck(rule)
    begun = time.monotonic()
    assert await socket.ask("cancel", {"id": waiting}) == {"id": waiting, "cancelled": True}
    with pytest.raises(Refused, match="CANCELLED"):
        await socket.answer(waiting)
    assert time.monotonic() - begun < 3
    assert (await socket.ask("cancel", {"id": waiting}))["cancelled"] is False


async def test_a_write_cannot_be_cancelled_once_it_has_begun(
    socket: Socket, iris: ThreadedDemoServer
) -> None:
    await open_table(socket)
    rule = slow(iris, "^UPDATE", 0.5)
    cell = {"columnName": "Home_City", "primaryKeyColumn": "ID", "primaryKeyValue": "12", "newValue": "Namur"}
    waiting = await socket.send("saveCell", {**PERSON, **cell})
    await struck(rule)
    assert (await socket.ask("cancel", {"id": waiting}))["cancelled"] is False
    assert (await socket.answer(waiting))["payload"]["outcome"] == "saved"


async def test_a_client_that_drops_finds_its_write_done_and_the_same_id_runs_nothing_twice(
    person: Person, iris: ThreadedDemoServer
) -> None:
    change = row({"Home_City": "Ostend"}, "13", "dropped-1")
    async with person.socket() as socket:
        await open_table(socket)
        rule = slow(iris, "^UPDATE", 0.7)
        await socket.send("saveChanges", {**PERSON, "changes": [change]})
        await struck(rule)
        socket.connection.transport.abort()
    async with person.socket() as socket:
        # Another worker may still be at it: then nobody knows yet, which is what is said.
        async with asyncio.timeout(10):
            while (result := await save(socket, change))["outcome"] == "unknown":
                await asyncio.sleep(0.1)
        assert (result["changeId"], result["outcome"]) == ("dropped-1", "saved")
        data = await socket.ask("getRow", {**PERSON, "rowId": "13"})
        assert data["values"]["Home_City"] == "Ostend"
    assert rule.struck == 1


async def test_the_same_id_runs_nothing_twice_in_whatever_case_one_signs_in_again(server: WebServer) -> None:
    insert = {
        "changeId": "again-with-this-id-1",
        "kind": "insert",
        "values": {"Name": "Once,Only", "SSN": "111-22-4444"},
    }
    async with server.person("alice", "alice") as first, first.socket() as socket:
        result = await save(socket, insert)
        assert result["outcome"] == "saved", result
    async with server.person("ALICE", "alice") as second, second.socket() as socket:
        assert await save(socket, insert) == result
        mine = [{"column": "Name", "operator": "equals", "value": "Once,Only"}]
        found = await socket.ask("requestData", {**PERSON, "filters": mine, "count": "skip"})
        assert len(found["rows"]) == 1


async def test_a_write_that_was_sent_is_answered_before_its_session_ends(
    person: Person, iris: ThreadedDemoServer
) -> None:
    async with person.socket() as socket:
        await open_table(socket)
        rule = slow(iris, "^UPDATE", 0.7)
        first = await socket.send("saveChanges", {**PERSON, "changes": [row({"Home_City": "Liège"}, "14")]})
        second = await socket.send("saveChanges", {**PERSON, "changes": [row({"Home_City": "Mons"}, "15")]})
        await struck(rule)
        await person.sign_out()
        assert (await socket.answer(first))["payload"]["outcome"] == "saved"
        await socket.closed(4002)
        with pytest.raises(Closed):
            await socket.answer(second)
    assert rule.struck == 1
    await person.sign_in()
    async with person.socket() as socket:
        assert (await socket.ask("getRow", {**PERSON, "rowId": "14"}))["values"]["Home_City"] == "Liège"
        assert (await socket.ask("getRow", {**PERSON, "rowId": "15"}))["values"]["Home_City"] != "Mons"


async def test_credentials_that_iris_no_longer_takes_end_the_session(
    person: Person, iris: ThreadedDemoServer
) -> None:
    async with person.socket() as socket, person.socket() as idle:
        await open_table(socket)
        await idle.ask("getSession")
        iris.add_fault(FaultRule(kind="unauthorized"))
        with pytest.raises(Refused, match="AUTH_EXPIRED"):
            await socket.ask("requestData", {**PERSON, "page": 5, "count": "skip"})
        await socket.closed(4002)
        await idle.closed(4002)
    async with person.socket() as socket:
        await socket.closed(4001)


async def test_signing_out_gives_the_iris_sessions_back(person: Person, iris: ThreadedDemoServer) -> None:
    async with person.socket() as socket:
        await open_table(socket)
        await person.sign_out()
        await socket.closed(4002)
    async with asyncio.timeout(3):
        while not any(record.method == "HEAD" for record in iris.log[-5:]):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "kind", [{"workers": 2}, {"workers": 1, "own": True}], ids=["hypercorn-2", "serve-1"]
)
async def test_a_stop_answers_what_is_under_way(
    start: Start, iris: ThreadedDemoServer, kind: dict[str, Any]
) -> None:
    server = start(**kind)
    async with server.person() as person, person.socket() as a, person.socket() as b:
        await open_table(a)
        await open_table(b)
        rule = slow(iris, "^UPDATE|Sample.{1,5}Person", 1.5)
        write = await a.send("saveChanges", {**PERSON, "changes": [row({"Home_City": "Spa"}, "16")]})
        read = await b.send("requestData", {**PERSON, "page": 6, "count": "skip"})
        await struck(rule, 2)
        stopping = asyncio.create_task(server.stop_soon())
        assert (await a.answer(write))["payload"]["outcome"] == "saved"
        assert (await b.answer(read))["event"] == "tableData"
        assert (await a.closed(1012), await b.closed(1012)) == ("service restart", "service restart")
        assert await stopping == 0
    assert any(record.method == "HEAD" for record in iris.log[-6:])
    assert "Traceback" not in server.log


async def test_a_read_that_takes_too_long_does_not_hold_up_a_stop(
    start: Start, iris: ThreadedDemoServer
) -> None:
    server = start(own=True, drain_seconds=1)
    async with server.person() as person, person.socket() as socket:
        await open_table(socket)
        rule = slow(iris, "Sample.{1,5}Person", 6)
        await socket.send("requestData", {**PERSON, "page": 7, "count": "skip"})
        await struck(rule)
        begun = time.monotonic()
        stopping = asyncio.create_task(server.stop_soon())
        await socket.closed(1012)
        assert await stopping == 0
        assert time.monotonic() - begun < 6


async def test_the_metrics_count_it(start: Start) -> None:
    from .servers import free_port

    server = start(workers=2, own=True, metrics_bind=f"127.0.0.1:{free_port()}")
    async with server.person() as person, person.socket() as a, person.socket() as b, person.socket() as c:
        for socket in (a, b, c):
            await open_table(socket)
        with pytest.raises(Refused):
            await a.ask("requestData", {**PERSON, "surprise": 1})
        async with asyncio.timeout(5):
            while not (metrics := await server.metrics()).get("iris_quart_iris_requests_total"):
                await asyncio.sleep(0.1)
        assert metrics["iris_quart_sockets"] == 3
        assert metrics['iris_quart_commands_total{command="requestData",outcome="ok"}'] == 3
        assert metrics['iris_quart_command_seconds_count{command="requestData"}'] == 3
        assert metrics["iris_quart_store_up"] == 1
        assert metrics["iris_quart_sessions"] == 1
        text = str(metrics)
        for secret in ("_SYSTEM", "Sample", "127.0.0.1", "demo"):
            assert secret not in text


async def test_a_save_that_runs_is_stopped_on_request(iris: ThreadedDemoServer, socket: Socket) -> None:
    await open_table(socket)
    rule = slow(iris, r"^INSERT", 0.1)
    changes = [
        {
            "changeId": f"stop-{number}",
            "kind": "insert",
            "values": {"Name": f"Stop,{number}", "SSN": f"999-00-{number:04}"},
        }
        for number in range(200)
    ]
    saving = await socket.send("saveChanges", {**PERSON, "changes": changes})
    waiting = await socket.send("saveChanges", {**PERSON, "changes": [row({"Home_City": "Never"}, "12")]})
    await struck(rule, 2)
    assert (await socket.ask("cancel", {"id": waiting}))["cancelled"] is True
    with pytest.raises(Refused, match="CANCELLED"):
        await socket.answer(waiting)
    assert (await socket.ask("cancel", {"id": saving}))["cancelled"] is True
    outcomes = []
    while (event := await socket.answer(saving))["event"] == "changeResult":
        outcomes.append(event["payload"]["outcome"])
    saved = outcomes.count("saved")
    assert outcomes == ["saved"] * saved + ["skipped"] * (200 - saved)
    assert 1 <= saved < 200
    counts = event["payload"]
    assert (event["event"], counts["saved"], counts["skipped"]) == ("changesSaved", saved, 200 - saved)
    stored = await socket.ask(
        "countRows", {**PERSON, "filters": [{"column": "Name", "operator": "startsWith", "value": "Stop,"}]}
    )
    assert stored["totalRows"] == saved
