"""INSERT, UPDATE, DELETE and TRUNCATE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iris_quart.demo.core.errors import SqlError, not_found

from . import nodes

if TYPE_CHECKING:
    from .grammar import Grammar

WRITE_OPTIONS = frozenset(
    {"%NOLOCK", "%NOCHECK", "%NOINDEX", "%NOTRIGGER", "%KEYWORDS", "%NOJOURN", "%NOFPLAN", "%NOPLAN"}
)


class Writes:
    """Read statements that change rows."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.cursor = grammar.cursor

    def insert(self) -> nodes.Insert:
        """Read INSERT [OR UPDATE] after its first word."""
        or_update = self.cursor.accept("OR")
        if or_update:
            self.cursor.expect("UPDATE")
        options = self._options()
        self.cursor.accept("INTO")
        return self._insert_body(or_update=or_update, options=options)

    def _insert_body(self, *, or_update: bool, options: tuple[str, ...]) -> nodes.Insert:
        table = self.grammar.queries.table_name()
        if self.cursor.accept("SET"):
            assignments = self._assignments()
            columns = tuple(column for column, _ in assignments)
            row = tuple(value for _, value in assignments)
            return nodes.Insert(table, columns, (row,), or_update=or_update, options=options)
        if self.cursor.accept("DEFAULT"):
            self.cursor.expect("VALUES")
            return nodes.Insert(table, (), default_values=True, or_update=or_update, options=options)
        if self.cursor.at("INTO"):
            raise not_found(table.shown())
        named: tuple[str, ...] | None = None
        if self.cursor.at_operator("(") and not (
            self.cursor.ahead().value in ("SELECT", "WITH") and self.cursor.ahead().kind == "name"
        ):
            named = self._column_names()
        if self.cursor.accept("VALUES"):
            rows = [self._row()]
            while self.cursor.accept_operator(","):
                rows.append(self._row())
            return nodes.Insert(table, named, tuple(rows), or_update=or_update, options=options)
        if self.cursor.at_any("SELECT", "WITH") or self.cursor.at_operator("("):
            return nodes.Insert(
                table, named, query=self.grammar.queries.query(), or_update=or_update, options=options
            )
        raise self.cursor.unexpected("VALUES or SELECT")

    def _row(self) -> tuple[nodes.Expression | nodes.Default, ...]:
        if not self.cursor.at_operator("("):
            return (self._written(),)
        self.cursor.advance()
        values = [self._written()]
        while self.cursor.accept_operator(","):
            values.append(self._written())
        self.cursor.expect_operator(")")
        return tuple(values)

    def _written(self) -> nodes.Expression | nodes.Default:
        if self.cursor.at("DEFAULT") and not self.cursor.at_operator("(", 1):
            self.cursor.advance()
            return nodes.Default()
        return self.grammar.expressions.value()

    def _column_names(self) -> tuple[str, ...]:
        self.cursor.expect_operator("(")
        found = [self._column_name()]
        while self.cursor.accept_operator(","):
            found.append(self._column_name())
        self.cursor.expect_operator(")")
        return tuple(found)

    def _column_name(self) -> str:
        name = self.cursor.identifier()
        while self.cursor.accept_operator("."):
            name = self.cursor.identifier()
        return name

    def _assignments(self) -> tuple[tuple[str, nodes.Expression | nodes.Default], ...]:
        found: list[tuple[str, nodes.Expression | nodes.Default]] = []
        while True:
            name = self._column_name()
            self.cursor.expect_operator("=")
            found.append((name, self._written()))
            if not self.cursor.accept_operator(","):
                return tuple(found)

    def update(self) -> nodes.Update:
        """Read UPDATE after its first word."""
        options = self._options()
        table = self.grammar.queries.table_name(alias=True)
        if self.cursor.at_operator("("):
            columns = self._column_names()
            self.cursor.expect("VALUES")
            row = self._row()
            if len(row) != len(columns):
                raise SqlError(-62, _count_mismatch(len(columns), len(row)) + self.cursor.context())
            assignments = tuple(zip(columns, row, strict=True))
        else:
            self.cursor.expect("SET")
            assignments = self._assignments()
        sources = self.grammar.queries.sources() if self.cursor.accept("FROM") else ()
        return nodes.Update(table, assignments, self._where(), options, sources)

    def delete(self) -> nodes.Delete:
        """Read DELETE after its first word."""
        options = self._options()
        self.cursor.accept("FROM")
        table = self.grammar.queries.table_name(alias=True)
        if self.cursor.at("FROM"):
            raise SqlError(
                -1, f"Invalid SQL statement: DELETE ... FROM is not supported here{self.cursor.context()}"
            )
        return nodes.Delete(table, self._where(), options)

    def truncate(self) -> nodes.Truncate:
        """Read TRUNCATE TABLE after its first word."""
        self.cursor.expect("TABLE")
        return nodes.Truncate(self.grammar.queries.table_name())

    def _where(self) -> nodes.Expression | None:
        if not self.cursor.accept("WHERE"):
            return None
        if self.cursor.at("CURRENT", "OF"):
            raise SqlError(
                -1, f"Invalid SQL statement: WHERE CURRENT OF needs a cursor{self.cursor.context()}"
            )
        return self.grammar.expressions.condition()

    def _options(self) -> tuple[str, ...]:
        found: list[str] = []
        while self.cursor.at_any(*WRITE_OPTIONS):
            found.append(self.cursor.advance().value)
        return tuple(found)


def _count_mismatch(columns: int, values: int) -> str:
    return f"The SELECT list or VALUES list has {values} items; {columns} columns were named"


__all__ = ["WRITE_OPTIONS", "Writes"]
