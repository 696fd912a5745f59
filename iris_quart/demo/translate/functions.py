"""Functions, casts and aggregates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

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
from iris_quart.demo.functions.signatures import TYPES, Function
from iris_quart.demo.functions.table import SQL_FUNCTIONS
from iris_quart.demo.parse import nodes
from iris_quart.demo.parse.cursor import TERM_EXPECTED

from .aggregates import AGGREGATES
from .expressions import SUFFIXES
from .scope import Scope
from .typed import PARAMETER, Typed, constant, document_kind, with_collation

if TYPE_CHECKING:
    from .translation import Translation

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
CHOICES = ("COALESCE", "NVL", "ISNULL", "IFNULL", "NULLIF", "GREATEST", "LEAST", "DECODE")
DOCUMENTS = frozenset({"JSON_ARRAY", "JSON_OBJECT"})
"""Calls whose `distinct` says that NULL is left out."""
OUTWARD = frozenset({"%ODBCOUT", "%EXTERNAL"})
INWARD = frozenset({"%ODBCIN", "%INTERNAL"})


class Functions:
    """Translate calls."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation
        self.rendering = translation.rendering

    def call(self, node: nodes.Call, scope: Scope, expect: SqlType | None) -> Typed:
        """Translate a function call; raise -359 for an unknown one (text seen in the wild)."""
        name = node.name
        if node.window is not None:
            return self.translation.aggregations.windowed(node, scope)
        if name in AGGREGATES:
            return self.translation.aggregations.aggregate(node, scope)
        if node.distinct and name not in DOCUMENTS:
            raise SqlError(
                -12,
                f"DISTINCT is allowed in an aggregate only{self.translation.names.context(node.position)}",
            )
        special = self._SPECIAL.get(name)
        if special is not None:
            return special(self, node, scope, expect)
        function = SQL_FUNCTIONS.get(name)
        if function is None and name.startswith("$"):
            raise SqlError(-12, f"{TERM_EXPECTED}{self.translation.names.context(node.position - 1)} $")
        if function is None:
            raise SqlError(
                -359,
                f" User defined SQL function '{name if '.' in name else f'SQLUSER.{name}'}' does not exist",
            )
        count = len(node.arguments)
        if not function.least <= count <= function.most:
            raise SqlError(
                -1,
                f"Invalid SQL statement: {name} does not take {count} arguments"
                f"{self.translation.names.context(node.position)}",
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
            item = self.translation.expressions.value(argument, scope, _expected(takes))
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
            return self.rendering.plain(self.translation.expressions.number(item))
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

    def _only_argument(self, node: nodes.Call) -> nodes.Expression:
        if len(node.arguments) != 1:
            raise SqlError(
                -1,
                f"Invalid SQL statement: {node.name} takes one argument{self.translation.names.context(node.position)}",
            )
        return node.arguments[0]

    def _collating(self, node: nodes.Call, scope: Scope, _: SqlType | None) -> Typed:
        collation = COLLATING[node.name]
        if collation is None:
            raise not_done(node.name)
        item = self.translation.expressions.value(self._only_argument(node), scope, VARCHAR)
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
        item = self.translation.expressions.value(self._only_argument(node), scope, expect)
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

    def _choice(self, node: nodes.Call, scope: Scope, expect: SqlType | None) -> Typed:
        least = {"IFNULL": 2, "NULLIF": 2, "NVL": 2, "ISNULL": 2, "DECODE": 3}.get(node.name, 1)
        most = {"IFNULL": 3, "NULLIF": 2, "NVL": 2, "ISNULL": 2}.get(node.name, 99)
        if not least <= len(node.arguments) <= most:
            raise SqlError(
                -1, f"Invalid SQL statement: {node.name} does not take {len(node.arguments)} arguments"
            )
        if node.name == "DECODE":
            return self._decode(node, scope, expect)
        items = [self.translation.expressions.value(argument, scope, expect) for argument in node.arguments]
        if node.name == "NULLIF":
            equal = self.translation.conditions.compared("=", items[0], items[1])
            data_type, collation = self.translation.expressions.unified(items[:1], expect)
            return Typed(f"CASE WHEN {equal} THEN NULL ELSE {self.rendering.as_kind(items[0], data_type.kind)} END",
                         data_type, collation)  # fmt: skip
        if node.name in ("GREATEST", "LEAST"):
            return self._extreme(node.name, items)
        if node.name == "IFNULL" and len(items) == 3:
            data_type, collation = self.translation.expressions.unified(items[1:], expect)
            when, other = (self.rendering.as_kind(item, data_type.kind) for item in items[1:])
            return Typed(f"CASE WHEN {self.rendering.plain(items[0])} IS NULL THEN {when} ELSE {other} END",
                         data_type, collation)  # fmt: skip
        data_type, collation = self.translation.expressions.unified(items, expect)
        rendered = [self.rendering.as_kind(item, data_type.kind) for item in items]
        if len(rendered) == 1:
            return Typed(rendered[0], data_type, collation)
        return Typed(f"coalesce({', '.join(rendered)})", data_type, collation)

    def _extreme(self, name: str, items: list[Typed]) -> Typed:
        data_type, collation = self.translation.expressions.unified(items)
        rendered = [self.rendering.as_kind(item, data_type.kind) for item in items]
        if len(rendered) == 1:
            return Typed(rendered[0], data_type, collation)
        rendered[0] = with_collation(rendered[0], data_type.kind, collation)
        return Typed(f"{'max' if name == 'GREATEST' else 'min'}({', '.join(rendered)})", data_type, collation)

    def _decode(self, node: nodes.Call, scope: Scope, expect: SqlType | None) -> Typed:
        subject, *rest = node.arguments
        branches = tuple(zip(rest[0::2], rest[1::2], strict=False))
        otherwise = rest[-1] if len(rest) % 2 else None
        return self.translation.expressions.value(nodes.Case(subject, branches, otherwise), scope, expect)

    def _json_object(self, node: nodes.Call, scope: Scope, _: SqlType | None) -> Typed:
        items = [self.translation.expressions.value(item, scope, VARCHAR) for item in node.arguments]
        if len(items) % 2:
            raise SqlError(-1, "Invalid SQL statement: JSON_OBJECT takes pairs of a key and a value")
        kinds = "".join(map(document_kind, items[1::2]))
        return self._document("iris_json_object", int(node.distinct), f"'{kinds}'", items)

    def _json_array(self, node: nodes.Call, scope: Scope, _: SqlType | None) -> Typed:
        items = [self.translation.expressions.value(item, scope, VARCHAR) for item in node.arguments]
        kinds = "".join(map(document_kind, items))
        return self._document("iris_json_array", int(node.distinct), f"'{kinds}'", items)

    def _xml_element(self, node: nodes.Call, scope: Scope, _: SqlType | None) -> Typed:
        tag, *content = node.arguments
        assert isinstance(tag, nodes.Literal)
        rendered: list[str] = []
        count = 0
        for item in content:
            if isinstance(item, nodes.Call) and item.name == "XMLATTRIBUTES":
                for name, value in zip(item.arguments[0::2], item.arguments[1::2], strict=True):
                    assert isinstance(name, nodes.Literal)
                    rendered[2 * count : 2 * count] = [
                        constant(str(name.value)),
                        self.rendering.as_text(self.translation.expressions.value(value, scope, VARCHAR)),
                    ]
                    count += 1
                continue
            found = self.translation.expressions.value(item, scope, VARCHAR)
            rendered += [f"'{document_kind(found)}'", self.rendering.as_text(found)]
        arguments = ", ".join([constant(str(tag.value)), str(count), *rendered])
        return Typed(f"iris_xml_element({arguments})", VARCHAR, document=True)

    def _xml_concat(self, node: nodes.Call, scope: Scope, _: SqlType | None) -> Typed:
        items = [self.translation.expressions.value(item, scope, VARCHAR) for item in node.arguments]
        texts = " || ".join(f"coalesce({self.rendering.as_text(item)}, '')" for item in items)
        return Typed(f"({texts})", VARCHAR, document=True)

    def _document(self, function: str, absent: int, kinds: str, items: list[Typed]) -> Typed:
        texts = [self.rendering.as_text(item) for item in items]
        return Typed(f"{function}({', '.join([str(absent), kinds, *texts])})", VARCHAR, document=True)

    _SPECIAL: ClassVar[dict[str, Callable[[Functions, nodes.Call, Scope, SqlType | None], Typed]]] = {
        **dict.fromkeys(COLLATING, _collating),
        **dict.fromkeys(OUTWARD | INWARD, _transformed),
        **dict.fromkeys(CHOICES, _choice),
        "JSON_ARRAY": _json_array,
        "JSON_OBJECT": _json_object,
        "XMLELEMENT": _xml_element,
        "XMLCONCAT": _xml_concat,
    }
    """Functions that are more than a call of one SQLite function, by name."""


def _raw(item: Typed) -> bool:
    return item.kind in (BINARY, BINARY_STREAM, TEXT, TEXT_STREAM, LIST) and not item.collated


def _expected(takes: str) -> SqlType | None:
    return {"t": VARCHAR, "f": VARCHAR, "b": VARCHAR, "n": NUMERIC, "i": BIGINT, "m": VARCHAR}.get(takes)


__all__ = ["CHOICES", "COLLATING", "DOCUMENTS", "INWARD", "OUTWARD", "Functions"]
