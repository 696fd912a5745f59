"""What one SELECT of constants tells about a server."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from iris_quart.errors import InvalidResponse
from iris_quart.sql.server_format import DateForm, NumberForm, ServerFormat, TextForm, interpret

LIKELY: dict[str, Any] = {
    "null_value": "",
    "empty_value": "\0",
    "digits_value": "42",
    "date_value": 58074,
    "time_value": 45296,
    "big_value": 9223372036854775807,
    "numeric_value": Decimal("1.5"),
    "double_value": Decimal("0.30000000000000004"),
}


def seen(**changes: Any) -> ServerFormat:
    return interpret({**LIKELY, **changes})


def test_the_likely_server_is_the_default() -> None:
    assert seen() == ServerFormat()
    assert not seen().ambiguous


@pytest.mark.parametrize(
    ("null", "empty", "ambiguous"),
    [("", "\0", False), (None, "", False), ("", "", True), (None, None, True), (None, "\0", False)],
)
def test_null_and_empty_forms(null: Any, empty: Any, ambiguous: bool) -> None:
    assert seen(null_value=null, empty_value=empty).ambiguous is ambiguous


def test_missing_key_is_a_form_of_null() -> None:
    row = {key: value for key, value in LIKELY.items() if key != "null_value"}
    encoding = interpret({**row, "empty_value": ""})
    assert encoding.null is TextForm.MISSING
    assert not encoding.ambiguous


def test_missing_and_json_null_cannot_be_told_apart() -> None:
    row = {key: value for key, value in LIKELY.items() if key != "null_value"}
    assert interpret({**row, "empty_value": None}).ambiguous


def test_names_in_any_letter_case() -> None:
    assert interpret({key.upper(): value for key, value in LIKELY.items()}) == ServerFormat()


@pytest.mark.parametrize(
    ("changes", "attribute", "expected"),
    [
        ({"date_value": "2000-01-01"}, "dates", DateForm.ODBC),
        ({"date_value": "58074"}, "dates", DateForm.LOGICAL),
        ({"big_value": "9223372036854775807"}, "big_integers", NumberForm.STRING),
        ({"big_value": Decimal("9.223372036854775807E+18")}, "big_integers", NumberForm.NUMBER),
        ({"big_value": 9223372036854775808}, "big_integers", NumberForm.ROUNDED),
        ({"numeric_value": "1.50"}, "numerics", NumberForm.STRING),
        ({"numeric_value": "1.50"}, "trailing_zeros", True),
        ({"numeric_value": Decimal("1.50")}, "trailing_zeros", True),
        ({"double_value": Decimal("0.3000000000000000444")}, "doubles", NumberForm.NUMBER),
        ({"double_value": Decimal("0.3")}, "doubles", NumberForm.ROUNDED),
        ({"double_value": "0.30000000000000004"}, "doubles", NumberForm.STRING),
        ({"digits_value": 42}, "digits_as_numbers", True),
    ],
)
def test_each_variant_is_recognised(changes: dict[str, Any], attribute: str, expected: object) -> None:
    assert getattr(seen(**changes), attribute) == expected


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"x": 1},
        {**LIKELY, "null_value": "NULL"},
        {**LIKELY, "date_value": "01/01/2000"},
        {key: value for key, value in LIKELY.items() if key != "date_value"},
        {key: value for key, value in LIKELY.items() if key != "numeric_value"},
    ],
)
def test_another_answer_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(InvalidResponse):
        interpret(row)


def test_description_names_what_matters() -> None:
    text = seen(empty_value="", digits_value=42, numeric_value="1.50").describe()
    assert "look alike" in text
    assert "digits" in text
    assert "zeros" in text
