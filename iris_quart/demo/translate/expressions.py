"""Values: IRIS expressions to typed SQLite text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from iris_quart.demo.catalog.tables import Column, fold, quoted
from iris_quart.demo.core import values
from iris_quart.demo.core.conversions import Value, encode
from iris_quart.demo.core.errors import SqlError, not_done, shortened
from iris_quart.demo.core.types import (
    BIGINT,
    DATE,
    DATE_TYPE,
    DECIMAL,
    DOUBLE,
    DOUBLE_TYPE,
    EXACT,
    INTEGER,
    NUMERIC,
    POSIXTIME,
    TIME_TYPE,
    TIMESTAMP,
    TIMESTAMP_TYPE,
    VARCHAR,
    SqlType,
)
from iris_quart.demo.parse import nodes

from .scope import Found, Names, Scope, Source
from .typed import COLUMN, LITERAL, PARAMETER, SUBQUERY, Typed, constant, literal

if TYPE_CHECKING:
    from .translation import Translation

OPERATORS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "#": "modulo", "\\": "quotient"}
SUFFIXES = {INTEGER: "integer", DECIMAL: "decimal", DOUBLE: "double", DATE: "integer"}
PSEUDO_COLUMNS = frozenset({"%TABLENAME", "%CLASSNAME"})


class Expressions:
    """Translate values."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation
        self.rendering = translation.rendering

    def value(self, node: nodes.Expression, scope: Scope, expect: SqlType | None = None) -> Typed:
        """Translate a value; `expect` is the type of its place, which a parameter takes."""
        translate = self._VALUES.get(type(node))
        if translate is None:
            raise SqlError(-12, "A term expected where a condition or * was found")
        return translate(self, node, scope, expect)

    def _name(self, node: nodes.Name, scope: Scope, _: SqlType | None = None) -> Typed:
        if node.column.upper() in PSEUDO_COLUMNS and not node.delimited:
            return self._pseudo_column(node, scope)
        found = self.translation.names.find(node, scope)
        return self.found(found)

    def _pseudo_column(self, node: nodes.Name, scope: Scope) -> Typed:
        source = next((item for item in scope.sources if item.table is not None), None)
        if source is None or source.table is None:
            raise self.translation.names.missing(node.column, node.position)
        table = source.table
        text = table.full_name if node.column.upper() == "%TABLENAME" else table.class_name
        return replace(literal(text), pseudo=True)

    def found(self, found: Found) -> Typed:
        """Return the typed expression of a resolved name."""
        self.translation.bare_columns += 1
        if found.output is not None:
            return found.output
        assert found.column is not None
        return self.column(found.column, found.source)

    def column(self, column: Column, source: Source) -> Typed:
        """Return a column of a source; a computed one becomes its expression."""
        if column.computed is not None:
            inner = Scope(sources=[source])
            names, self.translation.names = self.translation.names, Names(())
            item = self.value(column.computed, inner, column.type)
            self.translation.names = names
            sql = self.rendering.as_kind(item, column.type.kind)
        else:
            sql = f"{source.alias}.{quoted(column.storage or '')}"
        return Typed(
            sql,
            column.type,
            column.collation,
            COLUMN,
            column.name,
            column=column,
            table=source.table,
            source=source.alias,
        )

    def _arrow(self, node: nodes.Arrow, scope: Scope, _: SqlType | None = None) -> Typed:
        base = node.reference
        item = self._arrow(base, scope) if isinstance(base, nodes.Arrow) else self.value(base, scope)
        column = item.column
        target = (
            self.translation.catalog.by_full_name(column.reference)
            if column is not None and column.reference
            else None
        )
        if column is None or target is None or target.row_id is None:
            context = self.translation.names.context(node.position)
            raise SqlError(
                -68, f"Field '{item.label or ''}' is not a reference: -> cannot follow it{context}"
            )
        owner = _scope_of(scope, item.source)
        key = (item.source, fold(column.name))
        source = owner.arrows.get(key)
        if source is None:
            source = Source(self.translation.alias(), column.name, target)
            owner.arrows[key] = source
            owner.arrow_joins.append(
                f"LEFT JOIN {quoted(target.full_name)} AS {source.alias} ON {source.alias}.{quoted('%ID')} = {item.sql}"
            )
            self.translation.reads.add(target.full_name)
        wanted = target.column(node.column)
        if wanted is None:
            raise self.translation.names.missing(node.column, node.position)
        return self.column(wanted, source)

    def _literal(self, node: nodes.Literal, _: Scope, __: SqlType | None) -> Typed:
        return literal(node.value)

    def _parameter(self, node: nodes.Parameter, _: Scope, expect: SqlType | None) -> Typed:
        return Typed("", expect or VARCHAR, category=PARAMETER, parameter=node.index)

    def _call(self, node: nodes.Call, scope: Scope, expect: SqlType | None) -> Typed:
        return self.translation.functions.call(node, scope, expect)

    def _cast(self, node: nodes.Cast, scope: Scope, _: SqlType | None) -> Typed:
        return self.translation.casts.cast(node, scope)

    def _signed(self, node: nodes.Unary, scope: Scope, _: SqlType | None) -> Typed:
        item = self.number(self.value(node.operand, scope, NUMERIC))
        data_type = _number_type(item)
        if node.operator == "+":
            return Typed(self.rendering.as_kind(item, data_type.kind), data_type)
        return Typed(f"iris_subtract_{SUFFIXES[data_type.kind]}(0, {self.rendering.plain(item)})", data_type)

    def _arithmetic(self, node: nodes.Binary, scope: Scope, _: SqlType | None) -> Typed:
        left = self.number(self.value(node.left, scope, NUMERIC))
        right = self.number(self.value(node.right, scope, NUMERIC))
        if left.kind == DATE and right.category == PARAMETER:
            right = replace(right, type=BIGINT)
        data_type = _result_type(node.operator, left, right)
        name = f"iris_{OPERATORS[node.operator]}_{SUFFIXES[data_type.kind]}"
        return Typed(f"{name}({self.rendering.plain(left)}, {self.rendering.plain(right)})", data_type)

    def number(self, item: Typed) -> Typed:
        """Return an operand of arithmetic; raise for kinds that have none."""
        if item.type.is_stream:
            raise SqlError(
                -37, f"Scalar, aggregate and unary functions not supported for stream fields: {item.label}"
            )
        if item.kind in (TIMESTAMP, POSIXTIME):
            raise not_done("arithmetic on timestamps")
        if item.category == LITERAL and isinstance(item.value, str):
            return literal(values.leading_number(item.value))
        return item

    def _concatenation(self, node: nodes.Concatenation, scope: Scope, _: SqlType | None) -> Typed:
        operands = [self.value(operand, scope, VARCHAR) for operand in node.operands]
        collation = next((item.collation for item in operands if item.column is not None), EXACT)
        if any(item.is_null for item in operands):
            return Typed("NULL", VARCHAR)
        return Typed(
            "(" + " || ".join(self.rendering.as_text(item) for item in operands) + ")", VARCHAR, collation
        )

    def _case(self, node: nodes.Case, scope: Scope, expect: SqlType | None) -> Typed:
        results = [self.value(result, scope, expect) for _, result in node.branches]
        if node.otherwise is not None:
            results.append(self.value(node.otherwise, scope, expect))
        data_type, collation = self.unified(results, expect)
        rendered = [self.rendering.as_kind(item, data_type.kind) for item in results]
        operand = None if node.operand is None else self.value(node.operand, scope)
        parts = ["CASE"]
        for index, (test, _) in enumerate(node.branches):
            if operand is None:
                when = self.translation.conditions.condition(test, scope)
            else:
                when = self.translation.conditions.compared(
                    "=", operand, self.value(test, scope, operand.type)
                )
            parts.append(f"WHEN {when} THEN {rendered[index]}")
        if node.otherwise is not None:
            parts.append(f"ELSE {rendered[-1]}")
        return Typed(" ".join([*parts, "END"]), data_type, collation)

    def unified(self, items: Sequence[Typed], expect: SqlType | None = None) -> tuple[SqlType, str]:
        """Return the type and collation that several results share."""
        for item in items:
            if item.type.is_stream:
                raise SqlError(
                    -37,
                    f"Scalar, aggregate and unary functions not supported for stream fields: {item.label}",
                )
        typed = [item for item in items if not item.is_null and item.category != PARAMETER]
        kinds = {item.kind for item in typed}
        collation = next((item.collation for item in typed if item.category != LITERAL), EXACT)
        if not typed:
            return expect or VARCHAR, EXACT
        if len(kinds) == 1:
            return typed[0].type, collation
        if kinds <= {INTEGER, DECIMAL, DOUBLE}:
            return (DOUBLE_TYPE if DOUBLE in kinds else NUMERIC), EXACT
        return VARCHAR, collation

    def _scalar(self, node: nodes.Scalar, scope: Scope, _: SqlType | None) -> Typed:
        outputs, sql = self.translation.queries.query(node.query, scope)
        if len(outputs) != 1:
            raise SqlError(-10, "The SELECT list of the subquery must have exactly one item")
        item = outputs[0]
        return Typed(f"({sql})", item.type, item.collation, SUBQUERY)

    def _typed_literal(self, node: nodes.TypedLiteral, _: Scope, __: SqlType | None) -> Typed:
        readers: dict[str, tuple[Callable[[str], Value], SqlType]] = {
            "D": (values.date_from_text, DATE_TYPE),
            "T": (values.time_from_text, TIME_TYPE),
            "TS": (values.timestamp_from_text, TIMESTAMP_TYPE),
        }
        reader, data_type = readers[node.kind]
        try:
            value = reader(node.text)
        except ValueError:
            raise bad_moment(node.text, time=node.kind == "T") from None
        return Typed(constant(encode(value, data_type.kind)), data_type)

    _VALUES: ClassVar[dict[type, Callable[[Expressions, Any, Scope, SqlType | None], Typed]]] = {
        nodes.Arrow: _arrow,
        nodes.Binary: _arithmetic,
        nodes.Call: _call,
        nodes.Case: _case,
        nodes.Cast: _cast,
        nodes.Concatenation: _concatenation,
        nodes.Literal: _literal,
        nodes.Name: _name,
        nodes.Parameter: _parameter,
        nodes.Scalar: _scalar,
        nodes.TypedLiteral: _typed_literal,
        nodes.Unary: _signed,
    }
    """How each kind of value is translated."""


def bad_moment(text: str, *, time: bool = False) -> SqlError:
    """Return -146 or -147 for a text that is not a date or time."""
    if time:
        return SqlError(
            -147, f"Unable to convert time input to a valid logical time value: '{shortened(text)}'"
        )
    return SqlError(-146, f"Unable to convert date input to a valid logical date value: '{shortened(text)}'")


def _scope_of(scope: Scope, alias: str) -> Scope:
    at: Scope | None = scope
    while at is not None:
        if any(source.alias == alias for source in (*at.sources, *at.arrows.values())):
            return at
        at = at.outer
    return scope


def _number_type(item: Typed) -> SqlType:
    if item.kind == INTEGER:
        return BIGINT
    return DOUBLE_TYPE if item.kind == DOUBLE else NUMERIC


def _result_type(operator: str, left: Typed, right: Typed) -> SqlType:
    kinds = {left.kind, right.kind}
    if DOUBLE in kinds:
        return DOUBLE_TYPE
    if operator in "+-" and DATE in kinds and kinds <= {DATE, INTEGER}:
        return BIGINT if left.kind == right.kind else DATE_TYPE
    if operator != "/" and kinds <= {INTEGER, DATE}:
        return BIGINT
    return NUMERIC


__all__ = ["SUFFIXES", "Expressions", "bad_moment"]
