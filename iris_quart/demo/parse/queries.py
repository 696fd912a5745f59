"""Queries: SELECT, its clauses, set operations and WITH."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iris_quart.demo.core.errors import SqlError

from . import nodes
from .lexer import DELIMITED, NAME
from .words import PAGING, RESERVED, RESERVED_ALIASES

if TYPE_CHECKING:
    from .grammar import Grammar

SET_OPERATORS = ("UNION",)
JOIN_WORDS = frozenset({"INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "JOIN", "ON", "USING"})
SELECT_OPTIONS = frozenset(
    {"%NOPLAN", "%NOLOCK", "%NOFPLAN", "%NOTOPOPT", "%NOREDUCE", "%NORUNTIME", "%NOSVSO", "%NOUNIONOROPT",
     "%PARALLEL", "%PROFILE", "%ALLINDEX", "%FIRSTTABLE", "%FULL", "%INORDER", "%NOFLATTEN", "%NOMERGE",
     "%STARTTABLE", "%IGNOREINDEX"}
)  # fmt: skip


class Queries:
    """Read queries."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.cursor = grammar.cursor

    def query(self, *, nested: bool = False) -> nodes.Query:
        """Read a query; `nested` is one in parentheses."""
        if self.cursor.accept("WITH"):
            return self._with()
        left = self._query_term(nested=nested)
        while self.cursor.at_any(*SET_OPERATORS):
            operator = self.cursor.advance().value
            every = self.cursor.accept("ALL")
            right = self._query_term(nested=nested)
            left = nodes.SetOperation(operator, every, self._bare(left), right)
        if isinstance(left, nodes.SetOperation):
            right_most = left.right
            if isinstance(right_most, nodes.Select) and right_most.limited_by != "TOP" and right_most.order:
                order = right_most.order
                left = replace(
                    left,
                    right=replace(right_most, order=(), limit=None, offset=None, limited_by=None),
                    order=order,
                    limit=right_most.limit,
                    offset=right_most.offset,
                    limited_by=right_most.limited_by,
                )
            elif self.cursor.accept("ORDER", "BY"):
                left = replace(left, order=self.order_items())
        return left

    def _bare(self, query: nodes.Query) -> nodes.Query:
        if isinstance(query, nodes.Select) and query.order and query.limit is None:
            raise SqlError(
                -1, f" ORDER BY is allowed after the last query of a UNION only{self.cursor.context()}"
            )
        return query

    def _query_term(self, *, nested: bool) -> nodes.Query:
        if self.cursor.at_operator("("):
            return self.parenthesised_query()
        return self._select(nested=nested)

    def parenthesised_query(self) -> nodes.Query:
        """Read `( query )`, counting it as three levels of nesting."""
        for _ in range(3):
            self.cursor.enter()
        self.cursor.expect_operator("(")
        found = self.query(nested=True)
        self.cursor.expect_operator(")")
        for _ in range(3):
            self.cursor.leave()
        return found

    def _with(self) -> nodes.Query:
        if self.cursor.at("RECURSIVE"):
            raise SqlError(
                -1, f"Invalid SQL statement: WITH RECURSIVE is not supported here{self.cursor.context()}"
            )
        tables: list[tuple[str, tuple[str, ...], nodes.Query]] = []
        while True:
            name = self.cursor.identifier()
            columns = self.names() if self.cursor.at_operator("(") else ()
            self.cursor.expect("AS")
            tables.append((name, columns, self.parenthesised_query()))
            if not self.cursor.accept_operator(","):
                break
        return nodes.With(tuple(tables), self.query())

    def _select(self, *, nested: bool) -> nodes.Select:
        if not self.cursor.accept("SELECT"):
            raise self.cursor.unexpected("SELECT")
        while self.cursor.at_any(*SELECT_OPTIONS):
            self.cursor.advance()
        distinct, distinct_by, limit, limited_by = self._quantifiers()
        if self.cursor.at("FROM") and self.cursor.ahead().value in RESERVED:
            self.cursor.advance()
            self.cursor.identifier()
        items = self._items()
        sources: tuple[nodes.Source, ...] = ()
        if self.cursor.accept("FROM"):
            sources = self.sources()
        where = self.grammar.expressions.condition() if self.cursor.accept("WHERE") else None
        group: tuple[nodes.Expression, ...] = ()
        if self.cursor.accept("GROUP"):
            self.cursor.expect("BY")
            group = self.grammar.expressions.values()
        having = self.grammar.expressions.condition() if self.cursor.accept("HAVING") else None
        order: tuple[nodes.OrderItem, ...] = ()
        if self.cursor.accept("ORDER"):
            self.cursor.expect("BY")
            order = self.order_items()
        found = nodes.Select(
            items, sources, distinct, distinct_by, where, group, having, order, limit, None, limited_by
        )
        return self._paged(found, nested=nested)

    def _quantifiers(
        self,
    ) -> tuple[bool, tuple[nodes.Expression, ...], nodes.Expression | None, str | None]:
        distinct = False
        distinct_by: tuple[nodes.Expression, ...] = ()
        limit: nodes.Expression | None = None
        limited_by: str | None = None
        cursor = self.cursor
        while True:
            if cursor.accept("DISTINCT"):
                distinct = not cursor.accept("BY")
                if not distinct:
                    cursor.expect_operator("(")
                    distinct_by = self.grammar.expressions.values()
                    cursor.expect_operator(")")
            elif cursor.at("TOP") and limited_by is None:
                cursor.advance()
                limited_by = "TOP"
                if cursor.accept("ALL"):
                    continue
                parenthesised = cursor.accept_operator("(")
                limit = self._count()
                if parenthesised:
                    cursor.expect_operator(")")
            elif not cursor.accept("ALL"):
                return distinct, distinct_by, limit, limited_by

    def _count(self) -> nodes.Expression:
        """Read a count of rows: a whole number or a parameter."""
        if self.cursor.accept_operator("?"):
            self.cursor.parameters += 1
            return nodes.Parameter(self.cursor.parameters - 1)
        return nodes.Literal(self.cursor.integer())

    def _paged(self, found: nodes.Select, *, nested: bool) -> nodes.Select:
        if not self.cursor.paging or not self.cursor.at_any(*PAGING):
            return found
        if nested and found.order:
            raise self.cursor.unexpected(")")
        if found.limited_by == "TOP":
            raise SqlError(
                -386, f"TOP and {self.cursor.token.value} cannot be used in one query{self.cursor.context()}"
            )
        limit = offset = None
        style = "LIMIT"
        if self.cursor.accept("LIMIT"):
            limit = self._count()
            if self.cursor.accept("OFFSET"):
                offset = self._count()
        else:
            style = "FETCH"
            if self.cursor.accept("OFFSET"):
                offset = self._count()
                if not self.cursor.accept("ROWS"):
                    self.cursor.accept("ROW")
            if self.cursor.accept("FETCH"):
                if not self.cursor.accept("FIRST"):
                    self.cursor.expect("NEXT")
                limit = nodes.Literal(1) if self.cursor.at_any("ROW", "ROWS") else self._count()
                if not self.cursor.accept("ROWS"):
                    self.cursor.expect("ROW")
                self.cursor.expect("ONLY")
        if self.cursor.at_any(*PAGING):
            raise SqlError(
                -386,
                f"{style} and {self.cursor.token.value} cannot be used in one query{self.cursor.context()}",
            )
        return replace(found, limit=limit, offset=offset, limited_by=style)

    def _items(self) -> tuple[nodes.SelectItem, ...]:
        items = [self._item()]
        while self.cursor.accept_operator(","):
            items.append(self._item())
        return tuple(items)

    def _item(self) -> nodes.SelectItem:
        if self.cursor.accept_operator("*"):
            return nodes.SelectItem(nodes.Star(None), None)
        token = self.cursor.token
        if token.kind in (NAME, DELIMITED) and self.cursor.at_operator(".", 1):
            if self.cursor.at_operator("*", 2):
                name = self.cursor.identifier()
                self.cursor.index += 2
                return nodes.SelectItem(nodes.Star(name), None)
            if (
                self.cursor.ahead(2).kind in (NAME, DELIMITED)
                and self.cursor.at_operator(".", 3)
                and self.cursor.at_operator("*", 4)
            ):
                self.cursor.index += 2
                name = self.cursor.identifier()
                self.cursor.index += 2
                return nodes.SelectItem(nodes.Star(name), None)
        return nodes.SelectItem(self.grammar.expressions.value(), self._alias())

    def _alias(self) -> str | None:
        if self.cursor.accept("AS"):
            return self.cursor.identifier("ALIAS", RESERVED_ALIASES)
        token = self.cursor.token
        if token.kind == DELIMITED:
            return self.cursor.identifier("ALIAS")
        if token.kind != NAME or token.value in RESERVED_ALIASES or token.value in JOIN_WORDS:
            return None
        if self.cursor.paging and token.value in PAGING:
            return None
        return self.cursor.identifier("ALIAS")

    def order_items(self) -> tuple[nodes.OrderItem, ...]:
        """Read the items of ORDER BY."""
        items: list[nodes.OrderItem] = []
        while True:
            value = self.grammar.expressions.value()
            descending = self.cursor.accept("DESC")
            if not descending:
                self.cursor.accept("ASC")
            items.append(nodes.OrderItem(value, descending))
            if not self.cursor.accept_operator(","):
                return tuple(items)

    def sources(self) -> tuple[nodes.Source, ...]:
        """Read the items of FROM."""
        sources = [self._joined()]
        while self.cursor.accept_operator(","):
            sources.append(self._joined())
        return tuple(sources)

    def _joined(self) -> nodes.Source:
        left = self._source()
        while True:
            natural = self.cursor.accept("NATURAL")
            kind = self._join_kind()
            if kind is None:
                if natural:
                    raise self.cursor.unexpected("JOIN")
                return left
            right = self._source()
            condition: nodes.Expression | None = None
            using: tuple[str, ...] = ()
            if self.cursor.accept("ON"):
                condition = self.grammar.expressions.condition()
            elif self.cursor.accept("USING"):
                using = self.names()
            elif kind != "CROSS" and not natural:
                raise self.cursor.unexpected("ON")
            left = nodes.Join(kind, left, right, condition, using, natural)

    def _join_kind(self) -> str | None:
        if self.cursor.accept("JOIN") or self.cursor.accept("INNER", "JOIN"):
            return "INNER"
        if self.cursor.accept("CROSS", "JOIN"):
            return "CROSS"
        for side in ("LEFT", "RIGHT", "FULL"):
            if self.cursor.at(side):
                self.cursor.advance()
                self.cursor.accept("OUTER")
                self.cursor.expect("JOIN")
                return side
        return None

    def _source(self) -> nodes.Source:
        while self.cursor.at_any(*SELECT_OPTIONS):
            self.cursor.advance()
        if self.cursor.at_operator("("):
            following = self.cursor.ahead()
            if (following.kind == NAME and following.value in ("SELECT", "WITH")) or following.value == "(":
                query = self.parenthesised_query()
                return nodes.DerivedTable(query, self._alias())
            self.cursor.enter()
            self.cursor.advance()
            inner = self._joined()
            self.cursor.expect_operator(")")
            self.cursor.leave()
            return inner
        return self._table_or_function()

    def _table_or_function(self) -> nodes.Source:
        start = self.cursor.index
        name = self.table_name()
        if not self.cursor.at_operator("("):
            self.cursor.index = start
            return self.table_name(alias=True)
        if name.schema is None and name.name.upper() == "JSON_TABLE" and self.grammar.json_tables:
            return self._json_table()
        return self.call(name, alias=True)

    def _json_table(self) -> nodes.DerivedTable:
        """Read `(document, path COLUMNS (...)) [alias]`: a query that casts the texts found to the columns' types."""
        cursor = self.cursor
        cursor.expect_operator("(")
        document = self.grammar.expressions.value()
        cursor.expect_operator(",")
        path = cursor.string()
        cursor.expect("COLUMNS")
        cursor.expect_operator("(")
        columns: list[tuple[str, str | None]] = []
        items: list[nodes.SelectItem] = []
        while True:
            name = cursor.identifier()
            value: nodes.Expression = nodes.Name(name, (), True, cursor.index)
            if cursor.accept("FOR", "ORDINALITY"):
                columns.append((name, None))
            else:
                value = nodes.Cast(value, self.grammar.calls.type_name())
                cursor.expect("PATH")
                columns.append((name, cursor.string()))
            items.append(nodes.SelectItem(value, name))
            if not cursor.accept_operator(","):
                break
        cursor.expect_operator(")")
        cursor.expect_operator(")")
        rows = nodes.JsonRows(document, path, tuple(columns))
        return nodes.DerivedTable(nodes.Select(tuple(items), (rows,)), self._alias())

    def call(self, name: nodes.TableName, *, alias: bool) -> nodes.TableFunction:
        """Read the arguments of a procedure after its name, and its alias in FROM."""
        arguments: tuple[nodes.Expression, ...] = ()
        if self.cursor.accept_operator("("):
            if not self.cursor.at_operator(")"):
                arguments = self.grammar.expressions.values()
            self.cursor.expect_operator(")")
        return nodes.TableFunction(name.schema, name.name, arguments, self._alias() if alias else None)

    def table_name(self, *, alias: bool = False) -> nodes.TableName:
        """Read `[schema.]table [[AS] alias]`."""
        position = self.cursor.index
        delimited = self.cursor.token.kind == DELIMITED
        name = self.cursor.identifier()
        schema: str | None = None
        if self.cursor.accept_operator("."):
            schema = name
            delimited = delimited or self.cursor.token.kind == DELIMITED
            name = self.cursor.identifier()
            if self.cursor.accept_operator("."):
                schema, name = name, self.cursor.identifier()
        return nodes.TableName(schema, name, self._alias() if alias else None, position, delimited)

    def names(self) -> tuple[str, ...]:
        """Read `(a, b, ...)`."""
        self.cursor.expect_operator("(")
        found = [self.cursor.identifier()]
        while self.cursor.accept_operator(","):
            found.append(self.cursor.identifier())
        self.cursor.expect_operator(")")
        return tuple(found)


__all__ = ["JOIN_WORDS", "SELECT_OPTIONS", "SET_OPERATORS", "Queries"]
