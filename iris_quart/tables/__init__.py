"""Table services built from SQL and client: catalogue, rows, counts, values and edits."""

from __future__ import annotations

from .catalogue import Catalogue, Column, SqlClient, Table
from .service import Tables

__all__ = ["Catalogue", "Column", "SqlClient", "Table", "Tables"]
