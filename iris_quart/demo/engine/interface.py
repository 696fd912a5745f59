"""The arguments and results of the engine."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from iris_quart.demo.core.conversions import Value
from iris_quart.demo.core.errors import fatal
from iris_quart.demo.translate.plans import BACKWARDS, BY_ROW_ID, Unordered

SelectMode = Literal["logical", "odbc"]
STEPS_BETWEEN_LOOKS = 20_000
"""How many steps of SQLite's machine pass between two looks at whether the client has gone."""


@dataclass(frozen=True, order=True)
class Release:
    """An IRIS release; LIMIT and OFFSET..FETCH exist from 2025.1 on."""

    year: int
    minor: int

    @property
    def version_text(self) -> str:
        """Return the text that `$ZVERSION` and the API show."""
        return f"IRIS for UNIX (embedded demonstration) {self.year}.{self.minor} (Build 0U)"


PAGING_SINCE = Release(2025, 1)
JSON_TABLES_SINCE = Release(2024, 1)
ORDER_VARIABLE = "IRIS_QUART_DEMO_ORDER"


def careless_by_environment() -> bool:
    """Return whether IRIS_QUART_DEMO_ORDER asks for the careless order; without it rows come by row ID."""
    return os.environ.get(ORDER_VARIABLE, "").strip().lower() == "careless"


@dataclass(frozen=True)
class EngineOptions:
    """Options of a namespace.

    lock_timeout: in seconds.
    careless_order: a SELECT without ORDER BY returns its rows backwards instead of by row ID, so that tests find
        clients that rely on an order IRIS does not promise.
    shuffle_unordered: a seed that scrambles those rows instead.
    json_tables: JSON_TABLE exists; None decides by the release.
    """

    release: Release = PAGING_SINCE
    lock_timeout: float = 10.0
    careless_order: bool = field(default_factory=careless_by_environment)
    shuffle_unordered: int | None = None
    json_tables: bool | None = None

    @property
    def has_json_tables(self) -> bool:
        """Return whether JSON_TABLE exists."""
        return self.release >= JSON_TABLES_SINCE if self.json_tables is None else self.json_tables

    @property
    def unordered(self) -> Unordered:
        """Return how the rows of a SELECT without ORDER BY come."""
        if self.shuffle_unordered is not None:
            return self.shuffle_unordered
        return BACKWARDS if self.careless_order else BY_ROW_ID


@dataclass(frozen=True)
class ResultColumn:
    """One column of an answer; the type is spelt as INFORMATION_SCHEMA spells it (and `posixtime`)."""

    name: str
    type: str


@dataclass(frozen=True)
class Result:
    """The result of a statement; one that is not a query has no columns and no rows."""

    columns: tuple[ResultColumn, ...]
    rows: list[tuple[Value, ...]]
    is_query: bool


class Grants(Protocol):
    """What users may do to tables."""

    def allows(self, user: str, action: str, table: str) -> bool:
        """Return whether the user may SELECT, INSERT, UPDATE or DELETE on `Schema.Table`."""
        ...


class ExecutionHandle:
    """A handle with which another thread stops a running statement."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self.interrupted = False
        self.cancelled = False

    def cancel(self) -> None:
        """Stop the statement because somebody asked for it: it ends with -456."""
        self.cancelled = True
        self.interrupt()

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


__all__ = [
    "ORDER_VARIABLE",
    "PAGING_SINCE",
    "STEPS_BETWEEN_LOOKS",
    "EngineOptions",
    "ExecutionHandle",
    "Grants",
    "Release",
    "Result",
    "ResultColumn",
    "SelectMode",
    "careless_by_environment",
]
