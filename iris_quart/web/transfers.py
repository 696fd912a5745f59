"""Limits of concurrent transfers over HTTP: each export and large value holds memory until it is sent."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import cast

from quart import Quart, current_app

from iris_quart.errors import RateLimited, StoreUnavailable
from iris_quart.services import services
from iris_quart.sessions import Session, SessionStore

__all__ = ["Transfer", "init_app", "transfer"]

EXTENSION = "iris_quart.transfers"


def init_app(app: Quart) -> None:
    """Install the register of transfers; places are given back before the store closes."""
    releases = app.extensions[EXTENSION] = _Releases()
    app.after_serving(releases.finish)


class _Releases:
    """Places on their way back to the store."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, store: SessionStore, place: str) -> asyncio.Task[None]:
        """Return a place back in the background."""
        task = asyncio.get_running_loop().create_task(_give_back(store, place))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self) -> None:
        """Wait for all of them."""
        await asyncio.gather(*self._tasks)


async def _give_back(store: SessionStore, place: str) -> None:
    # The store keeps a place that this worker no longer renews for half a minute at most.
    with suppress(StoreUnavailable):
        await store.end_transfer(place)


def _start_later(
    loop: asyncio.AbstractEventLoop, releases: _Releases, store: SessionStore, place: str
) -> None:
    with suppress(RuntimeError):  # the loop is closed, and with it the store
        loop.call_soon_threadsafe(releases.start, store, place)


class Transfer:
    """One export or value under way."""

    def __init__(self, releases: _Releases, store: SessionStore, place: str) -> None:
        self.kept = False
        self._releases = releases
        self._store = store
        self._place = place
        self._released: asyncio.Task[None] | None = None
        # A client that leaves before the first byte runs no code of the body, not even its `finally`. The
        # garbage collector may find that out in any thread.
        loop = asyncio.get_running_loop()
        self._lost = weakref.finalize(self, _start_later, loop, releases, store, place)
        self._lost.atexit = False

    async def end(self) -> None:
        """Return the place back, even if the caller is cancelled meanwhile."""
        if self._released is None:
            self._lost.detach()
            self._released = self._releases.start(self._store, self._place)
        await asyncio.shield(self._released)

    async def sending(self, parts: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """Pass a body on; the transfer lasts until all of it was taken, or the peer has gone."""
        try:
            async with aclosing(parts):
                async for part in parts:
                    yield part
        finally:
            await self.end()


@asynccontextmanager
async def transfer(session: Session) -> AsyncIterator[Transfer]:
    """Begin a transfer of a session. Raises RateLimited when the account has too many under way, in any worker.

    It ends with the block, unless `kept` says that its body lasts longer.
    """
    store = services().store
    place = await store.begin_transfer(session.user, session.server_key)
    if place is None:
        raise RateLimited(
            f"{services().settings.transfers_per_account} exports and long values of this account are under way. "
            "Nothing was read or changed. Wait until one has ended, or stop one in the browser's list of downloads."
        )
    begun = Transfer(cast("_Releases", current_app.extensions[EXTENSION]), store, place)
    try:
        yield begun
    except BaseException:
        await begun.end()
        raise
    if not begun.kept:
        await begun.end()
