"""Rows that are hard on a client: the extremes of each type, odd names, and values that break their own metadata."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from iris_quart.demo.core.conversions import Value
from iris_quart.demo.core.values import list_build
from iris_quart.demo.samples.chance import day, posixtime

MATRIX_COLUMNS = (
    "Label", "VarcharValue", "ExactValue", "CharValue", "IntegerValue", "BigintValue", "SmallintValue", "TinyintValue",
    "BitValue", "NumericValue", "MoneyValue", "DoubleValue", "DateValue", "TimeValue", "PreciseTimeValue",
    "TimestampValue", "PosixtimeValue", "VarbinaryValue", "LongVarcharValue", "LongVarbinaryValue", "GuidValue",
    "ListValue",
)  # fmt: skip
PRICE_COLUMNS = ("Item Name", "Prix €", "Größe", "100%", "select", 'say "hi"', "日本語")
IMPORTED_COLUMNS = ("Code", "Quantity", "Price", "ReceivedOn", "ReceivedAt", "Checked")
KEYLESS_COLUMNS = ("Word", "Number")
ARCHIVE_COLUMNS = ("Title", "ClosedOn")

LONG_TEXT_CHARACTERS = 3_000_000
FIRST_MICROSECOND = -62_135_596_800_000_000  # 0001-01-01 00:00:00 UTC, the lowest POSIXTIME
LAST_MICROSECOND = 253_402_300_799_999_999  # 9999-12-31 23:59:59.999999, the highest
PARAGRAPH = "All the rivers run into the sea; yet the sea is not full. Ünïcödé, \"quotes\", 'apostrophes' and\ttabs.\n"


def long_text() -> str:
    """Create a text of three million characters whose end can be told from its middle."""
    text = PARAGRAPH * (LONG_TEXT_CHARACTERS // len(PARAGRAPH) + 1)
    return text[: LONG_TEXT_CHARACTERS - 8] + "The end."


def matrix() -> Iterator[tuple[Value, ...]]:
    """Create the rows of SQLUser.TypeMatrix; every row names only what is special about it."""
    usual: dict[str, Value] = {
        "VarcharValue": "Hello", "ExactValue": "Hello", "CharValue": "abc", "IntegerValue": 42, "BigintValue": 42,
        "SmallintValue": 42, "TinyintValue": 42, "BitValue": 1, "NumericValue": Decimal("42.5"),
        "MoneyValue": Decimal("42.5"), "DoubleValue": 42.5, "DateValue": day(2024, 2, 29), "TimeValue": 45296,
        "PreciseTimeValue": Decimal("45296.789"), "TimestampValue": "2024-02-29 12:34:56",
        "PosixtimeValue": posixtime(1_709_210_096_789_000), "VarbinaryValue": b"\x01\x02\xfe\xff",
        "LongVarcharValue": "A short text in a stream.", "LongVarbinaryValue": b"\x00\x01stream\xff",
        "GuidValue": "6F9619FF-8B86-D011-B42D-00CF4FC964FF", "ListValue": list_build(["Red", "Blue"]),
    }  # fmt: skip
    special: dict[str, dict[str, Value]] = {
        "usual": {},
        "null": dict.fromkeys(usual),
        "empty string": {
            "VarcharValue": "", "ExactValue": "", "CharValue": "", "LongVarcharValue": "", "VarbinaryValue": b"",
            "LongVarbinaryValue": b"", "ListValue": "",
        },
        "zero": {
            "VarcharValue": "0", "ExactValue": "0", "IntegerValue": 0, "BigintValue": 0, "SmallintValue": 0,
            "TinyintValue": 0, "BitValue": 0, "NumericValue": Decimal(0), "MoneyValue": Decimal(0), "DoubleValue": 0.0,
            "DateValue": 0, "TimeValue": 0, "PreciseTimeValue": 0, "TimestampValue": "1970-01-01 00:00:00",
            "PosixtimeValue": posixtime(0), "GuidValue": "00000000-0000-0000-0000-000000000000",
        },
        "smallest": {
            "IntegerValue": -(2**31), "BigintValue": -(2**63) + 1, "SmallintValue": -(2**15), "TinyintValue": -(2**7),
            "NumericValue": Decimal("-99999999999999.9999"), "MoneyValue": Decimal("-922337203685477.5807"),
            "DoubleValue": -1.7976931348623157e308, "DateValue": 0, "TimeValue": 0,
            "PreciseTimeValue": Decimal("0.001"), "TimestampValue": "0001-01-01 00:00:00",
            "PosixtimeValue": posixtime(FIRST_MICROSECOND),
        },
        "largest": {
            "VarcharValue": "x" * 2000, "IntegerValue": 2**31 - 1, "BigintValue": 2**63 - 1, "SmallintValue": 2**15 - 1,
            "TinyintValue": 2**7 - 1, "NumericValue": Decimal("99999999999999.9999"),
            "MoneyValue": Decimal("922337203685477.5807"), "DoubleValue": 1.7976931348623157e308,
            "DateValue": day(9999, 12, 31), "TimeValue": 86399, "PreciseTimeValue": Decimal("86399.999"),
            "TimestampValue": "9999-12-31 23:59:59.999999999", "PosixtimeValue": posixtime(LAST_MICROSECOND),
            "VarbinaryValue": bytes(range(200)), "GuidValue": "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        },
        "beyond 2^53": {"BigintValue": 2**53 + 1, "NumericValue": Decimal("12345678901234.5678")},
        "negative": {
            "IntegerValue": -42, "BigintValue": -42, "SmallintValue": -42, "TinyintValue": -42,
            "NumericValue": Decimal("-0.0001"), "MoneyValue": Decimal("-0.01"), "DoubleValue": -0.1, "DateValue": 0,
            "PosixtimeValue": posixtime(-1),
        },
        "tiny fractions": {
            "NumericValue": Decimal("0.0001"), "MoneyValue": Decimal("0.0001"), "DoubleValue": 5e-324,
            "PreciseTimeValue": Decimal("0.001"), "TimestampValue": "2024-02-29 12:34:56.000000001",
            "PosixtimeValue": posixtime(1),
        },
        "a tenth": {"NumericValue": Decimal("0.1"), "MoneyValue": Decimal("0.1"), "DoubleValue": 0.1},
        "trailing zeros": {"VarcharValue": "1.50", "NumericValue": Decimal("1.5000"), "MoneyValue": Decimal("1.5")},
        "year 1841": {"DateValue": day(1841, 1, 2), "TimestampValue": "1841-01-02 00:00:00.5",
                      "PosixtimeValue": posixtime(-4_070_822_400_000_000)},
        "summer time gap": {"DateValue": day(2024, 3, 31), "TimeValue": 9000, "TimestampValue": "2024-03-31 02:30:00"},
        "digits": {"VarcharValue": "42", "ExactValue": "9007199254740993", "CharValue": "1e3"},
        "leading zeros": {"VarcharValue": "007", "ExactValue": "0.50", "CharValue": "023"},
        "words that mean something": {"VarcharValue": "null", "ExactValue": "NULL", "CharValue": "true"},
        "spaces": {"VarcharValue": "  two before and after  ", "ExactValue": " ", "CharValue": " a "},
        "quotes": {"VarcharValue": "it's \"quoted\" `so` \\ there", "ExactValue": "''", "CharValue": "'\""},
        "line ends": {"VarcharValue": "first\nsecond\r\nthird\ttab", "ExactValue": "\n", "CharValue": "a\nb",
                      "LongVarcharValue": "first\nsecond\r\nthird"},
        "markup": {"VarcharValue": "<script>alert('x')</script>&amp;<b>", "ExactValue": "=1+1", "CharValue": "<i>"},
        "wildcards": {"VarcharValue": "100% _sure_ [really] *?", "ExactValue": "%", "CharValue": "_%"},
        "letters": {"VarcharValue": "Ærøskøbing straße İstanbul ŒUVRE", "ExactValue": "naïve", "CharValue": "ñandú"},
        "emoji": {"VarcharValue": "👍🏽 👩‍👩‍👧 🇩🇰", "ExactValue": "😀", "CharValue": "😀",
                  "LongVarcharValue": "😀" * 100},
        "combining": {"VarcharValue": "e\u0301 is not é", "ExactValue": "e\u0301", "CharValue": "é"},
        "right to left": {"VarcharValue": "שלום עולם abc", "ExactValue": "مرحبا", "CharValue": "\u202eabc"},
        "zero bytes": {"VarcharValue": "a\u0000b", "ExactValue": "a\u0000", "CharValue": "\u0001\u001f",
                       "VarbinaryValue": b"\x00\x00"},
        "long": {"VarcharValue": ("Words and more words. " * 91)[:2000], "LongVarcharValue": long_text(),
                 "LongVarbinaryValue": bytes(range(256)) * 40},
        "long list": {"ListValue": list_build([f"item {number}" for number in range(500)])},
        "list of hard items": {"ListValue": list_build(["a,b", None, "", "ünï", 7])},
    }  # fmt: skip
    for label, values in special.items():
        row = usual | values
        yield label, *(row[column] for column in MATRIX_COLUMNS[1:])


def prices() -> Iterator[tuple[Value, ...]]:
    """Create the rows of the table with odd names."""
    yield "Espresso", Decimal("2.40"), "klein", 1, "yes", "one", "珈琲"
    yield "Crème brûlée", Decimal("6.90"), "groß", 0, "no", None, "菓子"
    yield "Smørrebrød", Decimal("11.00"), "", 1, None, "three 'and' \"four\"", ""
    yield "Löffel & Gabel", None, "Größe M", None, "", "five", None


def imported() -> Iterator[tuple[Value, ...]]:
    """Make rows that break what their columns declare; a driver falls over them, an editor must not."""
    yield "A1", 5, Decimal("9.99"), day(2023, 5, 1), "2023-05-01 08:00:00", 1
    yield "much too long for five characters", 7, Decimal("1.00"), day(2023, 5, 2), "2023-05-02 08:00:00", 0
    yield "A3", "twelve", Decimal("2.00"), day(2023, 5, 3), "2023-05-03 08:00:00", 1
    yield "A4", 3_000_000_000_000, "n/a", day(2023, 5, 4), "2023-05-04 08:00:00", 1
    yield "A5", 1, Decimal("3.00"), "unknown", "2023-05-05 08:00:00", 1
    yield "A6", 1, Decimal("4.00"), 9_999_999, "last Tuesday", 1
    yield "A7", 1.5, Decimal("5.123456"), day(2023, 5, 7), "", 7
    yield "", None, None, None, None, None


def keyless() -> Iterator[tuple[Value, ...]]:
    """Make rows that no value tells apart."""
    for _ in range(4):
        yield "same", 1
    yield "other", None


def archive() -> Iterator[tuple[Value, ...]]:
    """Create the rows of the table that takes no writes."""
    for year in range(2001, 2011):
        yield f"Ledger of {year}", day(year, 12, 31)


__all__ = [
    "ARCHIVE_COLUMNS",
    "FIRST_MICROSECOND",
    "IMPORTED_COLUMNS",
    "KEYLESS_COLUMNS",
    "LAST_MICROSECOND",
    "LONG_TEXT_CHARACTERS",
    "MATRIX_COLUMNS",
    "PARAGRAPH",
    "PRICE_COLUMNS",
    "archive",
    "imported",
    "keyless",
    "long_text",
    "matrix",
    "prices",
]
