"""The parsers of one statement, over one cursor."""

from __future__ import annotations

from .alterations import Alterations
from .calls import Calls
from .cursor import Cursor
from .definitions import Definitions
from .expressions import Expressions
from .queries import Queries
from .writes import Writes


class Grammar:
    """The cursor and the parsers that share it."""

    def __init__(self, sql: str, *, paging: bool, json_tables: bool) -> None:
        self.json_tables = json_tables
        self.cursor = Cursor(sql, paging=paging)
        self.calls = Calls(self)
        self.expressions = Expressions(self)
        self.queries = Queries(self)
        self.writes = Writes(self)
        self.definitions = Definitions(self)
        self.alterations = Alterations(self)


__all__ = ["Grammar"]
