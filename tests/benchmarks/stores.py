"""Sessions: what asking the store costs, and how soon an end is known elsewhere."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

from iris_quart.config import Settings
from iris_quart.sessions import SessionStore, open_store, open_vault
from iris_quart.sessions.session import key_of
from tests.sessions.conftest import ALICE, CREDENTIALS, RedisServer

from .report import Figure, at_most

__all__ = ["measure"]

CHECKS = 5000
ENDS = 20


def measure(_seconds: float) -> Iterator[tuple[str, list[Figure]]]:
    """Measure both stores."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield "Sessions in SQLite", asyncio.run(_store(folder / "sqlite", "sqlite", check_us=50, end_ms=500))
        redis = RedisServer(folder)
        redis.start()
        try:
            yield (
                "Sessions in Redis",
                asyncio.run(_store(folder / "redis", redis.url, check_us=None, end_ms=50)),
            )
        finally:
            assert redis.process is not None
            redis.process.kill()
            redis.process.wait()


async def _store(folder: Path, url: str, *, check_us: float | None, end_ms: float) -> list[Figure]:
    folder.mkdir(mode=0o700)
    settings = Settings(instance=folder, store=url)
    async with AsyncExitStack() as stack:
        here = await _open(settings, stack)
        there = await _open(settings, stack)
        key = key_of(await here.create(ALICE, CREDENTIALS))
        await here.recheck([key])
        begun = time.perf_counter()
        for _ in range(CHECKS):
            await here.recheck([key])
        check = (time.perf_counter() - begun) / CHECKS * 1e6
        delays = [delay async for delay in _ends(here, there)]
    name = "session check of a command"
    return [
        Figure(name, check, "us") if check_us is None else at_most(name, check, "us", check_us),
        at_most("an end is known elsewhere, median", statistics.median(delays) * 1e3, "ms", end_ms),
        at_most("the same, slowest", max(delays) * 1e3, "ms", end_ms),
    ]


async def _open(settings: Settings, stack: AsyncExitStack) -> SessionStore:
    store = open_store(settings, open_vault(settings.instance))
    await store.start()
    stack.push_async_callback(store.close)
    return store


async def _ends(here: SessionStore, there: SessionStore) -> AsyncIterator[float]:
    """End sessions here, one after another, and give how long it took until it was known there."""
    ended = there.watch()
    for _ in range(ENDS):
        key = key_of(await here.create(ALICE, CREDENTIALS))
        waiting = asyncio.ensure_future(_hear(ended, key))
        begun = time.perf_counter()
        await here.end(key, "logout")
        await asyncio.wait_for(waiting, 10)
        yield time.perf_counter() - begun


async def _hear(ended: AsyncIterator[object], key: str) -> None:
    async for end in ended:
        if getattr(end, "key", None) == key:
            return
