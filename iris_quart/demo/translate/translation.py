"""The translation of one statement: what its parts share, and the parts."""

from __future__ import annotations

from iris_quart.demo.catalog.tables import Catalog

from .aggregates import Aggregates
from .casts import Casts
from .conditions import Conditions
from .expressions import Expressions
from .functions import Functions
from .queries import Queries
from .scope import Names
from .sets import Sets
from .typed import Rendering
from .writes import Writes


class Translation:
    """Hold the state of one translation and the translators that work on it.

    `shuffle` seeds the order of an unordered SELECT; `reads` collects the tables whose grants a caller may check.
    """

    def __init__(self, catalog: Catalog, names: Names, *, odbc: bool, shuffle: int | None) -> None:
        self.catalog = catalog
        self.names = names
        self.odbc = odbc
        self.shuffle = shuffle
        self.rendering = Rendering(odbc=odbc)
        self.reads: set[str] = set()
        self.aggregates = 0
        self.bare_columns = 0
        self.negations = 0
        self._aliases = 0
        self.expressions = Expressions(self)
        self.conditions = Conditions(self)
        self.functions = Functions(self)
        self.aggregations = Aggregates(self)
        self.casts = Casts(self)
        self.sets = Sets(self)
        self.queries = Queries(self)
        self.writes = Writes(self)

    def alias(self) -> str:
        """Return a new SQLite alias."""
        self._aliases += 1
        return f"t{self._aliases}"

    def apart(self) -> Translation:
        """Return a new translation over the same catalogue, whose parameters are numbered by themselves."""
        return Translation(self.catalog, Names(()), odbc=self.odbc, shuffle=None)


__all__ = ["Translation"]
