"""Extend idle sessions on activity; end expired ones in every worker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from iris_quart import logs
from iris_quart.background import persistently
from iris_quart.config import Settings
from iris_quart.dispatch import Command
from iris_quart.errors import StoreUnavailable
from iris_quart.protocol import CloseCode, SessionExpired, SessionExpiring, encode_event
from iris_quart.sessions import Session, SessionStore

from .registry import LiveSocket, Presence, Registry
from .runner import SessionOver

__all__ = ["Expiry"]

WARN_SECONDS = 120.0
WRITE_SECONDS = 5.0
"""Time for a statement that was already sent to be proved and audited."""
HEALTH_SECONDS = 0.5
RETRY_SECONDS = 0.25
PAST_SECONDS = 0.01
"""A deadline is looked at just after it, so that the store agrees that it has passed."""

log = logs.get_logger(__name__)


class Expiry:
    """Keeps the sessions of this worker's sockets alive, and ends them."""

    def __init__(
        self,
        store: SessionStore,
        registry: Registry,
        settings: Settings,
        release: Callable[[str], Awaitable[None]],
    ) -> None:
        self._store = store
        self._registry = registry
        self._settings = settings
        self._release = release
        self._lag = settings.touch_lag_seconds
        self._warning = min(WARN_SECONDS, settings.session_idle_seconds / 5)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.store_up = True
        """Whether the store answered when it was last asked."""

    async def start(self) -> None:
        """Begin to watch the store; called once in each worker."""
        self._spawn(persistently(self._watch))
        self._spawn(persistently(self._watch_store))

    async def stop(self) -> None:
        """Stop watching; sessions live on in the store."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def follow(self, presence: Presence) -> None:
        """Set the timer of a session's next moment: its warning or its end."""
        key = presence.session.key
        if timer := self._timers.pop(key, None):
            timer.cancel()
        if presence.ended:
            return
        left = presence.session.ends_at - self._store.now()
        if not presence.warned and left > self._warning:
            left -= self._warning
        self._at(key, max(left, 0) + PAST_SECONDS)

    def forget(self, key: str) -> None:
        """Drop the timer of a session that has no socket here any more."""
        if self._registry.presence(key) is None and (timer := self._timers.pop(key, None)):
            timer.cancel()

    async def admit(self, presence: Presence, command: Command, background: bool) -> Session:
        """Admit a command, and extend the session when the stored deadline lags behind.

        Raises SessionOver when the session has ended, StoreUnavailable when nobody can tell.
        """
        if presence.ended:
            raise SessionOver
        if not self.store_up:
            raise StoreUnavailable("The session store does not answer; nothing was run. Try again soon.")
        session = presence.session
        now = self._store.now()
        slid = min(now + self._settings.session_idle_seconds, session.absolute_until)
        if command.extends_session and not background and slid - session.ends_at > self._lag:
            await self._take(presence, await self._store.touch(session))
        else:
            # Another worker may have ended it less than a poll ago, and nothing is run after the end. Commands that
            # are lined up had all come before the first of them asks.
            fresh = await self._store.recheck([session.key], together=True)
            await self._take(presence, fresh[session.key])
        if presence.ended:
            raise SessionOver
        return presence.session

    async def still_there(self, presence: Presence) -> bool:
        """Ask the store once more whether a session is alive; if not, it is ended here. Raises StoreUnavailable."""
        key = presence.session.key
        fresh = (await self._store.recheck([key]))[key]
        if fresh is None:
            await self.end(presence, "ended")
            return False
        presence.session = fresh
        return not presence.ended

    async def end(self, presence: Presence, reason: str) -> None:
        """End a session here: nothing new starts, each socket hears `sessionExpired` and is closed with 4002."""
        if presence.ended:
            return
        presence.ended = True
        key = presence.session.key
        log.info("session ended", session=presence.session.short, reason=reason)
        sockets = list(presence.sockets)
        for socket in sockets:
            socket.runner.stop_reads()
        orphans = set(presence.orphans)
        await asyncio.gather(
            *(self._expel(socket) for socket in sockets),
            *([asyncio.wait(orphans, timeout=WRITE_SECONDS)] if orphans else []),
        )
        await self._release(key)
        self.forget(key)

    def end_soon(self, presence: Presence, reason: str) -> None:
        """End a session in the store and everywhere, without waiting for it."""
        self._spawn(self._end_everywhere(presence, reason))

    async def _end_everywhere(self, presence: Presence, reason: str) -> None:
        try:
            await self._store.end(presence.session.key, reason)
        except StoreUnavailable:
            log.warning("a session ended here while the store was away", session=presence.session.short)
        await self.end(presence, reason)

    async def _expel(self, socket: LiveSocket) -> None:
        if writes := socket.runner.writes():
            await asyncio.wait(writes, timeout=WRITE_SECONDS)
        socket.connection.close(CloseCode.SESSION_EXPIRED, "Session Expired", encode_event(SessionExpired()))

    async def _take(self, presence: Presence, fresh: Session | None) -> None:
        if fresh is None:
            self._spawn(self.end(presence, "ended"))
            raise SessionOver
        if fresh.ends_at - self._store.now() > self._warning:
            presence.warned = False
        presence.session = fresh

    def _at(self, key: str, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_later(seconds, lambda: self._spawn(self._look(key)))

    async def _look(self, key: str) -> None:
        """Warn, end, or wait on when the session was prolonged; the timer calls this."""
        self._timers.pop(key, None)
        presence = self._registry.presence(key)
        if presence is None or presence.ended:
            return
        try:
            # Another worker or a page request may have prolonged it.
            fresh = (await self._store.recheck([key]))[key]
        except StoreUnavailable:
            self._at(key, RETRY_SECONDS)
            return
        if fresh is None:
            absolute = self._store.now() >= presence.session.absolute_until
            await self.end(presence, "absolute" if absolute else "idle")
            return
        presence.session = fresh
        left = fresh.ends_at - self._store.now()
        if left > self._warning:
            presence.warned = False
        elif not presence.warned:
            presence.warned = True
            event = encode_event(SessionExpiring(seconds_left=max(0, round(left))))
            for socket in presence.sockets:
                socket.connection.push(event)
        self.follow(presence)

    async def _watch(self) -> None:
        """Follow the ends of sessions in all workers."""
        while True:
            try:
                async for ended in self._store.watch():
                    presence = self._registry.presence(ended.key)
                    if presence is not None:
                        self._spawn(self.end(presence, ended.reason))
                    else:
                        self._spawn(self._let_go(ended.key))
                return
            except StoreUnavailable:
                await asyncio.sleep(RETRY_SECONDS)

    async def _let_go(self, key: str) -> None:
        await self._release(key)

    async def _watch_store(self) -> None:
        """Refuse commands while the store is away, and close the sockets when that lasts."""
        loop = asyncio.get_running_loop()
        down_since: float | None = None
        while True:
            self.store_up = await self._store.healthy()
            if self.store_up:
                if down_since is not None:
                    log.info("the session store answers again")
                down_since = None
            elif down_since is None:
                down_since = loop.time()
                log.error("the session store does not answer")
            elif loop.time() - down_since > self._settings.store_grace_seconds:
                for socket in self._registry:
                    socket.connection.close(CloseCode.TRY_LATER, "the session store does not answer")
            await asyncio.sleep(HEALTH_SECONDS)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("watching sessions failed", exc_info=error)
