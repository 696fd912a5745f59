"""Long values as cells of CSV, written piece by piece."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

from iris_quart.tables.whole_values import TEXT_TYPE

from .export.csv_writer import defused

__all__ = ["FormulaScan", "cell_text", "long_cell"]

SPACE = "\xa0\ufeff\u200b"
"""What may stand before a formula, beside what str.isspace knows."""
NEW_LINE = frozenset("\r\n\x0b\x0c\x85\u2028\u2029")


class FormulaScan:
    """Finds out, piece by piece, whether `defused` would defuse the whole text."""

    def __init__(self) -> None:
        self.risky = False
        self._at_start = True
        """Whether only white space has come since the text, or a line of it, began."""

    def look(self, content: bytes, media_type: str) -> None:
        """Look at the next piece."""
        text = cell_text(content, media_type)
        if self.risky or not text:
            return
        judged = text if self._at_start else f"x{text}"
        self.risky = defused(judged) != judged
        end = len(text)
        while end and (text[end - 1].isspace() or text[end - 1] in SPACE):
            end -= 1
            if text[end] in NEW_LINE:
                self._at_start = True
                return
        self._at_start = self._at_start and end == 0


def cell_text(content: bytes, media_type: str) -> str:
    """Return the text of a value, or of a piece of it whose length is a multiple of 3: binary values in base64."""
    return content.decode() if media_type == TEXT_TYPE else base64.b64encode(content).decode()


async def long_cell(
    pieces: AsyncIterator[bytes], media_type: str, *, with_apostrophe: bool
) -> AsyncIterator[bytes]:
    """Yield a quoted cell."""
    yield b"\"'" if with_apostrophe else b'"'
    async for piece in pieces:
        yield cell_text(piece, media_type).replace('"', '""').encode("utf-8", "replace")
    yield b'"'
