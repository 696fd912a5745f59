"""One Redis or Valkey server as the session store uses it: its scripts, its clock, and its absences."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from iris_quart.errors import StoreUnavailable

from . import redis_scripts as scripts

__all__ = ["LISTEN_SECONDS", "RedisServer", "translated"]

ANSWER_SECONDS = 0.5
"""Silence after which the server counts as unreachable."""
LISTEN_SECONDS = 2.0
CONNECTIONS = 32


class RedisServer:
    """Connections to one server.

    `client` is for questions that are answered at once, `listener` for one that waits. `usable` is False when it
    turned out to be another installation's, or at the end: then no script is run any more.
    """

    def __init__(self, url: str) -> None:
        self.client = _connect(url, CONNECTIONS, ANSWER_SECONDS)
        self.listener = _connect(url, 1, LISTEN_SECONDS + 1)
        self.usable = True
        # From our steady clock to the server's.
        self._offset = time.time() - time.monotonic()
        script = self.client.register_script
        self.create = script(scripts.CREATE)
        self.get = script(scripts.GET)
        self.touch = script(scripts.TOUCH)
        self.end = script(scripts.END)
        self.sweep = script(scripts.SWEEP)
        self.attempt = script(scripts.ATTEMPT)
        self.forgive = script(scripts.FORGIVE)
        self.hold = script(scripts.HOLD)
        self.renew = script(scripts.RENEW)
        self.take = script(scripts.TAKE)
        self.begin = script(scripts.BEGIN)
        self.mark_started = script(scripts.START)
        self.withdraw = script(scripts.WITHDRAW)
        self.release = script(scripts.RELEASE)
        self.peek = script(scripts.PEEK)
        self.finish = script(scripts.FINISH)

    def now(self) -> float:
        """Return the server's time, extrapolated from its last answer."""
        return time.monotonic() + self._offset

    async def run(self, script: Any, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """Run one of the scripts. Raises StoreUnavailable."""
        if not self.usable:
            raise StoreUnavailable("The session store cannot be used.")
        with translated():
            return await script(keys=keys, args=arguments)

    async def ask(self, script: Any, keys: Sequence[str], arguments: Sequence[Any] = ()) -> Sequence[str]:
        """Run a script that answers its time first, and set our clock by it. Raises StoreUnavailable."""
        sent = time.monotonic()
        found = await self.run(script, keys, arguments)
        # The answer was written about in the middle of the way; an error of half a round trip is nothing.
        self._offset = float(found[0]) - (sent + time.monotonic()) / 2
        return [value.decode() for value in found[1:]]

    async def close(self) -> None:
        """Disconnect."""
        await self.client.aclose(close_connection_pool=True)
        await self.listener.aclose(close_connection_pool=True)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn what redis-py raises into StoreUnavailable."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise StoreUnavailable(
            "The session store does not answer. Try again in a moment.",
            details={"cause": type(error).__name__},
        ) from error


def _connect(url: str, connections: int, seconds: float) -> Redis:
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=ANSWER_SECONDS,
        socket_timeout=seconds,
        socket_connect_timeout=ANSWER_SECONDS,
        protocol=2,
        # A repeated command could claim a write twice; callers decide.
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)
