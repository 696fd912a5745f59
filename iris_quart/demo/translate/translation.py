"""The translation of one statement: what its parts share, and the parts."""

from __future__ import annotations

from iris_quart.demo.catalog.tables import Catalog

from .aggregates import Aggregates
from .casts import Casts
from .conditions import Conditions
from .expressions import Expressions
from .functions import Functions
from .plans import BY_ROW_ID, Unordered
from .queries import Queries
from .scope import Names
from .sets import Sets
from .sources import Sources
from .typed import Rendering
from .writes import Writes


class Translation:
    """The state of one translation and the translators that work on it.

    `unordered` is how the rows of a SELECT without ORDER BY come; `reads` collects the tables whose grants a caller
    may check.
    """

    def __init__(
        self, catalog: Catalog, names: Names, *, odbc: bool, unordered: Unordered = BY_ROW_ID
    ) -> None:
        self.catalog = catalog
        self.names = names
        self.odbc = odbc
        self.unordered = unordered
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
        self.sources = Sources(self)
        self.queries = Queries(self)
        self.writes = Writes(self)

    def alias(self) -> str:
        """Return a new SQLite alias."""
        self._aliases += 1
        return f"t{self._aliases}"

    def apart(self) -> Translation:
        """Return a new translation over the same catalogue, whose parameters are numbered by themselves."""
        return Translation(self.catalog, Names(()), odbc=self.odbc)


__all__ = ["Translation"]
