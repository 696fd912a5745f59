"""The format of values in one server's answers, found out by one SELECT of constants.

Public sources leave open how `action/query` writes NULL, empty strings, dates and numbers, and releases
differ. So each server is asked once, and decoding follows what was seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from iris_quart.errors import InvalidResponse

__all__ = ["PROBE_SQL", "DateForm", "NumberForm", "ServerFormat", "TextForm", "interpret"]

PROBE_SQL = (
    "SELECT CAST(NULL AS VARCHAR(10)) AS null_value, '' AS empty_value, "
    "CAST('42' AS VARCHAR(10)) AS digits_value, "
    "CAST('2000-01-01' AS DATE) AS date_value, CAST('12:34:56' AS TIME) AS time_value, "
    "CAST(9223372036854775807 AS BIGINT) AS big_value, CAST(1.50 AS NUMERIC(10,2)) AS numeric_value, "
    "CAST('0.30000000000000004' AS DOUBLE) AS double_value, %ODBCOUT(CAST('2000-01-01' AS DATE)) AS odbc_value"
)
"""One row whose values are known, so that their spelling tells the server's manners."""

BIG = 9223372036854775807
DOUBLE = 0.30000000000000004
"""A double that takes 17 digits."""


class TextForm(StrEnum):
    """Representation of NULL or of an empty string."""

    NULL = "null"
    """JSON null."""
    BLANK = "blank"
    """The empty JSON string."""
    ZERO = "zero"
    """A JSON string of one zero character."""
    MISSING = "missing"
    """The key is left out of the row."""


class DateForm(StrEnum):
    """Format of a date or time that the statement does not convert."""

    LOGICAL = "logical"
    """Days since 1840-12-31, seconds since midnight."""
    ODBC = "odbc"
    """YYYY-MM-DD, HH:MM:SS."""


class NumberForm(StrEnum):
    """Format of a number."""

    NUMBER = "number"
    STRING = "string"
    ROUNDED = "rounded"
    """As a number whose last digits are lost before it is sent."""


@dataclass(frozen=True, slots=True)
class ServerFormat:
    """Format of a server's values; the defaults are the most likely ones by public sources."""

    null: TextForm = TextForm.BLANK
    empty: TextForm = TextForm.ZERO
    dates: DateForm = DateForm.LOGICAL
    numerics: NumberForm = NumberForm.NUMBER
    big_integers: NumberForm = NumberForm.NUMBER
    doubles: NumberForm = NumberForm.NUMBER
    digits_as_numbers: bool = False
    """Text that looks like a number is written as one."""
    trailing_zeros: bool = False
    """NUMERIC keeps the zeros of its scale: 1.50 is written as 1.50."""

    odbc_as_text: bool = False
    """%ODBCOUT gives text, as it should; then dates need no look at each value."""

    @property
    def ambiguous(self) -> bool:
        """Whether NULL and the empty string look alike, so that text needs a flag beside it."""
        blank = {TextForm.NULL, TextForm.MISSING}
        return self.null == self.empty or (self.null in blank and self.empty in blank)

    def describe(self) -> str:
        """Return one line that describes the format."""
        parts = [
            f"NULL as {self.null}",
            f"'' as {self.empty}",
            f"dates {self.dates}",
            f"NUMERIC as {self.numerics}",
            f"BIGINT as {self.big_integers}",
            f"DOUBLE as {self.doubles}",
        ]
        if self.doubles is NumberForm.ROUNDED:
            parts.append("so edits of doubles may be refused as conflicts")
        if self.digits_as_numbers:
            parts.append("text of digits as numbers")
        if self.trailing_zeros:
            parts.append("trailing zeros kept")
        if self.ambiguous:
            parts.append("NULL and '' look alike, so text is read with a flag")
        return ", ".join(parts)


def interpret(row: Mapping[str, Any]) -> ServerFormat:
    """Read the answer to PROBE_SQL; numbers in it are int or Decimal.

    Raises InvalidResponse when it does not answer that statement.
    """
    values = {key.lower(): value for key, value in row.items()}
    if "date_value" not in values or "numeric_value" not in values:
        raise InvalidResponse("IRIS did not answer the probe of its value formats.")
    return ServerFormat(
        null=_text_form(values, "null_value"),
        empty=_text_form(values, "empty_value"),
        dates=_date_form(values),
        numerics=_number_form(values["numeric_value"], Decimal("1.5")),
        big_integers=_number_form(values.get("big_value"), Decimal(BIG)),
        doubles=_double_form(values.get("double_value")),
        digits_as_numbers=not isinstance(values.get("digits_value"), str),
        odbc_as_text=values.get("odbc_value") == "2000-01-01",
        trailing_zeros=str(values["numeric_value"]).endswith(".50"),
    )


def _text_form(values: Mapping[str, Any], key: str) -> TextForm:
    if key not in values:
        return TextForm.MISSING
    value = values[key]
    if value is None:
        return TextForm.NULL
    if value == "":
        return TextForm.BLANK
    if value == "\0":
        return TextForm.ZERO
    raise InvalidResponse("IRIS wrote NULL or the empty string in an unknown format.")


def _date_form(values: Mapping[str, Any]) -> DateForm:
    date = str(values["date_value"])
    if date.isdigit():
        return DateForm.LOGICAL
    if date.startswith("2000-01-01"):
        return DateForm.ODBC
    raise InvalidResponse("IRIS wrote a date in an unknown format.")


def _number_form(value: Any, expected: Decimal) -> NumberForm:
    if isinstance(value, str):
        return NumberForm.STRING
    if isinstance(value, int | Decimal) and Decimal(value) != expected:
        return NumberForm.ROUNDED
    return NumberForm.NUMBER


def _double_form(value: Any) -> NumberForm:
    """Whether all digits of a double arrive: more than needed are as good as just enough."""
    if isinstance(value, str):
        return NumberForm.STRING
    if isinstance(value, int | float | Decimal) and float(value) != DOUBLE:
        return NumberForm.ROUNDED
    return NumberForm.NUMBER
