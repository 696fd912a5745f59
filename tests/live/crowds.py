"""Bad peers by the hundred: those that ask and do not read, and those that send without a pause."""

from __future__ import annotations

import asyncio
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
    return await RawPeer.open(person, receive_buffer=4096, segment=SEGMENT, limit=2**14)


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
