"""Function calls, casts and type names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.core.types import TYPE_NAMES

from . import nodes
from .lexer import NAME, NUMBER, Token
from .words import RESERVED

if TYPE_CHECKING:
    from .grammar import Grammar

TYPE_SECOND_WORDS = {
    "DOUBLE": ("PRECISION",),
    "LONG": ("VARCHAR", "BINARY", "RAW"),
    "CHARACTER": ("VARYING",),
}

BOUNDS = ("PRECEDING", "ROW", "FOLLOWING")
"""Last words of a bound of ROWS, in the order in which a frame may go."""

CONVERTED_LENGTH = 30
"""Characters that CONVERT keeps where its VARCHAR has no length (SQL Reference, CONVERT)."""


class Calls:
    """Read what follows a function's name."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.cursor = grammar.cursor

    def call(self, token: Token) -> nodes.Expression:
        """Read a function call from its name on."""
        position = self.cursor.index
        self.cursor.enter()
        self.cursor.advance()
        self.cursor.advance()
        name = token.value
        arguments: tuple[nodes.Expression, ...] = ()
        distinct = star = False
        if self.cursor.at_operator("*") and name == "COUNT":
            self.cursor.advance()
            star = True
        elif name == "TRIM":
            name, arguments = self._trim()
        elif name in ("JSON_OBJECT", "JSON_ARRAY"):
            arguments, distinct = self._document(pairs=name == "JSON_OBJECT")
        elif name == "XMLELEMENT":
            arguments = self._element()
        elif not self.cursor.at_operator(")"):
            distinct = self.cursor.accept("DISTINCT")
            if not distinct:
                self.cursor.accept("ALL")
            arguments = self._arguments(name)
        self.cursor.expect_operator(")")
        self.cursor.leave()
        window = self._window() if self.cursor.accept("OVER") else None
        return nodes.Call(name, arguments, position, distinct, star, window)

    def qualified(self, name: str, position: int) -> nodes.Call:
        """Read the arguments of a function that is called by schema and name."""
        arguments: tuple[nodes.Expression, ...] = ()
        self.cursor.expect_operator("(")
        if not self.cursor.at_operator(")"):
            arguments = self.grammar.expressions.values()
        self.cursor.expect_operator(")")
        return nodes.Call(name, arguments, position)

    def _arguments(self, name: str) -> tuple[nodes.Expression, ...]:
        first = self.grammar.expressions.operand()
        if name == "POSITION" and self.cursor.accept("IN"):
            return (first, self.grammar.expressions.value())
        if name in ("SUBSTRING", "SUBSTR") and self.cursor.accept("FROM"):
            start = self.grammar.expressions.value()
            return (
                (first, start, self.grammar.expressions.value())
                if self.cursor.accept("FOR")
                else (first, start)
            )
        items = [self.grammar.expressions.as_value(first)]
        while self.cursor.accept_operator(","):
            items.append(self.grammar.expressions.value())
        return tuple(items)

    def _trim(self) -> tuple[str, tuple[nodes.Expression, ...]]:
        side = self.cursor.advance().value if self.cursor.at_any("BOTH", "LEADING", "TRAILING") else "BOTH"
        name = f"TRIM_{side}"
        if self.cursor.accept("FROM"):
            return name, (self.grammar.expressions.value(),)
        first = self.grammar.expressions.value()
        if self.cursor.accept("FROM"):
            return name, (self.grammar.expressions.value(), first)
        return name, (first,)

    def _document(self, *, pairs: bool) -> tuple[tuple[nodes.Expression, ...], bool]:
        """Read the items of JSON_OBJECT or JSON_ARRAY, and whether those that are NULL are left out."""
        value, cursor = self.grammar.expressions.value, self.cursor
        items: list[nodes.Expression] = []
        while not (cursor.at_operator(")") or cursor.at("NULL", "ON") or cursor.at("ABSENT", "ON")):
            if pairs:
                keyed = cursor.accept("KEY")
                items.append(value())
                if not (keyed and cursor.accept("VALUE")):
                    cursor.expect_operator(":")
            items.append(value())
            if not cursor.accept_operator(","):
                break
        absent = cursor.accept("ABSENT", "ON", "NULL")
        if not absent:
            cursor.accept("NULL", "ON", "NULL")
        return tuple(items), absent

    def _element(self) -> tuple[nodes.Expression, ...]:
        """Read the tag of XMLELEMENT and its content."""
        self.cursor.accept("NAME")
        items: list[nodes.Expression] = [nodes.Literal(self.cursor.identifier())]
        while self.cursor.accept_operator(","):
            if self.cursor.at("XMLATTRIBUTES") and self.cursor.at_operator("(", 1):
                items.append(self._attributes())
            else:
                items.append(self.grammar.expressions.value())
        return tuple(items)

    def _attributes(self) -> nodes.Call:
        position = self.cursor.index
        self.cursor.advance()
        self.cursor.advance()
        found: list[nodes.Expression] = []
        while True:
            value = self.grammar.expressions.value()
            name = value.column if isinstance(value, nodes.Name) else ""
            if self.cursor.accept("AS"):
                name = self.cursor.identifier()
            if not name:
                raise self.cursor.unexpected("AS")
            found += [nodes.Literal(name), value]
            if not self.cursor.accept_operator(","):
                break
        self.cursor.expect_operator(")")
        return nodes.Call("XMLATTRIBUTES", tuple(found), position)

    def _window(self) -> nodes.Window:
        self.cursor.expect_operator("(")
        partition: tuple[nodes.Expression, ...] = ()
        if self.cursor.accept("PARTITION"):
            self.cursor.expect("BY")
            partition = self.grammar.expressions.values()
        order = self.grammar.queries.order_items() if self.cursor.accept("ORDER", "BY") else ()
        frame = self._frame() if self.cursor.accept("ROWS") else None
        self.cursor.expect_operator(")")
        return nodes.Window(partition, order, frame)

    def _frame(self) -> tuple[str, str]:
        """Read `start` or `BETWEEN start AND end` after ROWS."""
        if not self.cursor.accept("BETWEEN"):
            return self._bound(("PRECEDING",)), "CURRENT ROW"
        start = self._bound(("PRECEDING", "FOLLOWING"))
        self.cursor.expect("AND")
        end = self._bound(("PRECEDING", "FOLLOWING"))
        if BOUNDS.index(start.split()[-1]) > BOUNDS.index(end.split()[-1]) or (
            start == "UNBOUNDED FOLLOWING" or end == "UNBOUNDED PRECEDING"
        ):
            raise SqlError(-1, f"Invalid SQL statement: ROWS ends before it starts{self.cursor.context()}")
        return start, end

    def _bound(self, directions: tuple[str, ...]) -> str:
        if self.cursor.accept("CURRENT"):
            self.cursor.expect("ROW")
            return "CURRENT ROW"
        distance = "UNBOUNDED" if self.cursor.accept("UNBOUNDED") else str(self._distance())
        for direction in directions:
            if self.cursor.accept(direction):
                return f"{distance} {direction}"
        raise self.cursor.unexpected(directions[0])

    def _distance(self) -> int:
        if self.cursor.at_operator("-"):
            raise self.cursor.unexpected("NUMBER")
        return self.cursor.integer()

    def cast(self) -> nodes.Expression:
        """Read `CAST(x AS type)`."""
        self.cursor.advance()
        self.cursor.expect_operator("(")
        operand = self.grammar.expressions.value()
        self.cursor.expect("AS")
        target = self.type_name()
        self.cursor.expect_operator(")")
        return nodes.Cast(operand, target)

    def convert(self) -> nodes.Expression:
        """Read `CONVERT(type, x [, style])` or `CONVERT(x, SQL_TYPE)`."""
        self.cursor.advance()
        self.cursor.expect_operator("(")
        start, parameters = self.cursor.index, self.cursor.parameters
        if self.cursor.token.kind == NAME and self.cursor.token.value not in RESERVED:
            target = self._type_or_none()
            if target is not None and self.cursor.accept_operator(","):
                operand = self.grammar.expressions.value()
                style = self.grammar.expressions.value() if self.cursor.accept_operator(",") else None
                self.cursor.expect_operator(")")
                if target.name in ("VARCHAR", "CHAR") and not target.arguments:
                    target = nodes.TypeName(target.name, (CONVERTED_LENGTH,))
                return nodes.Cast(operand, target, style)
        self.cursor.index, self.cursor.parameters = start, parameters
        operand = self.grammar.expressions.value()
        self.cursor.expect_operator(",")
        word = self.cursor.identifier("DATA TYPE").upper()
        if not word.startswith("SQL_"):
            raise SqlError(-1, f"Invalid SQL statement: unknown data type {word}{self.cursor.context()}")
        self.cursor.expect_operator(")")
        return nodes.Cast(operand, nodes.TypeName(word[4:]))

    def _type_or_none(self) -> nodes.TypeName | None:
        following = self.cursor.ahead()
        if self.cursor.token.value not in TYPE_NAMES:
            return None
        if following.kind == "operator" and following.value in (",", "("):
            if following.value == "(" and self.cursor.ahead(2).kind != NUMBER:
                return None
            return self.type_name()
        return None

    def type_name(self) -> nodes.TypeName:
        """Read a data type such as `NUMERIC(10, 2)`."""
        word = self.cursor.token
        if word.kind != NAME or (word.value in RESERVED and word.value != "SET"):
            raise self.cursor.unexpected("DATA TYPE")
        self.cursor.advance()
        name = word.value
        if self.cursor.at_operator(".") and name == "%LIBRARY":
            self.cursor.advance()
            name = "%" + self.cursor.identifier("DATA TYPE").upper()
        if self.cursor.at_any(*TYPE_SECOND_WORDS.get(name, ())):
            name = f"{name} {self.cursor.advance().value}"
        arguments: list[int] = []
        if self.cursor.accept_operator("("):
            arguments.append(self.cursor.integer())
            while self.cursor.accept_operator(","):
                arguments.append(self.cursor.integer())
            self.cursor.expect_operator(")")
        return nodes.TypeName(name, tuple(arguments))


__all__ = ["CONVERTED_LENGTH", "TYPE_SECOND_WORDS", "Calls"]
