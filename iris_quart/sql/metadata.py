"""Tables and columns as INFORMATION_SCHEMA describes them, and the statements that ask it.

Source: class reference of %Library's INFORMATION_SCHEMA (TABLES, COLUMNS, KEY_COLUMN_USAGE), release 2024.1. Its
name columns collate without letter case, so a name may be asked for in any.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from iris_quart.errors import InvalidInput, TableNotFound

from .identifiers import QualifiedName, quote
from .values import Category, category_of

__all__ = [
    "COLUMNS_SQL",
    "KEYS_SQL",
    "TABLES_SQL",
    "Column",
    "ForeignKey",
    "Identity",
    "IdentityKind",
    "Reference",
    "Table",
    "TableEntry",
    "TableKind",
    "build_entries",
    "build_table",
]

TABLES_SQL = (
    "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, DESCRIPTION FROM INFORMATION_SCHEMA.TABLES "
    "ORDER BY TABLE_SCHEMA, TABLE_NAME"
)

COLUMNS_SQL = (
    "SELECT t.TABLE_SCHEMA AS TABLE_SCHEMA, t.TABLE_NAME AS TABLE_NAME, t.TABLE_TYPE AS TABLE_TYPE, "
    "t.DESCRIPTION AS TABLE_DESCRIPTION, c.COLUMN_NAME AS COLUMN_NAME, c.DATA_TYPE AS DATA_TYPE, "
    "c.IS_NULLABLE AS IS_NULLABLE, c.COLUMN_DEFAULT AS COLUMN_DEFAULT, c.IS_IDENTITY AS IS_IDENTITY, "
    "c.IS_GENERATED AS IS_GENERATED, c.GENERATION_EXPRESSION AS GENERATION_EXPRESSION, "
    "c.AUTO_INCREMENT AS AUTO_INCREMENT, c.CHARACTER_MAXIMUM_LENGTH AS CHARACTER_MAXIMUM_LENGTH, "
    "c.NUMERIC_PRECISION AS NUMERIC_PRECISION, c.NUMERIC_SCALE AS NUMERIC_SCALE, "
    "c.UNIQUE_COLUMN AS UNIQUE_COLUMN, c.PRIMARY_KEY AS PRIMARY_KEY, c.DESCRIPTION AS COLUMN_DESCRIPTION "
    "FROM INFORMATION_SCHEMA.TABLES t INNER JOIN INFORMATION_SCHEMA.COLUMNS c "
    "ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME "
    "WHERE t.TABLE_SCHEMA = ? AND t.TABLE_NAME = ? ORDER BY c.ORDINAL_POSITION"
)
"""One row a column, with the table's own description on each."""

KEYS_SQL = (
    "SELECT CONSTRAINT_NAME, CONSTRAINT_TYPE, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, "
    "REFERENCED_COLUMN_NAME FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE "
    "WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY CONSTRAINT_NAME, ORDINAL_POSITION"
)

WHOLE_TEXT = 1000
"""Text columns that are declared longer than this are read up to it; longer values are shown as previews."""

BINARY_REASON = "Binary values are changed as a whole, not in a cell."


class TableKind(StrEnum):
    """What a name in the list of tables stands for."""

    TABLE = "table"
    VIEW = "view"
    SYSTEM = "system"


class IdentityKind(StrEnum):
    """How one row of a table is told from the others."""

    ROW_ID = "rowId"
    PRIMARY_KEY = "primaryKey"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Identity:
    """How a row is addressed; `columns` are those that show it, none for a hidden row ID."""

    kind: IdentityKind
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """The column that a foreign key of one column points to."""

    schema: str
    table: str
    column: str


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key, its columns beside those they point to."""

    name: str
    columns: tuple[str, ...]
    schema: str
    table: str
    referenced: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table or view."""

    name: str
    data_type: str
    category: Category
    nullable: bool = True
    max_length: int | None = None
    precision: int | None = None
    scale: int | None = None
    read_only_reason: str | None = None
    has_default: bool = False
    unique: bool = False
    is_primary_key: bool = False
    is_identity: bool = False
    is_row_version: bool = False
    description: str | None = None
    references: Reference | None = None
    sql: str = field(default="", compare=False)
    """The name, quoted."""

    @property
    def editable(self) -> bool:
        """Whether a cell of it can be changed."""
        return self.read_only_reason is None

    @property
    def replaceable(self) -> bool:
        """Whether its value can be changed as a whole, though perhaps not in a cell."""
        return self.editable or self.read_only_reason == BINARY_REASON

    @property
    def may_be_cut(self) -> bool:
        """Whether its longer values travel as previews."""
        return self.category is Category.LONG_TEXT or (
            self.category is Category.TEXT and (self.max_length is None or self.max_length > WHOLE_TEXT)
        )


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view with all that is known about it."""

    namespace: str
    schema: str
    name: str
    kind: TableKind
    columns: tuple[Column, ...]
    identity: Identity
    description: str | None = None
    read_only_reason: str | None = None
    unique_keys: tuple[tuple[str, ...], ...] = ()
    """Columns of the primary key first, if there is one, then of each unique constraint."""
    foreign_keys: tuple[ForeignKey, ...] = ()
    row_version: str | None = None
    """The column that IRIS counts up at each change of the row."""
    timestamps_settled: bool = True
    """False while a column shown as a timestamp may be a POSIXTIME: the catalogue spells both alike."""
    texts: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """Statement texts of this table by view shape; they go when the description goes."""
    _by_name: dict[str, Column] = field(default_factory=dict, compare=False, repr=False)

    @property
    def full_name(self) -> str:
        """Schema and name, as it travels on the wire."""
        return f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """Schema and name, quoted."""
        return QualifiedName(self.schema, self.name).sql

    @property
    def has_row_id(self) -> bool:
        """Whether %ID addresses its rows."""
        return self.identity.kind is IdentityKind.ROW_ID

    def find(self, name: str) -> Column | None:
        """Give a column by its name, in any letter case, as IRIS takes it."""
        if not self._by_name:
            self._by_name.update((column.name.lower(), column) for column in self.columns)
        return self._by_name.get(name.lower())

    def column(self, name: str, *, field: str | None = None) -> Column:
        """Give a column by its name. Raises InvalidInput naming `field`."""
        column = self.find(name)
        if column is None:
            raise InvalidInput(f"{self.full_name} has no column {name[:128]!r}.", field=field)
        return column

    def with_timestamps(self, posixtimes: Iterable[str]) -> Table:
        """Tell which of the timestamp columns are POSIXTIME."""
        names = set(posixtimes)
        columns = tuple(
            replace(column, category=Category.POSIXTIME) if column.name in names else column
            for column in self.columns
        )
        return replace(self, columns=columns, timestamps_settled=True, texts={}, _by_name={})


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One line of a namespace's list of tables."""

    schema: str
    name: str
    kind: TableKind
    is_base_table: bool
    description: str | None = None

    @property
    def full_name(self) -> str:
        """Schema and name, as it travels on the wire."""
        return f"{self.schema}.{self.name}"


def build_entries(rows: Iterable[Mapping[str, Any]]) -> tuple[TableEntry, ...]:
    """Read the answer to TABLES_SQL."""
    return tuple(
        TableEntry(
            schema=str(row["TABLE_SCHEMA"]),
            name=str(row["TABLE_NAME"]),
            kind=_kind(str(row.get("TABLE_TYPE") or ""), str(row["TABLE_SCHEMA"])),
            is_base_table=str(row.get("TABLE_TYPE") or "").upper() == "BASE TABLE",
            description=_text(row, "DESCRIPTION"),
        )
        for row in rows
    )


def build_table(
    namespace: str,
    asked: QualifiedName,
    column_rows: Iterable[Mapping[str, Any]],
    key_rows: Iterable[Mapping[str, Any]],
) -> Table:
    """Read the answers to COLUMNS_SQL and KEYS_SQL. Raises TableNotFound when there are no columns."""
    rows = list(column_rows)
    if not rows:
        raise TableNotFound(
            f"There is no table or view {asked}, or this user may not see it.", field="tableName"
        )
    first = rows[0]
    schema, name = str(first["TABLE_SCHEMA"]), str(first["TABLE_NAME"])
    table_type = str(first.get("TABLE_TYPE") or "").upper()
    kind = _kind(table_type, schema)
    primary, unique, foreign = _keys(key_rows)
    references = {key.columns[0]: key for key in foreign if len(key.columns) == 1}
    columns = tuple(
        _column(row, primary=primary, unique=unique, key=references.get(str(row["COLUMN_NAME"])))
        for row in rows
    )
    identity, reason = _identity(table_type, kind, columns)
    return Table(
        namespace=namespace,
        schema=schema,
        name=name,
        kind=kind,
        columns=columns,
        identity=identity,
        description=_text(first, "TABLE_DESCRIPTION"),
        read_only_reason=reason,
        unique_keys=tuple(key for key in (primary, *unique) if key),
        foreign_keys=tuple(foreign),
        row_version=next((column.name for column in columns if column.is_row_version), None),
        timestamps_settled=not any(column.category is Category.TIMESTAMP for column in columns),
    )


def _kind(table_type: str, schema: str) -> TableKind:
    table_type = table_type.upper()
    if table_type.startswith("SYSTEM") or schema.startswith("%") or schema.upper() == "INFORMATION_SCHEMA":
        return TableKind.SYSTEM
    return TableKind.VIEW if table_type == "VIEW" else TableKind.TABLE


def _identity(table_type: str, kind: TableKind, columns: tuple[Column, ...]) -> tuple[Identity, str | None]:
    if table_type in {"VIEW", "SYSTEM VIEW"}:
        return Identity(IdentityKind.NONE), "A view has no row ID, so its rows cannot be told apart safely."
    if table_type == "FOREIGN TABLE":
        return Identity(IdentityKind.NONE), "A foreign table is kept by another system."
    shown = tuple(column.name for column in columns if column.is_identity)
    reason = "System tables are not changed here." if kind is TableKind.SYSTEM else None
    return Identity(IdentityKind.ROW_ID, shown), reason


def _keys(
    rows: Iterable[Mapping[str, Any]],
) -> tuple[tuple[str, ...], list[tuple[str, ...]], list[ForeignKey]]:
    constraints: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        kind = (_text(row, "CONSTRAINT_TYPE") or "").upper()
        constraints.setdefault((kind, str(row.get("CONSTRAINT_NAME"))), []).append(row)
    primary: tuple[str, ...] = ()
    unique: list[tuple[str, ...]] = []
    foreign: list[ForeignKey] = []
    for (kind, name), parts in constraints.items():
        columns = tuple(str(part["COLUMN_NAME"]) for part in parts)
        if kind == "PRIMARY KEY":
            primary = columns
        elif kind == "UNIQUE":
            unique.append(columns)
        elif kind == "FOREIGN KEY":
            foreign.append(
                ForeignKey(
                    name=name,
                    columns=columns,
                    schema=_text(parts[0], "REFERENCED_TABLE_SCHEMA") or "",
                    table=_text(parts[0], "REFERENCED_TABLE_NAME") or "",
                    referenced=tuple(_text(part, "REFERENCED_COLUMN_NAME") or "" for part in parts),
                )
            )
    return primary, unique, foreign


def _column(
    row: Mapping[str, Any],
    *,
    primary: tuple[str, ...],
    unique: list[tuple[str, ...]],
    key: ForeignKey | None,
) -> Column:
    name, data_type = str(row["COLUMN_NAME"]), str(row.get("DATA_TYPE") or "")
    length = _number(row, "CHARACTER_MAXIMUM_LENGTH")
    category = category_of(data_type, length)
    identity, generated = _yes(row, "IS_IDENTITY"), _yes(row, "IS_GENERATED")
    counter = data_type.lower() == "rowversion" or (
        # ROWVERSION is a bigint that IRIS generates without an expression of the table's author.
        generated
        and not identity
        and data_type.lower() == "bigint"
        and not _text(row, "GENERATION_EXPRESSION")
    )
    return Column(
        name=name,
        data_type=data_type,
        category=category,
        nullable=_yes(row, "IS_NULLABLE"),
        max_length=length,
        precision=_number(row, "NUMERIC_PRECISION"),
        scale=_number(row, "NUMERIC_SCALE"),
        read_only_reason=_read_only_reason(category, identity=identity, generated=generated, counter=counter),
        has_default=_text(row, "COLUMN_DEFAULT") is not None or _yes(row, "AUTO_INCREMENT") or identity,
        unique=_yes(row, "UNIQUE_COLUMN") or identity or (name,) == primary or (name,) in unique,
        is_primary_key=identity or name in primary,
        is_identity=identity,
        is_row_version=counter,
        description=_text(row, "COLUMN_DESCRIPTION"),
        references=Reference(key.schema, key.table, key.referenced[0]) if key else None,
        sql=quote(name),
    )


def _read_only_reason(category: Category, *, identity: bool, generated: bool, counter: bool) -> str | None:
    if identity:
        return "IRIS gives each row its ID."
    if counter:
        return "IRIS counts this up at each change of the row."
    if generated:
        return "IRIS computes this column."
    if category in {Category.BINARY, Category.LONG_BINARY}:
        return BINARY_REASON
    if category is Category.LIST:
        return "Lists are not changed here."
    if category is Category.UNKNOWN:
        return "This column has a type that is not known here."
    return None


def _text(row: Mapping[str, Any], key: str) -> str | None:
    value = row.get(key)
    # NULL arrives as null, as "" or not at all, and an empty description says no more than none.
    return None if value is None or value in {"", "\0"} else str(value)


def _yes(row: Mapping[str, Any], key: str) -> bool:
    return str(row.get(key) or "").upper() in {"YES", "1", "TRUE"}


def _number(row: Mapping[str, Any], key: str) -> int | None:
    text = _text(row, key)
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
