"""String functions; NULL in, NULL out unless said otherwise.

Written from memory of the manual; what the behaviours table lists was checked, the rest was not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from iris_quart.demo.core import values
from iris_quart.demo.core.errors import fatal

from .signatures import signatures


def strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """Create a function answer NULL when any argument is NULL."""

    def guarded(*arguments: Any) -> Any:
        return None if None in arguments else function(*arguments)

    return guarded


def checked(text: str) -> str:
    """Return a text; raise <MAXSTRING> for one that IRIS could not hold."""
    if len(text) > values.MAX_STRING:
        raise fatal("<MAXSTRING>")
    return text


def length(text: str | bytes) -> int:
    """Return the length without trailing blanks."""
    return len(text.rstrip(" ")) if isinstance(text, str) else len(text)


def data_length(text: str | bytes) -> int:
    """Return the length in UTF-16 units, as IRIS counts characters."""
    return len(text.encode("utf-16-le")) // 2 if isinstance(text, str) else len(text)


def substring(text: Any, start: int, count: int = 2 * values.MAX_STRING) -> Any:
    """Return part of a text or binary; positions count from 1, and those before it count as missing."""
    begin = start - 1
    return text[max(begin, 0) : max(begin + count, 0)]


def left(text: str, count: int) -> str:
    """Return the first characters."""
    return text[: max(count, 0)]


def right(text: str, count: int) -> str:
    """Return the last characters."""
    return text[-count:] if count > 0 else ""


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


def piece_count(text: str | None, delimiter: str | None = None) -> int:
    """Return the length of a text, or the number of its pieces; 0 for NULL."""
    if text is None:
        return 0
    return text.count(delimiter) + 1 if delimiter else len(text)


def position(needle: str, text: str, start: int = 1) -> int:
    """Return where a text stands in another, from 1; 0 when nowhere."""
    return text.find(needle, max(start - 1, 0)) + 1


def find(text: str, needle: str, start: int = 1) -> int:
    """Return the position after a text in another, as $FIND does; 0 when nowhere."""
    found = text.find(needle, max(start - 1, 0))
    return found + 1 + len(needle) if found >= 0 else 0


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
    """Return a text several times; NULL for a negative count."""
    if count < 0:
        return None
    if len(text) * count > values.MAX_STRING:
        raise fatal("<MAXSTRING>")
    return text * count


def space(count: int) -> str | None:
    """Return some blanks."""
    return repeat(" ", count)


def _filled(text: str, width: int, filler: str) -> str:
    """Return what brings a text to a width."""
    if width > values.MAX_STRING:
        raise fatal("<MAXSTRING>")
    missing = width - len(text)
    return (filler * (missing // len(filler) + 1))[:missing] if filler and missing > 0 else ""


def pad_left(text: str, width: int, filler: str = " ") -> str:
    """Return a text filled on the left, or cut."""
    return _filled(text, width, filler) + text[: max(width, 0)]


def pad_right(text: str, width: int, filler: str = " ") -> str:
    """Return a text filled on the right, or cut."""
    return text[: max(width, 0)] + _filled(text, width, filler)


def justify(text: str, width: int) -> str:
    """Return a text filled on the left, never cut."""
    return _filled(text, width, " ") + text


def replace(text: str, old: str, new: str) -> str:
    """Return a text with every occurrence of another replaced."""
    if not old:
        return text
    if len(text) + text.count(old) * (len(new) - len(old)) > values.MAX_STRING:
        raise fatal("<MAXSTRING>")
    return text.replace(old, new)


def stuff(text: str, start: int, count: int, new: str) -> str:
    """Return a text with some characters replaced by another text."""
    begin = max(start - 1, 0)
    return checked(text[:begin] + new + text[begin + max(count, 0) :])


def translate(text: str, old: str, new: str = "") -> str:
    """Return a text with characters replaced one for one; those without a partner go."""
    pairs = [
        (ord(character), new[index] if index < len(new) else None) for index, character in enumerate(old)
    ]
    return text.translate(dict(reversed(pairs)))


def trim(text: str, characters: str = " ") -> str:
    """Return a text without some characters at both ends."""
    return text.strip(characters) if characters else text


def trim_left(text: str, characters: str = " ") -> str:
    """Return a text without some characters at its start."""
    return text.lstrip(characters) if characters else text


def trim_right(text: str, characters: str = " ") -> str:
    """Return a text without some characters at its end."""
    return text.rstrip(characters) if characters else text


def reverse(text: str) -> str:
    """Return a text backwards."""
    return text[::-1]


def char_code(text: str) -> int | None:
    """Return the code of the first character."""
    return ord(text[0]) if text else None


def unicode_char(code: int) -> str | None:
    """Return the character of a code."""
    if not 0 <= code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return None
    return chr(code)


def char(code: int) -> str | None:
    """Return the character of a code from 0 to 255."""
    return chr(code) if 0 <= code <= 255 else None


def _items(text: str) -> list[str | None]:
    try:
        return values.list_items(text)
    except ValueError:
        raise fatal("<LIST>") from None


def list_build(*items: str | None) -> str:
    """Return a list of items; NULL ones are missing items."""
    return checked(values.list_build(items))


def list_get(text: str, index: int = 1) -> str | None:
    """Return an item of a list, counted from 1; -1 is the last one."""
    items = _items(text)
    index = len(items) if index == -1 else index
    return items[index - 1] if 1 <= index <= len(items) else None


def list_length(text: str) -> int:
    """Return the number of items of a list."""
    return len(_items(text))


def list_to_string(text: str, separator: str = ",") -> str:
    """Return the items of a list joined by a separator."""
    return separator.join(item or "" for item in _items(text))


def list_from_string(text: str, separator: str = ",") -> str:
    """Return the list of a separated text."""
    return checked(values.list_build(text.split(separator) if separator else [text]))


def parameter_value(parameters: str | None, name: str | None) -> str | None:
    """Return a parameter out of the serialized parameters of a property; NULL for one that is not set."""
    if not parameters or name is None:
        return None
    for pair in _items(parameters):
        key, value = (*_items(pair or ""), None, None)[:2]
        if key == name:
            return value
    return None


def stream_id(absent: int, table: str, column: str, row: object) -> str | None:
    """Return what IRIS shows for a stream in a result: its object identifier, never its content."""
    if absent:
        return None
    return values.list_build([str(row), "%Stream.GlobalCharacter", f"^{table}.{column}"])


STRICT: dict[str, Callable[..., Any]] = {
    "iris_upper": values.upper,
    "iris_lower": str.lower,
    "iris_length": length,
    "iris_character_length": len,
    "iris_data_length": data_length,
    "iris_substring": substring,
    "iris_left": left,
    "iris_right": right,
    "iris_extract": extract,
    "iris_piece": piece,
    "iris_position": position,
    "iris_instr": instr,
    "iris_find": find,
    "iris_repeat": repeat,
    "iris_space": space,
    "iris_lpad": pad_left,
    "iris_rpad": pad_right,
    "iris_justify": justify,
    "iris_replace": replace,
    "iris_stuff": stuff,
    "iris_translate": translate,
    "iris_trim": trim,
    "iris_trim_left": trim_left,
    "iris_trim_right": trim_right,
    "iris_reverse": reverse,
    "iris_ascii": char_code,
    "iris_char": char,
    "iris_unicode_char": unicode_char,
    "iris_initcap": str.title,
    "iris_list_get": list_get,
    "iris_list_length": list_length,
    "iris_list_to_string": list_to_string,
    "iris_list_from_string": list_from_string,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: strict(function) for name, function in STRICT.items()},
    "iris_piece_length": piece_count,
    "iris_list_build": list_build,
    "iris_stream_id": stream_id,
    "iris_parameter_value": parameter_value,
}
"""SQLite functions on text, by name."""

SQL = signatures(
    """
UPPER UCASE            iris_upper            t    1 1 text
LOWER LCASE            iris_lower            t    1 1 text
LENGTH LEN             iris_length           b    1 1 integer streams
CHARACTER_LENGTH CHAR_LENGTH iris_character_length b 1 1 integer streams
DATALENGTH             iris_data_length      b    1 1 integer streams
$LENGTH                iris_piece_length     tt   1 2 integer
SUBSTRING SUBSTR       iris_substring        bii  2 3 binary streams inherits
LEFT                   iris_left             ti   2 2 text inherits
RIGHT                  iris_right            ti   2 2 text inherits
$EXTRACT               iris_extract          tii  1 3 text inherits
$PIECE                 iris_piece            ttii 2 4 text inherits
$FIND                  iris_find             tti  2 3 integer
CHARINDEX POSITION     iris_position        tti  2 3 integer
INSTR                  iris_instr            ttii 2 4 integer
CONCAT                 iris_concat           tt   2 2 text
REPEAT REPLICATE       iris_repeat           ti   2 2 text
SPACE                  iris_space            i    1 1 text
LPAD                   iris_lpad             tit  2 3 text
RPAD                   iris_rpad             tit  2 3 text
$JUSTIFY               iris_justify          ti   2 2 text
REPLACE                iris_replace          ttt  3 3 text
STUFF                  iris_stuff            tiit 4 4 text
$TRANSLATE             iris_translate        ttt  2 3 text
TRIM TRIM_BOTH         iris_trim             tt   1 2 text inherits
LTRIM TRIM_LEADING     iris_trim_left        tt   1 2 text inherits
RTRIM TRIM_TRAILING    iris_trim_right       tt   1 2 text inherits
REVERSE $REVERSE       iris_reverse          t    1 1 text
ASCII $ASCII           iris_ascii            t    1 1 integer
CHAR                   iris_char             i    1 1 text
$CHAR                  iris_unicode_char     i    1 1 text
INITCAP                iris_initcap          t    1 1 text
$LISTBUILD             iris_list_build       t    1 99 list
$LIST                  iris_list_get         ti   1 2 text
$LISTGET               iris_list_get         ti   1 2 text
$LISTLENGTH            iris_list_length      t    1 1 integer
$LISTTOSTRING          iris_list_to_string   tt   1 2 text
%DICTIONARY.GETPARAMETERVALUE iris_parameter_value tt 2 2 text
$LISTFROMSTRING        iris_list_from_string tt   1 2 list
"""
)
"""Their names and signatures in SQL."""

__all__ = [
    "FUNCTIONS",
    "SQL",
    "STRICT",
    "char",
    "char_code",
    "checked",
    "data_length",
    "extract",
    "find",
    "instr",
    "justify",
    "left",
    "length",
    "list_build",
    "list_from_string",
    "list_get",
    "list_length",
    "list_to_string",
    "pad_left",
    "pad_right",
    "parameter_value",
    "piece",
    "piece_count",
    "position",
    "repeat",
    "replace",
    "reverse",
    "right",
    "space",
    "stream_id",
    "strict",
    "stuff",
    "substring",
    "translate",
    "trim",
    "trim_left",
    "trim_right",
    "unicode_char",
]
