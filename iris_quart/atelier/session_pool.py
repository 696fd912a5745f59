"""The IRIS sessions of one user at one server: which request goes over which."""

from __future__ import annotations

import asyncio
import base64
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx

from iris_quart.errors import (
    AuthExpired,
    AuthFailed,
    ConnectionFailed,
    ConnectionTimeout,
    IrisQuartError,
    LicenseLimit,
)

from .pipelining import FIRST, SECOND, Pipelining
from .replies import Reply, read_reply
from .request_count import count_request
from .session import LOGOUT_SECONDS, Broken, IrisSession, StatementAnswer
from .target import Credentials, Limits
from .transport import Exchange
from .urls import Urls

__all__ = ["IrisSessions"]

FRESH_SECONDS = 4.0
"""A write takes no connection that was idle for longer. Web servers close theirs after some seconds (Apache: 5
by default), and a write that meets such a close in flight would have an unknown outcome for nothing."""
LICENCE_SECONDS = 60.0
"""Time for which no further IRIS session is tried after IRIS had no licence for one."""


@dataclass(slots=True, eq=False)
class _Waiter:
    """A request that waits for its session."""

    turn: asyncio.Future[IrisSession]
    write: bool
    background: bool


class IrisSessions:
    """At most `limits.sessions` IRIS sessions; each may hold a licence, and each takes one request at a time.

    Signs in with Basic once per session and then sends the cookie alone. On 401 the cookie is dropped and
    the request repeated once with Basic, writes too, since a 401 comes before execution. A second 401 raises
    AuthExpired (AuthFailed while nothing ever succeeded), and from then on nothing is sent any more, so that
    we lock no account.
    """

    def __init__(
        self,
        urls: Urls,
        credentials: Credentials,
        limits: Limits,
        make_exchange: Callable[[], Exchange],
        *,
        proved: bool = False,
        licence_freed: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._urls = urls
        self._limits = limits
        self._make_exchange = make_exchange
        self._authorization = (b"Authorization", _basic(credentials))
        self._proved = proved
        self._licence_freed = licence_freed
        self._refused = False  # IRIS no longer accepts the credentials
        self._sessions: list[IrisSession] = []
        self._free: list[IrisSession] = []  # last used last
        self._ending: set[IrisSession] = set()
        self._waiting: deque[_Waiter] = deque()
        self._background = 0  # background reads in flight; they leave one session to the rest
        self._no_licence_until = 0.0
        self._closed = False
        self._reaper: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._headers = [
            (b"Host", urls.host_header),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),
            (b"User-Agent", b"iris-quart"),
        ]
        self.round_trips = 0
        self.pipelining = Pipelining(allowed=limits.pipelined)
        self._trying = False

    @property
    def open_sessions(self) -> int:
        """Count the IRIS sessions that hold a licence."""
        return sum(session.signed_in for session in self._sessions)

    async def request(
        self,
        method: str,
        url: httpx.URL,
        body: bytes | None = None,
        *,
        write: bool = False,
        background: bool = False,
        seconds: float | None = None,
        following: bytes | None = None,
    ) -> Reply:
        """Send a request over a free IRIS session and judge the answer.

        `following` is the body of a read that is sent behind a statement without waiting, where the server takes
        that; its answer is then `Reply.following`.

        A read whose connection broke is repeated once on a new one; a write never. Writes go before waiting
        reads; `background` reads never take the last free session. Raises the errors below
        errors.UpstreamError and errors.SqlError. `maybe_executed` is False only when IRIS surely did not run
        it; a write that is cancelled after it was handed over raises ConnectionFailed with True.
        """
        deadline = time.monotonic() + (self._limits.request_seconds if seconds is None else seconds)
        repeated = waited = False
        while True:
            session = await self._acquire(write, background, deadline)
            try:
                # Whatever broke one connection may have broken the others too, unseen as yet.
                fresh = 0.0 if repeated else FRESH_SECONDS if write else None
                return await self._attempt(
                    session, method, url, body, fresh_after=fresh, deadline=deadline, following=following
                )
            except LicenseLimit as error:
                # Another session of ours will be free soon; one licence more would be a luxury.
                if error.maybe_executed or session.signed_in:
                    raise
                if not self._make_do(session):
                    if waited or self._licence_freed is None or not await self._licence_freed():
                        raise
                    waited = True
            except Broken as broken:
                if write or repeated:
                    raise broken.error from broken.__cause__
                repeated = True
            except asyncio.CancelledError:
                if write and session.hung:
                    raise ConnectionFailed("The request was abandoned before IRIS answered.") from None
                raise
            finally:
                self._release(session, background)

    @property
    def pipelined(self) -> bool:
        """Return whether a read that follows a statement is sent without waiting."""
        return self.pipelining.works is True

    def try_pipelining(self, url: httpx.URL) -> None:
        """Find out in the background whether a read may follow a statement, unless that is known."""
        if self.pipelining.works is None and not self._trying and not self._closed:
            self._trying = True
            self._later(self._try_pipelining(url))

    async def _try_pipelining(self, url: httpx.URL) -> None:
        try:
            with suppress(IrisQuartError):
                await self.learn_pipelining(url)
        finally:
            self._trying = False

    async def learn_pipelining(self, url: httpx.URL) -> None:
        """Send two harmless reads without waiting between them, and learn from the answers.

        Raises what `request` raises of the first.
        """
        deadline = time.monotonic() + self._limits.request_seconds
        session = await self._acquire(False, True, deadline)
        found: tuple[Reply, Reply | None] | None = None
        try:
            if session.takes_two:
                answer, read = await self._exchange_two(session, url, FIRST, SECOND, None, deadline)
                if answer[0] != 401:
                    found = read_reply(*answer, 0.0, statement=True), None
                    if read is not None and read[0] != 401:
                        found = found[0], read_reply(*read, 0.0, statement=True)
        except Broken as broken:
            raise broken.error from broken.__cause__
        finally:
            self._release(session, True)
            if self.pipelining.works is None:
                self.pipelining.learn(found)

    async def close(self) -> None:
        """Sign out at IRIS and close every connection, in bounded time."""
        self._closed = True
        if self._reaper is not None:
            self._reaper.cancel()
        for waiter in self._waiting:
            if not waiter.turn.done():
                waiter.turn.set_exception(_ended())
        sessions, self._sessions, self._free = self._sessions, [], []
        await asyncio.gather(*(self._end(session) for session in sessions), *self._tasks)

    async def _attempt(
        self,
        session: IrisSession,
        method: str,
        url: httpx.URL,
        body: bytes | None,
        *,
        fresh_after: float | None,
        deadline: float,
        following: bytes | None = None,
    ) -> Reply:
        started = time.monotonic()
        with_cookie = session.signed_in
        read: StatementAnswer | None = None
        behind = following if body is not None and self.pipelined and session.takes_two else None
        if behind is not None and body is not None:
            answer, read = await self._exchange_two(session, url, body, behind, fresh_after, deadline)
        else:
            answer = await self._exchange(session, method, url, body, with_cookie, fresh_after, deadline)
        if answer[0] == 401 and read is not None and read[0] != 401:
            # One session is refused in both or in neither: this may be the refusal of the read.
            self.pipelining.works = False
            raise ConnectionFailed("IRIS refused one of two requests, and it is not known which.")
        if answer[0] == 401 and with_cookie:
            # The IRIS session ended (time-out, restart); a 401 precedes execution, so writes repeat too.
            session.forget()
            with_cookie = False
            answer = await self._exchange(session, method, url, body, with_cookie, fresh_after, deadline)
            behind = None
        status, headers, content = answer
        if status == 401:
            session.forget()
            self._refused = True
            raise self._unauthorized()
        if not with_cookie and status < 400:
            self._proved = True
        reply = read_reply(status, headers, content, time.monotonic() - started, statement=body is not None)
        if read is not None:
            with suppress(IrisQuartError):
                reply.following = read_reply(*read, time.monotonic() - started, statement=True)
        if behind is not None:
            self.pipelining.check(reply)
        return reply

    async def _exchange_two(
        self,
        session: IrisSession,
        url: httpx.URL,
        body: bytes,
        following: bytes,
        fresh_after: float | None,
        deadline: float,
    ) -> tuple[StatementAnswer, StatementAnswer | None]:
        left = self._time_left(deadline)
        first, second = ((self._fields(content, with_cookie=True), content) for content in (body, following))
        self.round_trips += 2
        count_request()
        count_request()
        return await session.exchange_two("POST", url, first, second, deadline=left, fresh_after=fresh_after)

    async def _exchange(
        self,
        session: IrisSession,
        method: str,
        url: httpx.URL,
        body: bytes | None,
        with_cookie: bool,
        fresh_after: float | None,
        deadline: float,
    ) -> StatementAnswer:
        left = self._time_left(deadline)
        headers = self._fields(body, with_cookie=with_cookie)
        self.round_trips += 1
        count_request()
        return await session.exchange(method, url, headers, body, deadline=left, fresh_after=fresh_after)

    def _time_left(self, deadline: float) -> float:
        if self._refused:
            raise self._unauthorized()
        left = deadline - time.monotonic()
        if left <= 0:
            raise ConnectionTimeout("IRIS did not answer in time.", maybe_executed=False)
        return left

    def _fields(self, body: bytes | None, *, with_cookie: bool) -> list[tuple[bytes, bytes]]:
        headers = self._headers if with_cookie else [*self._headers, self._authorization]
        if body is None:
            return headers
        return [
            *headers,
            (b"Content-Type", b"application/json"),
            (b"Content-Length", str(len(body)).encode()),
        ]

    def _unauthorized(self) -> AuthFailed:
        if self._proved:
            return AuthExpired("IRIS no longer accepts this user name and password.")
        return AuthFailed("IRIS does not accept this user name and password.")

    async def _acquire(self, write: bool, background: bool, deadline: float) -> IrisSession:
        if self._closed:
            raise _ended()
        if not self._waiting and (session := self._take(background)) is not None:
            return session
        loop = asyncio.get_running_loop()
        waiter = _Waiter(loop.create_future(), write, background)
        self._waiting.append(waiter)
        self._dispatch()
        try:
            if waiter.turn.done():
                return waiter.turn.result()
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                return await waiter.turn
        except (TimeoutError, asyncio.CancelledError) as error:
            if waiter.turn.done() and not waiter.turn.cancelled() and waiter.turn.exception() is None:
                # The turn came in the very moment of giving up.
                self._release(waiter.turn.result(), background)
            if isinstance(error, TimeoutError):
                raise ConnectionTimeout(
                    "IRIS is still busy with this user's earlier requests.", maybe_executed=False
                ) from None
            raise
        finally:
            with suppress(ValueError):
                self._waiting.remove(waiter)

    def _dispatch(self) -> None:
        """Return free sessions to those that wait: writes first, then in order of arrival."""
        if not self._waiting:
            return
        for waiter in sorted(self._waiting, key=lambda waiter: not waiter.write):
            if waiter.turn.done():
                continue
            session = self._take(waiter.background)
            if session is not None:
                waiter.turn.set_result(session)

    def _take(self, background: bool) -> IrisSession | None:
        most = self._limits.sessions
        if time.monotonic() < self._no_licence_until:
            most = max(1, len(self._sessions))
        busy = len(self._sessions) - len(self._free)
        if background and most > 1 and (busy >= most - 1 or self._background >= most - 1):
            return None
        session = next((candidate for candidate in reversed(self._free) if not candidate.hung), None)
        if session is None and len(self._sessions) < most:
            session = IrisSession(self._make_exchange())
            self._sessions.append(session)
        else:
            if session is None and self._free:
                session = self._free[0]  # IRIS may still be working there; better late than never
            if session is None:
                return None
            self._free.remove(session)
        self._background += background
        return session

    def _release(self, session: IrisSession, background: bool) -> None:
        self._background -= background
        if session in self._sessions:
            self._free.append(session)
            self._watch()
        elif self._closed and session.signed_in and session not in self._ending:
            # It was busy when all was closed, and the closing task has not waited for it.
            self._later(self._end(session))
        self._dispatch()

    def _make_do(self, session: IrisSession) -> bool:
        """Go on without a session that got no licence; tell whether another one has one or may get one."""
        others = [other for other in self._sessions if other is not session]
        if not any(other.signed_in or other not in self._free for other in others):
            return False
        self._no_licence_until = time.monotonic() + LICENCE_SECONDS
        self._sessions.remove(session)
        self._later(session.close())
        return True

    def _watch(self) -> None:
        if self._reaper is None and not self._closed:
            self._reaper = asyncio.get_running_loop().call_later(self._limits.idle_seconds, self._reap)

    def _reap(self) -> None:
        self._reaper = None
        limit = time.monotonic() - self._limits.idle_seconds
        for session in [session for session in self._free if session.last_used <= limit]:
            self._free.remove(session)
            self._sessions.remove(session)
            self._later(self._end(session))
        if self._sessions and not self._closed:
            oldest = min(session.last_used for session in self._sessions)
            delay = max(0.01, oldest + self._limits.idle_seconds - time.monotonic())
            self._reaper = asyncio.get_running_loop().call_later(delay, self._reap)

    async def _end(self, session: IrisSession) -> None:
        self._ending.add(session)
        try:
            # An IRIS session whose request was given up is signed out as well: over a new connection.
            if session.signed_in:
                self.round_trips += 1
                with suppress(IrisQuartError, Broken):
                    await session.exchange(
                        "HEAD", self._urls.logout, self._headers, None, deadline=LOGOUT_SECONDS
                    )
            await session.close()
        finally:
            self._ending.discard(session)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _ended() -> ConnectionFailed:
    return ConnectionFailed("The session has ended.", maybe_executed=False)


def _basic(credentials: Credentials) -> bytes:
    """Write Basic credentials in UTF-8 (RFC 7617 section 2.1)."""
    pair = f"{credentials.username}:{credentials.password.get_secret_value()}".encode()
    return b"Basic " + base64.b64encode(pair)
