"""LIKE, %STARTSWITH and explicit collation, as SQLite functions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from iris_quart.demo.core import values
from iris_quart.demo.core.errors import fatal

MAX_REPEATS = 32_767
"""Largest count of a pattern, within what a regular expression takes."""


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


def in_list(text: str | None, items: str | None, folds: int) -> int | None:
    """Return whether a text is an item of a list; raise -400 where the right side is not a list (seen in the wild)."""
    if text is None or items is None:
        return None
    try:
        found = values.list_items(items)
    except ValueError:
        raise fatal("<LIST>") from None
    if folds:
        wanted = values.sqlupper(text)
        return int(any(item is not None and values.sqlupper(item) == wanted for item in found))
    return int(text in found)


def list_json(items: str | None) -> str | None:
    """Return a list as a JSON array, for SQLite to walk through; None for what is not a list."""
    if items is None:
        return None
    try:
        return json.dumps(values.list_items(items))
    except ValueError:
        return None


def matches(text: str | None, pattern: str | None, _: int = 0) -> int | None:
    """Return whether a text matches `*`, `?`, `[a-z]` and `[^a-z]` (InterSystems SQL Reference, %MATCHES)."""
    if text is None or pattern is None:
        return None
    return int(_matcher(pattern).fullmatch(text) is not None)


def pattern_match(text: str | None, pattern: str | None, _: int = 0) -> int | None:
    """Return whether a text matches an ObjectScript pattern such as `1U.L1",".A` (SQL Reference, %PATTERN)."""
    if text is None or pattern is None:
        return None
    expression, repeats = _pattern(pattern)
    if repeats > 1 and len(text) ** (repeats - 1) > MAX_STEPS:
        raise fatal("<COMPLEX PATTERN>")
    return int(expression.fullmatch(text) is not None)


def masked(schema: str | None, name: str | None, mask: str | None) -> int:
    """Return whether `schema.name` fits one of the masks of a list such as `Sample.*,Ens*`, without letter case."""
    full = values.upper(f"{schema}.{name}")
    for part in (mask or "*").split(","):
        wanted = values.upper(part.strip())
        expression = _matcher(wanted if "." in wanted or wanted.endswith("*") else f"{wanted}.*")
        if expression.fullmatch(full):
            return 1
    return 0


@lru_cache(maxsize=512)
def _matcher(pattern: str) -> re.Pattern[str]:
    """Return a regular expression that never goes back over a `*`, so that its time stays linear."""
    pieces = [""]
    position = 0
    while position < len(pattern):
        character = pattern[position]
        end = pattern.find("]", position + 2) if character == "[" else -1
        if character == "*":
            pieces.append("")
        elif character == "\\" and position + 1 < len(pattern):
            position += 1
            pieces[-1] += re.escape(pattern[position])
        elif end > 0:
            inner = pattern[position + 1 : end]
            word = "^" if inner.startswith("^") else ""
            body = re.sub(r"[\\\[\]&~|^]", r"\\\g<0>", inner.removeprefix("^"))
            pieces[-1] += f"[{word}{body}]"
            position = end
        else:
            pieces[-1] += "." if character == "?" else re.escape(character)
        position += 1
    first, *rest = pieces
    if not rest:
        return _compiled(first)
    middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1])
    return _compiled(f"{first}{middle}.*{rest[-1]}")


PATTERN_CODES = {
    "A": r"[^\W\d_]", "C": r"[\x00-\x1f\x7f-\x9f]", "E": ".", "L": "[a-z\u00df-\u00f6\u00f8-\u00ff]", "N": "[0-9]",
    "P": r"[!-/:-@\[-`{-~ \u00a0-\u00bf]", "U": "[A-Z\u00c0-\u00d6\u00d8-\u00de]",
}  # fmt: skip
_ATOM = re.compile(r'(\d*+)(\.?+)(\d*+)(?:([ACELNPUacelnpu]++)|"((?:[^"]++|"")*+)"|(\())')


_VARIABLE = re.compile(r"\{\d+,(?:\d+)?\}")
MAX_STEPS = 10_000_000


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> tuple[re.Pattern[str], int]:
    """Return a pattern as a regular expression, and how many of its atoms repeat a variable number of times."""
    found, position = _pattern_from(pattern, 0, "")
    if position != len(pattern):
        raise fatal("<SYNTAX>")
    return _compiled(found), len(_VARIABLE.findall(found))


def _pattern_from(pattern: str, position: int, closing: str) -> tuple[str, int]:
    """Read atoms up to `closing`; return a regular expression and where it ended."""
    parts: list[str] = []
    while position < len(pattern) and pattern[position] not in closing:
        atom = _ATOM.match(pattern, position)
        if atom is None or not (atom[1] or atom[2]) or (atom[3] and not atom[2]):
            raise fatal("<SYNTAX>")
        position = atom.end()
        if atom[4]:
            body = "|".join(PATTERN_CODES[code] for code in atom[4].upper())
        elif atom[6]:
            choices: list[str] = []
            while True:
                choice, position = _pattern_from(pattern, position, ",)")
                choices.append(choice)
                if position >= len(pattern):
                    raise fatal("<SYNTAX>")
                position += 1
                if pattern[position - 1] == ")":
                    break
            body = "|".join(choices)
            if _VARIABLE.search(body) and (atom[2] or atom[1] != "1"):
                raise fatal("<COMPLEX PATTERN>")
        else:
            body = re.escape((atom[5] or "").replace('""', '"'))
        least = atom[1] or "0"
        most = atom[3] if atom[2] else atom[1]
        if max(int(least), int(most or 0)) > MAX_REPEATS:
            raise fatal("<SYNTAX>")
        parts.append(f"(?:{body}){{{least},{most}}}" if atom[2] else f"(?:{body}){{{least}}}")
    return "".join(parts), position


def _compiled(expression: str) -> re.Pattern[str]:
    try:
        return re.compile(expression, re.DOTALL)
    except (re.error, OverflowError, RecursionError):
        raise fatal("<SYNTAX>") from None


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
    "iris_in_list": in_list,
    "iris_list_json": list_json,
    "iris_matches": matches,
    "iris_masked": masked,
    "iris_pattern": pattern_match,
    "iris_collated": collated,
    "iris_sqlupper": sqlupper,
}
"""SQLite functions of patterns and collation, by name."""

__all__ = [
    "FUNCTIONS",
    "MAX_REPEATS",
    "MAX_STEPS",
    "PATTERN_CODES",
    "Piece",
    "collated",
    "in_list",
    "like",
    "like_upper",
    "list_json",
    "masked",
    "matches",
    "pattern_match",
    "sqlupper",
    "starts_upper",
]
