"""Row counts: read beside the page, cached, and adjusted by our own writes."""

from __future__ import annotations

import hashlib

from iris_quart.errors import InvalidResponse
from iris_quart.sql.pages import RowQuery, count_statement

from .caches import Cache
from .catalogue import SqlClient

__all__ = ["Counts"]

COUNTS_KEPT = 1024
FILTER_CHARACTERS = 256
ALL_ROWS = '[[],""]'
"""`RowQuery.filter_key` of a view without filter and search."""

CountKey = tuple[str, str, str]


class Counts:
    """Exact counts by namespace, table and filter, remembered for `lifetime` seconds."""

    def __init__(self, client: SqlClient, *, lifetime: float = 30.0) -> None:
        self._client = client
        self._known: Cache[CountKey, int] = Cache(lifetime, COUNTS_KEPT)

    def peek(self, view: RowQuery) -> int | None:
        """Return the count if it is known."""
        return self._known.peek(_key(view))

    def under_way(self, view: RowQuery) -> bool:
        """Return whether IRIS is counting it at this moment."""
        return self._known.under_way(_key(view))

    def put(self, view: RowQuery, total: int) -> None:
        """Remember a count that a page has shown."""
        self._known.put(_key(view), total)

    def discard(self, view: RowQuery) -> None:
        """Forget a count that a page contradicts; a count under way is not remembered either."""
        wanted = _key(view)
        self._known.drop(lambda key: key == wanted)

    async def total(self, view: RowQuery, *, refresh: bool = False, background: bool = True) -> int:
        """Count the rows of a view, asking IRIS when the count is not known.

        It never takes the last free IRIS session from pages and writes, unless somebody waits for it: not
        `background`.

        The count is stopped at IRIS when everyone who waits for it was cancelled. Raises what
        AtelierClient.query raises.
        """

        async def load() -> int:
            statement = count_statement(view)
            reply = await self._client.query(
                view.table.namespace, statement.sql, statement.parameters, background=background
            )
            rows = reply.rows
            value = next(iter(rows[0].values()), None) if len(rows) == 1 else None
            if not str(value).isdigit():
                raise InvalidResponse("IRIS did not return the number of rows.")
            return int(str(value))

        return await self._known.get(_key(view), load, refresh=refresh)

    def note(self, namespace: str, table: str, *, inserted: int = 0, deleted: int = 0) -> None:
        """Adjust the count of a whole table to our own proved writes; filtered ones are counted again.

        `table` is "Schema.Table". Counts under way are not remembered: nobody knows whether they saw the write.
        """
        wanted = (namespace.upper(), table.lower())
        adjusted = [(key, self._known.peek(key)) for key in self._known.keys() if key[:2] == wanted]  # noqa: SIM118
        self._known.drop(lambda key: key[:2] == wanted and key[2] != ALL_ROWS)
        for key, total in adjusted:
            if key[2] == ALL_ROWS and total is not None:
                self._known.amend(key, max(0, total + inserted - deleted))

    def forget(self, namespace: str, table: str) -> None:
        """Count again whatever is asked of this table."""
        wanted = (namespace.upper(), table.lower())
        self._known.drop(lambda key: key[:2] == wanted)

    async def close(self) -> None:
        """Stop the counts under way."""
        await self._known.close()


def _key(view: RowQuery) -> CountKey:
    rows = view.filter_key
    if len(rows) > FILTER_CHARACTERS:
        # A filter may be as large as a message; kept for each count, such ones would fill the memory.
        rows = hashlib.sha256(rows.encode()).hexdigest()
    return view.table.namespace.upper(), view.table.full_name.lower(), rows
