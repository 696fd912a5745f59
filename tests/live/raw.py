"""A WebSocket peer without manners: it sends what the test wants and reads only when told (RFC 6455)."""

from __future__ import annotations

import asyncio
import socket as sockets
import struct

from .servers import Person

__all__ = ["CLOSE", "PING", "PONG", "RawPeer", "frame"]

CLOSE, PING, PONG = 0x8, 0x9, 0xA


class RawPeer:
    """One TCP connection that has become a WebSocket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(
        cls,
        person: Person,
        *,
        receive_buffer: int | None = None,
        segment: int | None = None,
        limit: int = 2**16,
        extensions: str = "",
    ) -> RawPeer:
        """Shake hands as this person; sizes in bytes bound what this end and the network hold for it."""
        connection = sockets.socket()
        if receive_buffer is not None:
            connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, receive_buffer)
        if segment is not None:
            connection.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_MAXSEG, segment)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", person.server.port))
        reader, writer = await asyncio.open_connection(sock=connection, limit=limit)
        jar = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.http.cookies.jar)
        offered = f"Sec-WebSocket-Extensions: {extensions}\r\n" if extensions else ""
        writer.write(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{person.server.port}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nCookie: {jar}\r\n{offered}\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in head, head
        assert b"extensions" not in head.lower()
        return cls(reader, writer)

    async def frame(self, payload: bytes, *, opcode: int = 0x1, final: bool = True) -> None:
        """Send one masked frame."""
        await self.raw(frame(payload, opcode=opcode, final=final))

    async def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def read_frame(self) -> tuple[int, bytes]:
        """Read one frame of the server: opcode and payload. Raises IncompleteReadError at the end."""
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
        return first & 0x0F, await self.reader.readexactly(length)

    async def close_code(self) -> int:
        """Read up to the close frame and give its code."""
        while True:
            opcode, payload = await self.read_frame()
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big")

    async def gone(self, seconds: float) -> None:
        """Wait until the server has ended the TCP connection."""
        async with asyncio.timeout(seconds):
            try:
                while await self.reader.read(65536):
                    pass
            except ConnectionError:
                pass

    def abort(self) -> None:
        """Leave without a word."""
        self.writer.transport.abort()


def frame(payload: bytes, *, opcode: int = 0x1, final: bool = True) -> bytes:
    """Make one masked frame."""
    first = opcode | (0x80 if final else 0)
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", first, 0x80 | length)
    elif length < 65536:
        head = struct.pack("!BBH", first, 0x80 | 126, length)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, length)
    # A mask of zeros is a mask (RFC 6455 section 5.3 asks for unpredictable ones, but only to fool proxies).
    return head + bytes(4) + payload
