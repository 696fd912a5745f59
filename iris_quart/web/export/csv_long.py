"""Long values as cells of CSV, written piece by piece."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

from iris_quart.tables.whole_values import TEXT_TYPE

__all__ = ["cell_text", "long_cell"]


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
