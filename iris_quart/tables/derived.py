"""Values made of a table's description, such as select lists: made once, bounded in number."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from iris_quart.sql.metadata import Column, Table

__all__ = ["Derived"]

V = TypeVar("V")


VALUES_KEPT = 64
"""Values of one table."""


class Derived(Generic[V]):
    """Values by table and key, for `size` tables, the least used going first.

    A table that was read again has other columns, even if nothing of them has changed: what was made of the former
    ones is forgotten.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._tables: OrderedDict[tuple[str, str], tuple[tuple[Column, ...], dict[Hashable, V]]] = (
            OrderedDict()
        )

    def __len__(self) -> int:
        """Count the tables."""
        return len(self._tables)

    def get(self, table: Table, key: Hashable, make: Callable[[], V]) -> V:
        """Return the value of a table under a key, made by `make` when it is not known."""
        name = (table.namespace, table.full_name)
        known = self._tables.get(name)
        # Compared by identity: to compare a thousand columns costs more than most values.
        if known is None or known[0] is not table.columns:
            known = self._tables[name] = (table.columns, {})
        self._tables.move_to_end(name)
        values = known[1]
        value = values.get(key)
        if value is None:
            value = make()
            if len(values) >= VALUES_KEPT:
                values.clear()
            values[key] = value
            while len(self._tables) > self._size:
                self._tables.popitem(last=False)
        return value
