"""The interface of an export format: what it is called, and how it writes rows."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from iris_quart.sql.values import Wire
from iris_quart.tables.whole_values import TEXT_TYPE

__all__ = ["SLICE_CHARACTERS", "Format", "LongValue", "RowWriter", "WriteOptions", "cell_text", "is_long"]

SLICE_CHARACTERS = 64 * 1024
"""Longer text is looked through, and written, in slices of this length: each takes about a millisecond."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """Choices of the person who exports."""

    null_text: str = ""
    """Text that stands for NULL."""
    safe: bool = True
    """Whether text that a spreadsheet would run is defused."""
    bom: bool = True
    """Whether the file begins with a byte order mark, by which spreadsheets recognise UTF-8."""
    decimal_comma: bool = False
    """Whether numbers have a comma before their decimals, as spreadsheets of such languages read them."""


@dataclass(frozen=True, slots=True)
class LongValue:
    """A value of many slices, which are read while they are written."""

    slices: Callable[[], AsyncIterator[bytes]]
    media_type: str
    risky: bool
    """Whether a spreadsheet would take a line of it for a formula."""


class RowWriter(Protocol):
    """Writes the rows of one export."""

    def head(self, columns: Sequence[str]) -> bytes:
        """Write the beginning of the file."""

    def lines(self, rows: Sequence[Sequence[Wire]]) -> bytes:
        """Write rows without long values."""

    def slices(self, values: Sequence[Wire]) -> Iterator[bytes]:
        """Write one row of which a value `is_long`, in pieces that each take about a millisecond; some are empty."""

    def long_row(self, values: Sequence[Wire | LongValue]) -> AsyncIterator[bytes]:
        """Write one row with values that are read while they are written."""

    def tail(self) -> bytes:
        """Write the end of the file."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of an export; see `formats.FORMATS`."""

    extension: str
    """Of the file's name, without a full stop."""
    content_type: str
    make_writer: Callable[[WriteOptions], RowWriter]


def is_long(value: Wire) -> bool:
    """Return whether a value is text that is to be written in slices."""
    return isinstance(value, str) and len(value) > SLICE_CHARACTERS


def cell_text(content: bytes, media_type: str) -> str:
    """Return the text of a value, or of a piece of it whose length is a multiple of 3: binary values in base64."""
    return content.decode() if media_type == TEXT_TYPE else base64.b64encode(content).decode()
