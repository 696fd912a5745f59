"""Bounds that Hypercorn 0.18 does not have, kept in one place because they touch its private parts.

- permessage-deflate is never negotiated: its inflation is unbounded (hypercorn issue 307).
- HTTP/2 in clear is not spoken, neither at once nor by upgrade: a proxy that passes the upgrade on becomes a tunnel,
  and whoever is in it says what address and scheme they come from.
- A message is measured before it is stored; after 1009 the buffer is dropped, what still arrives is thrown
  away, and the transport is closed. Stock Hypercorn stores first, and keeps both buffer and connection.
- Frames are counted as well as messages: pings and empty fragments are no messages, but each costs its time.
- A `Wire` tells when the peer was last heard, pings it and can cut it off: ASGI offers none of these.
- Its error log, unless sent to a file, goes through our JSON logs: its tracebacks may hold data.
- Text messages go straight to the transport: an answer's way through Quart, ASGI, wsproto and Hypercorn cost as much
  as all that our own code does for a short command.
- The time that open sockets have at a stop is never shorter than ours (`graceful_timeout`).

pyproject.toml bounds the version; tests/live/test_hardened.py fails when one of these parts has moved.
"""

from __future__ import annotations

import asyncio
import logging
import math
import struct
import time
from io import BytesIO, StringIO
from typing import Any
from weakref import WeakKeyDictionary

import h11
import hypercorn.logging as stock_logging
import hypercorn.protocol.ws_stream as streams
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.protocol.events import Data, StreamClosed
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.ws_stream import ASGIWebsocketState
from quart import Quart
from quart.asgi import ASGIWebsocketConnection
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection, Message, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError

from .limits import TokenBucket

__all__ = ["WIRE", "BoundedConnection", "Wire", "harden", "wire_of"]

WIRE = "iris_quart.wire"
"""Key of the `Wire` in a websocket's scope."""

INBOX = 8
"""Messages that Quart may hold for a socket; beyond, TCP pushes back. Quart's own inbox has no bound."""

FULL_BYTES = 64 * 1024
"""From so many bytes that wait in a transport on, asyncio and uvloop stop the writer."""

LINGER_SECONDS = 0.5
"""How long a connection is still read after 1009; closing at once would reset it and lose the close frame."""


CHECK_PROTOCOL = "_check_protocol"
"""Where Hypercorn's HTTP/1.1 looks whether HTTP/2 is wanted instead."""

FRAMES = 10
"""Frames that may come for each message that may."""


class _Limits:
    """What `harden` was told; Hypercorn makes its buffers without asking us."""

    message_length = 16 * 1024 * 1024
    graceful_seconds = 0.0
    frames_per_second = math.inf
    frames_burst = 2**31


_lingering: set[asyncio.Task[None]] = set()
_frames: WeakKeyDictionary[streams.WSStream, TokenBucket] = WeakKeyDictionary()


class Wire:
    """The connection under one websocket; only for HTTP/1.1 under Hypercorn."""

    __slots__ = ("_server", "_stream", "frames", "heard")

    def __init__(self, stream: streams.WSStream, server: TCPServer) -> None:
        self._stream = stream
        self._server = server
        self.frames = _frames_allowed()
        """What the peer may still send."""
        self.heard = time.monotonic()
        """When a byte of the peer last arrived, on the monotonic clock."""

    @property
    def full(self) -> bool:
        """Whether so much waits to be sent that nothing more should be added."""
        return self._server.writer.transport.get_write_buffer_size() > FULL_BYTES

    def send_text(self, text: bytes) -> bool:
        """Send a text message, given in UTF-8, past Quart and Hypercorn, whose ways cost several times as much.

        False, and nothing is sent, when the connection is not open or is full: the ordinary way tells or waits.
        """
        stream = self._stream
        transport = self._server.writer.transport
        if (
            stream.closed
            or stream.state is not ASGIWebsocketState.CONNECTED
            or stream.connection.state is not ConnectionState.OPEN
            or transport.is_closing()
            or self.full
        ):
            return False
        transport.write(_text_frame_head(len(text)) + text)
        return True

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


def _text_frame_head(length: int) -> bytes:
    """Write the head of a final text frame of a server, which masks nothing (RFC 6455 section 5.2)."""
    if length < 126:
        return bytes((0x81, length))
    if length < 65536:
        return struct.pack("!BBH", 0x81, 126, length)
    return struct.pack("!BBQ", 0x81, 127, length)


def wire_of(send: Any) -> Wire | None:
    """Find the wire under an ASGI `send`; None under another server or HTTP/2."""
    stream = getattr(send, "__self__", None)
    if not isinstance(stream, streams.WSStream):
        return None
    protocol = getattr(stream.send, "__self__", None)
    if not isinstance(protocol, H11Protocol):
        return None
    server = getattr(protocol.send, "__self__", None)
    if not isinstance(server, TCPServer):
        return None
    # worker_serve reads this value when it stops, so it can still be raised now.
    stream.config.graceful_timeout = max(stream.config.graceful_timeout, _Limits.graceful_seconds)
    wire = Wire(stream, server)
    stream.iris_quart_wire = wire  # type: ignore[attr-defined]
    return wire


class BoundedConnection(ASGIWebsocketConnection):
    """Quart's websocket connection with a bounded inbox, which leaves its wire in the scope."""

    def __init__(self, app: Quart, scope: Any) -> None:
        super().__init__(app, scope)
        self.queue = asyncio.Queue(maxsize=INBOX)

    async def __call__(self, receive: Any, send: Any) -> None:
        """Serve one websocket."""
        scope: Any = self.scope
        scope[WIRE] = wire_of(send)
        await super().__call__(receive, send)


def harden(
    app: Quart,
    message_length: int,
    graceful_seconds: float,
    messages_per_second: float = math.inf,
    messages_burst: int = 2**31,
) -> None:
    """Put the bounds in force for this process.

    message_length: characters of a text message, or bytes of another, beyond which it is refused with 1009.
    graceful_seconds: least time that open sockets have when Hypercorn stops.
    messages_per_second, messages_burst: what a socket may send; some times as many frames, and then 1008.
    """
    _Limits.message_length = message_length
    _Limits.graceful_seconds = graceful_seconds
    _Limits.frames_per_second = FRAMES * messages_per_second
    _Limits.frames_burst = FRAMES * messages_burst
    app.asgi_websocket_class = BoundedConnection
    private: Any = streams
    private.server_extensions_handshake = _no_extensions
    private = stock_logging
    private._create_logger = _create_logger  # noqa: SLF001
    setattr(H11Protocol, CHECK_PROTOCOL, _no_other_protocol)
    streams.WebsocketBuffer.extend = _extend  # type: ignore[method-assign]
    streams.WSStream.handle = _handle  # type: ignore[method-assign]
    streams.WSStream._handle_events = _handle_events  # type: ignore[method-assign]  # noqa: SLF001


_stock_create_logger = stock_logging._create_logger  # noqa: SLF001


def _create_logger(name: str, target: Any, *rest: Any, **options: Any) -> logging.Logger | None:
    if name == "hypercorn.error" and target == "-":
        return logging.getLogger(name)
    return _stock_create_logger(name, target, *rest, **options)


def _no_extensions(_offers: Any, _supported: Any) -> None:
    return None


async def _no_other_protocol(_protocol: H11Protocol, _request: h11.Request) -> None:
    """Go on with HTTP/1.1, to which an upgrade is an offer and the preface of HTTP/2 a request for nothing."""


def _extend(self: streams.WebsocketBuffer, event: Any) -> None:
    size = len(event.data)
    if self.length + size > min(self.max_length, _Limits.message_length):
        _trip(self)
        raise streams.FrameTooLargeError
    if self.value is None:
        self.value = StringIO() if isinstance(event, TextMessage) else BytesIO()
    self.length += size
    self.value.write(event.data)


def _frames_allowed() -> TokenBucket:
    return TokenBucket(_Limits.frames_per_second, _Limits.frames_burst)


def _frames_without_wire(stream: streams.WSStream) -> TokenBucket:
    if stream not in _frames:
        _frames[stream] = _frames_allowed()
    return _frames[stream]


def _trip(buffer: streams.WebsocketBuffer) -> None:
    """Free what was received and take no more: `_handle_events` then closes the transport."""
    buffer.value = None
    buffer.length = -1


_stock_handle = streams.WSStream.handle


async def _handle(self: streams.WSStream, event: Any) -> None:
    if isinstance(event, Data):
        wire = getattr(self, "iris_quart_wire", None)
        if wire is not None:
            wire.heard = time.monotonic()
        if self.buffer.length < 0:
            return
    await _stock_handle(self, event)


async def _handle_events(self: streams.WSStream) -> None:
    wire: Wire | None = getattr(self, "iris_quart_wire", None)
    frames = _frames_without_wire(self) if wire is None else wire.frames
    for event in self.connection.events():
        # A large frame comes in parts, of which only the last one counts.
        if getattr(event, "frame_finished", True) and not frames.take():
            _trip(self.buffer)
            await _refuse(self, CloseReason.POLICY_VIOLATION)
            break
        if isinstance(event, Message):
            try:
                self.buffer.extend(event)
            except streams.FrameTooLargeError:
                await _refuse(self, CloseReason.MESSAGE_TOO_BIG)
                break
            if event.message_finished:
                assert self.app_put is not None
                await self.app_put(self.buffer.to_message())
                self.buffer.clear()
        elif isinstance(event, Ping):
            await self._send_wsproto_event(event.response())
        elif isinstance(event, CloseConnection):
            if self.connection.state is ConnectionState.REMOTE_CLOSING:
                await self._send_wsproto_event(event.response())
            await self.send(StreamClosed(stream_id=self.stream_id))
    if self.buffer.length < 0 and not self.closed:
        task = asyncio.get_running_loop().create_task(_linger(self))
        _lingering.add(task)
        task.add_done_callback(_lingering.discard)


async def _refuse(self: streams.WSStream, code: CloseReason) -> None:
    await self._send_wsproto_event(CloseConnection(code=code))


async def _linger(stream: streams.WSStream) -> None:
    await asyncio.sleep(LINGER_SECONDS)
    if not stream.closed:
        await stream.send(StreamClosed(stream_id=stream.stream_id))
