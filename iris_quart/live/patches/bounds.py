"""Bounds that Hypercorn 0.18 does not have, and repairs of it, by replacing its private parts.

- permessage-deflate is never negotiated: its inflation is unbounded (hypercorn issue 307).
- HTTP/2 without TLS is not spoken, neither at once nor by upgrade: behind a proxy that passes the upgrade on it
  becomes a tunnel, in which a client can claim any address and scheme. It is not negotiated over TLS either: a stream
  whose peer grants no window waits outside of all bounds.
- A peer that reads nothing of an HTTP response for `slow_reader_seconds` is aborted, as one of a socket is.
- A message is measured before it is stored. After 1009 the buffer is freed, what still arrives is discarded, and
  the transport is closed. Stock Hypercorn stores first, and keeps both the buffer and the connection.
- Frames are counted as well as messages: pings and empty fragments are not messages, but each costs time.
- The reference cycles of a connection (25 KB) are broken when it ends; otherwise they survive until a full garbage
  collection, which comes after some 300,000 connections.
- The queue between Hypercorn and the application is a small one, so that an idle socket holds little memory.
- The error log, unless sent to a file, goes through our JSON logs, because its tracebacks may hold data.
- Open sockets never have less time at a stop than ours need (`graceful_timeout`).

pyproject.toml bounds the version; tests/live/patches/test_bounds.py fails when one of these parts has moved.
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from io import BytesIO, StringIO
from typing import Any, cast

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
from hypercorn.protocol.http_stream import HTTPStream
from quart import Quart
from quart.asgi import ASGIHTTPConnection, ASGIWebsocketConnection
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection, Message, Ping, TextMessage
from wsproto.frame_protocol import CloseReason

from iris_quart.live.inbox import Inbox
from iris_quart.live.limits import TokenBucket
from iris_quart.live.slow_readers import cutting_off

from .limits import SocketLimits, limits_of
from .wire import WIRE, wire_of

__all__ = ["BoundedConnection", "BoundedRequest", "harden"]

INBOX = 8
"""Messages that Quart may hold for a socket; beyond, TCP pushes back. Quart's own inbox has no bound."""

LINGER_SECONDS = 0.5
"""Time that a connection is still read after 1009; closing at once would reset it and lose the close frame."""


EXTENSION = "iris_quart.socket_limits"
"""Key of the application's `SocketLimits` in `app.extensions`."""

CHECK_PROTOCOL = "_check_protocol"
"""Where Hypercorn's HTTP/1.1 looks whether HTTP/2 is wanted instead."""

_lingering: set[asyncio.Task[None]] = set()


class BoundedConnection(ASGIWebsocketConnection):
    """Quart's websocket connection with a bounded inbox, which leaves its wire in the scope."""

    def __init__(self, app: Quart, scope: Any) -> None:
        super().__init__(app, scope)
        self._limits: SocketLimits = app.extensions[EXTENSION]
        self.queue = cast("Any", Inbox(INBOX))

    async def __call__(self, receive: Any, send: Any) -> None:
        """Serve one websocket."""
        scope: Any = self.scope
        stream = getattr(send, "__self__", None)
        if isinstance(stream, streams.WSStream):
            self._limits.attach(stream)
        wire = scope[WIRE] = wire_of(send)
        try:
            await super().__call__(receive, send)
        finally:
            # The scope is the stream's too, and the wire leads to the stream.
            del scope[WIRE]
            if wire is not None:
                wire.detach()


class BoundedRequest(ASGIHTTPConnection):
    """Quart's HTTP connection, which leaves its application's limits at the stream."""

    def __init__(self, app: Quart, scope: Any) -> None:
        super().__init__(app, scope)
        self._limits: SocketLimits = app.extensions[EXTENSION]

    async def __call__(self, receive: Any, send: Any) -> None:
        """Serve one request."""
        stream = getattr(send, "__self__", None)
        if isinstance(stream, HTTPStream):
            stream.iris_quart_limits = self._limits  # type: ignore[attr-defined]
        await super().__call__(receive, send)


def harden(app: Quart, limits: SocketLimits) -> None:
    """Replace Hypercorn's parts in this process and apply the limits to the connections of `app`."""
    app.extensions[EXTENSION] = limits
    app.asgi_http_class = BoundedRequest
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
    if self.length + size > self.max_length:
        _trip(self)
        raise streams.FrameTooLargeError
    if self.value is None:
        self.value = StringIO() if isinstance(event, TextMessage) else BytesIO()
    self.length += size
    self.value.write(event.data)


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
    with cutting_off(self.writer.transport, limits_of(stream).slow_reader_seconds):
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
    """Discard what is sent over a closed connection."""


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
    frames: TokenBucket | None = getattr(self, "iris_quart_frames", None)
    for event in self.connection.events():
        # A large frame comes in parts, of which only the last one counts.
        if frames is not None and getattr(event, "frame_finished", True) and not frames.take():
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
