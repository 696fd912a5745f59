"""Bounds that Hypercorn 0.18 does not have, kept in one place because they touch its private parts.

- permessage-deflate is never negotiated: its inflation is unbounded (hypercorn issue 307).
- HTTP/2 in clear is not spoken, neither at once nor by upgrade: a proxy that passes the upgrade on becomes a tunnel,
  and whoever is in it says what address and scheme they come from. Nor is it agreed over TLS: a stream that its peer
  gives no window waits outside of all our bounds.
- A peer that takes nothing of an HTTP answer for `slow_reader_seconds` is cut off, as a socket's is.
- A message is measured before it is stored; after 1009 the buffer is dropped, what still arrives is thrown
  away, and the transport is closed. Stock Hypercorn stores first, and keeps both buffer and connection.
- Frames are counted as well as messages: pings and empty fragments are no messages, but each costs its time.
- A `Wire` tells when the peer was last heard, pings it and can cut it off: ASGI offers none of these.
- What a connection was made of goes when it ends: its circles, of some 25 KB, stayed until the collector came to the
  old ones, which is after some 300,000 connections.
- The queue between Hypercorn and the application is a small one: an idle socket holds little.
- Its error log, unless sent to a file, goes through our JSON logs: its tracebacks may hold data.
- Text messages go straight to the transport, and come straight from it: their way through wsproto, Hypercorn's and
  Quart's queues cost as much as all that our own code does for a short command.
- The time that open sockets have at a stop is never shorter than ours (`graceful_timeout`).

pyproject.toml bounds the version; tests/live/patches/test_bounds.py fails when one of these parts has moved.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from io import BytesIO, StringIO
from typing import Any, cast
from weakref import WeakKeyDictionary

import h11
import hypercorn.logging as stock_logging
import hypercorn.protocol.ws_stream as streams
from hypercorn.asyncio import task_group
from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.config import Config
from hypercorn.events import Event, RawData
from hypercorn.protocol.events import Data, StreamClosed
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.ws_stream import ASGIWebsocketState
from quart import Quart
from quart.asgi import ASGIWebsocketConnection
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection, Message, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError

from iris_quart.live.inbox import Inbox
from iris_quart.live.limits import TokenBucket
from iris_quart.live.slow_readers import cutting_off

from .frames import text_frame_head, whole_text

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
    slow_reader_seconds = math.inf
    frames_per_second = math.inf
    frames_burst = 2**31


_lingering: set[asyncio.Task[None]] = set()
_frames: WeakKeyDictionary[streams.WSStream, TokenBucket] = WeakKeyDictionary()


class Wire:
    """The connection under one websocket; only for HTTP/1.1 under Hypercorn."""

    __slots__ = ("_decoders", "_put", "_queued", "_server", "_stream", "_taker", "frames", "heard")

    def __init__(
        self, stream: streams.WSStream, server: TCPServer, put: Callable[[Any], Awaitable[None]]
    ) -> None:
        self._stream = stream
        self._server = server
        self._put = put
        self._queued = 0
        self._taker: Callable[[str | bytes], None] | None = None
        self._decoders: Any = None
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
        transport = self._server.writer.transport
        if not self._open or transport.is_closing() or self.full:
            return False
        transport.write(text_frame_head(len(text)) + text)
        return True

    def deliver(self, taker: Callable[[str | bytes], None]) -> None:
        """Give messages to `taker` as they come, once those are received that came before.

        Whoever receives from Quart still gets what is on its way there, and tells each by `received`.
        """
        protocol = self._stream.connection._proto  # noqa: SLF001
        self._decoders = protocol._frame_decoder, protocol._message_decoder  # noqa: SLF001
        self._taker = taker
        vars(self._server.reader)["feed_data"] = self._feed

    def release(self) -> None:
        """Give `taker` nothing more; what comes goes through Hypercorn and Quart again."""
        self._taker = None
        vars(self._server.reader).pop("feed_data", None)

    def detach(self) -> None:
        """Let Hypercorn go on without it, at the end of the websocket."""
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
        """Take bytes in place of Hypercorn's reader, which gets all but whole messages with nothing before them."""
        self.heard = time.monotonic()
        reader = self._server.reader
        text = None
        # What Hypercorn has taken out of its reader is handled at once, or counted as queued.
        if self._taker is not None and not self._queued and not reader._buffer and self._open:  # type: ignore[attr-defined]  # noqa: SLF001
            frames, messages = self._decoders
            if frames.header is None and not len(frames.buffer) and messages.opcode is None:
                text = whole_text(data, _Limits.message_length)
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
    """Find the wire under an ASGI `send`; None under another server or HTTP/2."""
    stream = getattr(send, "__self__", None)
    if not isinstance(stream, streams.WSStream):
        return None
    protocol = getattr(stream.send, "__self__", None)
    if not isinstance(protocol, H11Protocol):
        return None
    server = getattr(protocol.send, "__self__", None)
    if not isinstance(server, TCPServer) or stream.app_put is None:
        return None
    # worker_serve reads this value when it stops, so it can still be raised now.
    stream.config.graceful_timeout = max(stream.config.graceful_timeout, _Limits.graceful_seconds)
    wire = Wire(stream, server, stream.app_put)
    stream.iris_quart_wire = wire  # type: ignore[attr-defined]
    stream.app_put = wire.put
    return wire


class BoundedConnection(ASGIWebsocketConnection):
    """Quart's websocket connection with a bounded inbox, which leaves its wire in the scope."""

    def __init__(self, app: Quart, scope: Any) -> None:
        super().__init__(app, scope)
        self.queue = cast("Any", Inbox(INBOX))

    async def __call__(self, receive: Any, send: Any) -> None:
        """Serve one websocket."""
        scope: Any = self.scope
        wire = scope[WIRE] = wire_of(send)
        try:
            await super().__call__(receive, send)
        finally:
            # The scope is the stream's too, and the wire leads to the stream.
            del scope[WIRE]
            if wire is not None:
                wire.detach()


def harden(
    app: Quart,
    message_length: int,
    graceful_seconds: float,
    messages_per_second: float = math.inf,
    messages_burst: int = 2**31,
    slow_reader_seconds: float = math.inf,
) -> None:
    """Put the bounds in force for this process.

    message_length: characters of a text message, or bytes of another, beyond which it is refused with 1009.
    graceful_seconds: least time that open sockets have when Hypercorn stops.
    messages_per_second, messages_burst: what a socket may send; some times as many frames, and then 1008.
    slow_reader_seconds: how long the peer of an HTTP answer may take nothing of it.
    """
    _Limits.message_length = message_length
    _Limits.graceful_seconds = graceful_seconds
    _Limits.slow_reader_seconds = slow_reader_seconds
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
    TCPServer.run = _run  # type: ignore[method-assign]
    TCPServer.protocol_send = _protocol_send  # type: ignore[method-assign]
    TaskGroup.spawn_app = _spawn_app  # type: ignore[method-assign]
    Config.alpn_protocols = ["http/1.1"]


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


async def _spawn_app(self: TaskGroup, app: Any, config: Config, scope: Any, send: Any) -> Any:
    queue: Inbox[Any] = Inbox(config.max_app_queue_size)
    loop = self._loop

    def call_soon(function: Any, *arguments: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(function(*arguments), loop).result()

    run_in_thread = partial(loop.run_in_executor, None)
    self.spawn(task_group._handle, app, config, scope, queue.get, send, run_in_thread, call_soon)  # noqa: SLF001
    return queue.put


_stock_protocol_send = TCPServer.protocol_send


async def _protocol_send(self: TCPServer, event: Event) -> None:
    wrapper: Any = vars(self).get("protocol")
    stream = getattr(getattr(wrapper, "protocol", None), "stream", None)
    if not isinstance(event, RawData) or isinstance(stream, streams.WSStream):
        # `Connection` watches over the peer of a socket.
        await _stock_protocol_send(self, event)
        return
    with cutting_off(self.writer.transport, _Limits.slow_reader_seconds):
        await _stock_protocol_send(self, event)


_stock_run = TCPServer.run


async def _run(self: TCPServer) -> None:
    try:
        await _stock_run(self)
    finally:
        _take_apart(self)


def _take_apart(server: TCPServer) -> None:
    """Undo the circles of a connection that has ended: they are old by then, and the collector seldom comes to them."""
    wrapper: Any = vars(server).get("protocol")
    protocol: Any = getattr(wrapper, "protocol", None)
    for part in (wrapper, protocol):
        if part is not None:
            # A task of the idle time-out may still come to say that the connection is closed.
            part.send = _nowhere
    if isinstance(protocol, H11Protocol):
        protocol.stream = None


async def _nowhere(_event: Any) -> None:
    """Take what is sent over a connection that is no more."""


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
