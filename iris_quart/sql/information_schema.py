"""Queries of INFORMATION_SCHEMA, and the conversion of their answers to tables and columns.

Source: class reference of INFORMATION_SCHEMA (TABLES, COLUMNS, KEY_COLUMN_USAGE), release 2024.1. Its name columns
collate without letter case, so a name may be asked for in any.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from iris_quart.errors import TableNotFound

from .identifiers import QualifiedName, quote
from .metadata import (
    BINARY_REASON,
    Column,
    ForeignKey,
    Identity,
    IdentityKind,
    Reference,
    Table,
    TableEntry,
    TableKind,
)
from .values import Category, category_of

__all__ = [
    "ALL_COLUMNS_SQL",
    "COLUMNS_SQL",
    "KEYS_SQL",
    "TABLES_SQL",
    "build_entries",
    "build_table",
    "merge_rows",
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

ALL_COLUMNS_SQL = tuple(
    f"SELECT * FROM INFORMATION_SCHEMA.{view} WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?"
    for view in ("TABLES", "COLUMNS", "KEY_COLUMN_USAGE")
)
"""The same from a release whose views lack one of the columns named above."""


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


def merge_rows(
    tables: Iterable[Mapping[str, Any]], columns: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Shape the first two answers to ALL_COLUMNS_SQL like the answer to COLUMNS_SQL."""
    first = next(iter(tables), {})
    about = {"TABLE_TYPE": first.get("TABLE_TYPE"), "TABLE_DESCRIPTION": first.get("DESCRIPTION")}
    rows = [{**column, **about, "COLUMN_DESCRIPTION": column.get("DESCRIPTION")} for column in columns]
    return sorted(rows, key=lambda row: _number(row, "ORDINAL_POSITION") or 0)


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
    in_order = sorted(
        rows, key=lambda row: (str(row.get("CONSTRAINT_NAME")), _number(row, "ORDINAL_POSITION") or 0)
    )
    for row in in_order:
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
