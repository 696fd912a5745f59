"""Changing the catalogue: CREATE and DROP, kept as text in the file and read again when it is opened."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from iris_quart.demo.catalog.alterations import define_altered
from iris_quart.demo.catalog.definitions import define_index, define_table
from iris_quart.demo.catalog.layout import index_name, sqlite_index, sqlite_table, table_indexes
from iris_quart.demo.catalog.schema import system_rows, system_table_sql, system_tables
from iris_quart.demo.catalog.tables import DEFAULT_SCHEMA, Catalog, Column, Index, Table, fold, quoted
from iris_quart.demo.core.errors import SqlError, not_done, not_found
from iris_quart.demo.core.types import LONGVARCHAR, declaration
from iris_quart.demo.parse import nodes
from iris_quart.demo.parse.dialect import parse
from iris_quart.demo.translate.scope import Names
from iris_quart.demo.translate.translation import Translation

from .alterations import DefaultOf, rebuild, rename, rename_column

META = """
CREATE TABLE IF NOT EXISTS "%catalog" (
    position INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, ddl TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS "%counters" (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "%format" (version INTEGER NOT NULL);
"""
FORMAT = 2
"""Raised when INFORMATION_SCHEMA changes, so that an older file is filled again."""


def open_catalog(connection: sqlite3.Connection) -> Catalog:
    """Read the catalogue of a file, making what a new file needs."""
    connection.executescript(META)
    catalog = Catalog()
    current = connection.execute('SELECT version FROM "%format"').fetchone() == (FORMAT,)
    for table in system_tables():
        if not current:
            connection.execute(f"DROP TABLE IF EXISTS {quoted(table.full_name)}")
            connection.execute(system_table_sql(table))
        catalog = catalog.with_table(table)
    for (ddl,) in connection.execute('SELECT ddl FROM "%catalog" ORDER BY position').fetchall():
        body = parse(ddl).body
        assert isinstance(body, nodes.Definition)
        catalog = _declared(body, catalog)
    if not current:
        connection.execute('DELETE FROM "%format"')
        connection.execute('INSERT INTO "%format" VALUES (?)', (FORMAT,))
        refresh(connection, catalog)
    return catalog


def refresh(connection: sqlite3.Connection, catalog: Catalog) -> None:
    """Fill INFORMATION_SCHEMA."""
    for table in system_tables():
        connection.execute(f"DELETE FROM {quoted(table.full_name)}")
    for name, row in system_rows(catalog):
        columns = ", ".join(map(quoted, row))
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO {quoted(name)} ({columns}) VALUES ({marks})", tuple(row.values()))


def _declared(body: nodes.Definition, catalog: Catalog) -> Catalog:
    if isinstance(body, nodes.CreateTable):
        return catalog.with_table(define_table(body, catalog))
    if isinstance(body, nodes.CreateView):
        return catalog.with_table(define_view(body, catalog))
    if isinstance(body, nodes.AlterTable):
        table = _table(body.table, catalog)
        return catalog.without_table(table).with_table(define_altered(body, table, catalog))
    assert isinstance(body, nodes.CreateIndex)
    table = _table(body.table, catalog)
    index = define_index(body, table)
    return catalog.with_table(replace(table, indexes=(*table.indexes, index)))


def define_view(body: nodes.CreateView, catalog: Catalog) -> Table:
    """Return the view that a CREATE VIEW declares; its query must translate."""
    translation = Translation(catalog, Names(()), odbc=False)
    outputs, _ = translation.queries.query(body.query, None)
    labels = body.columns or tuple(item.label or "" for item in outputs)
    if len(labels) != len(outputs):
        raise SqlError(-62, f"The view names {len(labels)} columns; its query has {len(outputs)}")
    columns: dict[str, Column] = {}
    for label, item in zip(labels, outputs, strict=True):
        if fold(label) in columns:
            raise SqlError(-97, f"Duplicate column name '{label}' in the view")
        column = item.column
        columns[fold(label)] = Column(
            label,
            item.type if not item.type.is_stream else LONGVARCHAR if item.type == LONGVARCHAR else item.type,
            item.collation,
            not_null=column.not_null if column is not None else False,
            read_only=column.read_only if column is not None else True,
            description=column.description if column is not None else None,
            reference=column.reference if column is not None else None,
            storage=label,
        )
    view = Table(
        body.table.schema or DEFAULT_SCHEMA,
        body.table.name,
        columns,
        None,
        query=body.query,
        query_text=body.text,
        check_option=body.check_option,
    )
    return replace(view, read_only=not _updatable(view, catalog))


def _updatable(view: Table, catalog: Catalog) -> bool:
    name = nodes.TableName(view.schema, view.name, None, 0)
    translation = Translation(catalog.with_table(view), Names(()), odbc=False)
    try:
        translation.writes.delete(nodes.Delete(name, None), 0)
    except SqlError:
        return False
    return True


def _reads(query: nodes.Query, table: Table, catalog: Catalog) -> bool:
    translation = Translation(catalog, Names(()), odbc=False)
    translation.queries.query(query, None)
    return table.full_name in translation.reads


def _shown(body: nodes.Drop) -> str:
    return body.table.shown() if body.table is not None else "?"


def _table(name: nodes.TableName, catalog: Catalog) -> Table:
    table = catalog.find(name.schema, name.name)
    if table is None or table.is_view:
        raise not_found(name.shown())
    if table.system:
        raise SqlError(-115, f"Table '{table.full_name}' belongs to the system and cannot be changed")
    return table


@dataclass(slots=True)
class Definer:
    """Run one CREATE or DROP inside a transaction that its caller opened."""

    connection: sqlite3.Connection
    catalog: Catalog
    default: DefaultOf
    building: bool = False
    """Whether a script declares classes, so that DDL may change the tables they project."""

    def run(self, body: nodes.Definition, text: str) -> Catalog:
        """Run a definition and return the catalogue after it."""
        if isinstance(body, nodes.Drop):
            catalog = self._drop_index(body) if body.kind == "INDEX" else self._drop(body)
        elif isinstance(body, nodes.CreateIndex):
            catalog = self._index(body, text)
        elif isinstance(body, nodes.AlterTable):
            catalog = self._alter(body, text)
        elif isinstance(body, nodes.CreateTable) and body.query is not None:
            catalog = self._create_as(body, body.query)
        else:
            catalog = self._create(body, text)
        if catalog is not self.catalog:
            refresh(self.connection, catalog)
        return catalog

    def _create(self, body: nodes.CreateTable | nodes.CreateView, text: str) -> Catalog:
        existing = self.catalog.find(body.table.schema, body.table.name)
        if existing is not None:
            if isinstance(body, nodes.CreateTable) and body.if_not_exists:
                return self.catalog
            if not (isinstance(body, nodes.CreateView) and body.replace and existing.is_view):
                kind = "View" if existing.is_view else "Table"
                raise SqlError(-201, f"{kind} '{existing.full_name}' already exists")
            self._forget(existing)
        if fold(body.table.schema or DEFAULT_SCHEMA) in ("information_schema", "%dictionary"):
            raise SqlError(-99, "User is not privileged for the operation")
        if isinstance(body, nodes.CreateView):
            table = define_view(body, self.catalog)
        else:
            table = define_table(body, self.catalog)
            self.connection.execute(sqlite_table(table))
            for _, statement in table_indexes(table):
                self.connection.execute(statement)
            self.connection.execute(
                'DELETE FROM "%counters" WHERE substr(name, 1, ?) = ?',
                (len(table.full_name) + 1, table.full_name + "."),
            )
        self._remember(table.full_name, "VIEW" if table.is_view else "TABLE", text)
        return self.catalog.with_table(table)

    def _create_as(self, body: nodes.CreateTable, query: nodes.Query) -> Catalog:
        """Create a table out of a query and fill it; the statement that declares it is written out."""
        translation = Translation(self.catalog, Names(()), odbc=False)
        outputs, sql = translation.queries.query(query, None)
        if translation.rendering.slots.listed():
            raise not_done("a parameter in CREATE TABLE AS")
        if any(item.type.is_stream for item in outputs):
            raise not_done("a stream in CREATE TABLE AS")
        labels = [quoted(item.label or "") for item in outputs]
        columns = ", ".join(
            f"{label} {declaration(item.type)}" for label, item in zip(labels, outputs, strict=True)
        )
        schema, name = quoted(body.table.schema or DEFAULT_SCHEMA), quoted(body.table.name)
        text = f"CREATE TABLE {schema}.{name} ({columns})"
        declared = parse(text).body
        assert isinstance(declared, nodes.CreateTable)
        catalog = self._create(replace(declared, if_not_exists=body.if_not_exists), text)
        table = catalog.find(body.table.schema, body.table.name)
        if catalog is not self.catalog and table is not None:
            names = ", ".join(quoted(column.storage or "") for column in table.stored())
            self.connection.execute(f"INSERT INTO {quoted(table.full_name)} ({names}) {sql}")
        return catalog

    def _alter(self, body: nodes.AlterTable, text: str) -> Catalog:
        table = _table(body.table, self.catalog)
        self._allow(table)
        altered = define_altered(body, table, self.catalog)
        if body.renamed is not None:
            rename(self.connection, table, altered)
        elif body.renamed_column is not None:
            old, new = (
                found.column(name) for found, name in zip((table, altered), body.renamed_column, strict=True)
            )
            assert old is not None
            assert new is not None
            rename_column(self.connection, table, old, new)
        else:
            self._check_references(table, altered)
            rebuild(self.connection, table, altered, self.default)
        catalog = self.catalog.without_table(table).with_table(altered)
        for view in catalog.tables.values():
            if view.query is not None:
                self._check_view(view, table, catalog)
        self._remember(altered.full_name, "ALTER", text)
        return catalog

    def _check_references(self, table: Table, altered: Table) -> None:
        """Raise -317 where a foreign key of another table points to a key that is going."""
        unique = {frozenset(map(fold, names)) for _, names in altered.unique_sets()}
        for other, key in self.catalog.referencing(table):
            if key.targets and frozenset(map(fold, key.targets)) not in unique:
                raise SqlError(
                    -317, f"Foreign key '{key.name}' of table '{other.full_name}' points to this key"
                )

    def _check_view(self, view: Table, table: Table, catalog: Catalog) -> None:
        assert view.query is not None
        translation = Translation(catalog, Names(()), odbc=False)
        try:
            outputs, _ = translation.queries.query(view.query, None)
        except SqlError:
            outputs = ()
        if len(outputs) != len(view.columns):
            raise SqlError(
                -321, f"Cannot alter '{table.full_name}' because the view '{view.full_name}' depends on it"
            )

    def _index(self, body: nodes.CreateIndex, text: str) -> Catalog:
        table = _table(body.table, self.catalog)
        self._allow(table)
        index = define_index(body, table)
        try:
            self.connection.execute(sqlite_index(table, index)[1])
        except sqlite3.IntegrityError:
            raise SqlError(
                -119,
                f"Table '{table.full_name}', Constraint '{index.name}' failed unique check while it was built",
            ) from None
        self._remember(table.full_name, f"INDEX {index.name}", text)
        return self.catalog.with_table(replace(table, indexes=(*table.indexes, index)))

    def _drop(self, body: nodes.Drop) -> Catalog:
        assert body.table is not None
        table = self.catalog.find(body.table.schema, body.table.name)
        if table is None or table.is_view != (body.kind == "VIEW"):
            if body.if_exists:
                return self.catalog
            raise not_found(body.table.shown())
        if table.system:
            raise SqlError(-115, f"Table '{table.full_name}' belongs to the system and cannot be changed")
        others = [other for other, _ in self.catalog.referencing(table) if other.full_name != table.full_name]
        others.extend(self.catalog.children(table))
        if others:
            raise SqlError(
                -320,
                f"Cannot DROP TABLE '{table.full_name}' - it is referenced by table '{others[0].full_name}'",
            )
        self._allow(table)
        catalog = self.without_views_of(table, cascade=body.cascade)
        if not table.is_view:
            self.connection.execute(f"DROP TABLE {quoted(table.full_name)}")
        self._forget(table)
        return catalog.without_table(table)

    def without_views_of(self, table: Table, *, cascade: bool) -> Catalog:
        """Return the catalogue without the views on a table; raise -321 when they must stay."""
        catalog = self.catalog
        for view in list(catalog.tables.values()):
            if view.query is None or not _reads(view.query, table, self.catalog):
                continue
            if not cascade:
                raise SqlError(
                    -321, f"Cannot DROP '{table.full_name}' because the view '{view.full_name}' depends on it"
                )
            if catalog.find(view.schema, view.name) is not None:
                catalog = Definer(self.connection, catalog, self.default, self.building).without_views_of(
                    view, cascade=True
                )
                self._forget(view)
                catalog = catalog.without_table(view)
        return catalog

    def _drop_index(self, body: nodes.Drop) -> Catalog:
        found = self._find_index(body)
        if found is None:
            if body.if_exists:
                return self.catalog
            raise SqlError(
                -333,
                f"Attempt to DROP INDEX '{body.index}' on table {_shown(body)} failed - index not found.",
            )
        table, index = found
        self._allow(table)
        self.connection.execute(f"DROP INDEX {index_name(table, index.name)}")
        self.connection.execute(
            'DELETE FROM "%catalog" WHERE name = ? AND kind = ?', (table.full_name, f"INDEX {index.name}")
        )
        rest = tuple(item for item in table.indexes if item is not index)
        return self.catalog.with_table(replace(table, indexes=rest))

    def _allow(self, table: Table) -> None:
        """Raise -300 for the table of a class without DdlAllowed (SQL Reference)."""
        if table.class_like and not self.building:
            raise SqlError(-300, f"DDL not enabled for class '{table.class_name}'")

    def _find_index(self, body: nodes.Drop) -> tuple[Table, Index] | None:
        tables = list(self.catalog.tables.values())
        if body.table is not None:
            tables = [_table(body.table, self.catalog)]
        for table in tables:
            for index in table.indexes:
                if fold(index.name) == fold(body.index or ""):
                    return table, index
        return None

    def _remember(self, name: str, kind: str, text: str) -> None:
        self.connection.execute(
            'INSERT INTO "%catalog" (name, kind, ddl) VALUES (?, ?, ?)', (name, kind, text)
        )

    def _forget(self, table: Table) -> None:
        self.connection.execute('DELETE FROM "%catalog" WHERE name = ?', (table.full_name,))


__all__ = ["FORMAT", "META", "Definer", "define_view", "open_catalog", "refresh"]
