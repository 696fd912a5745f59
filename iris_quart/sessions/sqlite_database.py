"""The SQLite file of the session store: reads on the event loop, writes in one thread."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from iris_quart.errors import StoreUnavailable

from .session import account
from .vault import prepare_instance

__all__ = ["Database", "Row", "Rows"]

VERSION = 1
BUSY_SECONDS = 5.0
"""Time that a write waits for the writes of other workers."""
WAL_SECONDS = 5.0
BATCH = 64
"""Writes that share a transaction at most."""

SCHEMA = """
CREATE TABLE sessions (key TEXT PRIMARY KEY, user TEXT, server TEXT, server_key TEXT, namespace TEXT,
    read_only INTEGER, target TEXT, created REAL, idle_until REAL, absolute_until REAL, address TEXT,
    user_agent TEXT, credentials BLOB) WITHOUT ROWID;
CREATE INDEX sessions_by_deadline ON sessions (min(idle_until, absolute_until));
CREATE TABLE ended (seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT, reason TEXT, at REAL);
CREATE TABLE attempts (scope TEXT, at REAL);
CREATE INDEX attempts_by_scope ON attempts (scope, at);
CREATE TABLE tickets (key TEXT PRIMARY KEY, sealed BLOB, until REAL) WITHOUT ROWID;
CREATE TABLE writes (owner TEXT, id TEXT, fingerprint TEXT, state TEXT, answer BLOB, worker TEXT, until REAL,
    PRIMARY KEY (owner, id)) WITHOUT ROWID;
CREATE TABLE changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, worker TEXT, message BLOB, at REAL);
"""
ADDED = """
CREATE TABLE IF NOT EXISTS paces (scope TEXT PRIMARY KEY, rest REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known (scope TEXT PRIMARY KEY, until REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS transfers (id TEXT PRIMARY KEY, owner TEXT, until REAL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS transfers_by_owner ON transfers (owner);
"""
"""Tables that came later: added to a file that workers of an earlier release may still use."""
TABLES = ("sessions", "ended", "attempts", "tickets", "writes", "changes")

T = TypeVar("T")
Row = tuple[Any, ...]
Rows = list[Row]


class _Write:
    """One piece of work in the writing thread, and who waits for it."""

    __slots__ = ("_undo", "_work", "done", "durable", "error", "result")

    def __init__(
        self,
        work: Callable[[sqlite3.Connection], Any],
        durable: bool,
        done: asyncio.Future[Any],
        undo: Callable[[], object] | None,
    ) -> None:
        self._work = work
        self._undo = undo
        self.durable = durable
        self.done = done
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self, db: sqlite3.Connection) -> None:
        """Do the work, or leave no trace of it. Raises sqlite3.Error when the transaction is lost."""
        db.execute("SAVEPOINT work")
        try:
            self.result = self._work(db)
            if isinstance(self.result, sqlite3.Cursor):
                # Left to the caller, it would reset its statement from the caller's thread, perhaps
                # while the next write runs the same statement here: SQLITE_MISUSE.
                self.result.close()
        except Exception as error:  # noqa: BLE001 - told to the one who waits
            self.error = _unavailable(error) if isinstance(error, sqlite3.Error) else error
            db.execute("ROLLBACK TO work")
            self.take_back()
        db.execute("RELEASE work")

    def take_back(self) -> None:
        """Undo what the work changed beside the database."""
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()


class Database:
    """One worker's connections to the file; every failure is StoreUnavailable."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread: ThreadPoolExecutor | None = None
        self._reader: sqlite3.Connection | None = None
        # Both belong to the writing thread: one waits for the disk at every commit, one does not.
        self._durable: sqlite3.Connection | None = None
        self._quick: sqlite3.Connection | None = None
        self._turn = threading.Lock()  # guards the next two, which loop and thread share
        self._waiting: list[_Write] = []
        self._flushing = False

    @property
    def is_open(self) -> bool:
        """Whether it can be read."""
        return self._reader is not None

    async def open(self) -> None:
        """Open the file, made on the first start. Raises StoreUnavailable or BadSettings."""
        self._thread = ThreadPoolExecutor(1, "session-store")
        await self._in_thread(self._prepare)
        self._reader = self._connect("NORMAL")

    async def close(self) -> None:
        """Close all connections, after the writes that were begun."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()
        with self._turn:
            thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(thread, self._shut)
            thread.shutdown()

    def read(self, sql: str, parameters: Row) -> Rows:
        """Run a query on the event loop: some microseconds, and in WAL mode no writer holds it up."""
        if self._reader is None:
            raise StoreUnavailable("The session store is closed.")
        try:
            return self._reader.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise _unavailable(error) from error

    def version(self) -> int:
        """Return a number that changes when another connection of any process has written (PRAGMA data_version)."""
        return int(self.read("PRAGMA data_version", ())[0][0])

    async def write(
        self,
        work: Callable[[sqlite3.Connection], T],
        *,
        durable: bool = False,
        undo: Callable[[], object] | None = None,
    ) -> T:
        """Run `work` in a transaction of the writing thread; a durable one survives a power cut.

        `undo` is called in that thread when the transaction is lost, for what `work` changed beside the database.
        What waits while another transaction runs shares the next one: each `work` succeeds or fails for itself.
        """
        loop = asyncio.get_running_loop()
        item = _Write(work, durable, loop.create_future(), undo)
        with self._turn:
            if self._thread is None:
                raise StoreUnavailable("The session store is closed.")
            self._waiting.append(item)
            if not self._flushing:
                self._flushing = True
                self._thread.submit(self._flush, loop)
        result: T = await item.done
        return result

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            with self._turn:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                if not batch:
                    self._flushing = False
                    return
            self._transaction(batch)
            with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any more
                loop.call_soon_threadsafe(_settle, batch)

    def _transaction(self, batch: list[_Write]) -> None:
        db = self._durable if any(item.durable for item in batch) else self._quick
        if db is None:
            for item in batch:
                item.error = StoreUnavailable("The session store is closed.")
            return
        try:
            db.execute("BEGIN IMMEDIATE")
            try:
                for item in batch:
                    item.run(db)
                db.execute("COMMIT")
            except BaseException:
                # SQLite ends the transaction by itself after some errors, such as a full disk, but not after
                # every failed commit: one that stayed open would lock all workers out for ever.
                if db.in_transaction:
                    db.execute("ROLLBACK")
                for item in reversed(batch):
                    item.take_back()
                raise
        except sqlite3.Error as error:
            for item in batch:
                item.error = _unavailable(error)
        except BaseException as error:  # noqa: BLE001 - they wait for an answer, whatever it is
            for item in batch:
                item.error = error

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            raise StoreUnavailable("The session store is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _prepare(self) -> None:
        prepare_instance(self._path.parent)
        with contextlib.suppress(FileExistsError):
            # SQLite gives its -wal and -shm files the mode of the main one.
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        try:
            self._durable = self._connect("FULL")
            self._durable.execute("BEGIN IMMEDIATE")
            if self._durable.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                # Another release's tables: everybody signs in again, nothing else is lost.
                for table in TABLES:
                    self._durable.execute(f"DROP TABLE IF EXISTS {table}")
                for statement in SCHEMA.split(";"):
                    self._durable.execute(statement)
                self._durable.execute(f"PRAGMA user_version = {VERSION}")
            for statement in ADDED.split(";"):
                self._durable.execute(statement)
            self._durable.execute("COMMIT")
            self._quick = self._connect("NORMAL")
        except sqlite3.Error as error:
            raise _unavailable(error) from error

    def _connect(self, synchronous: str) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        deadline = time.monotonic() + WAL_SECONDS
        while True:
            try:
                # The switch to WAL does not wait for locks by itself, and all workers start at the same moment.
                db.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    db.close()
                    raise
                time.sleep(0.05)
            except sqlite3.Error:
                db.close()
                raise
        db.execute(f"PRAGMA synchronous = {synchronous}")
        db.create_function("account", 1, account, deterministic=True)
        # What a session held is overwritten when it ends, not only forgotten.
        db.execute("PRAGMA secure_delete = ON")
        return db

    def _shut(self) -> None:
        for db in (self._durable, self._quick):
            if db is not None:
                db.close()
        self._durable = self._quick = None


def _settle(batch: list[_Write]) -> None:
    for item in batch:
        if item.done.done():
            continue
        if item.error is None:
            item.done.set_result(item.result)
        else:
            item.done.set_exception(item.error)


def _unavailable(error: sqlite3.Error) -> StoreUnavailable:
    return StoreUnavailable(
        "The session store does not answer. Try again in a moment.", details={"cause": type(error).__name__}
    )
