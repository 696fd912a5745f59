"""One whole value: read in pieces, with its hash, and replaced if it is still the one that was seen."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from iris_quart.errors import (
    Conflict,
    InvalidInput,
    IrisQuartError,
    OutcomeUnknown,
    ReadOnly,
    RowGone,
    SqlError,
    UpstreamError,
)
from iris_quart.sql.decoding import decoder
from iris_quart.sql.edits import RAISED, raising_guard, written
from iris_quart.sql.metadata import Column, Table
from iris_quart.sql.pages import row_id_parameter
from iris_quart.sql.projection import row_id_text
from iris_quart.sql.server_format import ServerFormat
from iris_quart.sql.values import Category, Fragment, Parameter, Wire, guard, number_text, parse

from .catalogue import SqlClient
from .validation import is_kept, may_become, parse_seen, same_value, stored_form

__all__ = ["MeasuredValue", "Value", "Values", "value_hash"]

CHUNK = 1_000_000
"""Characters read at once; an IRIS string holds some 3.6 million."""
WRITE_MAX = 3_000_000
"""Characters that one parameter surely takes."""
SLICE = 999_999
"""Characters of a value that is sent on while it is read; a multiple of 3, so that slices in base64 join."""
READS_MAX = 3
EDGE = 1000
"""Characters at both ends by which a guard knows a stream that is too long to be sent along as it was."""

TEXT_TYPE = "text/plain; charset=utf-8"
BYTES_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Value:
    """A value as bytes: UTF-8 text, or what a binary column holds. None is NULL."""

    content: bytes | None
    media_type: str
    sha256: str
    """Hex digest of the content; that of NULL differs from that of nothing."""


@dataclass(frozen=True, slots=True)
class MeasuredValue:
    """What a value has been found to be, before it is sent on in slices."""

    media_type: str
    sha256: str
    size: int | None
    """Bytes of the content; None is NULL."""
    content: bytes | None = None
    """A value of one slice, which need not be read again."""


class _Changed(Exception):
    """The value has another length than a moment ago."""


def value_hash(content: bytes | None) -> str:
    """Hash a value; NULL and the empty value differ."""
    return hashlib.sha256(b"\xff\x00NULL" if content is None else content).hexdigest()


class Values:
    """Whole values of one user at one server; `bytes_max` bounds one value."""

    def __init__(self, client: SqlClient, *, bytes_max: int) -> None:
        self._client = client
        self._bytes_max = bytes_max

    async def read_value(self, table: Table, row_id: str, column: str) -> Value:
        """Read one value whole.

        Raises InvalidInput for an unknown column, a table without row IDs or a value that is too large,
        RowGone, and what AtelierClient.query raises.
        """
        found = _addressed(table, column)
        for _ in range(READS_MAX):
            value = await self._read(table, row_id, found)
            if value is not None:
                return value
        raise Conflict("The value changes while it is being read; try again.")

    async def measure_value(
        self, table: Table, row_id: str, column: str, look: Callable[[bytes, str], None] | None = None
    ) -> MeasuredValue:
        """Read one value slice by slice and keep none of it, unless there is only one.

        look: called with each slice and the media type. Raises what `read_value` raises.
        """
        found = _addressed(table, column)
        media_type = BYTES_TYPE if _is_binary(found) else TEXT_TYPE
        for _ in range(READS_MAX):
            digest, size, first, slices = hashlib.sha256(), 0, b"", 0
            try:
                async for content in self._slices(table, row_id, found):
                    if content is None:
                        return MeasuredValue(media_type, value_hash(None), None)
                    if look is not None:
                        look(content, media_type)
                    digest.update(content)
                    size += len(content)
                    slices += 1
                    first = content if slices == 1 else b""
            except _Changed:
                continue
            return MeasuredValue(media_type, digest.hexdigest(), size, first if slices == 1 else None)
        raise Conflict("The value changes while it is being read; try again.")

    async def value_slices(
        self, table: Table, row_id: str, column: str, measured: MeasuredValue
    ) -> AsyncGenerator[bytes]:
        """Yield a value that was measured before, slice by slice.

        Raises Conflict, before the last slice, when it is another value now.
        """
        if measured.size is None or measured.content is not None:
            yield measured.content or b""
            return
        digest, last = hashlib.sha256(), b""
        try:
            async with aclosing(self._slices(table, row_id, _addressed(table, column))) as slices:
                async for content in slices:
                    if last:
                        yield last
                    last = content or b""
                    digest.update(last)
        except _Changed:
            last = b""
        if not last or digest.hexdigest() != measured.sha256:
            raise Conflict("The value was changed while it was being read; try again.", field=column)
        yield last

    async def _slices(self, table: Table, row_id: str, column: Column) -> AsyncGenerator[bytes | None]:
        """Read a value in slices; one None for NULL. Raises _Changed when its length changes on the way."""
        encoding = await self._client.encoding(table.namespace)
        charset = "latin-1" if _is_binary(column) else "utf-8"
        if not (column.category.is_stream or _is_binary(column) or column.may_be_cut):
            row = await self._row(table, row_id, f"{_shown(column)} AS value_part, {_flag(column)}", ())
            yield _value(column, _part(column, row, encoding)).content
            return
        length = position = 0
        half = ""
        while True:
            items = (
                f"SUBSTRING({column.sql}, ?, {SLICE}) AS value_part, "
                f"CHARACTER_LENGTH({column.sql}) AS value_length, {_flag(column)}"
            )
            row = await self._row(table, row_id, items, (position + 1,))
            part = _part(column, row, encoding)
            if position and (part is None or _length(row) != length):
                raise _Changed
            if part is None:
                yield None
                return
            length = _length(row)
            if length > self._bytes_max:
                raise InvalidInput(f"The value is larger than {self._bytes_max} bytes.", field=column.name)
            position += SLICE
            text = half + (part if isinstance(part, str) else number_text(part))
            # A slice may end between the two UTF-16 units of one character.
            half = text[-1:] if position < length and "\ud800" <= text[-1:] <= "\udbff" else ""
            yield _joined(text[: len(text) - len(half)]).encode(charset, "replace")
            if position >= length:
                return

    async def write_value(
        self, table: Table, row_id: str, column: str, content: bytes | None, if_match: str
    ) -> Value:
        """Replace one value if it still has the hash `if_match`, prove it by reading, and give what is there now.

        Raises ReadOnly for a table or column that takes no changes, InvalidInput for content that does not fit,
        Conflict when the value is another one by now, RowGone, OutcomeUnknown when the connection broke and
        reading did not settle what happened, and what AtelierClient.query raises.
        """
        found = _addressed(table, column)
        reason = table.read_only_reason or (None if found.replaceable else found.read_only_reason)
        if reason is not None:
            raise ReadOnly(reason, field=column)
        new = self._fragment(found, content)
        seen = await self.read_value(table, row_id, column)
        if seen.content == content or (seen.sha256 != if_match and _holds(found, content, seen, same_value)):
            # Made already, as by a request whose answer was lost (RFC 9110, 13.1.1).
            return seen
        if seen.sha256 != if_match:
            raise Conflict("The value has been changed since it was read.", field=column)
        condition = _guard(found, seen, room=WRITE_MAX - len(content or b""))
        raising = not _is_kept(found, content)
        try:
            await self._update(
                table, row_id, found, new, raising_guard((condition,)) if raising else condition
            )
        except UpstreamError as error:
            if not error.maybe_executed:
                raise
            return await self._settle(table.behind, row_id, found, seen, content, error)
        except SqlError as error:
            if not raising or error.sqlcode != RAISED:
                raise
            now = await self.read_value(table.behind, row_id, column)
            if _holds(found, content, now, same_value):
                return now
            raise Conflict(_not_ours(seen, now), field=column) from error
        now = await self.read_value(table.behind, row_id, column)
        if not _holds(found, content, now, may_become if raising else same_value):
            raise Conflict(_not_ours(seen, now), field=column)
        return now

    async def _update(
        self, table: Table, row_id: str, column: Column, new: Fragment, condition: Fragment
    ) -> None:
        await self._client.query(
            table.namespace,
            f"UPDATE {table.sql} SET {column.sql} = {new.sql} WHERE {table.row_id} = ? AND {condition.sql}",
            (*new.parameters, row_id_parameter(row_id), *condition.parameters),
            write=True,
        )

    async def _settle(
        self,
        table: Table,
        row_id: str,
        column: Column,
        seen: Value,
        content: bytes | None,
        error: UpstreamError,
    ) -> Value:
        try:
            now = await self.read_value(table, row_id, column.name)
        except RowGone:
            raise
        except IrisQuartError:
            raise OutcomeUnknown("The connection broke; whether the value was saved is not known.") from error
        if now.sha256 != seen.sha256 and _holds(column, content, now, stored_form):
            return now
        # It may still be applied: IRIS works on after its client has gone.
        raise OutcomeUnknown(
            "The connection broke; the value was not saved yet when it was read again."
        ) from error

    async def _read(self, table: Table, row_id: str, column: Column) -> Value | None:
        """Read a value once; None when its length changed on the way."""
        encoding = await self._client.encoding(table.namespace)
        if not (column.category.is_stream or column.category is Category.BINARY or column.may_be_cut):
            row = await self._row(table, row_id, f"{_shown(column)} AS value_part, {_flag(column)}", ())
            return _value(column, _part(column, row, encoding))
        pieces: list[str] = []
        length = position = 0
        while True:
            items = (
                f"SUBSTRING({column.sql}, ?, {CHUNK}) AS value_part, "
                f"CHARACTER_LENGTH({column.sql}) AS value_length, {_flag(column)}"
            )
            row = await self._row(table, row_id, items, (position + 1,))
            part = _part(column, row, encoding)
            if part is None:
                return _value(column, None) if not pieces else None
            if pieces and _length(row) != length:
                return None
            length = _length(row)
            if length > self._bytes_max:
                raise InvalidInput(f"The value is larger than {self._bytes_max} bytes.", field=column.name)
            text = part if isinstance(part, str) else number_text(part)
            pieces.append(text)
            # IRIS counts UTF-16 units where a Python string counts characters.
            position += CHUNK
            if position >= length:
                return _value(column, _joined("".join(pieces)))

    async def _row(
        self, table: Table, row_id: str, items: str, parameters: tuple[Parameter, ...]
    ) -> dict[str, Any]:
        sql = f"SELECT TOP 1 {table.row_id} AS value_row, {items} FROM {table.sql} WHERE {table.row_id} = ?"
        rows = (await self._client.query(table.namespace, sql, (*parameters, row_id_parameter(row_id)))).rows
        if not rows or row_id_text(rows[0].get("value_row")) is None:
            raise RowGone("The row is no longer there.")
        return rows[0]

    def _fragment(self, column: Column, content: bytes | None) -> Fragment:
        if content is None:
            return Fragment("NULL")
        if len(content) > self._bytes_max:
            raise InvalidInput(f"The value is larger than {self._bytes_max} bytes.", field=column.name)
        if column.category in {Category.BINARY, Category.LONG_BINARY}:
            text = content.decode("latin-1")
        else:
            try:
                text = content.decode()
            except UnicodeDecodeError:
                raise InvalidInput("The text is not UTF-8.", field=column.name) from None
        if len(text) > WRITE_MAX:
            raise InvalidInput(f"IRIS accepts at most {WRITE_MAX} characters at once.", field=column.name)
        if column.category in {Category.BINARY, Category.LONG_BINARY}:
            return Fragment("?", (text,)) if text else Fragment("''")
        return written(column, parse(column.category, text, field=column.name))


def _holds(
    column: Column, content: bytes | None, now: Value, alike: Callable[[Column, Wire, Wire], bool]
) -> bool:
    """Check whether a value is the very content that was sent, or `alike` to it as a value of the column."""
    if now.sha256 == value_hash(content):
        return True
    if content is None or now.content is None or now.media_type != TEXT_TYPE:
        return False
    sent = parse(column.category, content.decode(), field=column.name)
    return alike(column, sent, parse_seen(column, now.content.decode()))


def _is_kept(column: Column, content: bytes | None) -> bool:
    if content is None or column.category in {Category.BINARY, Category.LONG_BINARY}:
        return True
    return is_kept(column, parse(column.category, content.decode(), field=column.name))


def _not_ours(seen: Value, now: Value) -> str:
    if now.sha256 == seen.sha256:
        return "The value was not saved: the old one is still there."
    return (
        "There is another value now than the one that was sent: someone else changed it at the same time, "
        "or the database stores it otherwise."
    )


def _guard(column: Column, seen: Value, *, room: int) -> Fragment:
    """Write the condition that a value still is what was seen; a stream of up to `room` characters as a whole."""
    if seen.content is None:
        return Fragment(f"{column.sql} IS NULL")
    binary = column.category in {Category.BINARY, Category.LONG_BINARY}
    text = seen.content.decode("latin-1" if binary else "utf-8")
    if not (binary or column.category.is_stream):
        exact = guard(column.sql, column.category, parse_seen(column, text))
        if exact is not None and len(text) <= WRITE_MAX:
            return exact
    # Streams take no comparison (SQLCODE -313), but their length and what SUBSTRING gives of them do.
    length = f"CHARACTER_LENGTH({column.sql})"
    if not text:
        return Fragment(f"{length} = 0")
    units = len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
    if units <= room:
        return Fragment(
            f"{length} IN (?, ?) AND %EXACT(SUBSTRING({column.sql}, 1, ?)) = ?",
            (len(text), units, units, text),
        )
    if units != len(text):
        return Fragment(f"{length} IN (?, ?)", (len(text), units))
    tail = text[-EDGE:]
    return Fragment(
        f"{length} = ? AND %EXACT(SUBSTRING({column.sql}, 1, {EDGE})) = ? "
        f"AND %EXACT(SUBSTRING({column.sql}, ?, {EDGE})) = ?",
        (len(text), text[:EDGE], len(text) - len(tail) + 1, tail),
    )


def _addressed(table: Table, column: str) -> Column:
    if not table.has_row_id:
        raise InvalidInput("Rows of a view without a key cannot be addressed.", field="rowId")
    return table.column(column, field="column")


def _is_binary(column: Column) -> bool:
    return column.category in {Category.BINARY, Category.LONG_BINARY}


def _joined(text: str) -> str:
    """Join the halves of characters that were read apart."""
    if text.isascii() or not any("\ud800" <= character <= "\udbff" for character in text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _shown(column: Column) -> str:
    if column.category.is_temporal or column.category is Category.LIST:
        return f"%ODBCOUT({column.sql})"
    return column.sql


def _flag(column: Column) -> str:
    return f"CASE WHEN {column.sql} IS NULL THEN 1 ELSE 0 END AS value_null"


def _part(column: Column, row: dict[str, Any], encoding: ServerFormat) -> Wire:
    if str(row.get("value_null")) == "1":
        return None
    category = (
        Category.TEXT if column.category in {Category.BINARY, Category.LONG_BINARY} else column.category
    )
    part = decoder(category, encoding)(row.get("value_part"))
    return "" if part is None else part


def _value(column: Column, value: Wire) -> Value:
    binary = column.category in {Category.BINARY, Category.LONG_BINARY}
    if value is None:
        content = None
    else:
        text = value if isinstance(value, str) else number_text(value)
        content = text.encode("latin-1", "replace") if binary else text.encode("utf-8", "replace")
    return Value(content, BYTES_TYPE if binary else TEXT_TYPE, value_hash(content))


def _length(row: dict[str, Any]) -> int:
    text = str(row.get("value_length"))
    return int(text) if text.isdigit() else 0
