"""What ALTER TABLE means: the statement that declares the table, changed."""

from __future__ import annotations

from dataclasses import replace

from iris_quart.demo.core.errors import SqlError, name_conflict
from iris_quart.demo.parse import nodes

from .definitions import define_table
from .tables import Catalog, Table, fold


def define_altered(body: nodes.AlterTable, table: Table, catalog: Catalog) -> Table:
    """Return a table as an ALTER TABLE leaves it; raise SqlError for what cannot be."""
    statement = table.statement
    assert statement is not None
    if body.renamed is not None:
        return _renamed(body.renamed, table, statement, catalog)
    if body.renamed_column is not None:
        return _with_renamed_column(body.renamed_column, table, statement, catalog)
    names = {fold(column.name) for column in statement.columns}
    for column in body.added:
        if table.column(column.name) is not None:
            raise SqlError(-306, f"Column with this name already exists: '{column.name}'")
        if column.identity or column.parts:
            raise SqlError(-1, "Invalid SQL statement: ALTER TABLE cannot add an identity or an object here")
    for name in (*body.dropped, *([body.changed.name] if body.changed else [])):
        if fold(name) not in names:
            raise SqlError(-29, f"Field '{name.upper()}' not found in the applicable tables")
    columns = [*statement.columns, *body.added]
    keys, foreign_keys = list(statement.keys), list(statement.foreign_keys)
    if body.dropped:
        gone = {fold(name) for name in body.dropped}
        _check_unused(table, gone)
        columns = [column for column in columns if fold(column.name) not in gone]
    if body.changed is not None:
        columns = [
            _changed(column, body.changed) if fold(column.name) == fold(body.changed.name) else column
            for column in columns
        ]
    if body.key is not None:
        for index in table.indexes:
            if fold(index.name) == fold(body.key.name or ""):
                raise name_conflict(index.name, table.full_name)
        keys.append(body.key)
    if body.foreign_key is not None:
        foreign_keys.append(body.foreign_key)
    altered = replace(statement, columns=tuple(columns), keys=tuple(keys), foreign_keys=tuple(foreign_keys))
    if body.dropped_constraint is not None:
        altered = _without_constraint(altered, table, body.dropped_constraint)
    found = define_table(altered, catalog.without_table(table).with_table(table))
    return replace(found, indexes=table.indexes)


def _renamed(name: str, table: Table, statement: nodes.CreateTable, catalog: Catalog) -> Table:
    if (other := catalog.find(table.schema, name)) is not None:
        raise SqlError(-201, f"Table '{other.full_name}' already exists")
    users = [other for other, _ in catalog.referencing(table)] + catalog.children(table)
    if users:
        raise SqlError(
            -320, f"Cannot rename '{table.full_name}': it is referenced by table '{users[0].full_name}'"
        )
    named = replace(statement, table=replace(statement.table, schema=table.schema, name=name))
    return replace(define_table(named, catalog.without_table(table)), indexes=table.indexes)


def _with_renamed_column(
    names: tuple[str, str], table: Table, statement: nodes.CreateTable, catalog: Catalog
) -> Table:
    old, new = names
    column = table.column(old)
    if column is None or all(fold(item.name) != fold(old) for item in statement.columns):
        raise SqlError(-29, f"Field '{old.upper()}' not found in the applicable tables")
    taken = table.column(new)
    if taken is not None and taken is not column and not (taken.row_id and taken.hidden):
        raise SqlError(-306, f"Column with this name already exists: '{new}'")
    for other, key in catalog.referencing(table):
        if fold(old) in map(fold, key.targets):
            raise SqlError(-317, f"Foreign key '{key.name}' of table '{other.full_name}' points to '{old}'")

    def renamed(columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if fold(name) == fold(old) else name for name in columns)

    altered = replace(
        statement,
        columns=tuple(
            replace(item, name=new) if fold(item.name) == fold(old) else item for item in statement.columns
        ),
        keys=tuple(replace(key, columns=renamed(key.columns)) for key in statement.keys),
        foreign_keys=tuple(replace(key, columns=renamed(key.columns)) for key in statement.foreign_keys),
    )
    indexes = tuple(
        replace(index, columns=tuple((renamed((name,))[0], descending) for name, descending in index.columns))
        for index in table.indexes
    )
    found = define_table(altered, catalog.without_table(table).with_table(table))
    return replace(found, indexes=indexes)


def _check_unused(table: Table, gone: set[str]) -> None:
    """Raise -322 for a column that a constraint or an index uses."""
    used = [
        *((key.name, key.columns) for key in table.keys),
        *((key.name, key.columns) for key in table.foreign_keys),
        *((index.name, tuple(name for name, _ in index.columns)) for index in table.indexes),
    ]
    for name, columns in used:
        if gone & {fold(column) for column in columns}:
            raise SqlError(-322, f"Cannot drop a column of '{table.full_name}': '{name}' uses it")


def _changed(column: nodes.ColumnDefinition, change: nodes.ColumnChange) -> nodes.ColumnDefinition:
    if column.identity or column.parts or column.computed is not None:
        raise SqlError(-1, f"Invalid SQL statement: the column '{column.name}' cannot be changed here")
    if change.type is not None:
        column = replace(column, type=change.type)
    if change.not_null is not None:
        column = replace(column, not_null=change.not_null)
    if change.default is not None or change.drops_default:
        column = replace(column, default=change.default, default_text=change.default_text)
    return column


def _without_key(column: nodes.ColumnDefinition, kind: str) -> nodes.ColumnDefinition:
    return replace(column, primary_key=None) if kind == "PRIMARY KEY" else replace(column, unique=None)


def _without_constraint(statement: nodes.CreateTable, table: Table, name: str) -> nodes.CreateTable:
    key = next(
        (key for key in table.keys if name in (key.kind, key.name) or fold(key.name) == fold(name)), None
    )
    other = next((item for item in table.foreign_keys if fold(item.name) == fold(name)), None)
    if key is None and other is None:
        raise SqlError(-317, f"Constraint '{name}' does not exist in the table '{table.full_name}'")
    fields = {fold(column) for column in (key or other or table.keys[0]).columns}
    if key is not None:
        kept = tuple(
            item
            for item in statement.keys
            if item.kind != key.kind or {fold(column) for column in item.columns} != fields
        )
        columns = tuple(
            _without_key(item, key.kind) if {fold(item.name)} == fields else item
            for item in statement.columns
        )
        return replace(statement, keys=kept, columns=columns)
    rest = tuple(
        item for item in statement.foreign_keys if {fold(column) for column in item.columns} != fields
    )
    columns = tuple(
        replace(item, references=None) if {fold(item.name)} == fields else item for item in statement.columns
    )
    return replace(statement, foreign_keys=rest, columns=columns)


__all__ = ["define_altered"]
