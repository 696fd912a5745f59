"""Set operations, and the end of every query: its order and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.core.types import BIGINT, VARCHAR
from iris_quart.demo.parse import nodes

from .plans import BY_ROW_ID
from .scope import ANSWER, Scope
from .typed import COLUMN, EXPRESSION, Typed, with_collation

if TYPE_CHECKING:
    from .translation import Translation

SHUFFLE_PRIME = 1_000_003


class Sets:
    """Translate set operations."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation
        self.rendering = translation.rendering

    def set_operation(
        self, node: nodes.SetOperation, outer: Scope | None, place: str
    ) -> tuple[tuple[Typed, ...], str]:
        """Translate a UNION; its columns are called c1, c2, ..."""
        left, left_sql = self.translation.queries.query(node.left, outer)
        right, right_sql = self.translation.queries.query(node.right, outer)
        if len(left) != len(right):
            raise SqlError(-9, f"The queries of a {node.operator} have {len(left)} and {len(right)} items")
        types = [
            self.translation.expressions.unified((_value_of(first), _value_of(second)))
            for first, second in zip(left, right, strict=True)
        ]
        sides: list[str] = []
        for outputs, sql in ((left, left_sql), (right, right_sql)):
            alias = self.translation.alias()
            items = []
            for number, (item, (data_type, collation)) in enumerate(zip(outputs, types, strict=True), 1):
                text = self.rendering.as_kind(Typed(f"{alias}.c{number}", item.type), data_type.kind)
                items.append(f"{with_collation(text, data_type.kind, collation)} AS c{number}")
            sides.append(f"SELECT {', '.join(items)} FROM ({sql}) AS {alias}")
        outputs = tuple(
            Typed(f"c{number}", data_type, collation, COLUMN, item.label)
            for number, (item, (data_type, collation)) in enumerate(zip(left, types, strict=True), 1)
        )
        word = f"{node.operator} ALL" if node.every else node.operator
        sql = f"{sides[0]} {word} {sides[1]}"
        alias = self.translation.alias()
        columns = ", ".join(f"{alias}.c{number} AS c{number}" for number in range(1, len(outputs) + 1))
        sql = f"SELECT {columns} FROM ({sql}) AS {alias}"
        order = [self._output_order(item, outputs) for item in node.order]
        if not order and place == ANSWER and not (node.every and self.translation.unordered == BY_ROW_ID):
            order = self.unordered([f"{alias}.c1"])
        return outputs, sql + self.tail(order, node.limit, node.offset)

    def _output_order(self, item: nodes.OrderItem, outputs: tuple[Typed, ...]) -> str:
        number = self.ordinal(item.expression, outputs)
        if number is None:
            raise SqlError(-6, "ORDER BY of a UNION must name an item of its SELECT list, or its number")
        output = outputs[number - 1]
        return f"{number}{collate(output)}{' DESC' if item.descending else ''}"

    def ordinal(self, node: nodes.Expression, outputs: tuple[Typed, ...]) -> int | None:
        """Return the number of the SELECT item that an ORDER BY item names, or None."""
        if isinstance(node, nodes.Literal) and isinstance(node.value, int):
            if not 1 <= node.value <= len(outputs):
                raise SqlError(-5, f"Column number {node.value} in ORDER BY does not match the SELECT list")
            return node.value
        if isinstance(node, nodes.Name) and not node.table:
            for number, item in enumerate(outputs, 1):
                if item.label is not None and item.label.casefold() == node.column.casefold():
                    return number
        return None

    def unordered(self, keys: list[str], *, numeric: bool = False) -> list[str]:
        """Return the order of rows that nobody ordered: forwards, backwards, or scrambled by a seed."""
        seed = self.translation.unordered
        if seed == BY_ROW_ID:
            return keys
        if isinstance(seed, int) and numeric:
            factor = 1 + (seed * 7919 + 104_729) % (SHUFFLE_PRIME - 1)
            return [f"({keys[0]} * {factor}) % {SHUFFLE_PRIME}", f"{keys[0]} DESC"]
        return [f"{key} DESC" for key in keys]

    def tail(self, order: list[str], limit: nodes.Expression | None, offset: nodes.Expression | None) -> str:
        """Return ORDER BY, LIMIT and OFFSET."""
        text = f" ORDER BY {', '.join(order)}" if order else ""
        if limit is not None:
            text += f" LIMIT {self._count(limit)}"
        elif offset is not None:
            text += " LIMIT -1"
        if offset is not None:
            text += f" OFFSET {self._count(offset)}"
        return text

    def _count(self, node: nodes.Expression) -> str:
        return f"max(0, {self.rendering.as_kind(self.translation.expressions.value(node, Scope()), BIGINT.kind)})"


def _value_of(item: Typed) -> Typed:
    return Typed(item.sql, item.type if not item.type.is_stream else VARCHAR, item.collation, EXPRESSION)


def collate(item: Typed) -> str:
    """Return the COLLATE clause of an output column."""
    return with_collation("", item.kind, item.collation)


__all__ = ["SHUFFLE_PRIME", "Sets", "collate"]
