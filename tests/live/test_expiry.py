"""Sessions end everywhere, in time, and not while they are used."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from .servers import Closed, Person, WebServer

pytestmark = pytest.mark.live

IDLE = 3.0
LATE = 4.0
"""A socket is promised to hear of a deadline within a second; a machine that is busy else may take longer."""
SIGNED_OUT_SECONDS = 2.5
"""Half a second is promised from one worker to another (SQLite); five times that is room for a busy machine."""


@pytest.fixture(scope="module")
def server_settings() -> dict[str, Any]:
    return {"session_idle_seconds": IDLE, "session_absolute_seconds": 6, "workers": 2}


async def test_idle_sockets_hear_of_it_within_a_second(server: WebServer) -> None:
    async with server.person() as person:
        begun = time.monotonic()
        async with person.socket() as a, person.socket() as b:
            for socket in (a, b):
                assert await socket.heard("sessionExpired") == {}
                assert await socket.closed(4002) == "Session Expired"
            assert IDLE - 0.5 <= time.monotonic() - begun < IDLE + LATE
        async with person.socket() as late:
            await late.closed(4001)


async def test_a_warning_comes_once_before_the_end(server: WebServer) -> None:
    async with server.person() as person, person.socket() as socket:
        warning = await socket.heard("sessionExpiring")
        assert 0 <= warning["secondsLeft"] <= IDLE / 5 + 1
        await socket.closed(4002)
        assert [event["event"] for event in socket.pushed] == ["sessionExpired"]


async def test_commands_slide_the_deadline_in_all_workers_until_the_absolute_one(server: WebServer) -> None:
    async with server.person() as person:
        begun = time.monotonic()
        async with person.socket() as busy, person.socket() as idle, person.socket() as idle_too:
            while time.monotonic() - begun < IDLE + 1:
                await busy.ask("getServerList")
                await asyncio.sleep(0.25)
            left = await idle.ask("getSession")
            assert left["idleSecondsLeft"] > 1
            await idle_too.ask("getSession")
            await busy.closed(4002)
            # The session was made a little before the answer to its sign-in came.
            assert 5.0 <= time.monotonic() - begun < 6 + LATE - 1


async def test_get_session_and_background_commands_do_not_slide(server: WebServer) -> None:
    async with server.person() as person:
        begun = time.monotonic()
        async with person.socket() as socket:
            with pytest.raises(Closed, match="4002"):
                while time.monotonic() - begun < 5:
                    await socket.ask("getSession")
                    await socket.ask("getServerList", background=True)
                    await asyncio.sleep(0.2)
        assert time.monotonic() - begun < IDLE + LATE


async def test_signing_out_reaches_sockets_of_all_workers_at_once(server: WebServer) -> None:
    async with server.person() as person, person.socket() as a, person.socket() as b, person.socket() as c:
        for socket in (a, b, c):
            await socket.ask("getSession")
        await person.sign_out()
        begun = time.monotonic()
        await asyncio.gather(*(socket.closed(4002) for socket in (a, b, c)))
        assert time.monotonic() - begun < SIGNED_OUT_SECONDS
        for socket in (a, b, c):
            assert socket.pushed == [{"event": "sessionExpired", "payload": {}}]


async def test_a_second_sign_in_ends_the_first(person: Person) -> None:
    async with person.socket() as first:
        await first.ask("getSession")
        await person.sign_in("alice", "alice")
        await first.closed(4002)
        async with person.socket() as second:
            assert (await second.ask("getSession"))["user"] == "alice"


async def test_a_command_after_the_end_is_not_run(server: WebServer) -> None:
    async with server.person() as person, person.socket() as a, person.socket() as b:
        await asyncio.gather(a.ask("getSession"), b.ask("getSession"))
        await person.sign_out()
        await a.closed(4002)
        with pytest.raises(Closed, match="4002"):
            await b.ask("getServerList")
            await b.ask("getServerList", id="after")


async def test_a_ticket_is_good_once_across_workers(server: WebServer) -> None:
    async with server.person() as person:
        query = f"?token={await person.ticket()}"

        async def attempt() -> bool:
            async with person.socket(cookies=False, query=query) as socket:
                try:
                    await socket.ask("getSession")
                except Closed:
                    return False
                return True

        assert sum(await asyncio.gather(*(attempt() for _ in range(6)))) == 1
