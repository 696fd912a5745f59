"""The database's own history: every change of a row, with the edit whose statement caused it.

A worker of the campaign appends a mark to each statement that writes (`worker.py`); here, at the embedded IRIS, the
mark is taken off again and kept beside what triggers write down, so the history shares no code with what is tested.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import re
import sqlite3
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from iris_quart.demo import DemoServer
from iris_quart.demo.core.conversions import decode, odbc_text
from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.engine.namespace import Namespace
from iris_quart.demo.http.atelier import RequestRecord
from iris_quart.demo.http.faults import Struck

TABLES: Mapping[str, Mapping[str, str]] = {
    "Fault.Plain": {
        "V": "VARCHAR(60)",
        "N": "INTEGER",
        "P": "NUMERIC(10,2)",
        "T": "TIMESTAMP",
        "W": "TIME",
    },
    "Fault.Keyed": {"K": "VARCHAR(60) NOT NULL", "V": "VARCHAR(60)"},
    "Fault.Upper": {"V": "VARCHAR(60)", "N": "INTEGER"},
}
"""Columns and types; the texts of Fault.Upper are rewritten in capitals by a trigger."""
KEYS = {"Fault.Keyed": "K"}
MARK = re.compile(r"\s*/\*cause:([^*]*)\*/\s*\Z")
REFUSED = "\0refused"
"""The form of a value that its column refuses: no row ever holds it."""

Row = Mapping[str, str | None]
"""A row as the ledger compares it: each value as canonical text."""


def script() -> str:
    """Return the statements that create the tables."""
    lines = []
    for table, columns in TABLES.items():
        parts = [f"{name} {kind}" for name, kind in columns.items()]
        if table in KEYS:
            parts.append(f"PRIMARY KEY ({KEYS[table]})")
        lines.append(f"CREATE TABLE {table} ({', '.join(parts)});")
    return "\n".join(lines)


def marked(sql: str, cause: str) -> str:
    """Return a statement with the mark of the edit that causes it."""
    return f"{sql} /*cause:{cause}*/"


def canonical(table: str, column: str, value: Any) -> str | None:
    """Return a wire value, or one that the engine decoded, as the text that is compared."""
    if value is None:
        return None
    kind = TABLES[table][column]
    if kind.startswith(("INTEGER", "NUMERIC")) and not isinstance(value, str):
        return format(Decimal(str(value)).normalize(), "f")
    text = str(value)
    if kind.startswith("TIME") and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text


@dataclass(frozen=True)
class Version:
    """A row from one change until the next; `row` is None when it is deleted.

    `begin` is when the change ran, `end` when its successor was committed: at every moment between them a reader may
    have seen this version.
    """

    row: Row | None
    cause: str | None
    begin: float
    end: float = math.inf


@dataclass(frozen=True)
class Applied:
    """One statement that changed one row."""

    table: str
    row_id: str
    kind: str
    old: Row | None
    new: Row | None
    cause: str | None
    at: float
    index: int
    """Place among the versions of its row."""


@dataclass
class History:
    """Everything that happened, by row and by cause."""

    versions: dict[tuple[str, str], list[Version]] = field(default_factory=lambda: defaultdict(list))
    applied: dict[str, list[Applied]] = field(default_factory=lambda: defaultdict(list))
    arrived: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """When the statements of a cause reached the server."""
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Kinds of faults that struck the statements of a cause."""

    def seen(self, table: str, row_id: str, begin: float, end: float) -> list[Version]:
        """Return the versions of a row that a reader may have seen in a span of time; none before its insert."""
        found = [
            item for item in self.versions.get((table, row_id), []) if item.begin <= end and item.end >= begin
        ]
        first = self.versions.get((table, row_id))
        if not first or first[0].begin > begin:
            found.insert(0, Version(None, None, -math.inf, first[0].begin if first else math.inf))
        return found


class Historian:
    """Keeps the history of one embedded server's namespace USER."""

    def __init__(self, server: DemoServer) -> None:
        self.namespace = server.namespace("USER")
        self.arrived: dict[str, list[float]] = defaultdict(list)
        self.struck: dict[str, list[str]] = defaultdict(list)
        self._running = threading.local()
        self._numbers = itertools.count(1)
        self._ended: dict[int, float] = {}
        self.gate: Gate | None = None
        install_tables(self.namespace)
        self._install()
        _watch_requests(server, self)

    def _install(self) -> None:
        writer = self.namespace._storage.writer
        kinds: dict[str, dict[str, str]] = {}
        for name, columns in TABLES.items():
            table = self.namespace.catalog.by_full_name(name)
            assert table is not None
            kinds[name] = {
                column: found.type.kind for column in columns if (found := table.column(column)) is not None
            }

        def as_row(table: str, *stored: Any) -> str:
            row = {
                name: canonical(table, name, odbc_text(decode(value, kind), kind))
                for (name, kind), value in zip(kinds[table].items(), stored, strict=True)
            }
            return json.dumps(row)

        writer.create_function("history_row", -1, as_row)
        writer.create_function("history_cause", 0, lambda: getattr(self._running, "cause", None))
        writer.create_function("history_number", 0, lambda: getattr(self._running, "number", 0))
        writer.create_function("history_now", 0, time.time)
        writer.execute(
            "CREATE TABLE IF NOT EXISTS history (seq INTEGER PRIMARY KEY, tab TEXT, kind TEXT, row_id TEXT, old TEXT,"
            " new TEXT, cause TEXT, number INTEGER, at REAL)"
        )
        for table_name, found_kinds in kinds.items():
            old, new = (
                f"history_row('{table_name}', " + ", ".join(f'{row}."{name}"' for name in found_kinds) + ")"
                for row in ("OLD", "NEW")
            )
            for verb, before, after, row in (
                ("INSERT", "NULL", new, "NEW"),
                ("UPDATE", old, new, "NEW"),
                ("DELETE", old, "NULL", "OLD"),
            ):
                writer.execute(
                    f'CREATE TRIGGER "history {table_name} {verb}" AFTER {verb} ON "{table_name}" '
                    "BEGIN INSERT INTO history "
                    f"(tab, kind, row_id, old, new, cause, number, at) VALUES ('{table_name}', '{verb.lower()}', "
                    f'{row}."%ID", {before}, {after}, history_cause(), history_number(), history_now()); END'
                )
        run = self.namespace.execute

        @functools.wraps(run)
        def execute(sql: str, *arguments: Any, **options: Any) -> Any:
            mark = MARK.search(sql)
            self._running.cause = mark[1] if mark else None
            self._running.number = number = next(self._numbers)
            if mark is not None:
                sql = sql[: mark.start()]
                if self.gate is not None:
                    self.gate.pass_through(mark[1])
            try:
                return run(sql, *arguments, **options)
            finally:
                self._ended[number] = time.time()
                self._running.cause = None

        self.namespace.execute = execute  # type: ignore[method-assign]

    def read(self) -> History:
        """Read all that happened so far."""
        connection = sqlite3.connect(self.namespace.path)
        rows = connection.execute(
            "SELECT tab, kind, row_id, old, new, cause, number, at FROM history ORDER BY seq"
        ).fetchall()
        connection.close()
        history = History(arrived=self.arrived, faults=self.struck)
        for table, kind, row_id, old, new, cause, number, at in _merged(rows):
            versions = history.versions[table, row_id]
            if versions:
                last = versions[-1]
                versions[-1] = Version(last.row, last.cause, last.begin, self._ended.get(number, at))
            elif old is not None:
                versions.append(Version(old, None, -math.inf, at))
            versions.append(Version(new, cause, at))
            item = Applied(table, row_id, kind, old, new, cause, at, len(versions) - 1)
            if cause is not None:
                history.applied[cause].append(item)
        return history


def _merged(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Take a statement and what a trigger made of its row as one change."""
    merged: list[list[Any]] = []
    places: dict[tuple[int, str, str], int] = {}
    for table, kind, row_id, old, new, cause, number, at in rows:
        place = places.get((number, table, row_id))
        after = None if new is None else json.loads(new)
        if place is not None and number:
            merged[place][4] = after
            continue
        places[number, table, row_id] = len(merged)
        before = None if old is None else json.loads(old)
        merged.append([table, kind, row_id, before, after, cause, number, at])
    return [tuple(item) for item in merged]


class Gate:
    """Holds statements that write until they are let through, so that a test decides what happens when.

    Statements wait in their thread of the embedded server, after their request was read and before they run.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._closed = False
        self.held: list[str] = []

    @property
    def closed(self) -> bool:
        """Whether it holds what comes."""
        return self._closed

    def close(self) -> None:
        """Hold what comes from now on."""
        with self._changed:
            self._closed = True

    def open(self) -> None:
        """Let everything through."""
        with self._changed:
            self._closed = False
            self._changed.notify_all()

    def pass_through(self, cause: str) -> None:
        """Wait until the gate is open."""
        with self._changed:
            if not self._closed:
                return
            self.held.append(cause)
            self._changed.wait_for(lambda: not self._closed, timeout=30)
            self.held.remove(cause)


def install_tables(namespace: Namespace) -> None:
    """Create the tables and the trigger that rewrites text."""
    namespace.run_script(script())
    for verb in ("INSERT", "UPDATE"):
        namespace._storage.writer.execute(
            f'CREATE TRIGGER "capitals {verb}" AFTER {verb} ON "Fault.Upper" BEGIN '
            'UPDATE "Fault.Upper" SET "V" = upper(NEW."V") WHERE "%ID" = NEW."%ID"; END'
        )


class Forms:
    """What the database makes of a value: asked of a database of its own."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory or Path(tempfile.mkdtemp(prefix="iris-quart-forms-"))
        self._namespace = Namespace("FORMS", self._directory / "FORMS.sqlite")
        install_tables(self._namespace)
        self._known: dict[tuple[str, str, str], str | None] = {}

    def stored(self, table: str, column: str, value: Any) -> str | None:
        """Return the canonical text of what a column holds after a value was written to it."""
        if value is None:
            return None
        key = (table, column, repr(value))
        if key not in self._known:
            try:
                self._known[key] = self._write(table, column, value)
            except SqlError:
                self._known[key] = REFUSED
        return self._known[key]

    def _write(self, table: str, column: str, value: Any) -> str | None:
        kind = TABLES[table][column]
        expression = "?"
        if value == "":
            expression = "''"
        elif kind == "TIME":
            digits = len(str(value).partition(".")[2])
            expression = f"CAST(? AS TIME({digits}))" if digits else "CAST(? AS TIME)"
        if kind.startswith(("INTEGER", "NUMERIC")):
            value = Decimal(str(value))
        names, marks = [column], [expression]
        parameters = [] if value == "" else [value]
        key = KEYS.get(table)
        if key is not None and column != key:
            names, marks, parameters = [key, *names], ["?", *marks], ["key", *parameters]
        self._namespace.execute(f"DELETE FROM {table}")
        self._namespace.execute(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(marks)})",
            parameters,
            select_mode="logical",
        )
        ((found,),) = self._namespace.execute(f"SELECT {column} FROM {table}", select_mode="odbc").rows
        return canonical(table, column, found)

    def close(self) -> None:
        """Close the database."""
        self._namespace.close()


def _watch_requests(server: DemoServer, historian: Historian) -> None:
    """Note when a marked statement arrives and which faults strike it."""
    app = server.app
    remember, strike = app._remember, app.faults.strike

    def note(record: RequestRecord) -> None:
        if record.sql and (mark := MARK.search(record.sql)):
            historian.arrived[mark[1]].append(time.time())
        remember(record)

    def note_faults(path: str, sql: str | None) -> Struck:
        struck = strike(path, sql)
        if struck and sql and (mark := MARK.search(sql)):
            historian.struck[mark[1]].extend(struck._rules)
        return struck

    app._remember = note  # type: ignore[method-assign]
    app.faults.strike = note_faults  # type: ignore[method-assign]
