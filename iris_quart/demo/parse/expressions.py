"""Expressions and conditions: one loop over binding powers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from iris_quart.demo.core.errors import SqlError

from . import nodes
from .lexer import DELIMITED, NAME, NUMBER, STRING
from .numbers import number
from .words import RESERVED

if TYPE_CHECKING:
    from .grammar import Grammar
    from .lexer import Token

OR, AND, NOT, COMPARE, CONCATENATE, ADD, MULTIPLY, SIGN = range(1, 9)
COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
ARITHMETIC = {"+": ADD, "-": ADD, "*": MULTIPLY, "/": MULTIPLY, "#": MULTIPLY, "\\": MULTIPLY}
PREFIX_COLLATIONS = frozenset(
    {
        "%EXACT",
        "%SQLUPPER",
        "%SQLSTRING",
        "%UPPER",
        "%ALPHAUP",
        "%STRING",
        "%TRUNCATE",
        "%MVR",
        "%PLUS",
        "%MINUS",
    }
)
NO_TERMS = frozenset({"CURRENT_USER", "SESSION_USER", "SYSTEM_USER"})
"""Words that begin no value (-12 was seen for the first two)."""
SPECIAL_VARIABLES = frozenset(
    {"$HOROLOG", "$H", "$JOB", "$J", "$NAMESPACE", "$USERNAME", "$ZVERSION", "$ZV", "$ZTIMESTAMP", "$ZTS"}
)
WITHOUT_PARENTHESES = SPECIAL_VARIABLES | frozenset(
    {"CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "SYSDATE", "USER"}
)
UNSUPPORTED_TESTS = frozenset({"%CONTAINS", "%INSET", "%FIND", "%CONTAINSTERM"})


class Expressions:
    """Read values and conditions."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.cursor = grammar.cursor

    def value(self) -> nodes.Expression:
        """Read a value; raise -1 where a condition stands instead."""
        start = self.cursor.index
        found = self.expression(CONCATENATE)
        if isinstance(found, nodes.Condition):
            self.cursor.index = start
            raise self.cursor.no_term()
        return found

    def condition(self) -> nodes.Expression:
        """Read a condition; raise -14 where only a value stands."""
        return self._as_condition(self.expression(OR))

    def expression(self, power: int) -> nodes.Expression:
        """Read an expression whose operators bind at least as tightly as `power`."""
        left = self._operand(power)
        while True:
            token = self.cursor.token
            if token.kind == NAME:
                if token.value in ("AND", "OR"):
                    binding = AND if token.value == "AND" else OR
                    if power > binding:
                        return left
                    left = self._logical(token.value, binding, left)
                elif power <= COMPARE and (token.value in ("IS", "NOT") or token.value in self._TESTS):
                    left = self._word_test(self.as_value(left))
                elif power <= COMPARE and token.value in UNSUPPORTED_TESTS:
                    raise SqlError(
                        -1,
                        f"Invalid SQL statement: {token.value} is not supported here{self.cursor.context()}",
                    )
                else:
                    return left
            elif token.value in COMPARISONS and token.kind == "operator":
                if power > COMPARE:
                    return left
                left = self._comparison(self.as_value(left))
            elif token.kind == "operator" and token.value in ("[", "]"):
                if power > COMPARE:
                    return left
                self.cursor.advance()
                left = nodes.TextTest(
                    token.value, self.as_value(left), self.expression(CONCATENATE), negated=False
                )
            elif token.kind == "operator" and token.value == "||":
                if power > CONCATENATE:
                    return left
                left = self._concatenation(self.as_value(left))
            elif token.kind == "operator" and token.value in ARITHMETIC:
                binding = ARITHMETIC[token.value]
                if power > binding:
                    return left
                self.cursor.advance()
                right = self.as_value(self.expression(binding + 1))
                left = nodes.Binary(token.value, self.as_value(left), right)
            else:
                return left

    def _logical(self, word: str, binding: int, left: nodes.Expression) -> nodes.Expression:
        operands = [self._as_condition(left)]
        while self.cursor.accept(word):
            operands.append(self._as_condition(self.expression(binding + 1)))
        return nodes.Logical(word, tuple(operands))

    def _concatenation(self, left: nodes.Expression) -> nodes.Expression:
        operands = [left]
        while self.cursor.accept_operator("||"):
            operands.append(self.as_value(self.expression(CONCATENATE + 1)))
        return nodes.Concatenation(tuple(operands))

    def _as_condition(self, found: nodes.Expression) -> nodes.Expression:
        if isinstance(found, nodes.Condition):
            return found
        raise SqlError(-14, f"A comparison operator is required here{self.cursor.context()}")

    def operand(self) -> nodes.Expression:
        """Read a value, or the condition that stands in its place."""
        return self.expression(CONCATENATE)

    def as_value(self, found: nodes.Expression) -> nodes.Expression:
        """Return a value; raise -12 for a condition."""
        if isinstance(found, nodes.Condition):
            raise self.cursor.no_term()
        return found

    def _comparison(self, left: nodes.Expression) -> nodes.Expression:
        operator = COMPARISONS[self.cursor.advance().value]
        if self.cursor.at_any("ALL", "ANY", "SOME") and self.cursor.at_operator("(", 1):
            quantifier = "ALL" if self.cursor.advance().value == "ALL" else "ANY"
            return nodes.Comparison(
                operator, left, nodes.Scalar(self.grammar.queries.parenthesised_query()), quantifier
            )
        return nodes.Comparison(operator, left, self.as_value(self.expression(CONCATENATE)))

    def _word_test(self, left: nodes.Expression) -> nodes.Expression:
        if self.cursor.accept("IS"):
            negated = self.cursor.accept("NOT")
            self.cursor.expect("NULL")
            return nodes.IsNull(left, negated)
        negated = self.cursor.accept("NOT")
        if negated and self.cursor.at_operator("["):
            return self._text_test(left, negated)
        read = self._TESTS.get(self.cursor.token.value) if self.cursor.token.kind == NAME else None
        if read is None:
            raise SqlError(-14, f"A comparison operator is required here{self.cursor.context()}")
        return read(self, left, negated)

    def _like(self, left: nodes.Expression, negated: bool) -> nodes.Expression:
        self.cursor.advance()
        pattern = self.as_value(self.expression(CONCATENATE))
        escape = None
        if self.cursor.accept("ESCAPE"):
            escape = self.as_value(self.expression(CONCATENATE))
        elif self.cursor.at_operator("{") and self.cursor.ahead().value == "ESCAPE":
            self.cursor.advance()
            self.cursor.advance()
            escape = self.as_value(self.expression(CONCATENATE))
            self.cursor.expect_operator("}")
        return nodes.Like(left, pattern, escape, negated)

    def _between(self, left: nodes.Expression, negated: bool) -> nodes.Expression:
        self.cursor.advance()
        low = self.as_value(self.expression(CONCATENATE))
        self.cursor.expect("AND")
        return nodes.Between(left, low, self.as_value(self.expression(CONCATENATE)), negated)

    def _text_test(self, left: nodes.Expression, negated: bool) -> nodes.Expression:
        operator = self.cursor.advance().value
        found = nodes.TextTest(operator, left, self.as_value(self.expression(CONCATENATE)), negated)
        if operator == "%INLIST" and self.cursor.accept("SIZE"):
            self.cursor.expect_operator("(")
            self.cursor.expect_operator("(")
            self.cursor.integer()
            self.cursor.expect_operator(")")
            self.cursor.expect_operator(")")
        return found

    def _for_some(self) -> nodes.Expression:
        """Read `FOR SOME %ELEMENT(list) [[AS] name] (condition)` after its first two words."""
        self.cursor.expect("%ELEMENT")
        self.cursor.expect_operator("(")
        operand = self.value()
        self.cursor.expect_operator(")")
        self.cursor.accept("AS")
        name = None if self.cursor.at_operator("(") else self.cursor.identifier()
        self.cursor.enter()
        self.cursor.expect_operator("(")
        condition = self.condition()
        self.cursor.expect_operator(")")
        self.cursor.leave()
        return nodes.ForSome(operand, name, condition)

    def _membership(self, left: nodes.Expression, negated: bool) -> nodes.Expression:
        self.cursor.advance()
        if (
            self.cursor.at_operator("(")
            and self.cursor.ahead().kind == NAME
            and self.cursor.ahead().value in ("SELECT", "WITH")
        ):
            return nodes.InQuery(left, self.grammar.queries.parenthesised_query(), negated)
        self.cursor.expect_operator("(")
        items = self.values()
        self.cursor.expect_operator(")")
        return nodes.InList(left, items, negated)

    def values(self) -> tuple[nodes.Expression, ...]:
        """Read values separated by commas."""
        items = [self.value()]
        while self.cursor.accept_operator(","):
            items.append(self.value())
        return tuple(items)

    def _operand(self, power: int) -> nodes.Expression:
        token = self.cursor.token
        if token.kind == NUMBER:
            self.cursor.advance()
            return nodes.Literal(number(token.text))
        if token.kind == STRING:
            self.cursor.advance()
            return nodes.Literal(token.value)
        if token.kind == DELIMITED:
            return self._name()
        if token.kind == NAME:
            return self._word(token, power)
        if token.value == "(":
            return self._parenthesised()
        if token.value == "?":
            self.cursor.advance()
            self.cursor.parameters += 1
            return nodes.Parameter(self.cursor.parameters - 1)
        if token.value in ("+", "-"):
            return self._signed()
        if token.value == "{":
            return self._braces()
        raise self.cursor.no_term()

    def _signed(self) -> nodes.Expression:
        negative = False
        while self.cursor.token.kind == "operator" and self.cursor.token.value in ("+", "-"):
            negative ^= self.cursor.advance().value == "-"
        operand = self.as_value(self.expression(SIGN))
        if isinstance(operand, nodes.Literal) and isinstance(operand.value, (int, Decimal, float)):
            return nodes.Literal(-operand.value if negative else operand.value)
        return nodes.Unary("-" if negative else "+", operand)

    def _parenthesised(self) -> nodes.Expression:
        following = self.cursor.ahead()
        if following.kind == NAME and following.value in ("SELECT", "WITH"):
            return nodes.Scalar(self.grammar.queries.parenthesised_query())
        self.cursor.enter()
        self.cursor.advance()
        inner = self.expression(OR)
        self.cursor.expect_operator(")")
        self.cursor.leave()
        return inner

    def _braces(self) -> nodes.Expression:
        self.cursor.advance()
        word = self.cursor.token
        if word.kind != NAME:
            raise SqlError(-51, f" An SQL statement expected, {{ found{self.cursor.context()}")
        self.cursor.advance()
        if word.value in ("D", "T", "TS"):
            text = self.cursor.string()
            self.cursor.expect_operator("}")
            return nodes.TypedLiteral(word.value, text)
        if word.value == "FN":
            self.cursor.enter()
            inner = self.value()
            self.cursor.leave()
            self.cursor.expect_operator("}")
            return inner
        raise self.cursor.unexpected("D, T, TS or FN")

    def _word(self, token: Token, power: int) -> nodes.Expression:
        word = token.value
        calls = self.cursor.at_operator("(", 1)
        if word == "NOT" and power <= NOT:
            self.cursor.advance()
            self.cursor.enter()
            operand = self._as_condition(self.expression(NOT))
            self.cursor.leave()
            return nodes.Not(operand)
        if word == "NULL":
            self.cursor.advance()
            return nodes.Literal(None)
        if word == "EXISTS" and calls:
            self.cursor.advance()
            return nodes.Exists(self.grammar.queries.parenthesised_query())
        if word == "FOR" and self.cursor.accept("FOR", "SOME"):
            return self._for_some()
        if word == "CASE":
            return self._case()
        if word in ("CAST", "CONVERT") and calls:
            self.cursor.enter()
            found = self.grammar.calls.cast() if word == "CAST" else self.grammar.calls.convert()
            self.cursor.leave()
            return found
        if word in PREFIX_COLLATIONS and not calls:
            self.cursor.advance()
            return nodes.Call(word, (self.as_value(self.expression(SIGN)),), self.cursor.index)
        if word in WITHOUT_PARENTHESES and not calls and not self.cursor.at_operator(".", 1):
            self.cursor.advance()
            return nodes.Call(word, (), self.cursor.index - 1)
        if calls and (word not in RESERVED or word in ("LEFT", "RIGHT", "DEFAULT")):
            return self.grammar.calls.call(token)
        if word in RESERVED or (word in NO_TERMS and not self.cursor.at_operator(".", 1)):
            raise self.cursor.no_term()
        return self._name()

    def _name(self) -> nodes.Expression:
        position = self.cursor.index
        parts = [self.cursor.advance()]
        while self.cursor.at_operator(".") and self.cursor.ahead().kind in (NAME, DELIMITED):
            self.cursor.advance()
            parts.append(self.cursor.advance())
        if len(parts) > 3:
            raise SqlError(
                -23,
                f"Label '{parts[0].text.upper()}' is not listed among the applicable tables{self.cursor.context()}",
            )
        if len(parts) == 2 and self.cursor.at_operator("("):
            return self.grammar.calls.qualified(f"{parts[0].value}.{parts[1].value}".upper(), position)
        names = [part.value if part.kind == DELIMITED else part.text for part in parts]
        found: nodes.Expression = nodes.Name(
            names[-1], tuple(names[:-1]), parts[-1].kind == DELIMITED, position
        )
        while self.cursor.at_operator("->"):
            self.cursor.advance()
            found = nodes.Arrow(found, self.cursor.identifier(), self.cursor.index - 1)
        return found

    def _case(self) -> nodes.Expression:
        self.cursor.enter()
        self.cursor.advance()
        operand = None if self.cursor.at("WHEN") else self.value()
        branches: list[tuple[nodes.Expression, nodes.Expression]] = []
        while self.cursor.accept("WHEN"):
            test = self.condition() if operand is None else self.value()
            self.cursor.expect("THEN")
            branches.append((test, self.value()))
        if not branches:
            raise self.cursor.unexpected("WHEN")
        otherwise = self.value() if self.cursor.accept("ELSE") else None
        self.cursor.expect("END")
        self.cursor.leave()
        return nodes.Case(operand, tuple(branches), otherwise)

    _TESTS: ClassVar[dict[str, Callable[[Expressions, nodes.Expression, bool], nodes.Expression]]] = {
        "BETWEEN": _between,
        "IN": _membership,
        "LIKE": _like,
        "%INLIST": _text_test,
        "%MATCHES": _text_test,
        "%PATTERN": _text_test,
        "%STARTSWITH": _text_test,
    }
    """What reads a test after its left side, by its word."""


__all__ = [
    "ARITHMETIC",
    "COMPARISONS",
    "NO_TERMS",
    "PREFIX_COLLATIONS",
    "SPECIAL_VARIABLES",
    "UNSUPPORTED_TESTS",
    "WITHOUT_PARENTHESES",
    "Expressions",
]
