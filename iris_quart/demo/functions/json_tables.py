"""The rows of JSON_TABLE: a path into a document, one row for each element found, and a path for each column."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from iris_quart.demo.core import values
from iris_quart.demo.core.errors import fatal

STEP = re.compile(r'\.(?:"([^"]*)"|([^\s.\[\]"]+))|\[(\d{1,9}|\*)\]')
EVERY = -1
MOST_STEPS = 32

Step = str | int


class _Digits(str):
    """A number as the document writes it."""

    __slots__ = ()


@lru_cache(maxsize=256)
def steps(path: str) -> tuple[Step, ...]:
    """Return the steps of a path such as `$.a[0].b`: keys and positions; raise ValueError for another text."""
    text = path.strip()
    for mode in ("lax ", "strict "):
        text = text.removeprefix(mode).lstrip()
    if not text.startswith("$"):
        raise ValueError(path)
    found: list[Step] = []
    at = 1
    while at < len(text):
        step = STEP.match(text, at)
        if step is None or len(found) == MOST_STEPS:
            raise ValueError(path)
        quoted, plain, number = step.groups()
        if number is not None:
            found.append(EVERY if number == "*" else int(number))
        else:
            found.append(plain if quoted is None else quoted)
        at = step.end()
    return tuple(found)


def json_rows(document: str | None, *paths: str) -> str:
    """Return the rows as a JSON array of arrays of texts; `paths` are those of the rows and of each column."""
    if document is None or not document.strip():
        return "[]"
    try:
        whole = json.loads(document, parse_int=_Digits, parse_float=_Digits, parse_constant=_refused_constant)
    except ValueError:
        raise fatal("<THROW> JSON_TABLE: Parsing error") from None
    except RecursionError:
        raise fatal("<FRAMESTACK>") from None
    rows = _found(whole, steps(paths[0]))
    if len(rows) == 1 and isinstance(rows[0], list):
        rows = rows[0]
    columns = [steps(path) for path in paths[1:]]
    return json.dumps([[_text_at(row, column) for column in columns] for row in rows], ensure_ascii=False)


def _refused_constant(name: str) -> Any:
    raise ValueError(name)


def _found(value: Any, path: tuple[Step, ...]) -> list[Any]:
    found = [value]
    for step in path:
        following: list[Any] = []
        for item in found:
            if isinstance(step, str):
                if isinstance(item, dict) and step in item:
                    following.append(item[step])
            elif isinstance(item, list):
                following += item if step == EVERY else item[step : step + 1]
        found = following
    return found


def _text_at(row: Any, path: tuple[Step, ...]) -> str | None:
    """Return the value at a path as text: NULL for null, for nothing and for more than one value."""
    found = _found(row, path)
    if len(found) != 1 or found[0] is None:
        return None
    text = _written(found[0], nested=False)
    if len(text) > values.MAX_STRING:
        raise fatal("<MAXSTRING>")
    return text


def _written(value: Any, *, nested: bool) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower() if nested else str(int(value))
    if isinstance(value, _Digits) or (isinstance(value, str) and not nested):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(_written(item, nested=True) for item in value) + "]"
    pairs = (
        f"{json.dumps(key, ensure_ascii=False)}:{_written(item, nested=True)}" for key, item in value.items()
    )
    return "{" + ",".join(pairs) + "}"


FUNCTIONS: dict[str, Callable[..., Any]] = {"iris_json_rows": json_rows}
"""SQLite functions of JSON_TABLE, by name."""

__all__ = ["EVERY", "FUNCTIONS", "MOST_STEPS", "json_rows", "steps"]
