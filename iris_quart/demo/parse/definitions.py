"""CREATE and DROP, with the extensions that sample data needs.

Beyond IRIS's own DDL (CREATE TABLE, CREATE VIEW, CREATE INDEX, DROP ...), because classes cannot be
compiled here:

- ``column type GENERATED ALWAYS AS (expression)``: a computed, read-only column (COMPUTECODE in IRIS);
- ``column %READONLY``: a read-only property;
- ``column %LIST``: a list collection; ``column %SERIAL (part type, ...)``: an embedded serial object,
  whose parts are the columns ``column_part`` and whose container is hidden;
- ``column %REFERENCE Schema.Table``: a property that points to a row, without a foreign key;
- ``CREATE TABLE ... (...) WITH %CLASS``: as a persistent class projects it (column ID is shown);
- ``... WITH %CLASS, %CHILDOF Schema.Table [AS column]``: the child of a parent-child relationship, with
  row IDs ``parent||n`` and the columns ``column`` (the parent) and ``childsub``;
- ``... WITH %READONLY``: a table that takes no writes (-115).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from iris_quart.demo.core.errors import SqlError

from . import nodes
from .writes import WriteParser

COLLATIONS = frozenset({"%EXACT", "%SQLUPPER", "%SQLSTRING", "%UPPER", "%ALPHAUP", "%STRING", "%TRUNCATE"})
INDEX_KINDS = ("UNIQUE", "BITMAP", "BITSLICE", "COLUMNAR")
ACTIONS = (("NO", "ACTION"), ("CASCADE",), ("SET", "NULL"), ("SET", "DEFAULT"))


class DefinitionParser(WriteParser):
    """Read statements that change the catalogue."""

    def create(self) -> nodes.Definition:
        """Read CREATE after its first word."""
        if self.accept("TABLE"):
            return self._table()
        if self.accept("OR", "REPLACE"):
            self.expect("VIEW")
            return self._view(replaces=True)
        if self.accept("VIEW"):
            return self._view(replaces=False)
        unique = False
        while self.at_any(*INDEX_KINDS):
            unique |= self.advance().value == "UNIQUE"
        if self.accept("INDEX"):
            return self._index(unique=unique)
        raise SqlError(
            -1, f"Invalid SQL statement: CREATE {self.found()} is not supported here{self.context()}"
        )

    def drop(self) -> nodes.Drop:
        """Read DROP after its first word."""
        if self.accept("TABLE") or self.at("VIEW"):
            kind = "VIEW" if self.accept("VIEW") else "TABLE"
            if_exists = self.accept("IF", "EXISTS")
            table = self.table_name()
            cascade = False
            while self.at_any("CASCADE", "RESTRICT", "%DELDATA"):
                cascade |= self.advance().value == "CASCADE"
            return nodes.Drop(kind, table, None, if_exists, cascade)
        if self.accept("INDEX"):
            if_exists = self.accept("IF", "EXISTS")
            parts = [self.identifier()]
            while self.accept_operator("."):
                parts.append(self.identifier())
            table_name: nodes.TableName | None = None
            if self.accept("ON"):
                self.accept("TABLE")
                table_name = self.table_name()
            elif len(parts) > 1:
                table_name = nodes.TableName(
                    parts[0] if len(parts) == 3 else None, parts[-2], None, self.index
                )
            return nodes.Drop("INDEX", table_name, parts[-1], if_exists)
        raise SqlError(
            -1, f"Invalid SQL statement: DROP {self.found()} is not supported here{self.context()}"
        )

    # Tables --------------------------------------------------------------------------------

    def _table(self) -> nodes.CreateTable:
        if_not_exists = self.accept("IF", "NOT", "EXISTS")
        table = self.table_name()
        columns: list[nodes.ColumnDefinition] = []
        keys: list[nodes.KeyDefinition] = []
        foreign_keys: list[nodes.ForeignKeyDefinition] = []
        description: str | None = None
        public_row_id = False
        self.expect_operator("(")
        while True:
            if self.accept("%DESCRIPTION"):
                description = self.string()
            elif self.accept("%PUBLICROWID"):
                public_row_id = True
            elif self.at_any("%FILE", "%ROUTINE", "%EXTENTSIZE", "%NUMROWS"):
                self.advance()
                self.advance()
            elif self._at_constraint():
                constraint = self._constraint()
                if isinstance(constraint, nodes.KeyDefinition):
                    keys.append(constraint)
                else:
                    foreign_keys.append(constraint)
            else:
                columns.append(self._column())
            if not self.accept_operator(","):
                break
        self.expect_operator(")")
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
        if not self.accept("WITH"):
            return options
        while True:
            if self.accept("%CLASS"):
                options["class_like"] = True
            elif self.accept("%READONLY"):
                options["read_only"] = True
            elif self.accept("%CHILDOF"):
                options["child_of"] = self.table_name()
                options["child_column"] = self.identifier() if self.accept("AS") else None
            else:
                raise self.unexpected("%CLASS, %CHILDOF or %READONLY")
            if not self.accept_operator(","):
                return options

    def _at_constraint(self) -> bool:
        if self.at_any("CONSTRAINT", "FOREIGN", "CHECK"):
            return True
        return self.at("PRIMARY", "KEY") or (self.at("UNIQUE") and self.at_operator("(", 1))

    def _constraint(self) -> nodes.KeyDefinition | nodes.ForeignKeyDefinition:
        name = self.identifier() if self.accept("CONSTRAINT") else None
        if self.accept("PRIMARY"):
            self.expect("KEY")
            return nodes.KeyDefinition("PRIMARY KEY", name, self.names())
        if self.accept("UNIQUE"):
            return nodes.KeyDefinition("UNIQUE", name, self.names())
        if self.accept("FOREIGN"):
            self.expect("KEY")
            if not self.at_operator("("):
                name = self.identifier()
            columns = self.names()
            self.expect("REFERENCES")
            return nodes.ForeignKeyDefinition(name, columns, self._references())
        raise SqlError(-1, f"Invalid SQL statement: {self.found()} is not supported here{self.context()}")

    def _references(self) -> nodes.References:
        table = self.table_name()
        columns = self.names() if self.at_operator("(") else ()
        actions = {"DELETE": "NO ACTION", "UPDATE": "NO ACTION"}
        while self.accept("ON"):
            event = self.token.value
            if event not in actions:
                raise self.unexpected("DELETE or UPDATE")
            self.advance()
            for words in ACTIONS:
                if self.accept(*words):
                    actions[event] = " ".join(words)
                    break
            else:
                raise self.unexpected("NO ACTION, CASCADE, SET NULL or SET DEFAULT")
        return nodes.References(table, columns, actions["DELETE"], actions["UPDATE"])

    # Columns -------------------------------------------------------------------------------

    def _column(self) -> nodes.ColumnDefinition:
        name = self.identifier()
        if self.accept("%SERIAL"):
            self.expect_operator("(")
            parts = [self._column()]
            while self.accept_operator(","):
                parts.append(self._column())
            self.expect_operator(")")
            return nodes.ColumnDefinition(name, nodes.TypeName("%SERIAL"), parts=tuple(parts))
        if self.accept("%REFERENCE"):
            target = self.table_name()
            column = nodes.ColumnDefinition(name, nodes.TypeName("%REFERENCE"), class_reference=target)
        elif self.at("IDENTITY"):
            column = nodes.ColumnDefinition(name, nodes.TypeName("INTEGER"))
        else:
            column = nodes.ColumnDefinition(name, self.type_name())
        while True:
            changed = self._column_option(column)
            if changed is None:
                return column
            column = changed

    def _column_option(self, column: nodes.ColumnDefinition) -> nodes.ColumnDefinition | None:
        name = self.identifier() if self.accept("CONSTRAINT") else None
        if self.accept("NOT"):
            self.expect("NULL")
            return replace(column, not_null=True)
        if self.accept("NULL"):
            return column
        if self.accept("UNIQUE"):
            return replace(column, unique=name or "")
        if self.accept("PRIMARY"):
            self.expect("KEY")
            return replace(column, primary_key=name or "")
        if self.accept("REFERENCES"):
            return replace(column, references=self._references(), reference_name=name)
        if self.accept("DEFAULT"):
            return self._default(column)
        if self.accept("IDENTITY"):
            return replace(column, identity=True)
        if self.accept("AUTO_INCREMENT"):
            return replace(column, auto_increment=True)
        if self.accept("%DESCRIPTION"):
            return replace(column, description=self.string())
        if self.accept("%READONLY"):
            return replace(column, read_only=True)
        if self.accept("COLLATE"):
            return replace(column, collation=self._collation())
        if self.at_any(*COLLATIONS):
            return replace(column, collation=self._collation())
        if self.accept("GENERATED"):
            return self._computed(column)
        if self.at_any("COMPUTECODE", "CALCULATED", "TRANSIENT", "CHECK"):
            raise SqlError(-1, f"Invalid SQL statement: {self.found()} is not supported here{self.context()}")
        return None

    def _default(self, column: nodes.ColumnDefinition) -> nodes.ColumnDefinition:
        start = self.index
        value = self.value()
        return replace(column, default=value, default_text=self.text_between(start, self.index))

    def _computed(self, column: nodes.ColumnDefinition) -> nodes.ColumnDefinition:
        self.expect("ALWAYS", "AS")
        self.expect_operator("(")
        start = self.index
        value = self.value()
        text = self.text_between(start, self.index)
        self.expect_operator(")")
        return replace(column, computed=value, computed_text=text)

    def _collation(self) -> str:
        word = self.token.value
        if self.token.kind != "name" or (word not in COLLATIONS and "%" + word not in COLLATIONS):
            raise self.unexpected("COLLATION")
        self.advance()
        if self.accept_operator("("):
            self.integer()
            self.expect_operator(")")
        return word.lstrip("%")

    # Views and indexes ---------------------------------------------------------------------

    def _view(self, *, replaces: bool) -> nodes.CreateView:
        table = self.table_name()
        columns = self.names() if self.at_operator("(") else ()
        self.expect("AS")
        start = self.index
        query = self.query()
        text = self.text_between(start, self.index)
        check: str | None = None
        if self.accept("WITH"):
            if self.accept("READ"):
                self.expect("ONLY")
                check = "READ ONLY"
            else:
                check = "LOCAL" if self.accept("LOCAL") else "CASCADE"
                if not self.accept("CASCADED"):
                    self.accept("CASCADE")
                self.expect("CHECK", "OPTION")
        return nodes.CreateView(table, columns, query, text, check, replaces)

    def _index(self, *, unique: bool) -> nodes.CreateIndex:
        name = self.identifier()
        self.expect("ON")
        self.accept("TABLE")
        table = self.table_name()
        self.expect_operator("(")
        columns: list[tuple[str, bool]] = []
        while True:
            column = self.identifier()
            descending = self.accept("DESC")
            if not descending:
                self.accept("ASC")
            columns.append((column, descending))
            if not self.accept_operator(","):
                break
        self.expect_operator(")")
        if self.accept("WITH"):
            self.expect("DATA")
            self.names()
        return nodes.CreateIndex(name, table, tuple(columns), unique)
