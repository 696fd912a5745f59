"""The values that a column holds, with their numbers of rows: for filters by choice."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from iris_quart.errors import InvalidInput, InvalidResponse
from iris_quart.sql.identifiers import free_alias
from iris_quart.sql.metadata import Column, Identity, IdentityKind
from iris_quart.sql.pages import RowQuery, value_counts_statement
from iris_quart.sql.projection import Projection
from iris_quart.sql.values import Wire

from .catalogue import SqlClient

__all__ = ["VALUES_MAX", "ValueCount", "count_values"]

VALUES_MAX = 100
"""Most values of a list; as many as a filter `in` takes."""
TEXT_MAX = 400
"""Columns of longer texts have no list of values."""


class ValueCount(NamedTuple):
    """A value of a column and the number of rows that hold it."""

    value: Wire
    rows: int


async def count_values(client: SqlClient, view: RowQuery, column: Column) -> tuple[list[ValueCount], bool]:
    """Return the most frequent values of a column in a view, and whether there are more than these.

    Raises InvalidInput for columns whose values cannot be listed.
    """
    if column.category.is_preview or column.may_be_cut or (column.max_length or 0) > TEXT_MAX:
        raise InvalidInput(f"{column.name} holds values that are too long for a list.", field="column")
    table = view.table
    encoding = await client.encoding(table.namespace)
    projection = Projection(
        replace(table, identity=Identity(IdentityKind.NONE)), [column], encoding, preview=TEXT_MAX
    )
    count = free_alias("row_count", [item.name for item in table.columns])
    statement = value_counts_statement(view, column, projection.sql, count, VALUES_MAX + 1)
    reply = await client.query(table.namespace, statement.sql, statement.parameters)
    counted = []
    for raw in reply.rows:
        number = str(raw.get(count))
        if not number.isdigit():
            raise InvalidResponse("IRIS did not answer how many rows hold a value.")
        counted.append(ValueCount(projection.value(raw, column.name), int(number)))
    return counted[:VALUES_MAX], len(counted) > VALUES_MAX
