"""The client against the embedded IRIS over real HTTP: sessions, licences, prefixes, errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from iris_quart.atelier import AtelierClient, Credentials, Limits, Target
from iris_quart.demo import DemoOptions, DemoServer, FaultRule
from iris_quart.errors import (
    AccessDenied,
    AuthFailed,
    ColumnNotFound,
    ConnectionTimeout,
    LicenseLimit,
    NamespaceNotFound,
    TableNotFound,
)


@pytest.fixture
async def iris(tmp_path: Path) -> AsyncIterator[DemoServer]:
    async with DemoServer(DemoOptions(directory=tmp_path / "iris", licences=2, prefix="/dev/iris")) as server:
        yield server


def client_of(
    iris: DemoServer, user: str = "_SYSTEM", password: str = "SYS", limits: Limits | None = None
) -> AtelierClient:
    target = Target(iris.url)
    return AtelierClient(target, Credentials(user, SecretStr(password)), limits=limits or Limits())


async def test_statements_in_every_namespace_below_a_prefix(iris: DemoServer) -> None:
    client = client_of(iris)
    info = await client.server_info()
    assert set(info.namespaces) >= {"%SYS", "USER", "SAMPLES"}
    for namespace in info.namespaces:
        reply = await client.query(
            namespace, "SELECT CAST(? AS BIGINT) AS n, CAST(1.5 AS NUMERIC(5,1)) AS d", [2**62]
        )
        assert reply.rows == [{"n": 2**62, "d": Decimal("1.5")}]
    assert {record.path for record in iris.log} >= {"/dev/iris/api/atelier/"}
    await client.close()
    assert len(iris.app.sessions) == 0


async def test_many_statements_at_once_hold_few_licences(iris: DemoServer) -> None:
    client = client_of(iris, limits=Limits(sessions=8))
    replies = await asyncio.gather(*(client.query("USER", "SELECT 1 AS n") for _ in range(30)))
    assert all(reply.rows == [{"n": 1}] for reply in replies)
    assert client.open_sessions <= 2
    other = client_of(iris, "alice", "alice")
    if client.open_sessions == 2:
        with pytest.raises(LicenseLimit):
            await other.server_info()
    await client.close()
    await other.server_info()
    await other.close()


async def test_a_session_that_is_busy_at_the_close_is_signed_out_once_it_is_not(
    iris: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever closes waits for a bounded time only, but no licence is left behind."""
    monkeypatch.setattr("iris_quart.atelier.client.CLOSE_SECONDS", 0.1)
    client = client_of(iris)
    await client.query("USER", "SELECT 1 AS n")
    rule = iris.add_fault(FaultRule("latency", sql="SELECT 2", delay=1.0))
    slow = asyncio.create_task(client.query("USER", "SELECT 2 AS n"))
    async with asyncio.timeout(5):
        while not rule.struck:
            await asyncio.sleep(0.01)
    async with asyncio.timeout(0.8):
        await client.close()
    assert len(iris.app.sessions) == 1
    assert (await slow).rows == [{"n": 2}]
    async with asyncio.timeout(5):
        while len(iris.app.sessions):
            await asyncio.sleep(0.01)


async def test_restart_of_iris_is_not_noticed(iris: DemoServer) -> None:
    client = client_of(iris)
    await client.query("USER", "SELECT 1 AS n")
    iris.end_sessions()
    assert (await client.query("USER", "SELECT 2 AS n", write=True)).rows == [{"n": 2}]
    await client.close()


async def test_errors_of_iris_are_ours(iris: DemoServer) -> None:
    client = client_of(iris)
    with pytest.raises(TableNotFound) as table:
        await client.query("USER", "SELECT * FROM No.Such")
    assert table.value.sqlcode == -30
    with pytest.raises(ColumnNotFound):
        await client.query("SAMPLES", "SELECT Nope FROM Sample.Person")
    with pytest.raises(NamespaceNotFound):
        await client.query("NOWHERE", "SELECT 1")
    await client.close()


async def test_refused_users(iris: DemoServer) -> None:
    for user, password, error in (("_SYSTEM", "wrong", AuthFailed), ("nodev", "nodev", AccessDenied)):
        client = client_of(iris, user, password)
        with pytest.raises(error):
            await client.server_info()
        await client.close()


@pytest.mark.parametrize(
    "kind", ["reset_before", "reset_after", "close_before", "close_after", "reset_mid_body"]
)
async def test_read_survives_a_broken_connection(iris: DemoServer, kind: str) -> None:
    client = client_of(iris)
    rule = iris.add_fault(FaultRule(kind, sql="^SELECT", times=1))  # type: ignore[arg-type]
    assert (await client.query("USER", "SELECT 1 AS n")).rows == [{"n": 1}]
    assert rule.struck == 1
    await client.close()


async def test_dripping_answer_ends_with_the_deadline(iris: DemoServer) -> None:
    client = client_of(iris, limits=Limits(request_seconds=0.5))
    iris.add_fault(FaultRule("drip", sql="^SELECT", times=1, delay=0.05))
    with pytest.raises(ConnectionTimeout):
        await client.query("USER", "SELECT 1 AS n")
    await client.close()
