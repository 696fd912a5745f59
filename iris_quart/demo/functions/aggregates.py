"""Aggregates, exact in integers and decimals."""

from __future__ import annotations

import decimal
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

from iris_quart.demo.core import values
from iris_quart.demo.core.conversions import Stored
from iris_quart.demo.core.errors import fatal

from .numbers import EXACT, QUOTIENT, Number, add, as_decimal, as_double, as_integer, divide, number


class Sum:
    """Add up numbers exactly."""

    result = staticmethod(as_decimal)

    def __init__(self) -> None:
        self.total: Number | None = None
        self.count = 0

    def step(self, stored: Stored) -> None:
        """Take one value."""
        value = number(stored)
        if value is not None:
            self.total = value if self.total is None else add(self.total, value)
            self.count += 1

    def inverse(self, stored: Stored) -> None:
        """Take back the oldest value, which a moving window leaves out."""
        value = number(stored)
        if value is not None and self.total is not None:
            self.count -= 1
            self.total = add(self.total, -value) if self.count else None

    def finalize(self) -> Stored:
        """Return the sum; NULL of nothing."""
        return self.result(self.total)


class IntegerSum(Sum):
    """Add up integers."""

    result = staticmethod(as_integer)


class DoubleSum(Sum):
    """Add up doubles."""

    result = staticmethod(as_double)


class Average(Sum):
    """Average numbers, to 19 digits."""

    def finalize(self) -> Stored:
        """Return the average; NULL of nothing."""
        return self.result(None if self.total is None else divide(self.total, self.count))


class DoubleAverage(Average):
    """Average doubles."""

    result = staticmethod(as_double)


class FramedDoubleSum:
    """Add up doubles exactly, so that taking values back leaves no error of rounding."""

    def __init__(self) -> None:
        self.total = Fraction(0)
        self.count = 0

    def step(self, stored: Stored) -> None:
        """Take one value."""
        self._moved(stored, 1)

    def inverse(self, stored: Stored) -> None:
        """Take back the oldest value."""
        self._moved(stored, -1)

    def _moved(self, stored: Stored, sign: int) -> None:
        value = number(stored)
        if value is None:
            return
        if isinstance(value, float) and not math.isfinite(value):
            raise fatal("<ILLEGAL VALUE>")
        self.total += sign * Fraction(value)
        self.count += sign

    def finalize(self) -> Stored:
        """Return the sum; NULL of nothing."""
        return as_double(float(self.total)) if self.count else None


class FramedDoubleAverage(FramedDoubleSum):
    """Average doubles in a moving window."""

    def finalize(self) -> Stored:
        """Return the average; NULL of nothing."""
        return as_double(float(self.total / self.count)) if self.count else None


class Spread:
    """Compute variance or standard deviation."""

    sample = True
    square_root = False

    def __init__(self) -> None:
        self.values: list[Decimal] = []

    def step(self, stored: Stored) -> None:
        """Take one value."""
        value = number(stored)
        if value is not None:
            if isinstance(value, float) and not math.isfinite(value):
                raise fatal("<ILLEGAL VALUE>")
            self.values.append(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))

    def finalize(self) -> Stored:
        """Return the result; NULL of nothing, zero of a single value of a sample."""
        count = len(self.values)
        if not count:
            return None
        with decimal.localcontext(EXACT):
            mean = sum(self.values, Decimal(0)) / count
            squares = sum(((value - mean) ** 2 for value in self.values), Decimal(0))
            divisor = count - 1 if self.sample else count
            variance = squares / divisor if divisor else Decimal(0)
        found = QUOTIENT.sqrt(variance) if self.square_root else QUOTIENT.plus(variance)
        return as_decimal(found)


class Deviation(Spread):
    """Compute the standard deviation of a sample."""

    square_root = True


class PopulationVariance(Spread):
    """Compute the variance of a population."""

    sample = False


class PopulationDeviation(PopulationVariance):
    """Compute the standard deviation of a population."""

    square_root = True


class Listing:
    """Join values by commas, as LIST does."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self.size = 0

    def step(self, text: str | None) -> None:
        """Take one value."""
        if text is not None:
            self.size += len(text) + 1
            if self.size > values.MAX_STRING:
                raise fatal("<MAXSTRING>")
            self.items.append(text)

    def finalize(self) -> Stored:
        """Return the joined values; NULL of nothing."""
        return ",".join(self.items) if self.items else None


class Every:
    """Answer `x > ALL (query)` with three values."""

    deciding = 0

    def __init__(self) -> None:
        self.decided = False
        self.unknown = False

    def step(self, truth: int | None) -> None:
        """Take one comparison."""
        if truth is None:
            self.unknown = True
        elif bool(truth) == bool(self.deciding):
            self.decided = True

    def finalize(self) -> Stored:
        """Return the answer."""
        if self.decided:
            return self.deciding
        return None if self.unknown else 1 - self.deciding


class Some(Every):
    """Answer `x > ANY (query)` with three values."""

    deciding = 1


AGGREGATES: dict[str, type[Any]] = {
    "iris_sum_decimal": Sum,
    "iris_sum_integer": IntegerSum,
    "iris_sum_double": DoubleSum,
    "iris_avg_decimal": Average,
    "iris_avg_double": DoubleAverage,
    "iris_framed_sum_double": FramedDoubleSum,
    "iris_framed_avg_double": FramedDoubleAverage,
    "iris_variance": Spread,
    "iris_deviation": Deviation,
    "iris_population_variance": PopulationVariance,
    "iris_population_deviation": PopulationDeviation,
    "iris_list": Listing,
    "iris_all": Every,
    "iris_any": Some,
}
"""SQLite aggregates, by name; all take one argument."""

__all__ = [
    "AGGREGATES",
    "Average",
    "Deviation",
    "DoubleAverage",
    "DoubleSum",
    "Every",
    "FramedDoubleAverage",
    "FramedDoubleSum",
    "IntegerSum",
    "Listing",
    "PopulationDeviation",
    "PopulationVariance",
    "Some",
    "Spread",
    "Sum",
]
