"""CSP sessions: cookies, the licences they hold, one request at a time, time-out and logout."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .users import User


class NoLicenceError(Exception):
    """Every licence is held by a session."""


@dataclass
class CspSession:
    """One CSP session: who it is for, and the lock that lets its requests through one at a time."""

    id: str
    user: User
    last_used: float
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    in_use: int = 0  # requests running or waiting for their turn: such a session does not time out


class CspSessions:
    """The CSP sessions of one server.

    licences: how many sessions may live at once, None for any number.
    timeout: seconds without a request after which a session ends (AppTimeout, 900 by default in IRIS).
    grace: seconds for which an ended session keeps its licence.
    """

    def __init__(
        self,
        licences: int | None,
        timeout: float,
        grace: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.licences = licences
        self.timeout = timeout
        self.grace = grace
        self.path = "/api/atelier/"
        self.port = 0
        self._clock = clock
        self._sessions: dict[str, CspSession] = {}
        self._released: list[float] = []  # times at which licences in their grace time come back

    def __len__(self) -> int:
        """Count the sessions that have not expired."""
        self._expire()
        return len(self._sessions)

    @property
    def licences_held(self) -> int:
        """Count the licences that living sessions and sessions in their grace time hold."""
        self._expire()
        return len(self._sessions) + len(self._released)

    @property
    def cookie_name(self) -> str:
        """Name the session cookie as the Web Gateway does, after the port and the application's path."""
        return f"CSPSESSIONID-SP-{self.port}-UP-api-atelier-"

    def find(self, cookie_header: str) -> CspSession | None:
        """Return the living session a Cookie header names, or None."""
        self._expire()
        try:
            cookies = SimpleCookie(cookie_header)
        except CookieError:
            return None
        morsel = cookies.get(self.cookie_name)
        return self._sessions.get(morsel.value) if morsel else None

    def open(self, user: User) -> CspSession:
        """Start a session for a user; raise NoLicenceError at the cap."""
        if self.licences is not None and self.licences_held >= self.licences:
            raise NoLicenceError
        session = CspSession(secrets.token_hex(16), user, self._clock())
        self._sessions[session.id] = session
        return session

    def touch(self, session: CspSession) -> None:
        """Slide the session's time-out."""
        session.last_used = self._clock()

    def end(self, session: CspSession) -> None:
        """End a session; its licence comes back after the grace time."""
        if self._sessions.pop(session.id, None) and self.grace > 0:
            self._released.append(self._clock() + self.grace)

    def end_all(self) -> None:
        """End every session at once, as a restart of the server does."""
        self._sessions.clear()
        self._released.clear()

    def cookies(self, session: CspSession) -> list[str]:
        """Write the Set-Cookie values of a new session."""
        attributes = f"path={self.path}; httponly; sameSite=strict"
        return [
            f"{self.cookie_name}={session.id}; {attributes};",
            f"CSPWSERVERID={session.id[:8]}; {attributes};",
        ]

    def _expire(self) -> None:
        now = self._clock()
        oldest = now - self.timeout
        for session in [s for s in self._sessions.values() if not s.in_use and s.last_used < oldest]:
            self.end(session)
        self._released = [moment for moment in self._released if moment > now]


__all__ = ["CspSession", "CspSessions", "NoLicenceError"]
