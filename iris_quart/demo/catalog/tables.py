"""The catalogue of a namespace: tables, columns, keys, views and indexes, by name without regard to case."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from iris_quart.demo.core.types import EXACT, SqlType
from iris_quart.demo.parse import nodes

DEFAULT_SCHEMA = "SQLUser"
ROW_ID = "%ID"
"""Name of the SQLite column that holds the row ID of every table."""


def fold(name: str) -> str:
    """Return a name as the catalogue compares it (IRIS names ignore case, delimited or not)."""
    return name.casefold()


def quoted(name: str) -> str:
    """Return a name delimited for SQLite."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class Column:
    """One column; a computed one has an expression and no storage."""

    name: str
    type: SqlType
    collation: str = EXACT
    not_null: bool = False
    default: nodes.Expression | None = None
    default_text: str | None = None
    computed: nodes.Expression | None = None
    computed_text: str | None = None
    hidden: bool = False
    read_only: bool = False
    row_id: bool = False
    description: str | None = None
    reference: str | None = None
    container: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    """Parameters of the property, such as VALUELIST."""
    storage: str | None = None
    """Name of the SQLite column; None for a computed one."""


@dataclass(frozen=True, slots=True)
class Key:
    """A PRIMARY KEY or UNIQUE constraint."""

    name: str
    kind: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key; without target columns it points to the row ID."""

    name: str
    columns: tuple[str, ...]
    table: str
    targets: tuple[str, ...]
    on_delete: str
    on_update: str


@dataclass(frozen=True, slots=True)
class Index:
    """An index made by CREATE INDEX."""

    name: str
    columns: tuple[tuple[str, bool], ...]
    unique: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table, view or system table."""

    schema: str
    name: str
    columns: dict[str, Column]
    row_id: Column | None
    keys: tuple[Key, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexes: tuple[Index, ...] = ()
    description: str | None = None
    read_only: bool = False
    system: bool = False
    class_like: bool = False
    parent: str | None = None
    parent_column: str | None = None
    statement: nodes.CreateTable | None = None
    """What declares a base table, with what ALTER TABLE changed since."""
    query: nodes.Query | None = None
    query_text: str | None = None
    check_option: str | None = None

    @property
    def full_name(self) -> str:
        """Return `Schema.Table`."""
        return f"{self.schema}.{self.name}"

    @property
    def is_view(self) -> bool:
        """Return whether this is a view."""
        return self.query is not None

    @property
    def class_name(self) -> str:
        """Return the class that projects this table: `User` for SQLUser, dots for underscores."""
        package = "User" if fold(self.schema) == "sqluser" else self.schema.replace("_", ".")
        return f"{package}.{re.sub(r'[^0-9A-Za-z]', '', self.name)}"

    def column(self, name: str) -> Column | None:
        """Return a column by name; `%ID` is the row ID."""
        if name.upper() == ROW_ID:
            return self.row_id
        return self.columns.get(fold(name))

    def stored(self) -> Iterator[Column]:
        """Yield the columns that have storage, without the row ID."""
        for column in self.columns.values():
            if column.storage is not None and not column.row_id:
                yield column

    def primary_key(self) -> Key | None:
        """Return the primary key."""
        return next((key for key in self.keys if key.kind == "PRIMARY KEY"), None)

    def unique_sets(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield name and columns of everything unique: keys and unique indexes."""
        for key in self.keys:
            yield key.name, key.columns
        for index in self.indexes:
            if index.unique:
                yield index.name, tuple(name for name, _ in index.columns)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All tables of a namespace; a change makes a new catalogue, so readers never see half of one."""

    tables: dict[str, Table] = field(default_factory=dict)
    version: int = 0

    @staticmethod
    def key(schema: str | None, name: str) -> str:
        """Return the key of a table."""
        return f"{fold(schema or DEFAULT_SCHEMA)}\0{fold(name)}"

    def find(self, schema: str | None, name: str) -> Table | None:
        """Return a table, or None."""
        return self.tables.get(self.key(schema, name))

    def by_full_name(self, full_name: str) -> Table | None:
        """Return a table by `Schema.Table`; the schema ends at the first dot."""
        schema, _, name = full_name.partition(".")
        return self.find(schema, name) if name else self.find(None, schema)

    def with_table(self, table: Table) -> Catalog:
        """Return a catalogue with a table added or replaced."""
        return Catalog({**self.tables, self.key(table.schema, table.name): table}, self.version + 1)

    def without_table(self, table: Table) -> Catalog:
        """Return a catalogue without a table."""
        rest = dict(self.tables)
        rest.pop(self.key(table.schema, table.name), None)
        return Catalog(rest, self.version + 1)

    def referencing(self, table: Table) -> list[tuple[Table, ForeignKey]]:
        """Return the foreign keys that point to a table."""
        wanted = fold(table.full_name)
        return [
            (other, foreign_key)
            for other in self.tables.values()
            for foreign_key in other.foreign_keys
            if fold(foreign_key.table) == wanted
        ]

    def children(self, table: Table) -> list[Table]:
        """Return the child tables of a parent-child relationship."""
        wanted = fold(table.full_name)
        return [other for other in self.tables.values() if other.parent and fold(other.parent) == wanted]


__all__ = [
    "DEFAULT_SCHEMA",
    "ROW_ID",
    "Catalog",
    "Column",
    "ForeignKey",
    "Index",
    "Key",
    "Table",
    "fold",
    "quoted",
]
