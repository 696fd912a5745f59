"""Select lists of a table's columns, and the conversion of an answer's rows to wire values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from .decoding import PREVIEW_BYTES, Decoder, decoder
from .identifiers import free_alias, quote
from .metadata import WHOLE_TEXT, Column, Table
from .passthrough import Passing, passing_for
from .server_format import ServerFormat
from .values import Category, Wire

__all__ = ["Decoded", "Preview", "Projection", "Row"]

Row: TypeAlias = dict[str, Wire]


class Preview(NamedTuple):
    """Full length of a value of which only a part is shown."""

    length: int
    unit: str


class Decoded(NamedTuple):
    """Rows as they travel, their row IDs (None without one) and what was cut, by place in the page."""

    rows: list[Row]
    row_ids: list[str | None]
    previews: dict[int, dict[str, Preview]]


class _Cut(NamedTuple):
    name: str
    length_key: str
    limit: int
    shown: int
    unit: str
    empty: str


class Projection:
    """The select list for some columns of a table, and how to read what it gives.

    `hidden` columns are read too, for sorting, but are not in the rows. Streams and long text are cut to
    `preview` characters, with their length beside them; where the server writes NULL and '' alike, text has a
    flag beside it.
    """

    def __init__(
        self,
        table: Table,
        columns: Sequence[Column],
        encoding: ServerFormat,
        *,
        preview: int,
        hidden: Sequence[Column] = (),
    ) -> None:
        self._preview = preview
        self._taken = [column.name for column in table.columns]
        self._shown = {column.name for column in columns}
        self._decoders: dict[str, Decoder] = {}
        self._flags: dict[str, str] = {}
        self._cuts: list[_Cut] = []
        self._lists: list[str] = []
        self._row_id_key: str | None = None
        items = []
        if table.has_row_id:
            self._row_id_key = self._alias("row_id")
            items.append(f"{table.row_id} AS {quote(self._row_id_key)}")
        for column in columns:
            items.extend(self._items(column, encoding))
        for column in hidden:
            if column.name not in self._shown:
                items.extend(self._items(column, encoding))
        self.sql = ", ".join(items)
        """The select list."""
        whole = all(column.name in self._shown for column in hidden)
        self.passing: Passing | None = None
        """The way to pass rows on without decoding them, if there is one."""
        if whole and self._row_id_key is not None and not self._flags:
            self.passing = passing_for(columns, encoding, self._row_id_key)
        self._fields = [(name, decode) for name, decode in self._decoders.items() if name in self._shown]

    def read(self, answers: Sequence[Mapping[str, Any]]) -> Decoded:
        """Turn an answer's rows into rows of wire values."""
        fields, flags = self._fields, [item for item in self._flags.items() if item[0] in self._shown]
        rows: list[Row] = [{name: decode(raw.get(name)) for name, decode in fields} for raw in answers]
        for name, key in flags:
            for row, raw in zip(rows, answers, strict=True):
                row[name] = _settled(row[name], raw.get(key))
        row_id_key = self._row_id_key
        row_ids: list[str | None] = (
            [None] * len(rows)
            if row_id_key is None
            else [row_id_text(raw.get(row_id_key)) for raw in answers]
        )
        previews: dict[int, dict[str, Preview]] = {}
        if self._cuts or self._lists:
            for place, (row, raw) in enumerate(zip(rows, answers, strict=True)):
                marks = self._cut(row, raw)
                if marks:
                    previews[place] = marks
        return Decoded(rows, row_ids, previews)

    def value(self, raw: Mapping[str, Any], name: str) -> Wire:
        """Return one column of an answer's row, hidden ones too, as much as was read of it."""
        value, flag = self._decoders[name](raw.get(name)), self._flags.get(name)
        return value if flag is None else _settled(value, raw.get(flag))

    def row_id(self, raw: Mapping[str, Any]) -> str | None:
        """Return the row ID of an answer's row."""
        return None if self._row_id_key is None else row_id_text(raw.get(self._row_id_key))

    def _cut(self, row: Row, raw: Mapping[str, Any]) -> dict[str, Preview]:
        marks: dict[str, Preview] = {}
        for cut in self._cuts:
            if cut.name not in row:
                continue
            length = _length(raw.get(cut.length_key))
            if length is None:
                continue
            value = row[cut.name]
            if value is None:
                # It has a length, so it is empty and not NULL, however alike the server writes them.
                value = row[cut.name] = cut.empty
            if length > cut.limit and isinstance(value, str):
                row[cut.name] = value[: cut.shown]
                marks[cut.name] = Preview(length, cut.unit)
        for name in self._lists:
            value = row.get(name)
            if isinstance(value, str):
                row[name] = value[: self._preview]
                marks[name] = Preview(len(value), "characters")
        return marks

    def _items(self, column: Column, encoding: ServerFormat) -> list[str]:
        self._decoders[column.name] = decoder(column.category, encoding)
        items = self._value_items(column)
        if encoding.ambiguous:
            flag = self._flags[column.name] = self._alias(f"null_{len(self._decoders)}")
            items.append(f"CASE WHEN {column.sql} IS NULL THEN 1 ELSE 0 END AS {quote(flag)}")
        return items

    def _value_items(self, column: Column) -> list[str]:
        name, category = column.sql, column.category
        if category is Category.LIST:
            self._lists.append(column.name)
        if category.is_temporal or category is Category.LIST:
            return [f"%ODBCOUT({name}) AS {name}"]
        if category in {Category.BINARY, Category.LONG_BINARY}:
            length = self._length_key(column, -1, PREVIEW_BYTES * 2 + 2, "bytes")
            part = PREVIEW_BYTES
        elif column.may_be_cut:
            part = self._preview if category is Category.LONG_TEXT else max(WHOLE_TEXT, self._preview)
            length = self._length_key(column, part, self._preview, "characters")
        else:
            return [f"{name} AS {name}"]
        return [f"SUBSTRING({name}, 1, {part}) AS {name}", f"CHARACTER_LENGTH({name}) AS {quote(length)}"]

    def _length_key(self, column: Column, limit: int, shown: int, unit: str) -> str:
        key = self._alias(f"length_{len(self._decoders)}")
        self._cuts.append(_Cut(column.name, key, limit, shown, unit, "0x" if unit == "bytes" else ""))
        return key

    def _alias(self, base: str) -> str:
        alias = free_alias(base, self._taken)
        self._taken.append(alias)
        return alias


def row_id_text(raw: Any) -> str | None:
    """Write a row ID as the text that addresses the row."""
    return None if raw is None or raw == "" else str(raw)


def _settled(value: Wire, flag: Any) -> Wire:
    """Distinguish NULL from the empty string by the flag beside a value, where both look alike."""
    if str(flag) == "1":
        return None
    return "" if value is None else value


def _length(raw: Any) -> int | None:
    text = str(raw)
    return int(text) if text.isdigit() else None
