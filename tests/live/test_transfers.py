"""Downloads that nobody reads: a session has few of them at once, and gets its places back."""

from __future__ import annotations

import asyncio
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from iris_quart.demo import ThreadedDemoServer
from iris_quart.web.transfers import TRANSFERS_MAX

from .servers import Person, WebServer

pytestmark = pytest.mark.live

MIB = 1024 * 1024
VALUE = "/api/value/SAMPLES/App.Huge/1/Story"
SMALL = "/api/value/SAMPLES/App.Huge/2/Story"
MISSING = "/api/value/SAMPLES/App.Huge/99/Story"
EXPORT = "/api/export?namespace=SAMPLES&tableName=App.Huge"


@pytest.fixture(scope="module", autouse=True)
def huge(iris: ThreadedDemoServer) -> None:
    """Make a table with more in one value than the network holds."""
    engine = iris.namespace("SAMPLES")
    engine.run_script("CREATE TABLE App.Huge (Story LONGVARCHAR) WITH %CLASS;")
    engine.bulk_load("App.Huge", ("Story",), [("x" * 12 * MIB,), ("short",)])


@asynccontextmanager
async def unread(person: Person, path: str) -> AsyncIterator[None]:
    """Ask for something, see it begin, and read no more of it."""
    connection = sockets.socket()
    connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", person.server.port))
    reader, writer = await asyncio.open_connection(sock=connection, limit=2**14)
    jar = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.http.cookies.jar)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{person.server.port}\r\nCookie: {jar}\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head.partition(b"\r\n")[0], head
    try:
        yield
    finally:
        writer.transport.abort()


async def answered(person: Person, path: str, status: int) -> httpx.Response:
    """Ask until the answer has this status: that a peer has gone is seen a moment later."""
    async with asyncio.timeout(5):
        while (response := await person.http.get(path)).status_code != status:
            await asyncio.sleep(0.05)
    return response


@pytest.mark.parametrize("path", [VALUE, EXPORT], ids=["value", "export"])
async def test_a_session_has_few_downloads_at_once(server: WebServer, path: str) -> None:
    async with server.person() as person, server.person("alice", "alice") as other:
        async with AsyncExitStack() as last:
            await last.enter_async_context(unread(person, path))
            async with AsyncExitStack() as held:
                for _ in range(TRANSFERS_MAX - 1):
                    await held.enter_async_context(unread(person, path))
                for asked in (VALUE, EXPORT):
                    refused = await person.http.get(asked)
                    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
                refused = await person.http.put(SMALL, content=b"x", headers={"If-Match": f'"{"0" * 64}"'})
                assert refused.status_code == 429
                # Sockets and other people are not concerned.
                async with person.socket() as socket:
                    await socket.ask("getSession")
                assert (await other.http.get(SMALL)).status_code == 200
            await answered(person, SMALL, 200)
        # Those that ended in order, and those that failed, hold no place either.
        for _ in range(TRANSFERS_MAX + 1):
            assert (await person.http.get(MISSING)).status_code == 404
            assert (await person.http.head(SMALL)).status_code == 200
            assert (await person.http.get(SMALL)).text == "short"
            none = await person.http.get("/api/export?namespace=SAMPLES&tableName=No.Such")
            assert none.status_code == 404
