"""Signing in and out, by form and by JSON, against the embedded IRIS."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import resource
import sqlite3
import time
from typing import Any

import pytest
from quart.testing.connections import WebsocketDisconnectError

from iris_quart.demo import FaultRule
from iris_quart.demo.http.atelier import Exchange
from iris_quart.sessions import Ended

from .conftest import CONNECT, PASSWORD, Site, cookies, form_token, post_login

JSON = {"Accept": "application/json"}


async def test_form_signs_in_and_out(site: Site) -> None:
    client = site.client()
    response = await post_login(client, namespace="samples")
    assert response.status_code == 303
    assert response.headers["Location"] == "/"
    page = await client.get("/")
    html = await page.get_data(as_text=True)
    assert page.status_code == 200
    assert 'data-user="_SYSTEM"' in html
    assert 'data-namespace="SAMPLES"' in html
    response = await client.post("/logout", form={"csrf_token": await form_token(client, "/")})
    assert response.status_code == 303
    assert response.headers["Location"] == "/login"
    assert await site.store.count() == 0
    assert (await client.get("/")).status_code == 303


async def test_json_signs_in_and_out(site: Site) -> None:
    client = await site.connected()
    body = await (await client.get("/api/session")).get_json()
    assert body["status"] == "connected"
    assert body["server"] == {"namespace": "SAMPLES", "username": "_SYSTEM"}
    assert 0 < body["timeoutRemaining"] <= 1_800_000
    assert set(body) == {"status", "server", "createdAt", "timeoutRemaining"}
    response = await client.post("/api/disconnect")
    assert await response.get_json() == {"status": "disconnected"}
    assert await (await client.get("/api/session")).get_json() == {"status": "disconnected"}
    assert (await client.post("/api/disconnect")).status_code == 200


async def test_a_configured_server_may_be_named_by_host_and_port(site: Site) -> None:
    body = {"host": "127.0.0.1", "port": str(site.iris.port), "namespace": "USER"}
    response = await site.client().post(
        "/api/connect", json=body | {"username": "alice", "password": "alice"}
    )
    assert await response.get_json() == {"status": "connected"}
    (session,) = await site.store.list()
    assert session.server == "demo"


async def test_connection_can_be_tested_without_signing_in(site: Site) -> None:
    client = site.client()
    response = await client.post("/api/test-connection", json=CONNECT)
    body = await response.get_json()
    assert body["status"] == "success"
    assert "IRIS" in body["version"]
    assert len(body["version"]) <= 64
    assert cookies(response.headers) == []
    assert await site.store.count() == 0


async def test_connection_to_a_server_that_hides_its_version(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Exchange._server

    def hidden(exchange: Exchange, user: Any) -> Any:
        """Take the version out, as a gateway may on the way."""
        reply = whole(exchange, user)
        body = json.loads(reply.body)
        del body["result"]["content"]["version"]
        return dataclasses.replace(reply, body=json.dumps(body).encode())

    monkeypatch.setattr(Exchange, "_server", hidden)
    response = await site.client().post("/api/test-connection", json=CONNECT)
    assert await response.get_json() == {"status": "success", "version": "API v8"}
    assert (await site.client().post("/api/connect", json=CONNECT)).status_code == 200


async def test_iris_gets_its_licence_back_after_the_proof(site: Site) -> None:
    await site.connected()
    assert [
        entry.path for entry in site.iris.log if "CacheLogout=end" in entry.path or entry.method == "HEAD"
    ]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"password": "wrong canary-pw"}, 401, "AUTH_FAILED"),
        ({"username": "nobody-canary"}, 401, "AUTH_FAILED"),
        ({"username": "nodev", "password": "nodev"}, 401, "AUTH_FAILED"),
        ({"namespace": "NOSUCH-canary"}, 400, "INVALID_INPUT"),
        ({"server": "narrow", "namespace": "SAMPLES"}, 400, "INVALID_INPUT"),
        ({"server": "nobody"}, 502, "SERVER_UNREACHABLE"),
        ({"server": "unknown-canary"}, 502, "SERVER_UNREACHABLE"),
        ({"server": None, "host": "evil-canary.example", "port": 52773}, 502, "SERVER_UNREACHABLE"),
        ({"username": "x" * 257}, 400, "INVALID_INPUT"),
        ({"username": "a\x00b"}, 400, "INVALID_INPUT"),
        ({"username": "_SYSTEM:canary"}, 400, "INVALID_INPUT"),
        ({"password": ["canary-pw"]}, 400, "INVALID_INPUT"),
        ({"password": {"canary-pw": 1}}, 400, "INVALID_INPUT"),
        ({"readOnly": "canary"}, 400, "INVALID_INPUT"),
        ({"server": None, "host": "h", "port": "canary"}, 400, "INVALID_INPUT"),
        ({"server": None, "host": "h", "port": 70000}, 400, "INVALID_INPUT"),
    ],
)
async def test_refused_sign_in(site: Site, change: dict[str, Any], status: int, code: str) -> None:
    client = site.client()
    for path in ("/api/connect", "/api/test-connection"):
        response = await client.post(path, json=CONNECT | change)
        text = await response.get_data(as_text=True)
        body = await response.get_json()
        assert (response.status_code, body["code"]) == (status, code), text
        assert "canary" not in text
        assert "127.0.0.1" not in text
        assert str(site.iris.port) not in text
        assert body["error"].endswith((".", "characters", "valid")) or "should" in body["error"], text
        assert cookies(response.headers) == []
    assert await site.store.count() == 0


@pytest.mark.parametrize("missing", ["username", "password", "server"])
async def test_missing_fields(site: Site, missing: str) -> None:
    response = await site.client().post("/api/connect", json=CONNECT | {missing: None})
    assert response.status_code == 400
    body = await response.get_json()
    assert set(body) == {"error"}
    assert body["error"].startswith("Missing required connection fields")


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"text"', "[" * 60000, '{"username": NaN}'])
async def test_bodies_that_are_no_objects(site: Site, body: str) -> None:
    response = await site.client().post(
        "/api/connect", data=body, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 400


async def test_wrong_password_and_unknown_user_look_the_same(site: Site) -> None:
    answers = set()
    for change in ({"password": "wrong"}, {"username": "nobody"}):
        response = await site.client().post("/api/connect", json=CONNECT | change)
        answers.add(await response.get_data(as_text=True))
    assert len(answers) == 1


async def test_iris_that_answers_html(site: Site) -> None:
    site.iris.add_fault(FaultRule(kind="html"))
    response = await site.client().post("/api/connect", json=CONNECT)
    assert response.status_code == 502
    body = await response.get_json()
    assert body["code"] == "INVALID_RESPONSE"
    assert "<" not in body["error"]


async def test_form_shows_what_was_wrong_and_keeps_all_but_the_password(site: Site) -> None:
    response = await post_login(site.client(), username="some <user>", password="canary-pw", namespace="X")
    html = await response.get_data(as_text=True)
    assert response.status_code == 401
    assert "The user name or the password is wrong." in html
    assert "some &lt;user&gt;" in html
    assert "canary-pw" not in html


async def test_form_names_missing_fields(site: Site) -> None:
    response = await post_login(site.client(), username="", password="")
    html = await response.get_data(as_text=True)
    assert response.status_code == 400
    assert "A user name is needed." in html
    assert "A password is needed." in html
    assert site.iris.log == []


async def test_form_by_fetch_answers_json(site: Site) -> None:
    client = site.client()
    response = await post_login(client, headers=JSON, password="wrong")
    assert response.status_code == 401
    assert (await response.get_json())["code"] == "AUTH_FAILED"
    token = (await (await client.get("/api/csrf")).get_json())["csrfToken"]
    response = await post_login(client, headers=JSON, csrf_token=token)
    assert response.status_code == 200
    assert await response.get_json() == {"status": "connected"}


async def test_signed_in_people_skip_the_sign_in_page(site: Site) -> None:
    client = await site.connected()
    response = await client.get("/login?next=/table/USER/Sample.Person")
    assert response.status_code == 303
    assert response.headers["Location"] == "/table/USER/Sample.Person"


async def test_deep_link_survives_the_sign_in(site: Site) -> None:
    client = site.client()
    response = await client.get("/table/SAMPLES/Sample.Person?x=1")
    assert response.status_code == 303
    assert response.headers["Location"] == "/login?next=/table/SAMPLES/Sample.Person%3Fx%3D1"
    html = await (await client.get(response.headers["Location"])).get_data(as_text=True)
    assert 'name="next" value="/table/SAMPLES/Sample.Person?x=1"' in html
    response = await post_login(client, next="/table/SAMPLES/Sample.Person?x=1")
    assert response.headers["Location"] == "/table/SAMPLES/Sample.Person?x=1"


async def test_deep_link_with_an_odd_name_survives(site: Site) -> None:
    path = "/table/SAMPLES/Odd%20Names.Caf%C3%A9%20%24%20Prices%20%231"
    client: Any = site.client()
    # Quart's test client decodes the address; a server hands it over as it was sent.
    response = await client.get(path, scope_base={"raw_path": path.encode()})
    response = await client.get(response.headers["Location"])
    assert f'value="{path}"' in await response.get_data(as_text=True)
    await post_login(client, next=path)
    page = await client.get(path, scope_base={"raw_path": path.encode()})
    html = await page.get_data(as_text=True)
    assert "<title>Odd Names.Café $ Prices #1 " in html


async def test_people_who_dump_core_find_nothing(site: Site) -> None:
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/table//evil.example",
        "/table/../\\evil",
        "javascript:alert(1)",
        "/\n/evil.example",
        "/table/a\r\nSet-Cookie: x=1",
        "/logout",
        "/api/disconnect",
        " /",
        "/" + "a" * 5000,
    ],
)
async def test_sign_in_leads_to_our_pages_only(site: Site, wanted: str) -> None:
    response = await post_login(site.client(), next=wanted)
    assert response.status_code == 303
    assert response.headers["Location"] == "/"


async def test_second_sign_in_ends_the_first_and_its_sockets(site: Site) -> None:
    client = await site.connected()
    (first,) = await site.store.list()
    ended = site.store.watch()
    async with client.websocket("/ws") as socket:
        await socket.send('{"command": "getSession"}')
        await socket.receive()
        assert (
            await client.post("/api/connect", json=CONNECT | {"username": "alice", "password": "alice"})
        ).status_code == 200
        async with asyncio.timeout(3):
            assert await anext(ended) == Ended(first.key, "replaced")
            with pytest.raises(WebsocketDisconnectError) as closed:
                while True:
                    last = await socket.receive()
        assert closed.value.args == (4002,)
        assert last == '{"event":"sessionExpired","payload":{}}'
    (second,) = await site.store.list()
    assert second.user == "alice"


async def test_failed_second_sign_in_keeps_the_first(site: Site) -> None:
    client = await site.connected()
    (first,) = await site.store.list()
    assert (await client.post("/api/connect", json=CONNECT | {"password": "wrong"})).status_code == 401
    assert await site.store.list() == [first]


async def test_session_id_is_never_taken_from_outside(site: Site) -> None:
    """Fixation: a planted cookie is replaced, and worth nothing afterwards."""
    planting = await site.connected()
    planted = {cookie.name: cookie.value for cookie in planting.cookie_jar or ()}["iris_quart"]
    assert planted
    await planting.post("/api/disconnect")
    victim = site.client()
    victim.set_cookie("localhost", "iris_quart", planted)
    assert (await victim.post("/api/connect", json=CONNECT)).status_code == 200
    new = {cookie.name: cookie.value for cookie in victim.cookie_jar or ()}["iris_quart"]
    assert new != planted
    attacker = site.client()
    attacker.set_cookie("localhost", "iris_quart", planted)
    assert (await (await attacker.get("/api/session")).get_json())["status"] == "disconnected"


async def test_cookie_of_loopback(site: Site) -> None:
    response = await site.client().post("/api/connect", json=CONNECT)
    (cookie,) = cookies(response.headers)
    name, *attributes = cookie.split("; ")
    assert name.startswith("iris_quart=")
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Lax"]


class TestOverHttps:
    """Behind a proxy that ends TLS."""

    @pytest.fixture
    def changes(self) -> dict[str, Any]:
        return {"public_origin": "https://editor.example.org"}

    async def test_cookie(self, site: Site) -> None:
        headers = {"Host": "editor.example.org", "Origin": "https://editor.example.org"}
        response = await site.client().post("/api/connect", json=CONNECT, headers=headers, scheme="https")
        assert response.status_code == 200
        (cookie,) = cookies(response.headers)
        name, *attributes = cookie.split("; ")
        assert name.startswith("__Host-iris_quart=")
        assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]


class TestNamedCookie:
    """Beside another instance on the same host."""

    @pytest.fixture
    def changes(self) -> dict[str, Any]:
        return {"cookie_name": "editor_two"}

    async def test_sign_in_leaves_the_cookie_of_another_instance(self, site: Site) -> None:
        client = site.client()
        client.set_cookie("localhost", "iris_quart", "other-instance")
        assert (await client.post("/api/connect", json=CONNECT)).status_code == 200
        kept = {cookie.name: cookie.value for cookie in client.cookie_jar or ()}
        assert kept["iris_quart"] == "other-instance"
        assert (await client.get("/api/session")).status_code == 200
        assert "editor_two" in kept


async def test_sixth_try_is_refused_without_asking_iris(site: Site) -> None:
    client = site.client()
    for _ in range(5):
        assert (await client.post("/api/connect", json=CONNECT | {"password": "wrong"})).status_code == 401
    asked = len(site.iris.log)
    for path in ("/api/connect", "/api/test-connection"):
        response = await client.post(path, json=CONNECT)
        assert response.status_code == 429
        assert 0 < int(response.headers["Retry-After"]) <= 60
        assert (await response.get_json())["code"] == "RATE_LIMITED"
    response = await post_login(client)
    assert response.status_code == 429
    assert "Too many tries" in await response.get_data(as_text=True)
    assert len(site.iris.log) == asked
    other = CONNECT | {"username": "alice", "password": "alice"}
    assert (await client.post("/api/connect", json=other)).status_code == 200


async def test_forwarded_addresses_are_not_believed(site: Site) -> None:
    client = site.client()
    for number in range(5):
        headers = {"X-Forwarded-For": f"198.51.100.{number}", "X-Real-Ip": f"198.51.100.{number}"}
        await client.post("/api/connect", json=CONNECT | {"password": "wrong"}, headers=headers)
    assert (
        await client.post("/api/connect", json=CONNECT, headers={"X-Forwarded-For": "x"})
    ).status_code == 429


async def test_many_good_sign_ins_are_no_attack(site: Site) -> None:
    for _ in range(8):
        await site.connected()


class TestFloor:
    """Refusals take their time."""

    @pytest.fixture
    def changes(self) -> dict[str, Any]:
        return {"login_floor_seconds": 0.3}

    async def test_no_refusal_is_quicker_than_the_floor(self, site: Site) -> None:
        for change in (
            {"password": "wrong"},
            {"username": "nobody"},
            {"server": "unknown"},
            {"server": "nobody"},
        ):
            started = time.monotonic()
            await site.client().post("/api/connect", json=CONNECT | change)
            assert time.monotonic() - started >= 0.29, change


async def test_read_only_by_box_server_and_settings(site: Site) -> None:
    for fields, expected in (
        ({}, False),
        ({"readOnly": True}, True),
        ({"server": "demo-readonly"}, True),
    ):
        client = site.client()
        assert (await client.post("/api/connect", json=CONNECT | fields)).status_code == 200
        session = (await site.store.list())[-1]
        assert session.read_only is expected
        html = await (await client.get("/")).get_data(as_text=True)
        assert f'data-read-only="{"true" if expected else "false"}"' in html


async def test_two_names_of_one_server_share_its_identity(site: Site) -> None:
    await site.connected()
    await site.client().post("/api/connect", json=CONNECT | {"server": "demo-readonly"})
    one, other = await site.store.list()
    assert one.server_key == other.server_key
    assert "127.0.0.1" not in one.server_key


async def test_my_sessions(site: Site) -> None:
    mine = await site.connected()
    other = await site.connected()
    await site.client().post("/api/connect", json=CONNECT | {"username": "alice", "password": "alice"})
    body = await (await mine.get("/api/sessions", headers={"User-Agent": "x"})).get_json()
    assert [session["current"] for session in body["sessions"]] == [True, False]
    assert set(body["sessions"][0]) == {"id", "current", "created", "lastUsed", "address", "userAgent"}
    assert all(len(session["id"]) == 12 for session in body["sessions"])
    assert abs(body["sessions"][0]["lastUsed"] / 1000 - time.time()) < 10
    assert await (await mine.post("/api/sessions/end-others")).get_json() == {"ended": 1}
    assert (await (await other.get("/api/session")).get_json())["status"] == "disconnected"
    assert await site.store.count() == 2


async def test_ticket_opens_one_socket(site: Site) -> None:
    client = await site.connected()
    response = await client.post("/api/ticket")
    body = await response.get_json()
    assert body["expiresIn"] == 60
    stranger = site.client()
    async with stranger.websocket(f"/ws?token={body['ticket']}") as socket:
        await socket.send('{"command": "getSession"}')
        assert "_SYSTEM" in await socket.receive()
    for token in (body["ticket"], "unknown"):
        with pytest.raises(WebsocketDisconnectError) as closed:
            async with stranger.websocket(f"/ws?token={token}") as socket:
                await socket.receive()
        assert closed.value.args == (4001,)


async def test_ticket_is_not_used_up_when_there_is_a_cookie(site: Site) -> None:
    client = await site.connected()
    ticket = (await (await client.post("/api/ticket")).get_json())["ticket"]
    async with client.websocket(f"/ws?token={ticket}") as socket:
        await socket.send('{"command": "getSession"}')
        await socket.receive()
    assert await site.store.take_ticket(ticket) is not None


async def test_session_id_is_not_taken_from_the_address(site: Site) -> None:
    client = await site.connected()
    value = {cookie.name: cookie.value for cookie in client.cookie_jar or ()}["iris_quart"]
    auth: Any = site.app.extensions["QUART_AUTH"][0]
    session_id = auth.load_token(value, site.app)
    assert await site.store.get(session_id) is not None
    for token in (value, session_id):
        with pytest.raises(WebsocketDisconnectError) as closed:
            async with site.client().websocket(f"/ws?token={token}") as socket:
                await socket.receive()
        assert closed.value.args == (4001,)


async def test_asking_for_the_session_does_not_prolong_it_but_the_page_does(site: Site) -> None:
    client = await site.connected()
    (session,) = await site.store.list()
    with sqlite3.connect(site.settings.instance / "sessions.db") as db:
        db.execute("UPDATE sessions SET idle_until = idle_until - 600")
    db.close()
    await client.get("/api/session")
    await client.get("/api/sessions")
    (known,) = await site.store.list()
    assert known.idle_until == pytest.approx(session.idle_until - 600)
    await client.get("/")
    (known,) = await site.store.list()
    assert known.idle_until >= session.idle_until


async def test_password_of_the_session_is_what_was_typed(site: Site) -> None:
    client = await site.connected()
    auth: Any = site.app.extensions["QUART_AUTH"][0]
    value = {cookie.name: cookie.value for cookie in client.cookie_jar or ()}["iris_quart"]
    session_id = auth.load_token(value, site.app)
    session = await site.store.get(session_id)
    assert session is not None
    credentials = await site.store.credentials(session_id, session)
    assert credentials is not None
    assert credentials.password.get_secret_value() == PASSWORD
