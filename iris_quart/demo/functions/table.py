"""All functions: by their name in SQL, and by the name under which SQLite calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import casts, dates, formats, numbers, patterns, text
from .signatures import Function

SQL_FUNCTIONS: dict[str, Function] = {
    name: function
    for module in (casts, dates, formats, numbers, text)
    for name, function in module.SQL.items()
}
SQLITE_FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: function
    for module in (casts, dates, formats, numbers, patterns, text)
    for name, function in module.FUNCTIONS.items()
}

__all__ = ["SQLITE_FUNCTIONS", "SQL_FUNCTIONS"]
