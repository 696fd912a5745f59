"""An account has few sessions: forgotten ones make room, and those in use are not taken away."""

from __future__ import annotations

import asyncio

import pytest

from .conftest import Start
from .servers import Person

pytestmark = pytest.mark.live

CONNECT = {"server": "demo", "namespace": "SAMPLES", "username": "_SYSTEM", "password": "SYS"}


async def test_a_forgotten_session_ends_for_a_new_one(start: Start) -> None:
    server = await asyncio.to_thread(
        lambda: start(own=True, workers=2, sessions_per_account=2, session_idle_seconds=8)
    )
    async with (
        server.person() as forgetful,
        server.person() as working,
        server.person("alice", "alice") as other,
        forgetful.socket() as forgotten,
        working.socket() as used,
        server.person(signed_in=False) as newcomer,
    ):
        refused = await newcomer.http.post("/api/connect", json=CONNECT)
        assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
        assert "Sign out of one of them" in refused.json()["error"]
        assert int(refused.headers["Retry-After"]) <= 2

        async def admitted(person: Person) -> None:
            while (await person.http.post("/api/connect", json=CONNECT)).status_code != 200:
                await used.ask("getServerList")
                await asyncio.sleep(0.1)

        async with asyncio.timeout(8):
            await admitted(newcomer)
        await forgotten.heard("sessionExpired")
        await forgotten.closed(4002)
        await used.ask("getSession")
        async with newcomer.socket() as socket:
            await socket.ask("getSession")
        async with other.socket() as socket:
            await socket.ask("getSession")
