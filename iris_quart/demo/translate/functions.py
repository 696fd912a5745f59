"""Functions, casts and aggregates."""

from __future__ import annotations

from dataclasses import replace

from iris_quart.demo.core.errors import SqlError, not_done
from iris_quart.demo.core.types import (
    BIGINT,
    BINARY,
    BINARY_STREAM,
    DATE,
    DOUBLE,
    DOUBLE_TYPE,
    EXACT,
    INTEGER,
    LIST,
    NUMERIC,
    POSIXTIME,
    SQLSTRING,
    SQLUPPER,
    TEXT,
    TEXT_STREAM,
    TIME,
    VARBINARY,
    VARCHAR,
    SqlType,
)
from iris_quart.demo.functions.dates import unit_name
from iris_quart.demo.parse import nodes

from .casts import CastTranslator
from .expressions import SUFFIXES
from .function_table import FUNCTIONS, TYPES, Function
from .scope import Scope
from .typed import AGGREGATE, PARAMETER, Typed, literal, with_collation

COLLATING = {
    "%EXACT": EXACT,
    "%SQLUPPER": SQLUPPER,
    "%STRING": SQLUPPER,
    "%SQLSTRING": SQLSTRING,
    "%UPPER": "UPPER",
    "%ALPHAUP": None,
    "%MVR": None,
    "%TRUNCATE": None,
    "%PLUS": None,
    "%MINUS": None,
}
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
OUTWARD = frozenset({"%ODBCOUT", "%EXTERNAL"})
INWARD = frozenset({"%ODBCIN", "%INTERNAL"})


class FunctionTranslator(CastTranslator):
    """Translate calls."""

    def call(self, node: nodes.Call, scope: Scope, expect: SqlType | None) -> Typed:
        """Translate a function call; raise -359 for an unknown one (text seen in the wild)."""
        name = node.name
        if node.window is not None:
            return self._windowed(node, scope)
        if name in AGGREGATES:
            return self._aggregate(node, scope)
        if node.distinct:
            raise SqlError(
                -12, f"DISTINCT is allowed in an aggregate only{self.names.context(node.position)}"
            )
        if name in COLLATING:
            return self._collating(node, scope)
        if name in OUTWARD or name in INWARD:
            return self._transformed(node, scope, expect)
        if name in ("COALESCE", "NVL", "ISNULL", "IFNULL", "NULLIF", "GREATEST", "LEAST", "DECODE"):
            return self._choice(node, scope, expect)
        if name == "USER":
            return literal("_SYSTEM")
        function = FUNCTIONS.get(name)
        if function is None:
            raise SqlError(-359, f"User defined SQL function 'SQLUSER.{name}' does not exist")
        count = len(node.arguments)
        if not function.least <= count <= function.most:
            raise SqlError(
                -1,
                f"Invalid SQL statement: {name} does not take {count} arguments{self.names.context(node.position)}",
            )
        return self._function(name, function, node, scope)

    def _function(self, name: str, function: Function, node: nodes.Call, scope: Scope) -> Typed:
        items: list[Typed] = []
        rendered: list[str] = []
        for index, argument in enumerate(node.arguments):
            takes = function.takes[min(index, len(function.takes) - 1)]
            if takes == "u":
                rendered.append("'" + self._unit(argument) + "'")
                continue
            item = self.value(argument, scope, _expected(takes))
            items.append(item)
            rendered.append(self._argument(item, takes, function))
        target, _, first = function.sqlite.partition(":")
        if first:
            rendered.insert(0, f"'{first}'")
        data_type = self._gives(function, items)
        if target.endswith("_"):
            target += SUFFIXES[data_type.kind]
        collation = items[0].collation if function.inherits and items and data_type.kind == TEXT else EXACT
        if target == "iris_concat":
            return Typed(f"({rendered[0]} || {rendered[1]})", data_type)
        return Typed(f"{target}({', '.join(rendered)})", data_type, collation)

    def _argument(self, item: Typed, takes: str, function: Function) -> str:
        if item.type.is_stream and not function.streams:
            raise SqlError(
                -37, f"Scalar, aggregate and unary functions not supported for stream fields: {item.label}"
            )
        if takes == "b":
            return self.rendering.plain(item) if _raw(item) else self.rendering.as_text(item)
        if takes in "tf":
            return self.rendering.as_text(item)
        if takes == "i":
            return self._whole(item)
        if takes == "n":
            return self.rendering.plain(self.number(item))
        if item.kind == POSIXTIME:
            return self.rendering.as_kind(item, "timestamp")
        return self.rendering.plain(item)

    def _whole(self, item: Typed) -> str:
        if item.kind == INTEGER and item.category != PARAMETER:
            return self.rendering.plain(item)
        return f"iris_number_integer({self.rendering.as_kind(item, TEXT)})"

    def _unit(self, node: nodes.Expression) -> str:
        if isinstance(node, nodes.Name) and not node.table:
            return unit_name(node.column)
        if isinstance(node, nodes.Literal) and isinstance(node.value, str):
            return unit_name(node.value)
        raise SqlError(-8, "Invalid date part: a name or a quoted name is required")

    def _gives(self, function: Function, items: list[Typed]) -> SqlType:
        if function.gives in TYPES:
            return TYPES[function.gives]
        kinds = {item.kind for item in items}
        if function.gives == "binary":
            return VARBINARY if items[0].kind in (BINARY, BINARY_STREAM) else VARCHAR
        if DOUBLE in kinds:
            return DOUBLE_TYPE
        if function.gives == "whole":
            return BIGINT if kinds <= {INTEGER, DATE} else NUMERIC
        if function.gives == "number" and kinds <= {INTEGER, DATE}:
            return BIGINT
        return NUMERIC

    # Collation and format ------------------------------------------------------------------

    def _only_argument(self, node: nodes.Call) -> nodes.Expression:
        if len(node.arguments) != 1:
            raise SqlError(
                -1,
                f"Invalid SQL statement: {node.name} takes one argument{self.names.context(node.position)}",
            )
        return node.arguments[0]

    def _collating(self, node: nodes.Call, scope: Scope) -> Typed:
        collation = COLLATING[node.name]
        if collation is None:
            raise not_done(node.name)
        item = self.value(self._only_argument(node), scope, VARCHAR)
        if item.type.is_stream:
            raise SqlError(
                -37, f"Scalar, aggregate and unary functions not supported for stream fields: {item.label}"
            )
        if collation == EXACT:
            if item.category in ("Literal", "HostVar") or item.kind not in (TEXT, LIST):
                return replace(item, collation=EXACT, column=None, label=None)
            return replace(item, collation=EXACT, column=None, label=None, category="Expression")
        sql = self.rendering.as_text(item)
        return Typed(sql, VARCHAR, collation, collated=True)

    def _transformed(self, node: nodes.Call, scope: Scope, expect: SqlType | None) -> Typed:
        item = self.value(self._only_argument(node), scope, expect)
        if item.type.is_stream:
            raise SqlError(
                -37, f"Scalar, aggregate and unary functions not supported for stream fields: {item.label}"
            )
        if node.name in OUTWARD:
            if item.kind not in (DATE, TIME, POSIXTIME, LIST):
                return replace(
                    item, column=None, label=None, category="Expression", sql=self.rendering.plain(item)
                )
            sqlite = "iris_external" if node.name == "%EXTERNAL" else "iris_odbc_out"
            return Typed(f"{sqlite}({self.rendering.plain(item)}, '{item.kind}')", VARCHAR)
        if expect is not None and expect.kind in (DATE, TIME, POSIXTIME, LIST):
            sql = f"iris_odbc_in({self.rendering.as_text(item)}, '{expect.kind}')"
            return Typed(sql, expect)
        return replace(item, column=None, label=None, category="Expression", sql=self.rendering.plain(item))

    # Choices -------------------------------------------------------------------------------

    def _choice(self, node: nodes.Call, scope: Scope, expect: SqlType | None) -> Typed:
        least = {"IFNULL": 2, "NULLIF": 2, "NVL": 2, "ISNULL": 2, "DECODE": 3}.get(node.name, 1)
        most = {"IFNULL": 3, "NULLIF": 2, "NVL": 2, "ISNULL": 2}.get(node.name, 99)
        if not least <= len(node.arguments) <= most:
            raise SqlError(
                -1, f"Invalid SQL statement: {node.name} does not take {len(node.arguments)} arguments"
            )
        if node.name == "DECODE":
            return self._decode(node, scope, expect)
        items = [self.value(argument, scope, expect) for argument in node.arguments]
        if node.name == "NULLIF":
            equal = self.compared("=", items[0], items[1])
            data_type, collation = self.unified(items[:1], expect)
            return Typed(f"CASE WHEN {equal} THEN NULL ELSE {self.rendering.as_kind(items[0], data_type.kind)} END",
                         data_type, collation)  # fmt: skip
        if node.name in ("GREATEST", "LEAST"):
            return self._extreme(node.name, items)
        if node.name == "IFNULL" and len(items) == 3:
            data_type, collation = self.unified(items[1:], expect)
            when, other = (self.rendering.as_kind(item, data_type.kind) for item in items[1:])
            return Typed(f"CASE WHEN {self.rendering.plain(items[0])} IS NULL THEN {when} ELSE {other} END",
                         data_type, collation)  # fmt: skip
        data_type, collation = self.unified(items, expect)
        rendered = [self.rendering.as_kind(item, data_type.kind) for item in items]
        if len(rendered) == 1:
            return Typed(rendered[0], data_type, collation)
        return Typed(f"coalesce({', '.join(rendered)})", data_type, collation)

    def _extreme(self, name: str, items: list[Typed]) -> Typed:
        data_type, collation = self.unified(items)
        rendered = [self.rendering.as_kind(item, data_type.kind) for item in items]
        if len(rendered) == 1:
            return Typed(rendered[0], data_type, collation)
        rendered[0] = with_collation(rendered[0], data_type.kind, collation)
        return Typed(f"{'max' if name == 'GREATEST' else 'min'}({', '.join(rendered)})", data_type, collation)

    def _decode(self, node: nodes.Call, scope: Scope, expect: SqlType | None) -> Typed:
        subject, *rest = node.arguments
        branches = tuple(zip(rest[0::2], rest[1::2], strict=False))
        otherwise = rest[-1] if len(rest) % 2 else None
        return self.value(nodes.Case(subject, branches, otherwise), scope, expect)

    # Aggregates ----------------------------------------------------------------------------

    def _aggregate(self, node: nodes.Call, scope: Scope) -> Typed:
        self.aggregates += 1
        name = node.name
        if node.star:
            return Typed("count(*)", BIGINT, category=AGGREGATE)
        if len(node.arguments) != 1:
            raise SqlError(
                -1, f"Invalid SQL statement: {name} takes one argument{self.names.context(node.position)}"
            )
        before, bare = self.aggregates, self.bare_columns
        item = self.value(node.arguments[0], scope, NUMERIC if name in ("SUM", "AVG") else None)
        self.bare_columns = bare
        if self.aggregates != before:
            raise SqlError(
                -78, f"An aggregate cannot stand inside another{self.names.context(node.position)}"
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
        item = self.number(item)
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

    def _windowed(self, node: nodes.Call, scope: Scope) -> Typed:
        assert node.window is not None
        name = node.name
        if name in WINDOWS and not node.arguments and not node.star:
            sql, data_type = f"{name.lower()}()", BIGINT
        elif name in WINDOW_AGGREGATES and not node.distinct:
            before = self.aggregates
            item = self._aggregate(replace(node, window=None), scope)
            self.aggregates = before
            sql, data_type = item.sql, item.type
        else:
            raise not_done(f"{name} as a window function")
        parts: list[str] = []
        if node.window.partition:
            items = [self.value(item, scope) for item in node.window.partition]
            parts.append("PARTITION BY " + ", ".join(self._sort_key(item) for item in items))
        if node.window.order:
            ordered = [
                self._sort_key(self.value(item.expression, scope)) + (" DESC" if item.descending else "")
                for item in node.window.order
            ]
            parts.append("ORDER BY " + ", ".join(ordered))
        return Typed(f"{sql} OVER ({' '.join(parts)})", data_type)

    def _sort_key(self, item: Typed) -> str:
        if item.type.is_stream:
            raise SqlError(
                -313, f"Invalid operation on a stream field: {item.label or 'stream'} in an ordering"
            )
        sql = item.sql if item.collated else self.rendering.plain(item)
        return with_collation(sql, item.kind, item.collation)


def _raw(item: Typed) -> bool:
    return item.kind in (BINARY, BINARY_STREAM, TEXT, TEXT_STREAM, LIST) and not item.collated


def _expected(takes: str) -> SqlType | None:
    return {"t": VARCHAR, "f": VARCHAR, "b": VARCHAR, "n": NUMERIC, "i": BIGINT, "m": VARCHAR}.get(takes)
