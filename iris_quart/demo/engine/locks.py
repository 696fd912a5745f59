"""Row locks: what another process of IRIS would hold."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from iris_quart.demo.catalog.tables import fold
from iris_quart.demo.core.errors import row_locked

POLL_SECONDS = 0.05
"""How often a waiting statement looks whether its client has gone."""


class RowHeld(Exception):
    """A row that the writer wants is held, so that it can let go of everything and wait."""

    def __init__(self, table: str, row_id: object) -> None:
        super().__init__(table, row_id)
        self.table = table
        self.row_id = row_id


class RowLocks:
    """Held rows, by table and row ID."""

    def __init__(self) -> None:
        self._held: set[tuple[str, str]] = set()
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, table: str, row_id: int | str) -> Iterator[None]:
        """Hold a row until the block ends; raise -110 when somebody already does."""
        key = (fold(table), str(row_id))
        with self._changed:
            if key in self._held:
                raise row_locked("SELECT", table, row_id)
            self._held.add(key)
        try:
            yield
        finally:
            with self._changed:
                self._held.discard(key)
                self._changed.notify_all()

    def check(self, table: str, row_id: object) -> None:
        """Raise RowHeld when somebody holds the row."""
        if self._held and (fold(table), str(row_id)) in self._held:
            raise RowHeld(table, row_id)

    def wait(self, held: RowHeld, deadline: float) -> bool:
        """Wait a moment for a row; return whether it is free. False past the deadline means still held."""
        key = (fold(held.table), str(held.row_id))
        with self._changed:
            if key in self._held:
                self._changed.wait(min(POLL_SECONDS, max(0.0, deadline - time.monotonic())))
            return key not in self._held


__all__ = ["POLL_SECONDS", "RowHeld", "RowLocks"]
