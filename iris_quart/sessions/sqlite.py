"""The session store of one machine: SQLite in the instance folder, shared by all workers.

Workers hear of each other by two tables that each of them polls, in a few microseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeAlias, TypeVar

from iris_quart.atelier import Credentials
from iris_quart.background import persistently
from iris_quart.config import Settings
from iris_quart.errors import StoreUnavailable

from . import records
from .broadcast import Bell
from .liveness import WorkerLock
from .session import Ended, NewSession, Session, account, key_of, new_secret
from .sqlite_database import Database, Row
from .store import Admission, Withdrawal, WriteRecord
from .vault import Vault

__all__ = ["FILE_NAME", "SqliteStore"]

FILE_NAME = "sessions.db"
ENDED_SECONDS = 3600.0
CHANGES_SECONDS = 60.0
SWEEP_SECONDS = 0.5
PRUNE_SECONDS = 30.0

COLUMNS = (
    "key, user, server, server_key, namespace, read_only, target, created, idle_until, absolute_until,"
    " address, user_agent"
)
FIND_WRITE = "SELECT state, fingerprint, answer, worker, until FROM writes WHERE owner = ? AND id = ?"
LIVE = "min(idle_until, absolute_until) > ?"

T = TypeVar("T")
Drop: TypeAlias = Callable[[tuple[str, str]], None]
"""Notes that this worker does not run the write of an owner and id any more."""


class SqliteStore:
    """Sessions in `instance/sessions.db`; see `SessionStore` for the methods."""

    def __init__(self, settings: Settings, vault: Vault, *, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._vault = vault
        self._clock = clock
        self._db = Database(settings.instance / FILE_NAME)
        self._lock = WorkerLock(settings.instance)
        self._worker = self._lock.name
        self._running: set[tuple[str, str]] = set()
        self._bell = Bell()
        self._sweeper: asyncio.Task[None] | None = None
        self._ended_before = 0
        self._changes_before = 0
        self._pruned = 0.0
        self._places: set[str] = set()
        self._renewed = 0.0
        self._read: dict[str, Session] = {}
        self._read_at = 0
        self._current = False
        """Whether the loop has not gone on to newer work since the file was last looked at."""

    async def start(self) -> None:
        """Open the file, made on the first start. Raises StoreUnavailable or BadSettings."""
        await self._db.open()
        await asyncio.to_thread(self._lock.hold)
        self._ended_before = self._last("ended")
        self._changes_before = self._last("changes")
        self._sweeper = asyncio.create_task(persistently(self._sweep), name="session-sweeper")

    async def close(self) -> None:
        """Close the file; iterators of `watch` and `changes` end."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.wait([self._sweeper])
        await self._db.close()
        self._lock.let_go()
        self._bell.ring()

    def now(self) -> float:
        """Return the time of this machine, which all its workers share."""
        return self._clock()

    async def healthy(self) -> bool:
        """Return whether the file can be read and written."""
        try:
            await self._db.write(lambda db: db.execute("DELETE FROM tickets WHERE until < 0"))
        except StoreUnavailable:
            return False
        return True

    async def create(self, new: NewSession, credentials: Credentials, *, replaced: str | None = None) -> str:
        """Begin a session and return its id."""
        session_id = new_secret()
        session = records.begun(new, session_id, self._clock(), self._settings)
        sealed = records.seal_credentials(self._vault, session_id, session, credentials)
        row = (*_row_of(session), sealed)
        marks = ", ".join("?" * len(row))
        sql = f"INSERT INTO sessions ({COLUMNS}, credentials) VALUES ({marks})"

        def insert(db: sqlite3.Connection) -> int:
            ended = self._make_room(db, session, replaced)
            db.execute(sql, row)
            return ended

        if await self._db.write(insert, durable=True):
            self._bell.ring()
        return session_id

    def _make_room(self, db: sqlite3.Connection, new: Session, replaced: str | None) -> int:
        """End the longest idle sessions of an account that has too many. Raises RateLimited."""
        now, limit = new.created, self._settings.sessions_per_account
        sql = (
            f"SELECT key, idle_until FROM sessions WHERE {LIVE} AND server_key = ? AND account(user) = ?"
            " AND key <> ? ORDER BY idle_until"
        )
        rows = db.execute(sql, (now, new.server_key, account(new.user), replaced or "")).fetchall()
        surplus = rows[: max(0, len(rows) - limit + 1)]
        for key, idle_until in surplus:
            idle = now + self._settings.session_idle_seconds - idle_until
            if idle < (recent := records.recent_seconds(self._settings)):
                raise records.too_many_sessions(limit, recent - idle)
            db.execute("DELETE FROM sessions WHERE key = ?", (key,))
            db.execute("INSERT INTO ended (key, reason, at) VALUES (?, 'limit', ?)", (key, now))
        return len(surplus)

    async def get(self, session_id: str) -> Session | None:
        """Look up a session by its id."""
        rows = self._db.read(
            f"SELECT {COLUMNS} FROM sessions WHERE key = ? AND {LIVE}", (key_of(session_id), self._clock())
        )
        return _session_of(rows[0]) if rows else None

    async def credentials(self, session_id: str, session: Session) -> Credentials | None:
        """Decrypt the IRIS credentials."""
        rows = self._db.read("SELECT credentials FROM sessions WHERE key = ?", (session.key,))
        return records.open_credentials(self._vault, session_id, session, rows[0][0]) if rows else None

    async def touch(self, session: Session) -> Session | None:
        """Slide the idle deadline, unless it has passed."""
        now = self._clock()
        sql = f"UPDATE sessions SET idle_until = ? WHERE key = ? AND {LIVE} RETURNING {COLUMNS}"
        parameters = (now + self._settings.session_idle_seconds, session.key, now)
        rows = await self._db.write(lambda db: db.execute(sql, parameters).fetchall())
        return _session_of(rows[0]) if rows else None

    async def recheck(self, keys: Sequence[str], *, together: bool = False) -> dict[str, Session | None]:
        """Read many sessions again by key; what was read before is good until anybody writes."""
        if not (together and self._current):
            self._look_for_writes()
        now = self._clock()
        found: dict[str, Session | None] = {}
        unread: list[str] = []
        for key in keys:
            session = self._read.get(key)
            if session is None:
                unread.append(key)
            found[key] = session if session is not None and session.ends_at > now else None
        if unread:
            self._read_again(unread, found)
        return found

    def _look_for_writes(self) -> None:
        version = self._db.version()
        if version != self._read_at:
            self._read.clear()
            self._read_at = version
        if not self._current:
            self._current = True
            # The loop runs this behind all that is lined up now, and before anything that it reads from now on.
            asyncio.get_running_loop().call_soon(self._grow_old)

    def _grow_old(self) -> None:
        self._current = False

    def _read_again(self, keys: Sequence[str], found: dict[str, Session | None]) -> None:
        # SQLite takes 32766 parameters at most; chunks keep far below.
        for start in range(0, len(keys), 500):
            chunk = keys[start : start + 500]
            marks = ", ".join("?" * len(chunk))
            sql = f"SELECT {COLUMNS} FROM sessions WHERE key IN ({marks}) AND {LIVE}"
            for row in self._db.read(sql, (*chunk, self._clock())):
                self._read[row[0]] = found[row[0]] = _session_of(row)

    async def end(self, key: str, reason: str) -> bool:
        """End a session everywhere."""
        return await self._end("key = ?", (key,), reason) > 0

    async def end_others(self, user: str, server_key: str, keep: str) -> int:
        """End the user's other sessions on this server."""
        which = "account(user) = ? AND server_key = ? AND key <> ?"
        return await self._end(which, (account(user), server_key, keep), "ended")

    async def list(self, user: str | None = None, server_key: str | None = None) -> Sequence[Session]:
        """List live sessions, oldest first."""
        sql = f"SELECT {COLUMNS} FROM sessions WHERE {LIVE} AND coalesce(account(user) = ?, 1)"
        rows = self._db.read(
            f"{sql} AND coalesce(server_key = ?, 1) ORDER BY created",
            (self._clock(), None if user is None else account(user), server_key),
        )
        return [_session_of(row) for row in rows]

    async def count(self) -> int:
        """Count live sessions."""
        return int(self._db.read(f"SELECT count(*) FROM sessions WHERE {LIVE}", (self._clock(),))[0][0])

    async def watch(self) -> AsyncIterator[Ended]:
        """Return every session that ends, in any worker; other workers' within the poll interval."""
        seen = self._ended_before
        while self._db.is_open:
            with contextlib.suppress(StoreUnavailable):
                for seq, key, reason in self._db.read(
                    "SELECT seq, key, reason FROM ended WHERE seq > ? ORDER BY seq", (seen,)
                ):
                    seen = seq
                    yield Ended(key, reason)
            await self._bell.wait(self._settings.sessions_poll_seconds)

    async def attempt(self, user: str, server_key: str, address: str) -> Admission:
        """Count a sign-in try."""
        scopes, settings = records.try_scopes(user, server_key, address), self._settings
        now = self._clock()
        since = now - records.ATTEMPT_SECONDS
        by_user = settings.login_attempts_per_minute
        paces = (
            (scopes.network, records.pace_of(records.network_limit(settings))),
            (scopes.everything, records.pace_of(settings.login_attempts_overall)),
        )

        def count(db: sqlite3.Connection) -> Admission:
            sql = "SELECT scope FROM known WHERE scope IN (?, ?) AND until > ?"
            known = {scope for (scope,) in db.execute(sql, (scopes.pair, scopes.address, now))}
            counters = [(scopes.user, by_user), (scopes.address, settings.login_attempts_per_address)]
            if scopes.pair in known:
                counters = [(scopes.pair, by_user)]
            for scope, limit in counters:
                sql = "SELECT at FROM attempts WHERE scope = ? AND at > ? ORDER BY at DESC LIMIT 1 OFFSET ?"
                row = db.execute(sql, (scope, since, limit - 1)).fetchone()
                if row is not None:
                    return Admission(False, max(1.0, float(row[0]) - since))
            wait, rests = 0.0, []
            for scope, pace in () if known else paces:
                row = db.execute("SELECT rest FROM paces WHERE scope = ?", (scope,)).fetchone()
                seconds, rest = pace.after(row[0] if row else now, now)
                wait = max(wait, seconds)
                rests.append((scope, rest))
            if wait > settings.login_wait_seconds:
                return Admission(False, max(1.0, wait - settings.login_wait_seconds))
            db.executemany("INSERT OR REPLACE INTO paces VALUES (?, ?)", rests)
            counted = [(scope, now) for scope in (scopes.user, scopes.address, scopes.pair)]
            db.executemany("INSERT INTO attempts VALUES (?, ?)", counted)
            return Admission(True, wait)

        return await self._db.write(count)

    async def forgive(self, user: str, server_key: str, address: str) -> None:
        """Take back the latest try, and remember the account and its address."""
        scopes = records.try_scopes(user, server_key, address)
        interval = records.pace_of(records.network_limit(self._settings)).interval
        now = self._clock()
        until = now + self._settings.login_known_seconds
        sql = (
            "DELETE FROM attempts WHERE rowid ="
            " (SELECT rowid FROM attempts WHERE scope = ? ORDER BY at DESC LIMIT 1)"
        )

        def take_back(db: sqlite3.Connection) -> None:
            db.executemany(sql, [(scope,) for scope in (scopes.user, scopes.address, scopes.pair)])
            # A try at a known address took nothing of the network's pace.
            free = "SELECT 1 FROM known WHERE scope = ? AND until > ?"
            if not db.execute(free, (scopes.address, now)).fetchone():
                db.execute("UPDATE paces SET rest = rest - ? WHERE scope = ?", (interval, scopes.network))
            known = [(scope, until) for scope in (scopes.pair, scopes.address)]
            db.executemany("INSERT OR REPLACE INTO known VALUES (?, ?)", known)

        await self._db.write(take_back)

    async def begin_transfer(self, user: str, server_key: str) -> str | None:
        """Take one of the account's places."""
        owner, place, now = records.account_scope(user, server_key), new_secret(), self._clock()

        def take(db: sqlite3.Connection) -> bool:
            db.execute("DELETE FROM transfers WHERE until <= ?", (now,))
            sql = "SELECT count(*) FROM transfers WHERE owner = ?"
            if db.execute(sql, (owner,)).fetchone()[0] >= self._settings.transfers_per_account:
                return False
            row = (place, owner, now + records.LEASE_SECONDS)
            db.execute("INSERT INTO transfers VALUES (?, ?, ?)", row)
            return True

        if not await self._db.write(take):
            return None
        self._places.add(place)
        return place

    async def end_transfer(self, place: str) -> None:
        """Return a place back."""
        self._places.discard(place)
        await self._db.write(lambda db: db.execute("DELETE FROM transfers WHERE id = ?", (place,)))

    async def _renew_places(self) -> None:
        """Keep the places that this worker holds."""
        until = self._clock() + records.LEASE_SECONDS
        rows = [(until, place) for place in self._places]
        sql = "UPDATE transfers SET until = ? WHERE id = ?"
        if rows:
            await self._db.write(lambda db: db.executemany(sql, rows))

    async def make_ticket(self, session_id: str) -> str:
        """Create a ticket that stands for the session once."""
        ticket = new_secret()
        sealed = records.seal_ticket(self._vault, ticket, session_id)
        row = (key_of(ticket), sealed, self._clock() + records.TICKET_SECONDS)
        await self._db.write(lambda db: db.execute("INSERT INTO tickets VALUES (?, ?, ?)", row))
        return ticket

    async def take_ticket(self, ticket: str) -> str | None:
        """Use up a ticket and give the session id."""
        # Anybody may offer a made-up one: only a ticket that is there is worth a turn among the writers.
        if not self._db.read("SELECT 1 FROM tickets WHERE key = ?", (key_of(ticket),)):
            return None
        sql = "DELETE FROM tickets WHERE key = ? RETURNING sealed, until"
        rows = await self._db.write(lambda db: db.execute(sql, (key_of(ticket),)).fetchall())
        if not rows or rows[0][1] <= self._clock():
            return None
        return records.open_ticket(self._vault, ticket, rows[0][0])

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
        now = self._clock()
        kept = self._settings.write_result_seconds
        state, until = "started" if started else "claimed", max(now, made) + kept
        arrived = now if since is None else since
        claimed: list[tuple[str, str]] = []

        def claim(db: sqlite3.Connection) -> WriteRecord | None:
            db.execute("DELETE FROM writes WHERE owner = ? AND id = ? AND until <= ?", (*key, now))
            row = db.execute(FIND_WRITE, key).fetchone()
            record = None if row is None else self._record_of(key, row)
            if record is not None:
                free = record.state == "claimed" and not record.alive
                free = free or (record.state == "released" and row[4] - kept < arrived)
                if not free or record.fingerprint != fingerprint:
                    return record
            sql = "INSERT OR REPLACE INTO writes VALUES (?, ?, ?, ?, x'', ?, ?)"
            db.execute(sql, (*key, fingerprint, state, self._worker, until))
            # Here, not after the transaction: another run of this worker may look at the record before.
            if key not in self._running:
                claimed.append(key)
            self._running.add(key)
            return None

        # The claim must outlive a power cut: without it the same id would be run again.
        return await self._db.write(
            claim, durable=True, undo=lambda: self._running.difference_update(claimed)
        )

    async def mark_started(self, owner: str, write_id: str) -> bool:
        """Store that the statement is about to be sent."""
        sql = (
            "UPDATE writes SET state = 'started'"
            " WHERE owner = ? AND id = ? AND worker = ? AND state = 'claimed'"
        )
        parameters = (owner, write_id, self._worker)

        def start(db: sqlite3.Connection, drop: Drop) -> bool:
            started = db.execute(sql, parameters).rowcount == 1
            if not started:
                drop((owner, write_id))
            return started

        # Not durable: after a power cut a claim of the boot before counts as perhaps sent.
        return await self._write_dropping(start)

    async def withdraw(
        self, withdrawals: Sequence[Withdrawal], *, released: bool = False
    ) -> Sequence[WriteRecord | None]:
        """Store answers of writes that are not sent."""
        now = self._clock()
        until = now + self._settings.write_result_seconds
        state = "released" if released else "done"

        def withdraw(db: sqlite3.Connection, drop: Drop) -> list[WriteRecord | None]:
            found: list[WriteRecord | None] = []
            for item in withdrawals:
                key = item.owner, item.write_id
                row = db.execute(FIND_WRITE, key).fetchone()
                record = None if row is None or row[4] <= now else self._record_of(key, row)
                if record is not None and (
                    record.state != "claimed" or record.fingerprint != item.fingerprint
                ):
                    found.append(record)
                    continue
                sql = "INSERT OR REPLACE INTO writes VALUES (?, ?, ?, ?, ?, '', ?)"
                db.execute(sql, (*key, item.fingerprint, state, item.answer, until))
                drop(key)
                found.append(None)
            return found

        return await self._write_dropping(withdraw, durable=True)

    async def release(self, owner: str, write_id: str) -> None:
        """Forget a claim of this worker whose statement was not sent.

        The run has given it up even when the store is away: then its record is that of a run that ended.
        """
        key = owner, write_id
        sql = (
            "DELETE FROM writes WHERE owner = ? AND id = ? AND worker = ? AND state IN ('claimed', 'started')"
        )
        begun = False

        def forget(db: sqlite3.Connection) -> None:
            nonlocal begun
            begun = True
            self._running.discard(key)
            db.execute(sql, (*key, self._worker))

        try:
            await self._db.write(forget)
        except StoreUnavailable:
            # Once begun, another run of this worker may have claimed the id since.
            if not begun:
                self._running.discard(key)
            raise

    async def _write_dropping(
        self, work: Callable[[sqlite3.Connection, Drop], T], *, durable: bool = False
    ) -> T:
        """Run a transaction whose `drop` notes within it that this worker does not run a write any more.

        Not after it: another run of this worker may claim the id before the caller goes on.
        """
        dropped: set[tuple[str, str]] = set()

        def drop(key: tuple[str, str]) -> None:
            if key in self._running:
                self._running.discard(key)
                dropped.add(key)

        return await self._db.write(
            lambda db: work(db, drop), durable=durable, undo=lambda: self._running.update(dropped)
        )

    async def peek(self, owner: str, write_id: str) -> WriteRecord | None:
        """Read what is stored under an id."""
        key = owner, write_id
        rows = self._db.read(FIND_WRITE, key)
        return self._record_of(key, rows[0]) if rows and rows[0][4] > self._clock() else None

    def _record_of(self, key: tuple[str, str], row: Row) -> WriteRecord:
        state, fingerprint, answer, worker, _until = row
        mine = worker == self._worker and key in self._running
        alive = mine if worker == self._worker else self._lock.is_alive(worker)
        if state == "claimed" and not alive and not self._lock.is_of_this_boot(worker):
            state = "started"  # the store of a machine that lost its power may lack the latest steps
        return WriteRecord(state, fingerprint, bytes(answer), mine, alive)

    async def finish(self, owner: str, write_id: str, state: str, answer: bytes) -> None:
        """Store how a write ended."""
        until = self._clock() + self._settings.write_result_seconds
        runs_here = (owner, write_id) in self._running
        sql = (
            "UPDATE writes SET state = ?, answer = ?, until = max(until, ?)"
            " WHERE owner = ? AND id = ? AND CASE WHEN ? THEN worker = ? ELSE state <> 'done' END"
        )
        parameters = (state, answer, until, owner, write_id, runs_here, self._worker)

        def store(db: sqlite3.Connection, drop: Drop) -> None:
            db.execute(sql, parameters)
            drop((owner, write_id))

        await self._write_dropping(store)

    async def publish(self, *messages: bytes) -> None:
        """Publish to the other workers of this machine."""
        rows = [(self._worker, message, self._clock()) for message in messages]
        sql = "INSERT INTO changes (worker, message, at) VALUES (?, ?, ?)"
        await self._db.write(lambda db: db.executemany(sql, rows))

    async def changes(self) -> AsyncIterator[bytes]:
        """Return what other workers published, within the poll interval."""
        seen = self._changes_before
        while self._db.is_open:
            with contextlib.suppress(StoreUnavailable):
                for seq, worker, message in self._db.read(
                    "SELECT seq, worker, message FROM changes WHERE seq > ? ORDER BY seq", (seen,)
                ):
                    seen = seq
                    if worker != self._worker:
                        yield message
            await self._bell.wait(self._settings.sessions_poll_seconds)

    async def _end(self, which: str, parameters: Row, reason: str) -> int:
        now = self._clock()

        def remove(db: sqlite3.Connection) -> int:
            keys = db.execute(f"DELETE FROM sessions WHERE {which} RETURNING key", parameters).fetchall()
            db.executemany(
                "INSERT INTO ended (key, reason, at) VALUES (?, ?, ?)",
                [(key, reason, now) for (key,) in keys],
            )
            return len(keys)

        # Durable: a power cut must not bring a session back that its user has left.
        count = await self._db.write(remove, durable=True)
        if count:
            self._bell.ring()
        return count

    async def _sweep(self) -> None:
        """End sessions past their deadline and forget what is too old; every worker does, one succeeds."""
        grace = records.sweep_grace(self._settings)
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            with contextlib.suppress(StoreUnavailable):
                due = self._clock() - grace
                for reason, column in (("absolute", "absolute_until"), ("idle", "idle_until")):
                    which = f"min(idle_until, absolute_until) <= ? AND {column} <= ?"
                    if self._db.read(f"SELECT 1 FROM sessions WHERE {which} LIMIT 1", (due, due)):
                        await self._end(which, (due, due), reason)
                if abs(self._clock() - self._renewed) > records.LEASE_RENEWAL_SECONDS:
                    self._renewed = self._clock()
                    await self._renew_places()
                if abs(self._clock() - self._pruned) > PRUNE_SECONDS:
                    self._pruned = self._clock()
                    await self._db.write(self._prune)

    def _prune(self, db: sqlite3.Connection) -> None:
        now = self._clock()
        db.execute("DELETE FROM ended WHERE at < ?", (now - ENDED_SECONDS,))
        db.execute("DELETE FROM changes WHERE at < ?", (now - CHANGES_SECONDS,))
        db.execute("DELETE FROM attempts WHERE at < ?", (now - records.ATTEMPT_SECONDS,))
        db.execute("DELETE FROM paces WHERE rest < ?", (now,))
        db.execute("DELETE FROM known WHERE until < ?", (now,))
        db.execute("DELETE FROM tickets WHERE until < ?", (now,))
        db.execute("DELETE FROM writes WHERE until < ?", (now,))

    def _last(self, table: str) -> int:
        return int(self._db.read(f"SELECT coalesce(max(seq), 0) FROM {table}", ())[0][0])


def _row_of(session: Session) -> Row:
    return (
        session.key,
        session.user,
        session.server,
        session.server_key,
        session.namespace,
        int(session.read_only),
        records.target_to_text(session.target),
        session.created,
        session.idle_until,
        session.absolute_until,
        session.address,
        session.user_agent,
    )


def _session_of(row: Row) -> Session:
    key, user, server, server_key, namespace, read_only, target, *rest = row
    target = records.target_from_text(target)
    return Session(key, user, server, server_key, namespace, bool(read_only), target, *rest)
