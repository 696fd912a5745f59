"""Conditions: comparisons, patterns, membership and existence."""

from __future__ import annotations

from . import nodes
from .errors import SqlError
from .scope import Scope
from .translate_expressions import ExpressionTranslator
from .typed import Typed, collation_of, common_kind, same_form, with_collation
from .types import EXACT, TEXT, VARCHAR


class ConditionTranslator(ExpressionTranslator):
    """Translate conditions to SQLite text."""

    def condition(self, node: nodes.Expression, scope: Scope) -> str:
        """Translate a condition."""
        if isinstance(node, nodes.Comparison):
            return self._comparison(node, scope)
        if isinstance(node, nodes.Logical):
            return _balanced([self.condition(operand, scope) for operand in node.operands], node.operator)
        if isinstance(node, nodes.IsNull):
            operand = self.value(node.operand, scope)
            return f"({self.rendering.plain(operand)} IS {'NOT ' if node.negated else ''}NULL)"
        if isinstance(node, nodes.Not):
            return f"(NOT {self.condition(node.operand, scope)})"
        if isinstance(node, nodes.Like):
            return self._like(node, scope)
        if isinstance(node, nodes.InList):
            return self._in_list(node, scope)
        if isinstance(node, nodes.InQuery):
            return self._in_query(node, scope)
        if isinstance(node, nodes.Between):
            return self._between(node, scope)
        if isinstance(node, nodes.TextTest):
            return self._text_test(node, scope)
        if isinstance(node, nodes.Exists):
            _, sql = self.query(node.query, scope)
            return f"EXISTS ({sql})"
        raise SqlError(-14, "A comparison operator is required here")

    def compared(self, operator: str, left: Typed, right: Typed) -> str:
        """Return a comparison of two values in the kind and collation they share."""
        if left.is_null or right.is_null:
            return "(NULL)"
        kind = common_kind(left, right)
        collation = collation_of(left, right)
        first = with_collation(self.rendering.as_kind(left, kind), kind, collation)
        return f"({first} {operator} {self.rendering.as_kind(right, kind)})"

    def _comparison(self, node: nodes.Comparison, scope: Scope) -> str:
        if node.quantifier is not None:
            return self._quantified(node, scope)
        left = self.value(node.left, scope)
        right = self.value(node.right, scope, left.type)
        return self.compared(node.operator, left, right)

    def _quantified(self, node: nodes.Comparison, scope: Scope) -> str:
        assert isinstance(node.right, nodes.Scalar)
        left = self.value(node.left, scope)
        item, sql = self._only(node.right.query, scope)
        alias = self.alias()
        test = self.compared(node.operator, left, Typed(f"{alias}.c1", item.type, item.collation))
        return f"(SELECT iris_{str(node.quantifier).lower()}({test}) FROM ({sql}) AS {alias})"

    def _only(self, query: nodes.Query, scope: Scope) -> tuple[Typed, str]:
        outputs, sql = self.query(query, scope)
        if len(outputs) != 1:
            raise SqlError(-10, "The SELECT list of the subquery must have exactly one item")
        return outputs[0], sql

    def _between(self, node: nodes.Between, scope: Scope) -> str:
        operand = self.value(node.operand, scope)
        low = self.compared(">=", operand, self.value(node.low, scope, operand.type))
        high = self.compared("<=", operand, self.value(node.high, scope, operand.type))
        return f"{'(NOT ' if node.negated else '('}({low} AND {high}))"

    def _in_list(self, node: nodes.InList, scope: Scope) -> str:
        operand = self.value(node.operand, scope)
        items = [self.value(item, scope, operand.type) for item in node.items]
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
        operand = self.value(node.operand, scope)
        item, sql = self._only(node.query, scope)
        kind = common_kind(operand, item)
        if not same_form(item.kind, kind):
            alias = self.alias()
            sql = f"SELECT {self.rendering.as_kind(Typed(f'{alias}.c1', item.type), kind)} FROM ({sql}) AS {alias}"
        first = with_collation(self.rendering.as_kind(operand, kind), kind, collation_of(operand, item))
        return f"({first} {'NOT IN' if node.negated else 'IN'} ({sql}))"

    def _like(self, node: nodes.Like, scope: Scope) -> str:
        operand = self._text_operand(node.operand, scope)
        pattern = self.value(node.pattern, scope, VARCHAR)
        escape = "NULL"
        if node.escape is not None:
            escape = self.rendering.as_text(self.value(node.escape, scope, VARCHAR))
        name = "iris_like" if operand.collation == EXACT else "iris_like_upper"
        text = self.rendering.as_kind(operand, TEXT)
        word = "NOT " if node.negated else ""
        return f"({word}{name}({text}, {self.rendering.as_text(pattern)}, {escape}))"

    def _text_operand(self, node: nodes.Expression, scope: Scope) -> Typed:
        operand = self.value(node, scope, VARCHAR)
        if operand.type.is_stream:
            raise SqlError(
                -313, f"Invalid operation on a stream field: {operand.label or 'stream'} in a comparison"
            )
        return operand

    def _text_test(self, node: nodes.TextTest, scope: Scope) -> str:
        operand = self._text_operand(node.operand, scope)
        value = self.rendering.as_text(self.value(node.value, scope, VARCHAR))
        text = self.rendering.as_kind(operand, TEXT)
        word = "NOT " if node.negated else ""
        if node.operator == "[":
            return f"({word}(instr({text}, {value}) > 0))"
        if node.operator == "]":
            return f"({word}({text} COLLATE BINARY > {value}))"
        if operand.collation != EXACT:
            return f"({word}iris_starts_upper({text}, {value}))"
        prefix = f"coalesce({value}, '')"
        text = f"{text} COLLATE BINARY"
        return f"({word}({text} >= {prefix} AND {text} < {prefix} || char(1114111)))"


def _balanced(parts: list[str], word: str) -> str:
    """Join many conditions as a balanced tree: SQLite bounds the depth of an expression, not its width."""
    while len(parts) > 1:
        parts = [
            f"({parts[index]} {word} {parts[index + 1]})" if index + 1 < len(parts) else parts[index]
            for index in range(0, len(parts), 2)
        ]
    return parts[0]
