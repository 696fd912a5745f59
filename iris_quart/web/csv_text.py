"""Rows as CSV (RFC 4180): NULL and '' told apart, and no text that a spreadsheet would run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from iris_quart.sql.values import Wire, number_text

__all__ = ["CsvWriter", "defused"]

NEEDS_QUOTES = re.compile(r'[",\r\n\x00]|\A[ \t]|[ \t]\Z|\A\ufeff')
RISKY = re.compile(
    r"(?:\A|[\r\n\x0b\x0c\x85\u2028\u2029])[\s\xa0\ufeff\u200b]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]"
)
"""A start of the text or of a line in it that spreadsheets take for a formula, also behind white space."""


def defused(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula (OWASP, CSV injection)."""
    return f"'{text}" if RISKY.search(text) else text


class CsvWriter:
    """Writes lines of CSV.

    `null_text` stands unquoted for NULL; text that equals it is quoted, so that both stay apart for whoever
    reads quotes. With `safe`, text is defused; numbers never are.
    """

    def __init__(self, *, null_text: str = "", safe: bool = True) -> None:
        self._null_text = null_text
        self._safe = safe

    def line(self, values: Iterable[Wire]) -> str:
        """Write one line, with its end."""
        return ",".join(map(self._cell, values)) + "\r\n"

    def lines(self, rows: Sequence[Sequence[Wire]]) -> bytes:
        """Write many lines as UTF-8."""
        return "".join(map(self.line, rows)).encode("utf-8", "replace")

    def _cell(self, value: Wire) -> str:
        if value is None:
            return self._null_text
        if isinstance(value, str):
            text = defused(value) if self._safe else value
            if text == self._null_text or text == "" or NEEDS_QUOTES.search(text):
                escaped = text.replace('"', '""')
                return f'"{escaped}"'
            return text
        return number_text(value)
