"""Rows as CSV (RFC 4180): NULL and '' told apart, and no text that a spreadsheet would run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from iris_quart.sql.values import Wire, number_text

__all__ = ["SLICE_CHARACTERS", "CsvWriter", "FormulaScan", "defused", "is_long"]

SLICE_CHARACTERS = 64 * 1024
"""Longer text is looked through, and written, in slices of this length: each takes about a millisecond."""

NEEDS_QUOTES = re.compile(r'[",\r\n\x00]|\A[ \t]|[ \t]\Z|\A\ufeff')
LINE_BREAKS = "\r\n\x0b\x0c\x85\u2028\u2029"
BLANKS = " \x1c\x1d\x1e\x1f\xa0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff"
"""White space that ends no line; a tab is a risk itself. Each run of it is looked through once."""
RISKS = r"=+\-@\t\r\uff1d\uff0b\uff0d\uff20"
RISKY_START = re.compile(f"[{BLANKS}]*[{RISKS}]")
"""A start of a line that spreadsheets take for a formula, also behind white space."""
RISKY_LINE = re.compile(f"[{LINE_BREAKS}][{BLANKS}]*[{RISKS}]")
LINE_START = re.compile(f"[{BLANKS}]*\\Z")
LAST_BREAK = re.compile(f"[{LINE_BREAKS}][{BLANKS}]*\\Z")


def is_long(value: Wire) -> bool:
    """Return whether a value is text that is to be written in slices."""
    return isinstance(value, str) and len(value) > SLICE_CHARACTERS


def defused(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula (OWASP, CSV injection)."""
    return f"'{text}" if any(_risks(text)) else text


class FormulaScan:
    """Finds out, piece by piece, whether a line of a text is one that a spreadsheet would take for a formula."""

    def __init__(self) -> None:
        self.risky = False
        self._at_start = True
        """Whether only white space has come since the text, or a line of it, began."""

    def look(self, part: str) -> None:
        """Look at the next piece."""
        if self.risky:
            return
        self.risky = bool((self._at_start and RISKY_START.match(part)) or RISKY_LINE.search(part))
        # A line may begin at the end of one piece, and show what it is in the next.
        self._at_start = bool(LAST_BREAK.search(part)) or (
            self._at_start and LINE_START.match(part) is not None
        )


def _risks(text: str) -> Iterator[bool]:
    """Look a text through slice by slice; yield True, at last, when a line of it is risky."""
    scan = FormulaScan()
    for start in range(0, len(text), SLICE_CHARACTERS):
        scan.look(text[start : start + SLICE_CHARACTERS])
        yield scan.risky
        if scan.risky:
            return


class CsvWriter:
    """Writes lines of CSV.

    `null_text` stands unquoted for NULL; text that equals it is quoted, so that a reader that looks at quotes
    can tell the two apart. With `safe`, text is defused; numbers never are. With `decimal_comma`, numbers have
    a comma before their decimals and cells a semicolon between them, as spreadsheets of such languages read.
    """

    def __init__(self, *, null_text: str = "", safe: bool = True, decimal_comma: bool = False) -> None:
        self._null_text = null_text
        self._safe = safe
        self._decimal_comma = decimal_comma
        self.separator = ";" if decimal_comma else ","

    def line(self, values: Iterable[Wire]) -> str:
        """Write one line, with its end."""
        return self.separator.join(map(self._cell, values)) + "\r\n"

    def lines(self, rows: Sequence[Sequence[Wire]]) -> bytes:
        """Write many lines as UTF-8."""
        return "".join(map(self.line, rows)).encode("utf-8", "replace")

    def slices(self, values: Sequence[Wire]) -> Iterator[bytes]:
        """Write one line in pieces, each a short piece of work; some are empty."""
        for place, value in enumerate(values):
            start = self.separator.encode() if place else b""
            if not is_long(value):
                yield start + self._cell(value).encode("utf-8", "replace")
                continue
            assert isinstance(value, str)
            risky = False
            for found in _risks(value) if self._safe else ():
                risky = found
                yield b""
            yield start + (b"\"'" if risky else b'"')
            for begin in range(0, len(value), SLICE_CHARACTERS):
                part = value[begin : begin + SLICE_CHARACTERS]
                yield part.replace('"', '""').encode("utf-8", "replace")
            yield b'"'
        yield b"\r\n"

    def _cell(self, value: Wire) -> str:
        if value is None:
            return self._null_text
        if isinstance(value, str):
            text = defused(value) if self._safe else value
            if text in {"", self._null_text} or self.separator in text or NEEDS_QUOTES.search(text):
                escaped = text.replace('"', '""')
                return f'"{escaped}"'
            return text
        digits = number_text(value)
        return digits.replace(".", ",") if self._decimal_comma else digits
