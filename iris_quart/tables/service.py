"""The table services of one user at one server; commands receive them as `context.tables`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from .catalogue import Catalogue, SqlClient
from .counts import Counts
from .derived import Derived
from .edits import Edits
from .new_rows import NewRows
from .page_cursors import PageCursors
from .rows import Rows
from .time_slices import TimeSlices
from .whole_values import Values

if TYPE_CHECKING:
    from iris_quart.config import Settings

__all__ = ["Tables"]

TABLES_KEPT = 64
"""Tables whose columns are kept as they travel on the wire."""


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


class Tables:
    """Catalogue, rows and counts of one signed-in user.

    `server_key` names the IRIS server (sessions.Session.server_key), so that cursors hold on every worker;
    `allowed` are the namespaces that the settings show, None for all; `turns` are the worker's at long work,
    `new_rows` the worker's inserted rows. The client belongs to the caller.
    """

    def __init__(
        self,
        client: SqlClient,
        settings: Settings,
        *,
        server_key: str,
        allowed: tuple[str, ...] | None = None,
        turns: TimeSlices | None = None,
        new_rows: NewRows | None = None,
    ) -> None:
        self.client = client
        self.settings = settings
        self.server_key = server_key
        self.catalogue = Catalogue(client, lifetime=settings.catalogue_seconds, allowed=allowed)
        self.turns = turns or TimeSlices()
        self.rows = Rows(
            client,
            self.catalogue,
            server_key=server_key,
            preview=settings.preview_characters,
            turns=self.turns,
        )
        self.counts = Counts(client, lifetime=settings.count_seconds)
        self.note_write = Effects(self.catalogue, self.rows, self.counts).note
        """Update caches and counts after a write; see Effects."""
        self.column_texts: Derived[msgspec.Raw] = Derived(TABLES_KEPT)
        """The columns of tables as they travel on the wire."""
        self.edits = Edits(
            client,
            self.catalogue,
            preview=settings.preview_characters,
            note_write=self.note_write,
            new_rows=new_rows,
            server_key=server_key,
            doubt_seconds=settings.doubt_time,
        )
        self.anchors = PageCursors(server_key)
        self.values = Values(client, bytes_max=settings.value_bytes_max)
        self._kept: set[asyncio.Task[int]] = set()

    def keep(self, task: asyncio.Task[int]) -> None:
        """Keep a count running that no command waits for; it ends with the session at the latest."""
        self._kept.add(task)
        task.add_done_callback(self._settle)

    def _settle(self, task: asyncio.Task[int]) -> None:
        self._kept.discard(task)
        if not task.cancelled():
            task.exception()  # nobody waits for it, and the next page counts again

    async def close(self) -> None:
        """Stop what is under way; the client is closed by its creator."""
        for task in list(self._kept):
            task.cancel()
        await asyncio.gather(
            self.edits.close(), self.rows.close(), self.counts.close(), self.catalogue.close()
        )
