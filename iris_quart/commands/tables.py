"""Commands that open a table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from typing import Literal, cast

import msgspec
from pydantic import Field

from iris_quart.atelier.request_count import Tally, tally_requests
from iris_quart.commands.payloads import QueryFields
from iris_quart.context import Context
from iris_quart.dispatch import CommandBlueprint
from iris_quart.errors import ColumnNotFound, TableNotFound
from iris_quart.names import NamespaceName, TableName
from iris_quart.protocol import UNSET, Event, UnsetType, encode_json
from iris_quart.read_only import read_only_reason
from iris_quart.sql.metadata import Column, Table
from iris_quart.sql.pages import RowQuery
from iris_quart.tables.row_queries import RowQueryRequest
from iris_quart.tables.rows import Jump

from .rows import SOLE_VIEW, RowCount, TableData, read_page

__all__ = ["TableLoading", "TableSchema", "TableSelected", "tables"]

tables = CommandBlueprint("tables", __name__)


class SelectTable(QueryFields):
    """Open a table; how its first page looks may be said at once."""

    namespace: NamespaceName = Field(description="Namespace of the table.")
    table_name: TableName = Field(description="Schema.Table.")
    refresh: bool = Field(False, description="Ask IRIS again for columns and counts, whatever is remembered.")


class TableSelected(Event):
    """The table that is open now."""

    table_name: str
    namespace: str


class ColumnReference(msgspec.Struct):
    """The column that a foreign key points to; table is Schema.Table."""

    table: str
    column: str


class ColumnSchema(msgspec.Struct, kw_only=True, rename="camel"):
    """One column; `readOnly` and `isPrimaryKey` are there only when true."""

    name: str
    data_type: str
    nullable: bool
    max_length: int | UnsetType = UNSET
    precision: int | UnsetType = UNSET
    scale: int | UnsetType = UNSET
    read_only: Literal[True] | UnsetType = UNSET
    is_primary_key: Literal[True] | UnsetType = UNSET
    category: str
    editable: bool
    read_only_reason: str | None
    has_default: bool
    unique: bool
    description: str | None
    references: ColumnReference | None


class RowIdentity(msgspec.Struct):
    """Identity of rows: kind is rowId, primaryKey or none; columns show it, if any do."""

    kind: str
    columns: list[str]


class TableSchema(Event):
    """Columns of a table and what may be changed in it."""

    table_name: str
    namespace: str
    server_name: str
    columns: list[ColumnSchema]
    kind: str
    description: str | None
    identity: RowIdentity
    unique_keys: list[list[str]]
    """Columns of each key, the primary one first, whose values no two rows share."""
    read_only: bool
    read_only_reason: str | None


class TableLoading(Event):
    """Whether the table is still being read; kept for legacy clients."""

    loading: bool
    context: str


def _view_key(context: Context, _payload: SelectTable) -> Hashable:
    """Return one key for a client that sends no ids: it has one grid, in which an older table must not arrive."""
    return SOLE_VIEW if context.message_id is None else None


@tables.command("selectTable", aliases=("openTable",), stale_key=_view_key, shows_rows=True)
async def select_table(
    context: Context, payload: SelectTable
) -> AsyncIterator[TableSelected | TableSchema | TableLoading | TableData | RowCount]:
    """Open a table: its columns and its first page. The socket looks at it from now on."""
    tally = tally_requests()
    request = payload.view_request(context)
    known = None if payload.refresh else context.tables.catalogue.peek(request.namespace, request.table_name)
    view = await context.tables.rows.view(request, refresh=payload.refresh)
    if payload.refresh:
        context.tables.counts.forget(view.table.namespace, view.table.full_name)
    try:
        first, rest = await _first_page(context, payload, view, tally, request)
    except (TableNotFound, ColumnNotFound):
        if known is None:
            raise
        # The description was an old one; the table may have been created again since.
        view = await context.tables.rows.view(request)
        first, rest = await _first_page(context, payload, view, tally, request)
    table = view.table
    context.browsing.choose_table(table.namespace, table.full_name)
    yield TableSelected(table_name=table.full_name, namespace=table.namespace)
    yield table_schema(context, table)
    yield TableLoading(loading=False, context="")
    yield first.pop()
    if rest is not None:
        async for event in rest:
            yield event


async def _first_page(
    context: Context, payload: SelectTable, view: RowQuery, tally: Tally, request: RowQueryRequest
) -> tuple[list[TableData | RowCount], AsyncIterator[TableData | RowCount] | None]:
    """Return the first page, to be taken out of its list and not kept, and what comes after it."""
    ignored = request.ignored_filters(view.table)
    answer = await read_page(
        context, view, Jump(0), count=payload.count, page=0, tally=tally, ignored=ignored
    )
    return ([answer], None) if isinstance(answer, TableData) else ([await anext(answer)], answer)


def table_schema(context: Context, table: Table) -> TableSchema:
    """Describe a table to the client, with what this session may change in it."""
    reason = table.read_only_reason or read_only_reason(context, table.namespace)
    return TableSchema(
        table_name=table.full_name,
        namespace=table.namespace,
        server_name=context.session.server,
        columns=cast("list[ColumnSchema]", _columns(context, table)),
        kind=str(table.kind),
        description=table.description,
        identity=RowIdentity(kind=str(table.identity.kind), columns=list(table.identity.columns)),
        unique_keys=[list(key) for key in table.unique_keys],
        read_only=reason is not None,
        read_only_reason=reason,
    )


def _columns(context: Context, table: Table) -> msgspec.Raw:
    """Write a table's columns, once for each description of it."""

    def make() -> msgspec.Raw:
        return msgspec.Raw(encode_json([_column(column) for column in table.columns]))

    return context.tables.column_texts.get(table, "columns", make)


def _column(column: Column) -> ColumnSchema:
    reference = column.references
    return ColumnSchema(
        name=column.name,
        data_type=column.data_type,
        nullable=column.nullable,
        max_length=UNSET if column.max_length is None else column.max_length,
        precision=UNSET if column.precision is None else column.precision,
        scale=UNSET if column.scale is None else column.scale,
        read_only=UNSET if column.editable else True,
        is_primary_key=True if column.is_primary_key else UNSET,
        category=str(column.category),
        editable=column.editable,
        read_only_reason=column.read_only_reason,
        has_default=column.has_default,
        unique=column.unique,
        description=column.description,
        references=None
        if reference is None
        else ColumnReference(f"{reference.schema}.{reference.table}", reference.column),
    )
