"""TO_DATE, TO_TIMESTAMP, TO_POSIXTIME and TO_CHAR, with their format texts."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from iris_quart.demo.core import values
from iris_quart.demo.core.conversions import Stored, number_text
from iris_quart.demo.core.errors import SqlError, fatal, shortened

from .dates import DAYS, MONTHS, moment, second_of_day
from .numbers import number
from .signatures import signatures
from .text import strict

_FORMAT = re.compile(
    r"YYYY|YY|RRRR|RR|MONTH|MON|MM|DDD|DD|DAY|DY|D|HH24|HH12|HH|MI|SSSSS|SS|FF\d?|A\.?M\.?|P\.?M\.?|J|Q|WW|\"[^\"]*\"|.",
    re.IGNORECASE | re.DOTALL,
)
_NUMBER_FORMAT = re.compile(r"[09,.$SGDMIPRL+\- ]+", re.IGNORECASE)
_READERS = {
    "YYYY": r"(?P<year>\d{4})", "RRRR": r"(?P<year>\d{4})", "YY": r"(?P<short>\d{2})", "RR": r"(?P<short>\d{2})",
    "MM": r"(?P<month>\d{1,2})", "MON": r"(?P<name>[A-Za-z]{3})", "MONTH": r"(?P<name>[A-Za-z]{3,9})",
    "DDD": r"(?P<yearday>\d{1,3})", "DD": r"(?P<day>\d{1,2})", "J": r"(?P<julian>\d{1,7})",
    "DAY": r"[A-Za-z]{6,9}", "DY": r"[A-Za-z]{3}",
    "HH24": r"(?P<hour>\d{1,2})", "HH": r"(?P<half>\d{1,2})", "HH12": r"(?P<half>\d{1,2})",
    "MI": r"(?P<minute>\d{1,2})", "SSSSS": r"(?P<seconds>\d{1,5})", "SS": r"(?P<second>\d{1,2})",
}  # fmt: skip
JULIAN_OF_EPOCH = 2_393_470
"""Julian day number of 1840-12-31."""


@lru_cache(maxsize=256)
def _reader(layout: str) -> re.Pattern[str]:
    parts: list[str] = []
    words = _FORMAT.findall(layout)
    raised_words = [word.upper() for word in words]
    if raised_words.count("DAY") > 1 or raised_words.count("DY") > 1:
        # Two names of days side by side could be divided in many ways, so a long row of them would never end.
        raise SqlError(-400, f"Fatal error occurred: invalid date format '{shortened(layout)}'")
    for word in words:
        raised = word.upper()
        if raised in _READERS:
            parts.append(_READERS[raised])
        elif raised.startswith("FF"):
            parts.append(r"(?P<fraction>\d{1,9})")
        elif raised.replace(".", "") in ("AM", "PM"):
            parts.append(r"(?P<half_day>[AaPp]\.?[Mm]\.?)")
        else:
            parts.append(re.escape(word.strip('"')))
    try:
        return re.compile("".join(parts), re.ASCII)
    except re.error:
        raise SqlError(-400, f"Fatal error occurred: invalid date format '{shortened(layout)}'") from None


def _read(text: str, layout: str) -> tuple[datetime.date, str]:
    """Return the date and the time text that a text holds under a format; raise ValueError."""
    found = _reader(layout).fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    given = {name: value for name, value in found.groupdict().items() if value is not None}
    return _read_date(given), _read_time(given)


def _read_date(given: dict[str, str]) -> datetime.date:
    if "julian" in given:
        return datetime.date.fromordinal(int(given["julian"]) - JULIAN_OF_EPOCH + values.EPOCH)
    today = datetime.date.today()  # noqa: DTZ011 - IRIS's clock is the local one
    year = int(given.get("year", today.year))
    if "short" in given:
        year = 1900 + int(given["short"]) if int(given["short"]) >= 50 else 2000 + int(given["short"])
    if "yearday" in given:
        found = datetime.date(year, 1, 1) + datetime.timedelta(days=int(given["yearday"]) - 1)
        if found.year != year:
            raise ValueError(given["yearday"])
        return found
    month = int(given.get("month", 1))
    if "name" in given:
        names = [name[:3].lower() for name in MONTHS]
        month = names.index(given["name"][:3].lower()) + 1
        if len(given["name"]) > 3 and MONTHS[month - 1].lower() != given["name"].lower():
            raise ValueError(given["name"])
    return datetime.date(year, month, int(given.get("day", 1)))


def _read_time(given: dict[str, str]) -> str:
    if "seconds" in given:
        return values.time_to_text(int(given["seconds"]))
    hour = int(given.get("hour", given.get("half", 0)))
    if "half_day" in given:
        if not 1 <= hour <= 12:
            raise ValueError(str(hour))
        hour = hour % 12 + (12 if given["half_day"][0] in "pP" else 0)
    text = f"{hour:02}:{int(given.get('minute', 0)):02}:{int(given.get('second', 0)):02}"
    return f"{text}.{given['fraction']}" if "fraction" in given else text


def to_date(text: Any, layout: str = "DD MON YYYY") -> int:
    """Return the logical date of a text under a format; raise -146."""
    try:
        return _read(str(text), layout)[0].toordinal() - values.EPOCH
    except ValueError:
        raise _bad(text) from None


def to_timestamp(text: Any, layout: str = "DD MON YYYY HH:MI:SS") -> str:
    """Return the timestamp of a text under a format; raise -400."""
    try:
        day, time = _read(str(text), layout)
        return values.timestamp_from_text(f"{day.isoformat()} {time}")
    except ValueError:
        raise fatal(f"invalid timestamp '{shortened(text)}'") from None


def to_posixtime(text: Any, layout: str = "YYYY-MM-DD HH24:MI:SS.FF") -> int:
    """Return the %PosixTime number of a text under a format; raise -146."""
    candidates = (
        (layout, "YYYY-MM-DD HH24:MI:SS", "YYYY-MM-DD") if layout == "YYYY-MM-DD HH24:MI:SS.FF" else (layout,)
    )
    for candidate in candidates:
        try:
            day, time = _read(str(text), candidate)
            return values.posix_from_timestamp(f"{day.isoformat()} {time}")
        except ValueError:
            continue
    raise _bad(text)


def _bad(text: Any) -> SqlError:
    return SqlError(-146, f"Unable to convert date input to a valid logical date value: '{shortened(text)}'")


def to_char(value: Stored, layout: str | None = None) -> str | None:
    """Return a number or moment as text under a format."""
    if value is None:
        return None
    if layout is None:
        return value if isinstance(value, str) else number_text(number(value) or 0)
    if _NUMBER_FORMAT.fullmatch(layout) and re.search("[09]", layout):
        return _number_to_char(value, layout)
    at = moment(value)
    return "".join(_char(word, at) for word in _FORMAT.findall(layout))


def _char(word: str, at: datetime.datetime) -> str:
    raised = word.upper()
    hour = at.hour % 12 or 12
    fixed: dict[str, Callable[[], str]] = {
        "YYYY": lambda: f"{at.year:04}", "RRRR": lambda: f"{at.year:04}",
        "YY": lambda: f"{at.year % 100:02}", "RR": lambda: f"{at.year % 100:02}",
        "MM": lambda: f"{at.month:02}", "MON": lambda: MONTHS[at.month - 1][:3], "MONTH": lambda: MONTHS[at.month - 1],
        "DDD": lambda: f"{at.timetuple().tm_yday:03}", "DD": lambda: f"{at.day:02}",
        "DAY": lambda: DAYS[at.isoweekday() % 7], "DY": lambda: DAYS[at.isoweekday() % 7][:3],
        "D": lambda: str(at.isoweekday() % 7 + 1), "HH24": lambda: f"{at.hour:02}",
        "HH": lambda: f"{hour:02}", "HH12": lambda: f"{hour:02}", "MI": lambda: f"{at.minute:02}",
        "SSSSS": lambda: str(second_of_day(at)), "SS": lambda: f"{at.second:02}",
        "J": lambda: str(at.toordinal() - values.EPOCH + JULIAN_OF_EPOCH), "Q": lambda: str((at.month + 2) // 3),
        "WW": lambda: f"{(at.timetuple().tm_yday - 1) // 7 + 1:02}",
    }  # fmt: skip
    if raised in fixed:
        found = fixed[raised]()
        return (
            found.upper()
            if word.isalpha() and word.isupper() and len(word) > 2 and found.isalpha()
            else found
        )
    if raised.startswith("FF"):
        digits = int(raised[2:] or 6)
        return f"{at.microsecond:06}".ljust(digits, "0")[:digits]
    if raised.replace(".", "") in ("AM", "PM"):
        return "AM" if at.hour < 12 else "PM"
    return word.strip('"')


def _number_to_char(value: Stored, layout: str) -> str:
    amount = number(value) or 0
    exact = Decimal(repr(amount)) if isinstance(amount, float) else Decimal(amount)
    whole_part, _, fraction_part = layout.upper().replace("D", ".").partition(".")
    decimals = sum(character in "09" for character in fraction_part)
    width = sum(character in "09" for character in whole_part)
    text = f"{abs(exact):.{decimals}f}"
    whole, _, fraction = text.partition(".")
    if len(whole) > width:
        return "#" * (len(layout) + 1)
    zeros = len(whole_part) - len(whole_part[whole_part.find("0") :]) if "0" in whole_part else None
    if zeros is not None:
        whole = whole.rjust(sum(character in "09" for character in whole_part[zeros:]), "0")
    if "," in whole_part:
        whole = f"{int(whole):,}" if zeros is None else whole
    sign = "-" if exact < 0 else "+" if "S" in layout.upper() else " "
    dollar = "$" if "$" in layout else ""
    return (sign + dollar + whole + (f".{fraction}" if decimals else "")).rjust(len(layout) + 1)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "iris_to_date": strict(to_date),
    "iris_to_timestamp": strict(to_timestamp),
    "iris_to_posixtime": strict(to_posixtime),
    "iris_to_char": to_char,
}
"""SQLite functions that read and write formats, by name."""

SQL = signatures(
    """
TO_DATE                iris_to_date          tt   1 2 date
TO_TIMESTAMP           iris_to_timestamp     tt   1 2 timestamp
TO_POSIXTIME           iris_to_posixtime     tt   1 2 posixtime
TO_CHAR                iris_to_char          mt   1 2 text
"""
)
"""Their names and signatures in SQL."""

__all__ = ["FUNCTIONS", "JULIAN_OF_EPOCH", "SQL", "to_char", "to_date", "to_posixtime", "to_timestamp"]
