"""Sign-in, cookies, licences, turns and time-out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from iris_quart.demo import DEMO_USERS, DemoOptions, DemoServer, FaultRule, TableGrants, User
from iris_quart.demo.http.csp_sessions import CspSessions, NoLicenceError

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """A clock a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


USER = User("alice", "alice")


async def test_cookies_are_named_after_the_port(server: DemoServer, client: httpx.AsyncClient) -> None:
    response = await client.get("/api/atelier/")
    name = f"CSPSESSIONID-SP-{server.port}-UP-api-atelier-"
    assert set(response.cookies) == {name, "CSPWSERVERID"}
    headers = [value.lower() for value in response.headers.get_list("set-cookie")]
    assert all(
        "path=/api/atelier/" in value and "httponly" in value and "samesite=strict" in value
        for value in headers
    )


async def test_the_cookie_alone_is_enough_and_is_not_sent_again(
    server: DemoServer, client: httpx.AsyncClient
) -> None:
    await client.head("/api/atelier/")
    async with httpx.AsyncClient(base_url=server.url, cookies=client.cookies) as cookie_only:
        response = await cookie_only.get("/api/atelier/")
    assert response.status_code == 200
    assert "set-cookie" not in response.headers
    assert len({record.session for record in server.log}) == 1


async def test_a_request_without_cookie_opens_another_session(server: DemoServer) -> None:
    for _ in range(3):
        async with httpx.AsyncClient(base_url=server.url, auth=("alice", "alice")) as client:
            await client.get("/api/atelier/")
    assert len(server.app.sessions) == 3


@pytest.mark.parametrize("auth", [None, ("_SYSTEM", "sys"), ("nobody", "SYS"), ("alice", ""), ("", "")])
async def test_wrong_credentials_are_401(server: DemoServer, auth: tuple[str, str] | None) -> None:
    async with httpx.AsyncClient(base_url=server.url, auth=auth) as client:
        response = await client.get("/api/atelier/")
    assert response.status_code == 401
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["www-authenticate"].startswith("Basic")
    assert "set-cookie" not in response.headers
    assert len(server.app.sessions) == 0


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Basic YWxpY2U=", "Bearer YWxpY2U6YWxpY2U=", "Basic /w=="]
)
async def test_broken_authorization_is_401(server: DemoServer, header: str) -> None:
    async with httpx.AsyncClient(base_url=server.url, headers={"Authorization": header}) as client:
        assert (await client.get("/api/atelier/")).status_code == 401


async def test_wrong_password_beside_a_good_cookie_is_401(client: httpx.AsyncClient) -> None:
    await client.get("/api/atelier/")
    assert (await client.get("/api/atelier/", auth=("_SYSTEM", "wrong"))).status_code == 401


async def test_user_names_are_taken_in_any_letter_case(server: DemoServer) -> None:
    async with httpx.AsyncClient(base_url=server.url, auth=("_system", "SYS")) as client:
        assert (await client.get("/api/atelier/")).status_code == 200


async def test_without_the_development_privilege_403(server: DemoServer) -> None:
    async with httpx.AsyncClient(base_url=server.url, auth=("nodev", "nodev")) as client:
        assert (await client.get("/api/atelier/")).status_code == 403
        assert (
            await client.post("/api/atelier/v1/USER/action/query", json={"query": "SELECT 1"})
        ).status_code == 403
    assert len(server.app.sessions) == 0


async def test_namespaces_of_others_are_hidden_and_forbidden(directory: Path) -> None:
    users = (*DEMO_USERS, User("ward", "ward", namespaces=frozenset({"HOSPITAL"})))
    async with (
        DemoServer(DemoOptions(directory=directory, users=users)) as server,
        httpx.AsyncClient(base_url=server.url, auth=("ward", "ward")) as client,
    ):
        content = (await client.get("/api/atelier/")).json()["result"]["content"]
        assert content["namespaces"] == ["HOSPITAL"]
        assert (await client.get("/api/atelier/v1/USER")).status_code == 403
        assert (await client.get("/api/atelier/v1/HOSPITAL")).status_code == 200


async def test_table_grants_are_checked_only_where_asked(directory: Path) -> None:
    grants = TableGrants(frozenset({("SELECT", "Ward.*"), ("UPDATE", "Ward.Patient")}))
    users = (User("reader", "reader", grants=grants),)
    statements = {
        "SELECT TOP 1 Room FROM Ward.Patient": True,
        "UPDATE Ward.Patient SET Room = 1 WHERE ID = 1": True,
        "UPDATE Ward.Doctor SET Pager = NULL WHERE ID = 1": False,
        "DELETE FROM Ward.Patient WHERE ID = 80": False,
    }
    for check_grants in (True, False):
        options = DemoOptions(directory=directory, users=users, check_grants=check_grants)
        async with (
            DemoServer(options) as server,
            httpx.AsyncClient(base_url=server.url, auth=("reader", "reader")) as client,
        ):
            for sql, granted in statements.items():
                response = await client.post("/api/atelier/v1/HOSPITAL/action/query", json={"query": sql})
                errors = response.json()["status"]["errors"]
                assert bool(errors) is (check_grants and not granted), sql
                assert (
                    not errors or "SQLCODE: -99 Message: User reader is not privileged" in errors[0]["error"]
                )


@pytest.mark.parametrize("flag", ["CacheLogout", "IRISLogout"])
async def test_logout_frees_the_licence(directory: Path, flag: str) -> None:
    async with (
        DemoServer(DemoOptions(directory=directory, licences=1)) as server,
        httpx.AsyncClient(base_url=server.url, auth=("alice", "alice")) as first,
        httpx.AsyncClient(base_url=server.url, auth=("alice", "alice")) as second,
    ):
        assert (await first.get("/api/atelier/")).status_code == 200
        refused = await second.get("/api/atelier/")
        assert refused.status_code == 503
        assert refused.headers["content-type"].startswith("text/html")
        assert (await first.head("/api/atelier/", params={flag: "end"})).status_code == 200
        assert (await second.get("/api/atelier/")).status_code == 200
        assert (await first.get("/api/atelier/", auth=None)).status_code == 401


async def test_requests_of_one_session_go_one_at_a_time(
    server: DemoServer, client: httpx.AsyncClient
) -> None:
    await client.head("/api/atelier/")
    server.add_fault(FaultRule("latency", sql="2 AS slow", delay=0.3))
    started = asyncio.get_running_loop().time()

    async def ask(sql: str, connection: httpx.AsyncClient) -> float:
        await connection.post("/api/atelier/v1/USER/action/query", json={"query": sql})
        return asyncio.get_running_loop().time() - started

    async with httpx.AsyncClient(base_url=server.url, auth=("alice", "alice")) as other:
        slow = asyncio.create_task(ask("SELECT 2 AS slow", client))
        while not any(record.sql == "SELECT 2 AS slow" for record in server.log):
            await asyncio.sleep(0)
        same, apart = await asyncio.gather(ask("SELECT 1 AS quick", client), ask("SELECT 1 AS quick", other))
        await slow
    assert apart < 0.3 <= same


def test_a_session_ends_after_its_time_out_unless_in_use() -> None:
    clock = Clock()
    sessions = CspSessions(None, 900.0, clock=clock)
    idle, busy = sessions.open(USER), sessions.open(USER)
    busy.in_use = 1
    clock.now += 900.0
    assert len(sessions) == 2
    clock.now += 0.1
    assert len(sessions) == 1
    assert sessions.find(f"{sessions.cookie_name}={idle.id}") is None
    assert sessions.find(f"{sessions.cookie_name}={busy.id}") is busy


def test_use_slides_the_time_out() -> None:
    clock = Clock()
    sessions = CspSessions(None, 900.0, clock=clock)
    session = sessions.open(USER)
    clock.now += 800.0
    sessions.touch(session)
    clock.now += 800.0
    assert len(sessions) == 1


def test_an_ended_session_keeps_its_licence_for_the_grace_time() -> None:
    clock = Clock()
    sessions = CspSessions(1, 900.0, grace=10.0, clock=clock)
    sessions.end(sessions.open(USER))
    with pytest.raises(NoLicenceError):
        sessions.open(USER)
    clock.now += 10.1
    sessions.open(USER)


def test_a_broken_cookie_header_finds_nothing() -> None:
    sessions = CspSessions(None, 900.0)
    session = sessions.open(USER)
    assert sessions.find("") is None
    assert sessions.find("\x00=;;;=\x7f") is None
    assert sessions.find(f"{sessions.cookie_name}=unknown") is None
    assert sessions.find(f"a=b; {sessions.cookie_name}={session.id}; c=d") is session
