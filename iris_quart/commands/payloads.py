"""Parts that payloads and events of several commands share."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

import msgspec
from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from iris_quart.context import Context
from iris_quart.errors import InvalidInput, ReadOnly
from iris_quart.names import ColumnName, NamespaceName, TableName
from iris_quart.protocol import Message, PreviewMark, decode_exactly
from iris_quart.read_only import read_only_reason
from iris_quart.sql.filters import Operator
from iris_quart.sql.projection import Preview
from iris_quart.tables.row_queries import FilterRequest, RowQueryRequest

__all__ = [
    "COLUMNS_MAX",
    "ColumnKey",
    "FilterFields",
    "FilterItem",
    "PreviewMark",
    "QueryFields",
    "SeenPreview",
    "SortItem",
    "TableFields",
    "ValueMessage",
    "WireValue",
    "legacy_integer",
    "named_table",
    "preview_marks",
    "seen_fingerprint",
    "seen_lengths",
    "writable_table",
]

PAGE_SIZE = 100
FILTERS_MAX = 50
COLUMNS_MAX = 1000
LEGACY_DIGITS_MAX = 18

VALUE_CHARACTERS_MAX = 16 * 1024 * 1024
"""No longer text fits into the largest message that the settings allow."""
PARTS_MAX = 100

_SCALARS: list[Any] = [
    {"type": "string", "maxLength": VALUE_CHARACTERS_MAX},
    {"type": "number"},
    {"type": "boolean"},
    {"type": "null"},
]


def _few_parts(value: Any) -> Any:
    # What a list or an object means there, if anything, is for the column to say.
    if isinstance(value, list | dict) and len(value) > PARTS_MAX:
        raise ValueError(f"has {len(value)} parts, of at most {PARTS_MAX}")
    return value


WireValue: TypeAlias = Annotated[Any, AfterValidator(_few_parts), WithJsonSchema({"anyOf": _SCALARS})]
"""A value of the database."""
WireValues: TypeAlias = Annotated[
    Any,
    AfterValidator(_few_parts),
    WithJsonSchema(
        {"anyOf": [*_SCALARS, {"type": "array", "maxItems": PARTS_MAX, "items": {"anyOf": _SCALARS}}]}
    ),
]
"""A value of the database, or a list of them."""
ColumnKey: TypeAlias = Annotated[str, Field(max_length=1024)]
"""A column as the key of its value; one that the table lacks fails the change that names it, not the others."""


class ValueMessage(Message):
    """A payload that carries values of the database: numbers keep all their digits."""

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Read the payload; pydantic's own JSON reader would pass decimals through a float."""
        try:
            value = decode_exactly(json_data.encode() if isinstance(json_data, str) else bytes(json_data))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return super().model_validate_json(json_data, **options)
        return cls.model_validate(value, **options)


class TableFields(ValueMessage):
    """The table; if left out, the one that this socket has open."""

    namespace: NamespaceName | None = Field(None, description="Namespace of the table.")
    table_name: TableName | None = Field(None, description="Schema.Table.")

    def table_reference(self) -> tuple[str | None, str | None]:
        """Return the names that the payload gives."""
        return self.namespace, self.table_name


class FilterItem(ValueMessage):
    """One condition on a column; several are joined by AND, those of one `group` by OR."""

    column: ColumnName = Field(description="Name of the column.")
    value: WireValues = Field(
        None,
        description="What it is compared with: a wire value, or a list of them for between and in. Without an "
        "operator, text with * for any characters and ? for one.",
    )
    operator: Operator | None = Field(None, description="How it is compared.")
    match_case: bool = Field(
        False,
        description="Compare letter case too, whatever the column's collation. Without it, contains, startsWith, "
        "endsWith and patterns ignore letter case; all other operators compare by the column's collation.",
    )
    group: int | None = Field(
        None,
        ge=0,
        le=FILTERS_MAX,
        strict=True,
        description="Conditions of one group are joined by OR; a row has to meet one of them.",
    )


class FilterFields(TableFields):
    """Rows of a table, by filters and search."""

    filters: tuple[FilterItem, ...] | None = Field(
        None, max_length=FILTERS_MAX, fail_fast=True, description="Conditions."
    )
    search: str | None = Field(
        None, max_length=200, description="Text to look for in all text columns, in any letter case."
    )

    def filter_requests(self) -> tuple[FilterRequest, ...]:
        """Return the filters as the tables take them."""
        return tuple(
            FilterRequest(item.column, item.value, item.operator, item.match_case, item.group)
            for item in self.filters or ()
        )


class SortItem(Message):
    """One column of an order."""

    column: ColumnName = Field(description="Name of the column.")
    direction: Literal["asc", "desc"] = Field("asc", description="asc or desc.")


class QueryFields(FilterFields):
    """Rows of a table, their order, and the page size."""

    legacy_integers: ClassVar[tuple[str, ...]] = ("pageSize",)
    """Fields that a legacy client may send as text."""

    page_size: int | None = Field(
        None, ge=0, strict=True, description="Rows in a page; 0, null or absent is 100."
    )
    sort_column: str | None = Field(None, max_length=128, description="Column to sort by, if it is one.")
    sort_direction: Literal["asc", "desc"] | None = Field(None, description="Direction of sortColumn.")
    sort: tuple[SortItem, ...] | None = Field(
        None, max_length=8, fail_fast=True, description="Columns to sort by."
    )
    columns: tuple[ColumnName, ...] | None = Field(
        None, min_length=1, max_length=1000, fail_fast=True, description="Columns to read; absent: all."
    )
    count: Literal["exact", "deferred", "skip"] = Field(
        "exact",
        description="exact waits up to 2 s for the number of rows, deferred sends it later as rowCount, skip "
        "does without.",
    )

    @classmethod
    def from_legacy(cls, value: dict[str, Any]) -> dict[str, Any]:
        """Read numbers that came as text, and a direction in any letter case."""
        direction = value.get("sortDirection")
        changed = {name: legacy_integer(value[name]) for name in cls.legacy_integers if name in value}
        if isinstance(direction, str):
            changed["sortDirection"] = direction.lower() or None
        return value | changed

    @model_validator(mode="after")
    def _one_order(self) -> Self:
        if self.sort and self.sort_column:
            raise ValueError("use sort or sortColumn, not both")
        return self

    def view_request(self, context: Context) -> RowQueryRequest:
        """Return the view as the tables take it. Raises InvalidInput without a table, or for a page too large."""
        namespace, table_name = named_table(context, self)
        size, most = self.page_size or PAGE_SIZE, context.settings.page_size_max
        if size > most:
            raise InvalidInput(f"pageSize: is at most {most}", field="pageSize")
        keys = tuple((item.column, item.direction == "desc") for item in self.sort or ())
        if not keys and self.sort_column:
            keys = ((self.sort_column, self.sort_direction == "desc"),)
        return RowQueryRequest(
            namespace=namespace,
            table_name=table_name,
            columns=self.columns,
            sort=keys,
            filters=self.filter_requests(),
            search=self.search,
            page_size=min(size, most),
            sort_field="sortColumn" if self.sort_column else "sort",
            # A legacy client carries its filters over from the table before.
            unknown_filters=context.message_id is None,
        )


def legacy_integer(value: Any) -> Any:
    """Return the whole number that a JavaScript server sees in a value; anything else as it is."""
    if isinstance(value, str) and len(value) <= LEGACY_DIGITS_MAX:
        text = value.strip()
        if not text:
            return 0
        return int(text) if text.isascii() and text.removeprefix("-").isdigit() else value
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= LEGACY_DIGITS_MAX:
        return int(value) if value == value.to_integral_value() else value
    return value


class SeenPreview(Message):
    """Full length of a value of which only a part was seen."""

    length: int = Field(ge=0, description="Whole length.")
    unit: Literal["characters", "bytes"] = Field("characters", description="What the length counts.")


def seen_lengths(previews: dict[str, SeenPreview] | None) -> dict[str, int] | None:
    """Return the lengths of seen previews by column."""
    return None if previews is None else {name: mark.length for name, mark in previews.items()}


def seen_fingerprint(previews: dict[str, SeenPreview] | None) -> tuple[dict[str, int], ...]:
    """Return what a fingerprint has of previews: nothing where a client does not send them."""
    lengths = seen_lengths(previews)
    return () if lengths is None else (lengths,)


def preview_marks(previews: dict[str, dict[str, Preview]]) -> dict[str, dict[str, PreviewMark]]:
    """Write previews for an event."""
    return {
        row: {column: PreviewMark(preview.length, preview.unit) for column, preview in marks.items()}
        for row, marks in previews.items()
    }


def named_table(context: Context, payload: TableFields) -> tuple[str, str]:
    """Return namespace and table that a payload names, or those that the socket has opened.

    Raises InvalidInput when there are none, and when a namespace is named without its table.
    """
    browsing = context.browsing
    namespace, table_name = payload.namespace, payload.table_name
    if table_name is None:
        if namespace is not None and namespace != browsing.namespace:
            raise InvalidInput("Name the table as well as its namespace.", field="tableName")
        table_name = browsing.table_name
    namespace = namespace or browsing.namespace
    if namespace is None or table_name is None:
        raise InvalidInput("Open a table first, or name one by namespace and tableName.", field="tableName")
    return namespace, table_name


def writable_table(context: Context, payload: TableFields) -> tuple[str, str]:
    """Return the table to be changed. Raises ReadOnly when this session changes nothing there."""
    namespace, table_name = named_table(context, payload)
    reason = read_only_reason(context, namespace)
    if reason is not None:
        raise ReadOnly(reason)
    return namespace, table_name
