"""SQLite connections of one namespace: a pool of readers, one writer, and our functions in each."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

from iris_quart.demo.core.errors import SqlError, fatal, not_found
from iris_quart.demo.core.values import MAX_STRING, sqlupper, upper
from iris_quart.demo.functions.table import SQLITE_AGGREGATES, SQLITE_FUNCTIONS, SQLITE_VOLATILE

CACHED_STATEMENTS = 256
PAGE_CACHE_KIB = 4_000
MAPPED_BYTES = 128 << 20
"""Most of the file that is mapped into memory; all connections share it."""

_raised = threading.local()


def _guard(function: Callable[..., Any]) -> Callable[..., Any]:
    """Keep the error that one of our functions raises: SQLite itself only says that one failed."""

    def guarded(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except SqlError as error:
            _raised.error = error
            raise
        except RecursionError:
            _raised.error = fatal("<FRAMESTACK>")
            raise
        except MemoryError:
            _raised.error = fatal("<STORE>")
            raise
        except (ValueError, TypeError, ArithmeticError, AttributeError, LookupError) as error:
            _raised.error = fatal(f"<ILLEGAL VALUE> {type(error).__name__}")
            raise

    return guarded


class _Aggregate(Protocol):
    """An aggregate of ours over the rows of one group."""

    def step(self, *values: Any) -> None:
        """Add a row."""

    def finalize(self) -> Any:
        """Return the value of the rows so far."""


class _Guarded:
    """An aggregate as SQLite sees it: a window function, whose value is also asked for between rows."""

    def __init__(self, make: Callable[[], _Aggregate]) -> None:
        aggregate = make()
        self.step = _guard(aggregate.step)
        self.finalize = self.value = _guard(aggregate.finalize)
        self.inverse = _guard(getattr(aggregate, "inverse", _takes_nothing_back))


def _takes_nothing_back(*_: object) -> None:
    """Fail: a frame moves its start for SUM and AVG only."""
    raise AssertionError("a frame moved its start")


FUNCTIONS = {name: _guard(function) for name, function in SQLITE_FUNCTIONS.items()}
CLOCK = {name: _guard(function) for name, function in SQLITE_VOLATILE.items()}
AGGREGATES = {
    name: cast("Any", partial(_Guarded, aggregate)) for name, aggregate in SQLITE_AGGREGATES.items()
}


def _collation(key: Callable[[str], str]) -> Callable[[str, str], int]:
    def compare(left: str, right: str) -> int:
        if left == right:
            return 0
        first, second = key(left), key(right)
        return (first > second) - (first < second)

    return compare


COLLATIONS = {
    "SQLUPPER": _collation(sqlupper),
    "UPPER": _collation(upper),
    "SQLSTRING": _collation(str.rstrip),
}


def take_error(error: sqlite3.Error) -> SqlError | None:
    """Return the error that one of our functions raised in this thread, once."""
    found = getattr(_raised, "error", None)
    _raised.error = None
    if found is not None and "user-defined" in str(error):
        assert isinstance(found, SqlError)
        return found
    return None


def connect(path: Path, lock_timeout: float) -> sqlite3.Connection:
    """Open a connection with our functions and collations."""
    connection = sqlite3.connect(
        path,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=CACHED_STATEMENTS,
        timeout=lock_timeout,
    )
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_STRING * 6)
    connection.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
        f"PRAGMA cache_size = -{PAGE_CACHE_KIB}; PRAGMA mmap_size = {MAPPED_BYTES}; PRAGMA temp_store = MEMORY;"
        "PRAGMA case_sensitive_like = ON;"
    )
    for name, function in FUNCTIONS.items():
        connection.create_function(name, -1, function, deterministic=True)
    for name, function in CLOCK.items():
        connection.create_function(name, -1, function)
    for name, aggregate in AGGREGATES.items():
        connection.create_window_function(name, 1, aggregate)
    for name, compare in COLLATIONS.items():
        connection.create_collation(name, compare)
    return connection


class Storage:
    """Lend connections: readers from a pool, the writer to one thread at a time."""

    def __init__(self, path: Path, lock_timeout: float) -> None:
        self.path = path
        self.lock_timeout = lock_timeout
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self.writer = connect(path, lock_timeout)
        self.write_lock = threading.Lock()

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection for reading."""
        with self._lock:
            if self._closed:
                raise fatal("namespace is closed")
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = connect(self.path, self.lock_timeout)
        try:
            yield connection
        finally:
            with self._lock:
                if self._closed:
                    connection.close()
                else:
                    self._idle.append(connection)

    def close(self) -> None:
        """Close every idle connection; those in use close when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        with self.write_lock:
            self.writer.close()


def mapped(error: sqlite3.Error, operation: str, table: str) -> SqlError:
    """Return the SQL error of a SQLite error."""
    own = take_error(error)
    if own is not None:
        return own
    name = getattr(error, "sqlite_errorname", None) or ""
    text = str(error)
    if "BUSY" in name or "LOCKED" in name:
        return SqlError(-110, f"Unable to acquire lock for {operation} of table '{table}'")
    if "INTERRUPT" in name:
        return fatal("<INTERRUPT>")
    if "TOOBIG" in name:
        return fatal("<MAXSTRING>")
    if "NOMEM" in name or re.search("too (large|many)|parser stack overflow|maximum depth", text):
        return fatal("<FRAMESTACK>" if "depth" in text or "stack" in text else "<STORE>")
    if text.startswith("no such table: "):
        return not_found(text.removeprefix("no such table: "))
    if "datatype mismatch" in text:
        return SqlError(-1, "Invalid SQL statement: a number of rows must be a whole number")
    if "ESCAPE" in text:
        return SqlError(-1, "Invalid SQL statement: ESCAPE takes a single character")
    if "misuse of window function" in text:
        return SqlError(-12, " A window function is not allowed here")
    if "integer overflow" in text:
        return fatal("<MAXNUMBER>")
    return fatal(text)


__all__ = [
    "AGGREGATES",
    "CACHED_STATEMENTS",
    "CLOCK",
    "COLLATIONS",
    "FUNCTIONS",
    "MAPPED_BYTES",
    "PAGE_CACHE_KIB",
    "Storage",
    "connect",
    "mapped",
    "take_error",
]
