"""Plans of the statements that change rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from iris_quart.demo.catalog.tables import ROW_ID, Column, Table, fold, quoted
from iris_quart.demo.core.errors import SqlError, not_done, not_privileged
from iris_quart.demo.core.types import BIGINT
from iris_quart.demo.parse import nodes

from .plans import Plan, Query, Written
from .scope import Scope, Source, outputs_of
from .typed import LITERAL, PARAMETER, Typed

if TYPE_CHECKING:
    from .translation import Translation

INSERT, UPDATE, DELETE, TRUNCATE = "INSERT", "UPDATE", "DELETE", "TRUNCATE"


def _named_tables(sources: Iterable[nodes.Source]) -> Iterator[nodes.TableName]:
    """Yield the tables that FROM names, also in joins."""
    for source in sources:
        if isinstance(source, nodes.Join):
            yield from _named_tables((source.left, source.right))
        elif isinstance(source, nodes.TableName):
            yield source


class Writes:
    """Translate statements that change rows."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation
        self.rendering = translation.rendering

    def insert(self, node: nodes.Insert, parameters: int) -> Plan:
        """Return the plan of an INSERT."""
        target = self._target(node.table, node.options)
        columns = self._insert_columns(target, node)
        query: Query | None = None
        rows: tuple[tuple[Written, ...], ...] = ()
        if node.query is not None:
            outputs, sql = self.translation.queries.query(node.query, None)
            self._count_matches(len(columns), len(outputs))
            query = Query(sql, self.rendering.slots.listed(), outputs_of(outputs))
            rows = (tuple(Written("computed", None, index, item.kind) for index, item in enumerate(outputs)),)
        else:
            computed: list[Typed] = []
            scope = Scope()
            written: list[tuple[Written, ...]] = []
            for row in node.rows:
                self._count_matches(len(columns), len(row))
                written.append(
                    tuple(
                        self._written(value, column, scope, computed)
                        for value, column in zip(row, columns, strict=True)
                    )
                )
            rows = tuple(written) if not node.default_values else ((),)
            query = self._evaluation(computed, "")
        return Plan(
            INSERT,
            parameters,
            query=query,
            table=target.table,
            columns=columns,
            rows=rows,
            or_update=node.or_update,
            checks=target.check(self.translation),
            reads=frozenset(self.translation.reads),
            writes=((INSERT, target.name), *(((UPDATE, target.name),) if node.or_update else ())),
            text="select" if node.query is not None else "",
        )

    def _insert_columns(self, target: _Target, node: nodes.Insert) -> tuple[Column, ...]:
        if node.columns is None:
            return tuple(column for column in target.listed() if not column.read_only and not column.hidden)
        found: list[Column] = []
        for name in node.columns:
            column = target.column(name)
            if column is None:
                raise SqlError(-29, f"Field '{name}' not found in the applicable tables")
            if column.row_id:
                raise SqlError(-111, "Cannot INSERT into a 'Default Only' RowID or RowID based on field")
            if column.read_only:
                raise _read_only(target.table, column, INSERT)
            if column in found:
                raise SqlError(-54, f"Field '{column.name}' is assigned a value more than once")
            found.append(column)
        return tuple(found)

    def _count_matches(self, columns: int, values: int) -> None:
        if columns != values:
            raise SqlError(
                -62, f"The number of values ({values}) does not match the number of fields ({columns})"
            )

    def update(self, node: nodes.Update, parameters: int) -> Plan:
        """Return the plan of an UPDATE."""
        target = self._target(node.table, node.options)
        source, scope = target.scope(self.translation, node.table.alias)
        for other in _named_tables(node.sources):
            if self.translation.catalog.find(other.schema, other.name) == target.table:
                raise not_done("UPDATE with the updated table itself in FROM")
        others = self.translation.sources.sources(node.sources, scope)
        columns: list[Column] = []
        written: list[Written] = []
        computed: list[Typed] = []
        for name, value in node.assignments:
            column = target.column(name)
            if column is None:
                raise SqlError(-29, f"Field '{name}' not found in the applicable tables")
            if column.row_id or fold(column.name) in _row_id_parts(target.table):
                raise SqlError(-107, "Cannot UPDATE RowID or RowID based on fields")
            if column.read_only:
                raise _read_only(target.table, column, UPDATE)
            if column in columns:
                raise SqlError(-54, f"Field '{column.name}' is assigned a value more than once")
            columns.append(column)
            written.append(self._written(value, column, scope, computed))
        query = self._rows(node.where, target, source, scope, computed, others)
        return Plan(
            UPDATE,
            parameters,
            query=query,
            table=target.table,
            columns=tuple(columns),
            rows=(tuple(written),),
            checks=target.check(self.translation),
            reads=frozenset(self.translation.reads),
            writes=((UPDATE, target.name),),
        )

    def delete(self, node: nodes.Delete, parameters: int) -> Plan:
        """Return the plan of a DELETE."""
        target = self._target(node.table, node.options)
        source, scope = target.scope(self.translation, node.table.alias)
        query = self._rows(node.where, target, source, scope, [])
        return Plan(
            DELETE,
            parameters,
            query=query,
            table=target.table,
            reads=frozenset(self.translation.reads),
            writes=((DELETE, target.name),),
        )

    def truncate(self, node: nodes.Truncate, parameters: int) -> Plan:
        """Return the plan of a TRUNCATE TABLE."""
        target = self._target(node.table, ())
        if target.view is not None:
            raise SqlError(
                -35, "INSERT/UPDATE/DELETE not allowed for non-updateable view: TRUNCATE needs a table"
            )
        return Plan(TRUNCATE, parameters, table=target.table, writes=((DELETE, target.name),))

    def _written(
        self, value: nodes.Expression | nodes.Default, column: Column, scope: Scope, computed: list[Typed]
    ) -> Written:
        if isinstance(value, nodes.Default):
            return Written("default")
        item = self.translation.expressions.value(value, scope, column.type)
        if item.category == PARAMETER:
            return Written("parameter", index=item.parameter)
        if item.category == LITERAL:
            return Written("constant", item.value, kind=item.kind)
        if item.type.is_stream and item.column is None:
            raise SqlError(
                -37, f"Scalar, aggregate and unary functions not supported for stream fields: {item.label}"
            )
        computed.append(item)
        return Written("computed", None, len(computed) - 1, item.kind)

    def _evaluation(self, computed: list[Typed], tail: str) -> Query | None:
        if not computed:
            return None
        texts = ", ".join(self.rendering.plain(item) for item in computed)
        return Query(f"SELECT {texts}{tail}", self.rendering.slots.listed(), outputs_of(tuple(computed)))

    def _rows(
        self,
        where: nodes.Expression | None,
        target: _Target,
        source: Source,
        scope: Scope,
        computed: list[Typed],
        others: str = "",
    ) -> Query:
        self.translation.aggregates = 0
        tests = []
        if target.where is not None:
            inner = Scope(sources=[Source(source.alias, target.table.name, target.table)])
            tests.append(self.translation.conditions.condition(target.where, inner))
            scope.arrow_joins.extend(inner.arrow_joins)
        if where is not None:
            tests.append(self.translation.conditions.condition(where, scope))
        if self.translation.aggregates:
            raise SqlError(-19, "An aggregate is not allowed in a WHERE clause")
        row_id = Typed(f"{source.alias}.{quoted(ROW_ID)}", BIGINT)
        items = [row_id, *computed]
        tail = f" FROM {quoted(target.table.full_name)} AS {source.alias}"
        tail += f" CROSS JOIN {others}" if others else ""
        tail += "".join(f" {join}" for join in scope.arrow_joins)
        if tests:
            tail += f" WHERE {' AND '.join(tests)}"
        query = self._evaluation(items, tail)
        assert query is not None
        return query

    def _target(self, node: nodes.TableName, options: tuple[str, ...]) -> _Target:
        table = self.translation.sources.table(node)
        if options:
            raise not_privileged("")
        if not table.is_view:
            _check_writable(table)
            return _Target(table, None, None, table.full_name)
        return self._view_target(table)

    def _view_target(self, view: Table) -> _Target:
        """Return the table behind an updatable view; raise -35."""
        query = view.query
        refusal = SqlError(
            -35, f"INSERT/UPDATE/DELETE not allowed for non-updateable view: '{view.full_name}'"
        )
        if not isinstance(query, nodes.Select) or len(query.sources) != 1 or view.check_option == "READ ONLY":
            raise refusal
        source = query.sources[0]
        simple = not (
            query.distinct or query.distinct_by or query.group or query.having or query.limit or query.offset
        )
        if not simple or not isinstance(source, nodes.TableName):
            raise refusal
        base = self.translation.sources.table(source)
        if base.is_view or base.system:
            raise refusal
        _check_writable(base)
        listed = _view_items(query, base)
        if listed is None or len(listed) != len(view.columns):
            raise refusal
        return _Target(base, view, query.where, view.full_name, dict(zip(view.columns, listed, strict=True)))


class _Target:
    """The table that a statement writes to, perhaps through a view."""

    def __init__(
        self,
        table: Table,
        view: Table | None,
        where: nodes.Expression | None,
        name: str,
        columns: dict[str, Column] | None = None,
    ) -> None:
        self.table = table
        self.view = view
        self.where = where
        self.name = name
        self._columns = columns

    def column(self, name: str) -> Column | None:
        """Return the written column that a name means."""
        if self._columns is None:
            return self.table.column(name)
        return self._columns.get(fold(name))

    def listed(self) -> list[Column]:
        """Return the columns of an INSERT that names none."""
        found = self.table.columns.values() if self._columns is None else self._columns.values()
        return list(found)

    def scope(self, translation: Translation, alias: str | None) -> tuple[Source, Scope]:
        """Return the source and scope of the WHERE clause."""
        source = Source(translation.alias(), alias or self.table.name, self.table, schema=self.table.schema)
        if self.view is None or self._columns is None:
            return source, Scope(sources=[source])
        outputs = []
        for label, column in zip(self.view.columns.values(), self._columns.values(), strict=True):
            item = translation.expressions.column(column, source)
            outputs.append(Typed(item.sql, item.type, item.collation, item.category, label.name, column=column,
                                 table=self.table, source=source.alias))  # fmt: skip
        shown = Source(source.alias, alias or self.view.name, None, tuple(outputs), schema=self.view.schema)
        return shown, Scope(sources=[shown])

    def check(self, translation: Translation) -> Query | None:
        """Return the query that tells whether a row is still in a view WITH CHECK OPTION."""
        if self.view is None or self.view.check_option is None or self.where is None:
            return None
        inner = translation.apart()
        source = Source(inner.alias(), self.table.name, self.table)
        test = inner.conditions.condition(self.where, Scope(sources=[source]))
        sql = (
            f"SELECT 1 FROM {quoted(self.table.full_name)} AS {source.alias}"
            f" WHERE {source.alias}.{quoted(ROW_ID)} = ?1 AND {test}"
        )
        return Query(sql, (), ())


def _view_items(query: nodes.Select, base: Table) -> list[Column] | None:
    found: list[Column] = []
    for item in query.items:
        if isinstance(item.expression, nodes.Star):
            found.extend(column for column in base.columns.values() if not column.hidden)
            continue
        if not isinstance(item.expression, nodes.Name):
            return None
        column = base.column(item.expression.column)
        if column is None:
            return None
        found.append(column)
    return found


def _check_writable(table: Table) -> None:
    if table.read_only or table.system:
        raise SqlError(-115, f"INSERT/UPDATE/DELETE not allowed for Read-Only table '{table.full_name}'")


def _row_id_parts(table: Table) -> set[str]:
    return {fold(table.parent_column), "childsub"} if table.parent_column else set()


def _read_only(table: Table, column: Column, operation: str) -> SqlError:
    word = "INSERTed" if operation == INSERT else "UPDATEd"
    return SqlError(-138, f"Field '{table.full_name}.{column.name}' is ReadOnly and cannot be {word}")


__all__ = ["Writes"]
