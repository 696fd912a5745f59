"""String functions (InterSystems SQL Reference, SQL Functions). Every one answers NULL for a NULL argument."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from . import values
from .errors import fatal

LIST_SEPARATOR = ","


def checked(text: str) -> str:
    """Return a text; raise <MAXSTRING> for one that IRIS could not hold."""
    if len(text) > values.MAX_STRING:
        raise fatal("<MAXSTRING>")
    return text


@lru_cache(maxsize=512)
def like_pattern(pattern: str, escape: str | None) -> re.Pattern[str]:
    """Return the expression of a LIKE pattern: ``%`` any text, ``_`` one character."""
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if escape and character == escape and position + 1 < len(pattern):
            position += 1
            parts.append(re.escape(pattern[position]))
        elif character == "%":
            if not parts or parts[-1] != ".*?":
                parts.append(".*?")
        elif character == "_":
            parts.append(".")
        else:
            parts.append(re.escape(character))
        position += 1
    return re.compile("".join(parts) + r"\Z", re.DOTALL)


def _simple_like(text: str, pattern: str) -> bool | None:
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


def like(text: str | None, pattern: str | None, escape: str | None) -> int | None:
    """Return whether a text is like a pattern, letter case counting."""
    if text is None or pattern is None:
        return None
    if escape is None or escape not in pattern:
        simple = _simple_like(text, pattern)
        if simple is not None:
            return int(simple)
    return int(_matches(text, pattern, escape))


def _matches(text: str, pattern: str, escape: str | None) -> bool:
    wildcards = pattern.count("%")
    if wildcards > 20 and len(text) * wildcards > 2_000_000:
        raise fatal("<MAXSTRING>")
    return _match_parts(text, pattern, escape)


def _match_parts(text: str, pattern: str, escape: str | None) -> bool:
    """Match piece by piece between the ``%``: greedy search needs no backtracking, so no pattern can hang."""
    pieces = _pieces(pattern, escape)
    first, *rest = pieces
    found = first.match(text)
    if found is None:
        return False
    if not rest:
        return found.end() == len(text)
    position = found.end()
    for piece in rest[:-1]:
        found = piece.search(text, position)
        if found is None:
            return False
        position = found.end()
    last = rest[-1]
    start = len(text) - _width(last)
    return start >= position and last.match(text, start) is not None


@lru_cache(maxsize=512)
def _pieces(pattern: str, escape: str | None) -> tuple[re.Pattern[str], ...]:
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
    compiled = tuple(re.compile("".join(piece), re.DOTALL) for piece in pieces)
    for expression, piece in zip(compiled, pieces, strict=True):
        _WIDTHS[expression] = len(piece)
    return compiled


_WIDTHS: dict[re.Pattern[str], int] = {}


def _width(piece: re.Pattern[str]) -> int:
    return _WIDTHS[piece]


def like_upper(text: str | None, pattern: str | None, escape: str | None) -> int | None:
    """Return whether a text is like a pattern under SQLUPPER."""
    if text is None or pattern is None:
        return None
    return like(values.upper(text), _upper(pattern), None if escape is None else values.upper(escape))


@lru_cache(maxsize=512)
def _upper(text: str) -> str:
    return values.upper(text)


def starts_upper(text: str | None, prefix: str | None) -> int | None:
    """Return whether a text starts with another under SQLUPPER; everything starts with NULL or ''."""
    if text is None:
        return None
    return int(not prefix or values.upper(text).startswith(_upper(prefix)))


def collated(text: str | None, collation: str) -> str | None:
    """Return the value of an explicit collation function: collated, after one blank."""
    if text is None:
        return None
    return " " + (text.rstrip() if collation == "SQLSTRING" else values.sqlupper(text))


def strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function answer NULL when any argument is NULL."""

    def guarded(*arguments: Any) -> Any:
        return None if None in arguments else function(*arguments)

    return guarded


def substring(text: Any, start: int, length: int | None = None) -> Any:
    """Return part of a text or binary; positions count from 1, and those before it count as missing."""
    begin = start - 1
    if length is None:
        return text[max(begin, 0) :]
    stop = begin + length
    return text[max(begin, 0) : max(stop, 0)]


def substring_maybe(text: Any, start: int | None, length: int | None) -> Any:
    """Return part of a text; a NULL argument gives NULL."""
    if text is None or start is None or length is None:
        return None
    return substring(text, int(start), int(length))


def extract(text: str, start: int = 1, stop: int | None = None) -> str:
    """Return the characters from start to stop; a stop of -1 means to the end."""
    if stop is None:
        stop = start
    if stop == -1:
        return text[max(start - 1, 0) :]
    return text[max(start - 1, 0) : max(stop, 0)]


def piece(text: str, delimiter: str, first: int = 1, last: int | None = None) -> str:
    """Return pieces of a delimited text, counted from 1; -1 is the last one."""
    if not delimiter:
        return ""
    pieces = text.split(delimiter)
    if last is None:
        last = first
    first = len(pieces) if first == -1 else first
    last = len(pieces) if last == -1 else last
    return delimiter.join(pieces[max(first - 1, 0) : max(last, 0)])


def position(needle: str, text: str, start: int = 1) -> int:
    """Return where a text stands in another, from 1; 0 when nowhere."""
    return text.find(needle, max(start - 1, 0)) + 1


def instr(text: str, needle: str, start: int = 1, occurrence: int = 1) -> int:
    """Return where the n-th occurrence stands, from 1; 0 when nowhere."""
    at = max(start - 1, 0)
    for _ in range(min(max(occurrence, 1), len(text) + 1)):
        found = text.find(needle, at)
        if found < 0:
            return 0
        at = found + 1
    return at


def repeat(text: str, count: int) -> str | None:
    """Return a text several times."""
    if count < 0:
        return None
    if len(text) * count > values.MAX_STRING:
        raise fatal("<MAXSTRING>")
    return text * count


def pad(text: str, length: int, filler: str, *, left: bool) -> str:
    """Return a text padded or cut to a length."""
    if length <= len(text):
        return text[: max(length, 0)]
    if length > values.MAX_STRING:
        raise fatal("<MAXSTRING>")
    if not filler:
        return text
    missing = length - len(text)
    padding = (filler * (missing // len(filler) + 1))[:missing]
    return padding + text if left else text + padding


def replace(text: str, old: str, new: str) -> str:
    """Return a text with every occurrence of another replaced."""
    if not old:
        return text
    if len(text) + text.count(old) * (len(new) - len(old)) > values.MAX_STRING:
        raise fatal("<MAXSTRING>")
    return text.replace(old, new)


def stuff(text: str, start: int, length: int, new: str) -> str:
    """Return a text with some characters replaced by another text."""
    begin = max(start - 1, 0)
    return checked(text[:begin] + new + text[begin + max(length, 0) :])


def translate(text: str, old: str, new: str) -> str:
    """Return a text with characters replaced one for one; those without a partner go."""
    table = {ord(character): (new[index] if index < len(new) else None) for index, character in reversed(list(enumerate(old)))}
    return text.translate(table)


def trim(text: str, characters: str, *, left: bool, right: bool) -> str:
    """Return a text without some characters at its ends."""
    if left:
        text = text.lstrip(characters)
    return text.rstrip(characters) if right else text


def char_code(text: str) -> int | None:
    """Return the code of the first character."""
    return ord(text[0]) if text else None


def code_char(code: int) -> str | None:
    """Return the character of a code, 0 to 255 for CHAR, to the end of Unicode for $CHAR."""
    if not 0 <= code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return None
    return chr(code)


def list_get(text: str, index: int = 1) -> str | None:
    """Return an item of a list, counted from 1; -1 is the last one."""
    items = _items(text)
    index = len(items) if index == -1 else index
    return items[index - 1] if 1 <= index <= len(items) else None


def _items(text: str) -> list[str | None]:
    try:
        return values.list_items(text)
    except ValueError:
        raise fatal("<LIST>") from None


def list_build(*items: Any) -> str:
    """Return a list of items; NULL ones are missing items."""
    return checked(values.list_build(items))


def list_to_string(text: str, separator: str = LIST_SEPARATOR) -> str:
    """Return the items of a list joined by a separator."""
    return separator.join(item or "" for item in _items(text))


def stream_id(absent: int, table: str, column: str, row: object) -> str | None:
    """Return what IRIS shows for a stream in a result: its object identifier, never its content."""
    if absent:
        return None
    return values.list_build([str(row), "%Stream.GlobalCharacter", f"^{table}.{column}"])


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "iris_like": like,
    "iris_like_upper": like_upper,
    "iris_starts_upper": starts_upper,
    "iris_collated": collated,
    "iris_sqlupper": strict(values.sqlupper),
    "iris_upper": strict(values.upper),
    "iris_lower": strict(str.lower),
    "iris_length": strict(lambda text: len(text.rstrip(" ")) if isinstance(text, str) else len(text)),
    "iris_character_length": strict(len),
    "iris_data_length": strict(lambda text: len(text.encode("utf-16-le")) // 2 if isinstance(text, str) else len(text)),
    "iris_substring": lambda text, start, *rest: substring_maybe(text, start, rest[0] if rest else values.MAX_STRING * 2),
    "iris_left": strict(lambda text, count: text[: max(count, 0)]),
    "iris_right": strict(lambda text, count: text[-count:] if count > 0 else ""),
    "iris_extract": strict(extract),
    "iris_piece": strict(piece),
    "iris_piece_length": lambda text, delimiter=None: 0 if text is None else text.count(delimiter) + 1 if delimiter else len(text),
    "iris_position": strict(position),
    "iris_instr": strict(instr),
    "iris_find": strict(lambda text, needle, start=1: (found := text.find(needle, max(start - 1, 0))) + 1 + len(needle) if found >= 0 else 0),
    "iris_repeat": strict(repeat),
    "iris_replicate": strict(repeat),
    "iris_space": strict(lambda count: repeat(" ", count)),
    "iris_lpad": strict(lambda text, length, filler=" ": pad(text, length, filler, left=True)),
    "iris_rpad": strict(lambda text, length, filler=" ": pad(text, length, filler, left=False)),
    "iris_justify": strict(lambda text, width: text if width <= len(text) else pad(text[::-1], width, " ", left=False)[::-1]),
    "iris_replace": strict(replace),
    "iris_stuff": strict(stuff),
    "iris_translate": strict(translate),
    "iris_trim": strict(lambda text, characters=" ": trim(text, characters, left=True, right=True)),
    "iris_trim_left": strict(lambda text, characters=" ": trim(text, characters, left=True, right=False)),
    "iris_trim_right": strict(lambda text, characters=" ": trim(text, characters, left=False, right=True)),
    "iris_reverse": strict(lambda text: text[::-1]),
    "iris_ascii": strict(char_code),
    "iris_char": strict(lambda code: code_char(code) if 0 <= code <= 255 else None),
    "iris_unicode_char": strict(code_char),
    "iris_initcap": strict(str.title),
    "iris_list_build": list_build,
    "iris_list_get": strict(list_get),
    "iris_list_length": strict(lambda text: len(_items(text))),
    "iris_list_to_string": strict(list_to_string),
    "iris_list_from_string": strict(lambda text, separator=LIST_SEPARATOR: values.list_build(text.split(separator or LIST_SEPARATOR))),
    "iris_stream_id": stream_id,
}  # fmt: skip
"""SQLite functions on text, by name."""
