"""INSERT, UPDATE, DELETE and TRUNCATE."""

from __future__ import annotations

from iris_quart.demo.core.errors import SqlError

from . import nodes
from .queries import QueryParser

WRITE_OPTIONS = frozenset(
    {"%NOLOCK", "%NOCHECK", "%NOINDEX", "%NOTRIGGER", "%KEYWORDS", "%NOJOURN", "%NOFPLAN", "%NOPLAN"}
)


class WriteParser(QueryParser):
    """Read statements that change rows."""

    def insert(self) -> nodes.Insert:
        """Read INSERT [OR UPDATE] after its first word."""
        or_update = self.accept("OR", "UPDATE")
        options = self._options()
        self.accept("INTO")
        return self._insert_body(or_update=or_update, options=options)

    def _insert_body(self, *, or_update: bool, options: tuple[str, ...]) -> nodes.Insert:
        table = self.table_name()
        if self.accept("SET"):
            assignments = self._assignments()
            columns = tuple(column for column, _ in assignments)
            row = tuple(value for _, value in assignments)
            return nodes.Insert(table, columns, (row,), or_update=or_update, options=options)
        if self.accept("DEFAULT"):
            self.expect("VALUES")
            return nodes.Insert(table, (), default_values=True, or_update=or_update, options=options)
        named: tuple[str, ...] | None = None
        if self.at_operator("(") and not (
            self.ahead().value in ("SELECT", "WITH") and self.ahead().kind == "name"
        ):
            named = self._column_names()
        if self.accept("VALUES"):
            rows = [self._row()]
            while self.accept_operator(","):
                rows.append(self._row())
            return nodes.Insert(table, named, tuple(rows), or_update=or_update, options=options)
        if self.at_any("SELECT", "WITH") or self.at_operator("("):
            return nodes.Insert(table, named, query=self.query(), or_update=or_update, options=options)
        raise self.unexpected("VALUES or SELECT")

    def _row(self) -> tuple[nodes.Expression | nodes.Default, ...]:
        if not self.at_operator("("):
            return (self._written(),)
        self.advance()
        values = [self._written()]
        while self.accept_operator(","):
            values.append(self._written())
        self.expect_operator(")")
        return tuple(values)

    def _written(self) -> nodes.Expression | nodes.Default:
        if self.at("DEFAULT") and not self.at_operator("(", 1):
            self.advance()
            return nodes.Default()
        return self.value()

    def _column_names(self) -> tuple[str, ...]:
        self.expect_operator("(")
        found = [self._column_name()]
        while self.accept_operator(","):
            found.append(self._column_name())
        self.expect_operator(")")
        return tuple(found)

    def _column_name(self) -> str:
        name = self.identifier()
        while self.accept_operator("."):
            name = self.identifier()
        return name

    def _assignments(self) -> tuple[tuple[str, nodes.Expression | nodes.Default], ...]:
        found: list[tuple[str, nodes.Expression | nodes.Default]] = []
        while True:
            name = self._column_name()
            self.expect_operator("=")
            found.append((name, self._written()))
            if not self.accept_operator(","):
                return tuple(found)

    def update(self) -> nodes.Update:
        """Read UPDATE after its first word."""
        options = self._options()
        table = self.table_name(alias=True)
        if self.at_operator("("):
            columns = self._column_names()
            self.expect("VALUES")
            row = self._row()
            if len(row) != len(columns):
                raise SqlError(-62, _count_mismatch(len(columns), len(row)) + self.context())
            assignments = tuple(zip(columns, row, strict=True))
        else:
            self.expect("SET")
            assignments = self._assignments()
        if self.at("FROM"):
            raise SqlError(
                -1, f"Invalid SQL statement: UPDATE ... FROM is not supported here{self.context()}"
            )
        return nodes.Update(table, assignments, self._where(), options)

    def delete(self) -> nodes.Delete:
        """Read DELETE after its first word."""
        options = self._options()
        self.accept("FROM")
        table = self.table_name(alias=True)
        if self.at("FROM"):
            raise SqlError(
                -1, f"Invalid SQL statement: DELETE ... FROM is not supported here{self.context()}"
            )
        return nodes.Delete(table, self._where(), options)

    def truncate(self) -> nodes.Truncate:
        """Read TRUNCATE TABLE after its first word."""
        self.expect("TABLE")
        return nodes.Truncate(self.table_name())

    def _where(self) -> nodes.Expression | None:
        if not self.accept("WHERE"):
            return None
        if self.at("CURRENT", "OF"):
            raise SqlError(-1, f"Invalid SQL statement: WHERE CURRENT OF needs a cursor{self.context()}")
        return self.condition()

    def _options(self) -> tuple[str, ...]:
        found: list[str] = []
        while self.at_any(*WRITE_OPTIONS):
            found.append(self.advance().value)
        return tuple(found)


def _count_mismatch(columns: int, values: int) -> str:
    return f"The SELECT list or VALUES list has {values} items; {columns} columns were named"
