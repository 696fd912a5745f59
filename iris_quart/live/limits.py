"""How much one socket, session or address may ask for."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from iris_quart.config import Settings
from iris_quart.peers import counted_as

__all__ = ["SocketLimits", "TokenBucket", "TooManySockets"]


class TokenBucket:
    """Messages that a socket may still send: `rate` more each second, never over `burst`."""

    __slots__ = ("_at", "_burst", "_clock", "_level", "_rate")

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._level = float(burst)
        self._clock = clock
        self._at = clock()

    def take(self) -> bool:
        """Take one message; False when none is left."""
        now = self._clock()
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


class TooManySockets(Exception):
    """The session or the address has as many sockets as it may; the text is the reason of the close."""


class SocketLimits:
    """Counts the open sockets of this worker by session and by client address."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sessions: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()

    @contextmanager
    def counted(self, session_key: str, address: str) -> Iterator[None]:
        """Count one socket as long as the block lasts. Raises TooManySockets."""
        address = counted_as(address)
        if self._sessions[session_key] >= self._settings.sockets_per_session:
            raise TooManySockets("too many sockets of this session")
        if self._addresses[address] >= self._settings.sockets_per_address:
            raise TooManySockets("too many sockets from this address")
        self._sessions[session_key] += 1
        self._addresses[address] += 1
        try:
            yield
        finally:
            _less(self._sessions, session_key)
            _less(self._addresses, address)


def _less(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
