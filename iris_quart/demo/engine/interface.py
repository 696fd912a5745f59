"""What a caller of the engine gives and gets."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from iris_quart.demo.core.conversions import Value
from iris_quart.demo.core.errors import fatal

SelectMode = Literal["logical", "odbc"]
STEPS_BETWEEN_LOOKS = 20_000
"""How many steps of SQLite's machine pass between two looks at whether the client has gone."""


@dataclass(frozen=True, order=True)
class Release:
    """Name an IRIS release; LIMIT and OFFSET..FETCH exist from 2025.1 on."""

    year: int
    minor: int


PAGING_SINCE = Release(2025, 1)


@dataclass(frozen=True)
class EngineOptions:
    """Choose how a namespace behaves.

    `lock_timeout` is in seconds; `shuffle_unordered` is a seed that scrambles the rows of a SELECT without
    ORDER BY.
    """

    release: Release = PAGING_SINCE
    lock_timeout: float = 10.0
    shuffle_unordered: int | None = None


@dataclass(frozen=True)
class ResultColumn:
    """Describe one column of an answer; the type is spelt as INFORMATION_SCHEMA spells it (and `posixtime`)."""

    name: str
    type: str


@dataclass(frozen=True)
class Result:
    """Hold what a statement answered; not a query means no columns and no rows."""

    columns: tuple[ResultColumn, ...]
    rows: list[tuple[Value, ...]]
    is_query: bool


class Grants(Protocol):
    """Decide whether a user may do something to a table."""

    def allows(self, user: str, action: str, table: str) -> bool:
        """Return whether the user may SELECT, INSERT, UPDATE or DELETE on `Schema.Table`."""
        ...


class ExecutionHandle:
    """Let another thread stop a running statement."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self.interrupted = False

    def interrupt(self) -> None:
        """Cancel the statement, now or as soon as it starts."""
        with self._lock:
            self.interrupted = True
            if self._connection is not None:
                self._connection.interrupt()

    @contextmanager
    def watching(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Let the handle interrupt a connection until the block ends."""
        with self._lock:
            if self.interrupted:
                raise fatal("<INTERRUPT>")
            self._connection = connection
        # An interrupt between here and the statement's start would be lost: SQLite only stops what runs.
        connection.set_progress_handler(lambda: self.interrupted, STEPS_BETWEEN_LOOKS)
        try:
            yield
        finally:
            connection.set_progress_handler(None, STEPS_BETWEEN_LOOKS)
            with self._lock:
                self._connection = None
