"""%Dictionary: classes, properties, indexes and storage, out of the catalogue.

A table is one entry of COLUMNS and one function of ROWS. Column names follow the class reference 2024.1; only those
that clients in use read are here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from iris_quart.demo.core import types, values

from .tables import Column, Table

SCHEMA = "%Dictionary"
COLUMNS: Mapping[str, str] = {
    "CompiledClass": "Name:x SqlSchemaName SqlTableName ClassType Super:x Abstract:i Final:i Hidden:i System:i"
    " DdlAllowed:i Description:x Owner",
    "CompiledProperty": "parent:x Name:x SqlFieldName Type:x Required:i ReadOnly:i Calculated:i Transient:i"
    " SqlComputed:i SqlComputeCode:x Collection:x Relationship:i Cardinality:x Identity:i InitialExpression:x"
    " Description:x Parameters:x SequenceNumber:i",
    "CompiledIndex": "parent:x Name:x Properties:x _Unique:i PrimaryKey:i IdKey:i Type:x",
    "CompiledStorage": "parent:x Name:x Type:x DataLocation:x IdLocation:x IndexLocation:x StreamLocation:x"
    " ExtentSize:x",
}
"""The columns of each table, with `i` for a number and `x` for exact text."""

Row = dict[str, str | int | None]
CLASSES = {
    types.TEXT: "%Library.String",
    types.INTEGER: "%Library.Integer",
    types.DECIMAL: "%Library.Numeric",
    types.DOUBLE: "%Library.Double",
    types.DATE: "%Library.Date",
    types.TIME: "%Library.Time",
    types.TIMESTAMP: "%Library.TimeStamp",
    types.POSIXTIME: "%Library.PosixTime",
    types.BINARY: "%Library.Binary",
    types.TEXT_STREAM: "%Stream.GlobalCharacter",
    types.BINARY_STREAM: "%Stream.GlobalBinary",
    types.LIST: "%Library.String",
}
NAMES = {"bit": "%Library.Boolean", "bigint": "%Library.BigInt", "tinyint": "%Library.TinyInt",
         "smallint": "%Library.SmallInt", "guid": "%Library.UniqueIdentifier"}  # fmt: skip


def rows(table: Table) -> Iterator[tuple[str, Row]]:
    """Yield the rows that describe the class of a table: the table of %Dictionary and its values."""
    for name, describe in ROWS.items():
        for row in describe(table):
            yield name, row


def _classes(table: Table) -> Iterator[Row]:
    yield {
        "Name": table.class_name,
        "SqlSchemaName": table.schema,
        "SqlTableName": table.name,
        "ClassType": "view" if table.is_view else "persistent",
        "Super": "%Library.View" if table.is_view else "%Library.Persistent",
        "Abstract": 0,
        "Final": int(not table.class_like),
        "Hidden": 0,
        "System": 0,
        "DdlAllowed": int(not table.class_like),
        "Description": table.description,
        "Owner": "_SYSTEM",
    }


def _properties(table: Table) -> Iterator[Row]:
    number = 0
    for column in table.columns.values():
        if column.row_id and column.hidden:
            continue
        number += 1
        yield {
            "parent": table.class_name,
            "Name": column.name.replace("_", ".", 1) if column.container else column.name.replace("_", ""),
            "SqlFieldName": column.name,
            "Type": _class_of(table, column),
            "Required": int(column.not_null),
            "ReadOnly": int(column.read_only),
            "Calculated": int(column.computed is not None),
            "Transient": 0,
            "SqlComputed": int(column.computed is not None),
            "SqlComputeCode": column.computed_text,
            "Collection": "list" if column.type.kind == types.LIST and not column.hidden else None,
            "Relationship": int(column.name == table.parent_column),
            "Cardinality": "parent" if column.name == table.parent_column else None,
            "Identity": int(column.row_id),
            "InitialExpression": column.default_text,
            "Description": column.description,
            "Parameters": _parameters(column),
            "SequenceNumber": number,
        }


def _class_of(table: Table, column: Column) -> str:
    if column.reference is not None:
        schema, _, name = column.reference.partition(".")
        return Table(schema, name, {}, None).class_name
    return NAMES.get(column.type.name) or CLASSES[column.type.kind]


def _parameters(column: Column) -> str:
    """Return the parameters of a property as a list of lists: name, value."""
    found = list(column.parameters)
    if column.type.kind == types.TEXT and column.type.length is not None:
        found.append(("MAXLEN", str(column.type.length)))
    if column.type.kind == types.DECIMAL and column.type.scale is not None:
        found.append(("SCALE", str(column.type.scale)))
    return values.list_build(values.list_build(pair) for pair in found)


def _indexes(table: Table) -> Iterator[Row]:
    if table.is_view or table.row_id is None:
        return
    found = [(key.name, key.columns, True, key.kind == "PRIMARY KEY", "key") for key in table.keys]
    found += [
        (index.name, tuple(name for name, _ in index.columns), index.unique, False, "index")
        for index in table.indexes
    ]
    for name, columns, unique, primary, kind in found:
        yield {
            "parent": table.class_name,
            "Name": name,
            "Properties": ",".join(f"{column}:{_collation(table, column)}" for column in columns),
            "_Unique": int(unique),
            "PrimaryKey": int(primary),
            "IdKey": 0,
            "Type": kind,
        }


def _collation(table: Table, name: str) -> str:
    column = table.column(name)
    collation = column.collation if column is not None else types.EXACT
    return "Exact" if collation == types.EXACT else collation.capitalize()


def _storage(table: Table) -> Iterator[Row]:
    if table.is_view:
        return
    location = f"^{table.class_name}"
    yield {
        "parent": table.class_name,
        "Name": "Default",
        "Type": "%Storage.Persistent",
        "DataLocation": f"{location}D",
        "IdLocation": f"{location}D",
        "IndexLocation": f"{location}I",
        "StreamLocation": f"{location}S",
        "ExtentSize": "100000",
    }


ROWS: Mapping[str, Callable[[Table], Iterator[Row]]] = {
    "CompiledClass": _classes,
    "CompiledProperty": _properties,
    "CompiledIndex": _indexes,
    "CompiledStorage": _storage,
}
"""What describes a class in each table."""

__all__ = ["COLUMNS", "SCHEMA", "rows"]
