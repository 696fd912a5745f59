"""Requested queries of rows, checked against their table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from iris_quart.sql.filters import Filter, Operator, make_filter
from iris_quart.sql.metadata import Column, Table
from iris_quart.sql.pages import RowQuery, sorted_by

__all__ = ["FilterRequest", "RowQueryRequest", "make_view"]


@dataclass(frozen=True, slots=True)
class FilterRequest:
    """One filter as it was asked for; see sql.filters.make_filter."""

    column: str
    value: Any = None
    operator: Operator | None = None
    match_case: bool = False
    group: int | None = None


class RowQueryRequest(msgspec.Struct, frozen=True):
    """A view as it was asked for; names are not checked yet. No `columns` means all."""

    namespace: str
    table_name: str
    columns: tuple[str, ...] | None = None
    sort: tuple[tuple[str, bool], ...] = ()
    filters: tuple[FilterRequest, ...] = ()
    search: str | None = None
    page_size: int = 100
    sort_field: str = "sort"
    unknown_filters: bool = False
    """Leave out filters on columns that the table lacks, instead of refusing them."""

    def ignored_filters(self, table: Table) -> list[str]:
        """Return the columns of the filters that are left out."""
        if not self.unknown_filters:
            return []
        names = (item.column for item in self.filters if table.find(item.column) is None)
        return list(dict.fromkeys(names))


def make_view(table: Table, request: RowQueryRequest) -> RowQuery:
    """Check columns, order and filters against a table. Raises InvalidInput naming the field."""
    columns: tuple[Column, ...] = table.columns
    if request.columns is not None:
        found = (table.column(name, field=f"columns.{index}") for index, name in enumerate(request.columns))
        columns = tuple(dict.fromkeys(found))
    filters: list[Filter] = []
    ignored = set(request.ignored_filters(table))
    for index, item in enumerate(request.filters):
        if item.column in ignored:
            continue
        made = make_filter(
            table,
            item.column,
            item.operator,
            item.value,
            match_case=item.match_case,
            group=item.group,
            field=f"filters.{index}",
        )
        if made is not None:
            filters.append(made)
    sort = sorted_by(table, request.sort, field=request.sort_field)
    view = RowQuery(table, columns, sort, tuple(filters), request.search, request.page_size)
    assert (
        view.where is not None
    )  # compiled here, so that what is wrong in it is told before anything is read
    return view
