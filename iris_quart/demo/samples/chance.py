"""Choices that look random and are the same on every machine and in every version of Python."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

T = TypeVar("T")
FIRST_DAY = date(1840, 12, 31)  # day 0 of $HOROLOG
MASK = 2**64 - 1


class Chance:
    """A stream of choices for one row of one table."""

    def __init__(self, *seeds: int) -> None:
        self._state = 0x9E3779B97F4A7C15
        for seed in seeds:
            self._state = (self._state ^ seed) * 0xBF58476D1CE4E5B9 & MASK

    def below(self, bound: int) -> int:
        """Choose an integer from 0 up to, and not including, the bound (splitmix64)."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & MASK
        mixed = (self._state ^ self._state >> 30) * 0xBF58476D1CE4E5B9 & MASK
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & MASK
        return (mixed ^ mixed >> 31) % bound

    def between(self, low: int, high: int) -> int:
        """Choose an integer from low to high, both included."""
        return low + self.below(high - low + 1)

    def pick(self, choices: Sequence[T]) -> T:
        """Choose one of several."""
        return choices[self.below(len(choices))]

    def maybe(self, value: T, percent: int) -> T | None:
        """Return the value in this percentage of the cases, else None."""
        return value if self.below(100) < percent else None


def day(year: int, month: int, day_of_month: int) -> int:
    """Return the Logical value of a date: days since 1840-12-31."""
    return (date(year, month, day_of_month) - FIRST_DAY).days


def seconds(hour: int, minute: int, second: int = 0) -> int:
    """Return the Logical value of a time: seconds since midnight."""
    return hour * 3600 + minute * 60 + second


def timestamp(logical_day: int, second: int) -> str:
    """Return the Logical value of a timestamp."""
    shown = date.fromordinal(FIRST_DAY.toordinal() + logical_day).isoformat()
    return f"{shown} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def posixtime(microseconds: int) -> int:
    """Return the Logical value of a POSIXTIME from microseconds since 1970 (class reference of %Library.PosixTime)."""
    return microseconds + 2**60 if microseconds >= 0 else microseconds - 6 * 2**60


__all__ = ["FIRST_DAY", "MASK", "Chance", "T", "day", "posixtime", "seconds", "timestamp"]
