"""A read sent behind a statement without waiting: what its answer proves, and what its absence costs."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from iris_quart.atelier import AtelierClient, Credentials, Limits, Target
from iris_quart.atelier import transport as transport_module
from iris_quart.atelier.http_response import AnswerReader, Headers
from iris_quart.atelier.transport import ConnectionTransport
from iris_quart.tables import edits as edits_module
from tests.atelier.raw import Peer, RawServer
from tests.faults.stage import CELLS, Client, Office, Stage, open_stage
from tests.relay import HOP, Relay, Request

ONE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n[1]"
TWO = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[2]\r\n0\r\n\r\n"
CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n[1]"


# Bytes.


@pytest.mark.parametrize("size", [1, 2, 7, 50, 1000])
def test_two_answers_are_read_however_their_bytes_come(size: int) -> None:
    reader = AnswerReader(body_bytes_max=100, header_bytes_max=1000)
    for _ in range(2):
        reader.begin(answers=2)
        data = ONE + TWO
        for start in range(0, len(data), size):
            reader.feed(data[start : start + size])
        assert [(status, body) for status, _, body in reader.answers] == [(200, b"[1]"), (200, b"[2]")]
        assert reader.reusable


def test_third_answer_is_not_expected() -> None:
    reader = AnswerReader(body_bytes_max=100, header_bytes_max=1000)
    reader.begin(answers=2)
    assert reader.feed(ONE + ONE + ONE)
    assert len(reader.answers) == 2
    assert not reader.reusable


def test_answer_that_closes_is_the_last() -> None:
    reader = AnswerReader(body_bytes_max=100, header_bytes_max=1000)
    reader.begin(answers=2)
    assert reader.feed(CLOSING)
    assert len(reader.answers) == 1
    assert not reader.reusable


# One connection.


async def both(peer: Peer) -> None:
    """Read two requests before answering either."""
    while True:
        await peer.request()
        await peer.request()
        await peer.say(ONE + TWO)


def says(*pieces: bytes, then: str = "close") -> Callable[[Peer], Any]:
    """Make a script that answers two requests with these bytes."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.request()
        await peer.say(*pieces)
        if then == "close":
            peer.close()
        elif then == "reset":
            peer.reset()
        else:
            await peer.reader.read()

    return script


async def exchange(transport: ConnectionTransport, server: RawServer) -> tuple[bytes, bytes | None]:
    def request(body: bytes) -> tuple[Headers, bytes]:
        return [(b"Host", b"iris"), (b"Content-Length", str(len(body)).encode())], body

    url = httpx.URL(f"http://127.0.0.1:{server.port}/query")
    first, second = await transport.exchange_two(
        "POST", url, request(b"first"), request(b"second"), deadline=5
    )
    return first[2], None if second is None else second[2]


async def test_both_answers_come_over_one_connection_that_is_used_again() -> None:
    async with RawServer(both) as server:
        transport = ConnectionTransport()
        for _ in range(3):
            assert await exchange(transport, server) == (b"[1]", b"[2]")
        assert server.connections == 1
        assert [request[-5:] for request in server.requests[:2]] == [b"first", b"econd"]
        await transport.aclose()


@pytest.mark.parametrize(
    "script",
    [
        says(ONE),
        says(ONE, then="reset"),
        says(ONE + TWO[:-7]),
        says(ONE + TWO[:40], then="reset"),
        says(CLOSING),
        says(ONE + b"nonsense\r\n\r\n"),
        says(ONE + b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n"),
    ],
)
async def test_first_answer_stands_where_the_second_breaks(script: Callable[[Peer], Any]) -> None:
    async with RawServer(script) as server:
        transport = ConnectionTransport()
        assert await exchange(transport, server) == (b"[1]", None)
        assert not transport.connected


async def test_second_answer_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "FOLLOWING_SECONDS", 0.05)
    async with RawServer(says(ONE, then="wait")) as server, asyncio.timeout(3):
        transport = ConnectionTransport()
        assert await exchange(transport, server) == (b"[1]", None)
        assert not transport.connected


@pytest.mark.parametrize("script", [says(ONE[:30]), says(then="reset"), says(b"nonsense\r\n\r\n")])
async def test_broken_first_answer_is_an_error(script: Callable[[Peer], Any]) -> None:
    async with RawServer(script) as server:
        with pytest.raises(httpx.HTTPError):
            await exchange(ConnectionTransport(), server)


# Whether the server takes it.


class PairRelay(Relay):
    """Spoils what was sent behind a statement.

    `manner` says how, from the second pair on when `trial` is False: the first is the trial.
    """

    def __init__(self, iris_url: str, manner: str = "", *, trial: bool = True) -> None:
        super().__init__(iris_url)
        self.manner = manner
        self.pairs = 0
        self._trial = trial

    @property
    def sql(self) -> list[str]:
        """The statements that were passed on."""
        return [json.loads(body)["query"] for body in self.statements if body]

    async def serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request, or a pair."""
        request = await self.read_request(reader)
        behind = None
        with suppress(TimeoutError):
            # Both requests of a pair are written at once.
            async with asyncio.timeout(0.01):
                behind = await self.read_request(reader)
        if behind is None:
            writer.write(await self._answer(request))
            return True
        self.pairs += 1
        manner = self.manner if self._trial or self.pairs > 1 else ""
        if manner == "close":
            writer.write((await self._answer(request)).replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            return False
        if manner == "drop":
            writer.write(await self._answer(request))
            return False
        if manner == "swap":
            one, two = await self._answer(request), await self._answer(behind)
            writer.write(two + one)
        elif manner == "read first":
            two = await self._answer(behind)
            writer.write(await self._answer(request) + two)
        elif manner == "refuse read first":
            refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
            writer.write(refusal + await self._answer(request))
        elif manner == "cut both":
            await self._answer(request)
            return False
        else:
            writer.write(await self._answer(request) + await self._answer(behind))
        return True

    async def _answer(self, request: Request) -> bytes:
        answer = await self.forward(request)
        lines = [f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.multi_items() if name not in HOP]
        lines.append(f"Content-Length: {len(answer.content)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer.content


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edits_module, "SETTLE_SECONDS", (0.0, 0.02))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path, CELLS) as stage:
        yield stage


async def client_of(office: Office, **limits: Any) -> Client:
    client = await office.client(**limits)
    await client.atelier.encoding("USER")
    return client


def update(number: int, row_id: str, value: str, seen: str | None) -> dict[str, Any]:
    return {
        "changeId": f"change-{number:016}",
        "kind": "update",
        "rowId": row_id,
        "values": {"Name": value},
        "base": {"Name": seen},
    }


async def learned(client: Client) -> bool | None:
    """Wait until the trial in the background has ended."""
    async with asyncio.timeout(10):
        while client.atelier._sessions._tasks:
            await asyncio.gather(*client.atelier._sessions._tasks)
    return client.atelier.pipelined


def make_cells(stage: Stage, count: int) -> list[str]:
    for number in range(count):
        stage.sql("INSERT INTO Edit.Cell (Name) VALUES (?)", f"old {number}")
    ids = sorted(str(row[0]) for row in stage.sql("SELECT %ID FROM Edit.Cell WHERE Name LIKE 'old %'"))
    return sorted(ids, key=int)


async def test_save_takes_one_trip_once_the_server_is_known(stage: Stage) -> None:
    ids = make_cells(stage, 3)
    async with PairRelay(stage.iris.url) as relay:
        client = await client_of(Office(relay.url, stage.store, stage.settings, stage.commands))
        first = await client.save("Edit.Cell", [update(1, ids[0], "new 0", "old 0")])
        assert first[0]["outcome"] == "saved"
        assert await learned(client) is True
        pairs = relay.pairs
        relay.statements.clear()
        second = await client.save("Edit.Cell", [update(2, ids[1], "new 1", "old 1")])
        assert (second[0]["outcome"], second[0]["values"]["Name"]) == ("saved", "new 1")
        assert relay.pairs == pairs + 1
        assert [sql.split()[0] for sql in relay.sql] == ["UPDATE", "SELECT"]
        delete = {
            "changeId": "change-gone-00000001",
            "kind": "delete",
            "rowId": ids[2],
            "base": {"Name": "old 2"},
        }
        assert (await client.save("Edit.Cell", [delete]))[0]["outcome"] == "saved"
        assert relay.pairs == pairs + 2
        await client.close()


async def test_setting_turns_it_off(stage: Stage) -> None:
    ids = make_cells(stage, 2)
    async with PairRelay(stage.iris.url) as relay:
        office = Office(relay.url, stage.store, stage.settings, stage.commands)
        client = await client_of(office, pipelined=False)
        for number, row_id in enumerate(ids):
            await client.save("Edit.Cell", [update(number, row_id, "new", f"old {number}")])
        assert await learned(client) is False
        assert relay.pairs == 0
        await client.close()


@pytest.mark.parametrize("manner", ["close", "drop", "swap", "cut both"])
async def test_server_that_fails_the_trial_gets_no_pair_again(stage: Stage, manner: str) -> None:
    ids = make_cells(stage, 3)
    async with PairRelay(stage.iris.url, manner) as relay:
        client = await client_of(Office(relay.url, stage.store, stage.settings, stage.commands))
        for number, row_id in enumerate(ids):
            result = await client.save(
                "Edit.Cell", [update(number, row_id, f"new {number}", f"old {number}")]
            )
            assert result[0]["outcome"] == "saved"
            assert await learned(client) is not True
        assert not [sql for sql in relay.sql if sql.startswith("UPDATE")][len(ids) :]
        assert relay.pairs <= 3
        await client.close()


@pytest.mark.parametrize("manner", ["close", "drop", "swap", "read first", "refuse read first", "cut both"])
async def test_no_answer_is_false_where_a_pair_goes_wrong_later(stage: Stage, manner: str) -> None:
    ids = make_cells(stage, 12)
    async with PairRelay(stage.iris.url, manner, trial=False) as relay:
        client = await client_of(Office(relay.url, stage.store, stage.settings, stage.commands))
        await client.save("Edit.Cell", [update(0, ids[0], "new 0", "old 0")])
        assert await learned(client) is True
        relay.statements.clear()
        outcomes = []
        for number, row_id in enumerate(ids[1:], 1):
            # Every third meets somebody else's value, and every fourth a row that is gone.
            meant = "saved"
            if number % 3 == 0:
                stage.sql("UPDATE Edit.Cell SET Name = ? WHERE %ID = ?", "theirs", int(row_id))
                meant = "conflict"
            elif number % 4 == 0:
                stage.sql("DELETE FROM Edit.Cell WHERE %ID = ?", int(row_id))
                meant = "gone"
            result = await client.save(
                "Edit.Cell", [update(number, row_id, f"new {number}", f"old {number}")]
            )
            outcomes.append((result[0]["outcome"], meant))
        # A connection that breaks before any answer leaves the change in doubt, which a read may settle.
        assert all(told in {meant, "unknown"} for told, meant in outcomes), outcomes
        assert sum(told == "unknown" for told, _ in outcomes) <= 3, outcomes
        writes = Counter(sql.split()[0] for sql in relay.sql)["UPDATE"]
        assert writes == len(ids) - 1
        held = dict(stage.sql("SELECT %ID, Name FROM Edit.Cell"))
        for number, row_id in enumerate(ids[1:], 1):
            assert held.get(int(row_id)) in ({"theirs"} if number % 3 == 0 else {f"new {number}", None})
        assert len(relay.sql) <= 3 * writes + 10
        await client.close()


async def test_check_says_whether_it_is_used(stage: Stage) -> None:
    client = AtelierClient(Target(stage.iris.url), Credentials("_SYSTEM", SecretStr("SYS")), limits=Limits())
    await client.server_info()
    await client.learn_pipelining("USER")
    assert client.pipelined is True
    await client.close()
