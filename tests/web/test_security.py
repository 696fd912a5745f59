"""Headers, host names, https, form tokens and body limits."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from quart import Response
from quart.testing import WebsocketResponseError

from iris_quart.config import Settings
from iris_quart.web.origins import host_allowed

from .conftest import CONNECT, Site, cookies, form_token, post_login

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def get(site: Site, path: str, *, peer: str = "127.0.0.1", **more: Any) -> Response:
    """Ask as a peer at an address."""
    call: Any = site.client().get
    response: Response = await call(path, scope_base={"client": (peer, 50000)}, **more)
    return response


async def test_every_answer_has_the_headers(site: Site) -> None:
    client = await site.connected()
    answers = [
        await site.client().get("/login"),
        await site.client().get("/"),
        await client.get("/"),
        await client.get("/no/such/page"),
        await client.get("/api/session"),
        await site.client().get("/api/sessions"),
        await site.client().post("/api/connect", json=CONNECT | {"password": "wrong"}),
        await site.client().post("/api/connect", data=b"x" * 100_000),
        await site.client().post("/login"),
        await client.get("/static/css/base.css"),
        await client.get("/static/no-such-file"),
        await client.get("/livez"),
        await client.get("/boom"),
        await client.delete("/api/session"),
        await site.client().get("/", headers={"Host": "evil.example"}),
    ]
    assert {200, 303, 400, 401, 403, 404, 405, 413, 421, 500} >= {answer.status_code for answer in answers}
    for answer in answers:
        for name, value in ALWAYS.items():
            assert answer.headers.get(name) == value, (answer.status_code, name)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert len(answer.headers.getlist("Content-Security-Policy")) == 1


async def test_policy_of_a_page_names_its_socket_and_nonce(site: Site) -> None:
    client = await site.connected()
    policies = []
    for _ in range(2):
        page = await client.get("/")
        policy = page.headers["Content-Security-Policy"]
        assert "script-src 'self'; " in policy
        assert "connect-src 'self' ws://localhost; " in policy
        assert "form-action 'self'" in policy
        assert "base-uri 'none'" in policy
        nonce = re.search(r"style-src 'self' 'nonce-([\w-]+)'", policy)
        assert nonce
        html = await page.get_data(as_text=True)
        assert f'data-nonce="{nonce[1]}"' in html
        assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|style=", html)
        policies.append(nonce[1])
    assert policies[0] != policies[1]


async def test_only_static_files_may_be_kept(site: Site) -> None:
    client = await site.connected()
    for path in ("/", "/login", "/api/session", "/health", "/no/such/page"):
        assert (await client.get(path)).headers["Cache-Control"] == "no-store", path


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "192.0.2.7", "LOCALHOST"]
)
async def test_hosts_that_can_only_be_us(site: Site, host: str) -> None:
    assert (await site.client().get("/login", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "evil.example:8000", "", "127.0.0.1.evil.example", "a b"],
)
async def test_foreign_hosts_are_refused(site: Site, host: str) -> None:
    response = await site.client().get("/login", headers={"Host": host})
    assert response.status_code == 421
    assert cookies(response.headers) == []
    assert "evil" not in await response.get_data(as_text=True)
    assert "evil" not in str(response.headers)


@pytest.mark.parametrize(
    "host",
    [
        "[",
        "]",
        "[::1",
        "::1]",
        "[evil]",
        "[v1.x]",
        "a:b:c",
        "\x00",
        "127.0.0.1:port",
        "; script-src * @127.0.0.1",
        "evil.example@localhost",
        "localhost/evil.example",
        "127.0.0.1?evil",
        "127.0.0.1#evil",
        "localhost:8000\n",
    ],
)
def test_broken_hosts_are_refused_without_a_stumble(tmp_path: Path, host: str) -> None:
    assert not host_allowed(Settings(instance=tmp_path), host)


async def test_load_balancers_may_ask_under_any_name(site: Site) -> None:
    for path in ("/livez", "/readyz", "/health"):
        assert (await site.client().get(path, headers={"Host": "10-1-2-3.pod"})).status_code == 200


async def test_plain_http_from_afar_is_refused(site: Site) -> None:
    response = await get(site, "/login", peer="203.0.113.9", headers={"Host": "192.0.2.7"})
    assert response.status_code == 403
    assert cookies(response.headers) == []
    call: Any = site.client().post
    response = await call(
        "/api/connect", json=CONNECT, headers={"Host": "192.0.2.7"}, scope_base={"client": ("203.0.113.9", 1)}
    )
    assert response.status_code == 403
    assert site.iris.log == []


async def test_socket_from_afar_over_plain_http_is_refused(site: Site) -> None:
    client = await site.connected()
    with pytest.raises(WebsocketResponseError) as refused:
        call: Any = client.websocket
        async with call("/ws", scope_base={"client": ("203.0.113.9", 1)}) as socket:
            await socket.receive()
    assert refused.value.response.status_code == 403


class TestInsecure:
    """An administrator who accepts plain http."""

    @pytest.fixture
    def changes(self) -> dict[str, Any]:
        return {"insecure_http": True}

    async def test_people_are_let_in_and_warned(self, site: Site) -> None:
        response = await get(site, "/login", peer="203.0.113.9", headers={"Host": "192.0.2.7:8000"})
        assert response.status_code == 200
        assert "plain HTTP" in await response.get_data(as_text=True)


class TestBehindProxy:
    """A public origin, and a proxy that ends TLS on this machine or another one."""

    @pytest.fixture
    def changes(self) -> dict[str, Any]:
        return {"public_origin": "https://editor.example.org", "trusted_hops": 1}

    FORWARDED = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "editor.example.org",
        "X-Forwarded-For": "203.0.113.9",
    }

    async def test_forwarded_request_is_secure(self, site: Site) -> None:
        response = await get(site, "/login", peer="10.0.0.2", headers=self.FORWARDED)
        assert response.status_code == 200
        assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert "connect-src 'self' wss://editor.example.org; " in response.headers["Content-Security-Policy"]

    async def test_plain_request_goes_to_the_configured_origin_only(self, site: Site) -> None:
        for host in ("editor.example.org", "127.0.0.1"):
            response = await get(site, "/login?next=/", peer="203.0.113.9", headers={"Host": host})
            assert response.status_code == 308
            assert response.headers["Location"] == "https://editor.example.org/login?next=/"

    @pytest.mark.parametrize(
        "target", [b"@evil.example/", b".evil.example/", b":80/", b"http://evil.example/", b"*"]
    )
    async def test_a_target_that_is_no_path_leads_nowhere_else(self, site: Site, target: bytes) -> None:
        """A request's target need not begin with a slash (RFC 9112 section 3.2)."""
        sent: list[Any] = []

        incoming: list[Any] = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            return incoming.pop() if incoming else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        scope: Any = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": target.decode(),
            "raw_path": target,
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"editor.example.org")],
            "client": ("203.0.113.9", 1),
            "server": ("127.0.0.1", 8000),
            "extensions": {},
            "state": {},
        }
        call: Any = site.app.asgi_app
        await call(scope, receive, send)
        (location,) = [value for name, value in sent[0]["headers"] if name.lower() == b"location"]
        assert location.decode().startswith("https://editor.example.org/")

    async def test_own_origin_passes_and_the_inner_one_does_not(self, site: Site) -> None:
        for origin, status in (
            ("https://editor.example.org", 200),
            ("http://editor.example.org", 403),
            ("http://localhost", 403),
        ):
            response = await site.client().put(
                "/api/theme", json={"theme": "dark"}, headers=self.FORWARDED | {"Origin": origin}
            )
            assert response.status_code == status, origin

    async def test_address_of_the_client_comes_from_the_nearest_proxy(self, site: Site) -> None:
        headers = self.FORWARDED | {"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}
        assert (await site.client().post("/api/connect", json=CONNECT, headers=headers)).status_code == 200
        (session,) = await site.store.list()
        assert session.address == "203.0.113.9"


class TestFurtherOrigins:
    """Another page that may call us."""

    @pytest.fixture
    def changes(self) -> dict[str, Any]:
        return {"allowed_origins": ("https://portal.example.org",)}

    async def test_it_may_and_others_may_not(self, site: Site) -> None:
        for origin, status in (("https://portal.example.org", 200), ("https://portal.example.org.evil", 403)):
            headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
            response = await site.client().post("/api/disconnect", headers=headers)
            assert response.status_code == status
            assert "Access-Control-Allow-Origin" not in response.headers


async def test_form_without_its_token_is_refused(site: Site) -> None:
    client, stranger = site.client(), site.client()
    mine, theirs = await form_token(client), await form_token(stranger)
    assert mine != theirs
    for token in ("", "x", theirs, mine[:-1], mine.upper() + "é"):
        response = await post_login(client, csrf_token=token)
        assert response.status_code == 403
        assert cookies(response.headers) == []
    assert (await post_login(site.client(), csrf_token=mine)).status_code == 403
    assert site.iris.log == []
    assert (await post_login(client, csrf_token=mine)).status_code == 303


async def test_right_token_from_a_foreign_page_is_refused(site: Site) -> None:
    client = site.client()
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        response = await post_login(client, headers=headers)
        assert response.status_code == 403
        assert not any("ey" in cookie for cookie in cookies(response.headers))


async def test_logout_needs_its_token_and_post(site: Site) -> None:
    client = await site.connected()
    assert (await client.get("/logout")).status_code == 405
    assert (await client.post("/logout")).status_code == 403
    response = await client.post(
        "/logout",
        form={"csrf_token": await form_token(client, "/")},
        headers={"Origin": "https://evil.example"},
    )
    assert response.status_code == 403
    assert await site.store.count() == 1


async def test_token_of_one_page_serves_all_tabs(site: Site) -> None:
    client = site.client()
    tokens = {await form_token(client) for _ in range(3)}
    tokens.add((await (await client.get("/api/csrf")).get_json())["csrfToken"])
    tokens.add((await (await client.get("/api/csrf-token")).get_json())["csrfToken"])
    assert len(tokens) == 1


@pytest.mark.parametrize("path", ["/api/connect", "/login", "/api/theme"])
async def test_large_bodies_are_refused(site: Site, path: str) -> None:
    call = site.client().put if path == "/api/theme" else site.client().post
    response = await call(
        path, data=b"a" * (64 * 1024 + 1), headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert response.status_code == 413


async def test_unexpected_error_tells_a_trace_id_and_nothing_else(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    client = await site.connected()
    response = await client.get("/boom", headers={"Accept": "application/json"})
    body = await response.get_json()
    assert response.status_code == 500
    assert set(body) == {"error", "traceId"}
    assert "canary" not in str(body)
    page = await (await client.get("/boom")).get_data(as_text=True)
    assert "canary" not in page
    assert re.search(r"trace <code>[0-9a-f]+</code>", page)
    assert body["traceId"] in caplog.text


@pytest.mark.parametrize(
    ("wanted", "stored"),
    [("dark", "dark"), ("light", "light"), ("system", ""), ("canary", None), (7, None), (None, None)],
)
async def test_theme(site: Site, wanted: object, stored: str | None) -> None:
    client = site.client()
    response = await client.put("/api/theme", json={"theme": wanted})
    if stored is None:
        assert response.status_code == 400
        assert "canary" not in await response.get_data(as_text=True)
        return
    assert response.status_code == 200
    html = await (await client.get("/login")).get_data(as_text=True)
    assert (f' data-theme="{stored}">' in html) is bool(stored)


async def test_planted_theme_cookie_is_not_believed(site: Site) -> None:
    client = site.client()
    client.set_cookie("localhost", "iris_quart_theme", "x onload=canary")
    assert "canary" not in await (await client.get("/login")).get_data(as_text=True)
