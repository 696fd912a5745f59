"""One namespace of the embedded IRIS: IRIS SQL in, logical values out."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal
from typing import Protocol

from .errors import SqlError

Value = None | str | int | float | Decimal | bytes
Parameter = str | int | float | Decimal | bool | None
SelectMode = Literal["logical", "odbc"]


@dataclass(frozen=True, order=True)
class Release:
    """Name an IRIS release; LIMIT and OFFSET..FETCH exist from 2025.1 on."""

    year: int
    minor: int


@dataclass(frozen=True)
class EngineOptions:
    """Choose how a namespace behaves."""

    release: Release = Release(2025, 1)
    lock_timeout: float = 10.0
    shuffle_unordered: int | None = None


@dataclass(frozen=True)
class ResultColumn:
    """Describe one column of an answer; the type is spelt as INFORMATION_SCHEMA spells it."""

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
        """Return whether the user may SELECT, INSERT, UPDATE or DELETE on ``Schema.Table``."""
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


class Namespace:
    """Run IRIS SQL on one SQLite file; safe to call from many threads."""

    def __init__(self, name: str, path: Path, options: EngineOptions | None = None) -> None:
        self.name = name
        self.path = path
        self.options = options or EngineOptions()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._lock = threading.Lock()

    def execute(
        self,
        sql: str,
        parameters: Sequence[Parameter] = (),
        *,
        max_rows: int | None = None,
        user: str = "_SYSTEM",
        grants: Grants | None = None,
        select_mode: SelectMode = "logical",
        handle: ExecutionHandle | None = None,
    ) -> Result:
        """Run one statement and return its answer, or raise SqlError."""
        with self._lock:
            try:
                cursor = self._connection.execute(sql, [str(p) for p in parameters])
                rows = cursor.fetchall() if max_rows is None else cursor.fetchmany(max_rows)
            except sqlite3.Error as error:
                raise SqlError(-400, str(error)) from error
        names = [item[0] for item in cursor.description or ()]
        return Result(tuple(ResultColumn(name, "varchar") for name in names), rows, bool(names))

    def run_script(self, script: str) -> None:
        """Run statements separated by semicolons."""
        with self._lock:
            self._connection.executescript(script)

    def bulk_load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
        """Insert many rows of logical values without checking them."""
        raise SqlError(-1, f"bulk load into {table} is not there yet")

    @contextmanager
    def lock_row(self, table: str, row_id: int | str) -> Iterator[None]:
        """Hold a row as another process would, until the block ends."""
        yield

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
