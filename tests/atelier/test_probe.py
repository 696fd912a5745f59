"""The probe: asked once per server and user."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from iris_quart.atelier import AtelierClient, Credentials, Limits, Probes, Target
from iris_quart.errors import InvalidResponse
from iris_quart.sql.server_format import PROBE_SQL, TextForm
from tests.atelier.exchanges import MockExchange
from tests.atelier.irislike import IrisLike

ROW = {
    "null_value": "",
    "empty_value": "\u0000",
    "digits_value": "42",
    "date_value": 58073,
    "time_value": 45296,
    "big_value": 9223372036854775807,
    "numeric_value": 1.5,
    "double_value": 0.1,
}


class Server:
    def __init__(self, *contents: Any) -> None:
        self.contents = list(contents)
        self.asked: list[str] = []
        self.probes = Probes()

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.content.decode())
        await asyncio.sleep(0)
        return IrisLike.answer(
            {"content": self.contents.pop(0) if len(self.contents) > 1 else self.contents[0]}, []
        )

    def client(self, user: str = "alice", url: str = "http://iris") -> AtelierClient:
        return AtelierClient(
            Target(url),
            Credentials(user, SecretStr("x")),
            limits=Limits(),
            make_exchange=lambda: MockExchange(self.handle),
            probes=self.probes,
        )


async def test_one_probe_for_many_callers_and_clients() -> None:
    server = Server([ROW])
    clients = [server.client() for _ in range(3)]
    found = await asyncio.gather(*(client.encoding("USER") for client in clients for _ in range(3)))
    assert len({id(encoding) for encoding in found}) == 1
    assert found[0].empty is TextForm.ZERO
    assert len(server.asked) == 1
    assert "null_value" in server.asked[0]
    assert "null_value" in PROBE_SQL
    await clients[0].encoding("OTHER")
    assert len(server.asked) == 1


async def test_other_user_and_other_server_are_asked_themselves() -> None:
    server = Server([ROW])
    await server.client("alice").encoding("USER")
    await server.client("bob").encoding("USER")
    await server.client("alice", "http://other").encoding("USER")
    assert len(server.asked) == 3


async def test_another_application_asks_itself() -> None:
    server = Server([ROW])
    await server.client().encoding("USER")
    server.probes = Probes()
    await server.client().encoding("USER")
    assert len(server.asked) == 2


async def test_failure_is_not_remembered() -> None:
    server = Server([], [ROW])
    client = server.client()
    with pytest.raises(InvalidResponse):
        await client.encoding("USER")
    assert (await client.encoding("USER")).null is TextForm.BLANK
    assert len(server.asked) == 2


async def test_cancelled_caller_spoils_it_for_nobody() -> None:
    server = Server([ROW])
    client = server.client()
    first = asyncio.create_task(client.encoding("USER"))
    second = asyncio.create_task(client.encoding("USER"))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).null is TextForm.BLANK
    assert first.cancelled() or first.cancelling()
    assert len(server.asked) == 1
