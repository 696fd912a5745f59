"""How SQLite holds a table: one table of the same name, its row ID in the column `%ID`, and its indexes."""

from __future__ import annotations

from iris_quart.demo.core.types import EXACT

from .definitions import CHILD_NUMBER
from .tables import ROW_ID, Column, Index, Table, quoted

NamedStatement = tuple[str, str]
"""Delimited name of an index and the statement that creates it."""


def sqlite_table(table: Table) -> str:
    """Return the SQLite statement that creates a table."""
    if table.parent:
        parts = [f"{quoted(ROW_ID)} TEXT NOT NULL UNIQUE"]
    else:
        parts = [f"{quoted(ROW_ID)} INTEGER PRIMARY KEY AUTOINCREMENT"]
    parts.extend(f"{quoted(column.storage or '')}{_collate(column)}" for column in table.stored())
    return f"CREATE TABLE {quoted(table.full_name)} ({', '.join(parts)})"


def table_indexes(table: Table) -> list[NamedStatement]:
    """Return every index of a table: those of its constraints, and those of CREATE INDEX."""
    found = [_index(table, key.name, _columns(table, key.columns), unique=True) for key in table.keys]
    found.extend(
        _index(table, key.name, _columns(table, key.columns), unique=False) for key in table.foreign_keys
    )
    if table.parent and table.parent_column:
        found.append(
            _index(table, "%PARENT", _columns(table, (table.parent_column, CHILD_NUMBER)), unique=True)
        )
    found.extend(sqlite_index(table, index) for index in table.indexes)
    return found


def sqlite_index(table: Table, index: Index) -> NamedStatement:
    """Return an index made by CREATE INDEX."""
    columns = ", ".join(_storage(table, name) + (" DESC" if down else "") for name, down in index.columns)
    return _index(table, index.name, columns, unique=index.unique)


def index_name(table: Table, name: str) -> str:
    """Return the delimited SQLite name of an index."""
    return quoted(f"{table.full_name}|{name}")


def _index(table: Table, name: str, columns: str, *, unique: bool) -> NamedStatement:
    word = "UNIQUE INDEX" if unique else "INDEX"
    return index_name(
        table, name
    ), f"CREATE {word} {index_name(table, name)} ON {quoted(table.full_name)} ({columns})"


def _columns(table: Table, names: tuple[str, ...]) -> str:
    return ", ".join(_storage(table, name) for name in names)


def _collate(column: Column) -> str:
    return f" COLLATE {column.collation}" if column.collation != EXACT else ""


def _storage(table: Table, name: str) -> str:
    column = table.column(name)
    assert column is not None
    return quoted(column.storage or "")


__all__ = ["NamedStatement", "index_name", "sqlite_index", "sqlite_table", "table_indexes"]
