"""What the SQL and the client give together: catalogue, rows, counts, values and edits."""

from __future__ import annotations

from .catalogue import Catalogue, Column, SqlClient, Table
from .service import Tables

__all__ = ["Catalogue", "Column", "SqlClient", "Table", "Tables"]
