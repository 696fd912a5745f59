"""A bell that wakes waiting tasks, so that changes of the same worker need not wait for the next poll."""

from __future__ import annotations

import asyncio

__all__ = ["Bell"]


class Bell:
    """Waiting with a time limit, cut short by `ring`; each waiter hears every ring since its last wait."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake all who wait."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Wait for the bell, but no longer than this."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await asyncio.wait([waiter], timeout=seconds)
        finally:
            self._waiters.discard(waiter)
