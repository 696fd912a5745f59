"""An HTTP/1.1 server for one ASGI application, which can also do what a broken network does.

A general ASGI server gives its application no way to reset a connection, and a demonstration of faults needs true
resets, so this one hands the connection to the application as `scope["extensions"]["iris_quart.connection"]`.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import unquote

import h11

Scope: TypeAlias = MutableMapping[str, Any]
ASGIMessage: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[ASGIMessage]]
Send: TypeAlias = Callable[[ASGIMessage], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

EXTENSION = "iris_quart.connection"
BODY_LIMIT = 16 * 1024 * 1024
HEADER_LIMIT = 64 * 1024

logger = logging.getLogger("iris_quart.demo")


class Connection(asyncio.Protocol):
    """Serve one connection: requests one after another, each read whole before the application sees it."""

    def __init__(self, application: Application, connections: set[Connection]) -> None:
        self._application = application
        self._connections = connections
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEADER_LIMIT)
        self._transport: asyncio.Transport | None = None
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost = asyncio.Event()
        self._body_given = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over an accepted connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Feed bytes to the parser."""
        self._http.receive_data(data)
        self._read_events()

    def eof_received(self) -> None:
        """Take the end of what the client sends as its leaving: clients that only close half of it are unheard of."""
        self._http.receive_data(b"")
        self._read_events()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the application know that nobody waits for its answer any more."""
        self._connections.discard(self)
        self._lost.set()
        self._writable.set()

    def pause_writing(self) -> None:
        """Hold back the application while the client reads slower than it writes."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let the application write again."""
        self._writable.set()

    def reset(self) -> None:
        """Reset the connection: the client sees ECONNRESET, also for what it has not read yet."""
        if self._transport is None or self._lost.is_set():
            return
        peer = self._transport.get_extra_info("socket")
        # A linger time of zero turns the close into a RST (socket(7)).
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
        self._lost.set()

    def close(self) -> None:
        """Close the connection in order, with whatever was sent so far."""
        if self._transport is not None:
            self._transport.close()
        self._lost.set()

    @property
    def task(self) -> asyncio.Task[None] | None:
        """Return the task that serves a request, if one is being served."""
        return self._task

    @property
    def lost(self) -> asyncio.Event:
        """Return the event that is set when the connection is gone."""
        return self._lost

    def _read_events(self) -> None:
        try:
            while self._task is None and self._transport is not None and not self._transport.is_closing():
                event = self._http.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    return
                if isinstance(event, h11.Request):
                    self._start_request(event)
                elif isinstance(event, h11.Data):
                    self._body += event.data
                    if len(self._body) > BODY_LIMIT:
                        self._refuse(413)
                        return
                elif isinstance(event, h11.EndOfMessage):
                    self._run_application()
                elif isinstance(event, h11.ConnectionClosed):
                    self._transport.close()
                    return
        except h11.RemoteProtocolError as error:
            self._refuse(error.error_status_hint)

    def _start_request(self, request: h11.Request) -> None:
        self._request = request
        self._body.clear()
        self._body_given = False
        if self._http.they_are_waiting_for_100_continue:
            self._write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))

    def _run_application(self) -> None:
        request = self._request
        assert request is not None
        assert self._transport is not None
        path, _, query = request.target.partition(b"?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.http_version.decode("ascii"),
            "method": request.method.decode("ascii"),
            "scheme": "http",
            "path": unquote(path.decode("ascii", "replace")),
            "raw_path": path,
            "query_string": query,
            "headers": list(request.headers),
            "client": self._transport.get_extra_info("peername"),
            "server": self._transport.get_extra_info("sockname"),
            "extensions": {EXTENSION: self},
        }
        self._task = asyncio.get_running_loop().create_task(self._serve(scope))

    async def _serve(self, scope: Scope) -> None:
        try:
            await self._application(scope, self._receive, self._send)
        except Exception:
            logger.exception("the embedded server failed on %s %s", scope["method"], scope["path"])
            self._refuse(500)
        finally:
            self._task = None
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._read_events()
        else:
            transport.close()

    async def _receive(self) -> ASGIMessage:
        if not self._body_given:
            self._body_given = True
            return {"type": "http.request", "body": bytes(self._body), "more_body": False}
        await self._lost.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: ASGIMessage) -> None:
        if self._lost.is_set():
            return
        if message["type"] == "http.response.start":
            response = h11.Response(status_code=message["status"], headers=message["headers"])
            self._write(self._http.send(response))
            return
        body = message.get("body", b"")
        if body and self._request is not None and self._request.method != b"HEAD":
            self._write(self._http.send(h11.Data(data=body)))
        if not message.get("more_body", False):
            self._write(self._http.send(h11.EndOfMessage()))
        await self._writable.wait()

    def _write(self, data: bytes | None) -> None:
        if data and self._transport is not None:
            self._transport.write(data)

    def _refuse(self, status: int) -> None:
        """Answer what cannot be served at all, and close."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            headers = [("Content-Length", "0"), ("Connection", "close")]
            self._write(self._http.send(h11.Response(status_code=status, headers=headers)))
            self._write(self._http.send(h11.EndOfMessage()))
        self._transport.close()


__all__ = [
    "BODY_LIMIT",
    "EXTENSION",
    "HEADER_LIMIT",
    "ASGIMessage",
    "Application",
    "Connection",
    "Receive",
    "Scope",
    "Send",
    "logger",
]
