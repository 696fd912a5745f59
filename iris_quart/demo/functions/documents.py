"""JSON_OBJECT, JSON_ARRAY and XMLELEMENT, as SQLite functions, and their aggregates."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Any

from iris_quart.demo.core import values
from iris_quart.demo.core.errors import fatal

JSON, TEXT_VALUE, NUMBER_VALUE = "j", "t", "n"
"""Kinds of a value: JSON that another function made, text, or a number as its text."""


def json_object(absent: int, kinds: str, *items: str | None) -> str:
    """Return an object of keys and values, alternately; `kinds` has one letter a value."""
    parts: list[str] = []
    for index, kind in enumerate(kinds):
        key, value = items[2 * index], items[2 * index + 1]
        if value is None and absent:
            continue
        if key is None:
            raise fatal("<ILLEGAL VALUE>")
        parts.append(f"{_text(key)}:{_written(value, kind)}")
    return _bounded("{" + ",".join(parts) + "}")


def json_array(absent: int, kinds: str, *items: str | None) -> str:
    """Return an array of values; `kinds` has one letter a value."""
    pairs = zip(items, kinds, strict=True)
    written = [_written(value, kind) for value, kind in pairs if not (value is None and absent)]
    return _bounded("[" + ",".join(written) + "]")


def xml_element(tag: str, count: int, *items: str | None) -> str:
    """Return an element with `count` attributes, then content: pairs of a letter and a value."""
    attributes = "".join(
        f' {items[2 * index]}="{escape(items[2 * index + 1] or "")}"'
        for index in range(count)
        if items[2 * index + 1] is not None
    )
    rest = items[2 * count :]
    content = "".join(
        (value or "") if kind == JSON else escape(value or "", quote=False)
        for kind, value in zip(rest[0::2], rest[1::2], strict=True)
    )
    return _bounded(f"<{tag}{attributes}>{content}</{tag}>")


def _written(value: str | None, kind: str) -> str:
    if value is None:
        return "null"
    if kind == JSON:
        return value
    if kind == NUMBER_VALUE:
        number = value.replace("-.", "-0.", 1) if value.startswith("-.") else value
        return f"0{number}" if number.startswith(".") else number
    return _text(value)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _bounded(text: str) -> str:
    if len(text) > values.MAX_STRING:
        raise fatal("<MAXSTRING>")
    return text


class Joined:
    """Collect the parts of a document; the size of the whole is bounded."""

    kind = TEXT_VALUE

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.size = 0

    def step(self, value: str | None) -> None:
        """Take one value; NULL is left out."""
        if value is None:
            return
        part = self.written(value)
        self.size += len(part) + 1
        if self.size > values.MAX_STRING:
            raise fatal("<MAXSTRING>")
        self.parts.append(part)

    def written(self, value: str) -> str:
        """Return a value as the document shows it."""
        return _written(value, self.kind)

    def finalize(self) -> str | None:
        """Return the JSON array."""
        return "[" + ",".join(self.parts) + "]"


class JoinedNumbers(Joined):
    """Collect numbers."""

    kind = NUMBER_VALUE


class JoinedDocuments(Joined):
    """Collect JSON."""

    kind = JSON


class JoinedXml(Joined):
    """Join XML elements."""

    kind = JSON

    def finalize(self) -> str | None:
        """Return the elements one after another; NULL of nothing."""
        return "".join(self.parts) if self.parts else None


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "iris_json_object": json_object,
    "iris_json_array": json_array,
    "iris_xml_element": xml_element,
}
"""SQLite functions that build documents, by name."""

AGGREGATES: dict[str, type[Any]] = {
    "iris_json_join_t": Joined,
    "iris_json_join_n": JoinedNumbers,
    "iris_json_join_j": JoinedDocuments,
    "iris_xml_join": JoinedXml,
}
"""SQLite aggregates of documents, by name."""

__all__ = [
    "AGGREGATES",
    "FUNCTIONS",
    "Joined",
    "JoinedDocuments",
    "JoinedNumbers",
    "JoinedXml",
    "json_array",
    "json_object",
    "xml_element",
]
