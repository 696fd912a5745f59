"""Effects of a write on cached counts, columns and reads in flight."""

from __future__ import annotations

from .catalogue import Catalogue
from .counts import Counts
from .rows import Rows

__all__ = ["Effects"]


class Effects:
    """Keeps counts, and reads that are under way, in step with our own writes."""

    def __init__(self, catalogue: Catalogue, rows: Rows, counts: Counts) -> None:
        self._catalogue = catalogue
        self._rows = rows
        self._counts = counts

    def note(self, namespace: str, table_name: str, *, inserted: int = 0, deleted: int = 0) -> None:
        """Update counts and reads in flight after a proved or possible write.

        `table_name` is "Schema.Table" as the catalogue spells it.
        """
        self._rows.forget(namespace, table_name)
        table = self._catalogue.peek(namespace, table_name)
        if table is None or table.base is None:
            self._counts.note(namespace, table_name, inserted=inserted, deleted=deleted)
            return
        # A row may come into a view or leave it by any change.
        self._counts.forget(namespace, table_name)
        self._rows.forget(namespace, str(table.base))
        self._counts.note(namespace, str(table.base), inserted=inserted, deleted=deleted)
