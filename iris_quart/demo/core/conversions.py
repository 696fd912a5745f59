"""Values between types: from one kind to another, and between Python and what SQLite holds.

SQLite holds numbers with a fraction (and times) as sortable bytes (values.encode_decimal); everything else as the
Python value itself. Not-a-number is held as text, because SQLite turns it into NULL.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

from . import values
from .types import (
    BINARY,
    BINARY_STREAM,
    DATE,
    DECIMAL,
    DOUBLE,
    INTEGER,
    LIST,
    POSIXTIME,
    TEXT,
    TEXT_STREAM,
    TIME,
    TIMESTAMP,
)

Value = None | str | int | float | Decimal | bytes
Stored = None | str | int | float | bytes

NOT_A_NUMBER = "nan"
LOWEST, HIGHEST = -(2**63), 2**63 - 1


def encode(value: Value, kind: str) -> Stored:
    """Return what SQLite holds for a logical value of a kind; a value that breaks its type is held as it is."""
    if isinstance(value, Decimal):
        if kind in (DECIMAL, TIME):
            return values.encode_decimal(value)
        if value == value.to_integral_value() and LOWEST <= value <= HIGHEST:
            return int(value)
        return float(value)
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, int):
        if kind in (DECIMAL, TIME):
            return values.encode_decimal(Decimal(value))
        if kind == DOUBLE or not LOWEST <= value <= HIGHEST:
            return float(value)
    if isinstance(value, float) and math.isnan(value):
        return NOT_A_NUMBER
    return value


def decode_number(stored: Stored) -> Value:
    """Return the logical value of a stored NUMERIC."""
    return values.decode_decimal(stored) if isinstance(stored, bytes) else stored


def decode_time(stored: Stored) -> Value:
    """Return the logical value of a stored TIME: whole seconds as an integer."""
    if not isinstance(stored, bytes):
        return stored
    number = values.decode_decimal(stored)
    return int(number) if number == number.to_integral_value() else number


def decode_double(stored: Stored) -> Value:
    """Return the logical value of a stored DOUBLE."""
    if stored == NOT_A_NUMBER:
        return math.nan
    return float(stored) if isinstance(stored, int) else stored


DECODERS: dict[str, Callable[[Stored], Value]] = {
    DECIMAL: decode_number,
    TIME: decode_time,
    DOUBLE: decode_double,
}


def decode(stored: Stored, kind: str) -> Value:
    """Return the logical value of what SQLite holds."""
    decoder = DECODERS.get(kind)
    return decoder(stored) if decoder else stored


def convert(value: Value, source: str, target: str, *, odbc: bool) -> Value:
    """Return a logical value as another kind has it; raise ValueError where there is none.

    `odbc` says that dates and times may come as ODBC text. A number for INTEGER may keep its fraction.
    """
    if value is None:
        return None
    if source == target and source != TEXT:
        return value
    return _TO[target](value, source, odbc)


def number_text(value: int | Decimal | float) -> str:
    """Return the canonical text of a number, which in IRIS has no zero before the point."""
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value):
            return "NAN" if math.isnan(value) else "INF" if value > 0 else "-INF"
        text = values.plain_decimal(Decimal(repr(value)))
    elif isinstance(value, Decimal):
        text = values.plain_decimal(value)
    else:
        return str(int(value))
    if text.startswith("0."):
        return text[1:]
    return "-" + text[2:] if text.startswith("-0.") else text


def to_text(value: Value, source: str, odbc: bool) -> str:
    """Return the text of a value as string functions see it."""
    if isinstance(value, str):
        return values.list_to_text(value) if source == LIST and odbc else value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if value is None:
        return ""
    return number_text(value)


def odbc_text(value: Value, source: str) -> Value:
    """Return a value the way ODBC mode shows it: dates, times and lists as text, others unchanged."""
    if value is None:
        return None
    try:
        if source == DATE and isinstance(value, int):
            return values.date_to_text(value)
        if source == TIME and isinstance(value, (int, Decimal)):
            return values.time_to_text(value)
        if source == POSIXTIME and isinstance(value, int):
            return values.posix_to_timestamp(value)
    except (ValueError, OverflowError):
        return value
    if source == LIST and isinstance(value, str):
        return values.list_to_text(value)
    return value


def _to_number(value: Value, source: str, odbc: bool) -> Value:
    if isinstance(value, str):
        return values.number_from_text(value)
    if isinstance(value, bytes):
        raise ValueError("binary")  # noqa: TRY004 - one error for all that cannot be converted
    return value


def _to_decimal(value: Value, source: str, odbc: bool) -> Value:
    found = _to_number(value, source, odbc)
    if isinstance(found, float):
        if not math.isfinite(found):
            raise ValueError(str(found))
        return Decimal(repr(found))
    return found


def _to_double(value: Value, source: str, odbc: bool) -> Value:
    if isinstance(value, str):
        return _double_from_text(value)
    found = _to_number(value, source, odbc)
    assert isinstance(found, (int, float, Decimal))
    return float(found)


def _double_from_text(text: str) -> float:
    lowered = text.strip().lower()
    special = {"nan": math.nan, "inf": math.inf, "+inf": math.inf, "-inf": -math.inf}
    if lowered in special:
        return special[lowered]
    if not lowered.isascii() or "_" in lowered or "infinity" in lowered:
        raise ValueError(text)
    return float(lowered)


def _to_date(value: Value, source: str, odbc: bool) -> Value:
    if source == TIMESTAMP and isinstance(value, str):
        return values.date_from_text(value[:10])
    if source == POSIXTIME and isinstance(value, int):
        return values.date_from_text(values.posix_to_timestamp(value)[:10])
    if isinstance(value, str):
        if odbc and "-" in value.strip()[1:]:
            return values.date_from_text(values.timestamp_from_text(value)[:10])
        value = values.number_from_text(value)
    if not isinstance(value, (int, Decimal, float)) or value != int(value):
        raise ValueError(str(value))
    if not values.FIRST_DAY <= value <= values.LAST_DAY:
        raise ValueError(str(value))
    return int(value)


def _to_time(value: Value, source: str, odbc: bool) -> Value:
    if source == TIMESTAMP and isinstance(value, str):
        return values.time_from_text(value[11:])
    if source == POSIXTIME and isinstance(value, int):
        return values.time_from_text(values.posix_to_timestamp(value)[11:])
    if isinstance(value, str):
        if odbc and ":" in value:
            return values.time_from_text(value)
        value = values.number_from_text(value)
    if isinstance(value, float):
        value = Decimal(repr(value))
    if not isinstance(value, (int, Decimal)) or not 0 <= value < values.SECONDS_PER_DAY:
        raise ValueError(str(value))
    return value


def _to_timestamp(value: Value, source: str, odbc: bool) -> Value:
    if source == DATE and isinstance(value, int):
        return f"{values.date_to_text(value)} 00:00:00"
    if source == POSIXTIME and isinstance(value, int):
        return values.posix_to_timestamp(value)
    if isinstance(value, str):
        return values.timestamp_from_text(value)
    raise ValueError(str(value))


def _to_posixtime(value: Value, source: str, odbc: bool) -> Value:
    if source == DATE and isinstance(value, int):
        return values.posix_from_timestamp(values.date_to_text(value))
    if source == TIMESTAMP and isinstance(value, str):
        return values.posix_from_timestamp(value)
    if isinstance(value, str):
        if odbc and "-" in value.strip()[1:]:
            return values.posix_from_timestamp(value)
        value = values.number_from_text(value)
    if not isinstance(value, (int, Decimal)) or value != int(value):
        raise ValueError(str(value))
    values.posix_to_timestamp(int(value))
    return int(value)


def _to_binary(value: Value, source: str, odbc: bool) -> Value:
    if isinstance(value, bytes):
        return value
    text = to_text(value, source, odbc)
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _to_list(value: Value, source: str, odbc: bool) -> Value:
    text = to_text(value, source, odbc)
    if odbc:
        try:
            values.list_items(text)
        except ValueError:
            return values.list_build(text.split(","))
    return text


_TO: dict[str, Callable[[Value, str, bool], Value]] = {
    TEXT: to_text,
    TEXT_STREAM: to_text,
    INTEGER: _to_number,
    DECIMAL: _to_decimal,
    DOUBLE: _to_double,
    DATE: _to_date,
    TIME: _to_time,
    TIMESTAMP: _to_timestamp,
    POSIXTIME: _to_posixtime,
    BINARY: _to_binary,
    BINARY_STREAM: _to_binary,
    LIST: _to_list,
}


def comparable(value: Value, source: str, target: str, *, odbc: bool) -> Stored:
    """Return a value in the stored form of the kind it is compared with; what cannot be converted stays as it is.

    Text that is not a number then equals no number, and sorts apart from all of them.
    """
    try:
        return encode(convert(value, source, target, odbc=odbc), target)
    except (ValueError, OverflowError):
        return value if isinstance(value, str) else encode(value, source)


__all__ = [
    "DECODERS",
    "NOT_A_NUMBER",
    "Stored",
    "Value",
    "comparable",
    "convert",
    "decode",
    "decode_double",
    "decode_number",
    "decode_time",
    "encode",
    "number_text",
    "odbc_text",
    "to_text",
]
