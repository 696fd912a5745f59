"""One HTTP/1.1 connection: no pool, no repeats, and "not sent" told from "maybe executed" by httpx's errors."""

from __future__ import annotations

import asyncio
import select
import ssl
import time
from collections.abc import Sequence
from typing import Any, Protocol, cast

import h11
import httpx

from .http_response import AnswerReader, BodyTooLarge, Headers, WholeAnswer

__all__ = ["BodyTooLarge", "ConnectionTransport", "Exchange"]

POLL_EVENTS = (
    select.POLLIN | select.POLLPRI | select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)
)
FOLLOWING_SECONDS = 2.0
"""Time in which the answer to a following request must come after the first one."""
HEADS_KEPT = 64
"""Request heads that are remembered per connection; those of one session differ in little but the length."""


class Exchange(Protocol):
    """Sends requests and reads whole answers, one at a time."""

    async def exchange(
        self,
        method: str,
        url: httpx.URL,
        headers: Headers,
        body: bytes | None,
        *,
        deadline: float | None = None,
        fresh_after: float | None = None,
    ) -> WholeAnswer:
        """Send a request; the result is status, headers with names in lower case, and body.

        `deadline` (seconds) bounds the whole exchange. `fresh_after` (seconds) forbids a connection that was idle for
        that time; 0 makes a new one. Raises what `ConnectionTransport` names.
        """

    async def aclose(self) -> None:
        """Close what is open."""


class ConnectionTransport:
    """Speak HTTP/1.1 over one connection to one origin, one request at a time, or a request and a read behind it.

    `address` is connected to instead of the URL's host (an address that was judged before); the Host header
    and the TLS server name stay the URL's. `connect_seconds` bounds resolving, connecting and the TLS
    handshake together.

    Raises httpx.ConnectError, ConnectTimeout, UnsupportedProtocol and LocalProtocolError only when no byte
    was handed over; everything else (ReadError, ReadTimeout, RemoteProtocolError, DecodingError,
    BodyTooLarge) means that the request may have been executed. Nothing is ever sent twice.
    """

    def __init__(
        self,
        *,
        address: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        connect_seconds: float = 3.0,
        body_bytes_max: int = 32 * 1024 * 1024,
        header_bytes_max: int = 64 * 1024,
    ) -> None:
        self._address = address
        self._ssl_context = ssl_context
        self._connect_seconds = connect_seconds
        self._body_bytes_max = body_bytes_max
        self._header_bytes_max = header_bytes_max
        self.reused = False
        """Whether the latest request went over a connection that was kept."""
        self._connection: _Connection | None = None
        self._origin: tuple[bytes, bytes, int | None] | None = None  # scheme, host, port of the connection
        self._turn = asyncio.Lock()

    @property
    def connected(self) -> bool:
        """Return whether a connection is kept for the next request."""
        return self._connection is not None

    async def exchange(
        self,
        method: str,
        url: httpx.URL,
        headers: Headers,
        body: bytes | None,
        *,
        deadline: float | None = None,
        fresh_after: float | None = None,
    ) -> WholeAnswer:
        """Send one request and read its whole answer."""
        return (await self._exchange(method, url, [(headers, body)], deadline, fresh_after))[0]

    async def exchange_two(
        self,
        method: str,
        url: httpx.URL,
        first: tuple[Headers, bytes],
        second: tuple[Headers, bytes],
        *,
        deadline: float | None = None,
        fresh_after: float | None = None,
    ) -> tuple[WholeAnswer, WholeAnswer | None]:
        """Send two requests without waiting between them (RFC 9112 section 9.3.2), and read both answers.

        The second must be safe. Its answer is None when it did not come within FOLLOWING_SECONDS after the first
        one, or the connection ended or broke before; what is raised concerns the first.
        """
        answers = await self._exchange(method, url, [first, second], deadline, fresh_after)
        return answers[0], answers[1] if len(answers) > 1 else None

    async def _exchange(
        self,
        method: str,
        url: httpx.URL,
        requests: Sequence[tuple[Headers, bytes | None]],
        deadline: float | None,
        fresh_after: float | None,
    ) -> list[WholeAnswer]:
        async with self._turn:
            started = time.monotonic()
            connection = self._reusable(url, fresh_after)
            self.reused = connection is not None
            if connection is None:
                connection = await self._connect(url, deadline)
            try:
                data = b"".join(
                    connection.serialise(method, url.raw_path, headers, body) for headers, body in requests
                )
            except h11.LocalProtocolError as error:
                self._drop()
                raise httpx.LocalProtocolError(str(error)) from error
            left = None if deadline is None else deadline - (time.monotonic() - started)
            try:
                answers = await connection.exchange(
                    data, left, head_only=method == "HEAD", answers=len(requests)
                )
            except BaseException:
                # Broken, late, cancelled, or a defect: what is still on its way must not meet the next request.
                self._drop()
                raise
            if not connection.finish():
                self._drop()
        return answers

    async def aclose(self) -> None:
        """Close the connection in order; a peer that does not follow is cut off."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def abort(self) -> None:
        """Cut the connection at once; an exchange in flight fails with ReadError."""
        self._drop()

    def _reusable(self, url: httpx.URL, idle_max: float | None) -> _Connection | None:
        connection = self._connection
        if connection is None:
            return None
        if (
            self._origin == (url.raw_scheme, url.raw_host, url.port)
            and connection.quiet()
            and (idle_max is None or time.monotonic() - connection.idle_since < idle_max)
        ):
            return connection
        self._drop()
        return None

    async def _connect(self, url: httpx.URL, deadline: float | None) -> _Connection:
        if url.scheme not in {"http", "https"} or not url.host:
            raise httpx.UnsupportedProtocol("only http and https")
        seconds = self._connect_seconds if deadline is None else min(self._connect_seconds, deadline)
        tls: dict[str, Any] = {}
        if url.scheme == "https":
            tls = {"ssl": self._ssl_context or ssl.create_default_context(), "server_hostname": url.host}
        port = url.port or (443 if tls else 80)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                _, connection = await loop.create_connection(
                    lambda: _Connection(loop, self._body_bytes_max, self._header_bytes_max),
                    self._address or url.host,
                    port,
                    **tls,
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time") from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"cannot connect: {type(error).__name__}") from error
        self._connection = connection
        self._origin = (url.raw_scheme, url.raw_host, url.port)
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()


class _Connection(asyncio.Protocol):
    """The bytes of one connection, and when they come."""

    def __init__(self, loop: asyncio.AbstractEventLoop, body_bytes_max: int, header_bytes_max: int) -> None:
        self._loop = loop
        self._answer = AnswerReader(body_bytes_max=body_bytes_max, header_bytes_max=header_bytes_max)
        self._busy = False  # an exchange is on its way; bytes outside of one are poison
        self._transport: asyncio.Transport | None = None
        self._poll: select.poll | None = None
        self._waiter: asyncio.Future[None] | None = None  # done when the answer is, or cannot be any more
        self._following: asyncio.TimerHandle | None = None  # the end of waiting for a following answer
        self._lost = loop.create_future()  # done when asyncio has let go of the socket
        self._eof = False  # the peer sends no more
        self._aborted = False
        self._heads: dict[tuple[str, bytes, tuple[tuple[bytes, bytes], ...]], bytes] = {}
        self._clean = True  # nothing has happened that forbids another exchange
        self.idle_since = time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        raw = transport.get_extra_info("socket")
        if raw is not None:
            self._poll = select.poll()
            self._poll.register(raw.fileno(), POLL_EVENTS)

    def data_received(self, data: bytes) -> None:
        if not self._busy:
            self._clean = False
            self.abort()
            return
        try:
            if self._answer.feed(data):
                self._settle(None)
            elif self._answer.earlier and self._following is None:
                self._following = self._loop.call_later(FOLLOWING_SECONDS, self._late)
        except httpx.HTTPError as error:
            self._settle(error)

    def eof_received(self) -> bool:
        self._end(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._lost.done():
            self._lost.set_result(None)
        self._end(exc)
        self._answer.retire()

    def _end(self, cause: Exception | None) -> None:
        self._eof = True
        if not self._busy:
            return
        try:
            if cause is not None or self._aborted:
                # Our own abort is not the end of a response, not even of one without a length.
                raise httpx.ReadError("the connection broke") from cause
            self._answer.end()
        except httpx.HTTPError as error:
            self._settle(error)
        else:
            self._settle(None)

    def _settle(self, error: Exception | None) -> None:
        if self._waiter is None or self._waiter.done():
            return
        if error is None:
            self._waiter.set_result(None)
        else:
            self._waiter.set_exception(error)

    def quiet(self) -> bool:
        """Return whether nothing has come since the last exchange, not even unseen by the loop."""
        assert self._transport is not None
        if not self._clean or self._eof or self._transport.is_closing():
            return False
        # A busy loop may not have read yet what lies in the socket: a FIN there means that a request sent
        # now is lost after it left, and bytes there would be taken for its answer.
        return self._poll is None or not self._poll.poll(0)

    def serialise(self, method: str, target: bytes, headers: Headers, content: bytes | None) -> bytes:
        """Write the request as bytes. Raises h11.LocalProtocolError, and then nothing was sent."""
        key = (method, target, tuple(headers))
        head = self._heads.get(key)
        if head is None:
            # h11 judges each byte of a head; the same one need not be judged again.
            request = h11.Request(method=method, target=target, headers=headers)
            head = h11.Connection(h11.CLIENT).send(request)
            assert head is not None
            if len(self._heads) >= HEADS_KEPT:
                self._heads.clear()
            self._heads[key] = head
        return head + content if content else head

    async def exchange(
        self, data: bytes, seconds: float | None, *, head_only: bool, answers: int
    ) -> list[WholeAnswer]:
        """Hand the bytes over and read the answers, within `seconds` in all; what breaks after the first ends it."""
        assert self._transport is not None
        answer = self._answer
        answer.begin(head_only=head_only, answers=answers)
        self._busy = True
        self._clean = False
        # A timer of its own costs a fraction of asyncio.timeout, which asks for the task and reschedules.
        self._waiter = self._loop.create_future()
        timer = None if seconds is None else self._loop.call_later(max(0.0, seconds), self._late)
        self._transport.write(data)
        if self._eof:
            self._end(None)
        try:
            try:
                await self._waiter
            except httpx.HTTPError:
                if not answer.earlier:
                    raise
            return answer.answers
        finally:
            # Neither the reader, which stays, nor an error's traceback may keep a large answer alive.
            answer.drop()
            self._waiter = None
            if timer is not None:
                timer.cancel()
            if self._following is not None:
                self._following.cancel()
                self._following = None

    def _late(self) -> None:
        self._settle(httpx.ReadTimeout("no whole answer in time"))

    def finish(self) -> bool:
        """End an exchange that came to its end; tell whether the connection may be used again."""
        self._busy = False
        self.idle_since = time.monotonic()
        if not self._answer.reusable or self._eof:
            return False
        self._clean = True
        return True

    async def close(self) -> None:
        """Close in order within a second, else cut off."""
        assert self._transport is not None
        self._transport.close()
        try:
            async with asyncio.timeout(1):
                await asyncio.shield(self._lost)
        except TimeoutError:
            self._transport.abort()

    def abort(self) -> None:
        """Cut the connection."""
        self._aborted = True
        if self._transport is not None:
            self._transport.abort()
