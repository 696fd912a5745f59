"""Bad peers by the hundred: those that ask and do not read, and those that send without a pause."""

from __future__ import annotations

import asyncio
import socket as sockets
import time

from .raw import RawPeer
from .servers import Person

__all__ = ["flood", "stuck_peer"]

SEGMENT = 536
"""Small segments keep the kernel's buffers small; on loopback they would take megabytes before anybody is stuck."""
FLOOD = b'{"command":"getServerList"}'
FLOOD_MAX = 20_000
"""Messages after which a flood that nobody has closed gives up."""


async def stuck_peer(person: Person) -> RawPeer:
    """Open a socket whose two ends hold next to nothing on their way."""
    connection = sockets.socket()
    connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    connection.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_MAXSEG, SEGMENT)
    connection.setblocking(False)
    place = ("127.0.0.1", person.server.port)
    await asyncio.get_running_loop().sock_connect(connection, place)
    reader, writer = await asyncio.open_connection(sock=connection, limit=2**14)
    jar = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.http.cookies.jar)
    writer.write(
        f"GET /ws HTTP/1.1\r\nHost: {place[0]}:{place[1]}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Cookie: {jar}\r\n\r\n".encode()
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    return RawPeer(reader, writer)


async def flood(person: Person, rate: float = 1000) -> int:
    """Send so many messages a second until the socket is closed; gives the code of the close."""
    peer = await RawPeer.open(person)
    closing = asyncio.create_task(peer.close_code())
    begun = time.monotonic()
    sent = 0
    while not closing.done() and sent < FLOOD_MAX:
        try:
            await peer.frame(FLOOD)
        except ConnectionError:
            break
        sent += 1
        await asyncio.sleep(max(0.0, begun + sent / rate - time.monotonic()))
    code = await asyncio.wait_for(closing, 10)
    peer.abort()
    return code
