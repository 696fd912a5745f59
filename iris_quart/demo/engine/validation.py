"""Written values: the checks of a column's type, before a value is stored.

Codes and texts seen in the wild: -104 in INSERT and -105 in UPDATE for a value that its type refuses (over-long
text, a too precise number), -108 for a missing required value.
"""

from __future__ import annotations

import math
from decimal import Decimal

from iris_quart.demo.catalog.tables import Column, Table
from iris_quart.demo.core import values
from iris_quart.demo.core.conversions import Stored, Value, convert, encode
from iris_quart.demo.core.errors import SqlError, shortened
from iris_quart.demo.core.types import (
    BINARY,
    BINARY_STREAM,
    DATE,
    DECIMAL,
    DOUBLE,
    INTEGER,
    LIST,
    TEXT,
    TEXT_STREAM,
    TIME,
    TIMESTAMP,
)

MAX_STREAM = 16 * values.MAX_STRING
"""Most characters of a stream here; a stream of IRIS has no such bound, the embedded file does."""


def checked(table: Table, column: Column, value: Value, source: str, *, insert: bool, odbc: bool) -> Stored:
    """Return the stored form of a value written to a column; raise -104, -105 or -108.

    A value outside the VALUELIST of a column becomes NULL without an error, unless a value is required (Using SQL).
    """
    if value is None:
        if column.not_null:
            raise SqlError(-108, f"'{column.name}' in table '{table.full_name}' is a required field")
        return None
    try:
        found = _typed(column, value, source, odbc)
    except (ValueError, OverflowError):
        raise failed(table, column, value, insert=insert) from None
    if column.parameters and not _listed(column, found):
        if column.not_null:
            raise failed(table, column, value, insert=insert)
        return None
    return encode(found, column.type.kind)


def _listed(column: Column, value: Value) -> bool:
    """Return whether a value is in the VALUELIST, whose first character is its delimiter; true without a list."""
    text = dict(column.parameters).get("VALUELIST", "")
    return not text or str(value) in text[1:].split(text[0])


def failed(table: Table, column: Column, value: Value, *, insert: bool) -> SqlError:
    """Return -104 or -105 (text seen in the wild)."""
    shown = "" if isinstance(value, bytes) else f" (value '{shortened(value)}')"
    return SqlError(
        -104 if insert else -105, f"Field '{table.full_name}.{column.name}'{shown} failed validation"
    )


def _typed(column: Column, value: Value, source: str, odbc: bool) -> Value:
    data_type = column.type
    kind = data_type.kind
    found = convert(value, source, kind, odbc=odbc)
    if kind in (TEXT, LIST, TEXT_STREAM):
        assert isinstance(found, str)
        limit = data_type.length if kind == TEXT else None
        if len(found) > (limit or (MAX_STREAM if kind == TEXT_STREAM else values.MAX_STRING)):
            raise ValueError("too long")
    elif kind in (BINARY, BINARY_STREAM):
        assert isinstance(found, bytes)
        if len(found) > (data_type.length or MAX_STREAM):
            raise ValueError("too long")
    elif kind == INTEGER:
        return _integer(column, found)
    elif kind == DECIMAL:
        return _decimal(column, found)
    elif kind == DATE and isinstance(found, int) and found < 0:
        raise ValueError("before day 0")
    elif kind == DOUBLE:
        assert isinstance(found, (int, float, Decimal))
        return float(found)
    elif kind == TIME and isinstance(found, Decimal):
        return round_down(found, data_type.scale or 0)
    elif kind == TIMESTAMP and isinstance(found, str) and data_type.scale is not None:
        return values.timestamp_from_text(found, data_type.scale)
    return found


def _integer(column: Column, value: Value) -> int:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(str(value))
    assert isinstance(value, (int, float, Decimal))
    whole = int(value)
    low, high = column.type.low, column.type.high
    if whole != value or (low is not None and whole < low) or (high is not None and whole > high):
        raise ValueError(str(value))
    return whole


def _decimal(column: Column, value: Value) -> Decimal:
    found = Decimal(repr(value)) if isinstance(value, float) else value
    assert isinstance(found, (int, Decimal))
    exact = Decimal(values.plain_decimal(Decimal(found)))
    precision, scale = column.type.precision, column.type.scale
    exponent = exact.as_tuple().exponent
    assert isinstance(exponent, int)
    if scale is not None and -exponent > scale:
        raise ValueError("too precise")
    if precision is not None and len(exact.as_tuple().digits) + exponent > max(
        precision - (scale or 0), 19 - precision if precision == scale else 0
    ):
        raise ValueError("too large")
    if len(exact.as_tuple().digits) > 19:
        raise ValueError("too many digits")
    return exact


def round_down(value: Decimal, digits: int) -> Decimal | int:
    """Return a number cut to some decimals."""
    shift = Decimal(10) ** digits
    found = Decimal(int(value * shift)) / shift
    return int(found) if found == int(found) else found


__all__ = ["checked", "failed"]
