"""Conditions: comparisons, patterns, membership and existence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.core.types import BIGINT, DATE, EXACT, POSIXTIME, TEXT, TIME, TIMESTAMP, VARCHAR
from iris_quart.demo.parse import nodes

from .keyset import implied_bound
from .scope import Scope, Source
from .typed import COLUMN, Typed, collation_of, common_kind, same_form, with_collation

if TYPE_CHECKING:
    from .translation import Translation

TESTS = {"%INLIST": "iris_in_list", "%MATCHES": "iris_matches", "%PATTERN": "iris_pattern"}
"""Tests that one SQLite function answers."""
MOMENTS = frozenset({DATE, TIME, TIMESTAMP, POSIXTIME})


class Conditions:
    """Translate conditions to SQLite text."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation
        self.rendering = translation.rendering

    def condition(self, node: nodes.Expression, scope: Scope) -> str:
        """Translate a condition."""
        translate = self._CONDITIONS.get(type(node))
        if translate is None:
            raise SqlError(-14, "A comparison operator is required here")
        return translate(self, node, scope)

    def compared(self, operator: str, left: Typed, right: Typed) -> str:
        """Return a comparison of two values in the kind and collation they share."""
        if left.is_null or right.is_null:
            return "(NULL)"
        kind = common_kind(left, right)
        collation = collation_of(left, right)
        first = with_collation(self.rendering.as_kind(left, kind), kind, collation)
        return f"({first} {operator} {self.rendering.as_kind(right, kind)})"

    def _is_null(self, node: nodes.IsNull, scope: Scope) -> str:
        operand = self.translation.expressions.value(node.operand, scope)
        return f"({self.rendering.plain(operand)} IS {'NOT ' if node.negated else ''}NULL)"

    def _not(self, node: nodes.Not, scope: Scope) -> str:
        self.translation.negations += 1
        text = self.condition(node.operand, scope)
        self.translation.negations -= 1
        return f"(NOT {text})"

    def _exists(self, node: nodes.Exists, scope: Scope) -> str:
        _, sql = self.translation.queries.query(node.query, scope)
        return f"EXISTS ({sql})"

    def _for_some(self, node: nodes.ForSome, scope: Scope) -> str:
        operand = self.translation.expressions.value(node.operand, scope)
        alias = self.translation.alias()
        elements = (
            Typed(f"{alias}.value", VARCHAR, category=COLUMN, label="%VALUE"),
            Typed(f"({alias}.key + 1)", BIGINT, category=COLUMN, label="%KEY"),
        )
        inner = Scope(scope, [Source(alias, node.name or "", None, elements)])
        test = self.condition(node.condition, inner)
        lists = f"json_each(iris_list_json({self.rendering.plain(operand)}))"
        return f"EXISTS (SELECT 1 FROM {lists} AS {alias} WHERE {test})"

    def _logical(self, node: nodes.Logical, scope: Scope) -> str:
        text = _balanced([self.condition(operand, scope) for operand in node.operands], node.operator)
        bound = implied_bound(node) if node.operator == "OR" and not self.translation.negations else None
        if bound is None:
            return text
        operator, column, values = bound
        operand = self.translation.expressions.value(column, scope)
        if not operand.type.is_text and not operand.type.is_number and operand.kind not in MOMENTS:
            return text
        rendered = [
            self.rendering.as_kind(
                self.translation.expressions.value(value, scope, operand.type), operand.kind
            )
            for value in values
        ]
        limit = rendered[0]
        if len(rendered) > 1:
            first = with_collation(rendered[0], operand.kind, operand.collation)
            least = "min" if operator == ">=" else "max"
            limit = f"coalesce({least}({first}, {', '.join(rendered[1:])}), {', '.join(rendered)})"
        sql = with_collation(self.rendering.as_kind(operand, operand.kind), operand.kind, operand.collation)
        return f"({sql} {operator} {limit} AND +{text})"

    def _comparison(self, node: nodes.Comparison, scope: Scope) -> str:
        if node.quantifier is not None:
            return self._quantified(node, scope)
        left = self.translation.expressions.value(node.left, scope)
        right = self.translation.expressions.value(node.right, scope, left.type)
        return self.compared(node.operator, left, right)

    def _quantified(self, node: nodes.Comparison, scope: Scope) -> str:
        assert isinstance(node.right, nodes.Scalar)
        left = self.translation.expressions.value(node.left, scope)
        item, sql = self._only(node.right.query, scope)
        alias = self.translation.alias()
        test = self.compared(node.operator, left, Typed(f"{alias}.c1", item.type, item.collation))
        return f"(SELECT iris_{str(node.quantifier).lower()}({test}) FROM ({sql}) AS {alias})"

    def _only(self, query: nodes.Query, scope: Scope) -> tuple[Typed, str]:
        outputs, sql = self.translation.queries.query(query, scope)
        if len(outputs) != 1:
            raise SqlError(-10, "The SELECT list of the subquery must have exactly one item")
        return outputs[0], sql

    def _between(self, node: nodes.Between, scope: Scope) -> str:
        operand = self.translation.expressions.value(node.operand, scope)
        low = self.compared(">=", operand, self.translation.expressions.value(node.low, scope, operand.type))
        high = self.compared(
            "<=", operand, self.translation.expressions.value(node.high, scope, operand.type)
        )
        return f"{'(NOT ' if node.negated else '('}({low} AND {high}))"

    def _in_list(self, node: nodes.InList, scope: Scope) -> str:
        operand = self.translation.expressions.value(node.operand, scope)
        items = [self.translation.expressions.value(item, scope, operand.type) for item in node.items]
        kinds = {common_kind(operand, item) for item in items if not item.is_null}
        if len(kinds) > 1:
            tests = [self.compared("=", operand, item) for item in items]
            joined = _balanced(tests, "OR")
            return f"(NOT {joined})" if node.negated else joined
        kind = kinds.pop() if kinds else operand.kind
        rendered = ", ".join(self.rendering.as_kind(item, kind) for item in items)
        word = "NOT IN" if node.negated else "IN"
        first = with_collation(self.rendering.as_kind(operand, kind), kind, operand.collation)
        return f"({first} {word} ({rendered}))"

    def _in_query(self, node: nodes.InQuery, scope: Scope) -> str:
        operand = self.translation.expressions.value(node.operand, scope)
        item, sql = self._only(node.query, scope)
        kind = common_kind(operand, item)
        if not same_form(item.kind, kind):
            alias = self.translation.alias()
            sql = f"SELECT {self.rendering.as_kind(Typed(f'{alias}.c1', item.type), kind)} FROM ({sql}) AS {alias}"
        first = with_collation(self.rendering.as_kind(operand, kind), kind, collation_of(operand, item))
        return f"({first} {'NOT IN' if node.negated else 'IN'} ({sql}))"

    def _like(self, node: nodes.Like, scope: Scope) -> str:
        operand = self._text_operand(node.operand, scope)
        pattern = self.rendering.as_text(self.translation.expressions.value(node.pattern, scope, VARCHAR))
        escape = None
        if node.escape is not None:
            escape = self.rendering.as_text(self.translation.expressions.value(node.escape, scope, VARCHAR))
        word = "NOT " if node.negated else ""
        if operand.kind == TEXT and operand.column is not None and operand.column.storage is not None:
            return f"({word}{self._native_like(operand, pattern, escape)})"
        name = "iris_like" if operand.collation == EXACT or operand.collated else "iris_like_upper"
        return f"({word}{name}({self.rendering.as_text(operand)}, {pattern}, {escape or 'NULL'}))"

    def _native_like(self, operand: Typed, pattern: str, escape: str | None) -> str:
        """Return LIKE over a stored column: SQLite's own where it is right, which is ten times faster.

        It is not for texts with a zero byte, where it stops, nor for upper case outside ASCII, which it does not know.
        """
        text = operand.sql
        if operand.collation == EXACT:
            ending = f" ESCAPE {escape}" if escape else ""
            usable = f"instr({text}, char(0)) = 0"
            own = f"iris_like({text}, {pattern}, {escape or 'NULL'})"
            return f"CASE WHEN {usable} THEN {text} LIKE {pattern}{ending} ELSE {own} END"
        ending = f" ESCAPE iris_upper({escape})" if escape else ""
        usable = f"{text} NOT GLOB '*[^ -~]*' AND instr({text}, char(0)) = 0"
        own = f"iris_like_upper({text}, {pattern}, {escape or 'NULL'})"
        return f"CASE WHEN {usable} THEN upper({text}) LIKE iris_upper({pattern}){ending} ELSE {own} END"

    def _text_operand(self, node: nodes.Expression, scope: Scope) -> Typed:
        operand = self.translation.expressions.value(node, scope, VARCHAR)
        if operand.type.is_stream:
            raise SqlError(
                -313, f"Invalid operation on a stream field: {operand.label or 'stream'} in a comparison"
            )
        return operand

    def _text_test(self, node: nodes.TextTest, scope: Scope) -> str:
        operand = self._text_operand(node.operand, scope)
        value = self.rendering.as_text(self.translation.expressions.value(node.value, scope, VARCHAR))
        text = self.rendering.as_text(operand)
        word = "NOT " if node.negated else ""
        if node.operator == "[":
            return f"({word}(instr({text}, {value}) > 0))"
        if node.operator == "]":
            return f"({word}({text} COLLATE BINARY > {value}))"
        function = TESTS.get(node.operator)
        if function is not None:
            folds = int(operand.collation != EXACT and node.operator == "%INLIST")
            return f"({word}{function}({text}, {value}, {folds}))"
        if operand.collation != EXACT and not operand.collated:
            return f"({word}iris_starts_upper({text}, {value}))"
        prefix = f"rtrim(coalesce({value}, ''))"
        text = f"{text} COLLATE BINARY"
        return f"({word}({text} >= {prefix} AND {text} < {prefix} || char(1114111)))"

    _CONDITIONS: ClassVar[dict[type, Callable[[Conditions, Any, Scope], str]]] = {
        nodes.Between: _between,
        nodes.Comparison: _comparison,
        nodes.Exists: _exists,
        nodes.ForSome: _for_some,
        nodes.InList: _in_list,
        nodes.InQuery: _in_query,
        nodes.IsNull: _is_null,
        nodes.Like: _like,
        nodes.Logical: _logical,
        nodes.Not: _not,
        nodes.TextTest: _text_test,
    }
    """How each kind of condition is translated."""


def _balanced(parts: list[str], word: str) -> str:
    """Join many conditions as a balanced tree: SQLite bounds the depth of an expression, not its width."""
    while len(parts) > 1:
        parts = [
            f"({parts[index]} {word} {parts[index + 1]})" if index + 1 < len(parts) else parts[index]
            for index in range(0, len(parts), 2)
        ]
    return parts[0]


__all__ = ["MOMENTS", "TESTS", "Conditions"]
