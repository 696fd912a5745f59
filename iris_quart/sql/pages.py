"""Pages: which rows, in which order, from where; and the cursors that say so.

Every order ends in the row ID, so that it is total: no row is skipped or seen twice. NULL comes first in an
ascending order and last in a descending one (InterSystems SQL Reference, ORDER BY), and comparisons and order
use the same collation, so a page can start right behind any row.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec

from iris_quart.errors import InvalidInput

from .filters import Filter, compile_where, describe_value
from .identifiers import quote
from .metadata import Column, Table
from .projection import Projection
from .server_format import ServerFormat
from .values import Category, Fragment, Parameter, Wire, compared

__all__ = [
    "Boundary",
    "RowQuery",
    "Sort",
    "count_statement",
    "decode_cursor",
    "encode_cursor",
    "jump_statement",
    "keyset_statement",
    "row_id_parameter",
    "sorted_by",
    "value_counts_statement",
]

SORT_PREFIX = 200
"""Long text is put in order by this many characters, without letter case."""
SORTS_MAX = 8
OFFSET_SINCE = (2025, 1)
"""First release with LIMIT and OFFSET (SQLAlchemy's dialect for IRIS relies on it; 2023.1 answers -25)."""
VERSION = 1
ROW_NUMBER = re.compile(r"(?:-?[1-9][0-9]{0,17}|0)\Z")


@dataclass(frozen=True, slots=True)
class Sort:
    """One column of an order."""

    column: Column
    descending: bool = False


@dataclass(frozen=True)
class RowQuery:
    """A query of rows: columns, order, filters and search of one table."""

    table: Table
    columns: tuple[Column, ...]
    sort: tuple[Sort, ...] = ()
    filters: tuple[Filter, ...] = ()
    search: str | None = None
    page_size: int = 100

    @cached_property
    def where(self) -> Fragment:
        """The condition of its rows, without WHERE; empty for all rows."""
        return compile_where(self.filters, self.search, self.table.columns)

    @cached_property
    def order(self) -> tuple[Sort, ...]:
        """The sort columns; without row IDs every other column that can be compared follows, to be total."""
        if self.table.has_row_id:
            return self.sort
        named = {item.column.name for item in self.sort}
        rest = (
            Sort(column)
            for column in self.table.columns
            if column.category.is_sortable and column.name not in named
        )
        return (*self.sort, *rest)

    @cached_property
    def source(self) -> str:
        """The table's name for a statement."""
        return self.table.sql

    @cached_property
    def order_by(self) -> str:
        """The ORDER BY that reads forward, with a space before it; empty without an order."""
        return _order_by(self, reverse=False)

    @cached_property
    def order_by_reverse(self) -> str:
        """The ORDER BY that reads backward."""
        return _order_by(self, reverse=True)

    @cached_property
    def projections(self) -> dict[ServerFormat, Projection]:
        """The select list for each format of a server, once it was made."""
        return {}

    @cached_property
    def keyset_texts(self) -> dict[tuple[str, int, bool, bool, bool], str]:
        """The texts of keyset statements, once they were made."""
        return {}

    @cached_property
    def filter_key(self) -> str:
        """Key of the set of rows, independent of their order."""
        parts = [
            [item.column.name, item.operator, item.match_case, item.group, *map(describe_value, item.values)]
            for item in self.filters
        ]
        return msgspec.json.encode([parts, (self.search or "").strip()]).decode()

    def key(self, server: str) -> str:
        """Hash server, namespace, table, order and filters: what a cursor belongs to."""
        known = self._keys.get(server)
        if known is None:
            known = self._keys[server] = self._hash(server)
        return known

    @cached_property
    def _keys(self) -> dict[str, str]:
        return {}

    def _hash(self, server: str) -> str:
        order = [[item.column.name, item.descending] for item in self.sort]
        text = msgspec.json.encode(
            [server, self.table.namespace, self.table.full_name.lower(), order, self.filter_key]
        )
        return _base64url(hashlib.sha256(text).digest()[:15])


class Boundary(msgspec.Struct, frozen=True):
    """A place between rows: the sort values of a row and its row ID.

    Without a row ID it stands before all rows with these sort values. `position` counts the rows before that
    row, if known; without row IDs it alone is the place.
    """

    values: tuple[Wire, ...]
    row_id: str | None
    position: int | None = None


def sorted_by(table: Table, keys: Sequence[tuple[str, bool]], *, field: str = "sort") -> tuple[Sort, ...]:
    """Check an order, given as column names and whether each descends. Raises InvalidInput naming the field."""
    if len(keys) > SORTS_MAX:
        raise InvalidInput(f"At most {SORTS_MAX} columns can be sorted by.", field=field)
    found: dict[str, Sort] = {}
    for index, (name, descending) in enumerate(keys):
        where = f"{field}.{index}.column" if field == "sort" else field
        column = table.column(name, field=where)
        if not column.category.is_sortable:
            raise InvalidInput(f"{column.name} cannot be sorted by.", field=where)
        found.setdefault(column.name, Sort(column, descending))
    return tuple(found.values())


def row_id_parameter(row_id: str) -> Parameter:
    """Return a row ID as a parameter: a number when it is one, for numbers are compared as such."""
    return int(row_id) if ROW_NUMBER.match(row_id) else row_id


def keyset_statement(
    view: RowQuery,
    projection: Projection,
    boundary: Boundary | None,
    *,
    limit: int,
    reverse: bool = False,
    inclusive: bool = False,
) -> Fragment:
    """Read `limit` rows from a boundary on, or from the start; the nearest first if `reverse`.

    A boundary with fewer values than sort columns looks at the first ones alone. Needs row IDs, or no boundary.
    """
    if boundary is None:
        parameters = view.where.parameters
    elif boundary.values or boundary.row_id is None:
        # What is compared depends on the values: NULL is.
        beyond = _beyond(view, boundary, reverse=reverse, inclusive=inclusive)
        text = _keyset_text(view, projection, beyond.sql, limit, reverse=reverse)
        return Fragment(text, view.where.parameters + beyond.parameters)
    else:
        parameters = (*view.where.parameters, row_id_parameter(boundary.row_id))
    shape = projection.sql, limit, boundary is None, reverse, inclusive
    known = view.keyset_texts.get(shape)
    if known is None:
        condition = (
            "" if boundary is None else _beyond(view, boundary, reverse=reverse, inclusive=inclusive).sql
        )
        known = view.keyset_texts[shape] = _keyset_text(view, projection, condition, limit, reverse=reverse)
    return Fragment(known, parameters)


def _keyset_text(view: RowQuery, projection: Projection, beyond: str, limit: int, *, reverse: bool) -> str:
    where = " AND ".join(part for part in (view.where.sql, beyond) if part)
    return (
        f"SELECT TOP {limit} {projection.sql} FROM {view.source}"
        f"{' WHERE ' + where if where else ''}{view.order_by_reverse if reverse else view.order_by}"
    )


def jump_statement(
    view: RowQuery, projection: Projection, offset: int, *, limit: int, release: tuple[int, int]
) -> Fragment:
    """Read `limit` rows behind the first `offset`.

    From 2025.1 on IRIS counts the rows itself; before, a subquery numbers row IDs only, so that long rows are
    not built for nothing.
    """
    if offset == 0:
        return keyset_statement(view, projection, None, limit=limit)
    where = f" WHERE {view.where.sql}" if view.where.sql else ""
    order, source = view.order_by, view.source
    if release >= OFFSET_SINCE:
        text = f"SELECT {projection.sql} FROM {source}{where}{order} LIMIT {limit} OFFSET ?"
        return Fragment(text, (*view.where.parameters, offset))
    if view.table.has_row_id:
        text = (
            f"SELECT {projection.sql} FROM {source} WHERE {view.table.row_id} IN (SELECT row_key FROM "
            f"(SELECT TOP ? {view.table.row_id} AS row_key FROM {source}{where}{order}) WHERE %VID > ?){order}"
        )
    else:
        text = f"SELECT * FROM (SELECT TOP ? {projection.sql} FROM {source}{where}{order}) WHERE %VID > ?"
    return Fragment(text, (offset + limit, *view.where.parameters, offset))


def count_statement(view: RowQuery) -> Fragment:
    """Count the rows of a view."""
    where = f" WHERE {view.where.sql}" if view.where.sql else ""
    return Fragment(f"SELECT COUNT(*) AS total FROM {view.source}{where}", view.where.parameters)


def value_counts_statement(view: RowQuery, column: Column, select: str, count: str, limit: int) -> Fragment:
    """Count the rows of a view by the values of a column, the most frequent first; letter case counts.

    `select` are the items that read the column, `count` is the name of the number of rows.
    """
    where = f" WHERE {view.where.sql}" if view.where.sql else ""
    by = f"%EXACT({column.sql})" if column.category.is_text else column.sql
    return Fragment(
        f"SELECT TOP ? {select}, COUNT(*) AS {quote(count)} FROM {view.source}{where} "
        f"GROUP BY {by} ORDER BY COUNT(*) DESC, {by}",
        (limit, *view.where.parameters),
    )


def sort_value(column: Column, value: Wire) -> Wire:
    """Cut a value to what the order looks at."""
    return value[:SORT_PREFIX] if column.may_be_cut and isinstance(value, str) else value


def _expression(column: Column) -> str:
    return f"%SQLUPPER(SUBSTRING({column.sql}, 1, {SORT_PREFIX}))" if column.may_be_cut else column.sql


def _value(column: Column, value: Wire) -> Fragment:
    if not column.may_be_cut:
        return compared(column.category, value)
    return Fragment("%SQLUPPER('')") if value == "" else Fragment("%SQLUPPER(?)", (str(value),))


def _order_by(view: RowQuery, *, reverse: bool) -> str:
    items = [
        f"{_expression(item.column)}{' DESC' if item.descending is not reverse else ''}"
        for item in view.order
    ]
    if view.table.has_row_id:
        items.append(f"{view.table.row_id}{' DESC' if reverse else ''}")
    return f" ORDER BY {', '.join(items)}" if items else ""


def _beyond(view: RowQuery, boundary: Boundary, *, reverse: bool, inclusive: bool) -> Fragment:
    """Write that a row lies behind the boundary: greater, or equal and then by the next column."""
    behind: Fragment | None = None
    if boundary.row_id is not None:
        sign = "<" if reverse else ">"
        behind = Fragment(
            f"{view.table.row_id} {sign}{'=' if inclusive else ''} ?", (row_id_parameter(boundary.row_id),)
        )
    sort = view.sort[: len(boundary.values)]
    for item, value in zip(reversed(sort), reversed(boundary.values), strict=True):
        behind = _behind(item, value, behind, reverse=reverse)
    return behind or Fragment("1 = 1")


def _behind(item: Sort, value: Wire, rest: Fragment | None, *, reverse: bool) -> Fragment:
    expression = _expression(item.column)
    descending = item.descending is not reverse
    if value is None:
        equal, beyond = Fragment(f"{item.column.sql} IS NULL"), Fragment("")
        if not descending:
            beyond = Fragment(f"{item.column.sql} IS NOT NULL")
    else:
        operand = _value(item.column, value)
        equal = Fragment(f"{expression} = {operand.sql}", operand.parameters)
        beyond = Fragment(f"{expression} {'<' if descending else '>'} {operand.sql}", operand.parameters)
        if descending:
            beyond = Fragment(f"({beyond.sql} OR {item.column.sql} IS NULL)", beyond.parameters)
    if rest is not None:
        equal = Fragment(f"({equal.sql} AND {rest.sql})", equal.parameters + rest.parameters)
    if not beyond.sql:
        return equal
    return Fragment(f"({beyond.sql} OR {equal.sql})", beyond.parameters + equal.parameters)


class _Cursor(msgspec.Struct, omit_defaults=True):
    """A boundary as it travels: version, key of the view, values, row ID, position."""

    v: int
    h: str
    k: list[Any]
    r: str | None
    p: int | None = None


_DECODER = msgspec.json.Decoder(_Cursor, float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
CURSOR_MAX = 32768
_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")


def encode_cursor(key: str, boundary: Boundary) -> str:
    """Write a boundary of the view that has this key as base64url JSON."""
    body = _Cursor(VERSION, key, list(boundary.values), boundary.row_id, boundary.position)
    return _base64url(_ENCODER.encode(body))


def decode_cursor(text: str, view: RowQuery, server: str, *, field: str) -> Boundary:
    """Read a cursor. Raises InvalidInput naming `field` when it is none, or of another view."""
    if len(text) > CURSOR_MAX:
        raise _made_up(field)
    try:
        coded = text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4)
        body = _DECODER.decode(binascii.a2b_base64(coded, strict_mode=True))
    except (binascii.Error, msgspec.DecodeError, ValueError, RecursionError):
        raise _made_up(field) from None
    values, row_id, position = body.k, body.r, body.p
    if body.v != VERSION:
        raise _made_up(field)
    if body.h != view.key(server):
        raise InvalidInput("This cursor belongs to another table, order or filter.", field=field)
    fits = (
        len(values) == len(view.sort)
        and all(
            value is None or _is_value(item.column, value)
            for item, value in zip(view.sort, values, strict=True)
        )
        and (row_id is not None and 0 < len(row_id) <= 1024 if view.table.has_row_id else row_id is None)
        and (position is None or 0 <= position < 2**53)
        and (view.table.has_row_id or position is not None)
    )
    if not fits:
        raise _made_up(field)
    return Boundary(tuple(values), row_id, position)


def _base64url(data: bytes) -> str:
    """Write bytes as RFC 4648 section 5 has it, without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode()


def _made_up(field: str) -> InvalidInput:
    return InvalidInput("Invalid cursor: it does not come from this server.", field=field)


def _is_value(column: Column, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return False
    return isinstance(value, str) or column.category.is_number or column.category is Category.UNKNOWN
