"""INFORMATION_SCHEMA: its tables, and their rows out of the catalogue.

Columns and spellings follow the class reference 2024.1 of `INFORMATION.SCHEMA.*` and what was measured on live
servers (facts: DATA_TYPE in lower case, `RowIDField_As_PKey` for class tables, names compared without case).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from iris_quart.demo.core import types
from iris_quart.demo.core.conversions import number_text
from iris_quart.demo.parse import nodes

from . import dictionary
from .procedures import PROCEDURES, Procedure
from .tables import DEFAULT_SCHEMA, ROW_ID, Catalog, Column, ForeignKey, Key, Table, fold, quoted

SCHEMA = "INFORMATION_SCHEMA"
ROW_ID_KEY = "RowIDField_As_PKey"

_COLUMNS = {
    "SCHEMATA": "CATALOG_NAME SCHEMA_NAME SCHEMA_OWNER DEFAULT_CHARACTER_SET_CATALOG DEFAULT_CHARACTER_SET_SCHEMA"
    " DEFAULT_CHARACTER_SET_NAME SQL_PATH",
    "TABLES": "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_TYPE SELF_REFERENCING_COLUMN_NAME REFERENCE_GENERATION"
    " USER_DEFINED_TYPE_CATALOG USER_DEFINED_TYPE_SCHEMA USER_DEFINED_TYPE_NAME IS_INSERTABLE_INTO IS_TYPED CLASSNAME"
    " DESCRIPTION OWNER IS_SHARDED",
    "COLUMNS": "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME COLUMN_NAME ORDINAL_POSITION:i DTD_IDENTIFIER DOMAIN_CATALOG"
    " DOMAIN_SCHEMA DOMAIN_NAME COLUMN_DEFAULT:x IS_NULLABLE IS_SELF_REFERENCING IS_IDENTITY IDENTITY_GENERATION"
    " IDENTITY_START IDENTITY_INCREMENT IDENTITY_MAXIMUM IDENTITY_MINIMUM IDENTITY_CYCLE IS_GENERATED"
    " GENERATION_EXPRESSION:x IS_UPDATABLE DATA_TYPE CHARACTER_MAXIMUM_LENGTH:i CHARACTER_OCTET_LENGTH:i"
    " NUMERIC_PRECISION:i NUMERIC_PRECISION_RADIX:i NUMERIC_SCALE:i DATETIME_PRECISION:i CHARACTER_SET_CATALOG"
    " CHARACTER_SET_SCHEMA CHARACTER_SET_NAME COLLATION_CATALOG COLLATION_SCHEMA COLLATION_NAME DESCRIPTION:x"
    " AUTO_INCREMENT UNIQUE_COLUMN PRIMARY_KEY PROPERTY_NAME:h COMPUTE_CODE:h IS_PERSISTED:h",
    "KEY_COLUMN_USAGE": "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA CONSTRAINT_NAME TABLE_CATALOG TABLE_SCHEMA TABLE_NAME"
    " COLUMN_NAME ORDINAL_POSITION:i POSITION_IN_UNIQUE_CONSTRAINT:i REFERENCED_TABLE_CATALOG REFERENCED_TABLE_SCHEMA"
    " REFERENCED_TABLE_NAME REFERENCED_CONSTRAINT_NAME REFERENCED_COLUMN_NAME CONSTRAINT_TYPE",
    "TABLE_CONSTRAINTS": "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA CONSTRAINT_NAME TABLE_CATALOG TABLE_SCHEMA TABLE_NAME"
    " CONSTRAINT_TYPE IS_DEFERRABLE INITIALLY_DEFERRED",
    "REFERENTIAL_CONSTRAINTS": "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA CONSTRAINT_NAME CONSTRAINT_TABLE_NAME"
    " UNIQUE_CONSTRAINT_CATALOG UNIQUE_CONSTRAINT_SCHEMA UNIQUE_CONSTRAINT_TABLE UNIQUE_CONSTRAINT_NAME MATCH_OPTION"
    " UPDATE_RULE DELETE_RULE",
    "INDEXES": "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME NON_UNIQUE:i INDEX_CATALOG INDEX_SCHEMA INDEX_NAME"
    " ORDINAL_POSITION:i COLUMN_NAME ASC_OR_DESC PRIMARY_KEY:i MAP_STATUS DATA_FIELDS",
    "VIEWS": "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME VIEW_DEFINITION:x CHECK_OPTION IS_UPDATABLE CLASSNAME OWNER",
    "VIEW_TABLE_USAGE": "VIEW_CATALOG VIEW_SCHEMA VIEW_NAME TABLE_CATALOG TABLE_SCHEMA TABLE_NAME",
    "TRIGGERS": "TRIGGER_CATALOG TRIGGER_SCHEMA TRIGGER_NAME EVENT_MANIPULATION EVENT_OBJECT_SCHEMA EVENT_OBJECT_TABLE"
    " ACTION_ORDER:i ACTION_STATEMENT:x ACTION_ORIENTATION ACTION_TIMING",
    "COLUMN_HISTOGRAMS": "TABLE_SCHEMA TABLE_NAME COLUMN_NAME BUCKET_POSITION:i PERCENTILE:i VALUE:x NULL_BUCKETS:i",
    "STATEMENTS": "Hash:x Statement:x StatCount:i StatAverage:i StatRowCount:i",
    "ROUTINES": "SPECIFIC_CATALOG SPECIFIC_SCHEMA SPECIFIC_NAME ROUTINE_CATALOG ROUTINE_SCHEMA ROUTINE_NAME"
    " ROUTINE_TYPE DATA_TYPE DESCRIPTION CLASSNAME METHOD_OR_QUERY_NAME",
}


def system_tables() -> Iterator[Table]:
    """Yield the tables of INFORMATION_SCHEMA and %Dictionary."""
    for name, words in _COLUMNS.items():
        yield _system_table(SCHEMA, name, words)
    for name, words in dictionary.COLUMNS.items():
        yield _system_table(dictionary.SCHEMA, name, words)


def _system_table(schema: str, name: str, words: str) -> Table:
    columns: dict[str, Column] = {}
    for word in words.split():
        column, _, flag = word.partition(":")
        is_number = flag == "i"
        columns[fold(column)] = Column(
            column,
            types.ANY_INTEGER if is_number else types.VARCHAR,
            types.EXACT if is_number or flag == "x" else types.UPPER,
            hidden=flag == "h",
            read_only=True,
            storage=column,
        )
    row_id = Column(
        "ID", types.BIGINT, not_null=True, hidden=True, read_only=True, row_id=True, storage=ROW_ID
    )
    columns[fold("ID")] = row_id
    return Table(schema, name, columns, row_id, read_only=True, system=True)


def system_table_sql(table: Table) -> str:
    """Return the SQLite statement that creates a table of INFORMATION_SCHEMA."""
    parts = [f"{quoted(ROW_ID)} INTEGER PRIMARY KEY"]
    for column in table.stored():
        collate = f" COLLATE {column.collation}" if column.collation != types.EXACT else ""
        parts.append(f"{quoted(column.storage or '')}{collate}")
    return f"CREATE TABLE IF NOT EXISTS {quoted(table.full_name)} ({', '.join(parts)})"


Row = dict[str, str | int | None]


def system_rows(catalog: Catalog) -> Iterator[tuple[str, Row]]:
    """Yield the rows of the system tables: the full name of the table and the values of its columns."""
    for name, row in _schema_rows(catalog):
        yield f"{SCHEMA}.{name}", row
    for table in catalog.tables.values():
        if not table.system:
            for name, row in dictionary.rows(table):
                yield f"{dictionary.SCHEMA}.{name}", row


def _schema_rows(catalog: Catalog) -> Iterator[tuple[str, Row]]:
    """Yield the rows of INFORMATION_SCHEMA, which does not list %Dictionary here."""
    tables = sorted(
        (table for table in catalog.tables.values() if table.schema != dictionary.SCHEMA),
        key=lambda table: (fold(table.schema), fold(table.name)),
    )
    for schema in sorted({table.schema for table in tables} | {DEFAULT_SCHEMA}):
        yield "SCHEMATA", {"SCHEMA_NAME": schema, "SCHEMA_OWNER": "_SYSTEM"}
    for procedure in PROCEDURES.values():
        if not procedure.is_table and all(map(catalog.by_full_name, procedure.reads)):
            yield "ROUTINES", _routine(procedure)
    for table in tables:
        where: Row = {"TABLE_SCHEMA": table.schema, "TABLE_NAME": table.name}
        yield "TABLES", {**where, **_table(table)}
        shown = [column for column in table.columns.values() if not column.hidden]
        for number, column in enumerate(shown, 1):
            yield "COLUMNS", {**where, "ORDINAL_POSITION": number, **_column(table, column)}
        if table.is_view:
            yield "VIEWS", {**where, **_view(table)}
            for base in _base_tables(table.query):
                usage: Row = {"VIEW_SCHEMA": table.schema, "VIEW_NAME": table.name}
                found = catalog.find(base.schema, base.name)
                if found is not None:
                    yield (
                        "VIEW_TABLE_USAGE",
                        {**usage, "TABLE_SCHEMA": found.schema, "TABLE_NAME": found.name},
                    )
        for key in _keys(table):
            yield from _key(table, key, where)
        for foreign_key in table.foreign_keys:
            yield from _foreign_key(table, foreign_key, catalog, where)
        yield from _indexes(table, where)
        for number, trigger in enumerate(table.statement.triggers if table.statement is not None else (), 1):
            yield "TRIGGERS", _trigger(table, trigger, number)


def _base_tables(node: object) -> Iterator[nodes.TableName]:
    """Yield the tables that a query names, wherever they stand in it."""
    if isinstance(node, nodes.TableName):
        yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from _base_tables(item)
    elif is_dataclass(node):
        for entry in fields(node):
            yield from _base_tables(getattr(node, entry.name))


def _routine(procedure: Procedure) -> Row:
    return {
        "SPECIFIC_SCHEMA": procedure.schema,
        "SPECIFIC_NAME": procedure.name,
        "ROUTINE_SCHEMA": procedure.schema,
        "ROUTINE_NAME": procedure.name,
        "ROUTINE_TYPE": "PROCEDURE",
        "DESCRIPTION": procedure.description,
    }


def _trigger(table: Table, trigger: nodes.TriggerDefinition, number: int) -> Row:
    return {
        "TRIGGER_SCHEMA": table.schema,
        "TRIGGER_NAME": trigger.name,
        "EVENT_MANIPULATION": "UPDATE",
        "EVENT_OBJECT_SCHEMA": table.schema,
        "EVENT_OBJECT_TABLE": table.name,
        "ACTION_ORDER": number,
        "ACTION_STATEMENT": f"SET {trigger.column} = {trigger.text}",
        "ACTION_ORIENTATION": "ROW",
        "ACTION_TIMING": "BEFORE",
    }


def _yes(truth: bool) -> str:
    return "YES" if truth else "NO"


def _table(table: Table) -> Row:
    kind = "VIEW" if table.is_view else "SYSTEM TABLE" if table.system else "BASE TABLE"
    return {
        "TABLE_TYPE": kind,
        "IS_INSERTABLE_INTO": _yes(not (table.read_only or table.check_option == "READ ONLY")),
        "IS_TYPED": "NO",
        "CLASSNAME": f"INFORMATION.SCHEMA.{table.name.replace('_', '').title()}"
        if table.system
        else table.class_name,
        "DESCRIPTION": table.description,
        "OWNER": "_SYSTEM",
        "IS_SHARDED": "NO",
    }


def _column(table: Table, column: Column) -> Row:
    kind = column.type.kind
    has_length = kind in (types.TEXT, types.BINARY, types.LIST)
    is_number = column.type.is_number
    single = [columns for _, columns in table.unique_sets() if len(columns) == 1]
    primary = table.primary_key()
    counter = column.type.counter
    generated = column.computed is not None or counter == "rowversion"
    data_type = "timestamp" if kind == types.POSIXTIME else column.type.name
    return {
        "COLUMN_NAME": column.name,
        "COLUMN_DEFAULT": _default(column),
        "IS_NULLABLE": _yes(not column.not_null),
        "IS_SELF_REFERENCING": "NO",
        "IS_IDENTITY": _yes(column.row_id),
        "IS_GENERATED": _yes(generated),
        "GENERATION_EXPRESSION": column.computed_text,
        "IS_UPDATABLE": "YES",
        "DATA_TYPE": data_type,
        "CHARACTER_MAXIMUM_LENGTH": column.type.length if has_length else None,
        "CHARACTER_OCTET_LENGTH": column.type.length if has_length else None,
        "NUMERIC_PRECISION": column.type.precision if is_number else None,
        "NUMERIC_PRECISION_RADIX": 10 if is_number else None,
        "NUMERIC_SCALE": column.type.scale if is_number else None,
        "DESCRIPTION": column.description,
        "AUTO_INCREMENT": _yes(counter == "serial" or column.row_id),
        "UNIQUE_COLUMN": _yes(column.row_id or (column.name,) in single),
        "PRIMARY_KEY": _yes(column.name in primary.columns if primary else column.row_id),
        "PROPERTY_NAME": column.name.replace("_", ".", 1) if column.container else column.name,
        "COMPUTE_CODE": column.computed_text,
        "IS_PERSISTED": _yes(column.storage is not None),
    }


def _default(column: Column) -> str | None:
    """Return a default as ObjectScript, as reflection by a client in use expects it: text in double quotes."""
    if not isinstance(column.default, nodes.Literal):
        return column.default_text
    value = column.default.value
    if value is None:
        return None
    if not isinstance(value, str):
        return number_text(value)
    return '"' + value.replace('"', '""') + '"' if value else "$c(0)"


def _view(table: Table) -> Row:
    option = table.check_option if table.check_option in ("LOCAL", "CASCADE") else "NONE"
    return {
        "VIEW_DEFINITION": table.query_text,
        "CHECK_OPTION": "CASCADED" if option == "CASCADE" else option,
        "IS_UPDATABLE": _yes(not table.read_only and table.check_option != "READ ONLY"),
        "CLASSNAME": table.class_name,
        "OWNER": "_SYSTEM",
    }


def _keys(table: Table) -> Iterator[Key]:
    if (
        table.row_id is not None
        and not table.row_id.hidden
        and table.primary_key() is None
        and not table.is_view
    ):
        yield Key(ROW_ID_KEY, "PRIMARY KEY", (table.row_id.name,))
    yield from table.keys


def _constraint(table: Table, name: str, kind: str, where: Row) -> Row:
    return {**where, "CONSTRAINT_SCHEMA": table.schema, "CONSTRAINT_NAME": name, "CONSTRAINT_TYPE": kind}


def _key(table: Table, key: Key, where: Row) -> Iterator[tuple[str, Row]]:
    base = _constraint(table, key.name, key.kind, where)
    yield "TABLE_CONSTRAINTS", {**base, "IS_DEFERRABLE": "NO", "INITIALLY_DEFERRED": "NO"}
    for number, column in enumerate(key.columns, 1):
        yield "KEY_COLUMN_USAGE", {**base, "COLUMN_NAME": column, "ORDINAL_POSITION": number}


def _foreign_key(table: Table, key: ForeignKey, catalog: Catalog, where: Row) -> Iterator[tuple[str, Row]]:
    base = _constraint(table, key.name, "FOREIGN KEY", where)
    yield "TABLE_CONSTRAINTS", {**base, "IS_DEFERRABLE": "NO", "INITIALLY_DEFERRED": "NO"}
    target = catalog.by_full_name(key.table)
    if target is None or target.row_id is None:
        return
    columns = key.targets or (target.row_id.name,)
    unique = next((item for item in _keys(target) if set(item.columns) == set(columns)), None)
    name = unique.name if unique else ROW_ID_KEY
    yield (
        "REFERENTIAL_CONSTRAINTS",
        {
            "CONSTRAINT_SCHEMA": table.schema,
            "CONSTRAINT_NAME": key.name,
            "CONSTRAINT_TABLE_NAME": table.name,
            "UNIQUE_CONSTRAINT_SCHEMA": target.schema,
            "UNIQUE_CONSTRAINT_TABLE": target.name,
            "UNIQUE_CONSTRAINT_NAME": name,
            "MATCH_OPTION": "NONE",
            "UPDATE_RULE": key.on_update,
            "DELETE_RULE": key.on_delete,
        },
    )
    for number, (column, referenced) in enumerate(zip(key.columns, columns, strict=True), 1):
        yield (
            "KEY_COLUMN_USAGE",
            {
                **base,
                "COLUMN_NAME": column,
                "ORDINAL_POSITION": number,
                "POSITION_IN_UNIQUE_CONSTRAINT": number,
                "REFERENCED_TABLE_SCHEMA": target.schema,
                "REFERENCED_TABLE_NAME": target.name,
                "REFERENCED_CONSTRAINT_NAME": name,
                "REFERENCED_COLUMN_NAME": referenced,
            },
        )


def _indexes(table: Table, where: Row) -> Iterator[tuple[str, Row]]:
    if table.is_view or table.system or table.row_id is None:
        return
    found: list[tuple[str, tuple[tuple[str, bool], ...], bool, bool]] = [
        (
            "IDKEY",
            ((table.row_id.name, False),),
            True,
            not table.row_id.hidden and table.primary_key() is None,
        )
    ]
    found.extend(
        (key.name, tuple((name, False) for name in key.columns), True, key.kind == "PRIMARY KEY")
        for key in table.keys
    )
    found.extend((index.name, index.columns, index.unique, False) for index in table.indexes)
    for name, columns, unique, primary in found:
        for number, (column, descending) in enumerate(columns, 1):
            yield (
                "INDEXES",
                {
                    **where,
                    "NON_UNIQUE": int(not unique),
                    "INDEX_SCHEMA": table.schema,
                    "INDEX_NAME": name,
                    "ORDINAL_POSITION": number,
                    "COLUMN_NAME": column,
                    "ASC_OR_DESC": "D" if descending else "A",
                    "PRIMARY_KEY": int(primary),
                    "MAP_STATUS": "Selectable",
                },
            )


__all__ = ["ROW_ID_KEY", "SCHEMA", "Row", "system_rows", "system_table_sql", "system_tables"]
