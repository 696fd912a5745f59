"""What CREATE TABLE means: the catalogue's table and the SQLite statements that hold it."""

from __future__ import annotations

from dataclasses import replace

from iris_quart.demo.core.errors import SqlError, name_conflict, not_found
from iris_quart.demo.core.types import (
    ANY_INTEGER,
    BIGINT,
    EXACT,
    GUID,
    LIST_TYPE,
    SQLUPPER,
    TEXT,
    VARCHAR,
    SqlType,
    declared,
)
from iris_quart.demo.parse import nodes

from .tables import DEFAULT_SCHEMA, ROW_ID, Catalog, Column, ForeignKey, Index, Key, Table, fold

CHILD_NUMBER = "childsub"
SQLITE_COLLATIONS = {"SQLUPPER": "SQLUPPER", "UPPER": "UPPER", "SQLSTRING": "SQLSTRING", "STRING": "SQLUPPER"}


def define_table(statement: nodes.CreateTable, catalog: Catalog) -> Table:
    """Return the table that a CREATE TABLE declares; raise SqlError for what cannot be."""
    schema, name = statement.table.schema or DEFAULT_SCHEMA, statement.table.name
    builder = _Builder(statement, catalog, schema, name)
    return builder.build()


class _Builder:
    def __init__(self, statement: nodes.CreateTable, catalog: Catalog, schema: str, name: str) -> None:
        self.statement = statement
        self.catalog = catalog
        self.schema = schema
        self.name = name
        self.columns: dict[str, Column] = {}
        self.keys: list[Key] = []
        self.foreign_keys: list[ForeignKey] = []
        self.row_id: Column | None = None

    def build(self) -> Table:
        parent = self._parent()
        identity = next((item for item in self.statement.columns if item.identity), None)
        shown = self.statement.class_like or self.statement.public_row_id
        row_id_type = VARCHAR if parent else BIGINT
        if identity is None:
            self.row_id = Column(
                self._free_row_id(),
                row_id_type,
                not_null=True,
                hidden=not shown,
                read_only=True,
                row_id=True,
                storage=ROW_ID,
            )
            self._add(self.row_id)
        parent_column: str | None = None
        if parent is not None:
            parent_column = self.statement.child_column or parent.name
            self._add_child_columns(parent, parent_column)
        for item in self.statement.columns:
            self._column(item, None)
        for key in self.statement.keys:
            self._key(key.kind, key.name, key.columns)
        for reference in self.statement.foreign_keys:
            self._foreign_key(reference.name, reference.columns, reference.references)
        for trigger in self.statement.triggers:
            self._stored_column(trigger.column)
        if self.row_id is None:
            raise SqlError(-1, f"Invalid SQL statement: table '{self.schema}.{self.name}' has no row ID")
        return Table(
            self.schema,
            self.name,
            _by_property(self.columns, parent_column) if self.statement.class_like else self.columns,
            self.row_id,
            tuple(self.keys),
            tuple(self.foreign_keys),
            (),
            self.statement.description,
            self.statement.read_only,
            class_like=self.statement.class_like,
            parent=parent.full_name if parent else None,
            parent_column=parent_column,
            statement=self.statement,
        )

    def _parent(self) -> Table | None:
        target = self.statement.child_of
        if target is None:
            return None
        parent = self.catalog.find(target.schema, target.name)
        if parent is None or parent.is_view or parent.parent is not None:
            raise not_found(target.shown())
        return parent

    def _free_row_id(self) -> str:
        taken = {fold(item.name) for item in self.statement.columns}
        number = 0
        while (name := "ID" if number == 0 else f"ID{number}") and fold(name) in taken:
            number += 1
        return name

    def _add_child_columns(self, parent: Table, column: str) -> None:
        assert parent.row_id is not None
        self._add(
            Column(column, parent.row_id.type, not_null=True, reference=parent.full_name, storage=column)
        )
        self._add(Column(CHILD_NUMBER, ANY_INTEGER, storage=CHILD_NUMBER))

    def _add(self, column: Column) -> None:
        if fold(column.name) in self.columns or column.name.upper() in (ROW_ID, "%VID"):
            raise SqlError(-306, f"Column with this name already exists: '{column.name}'")
        self.columns[fold(column.name)] = column

    def _column(self, item: nodes.ColumnDefinition, container: str | None) -> None:
        name = f"{container}_{item.name}" if container else item.name
        if item.parts:
            self._serial(item, name)
            return
        reference: str | None = None
        if item.class_reference is not None:
            data_type, reference = self._reference_type(item.class_reference)
        else:
            data_type = declared(item.type.name, item.type.arguments)
        if item.auto_increment and data_type.counter is None:
            data_type = replace(data_type, counter="serial")
        if item.identity:
            self.row_id = Column(name, BIGINT, not_null=True, read_only=True, row_id=True, storage=ROW_ID,
                                 description=item.description)  # fmt: skip
            self._add(self.row_id)
            self._column_keys(item, name)
            return
        is_text = data_type.kind == TEXT
        collation = (
            (item.collation or (EXACT if data_type.name == GUID.name else SQLUPPER)) if is_text else EXACT
        )
        if item.references is not None and not item.references.columns:
            reference = self._target_name(item.references.table)
        self._add(
            Column(
                name,
                data_type,
                SQLITE_COLLATIONS.get(collation, EXACT),
                not_null=item.not_null or item.primary_key is not None,
                default=item.default,
                default_text=item.default_text,
                computed=item.computed,
                computed_text=item.computed_text,
                read_only=item.read_only or item.computed is not None or data_type.counter == "rowversion",
                description=item.description,
                reference=reference,
                container=container,
                parameters=item.parameters,
                storage=None if item.computed is not None else name,
            )
        )
        self._column_keys(item, name)

    def _column_keys(self, item: nodes.ColumnDefinition, name: str) -> None:
        if item.primary_key is not None:
            self._key("PRIMARY KEY", item.primary_key or None, (name,))
        if item.unique is not None:
            self._key("UNIQUE", item.unique or None, (name,))
        if item.references is not None:
            self._foreign_key(item.reference_name, (name,), item.references)

    def _serial(self, item: nodes.ColumnDefinition, name: str) -> None:
        parts: list[nodes.Expression] = [
            nodes.Name(f"{name}_{part.name}", (), delimited=True, position=0) for part in item.parts
        ]
        self._add(
            Column(
                name,
                LIST_TYPE,
                hidden=True,
                read_only=True,
                computed=nodes.Call("$LISTBUILD", tuple(parts), 0),
            )
        )
        for part in item.parts:
            self._column(part, name)

    def _reference_type(self, target: nodes.TableName) -> tuple[SqlType, str]:
        name = self._target_name(target)
        if fold(name) == fold(f"{self.schema}.{self.name}"):
            return BIGINT, name
        table = self.catalog.by_full_name(name)
        if table is None or table.row_id is None:
            raise not_found(target.shown())
        return table.row_id.type, name

    def _target_name(self, target: nodes.TableName) -> str:
        return f"{target.schema or self.schema}.{target.name}"

    def _key(self, kind: str, name: str | None, columns: tuple[str, ...]) -> None:
        found = tuple(self._stored_column(column).name for column in columns)
        if kind == "PRIMARY KEY":
            if any(key.kind == kind for key in self.keys):
                raise SqlError(-311, "A table can have only one primary key")
            for column in found:
                self._require(column)
        if name is not None and fold(name) in {fold(key.name) for key in self.keys}:
            raise name_conflict(name, f"{self.schema}.{self.name}")
        self.keys.append(
            Key(name or self._free_name("PKEY" if kind == "PRIMARY KEY" else "UNIQUE"), kind, found)
        )

    def _require(self, name: str) -> None:
        column = self.columns[fold(name)]
        self.columns[fold(name)] = replace(column, not_null=True)

    def _free_name(self, word: str) -> str:
        """Return a constraint name such as `MYTESTPKEY1` (the shape seen on live servers)."""
        base = "".join(character for character in self.name.upper() if character.isalnum())
        taken = {fold(key.name) for key in self.keys} | {fold(key.name) for key in self.foreign_keys}
        number = 1
        while fold(f"{base}{word}{number}") in taken:
            number += 1
        return f"{base}{word}{number}"

    def _stored_column(self, name: str) -> Column:
        column = self.columns.get(fold(name))
        if column is None or column.storage is None:
            raise SqlError(
                -31, f"Field '{name}' in a constraint was not found in the table '{self.schema}.{self.name}'"
            )
        if column.type.is_stream:
            raise SqlError(-313, f"Stream field '{column.name}' cannot be part of a constraint or index")
        return column

    def _foreign_key(self, name: str | None, columns: tuple[str, ...], references: nodes.References) -> None:
        found = tuple(self._stored_column(column).name for column in columns)
        target_name = self._target_name(references.table)
        itself = fold(target_name) == fold(f"{self.schema}.{self.name}")
        target = None if itself else self.catalog.by_full_name(target_name)
        if not itself and (target is None or target.is_view or target.system):
            raise SqlError(-310, f"Foreign key references a table that does not exist: '{target_name}'")
        targets = references.columns
        known = self.columns if target is None else target.columns
        resolved: list[str] = []
        for column in targets:
            item = known.get(fold(column))
            if item is None:
                raise SqlError(-316, f"Foreign key references a field that does not exist: '{column}'")
            resolved.append(item.name)
        row_id = self.row_id if target is None else target.row_id
        if row_id is not None and [fold(column) for column in resolved] == [fold(row_id.name)]:
            resolved = []
        if len(found) != (len(resolved) or 1):
            raise SqlError(-316, "Foreign key references a key with another number of fields")
        if resolved and not self._is_key(target, resolved):
            raise SqlError(
                -314, f"Foreign key references fields that are no unique key: '{','.join(resolved)}'"
            )
        self.foreign_keys.append(
            ForeignKey(
                name or self._free_name("FKEY"),
                found,
                target_name if target is None else target.full_name,
                tuple(resolved),
                references.on_delete,
                references.on_update,
            )
        )

    def _is_key(self, target: Table | None, columns: list[str]) -> bool:
        unique = (
            {frozenset(map(fold, key.columns)) for key in self.keys}
            if target is None
            else {frozenset(map(fold, names)) for _, names in target.unique_sets()}
        )
        return frozenset(map(fold, columns)) in unique


def _by_property(columns: dict[str, Column], parent_column: str | None) -> dict[str, Column]:
    """Return the columns of a class in their order in SQL.

    The row ID, then what makes the row ID of a child, the properties by name, and the parts of embedded objects.
    """

    def place(item: tuple[str, Column]) -> tuple[int, str]:
        column = item[1]
        if column.row_id:
            return 0, ""
        if parent_column is not None and column.name in (parent_column, CHILD_NUMBER):
            return 1, "" if column.name == parent_column else column.name
        return 3 if column.container is not None else 2, column.name

    return dict(sorted(columns.items(), key=place))


def define_index(statement: nodes.CreateIndex, table: Table) -> Index:
    """Return the index that a CREATE INDEX declares on a table."""
    taken = {fold(index.name) for index in table.indexes} | {fold(key.name) for key in table.keys}
    if fold(statement.name) in taken:
        raise SqlError(-324, f"Index '{statement.name}' already exists for table '{table.full_name}'")
    columns: list[tuple[str, bool]] = []
    for name, descending in statement.columns:
        column = table.column(name)
        if column is None or column.storage is None:
            raise SqlError(-31, f"Field '{name}' in an index was not found in the table '{table.full_name}'")
        if column.type.is_stream:
            raise SqlError(-313, f"Stream field '{column.name}' cannot be part of a constraint or index")
        columns.append((column.name, descending))
    return Index(statement.name, tuple(columns), statement.unique)


__all__ = ["CHILD_NUMBER", "SQLITE_COLLATIONS", "define_index", "define_table"]
