"""The client's manners: sign in once, cookies after, few sessions, nothing sent twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from iris_quart.atelier import AtelierClient, Credentials, Limits, Target
from iris_quart.atelier.request_count import tally_requests
from iris_quart.errors import (
    AccessDenied,
    AuthExpired,
    AuthFailed,
    ConnectionFailed,
    ConnectionTimeout,
    InvalidResponse,
    LicenseLimit,
    ServerUnreachable,
    UpstreamError,
)
from tests.atelier.exchanges import MockExchange
from tests.atelier.irislike import IrisLike
from tests.atelier.raw import (
    Peer,
    RawServer,
    Script,
    answers,
    answers_then_closes,
    answers_then_resets,
    silent,
)

ENVELOPE = b'{"status":{"errors":[],"summary":""},"console":[],"result":{"content":[{"a":1}]}}'
GOOD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ENVELOPE)
    + ENVELOPE
)


def make_client(
    iris: IrisLike, *, limits: Limits | None = None, password: str = "alice", signed_in: bool = False
) -> AtelierClient:
    return AtelierClient(
        Target("http://iris:52773"),
        Credentials("alice", SecretStr(password)),
        limits=limits or Limits(),
        make_exchange=iris.exchange,
        signed_in=signed_in,
    )


@pytest.fixture
def iris() -> IrisLike:
    return IrisLike()


@asynccontextmanager
async def raw_client(server: RawServer, **limits: float) -> AsyncIterator[AtelierClient]:
    client = AtelierClient(
        Target(server.url),
        Credentials("alice", SecretStr("alice")),
        limits=Limits(**limits),  # type: ignore[arg-type]
    )
    try:
        yield client
    finally:
        await client.close()


async def test_basic_once_then_the_cookie_alone(iris: IrisLike) -> None:
    client = make_client(iris)
    for _ in range(3):
        await client.query("USER", "SELECT 1")
    assert [entry[2:] for entry in iris.log] == [(None, True), ("00001-x", False), ("00001-x", False)]
    assert client.open_sessions == 1
    await client.close()
    assert iris.log[-1][:2] == ("HEAD", "/api/atelier/?CacheLogout=end")
    assert iris.sessions == set()
    assert client.round_trips == len(iris.log) == 4
    assert client.open_sessions == 0


async def test_server_info(iris: IrisLike) -> None:
    client = make_client(iris)
    info = await client.server_info()
    assert info.release == (2025, 3)
    assert info.api == 8
    assert info.namespaces == ("%SYS", "USER")
    await client.close()


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("IRIS for Windows (x86-64) 2023.1.2 (Build 450U) Mon Oct 16 2023", (2023, 1)),
        ("Cache for UNIX (Apple Mac OS X for x86-64) 2018.1.4 (Build 505)", (2018, 1)),
        ("something else", (0, 0)),
        (None, (0, 0)),
    ],
)
async def test_release_is_read_from_the_version(
    iris: IrisLike, version: str | None, release: tuple[int, int]
) -> None:
    async def handle(request: httpx.Request) -> httpx.Response:
        named = {} if version is None else {"version": version}
        return IrisLike.answer({"content": named | {"api": 1, "namespaces": []}}, [])

    client = AtelierClient(
        Target("http://iris"),
        Credentials("a", SecretStr("b")),
        limits=Limits(),
        make_exchange=lambda: MockExchange(handle),
    )
    assert (await client.server_info()).release == release


@pytest.mark.parametrize(
    "content", [None, [], {}, {"version": 1, "api": 8, "namespaces": []}, {"version": "x"}]
)
async def test_root_that_is_not_iris(content: Any) -> None:
    async def handle(request: httpx.Request) -> httpx.Response:
        return IrisLike.answer({"content": content}, [])

    client = AtelierClient(
        Target("http://iris"),
        Credentials("a", SecretStr("b")),
        limits=Limits(),
        make_exchange=lambda: MockExchange(handle),
    )
    with pytest.raises(InvalidResponse):
        await client.server_info()


async def test_statement_and_parameters_travel_exactly(iris: IrisLike) -> None:
    client = make_client(iris)
    await client.query("USER", "SELECT ?", ['ä\u0000"', 2**62, Decimal("1.50"), 0.1, ""])
    assert iris.statements == [
        {"query": "SELECT ?", "parameters": ['ä\u0000"', 2**62, 1.5, 0.1, ""]},
    ]
    await client.close()


# Credentials.


async def test_wrong_password_is_told_and_not_tried_again(iris: IrisLike) -> None:
    client = make_client(iris, password="wrong")
    with pytest.raises(AuthFailed) as caught:
        await client.server_info()
    assert type(caught.value) is AuthFailed
    assert caught.value.maybe_executed is False
    with pytest.raises(AuthFailed):
        await client.query("USER", "SELECT 1")
    assert len(iris.log) == 1
    await client.close()


@pytest.mark.parametrize("write", [False, True])
async def test_ended_iris_session_is_opened_anew_once(iris: IrisLike, write: bool) -> None:
    client = make_client(iris)
    await client.query("USER", "SELECT 1")
    iris.sessions.clear()
    await client.query("USER", "UPDATE x", write=write)
    assert [entry[2:] for entry in iris.log] == [(None, True), ("00001-x", False), (None, True)]
    assert len(iris.statements) == 2
    await client.close()


async def test_requests_are_counted_for_the_work_they_are_sent_for(iris: IrisLike) -> None:
    client = make_client(iris)

    async def work(statements: int) -> int:
        tally = tally_requests()
        await asyncio.gather(*(client.query("USER", "SELECT 1") for _ in range(statements)))
        return tally.requests

    first, second = await asyncio.gather(work(2), work(3))
    assert (first, second) == (2, 3)
    iris.sessions.clear()
    assert await work(1) == 2, "refused with the old cookie, and sent again"
    await client.close()


async def test_changed_password_ends_the_client(iris: IrisLike) -> None:
    client = make_client(iris)
    await client.query("USER", "SELECT 1")
    iris.sessions.clear()
    iris.authorization = "Basic other"
    with pytest.raises(AuthExpired) as caught:
        await client.query("USER", "SELECT 1")
    assert caught.value.recoverable is False
    sent = len(iris.log)
    assert sent == 3
    with pytest.raises(AuthExpired):
        await client.server_info()
    assert len(iris.log) == sent
    await client.close()


async def test_restored_session_whose_password_changed_is_expired(iris: IrisLike) -> None:
    client = make_client(iris, password="old", signed_in=True)
    with pytest.raises(AuthExpired):
        await client.server_info()


async def test_missing_privilege_is_told(iris: IrisLike) -> None:
    async def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(403, text="Forbidden")

    client = AtelierClient(
        Target("http://iris"),
        Credentials("a", SecretStr("b")),
        limits=Limits(),
        make_exchange=lambda: MockExchange(handle),
    )
    with pytest.raises(AccessDenied):
        await client.server_info()


async def test_password_is_in_no_representation(iris: IrisLike) -> None:
    credentials = Credentials("alice", SecretStr("canary-7"))
    assert "canary-7" not in repr(credentials)


async def test_cookies_of_two_clients_never_mix(iris: IrisLike) -> None:
    clients = [make_client(iris) for _ in range(20)]
    await asyncio.gather(*(client.query("USER", "SELECT 1") for client in clients for _ in range(5)))
    await asyncio.gather(*(client.close() for client in clients))
    assert iris.sessions == set()
    assert iris.most_in_flight == 1
    assert iris.made <= 40


async def test_cookie_that_the_server_deletes_is_not_sent() -> None:
    sent: list[str | None] = []
    headers = iter(
        [
            [
                ("Set-Cookie", "a=1; path=/"),
                ("Set-Cookie", "b=2"),
                ("Set-Cookie", "bad"),
                ("Set-Cookie", "=x"),
            ],
            [("Set-Cookie", "a=; Max-Age=0"), ("Set-Cookie", "c=3=4; expires=Thu, 01 Jan 2099 00:00:00 GMT")],
            [
                ("Set-Cookie", "b=; expires=Thu, 01 Jan 1970 00:00:00 GMT"),
                ("Set-Cookie", "d=5; expires=nonsense"),
            ],
            [("Set-Cookie", f"x{number}=1") for number in range(50)],
            [],
        ]
    )

    async def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("cookie"))
        return IrisLike.answer({"content": []}, next(headers))

    client = AtelierClient(
        Target("http://iris"),
        Credentials("a", SecretStr("b")),
        limits=Limits(),
        make_exchange=lambda: MockExchange(handle),
    )
    for _ in range(5):
        await client.query("USER", "SELECT 1")
    assert sent[:4] == [None, "a=1; b=2", "b=2; c=3=4", "c=3=4; d=5"]
    assert sent[4] is not None
    assert sent[4].count("=1") == 18


# Which session.


async def test_at_most_so_many_sessions_one_request_each(iris: IrisLike) -> None:
    client = make_client(iris, limits=Limits(sessions=2))
    await asyncio.gather(*(client.query("USER", f"SELECT {number}") for number in range(20)))
    assert len(iris.statements) == 20
    assert iris.made == 2
    assert iris.most_in_flight == 1
    await client.close()


async def test_one_after_the_other_needs_one_session(iris: IrisLike) -> None:
    client = make_client(iris, limits=Limits(sessions=4))
    for _ in range(10):
        await client.query("USER", "SELECT 1")
    assert iris.made == 1
    await client.close()


async def test_writes_go_before_waiting_reads_and_in_order(iris: IrisLike) -> None:
    gate = asyncio.Event()

    async def before(statement: dict[str, Any]) -> None:
        await gate.wait()

    iris.before = before
    client = make_client(iris, limits=Limits(sessions=1))
    tasks = [
        asyncio.create_task(client.query("USER", name, write=name.startswith("W")))
        for name in ("first", "R1", "R2", "W1", "W2")
    ]
    while not iris.statements:
        await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*tasks)
    assert [statement["query"] for statement in iris.statements] == ["first", "W1", "W2", "R1", "R2"]
    await client.close()


async def test_background_reads_leave_a_session_free(iris: IrisLike) -> None:
    gate = asyncio.Event()

    async def before(statement: dict[str, Any]) -> None:
        if statement["query"].startswith("COUNT"):
            await gate.wait()

    iris.before = before
    client = make_client(iris, limits=Limits(sessions=2))
    counts = [
        asyncio.create_task(client.query("USER", f"COUNT {number}", background=True)) for number in range(3)
    ]
    async with asyncio.timeout(2):
        await client.query("USER", "SELECT 1")
        await client.query("USER", "SELECT 2")
    gate.set()
    await asyncio.gather(*counts)
    assert len(iris.statements) == 5
    await client.close()


async def test_single_session_takes_background_reads_too(iris: IrisLike) -> None:
    client = make_client(iris, limits=Limits(sessions=1))
    await client.query("USER", "COUNT", background=True)
    await client.close()


async def test_missing_licence_makes_do_with_the_sessions_there_are() -> None:
    iris = IrisLike(licences=1)
    client = make_client(iris, limits=Limits(sessions=4))
    await client.query("USER", "SELECT 1")
    replies = await asyncio.gather(*(client.query("USER", "UPDATE x", write=True) for _ in range(8)))
    assert len(replies) == 8
    assert len(iris.statements) == 9
    assert iris.made == 1
    await client.close()


async def test_missing_licence_for_the_first_session_is_told() -> None:
    client = make_client(IrisLike(licences=0))
    with pytest.raises(LicenseLimit):
        await client.server_info()


async def test_waiting_ends_with_the_deadline_and_is_surely_not_sent(iris: IrisLike) -> None:
    gate = asyncio.Event()

    async def before(statement: dict[str, Any]) -> None:
        await gate.wait()

    iris.before = before
    client = make_client(iris, limits=Limits(sessions=1))
    first = asyncio.create_task(client.query("USER", "first"))
    while not iris.statements:
        await asyncio.sleep(0)
    with pytest.raises(ConnectionTimeout) as caught:
        await client.query("USER", "UPDATE", write=True, timeout=0.05)
    assert caught.value.maybe_executed is False
    gate.set()
    await first
    assert len(iris.statements) == 1
    await client.query("USER", "SELECT 1")
    await client.close()


async def test_cancelled_waiter_loses_no_session(iris: IrisLike) -> None:
    gate = asyncio.Event()

    async def before(statement: dict[str, Any]) -> None:
        await gate.wait()

    iris.before = before
    client = make_client(iris, limits=Limits(sessions=1))
    first = asyncio.create_task(client.query("USER", "first"))
    waiters = [asyncio.create_task(client.query("USER", "never")) for _ in range(3)]
    while not iris.statements:
        await asyncio.sleep(0)
    gate.set()
    while not first.done():
        await asyncio.sleep(0)
    # The first waiter may already have been given its turn when it is cancelled.
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    async with asyncio.timeout(2):
        await client.query("USER", "SELECT 1")
    await client.close()


async def test_idle_session_is_given_back(iris: IrisLike) -> None:
    client = make_client(iris, limits=Limits(idle_seconds=0.05))
    await client.query("USER", "SELECT 1")
    async with asyncio.timeout(5):
        while iris.sessions:
            await asyncio.sleep(0.005)
    assert client.open_sessions == 0
    await client.query("USER", "SELECT 1")
    assert iris.made == 2
    await client.close()
    assert iris.sessions == set()


async def test_closed_client_sends_nothing(iris: IrisLike) -> None:
    client = make_client(iris)
    await client.close()
    with pytest.raises(ConnectionFailed) as caught:
        await client.query("USER", "SELECT 1")
    assert caught.value.maybe_executed is False
    assert iris.log == []


async def test_close_ends_those_that_wait_and_stays_bounded(iris: IrisLike) -> None:
    async def before(statement: dict[str, Any]) -> None:
        await asyncio.Event().wait()

    iris.before = before
    client = make_client(iris, limits=Limits(sessions=1))
    first = asyncio.create_task(client.query("USER", "first"))
    waiting = asyncio.create_task(client.query("USER", "second"))
    while not iris.statements:
        await asyncio.sleep(0)
    async with asyncio.timeout(6):
        await client.close()
    with pytest.raises(ConnectionFailed):
        await waiting
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


# Over real connections: what is sent again, and what never.


async def test_a_broken_read_is_repeated_on_a_new_connection_and_no_other_old_one() -> None:
    """What ended one idle connection, such as a web server's patience, has often ended them all."""
    both = asyncio.Event()

    async def once_then_reset(peer: Peer) -> None:
        await peer.request()
        if peer.server.connections == 2:
            both.set()
        # So that two connections are opened, and neither request goes over the other's.
        await both.wait()
        await peer.say(GOOD)
        await peer.request()
        peer.reset()

    server = RawServer(once_then_reset, once_then_reset, answers(GOOD))
    async with server, raw_client(server, sessions=2) as client:
        await asyncio.gather(*(client.query("USER", f"SELECT {number}") for number in range(2)))
        assert (await client.query("USER", "SELECT 3")).rows == [{"a": 1}]
        assert (server.connections, len(server.requests)) == (3, 4)


@pytest.mark.parametrize(
    "script", [answers_then_closes(), answers_then_resets(), answers_then_closes(GOOD[:-5])]
)
async def test_broken_read_is_repeated_once(script: Script) -> None:
    async with RawServer(script, answers_then_closes(GOOD)) as server, raw_client(server) as client:
        assert (await client.query("USER", "SELECT 1")).rows == [{"a": 1}]
        assert len(server.requests) == 2


async def test_read_that_breaks_twice_fails() -> None:
    async with RawServer(answers_then_resets()) as server, raw_client(server) as client:
        with pytest.raises(ConnectionFailed):
            await client.query("USER", "SELECT 1")
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    "script", [answers_then_closes(), answers_then_resets(), answers_then_closes(GOOD[:-5])]
)
async def test_broken_write_is_never_repeated(script: Script) -> None:
    async with RawServer(script, answers_then_closes(GOOD)) as server, raw_client(server) as client:
        with pytest.raises(ConnectionFailed) as caught:
            await client.query("USER", "UPDATE", write=True)
        assert caught.value.maybe_executed is True
        assert len(server.requests) == 1


async def test_late_write_may_be_executed() -> None:
    async with RawServer(silent) as server, raw_client(server) as client:
        with pytest.raises(ConnectionTimeout) as caught:
            await client.query("USER", "UPDATE", write=True, timeout=0.1)
        assert caught.value.maybe_executed is True
        assert len(server.requests) == 1


async def test_cancelled_write_may_be_executed() -> None:
    async with RawServer(silent) as server, raw_client(server) as client:
        task = asyncio.create_task(client.query("USER", "UPDATE", write=True))
        while not server.requests:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(ConnectionFailed) as caught:
            await task
        assert caught.value.maybe_executed is True


async def test_cancelled_read_is_cancelled_and_its_connection_gone() -> None:
    async with RawServer(silent, answers_then_closes(GOOD)) as server, raw_client(server) as client:
        task = asyncio.create_task(client.query("USER", "SELECT 1"))
        while not server.requests:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.ended.wait()
        assert (await client.query("USER", "SELECT 1")).rows == [{"a": 1}]
        assert server.connections == 2


async def test_unreachable_server_is_surely_not_sent() -> None:
    async with RawServer(silent) as server:
        url = server.url
    client = AtelierClient(Target(url), Credentials("a", SecretStr("b")), limits=Limits())
    with pytest.raises(ServerUnreachable) as caught:
        await client.query("USER", "UPDATE", write=True)
    assert caught.value.maybe_executed is False
    assert str(server.port) not in caught.value.message
    await client.close()


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (answers_then_closes(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nx"), InvalidResponse),
        (answers_then_closes(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000), InvalidResponse),
        (answers_then_closes(b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n"), InvalidResponse),
        (answers_then_closes(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>"), InvalidResponse),
        (
            answers_then_closes(b"HTTP/1.1 504 Timeout\r\nContent-Type: text/html\r\n\r\n<p>"),
            ConnectionTimeout,
        ),
    ],
)
async def test_strange_answers(script: Script, error: type[UpstreamError]) -> None:
    async with RawServer(script) as server, raw_client(server, body_bytes=100_000) as client:
        with pytest.raises(error):
            await client.query("USER", "SELECT 1")
        assert len(server.requests) == 1


def test_client_on_uvloop(uvloop_run: Callable[[object], None]) -> None:
    async def main() -> None:
        async with (
            RawServer(answers_then_resets(), answers_then_closes(GOOD)) as server,
            raw_client(server) as client,
        ):
            assert (await client.query("USER", "SELECT 1")).rows == [{"a": 1}]

    uvloop_run(main())
