"""CREATE and DROP, with the extensions that sample data needs.

Beyond IRIS's own DDL (CREATE TABLE, CREATE VIEW, CREATE INDEX, DROP ...), because classes cannot be
compiled here:

- `column type GENERATED ALWAYS AS (expression)`: a computed, read-only column (COMPUTECODE in IRIS);
- `column %READONLY`: a read-only property;
- `column type %PARAMETERS (VALUELIST ',a,b', CAPTION 'text')`: parameters of the property;
- `column %LIST`: a list collection; `column %SERIAL (part type, ...)`: an embedded serial object,
  whose parts are the columns `column_part` and whose container is hidden;
- `column %REFERENCE Schema.Table`: a property that points to a row, without a foreign key;
- `CREATE TABLE ... (...) WITH %CLASS`: as a persistent class projects it (column ID is shown);
- `... WITH %CLASS, %CHILDOF Schema.Table [AS column]`: the child of a parent-child relationship, with
  row IDs `parent||n` and the columns `column` (the parent) and `childsub`;
- `... WITH %TRIGGER name UPDATE column AS (expression)`: a trigger that sets a column when a row is changed;
- `... WITH %READONLY`: a table that takes no writes (-115).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iris_quart.demo.core.errors import SqlError

from . import nodes

if TYPE_CHECKING:
    from .grammar import Grammar

COLLATIONS = frozenset({"%EXACT", "%SQLUPPER", "%SQLSTRING", "%UPPER", "%ALPHAUP", "%STRING", "%TRUNCATE"})
INDEX_KINDS = ("UNIQUE", "BITMAP", "BITSLICE", "COLUMNAR")
ACTIONS = (("NO", "ACTION"), ("CASCADE",), ("SET", "NULL"), ("SET", "DEFAULT"))


class Definitions:
    """Read statements that change the catalogue."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.cursor = grammar.cursor

    def create(self) -> nodes.Definition:
        """Read CREATE after its first word."""
        if self.cursor.accept("TABLE"):
            return self._table()
        if self.cursor.accept("OR", "REPLACE"):
            self.cursor.expect("VIEW")
            return self._view(replaces=True)
        if self.cursor.accept("VIEW"):
            return self._view(replaces=False)
        unique = False
        while self.cursor.at_any(*INDEX_KINDS):
            unique |= self.cursor.advance().value == "UNIQUE"
        if self.cursor.accept("INDEX"):
            return self._index(unique=unique)
        raise SqlError(
            -1,
            f"Invalid SQL statement: CREATE {self.cursor.found()} is not supported here{self.cursor.context()}",
        )

    def drop(self) -> nodes.Drop:
        """Read DROP after its first word."""
        if self.cursor.accept("TABLE") or self.cursor.at("VIEW"):
            kind = "VIEW" if self.cursor.accept("VIEW") else "TABLE"
            if_exists = self.cursor.accept("IF", "EXISTS")
            table = self.grammar.queries.table_name()
            cascade = False
            while self.cursor.at_any("CASCADE", "RESTRICT", "%DELDATA"):
                cascade |= self.cursor.advance().value == "CASCADE"
            return nodes.Drop(kind, table, None, if_exists, cascade)
        if self.cursor.accept("INDEX"):
            if_exists = self.cursor.accept("IF", "EXISTS")
            parts = [self.cursor.identifier()]
            while self.cursor.accept_operator("."):
                parts.append(self.cursor.identifier())
            table_name: nodes.TableName | None = None
            if self.cursor.accept("ON"):
                self.cursor.accept("TABLE")
                table_name = self.grammar.queries.table_name()
            elif len(parts) > 1:
                table_name = nodes.TableName(
                    parts[0] if len(parts) == 3 else None, parts[-2], None, self.cursor.index
                )
            return nodes.Drop("INDEX", table_name, parts[-1], if_exists)
        raise SqlError(
            -1,
            f"Invalid SQL statement: DROP {self.cursor.found()} is not supported here{self.cursor.context()}",
        )

    def _table(self) -> nodes.CreateTable:
        if_not_exists = self.cursor.accept("IF", "NOT", "EXISTS")
        table = self.grammar.queries.table_name()
        columns: list[nodes.ColumnDefinition] = []
        keys: list[nodes.KeyDefinition] = []
        foreign_keys: list[nodes.ForeignKeyDefinition] = []
        description: str | None = None
        public_row_id = False
        if self.cursor.accept("AS"):
            query = self.grammar.queries.query()
            return nodes.CreateTable(table, (), if_not_exists=if_not_exists, query=query)
        self.cursor.expect_operator("(")
        while True:
            if self.cursor.accept("%DESCRIPTION"):
                description = self.cursor.string()
            elif self.cursor.accept("%PUBLICROWID"):
                public_row_id = True
            elif self.cursor.at_any("%FILE", "%ROUTINE", "%EXTENTSIZE", "%NUMROWS"):
                self.cursor.advance()
                self.cursor.advance()
            elif self.at_constraint():
                constraint = self.constraint()
                if isinstance(constraint, nodes.KeyDefinition):
                    keys.append(constraint)
                else:
                    foreign_keys.append(constraint)
            else:
                columns.append(self.column())
            if not self.cursor.accept_operator(","):
                break
        self.cursor.expect_operator(")")
        options = self._table_options()
        return nodes.CreateTable(
            table,
            tuple(columns),
            tuple(keys),
            tuple(foreign_keys),
            description,
            public_row_id,
            if_not_exists=if_not_exists,
            **options,
        )

    def _table_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if not self.cursor.accept("WITH"):
            return options
        while True:
            if self.cursor.accept("%CLASS"):
                options["class_like"] = True
            elif self.cursor.accept("%READONLY"):
                options["read_only"] = True
            elif self.cursor.accept("%CHILDOF"):
                options["child_of"] = self.grammar.queries.table_name()
                options["child_column"] = self.cursor.identifier() if self.cursor.accept("AS") else None
            elif self.cursor.accept("%TRIGGER"):
                options["triggers"] = (*options.get("triggers", ()), self._trigger())
            else:
                raise self.cursor.unexpected("%CLASS, %CHILDOF, %TRIGGER or %READONLY")
            if not self.cursor.accept_operator(","):
                return options

    def _trigger(self) -> nodes.TriggerDefinition:
        cursor = self.cursor
        name = cursor.identifier()
        cursor.expect("UPDATE")
        column = cursor.identifier()
        cursor.expect("AS")
        cursor.expect_operator("(")
        start = cursor.index
        value = self.grammar.expressions.value()
        text = cursor.text_between(start, cursor.index)
        cursor.expect_operator(")")
        return nodes.TriggerDefinition(name, column, value, text)

    def at_constraint(self) -> bool:
        """Return whether a constraint of the table stands here."""
        if self.cursor.at_any("CONSTRAINT", "FOREIGN", "CHECK"):
            return True
        return self.cursor.at("PRIMARY", "KEY") or (
            self.cursor.at("UNIQUE") and self.cursor.at_operator("(", 1)
        )

    def constraint(self) -> nodes.KeyDefinition | nodes.ForeignKeyDefinition:
        """Read a constraint of the table."""
        name = self.cursor.identifier() if self.cursor.accept("CONSTRAINT") else None
        if self.cursor.accept("PRIMARY"):
            self.cursor.expect("KEY")
            return nodes.KeyDefinition("PRIMARY KEY", name, self.grammar.queries.names())
        if self.cursor.accept("UNIQUE"):
            return nodes.KeyDefinition("UNIQUE", name, self.grammar.queries.names())
        if self.cursor.accept("FOREIGN"):
            self.cursor.expect("KEY")
            if not self.cursor.at_operator("("):
                name = self.cursor.identifier()
            columns = self.grammar.queries.names()
            self.cursor.expect("REFERENCES")
            return nodes.ForeignKeyDefinition(name, columns, self._references())
        raise SqlError(
            -1, f"Invalid SQL statement: {self.cursor.found()} is not supported here{self.cursor.context()}"
        )

    def _references(self) -> nodes.References:
        table = self.grammar.queries.table_name()
        columns = self.grammar.queries.names() if self.cursor.at_operator("(") else ()
        actions = {"DELETE": "NO ACTION", "UPDATE": "NO ACTION"}
        while self.cursor.accept("ON"):
            event = self.cursor.token.value
            if event not in actions:
                raise self.cursor.unexpected("DELETE or UPDATE")
            self.cursor.advance()
            for words in ACTIONS:
                if self.cursor.accept(*words):
                    actions[event] = " ".join(words)
                    break
            else:
                raise self.cursor.unexpected("NO ACTION, CASCADE, SET NULL or SET DEFAULT")
        return nodes.References(table, columns, actions["DELETE"], actions["UPDATE"])

    def column(self) -> nodes.ColumnDefinition:
        """Read a column with its options."""
        name = self.cursor.identifier()
        if self.cursor.accept("%SERIAL"):
            self.cursor.expect_operator("(")
            parts = [self.column()]
            while self.cursor.accept_operator(","):
                parts.append(self.column())
            self.cursor.expect_operator(")")
            return nodes.ColumnDefinition(name, nodes.TypeName("%SERIAL"), parts=tuple(parts))
        if self.cursor.accept("%REFERENCE"):
            target = self.grammar.queries.table_name()
            column = nodes.ColumnDefinition(name, nodes.TypeName("%REFERENCE"), class_reference=target)
        elif self.cursor.at("IDENTITY"):
            column = nodes.ColumnDefinition(name, nodes.TypeName("INTEGER"))
        else:
            column = nodes.ColumnDefinition(name, self.grammar.calls.type_name())
        while True:
            changed = self._column_option(column)
            if changed is None:
                return column
            column = changed

    def _column_option(self, column: nodes.ColumnDefinition) -> nodes.ColumnDefinition | None:
        name = self.cursor.identifier() if self.cursor.accept("CONSTRAINT") else None
        if self.cursor.accept("NOT"):
            self.cursor.expect("NULL")
            return replace(column, not_null=True)
        if self.cursor.accept("NULL"):
            return column
        if self.cursor.accept("UNIQUE"):
            return replace(column, unique=name or "")
        if self.cursor.accept("PRIMARY"):
            self.cursor.expect("KEY")
            return replace(column, primary_key=name or "")
        if self.cursor.accept("REFERENCES"):
            return replace(column, references=self._references(), reference_name=name)
        if self.cursor.accept("DEFAULT"):
            return self._default(column)
        if self.cursor.accept("IDENTITY"):
            return replace(column, identity=True)
        if self.cursor.accept("AUTO_INCREMENT"):
            return replace(column, auto_increment=True)
        if self.cursor.accept("%DESCRIPTION"):
            return replace(column, description=self.cursor.string())
        if self.cursor.accept("%READONLY"):
            return replace(column, read_only=True)
        if self.cursor.accept("%PARAMETERS"):
            return replace(column, parameters=self._parameters())
        if self.cursor.accept("COLLATE"):
            return replace(column, collation=self._collation())
        if self.cursor.at_any(*COLLATIONS):
            return replace(column, collation=self._collation())
        if self.cursor.accept("GENERATED"):
            return self._computed(column)
        if self.cursor.at_any("COMPUTECODE", "CALCULATED", "TRANSIENT", "CHECK"):
            raise SqlError(
                -1,
                f"Invalid SQL statement: {self.cursor.found()} is not supported here{self.cursor.context()}",
            )
        return None

    def _parameters(self) -> tuple[tuple[str, str], ...]:
        self.cursor.expect_operator("(")
        found = [(self.cursor.identifier().upper(), self.cursor.string())]
        while self.cursor.accept_operator(","):
            found.append((self.cursor.identifier().upper(), self.cursor.string()))
        self.cursor.expect_operator(")")
        return tuple(found)

    def _default(self, column: nodes.ColumnDefinition) -> nodes.ColumnDefinition:
        start = self.cursor.index
        value = self.grammar.expressions.value()
        return replace(column, default=value, default_text=self.cursor.text_between(start, self.cursor.index))

    def _computed(self, column: nodes.ColumnDefinition) -> nodes.ColumnDefinition:
        self.cursor.expect("ALWAYS", "AS")
        self.cursor.expect_operator("(")
        start = self.cursor.index
        value = self.grammar.expressions.value()
        text = self.cursor.text_between(start, self.cursor.index)
        self.cursor.expect_operator(")")
        return replace(column, computed=value, computed_text=text)

    def _collation(self) -> str:
        word = self.cursor.token.value
        if self.cursor.token.kind != "name" or (word not in COLLATIONS and "%" + word not in COLLATIONS):
            raise self.cursor.unexpected("COLLATION")
        self.cursor.advance()
        if self.cursor.accept_operator("("):
            self.cursor.integer()
            self.cursor.expect_operator(")")
        return word.lstrip("%")

    def _view(self, *, replaces: bool) -> nodes.CreateView:
        table = self.grammar.queries.table_name()
        columns = self.grammar.queries.names() if self.cursor.at_operator("(") else ()
        self.cursor.expect("AS")
        start = self.cursor.index
        query = self.grammar.queries.query()
        text = self.cursor.text_between(start, self.cursor.index)
        check: str | None = None
        if self.cursor.accept("WITH"):
            if self.cursor.accept("READ"):
                self.cursor.expect("ONLY")
                check = "READ ONLY"
            else:
                check = "LOCAL" if self.cursor.accept("LOCAL") else "CASCADE"
                if not self.cursor.accept("CASCADED"):
                    self.cursor.accept("CASCADE")
                self.cursor.expect("CHECK", "OPTION")
        return nodes.CreateView(table, columns, query, text, check, replaces)

    def _index(self, *, unique: bool) -> nodes.CreateIndex:
        name = self.cursor.identifier()
        self.cursor.expect("ON")
        self.cursor.accept("TABLE")
        table = self.grammar.queries.table_name()
        self.cursor.expect_operator("(")
        columns: list[tuple[str, bool]] = []
        while True:
            column = self.cursor.identifier()
            descending = self.cursor.accept("DESC")
            if not descending:
                self.cursor.accept("ASC")
            columns.append((column, descending))
            if not self.cursor.accept_operator(","):
                break
        self.cursor.expect_operator(")")
        if self.cursor.accept("WITH"):
            self.cursor.expect("DATA")
            self.grammar.queries.names()
        return nodes.CreateIndex(name, table, tuple(columns), unique)


__all__ = ["ACTIONS", "COLLATIONS", "INDEX_KINDS", "Definitions"]
