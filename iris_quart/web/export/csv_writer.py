"""Rows as CSV (RFC 4180): NULL and '' told apart, and no text that a spreadsheet would run."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

from iris_quart.sql.values import Wire, number_text

from .formulas import defused, risks
from .writing import SLICE_CHARACTERS, Format, LongValue, WriteOptions, cell_text, is_long

__all__ = ["CSV", "CsvWriter"]

BOM = b"\xef\xbb\xbf"
NEEDS_QUOTES = re.compile(r'[",\r\n\x00]|\A[ \t]|[ \t]\Z|\A\ufeff')


class CsvWriter:
    """Writes lines of CSV.

    `null_text` stands unquoted for NULL; text that equals it is quoted, so that a reader that looks at quotes
    can tell the two apart. With `safe`, text is defused; numbers never are. With `decimal_comma`, numbers have
    a comma before their decimals and cells a semicolon between them, as spreadsheets of such languages read.
    """

    def __init__(
        self, *, null_text: str = "", safe: bool = True, bom: bool = False, decimal_comma: bool = False
    ) -> None:
        self._null_text = null_text
        self._safe = safe
        self._bom = bom
        self._decimal_comma = decimal_comma
        self.separator = ";" if decimal_comma else ","

    def head(self, columns: Sequence[str]) -> bytes:
        """Write the line of names, after a byte order mark where it is wanted."""
        return (BOM if self._bom else b"") + self.lines([columns])

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
            for found in risks(value) if self._safe else ():
                risky = found
                yield b""
            yield start + (b"\"'" if risky else b'"')
            for begin in range(0, len(value), SLICE_CHARACTERS):
                part = value[begin : begin + SLICE_CHARACTERS]
                yield part.replace('"', '""').encode("utf-8", "replace")
            yield b'"'
        yield b"\r\n"

    async def long_row(self, values: Sequence[Wire | LongValue]) -> AsyncIterator[bytes]:
        """Write one line whose long values come in slices."""
        for number, value in enumerate(values):
            if number:
                yield self.separator.encode()
            if not isinstance(value, LongValue):
                yield self._cell(value).encode("utf-8", "replace")
                continue
            yield b"\"'" if value.risky and self._safe else b'"'
            async for piece in value.slices():
                text = cell_text(piece, value.media_type).replace('"', '""')
                yield text.encode("utf-8", "replace")
            yield b'"'
        yield b"\r\n"

    def tail(self) -> bytes:
        """Return nothing: CSV ends with its last line."""
        return b""

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


def _make_writer(options: WriteOptions) -> CsvWriter:
    return CsvWriter(
        null_text=options.null_text,
        safe=options.safe,
        bom=options.bom,
        decimal_comma=options.decimal_comma,
    )


CSV = Format("csv", "text/csv; charset=utf-8; header=present", _make_writer)
