"""Function calls, casts and type names."""

from __future__ import annotations

from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.core.types import TYPE_NAMES

from . import nodes
from .cursor import RESERVED, Cursor
from .lexer import NAME, NUMBER, Token

TYPE_SECOND_WORDS = {
    "DOUBLE": ("PRECISION",),
    "LONG": ("VARCHAR", "BINARY", "RAW"),
    "CHARACTER": ("VARYING",),
}


class CallParser(Cursor):
    """Read what follows a function's name."""

    def call(self, token: Token) -> nodes.Expression:
        position = self.index
        self.enter()
        self.advance()
        self.advance()
        name = token.value
        arguments: tuple[nodes.Expression, ...] = ()
        distinct = star = False
        if self.at_operator("*") and name == "COUNT":
            self.advance()
            star = True
        elif name == "TRIM":
            name, arguments = self._trim()
        elif not self.at_operator(")"):
            distinct = self.accept("DISTINCT")
            if not distinct:
                self.accept("ALL")
            arguments = self._arguments(name)
        self.expect_operator(")")
        self.leave()
        window = self._window() if self.accept("OVER") else None
        return nodes.Call(name, arguments, position, distinct, star, window)

    def _arguments(self, name: str) -> tuple[nodes.Expression, ...]:
        first = self.operand()
        if name == "POSITION" and self.accept("IN"):
            return (first, self.value())
        if name in ("SUBSTRING", "SUBSTR") and self.accept("FROM"):
            start = self.value()
            return (first, start, self.value()) if self.accept("FOR") else (first, start)
        items = [self.as_value(first)]
        while self.accept_operator(","):
            items.append(self.value())
        return tuple(items)

    def _trim(self) -> tuple[str, tuple[nodes.Expression, ...]]:
        side = self.advance().value if self.at_any("BOTH", "LEADING", "TRAILING") else "BOTH"
        name = f"TRIM_{side}"
        if self.accept("FROM"):
            return name, (self.value(),)
        first = self.value()
        if self.accept("FROM"):
            return name, (self.value(), first)
        return name, (first,)

    def _window(self) -> nodes.Window:
        self.expect_operator("(")
        partition: tuple[nodes.Expression, ...] = ()
        if self.accept("PARTITION"):
            self.expect("BY")
            partition = self.values()
        order = self.order_items() if self.accept("ORDER", "BY") else ()
        self.expect_operator(")")
        return nodes.Window(partition, order)

    def cast(self) -> nodes.Expression:
        self.advance()
        self.expect_operator("(")
        operand = self.value()
        self.expect("AS")
        target = self.type_name()
        self.expect_operator(")")
        return nodes.Cast(operand, target)

    def convert(self) -> nodes.Expression:
        self.advance()
        self.expect_operator("(")
        start, parameters = self.index, self.parameters
        if self.token.kind == NAME and self.token.value not in RESERVED:
            target = self._type_or_none()
            if target is not None and self.accept_operator(","):
                operand = self.value()
                style = self.value() if self.accept_operator(",") else None
                self.expect_operator(")")
                return nodes.Cast(operand, target, style)
        self.index, self.parameters = start, parameters
        operand = self.value()
        self.expect_operator(",")
        word = self.identifier("DATA TYPE").upper()
        if not word.startswith("SQL_"):
            raise SqlError(-1, f"Invalid SQL statement: unknown data type {word}{self.context()}")
        self.expect_operator(")")
        return nodes.Cast(operand, nodes.TypeName(word[4:]))

    def _type_or_none(self) -> nodes.TypeName | None:
        following = self.ahead()
        if self.token.value not in TYPE_NAMES:
            return None
        if following.kind == "operator" and following.value in (",", "("):
            if following.value == "(" and self.ahead(2).kind != NUMBER:
                return None
            return self.type_name()
        return None

    def type_name(self) -> nodes.TypeName:
        """Read a data type such as ``NUMERIC(10, 2)``."""
        word = self.token
        if word.kind != NAME or (word.value in RESERVED and word.value != "SET"):
            raise self.unexpected("DATA TYPE")
        self.advance()
        name = word.value
        if self.at_operator(".") and name == "%LIBRARY":
            self.advance()
            name = "%" + self.identifier("DATA TYPE").upper()
        if self.at_any(*TYPE_SECOND_WORDS.get(name, ())):
            name = f"{name} {self.advance().value}"
        arguments: list[int] = []
        if self.accept_operator("("):
            arguments.append(self.integer())
            while self.accept_operator(","):
                arguments.append(self.integer())
            self.expect_operator(")")
        return nodes.TypeName(name, tuple(arguments))

    # Given by the parsers built on this one ------------------------------------------------

    def value(self) -> nodes.Expression:
        """Read a value."""
        raise NotImplementedError

    def values(self) -> tuple[nodes.Expression, ...]:
        """Read values separated by commas."""
        raise NotImplementedError

    def operand(self) -> nodes.Expression:
        """Read a value, or the condition that stands in its place."""
        raise NotImplementedError

    def as_value(self, found: nodes.Expression) -> nodes.Expression:
        """Return a value; raise -12 for a condition."""
        raise NotImplementedError

    def parenthesised_query(self) -> nodes.Query:
        """Read ``( query )``."""
        raise NotImplementedError

    def order_items(self) -> tuple[nodes.OrderItem, ...]:
        """Read the items of ORDER BY."""
        raise NotImplementedError
