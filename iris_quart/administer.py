"""`iris-quart sessions`: list and end sessions."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from .config import Settings
from .errors import StoreUnavailable
from .sessions import SessionStore, open_store, open_vault

__all__ = ["end_sessions", "list_sessions"]

ID_DIGITS_MIN = 6


async def list_sessions(settings: Settings) -> int:
    """Print the live sessions, oldest first; gives the exit code."""
    try:
        async with _store(settings) as store:
            sessions = await store.list()
            now = store.now()
    except StoreUnavailable as error:
        return _failed(error)
    print(f"{'id':<12}  {'user':<20}  {'server':<20}  {'since':<16}  {'ends in':>8}  address")
    for session in sessions:
        since = datetime.fromtimestamp(session.created).astimezone().strftime("%Y-%m-%d %H:%M")
        left = f"{max(0, session.ends_at - now) / 60:.0f} min"
        print(
            f"{session.short:<12}  {session.user:<20}  {session.server:<20}  {since}  {left:>8}  {session.address}"
        )
    return 0


async def end_sessions(settings: Settings, key: str | None, user: str | None) -> int:
    """End the session whose id begins so, or all of a user, or, with neither, all; gives the exit code."""
    if key is not None and len(key) < ID_DIGITS_MIN:
        print(f"iris-quart: write at least {ID_DIGITS_MIN} digits of the id", file=sys.stderr)
        return 2
    ended = 0
    try:
        async with _store(settings) as store:
            for session in await store.list(user):
                if key is None or session.key.startswith(key):
                    ended += await store.end(session.key, "ended")
    except StoreUnavailable as error:
        return _failed(error)
    print(f"{ended} {'session' if ended == 1 else 'sessions'} ended")
    return 0 if ended or key is None else 1


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[SessionStore]:
    store = open_store(settings, open_vault(settings.instance))
    await store.start()
    try:
        yield store
    finally:
        await store.close()


def _failed(error: StoreUnavailable) -> int:
    print(f"iris-quart: {error.message}", file=sys.stderr)
    return 1
