"""Rows of the large table, Big.Measurement."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from iris_quart.demo.core.conversions import Value
from iris_quart.demo.samples.chance import day, timestamp

MEASUREMENT_COLUMNS = ("Station", "MeasuredAt", "Temperature", "Humidity", "Wind", "Quality", "Remark")
STATIONS = tuple(
    f"{region}-{number:03}" for region in ("Coast", "Hill", "Lake", "Moor", "Town") for number in range(40)
)
QUALITIES = ("good", "good", "good", "good", "fair", "poor", None)
REMARKS = ("Sensor cleaned", "Mast repaired", "Fog", "Reading estimated", "It's windy", 'Battery "low"')
FIRST_DAY = day(2020, 1, 1)
MINUTES_APART = 3


def measurements(rows: int) -> Iterator[tuple[Value, ...]]:
    """Make that many rows; a multiplicative hash of the row number stands in for chance, because it is cheap."""
    temperatures = [Decimal(hundredths) / 100 for hundredths in range(-2000, 3800)]
    stations, temperature_count = len(STATIONS), len(temperatures)
    per_day = 24 * 60 // MINUTES_APART
    for number in range(rows):
        mixed = number * 0x9E3779B1 & 0xFFFFFFFF
        mixed ^= mixed >> 15
        moment, at = divmod(number // stations, per_day)
        yield (
            STATIONS[number % stations],
            timestamp(FIRST_DAY + moment, at * MINUTES_APART * 60),
            temperatures[mixed % temperature_count] if mixed % 53 else None,
            mixed % 101,
            mixed % 997 / 8,
            QUALITIES[mixed % 7],
            REMARKS[mixed % 6] if mixed % 29 == 0 else None,
        )


__all__ = [
    "FIRST_DAY",
    "MEASUREMENT_COLUMNS",
    "MINUTES_APART",
    "QUALITIES",
    "REMARKS",
    "STATIONS",
    "measurements",
]
