"""Faults as a client meets them."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from iris_quart.demo import DemoServer, FaultRule
from iris_quart.demo.http.faults import Faults

if TYPE_CHECKING:
    from tests.demo.conftest import Api

INSERT = "INSERT INTO Note (Number, Text) VALUES (1, 'a')"


async def count(api: Api) -> int:
    """Count the notes there are."""
    [row] = await api.rows("SELECT COUNT(*) AS n FROM Note")
    return int(row["n"])


def raw_query(server: DemoServer, cookie: str, sql: str) -> tuple[bytes, type[Exception] | None]:
    """Post a statement over a bare socket; give what came and the error that ended it."""
    body = f'{{"query": "{sql}"}}'.encode()
    head = (
        f"POST /api/atelier/v1/USER/action/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Cookie: {cookie}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()
    received = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(head + body)
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except OSError as error:
            return received, type(error)
    return received, None


def cookie_of(api: Api) -> str:
    """Write the client's cookies as a header."""
    return "; ".join(f"{name}={value}" for name, value in api.client.cookies.items())


@pytest.mark.parametrize(("kind", "applied", "ending"), [
    ("reset_before", 0, ConnectionResetError), ("close_before", 0, None),
    ("reset_after", 1, ConnectionResetError), ("close_after", 1, None),
])  # fmt: skip
async def test_connections_end_before_and_after(
    server: DemoServer, notes: Api, kind: str, applied: int, ending: type[Exception] | None
) -> None:
    server.add_fault(FaultRule(kind, sql="INSERT", times=1))  # type: ignore[arg-type]
    received, error = await asyncio.to_thread(raw_query, server, cookie_of(notes), INSERT)
    assert (received, error) == (b"", ending)
    assert server.log[-1].status is None
    assert server.log[-1].applied is bool(applied)
    assert await count(notes) == applied


async def test_reset_in_the_middle_of_the_body(server: DemoServer, notes: Api) -> None:
    server.add_fault(FaultRule("reset_mid_body", sql="INSERT", times=1))
    received, error = await asyncio.to_thread(raw_query, server, cookie_of(notes), INSERT)
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert 0 < len(body) < int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert error is ConnectionResetError
    assert await count(notes) == 1


async def test_late_statement_applies_after_the_client_was_cut_off(server: DemoServer, notes: Api) -> None:
    server.add_fault(FaultRule("late", sql="INSERT", times=1, delay=0.3))
    _, error = await asyncio.to_thread(raw_query, server, cookie_of(notes), INSERT)
    assert error is ConnectionResetError
    assert await count(notes) == 0
    await server.settled()
    assert await count(notes) == 1


async def test_latency_outlives_the_client(server: DemoServer, notes: Api) -> None:
    server.add_fault(FaultRule("latency", sql="INSERT", times=1, delay=0.3))
    with pytest.raises(httpx.ReadTimeout):
        await notes.client.post(
            "/api/atelier/v1/USER/action/query", json={"query": INSERT}, timeout=httpx.Timeout(5, read=0.1)
        )
    assert not server.log[-1].applied
    assert await count(notes) == 1  # the session lets the count through only after the insert


async def test_hang_never_answers(server: DemoServer, notes: Api) -> None:
    server.add_fault(FaultRule("hang", times=1))
    with pytest.raises(httpx.ReadTimeout):
        await notes.client.get("/api/atelier/", timeout=httpx.Timeout(5, read=0.2))
    assert (await notes.client.get("/api/atelier/")).status_code == 200


@pytest.mark.parametrize(("rule", "status", "applied"), [
    (FaultRule("forbidden", times=1), 403, 0), (FaultRule("status", times=1), 500, 0),
    (FaultRule("status", status=503, times=1), 503, 0), (FaultRule("licence", times=1), 503, 0),
    (FaultRule("redirect", times=1), 302, 0), (FaultRule("html", times=1), 200, 0),
    (FaultRule("unauthorized", times=1), 401, 0), (FaultRule("status_after", times=1), 504, 1),
])  # fmt: skip
async def test_answers_that_are_not_json(
    server: DemoServer, notes: Api, rule: FaultRule, status: int, applied: int
) -> None:
    server.add_fault(rule)
    response = await notes.query(INSERT)
    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")
    assert await count(notes) == applied
    assert rule.struck == 1


async def test_unauthorized_and_cookie_loss_end_the_session(server: DemoServer, notes: Api) -> None:
    async with httpx.AsyncClient(base_url=server.url, cookies=notes.client.cookies) as cookie_only:
        server.add_fault(FaultRule("cookie_loss", times=1))
        assert (await cookie_only.get("/api/atelier/")).status_code == 401
        assert (await cookie_only.get("/api/atelier/")).status_code == 401
    response = await notes.client.get("/api/atelier/")
    assert response.status_code == 200
    assert "set-cookie" in response.headers
    server.add_fault(FaultRule("unauthorized", times=1))
    assert (await notes.client.get("/api/atelier/", auth=None)).status_code == 401
    assert (await notes.client.get("/api/atelier/", auth=None)).status_code == 401


async def test_forced_sqlcode_applies_nothing(server: DemoServer, notes: Api) -> None:
    server.add_fault(FaultRule("sqlcode", sql="INSERT", times=1, sqlcode=-110, text="Unable to acquire lock"))
    answer = (await notes.query(INSERT)).json()
    assert "SQLCODE: -110 Message: Unable to acquire lock" in answer["status"]["errors"][0]["error"]
    assert await count(notes) == 0


async def test_truncated_json_is_whole_http(server: DemoServer, notes: Api) -> None:
    server.add_fault(FaultRule("truncated", times=1))
    response = await notes.query("SELECT 1 AS a")
    assert response.headers["content-type"].startswith("application/json")
    with pytest.raises(ValueError, match=r".+"):
        response.json()


async def test_drip_comes_byte_by_byte(server: DemoServer, notes: Api) -> None:
    server.add_fault(FaultRule("drip", times=1, delay=0.001))
    started = time.monotonic()
    response = await notes.query("SELECT 1 AS a")
    assert response.json()["result"] == {"content": [{"a": 1}]}
    assert time.monotonic() - started >= 0.001 * len(response.content)


async def test_huge_body_has_the_size_ordered(server: DemoServer, notes: Api) -> None:
    server.add_fault(FaultRule("huge", times=1, size=3_000_000))
    answer = (await notes.query("SELECT 1 AS a")).json()
    assert len(answer["result"]["content"][0]["filler"]) == 3_000_000


async def test_wrong_content_type_and_encoding(server: DemoServer, notes: Api) -> None:
    server.add_fault(FaultRule("content_type", times=1))
    assert (await notes.query("SELECT 1 AS a")).headers["content-type"].startswith("text/plain")
    server.add_fault(FaultRule("content_encoding", times=1))
    with pytest.raises(httpx.DecodingError):
        await notes.query("SELECT 1 AS a")


async def test_cleared_faults_strike_no_more(server: DemoServer, notes: Api) -> None:
    server.add_fault(FaultRule("status"))
    server.clear_faults()
    assert (await notes.query("SELECT 1 AS a")).status_code == 200


def test_rules_match_path_and_statement() -> None:
    rule = FaultRule("status", path=r"/v1/USER/", sql=r"^update\b")
    assert rule.strikes("/api/atelier/v1/USER/action/query?", "UPDATE t SET a = 1")
    assert not rule.strikes("/api/atelier/v1/USER/action/query?", "SELECT 1")
    assert not rule.strikes("/api/atelier/v1/USER/action/query?", None)
    assert not rule.strikes("/api/atelier/v1/SAMPLES/action/query?", "UPDATE t SET a = 1")


def test_times_and_probability_with_a_seed_repeat() -> None:
    strikes = [FaultRule("status", probability=0.3, seed=7).strikes("/", None) for _ in range(2)]
    assert strikes[0] == strikes[1]

    def pattern(seed: int) -> list[bool]:
        rule = FaultRule("status", probability=0.3, seed=seed, times=20)
        return [rule.strikes("/", None) for _ in range(200)]

    assert pattern(7) == pattern(7)
    assert pattern(7) != pattern(8)
    assert sum(pattern(7)) == 20


def test_several_rules_strike_one_request() -> None:
    faults = Faults()
    faults.add(FaultRule("latency", delay=0.1))
    faults.add(FaultRule("truncated"))
    struck = faults.strike("/", None)
    assert struck.get("latency")
    assert struck.get("truncated")
    assert struck.before_sign_in() is None


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        FaultRule("earthquake")  # type: ignore[arg-type]
