"""Logical values: how IRIS holds dates, times, numbers and lists inside, and how each is written.

Sources: InterSystems SQL Reference, Data Types (date, time, %TimeStamp, %PosixTime) and the %Library.PosixTime
class reference (range and offsets); `$LISTBUILD` layout from memory.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import lru_cache

EPOCH = datetime.date(1840, 12, 31).toordinal()
"""Day zero of $HOROLOG as a proleptic Gregorian ordinal."""
FIRST_DAY = 1 - EPOCH
LAST_DAY = datetime.date.max.toordinal() - EPOCH
SECONDS_PER_DAY = 86_400
POSIX_AFTER = 1 << 60
"""Added to the microseconds of a time from 1970 on."""
POSIX_BEFORE = 6 << 60
"""Subtracted from the (negative) microseconds of a time before 1970."""
POSIX_ORIGIN = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - IRIS times have no zone
MAX_STRING = 3_641_144

_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?", re.ASCII)
_TIMESTAMP = re.compile(r"(\d{4}-\d{1,2}-\d{1,2})(?:[ T](\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?))?", re.ASCII)
_NUMBER = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?)", re.ASCII)


def date_from_text(text: str) -> int:
    """Return days since 1840-12-31 of `YYYY-MM-DD`; raise ValueError."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    return datetime.date(int(found[1]), int(found[2]), int(found[3])).toordinal() - EPOCH


def date_to_text(days: int) -> str:
    """Return `YYYY-MM-DD`; raise ValueError outside the years 1 to 9999."""
    return datetime.date.fromordinal(days + EPOCH).isoformat()


def time_from_text(text: str) -> int | Decimal:
    """Return seconds since midnight of `HH:MM[:SS[.f]]`; raise ValueError."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(text)
    whole = hours * 3600 + minutes * 60 + seconds
    fraction = (found[4] or "").rstrip("0")
    return Decimal(f"{whole}.{fraction}") if fraction else whole


def time_to_text(seconds: int | Decimal) -> str:
    """Return `HH:MM:SS[.f]`; raise ValueError outside one day."""
    whole = int(seconds)
    if not 0 <= seconds < SECONDS_PER_DAY:
        raise ValueError(str(seconds))
    text = f"{whole // 3600:02}:{whole % 3600 // 60:02}:{whole % 60:02}"
    fraction = plain_decimal(Decimal(seconds) - whole).partition(".")[2]
    return f"{text}.{fraction}" if fraction else text


def timestamp_from_text(text: str, digits: int = 9) -> str:
    """Return a canonical `YYYY-MM-DD HH:MM:SS[.f]`, cut to `digits` of fraction; raise ValueError."""
    found = _TIMESTAMP.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    day = date_to_text(date_from_text(found[1]))
    clock, _, fraction = time_to_text(time_from_text(found[2] or "00:00:00")).partition(".")
    fraction = fraction[:digits].rstrip("0")
    return f"{day} {clock}.{fraction}" if fraction else f"{day} {clock}"


def posix_from_timestamp(text: str) -> int:
    """Return the %PosixTime number of a timestamp text (microseconds are kept); raise ValueError."""
    canonical = timestamp_from_text(text, 6)
    whole, _, fraction = canonical.partition(".")
    moment = datetime.datetime.fromisoformat(whole)
    delta = moment - POSIX_ORIGIN
    micros = (delta.days * SECONDS_PER_DAY + delta.seconds) * 1_000_000 + int(fraction.ljust(6, "0") or 0)
    return micros + POSIX_AFTER if micros >= 0 else micros - POSIX_BEFORE


def posix_to_timestamp(value: int) -> str:
    """Return the timestamp text of a %PosixTime number; raise ValueError outside its range."""
    micros = value - POSIX_AFTER if value >= 0 else value + POSIX_BEFORE
    try:
        moment = POSIX_ORIGIN + datetime.timedelta(microseconds=micros)
    except OverflowError:
        raise ValueError(str(value)) from None
    if (micros >= 0) != (value >= 0):
        raise ValueError(str(value))
    text = moment.replace(microsecond=0).isoformat(" ")
    fraction = f"{moment.microsecond:06}".rstrip("0")
    return f"{text}.{fraction}" if fraction else text


def plain_decimal(value: Decimal) -> str:
    """Return the canonical text of a number: no exponent, no trailing zeros, `.5` as `0.5`."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def number_from_text(text: str) -> int | Decimal:
    """Return the number that a whole text denotes; raise ValueError."""
    found = _NUMBER.match(text)
    if found is None or text[found.end() :].strip():
        raise ValueError(text)
    return _number(found[1])


def leading_number(text: str) -> int | Decimal:
    """Return the number that a text begins with, or 0, as ObjectScript's unary plus does."""
    found = _NUMBER.match(text)
    return _number(found[1]) if found else 0


def _number(text: str) -> int | Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if value and not -128 <= value.adjusted() <= 145:
        raise ValueError(text)
    if value == value.to_integral_value():
        return int(value)
    return value


_BIAS = 1000


@lru_cache(maxsize=4096)
def encode_decimal(value: Decimal) -> bytes:
    """Return bytes that sort as the numbers do, one for each number.

    NUMERIC values are stored so: sign, exponent and digits, complemented for negative numbers. Bytes compare,
    index and group in SQLite without any conversion, and no digit passes through a float.
    """
    if not value.is_finite():
        raise ValueError(str(value))
    if not value:
        return b"\x80"
    mantissa, _, exponent = f"{value:E}".partition("E")
    adjusted = int(exponent) + 1 + _BIAS
    text = mantissa.lstrip("-").replace(".", "").rstrip("0")
    if value.is_signed():
        complement = bytes(0x69 - byte for byte in text.encode())
        return b"\x7f" + (0xFFFF - adjusted).to_bytes(2, "big") + complement + b"\xff"
    return b"\x81" + adjusted.to_bytes(2, "big") + text.encode()


@lru_cache(maxsize=4096)
def decode_decimal(data: bytes) -> Decimal:
    """Return the number that `encode_decimal` wrote, without trailing zeros or exponent."""
    if data == b"\x80":
        return Decimal(0)
    adjusted = int.from_bytes(data[1:3], "big")
    if data[0] == 0x81:
        text, sign = data[3:].decode(), ""
    else:
        adjusted = 0xFFFF - adjusted
        text, sign = bytes(0x69 - byte for byte in data[3:-1]).decode(), "-"
    exponent = adjusted - _BIAS - len(text)
    return Decimal(f"{sign}{text}{'0' * exponent}") if exponent > 0 else Decimal(f"{sign}{text}E{exponent}")


def list_build(items: Iterable[str | int | None]) -> str:
    """Return the `$LISTBUILD` string of some items, as the characters a client sees."""
    return "".join(map(_list_item, items))


def _list_item(item: str | int | None) -> str:
    if item is None:
        return "\x01"
    if isinstance(item, int):
        body, kind = _integer_bytes(item)
    elif all(ord(character) < 256 for character in item):
        body, kind = item, "\x01"
    else:
        body, kind = item.encode("utf-16-le").decode("latin-1"), "\x02"
    if len(body) + 2 <= 255:
        return chr(len(body) + 2) + kind + body
    size = len(body) + 1
    return f"\0{chr(size & 255)}{chr(size >> 8 & 255)}{kind}{body}"


def _integer_bytes(number: int) -> tuple[str, str]:
    if number == 0:
        return "", "\x04"
    size = (number.bit_length() + 7) // 8
    if number > 0:
        return number.to_bytes(size, "little").decode("latin-1"), "\x04"
    complement = (number + (1 << (8 * size))).to_bytes(size, "little")
    return complement.decode("latin-1"), "\x05"


def list_items(text: str) -> list[str | None]:
    """Return the items of a `$LISTBUILD` string; raise ValueError when it is not one."""
    items: list[str | None] = []
    position = 0
    while position < len(text):
        size = ord(text[position])
        header = 1
        if size == 0:
            if position + 3 > len(text):
                raise ValueError("not a list")
            size = ord(text[position + 1]) | ord(text[position + 2]) << 8
            size += 3
            header = 3
        chunk = text[position + header : position + size]
        if size > len(text) - position or size < 1 or len(chunk) != size - header:
            raise ValueError("not a list")
        items.append(_item_text(chunk) if chunk else None)
        position += size
    return items


def _item_text(chunk: str) -> str:
    kind, body = ord(chunk[0]), chunk[1:]
    if kind == 1:
        return body
    data = body.encode("latin-1", "replace")
    if kind == 2:
        return data.decode("utf-16-le", "replace")
    if kind == 4:
        return str(int.from_bytes(data, "little"))
    if kind == 5:
        return str(int.from_bytes(data, "little") - (1 << (8 * len(data))))
    raise ValueError("not a list")


def list_to_text(text: str, separator: str = ",") -> str:
    """Return a list the way ODBC mode shows it: items separated by commas; other text as it is."""
    try:
        return separator.join(item or "" for item in list_items(text))
    except ValueError:
        return text


def sqlupper(text: str) -> str:
    """Return a text collated as SQLUPPER: upper case, trailing white space gone (no leading blank added).

    Characters whose upper case is longer (such as the German sharp s) stay, as in $ZCONVERT.
    """
    return upper(text).rstrip()


def upper(text: str) -> str:
    """Return the upper case of a text, character by character."""
    raised = text.upper()
    if len(raised) == len(text):
        return raised
    return "".join(big if len(big := character.upper()) == 1 else character for character in text)


__all__ = [
    "EPOCH",
    "FIRST_DAY",
    "LAST_DAY",
    "MAX_STRING",
    "POSIX_AFTER",
    "POSIX_BEFORE",
    "POSIX_ORIGIN",
    "SECONDS_PER_DAY",
    "date_from_text",
    "date_to_text",
    "decode_decimal",
    "encode_decimal",
    "leading_number",
    "list_build",
    "list_items",
    "list_to_text",
    "number_from_text",
    "plain_decimal",
    "posix_from_timestamp",
    "posix_to_timestamp",
    "sqlupper",
    "time_from_text",
    "time_to_text",
    "timestamp_from_text",
    "upper",
]
