"""What stands between browser and editor: TLS, names, addresses and cookies, by nginx and by HAProxy."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.live.servers import PATIENCE

from .conftest import Service
from .proxies import NAME, Nginx, Visitor

pytestmark = [pytest.mark.live, pytest.mark.redis, pytest.mark.slow]

LIES = {
    "X-Forwarded-For": "192.0.2.66",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": "for=192.0.2.66;host=evil.example;proto=http",
    "X-Real-IP": "192.0.2.66",
}


async def test_the_cookie_is_bound_to_this_host_and_to_https(service: Service) -> None:
    async with service.front.client() as client:
        body = {"server": "demo", "namespace": "SAMPLES", "username": "_SYSTEM", "password": "SYS"}
        answer = await client.post("/api/connect", json=body)
        assert answer.status_code == 200, answer.text
        (cookie,) = answer.headers.get_list("set-cookie")
        name, _, rest = cookie.partition("=")
        attributes = {part.strip().lower() for part in rest.split(";")[1:]}
        assert name == "__Host-iris_quart"
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= attributes
        assert not any(part.startswith("domain") for part in attributes)
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


async def test_pages_name_the_public_address(service: Service) -> None:
    async with service.front.client() as client:
        page = await client.get("/login")
        assert page.status_code == 200
        assert (
            f"connect-src 'self' wss://{NAME}:{service.front.port}" in page.headers["Content-Security-Policy"]
        )
        away = await client.get("/", follow_redirects=False)
        assert away.headers["Location"].startswith("/login")


async def test_the_own_page_connects_and_no_other(service: Service) -> None:
    async with service.front.person() as person:
        async with person.socket() as socket:
            await socket.ask("getSession")
        plain = service.front.origin.replace("https", "http")
        for origin in ("https://evil.example", f"https://{NAME}", plain, "null"):
            with pytest.raises(InvalidStatus) as caught:
                async with person.socket(origin=origin):
                    pass
            assert caught.value.response.status_code == 403
        foreign = await person.http.post("/api/ticket", headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403


async def test_what_a_browser_says_about_its_way_is_not_believed(service: Service) -> None:
    async with service.front.client(headers=LIES) as client:
        person = Visitor(service.front, client)
        await person.sign_in("alice", "alice")
        listed = (await client.get("/api/sessions")).json()["sessions"]
        assert {one["address"] for one in listed} == {"127.0.0.1"}
        page = await client.get("/", headers={"Accept": "text/html"})
        assert f"wss://{NAME}:{service.front.port}" in page.headers["Content-Security-Policy"]
        assert (await client.post("/api/ticket")).status_code == 200


async def test_no_other_protocol_is_passed_on(service: Service) -> None:
    """An upgrade to anything but a socket would be a tunnel to the worker, past all that the proxy sets."""
    front = service.front
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", front.port, ssl=front.trust, server_hostname=NAME
    )
    writer.write(
        f"GET /livez HTTP/1.1\r\nHost: {NAME}:{front.port}\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n".encode()
    )
    async with asyncio.timeout(PATIENCE):
        assert b" 200 " in await reader.readline()
        # HTTP/1.1 goes on: what comes next is another request, not a frame.
        await reader.readuntil(b"\r\n\r\n")
        await reader.readline()
    writer.close()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()


async def test_plain_http_is_sent_to_the_configured_name(service: Service) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        address = f"http://127.0.0.1:{service.front.plain_port}/table/SAMPLES/Sample.Person?x=1"
        answer = await client.get(address, headers={"Host": "evil.example"})
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{service.front.origin}/table/SAMPLES/Sample.Person?x=1"
    assert "set-cookie" not in answer.headers


async def test_foreign_names_are_refused(service: Service) -> None:
    async with service.front.client() as client:
        answer = await client.get("/login", headers={"Host": "evil.example"})
        assert answer.status_code == 421
        assert "set-cookie" not in answer.headers


async def test_a_value_of_some_megabytes_passes_and_a_larger_one_is_refused(service: Service) -> None:
    text = "long " * 600_000
    async with service.front.person() as person:
        address = "/api/value/SAMPLES/Sample.Employee/1/Notes"
        whole = await person.http.get(address)
        match = {"If-Match": whole.headers["ETag"], "Content-Type": "text/plain; charset=utf-8"}
        put = await person.http.put(address, content=text.encode(), headers=match)
        assert put.status_code in {200, 204}, put.text
        assert (await person.http.get(address)).text == text
        # HAProxy answers and leaves while the body is still being sent, so the answer may be lost on the way.
        with contextlib.suppress(httpx.ReadError, httpx.WriteError):
            huge = await person.http.put(address, content=b"x" * (21 * 1024 * 1024), headers=match)
            assert huge.status_code == 413
        assert (await person.http.get(address)).text == text


async def test_the_log_of_the_proxy_holds_no_keys_filters_or_tickets(service: Service) -> None:
    """Neither the log of requests, which HAProxy does not keep, nor that of errors, while a worker is dead."""
    front = service.front
    async with front.person() as person:
        ticket = await person.ticket()
        async with person.socket(query=f"?token={ticket}") as socket:
            await socket.ask("getSession")
        await asyncio.to_thread(service.kill, service.servers[0])
        try:
            for _ in range(4):
                await person.http.get(
                    "/table/SAMPLES/Canary.Table?filter=canary-filter", headers={"Referer": "/canary-referer"}
                )
                await person.http.get("/api/value/SAMPLES/Canary.Table/canary-key/canary-column")
                await person.http.get(f"/api/session?token={ticket}")
            await person.http.get("/canary%0aFAKE")
        finally:
            await service.heal()
    written = {path.name: path.read_text() for path in front.folder.glob("*.log")}
    if isinstance(front, Nginx):
        lines = front.access_log.splitlines()
        assert any(" GET /ws 101 " in line for line in lines)
        assert any(" GET /api/value " in line for line in lines)
        assert sum("canary" in line.lower() for line in lines) <= 1, "the first part of an address of ours"
    for name, text in written.items():
        for secret in ("canary-", "Canary.Table", "token", "FAKE", ticket):
            assert secret not in text, name


async def test_refused_sockets_disturb_nobody(service: Service) -> None:
    """A worker closes the connection of a handshake that it refused; no other request may fall into it."""

    async def intrude(person: Visitor) -> None:
        for _ in range(30):
            with pytest.raises(InvalidStatus) as caught:
                async with person.socket(origin="https://evil.example"):
                    pass
            assert caught.value.response.status_code == 403

    async with service.front.person() as person:
        refused = asyncio.gather(*(intrude(person) for _ in range(4)))
        answers: list[int] = []
        while not refused.done() or len(answers) < 50:
            answers.append((await person.http.post("/api/ticket")).status_code)
        await refused
    assert set(answers) == {200}
