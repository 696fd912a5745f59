"""New rows of one worker: which row was made by which change, so that no row is counted for two of them.

Rows without a key that hold equal values can only be told apart by counting: as many rows as changes that made one.
Changes of other workers count as well: a worker announces an INSERT whose answer is late or lost.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from iris_quart.sql.metadata import Column, Table
from iris_quart.sql.values import Wire

from .validation import may_become

__all__ = ["NewRow", "NewRows", "Rivals"]

KEPT_SECONDS = 900.0
"""Age from which a change is no longer counted: longer than a change is in doubt (edits.DOUBT_SECONDS)."""
ROWS_KEPT = 20_000
CHANGES_KEPT = 20_000
TABLES_KEPT = 200
SLOW_SECONDS = 0.25
"""Time in flight from which on an INSERT without a key is announced to other workers."""
SEEN_SECONDS = 1.0
"""Time for which a row has to be seen for a change in doubt: other workers announce theirs within it."""
ELSEWHERE_SECONDS = 900.0
"""Time for which an INSERT of another worker counts that never announces its end, as after a kill."""
ENDED_SECONDS = 2.0
"""Time for which it counts after its end: its row may be announced a moment later."""

TableKey = tuple[str, str, str]
"""Server key, namespace and full name of a table."""


class NewRow:
    """The row of one INSERT that was sent, or is about to be."""

    __slots__ = (
        "announced",
        "candidates",
        "made_at",
        "row_id",
        "seen_since",
        "sent_at",
        "since",
        "table",
        "values",
    )

    def __init__(self, table: TableKey, values: Mapping[Column, Wire], since: int, sent_at: float) -> None:
        self.table = table
        self.values = values
        self.since = since
        """Rows that were attributed up to here were there before, or their IDs are in use again."""
        self.sent_at = sent_at
        self.made_at: int | None = None
        """Sequence when the row was surely in the table; None while that is not known."""
        self.row_id: str | None = None
        """ID of its row, when that is known."""
        self.candidates: frozenset[str] = frozenset()
        """Rows that were seen for it while it was in doubt."""
        self.seen_since = 0.0
        """When the last of the candidates was first seen."""
        self.announced: str | None = None
        """Token under which other workers know of it."""

    def may_be_found_as(self, other: NewRow) -> bool:
        """Check whether its row may hold all the values that another change looks for."""
        return all(
            column not in self.values or may_become(column, self.values[column], value)
            for column, value in other.values.items()
        )


class Rivals(NamedTuple):
    """Other changes whose rows may be found where one looks for a row, and that have no row yet."""

    made: int
    """Changes whose row is surely there."""
    open: int
    """Changes that are under way or in doubt."""


class NewRows:
    """The new rows of all sessions of one worker, and those that other workers announced."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, seen_seconds: float | None = None
    ) -> None:
        self._clock = clock
        self._seen_seconds = SEEN_SECONDS if seen_seconds is None else seen_seconds
        self._elsewhere: dict[TableKey, dict[str, tuple[float, Mapping[str, Wire]]]] = {}
        self.announce: Callable[[TableKey, str, Mapping[str, Wire] | None], None] | None = None
        """Called with table, token and values of an INSERT that other workers must count; with None at its end."""
        self._owners: dict[TableKey, OrderedDict[str, tuple[int, NewRow | None]]] = {}
        self._waiting: dict[TableKey, list[NewRow]] = {}
        self.sequence = 0
        """Count of what was learnt so far; it orders what is known of rows and the marks of changes."""

    def expect(self, server_key: str, table: Table, values: Mapping[Column, Wire], *, since: int) -> NewRow:
        """Register the row of an INSERT before it is sent; `since` is the sequence before its mark was read."""
        behind = table.behind
        key = (server_key, table.namespace, behind.full_name)
        new_row = NewRow(key, values, since, self._clock())
        oldest = new_row.sent_at - KEPT_SECONDS
        waiting = [item for item in self._waiting.get(key, ()) if item.sent_at >= oldest]
        self._waiting[key] = [*waiting[-CHANGES_KEPT:], new_row]
        return new_row

    def drop(self, new_row: NewRow) -> None:
        """Forget a row that was surely not made."""
        waiting = self._waiting.get(new_row.table, [])
        if new_row in waiting:
            waiting.remove(new_row)
        if not waiting:
            self._waiting.pop(new_row.table, None)
        if new_row.announced is not None and self.announce is not None:
            self.announce(new_row.table, new_row.announced, None)
            new_row.announced = None

    def note_slow(self, new_row: NewRow) -> None:
        """Announce an INSERT whose answer is late or lost, so that other workers count it; once."""
        if new_row.announced is None and self.announce is not None:
            new_row.announced = secrets.token_urlsafe(12)
            values = {column.name: value for column, value in new_row.values.items()}
            self.announce(new_row.table, new_row.announced, values)

    def note_elsewhere(self, table: TableKey, token: str, values: Mapping[str, Wire] | None) -> None:
        """Count an INSERT that another worker announced; None for the values ends it."""
        now = self._clock()
        known = self._elsewhere.setdefault(table, {})
        if values is not None:
            known[token] = (now + ELSEWHERE_SECONDS, values)
        elif token in known:
            known[token] = (now + ENDED_SECONDS, known[token][1])
        for name in [name for name, (until, _values) in known.items() if until <= now]:
            del known[name]
        if not known:
            del self._elsewhere[table]

    def seen_long(self, new_row: NewRow, row_ids: frozenset[str]) -> bool:
        """Note which rows may be the one of a change in doubt; return whether all of them were seen long enough."""
        now = self._clock()
        if not row_ids <= new_row.candidates:
            new_row.candidates |= row_ids
            new_row.seen_since = now
            return False
        return now - new_row.seen_since >= self._seen_seconds

    def note_made(self, new_row: NewRow) -> None:
        """Note that a row is surely in the table, though it may not be known which it is."""
        if new_row.made_at is None:
            self.sequence += 1
            new_row.made_at = self.sequence

    def claim(self, new_row: NewRow, row_id: str) -> bool:
        """Attribute a row to a change; False when it is another one's."""
        if self.is_taken(new_row, row_id):
            return False
        self._own(new_row.table, row_id, new_row)
        self.note_made(new_row)
        new_row.row_id = row_id
        self.drop(new_row)
        return True

    def note_other(self, server_key: str, namespace: str, table_name: str, row_ids: Iterable[str]) -> None:
        """Attribute rows to changes of other workers; a row that has a change here keeps it."""
        key = (server_key, namespace, table_name)
        for row_id in row_ids:
            known = self._owners[key].get(row_id) if key in self._owners else None
            if known is None or known[1] is None:
                self._own(key, row_id, None)

    def is_taken(self, new_row: NewRow, row_id: str) -> bool:
        """Check whether a row was made by another change."""
        owners = self._owners.get(new_row.table)
        known = None if owners is None else owners.get(row_id)
        return known is not None and known[1] is not new_row and known[0] > new_row.since

    def taken(self, new_row: NewRow) -> int:
        """Count the rows of other changes that came since the mark of a change was read."""
        count = 0
        owners = self._owners.get(new_row.table, OrderedDict())
        for sequence, owner in reversed(owners.values()):
            if sequence <= new_row.since:
                break
            count += owner is not new_row
        return count

    def rivals(self, new_row: NewRow) -> Rivals:
        """Count the other changes whose rows may be found for this one, but for rows that were there before."""
        others = [
            item
            for item in self._waiting.get(new_row.table, ())
            if item is not new_row
            and (item.made_at is None or item.made_at > new_row.since)
            and item.may_be_found_as(new_row)
        ]
        made = sum(item.made_at is not None for item in others)
        return Rivals(made, len(others) - made + self._count_elsewhere(new_row))

    def _count_elsewhere(self, new_row: NewRow) -> int:
        now = self._clock()
        return sum(
            until > now
            and all(
                column.name not in values or may_become(column, values[column.name], value)
                for column, value in new_row.values.items()
            )
            for until, values in self._elsewhere.get(new_row.table, {}).values()
        )

    def _own(self, table: TableKey, row_id: str, owner: NewRow | None) -> None:
        self.sequence += 1
        owners = self._owners.pop(table, OrderedDict())
        owners.pop(row_id, None)
        owners[row_id] = (self.sequence, owner)
        if len(owners) > ROWS_KEPT:
            owners.popitem(last=False)
        self._owners[table] = owners
        if len(self._owners) > TABLES_KEPT:
            self._owners.pop(next(iter(self._owners)))
