"""Text frames of the WebSocket protocol in their common shape: final and whole (RFC 6455 section 5.2)."""

from __future__ import annotations

import struct

__all__ = ["text_frame_head", "whole_text"]

FINAL_TEXT = 0x81
MASKED = 0x80
TWO_BYTES = 126
EIGHT_BYTES = 127


def text_frame_head(length: int) -> bytes:
    """Write the head of a final text frame of a server, which masks nothing."""
    if length < TWO_BYTES:
        return bytes((FINAL_TEXT, length))
    if length < 65536:
        return struct.pack("!BBH", FINAL_TEXT, TWO_BYTES, length)
    return struct.pack("!BBQ", FINAL_TEXT, EIGHT_BYTES, length)


def whole_text(data: bytes, longest: int) -> str | None:
    """Return the text of the one final frame of a client that these bytes are, up to `longest` bytes of it.

    None for anything else, right or wrong: parts, several frames, control frames, very long ones, bad UTF-8.
    """
    size = len(data)
    if size < 6 or data[0] != FINAL_TEXT or data[1] < MASKED:
        return None
    length, start = data[1] - MASKED, 6
    if length == TWO_BYTES:
        length, start = int.from_bytes(data[2:4]), 8
        if length < TWO_BYTES:
            return None
    elif length == EIGHT_BYTES:
        return None
    if size != start + length or length > longest:
        return None
    mask = (data[start - 4 : start] * (length // 4 + 1))[:length]
    plain = int.from_bytes(data[start:]) ^ int.from_bytes(mask)
    try:
        return plain.to_bytes(length).decode()
    except UnicodeDecodeError:
        return None
