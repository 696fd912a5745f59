"""Queries: sources, select lists, grouping, ordering and paging."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from iris_quart.demo.catalog.tables import ROW_ID, Table, quoted
from iris_quart.demo.core.errors import SqlError, not_done, not_found
from iris_quart.demo.core.types import EXACT, TEXT
from iris_quart.demo.parse import nodes

from .keyset import split_nulls
from .plans import Query
from .scope import VIEW_ROW, Names, Scope, Source, numbered_row, outputs_of
from .sets import collate
from .typed import COLUMN, EXPRESSION, LITERAL, Typed, relabelled, with_collation

if TYPE_CHECKING:
    from .translation import Translation

JOINS = {
    "INNER": "JOIN",
    "LEFT": "LEFT JOIN",
    "RIGHT": "RIGHT JOIN",
    "FULL": "FULL JOIN",
    "CROSS": "CROSS JOIN",
}
MAX_ITEMS = 1000
"""Most items of a SELECT list (from memory, not checked against the manual)."""

FromPart = str | Source


class Queries:
    """Translate queries to SQLite text."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation
        self.rendering = translation.rendering

    def outermost(self, node: nodes.Query) -> Query:
        """Translate the query of a statement."""
        outputs, sql = self._query(node, None, final=True)
        return Query(sql, self.rendering.slots.listed(), outputs_of(outputs))

    def query(self, node: nodes.Query, scope: Scope | None) -> tuple[tuple[Typed, ...], str]:
        """Translate a nested query; its columns are called c1, c2, ..."""
        aggregates, bare = self.translation.aggregates, self.translation.bare_columns
        found = self._query(node, scope, final=False)
        self.translation.aggregates, self.translation.bare_columns = aggregates, bare
        return found

    def _query(self, node: nodes.Query, outer: Scope | None, *, final: bool) -> tuple[tuple[Typed, ...], str]:
        return self._QUERIES[type(node)](self, node, outer, final)

    def _set_operation(
        self, node: nodes.SetOperation, outer: Scope | None, final: bool
    ) -> tuple[tuple[Typed, ...], str]:
        return self.translation.sets.set_operation(node, outer, final=final)

    def _with(self, node: nodes.With, outer: Scope | None, final: bool) -> tuple[tuple[Typed, ...], str]:
        scope = Scope(outer)
        texts: list[str] = []
        for name, columns, query in node.tables:
            outputs, sql = self.query(query, scope)
            if columns and len(columns) != len(outputs):
                raise SqlError(-62, f"WITH {name} names {len(columns)} columns; its query has {len(outputs)}")
            if columns:
                outputs = tuple(relabelled(item, label) for item, label in zip(outputs, columns, strict=True))
            alias = self.translation.alias()
            scope.tables[name.casefold()] = (outputs, alias)
            texts.append(f"{alias} AS ({sql})")
        outputs, sql = self._query(node.body, scope, final=final)
        return outputs, f"WITH {', '.join(texts)} {sql}"

    # SELECT --------------------------------------------------------------------------------

    def _select(self, node: nodes.Select, outer: Scope | None, final: bool) -> tuple[tuple[Typed, ...], str]:
        parts_of_page = split_nulls(node)
        if parts_of_page is not None:
            return self._split_page(node, parts_of_page, outer, final=final)
        scope = Scope(outer)
        self.translation.aggregates = self.translation.bare_columns = 0
        parts: list[FromPart] = []
        for number, source in enumerate(node.sources):
            if number:
                parts.append(" CROSS JOIN ")
            self._source(source, scope, parts)
        items = self._items(node, scope)
        aggregated = self.translation.aggregates > 0
        if aggregated and self.translation.bare_columns and not node.group:
            raise not_done("a SELECT list of fields and aggregates without GROUP BY")
        where = None if node.where is None else self.translation.conditions.condition(node.where, scope)
        if self.translation.aggregates > 0 and not aggregated:
            raise SqlError(-19, "An aggregate is not allowed in a WHERE clause")
        group = [
            self.translation.aggregations.sort_key(self.translation.expressions.value(item, scope))
            for item in node.group
        ]
        having = None if node.having is None else self.translation.conditions.condition(node.having, scope)
        grouped = bool(group) or aggregated or having is not None
        order = self._order(node, scope, items)
        limited = node.limit is not None or node.offset is not None
        if not order and not (grouped and not group) and node.sources and (final or limited):
            order = self._unordered(node, scope, group, items)
        outputs, texts = self._outputs(items, node, group, final=final)
        sql = f"SELECT {'DISTINCT ' if node.distinct else ''}{', '.join(texts)}"
        if parts:
            joins = "".join(f" {join}" for join in scope.arrow_joins)
            sql += f" FROM {''.join(_from_text(part) for part in parts)}{joins}"
        sql += f" WHERE {where}" if where else ""
        sql += f" GROUP BY {', '.join(group)}" if group else ""
        sql += f" HAVING {having}" if having else ""
        return outputs, sql + self.translation.sets.tail(order, node.limit, node.offset)

    def _split_page(
        self,
        node: nodes.Select,
        halves: tuple[nodes.Select, nodes.Select],
        outer: Scope | None,
        *,
        final: bool,
    ) -> tuple[tuple[Typed, ...], str]:
        outputs, with_value = self._select(halves[0], outer, final)
        _, without = self._select(halves[1], outer, final)
        sql = f"SELECT * FROM ({with_value}) UNION ALL SELECT * FROM ({without})"
        return outputs, sql + self.translation.sets.tail([], node.limit, None)

    def _items(self, node: nodes.Select, scope: Scope) -> list[Typed]:
        items: list[Typed] = []
        for item in node.items:
            if isinstance(item.expression, nodes.Star):
                items.extend(self._star(item.expression, scope))
                continue
            value = self.translation.expressions.value(item.expression, scope)
            label = item.alias or value.label
            if label is None:
                category = value.category if value.category != COLUMN else EXPRESSION
                label = f"{category}_{len(items) + 1}"
            items.append(relabelled(value, label))
        if len(items) > MAX_ITEMS:
            raise SqlError(-400, "Fatal error occurred: <STORE>")
        return items

    def _star(self, node: nodes.Star, scope: Scope) -> list[Typed]:
        items: list[Typed] = []
        known = False
        for source in scope.sources:
            if node.table is not None and source.name.casefold() != node.table.casefold():
                continue
            known = True
            if source.table is None:
                items.extend(source.outputs)
                continue
            items.extend(
                self.translation.expressions.column(column, source)
                for column in source.table.columns.values()
                if not column.hidden
            )
        if not known:
            if node.table is None:
                raise SqlError(-12, "A term expected: * needs a FROM clause")
            raise SqlError(-23, f"Label '{node.table}' is not listed among the applicable tables")
        return items

    def _outputs(
        self, items: list[Typed], node: nodes.Select, group: list[str], *, final: bool
    ) -> tuple[tuple[Typed, ...], list[str]]:
        outputs: list[Typed] = []
        texts: list[str] = []
        for number, item in enumerate(items, 1):
            if item.type.is_stream:
                if node.distinct or group:
                    raise SqlError(
                        -37,
                        f"Scalar, aggregate and unary functions not supported for stream fields: {item.label}",
                    )
                sql = self._stream(item) if final else item.sql
            elif self._answers_collated(item, node, group):
                sql = f"iris_sqlupper({self.rendering.plain(item)}) COLLATE {item.collation}"
            else:
                sql = self.rendering.plain(item)
                if item.collated:
                    sql = f"{sql} COLLATE BINARY"
                elif not final or node.distinct:
                    sql = with_collation(sql, item.kind, item.collation)
            texts.append(f"{sql} AS c{number}")
            outputs.append(
                Typed(f"c{number}", item.type, item.collation, COLUMN, item.label, column=item.column)
            )
        return tuple(outputs), texts

    def _answers_collated(self, item: Typed, node: nodes.Select, group: list[str]) -> bool:
        """Return whether DISTINCT or GROUP BY answers the collated value (InterSystems SQL, Collation)."""
        if item.kind != TEXT or item.collation == EXACT or item.collated or item.category == LITERAL:
            return False
        if item.table is not None and item.table.system:
            return False
        return (node.distinct and not group) or self.translation.aggregations.sort_key(item) in group

    def _stream(self, item: Typed) -> str:
        if item.table is None or item.column is None:
            return f"iris_stream_id({item.sql} IS NULL, 'Derived', {quoted_text(item.label or '')}, 0)"
        row = f"{item.source}.{quoted(ROW_ID)}"
        table, column = quoted_text(item.table.full_name), quoted_text(item.column.name)
        return f"iris_stream_id({item.sql} IS NULL, {table}, {column}, {row})"

    # Order ---------------------------------------------------------------------------------

    def _order(self, node: nodes.Select, scope: Scope, items: list[Typed]) -> list[str]:
        texts: list[str] = []
        keys = [
            None if item.type.is_stream else self.translation.aggregations.sort_key(item) for item in items
        ]
        for item in node.order:
            down = " DESC" if item.descending else ""
            key = self._order_key(item.expression, scope, items)
            if isinstance(key, int):
                output = items[key - 1]
                if output.type.is_stream:
                    raise SqlError(
                        -313, f"Invalid operation on a stream field: {output.label} in an ordering"
                    )
                texts.append(f"{key}{collate(output)}{down}")
                continue
            if node.distinct:
                if key not in keys:
                    raise SqlError(-6, "ORDER BY of a SELECT DISTINCT must name an item of its SELECT list")
                number = keys.index(key) + 1
                texts.append(f"{number}{collate(items[number - 1])}{down}")
                continue
            texts.append(key + down)
        return texts

    def _order_key(self, node: nodes.Expression, scope: Scope, items: list[Typed]) -> str | int:
        number = self.translation.sets.ordinal(node, tuple(items))
        if number is not None and not isinstance(node, nodes.Name):
            return number
        if number is not None and isinstance(node, nodes.Name):
            try:
                found = self.translation.names.find(node, scope)
            except SqlError:
                return number
            if found.scope is not scope:
                return number
        return self.translation.aggregations.sort_key(self.translation.expressions.value(node, scope))

    def _unordered(self, node: nodes.Select, scope: Scope, group: list[str], items: list[Typed]) -> list[str]:
        """Return an order that helps no careless client: IRIS promises none without ORDER BY."""
        if group:
            return self.translation.sets.careless_order([group[0]])
        if node.distinct:
            return [] if items[0].type.is_stream else self.translation.sets.careless_order(["1"])
        first = next((source for source in scope.sources if source.table is not None), None)
        if first is not None:
            return self.translation.sets.careless_order(
                [f"{first.alias}.{quoted(ROW_ID)}"], numeric=not _child(first.table)
            )
        if self.translation.shuffle is not None and scope.sources:
            source = scope.sources[0]
            source.numbered = True
            return self.translation.sets.careless_order([numbered_row(source).sql], numeric=True)
        return []

    # Sources -------------------------------------------------------------------------------

    def _source(self, node: nodes.Source, scope: Scope, parts: list[FromPart]) -> None:
        self._SOURCES[type(node)](self, node, scope, parts)

    def _table_source(self, node: nodes.TableName, scope: Scope, parts: list[FromPart]) -> None:
        parts.append(self._named(node, scope))

    def _derived_table(self, node: nodes.DerivedTable, scope: Scope, parts: list[FromPart]) -> None:
        outputs, sql = self.query(node.query, _around(scope))
        parts.append(self._derived(node.alias or "", outputs, f"({sql})", scope))

    def _join(self, node: nodes.Join, scope: Scope, parts: list[FromPart]) -> None:
        if node.using or node.natural:
            raise not_done("JOIN with USING or NATURAL")
        self._source(node.left, scope, parts)
        parts.append(f" {JOINS[node.kind]} ")
        nested = isinstance(node.right, nodes.Join)
        if nested:
            parts.append("(")
        self._source(node.right, scope, parts)
        if nested:
            parts.append(")")
        if node.condition is not None:
            parts.append(f" ON {self.translation.conditions.condition(node.condition, scope)}")

    def _named(self, node: nodes.TableName, scope: Scope) -> Source:
        if node.schema is None and (found := scope.with_table(node.name)) is not None:
            outputs, sql = found
            return self._derived(node.alias or node.name, outputs, sql, scope)
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
        outputs, sql = self.query(table.query, None)
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
            replace(item, sql=f"{alias}.c{number}", category=COLUMN, source=alias, table=None)
            for number, item in enumerate(outputs, 1)
        )
        source = Source(alias, name, None, based, sql)
        scope.sources.append(source)
        return source

    _QUERIES: ClassVar[
        dict[type, Callable[[Queries, Any, Scope | None, bool], tuple[tuple[Typed, ...], str]]]
    ] = {
        nodes.Select: _select,
        nodes.SetOperation: _set_operation,
        nodes.With: _with,
    }
    """How each kind of query is translated."""

    _SOURCES: ClassVar[dict[type, Callable[[Queries, Any, Scope, list[FromPart]], None]]] = {
        nodes.DerivedTable: _derived_table,
        nodes.Join: _join,
        nodes.TableName: _table_source,
    }
    """How each kind of FROM item is translated."""


def quoted_text(text: str) -> str:
    """Return a text as an SQLite constant."""
    return "'" + text.replace("'", "''") + "'"


def _from_text(part: FromPart) -> str:
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


def _child(table: Table | None) -> bool:
    return table is not None and table.parent is not None
