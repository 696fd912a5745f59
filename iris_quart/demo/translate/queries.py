"""Queries: sources, select lists, grouping, ordering and paging."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from iris_quart.demo.catalog.tables import ROW_ID, Table, quoted
from iris_quart.demo.core.errors import SqlError, not_done
from iris_quart.demo.core.types import EXACT, TEXT
from iris_quart.demo.parse import nodes

from .keyset import split_nulls
from .plans import Query
from .scope import ANSWER, SOURCE, VALUE, Scope, Source, numbered_row, outputs_of
from .sets import collate
from .sources import FromPart, from_text
from .typed import COLUMN, EXPRESSION, LITERAL, PARAMETER, Typed, relabelled, with_collation

if TYPE_CHECKING:
    from .translation import Translation

MAX_ITEMS = 1000
"""Most items of a SELECT list (from memory, not checked against the manual)."""


class Queries:
    """Translate queries to SQLite text."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation
        self.rendering = translation.rendering

    def outermost(self, node: nodes.Query) -> Query:
        """Translate the query of a statement."""
        outputs, sql = self._query(node, None, ANSWER)
        return Query(sql, self.rendering.slots.listed(), outputs_of(outputs))

    def query(
        self, node: nodes.Query, scope: Scope | None, place: str = VALUE
    ) -> tuple[tuple[Typed, ...], str]:
        """Translate a nested query; its columns are called c1, c2, ...

        In the place of a SOURCE, a stream also brings its row: the columns r1, r2, ...
        """
        aggregates, bare = self.translation.aggregates, self.translation.bare_columns
        found = self._query(node, scope, place)
        self.translation.aggregates, self.translation.bare_columns = aggregates, bare
        return found

    def _query(self, node: nodes.Query, outer: Scope | None, place: str) -> tuple[tuple[Typed, ...], str]:
        return self._QUERIES[type(node)](self, node, outer, place)

    def _set_operation(
        self, node: nodes.SetOperation, outer: Scope | None, place: str
    ) -> tuple[tuple[Typed, ...], str]:
        return self.translation.sets.set_operation(node, outer, place)

    def _with(self, node: nodes.With, outer: Scope | None, place: str) -> tuple[tuple[Typed, ...], str]:
        scope = Scope(outer)
        texts: list[str] = []
        for name, columns, query in node.tables:
            outputs, sql = self.query(query, scope, SOURCE)
            if columns and len(columns) != len(outputs):
                raise SqlError(-62, f"WITH {name} names {len(columns)} columns; its query has {len(outputs)}")
            if columns:
                outputs = tuple(relabelled(item, label) for item, label in zip(outputs, columns, strict=True))
            alias = self.translation.alias()
            scope.tables[name.casefold()] = (outputs, alias)
            texts.append(f"{alias} AS ({sql})")
        outputs, sql = self._query(node.body, scope, place)
        return outputs, f"WITH {', '.join(texts)} {sql}"

    def _select(self, node: nodes.Select, outer: Scope | None, place: str) -> tuple[tuple[Typed, ...], str]:
        parts_of_page = split_nulls(node)
        if parts_of_page is not None:
            return self._split_page(node, parts_of_page, outer, place)
        scope = Scope(outer)
        self.translation.aggregates = self.translation.bare_columns = 0
        parts: list[FromPart] = []
        for number, source in enumerate(node.sources):
            if number:
                parts.append(" CROSS JOIN ")
            self.translation.sources.source(source, scope, parts)
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
        if node.distinct_by:
            group = self._distinct_by(node, scope)
        having = None if node.having is None else self.translation.conditions.condition(node.having, scope)
        grouped = bool(group) or aggregated or having is not None
        order = self._order(node, scope, items)
        limited = node.limit is not None or node.offset is not None
        if not order and not (grouped and not group) and node.sources and (place == ANSWER or limited):
            order = self._unordered(node, scope, group, items)
        outputs, texts = self._outputs(items, node, group, place)
        sql = f"SELECT {'DISTINCT ' if node.distinct else ''}{', '.join(texts)}"
        if parts:
            joins = "".join(f" {join}" for join in scope.arrow_joins)
            sql += f" FROM {''.join(from_text(part) for part in parts)}{joins}"
        sql += f" WHERE {where}" if where else ""
        sql += f" GROUP BY {', '.join(group)}" if group else ""
        if node.distinct_by and (first := self._first_table(scope)) is not None:
            sql += f" HAVING min({first.alias}.{quoted(ROW_ID)}) IS NOT NULL"
        sql += f" HAVING {having}" if having else ""
        return outputs, sql + self.translation.sets.tail(order, node.limit, node.offset)

    def _distinct_by(self, node: nodes.Select, scope: Scope) -> list[str]:
        """Return the keys of DISTINCT BY; of each, the row with the lowest row ID stays."""
        if node.group or node.having is not None or self.translation.aggregates:
            raise not_done("DISTINCT BY beside GROUP BY, HAVING or an aggregate")
        values = [self.translation.expressions.value(item, scope) for item in node.distinct_by]
        return [self.translation.aggregations.sort_key(value) for value in values]

    def _first_table(self, scope: Scope) -> Source | None:
        return next((source for source in scope.sources if source.table is not None), None)

    def _split_page(
        self,
        node: nodes.Select,
        halves: tuple[nodes.Select, nodes.Select],
        outer: Scope | None,
        place: str,
    ) -> tuple[tuple[Typed, ...], str]:
        outputs, with_value = self._select(halves[0], outer, place)
        _, without = self._select(halves[1], outer, place)
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
                label = f"{_unnamed(value)}_{len(items) + 1}"
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
            raise SqlError(-23, f"Label '{node.table.upper()}' is not listed among the applicable tables")
        return items

    def _outputs(
        self, items: list[Typed], node: nodes.Select, group: list[str], place: str
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
                sql = self._stream(item) if place == ANSWER else item.sql
            elif self._answers_collated(item, node, group):
                sql = f"iris_sqlupper({self.rendering.plain(item)}) COLLATE {item.collation}"
            else:
                sql = self.rendering.plain(item)
                if item.collated:
                    sql = f"{sql} COLLATE BINARY"
                elif place != ANSWER or node.distinct:
                    sql = with_collation(sql, item.kind, item.collation)
            texts.append(f"{sql} AS c{number}")
            output = Typed(f"c{number}", item.type, item.collation, COLUMN, item.label, column=item.column)
            if place == SOURCE and item.type.is_stream and (row := _row_of(item)) is not None:
                texts.append(f"{row} AS r{number}")
                output = replace(output, row=f"r{number}", owner=item.table_name)
            outputs.append(output)
        return tuple(outputs), texts

    def _answers_collated(self, item: Typed, node: nodes.Select, group: list[str]) -> bool:
        """Return whether DISTINCT or GROUP BY answers the collated value (InterSystems SQL, Collation)."""
        if item.kind != TEXT or item.collation == EXACT or item.collated or item.category == LITERAL:
            return False
        if item.table is not None and item.table.system:
            return False
        if node.distinct_by:
            return False
        return (node.distinct and not group) or self.translation.aggregations.sort_key(item) in group

    def _stream(self, item: Typed) -> str:
        row = _row_of(item)
        if row is None or item.column is None:
            raise not_done("a stream that belongs to no row")
        table, column = quoted_text(item.table_name or ""), quoted_text(item.column.name)
        return f"iris_stream_id({item.sql} IS NULL, {table}, {column}, {row})"

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
        """Return the order of a SELECT without ORDER BY: IRIS promises none, and uses the row ID in practice."""
        if group and not node.distinct_by:
            return self.translation.sets.unordered([group[0]])
        if node.distinct:
            return [] if items[0].type.is_stream else self.translation.sets.unordered(["1"])
        first = self._first_table(scope)
        if first is not None:
            return self.translation.sets.unordered(
                [f"{first.alias}.{quoted(ROW_ID)}"], numeric=not _child(first.table)
            )
        if isinstance(self.translation.unordered, int) and scope.sources:
            source = scope.sources[0]
            source.numbered = True
            return self.translation.sets.unordered([numbered_row(source).sql], numeric=True)
        return []

    _QUERIES: ClassVar[
        dict[type, Callable[[Queries, Any, Scope | None, str], tuple[tuple[Typed, ...], str]]]
    ] = {
        nodes.Select: _select,
        nodes.SetOperation: _set_operation,
        nodes.With: _with,
    }
    """How each kind of query is translated."""


def quoted_text(text: str) -> str:
    """Return a text as an SQLite constant."""
    return "'" + text.replace("'", "''") + "'"


def _unnamed(item: Typed) -> str:
    """Return what an unnamed item is called (SQL Reference, SELECT): constants are host variables to IRIS."""
    if item.category == LITERAL and not item.is_null and not item.pseudo:
        return PARAMETER
    return EXPRESSION if item.category == COLUMN else item.category


def _row_of(item: Typed) -> str | None:
    """Return the row ID of the row that a stream belongs to."""
    if item.row:
        return item.row
    return f"{item.source}.{quoted(ROW_ID)}" if item.table is not None else None


def _child(table: Table | None) -> bool:
    return table is not None and table.parent is not None


__all__ = ["MAX_ITEMS", "Queries", "quoted_text"]
