"""Filters as conditions: each operator's text and parameters, and what a column's type does not offer."""

from __future__ import annotations

from typing import Any

import pytest

from iris_quart.errors import InvalidInput
from iris_quart.sql.filters import Operator, compile_where, make_filter
from iris_quart.sql.values import Category
from tests.sql.test_statements import table_of

TABLE = table_of(
    ("Name", Category.TEXT),
    ("Age", Category.INTEGER),
    ("Born", Category.DATE),
    ("Tags", Category.LIST),
    ("Notes", Category.LONG_TEXT),
    ("Photo", Category.BINARY),
)
FOLDED = "%SQLUPPER({}) LIKE %SQLUPPER(?) ESCAPE '\\'"


def condition(column: str, operator: Operator | None, value: Any, **more: Any) -> tuple[str, tuple[Any, ...]]:
    chosen = make_filter(TABLE, column, operator, value, **more)
    assert chosen is not None
    found = compile_where([chosen], None, TABLE.columns)
    return found.sql, found.parameters


@pytest.mark.parametrize(
    ("operator", "pattern"),
    [
        (Operator.CONTAINS, "%5\\%%"),
        (Operator.ENDS_WITH, "%5\\%"),
        (Operator.STARTS_WITH, "5\\%%"),
    ],
)
def test_part_of_a_text_is_searched_where_the_operator_says(operator: Operator, pattern: str) -> None:
    assert condition("Age", operator, "5%") == ("CAST(\"Age\" AS VARCHAR(50)) LIKE ? ESCAPE '\\'", (pattern,))
    assert condition("Born", operator, "5%") == ("%ODBCOUT(\"Born\") LIKE ? ESCAPE '\\'", (pattern,))
    if operator is not Operator.STARTS_WITH:
        assert condition("Name", operator, "5%") == (FOLDED.format('"Name"'), (pattern,))
    assert condition("Born", None, "*5%?") == ("%ODBCOUT(\"Born\") LIKE ? ESCAPE '\\'", ("%5\\%_",))


def test_part_of_a_list_is_searched_without_letter_case_unless_asked_for() -> None:
    assert condition("Tags", Operator.CONTAINS, "a") == (FOLDED.format('%ODBCOUT("Tags")'), ("%a%",))
    assert condition("Tags", Operator.CONTAINS, "a", match_case=True) == (
        "%ODBCOUT(\"Tags\") LIKE ? ESCAPE '\\'",
        ("%a%",),
    )


def test_stream_is_compared_by_its_length_and_its_beginning() -> None:
    assert condition("Notes", Operator.IS_EMPTY, None) == ('CHARACTER_LENGTH("Notes") = 0', ())
    beginning = '(SUBSTRING("Notes", 1, ?))'
    assert condition("Notes", Operator.STARTS_WITH, "abc") == (
        f"%SQLUPPER{beginning} = %SQLUPPER(?)",
        (3, "abc"),
    )
    assert condition("Notes", Operator.STARTS_WITH, "abc", match_case=True) == (
        f"%EXACT{beginning} = ?",
        (3, "abc"),
    )


@pytest.mark.parametrize("column", ["Age", "Born"])
def test_only_text_can_be_empty(column: str) -> None:
    with pytest.raises(InvalidInput, match="Only text can be empty") as caught:
        make_filter(TABLE, column, Operator.IS_EMPTY, None)
    assert caught.value.field == "filters.operator"


@pytest.mark.parametrize(
    ("column", "operator"),
    [("Photo", Operator.EQUALS), ("Tags", Operator.IS_EMPTY), ("Notes", Operator.CONTAINS)],
)
def test_operator_that_a_type_does_not_offer_is_refused(column: str, operator: Operator) -> None:
    with pytest.raises(InvalidInput, match="it accepts") as caught:
        make_filter(TABLE, column, operator, "a" if operator is not Operator.IS_EMPTY else None)
    assert caught.value.field == "filters.operator"
