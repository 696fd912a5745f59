"""Aggregates and window functions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iris_quart.demo.core.errors import SqlError, not_done
from iris_quart.demo.core.types import BIGINT, DOUBLE, DOUBLE_TYPE, INTEGER, NUMERIC, VARCHAR
from iris_quart.demo.parse import nodes

from .expressions import SUFFIXES
from .scope import Scope
from .typed import AGGREGATE, Typed, with_collation

if TYPE_CHECKING:
    from .translation import Translation

AGGREGATES = frozenset(
    [
        "COUNT",
        "SUM",
        "AVG",
        "MIN",
        "MAX",
        "LIST",
        "STDDEV",
        "STDDEV_SAMP",
        "STDDEV_POP",
        "VARIANCE",
        "VAR_SAMP",
        "VAR_POP",
    ]
)
SPREADS = {
    "STDDEV": "iris_deviation",
    "STDDEV_SAMP": "iris_deviation",
    "STDDEV_POP": "iris_population_deviation",
    "VARIANCE": "iris_variance",
    "VAR_SAMP": "iris_variance",
    "VAR_POP": "iris_population_variance",
}
WINDOWS = frozenset(["ROW_NUMBER", "RANK", "DENSE_RANK"])
WINDOW_AGGREGATES = frozenset(["COUNT", "MIN", "MAX"])


class Aggregates:
    """Translate aggregates and window functions."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation
        self.rendering = translation.rendering

    def aggregate(self, node: nodes.Call, scope: Scope) -> Typed:
        self.translation.aggregates += 1
        name = node.name
        if node.star:
            return Typed("count(*)", BIGINT, category=AGGREGATE)
        if len(node.arguments) != 1:
            raise SqlError(
                -1,
                f"Invalid SQL statement: {name} takes one argument{self.translation.names.context(node.position)}",
            )
        before, bare = self.translation.aggregates, self.translation.bare_columns
        item = self.translation.expressions.value(
            node.arguments[0], scope, NUMERIC if name in ("SUM", "AVG") else None
        )
        self.translation.bare_columns = bare
        if self.translation.aggregates != before:
            raise SqlError(
                -78,
                f"An aggregate cannot stand inside another{self.translation.names.context(node.position)}",
            )
        if item.type.is_stream:
            raise SqlError(
                -37, f"Scalar, aggregate and unary functions not supported for stream fields: {item.label}"
            )
        word = "DISTINCT " if node.distinct else ""
        plain = with_collation(self.rendering.plain(item), item.kind, item.collation)
        if name == "COUNT":
            return Typed(f"count({word}{plain})", BIGINT, category=AGGREGATE)
        if name in ("MIN", "MAX"):
            return Typed(f"{name.lower()}({plain})", item.type, item.collation, AGGREGATE)
        if name == "LIST":
            return Typed(f"iris_list({word}{self.rendering.as_text(item)})", VARCHAR, category=AGGREGATE)
        item = self.translation.expressions.number(item)
        if name in SPREADS:
            return Typed(f"{SPREADS[name]}({word}{self.rendering.plain(item)})", NUMERIC, category=AGGREGATE)
        data_type = DOUBLE_TYPE if item.kind == DOUBLE else NUMERIC
        if name == "SUM" and item.kind == INTEGER:
            data_type = BIGINT
        return Typed(
            f"iris_{name.lower()}_{SUFFIXES[data_type.kind]}({word}{self.rendering.plain(item)})",
            data_type,
            category=AGGREGATE,
        )

    def windowed(self, node: nodes.Call, scope: Scope) -> Typed:
        assert node.window is not None
        name = node.name
        if name in WINDOWS and not node.arguments and not node.star:
            sql, data_type = f"{name.lower()}()", BIGINT
        elif name in WINDOW_AGGREGATES and not node.distinct:
            before = self.translation.aggregates
            item = self.aggregate(replace(node, window=None), scope)
            self.translation.aggregates = before
            sql, data_type = item.sql, item.type
        else:
            raise not_done(f"{name} as a window function")
        parts: list[str] = []
        if node.window.partition:
            items = [self.translation.expressions.value(item, scope) for item in node.window.partition]
            parts.append("PARTITION BY " + ", ".join(self.sort_key(item) for item in items))
        if node.window.order:
            ordered = [
                self.sort_key(self.translation.expressions.value(item.expression, scope))
                + (" DESC" if item.descending else "")
                for item in node.window.order
            ]
            parts.append("ORDER BY " + ", ".join(ordered))
        return Typed(f"{sql} OVER ({' '.join(parts)})", data_type)

    def sort_key(self, item: Typed) -> str:
        if item.type.is_stream:
            raise SqlError(
                -313, f"Invalid operation on a stream field: {item.label or 'stream'} in an ordering"
            )
        sql = item.sql if item.collated else self.rendering.plain(item)
        return with_collation(sql, item.kind, item.collation)
