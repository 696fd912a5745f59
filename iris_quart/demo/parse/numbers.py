"""Numeric constants of a statement."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from iris_quart.demo.core.errors import fatal

MAX_EXPONENT = 145
"""Largest decimal exponent of an IRIS number (9.22E145, from memory)."""


def number(text: str) -> int | Decimal | float:
    """Return a numeric constant exactly; one with an exponent beyond IRIS's range is <MAXNUMBER>."""
    if text.isdigit() and len(text) <= 19:
        return int(text)
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise fatal("<MAXNUMBER>") from None
    if not value.is_finite() or (value and value.adjusted() > MAX_EXPONENT):
        raise fatal("<MAXNUMBER>")
    if value and value.adjusted() < -128:
        return 0
    if value == value.to_integral_value() and value.adjusted() < 19:
        return int(value)
    return value


__all__ = ["MAX_EXPONENT", "number"]
