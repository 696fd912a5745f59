"""Rows between SQLite and a caller: stored forms to logical values, and back for bulk loads."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence

from iris_quart.demo.catalog.tables import ROW_ID, Column, Table, quoted
from iris_quart.demo.core.conversions import DECODERS, Stored, Value, decode, encode, odbc_text
from iris_quart.demo.core.types import DATE, DECIMAL, DOUBLE, LIST, POSIXTIME, TIME
from iris_quart.demo.translate.plans import Output

BULK_ENCODED = frozenset({DECIMAL, TIME, DOUBLE})
"""Kinds that a bulk load must encode; the others are held as they are."""


def logical_rows(
    rows: list[tuple[Stored, ...]], outputs: Sequence[Output], *, odbc: bool
) -> list[tuple[Value, ...]]:
    """Return stored rows as logical values; columns that are held as they are cost nothing."""
    changed: dict[int, Callable[[Stored], Value]] = {}
    for index, output in enumerate(outputs):
        kind = output.type.kind
        if odbc and kind in (DATE, TIME, POSIXTIME, LIST):
            changed[index] = _odbc_reader(kind)
        elif kind in DECODERS:
            changed[index] = DECODERS[kind]
    if not changed:
        return list(rows)
    found: list[tuple[Value, ...]] = []
    for row in rows:
        values: list[Value] = list(row)
        for index, reader in changed.items():
            values[index] = reader(row[index])
        found.append(tuple(values))
    return found


def encoded_rows(rows: Iterable[Sequence[Value]], encoders: dict[int, str]) -> Iterator[Sequence[Stored]]:
    """Yield rows as SQLite holds them; most kinds are held as they are."""
    for row in rows:
        values: list[Value] = list(row)
        for index, kind in encoders.items():
            values[index] = encode(values[index], kind)
        yield values  # type: ignore[misc]


def _odbc_reader(kind: str) -> Callable[[Stored], Value]:
    return lambda stored: odbc_text(decode(stored, kind), kind)


def number_versions(connection: sqlite3.Connection, table: Table, column: Column) -> None:
    """Assign the row versions of loaded rows, as an INSERT does (SQL Reference, ROWVERSION)."""
    name, rows = quoted(column.storage or ""), quoted(table.full_name)
    counter = "SELECT coalesce(max(value), 0) FROM \"%counters\" WHERE name = '%rowversion'"
    (last,) = connection.execute(counter).fetchone()
    (first,) = connection.execute(
        f"SELECT coalesce(min({quoted(ROW_ID)}), 1) FROM {rows} WHERE {name} IS NULL"
    ).fetchone()
    connection.execute(
        f"UPDATE {rows} SET {name} = {quoted(ROW_ID)} + ? WHERE {name} IS NULL", (last + 1 - first,)
    )
    connection.execute(
        "INSERT OR REPLACE INTO \"%counters\" SELECT '%rowversion',"
        f" max(?, coalesce(max({name}), 0)) FROM {rows}",
        (last,),
    )


__all__ = ["BULK_ENCODED", "encoded_rows", "logical_rows", "number_versions"]
