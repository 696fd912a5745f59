"""Send an answer, whole or spoilt on the way as a fault orders."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, NoReturn

from .connections import EXTENSION
from .replies import Reply, Request

if TYPE_CHECKING:
    from .connections import Connection, Send
    from .faults import Struck

CHUNK = 64 * 1024
HUGE_START = b'{"status":{"errors":[],"summary":""},"console":[],"result":{"content":[{"filler":"'
HUGE_END = b'"}]}}'
FLUSH_SECONDS = 0.02  # long enough for what was written to be on the wire before the connection is reset


class DroppedError(Exception):
    """The connection was given up on purpose; nothing more is sent."""


async def drop(request: Request, how: Literal["reset", "close"]) -> NoReturn:
    """Close the connection without an answer and raise DroppedError.

    Raise ConnectionResetError where the ASGI server gives no way to do so, as httpx's ASGITransport.
    """
    connection = connection_of(request)
    if how == "reset":
        connection.reset()
    else:
        connection.close()
    raise DroppedError


def connection_of(request: Request) -> Connection:
    """Return the connection a request came on; raise ConnectionResetError when the ASGI server hides it."""
    connection: Connection | None = (request.scope.get("extensions") or {}).get(EXTENSION)
    if connection is None:
        raise ConnectionResetError("dropped by a fault rule")
    return connection


async def deliver(reply: Reply, struck: Struck, request: Request, send: Send) -> None:
    """Send the answer with the faults that struck it."""
    body, content_type, extra = reply.body, reply.content_type, list(reply.headers)
    if struck.get("content_type"):
        content_type = "text/plain; charset=utf-8"
    if struck.get("content_encoding"):
        extra.append((b"content-encoding", b"gzip"))
    if struck.get("truncated"):
        body = body[: len(body) // 2]
    huge = struck.get("huge")
    length = len(HUGE_START) + huge.size + len(HUGE_END) if huge else len(body)
    headers = [
        (b"content-type", content_type.encode("ascii")),
        (b"content-length", str(length).encode("ascii")),
        (b"cache-control", b"no-cache"),
        *extra,
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if huge:
        await send_body(send, HUGE_START)
        for start in range(0, huge.size, CHUNK):
            await send_body(send, b"x" * min(CHUNK, huge.size - start))
        body = HUGE_END
    if struck.get("reset_mid_body"):
        await send_body(send, body[: len(body) // 2])
        await asyncio.sleep(FLUSH_SECONDS)
        connection_of(request).reset()
        return
    if drip := struck.get("drip"):
        connection = connection_of(request)
        for position in range(len(body)):
            await send_body(send, body[position : position + 1])
            await asyncio.sleep(drip.delay)
            if connection.lost.is_set():
                return
        body = b""
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def send_body(send: Send, body: bytes) -> None:
    """Send a part of the body."""
    await send({"type": "http.response.body", "body": body, "more_body": True})


__all__ = [
    "CHUNK",
    "FLUSH_SECONDS",
    "HUGE_END",
    "HUGE_START",
    "DroppedError",
    "connection_of",
    "deliver",
    "drop",
    "send_body",
]
