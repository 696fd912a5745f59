"""Admission, frames and closes of `/ws` on a real server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from .raw import CLOSE, PING, RawPeer, frame
from .servers import Person, Refused, Socket, WebServer

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server_settings() -> dict[str, Any]:
    return {
        "message_bytes_max": 4096,
        "sockets_per_session": 5,
        "messages_per_second": 50,
        "messages_burst": 100,
    }


async def test_first_answer_comes_within_a_second(person: Person) -> None:
    begun = time.perf_counter()
    async with person.socket() as socket:
        answer = await socket.ask("getSession")
    assert time.perf_counter() - begun < 1
    assert (answer["user"], answer["server"], answer["namespace"]) == ("_SYSTEM", "demo", "SAMPLES")


async def test_nothing_is_sent_before_the_first_command(socket: Socket) -> None:
    await socket.ask("getSession")
    assert socket.pushed == []


async def test_without_a_session_the_socket_is_accepted_and_closed(server: WebServer) -> None:
    async with server.person(signed_in=False) as nobody, nobody.socket() as socket:
        assert await socket.closed(4001) == "Unauthorized"


async def test_commands_sent_with_the_handshake_are_not_run_without_a_session(server: WebServer) -> None:
    """Whoever does not wait for the close gets nothing for it but the close."""
    commands = ("getServerList", "getNamespaces", "getTables", "requestData", "saveCell", "nope")
    messages = [{"command": name, "payload": {"namespace": "SAMPLES"}, "id": name} for name in commands]
    async with server.person(signed_in=False) as nobody:
        peer = await RawPeer.open(nobody)
        heard = b""
        # It may be gone before all of it is sent or read.
        with contextlib.suppress(ConnectionError):
            await peer.raw(b"".join(frame(json.dumps(message).encode()) for message in messages))
        with contextlib.suppress(ConnectionError):
            while part := await peer.reader.read(65536):
                heard += part
        peer.abort()
        assert heard[:1] in {b"", bytes([0x80 | CLOSE])}
        assert heard[2:4] in {b"", (4001).to_bytes(2, "big")}
        assert b"event" not in heard


@pytest.mark.parametrize("query", ["?token=", "?token=nonsense", "?token=" + "A" * 43])
async def test_a_wrong_ticket_is_no_session(server: WebServer, query: str) -> None:
    async with server.person(signed_in=False) as nobody, nobody.socket(query=query) as socket:
        await socket.closed(4001)


async def test_the_session_id_itself_is_no_ticket(person: Person) -> None:
    (cookie,) = [one for one in person.http.cookies.jar if one.name == "iris_quart"]
    async with person.socket(cookies=False, query=f"?token={cookie.value}") as socket:
        await socket.closed(4001)


async def test_a_ticket_opens_one_socket_and_no_second(person: Person) -> None:
    query = f"?token={await person.ticket()}"
    async with person.socket(cookies=False, query=query) as socket:
        assert (await socket.ask("getSession"))["user"] == "_SYSTEM"
    async with person.socket(cookies=False, query=query) as socket:
        await socket.closed(4001)


async def test_no_session_gets_no_ticket(server: WebServer) -> None:
    async with server.person(signed_in=False) as nobody:
        assert (await nobody.http.post("/api/ticket")).status_code == 401


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.example",
        "https://127.0.0.1",
        "http://127.0.0.1:9",
        "http://127.0.0.1.evil.example",
    ],
)
async def test_foreign_origins_are_refused_whoever_asks(person: Person, origin: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with person.socket(origin=origin):
            pass
    assert caught.value.response.status_code == 403


async def test_own_origin_passes(person: Person) -> None:
    async with person.socket(origin=person.server.url) as socket:
        await socket.ask("getSession")


async def test_compression_is_never_agreed(person: Person) -> None:
    async with person.socket(compression="deflate") as socket:
        assert "Sec-WebSocket-Extensions" not in socket.connection.response.headers  # type: ignore[union-attr]
        await socket.ask("getSession")


@pytest.mark.parametrize("frame", [b"{}", b""])
async def test_binary_frames_close(socket: Socket, frame: bytes) -> None:
    await socket.connection.send(frame)
    await socket.closed(1003)


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "7", '{"command":7}', '{"command":"nope"}', "[" * 3000]
)
async def test_malformed_messages_are_answered_and_the_socket_lives(socket: Socket, text: str) -> None:
    await socket.connection.send(text)
    error = await socket.heard("error")
    assert error["code"] in {"INVALID_JSON", "INVALID_MESSAGE", "UNKNOWN_COMMAND"}
    await socket.ask("getSession")


async def test_unknown_command_keeps_its_id(socket: Socket) -> None:
    with pytest.raises(Refused) as caught:
        await socket.ask("nope")
    assert (caught.value.code, caught.value.payload["context"]) == ("UNKNOWN_COMMAND", "nope")


@pytest.mark.parametrize("size", [5_000, 2_000_000])
async def test_oversized_messages_close(socket: Socket, size: int) -> None:
    await socket.connection.send('{"command":"' + "x" * size + '"}')
    await socket.closed(1009)


async def test_message_size_counts_bytes(socket: Socket) -> None:
    await socket.connection.send('{"command":"' + "\N{SNOWMAN}" * 2000 + '"}')
    await socket.closed(1009)


async def test_a_message_just_below_the_bound_passes(socket: Socket) -> None:
    await socket.connection.send('{"command":"' + "x" * 4000 + '"}')
    assert (await socket.heard("error"))["code"] == "UNKNOWN_COMMAND"


async def test_too_many_sockets_of_a_session(person: Person) -> None:
    async with person.socket() as a, person.socket() as b, person.socket(), person.socket(), person.socket():
        await asyncio.gather(a.ask("getSession"), b.ask("getSession"))
        async with person.socket() as sixth:
            await sixth.closed(1008)
        await a.ask("getSession")


async def test_a_flood_is_closed_and_others_do_not_notice(server: WebServer) -> None:
    async with server.person() as loud, server.person("alice", "alice") as quiet:
        async with loud.socket() as flood, quiet.socket() as other:
            for _ in range(400):
                try:
                    await flood.send("getSession")
                except Exception:  # noqa: BLE001 - closed on the way
                    break
            begun = time.perf_counter()
            await other.ask("getSession")
            assert time.perf_counter() - begun < 1
            await flood.closed(1008)
        # Coming back slowly is welcome.
        async with loud.socket() as again:
            await again.ask("getSession")


@pytest.mark.parametrize("opcode", [PING, 0x0], ids=["pings", "empty fragments"])
async def test_a_flood_of_frames_that_are_no_messages_is_closed_too(server: WebServer, opcode: int) -> None:
    async with server.person() as loud, server.person("alice", "alice") as quiet, quiet.socket() as other:
        peer = await RawPeer.open(loud)
        if opcode == 0x0:
            await peer.frame(b"", final=False)
        flood = frame(b"", opcode=opcode, final=opcode == PING)
        # Ten times as many as messages may come: those are nothing yet.
        await peer.raw(flood * 900)
        await other.ask("getSession")
        closing = asyncio.create_task(peer.close_code())
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                await peer.raw(flood * 1000)
        assert await asyncio.wait_for(closing, 10) == 1008
        await peer.gone(5)
        peer.abort()
        await other.ask("getSession")


async def test_a_large_message_in_many_parts_is_one_frame(person: Person) -> None:
    peer = await RawPeer.open(person)
    text = b'{"command":"' + b"x" * 4000 + b'"}'
    whole = frame(text)
    for _ in range(2):
        for start in range(0, len(whole), 2):
            await peer.raw(whole[start : start + 2])
            await asyncio.sleep(0)
        opcode, answer = await peer.read_frame()
        assert (opcode, b"UNKNOWN_COMMAND" in answer) == (0x1, True)
    peer.abort()


async def test_each_socket_has_its_own_context(person: Person) -> None:
    async with person.socket() as a, person.socket() as b:
        first, second = await asyncio.gather(a.ask("selectServer"), b.ask("selectServer"))
        assert first == second == {"connected": True, "serverName": "demo", "namespace": "SAMPLES"}


async def test_commands_of_the_ancestor_without_an_id(socket: Socket) -> None:
    for command in ("disconnect", "cancelConnection", "openServerManager", "installServerManager"):
        await socket.connection.send('{"command":"' + command + '"}')
        status = await socket.heard("connectionStatus")
        assert status["connected"] is True
    await socket.connection.send('{"command":"getServerList","payload":{}}')
    assert await socket.heard("serverList") == {"servers": ["demo"]}


async def test_reconnect_with_the_same_cookie(person: Person) -> None:
    for _ in range(3):
        async with person.socket() as socket:
            await socket.ask("getSession")
            socket.connection.transport.abort()
    async with person.socket() as socket:
        await socket.ask("getSession")
