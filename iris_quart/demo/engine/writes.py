"""Changing rows: each statement finds its rows first, then checks and writes them one by one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from iris_quart.demo.catalog.definitions import CHILD_NUMBER
from iris_quart.demo.catalog.tables import ROW_ID, Catalog, Column, Table, fold, quoted
from iris_quart.demo.core.conversions import Stored, Value, decode
from iris_quart.demo.core.errors import SqlError, not_found
from iris_quart.demo.core.types import TEXT
from iris_quart.demo.translate.plans import Parameter, Plan, Query, Written, bind, plain

from .constraint_errors import quoted_value, reference_failed, still_referenced
from .locks import RowLocks
from .triggers import fired
from .validation import checked

INSERT, UPDATE, DELETE = "INSERT", "UPDATE", "DELETE"
MAX_CASCADE = 200
"""Deepest chain of referential actions."""

RowId = int | str


@dataclass(slots=True)
class Writer:
    """Run one writing statement inside a transaction that its caller opened.

    `pulse` is called for every row; it raises when the client has gone.
    """

    connection: sqlite3.Connection
    catalog: Catalog
    locks: RowLocks
    evaluate: Callable[[Query, Sequence[Stored]], list[tuple[Stored, ...]]]
    default: Callable[[Column], tuple[Value, str]]
    pulse: Callable[[], None]
    odbc: bool
    depth: int = field(default=0)

    def run(self, plan: Plan, parameters: Sequence[Parameter]) -> None:
        """Run a plan of INSERT, UPDATE, DELETE or TRUNCATE."""
        assert plan.table is not None
        if plan.kind == INSERT:
            self._insert(plan, parameters)
        elif plan.kind == UPDATE:
            self._update(plan, parameters)
        elif plan.kind == DELETE:
            for (row_id,) in self._rows(plan.query, parameters):
                self.delete(plan.table, _row_id(row_id))
        else:
            self._truncate(plan.table)

    def _rows(self, query: Query | None, parameters: Sequence[Parameter]) -> list[tuple[Stored, ...]]:
        if query is None:
            return [()]
        return self.evaluate(query, bind(query.slots, parameters, odbc=self.odbc))

    def _value(
        self, written: Written, column: Column, row: Sequence[Stored], parameters: Sequence[Parameter]
    ) -> tuple[Value, str]:
        if written.source == "constant":
            return written.value, TEXT if isinstance(written.value, str) else written.kind
        if written.source == "parameter":
            return plain(parameters[written.index]), TEXT
        if written.source == "default":
            return self.default(column)
        return decode(row[written.index], written.kind), written.kind

    def _insert(self, plan: Plan, parameters: Sequence[Parameter]) -> None:
        table = plan.table
        assert table is not None
        rows = self._rows(plan.query, parameters)
        for row in rows:
            for values in plan.rows:
                given = {
                    fold(column.name): self._value(written, column, row, parameters)
                    for column, written in zip(plan.columns, values, strict=True)
                }
                row_id = self._insert_row(table, given, or_update=plan.or_update)
                self._check_view(plan, row_id, -136)

    def _insert_row(self, table: Table, given: dict[str, tuple[Value, str]], *, or_update: bool) -> RowId:
        self.pulse()
        stored: dict[str, Stored] = {}
        for column in table.stored():
            key = fold(column.name)
            if column.type.counter is not None and given.get(key, (None, TEXT))[0] in (None, 0, "0", ""):
                stored[column.name] = self._counter(table, column)
                continue
            if table.parent and key == CHILD_NUMBER and given.get(key, (None, TEXT))[0] is None:
                stored[column.name] = self._child_number(table, given)
                continue
            value, kind = given[key] if key in given else self.default(column)
            stored[column.name] = checked(table, column, value, kind, insert=True, odbc=self.odbc)
        existing = self._existing(table, stored) if or_update else None
        if existing is not None:
            kept = {
                column.name: stored[column.name] for column in table.stored() if fold(column.name) in given
            }
            self._write_row(table, existing, kept)
            return existing
        for foreign_key in table.foreign_keys:
            self._check_reference(table, foreign_key.name, stored, -121)
        return self._store(table, stored)

    def _store(self, table: Table, stored: dict[str, Stored]) -> RowId:
        names = [quoted(name) for name in stored]
        values = list(stored.values())
        child_id: str | None = None
        if table.parent and table.parent_column:
            child_id = f"{_shown(stored[table.parent_column])}||{_shown(stored[CHILD_NUMBER])}"
            self._check_parent(table, stored)
            names.insert(0, quoted(ROW_ID))
            values.insert(0, child_id)
        columns = (
            f"({', '.join(names)}) VALUES ({', '.join('?' * len(values))})" if names else "DEFAULT VALUES"
        )
        try:
            cursor = self.connection.execute(f"INSERT INTO {quoted(table.full_name)} {columns}", values)
        except sqlite3.IntegrityError as error:
            raise self._not_unique(table, stored, None, -119) or error from None
        if child_id is not None:
            return child_id
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _counter(self, table: Table, column: Column) -> int:
        name = "%rowversion" if column.type.counter == "rowversion" else f"{table.full_name}.{column.name}"
        found = self.connection.execute(
            'INSERT INTO "%counters" VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value',
            (name,),
        ).fetchone()
        return int(found[0])

    def _child_number(self, table: Table, given: dict[str, tuple[Value, str]]) -> Stored:
        parent = given.get(fold(table.parent_column or ""), (None, TEXT))[0]
        number, owner = quoted(CHILD_NUMBER), quoted(table.parent_column or "")
        sql = f"SELECT coalesce(max({number}), 0) + 1 FROM {quoted(table.full_name)} WHERE {owner} = ?"
        column = table.column(table.parent_column or "")
        assert column is not None
        found = self.connection.execute(
            sql, (checked(table, column, parent, TEXT, insert=True, odbc=self.odbc),)
        )
        return int(found.fetchone()[0])

    def _check_parent(self, table: Table, stored: dict[str, Stored]) -> None:
        parent = self.catalog.by_full_name(table.parent or "")
        assert parent is not None
        value = stored[table.parent_column or ""]
        sql = f"SELECT 1 FROM {quoted(parent.full_name)} WHERE {quoted(ROW_ID)} = ?"
        if self.connection.execute(sql, (value,)).fetchone() is None:
            raise reference_failed(table, "Parent", (table.parent_column or "",), -121)

    def _existing(self, table: Table, stored: dict[str, Stored]) -> RowId | None:
        for _, columns in table.unique_sets():
            if any(stored.get(column) is None for column in columns):
                continue
            found = self._find(table, columns, [stored[column] for column in columns])
            if found is not None:
                return found
        return None

    def _find(self, table: Table, columns: Sequence[str], values: Sequence[Stored]) -> RowId | None:
        test = " AND ".join(f"{_storage(table, column)} = ?" for column in columns)
        sql = f"SELECT {quoted(ROW_ID)} FROM {quoted(table.full_name)} WHERE {test} LIMIT 1"
        found = self.connection.execute(sql, tuple(values)).fetchone()
        return None if found is None else _row_id(found[0])

    def _update(self, plan: Plan, parameters: Sequence[Parameter]) -> None:
        table = plan.table
        assert table is not None
        seen: set[RowId] = set()
        for row in self._rows(plan.query, parameters):
            row_id = _row_id(row[0])
            if row_id in seen:
                continue
            seen.add(row_id)
            changes: dict[str, Stored] = {}
            for column, written in zip(plan.columns, plan.rows[0], strict=True):
                value, kind = self._value(written, column, row[1:], parameters)
                changes[column.name] = checked(table, column, value, kind, insert=False, odbc=self.odbc)
            self._write_row(table, row_id, changes)
            self._check_view(plan, row_id, -137)

    def _write_row(self, table: Table, row_id: RowId, changes: dict[str, Stored]) -> None:
        self.pulse()
        self.locks.check(table.full_name, row_id)
        for column in table.stored():
            if column.type.counter == "rowversion":
                changes[column.name] = self._counter(table, column)
        for foreign_key in table.foreign_keys:
            if any(column in changes for column in foreign_key.columns):
                whole = {**self._read(table, row_id, foreign_key.columns), **changes}
                self._check_reference(table, foreign_key.name, whole, -122)
        referencing = self.catalog.referencing(table)
        before = self._read(table, row_id, tuple(changes)) if referencing else {}
        names = ", ".join(f"{_storage(table, name)} = ?" for name in changes)
        sql = f"UPDATE {quoted(table.full_name)} SET {names} WHERE {quoted(ROW_ID)} = ?"
        try:
            self.connection.execute(sql, (*changes.values(), row_id))
        except sqlite3.IntegrityError as error:
            raise self._not_unique(table, changes, row_id, -120) or error from None
        self._run_triggers(table, row_id)
        for child, foreign_key in referencing:
            self._key_changed(table, child, foreign_key.name, row_id, before, changes)

    def _run_triggers(self, table: Table, row_id: RowId) -> None:
        for column, value, kind in fired(table, row_id, self.catalog, self.evaluate):
            stored = checked(table, column, value, kind, insert=False, odbc=False)
            sql = f"UPDATE {quoted(table.full_name)} SET {_storage(table, column.name)} = ? WHERE {quoted(ROW_ID)} = ?"
            self.connection.execute(sql, (stored, row_id))

    def _read(self, table: Table, row_id: RowId, columns: Sequence[str]) -> dict[str, Stored]:
        if not columns:
            return {}
        names = ", ".join(_storage(table, column) for column in columns)
        sql = f"SELECT {names} FROM {quoted(table.full_name)} WHERE {quoted(ROW_ID)} = ?"
        found = self.connection.execute(sql, (row_id,)).fetchone()
        return dict(zip(columns, found, strict=True)) if found is not None else {}

    def _check_view(self, plan: Plan, row_id: RowId, code: int) -> None:
        if plan.checks is not None and not self.evaluate(plan.checks, (row_id,)):
            raise SqlError(code, "View's WITH CHECK OPTION validation failed")

    def delete(self, table: Table, row_id: RowId) -> None:
        """Delete a row with what its references ask for."""
        self.pulse()
        self.locks.check(table.full_name, row_id)
        if self.depth > MAX_CASCADE:
            raise SqlError(-400, "Fatal error occurred: <FRAMESTACK>")
        self.depth += 1
        for child in self.catalog.children(table):
            for other in self._matching(child, (child.parent_column or "",), (row_id,)):
                self.delete(child, other)
        for child, foreign_key in self.catalog.referencing(table):
            if foreign_key.on_delete == "NO ACTION":
                continue
            values = self._key_values(table, row_id, foreign_key.targets)
            for other in self._matching(child, foreign_key.columns, values):
                if foreign_key.on_delete == "CASCADE":
                    if child is not table or other != row_id:
                        self.delete(child, other)
                else:
                    self._reset(
                        child, other, foreign_key.columns, default=foreign_key.on_delete == "SET DEFAULT"
                    )
        checks = [
            (child, foreign_key, self._key_values(table, row_id, foreign_key.targets))
            for child, foreign_key in self.catalog.referencing(table)
            if foreign_key.on_delete == "NO ACTION"
        ]
        self.connection.execute(
            f"DELETE FROM {quoted(table.full_name)} WHERE {quoted(ROW_ID)} = ?", (row_id,)
        )
        for child, foreign_key, values in checks:
            if self._matching(child, foreign_key.columns, values, limit=1):
                raise still_referenced(table, child, foreign_key.name, foreign_key.columns, "DELETE", -124)
        self.depth -= 1

    def _key_values(self, table: Table, row_id: RowId, targets: Sequence[str]) -> tuple[Stored, ...]:
        if not targets:
            return (row_id,)
        return tuple(self._read(table, row_id, targets).values())

    def _matching(
        self, table: Table, columns: Sequence[str], values: Sequence[Stored], limit: int = -1
    ) -> list[RowId]:
        if not values or None in values:
            return []
        test = " AND ".join(f"{_storage(table, column)} = ?" for column in columns)
        sql = f"SELECT {quoted(ROW_ID)} FROM {quoted(table.full_name)} WHERE {test} LIMIT {limit}"
        return [_row_id(row[0]) for row in self.connection.execute(sql, tuple(values)).fetchall()]

    def _reset(self, table: Table, row_id: RowId, columns: Sequence[str], *, default: bool) -> None:
        changes: dict[str, Stored] = {}
        for name in columns:
            column = table.column(name)
            assert column is not None
            value, kind = self.default(column) if default else (None, TEXT)
            changes[name] = checked(table, column, value, kind, insert=False, odbc=self.odbc)
        self._write_row(table, row_id, changes)

    def _truncate(self, table: Table) -> None:
        for child, foreign_key in self.catalog.referencing(table):
            if (
                child is not table
                and self.connection.execute(f"SELECT 1 FROM {quoted(child.full_name)} LIMIT 1").fetchone()
            ):
                raise still_referenced(table, child, foreign_key.name, foreign_key.columns, "DELETE", -124)
        for child in self.catalog.children(table):
            self._truncate(child)
        rows = self.connection.execute(f"SELECT {quoted(ROW_ID)} FROM {quoted(table.full_name)}")
        for (row_id,) in rows:
            self.locks.check(table.full_name, row_id)
        self.connection.execute(f"DELETE FROM {quoted(table.full_name)}")
        self.connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table.full_name,))
        self.connection.execute('DELETE FROM "%counters" WHERE substr(name, 1, ?) = ?',
                                (len(table.full_name) + 1, table.full_name + "."))  # fmt: skip

    def _check_reference(self, table: Table, name: str, stored: dict[str, Stored], code: int) -> None:
        foreign_key = next(item for item in table.foreign_keys if item.name == name)
        values = [stored.get(column) for column in foreign_key.columns]
        if None in values:
            return
        target = self.catalog.by_full_name(foreign_key.table)
        if target is None:
            raise not_found(foreign_key.table)
        columns = foreign_key.targets or (ROW_ID,)
        if target is table and [stored.get(column) for column in columns] == values:
            return
        found = self._find(target, columns, values)
        if found is None:
            raise reference_failed(table, name, foreign_key.columns, code)
        self.locks.check(target.full_name, found)

    def _key_changed(
        self,
        table: Table,
        child: Table,
        name: str,
        row_id: RowId,
        before: dict[str, Stored],
        changes: dict[str, Stored],
    ) -> None:
        foreign_key = next(item for item in child.foreign_keys if item.name == name)
        if not any(
            column in changes and changes[column] != before.get(column) for column in foreign_key.targets
        ):
            return
        now = self._read(table, row_id, foreign_key.targets)
        old = [before.get(column, now[column]) for column in foreign_key.targets]
        if self._find(table, foreign_key.targets, old) is not None:
            return
        for other in self._matching(child, foreign_key.columns, old):
            if foreign_key.on_update == "NO ACTION":
                raise still_referenced(table, child, name, foreign_key.columns, "UPDATE", -123)
            if foreign_key.on_update == "CASCADE":
                pairs = zip(foreign_key.columns, foreign_key.targets, strict=True)
                self._write_row(child, other, {column: now[target] for column, target in pairs})
            else:
                self._reset(child, other, foreign_key.columns, default=foreign_key.on_update == "SET DEFAULT")

    def _not_unique(
        self, table: Table, stored: dict[str, Stored], row_id: RowId | None, code: int
    ) -> SqlError | None:
        for name, columns in table.unique_sets():
            whole = dict(stored)
            if row_id is not None:
                whole = {**self._read(table, row_id, columns), **stored}
            values = [whole.get(column) for column in columns]
            if None in values:
                continue
            other = self._find(table, columns, values)
            if other is not None and other != row_id:
                shown = ",".join(
                    f"{column}={quoted_value(table, column, value)}"
                    for column, value in zip(columns, values, strict=True)
                )
                return SqlError(
                    code,
                    f"Table '{table.full_name}', Constraint '{name}', Field(s) {shown}; failed unique check",
                )
        if table.parent:
            return SqlError(code, f"Table '{table.full_name}', Constraint 'IDKEY'; failed unique check")
        return None


def _row_id(value: Stored) -> RowId:
    assert isinstance(value, (int, str))
    return value


def _storage(table: Table, name: str) -> str:
    column = table.column(name)
    return quoted(column.storage if column is not None and column.storage else name)


def _shown(value: Stored) -> str:
    return value if isinstance(value, str) else repr(value)


__all__ = ["MAX_CASCADE", "RowId", "Writer"]
