"""`/api/value/…` over the embedded IRIS: whole values, guarded by their hash."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import quote

import pytest
from quart.typing import TestClientProtocol as Client

from iris_quart.demo import FaultRule
from iris_quart.tables.whole_values import value_hash

from .conftest import CONNECT, Site

TABLE = "ValueTest.Thing"
TEXT = "A long text. ä日𝄞\r\n" * 100


@pytest.fixture
async def things(site: Site) -> AsyncIterator[Site]:
    """A table with a few rows of large values."""
    await run(
        site,
        f'CREATE TABLE {TABLE} (Name VARCHAR(50), Long LONGVARCHAR, Raw LONGVARBINARY, "a/b %" VARCHAR(20))',
    )
    await run(site, f"INSERT INTO {TABLE} (Name, Long) VALUES (?, ?)", ["one", TEXT])
    await run(site, f"INSERT INTO {TABLE} (Name, Raw) VALUES (?, ?)", ["two", "\x00\xff<script>"])
    await run(site, f"INSERT INTO {TABLE} (Name, Long) VALUES ('three', '')")
    yield site
    await run(site, f"DROP TABLE {TABLE}")


async def run(site: Site, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
    result = await asyncio.to_thread(site.iris.namespace("SAMPLES").execute, sql, parameters)
    return list(result.rows)


def address(row: str = "1", column: str = "Long", table: str = TABLE) -> str:
    return "/api/value/" + "/".join(quote(part, safe="") for part in ("SAMPLES", table, row, column))


def etag(content: bytes | None) -> str:
    return f'"{value_hash(content)}"'


async def test_text_comes_whole_and_harmless(things: Site) -> None:
    response = await (await things.connected()).get(address())
    assert response.status_code == 200
    assert await response.get_data(as_text=False) == TEXT.encode()
    assert response.headers["ETag"] == etag(TEXT.encode())
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="Long-1.txt"'
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_binary_empty_and_null(things: Site) -> None:
    client = await things.connected()
    response = await client.get(address("2", "Raw"))
    assert await response.get_data(as_text=False) == b"\x00\xff<script>"
    assert response.headers["Content-Type"] == "application/octet-stream"
    empty = await client.get(address("3"))
    assert (empty.status_code, await empty.get_data(as_text=False)) == (200, b"")
    null = await client.get(address("2"))
    assert (null.status_code, await null.get_data(as_text=False)) == (204, b"")
    assert len({empty.headers["ETag"], null.headers["ETag"]}) == 2


async def test_names_with_slashes_and_signs(things: Site) -> None:
    client: Any = await things.connected()
    path = address(column="a/b %")
    # Quart's test client decodes the address; a server hands it over as it was sent.
    sent = {"raw_path": path.encode()}
    response = await client.get(path, scope_base=sent)
    assert response.status_code == 204
    response = await client.put(path, data="x", headers={"If-Match": etag(None)}, scope_base=sent)
    assert response.status_code == 200, await response.get_data(as_text=True)
    assert await (await client.get(path, scope_base=sent)).get_data(as_text=True) == "x"


async def test_replacing_and_clearing(things: Site) -> None:
    client = await things.connected()
    new = "new ä\n" * 500
    response = await client.put(address(), data=new.encode(), headers={"If-Match": etag(TEXT.encode())})
    assert response.status_code == 200, await response.get_data(as_text=True)
    assert response.headers["ETag"] == etag(new.encode())
    assert await (await client.get(address())).get_data(as_text=True) == new
    response = await client.delete(address(), headers={"If-Match": etag(new.encode())})
    assert response.status_code == 200
    assert (await client.get(address())).status_code == 204


async def test_a_posixtime_is_replaced_as_the_moment_it_is(things: Site) -> None:
    table = "Moments.Seen"
    await run(things, f"CREATE TABLE {table} (At POSIXTIME)")
    try:
        await run(things, f"INSERT INTO {table} (At) VALUES (TO_POSIXTIME('2024-01-02 03:04:05'))")
        client = await things.connected()
        seen = await client.get(address(column="At", table=table))
        new = b"2031-12-30 23:59:58"
        response = await client.put(
            address(column="At", table=table), data=new, headers={"If-Match": seen.headers["ETag"]}
        )
        assert response.status_code == 200, await response.get_data(as_text=True)
        assert (await run(things, f"SELECT %ODBCOUT(At) FROM {table}"))[0][0].startswith(new.decode())
    finally:
        await run(things, f"DROP TABLE {table}")


async def test_a_value_that_changed_meanwhile_is_not_replaced(things: Site) -> None:
    client = await things.connected()
    await run(things, f"UPDATE {TABLE} SET Long = 'theirs' WHERE %ID = 1")
    for call in (
        client.put(address(), data="mine", headers={"If-Match": etag(TEXT.encode())}),
        client.delete(address(), headers={"If-Match": etag(None)}),
    ):
        response = await call
        assert response.status_code == 412
        assert (await response.get_json())["code"] == "CONFLICT"
    assert await (await client.get(address())).get_data(as_text=True) == "theirs"


@pytest.mark.parametrize(
    ("given", "status"), [(None, 428), ("", 428), ("*", 400), ('"x"', 400), ("0" * 64, 400)]
)
async def test_a_write_says_what_it_saw(things: Site, given: str | None, status: int) -> None:
    client = await things.connected()
    headers = {} if given is None else {"If-Match": given}
    response = await client.put(address(), data="mine", headers=headers)
    assert response.status_code in {status, 400}
    assert await (await client.get(address())).get_data(as_text=True) == TEXT


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (address("999"), 404, "ROW_GONE"),
        (address("canary"), 404, "ROW_GONE"),
        (address(column="NoSuch"), 400, "INVALID_INPUT"),
        (address(table="No.Such"), 404, "TABLE_NOT_FOUND"),
        ("/api/value/SAMPLES/ValueTest.Thing/1", 400, "INVALID_INPUT"),
        ("/api/value/SAMPLES/ValueTest.Thing/1/Long/more", 400, "INVALID_INPUT"),
        ("/api/value/SAMPLES//1/Long", 400, "INVALID_INPUT"),
        ("/api/value/SAMPLES/%FF/1/Long", 400, "INVALID_INPUT"),
        ("/api/value/NOSUCH/ValueTest.Thing/1/Long", 400, "INVALID_INPUT"),
    ],
)
async def test_places_that_are_not_there(things: Site, path: str, status: int, code: str) -> None:
    client: Any = await things.connected()
    response = await client.get(path, scope_base={"raw_path": path.encode()})
    body = await response.get_json()
    assert (response.status_code, body["code"]) == (status, code), body


async def test_read_only_sessions_write_nothing(things: Site) -> None:
    for change in ({"readOnly": True}, {"server": "demo-readonly"}):
        client = things.client()
        await client.post("/api/connect", json=CONNECT | change)
        assert (await client.get(address())).status_code == 200
        for call in (
            client.put(address(), data="mine", headers={"If-Match": etag(TEXT.encode())}),
            client.delete(address(), headers={"If-Match": etag(TEXT.encode())}),
        ):
            response = await call
            assert response.status_code == 403
            assert (await response.get_json())["code"] == "READ_ONLY"
    assert not [entry for entry in things.iris.log if (entry.sql or "").startswith("UPDATE")]


async def test_foreign_pages_write_nothing(things: Site) -> None:
    client = await things.connected()
    headers = {"If-Match": etag(TEXT.encode()), "Origin": "https://evil.example"}
    assert (await client.put(address(), data="mine", headers=headers)).status_code == 403
    assert (await client.delete(address(), headers=headers)).status_code == 403


async def test_text_that_is_not_utf8_is_refused(things: Site) -> None:
    client = await things.connected()
    response = await client.put(address(), data=b"\xff\xfe", headers={"If-Match": etag(TEXT.encode())})
    assert response.status_code == 400


class TestBounded:
    """Values larger than the settings allow."""

    @pytest.fixture
    def changes(self) -> dict[str, Any]:
        return {"value_bytes_max": 65536}

    async def test_too_large_to_write(self, things: Site) -> None:
        client = await things.connected()
        response = await client.put(address(), data=b"a" * 65537, headers={"If-Match": etag(TEXT.encode())})
        assert response.status_code == 413

    async def test_larger_than_other_bodies_is_fine(self, site: Site, things: Site) -> None:
        client = await things.connected()
        response = await client.put(address(), data=b"a" * 65536, headers={"If-Match": etag(TEXT.encode())})
        assert response.status_code == 200, await response.get_data(as_text=True)

    async def test_too_large_to_read(self, things: Site) -> None:
        await run(things, f"UPDATE {TABLE} SET Long = ? WHERE %ID = 1", ["a" * 70000])
        response = await (await things.connected()).get(address())
        assert response.status_code == 400


async def test_lost_answer_of_a_write_that_was_applied_is_settled_by_reading(things: Site) -> None:
    client = await things.connected()
    things.iris.add_fault(FaultRule(kind="reset_after", sql="^UPDATE", times=1))
    response = await client.put(address(), data="mine", headers={"If-Match": etag(TEXT.encode())})
    assert response.status_code == 200
    assert await (await client.get(address())).get_data(as_text=True) == "mine"


async def test_a_write_of_unknown_outcome_lets_nobody_trust_what_was_counted_before(things: Site) -> None:
    client = await things.connected()
    filters = [{"column": "Long", "operator": "isNotNull"}]
    payload = {"namespace": "SAMPLES", "tableName": TABLE, "filters": filters, "pageSize": 1}

    async with client.websocket("/ws") as socket:

        async def counted(number: int) -> int:
            await socket.send(json.dumps({"command": "requestData", "payload": payload, "id": f"r{number}"}))
            async with asyncio.timeout(5):
                while True:
                    message = json.loads(await socket.receive())
                    if message.get("id") == f"r{number}":
                        assert message["event"] == "tableData", message
                        return int(message["payload"]["totalRows"])

        before = await counted(1)
        await run(things, f"INSERT INTO {TABLE} (Long) VALUES (?)", ["another program's"])
        assert await counted(2) == before
        things.iris.add_fault(FaultRule(kind="reset_before", sql="^UPDATE", times=1))
        response = await client.put(address(), data="mine", headers={"If-Match": etag(TEXT.encode())})
        assert (await response.get_json())["code"] == "OUTCOME_UNKNOWN"
        assert await counted(3) == before + 1


async def test_writes_are_audited_and_told_to_others(things: Site) -> None:
    client = await things.connected()
    async with client.websocket("/ws") as socket:
        await socket.send(
            json.dumps(
                {
                    "command": "selectTable",
                    "payload": {"namespace": "SAMPLES", "tableName": TABLE},
                    "id": "open",
                }
            )
        )
        async with asyncio.timeout(5):
            while '"tableData"' not in await socket.receive():
                pass
        await client.put(address(), data="short", headers={"If-Match": etag(TEXT.encode())})
        await client.put(address(), data="mine", headers={"If-Match": etag(b"other")})
        async with asyncio.timeout(5):
            event = json.loads(await socket.receive())
        await client.put(address(), data="y" * 4000, headers={"If-Match": etag(b"short")})
        await client.delete(address(), headers={"If-Match": etag(b"y" * 4000)})
        async with asyncio.timeout(5):
            longer, cleared = [json.loads(await socket.receive())["payload"]["changes"] for _ in range(2)]
    assert event["event"] == "rowsChanged"
    assert event["payload"]["changes"] == [{"kind": "update", "rowId": "1", "values": {"Long": "short"}}]
    mark = {"length": 4000, "unit": "characters"}
    assert longer[0]["values"] == {"Long": "y" * 200}
    assert longer[0]["previews"] == {"Long": mark}
    assert cleared == [{"kind": "update", "rowId": "1", "values": {"Long": None}}]
    lines = (things.settings.instance / "audit.jsonl").read_text().splitlines()
    begun, first, _, second, *_ = (json.loads(line) for line in lines)
    assert (begun["outcome"], begun["writeId"]) == ("started", first["writeId"])
    assert (first["user"], first["table"], first["rowId"], first["columns"]) == (
        "_SYSTEM",
        TABLE,
        "1",
        ["Long"],
    )
    assert (first["outcome"], second["outcome"]) == ("saved", "conflict")
    assert "short" not in str(first)


async def test_a_write_that_was_given_up_is_accounted_for(
    things: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def given_up(*_: object) -> None:
        raise asyncio.CancelledError

    client = await things.connected()
    monkeypatch.setattr("iris_quart.tables.whole_values.Values.write_value", given_up)
    await client.put(address(), data="mine", headers={"If-Match": etag(TEXT.encode())})
    lines = (things.settings.instance / "audit.jsonl").read_text().splitlines()
    assert [json.loads(line)["outcome"] for line in lines] == ["started", "unknown"]


async def test_nobody_reads_values_of_another_user_without_a_session(things: Site) -> None:
    client: Client = things.client()
    assert (await client.get(address())).status_code == 401
    assert (await client.put(address(), data="x")).status_code == 401
