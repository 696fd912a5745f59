"""Triggers of the sample classes: an UPDATE of a row sets one of its columns to an expression."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from iris_quart.demo.catalog.tables import ROW_ID, Catalog, Column, Table, quoted
from iris_quart.demo.core.conversions import Stored, Value, decode
from iris_quart.demo.translate.plans import Query, bind
from iris_quart.demo.translate.scope import Names, Scope, Source, outputs_of
from iris_quart.demo.translate.translation import Translation

Evaluate = Callable[[Query, Sequence[Stored]], list[tuple[Stored, ...]]]


def fired(
    table: Table, row_id: int | str, catalog: Catalog, evaluate: Evaluate
) -> Iterator[tuple[Column, Value, str]]:
    """Yield what the triggers of a table set after a row was written: column, value and kind of the value."""
    for trigger in table.statement.triggers if table.statement is not None else ():
        column = table.column(trigger.column)
        assert column is not None
        translation = Translation(catalog, Names(()), odbc=False)
        source = Source(translation.alias(), table.name, table)
        item = translation.expressions.value(trigger.value, Scope(sources=[source]), column.type)
        text = translation.rendering.plain(item)
        number = "'" + row_id.replace("'", "''") + "'" if isinstance(row_id, str) else str(row_id)
        sql = (
            f"SELECT {text} FROM {quoted(table.full_name)} AS {source.alias}"
            f" WHERE {source.alias}.{quoted(ROW_ID)} = {number}"
        )
        query = Query(sql, translation.rendering.slots.listed(), outputs_of((item,)))
        for (stored,) in evaluate(query, bind(query.slots, (), odbc=False)):
            yield column, decode(stored, item.kind), item.kind


__all__ = ["Evaluate", "fired"]
