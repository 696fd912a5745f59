"""Values: what is read is what is parsed, for every type; and how a value stands in a statement."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_quart.errors import InvalidInput
from iris_quart.sql.decoding import decoder, from_horolog_date, from_horolog_time, from_posixtime
from iris_quart.sql.server_format import NumberForm, ServerFormat, TextForm
from iris_quart.sql.values import Category, Fragment, category_of, compared, guard, parse

ENCODINGS = [
    ServerFormat(),
    ServerFormat(null=TextForm.NULL, empty=TextForm.BLANK),
    ServerFormat(null=TextForm.MISSING, empty=TextForm.BLANK),
    ServerFormat(null=TextForm.BLANK, empty=TextForm.BLANK),
]
TEXT = st.text(st.characters(blacklist_categories=["Cs"])).filter(lambda text: text != "\0")
DATES = st.dates(date(1, 1, 1), date(9999, 12, 31)).map(lambda day: day.isoformat())
FRACTIONS = st.one_of(st.just(""), st.integers(1, 999_999_999).map(lambda number: f".{number}"))
CLOCKS = st.builds(
    lambda clock, fraction: clock.replace(microsecond=0).isoformat() + fraction,
    st.times(time(0, 0), time(23, 59, 59)),
    FRACTIONS,
)
TIMESTAMPS = st.builds(lambda day, clock: f"{day} {clock}", DATES, CLOCKS)
NUMERICS = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**18), max_value=10**18)
BY_CATEGORY: dict[Category, st.SearchStrategy[Any]] = {
    Category.TEXT: TEXT,
    Category.LONG_TEXT: TEXT,
    Category.GUID: st.uuids().map(str),
    Category.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Category.NUMERIC: st.one_of(NUMERICS, st.integers(-(10**18), 10**18)),
    Category.DOUBLE: st.floats(allow_nan=False, allow_infinity=False).map(
        lambda number: Decimal(repr(number))
    ),
    Category.BOOLEAN: st.integers(0, 1),
    Category.DATE: DATES,
    Category.TIME: CLOCKS,
    Category.TIMESTAMP: TIMESTAMPS,
    Category.POSIXTIME: TIMESTAMPS,
}


def raw_form(value: Any, encoding: ServerFormat) -> Any:
    """Write a value as a server with this encoding does; numbers as the reply's parser gives them."""
    return ("\0" if encoding.empty is TextForm.ZERO else "") if value == "" else value


@given(st.data(), st.sampled_from(list(BY_CATEGORY)), st.sampled_from(ENCODINGS))
def test_what_is_read_is_parsed_unchanged(
    data: st.DataObject, category: Category, encoding: ServerFormat
) -> None:
    value = data.draw(BY_CATEGORY[category])
    read = decoder(category, encoding)(raw_form(value, encoding))
    assert read == value
    again = parse(category, read)
    assert again == read
    assert str(again) == str(read), "the digits are the same, too"


@given(st.sampled_from(list(BY_CATEGORY)), st.sampled_from(ENCODINGS))
def test_null_is_read_as_none(category: Category, encoding: ServerFormat) -> None:
    if encoding.ambiguous:
        return
    raw = {"null": None, "blank": "", "missing": None, "zero": "\0"}[encoding.null]
    assert decoder(category, encoding)(raw) is None
    assert parse(category, None) is None


@given(st.integers(0, 3_652_058))
def test_horolog_dates(days: int) -> None:
    day = date.fromordinal(days + 1)
    horolog = (day - date(1840, 12, 31)).days
    assert from_horolog_date(horolog) == day.isoformat()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (0, "00:00:00"),
        (86399, "23:59:59"),
        (Decimal("45296.789"), "12:34:56.789"),
        (Decimal("45296.000000001"), "12:34:56.000000001"),
        (86400, "86400"),
        (-1, "-1"),
    ],
)
def test_horolog_times(raw: Any, text: str) -> None:
    assert from_horolog_time(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (2**60, "1970-01-01 00:00:00"),
        (2**60 + 1, "1970-01-01 00:00:00.000001"),
        (-6979664624441081856, "0001-01-01 00:00:00"),
        (1406323805406846975, "9999-12-31 23:59:59.999999"),
        (2**62, str(2**62)),
    ],
)
def test_posixtimes(raw: int, text: str) -> None:
    assert from_posixtime(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [(42, "42"), (Decimal("0.5"), ".5"), (Decimal("-0.5"), "-.5"), (Decimal("10.5"), "10.5"), (True, "1")],
)
def test_text_that_was_written_as_a_number_stays_text(raw: Any, text: str) -> None:
    assert decoder(Category.TEXT, ServerFormat(digits_as_numbers=True))(raw) == text


@pytest.mark.parametrize(
    ("category", "raw", "wire"),
    [
        (Category.INTEGER, Decimal(3), 3),
        (Category.INTEGER, "abc", "abc"),
        (Category.INTEGER, "007", "007"),
        (Category.INTEGER, "\0", ""),
        (Category.NUMERIC, "n/a", "n/a"),
        (Category.NUMERIC, "1.50", "1.50"),
        (Category.BOOLEAN, True, 1),
        (Category.DOUBLE, "NAN", "NaN"),
        (Category.DOUBLE, "-INF", "-Infinity"),
        (Category.DATE, 58074, "2000-01-01"),
        (Category.DATE, 10**12, "1000000000000"),
        (Category.TIME, 45296, "12:34:56"),
        (Category.TIMESTAMP, "next Friday", "next Friday"),
        (Category.POSIXTIME, 2**60, "1970-01-01 00:00:00"),
        (Category.BINARY, "\x00\xff", "0x00ff"),
        (Category.BINARY, "", None),
        (Category.LIST, "Red,Blue", "Red,Blue"),
    ],
)
def test_other_spellings_of_values(category: Category, raw: Any, wire: Any) -> None:
    read = decoder(category, ServerFormat())(raw)
    assert read == wire
    assert type(read) is type(wire)


@pytest.mark.parametrize(
    ("category", "raw", "wire"),
    [
        (Category.INTEGER, "9223372036854775807", 9223372036854775807),
        (Category.INTEGER, 5, 5),
        (Category.INTEGER, "007", "007"),
        (Category.NUMERIC, "1.50", Decimal("1.50")),
        (Category.NUMERIC, "9223372036854775807", 9223372036854775807),
        (Category.NUMERIC, "n/a", "n/a"),
        (Category.DOUBLE, "1E-7", Decimal("1E-7")),
        (Category.DOUBLE, "NAN", "NaN"),
    ],
)
def test_numbers_of_a_server_that_writes_them_as_strings(category: Category, raw: Any, wire: Any) -> None:
    strings = ServerFormat(
        numerics=NumberForm.STRING, big_integers=NumberForm.STRING, doubles=NumberForm.STRING
    )
    read = decoder(category, strings)(raw)
    assert read == wire
    assert type(read) is type(wire)


@pytest.mark.parametrize(
    ("category", "value", "wire"),
    [
        (Category.TEXT, 42, "42"),
        (Category.TEXT, Decimal("1.50"), "1.50"),
        (Category.TEXT, True, "1"),
        (Category.TEXT, " a ", " a "),
        (Category.TEXT, "\0", ""),
        (Category.INTEGER, "42", 42),
        (Category.INTEGER, Decimal("4.0"), 4),
        (Category.NUMERIC, "1.50", Decimal("1.50")),
        (Category.DOUBLE, "nan", "NaN"),
        (Category.DOUBLE, "-inf", "-Infinity"),
        (Category.DOUBLE, "1e-7", Decimal("1E-7")),
        (Category.BOOLEAN, True, 1),
        (Category.BOOLEAN, "false", 0),
        (Category.TIME, "12:34", "12:34:00"),
        (Category.TIMESTAMP, "2024-02-29", "2024-02-29 00:00:00"),
        (Category.TIMESTAMP, "2024-02-29T12:34:56.789", "2024-02-29 12:34:56.789"),
    ],
)
def test_what_people_type(category: Category, value: Any, wire: Any) -> None:
    parsed = parse(category, value)
    assert parsed == wire
    assert str(parsed) == str(wire)


@pytest.mark.parametrize(
    ("category", "value"),
    [
        (Category.INTEGER, "4.5"),
        (Category.INTEGER, Decimal("4.5")),
        (Category.INTEGER, 2**63),
        (Category.INTEGER, "1" * 4000),
        (Category.INTEGER, 10**4000),
        (Category.INTEGER, "0x10"),
        (Category.INTEGER, ""),
        (Category.INTEGER, "١٢"),
        (Category.NUMERIC, "1,5"),
        (Category.NUMERIC, "NaN"),
        (Category.NUMERIC, Decimal("NaN")),
        (Category.NUMERIC, Decimal("1E+999999999")),
        (Category.DOUBLE, "one"),
        (Category.BOOLEAN, 2),
        (Category.BOOLEAN, "yes"),
        (Category.DATE, "2023-02-29"),
        (Category.DATE, "0000-01-01"),
        (Category.DATE, "2024-1-1"),
        (Category.DATE, "2024-01-01Z"),
        (Category.DATE, 58074),
        (Category.TIME, "24:00:00"),
        (Category.TIME, "12:34:56+01:00"),
        (Category.TIMESTAMP, "2024-01-01 12"),
        (Category.TIMESTAMP, "2024-01-01 25:00"),
        (Category.TIMESTAMP, "2024-01-01T00:00:00Z"),
        (Category.TEXT, "\ud800"),
        (Category.TEXT, ["a"]),
        (Category.TEXT, {"a": 1}),
        (Category.BINARY, "0xff"),
        (Category.LIST, "a,b"),
    ],
)
def test_what_does_not_fit_is_refused_without_repeating_it(category: Category, value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(category, value, field="newValue")
    assert caught.value.field == "newValue"
    assert not isinstance(value, str) or len(value) < 4 or value not in caught.value.message


@pytest.mark.parametrize(
    ("category", "value", "sql", "parameters"),
    [
        (Category.TEXT, None, "NULL", ()),
        (Category.TEXT, "", "''", ()),
        (Category.TEXT, "x'; DROP", "?", ("x'; DROP",)),
        (Category.NUMERIC, Decimal("1.50"), "?", (Decimal("1.5"),)),
        (Category.NUMERIC, Decimal(100), "?", (100,)),
        (Category.DOUBLE, Decimal("0.1"), "CAST(? AS DOUBLE)", ("0.1",)),
        (Category.DOUBLE, "NaN", "CAST(? AS DOUBLE)", ("NAN",)),
        (Category.DATE, "2024-02-29", "TO_DATE(?, 'YYYY-MM-DD')", ("2024-02-29",)),
        (Category.TIME, "12:34:56", "CAST(? AS TIME)", ("12:34:56",)),
        (Category.TIME, "12:34:56.78", "CAST(? AS TIME(2))", ("12:34:56.78",)),
        (Category.TIMESTAMP, "2024-02-29 00:00:00", "?", ("2024-02-29 00:00:00",)),
        (Category.POSIXTIME, "2024-02-29 00:00:00", "CAST(? AS POSIXTIME)", ("2024-02-29 00:00:00",)),
    ],
)
def test_values_in_a_statement(category: Category, value: Any, sql: str, parameters: tuple[Any, ...]) -> None:
    assert compared(category, value) == Fragment(sql, parameters)


@pytest.mark.parametrize(
    ("category", "value", "sql"),
    [
        (Category.TEXT, None, '"c" IS NULL'),
        (Category.TEXT, "", "%EXACT(\"c\") = ''"),
        (Category.TEXT, "a", '%EXACT("c") = ?'),
        (Category.INTEGER, 1, '"c" = ?'),
        (Category.INTEGER, "abc", '%EXACT("c") = ?'),
        (Category.DOUBLE, "NaN", '"c" = CAST(? AS DOUBLE)'),
        (Category.DATE, "2024-02-29", '%ODBCOUT("c") = ?'),
        (Category.POSIXTIME, "2024-02-29 00:00:00", '%ODBCOUT("c") = ?'),
    ],
)
def test_guards_compare_as_the_type_asks(category: Category, value: Any, sql: str) -> None:
    fragment = guard('"c"', category, value)
    assert fragment is not None
    assert fragment.sql == sql


@pytest.mark.parametrize(
    "category", [Category.LONG_TEXT, Category.LONG_BINARY, Category.BINARY, Category.LIST]
)
def test_what_cannot_be_compared_has_no_guard(category: Category) -> None:
    assert guard('"c"', category, "a") is None


@pytest.mark.parametrize(
    ("data_type", "length", "category"),
    [
        ("varchar", 50, Category.TEXT),
        ("VARCHAR", None, Category.TEXT),
        ("varchar", 32749, Category.LIST),
        ("longvarchar", None, Category.LONG_TEXT),
        ("bigint", None, Category.INTEGER),
        ("bit", None, Category.BOOLEAN),
        ("vector", None, Category.UNKNOWN),
        ("", None, Category.UNKNOWN),
    ],
)
def test_categories(data_type: str, length: int | None, category: Category) -> None:
    assert category_of(data_type, length) is category
