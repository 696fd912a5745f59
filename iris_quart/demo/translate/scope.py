"""Names in scope: the sources of a query and the columns they offer."""

from __future__ import annotations

from dataclasses import dataclass, field

from iris_quart.demo.catalog.tables import ROW_ID, Column, Table, fold, quoted
from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.core.types import BIGINT
from iris_quart.demo.parse import nodes
from iris_quart.demo.parse.cursor import TERM_EXPECTED
from iris_quart.demo.parse.lexer import Token, seen

from .plans import Output
from .typed import COLUMN, Typed

VIEW_ROW = "%VID"
ANSWER, SOURCE, VALUE = "answer", "source", "value"
"""The places of a query: the whole statement, an item of FROM, or anywhere else."""
NO_COLUMNS = frozenset({"%ROWCOUNT", "%MSG", "%ROWID"})
"""Variables of embedded SQL, which no statement can select (-12 was seen for %ROWCOUNT)."""


@dataclass(slots=True)
class Source:
    """One table, view or derived table of a FROM clause.

    `alias` is how SQLite knows it; `name` how the statement does. A derived table keeps its outputs and their
    collations; `numbered` is set once its `%VID` is asked for.
    """

    alias: str
    name: str
    table: Table | None
    outputs: tuple[Typed, ...] = ()
    sql: str = ""
    numbered: bool = False
    schema: str | None = None


@dataclass(slots=True)
class Scope:
    """The sources of one query, inside those of the query around it."""

    outer: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    arrows: dict[tuple[str, str], Source] = field(default_factory=dict)
    arrow_joins: list[str] = field(default_factory=list)
    tables: dict[str, tuple[tuple[Typed, ...], str]] = field(default_factory=dict)
    """The tables of WITH clauses: their outputs and SQLite names."""

    def with_table(self, name: str) -> tuple[tuple[Typed, ...], str] | None:
        """Return a table of a WITH clause, here or further out."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.tables.get(fold(name))
            if found is not None:
                return found
            scope = scope.outer
        return None


@dataclass(frozen=True, slots=True)
class Found:
    """A resolved name: where it lives and what it is."""

    scope: Scope
    source: Source
    column: Column | None
    output: Typed | None


class Names:
    """Resolve names, with errors that print the statement as IRIS does."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self.tokens = tokens

    def context(self, position: int) -> str:
        """Return the statement up to a token, after `^`."""
        if not self.tokens:
            return ""
        return "^ " + seen(self.tokens[:-1], min(position + 1, len(self.tokens) - 2))

    def missing(self, name: str, position: int) -> SqlError:
        """Return -29 (text seen in the wild)."""
        return SqlError(
            -29, f"Field '{name.upper()}' not found in the applicable tables{self.context(position)}"
        )

    def find(self, name: nodes.Name, scope: Scope) -> Found:
        """Return what a name means; raise -12, -23, -27 or -29."""
        if name.column.upper() in NO_COLUMNS and not name.delimited:
            raise SqlError(-12, TERM_EXPECTED + self.context(name.position))
        at: Scope | None = scope
        known_label = not name.table
        while at is not None:
            sources = [source for source in at.sources if not name.table or _is_called(source, name.table)]
            known_label = known_label or bool(sources)
            hits = [found for source in sources if (found := _offered(at, source, name))]
            if len(hits) > 1 and name.column.upper() in (VIEW_ROW, ROW_ID):
                hits = hits[:1]
            if len(hits) > 1:
                raise SqlError(
                    -27,
                    f"Field '{name.column}' is ambiguous among the applicable tables{self.context(name.position)}",
                )
            if hits:
                return hits[0]
            at = at.outer
        if not known_label:
            raise SqlError(
                -23,
                f"Label '{name.table[-1].upper()}' is not listed among the applicable tables"
                f"{self.context(name.position)}",
            )
        shown = ".".join((*name.table, name.column))
        raise self.missing(shown, name.position)


def _is_called(source: Source, qualifier: tuple[str, ...]) -> bool:
    if fold(source.name) != fold(qualifier[-1]):
        return False
    if len(qualifier) == 1:
        return True
    return source.schema is not None and fold(source.schema) == fold(qualifier[0])


def _offered(scope: Scope, source: Source, node: nodes.Name) -> Found | None:
    name = node.column
    if source.table is not None:
        column = source.table.columns.get(fold(name)) if node.delimited else source.table.column(name)
        return Found(scope, source, column, None) if column is not None else None
    if name.upper() == VIEW_ROW and not node.delimited:
        source.numbered = True
        return Found(scope, source, None, numbered_row(source))
    for output in source.outputs:
        if output.label is not None and fold(output.label) == fold(name):
            return Found(scope, source, None, output)
    return None


def numbered_row(source: Source) -> Typed:
    """Return the row number of a derived table."""
    return Typed(f"{source.alias}.{quoted(VIEW_ROW)}", BIGINT, category=COLUMN, label=VIEW_ROW)


def outputs_of(outputs: tuple[Typed, ...]) -> tuple[Output, ...]:
    """Return the columns of an answer."""
    return tuple(Output(item.label or "", item.type) for item in outputs)


__all__ = ["NO_COLUMNS", "VIEW_ROW", "Found", "Names", "Scope", "Source", "numbered_row", "outputs_of"]
