"""Limits of sockets, sessions and addresses."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from iris_quart.client_address import counted_as
from iris_quart.config import Settings

__all__ = ["SocketLimits", "TokenBucket", "TooManySockets"]


class TokenBucket:
    """What may still be sent, in messages or bytes: `rate` more each second, never over `burst`."""

    __slots__ = ("_at", "_burst", "_clock", "_level", "_rate")

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._level = float(burst)
        self._clock = clock
        self._at = clock()

    @property
    def is_full(self) -> bool:
        """Whether as much may be sent as at the start."""
        return self._level + (self._clock() - self._at) * self._rate >= self._burst

    def take(self, amount: int = 1) -> bool:
        """Take one message, or a number of bytes; False when less is left."""
        now = self._clock()
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < amount:
            return False
        self._level -= amount
        return True


class TooManySockets(Exception):
    """The session or the address has as many sockets as it may; the text is the reason of the close."""


class SocketLimits:
    """Counts the open sockets of this worker by session and by client address, and the bytes of each session.

    Bytes are counted for all sockets of a session together: reading a message costs by its length.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sessions: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()
        self._bytes: dict[str, TokenBucket] = {}

    @contextmanager
    def counted(self, session_key: str, address: str) -> Iterator[TokenBucket]:
        """Count one socket as long as the block lasts; yields the bytes of its session. Raises TooManySockets."""
        address = counted_as(address)
        if self._sessions[session_key] >= self._settings.sockets_per_session:
            raise TooManySockets("too many sockets of this session")
        if self._addresses[address] >= self._settings.sockets_per_address:
            raise TooManySockets("too many sockets from this address")
        self._sessions[session_key] += 1
        self._addresses[address] += 1
        try:
            yield self._bytes_of(session_key)
        finally:
            _less(self._sessions, session_key)
            _less(self._addresses, address)

    def _bytes_of(self, session_key: str) -> TokenBucket:
        bucket = self._bytes.get(session_key)
        if bucket is None:
            # A bucket outlives its last socket until it is full again: else a new socket would be a new burst.
            self._bytes = {
                key: known for key, known in self._bytes.items() if self._sessions[key] or not known.is_full
            }
            settings = self._settings
            bucket = TokenBucket(settings.message_bytes_per_second, settings.message_bytes_burst)
            self._bytes[session_key] = bucket
        return bucket


def _less(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
