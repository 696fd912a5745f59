"""Aggregates and window functions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iris_quart.demo.core.errors import SqlError, not_done
from iris_quart.demo.core.types import BIGINT, DOUBLE, DOUBLE_TYPE, INTEGER, NUMERIC, VARCHAR, SqlType
from iris_quart.demo.parse import nodes

from .expressions import SUFFIXES
from .scope import Scope
from .typed import AGGREGATE, WINDOW, Typed, document_kind, with_collation

if TYPE_CHECKING:
    from .translation import Translation

SPREADS = {
    "STDDEV": "iris_deviation",
    "STDDEV_SAMP": "iris_deviation",
    "STDDEV_POP": "iris_population_deviation",
    "VARIANCE": "iris_variance",
    "VAR_SAMP": "iris_variance",
    "VAR_POP": "iris_population_variance",
}
"""Aggregates over all values at once, and the function of SQLite."""
AGGREGATES = frozenset({"COUNT", "SUM", "AVG", "MIN", "MAX", "LIST", "JSON_ARRAYAGG", "XMLAGG", *SPREADS})
WINDOWS = {
    "ROW_NUMBER": (0, 0, "row_number"),
    "RANK": (0, 0, "rank"),
    "DENSE_RANK": (0, 0, "dense_rank"),
    "PERCENT_RANK": (0, 0, "percent_rank"),
    "CUME_DIST": (0, 0, "cume_dist"),
    "NTILE": (1, 1, "ntile"),
    "FIRST_VALUE": (1, 1, "first_value"),
    "LAST_VALUE": (1, 1, "last_value"),
    "NTH_VALUE": (2, 2, "nth_value"),
    "LAG": (1, 3, "lag"),
    "LEAD": (1, 3, "lead"),
}
"""Window functions: fewest and most arguments, and the function of SQLite."""
WINDOW_AGGREGATES = frozenset({"COUNT", "MIN", "MAX", "SUM", "AVG"})
VALUES_OF_ROWS = frozenset({"FIRST_VALUE", "LAST_VALUE", "NTH_VALUE", "LAG", "LEAD"})
FRAMED = WINDOW_AGGREGATES | {"FIRST_VALUE", "LAST_VALUE", "NTH_VALUE"}
"""Window functions that ROWS restricts."""
DOUBLES = frozenset({"PERCENT_RANK", "CUME_DIST"})


class Aggregates:
    """Translate aggregates and window functions."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation
        self.rendering = translation.rendering

    def aggregate(self, node: nodes.Call, scope: Scope) -> Typed:
        """Translate an aggregate; raise -78 for one inside another."""
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
        if name == "JSON_ARRAYAGG":
            text = self.rendering.as_text(item)
            sql = f"iris_json_join_{document_kind(item)}({word}{text})"
            return Typed(sql, VARCHAR, category=AGGREGATE, document=True)
        if name == "XMLAGG":
            sql = f"iris_xml_join({word}{self.rendering.as_text(item)})"
            return Typed(sql, VARCHAR, category=AGGREGATE, document=True)
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
        """Translate a call with OVER."""
        assert node.window is not None
        name = node.name
        if name in WINDOWS:
            sql, data_type = self._row_function(node, scope)
        elif name in WINDOW_AGGREGATES and not node.distinct:
            before = self.translation.aggregates
            item = self.aggregate(replace(node, window=None), scope)
            self.translation.aggregates = before
            sql, data_type = item.sql, item.type
        else:
            raise not_done(f"{name} as a window function")
        frame = node.window.frame
        if frame is not None and name not in FRAMED:
            raise SqlError(-1, f"Invalid SQL statement: {name} takes no ROWS")
        if frame is not None and name in ("SUM", "AVG") and _may_be_empty(frame):
            # The sqlite3 module of Python crashes when it asks an aggregate of ours about no row at all.
            raise not_done(f"{name} over rows that are all before or all after the current one")
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
        if frame is not None:
            parts.append(f"ROWS BETWEEN {frame[0]} AND {frame[1]}")
            if data_type.kind == DOUBLE and name in ("SUM", "AVG"):
                sql = sql.replace(f"iris_{name.lower()}_double(", f"iris_framed_{name.lower()}_double(", 1)
        return Typed(f"{sql} OVER ({' '.join(parts)})", data_type, category=WINDOW)

    def _row_function(self, node: nodes.Call, scope: Scope) -> tuple[str, SqlType]:
        least, most, function = WINDOWS[node.name]
        if not least <= len(node.arguments) <= most or node.star or node.distinct:
            raise SqlError(-1, f"Invalid SQL statement: {node.name} does not take these arguments")
        items = [self.translation.expressions.value(item, scope, BIGINT) for item in node.arguments]
        data_type = DOUBLE_TYPE if node.name in DOUBLES else BIGINT
        rendered: list[str] = []
        if node.name in VALUES_OF_ROWS:
            items[0] = self.translation.expressions.value(node.arguments[0], scope)
            data_type, _ = self.translation.expressions.unified(items[:1] + items[2:])
            rendered.append(self.rendering.as_kind(items[0], data_type.kind))
            items = items[1:]
        for index, item in enumerate(items):
            kind = data_type.kind if index == 1 else INTEGER
            rendered.append(self.rendering.as_kind(item, kind))
        return f"{function}({', '.join(rendered)})", data_type

    def sort_key(self, item: Typed) -> str:
        """Return the text by which a value is ordered or grouped; raise -313 for a stream."""
        if item.type.is_stream:
            raise SqlError(
                -313, f"Invalid operation on a stream field: {item.label or 'stream'} in an ordering"
            )
        sql = item.sql if item.collated else self.rendering.plain(item)
        return with_collation(sql, item.kind, item.collation)


def _may_be_empty(frame: tuple[str, str]) -> bool:
    """Return whether a frame can lie outside its partition: both bounds are on one side of the current row."""
    return frame[0].endswith("FOLLOWING") or frame[1].endswith("PRECEDING")


__all__ = [
    "AGGREGATES",
    "DOUBLES",
    "FRAMED",
    "SPREADS",
    "VALUES_OF_ROWS",
    "WINDOWS",
    "WINDOW_AGGREGATES",
    "Aggregates",
]
