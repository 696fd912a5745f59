"""Parts of queries that stand in clauses of their own: windows and JSON_TABLE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .query_nodes import Expression, OrderItem


@dataclass(frozen=True, slots=True)
class Window:
    """`OVER (PARTITION BY ... ORDER BY ... ROWS ...)`; a bound of `frame` is as SQLite writes it too."""

    partition: tuple[Expression, ...]
    order: tuple[OrderItem, ...]
    frame: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class JsonRows:
    """The rows of JSON_TABLE as texts: a document, the path of its rows, and names and paths of the columns.

    Without a path a column holds the number of the row (FOR ORDINALITY).
    """

    document: Expression
    path: str
    columns: tuple[tuple[str, str | None], ...]


__all__ = ["JsonRows", "Window"]
