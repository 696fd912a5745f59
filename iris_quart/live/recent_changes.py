"""The changes that a worker announced a moment ago, for sockets that begin to show a table later."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from iris_quart.names import folded_table

if TYPE_CHECKING:
    from .registry import LiveSocket

__all__ = ["RecentChanges"]

KEPT_SECONDS = 60.0
KEPT_BYTES = 256 * 1024
CLOCK_SECONDS = 0.5
"""Workers of several machines extrapolate the store's clock; their clocks differ by less than this."""

TableKey = tuple[str, str, str]


class _Change(NamedTuple):
    at: float
    table: TableKey
    text: bytes
    writer: weakref.ref[LiveSocket] | None


class RecentChanges:
    """Announced changes of the last minute, oldest first, bounded by their size."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._changes: deque[_Change] = deque()
        self._size = 0
        self._complete_from = now()

    def add(self, table: TableKey, text: bytes, writer: LiveSocket | None) -> None:
        """Record the encoded event of a change of a table: server key, namespace and table name."""
        now = self._now()
        self._changes.append(
            _Change(
                now,
                (table[0], *folded_table(*table[1:])),
                text,
                None if writer is None else weakref.ref(writer),
            )
        )
        self._size += len(text)
        while self._changes and (self._size > KEPT_BYTES or self._changes[0].at < now - KEPT_SECONDS):
            oldest = self._changes.popleft()
            self._size -= len(oldest.text)
            self._complete_from = max(self._complete_from, oldest.at)

    def interrupted(self) -> None:
        """Record that changes of other workers may have been missed until now."""
        self._complete_from = self._now()

    def since(self, read_at: float, table: TableKey, reader: LiveSocket) -> list[bytes] | None:
        """Return the events of changes that others made to a table since a time; None when some may be missing."""
        begin = read_at - CLOCK_SECONDS
        if begin <= self._complete_from or read_at > self._now() + CLOCK_SECONDS:
            return None
        wanted = (table[0], *folded_table(*table[1:]))
        return [
            change.text
            for change in self._changes
            if change.at >= begin
            and change.table == wanted
            and (change.writer is None or change.writer() is not reader)
        ]
