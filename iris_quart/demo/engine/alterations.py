"""The rows of a table that ALTER TABLE changes: copied into the new form, each changed value checked."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from iris_quart.demo.catalog.layout import sqlite_table, table_indexes
from iris_quart.demo.catalog.tables import ROW_ID, Column, Table, quoted
from iris_quart.demo.core.conversions import Stored, Value, decode
from iris_quart.demo.core.errors import SqlError

from .validation import checked

DefaultOf = Callable[[Column], tuple[Value, str]]


def rebuild(connection: sqlite3.Connection, old: Table, new: Table, default: DefaultOf) -> None:
    """Move the rows of a table into its new form; raise -304, -305, -105 or -119 for rows that do not fit."""
    before = quoted(f"{old.full_name}%before")
    for name, _ in table_indexes(old):
        connection.execute(f"DROP INDEX {name}")
    connection.execute(f"ALTER TABLE {quoted(old.full_name)} RENAME TO {before}")
    connection.execute(sqlite_table(new))
    kept = {column.name: column for column in old.stored()}
    columns = list(new.stored())
    shared = [column for column in columns if column.name in kept]
    names = ", ".join(quoted(name) for name in [ROW_ID, *(column.storage or "" for column in shared)])
    connection.execute(f"INSERT INTO {quoted(new.full_name)} ({names}) SELECT {names} FROM {before}")
    connection.execute(
        "INSERT OR REPLACE INTO sqlite_sequence (rowid, name, seq) SELECT"
        " (SELECT rowid FROM sqlite_sequence WHERE name = ?), ?, seq FROM sqlite_sequence WHERE name = ?",
        (new.full_name, new.full_name, f"{old.full_name}%before"),
    )
    connection.execute(f"DROP TABLE {before}")
    for column in columns:
        was = kept.get(column.name)
        if was is None:
            _fill(connection, new, column, default)
        elif was.type != column.type or (column.not_null and not was.not_null):
            _check(connection, new, was, column)
    try:
        for _, statement in table_indexes(new):
            connection.execute(statement)
    except sqlite3.IntegrityError:
        raise SqlError(-119, f"Rows of table '{new.full_name}' failed unique check") from None


def rename(connection: sqlite3.Connection, old: Table, new: Table) -> None:
    """Give a table its new name, and its indexes, counters and catalogue entries with it."""
    for name, _ in table_indexes(old):
        connection.execute(f"DROP INDEX {name}")
    connection.execute(f"ALTER TABLE {quoted(old.full_name)} RENAME TO {quoted(new.full_name)}")
    for _, statement in table_indexes(new):
        connection.execute(statement)
    start = len(old.full_name) + 1
    connection.execute(
        'UPDATE "%counters" SET name = ? || substr(name, ?) WHERE substr(name, 1, ?) = ?',
        (new.full_name, start, start, f"{old.full_name}."),
    )
    connection.execute('UPDATE "%catalog" SET name = ? WHERE name = ?', (new.full_name, old.full_name))


def rename_column(connection: sqlite3.Connection, table: Table, old: Column, new: Column) -> None:
    """Give a column its new name, and its counter with it; SQLite follows in the indexes."""
    if old.row_id or old.storage is None:
        return
    name = quoted(table.full_name)
    connection.execute(
        f"ALTER TABLE {name} RENAME COLUMN {quoted(old.storage)} TO {quoted(new.storage or '')}"
    )
    connection.execute(
        'UPDATE "%counters" SET name = ? WHERE name = ?',
        (f"{table.full_name}.{new.name}", f"{table.full_name}.{old.name}"),
    )


def _fill(connection: sqlite3.Connection, table: Table, column: Column, default: DefaultOf) -> None:
    if column.type.counter is not None:
        connection.execute(
            f"UPDATE {quoted(table.full_name)} SET {quoted(column.storage or '')} = {quoted(ROW_ID)}"
        )
        connection.execute(
            f'INSERT OR REPLACE INTO "%counters" SELECT ?, coalesce(max({quoted(ROW_ID)}), 0)'
            f" FROM {quoted(table.full_name)}",
            (f"{table.full_name}.{column.name}",),
        )
        return
    if not column.not_null:
        return
    if connection.execute(f"SELECT 1 FROM {quoted(table.full_name)} LIMIT 1").fetchone() is None:
        return
    value, kind = default(column)
    if value is None:
        raise SqlError(
            -304, "Attempt to add a NOT NULL field with no default value to a table which contains data"
        )
    stored = checked(table, column, value, kind, insert=False, odbc=False)
    connection.execute(f"UPDATE {quoted(table.full_name)} SET {quoted(column.storage or '')} = ?", (stored,))


def _check(connection: sqlite3.Connection, table: Table, was: Column, column: Column) -> None:
    name = quoted(column.storage or "")
    rows: list[tuple[Stored, Stored]] = connection.execute(
        f"SELECT {quoted(ROW_ID)}, {name} FROM {quoted(table.full_name)}"
    ).fetchall()
    for row_id, stored in rows:
        if stored is None and column.not_null:
            raise SqlError(
                -305,
                "Attempt to make field required when the table has one or more rows where the column value is"
                " NULL",
            )
        value = decode(stored, was.type.kind)
        fresh = checked(table, column, value, was.type.kind, insert=False, odbc=False)
        if fresh != stored:
            connection.execute(
                f"UPDATE {quoted(table.full_name)} SET {name} = ? WHERE {quoted(ROW_ID)} = ?", (fresh, row_id)
            )


__all__ = ["DefaultOf", "rebuild", "rename", "rename_column"]
