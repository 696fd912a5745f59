"""A server that says exactly the bytes a test gives it, and remembers what it was told."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress

Script = Callable[["Peer"], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Peer:
    """One connection, seen from the server."""

    def __init__(self, server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer

    async def request(self) -> bytes:
        """Read one whole request, and remember it."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        whole = head + (await self.reader.readexactly(length) if length else b"")
        self.server.requests.append(whole)
        return whole

    async def say(self, *pieces: bytes) -> None:
        """Send bytes, each piece by itself."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    def reset(self) -> None:
        """Reset the connection (RST)."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self) -> None:
        """Close in order (FIN)."""
        self.writer.close()


class RawServer:
    """Runs a script per connection: the first script for the first connection, the last one for all further."""

    def __init__(self, *scripts: Script, ssl_context: ssl.SSLContext | None = None) -> None:
        self._scripts = scripts
        self._ssl_context = ssl_context
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.requests: list[bytes] = []
        self.ended = asyncio.Event()  # set when a script has ended
        self.port = 0

    async def __aenter__(self) -> RawServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._ssl_context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                await self._server.wait_closed()

    @property
    def url(self) -> str:
        """The server's address."""
        scheme = "https" if self._ssl_context else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await script(Peer(self, reader, writer))
        except asyncio.CancelledError:
            pass
        finally:
            self.ended.set()
            if not writer.transport.is_closing():
                writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            self._tasks.discard(task)


async def answer_all(peer: Peer) -> None:
    """Answer every request on a connection with an empty JSON object."""
    while True:
        await peer.request()
        await peer.say(OK)


def answers(*pieces: bytes) -> Script:
    """Answer the first request with these bytes, then stay silent until the client closes."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(*pieces)
        await peer.reader.read()

    return script


def answers_then_closes(*pieces: bytes) -> Script:
    """Answer the first request with these bytes, then close."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(*pieces)
        peer.close()

    return script


def answers_then_resets(*pieces: bytes) -> Script:
    """Answer the first request with these bytes, wait until they are on their way, then reset."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(*pieces)
        await asyncio.sleep(0)
        peer.reset()

    return script


async def closes_on_accept(peer: Peer) -> None:
    """Close before anything was read."""
    peer.close()


async def silent(peer: Peer) -> None:
    """Read and never answer."""
    await peer.request()
    await peer.reader.read()
