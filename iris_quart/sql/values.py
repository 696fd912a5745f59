"""Values by type: what a column holds, what may be written, and how it stands in a statement.

A wire value is None for NULL, "" for the empty string, an int or a Decimal for numbers (never a float), and
text for all else: dates `YYYY-MM-DD`, times `HH:MM:SS[.f]`, timestamps `YYYY-MM-DD HH:MM:SS[.f]`, doubles that
are not numbers are "NaN", "Infinity" and "-Infinity". sql.decoding reads them from answers; this module writes them.

Sources: InterSystems SQL Reference, "Data Types", CAST, TO_DATE, %EXACT, %ODBCOUT.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from iris_quart.errors import InvalidInput

__all__ = [
    "Category",
    "Fragment",
    "Parameter",
    "Wire",
    "category_of",
    "compared",
    "guard",
    "number_parameter",
    "parse",
]

Parameter: TypeAlias = str | int | Decimal
Wire: TypeAlias = str | int | Decimal | None


class Fragment(NamedTuple):
    """A piece of a statement with the values of its question marks, in order."""

    sql: str
    parameters: tuple[Parameter, ...] = ()


class Category(StrEnum):
    """Kind of value in a column; decides how it is read, shown, compared and written."""

    TEXT = "text"
    LONG_TEXT = "longText"
    """A character stream."""
    INTEGER = "integer"
    NUMERIC = "numeric"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    POSIXTIME = "posixtime"
    BINARY = "binary"
    LONG_BINARY = "longBinary"
    """A binary stream."""
    LIST = "list"
    GUID = "guid"
    UNKNOWN = "unknown"

    @property
    def is_stream(self) -> bool:
        """Whether values live in a stream: read in pieces, never compared."""
        return self in {Category.LONG_TEXT, Category.LONG_BINARY}

    @property
    def is_number(self) -> bool:
        """Whether values are numbers."""
        return self in {Category.INTEGER, Category.NUMERIC, Category.DOUBLE, Category.BOOLEAN}

    @property
    def is_temporal(self) -> bool:
        """Whether values are dates or times."""
        return self in {Category.DATE, Category.TIME, Category.TIMESTAMP, Category.POSIXTIME}

    @property
    def is_text(self) -> bool:
        """Whether values are text that can be compared."""
        return self in {Category.TEXT, Category.GUID, Category.UNKNOWN}

    @property
    def is_preview(self) -> bool:
        """Whether a cell only ever shows a preview of the value."""
        return self in {Category.BINARY, Category.LONG_BINARY, Category.LIST}

    @property
    def is_sortable(self) -> bool:
        """Whether rows can be put in the order of these values."""
        return not (self.is_stream or self.is_preview)


_BY_TYPE = {
    name: category
    for category, names in {
        Category.TEXT: "varchar char character nvarchar nchar varchar2 nvarchar2 sysname string",
        Category.LONG_TEXT: "longvarchar text clob longtext ntext",
        Category.INTEGER: "tinyint smallint integer int bigint mediumint serial rowversion",
        Category.NUMERIC: "numeric decimal dec number money smallmoney",
        Category.DOUBLE: "double float real",
        Category.BOOLEAN: "bit boolean",
        Category.DATE: "date",
        Category.TIME: "time",
        Category.TIMESTAMP: "timestamp datetime datetime2 smalldatetime",
        Category.POSIXTIME: "posixtime",
        Category.BINARY: "varbinary binary raw",
        Category.LONG_BINARY: "longvarbinary image blob longblob",
        Category.LIST: "list %list",
        Category.GUID: "guid uniqueidentifier",
    }.items()
    for name in names.split()
}

LIST_LENGTH = 32749
"""MAXLEN of %Library.List, which INFORMATION_SCHEMA shows as a varchar (class reference of %Library.List)."""


def category_of(data_type: str, max_length: int | None = None) -> Category:
    """Return the category of a type as INFORMATION_SCHEMA.COLUMNS spells it, in any letter case."""
    category = _BY_TYPE.get(data_type.strip().lower(), Category.UNKNOWN)
    if category is Category.TEXT and max_length == LIST_LENGTH:
        return Category.LIST
    return category


NUMBER_TEXT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?\Z")
DATE_TEXT = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")
TIME_TEXT = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(\.[0-9]{1,9})?)?\Z")
BIGINT_LOW, BIGINT_HIGH = -(2**63), 2**63 - 1
DIGITS_MAX = 400
"""Most digits, and largest exponent, of a number that is taken at all; a double needs 309."""
NOT_NUMBERS = {
    "nan": "NaN",
    "inf": "Infinity",
    "infinity": "Infinity",
    "+inf": "Infinity",
    "+infinity": "Infinity",
}
NOT_NUMBERS |= {"-inf": "-Infinity", "-infinity": "-Infinity"}
DOUBLE_NAMES = {"NaN": "NAN", "Infinity": "INF", "-Infinity": "-INF"}
BOOLEANS = {"0": 0, "1": 1, "false": 0, "true": 1}


def parse(category: Category, value: Any, *, field: str | None = None) -> Wire:
    """Read a new value for a column and give its wire value.

    Numbers and booleans are taken as text for text columns, and text that says a number, a date or a truth
    value for the others. Raises InvalidInput naming `field`; its text never repeats the value.
    """
    if value is None:
        return None
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, list | dict) or not isinstance(value, str | int | Decimal):
        raise InvalidInput("A value is text, a number, true, false or null.", field=field)
    try:
        return _PARSERS[category](value)
    except InvalidInput as error:
        error.field = field
        raise


def _text(value: str | int | Decimal) -> Wire:
    if isinstance(value, bool):
        return str(int(value))
    text = value if isinstance(value, str) else number_text(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidInput("The text holds half a character (a lone surrogate).") from None
    # To IRIS a single zero character is the empty string itself.
    return "" if text == "\0" else text


def _decimal(value: str | int | Decimal, what: str) -> Decimal:
    if isinstance(value, str):
        text = value.strip()
        if len(text) > DIGITS_MAX or not NUMBER_TEXT.match(text):
            raise InvalidInput(what)
        value = text
    elif isinstance(value, int) and value.bit_length() > DIGITS_MAX * 3:
        raise InvalidInput(what)
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError):
        raise InvalidInput(what) from None
    if (
        not number.is_finite()
        or len(number.as_tuple().digits) > DIGITS_MAX
        or abs(number.adjusted()) > DIGITS_MAX
    ):
        raise InvalidInput(what)
    return number


def _integer(value: str | int | Decimal) -> Wire:
    what = "This column accepts whole numbers."
    number = _decimal(value, what)
    if number != number.to_integral_value():
        raise InvalidInput(what)
    whole = int(number)
    if not BIGINT_LOW <= whole <= BIGINT_HIGH:
        raise InvalidInput("The number is too large; a whole number lies between -2^63 and 2^63 - 1.")
    return whole


def _numeric(value: str | int | Decimal) -> Wire:
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 128:
        return value
    number = _decimal(value, "This column accepts numbers.")
    return int(number) if number.as_tuple().exponent == 0 and number else number


def _double(value: str | int | Decimal) -> Wire:
    if isinstance(value, str):
        name = NOT_NUMBERS.get(value.strip().lower())
        if name is not None:
            return name
    number = _decimal(value, "This column accepts numbers, NaN, Infinity and -Infinity.")
    return int(number) if isinstance(value, int) else number


def _boolean(value: str | int | Decimal) -> Wire:
    truth = BOOLEANS.get((value if isinstance(value, str) else number_text(value)).strip().lower())
    if truth is None:
        raise InvalidInput("This column accepts 1, 0, true and false.")
    return truth


def _date(value: str | int | Decimal) -> Wire:
    text = value.strip() if isinstance(value, str) else ""
    if not is_date(text):
        raise InvalidInput("Write a date as YYYY-MM-DD.")
    return text


def _time(value: str | int | Decimal) -> Wire:
    return _clock(value.strip() if isinstance(value, str) else "", "Write a time as HH:MM:SS.")


def _timestamp(value: str | int | Decimal) -> Wire:
    what = "Write a date and time as YYYY-MM-DD HH:MM:SS."
    text = value.strip() if isinstance(value, str) else ""
    day, separator, rest = text[:10], text[10:11], text[11:]
    if not is_date(day) or separator not in {"", " ", "T"} or (separator and not rest):
        raise InvalidInput(what)
    return f"{day} {_clock(rest, what) if rest else '00:00:00'}"


def _clock(text: str, what: str) -> str:
    found = TIME_TEXT.match(text)
    if not found:
        raise InvalidInput(what)
    return f"{found[1]}:{found[2]}:{found[3] or '00'}{found[4] or ''}"


def _refused(value: str | int | Decimal) -> Wire:
    raise InvalidInput("A cell shows only a part of this value; it is changed as a whole.")


_PARSERS = {
    Category.TEXT: _text,
    Category.LONG_TEXT: _text,
    Category.GUID: _text,
    Category.UNKNOWN: _text,
    Category.INTEGER: _integer,
    Category.NUMERIC: _numeric,
    Category.DOUBLE: _double,
    Category.BOOLEAN: _boolean,
    Category.DATE: _date,
    Category.TIME: _time,
    Category.TIMESTAMP: _timestamp,
    Category.POSIXTIME: _timestamp,
    Category.BINARY: _refused,
    Category.LONG_BINARY: _refused,
    Category.LIST: _refused,
}


def is_date(text: str) -> bool:
    """Return whether a text is a day of the calendar, written YYYY-MM-DD."""
    found = DATE_TEXT.match(text)
    if not found:
        return False
    try:
        date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return False
    return True


def number_text(value: int | Decimal) -> str:
    """Write a number with all its digits and no exponent, unless it is far from 1."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int) or abs(value.adjusted()) > 40:
        return str(value)
    return format(value, "f")


def number_parameter(value: int | Decimal) -> Parameter:
    """Return a number as a parameter: without trailing zeros, which IRIS would compare as text in some plans."""
    if isinstance(value, int):
        return value
    text = number_text(value)
    if "." in text and "E" not in text:
        text = text.rstrip("0").rstrip(".")
    number = Decimal(text)
    return int(number) if "." not in text and "E" not in text else number


def compared(category: Category, value: Wire) -> Fragment:
    """Write a value, not NULL, as it stands in SET and VALUES and beside a comparison with the column itself.

    `value` is one that `parse` gave, or one that was read from the column. NULL and '' are words of the
    statement, never parameters: IRIS would not tell them apart there.
    """
    if value is None:
        return Fragment("NULL")
    if value == "":
        return Fragment("''")
    if category is Category.DOUBLE:
        text = DOUBLE_NAMES.get(value, value) if isinstance(value, str) else number_text(value)
        return Fragment("CAST(? AS DOUBLE)", (text,))
    if not isinstance(value, str):
        return Fragment("?", (number_parameter(value),))
    if category is Category.DATE:
        return Fragment("TO_DATE(?, 'YYYY-MM-DD')", (value,))
    if category is Category.TIME:
        digits = len(value.partition(".")[2])
        return Fragment(f"CAST(? AS TIME({digits}))" if digits else "CAST(? AS TIME)", (value,))
    if category is Category.POSIXTIME:
        return Fragment("CAST(? AS POSIXTIME)", (value,))
    return Fragment("?", (value,))


def guard(column: str, category: Category, value: Wire) -> Fragment | None:
    """Write the condition that a column still holds what was seen; `column` is quoted already.

    Text is compared exactly, numbers as values, dates and times by the very text that was read. A text seen in
    a column of numbers broke the column's own type and is compared as text. None when the category cannot be
    compared: streams, binaries and lists.
    """
    if category.is_stream or category.is_preview:
        return None
    if value is None:
        return Fragment(f"{column} IS NULL")
    if value == "":
        return Fragment(f"%EXACT({column}) = ''")
    if category.is_temporal:
        return Fragment(f"%ODBCOUT({column}) = ?", (value if isinstance(value, str) else number_text(value),))
    if category.is_number and not (isinstance(value, str) and value not in DOUBLE_NAMES):
        expression = compared(category, value)
        return Fragment(f"{column} = {expression.sql}", expression.parameters)
    return Fragment(f"%EXACT({column}) = ?", (value if isinstance(value, str) else number_text(value),))
