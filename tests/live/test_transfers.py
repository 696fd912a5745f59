"""Downloads that nobody reads: an account has few of them at once, and each is cut off."""

from __future__ import annotations

import asyncio
import hashlib
import socket as sockets
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress

import httpx
import pytest

from iris_quart.demo import ThreadedDemoServer
from tests.proofs.memory import growth

from .conftest import Start
from .servers import Person, WebServer

pytestmark = pytest.mark.live

TRANSFERS_MAX = 6
MIB = 1024 * 1024
VALUE = "/api/value/SAMPLES/App.Huge/1/Story"
SMALL = "/api/value/SAMPLES/App.Huge/2/Story"
MISSING = "/api/value/SAMPLES/App.Huge/99/Story"
STORY = "".join(f"{number:>7}\n" for number in range(750_000)) + "\U0001f600"
"""More than the network's buffers hold."""
EXPORT = "/api/export?namespace=SAMPLES&tableName=App.Huge"


@pytest.fixture(scope="module", autouse=True)
def huge(iris: ThreadedDemoServer) -> None:
    """Make a table with more in one value than the network holds."""
    engine = iris.namespace("SAMPLES")
    engine.run_script("CREATE TABLE App.Huge (Story LONGVARCHAR) WITH %CLASS;")
    engine.bulk_load("App.Huge", ("Story",), [(STORY,), ("short",)])


@asynccontextmanager
async def unread(person: Person, path: str) -> AsyncIterator[sockets.socket]:
    """Ask for something, see it begin, and read no more of it."""
    loop, head = asyncio.get_running_loop(), b""
    jar = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.http.cookies.jar)
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{person.server.port}\r\nCookie: {jar}\r\n\r\n"
    with sockets.socket() as connection:
        connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        connection.setblocking(False)
        await loop.sock_connect(connection, ("127.0.0.1", person.server.port))
        await loop.sock_sendall(connection, request.encode())
        while b"\r\n\r\n" not in head:
            head += await loop.sock_recv(connection, 512)
        assert b" 200 " in head.partition(b"\r\n")[0], head
        yield connection


async def rest(connection: sockets.socket) -> int:
    """Read what is left until the connection ends, and count it."""
    received = 0
    with suppress(ConnectionError):
        while part := await asyncio.get_running_loop().sock_recv(connection, 65536):
            received += len(part)
    return received


async def places_free(server: WebServer) -> None:
    """Wait until no transfer holds a place."""
    with closing(sqlite3.connect(server.instance / "sessions.db")) as store:
        async with asyncio.timeout(10):
            while store.execute("SELECT count(*) FROM transfers").fetchone()[0]:
                await asyncio.sleep(0.05)


async def answered(person: Person, path: str, status: int) -> httpx.Response:
    """Ask until the answer has this status: that a peer has gone is seen a moment later."""
    async with asyncio.timeout(5):
        while (response := await person.http.get(path)).status_code != status:
            await asyncio.sleep(0.05)
    return response


@pytest.mark.parametrize("path", [VALUE, EXPORT], ids=["value", "export"])
async def test_an_account_has_few_downloads_at_once(server: WebServer, path: str) -> None:
    async with (
        server.person() as person,
        server.person() as elsewhere,
        server.person("alice", "alice") as other,
    ):
        async with AsyncExitStack() as last:
            await last.enter_async_context(unread(person, path))
            async with AsyncExitStack() as held:
                for _ in range(TRANSFERS_MAX - 1):
                    await held.enter_async_context(unread(person, path))
                for asked in (VALUE, EXPORT):
                    # Another sign-in of the account, or another worker, gets no more.
                    for asker in (person, elsewhere):
                        refused = await asker.http.get(asked)
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


async def test_values_and_exports_come_in_pieces_and_whole(person: Person) -> None:
    content = STORY.encode()
    value = await person.http.get(VALUE)
    assert value.content == content
    assert value.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert value.headers["Content-Length"] == str(len(content))
    head = await person.http.head(VALUE)
    assert (head.headers["ETag"], head.headers["Content-Length"]) == (
        value.headers["ETag"],
        str(len(content)),
    )
    export = await person.http.get(f"{EXPORT}&bom=0")
    assert export.content == b'ID,Story\r\n1,"' + content + b'"\r\n2,short\r\n'


@pytest.mark.parametrize("path", [VALUE, EXPORT], ids=["value", "export"])
async def test_downloads_that_nobody_reads_are_cut_off_and_hold_little(start: Start, path: str) -> None:
    """Five sign-ins of one user held 400 MiB for as long as they liked."""
    server = await asyncio.to_thread(lambda: start(own=True, slow_reader_seconds=3, transfers_per_account=4))
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(server.person()) for _ in range(5)]
        other = await stack.enter_async_context(server.person("alice", "alice"))
        socket = await stack.enter_async_context(other.socket())
        await other.http.get(SMALL)
        with growth(server) as grown:
            asking = (stack.enter_async_context(unread(person, path)) for person in people[:4])
            held = await asyncio.gather(*asking)
            for person in people:
                assert (await person.http.get(VALUE)).status_code == 429
            begun, waits = time.monotonic(), []
            while time.monotonic() - begun < 1.5:
                asked = time.monotonic()
                await socket.ask("requestData", {"namespace": "SAMPLES", "tableName": "Sample.Person"})
                waits.append(time.monotonic() - asked)
            # Their places come back although nobody left. Read before, one that is not cut off yet would go on.
            await answered(people[0], SMALL, 200)
            await places_free(server)
            for connection in held:
                async with asyncio.timeout(10):
                    assert await rest(connection) < len(STORY) - MIB
        assert grown.bytes < 48 * MIB, f"{grown.bytes / MIB:.0f} MiB"
        assert sorted(waits)[len(waits) // 2] < 0.5, waits


async def test_downloads_are_cut_off_under_hypercorn_too(start: Start) -> None:
    """Its own loop tells of an aborted connection in another way than uvloop."""
    server = await asyncio.to_thread(lambda: start(slow_reader_seconds=1, transfers_per_account=1))
    async with server.person() as person, unread(person, VALUE) as connection:
        assert (await person.http.get(SMALL)).status_code == 429
        await answered(person, SMALL, 200)
        async with asyncio.timeout(10):
            assert await rest(connection) < len(STORY) - MIB
    assert '"level": "error"' not in server.log


async def test_a_slow_but_steady_reader_is_not_cut_off(start: Start) -> None:
    server = await asyncio.to_thread(lambda: start(own=True, slow_reader_seconds=0.8))
    async with server.person() as person:
        received, begun = 0, time.monotonic()
        async with person.http.stream("GET", VALUE) as response:
            async for part in response.aiter_raw(64 * 1024):
                received += len(part)
                if time.monotonic() - begun < 3:
                    await asyncio.sleep(0.1)
        assert received == len(STORY.encode())


async def test_a_value_that_changes_while_it_is_sent_is_never_taken_for_whole(
    start: Start, iris: ThreadedDemoServer
) -> None:
    engine = iris.namespace("SAMPLES")
    await asyncio.to_thread(engine.run_script, "CREATE TABLE App.Changing (Story LONGVARCHAR) WITH %CLASS;")
    await asyncio.to_thread(engine.bulk_load, "App.Changing", ("Story",), [(STORY,)])
    server = await asyncio.to_thread(start)
    async with server.person() as person:
        with pytest.raises(httpx.RemoteProtocolError):
            async with person.http.stream("GET", "/api/value/SAMPLES/App.Changing/1/Story") as response:
                assert response.status_code == 200
                parts = response.aiter_raw(1024)
                await anext(parts)
                script = "UPDATE App.Changing SET Story = 'short';"
                await asyncio.to_thread(engine.run_script, script)
                async for _ in parts:
                    pass
