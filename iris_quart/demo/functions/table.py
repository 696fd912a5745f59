"""All functions: by their name in SQL, and by the name under which SQLite calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import aggregates, casts, dates, documents, formats, json_tables, numbers, patterns, session, text
from .signatures import Function

SQL_FUNCTIONS: dict[str, Function] = {
    name: function
    for module in (casts, dates, formats, numbers, session, text)
    for name, function in module.SQL.items()
}
SQLITE_FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: function
    for module in (casts, dates, documents, formats, json_tables, numbers, patterns, text)
    for name, function in module.FUNCTIONS.items()
}

SQLITE_VOLATILE: dict[str, Callable[..., Any]] = {**dates.CLOCK, **session.VOLATILE}
"""Functions that are not deterministic."""

SQLITE_AGGREGATES: dict[str, type[Any]] = {**aggregates.AGGREGATES, **documents.AGGREGATES}

__all__ = ["SQLITE_AGGREGATES", "SQLITE_FUNCTIONS", "SQLITE_VOLATILE", "SQL_FUNCTIONS"]
