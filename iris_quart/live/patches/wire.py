"""The connection under a websocket, and the fast path of its text messages.

The way of a text message through wsproto and the queues of Hypercorn and Quart costs as much as everything that our
own code does for a short command. The setting `socket_fast_path` turns the bypass off.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import hypercorn.protocol.ws_stream as streams
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.ws_stream import ASGIWebsocketState
from wsproto.connection import ConnectionState
from wsproto.events import Ping
from wsproto.utilities import LocalProtocolError

from .frames import text_frame_head, whole_text
from .limits import limits_of

__all__ = ["FULL_BYTES", "WIRE", "Wire", "wire_of"]

WIRE = "iris_quart.wire"
"""Key of the `Wire` in a websocket's scope."""

FULL_BYTES = 64 * 1024
"""Bytes waiting in a transport from which on asyncio and uvloop pause the writer."""


class Wire:
    """The connection under one websocket; only for HTTP/1.1 under Hypercorn.

    It shows when the peer was last heard, pings it and can abort it, none of which ASGI offers. With the limits'
    `fast_path`, text messages go straight to the transport and come straight from it.
    """

    __slots__ = ("_decoders", "_limits", "_put", "_queued", "_server", "_stream", "_taker", "heard")

    def __init__(
        self, stream: streams.WSStream, server: TCPServer, put: Callable[[Any], Awaitable[None]]
    ) -> None:
        self._stream = stream
        self._server = server
        self._put = put
        self._queued = 0
        self._taker: Callable[[str | bytes], None] | None = None
        self._decoders: Any = None
        self._limits = limits_of(stream)
        self.heard = time.monotonic()
        """When a byte of the peer last arrived, on the monotonic clock."""

    @property
    def full(self) -> bool:
        """Whether so much waits to be sent that nothing more should be added."""
        return self._server.writer.transport.get_write_buffer_size() > FULL_BYTES

    def send_text(self, text: bytes) -> bool:
        """Write a text message, encoded in UTF-8, to the transport; return whether it was written.

        Nothing is written when the fast path is off, or the connection is not open or is full: the ordinary way
        through Quart then raises or waits.
        """
        transport = self._server.writer.transport
        if not self._limits.fast_path or not self._open or transport.is_closing() or self.full:
            return False
        transport.write(text_frame_head(len(text)) + text)
        return True

    def deliver(self, taker: Callable[[str | bytes], None]) -> None:
        """Call `taker` with each message that arrives, after those that are already in Quart's queue.

        The caller still receives these from Quart, and counts each of them by `received`. Does nothing when the
        fast path is off.
        """
        if not self._limits.fast_path:
            return
        protocol = self._stream.connection._proto  # noqa: SLF001
        self._decoders = protocol._frame_decoder, protocol._message_decoder  # noqa: SLF001
        self._taker = taker
        vars(self._server.reader)["feed_data"] = self._feed

    def release(self) -> None:
        """Return `taker` nothing more; what comes goes through Hypercorn and Quart again."""
        self._taker = None
        vars(self._server.reader).pop("feed_data", None)

    def detach(self) -> None:
        """Restore Hypercorn's own path at the end of the websocket."""
        self.release()
        self._stream.app_put = self._put
        vars(self._stream).pop("iris_quart_wire", None)

    def received(self) -> None:
        """Count off a message that was received from Quart."""
        self._queued -= 1

    async def put(self, message: Any) -> None:
        """Pass on what Hypercorn has for the application: to the taker, or through the queues."""
        if message["type"] != "websocket.receive":
            await self._put(message)
        elif self._taker is not None and not self._queued:
            text = message["text"]
            self._taker(message["bytes"] if text is None else text)
        else:
            self._queued += 1
            await self._put(message)

    def _feed(self, data: bytes) -> None:
        """Receive bytes in place of Hypercorn's reader, and pass everything but whole messages on to it."""
        self.heard = time.monotonic()
        reader = self._server.reader
        text = None
        # What Hypercorn has taken out of its reader is handled at once, or counted as queued.
        if self._taker is not None and not self._queued and not reader._buffer and self._open:  # type: ignore[attr-defined]  # noqa: SLF001
            frames, messages = self._decoders
            if frames.header is None and not len(frames.buffer) and messages.opcode is None:
                text = whole_text(data, self._limits.message_length)
        if text is None or self._taker is None:
            asyncio.StreamReader.feed_data(reader, data)
        else:
            self._taker(text)

    @property
    def _open(self) -> bool:
        stream = self._stream
        return (
            not stream.closed
            and stream.buffer.length >= 0
            and stream.state is ASGIWebsocketState.CONNECTED
            and stream.connection.state is ConnectionState.OPEN
        )

    async def drain(self) -> None:
        """Wait until there is room. Raises OSError when the peer has gone."""
        await self._server.writer.drain()

    def ping(self) -> None:
        """Ask for a sign of life; left out while other data waits to be sent, or after a close."""
        transport = self._server.writer.transport
        if transport.get_write_buffer_size() or transport.is_closing():
            return
        try:
            transport.write(self._stream.connection.send(Ping()))
        except LocalProtocolError:
            return

    def abort(self) -> None:
        """Cut the connection off and free what waits to be sent."""
        self._server.writer.transport.abort()


def wire_of(send: Any) -> Wire | None:
    """Look up the wire under an ASGI `send`; None under another server or HTTP/2."""
    stream = getattr(send, "__self__", None)
    if not isinstance(stream, streams.WSStream):
        return None
    protocol = getattr(stream.send, "__self__", None)
    if not isinstance(protocol, H11Protocol):
        return None
    server = getattr(protocol.send, "__self__", None)
    if not isinstance(server, TCPServer) or stream.app_put is None:
        return None
    wire = Wire(stream, server, stream.app_put)
    stream.iris_quart_wire = wire  # type: ignore[attr-defined]
    stream.app_put = wire.put
    return wire
