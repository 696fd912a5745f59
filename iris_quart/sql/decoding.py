"""Answers of IRIS become wire values: one small function a column, chosen once for a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from .server_format import NumberForm, ServerFormat, TextForm
from .values import NOT_NUMBERS, NUMBER_TEXT, Category, Wire

__all__ = ["Decoder", "binary_preview", "decoder", "from_horolog_date", "from_horolog_time", "from_posixtime"]

Decoder: TypeAlias = Callable[[Any], Wire]

EPOCH = date(1840, 12, 31)
"""Day 0 of $HOROLOG (InterSystems ObjectScript Reference, $HOROLOG)."""
UNIX_EPOCH = date(1970, 1, 1)
POSIX_POSITIVE = 2**60
POSIX_NEGATIVE = -6 * 2**60
"""Offsets of %PosixTime: microseconds since 1970 plus 2^60, before it minus 6 * 2^60 (class reference of
%Library.PosixTime; both ends of its range fit them)."""
PREVIEW_BYTES = 32
WHOLE_TEXT = re.compile(r"(?:-?[1-9][0-9]{0,18}|0)\Z")


def decoder(category: Category, encoding: ServerFormat) -> Decoder:
    """Return the function that reads one raw JSON value (numbers as int or Decimal) of a category.

    A key that is missing in the row is read as None. A value that breaks its own type is given as it is, as text.
    """
    if category in {Category.TEXT, Category.LONG_TEXT, Category.GUID, Category.UNKNOWN, Category.LIST}:
        return _text_decoder(encoding)
    decode = _number_decoder(category, encoding) or _DECODERS[category]
    if encoding.null is TextForm.BLANK and not encoding.ambiguous:
        return decode

    def told_apart(raw: Any) -> Wire:
        """Read "" as an empty string that broke its column's type: this server writes NULL otherwise."""
        return raw if raw.__class__ is int and decode is _integer else decode("\0" if raw == "" else raw)

    return told_apart


def _number_decoder(category: Category, encoding: ServerFormat) -> Decoder | None:
    """Read numbers that this server writes as strings; elsewhere a string among numbers broke its column's type."""
    as_text = {
        Category.INTEGER: encoding.big_integers is NumberForm.STRING and _integer_text,
        Category.NUMERIC: NumberForm.STRING in {encoding.numerics, encoding.big_integers} and _number_text,
        Category.DOUBLE: encoding.doubles is NumberForm.STRING and _double_text,
    }
    return as_text.get(category) or None


def _text_decoder(encoding: ServerFormat) -> Decoder:
    # Where both look alike, the flag beside the column settles what is NULL, and all else is text.
    blank_is_null = encoding.null is TextForm.BLANK and not encoding.ambiguous
    null_is_empty = encoding.empty is TextForm.NULL and not encoding.ambiguous

    def decode(raw: Any) -> Wire:
        if raw.__class__ is str:
            if raw == "":
                return None if blank_is_null else ""
            return "" if raw == "\0" else raw
        if raw is None:
            return "" if null_is_empty else None
        return canonical_text(raw)

    return decode


def canonical_text(raw: Any) -> str:
    """Return the text that was written as a JSON number: IRIS's canonical form has no zero before the point."""
    if isinstance(raw, bool):
        return str(int(raw))
    if isinstance(raw, Decimal):
        text = format(raw, "f")
        return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text
    return str(raw)


def _integer(raw: Any) -> Wire:
    if raw.__class__ is int:
        return raw
    if raw is None or raw == "":
        return None
    if isinstance(raw, str):
        return "" if raw == "\0" else raw
    if isinstance(raw, Decimal):
        return int(raw) if raw == raw.to_integral_value() else raw
    return int(raw)


def _number(raw: Any) -> Wire:
    if raw.__class__ is Decimal or raw.__class__ is int:
        return raw
    if raw is None or raw == "":
        return None
    if isinstance(raw, str):
        return "" if raw == "\0" else raw
    return int(raw)


def _double(raw: Any) -> Wire:
    number = _number(raw)
    return NOT_NUMBERS.get(number.lower(), number) if isinstance(number, str) else number


def _integer_text(raw: Any) -> Wire:
    return int(raw) if isinstance(raw, str) and WHOLE_TEXT.match(raw) else _integer(raw)


def _number_text(raw: Any) -> Wire:
    if not (isinstance(raw, str) and NUMBER_TEXT.match(raw)):
        return _number(raw)
    number = Decimal(raw)
    return int(number) if number.as_tuple().exponent == 0 else number


def _double_text(raw: Any) -> Wire:
    return _number_text(raw) if isinstance(raw, str) and NUMBER_TEXT.match(raw) else _double(raw)


def _date(raw: Any) -> Wire:
    if isinstance(raw, str):
        return _text_or_null(raw)
    return None if raw is None else from_horolog_date(raw)


def _time(raw: Any) -> Wire:
    if isinstance(raw, str):
        return _text_or_null(raw)
    return None if raw is None else from_horolog_time(raw)


def _timestamp(raw: Any) -> Wire:
    if isinstance(raw, str):
        return _text_or_null(raw)
    return None if raw is None else from_posixtime(raw)


def _text_or_null(raw: str) -> Wire:
    if raw == "":
        return None
    return "" if raw == "\0" else raw


def from_horolog_date(raw: Any) -> str:
    """Write days since 1840-12-31 as YYYY-MM-DD; anything else as the text it is."""
    try:
        if raw == int(raw):
            return (EPOCH + timedelta(days=int(raw))).isoformat()
    except (OverflowError, ValueError):
        pass
    return str(raw)


def from_horolog_time(raw: Any) -> str:
    """Write seconds since midnight as HH:MM:SS[.f]; anything else stays the text that it is."""
    try:
        seconds = Decimal(raw)
    except (InvalidOperation, ValueError, TypeError):
        return str(raw)
    if not 0 <= seconds < 86400:
        return str(raw)
    whole = int(seconds)
    fraction = format(seconds - whole, "f")[1:].rstrip("0").rstrip(".")
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{fraction}"


def from_posixtime(raw: Any) -> str:
    """Write an encoded %PosixTime as YYYY-MM-DD HH:MM:SS[.f]; what is none as the text it is."""
    if not isinstance(raw, int):
        return str(raw)
    microseconds = raw - POSIX_POSITIVE if raw >= 0 else raw - POSIX_NEGATIVE
    days, rest = divmod(microseconds, 86_400_000_000)
    try:
        day = UNIX_EPOCH + timedelta(days=days)
    except OverflowError:
        return str(raw)
    return f"{day.isoformat()} {from_horolog_time(Decimal(rest).scaleb(-6))}"


def binary_preview(raw: Any) -> Wire:
    """Show the first bytes, sent as one character each, in hexadecimal."""
    if raw is None or raw == "":
        return None
    if raw == "\0":
        return "0x"
    text = canonical_text(raw) if not isinstance(raw, str) else raw
    return "0x" + "".join(f"{ord(character):02x}" for character in text[:PREVIEW_BYTES])


_DECODERS: dict[Category, Decoder] = {
    Category.INTEGER: _integer,
    Category.NUMERIC: _number,
    Category.DOUBLE: _double,
    Category.BOOLEAN: _integer,
    Category.DATE: _date,
    Category.TIME: _time,
    Category.TIMESTAMP: _timestamp,
    Category.POSIXTIME: _timestamp,
    Category.BINARY: binary_preview,
    Category.LONG_BINARY: binary_preview,
}
