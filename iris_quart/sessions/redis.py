"""The session store of several machines: Redis or Valkey, one server or a primary with replicas.

The server's clock judges all deadlines. Ends and live changes travel through two streams, read by one waiting
connection per worker, so that a short absence of the server loses none of them; after each absence every
session that this worker knows is read again, and what ended here meanwhile is ended there.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any, cast

from redis.exceptions import RedisError

from iris_quart.atelier import Credentials
from iris_quart.background import persistently
from iris_quart.config import BadSettings, Settings
from iris_quart.errors import StoreUnavailable

from . import records
from .broadcast import News
from .redis_server import LISTEN_SECONDS, RedisServer, translated
from .session import Ended, NewSession, Session, account, key_of, new_secret
from .store import Admission, Withdrawal, WriteRecord
from .vault import Vault

__all__ = ["RedisStore"]

logger = logging.getLogger("iris_quart.sessions")

PREFIX = "iris_quart:"
SESSION = f"{PREFIX}session:"
DEADLINES = f"{PREFIX}deadlines"
ENDED = f"{PREFIX}ended"
CHANGES = f"{PREFIX}changes"
KEYS = f"{PREFIX}keys"
WORKER = f"{PREFIX}worker:"
ACCOUNT = f"{PREFIX}account:"
CHANGES_KEPT = 2000

FOREIGN = (
    "secret.key in the instance folder differs from the one of the other machines that use this store;"
    " copy theirs"
)

RETRY_SECONDS = 0.25
SWEEP_SECONDS = 0.5
WORKER_SECONDS = 3.0
"""Silence after which a worker counts as dead, and others take over what it had claimed and not started."""


class RedisStore:
    """Sessions in Redis; see `SessionStore` for the methods."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._settings = settings
        self._vault = vault
        self._worker = new_secret()
        self._running: dict[tuple[str, str], str] = {}
        # Ids for which a claim is on its way: the server may know of one before this worker does.
        self._claiming: set[tuple[str, str]] = set()
        # Locks of ids with which something is being done, and how many wait for each.
        self._turns: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}
        self._kept_milliseconds = int(settings.write_result_seconds * 1000)
        self._known: dict[str, float] = {}
        # Places of transfers under way, with the key of their account.
        self._places: dict[str, str] = {}
        self._renewed = 0.0
        # Sessions that ended here, until no copy of them can be alive anywhere.
        self._tombstones: dict[str, tuple[str, float]] = {}
        # Those among them of which this worker told before the server could.
        self._told: set[str] = set()
        self._ended: News[Ended] = News(10_000)
        self._changes: News[bytes] = News(CHANGES_KEPT)
        self._positions: dict[str, str] = {}
        self._met = False
        self._closing = False
        # Keys that are asked for in this turn of the event loop, and the question that begins after it.
        self._asking: tuple[set[str], asyncio.Task[dict[str, Session | None]]] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._server = RedisServer(settings.store)

    async def start(self) -> None:
        """Connect and begin to listen; a server that is away is waited for. Raises BadSettings."""
        with contextlib.suppress(StoreUnavailable), translated():
            await self._meet()
        if not self._server.usable:
            await self._server.close()
            raise BadSettings(FOREIGN)
        self._tasks = [
            asyncio.create_task(persistently(self._listen), name="session-listener"),
            asyncio.create_task(persistently(self._sweep_on), name="session-sweeper"),
        ]

    async def close(self) -> None:
        """Disconnect; iterators of `watch` and `changes` end."""
        self._closing = True
        self._server.usable = False
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        with contextlib.suppress(RedisError, OSError):
            await self._server.client.delete(WORKER + self._worker)
        self._ended.close()
        self._changes.close()
        await self._server.close()

    def now(self) -> float:
        """Return the server's time, extrapolated from its last answer."""
        return self._server.now()

    async def healthy(self) -> bool:
        """Return whether the server answers."""
        try:
            await self._server.ask(self._server.get, [])
        except StoreUnavailable:
            return False
        return True

    async def create(self, new: NewSession, credentials: Credentials, *, replaced: str | None = None) -> str:
        """Begin a session and return its id."""
        await self._server.ask(self._server.get, [])
        session_id = new_secret()
        settings = self._settings
        session = records.begun(new, session_id, self.now(), settings)
        sealed = records.seal_credentials(self._vault, session_id, session, credentials)
        times = [f"{session.idle_until:.6f}", f"{session.absolute_until:.6f}"]
        account_key = ACCOUNT + records.account_scope(new.user, new.server_key)
        recent = records.recent_seconds(settings)
        room = [SESSION, replaced or "", settings.sessions_per_account, settings.session_idle_seconds, recent]
        wait = await self._server.run(
            self._server.create,
            [SESSION + session.key, DEADLINES, account_key, ENDED],
            [session.key, records.session_to_text(session), *times, sealed, *room],
        )
        if wait:
            raise records.too_many_sessions(settings.sessions_per_account, float(wait))
        self._known[session.key] = session.absolute_until
        return session_id

    async def get(self, session_id: str) -> Session | None:
        """Look up a session by its id."""
        key = key_of(session_id)
        return (await self.recheck([key]))[key]

    async def credentials(self, session_id: str, session: Session) -> Credentials | None:
        """Decrypt the IRIS credentials."""
        if session.key in self._tombstones:
            return None
        with translated():
            sealed = await cast(
                "Awaitable[bytes | None]", self._server.client.hget(SESSION + session.key, "c")
            )
        return records.open_credentials(self._vault, session_id, session, sealed) if sealed else None

    async def touch(self, session: Session) -> Session | None:
        """Slide the idle deadline, unless it has passed."""
        arguments = [session.key, repr(self._settings.session_idle_seconds)]
        found = await self._server.ask(self._server.touch, [SESSION + session.key, DEADLINES], arguments)
        return self._seen(session.key, found[0], found[1])

    async def recheck(self, keys: Sequence[str], *, together: bool = False) -> dict[str, Session | None]:
        """Read many sessions again by key."""
        if together:
            return await self._recheck_together(keys)
        found: dict[str, Session | None] = dict.fromkeys(keys)
        for start in range(0, len(keys), 200):
            chunk = keys[start : start + 200]
            values = await self._server.ask(self._server.get, [SESSION + key for key in chunk])
            for number, key in enumerate(chunk):
                found[key] = self._seen(key, values[2 * number], values[2 * number + 1])
        return found

    async def _recheck_together(self, keys: Sequence[str]) -> dict[str, Session | None]:
        """Read with one question what all who ask in this turn of the event loop want to know."""
        if self._asking is None:
            # A task begins behind all that is lined up now.
            self._asking = set(), asyncio.create_task(self._ask_together())
        wanted, asked = self._asking
        wanted.update(keys)
        # One who is cancelled does not take the answer from the others.
        found = await asyncio.shield(asked)
        return {key: found[key] for key in keys}

    async def _ask_together(self) -> dict[str, Session | None]:
        assert self._asking is not None
        wanted, _ = self._asking
        self._asking = None
        return await self.recheck(list(wanted))

    async def end(self, key: str, reason: str) -> bool:
        """End a session everywhere; also when the server is away, as soon as it is back."""
        self._tombstones[key] = (reason, self.now() + self._settings.session_absolute_seconds)
        self._known.pop(key, None)
        try:
            there = await self._server.run(self._server.end, [SESSION + key, DEADLINES, ENDED], [key, reason])
        except StoreUnavailable:
            self._tell(Ended(key, reason))
            self._told.add(key)
            return True
        return bool(there)

    async def end_others(self, user: str, server_key: str, keep: str) -> int:
        """End the user's other sessions on this server."""
        others = [session.key for session in await self.list(user, server_key) if session.key != keep]
        return sum([await self.end(key, "ended") for key in others])

    async def list(self, user: str | None = None, server_key: str | None = None) -> Sequence[Session]:
        """List live sessions, oldest first."""
        with translated():
            keys: Any = await self._server.client.zrangebyscore(DEADLINES, f"({self.now():.6f}", "+inf")
        found = await self.recheck([key.decode() for key in keys])
        sessions = [
            session
            for session in found.values()
            if session is not None
            and (user is None or account(user) == account(session.user))
            and server_key in {None, session.server_key}
        ]
        return sorted(sessions, key=lambda session: session.created)

    async def count(self) -> int:
        """Count live sessions."""
        with translated():
            return int(await self._server.client.zcount(DEADLINES, f"({self.now():.6f}", "+inf"))

    def watch(self) -> AsyncIterator[Ended]:
        """Return every session that ends, in any worker of any machine."""
        return self._ended.follow()

    async def attempt(self, user: str, server_key: str, address: str) -> Admission:
        """Count a sign-in try."""
        scopes, settings = records.try_scopes(user, server_key, address), self._settings
        network = records.pace_of(records.network_limit(settings))
        everything = records.pace_of(settings.login_attempts_overall)
        names = [f"try:{scopes.user}", f"try:{scopes.address}", f"try:{scopes.pair}"]
        names += [f"pace:{scopes.network}", f"pace:{scopes.everything}"]
        names += [f"known:{scopes.pair}", f"known:{scopes.address}"]
        arguments = [
            records.ATTEMPT_SECONDS,
            new_secret(),
            settings.login_attempts_per_minute,
            settings.login_attempts_per_address,
            *(network.interval, network.burst, everything.interval, everything.burst),
            settings.login_wait_seconds,
        ]
        keys = [PREFIX + name for name in names]
        allowed, seconds = await self._server.run(self._server.attempt, keys, arguments)
        return Admission(allowed == 1, float(seconds))

    async def forgive(self, user: str, server_key: str, address: str) -> None:
        """Take back the latest try, and remember the account and its address."""
        scopes = records.try_scopes(user, server_key, address)
        names = [
            f"try:{scopes.user}",
            f"try:{scopes.address}",
            f"try:{scopes.pair}",
            f"pace:{scopes.network}",
        ]
        names += [f"known:{scopes.pair}", f"known:{scopes.address}"]
        interval = records.pace_of(records.network_limit(self._settings)).interval
        arguments = [interval, int(self._settings.login_known_seconds * 1000)]
        await self._server.run(self._server.forgive, [PREFIX + name for name in names], arguments)

    async def begin_transfer(self, user: str, server_key: str) -> str | None:
        """Take one of the account's places."""
        owner, place = f"{PREFIX}transfers:{records.account_scope(user, server_key)}", new_secret()
        arguments = [place, self._settings.transfers_per_account, records.LEASE_SECONDS]
        if not await self._server.run(self._server.hold, [owner], arguments):
            return None
        self._places[place] = owner
        return place

    async def end_transfer(self, place: str) -> None:
        """Return a place back."""
        owner = self._places.pop(place, None)
        if owner is not None:
            with translated():
                await self._server.client.zrem(owner, place)

    async def _renew_places(self) -> None:
        """Keep the places that this worker holds."""
        for place, owner in list(self._places.items()):
            await self._server.run(self._server.renew, [owner], [place, records.LEASE_SECONDS])

    async def make_ticket(self, session_id: str) -> str:
        """Create a ticket that stands for the session once."""
        ticket = new_secret()
        sealed = records.seal_ticket(self._vault, ticket, session_id)
        with translated():
            milliseconds = int(records.TICKET_SECONDS * 1000)
            await self._server.client.set(f"{PREFIX}ticket:{key_of(ticket)}", sealed, px=milliseconds)
        return ticket

    async def take_ticket(self, ticket: str) -> str | None:
        """Use up a ticket and give the session id."""
        sealed = await self._server.run(self._server.take, [f"{PREFIX}ticket:{key_of(ticket)}"], [])
        return records.open_ticket(self._vault, ticket, sealed) if sealed else None

    async def begin(
        self,
        owner: str,
        write_id: str,
        fingerprint: str,
        *,
        started: bool = False,
        since: float | None = None,
        made: float = 0.0,
    ) -> WriteRecord | None:
        """Claim a write's id."""
        key = owner, write_id
        arguments = [
            fingerprint,
            self._worker,
            self._kept_milliseconds,
            f"{made:.6f}",
            "started" if started else "claimed",
            f"{self.now() if since is None else since:.6f}",
            WORKER,
            int(WORKER_SECONDS * 1000),
        ]
        async with self._turn_of(key):
            arguments.append(int(key in self._running))
            self._claiming.add(key)
            try:
                found = await self._server.run(self._server.begin, [_write_key(owner, write_id)], arguments)
                if not found:
                    self._running[key] = fingerprint
                    return None
            finally:
                self._claiming.discard(key)
        return self._record_of(key, found)

    @contextlib.asynccontextmanager
    async def _turn_of(self, key: tuple[str, str]) -> AsyncIterator[None]:
        """Wait for this worker's other steps with a write: Redis and `_running` change together."""
        turn, waiting = self._turns.get(key, (asyncio.Lock(), 0))
        self._turns[key] = turn, waiting + 1
        try:
            async with turn:
                yield
        finally:
            turn, waiting = self._turns[key]
            if waiting == 1:
                del self._turns[key]
            else:
                self._turns[key] = turn, waiting - 1

    async def mark_started(self, owner: str, write_id: str) -> bool:
        """Store that the statement is about to be sent."""
        key = owner, write_id
        async with self._turn_of(key):
            found = await self._server.run(
                self._server.mark_started, [_write_key(owner, write_id)], [self._worker]
            )
            if not found:
                self._running.pop(key, None)
        return bool(found)

    async def withdraw(
        self, withdrawals: Sequence[Withdrawal], *, released: bool = False
    ) -> Sequence[WriteRecord | None]:
        """Store answers of writes that are not sent."""
        records: list[WriteRecord | None] = []
        state = "released" if released else "done"
        for item in withdrawals:
            arguments = [item.fingerprint, item.answer, state, self._kept_milliseconds, WORKER]
            key = item.owner, item.write_id
            async with self._turn_of(key):
                found = await self._server.run(
                    self._server.withdraw, [_write_key(item.owner, item.write_id)], arguments
                )
                if not found:
                    self._running.pop(key, None)
            records.append(self._record_of(key, found) if found else None)
        return records

    async def release(self, owner: str, write_id: str) -> None:
        """Forget a claim of this worker whose statement was not sent.

        The run has given it up even when the store is away: then its record is that of a run that ended.
        """
        async with self._turn_of((owner, write_id)):
            try:
                await self._server.run(self._server.release, [_write_key(owner, write_id)], [self._worker])
            finally:
                self._running.pop((owner, write_id), None)

    async def peek(self, owner: str, write_id: str) -> WriteRecord | None:
        """Read what is stored under an id."""
        found = await self._server.run(self._server.peek, [_write_key(owner, write_id)], [WORKER])
        return self._record_of((owner, write_id), found) if found else None

    def _record_of(self, key: tuple[str, str], found: Sequence[Any]) -> WriteRecord:
        state, fingerprint, answer, worker, alive = found
        ours = worker.decode() == self._worker
        mine = ours and key in self._running
        alive = (mine or key in self._claiming) if ours else bool(alive)
        return WriteRecord(state.decode(), fingerprint.decode(), answer, mine, alive)

    async def finish(self, owner: str, write_id: str, state: str, answer: bytes) -> None:
        """Store how a write ended."""
        key = owner, write_id
        async with self._turn_of(key):
            fingerprint = self._running.get(key, "")
            arguments = [state, answer, self._kept_milliseconds, self._worker, fingerprint]
            await self._server.run(self._server.finish, [_write_key(owner, write_id)], arguments)
            self._running.pop(key, None)

    async def publish(self, *messages: bytes) -> None:
        """Publish to the other workers of all machines."""
        with translated():
            async with self._server.client.pipeline(transaction=False) as pipeline:
                for message in messages:
                    fields: Any = {"w": self._worker, "m": message}
                    pipeline.xadd(CHANGES, fields, maxlen=CHANGES_KEPT, approximate=True)
                await pipeline.execute()

    def changes(self) -> AsyncIterator[bytes]:
        """Return what other workers published."""
        return self._changes.follow()

    def _seen(self, key: str, static: str, idle_until: str) -> Session | None:
        if not static or key in self._tombstones:
            self._known.pop(key, None)
            return None
        session = records.session_from_text(key, static, float(idle_until))
        self._known[key] = session.absolute_until
        return session

    async def _listen(self) -> None:
        """Follow both streams; after an absence of the server read everything again."""
        # redis-py swallows a cancellation that comes while it connects, hence the flag beside it.
        while not self._closing:
            try:
                if not self._met:
                    await self._meet()
                    await self._recover()
                await self._read_on(LISTEN_SECONDS)
            except (RedisError, OSError, StoreUnavailable):
                self._met = False
                await asyncio.sleep(RETRY_SECONDS)

    async def _read_on(self, seconds: float | None) -> set[str]:
        """Read new entries of the streams, waiting up to the given time; return the keys of ended sessions."""
        ended: set[str] = set()
        streams: Any = dict(self._positions)
        block = None if seconds is None else int(seconds * 1000)
        answer: Any = await self._server.listener.xread(streams, block=block)
        for name, entries in answer or ():
            for entry, fields in entries:
                self._positions[name.decode()] = entry.decode()
                if name.decode() == ENDED:
                    ended.add(fields[b"k"].decode())
                    self._tell(Ended(fields[b"k"].decode(), fields[b"r"].decode()))
                elif fields[b"w"].decode() != self._worker:
                    self._changes.publish(fields[b"m"])
        return ended

    def _tell(self, ended: Ended) -> None:
        self._known.pop(ended.key, None)
        if ended.key in self._told:
            self._told.discard(ended.key)
        else:
            self._ended.publish(ended)

    async def _meet(self) -> None:
        """Look up out where the streams are and whether this store belongs to our secret."""
        await self._server.ask(self._server.get, [])
        for kid, mark in self._vault.fingerprints().items():
            await self._server.client.hsetnx(KEYS, kid, mark)
            stored = await cast("Awaitable[bytes]", self._server.client.hget(KEYS, kid))
            if stored != mark.encode():
                self._server.usable = False
                logger.critical(FOREIGN)
        for stream in (ENDED, CHANGES):
            latest: Any = await self._server.client.xrevrange(stream, count=1)
            last = latest[0][0].decode() if latest else "0-0"
            position = self._positions.get(stream)
            if position is None and stream == ENDED and self._tasks:
                # The server came after this worker, and sessions may have ended since it did.
                self._positions[stream] = "0-0"
            elif position is None or _number(last) < _number(position):
                # At the start from the latest on; later from where we were, unless the server lost its data.
                self._positions[stream] = last
        self._met = True

    async def _recover(self) -> None:
        for key, (reason, _) in list(self._tombstones.items()):
            await self._server.run(self._server.end, [SESSION + key, DEADLINES, ENDED], [key, reason])
        found = await self.recheck(list(self._known))
        missing = {key for key, session in found.items() if session is None}
        # Of most the stream tells how they ended; of the others the server has lost all trace.
        for key in missing - await self._read_on(None):
            self._tell(Ended(key, "lost"))

    async def _sweep_on(self) -> None:
        grace = repr(records.sweep_grace(self._settings))
        while not self._closing:
            await asyncio.sleep(SWEEP_SECONDS)
            with contextlib.suppress(StoreUnavailable):
                with translated():
                    await self._server.client.set(WORKER + self._worker, b"", px=int(WORKER_SECONDS * 1000))
                await self._server.run(self._server.sweep, [DEADLINES, ENDED], [SESSION, grace])
            now = self.now()
            if abs(now - self._renewed) > records.LEASE_RENEWAL_SECONDS:
                self._renewed = now
                with contextlib.suppress(StoreUnavailable):
                    await self._renew_places()
            for key in [key for key, (_, until) in self._tombstones.items() if until < now]:
                del self._tombstones[key]
                self._told.discard(key)
            for key in [key for key, until in self._known.items() if until < now - 3600]:
                del self._known[key]


def _number(entry: str) -> tuple[int, int]:
    milliseconds, sequence = entry.split("-")
    return int(milliseconds), int(sequence)


def _write_key(owner: str, write_id: str) -> str:
    return f"{PREFIX}write:{hashlib.sha256(owner.encode('utf-8', 'surrogatepass')).hexdigest()}:{write_id}"
