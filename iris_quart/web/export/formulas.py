"""Texts that a spreadsheet would take for a formula."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .writing import SLICE_CHARACTERS

__all__ = ["FormulaScan", "defused", "risks"]

LINE_BREAKS = "\r\n\x0b\x0c\x85\u2028\u2029"
BLANKS = " \x1c\x1d\x1e\x1f\xa0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff"
"""White space that ends no line; a tab is a risk itself. Each run of it is looked through once."""
RISKS = r"=+\-@\t\r\uff1d\uff0b\uff0d\uff20"
RISKY_START = re.compile(f"[{BLANKS}]*[{RISKS}]")
"""A start of a line that spreadsheets take for a formula, also behind white space."""
RISKY_LINE = re.compile(f"[{LINE_BREAKS}][{BLANKS}]*[{RISKS}]")
LINE_START = re.compile(f"[{BLANKS}]*\\Z")
LAST_BREAK = re.compile(f"[{LINE_BREAKS}][{BLANKS}]*\\Z")


def defused(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula (OWASP, CSV injection)."""
    return f"'{text}" if any(risks(text)) else text


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


def risks(text: str) -> Iterator[bool]:
    """Look a text through slice by slice; yield True, at last, when a line of it is risky."""
    scan = FormulaScan()
    for start in range(0, len(text), SLICE_CHARACTERS):
        scan.look(text[start : start + SLICE_CHARACTERS])
        yield scan.risky
        if scan.risky:
            return
