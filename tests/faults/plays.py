"""What users of the campaign type, and what they see: values that repeat, and rows as they stand."""

from __future__ import annotations

import hashlib
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from iris_quart.demo.engine.namespace import Namespace
from tests.faults.history import TABLES, canonical
from tests.faults.ledger import Edit
from tests.faults.worker import cause_of

POOLS: Mapping[str, Sequence[Any]] = {
    "V": ("a", "A", "a ", "b", "B", "", None, "ab"),
    "K": (*(f"k{number}" for number in range(40)), "K1", "K2", "k1 "),
    "N": (0, 1, 2, None),
    "P": (1, 1.01, 1.004, 1.005, 0.995, 2, None),
    "T": ("2026-01-02 12:00:00", "2026-01-02 12:00:00.1", "2026-01-02 12:00:00.123", "2026-01-02", None),
    "W": ("12:00:00", "12:00:00.5", "12:00:01", None),
}
"""Few values: blank, equal, of another letter case, beginnings of one another, near numbers, equal keys."""

Seen = Mapping[str, Mapping[str, Any]]
"""Rows as a user sees them: wire values by row ID."""


class Typist:
    """Makes edits of the rows that somebody sees."""

    def __init__(self, seed: random.Random, name: str) -> None:
        self._random = seed
        self._name = name
        self._number = 0

    def value(self, column: str) -> Any:
        """Return a value for a column."""
        return self._random.choice(POOLS[column])

    def edit(self, table: str, rows: Seen) -> tuple[Edit, dict[str, Any]]:
        """Make one edit and its change as the protocol has it."""
        columns = list(TABLES[table])
        kind = self._random.choices(("update", "insert", "delete"), (70, 20, 10))[0]
        if kind == "insert" or len(rows) < 8:
            filled = [name for name in columns if name == "K" or self._random.random() < 0.5]
            return self.change(table, "insert", None, {name: self.value(name) for name in filled}, None)
        row_id = self._random.choice(list(rows))
        seen = rows[row_id]
        changed = self._random.sample(columns, self._random.choice((1, 1, min(2, len(columns)))))
        values = {name: self.value(name) for name in changed}
        if values.get("K", "") is None:
            values["K"] = "k1"
        names = changed if kind == "update" else columns
        base: dict[str, Any] | None = {name: seen[name] for name in names}
        if self._random.random() < 0.05 and base:
            base |= {"V": self.value("V")} if "V" in base else {}
        if self._random.random() < 0.1:
            base = None
        return self.change(table, kind, row_id, values if kind == "update" else {}, base)

    def change(
        self,
        table: str,
        kind: str,
        row_id: str | None,
        values: Mapping[str, Any],
        base: Mapping[str, Any] | None,
    ) -> tuple[Edit, dict[str, Any]]:
        """Make an edit with a new id."""
        self._number += 1
        change: dict[str, Any] = {"changeId": self._new_id(), "kind": kind}
        if row_id is not None:
            change["rowId"] = row_id
        if kind != "delete":
            change["values"] = dict(values)
        if base is not None:
            change["base"] = dict(base)
        edit = Edit(cause_of(change), change["changeId"], table, kind, row_id, values, base)
        return edit, change

    def _new_id(self) -> str:
        """Return an id as a script makes it, or a UUID that carries its time (RFC 9562, version 7)."""
        name = f"{self._name}-{self._number:020}"
        if self._number % 2:
            return name
        noise = int(hashlib.sha256(f"{name} {self._random.random()}".encode()).hexdigest()[:20], 16)
        value = (int(time.time() * 1000) & (1 << 48) - 1) << 80 | noise & (1 << 80) - 1
        return str(uuid.UUID(int=value & ~(0xF << 76) & ~(3 << 62) | 7 << 76 | 2 << 62))

    def again(self, edit: Edit) -> tuple[Edit, dict[str, Any]]:
        """Make the same edit with a new id, as the page does after one that was skipped."""
        return self.change(edit.table, edit.kind, edit.row_id, edit.values, edit.base)

    def rival(self, edit: Edit, change: dict[str, Any]) -> tuple[Edit, dict[str, Any]] | None:
        """Make another edit with the id of one; None for a deletion."""
        if edit.kind == "delete":
            return None
        name = self._random.choice(list(edit.values) or ["V"])
        values = {**edit.values, name: "k39" if name == "K" else self.value(name)}
        other = {**change, "values": values}
        if cause_of(other) == edit.cause:
            return None
        return replace(edit, cause=cause_of(other), values=values, answers=[], rival=True), other


def read_rows(namespace: Namespace, table: str) -> dict[str, dict[str, Any]]:
    """Read the rows of a table as a user sees them: dates and times as text, numbers as numbers."""
    columns = list(TABLES[table])
    result = namespace.execute(f"SELECT %ID, {', '.join(columns)} FROM {table}", select_mode="odbc")
    return {
        str(row_id): {name: _wire(table, name, value) for name, value in zip(columns, values, strict=True)}
        for row_id, *values in result.rows
    }


def _wire(table: str, column: str, value: Any) -> Any:
    text = canonical(table, column, value)
    if text is None or not TABLES[table][column].startswith(("INTEGER", "NUMERIC")):
        return text
    return float(text) if "." in text else int(text)
