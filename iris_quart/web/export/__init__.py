"""Export of rows as a file: the routes and the formats."""

from __future__ import annotations
