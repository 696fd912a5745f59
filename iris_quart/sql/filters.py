"""Filters and quick search: conditions whose text depends on columns and operators, never on values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from iris_quart.errors import InvalidInput

from .metadata import Column, Table
from .values import Category, Fragment, Parameter, Wire, compared, number_text, parse

__all__ = ["Filter", "Operator", "compile_filter", "compile_where", "make_filter"]

VALUES_MAX = 100
"""Most values of one `in`."""
PARAMETERS_MAX = 190
"""IRIS always takes 200 parameters (InterSystems SQL Reference, %SQL.Statement); paging needs some of them."""
SEARCH_MAX = 200


class Operator(StrEnum):
    """Operator between a column and the values of a filter."""

    EQUALS = "equals"
    NOT_EQUALS = "notEquals"
    CONTAINS = "contains"
    STARTS_WITH = "startsWith"
    ENDS_WITH = "endsWith"
    GREATER = "greater"
    GREATER_OR_EQUAL = "greaterOrEqual"
    LESS = "less"
    LESS_OR_EQUAL = "lessOrEqual"
    BETWEEN = "between"
    IN = "in"
    IS_NULL = "isNull"
    IS_NOT_NULL = "isNotNull"
    IS_EMPTY = "isEmpty"


PARTIAL = {Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH, None}
ORDERED = {
    Operator.GREATER: ">",
    Operator.GREATER_OR_EQUAL: ">=",
    Operator.LESS: "<",
    Operator.LESS_OR_EQUAL: "<=",
}
WITHOUT_VALUE = {Operator.IS_NULL, Operator.IS_NOT_NULL, Operator.IS_EMPTY}
STREAM_OPERATORS = {Operator.IS_NULL, Operator.IS_NOT_NULL, Operator.IS_EMPTY, Operator.STARTS_WITH}
OPERATORS = {
    Category.LONG_TEXT: STREAM_OPERATORS,
    Category.BINARY: {Operator.IS_NULL, Operator.IS_NOT_NULL},
    Category.LONG_BINARY: {Operator.IS_NULL, Operator.IS_NOT_NULL},
    Category.LIST: {Operator.IS_NULL, Operator.IS_NOT_NULL, Operator.CONTAINS},
}


@dataclass(frozen=True, slots=True)
class Filter:
    """A column, how it is compared and with what; values fit the column's type.

    Without an operator the value is a pattern with * and ?.
    """

    column: Column
    operator: Operator | None
    values: tuple[Wire, ...] = ()
    match_case: bool = False
    group: int | None = None
    """Filters of one group are alternatives: a row has to meet one of them."""


def make_filter(
    table: Table,
    column: str,
    operator: Operator | None,
    value: Any,
    *,
    match_case: bool = False,
    group: int | None = None,
    field: str = "filters",
) -> Filter | None:
    """Check one filter against its table.

    Without an operator the value is a pattern: * stands for any characters, ? for one, and without either it
    is compared as a whole; spaces around it do not count, and an empty one makes no filter (None). Raises
    InvalidInput naming `field`.column, .operator or .value.
    """
    found = table.column(column, field=f"{field}.column")
    if operator is None:
        if isinstance(value, str):
            value = value.strip()
            if not value:
                return None
        if not (isinstance(value, str) and ("*" in value or "?" in value)):
            operator = Operator.EQUALS
    allowed = OPERATORS.get(found.category)
    if allowed is not None and operator not in allowed:
        raise InvalidInput(
            f"{found.name} holds {_NOUNS[found.category]}; it accepts {', '.join(sorted(allowed))}.",
            field=f"{field}.operator",
        )
    if operator is Operator.IS_EMPTY and not (found.category.is_text or found.category is Category.LONG_TEXT):
        raise InvalidInput("Only text can be empty; use isNull.", field=f"{field}.operator")
    values = _values(found, operator, value, f"{field}.value")
    return Filter(found, operator, values, match_case, group)


_NOUNS = {
    Category.LONG_TEXT: "a text stream",
    Category.BINARY: "binary values",
    Category.LONG_BINARY: "a binary stream",
    Category.LIST: "lists",
}


def _values(column: Column, operator: Operator | None, value: Any, field: str) -> tuple[Wire, ...]:
    if operator in WITHOUT_VALUE:
        if value is not None:
            raise InvalidInput(f"{operator} accepts no value.", field=field)
        return ()
    if operator is Operator.IN:
        if not isinstance(value, list) or not 1 <= len(value) <= VALUES_MAX:
            raise InvalidInput(f"in accepts a list of 1 to {VALUES_MAX} values.", field=field)
        return tuple(dict.fromkeys(parse(column.category, item, field=field) for item in value))
    if operator is Operator.BETWEEN:
        if not isinstance(value, list) or len(value) != 2 or None in value:
            raise InvalidInput("between accepts a list of two values.", field=field)
        return tuple(parse(column.category, item, field=field) for item in value)
    if operator in PARTIAL:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise InvalidInput(f"{operator or 'A pattern'} accepts text.", field=field)
        text = parse(Category.TEXT, value, field=field)
        if not text:
            raise InvalidInput(f"{operator} accepts at least one character.", field=field)
        return (text,)
    if isinstance(value, list):
        raise InvalidInput(f"{operator} accepts one value.", field=field)
    parsed = parse(column.category, value, field=field)
    if parsed is None and operator in ORDERED:
        raise InvalidInput(f"{operator} cannot be used with NULL.", field=field)
    return (parsed,)


def compile_where(filters: Sequence[Filter], search: str | None, columns: Sequence[Column]) -> Fragment:
    """Write the conditions of a view, joined by AND, and by OR within a group; empty when there are none.

    `search` looks for a text in every text column of `columns`, whatever its letter case. Raises InvalidInput
    when there are more values than a statement takes.
    """
    parts = list(_grouped(filters))
    if search is not None and search.strip():
        parts.append(_search(search.strip(), columns))
    parameters = tuple(parameter for part in parts for parameter in part.parameters)
    if len(parameters) > PARAMETERS_MAX:
        raise InvalidInput("These filters hold too many values for one statement.", field="filters")
    return Fragment(" AND ".join(part.sql for part in parts), parameters)


def _grouped(filters: Sequence[Filter]) -> Iterator[Fragment]:
    """Write filters in their order; a group stands where its first filter is."""
    groups: dict[int, list[Fragment]] = {}
    for item in filters:
        if item.group is not None:
            groups.setdefault(item.group, []).append(compile_filter(item))
    for item in filters:
        if item.group is None:
            yield compile_filter(item)
        elif parts := groups.pop(item.group, None):
            condition = " OR ".join(part.sql for part in parts)
            parameters = tuple(parameter for part in parts for parameter in part.parameters)
            yield Fragment(condition if len(parts) == 1 else f"({condition})", parameters)


def _search(text: str, columns: Sequence[Column]) -> Fragment:
    if len(text) > SEARCH_MAX:
        raise InvalidInput(f"search accepts at most {SEARCH_MAX} characters.", field="search")
    pattern = f"%{_escaped(str(parse(Category.TEXT, text, field='search')))}%"
    searched = [column for column in columns if column.category in {Category.TEXT, Category.GUID}][:100]
    if not searched:
        return Fragment("1 = 0")
    conditions = " OR ".join(_like(column.sql, fold=True) for column in searched)
    return Fragment(f"({conditions})", (pattern,) * len(searched))


def compile_filter(item: Filter) -> Fragment:
    """Write one filter as a condition."""
    column, operator = item.column, item.operator
    if operator is Operator.IS_NULL:
        return Fragment(f"{column.sql} IS NULL")
    if operator is Operator.IS_NOT_NULL:
        return Fragment(f"{column.sql} IS NOT NULL")
    if column.category is Category.LONG_TEXT:
        return _stream(item)
    if operator is Operator.IS_EMPTY:
        return Fragment(f"{column.sql} = ''")
    if operator is None or operator in PARTIAL:
        return _partial(item)
    operand = _operand(item)
    if operator is Operator.EQUALS:
        return _equal(operand, column.category, item.values[0])
    if operator is Operator.NOT_EQUALS:
        return _not_equal(operand, column.category, item.values[0])
    if operator is Operator.IN:
        return _in(operand, item)
    if operator is Operator.BETWEEN:
        low, high = (compared(column.category, value) for value in item.values)
        return Fragment(f"{operand} BETWEEN {low.sql} AND {high.sql}", low.parameters + high.parameters)
    value = compared(column.category, item.values[0])
    return Fragment(f"{operand} {ORDERED[operator]} {value.sql}", value.parameters)


def _operand(item: Filter) -> str:
    if item.match_case and item.column.category.is_text:
        return f"%EXACT({item.column.sql})"
    return item.column.sql


def _equal(operand: str, category: Category, value: Wire) -> Fragment:
    if value is None:
        return Fragment(f"{operand} IS NULL")
    expression = compared(category, value)
    return Fragment(f"{operand} = {expression.sql}", expression.parameters)


def _not_equal(operand: str, category: Category, value: Wire) -> Fragment:
    if value is None:
        return Fragment(f"{operand} IS NOT NULL")
    expression = compared(category, value)
    # People mean every other row, and a row without a value is another one.
    return Fragment(f"({operand} <> {expression.sql} OR {operand} IS NULL)", expression.parameters)


def _in(operand: str, item: Filter) -> Fragment:
    known = [compared(item.column.category, value) for value in item.values if value is not None]
    parts = []
    if known:
        parts.append(f"{operand} IN ({', '.join(expression.sql for expression in known)})")
    if None in item.values:
        parts.append(f"{operand} IS NULL")
    parameters = tuple(parameter for expression in known for parameter in expression.parameters)
    return Fragment(parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})", parameters)


def _partial(item: Filter) -> Fragment:
    category, column = item.column.category, item.column.sql
    text = str(item.values[0])
    fold = not item.match_case
    if category.is_temporal or category is Category.LIST:
        operand, fold = f"%ODBCOUT({column})", fold and category is Category.LIST
    elif category.is_number:
        operand, fold = f"CAST({column} AS VARCHAR(50))", False
    else:
        operand = _operand(item)
        if item.operator is Operator.STARTS_WITH:
            if not fold:
                return Fragment(f"{operand} %STARTSWITH ?", (text,))
            return Fragment(f"%SQLUPPER({operand}) %STARTSWITH %SQLUPPER(?)", (text,))
    if item.operator is None:
        pattern = _escaped(text).replace("*", "%").replace("?", "_")
    else:
        before = "%" if item.operator in {Operator.CONTAINS, Operator.ENDS_WITH} else ""
        after = "%" if item.operator in {Operator.CONTAINS, Operator.STARTS_WITH} else ""
        pattern = f"{before}{_escaped(text)}{after}"
    return Fragment(_like(operand, fold=fold), (pattern,))


def _like(operand: str, *, fold: bool) -> str:
    """Return a LIKE condition with one parameter; `fold` compares without letter case in any collation.

    A column of the default collation SQLUPPER keeps its index with %SQLUPPER, which is what the index holds. Both
    sides need it: it puts a blank in front of a text.
    """
    if fold:
        return f"%SQLUPPER({operand}) LIKE %SQLUPPER(?) ESCAPE '\\'"
    return f"{operand} LIKE ? ESCAPE '\\'"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _stream(item: Filter) -> Fragment:
    """Compare the length and the beginning of a stream, which cannot be compared itself (SQLCODE -313)."""
    column = item.column.sql
    if item.operator is Operator.IS_EMPTY:
        return Fragment(f"CHARACTER_LENGTH({column}) = 0")
    text = str(item.values[0])
    parameters: tuple[Parameter, ...] = (len(text), text)
    if item.match_case:
        return Fragment(f"%EXACT(SUBSTRING({column}, 1, ?)) = ?", parameters)
    return Fragment(f"%SQLUPPER(SUBSTRING({column}, 1, ?)) = %SQLUPPER(?)", parameters)


def describe_value(value: Wire) -> str:
    """Write a value so that two filters with different ones are told apart; for hashes and cache keys."""
    if value is None:
        return "n"
    return f"s{value}" if isinstance(value, str) else f"d{number_text(value)}"
