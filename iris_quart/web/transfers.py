"""How much one session moves at once over HTTP: each export and each large value holds memory until it is sent."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager

from quart import current_app

from iris_quart.errors import RateLimited

__all__ = ["TRANSFERS_MAX", "Transfer", "transfer"]

TRANSFERS_MAX = 6
EXTENSION = "iris_quart.transfers"


class Transfer:
    """One export or value under way."""

    def __init__(self, under_way: Counter[str], key: str) -> None:
        self.kept = False
        # Whoever leaves before the first byte is asked for runs no code of the body, not even its `finally`.
        self._end = weakref.finalize(self, _less, under_way, key)

    def end(self) -> None:
        """Count it no more."""
        self._end()

    async def sending(self, parts: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """Pass a body on; the transfer lasts until all of it was taken, or the peer has gone."""
        try:
            async with aclosing(parts):
                async for part in parts:
                    yield part
        finally:
            self.end()

    async def sending_whole(self, content: bytes) -> AsyncGenerator[bytes]:
        """Give a body that is there already; the transfer lasts until it was taken, or the peer has gone."""
        try:
            yield content
        finally:
            self.end()


@contextmanager
def transfer(key: str) -> Iterator[Transfer]:
    """Begin a transfer of a session. Raises RateLimited when too many are under way in this worker.

    It ends with the block, unless `kept` says that its body lasts longer.
    """
    under_way: Counter[str] = current_app.extensions.setdefault(EXTENSION, Counter())
    if under_way[key] >= TRANSFERS_MAX:
        raise RateLimited(
            f"{TRANSFERS_MAX} downloads or uploads of yours are under way; wait until one has ended."
        )
    under_way[key] += 1
    begun = Transfer(under_way, key)
    try:
        yield begun
    except BaseException:
        begun.end()
        raise
    if not begun.kept:
        begun.end()


def _less(under_way: Counter[str], key: str) -> None:
    under_way[key] -= 1
    if under_way[key] <= 0:
        del under_way[key]
