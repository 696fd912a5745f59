"""Queries: SELECT, its clauses, set operations and WITH."""

from __future__ import annotations

from dataclasses import replace

from iris_quart.demo.core.errors import SqlError

from . import nodes
from .cursor import PAGING, RESERVED
from .expressions import ExpressionParser
from .lexer import DELIMITED, NAME

SET_OPERATORS = ("UNION", "EXCEPT", "INTERSECT")
JOIN_WORDS = frozenset({"INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "JOIN", "ON", "USING"})
SELECT_OPTIONS = frozenset(
    {"%NOPLAN", "%NOLOCK", "%NOFPLAN", "%NOTOPOPT", "%NOREDUCE", "%NORUNTIME", "%NOSVSO", "%NOUNIONOROPT",
     "%PARALLEL", "%PROFILE", "%ALLINDEX", "%FIRSTTABLE", "%FULL", "%INORDER", "%NOFLATTEN", "%NOMERGE",
     "%STARTTABLE", "%IGNOREINDEX"}
)  # fmt: skip


class QueryParser(ExpressionParser):
    """Read queries."""

    def query(self, *, nested: bool = False) -> nodes.Query:
        """Read a query; ``nested`` is one in parentheses."""
        if self.accept("WITH"):
            return self._with()
        left = self._query_term(nested=nested)
        while self.at_any(*SET_OPERATORS):
            operator = self.advance().value
            every = self.accept("ALL")
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
            elif self.accept("ORDER", "BY"):
                left = replace(left, order=self.order_items())
        return left

    def _bare(self, query: nodes.Query) -> nodes.Query:
        if isinstance(query, nodes.Select) and query.order and query.limit is None:
            raise SqlError(-1, f" ORDER BY is allowed after the last query of a UNION only{self.context()}")
        return query

    def _query_term(self, *, nested: bool) -> nodes.Query:
        if self.at_operator("("):
            return self.parenthesised_query()
        return self._select(nested=nested)

    def parenthesised_query(self) -> nodes.Query:
        """Read ``( query )``, counting it as three levels of nesting."""
        for _ in range(3):
            self.enter()
        self.expect_operator("(")
        found = self.query(nested=True)
        self.expect_operator(")")
        for _ in range(3):
            self.leave()
        return found

    def _with(self) -> nodes.Query:
        if self.at("RECURSIVE"):
            raise SqlError(-1, f"Invalid SQL statement: WITH RECURSIVE is not supported here{self.context()}")
        tables: list[tuple[str, tuple[str, ...], nodes.Query]] = []
        while True:
            name = self.identifier()
            columns = self.names() if self.at_operator("(") else ()
            self.expect("AS")
            tables.append((name, columns, self.parenthesised_query()))
            if not self.accept_operator(","):
                break
        return nodes.With(tuple(tables), self.query())

    def _select(self, *, nested: bool) -> nodes.Select:
        if not self.accept("SELECT"):
            raise self.unexpected("SELECT")
        while self.at_any(*SELECT_OPTIONS):
            self.advance()
        distinct, limit, limited_by = self._quantifiers()
        items = self._items()
        sources: tuple[nodes.Source, ...] = ()
        if self.accept("FROM"):
            sources = self._sources()
        where = self.condition() if self.accept("WHERE") else None
        group: tuple[nodes.Expression, ...] = ()
        if self.accept("GROUP"):
            self.expect("BY")
            group = self.values()
        having = self.condition() if self.accept("HAVING") else None
        order: tuple[nodes.OrderItem, ...] = ()
        if self.accept("ORDER"):
            self.expect("BY")
            order = self.order_items()
        found = nodes.Select(items, sources, distinct, where, group, having, order, limit, None, limited_by)
        return self._paged(found, nested=nested)

    def _quantifiers(self) -> tuple[bool, nodes.Expression | None, str | None]:
        distinct = False
        limit: nodes.Expression | None = None
        limited_by: str | None = None
        while True:
            if self.accept("DISTINCT"):
                distinct = True
                if self.at("BY"):
                    raise SqlError(
                        -1, f"Invalid SQL statement: DISTINCT BY is not supported here{self.context()}"
                    )
            elif self.at("TOP") and limited_by is None:
                self.advance()
                limited_by = "TOP"
                if self.accept("ALL"):
                    continue
                parenthesised = self.accept_operator("(")
                limit = self._count()
                if parenthesised:
                    self.expect_operator(")")
            elif self.at("ALL"):
                self.advance()
            else:
                return distinct, limit, limited_by

    def _count(self) -> nodes.Expression:
        """Read a count of rows: a whole number or a parameter."""
        if self.accept_operator("?"):
            self.parameters += 1
            return nodes.Parameter(self.parameters - 1)
        return nodes.Literal(self.integer())

    def _paged(self, found: nodes.Select, *, nested: bool) -> nodes.Select:
        if not self.paging or not self.at_any(*PAGING):
            return found
        if nested and found.order:
            raise self.unexpected(")")
        if found.limited_by == "TOP":
            raise SqlError(-386, f"TOP and {self.token.value} cannot be used in one query{self.context()}")
        limit = offset = None
        style = "LIMIT"
        if self.accept("LIMIT"):
            limit = self._count()
            if self.accept("OFFSET"):
                offset = self._count()
        else:
            style = "FETCH"
            if self.accept("OFFSET"):
                offset = self._count()
                if not self.accept("ROWS"):
                    self.accept("ROW")
            if self.accept("FETCH"):
                if not self.accept("FIRST"):
                    self.expect("NEXT")
                limit = nodes.Literal(1) if self.at_any("ROW", "ROWS") else self._count()
                if not self.accept("ROWS"):
                    self.expect("ROW")
                self.expect("ONLY")
        if self.at_any(*PAGING):
            raise SqlError(
                -386, f"{style} and {self.token.value} cannot be used in one query{self.context()}"
            )
        return replace(found, limit=limit, offset=offset, limited_by=style)

    def _items(self) -> tuple[nodes.SelectItem, ...]:
        items = [self._item()]
        while self.accept_operator(","):
            items.append(self._item())
        return tuple(items)

    def _item(self) -> nodes.SelectItem:
        if self.accept_operator("*"):
            return nodes.SelectItem(nodes.Star(None), None)
        token = self.token
        if token.kind in (NAME, DELIMITED) and self.at_operator(".", 1):
            if self.at_operator("*", 2):
                name = self.identifier()
                self.index += 2
                return nodes.SelectItem(nodes.Star(name), None)
            if (
                self.ahead(2).kind in (NAME, DELIMITED)
                and self.at_operator(".", 3)
                and self.at_operator("*", 4)
            ):
                self.index += 2
                name = self.identifier()
                self.index += 2
                return nodes.SelectItem(nodes.Star(name), None)
        return nodes.SelectItem(self.value(), self._alias())

    def _alias(self) -> str | None:
        if self.accept("AS"):
            return self.identifier("ALIAS")
        token = self.token
        if token.kind == DELIMITED:
            return self.identifier("ALIAS")
        if token.kind != NAME or token.value in RESERVED or token.value in JOIN_WORDS:
            return None
        if self.paging and token.value in PAGING:
            return None
        return self.identifier("ALIAS")

    def order_items(self) -> tuple[nodes.OrderItem, ...]:
        """Read the items of ORDER BY."""
        items: list[nodes.OrderItem] = []
        while True:
            value = self.value()
            descending = self.accept("DESC")
            if not descending:
                self.accept("ASC")
            items.append(nodes.OrderItem(value, descending))
            if not self.accept_operator(","):
                return tuple(items)

    # Sources -------------------------------------------------------------------------------

    def _sources(self) -> tuple[nodes.Source, ...]:
        sources = [self._joined()]
        while self.accept_operator(","):
            sources.append(self._joined())
        return tuple(sources)

    def _joined(self) -> nodes.Source:
        left = self._source()
        while True:
            natural = self.accept("NATURAL")
            kind = self._join_kind()
            if kind is None:
                if natural:
                    raise self.unexpected("JOIN")
                return left
            right = self._source()
            condition: nodes.Expression | None = None
            using: tuple[str, ...] = ()
            if self.accept("ON"):
                condition = self.condition()
            elif self.accept("USING"):
                using = self.names()
            elif kind != "CROSS" and not natural:
                raise self.unexpected("ON")
            left = nodes.Join(kind, left, right, condition, using, natural)

    def _join_kind(self) -> str | None:
        if self.accept("JOIN") or self.accept("INNER", "JOIN"):
            return "INNER"
        if self.accept("CROSS", "JOIN"):
            return "CROSS"
        for side in ("LEFT", "RIGHT", "FULL"):
            if self.at(side):
                self.advance()
                self.accept("OUTER")
                self.expect("JOIN")
                return side
        return None

    def _source(self) -> nodes.Source:
        while self.at_any(*SELECT_OPTIONS):
            self.advance()
        if self.at_operator("("):
            following = self.ahead()
            if (following.kind == NAME and following.value in ("SELECT", "WITH")) or following.value == "(":
                query = self.parenthesised_query()
                return nodes.DerivedTable(query, self._alias())
            self.enter()
            self.advance()
            inner = self._joined()
            self.expect_operator(")")
            self.leave()
            return inner
        return self.table_name(alias=True)

    def table_name(self, *, alias: bool = False) -> nodes.TableName:
        """Read ``[schema.]table [[AS] alias]``."""
        position = self.index
        delimited = self.token.kind == DELIMITED
        name = self.identifier()
        schema: str | None = None
        if self.accept_operator("."):
            schema = name
            delimited = delimited or self.token.kind == DELIMITED
            name = self.identifier()
        return nodes.TableName(schema, name, self._alias() if alias else None, position, delimited)

    def names(self) -> tuple[str, ...]:
        """Read ``(a, b, ...)``."""
        self.expect_operator("(")
        found = [self.identifier()]
        while self.accept_operator(","):
            found.append(self.identifier())
        self.expect_operator(")")
        return tuple(found)
