"""LIKE, %STARTSWITH and explicit collation, as SQLite functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from iris_quart.demo.core import values


def like(text: str | None, pattern: str | None, escape: str | None) -> int | None:
    """Return whether a text is like a pattern, letter case counting: `%` any text, `_` one character."""
    if text is None or pattern is None:
        return None
    if escape is None or escape not in pattern:
        simple = _simple(text, pattern)
        if simple is not None:
            return int(simple)
    return int(_in_pieces(text, _pieces(pattern, escape)))


def like_upper(text: str | None, pattern: str | None, escape: str | None) -> int | None:
    """Return whether a text is like a pattern under SQLUPPER."""
    if text is None or pattern is None:
        return None
    return like(values.upper(text), _upper(pattern), None if escape is None else _upper(escape))


def starts_upper(text: str | None, prefix: str | None) -> int | None:
    """Return whether a text starts with another under SQLUPPER, whose blanks at the end do not count.

    Every text starts with NULL or '' (InterSystems SQL Reference, %STARTSWITH).
    """
    if text is None:
        return None
    return int(not prefix or values.upper(text).startswith(_upper(prefix.rstrip(" "))))


def collated(text: str | None, collation: str) -> str | None:
    """Return the value of an explicit collation function: collated, after one blank."""
    if text is None:
        return None
    return " " + (text.rstrip() if collation == "SQLSTRING" else values.sqlupper(text))


def sqlupper(text: str | None) -> str | None:
    """Return what DISTINCT and GROUP BY answer for a SQLUPPER text."""
    return None if text is None else values.sqlupper(text)


@lru_cache(maxsize=512)
def _upper(text: str) -> str:
    return values.upper(text)


def _simple(text: str, pattern: str) -> bool | None:
    """Answer the usual patterns without an expression; None when it takes one."""
    inner = pattern.strip("%")
    if "_" in pattern or "%" in inner:
        return None
    starts, ends = pattern.startswith("%"), pattern.endswith("%")
    if not inner:
        return bool(pattern) or not text
    if starts and ends:
        return inner in text
    if ends:
        return text.startswith(inner)
    return text.endswith(inner) if starts else text == inner


Piece = tuple[re.Pattern[str], int]


@lru_cache(maxsize=512)
def _pieces(pattern: str, escape: str | None) -> tuple[Piece, ...]:
    """Return the parts of a pattern between its `%`, each with its width."""
    pieces: list[list[str]] = [[]]
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if escape and character == escape and position + 1 < len(pattern):
            position += 1
            pieces[-1].append(re.escape(pattern[position]))
        elif character == "%":
            pieces.append([])
        else:
            pieces[-1].append("." if character == "_" else re.escape(character))
        position += 1
    return tuple((re.compile("".join(piece), re.DOTALL), len(piece)) for piece in pieces)


def _in_pieces(text: str, pieces: tuple[Piece, ...]) -> bool:
    """Match piece after piece, each at its first place: that needs no backtracking, so no pattern can hang."""
    (first, width), *rest = pieces
    if first.match(text) is None:
        return False
    if not rest:
        return width == len(text)
    position = width
    for piece, _ in rest[:-1]:
        found = piece.search(text, position)
        if found is None:
            return False
        position = found.end()
    last, width = rest[-1]
    start = len(text) - width
    return start >= position and last.match(text, start) is not None


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "iris_like": like,
    "iris_like_upper": like_upper,
    "iris_starts_upper": starts_upper,
    "iris_collated": collated,
    "iris_sqlupper": sqlupper,
}
"""SQLite functions of patterns and collation, by name."""
