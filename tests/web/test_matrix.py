"""Every route against every kind of cookie and origin: nothing opens that should not."""

from __future__ import annotations

import dataclasses
import sqlite3
from typing import Any

import pytest
from itsdangerous import URLSafeTimedSerializer
from pydantic import SecretStr
from quart import Response
from quart.testing import WebsocketResponseError
from quart.testing.connections import WebsocketDisconnectError
from quart.typing import TestClientProtocol as Client

from iris_quart.atelier import Credentials, Target
from iris_quart.sessions import NewSession
from iris_quart.sessions.session import new_secret
from iris_quart.web import security

from .conftest import Site

HOST = "localhost"
COOKIE = "iris_quart"
SENDERS: dict[str, tuple[dict[str, str], bool]] = {
    "no browser": ({}, True),
    "own page": ({"Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin"}, True),
    "own page, old browser": ({"Origin": f"http://{HOST}"}, True),
    "null": ({"Origin": "null"}, False),
    "evil": ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, False),
    "other port": ({"Origin": f"http://{HOST}:9999", "Sec-Fetch-Site": "same-site"}, False),
    "other scheme": ({"Origin": f"https://{HOST}"}, False),
    "prefix of ours": ({"Origin": f"http://{HOST}.evil.example"}, False),
    "lying": ({"Origin": f"http://{HOST}", "Sec-Fetch-Site": "cross-site"}, False),
}
"""How a request presents itself, and whether an unsafe one may pass."""

SOCKET_SENDERS = {name: allowed or name == "lying" for name, (_, allowed) in SENDERS.items()}
"""Sec-Fetch-Site says nothing about a handshake that Origin does not say better."""

STATES = [
    "none",
    "garbage",
    "bare id",
    "other key",
    "other salt",
    "unknown id",
    "ended",
    "idle for too long",
    "not a text",
    "valid",
]
NEW = NewSession(user="alice", server="demo", server_key="key", target=Target("http://127.0.0.1:9"))


async def cookie_for(site: Site, state: str) -> str | None:
    """Make a cookie of this kind; each its own session."""
    if state == "none":
        return None
    if state == "garbage":
        return "garbage.canary"
    auth: Any = site.app.extensions["QUART_AUTH"][0]
    session_id = await site.store.create(NEW, Credentials("alice", SecretStr("alice")))
    session = await site.store.get(session_id)
    assert session is not None
    if state == "bare id":
        return session_id
    if state == "other key":
        return auth.serializer_class("0" * 64, auth.salt).dumps(session_id)  # type: ignore[no-any-return]
    if state == "other salt":
        return auth.serializer_class(site.app.secret_key, "another").dumps(session_id)  # type: ignore[no-any-return]
    if state == "unknown id":
        session_id = new_secret()
    if state == "ended":
        await site.store.end(session.key, "logout")
    if state == "idle for too long":
        overwrite_deadline(site, session.key)
    return signed_cookie(site, [session_id] if state == "not a text" else session_id)


def signed_cookie(site: Site, content: str | list[str]) -> str:
    """Sign a cookie as the application does."""
    auth: Any = site.app.extensions["QUART_AUTH"][0]
    signer: URLSafeTimedSerializer = auth.serializer_class(site.app.secret_key, auth.salt)
    return str(signer.dumps(content))


def overwrite_deadline(site: Site, key: str) -> None:
    with sqlite3.connect(site.settings.instance / "sessions.db") as db:
        db.execute("UPDATE sessions SET idle_until = ? WHERE key = ?", (site.store.now() - 0.001, key))
    db.close()


def client_with(site: Site, cookie: str | None) -> Client:
    client = site.client()
    if cookie is not None:
        client.set_cookie(HOST, COOKIE, cookie)
    return client


def routes(site: Site) -> list[tuple[str, str, str]]:
    """Give endpoint, method and an address of each HTTP route."""
    found = []
    values = {"filename": "css/base.css", "version": "x", "namespace": "USER", "table": "Sample.Person"}
    for rule in site.app.url_map.iter_rules():
        if rule.endpoint == "boom" or rule.websocket:
            continue
        adapter = site.app.url_map.bind(HOST)
        arguments = {name: values.get(name, "1") for name in rule.arguments}
        path = adapter.build(rule.endpoint, arguments)
        found += [(rule.endpoint, method, path) for method in (rule.methods or ()) if method != "OPTIONS"]
    return sorted(set(found))


def expected(endpoint: str, method: str, path: str, sender: str, state: str) -> set[int]:
    """Say which refusals are right; an empty set means that the request must not be refused."""
    if method not in {"GET", "HEAD"} and endpoint not in security.PROBES:
        if not SENDERS[sender][1]:
            return {403}
        if endpoint in security.FORMS:
            return {403}
    if endpoint not in security.PUBLIC and state != "valid":
        return {401} if path.startswith("/api/") or method not in {"GET", "HEAD"} else {303}
    return set()


async def _open(client: Client, path: str, method: str, headers: dict[str, str]) -> Response:
    call: Any = client.open
    response: Response = await call(path, method=method, headers=headers)
    return response


@pytest.mark.parametrize("state", STATES)
async def test_http_routes(site: Site, state: str) -> None:
    checked = 0
    for endpoint, method, path in routes(site):
        for sender, (headers, _) in SENDERS.items():
            cookie = await cookie_for(site, state)
            response = await _open(client_with(site, cookie), path, method, headers)
            wanted = expected(endpoint, method, path, sender, state)
            what = f"{method} {path} as {sender!r} with cookie {state!r}: {response.status_code}"
            if wanted:
                assert response.status_code in wanted, what
                assert not any(
                    value.startswith(f"{COOKIE}=ey") for value in response.headers.getlist("Set-Cookie")
                ), what
            else:
                assert response.status_code not in {401, 403}, what
                assert response.headers.get("Location") != "/login", what
            if response.status_code == 303 and wanted:
                assert response.headers["Location"].startswith("/login"), what
            checked += 1
    # test_matrix_commands.py counts the combinations.
    assert checked == len(routes(site)) * len(SENDERS)


async def knock(client: Client, headers: dict[str, str]) -> object:
    """Try to open a socket and use it: "open", the close code, or the status of the refusal."""
    try:
        async with client.websocket("/ws", headers=headers) as socket:
            await socket.send('{"command": "getSession"}')
            return "open" if "session" in await socket.receive() else "?"
    except WebsocketDisconnectError as error:
        return error.args[0]
    except WebsocketResponseError as error:
        return error.response.status_code


@pytest.mark.parametrize("state", STATES)
async def test_sockets(site: Site, state: str) -> None:
    for sender, (headers, _) in SENDERS.items():
        outcome = await knock(client_with(site, await cookie_for(site, state)), headers)
        if SOCKET_SENDERS[sender]:
            assert outcome == ("open" if state == "valid" else 4001), sender
        else:
            assert outcome == 403, sender


async def test_no_route_is_public_but_those_that_are_named(site: Site) -> None:
    """The list of public endpoints is written twice, so that nobody makes one public in passing."""
    everything = {endpoint for endpoint, _, _ in routes(site)}
    assert everything >= security.PUBLIC
    assert {
        "api.connect",
        "api.csrf",
        "api.disconnect",
        "api.session",
        "api.test_connection",
        "api.theme",
        "assets.versioned",
        "auth.login",
        "auth.logout",
        "auth.sign_in_page",
        "health.health",
        "health.livez",
        "health.readyz",
        "static",
    } == security.PUBLIC


async def test_a_new_route_refuses_without_being_told_to(site: Site) -> None:
    response = await site.client().get("/boom", headers={"Accept": "application/json"})
    assert response.status_code == 401


@pytest.fixture
async def two_users(site: Site) -> tuple[Client, Client]:
    """Browsers of two users of one server."""
    clients = []
    for user in ("alice", "bob"):
        new = dataclasses.replace(NEW, user=user)
        session_id = await site.store.create(new, Credentials(user, SecretStr(user)))
        auth: Any = site.app.extensions["QUART_AUTH"][0]
        clients.append(
            client_with(site, auth.serializer_class(site.app.secret_key, auth.salt).dumps(session_id))
        )
    return clients[0], clients[1]


async def test_users_do_not_see_each_other(site: Site, two_users: tuple[Client, Client]) -> None:
    alice, bob = two_users
    body = await (await alice.get("/api/sessions")).get_json()
    assert [session["current"] for session in body["sessions"]] == [True]
    assert await (await alice.post("/api/sessions/end-others")).get_json() == {"ended": 0}
    assert (await (await bob.get("/api/session")).get_json())["server"]["username"] == "bob"
