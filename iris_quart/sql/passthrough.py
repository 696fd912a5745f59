"""Pass rows on as received bytes where the server's format is the wire's except for NULL and ''.

Only NULL and the empty string may differ in spelling. Between two tokens of JSON, `:""` can be nothing but a key's
colon and an empty string, for a quote inside a string has a backslash before it; so both can be replaced in the
text without parsing it. Whatever looks otherwise than expected is left to the ordinary decoder, which gives the
same rows (a test proves it).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from .metadata import Column
from .server_format import NumberForm, ServerFormat, TextForm
from .values import Category

__all__ = ["Passed", "Passing", "passing_for"]

TEMPORAL = {Category.DATE, Category.TIME, Category.TIMESTAMP, Category.POSIXTIME}
ALWAYS = {Category.TEXT, Category.GUID, Category.INTEGER, Category.NUMERIC, Category.BOOLEAN}
NULLS = {(TextForm.BLANK, TextForm.ZERO): True, (TextForm.NULL, TextForm.BLANK): False}
"""Spellings of NULL and '' that can be passed on, and whether they are to be replaced."""
EMPTY = re.compile(rb':""')
NOT_NUMBERS = re.compile(rb':"[-+]?(?:nan|inf(?:inity)?)"', re.IGNORECASE)


class Passed(NamedTuple):
    """Rows as the text of a JSON array, and their row IDs."""

    rows: msgspec.Raw
    row_ids: list[str | None]

    @classmethod
    def join(cls, parts: Sequence[Passed]) -> Passed:
        """Make one of several, in their order."""
        if len(parts) == 1:
            return parts[0]
        rows = b",".join(bytes(part.rows)[1:-1] for part in parts)
        return cls(msgspec.Raw(b"[" + rows + b"]"), [row_id for part in parts for row_id in part.row_ids])


class Passing:
    """Remove the row ID from each row, and write NULL and '' as the wire does.

    `row_id_key` is the first key of every row; `replace` says that NULL is written as "".
    """

    def __init__(self, row_id_key: str, *, replace: bool, doubles: bool, booleans: bool) -> None:
        key = re.escape(msgspec.json.encode(row_id_key))
        self._start = re.compile(b"\n[{]" + key + b":([0-9]+),")
        self._replace = replace
        self._doubles = doubles
        self._booleans = booleans

    def rows(self, raws: Sequence[msgspec.Raw]) -> Passed | None:
        """Return the rows as they go on; None when they must be decoded after all."""
        text = b"\n".join((b"", *raws))
        if self._booleans and (b":true" in text or b":false" in text):
            return None
        if self._doubles and NOT_NUMBERS.search(text):
            return None
        if not text.isascii():
            try:
                text.decode()
            except UnicodeDecodeError:
                return None
        if self._replace:
            # bytes.replace looks through the text twice, to count first.
            text = EMPTY.sub(b":null", text)
        if b"\\" in text:
            # $CHAR(0) is SQL's empty string, however a server writes that.
            text = text.replace(b':"\\u0000"', b':""')
        # No string of JSON holds a line end, so each row begins where this matches; rows that are spaced out, or
        # whose ID is not a plain number, make another number of parts, and they are decoded.
        before, *parts = self._start.split(text)
        if before or len(parts) != 2 * len(raws):
            return None
        if not parts:
            return Passed(msgspec.Raw(b"[]"), [])
        row_ids: list[str | None] = [*b",".join(parts[::2]).decode().split(",")]
        return Passed(msgspec.Raw(b"".join((b"[{", b",{".join(parts[1::2]), b"]"))), row_ids)


def passing_for(columns: Sequence[Column], encoding: ServerFormat, row_id_key: str) -> Passing | None:
    """Return the way to pass rows of these columns on; None when some must be decoded."""
    replace = NULLS.get((encoding.null, encoding.empty))
    allowed = set(ALWAYS)
    if encoding.odbc_as_text:
        allowed |= TEMPORAL
    if encoding.doubles is NumberForm.NUMBER:
        allowed.add(Category.DOUBLE)
    numbers = {encoding.big_integers, encoding.numerics}
    if replace is None or encoding.digits_as_numbers or numbers != {NumberForm.NUMBER}:
        return None
    if any(column.may_be_cut or column.category not in allowed for column in columns):
        return None
    categories = {column.category for column in columns}
    return Passing(
        row_id_key,
        replace=replace,
        doubles=Category.DOUBLE in categories,
        booleans=Category.BOOLEAN in categories,
    )
