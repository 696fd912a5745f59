"""Commands about namespaces and what is in them."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from pydantic import Field

from iris_quart.context import Context
from iris_quart.dispatch import CommandBlueprint
from iris_quart.names import NamespaceName
from iris_quart.protocol import UNSET, Event, Message, UnsetType
from iris_quart.tables.catalogue import TableEntry

__all__ = ["NamespaceList", "TableDetail", "TableList", "namespaces"]

namespaces = CommandBlueprint("namespaces", __name__)


class GetNamespaces(Message):
    """Request which namespaces there are."""

    refresh: bool = Field(False, description="Ask IRIS again, whatever is remembered.")


class GetTables(Message):
    """Enter a namespace and ask what is in it."""

    namespace: NamespaceName = Field(description="Name of the namespace.")
    search: str | None = Field(
        None,
        max_length=260,
        description="Only names, Schema.Table, that contain this text in any letter case.",
    )
    page: int = Field(0, ge=0, strict=True, description="With pageSize: which part of the list, from zero.")
    page_size: int | None = Field(None, ge=1, le=100_000, strict=True, description="Most rows at once.")
    refresh: bool = Field(False, description="Ask IRIS again, whatever is remembered.")


class NamespaceList(Event):
    """The namespaces that may be opened."""

    namespaces: list[str]


class TableDetail(msgspec.Struct):
    """One table or view; kind is table, view or system."""

    name: str
    kind: str
    description: str | None


class TableList(Event):
    """The tables and views of a namespace.

    `tables` names the base tables, as legacy clients know it; `details` has views as well. `total` counts all
    that was asked for, of which a page may show a part.
    """

    event: ClassVar[str] = "tableList"
    tables: list[str]
    namespace: str
    details: list[TableDetail]
    total: int | UnsetType = UNSET


@namespaces.command("getNamespaces")
async def get_namespaces(context: Context, payload: GetNamespaces) -> NamespaceList:
    """List the namespaces of the session's server."""
    return NamespaceList(namespaces=list(await context.tables.catalogue.namespaces(refresh=payload.refresh)))


@namespaces.command("getTables", aliases=("selectNamespace",))
async def get_tables(context: Context, payload: GetTables) -> TableList:
    """List the tables and views of a namespace and enter it; entering another one leaves the open table."""
    catalogue = context.tables.catalogue
    namespace = catalogue.namespace(payload.namespace)
    context.browsing.choose_namespace(namespace)
    entries = await catalogue.list_tables(namespace, refresh=payload.refresh)
    if payload.search:
        wanted = payload.search.casefold()
        entries = tuple(entry for entry in entries if wanted in entry.full_name.casefold())
    total = len(entries)
    if payload.page_size is not None:
        start = payload.page * payload.page_size
        entries = entries[start : start + payload.page_size]
    return TableList(
        tables=[entry.full_name for entry in entries if entry.is_base_table],
        namespace=namespace,
        details=[_detail(entry) for entry in entries],
        total=total,
    )


def _detail(entry: TableEntry) -> TableDetail:
    return TableDetail(name=entry.full_name, kind=str(entry.kind), description=entry.description)
