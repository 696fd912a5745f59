"""Peers without manners: they cost little, and others do not notice them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from .raw import PING, PONG, RawPeer, frame
from .servers import Person, WebServer, free_port

pytestmark = pytest.mark.live

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server_settings() -> dict[str, Any]:
    return {
        "metrics_bind": f"127.0.0.1:{free_port()}",
        "message_bytes_max": 65536,
        "slow_reader_seconds": 1,
        "heartbeat_seconds": 0.5,
        "dead_peer_seconds": 1.5,
        "close_seconds": 0.5,
        "sockets_per_session": 200,
        "messages_per_second": 1000,
        "messages_burst": 10000,
    }


@pytest.fixture
async def peer(person: Person) -> AsyncIterator[RawPeer]:
    peer = await RawPeer.open(person)
    yield peer
    peer.abort()


async def until_only(server: WebServer, count: int, seconds: float) -> None:
    """Wait until the server holds no more sockets than so many."""
    async with asyncio.timeout(seconds):
        while (await server.metrics())["iris_quart_sockets"] > count:
            await asyncio.sleep(0.05)


async def test_a_peer_that_answers_pings_stays(peer: RawPeer) -> None:
    until = time.monotonic() + 2.5
    pings = 0
    while time.monotonic() < until:
        async with asyncio.timeout(2):
            opcode, payload = await peer.read_frame()
        assert opcode == PING
        pings += 1
        await peer.frame(payload, opcode=PONG)
    assert pings >= 3


async def test_a_peer_that_gives_no_sign_of_life_is_cut_off(peer: RawPeer, person: Person) -> None:
    begun = time.monotonic()
    await peer.gone(4)
    assert 1.4 < time.monotonic() - begun < 6
    await until_only(person.server, 0, 2)


async def test_a_peer_that_does_not_answer_the_close_is_cut_off(peer: RawPeer) -> None:
    await peer.frame(b"\x00", opcode=0x2)
    begun = time.monotonic()
    assert await peer.close_code() == 1003
    await peer.gone(3)
    assert time.monotonic() - begun < 1.4


async def test_continuation_frames_do_not_fill_the_memory(peer: RawPeer, server: WebServer) -> None:
    before = server.memory()
    chunk = bytes(60_000)
    sent = 0
    try:
        await peer.frame(chunk, opcode=0x1, final=False)
        while sent < 100 * MIB:
            await peer.frame(chunk, opcode=0x0, final=False)
            sent += len(chunk)
    except ConnectionError:
        pass
    assert server.memory() - before < 24 * MIB
    await peer.gone(3)


async def test_a_frame_that_promises_too_much_does_not_fill_the_memory(
    peer: RawPeer, server: WebServer
) -> None:
    before = server.memory()
    head = bytes([0x81, 0xFF]) + (2**40).to_bytes(8, "big") + bytes(4)
    try:
        await peer.raw(head)
        for _ in range(100):
            await peer.raw(bytes(MIB))
    except ConnectionError:
        pass
    assert server.memory() - before < 24 * MIB


async def test_a_close_after_too_much_is_seen_by_a_polite_peer(person: Person) -> None:
    async with person.socket() as socket:
        begun = time.monotonic()
        await socket.connection.send("x" * 2 * MIB)
        await socket.closed(1009)
        assert time.monotonic() - begun < 6
    async with person.socket() as socket:
        await socket.ask("getSession")


async def test_compression_that_was_offered_is_not_used(person: Person) -> None:
    peer = await RawPeer.open(person, extensions="permessage-deflate; client_max_window_bits")
    # A compressed frame has RSV1 set, which nobody agreed to (RFC 6455 section 5.2).
    await peer.raw(bytes([0xC1, 0x85]) + bytes(4) + b"\xaa\x02\x00\x00\x00")
    await peer.gone(3)
    peer.abort()


@pytest.mark.parametrize(
    "data",
    [
        bytes([0x81, 0x82]) + bytes(4) + b"\xff\xfe",
        bytes([0x83, 0x80]) + bytes(4),
        bytes([0x81, 0x02]) + b"{}",
        bytes([0x09, 0x80]) + bytes(4),
        bytes([0x88, 0x81]) + bytes(4) + b"\x01",
    ],
    ids=["invalid-utf8", "reserved-opcode", "unmasked", "fragmented-ping", "short-close"],
)
async def test_invalid_frames_end_only_their_own_socket(peer: RawPeer, person: Person, data: bytes) -> None:
    async with person.socket() as other:
        await peer.raw(data)
        await peer.gone(3)
        await other.ask("getSession")


async def test_slow_readers_are_cut_off_and_others_do_not_notice(server: WebServer) -> None:
    async with server.person() as slow, server.person("alice", "alice") as quick:
        before = server.memory()
        select = (
            b'{"command":"requestData","payload":'
            b'{"namespace":"SAMPLES","tableName":"Sample.Person","pageSize":200}}'
        )
        peers = [await RawPeer.open(slow, receive_buffer=4096) for _ in range(20)]
        for peer in peers:
            for _ in range(60):
                await peer.frame(select)
        async with quick.socket() as socket:
            until = time.monotonic() + 3
            while time.monotonic() < until:
                begun = time.perf_counter()
                await socket.ask("getServerList")
                assert time.perf_counter() - begun < 2
                await asyncio.sleep(0.05)
            await until_only(server, 1, 12)
        assert server.memory() - before < 64 * MIB
        for peer in peers:
            peer.abort()


async def test_a_peer_that_aborts_leaves_nothing_behind(person: Person) -> None:
    for _ in range(20):
        peer = await RawPeer.open(person)
        await peer.frame(b'{"command":"getSession"}')
        peer.abort()
    await until_only(person.server, 0, 3)


async def test_two_hundred_sockets_open_and_answer_in_time(server: WebServer) -> None:
    async with server.person() as person, asyncio.timeout(20):
        peers = [await RawPeer.open(person) for _ in range(190)]
        begun = time.perf_counter()
        async with person.socket() as socket:
            await socket.ask("getSession")
        assert time.perf_counter() - begun < 1
        for peer in peers:
            peer.abort()
        await until_only(person.server, 0, 5)


async def test_messages_keep_their_order_in_whatever_frames_they_come(server: WebServer) -> None:
    numbers = iter(range(1000))
    asked: list[str] = []

    def message() -> bytes:
        asked.append(f"m{next(numbers)}")
        return f'{{"command":"getSession","id":"{asked[-1]}"}}'.encode()

    def parts() -> bytes:
        text = message()
        return (
            frame(text[:9], final=False)
            + frame(text[9:20], opcode=0, final=False)
            + frame(text[20:], opcode=0)
        )

    async with server.person() as person:
        peer = await RawPeer.open(person)
        # The first ones come while the session is still looked up.
        for _ in range(3):
            await peer.raw(frame(message()))
            await peer.raw(frame(message()) + parts() + frame(message()))
            whole = frame(message())
            await peer.raw(whole[:1])
            await peer.raw(whole[1:] + frame(b"", opcode=PING) + frame(message()))
            await peer.raw(parts())
        told: list[str] = []
        while len(told) < len(asked):
            opcode, payload = await peer.read_frame()
            if opcode == 0x1:
                told.append(json.loads(payload)["id"])
        assert told == asked
        peer.abort()
