"""Date and time functions.

Written from memory of the manual; what the behaviours table lists was checked, the rest was not.

A moment comes as a logical date (integer), a logical time (sortable bytes), or text (a timestamp, or what a client
wrote); POSIXTIME is turned into a timestamp before it gets here.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from iris_quart.demo.core import values
from iris_quart.demo.core.conversions import Stored
from iris_quart.demo.core.errors import SqlError, shortened

from .numbers import number
from .signatures import signatures
from .text import strict

UNITS = {
    "year": "year", "yyyy": "year", "yy": "year",
    "quarter": "quarter", "qq": "quarter", "q": "quarter",
    "month": "month", "mm": "month", "m": "month",
    "dayofyear": "dayofyear", "dy": "dayofyear", "y": "dayofyear",
    "day": "day", "dd": "day", "d": "day",
    "week": "week", "wk": "week", "ww": "week",
    "weekday": "weekday", "dw": "weekday",
    "hour": "hour", "hh": "hour", "h": "hour",
    "minute": "minute", "mi": "minute", "n": "minute",
    "second": "second", "ss": "second", "s": "second",
    "millisecond": "millisecond", "ms": "millisecond",
    "microsecond": "microsecond", "mcs": "microsecond",
    "sqltimestamp": "sqltimestamp", "sts": "sqltimestamp",
    "frac_second": "millisecond",
}  # fmt: skip
SECONDS = {"week": 604_800, "day": 86_400, "hour": 3600, "minute": 60, "second": 1}
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]


def unit_name(word: str) -> str:
    """Return the full name of a date part; raise -8 for none (code from memory)."""
    lowered = word.lower().removeprefix("sql_tsi_")
    if lowered not in UNITS:
        raise SqlError(-8, f"Invalid date part: '{shortened(word)}'")
    return UNITS[lowered]


def moment(value: Stored) -> datetime.datetime:
    """Return the date and time that a value denotes; raise -146."""
    try:
        if isinstance(value, float):
            value = int(value)
        if isinstance(value, int):
            return datetime.datetime.fromordinal(value + values.EPOCH)
        if isinstance(value, bytes):
            return _with_time(datetime.datetime(1840, 12, 31), values.decode_decimal(value))  # noqa: DTZ001
        text = str(value).strip()
        if re.fullmatch(r"-?\d+", text, re.ASCII):
            return datetime.datetime.fromordinal(int(text) + values.EPOCH)
        if "-" not in text and ":" in text:
            return _with_time(datetime.datetime(1840, 12, 31), Decimal(values.time_from_text(text)))  # noqa: DTZ001
        whole, _, fraction = values.timestamp_from_text(text).partition(".")
        found = datetime.datetime.fromisoformat(whole)
        return found.replace(microsecond=int(fraction[:6].ljust(6, "0"))) if fraction else found
    except (ValueError, OverflowError):
        raise SqlError(
            -146, f"Unable to convert date input to a valid logical date value: '{shortened(value)}'"
        ) from None


def _with_time(day: datetime.datetime, seconds: Decimal) -> datetime.datetime:
    return day + datetime.timedelta(microseconds=int(seconds * 1_000_000))


def timestamp_text(value: datetime.datetime) -> str:
    """Return the timestamp text of a moment."""
    text = value.replace(microsecond=0).isoformat(" ")
    fraction = f"{value.microsecond:06}".rstrip("0")
    return f"{text}.{fraction}" if fraction else text


def dateadd(unit: str, count: Stored, value: Stored) -> str | None:
    """Return a timestamp some units later."""
    amount = number(count)
    if amount is None or value is None:
        return None
    name = unit_name(unit)
    start = moment(value)
    steps = int(amount)
    try:
        if name in ("year", "quarter", "month"):
            return timestamp_text(_months_later(start, steps * {"year": 12, "quarter": 3, "month": 1}[name]))
        if name in ("millisecond", "microsecond"):
            factor = 1000 if name == "millisecond" else 1
            return timestamp_text(start + datetime.timedelta(microseconds=steps * factor))
        name = "day" if name in ("dayofyear", "weekday") else name
        if name not in SECONDS:
            raise SqlError(-8, f"Invalid date part: '{unit}'")
        return timestamp_text(start + datetime.timedelta(seconds=steps * SECONDS[name]))
    except (ValueError, OverflowError):
        raise SqlError(-146, "Unable to convert date input to a valid logical date value") from None


def _months_later(start: datetime.datetime, months: int) -> datetime.datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    first = datetime.date(year, month + 1, 1)
    after = (
        datetime.date(year + month // 11, (month + 1) % 12 + 1, 1) if (year, month) != (9999, 11) else None
    )
    last = (after - first).days if after else 31
    return start.replace(year=year, month=month + 1, day=min(start.day, last))


def datediff(unit: str, first: Stored, second: Stored) -> int | None:
    """Return how many boundaries of a unit lie between two moments."""
    if first is None or second is None:
        return None
    name = unit_name(unit)
    start, stop = moment(first), moment(second)
    if name == "year":
        return stop.year - start.year
    if name == "quarter":
        return (stop.year - start.year) * 4 + (stop.month - 1) // 3 - (start.month - 1) // 3
    if name == "month":
        return (stop.year - start.year) * 12 + stop.month - start.month
    days = stop.toordinal() - start.toordinal()
    if name == "week":
        return stop.toordinal() // 7 - start.toordinal() // 7
    if name in ("day", "dayofyear", "weekday"):
        return days
    micros = (days * 86_400 + second_of_day(stop) - second_of_day(start)) * 1_000_000
    micros += stop.microsecond - start.microsecond
    if name == "microsecond":
        return micros
    if name == "millisecond":
        return micros // 1000
    if name not in SECONDS:
        raise SqlError(-8, f"Invalid date part: '{unit}'")
    size = SECONDS[name]
    return days * 86_400 // size + second_of_day(stop) // size - second_of_day(start) // size


def second_of_day(value: datetime.datetime) -> int:
    """Return the seconds since midnight."""
    return value.hour * 3600 + value.minute * 60 + value.second


def datepart(unit: str, value: Stored) -> int | str | None:
    """Return one part of a moment; weeks and weekdays start on Sunday."""
    if value is None:
        return None
    name = unit_name(unit)
    at = moment(value)
    if name == "quarter":
        return (at.month + 2) // 3
    if name == "week":
        return (at.timetuple().tm_yday + datetime.date(at.year, 1, 1).isoweekday() % 7 - 1) // 7 + 1
    if name == "weekday":
        return at.isoweekday() % 7 + 1
    if name == "dayofyear":
        return at.timetuple().tm_yday
    if name == "millisecond":
        return at.microsecond // 1000
    if name == "sqltimestamp":
        return timestamp_text(at)
    found: int = getattr(at, name)
    return found


def datename(unit: str, value: Stored) -> str | None:
    """Return one part of a moment as text, months and weekdays by name."""
    if value is None:
        return None
    name = unit_name(unit)
    if name == "month":
        return MONTHS[moment(value).month - 1]
    if name == "weekday":
        return DAYS[moment(value).isoweekday() % 7]
    return str(datepart(unit, value))


def last_day(value: Stored) -> int:
    """Return the logical date of the last day of a month."""
    at = moment(value)
    if (at.year, at.month) == (9999, 12):
        return values.LAST_DAY
    following = datetime.date(at.year + at.month // 12, at.month % 12 + 1, 1)
    return following.toordinal() - 1 - values.EPOCH


def now(digits: int = 0) -> str:
    """Return the local time as a timestamp."""
    text = datetime.datetime.now().isoformat(" ", "microseconds")  # noqa: DTZ005 - IRIS's clock is the local one
    digits = max(0, min(int(digits), 6))
    return text[: 19 + (digits + 1 if digits else 0)]


def today() -> int:
    """Return the local date."""
    return datetime.date.today().toordinal() - values.EPOCH  # noqa: DTZ011 - IRIS's clock is the local one


def time_of_day() -> bytes:
    """Return the local time of day in whole seconds."""
    at = datetime.datetime.now()  # noqa: DTZ005 - IRIS's clock is the local one
    return values.encode_decimal(Decimal(second_of_day(at)))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "iris_dateadd": dateadd,
    "iris_datediff": datediff,
    "iris_datepart": datepart,
    "iris_datename": datename,
    "iris_last_day": strict(last_day),
    "iris_day_name": strict(lambda value: datename("weekday", value)),
    "iris_month_name": strict(lambda value: datename("month", value)),
}
"""SQLite functions on dates and times, by name."""

CLOCK: dict[str, Callable[..., Any]] = {
    "iris_now": now,
    "iris_today": today,
    "iris_time_of_day": time_of_day,
}
"""Functions whose answer changes with time; they are not marked deterministic."""

SQL = signatures(
    """
DATEADD TIMESTAMPADD   iris_dateadd          unm  3 3 timestamp
DATEDIFF TIMESTAMPDIFF iris_datediff         umm  3 3 integer
DATEPART               iris_datepart         um   2 2 integer
DATENAME               iris_datename         um   2 2 text
YEAR                   iris_datepart:year    m    1 1 integer
QUARTER                iris_datepart:quarter m    1 1 integer
MONTH                  iris_datepart:month   m    1 1 integer
WEEK                   iris_datepart:week    m    1 1 integer
DAY DAYOFMONTH         iris_datepart:day     m    1 1 integer
DAYOFYEAR              iris_datepart:dayofyear m  1 1 integer
DAYOFWEEK              iris_datepart:weekday m    1 1 integer
HOUR                   iris_datepart:hour    m    1 1 integer
MINUTE                 iris_datepart:minute  m    1 1 integer
SECOND                 iris_datepart:second  m    1 1 integer
DAYNAME                iris_day_name         m    1 1 text
MONTHNAME              iris_month_name       m    1 1 text
LAST_DAY               iris_last_day         m    1 1 date
CURDATE CURRENT_DATE   iris_today            i    0 0 date
CURTIME CURRENT_TIME   iris_time_of_day      i    0 0 time
NOW GETDATE CURRENT_TIMESTAMP SYSDATE iris_now i 0 1 timestamp
"""
)
"""Their names and signatures in SQL."""

__all__ = [
    "CLOCK",
    "DAYS",
    "FUNCTIONS",
    "MONTHS",
    "SECONDS",
    "SQL",
    "UNITS",
    "dateadd",
    "datediff",
    "datename",
    "datepart",
    "last_day",
    "moment",
    "now",
    "second_of_day",
    "time_of_day",
    "timestamp_text",
    "today",
    "unit_name",
]
