"""Bombs from browsers and from IRIS: the memory of a worker grows by at most 64 MiB at its peak."""

from __future__ import annotations

import asyncio
import gzip
import io
import struct
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from iris_quart.demo import FaultRule, ThreadedDemoServer
from tests.live.conftest import Start
from tests.live.raw import RawPeer
from tests.live.servers import Person, Refused, WebServer

from .memory import MIB, growth

pytestmark = [pytest.mark.live, pytest.mark.slow]

BOUND = 64 * MIB
BLOCK = bytes(MIB)


@pytest.fixture(scope="module")
def server_settings() -> dict[str, Any]:
    return {"own": True, "sockets_per_session": 500, "dead_peer_seconds": 60}


def deflated(size: int) -> bytes:
    """Compress zeros as permessage-deflate does (RFC 7692 section 7.2.1)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(packer.compress(BLOCK) for _ in range(size // MIB))
    return (packed + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


@contextmanager
def bounded(server: WebServer) -> Iterator[None]:
    with growth(server) as grown:
        yield
    assert grown.bytes < BOUND, f"{grown.bytes / MIB:.0f} MiB"


async def still_serves(person: Person) -> None:
    async with person.socket() as socket:
        await socket.ask("getSession")


async def test_a_frame_that_inflates_to_512_mib(server: WebServer, person: Person) -> None:
    bomb = deflated(512 * MIB)
    assert len(bomb) < MIB
    with bounded(server):
        for _ in range(3):
            peer = await RawPeer.open(person, extensions="permessage-deflate")
            # FIN, RSV1 and text: compressed, though nobody agreed to it.
            await peer.raw(struct.pack("!BBQ", 0xC1, 0xFF, len(bomb)) + bytes(4) + bomb)
            await peer.gone(10)
            peer.abort()
        await still_serves(person)


async def test_400_mb_of_continuation_frames(server: WebServer, person: Person) -> None:
    """Every connection is ended soon, so that many take turns until all of it was sent."""
    chunk = bytes(60_000)
    sent = 0

    async def push() -> None:
        nonlocal sent
        while sent < 400_000_000:
            peer = await RawPeer.open(person)
            try:
                await peer.frame(chunk, opcode=0x1, final=False)
                while sent < 400_000_000:
                    await peer.frame(chunk, opcode=0x0, final=False)
                    sent += len(chunk)
            except ConnectionError:
                continue
            finally:
                peer.abort()

    with bounded(server):
        async with asyncio.timeout(100):
            await asyncio.gather(*(push() for _ in range(10)))
        await still_serves(person)


async def test_many_half_messages_at_once(server: WebServer, person: Person) -> None:
    """What a session's sockets may hold at most, held: the bound is theirs, not each one's."""
    with growth(server) as grown:
        peers = [await RawPeer.open(person) for _ in range(20)]
        for peer in peers:
            await peer.frame(bytes(1_000_000), opcode=0x1, final=False)
        await still_serves(person)
        for peer in peers:
            peer.abort()
    # 20 sockets of a session (the default) with 1 MiB each, held as text of up to four bytes a character.
    assert grown.bytes < 160 * MIB, f"{grown.bytes / MIB:.0f} MiB"


def gzip_bomb(size: int) -> bytes:
    """Compress an answer whose one text is that long."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as file:
        file.write(b'{"status":{"errors":[]},"result":{"content":["')
        for _ in range(size // MIB):
            file.write(b"x" * MIB)
        file.write(b'"]}}')
    return packed.getvalue()


@asynccontextmanager
async def evil_iris(head: str, pieces: Sequence[bytes]) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answer every request with this head and these pieces; gives the URL and the requests' heads."""
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{head}\r\n\r\n".encode())
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    listening = await asyncio.start_server(answer, "127.0.0.1")
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", heads


async def refused(server: WebServer) -> None:
    """Try to sign in, several times, and be refused."""
    with bounded(server):
        async with server.person(signed_in=False) as nobody:
            body = {"server": "demo", "namespace": "X", "username": "u", "password": "p"}
            for _ in range(4):
                answer = await nobody.http.post("/api/connect", json=body)
                assert (answer.status_code, answer.json()["code"]) == (502, "INVALID_RESPONSE")


async def started_at(start: Start, url: str) -> WebServer:
    """Start a server for an IRIS at this address."""
    servers = f'{{"demo": {{"url": "{url}"}}}}'
    return await asyncio.to_thread(lambda: start(own=True, servers=servers))


async def test_400_mb_of_gzip_from_iris(start: Start) -> None:
    bomb = gzip_bomb(400 * MIB)
    assert len(bomb) < MIB
    head = f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}"
    async with evil_iris(head, [bomb]) as (url, heads):
        await refused(await started_at(start, url))
    assert heads
    assert all(b"accept-encoding: identity" in head.lower() for head in heads)


async def test_400_mb_in_chunks_from_iris(start: Start) -> None:
    """Nothing tells beforehand how long it will be; what was read of it is let go at once, each time."""
    chunk = b"100000\r\n" + BLOCK.replace(b"\0", b" ") + b"\r\n"
    async with evil_iris("Transfer-Encoding: chunked", [chunk] * 400) as (url, heads):
        await refused(await started_at(start, url))
    assert heads


async def test_400_mb_of_rows_from_iris(server: WebServer, person: Person, iris: ThreadedDemoServer) -> None:
    async with person.socket() as socket:
        await socket.ask("requestData", {"namespace": "SAMPLES", "tableName": "Sample.Company"})
        rule = iris.add_fault(FaultRule("huge", sql="Company", size=400_000_000))
        try:
            with bounded(server):
                for page in (1, 2, 3):
                    table = {"namespace": "SAMPLES", "tableName": "Sample.Company", "page": page}
                    with pytest.raises(Refused) as caught:
                        await socket.ask("requestData", {**table, "pageSize": 5, "count": "skip"})
                    assert caught.value.code == "INVALID_RESPONSE"
        finally:
            iris.clear_faults()
        assert rule.struck
        await socket.ask("requestData", {"namespace": "SAMPLES", "tableName": "Sample.Company"})


async def test_an_export_of_large_texts(server: WebServer, person: Person, iris: ThreadedDemoServer) -> None:
    """A page of an export has up to 1,000 rows, and any value in it may have megabytes."""
    rows, size = 60, 4 * MIB
    engine = iris.namespace("SAMPLES")
    await asyncio.to_thread(engine.run_script, "CREATE TABLE App.Bombs (Story LONGVARCHAR) WITH %CLASS;")
    await asyncio.to_thread(engine.bulk_load, "App.Bombs", ("Story",), [("x" * size,)] * rows)
    received = 0
    with bounded(server):
        query = {"namespace": "SAMPLES", "tableName": "App.Bombs"}
        async with person.http.stream("GET", "/api/export", params=query, timeout=60) as response:
            assert response.status_code == 200
            async for part in response.aiter_raw():
                received += len(part)
    assert received > rows * size
