"""Background work that runs for as long as the process lives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from . import logs

__all__ = ["persistently"]

PAUSE_SECONDS = 1.0

log = logs.get_logger(__name__)


async def persistently(work: Callable[[], Awaitable[None]]) -> None:
    """Run until it returns or is cancelled; after a defect, which is logged, it begins again.

    A worker that watches no longer would seem well: it serves on, and nobody is told that a session has ended.
    """
    while True:
        try:
            await work()
        except Exception as error:
            log.exception("a background task failed and begins again", exc_info=error)
        else:
            return
        await asyncio.sleep(PAUSE_SECONDS)
