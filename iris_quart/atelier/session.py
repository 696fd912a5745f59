"""One CSP session at IRIS: a connection and a set of cookies."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime

import httpx

from iris_quart.errors import (
    ConnectionFailed,
    ConnectionTimeout,
    InvalidResponse,
    ServerUnreachable,
    UpstreamError,
)

from .http_response import Headers, WholeAnswer
from .transport import BodyTooLarge, ConnectionTransport, Exchange

__all__ = ["Broken", "IrisSession", "StatementAnswer"]

COOKIES_MAX = 20
COOKIE_BYTES_MAX = 8192
LOGOUT_SECONDS = 2.0

JUDGED = {b"content-type": "content-type", b"content-encoding": "content-encoding"}
"""Fields of an answer's head that `read_reply` looks at."""

StatementAnswer = tuple[int, Mapping[str, str], bytes]


class Broken(Exception):
    """The connection broke after the request was handed over; whether to repeat is the caller's to decide."""

    def __init__(self, error: UpstreamError) -> None:
        super().__init__(error.message)
        self.error = error


class IrisSession:
    """One CSP session, its connection and its cookies; one request at a time.

    IRIS serialises the requests of a session (class reference of %CSP.Session, Unlock).
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._cookies: dict[str, str] = {}
        self._cookie_header: tuple[bytes, bytes] | None = None
        self.last_used = time.monotonic()
        self.hung = False  # a request was given up here, and IRIS may still be working on it

    @property
    def signed_in(self) -> bool:
        """Return whether IRIS has given this session a cookie, and so a licence."""
        return bool(self._cookies)

    def forget(self) -> None:
        """Drop the cookies."""
        self._cookies.clear()
        self._cookie_header = None

    async def exchange(
        self,
        method: str,
        url: httpx.URL,
        headers: list[tuple[bytes, bytes]],
        body: bytes | None,
        *,
        deadline: float,
        fresh_after: float | None = None,
    ) -> StatementAnswer:
        """Send a request with the session's cookies and read the whole answer within `deadline` seconds.

        Raises ConnectionTimeout, ServerUnreachable, ConnectionFailed, InvalidResponse or Broken; the
        connection is not used again after any of them, nor after a cancellation.
        """
        if self._cookie_header is not None:
            headers = [*headers, self._cookie_header]
        self.hung = True
        try:
            answer = await self._exchange.exchange(
                method, url, headers, body, deadline=deadline, fresh_after=fresh_after
            )
        except httpx.HTTPError as error:
            raise self._translate(error) from error
        self.hung = False
        self.last_used = time.monotonic()
        return self._read(answer)

    @property
    def takes_two(self) -> bool:
        """Return whether `exchange_two` can be used: a session exists, so that a second request makes no other."""
        return self.signed_in and isinstance(self._exchange, ConnectionTransport)

    async def exchange_two(
        self,
        method: str,
        url: httpx.URL,
        first: tuple[Headers, bytes],
        second: tuple[Headers, bytes],
        *,
        deadline: float,
        fresh_after: float | None = None,
    ) -> tuple[StatementAnswer, StatementAnswer | None]:
        """Send a request and a read behind it without waiting; the read's answer is None when it did not come.

        Raises what `exchange` raises, of the first request.
        """
        assert isinstance(self._exchange, ConnectionTransport)
        if self._cookie_header is not None:
            first, second = (([*headers, self._cookie_header], body) for headers, body in (first, second))
        self.hung = True
        try:
            answer, following = await self._exchange.exchange_two(
                method, url, first, second, deadline=deadline, fresh_after=fresh_after
            )
        except httpx.HTTPError as error:
            raise self._translate(error) from error
        self.hung = False
        self.last_used = time.monotonic()
        return self._read(answer), None if following is None else self._read(following)

    def _read(self, answer: WholeAnswer) -> StatementAnswer:
        status, received, content = answer
        fields: dict[str, str] = {}
        for raw_name, raw_value in received:
            if raw_name == b"set-cookie":
                self._keep(raw_value.decode("latin-1"))
            elif raw_name in JUDGED:
                name, value = JUDGED[raw_name], raw_value.decode("latin-1")
                # Fields of one name make a list (RFC 9110 section 5.3).
                fields[name] = f"{fields[name]}, {value}" if name in fields else value
        return status, fields, content

    async def close(self) -> None:
        """Close the connection; sign out first to give the licence back."""
        self.forget()
        with suppress(httpx.HTTPError, OSError):
            await self._exchange.aclose()

    def _translate(self, error: httpx.HTTPError) -> UpstreamError | Broken:
        if isinstance(
            error,
            (
                httpx.ConnectTimeout,
                httpx.PoolTimeout,
                httpx.ConnectError,
                httpx.UnsupportedProtocol,
                httpx.LocalProtocolError,
            ),
        ):
            self.hung = False  # surely not sent
        if isinstance(error, (httpx.ConnectTimeout, httpx.PoolTimeout)):
            return ConnectionTimeout(
                "The IRIS server does not answer; check its address and that it runs.", maybe_executed=False
            )
        if isinstance(error, (httpx.ConnectError, httpx.UnsupportedProtocol)):
            return ServerUnreachable("The IRIS server cannot be reached; check its address and that it runs.")
        if isinstance(error, httpx.LocalProtocolError):
            return ConnectionFailed("The request cannot be written.", maybe_executed=False)
        if isinstance(error, httpx.TimeoutException):
            return ConnectionTimeout("IRIS did not answer in time.")
        if isinstance(error, BodyTooLarge):
            return InvalidResponse("IRIS's answer is larger than response_bytes_max allows.")
        if isinstance(error, httpx.DecodingError):
            return InvalidResponse("The server compressed its answer although it was asked not to.")
        return Broken(ConnectionFailed("The connection to IRIS broke before the whole answer had come."))

    def _keep(self, header: str) -> None:
        """Store a Set-Cookie value (RFC 6265 section 5.2); path and domain are always this server's API."""
        pair, *attributes = header.split(";")
        name, equals, value = pair.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name or any(c <= " " or c == "," for c in name):
            return
        if _is_gone(attributes):
            self._cookies.pop(name, None)
        elif len(value) <= COOKIE_BYTES_MAX and (name in self._cookies or len(self._cookies) < COOKIES_MAX):
            self._cookies[name] = value
        text = "; ".join(f"{key}={value}" for key, value in self._cookies.items())
        self._cookie_header = (b"Cookie", text.encode("latin-1", "replace")) if text else None


def _is_gone(attributes: list[str]) -> bool:
    """Return whether a cookie's attributes delete it; Max-Age wins over Expires (RFC 6265 section 5.3)."""
    given = {
        key.strip().lower(): value.strip()
        for key, _, value in (attribute.partition("=") for attribute in attributes)
    }
    if "max-age" in given:
        return given["max-age"].startswith("-") or given["max-age"] == "0"
    try:
        return parsedate_to_datetime(given["expires"]).timestamp() <= time.time()
    except (KeyError, ValueError):
        return False
