"""Select lists that read columns whole, for proofs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from iris_quart.sql.metadata import WHOLE_TEXT, Column, Table
from iris_quart.sql.projection import Projection

if TYPE_CHECKING:
    from .catalogue import SqlClient

__all__ = ["Projections"]

PROJECTIONS_KEPT = 64


class Projections:
    """Makes projections, and keeps them with the description of their table."""

    def __init__(self, client: SqlClient) -> None:
        self._client = client

    async def whole(self, table: Table, columns: Sequence[Column], longest: int) -> Projection:
        """Return what reads columns whole, as far as texts of `longest` characters need it."""
        limit = WHOLE_TEXT
        while limit <= longest:
            limit *= 4  # few different texts, so that IRIS keeps their plans
        encoding = await self._client.encoding(table.namespace)
        key = ("edits", tuple(columns), encoding, limit)
        known = table.texts.get(key)
        if known is None:
            known = Projection(table, columns, encoding, preview=limit)
            if len(table.texts) < PROJECTIONS_KEPT:
                table.texts[key] = known
        assert isinstance(known, Projection)
        return known
