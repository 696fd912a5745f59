"""Start and end of the pages that were shown, for clients that count pages instead of keeping cursors."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from iris_quart.sql.pages import RowQuery

from .rows import After, Before, Jump, Page, Place

__all__ = ["PageCursors"]

PAGES_KEPT = 512


class _Ends(NamedTuple):
    previous: str | None
    next: str | None


class PageCursors:
    """The cursors of the latest pages by view and number.

    So the page beside a page that was shown is read by key: it costs the same at any depth, and no row is
    left out or shown twice when others insert and delete before it.
    """

    def __init__(self, server_key: str) -> None:
        self._server_key = server_key
        self._ends: OrderedDict[tuple[str, int, int], _Ends] = OrderedDict()

    def remember(self, view: RowQuery, number: int, page: Page) -> None:
        """Keep the ends of a page."""
        key = self._key(view, number)
        self._ends[key] = _Ends(page.previous, page.next)
        self._ends.move_to_end(key)
        while len(self._ends) > PAGES_KEPT:
            self._ends.popitem(last=False)

    def place(self, view: RowQuery, shown: int, wanted: int) -> Place:
        """Return where page `wanted` begins, given that the neighbouring page `shown` was shown."""
        ends = self._ends.get(self._key(view, shown))
        if ends is not None and wanted == shown + 1 and ends.next is not None:
            return After(ends.next)
        # Page 0 is read from the start: rows may have been inserted before it.
        if ends is not None and 0 < wanted == shown - 1 and ends.previous is not None:
            return Before(ends.previous)
        return Jump(wanted * view.page_size)

    def _key(self, view: RowQuery, number: int) -> tuple[str, int, int]:
        return view.key(self._server_key), view.page_size, number
