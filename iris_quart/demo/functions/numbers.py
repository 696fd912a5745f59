"""Arithmetic, numeric functions and aggregates; exact in integers and decimals.

Every function comes in three forms by the kind of its result: `_integer` (a 64-bit integer), `_decimal` (sortable
bytes, values.encode_decimal) and `_double`.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from iris_quart.demo.core import values
from iris_quart.demo.core.conversions import HIGHEST, LOWEST, NOT_A_NUMBER, Stored
from iris_quart.demo.core.errors import fatal

from .signatures import signatures

Number = int | float | Decimal

EXACT = decimal.Context(prec=60, Emin=-400, Emax=400, traps=[decimal.InvalidOperation, decimal.Overflow])
"""Sums and products of IRIS's 19 digits fit here without rounding."""
QUOTIENT = decimal.Context(prec=19, Emin=-400, Emax=400, traps=[decimal.InvalidOperation, decimal.Overflow])
"""Quotients and roots are rounded to 19 digits, the precision of an IRIS number."""
LARGEST = Decimal("9.223372036854775807E145")
LARGEST_PLACE = LARGEST.adjusted()


def number(stored: Stored) -> Number | None:
    """Return the number that a stored value stands for; text counts by its leading number."""
    if stored is None or isinstance(stored, (int, float)):
        return stored
    if isinstance(stored, bytes):
        return values.decode_decimal(stored)
    if stored == NOT_A_NUMBER:
        return math.nan
    try:
        return values.leading_number(stored)
    except ValueError:
        raise fatal("<MAXNUMBER>") from None


def as_integer(value: Number | None) -> Stored:
    """Return a whole number for SQLite; raise <MAXNUMBER> beyond 64 bits."""
    if value is None:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        raise fatal("<MAXNUMBER>")
    whole = int(value)
    if not LOWEST <= whole <= HIGHEST:
        raise fatal("<MAXNUMBER>")
    return whole


def as_decimal(value: Number | None) -> Stored:
    """Return a decimal for SQLite; raise <MAXNUMBER> beyond the range of IRIS."""
    if value is None:
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            raise fatal("<MAXNUMBER>")
        value = Decimal(repr(value))
    found = value if isinstance(value, Decimal) else Decimal(value)
    place = found.adjusted()
    if place >= LARGEST_PLACE and abs(found) > LARGEST:
        raise fatal("<MAXNUMBER>")
    if place < -128:
        found = Decimal(0)
    return values.encode_decimal(found)


def as_double(value: Number | None) -> Stored:
    """Return a double for SQLite."""
    if value is None:
        return None
    try:
        found = float(value)
    except OverflowError:
        raise fatal("<MAXNUMBER>") from None
    return NOT_A_NUMBER if math.isnan(found) else found


RESULTS: dict[str, Callable[[Number | None], Stored]] = {
    "integer": as_integer,
    "decimal": as_decimal,
    "double": as_double,
}


def _pair(left: Number, right: Number) -> tuple[Any, Any]:
    if isinstance(left, float) or isinstance(right, float):
        return float(left), float(right)
    if isinstance(left, int) and isinstance(right, int):
        return left, right
    return Decimal(left), Decimal(right)


def add(left: Number, right: Number) -> Number:
    """Return a sum."""
    first, second = _pair(left, right)
    return EXACT.add(first, second) if isinstance(first, Decimal) else first + second


def subtract(left: Number, right: Number) -> Number:
    """Return a difference."""
    first, second = _pair(left, right)
    return EXACT.subtract(first, second) if isinstance(first, Decimal) else first - second


def multiply(left: Number, right: Number) -> Number:
    """Return a product."""
    first, second = _pair(left, right)
    return EXACT.multiply(first, second) if isinstance(first, Decimal) else first * second


def divide(left: Number, right: Number) -> Any:
    """Return a quotient; raise <DIVIDE> for a zero divisor."""
    first, second = _pair(left, right)
    if not second:
        raise fatal("<DIVIDE>")
    if isinstance(first, float):
        return first / float(second)
    return QUOTIENT.divide(Decimal(first), Decimal(second))


def modulo(left: Number, right: Number) -> Any:
    """Return the rest with the sign of the divisor, as ObjectScript's `#` does."""
    first, second = _pair(left, right)
    if not second:
        raise fatal("<DIVIDE>")
    if isinstance(first, (int, float)):
        return first % second
    rest = EXACT.remainder(first, second)
    return EXACT.add(rest, second) if rest and (rest < 0) != (second < 0) else rest


def remainder(left: Number, right: Number) -> Any:
    """Return MOD: the rest with the sign of the dividend."""
    first, second = _pair(left, right)
    if not second:
        raise fatal("<DIVIDE>")
    if isinstance(first, float):
        return math.fmod(first, second)
    return EXACT.remainder(Decimal(first), Decimal(second))


def quotient(left: Number, right: Number) -> Any:
    """Return the integer part of a quotient."""
    first, second = _pair(left, right)
    if not second:
        raise fatal("<DIVIDE>")
    if isinstance(first, int):
        whole = abs(first) // abs(second)
        return whole if (first < 0) == (second < 0) else -whole
    return int(EXACT.divide(Decimal(first), Decimal(second)))


def rounded(value: Number, digits: Number = 0, flag: Number = 0) -> Number:
    """Return a number rounded half away from zero, or cut when the flag is not zero."""
    return _quantized(value, int(digits), decimal.ROUND_DOWN if flag else decimal.ROUND_HALF_UP)


def truncated(value: Number, digits: Number = 0) -> Number:
    """Return a number cut to some decimals."""
    return _quantized(value, int(digits), decimal.ROUND_DOWN)


def _quantized(value: Number, digits: int, rounding: str) -> Number:
    if isinstance(value, float) and not math.isfinite(value):
        return value
    digits = max(-200, min(digits, 200))
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    exponent = exact.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent <= digits:
        return value
    found = exact.quantize(Decimal(1).scaleb(-digits), rounding=rounding, context=decimal.Context(prec=500))
    if isinstance(value, float):
        return float(found)
    return int(found) if isinstance(value, int) else found


def power(base: Number, exponent: Number) -> Number:
    """Return a power; raise <ILLEGAL VALUE> where there is none."""
    first, second = _pair(base, exponent)
    if isinstance(first, float):
        return _float(lambda: math.pow(first, second))
    with decimal.localcontext(QUOTIENT):
        try:
            return Decimal(first) ** Decimal(second)
        except decimal.Overflow:
            raise fatal("<MAXNUMBER>") from None
        except decimal.InvalidOperation:
            raise fatal("<ILLEGAL VALUE>") from None


def root(value: Number) -> Number:
    """Return a square root."""
    if value < 0:
        raise fatal("<ILLEGAL VALUE>")
    return math.sqrt(value) if isinstance(value, float) else QUOTIENT.sqrt(Decimal(value))


def _float(function: Callable[[], float]) -> float:
    try:
        return function()
    except OverflowError:
        raise fatal("<MAXNUMBER>") from None
    except (ValueError, ZeroDivisionError):
        raise fatal("<ILLEGAL VALUE>") from None


def _transcendental(function: Callable[..., float]) -> Callable[..., Number]:
    def computed(*arguments: Number) -> Number:
        found = _float(lambda: function(*map(float, arguments)))
        if any(isinstance(argument, float) for argument in arguments) or not math.isfinite(found):
            return found
        return Decimal(repr(found))

    return computed


def _floor(value: Number) -> Number:
    return math.floor(value) if not isinstance(value, float) or math.isfinite(value) else value


def _ceiling(value: Number) -> Number:
    return math.ceil(value) if not isinstance(value, float) or math.isfinite(value) else value


OPERATIONS: dict[str, Callable[..., Number]] = {
    "add": add,
    "subtract": subtract,
    "multiply": multiply,
    "divide": divide,
    "modulo": modulo,
    "quotient": quotient,
    "mod": remainder,
    "abs": abs,
    "sign": lambda value: (value > 0) - (value < 0),
    "round": rounded,
    "truncate": truncated,
    "floor": _floor,
    "ceiling": _ceiling,
    "power": power,
    "sqrt": root,
    "square": lambda value: multiply(value, value),
    "number": lambda value: value,
    "exp": _transcendental(math.exp),
    "log": _transcendental(math.log),
    "log10": _transcendental(math.log10),
    "sin": _transcendental(math.sin),
    "cos": _transcendental(math.cos),
    "tan": _transcendental(math.tan),
    "cot": _transcendental(lambda value: 1 / math.tan(value)),
    "asin": _transcendental(math.asin),
    "acos": _transcendental(math.acos),
    "atan": _transcendental(math.atan),
    "atan2": _transcendental(math.atan2),
    "degrees": _transcendental(math.degrees),
    "radians": _transcendental(math.radians),
    "pi": lambda: Decimal("3.141592653589793238"),
}


def _form(
    operation: Callable[..., Number], result: Callable[[Number | None], Stored]
) -> Callable[..., Stored]:
    def computed(*arguments: Stored) -> Stored:
        if None in arguments:
            return None
        numbers = [number(argument) for argument in arguments]
        try:
            return result(operation(*numbers))
        except (decimal.Overflow, OverflowError):
            raise fatal("<MAXNUMBER>") from None
        except (decimal.InvalidOperation, ValueError):
            raise fatal("<ILLEGAL VALUE>") from None

    return computed


FUNCTIONS: dict[str, Callable[..., Any]] = {
    f"iris_{name}_{kind}": _form(operation, result)
    for name, operation in OPERATIONS.items()
    for kind, result in RESULTS.items()
}
"""SQLite functions on numbers, by name."""

SQL = signatures(
    """
ABS                    iris_abs_             n    1 1 number
SIGN                   iris_sign_            n    1 1 whole
ROUND                  iris_round_           nii  1 3 number
TRUNCATE               iris_truncate_        ni   1 2 number
FLOOR                  iris_floor_           n    1 1 whole
CEILING                iris_ceiling_         n    1 1 whole
MOD                    iris_mod_             nn   2 2 number
POWER                  iris_power_           nn   2 2 decimal
SQRT                   iris_sqrt_            n    1 1 decimal
SQUARE                 iris_square_          n    1 1 number
EXP                    iris_exp_             n    1 1 decimal
LOG                    iris_log_             n    1 1 decimal
LOG10                  iris_log10_           n    1 1 decimal
SIN                    iris_sin_             n    1 1 decimal
COS                    iris_cos_             n    1 1 decimal
TAN                    iris_tan_             n    1 1 decimal
COT                    iris_cot_             n    1 1 decimal
ASIN                   iris_asin_            n    1 1 decimal
ACOS                   iris_acos_            n    1 1 decimal
ATAN                   iris_atan_            n    1 1 decimal
ATAN2                  iris_atan2_           nn   2 2 decimal
DEGREES                iris_degrees_         n    1 1 decimal
RADIANS                iris_radians_         n    1 1 decimal
PI                     iris_pi_              n    0 0 decimal
TO_NUMBER              iris_number_          n    1 1 decimal
"""
)
"""Their names and signatures in SQL."""

__all__ = [
    "EXACT",
    "FUNCTIONS",
    "LARGEST",
    "OPERATIONS",
    "QUOTIENT",
    "RESULTS",
    "SQL",
    "Number",
    "add",
    "as_decimal",
    "as_double",
    "as_integer",
    "divide",
    "modulo",
    "multiply",
    "number",
    "power",
    "quotient",
    "remainder",
    "root",
    "rounded",
    "subtract",
    "truncated",
]
