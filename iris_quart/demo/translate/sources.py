"""The items of FROM: tables, views, derived tables, procedures and joins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from iris_quart.demo.catalog.procedures import PROCEDURES, Procedure
from iris_quart.demo.catalog.tables import DEFAULT_SCHEMA, Table, quoted
from iris_quart.demo.core.errors import SqlError, not_done, not_found
from iris_quart.demo.core.types import BIGINT, EXACT, VARCHAR
from iris_quart.demo.functions.json_tables import steps
from iris_quart.demo.parse import nodes

from .scope import SOURCE, VIEW_ROW, Names, Scope, Source
from .typed import COLUMN, Typed, relabelled

if TYPE_CHECKING:
    from .translation import Translation

JOINS = {
    "INNER": "JOIN",
    "LEFT": "LEFT JOIN",
    "RIGHT": "RIGHT JOIN",
    "FULL": "FULL JOIN",
    "CROSS": "CROSS JOIN",
}

FromPart = str | Source


class Sources:
    """Translate the items of FROM."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation
        self.rendering = translation.rendering

    def sources(self, found: Sequence[nodes.Source], scope: Scope) -> str:
        """Return the text of further sources, which come after those of the scope."""
        parts: list[FromPart] = []
        for number, source in enumerate(found):
            if number:
                parts.append(" CROSS JOIN ")
            self.source(source, scope, parts)
        return "".join(map(from_text, parts))

    def source(self, node: nodes.Source, scope: Scope, parts: list[FromPart]) -> None:
        """Add one item of FROM to the scope and its text to the parts."""
        self._SOURCES[type(node)](self, node, scope, parts)

    def _table_source(self, node: nodes.TableName, scope: Scope, parts: list[FromPart]) -> None:
        parts.append(self._named(node, scope))

    def _table_function(self, node: nodes.TableFunction, scope: Scope, parts: list[FromPart]) -> None:
        schema = node.schema or DEFAULT_SCHEMA
        procedure = PROCEDURES.get((schema.casefold(), node.name.casefold()))
        if (
            procedure is None
            or procedure.is_table
            or not all(map(self.translation.catalog.by_full_name, procedure.reads))
        ):
            raise SqlError(-428, f"Stored procedure '{schema}.{node.name}' not found")
        most = len(procedure.defaults)
        if len(node.arguments) > most:
            raise SqlError(-400, f"Fatal error occurred: {procedure.full_name} takes {most} arguments")
        values = [
            self.rendering.plain(self.translation.expressions.value(item, Scope())) for item in node.arguments
        ]
        parts.append(self._rows_of(procedure, values, node.alias, scope))

    def _rows_of(self, procedure: Procedure, values: list[str], alias: str | None, scope: Scope) -> Source:
        self.translation.reads.update(procedure.reads)
        sql = procedure.sql.format(*values, *procedure.defaults[len(values) :])
        outputs = tuple(
            Typed(f"c{number}", data_type, EXACT, COLUMN, label)
            for number, (label, data_type) in enumerate(procedure.columns, 1)
        )
        return self._derived(alias or procedure.name, outputs, f"({sql})", scope)

    def _derived_table(self, node: nodes.DerivedTable, scope: Scope, parts: list[FromPart]) -> None:
        outputs, sql = self.translation.queries.query(node.query, _around(scope), SOURCE)
        parts.append(self._derived(node.alias or "", outputs, f"({sql})", scope))

    def _json_rows(self, node: nodes.JsonRows, scope: Scope, parts: list[FromPart]) -> None:
        for path in (node.path, *(path for _, path in node.columns if path is not None)):
            try:
                steps(path)
            except ValueError:
                raise SqlError(-400, f"Fatal error occurred: invalid JSON path '{path[:80]}'") from None
        document = self.rendering.as_text(self.translation.expressions.value(node.document, Scope()))
        paths = [path for _, path in node.columns if path is not None]
        texts = ", ".join(_literal(path) for path in (node.path, *paths))
        found = iter(range(len(paths)))
        values = ["key + 1" if path is None else f"value->>'$[{next(found)}]'" for _, path in node.columns]
        selected = ", ".join(f"{value} AS c{number}" for number, value in enumerate(values, 1))
        outputs = tuple(
            Typed(f"c{number}", BIGINT if path is None else VARCHAR, EXACT, COLUMN, name)
            for number, (name, path) in enumerate(node.columns, 1)
        )
        sql = f"(SELECT {selected} FROM json_each(iris_json_rows({document}, {texts})))"
        parts.append(self._derived("", outputs, sql, scope))

    def _join(self, node: nodes.Join, scope: Scope, parts: list[FromPart]) -> None:
        if node.using or node.natural:
            raise not_done("JOIN with USING or NATURAL")
        self.source(node.left, scope, parts)
        parts.append(f" {JOINS[node.kind]} ")
        nested = isinstance(node.right, nodes.Join)
        if nested:
            parts.append("(")
        self.source(node.right, scope, parts)
        if nested:
            parts.append(")")
        if node.condition is not None:
            parts.append(f" ON {self.translation.conditions.condition(node.condition, scope)}")

    def _named(self, node: nodes.TableName, scope: Scope) -> Source:
        if node.schema is None and (found := scope.with_table(node.name)) is not None:
            outputs, sql = found
            return self._derived(node.alias or node.name, outputs, sql, scope)
        procedure = PROCEDURES.get(((node.schema or "").casefold(), node.name.casefold()))
        if procedure is not None and procedure.is_table:
            return self._rows_of(procedure, [], node.alias, scope)
        table = self.table(node)
        self.translation.reads.add(table.full_name)
        if table.is_view:
            return self._view(table, node.alias or table.name, scope)
        source = Source(
            self.translation.alias(), node.alias or table.name, table, sql=quoted(table.full_name)
        )
        source.schema = None if node.alias else table.schema
        scope.sources.append(source)
        return source

    def table(self, node: nodes.TableName) -> Table:
        """Return a table; raise -30."""
        table = self.translation.catalog.find(node.schema, node.name)
        if table is None:
            raise not_found(node.shown())
        return table

    def _view(self, table: Table, name: str, scope: Scope) -> Source:
        assert table.query is not None
        reads, names = self.translation.reads, self.translation.names
        self.translation.reads, self.translation.names = set(), Names(())
        outputs, sql = self.translation.queries.query(table.query, None, SOURCE)
        self.translation.reads, self.translation.names = reads, names
        labels = [column.name for column in table.columns.values()]
        if len(labels) != len(outputs):
            raise SqlError(-400, f"Fatal error occurred: view '{table.full_name}' no longer fits its tables")
        outputs = tuple(relabelled(item, label) for item, label in zip(outputs, labels, strict=True))
        source = self._derived(name, outputs, f"({sql})", scope)
        source.schema = table.schema
        return source

    def _derived(self, name: str, outputs: tuple[Typed, ...], sql: str, scope: Scope) -> Source:
        alias = self.translation.alias()
        based = tuple(
            replace(
                item,
                sql=f"{alias}.c{number}",
                category=COLUMN,
                source=alias,
                table=None,
                row=f"{alias}.{item.row}" if item.row else "",
            )
            for number, item in enumerate(outputs, 1)
        )
        source = Source(alias, name, None, based, sql)
        scope.sources.append(source)
        return source

    _SOURCES: ClassVar[dict[type, Callable[[Sources, Any, Scope, list[FromPart]], None]]] = {
        nodes.DerivedTable: _derived_table,
        nodes.Join: _join,
        nodes.JsonRows: _json_rows,
        nodes.TableFunction: _table_function,
        nodes.TableName: _table_source,
    }
    """How each kind of FROM item is translated."""


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def from_text(part: FromPart) -> str:
    """Write one item of a FROM clause."""
    if isinstance(part, str):
        return part
    if part.numbered:
        return f"(SELECT *, ROW_NUMBER() OVER () AS {quoted(VIEW_ROW)} FROM {part.sql}) AS {part.alias}"
    return f"{part.sql} AS {part.alias}"


def _around(scope: Scope) -> Scope | None:
    """Return the scope that a derived table sees: WITH tables and outer queries, never its neighbours."""
    inner = Scope(scope.outer)
    inner.tables = scope.tables
    return inner


__all__ = ["FromPart", "Sources", "from_text"]
