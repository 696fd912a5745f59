"""Conversions as SQLite functions: implicit ones, CAST, and the format functions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from iris_quart.demo.core import types, values
from iris_quart.demo.core.conversions import (
    Stored,
    Value,
    comparable,
    convert,
    decode,
    encode,
    odbc_text,
    to_text,
)
from iris_quart.demo.core.errors import SqlError, fatal, shortened

from .numbers import rounded
from .signatures import signatures

BOUNDS = {
    item.name: (item.low, item.high)
    for item in (types.ANY_INTEGER, types.BIGINT, types.SMALLINT, types.TINYINT)
}


def as_kind(stored: Stored, source: str, target: str, odbc: int) -> Stored:
    """Return a stored value in the form of another kind, for a comparison or an argument."""
    if stored is None:
        return None
    return comparable(decode(stored, source), source, target, odbc=bool(odbc))


def cast(stored: Stored, source: str, target: str, size: int | str | None, scale: int | None) -> Stored:
    """Return CAST: text to dates takes ODBC format, dates to text give it; raise -146, -147 or -400.

    A text that is not a date or time becomes day 0 or midnight (InterSystems SQL Reference, CAST).
    """
    if stored is None:
        return None
    value = decode(stored, source)
    if target == types.TEXT:
        shown = odbc_text(value, source)
        text = to_text(shown, types.TEXT if isinstance(shown, str) else source, odbc=True)
        return text if size is None else text[: int(size)]
    if target == types.BINARY:
        found = convert(value, source, target, odbc=True)
        assert isinstance(found, bytes)
        return found if size is None else found[: int(size)]
    if target in (types.INTEGER, types.DECIMAL, types.DOUBLE):
        return _cast_number(value, source, target, size, scale)
    return _cast_moment(value, source, target, scale)


def _cast_number(value: Value, source: str, target: str, size: int | str | None, scale: int | None) -> Stored:
    if isinstance(value, str):
        number: Value = _text_number(value, target)
    elif isinstance(value, bytes):
        raise fatal("<ILLEGAL VALUE>")
    else:
        number = value
    assert isinstance(number, (int, float, Decimal))
    if target == types.DOUBLE:
        return encode(convert(number, types.DECIMAL, target, odbc=False), target)
    if (isinstance(number, float) and number != number) or number in (float("inf"), float("-inf")):
        raise fatal("<ILLEGAL VALUE>")
    if target == types.DECIMAL:
        exact = rounded(
            Decimal(repr(number)) if isinstance(number, float) else number, 60 if scale is None else scale
        )
        return encode(Decimal(exact), target)
    whole = int(number)
    if size == "bit":
        return int(whole != 0)
    low, high = BOUNDS.get(str(size), BOUNDS["bigint"])
    if low is not None and high is not None and not low <= whole <= high:
        raise SqlError(-104, f"Value '{shortened(value)}' is out of range for {str(size).upper()}")
    return whole


def _text_number(text: str, target: str) -> int | float | Decimal:
    try:
        if target == types.DOUBLE:
            found = convert(text, types.TEXT, types.DOUBLE, odbc=False)
            assert isinstance(found, float)
            return found
        return values.leading_number(text)
    except (ValueError, OverflowError):
        if target == types.DOUBLE:
            return float(values.leading_number(text))
        raise fatal("<MAXNUMBER>") from None


def _cast_moment(value: Value, source: str, target: str, scale: int | None) -> Stored:
    try:
        if isinstance(value, str) and source == types.TEXT:
            found = _moment_from_text(value, target)
        else:
            found = convert(value, source, target, odbc=True)
        if target == types.TIMESTAMP and scale is not None and isinstance(found, str):
            found = values.timestamp_from_text(found, scale)
        if target == types.TIME and scale and isinstance(found, Decimal):
            found = round(found, scale)
        return encode(found, target)
    except (ValueError, OverflowError):
        if isinstance(value, str) and target in (types.DATE, types.TIME):
            return encode(0, target)
        code, word = (-147, "time") if target == types.TIME else (-146, "date")
        raise SqlError(
            code, f"Unable to convert {word} input to a valid logical {word} value: '{shortened(value)}'"
        ) from None


def _moment_from_text(text: str, target: str) -> Value:
    if target == types.TIME and "-" in text:
        return values.time_from_text(values.timestamp_from_text(text)[11:])
    return convert(text, types.TEXT, target, odbc=True)


def external(stored: Stored, kind: str) -> Value:
    """Return %EXTERNAL of a value: as %ODBCOUT, but a list has a line for each item."""
    if kind == types.LIST and isinstance(stored, str):
        return values.list_to_text(stored, "\r\n")
    return odbc_out(stored, kind)


def odbc_out(stored: Stored, kind: str) -> Value:
    """Return %ODBCOUT and %EXTERNAL of a value."""
    shown = odbc_text(decode(stored, kind), kind)
    return to_text(shown, kind, odbc=True) if shown is not None else None


def odbc_in(text: str | None, kind: str) -> Stored:
    """Return %ODBCIN and %INTERNAL of a text; raise -146 or -147."""
    return cast(text, types.TEXT, kind, None, None) if text is not None else None


def concatenated(*arguments: str | None) -> str:
    """Return STRING: the arguments joined, NULL counting as nothing."""
    text = "".join(argument for argument in arguments if argument is not None)
    if len(text) > values.MAX_STRING:
        raise fatal("<MAXSTRING>")
    return text


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "iris_as": as_kind,
    "iris_cast": cast,
    "iris_odbc_out": odbc_out,
    "iris_external": external,
    "iris_odbc_in": odbc_in,
    "iris_string": concatenated,
}
"""SQLite functions that convert, by name."""

SQL = signatures(
    """
STRING                 iris_string           t    1 99 text
"""
)
"""Their names and signatures in SQL."""

__all__ = ["BOUNDS", "FUNCTIONS", "SQL", "as_kind", "cast", "concatenated", "external", "odbc_in", "odbc_out"]
