"""ALTER TABLE: columns and constraints that come, change or go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iris_quart.demo.core.errors import SqlError

from . import nodes
from .lexer import NAME

if TYPE_CHECKING:
    from .grammar import Grammar


class Alterations:
    """Read statements that change a table."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.cursor = grammar.cursor

    def alter(self) -> nodes.AlterTable:
        """Read ALTER TABLE after its first word."""
        cursor = self.cursor
        if not cursor.accept("TABLE"):
            raise SqlError(
                -1, f"Invalid SQL statement: ALTER {cursor.found()} is not supported here{cursor.context()}"
            )
        table = self.grammar.queries.table_name()
        if cursor.accept("ADD"):
            return self._add(table)
        if cursor.accept("DROP"):
            return self._drop(table)
        if cursor.accept("ALTER"):
            cursor.accept("COLUMN")
            return self._renamed_column(table) or nodes.AlterTable(table, changed=self._altered())
        if cursor.accept("MODIFY"):
            cursor.accept("COLUMN")
            return self._renamed_column(table) or nodes.AlterTable(table, changed=self._modified())
        if cursor.accept("RENAME"):
            return nodes.AlterTable(table, renamed=cursor.identifier())
        raise cursor.unexpected("ADD, DROP, ALTER, MODIFY or RENAME")

    def _renamed_column(self, table: nodes.TableName) -> nodes.AlterTable | None:
        """Read `old RENAME new`; None if another change stands here."""
        cursor = self.cursor
        if cursor.ahead().kind != NAME or cursor.ahead().value != "RENAME":
            return None
        name = cursor.identifier()
        cursor.expect("RENAME")
        return nodes.AlterTable(table, renamed_column=(name, cursor.identifier()))

    def _add(self, table: nodes.TableName) -> nodes.AlterTable:
        cursor, definitions = self.cursor, self.grammar.definitions
        if definitions.at_constraint():
            found = definitions.constraint()
            if isinstance(found, nodes.KeyDefinition):
                return nodes.AlterTable(table, key=found)
            return nodes.AlterTable(table, foreign_key=found)
        cursor.accept("COLUMN")
        parenthesised = cursor.accept_operator("(")
        columns = [definitions.column()]
        while cursor.accept_operator(","):
            columns.append(definitions.column())
        if parenthesised:
            cursor.expect_operator(")")
        return nodes.AlterTable(table, added=tuple(columns))

    def _drop(self, table: nodes.TableName) -> nodes.AlterTable:
        cursor = self.cursor
        if cursor.accept("PRIMARY", "KEY"):
            return nodes.AlterTable(table, dropped_constraint="PRIMARY KEY")
        if cursor.accept("CONSTRAINT") or cursor.accept("FOREIGN", "KEY"):
            found = nodes.AlterTable(table, dropped_constraint=cursor.identifier())
        else:
            cursor.accept("COLUMN")
            names = [cursor.identifier()]
            while cursor.accept_operator(","):
                names.append(cursor.identifier())
            found = nodes.AlterTable(table, dropped=tuple(names))
        if not cursor.accept("RESTRICT"):
            cursor.accept("CASCADE")
        return found

    def _altered(self) -> nodes.ColumnChange:
        cursor = self.cursor
        name = cursor.identifier()
        if cursor.accept("SET", "DEFAULT"):
            value, text = self._default()
            return nodes.ColumnChange(name, default=value, default_text=text)
        if cursor.accept("DROP", "DEFAULT"):
            return nodes.ColumnChange(name, drops_default=True)
        if cursor.accept("NOT", "NULL"):
            return nodes.ColumnChange(name, not_null=True)
        if cursor.accept("NULL"):
            return nodes.ColumnChange(name, not_null=False)
        return nodes.ColumnChange(name, type=self.grammar.calls.type_name())

    def _modified(self) -> nodes.ColumnChange:
        cursor = self.cursor
        name = cursor.identifier()
        type_name: nodes.TypeName | None = None
        not_null: bool | None = None
        value: nodes.Expression | None = None
        text: str | None = None
        if not cursor.at_any("NOT", "NULL", "DEFAULT"):
            type_name = self.grammar.calls.type_name()
        while cursor.at_any("NOT", "NULL", "DEFAULT"):
            if cursor.accept("DEFAULT"):
                value, text = self._default()
            else:
                not_null = cursor.accept("NOT")
                cursor.expect("NULL")
        return nodes.ColumnChange(name, type_name, not_null, value, text)

    def _default(self) -> tuple[nodes.Expression, str]:
        start = self.cursor.index
        value = self.grammar.expressions.value()
        return value, self.cursor.text_between(start, self.cursor.index)


__all__ = ["Alterations"]
