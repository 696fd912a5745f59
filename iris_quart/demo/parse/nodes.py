"""The syntax tree that the parser builds and the translator reads: statements, and all of query_nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .query_nodes import (
    Arrow,
    Between,
    Binary,
    Call,
    Case,
    Cast,
    Comparison,
    Concatenation,
    Condition,
    DerivedTable,
    Exists,
    Expression,
    ForSome,
    InList,
    InQuery,
    IsNull,
    Join,
    JsonRows,
    Like,
    Literal,
    Logical,
    Name,
    Not,
    OrderItem,
    Parameter,
    Query,
    Scalar,
    Select,
    SelectItem,
    SetOperation,
    Source,
    Star,
    TableFunction,
    TableName,
    TextTest,
    TypedLiteral,
    TypeName,
    Unary,
    Window,
    With,
)

if TYPE_CHECKING:
    from .lexer import Token


@dataclass(frozen=True, slots=True)
class Default:
    """The word DEFAULT in the place of a written value."""


@dataclass(frozen=True, slots=True)
class Insert:
    """INSERT in all its forms; `columns` is None when the statement names none."""

    table: TableName
    columns: tuple[str, ...] | None
    rows: tuple[tuple[Expression | Default, ...], ...] = ()
    query: Query | None = None
    default_values: bool = False
    or_update: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """UPDATE with its assignments."""

    table: TableName
    assignments: tuple[tuple[str, Expression | Default], ...]
    where: Expression | None
    options: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE."""

    table: TableName
    where: Expression | None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Truncate:
    """TRUNCATE TABLE."""

    table: TableName


@dataclass(frozen=True, slots=True)
class References:
    """The target of a foreign key and what happens when it changes."""

    table: TableName
    columns: tuple[str, ...]
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """One column of CREATE TABLE."""

    name: str
    type: TypeName
    not_null: bool = False
    default: Expression | None = None
    default_text: str | None = None
    collation: str | None = None
    identity: bool = False
    auto_increment: bool = False
    computed: Expression | None = None
    computed_text: str | None = None
    description: str | None = None
    unique: str | None = None
    primary_key: str | None = None
    references: References | None = None
    reference_name: str | None = None
    class_reference: TableName | None = None
    read_only: bool = False
    parameters: tuple[tuple[str, str], ...] = ()
    parts: tuple[ColumnDefinition, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyDefinition:
    """PRIMARY KEY or UNIQUE over columns."""

    kind: str
    name: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForeignKeyDefinition:
    """FOREIGN KEY over columns."""

    name: str | None
    columns: tuple[str, ...]
    references: References


@dataclass(frozen=True, slots=True)
class TriggerDefinition:
    """A trigger of a class: before an UPDATE of a row a column is set to a value, `text` as written."""

    name: str
    column: str
    value: Expression
    text: str


@dataclass(frozen=True, slots=True)
class CreateTable:
    """CREATE TABLE with IRIS's table options and our declared extensions."""

    table: TableName
    columns: tuple[ColumnDefinition, ...]
    keys: tuple[KeyDefinition, ...] = ()
    foreign_keys: tuple[ForeignKeyDefinition, ...] = ()
    description: str | None = None
    public_row_id: bool = False
    class_like: bool = False
    read_only: bool = False
    child_of: TableName | None = None
    child_column: str | None = None
    if_not_exists: bool = False
    query: Query | None = None
    triggers: tuple[TriggerDefinition, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """What ALTER or MODIFY changes of a column; None leaves a part as it is."""

    name: str
    type: TypeName | None = None
    not_null: bool | None = None
    default: Expression | None = None
    default_text: str | None = None
    drops_default: bool = False


@dataclass(frozen=True, slots=True)
class AlterTable:
    """ALTER TABLE with one kind of change; `dropped_constraint` is a name, or PRIMARY KEY."""

    table: TableName
    added: tuple[ColumnDefinition, ...] = ()
    dropped: tuple[str, ...] = ()
    changed: ColumnChange | None = None
    key: KeyDefinition | None = None
    foreign_key: ForeignKeyDefinition | None = None
    dropped_constraint: str | None = None
    renamed: str | None = None
    """The new name of the table."""
    renamed_column: tuple[str, str] | None = None
    """The old and the new name of a column."""


@dataclass(frozen=True, slots=True)
class CreateView:
    """CREATE VIEW; `text` is the query as written."""

    table: TableName
    columns: tuple[str, ...]
    query: Query
    text: str
    check_option: str | None
    replace: bool


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """CREATE INDEX."""

    name: str
    table: TableName
    columns: tuple[tuple[str, bool], ...]
    unique: bool


@dataclass(frozen=True, slots=True)
class Drop:
    """DROP TABLE, DROP VIEW or DROP INDEX."""

    kind: str
    table: TableName | None
    index: str | None = None
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class Explain:
    """EXPLAIN of a statement; `text` is that statement as written."""

    body: Query | Write
    text: str


@dataclass(frozen=True, slots=True)
class SessionWord:
    """A statement that changes nothing that outlives its request, such as COMMIT; `table` must exist."""

    word: str
    table: TableName | None = None


Definition = AlterTable | CreateTable | CreateView | CreateIndex | Drop
Write = Insert | Update | Delete | Truncate
StatementBody = Query | Write | Definition | Explain | SessionWord


@dataclass(frozen=True, slots=True)
class Statement:
    """A parsed statement with the number of its parameters."""

    body: StatementBody
    parameters: int
    tokens: tuple[Token, ...] = field(default=(), repr=False)


__all__ = [
    "AlterTable",
    "Arrow",
    "Between",
    "Binary",
    "Call",
    "Case",
    "Cast",
    "ColumnChange",
    "ColumnDefinition",
    "Comparison",
    "Concatenation",
    "Condition",
    "CreateIndex",
    "CreateTable",
    "CreateView",
    "Default",
    "Definition",
    "Delete",
    "DerivedTable",
    "Drop",
    "Exists",
    "Explain",
    "Expression",
    "ForSome",
    "ForeignKeyDefinition",
    "InList",
    "InQuery",
    "Insert",
    "IsNull",
    "Join",
    "JsonRows",
    "KeyDefinition",
    "Like",
    "Literal",
    "Logical",
    "Name",
    "Not",
    "OrderItem",
    "Parameter",
    "Query",
    "References",
    "Scalar",
    "Select",
    "SelectItem",
    "SessionWord",
    "SetOperation",
    "Source",
    "Star",
    "Statement",
    "StatementBody",
    "TableFunction",
    "TableName",
    "TextTest",
    "TriggerDefinition",
    "Truncate",
    "TypeName",
    "TypedLiteral",
    "Unary",
    "Update",
    "Window",
    "With",
    "Write",
]
