"""Errors of constraints, worded as IRIS does.

The new form of -119 with its values was seen on live servers; -121 and -124 in code that older servers generated.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from iris_quart.demo.catalog.tables import Table
from iris_quart.demo.core.conversions import Stored, decode, number_text
from iris_quart.demo.core.errors import SqlError


def quoted_value(table: Table, name: str, value: Stored) -> str:
    """Return a value as -119 shows it: quoted, numbers bare, the empty string as `$c(0)`."""
    column = table.column(name)
    logical = decode(value, column.type.kind) if column is not None else value
    if logical == "":
        return "$c(0)"
    if isinstance(logical, (int, float, Decimal)):
        return number_text(logical)
    text = logical.decode("latin-1") if isinstance(logical, bytes) else str(logical)
    return '"' + text.replace('"', '""') + '"'


def reference_failed(table: Table, name: str, columns: Sequence[str], code: int) -> SqlError:
    """Return -121 or -122: the referenced row is not there."""
    fields = f"(Field{'s' if len(columns) > 1 else ''} '{','.join(columns)}')"
    return SqlError(
        code,
        f"Table '{table.full_name}', Foreign Key Constraint '{name}' {fields} failed referential integrity check",
    )


def still_referenced(
    table: Table, child: Table, name: str, columns: Sequence[str], event: str, code: int
) -> SqlError:
    """Return -123 or -124: rows still reference this one."""
    fields = f"(Field{'s' if len(columns) > 1 else ''} '{','.join(columns)}')"
    return SqlError(
        code,
        f"At least 1 Row exists in table '{child.full_name}' which references key of table '{table.full_name}' -"
        f" Foreign Key Constraint '{name}' {fields} failed on referential action of NO ACTION for {event}",
    )


__all__ = ["quoted_value", "reference_failed", "still_referenced"]
