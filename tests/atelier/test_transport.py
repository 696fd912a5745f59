"""The transport against a server that misbehaves in every way we could think of."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from iris_quart.atelier.transport import BodyTooLarge, ConnectionTransport
from tests.atelier.certificates import make_authority
from tests.atelier.raw import (
    OK,
    Peer,
    RawServer,
    Script,
    answer_all,
    answers,
    answers_then_closes,
    answers_then_resets,
    closes_on_accept,
    silent,
)

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
DEADLINE = 5.0


@pytest.fixture
async def transport() -> AsyncIterator[ConnectionTransport]:
    transport = ConnectionTransport(connect_seconds=2, body_bytes_max=100_000, header_bytes_max=16_384)
    yield transport
    await transport.aclose()


async def send(
    transport: ConnectionTransport,
    url: str,
    method: str = "POST",
    body: bytes | None = b"{}",
    deadline: float = DEADLINE,
    **extensions: float,
) -> httpx.Response:
    request = httpx.Request(method, url, content=body)
    return await send_request(transport, request, deadline=deadline, **extensions)


async def send_request(
    transport: ConnectionTransport, request: httpx.Request, **more: float
) -> httpx.Response:
    status, headers, body = await transport.exchange(
        request.method, request.url, request.headers.raw, request.content, **more
    )
    extensions = {"http_version": b"HTTP/1.1", "reused": transport.reused}
    return httpx.Response(status, headers=headers, content=body, extensions=extensions, request=request)


@pytest.mark.parametrize(
    ("script", "body"),
    [
        (answers(OK), b"{}"),
        (answers(*(bytes([byte]) for byte in OK)), b"{}"),
        (answers(CHUNKED + b'3\r\n{"a\r\n3;x=y\r\n":1\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n'), b'{"a":1}'),
        (answers_then_closes(UNTIL_CLOSE + b"[1", b"]"), b"[1]"),
        (answers(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK), b"{}"),
        (answers(b"HTTP/1.1 204 No Content\r\n\r\n"), b""),
        (answers(b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n5"), b"5"),
        (answers(b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 1\r\n\r\n5"), b"5"),
    ],
    ids=["length", "bytewise", "chunked", "until close", "informational", "204", "http/1.0", "identity"],
)
async def test_answer_is_read_whole(transport: ConnectionTransport, script: Script, body: bytes) -> None:
    async with RawServer(script) as server:
        response = await send(transport, server.url)
        assert response.content == body
        assert response.headers.get("content-type", "application/json") == "application/json"


async def test_head_has_no_body_and_keeps_the_connection(transport: ConnectionTransport) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n")
        await peer.request()
        await peer.say(OK)

    async with RawServer(script) as server:
        assert (await send(transport, server.url, "HEAD", None)).content == b""
        assert (await send(transport, server.url)).content == b"{}"
        assert server.connections == 1


async def test_connection_is_reused(transport: ConnectionTransport) -> None:
    async with RawServer(answer_all) as server:
        for _ in range(5):
            assert (await send(transport, server.url)).status_code == 200
        assert server.connections == 1
        assert len(server.requests) == 5


async def test_request_goes_out_as_it_was_made(transport: ConnectionTransport) -> None:
    async with RawServer(answer_all) as server:
        request = httpx.Request(
            "POST",
            httpx.URL(f"{server.url}/pre/api/atelier/v1/%25SYS/action/query"),
            headers=[(b"Cookie", b'a="1:2"; b=3'), (b"Accept-Encoding", b"identity")],
            content=b'{"query":"x"}',
        )
        await send_request(transport, request)
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert head.startswith(b"POST /pre/api/atelier/v1/%25SYS/action/query HTTP/1.1\r\n")
        assert b'\r\nCookie: a="1:2"; b=3\r\n' in head
        assert body == b'{"query":"x"}'


@pytest.mark.parametrize(
    "script",
    [
        answers_then_closes(UNTIL_CLOSE + b"{}"),
        answers_then_closes(OK),
        answers(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON"),
        answers(OK, b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON"),
        answers_then_resets(OK),
    ],
    ids=["connection: close", "closed after", "extra bytes with it", "extra bytes later", "reset after"],
)
async def test_used_up_connection_is_not_used_again(transport: ConnectionTransport, script: Script) -> None:
    async with RawServer(script, answer_all) as server:
        assert (await send(transport, server.url)).content == b"{}"
        await _settled()
        response = await send(transport, server.url)
        assert response.content == b"{}"
        assert response.extensions["reused"] is False
        assert server.connections == 2
        assert len(server.requests) == 2


async def _settled() -> None:
    """Let both ends of a loopback connection act on what lies in their sockets."""
    for _ in range(5):
        await asyncio.sleep(0.001)


class BehindTheLoop:
    """A server whose sockets block, so that it can act while the event loop is kept busy."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(2)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.accepted: list[socket.socket] = []

    async def answer_one(self, transport: ConnectionTransport) -> httpx.Response:
        """Send a request on a new connection and answer it."""
        served = asyncio.get_running_loop().run_in_executor(None, self._serve)
        response = await send(transport, self.url)
        await served
        return response

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(2)
        self.accepted.append(connection)
        connection.recv(65536)
        connection.sendall(OK)

    def close(self) -> None:
        """Close everything."""
        self._listener.close()
        for connection in self.accepted:
            connection.close()


@pytest.fixture
def behind_the_loop() -> Iterator[BehindTheLoop]:
    with contextlib.closing(BehindTheLoop()) as server:
        yield server


async def test_close_that_the_loop_has_not_seen_is_seen(
    transport: ConnectionTransport, behind_the_loop: BehindTheLoop
) -> None:
    """The server's FIN lies in the socket while the loop is kept busy; a write must not meet it."""
    for round_number in range(10):
        response = await behind_the_loop.answer_one(transport)
        assert response.extensions["reused"] is False, round_number
        behind_the_loop.accepted[-1].close()
        # No await between here and the next request: the loop cannot have seen the close.
        time.sleep(0.005)


async def test_bytes_that_the_loop_has_not_seen_poison_nothing(
    transport: ConnectionTransport, behind_the_loop: BehindTheLoop
) -> None:
    """A late second answer lies in the socket while the loop is kept busy; it must meet no request."""
    for _ in range(10):
        assert (await behind_the_loop.answer_one(transport)).content == b"{}"
        behind_the_loop.accepted[-1].sendall(OK.replace(b"2\r\n\r\n{}", b"6\r\n\r\nPOISON"))
        time.sleep(0.005)


async def test_idle_connection_is_too_old_for_a_write(transport: ConnectionTransport) -> None:
    async with RawServer(answer_all) as server:
        await send(transport, server.url)
        assert (await send(transport, server.url, fresh_after=60)).extensions["reused"] is True
        assert (await send(transport, server.url, fresh_after=0)).extensions["reused"] is False
        assert server.connections == 2


# Surely not sent.


async def test_refused_connection_is_surely_not_sent(transport: ConnectionTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(httpx.ConnectError):
        await send(transport, f"http://127.0.0.1:{port}")


async def test_unknown_name_is_surely_not_sent(transport: ConnectionTransport) -> None:
    with pytest.raises(httpx.ConnectError):
        await send(transport, "http://no-such-host.invalid:1")


async def test_connect_time_is_bounded() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        # Fill the accept queue: Linux then drops further SYNs.
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        transport = ConnectionTransport(connect_seconds=0.2)
        started = time.monotonic()
        with pytest.raises(httpx.ConnectTimeout):
            await send(transport, f"http://127.0.0.1:{address[1]}")
        assert 0.15 < time.monotonic() - started < 2
        for filler in fillers:
            filler.close()


async def test_tls_to_a_silent_port_ends_with_the_connect_time() -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read()

    async with RawServer(script) as server:
        transport = ConnectionTransport(connect_seconds=0.2)
        with pytest.raises(httpx.ConnectTimeout):
            await send(transport, server.url.replace("http:", "https:"))


async def test_tls_to_a_plain_port_is_surely_not_sent(transport: ConnectionTransport) -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read(10)
        await peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with RawServer(script) as server:
        with pytest.raises(httpx.ConnectError):
            await send(transport, server.url.replace("http:", "https:"))


@pytest.mark.parametrize("url", ["ftp://127.0.0.1:1", "http://"])
async def test_other_schemes_are_refused(transport: ConnectionTransport, url: str) -> None:
    with pytest.raises(httpx.UnsupportedProtocol):
        await send(transport, url)


async def test_header_with_line_break_is_surely_not_sent(transport: ConnectionTransport) -> None:
    async with RawServer(answer_all) as server:
        request = httpx.Request("POST", server.url, headers=[(b"Cookie", b"a\r\nEvil: 1")], content=b"{}")
        with pytest.raises(httpx.LocalProtocolError):
            await send_request(transport, request)
        assert server.requests == []
        assert (await send(transport, server.url)).status_code == 200


# Maybe executed.


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (closes_on_accept, httpx.TransportError),
        (answers_then_closes(), httpx.RemoteProtocolError),
        (answers_then_resets(), httpx.ReadError),
        (answers_then_closes(b"HTTP/1.1 200 OK\r\nConte"), httpx.RemoteProtocolError),
        (answers_then_closes(OK[:-1]), httpx.RemoteProtocolError),
        (answers_then_resets(OK[:-1]), httpx.ReadError),
        (answers_then_closes(CHUNKED + b"5\r\n{}"), httpx.RemoteProtocolError),
        (answers(CHUNKED + b"zz\r\n{}\r\n"), httpx.RemoteProtocolError),
        (answers(CHUNKED + b"2\r\n{}\r\n", b"nonsense\r\n"), httpx.RemoteProtocolError),
        (answers(b"\x00\x01\x02\x03 nonsense\r\n\r\n"), httpx.RemoteProtocolError),
        (answers(b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n"), httpx.RemoteProtocolError),
        (answers(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 600_000 + b"\r\n\r\n"), httpx.RemoteProtocolError),
        (answers(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000), httpx.RemoteProtocolError),
        (
            answers(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
            httpx.RemoteProtocolError,
        ),
        (answers(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), httpx.RemoteProtocolError),
        (
            answers(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
            httpx.DecodingError,
        ),
        (answers(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 150_000), BodyTooLarge),
        (answers(CHUNKED + (b"4000\r\n" + b"x" * 0x4000 + b"\r\n") * 10), BodyTooLarge),
    ],
    ids=[
        "closed on accept",
        "closed",
        "reset",
        "half a header",
        "cut body",
        "reset in body",
        "cut chunk",
        "bad chunk",
        "bad later chunk",
        "garbage",
        "bad header",
        "long header",
        "many headers",
        "two lengths",
        "101",
        "gzip",
        "too long",
        "too long chunked",
    ],
)
async def test_failure_after_sending_is_told_apart_and_nothing_is_repeated(
    transport: ConnectionTransport, script: Script, error: type[httpx.TransportError]
) -> None:
    async with RawServer(script, answer_all) as server:
        with pytest.raises(error) as caught:
            await send(transport, server.url)
        assert not isinstance(caught.value, (httpx.ConnectError, httpx.ConnectTimeout))
        assert server.connections == 1
        assert not transport.connected
        assert (await send(transport, server.url)).content == b"{}"
        assert server.connections == 2


async def test_silent_server_ends_with_the_deadline(transport: ConnectionTransport) -> None:
    async with RawServer(silent, answer_all) as server:
        started = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            await send(transport, server.url, deadline=0.2)
        assert time.monotonic() - started < 2
        await server.ended.wait()
        assert len(server.requests) == 1


async def test_dripping_body_ends_with_the_deadline(transport: ConnectionTransport) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
        while True:
            await peer.say(b"x")
            await asyncio.sleep(0.01)

    async with RawServer(script) as server:
        started = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            await send(transport, server.url, deadline=0.3)
        assert time.monotonic() - started < 2


async def test_peer_that_does_not_read_ends_with_the_deadline(transport: ConnectionTransport) -> None:
    async def script(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async with RawServer(script) as server:
        with pytest.raises(httpx.ReadTimeout):
            await send(transport, server.url, body=b"x" * 30_000_000, deadline=0.3)


async def test_cancelled_exchange_never_meets_the_next(transport: ConnectionTransport) -> None:
    release = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        await release.wait()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON")

    async with RawServer(slow, answer_all) as server:
        task = asyncio.create_task(send(transport, server.url))
        while not server.requests:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not transport.connected
        release.set()
        assert (await send(transport, server.url)).content == b"{}"
        assert server.connections == 2


async def test_requests_at_the_same_time_go_one_by_one(transport: ConnectionTransport) -> None:
    async def echo(peer: Peer) -> None:
        while True:
            body = (await peer.request()).partition(b"\r\n\r\n")[2]
            assert not await _more(peer)
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    async def _more(peer: Peer) -> bool:
        try:
            return bool(await asyncio.wait_for(peer.reader.read(1), 0.01))
        except TimeoutError:
            return False

    async with RawServer(echo) as server:
        bodies = [str(number).encode() for number in range(8)]
        found = await asyncio.gather(*(send(transport, server.url, body=body) for body in bodies))
        assert [response.content for response in found] == bodies
        assert server.connections == 1


async def test_redirect_is_given_back_as_it_is(transport: ConnectionTransport) -> None:
    async with RawServer(answer_all) as canary:
        location = f"HTTP/1.1 302 Found\r\nLocation: {canary.url}/\r\nContent-Length: 0\r\n\r\n".encode()
        async with RawServer(answers(location)) as server:
            assert (await send(transport, server.url)).status_code == 302
        assert canary.connections == 0


async def test_environment_proxies_are_not_used(
    transport: ConnectionTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with RawServer(answer_all) as canary, RawServer(answer_all) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, canary.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert (await send(transport, server.url)).status_code == 200
        assert canary.connections == 0


async def test_closed_transport_can_be_used_again(transport: ConnectionTransport) -> None:
    async with RawServer(answer_all) as server:
        await send(transport, server.url)
        await transport.aclose()
        assert not transport.connected
        await server.ended.wait()
        assert (await send(transport, server.url)).status_code == 200


async def test_abort_fails_the_exchange_in_flight(transport: ConnectionTransport) -> None:
    async with RawServer(silent) as server:
        task = asyncio.create_task(send(transport, server.url))
        while not server.requests:
            await asyncio.sleep(0.001)
        transport.abort()
        with pytest.raises(httpx.TransportError):
            await task


async def test_abort_is_no_end_of_an_answer_without_a_length(transport: ConnectionTransport) -> None:
    async with RawServer(answers(b"HTTP/1.1 200 OK\r\n\r\nhalf of i")) as server:
        task = asyncio.create_task(send(transport, server.url))
        while not server.requests:
            await asyncio.sleep(0.001)
        # What was said is on its way through this very loop.
        for _ in range(50):
            await asyncio.sleep(0.001)
        transport.abort()
        with pytest.raises(httpx.ReadError):
            await task


async def test_another_origin_gets_another_connection(transport: ConnectionTransport) -> None:
    async with RawServer(answer_all) as one, RawServer(answer_all) as two:
        await send(transport, one.url)
        await send(transport, two.url)
        assert (one.connections, two.connections) == (1, 1)
        assert len(two.requests) == 1


async def test_pinned_address_keeps_the_host() -> None:
    transport = ConnectionTransport(address="127.0.0.1")
    async with RawServer(answer_all) as server:
        await send(transport, f"http://iris.example:{server.port}/")
        assert f"Host: iris.example:{server.port}".encode() in server.requests[0]
    await transport.aclose()


async def test_tls_checks_name_and_authority(tmp_path: Path) -> None:
    authority = make_authority(tmp_path, "iris.example")
    async with RawServer(answer_all, ssl_context=authority.server_context) as server:
        trusting = ssl.create_default_context(cafile=str(authority.ca_file))

        async def attempt(name: str, context: ssl.SSLContext | None) -> httpx.Response:
            transport = ConnectionTransport(address="127.0.0.1", ssl_context=context)
            try:
                return await send(transport, f"https://{name}:{server.port}/")
            finally:
                await transport.aclose()

        assert (await attempt("iris.example", trusting)).status_code == 200
        with pytest.raises(httpx.ConnectError):
            await attempt("other.example", trusting)
        with pytest.raises(httpx.ConnectError):
            await attempt("iris.example", None)
        assert len(server.requests) == 1


async def test_tls_connection_is_reused_and_its_close_is_seen(tmp_path: Path) -> None:
    authority = make_authority(tmp_path, "iris.example")

    async def twice(peer: Peer) -> None:
        for _ in range(2):
            await peer.request()
            await peer.say(OK)
        peer.close()

    async with RawServer(twice, ssl_context=authority.server_context) as server:
        context = ssl.create_default_context(cafile=str(authority.ca_file))
        transport = ConnectionTransport(address="127.0.0.1", ssl_context=context)
        for _ in range(4):
            assert (await send(transport, f"https://iris.example:{server.port}/")).status_code == 200
            await _settled()
        assert server.connections == 2
        await transport.aclose()


def test_everything_works_on_uvloop(uvloop_run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    async def main() -> None:
        transport = ConnectionTransport(body_bytes_max=1000)
        async with RawServer(answers_then_closes(OK), answers_then_resets(OK[:-1]), answer_all) as server:
            assert (await send(transport, server.url)).content == b"{}"
            await _settled()
            with pytest.raises(httpx.ReadError):
                await send(transport, server.url)
            assert (await send(transport, server.url)).content == b"{}"
            assert (await send(transport, server.url)).extensions["reused"] is True
            await transport.aclose()

    uvloop_run(main())
