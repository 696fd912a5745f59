"""The syntax tree of expressions and queries."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .clause_nodes import JsonRows, Window


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: text, number or NULL."""

    value: str | int | float | Decimal | None


@dataclass(frozen=True, slots=True)
class TypedLiteral:
    """An ODBC literal `{d '...'}`, `{t '...'}` or `{ts '...'}`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """The n-th `?` of the statement, counted from zero."""

    index: int


@dataclass(frozen=True, slots=True)
class Name:
    """A column, perhaps with its table; `position` is the token, for error texts."""

    column: str
    table: tuple[str, ...]
    delimited: bool
    position: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """An implicit join: `reference->field`."""

    reference: Expression
    column: str
    position: int


@dataclass(frozen=True, slots=True)
class Star:
    """`*` or `t.*`."""

    table: str | None


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign before an expression."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    r"""Arithmetic: `+ - * / #` and the integer division `\`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Concatenation:
    """`a || b || c`."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Logical:
    """`AND` or `OR` over two or more conditions."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """A negated condition."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Comparison:
    """`= <> < <= > >=`; with a quantifier the right side is a query."""

    operator: str
    left: Expression
    right: Expression
    quantifier: str | None = None


@dataclass(frozen=True, slots=True)
class IsNull:
    """`x IS [NOT] NULL`."""

    operand: Expression
    negated: bool


@dataclass(frozen=True, slots=True)
class Between:
    """`x [NOT] BETWEEN low AND high`."""

    operand: Expression
    low: Expression
    high: Expression
    negated: bool


@dataclass(frozen=True, slots=True)
class InList:
    """`x [NOT] IN (a, b, ...)`."""

    operand: Expression
    items: tuple[Expression, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class InQuery:
    """`x [NOT] IN (SELECT ...)`."""

    operand: Expression
    query: Query
    negated: bool


@dataclass(frozen=True, slots=True)
class Like:
    """`x [NOT] LIKE pattern [ESCAPE character]`."""

    operand: Expression
    pattern: Expression
    escape: Expression | None
    negated: bool


@dataclass(frozen=True, slots=True)
class TextTest:
    """`x %STARTSWITH y`, `x [ y`, `x %INLIST y`, `x %MATCHES y` or `x %PATTERN y`."""

    operator: str
    operand: Expression
    value: Expression
    negated: bool


@dataclass(frozen=True, slots=True)
class ForSome:
    """`FOR SOME %ELEMENT(list) [name] (condition on %VALUE and %KEY)`."""

    operand: Expression
    name: str | None
    condition: Expression


@dataclass(frozen=True, slots=True)
class Exists:
    """`EXISTS (SELECT ...)`."""

    query: Query


@dataclass(frozen=True, slots=True)
class Case:
    """`CASE [x] WHEN ... THEN ... [ELSE ...] END`."""

    operand: Expression | None
    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression | None


@dataclass(frozen=True, slots=True)
class TypeName:
    """A data type as written: its words in upper case and its numbers."""

    name: str
    arguments: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Cast:
    """`CAST(x AS type)`, `CONVERT(type, x [, style])` and `{fn CONVERT(x, SQL_TYPE)}`."""

    operand: Expression
    type: TypeName
    style: Expression | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A function or aggregate by name; `star` is COUNT(*)."""

    name: str
    arguments: tuple[Expression, ...]
    position: int
    distinct: bool = False
    star: bool = False
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A query in the place of a value."""

    query: Query


Condition = (
    Logical | Not | Comparison | IsNull | Between | InList | InQuery | Like | TextTest | Exists | ForSome
)
Expression = (
    Literal
    | TypedLiteral
    | Parameter
    | Name
    | Arrow
    | Star
    | Unary
    | Binary
    | Concatenation
    | Case
    | Cast
    | Call
    | Scalar
    | Condition
)


@dataclass(frozen=True, slots=True)
class SelectItem:
    """One item of a select list with its alias."""

    expression: Expression
    alias: str | None


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One item of ORDER BY."""

    expression: Expression
    descending: bool


@dataclass(frozen=True, slots=True)
class TableName:
    """A table as written, with its alias; the schema may be missing."""

    schema: str | None
    name: str
    alias: str | None
    position: int
    delimited: bool = False

    def shown(self) -> str:
        """Return the qualified name as IRIS writes it in parse errors (undelimited ones upper case)."""
        name = f"{self.schema or 'SQLUser'}.{self.name}"
        return name if self.delimited else name.upper()


@dataclass(frozen=True, slots=True)
class TableFunction:
    """A procedure in FROM: `schema.name(arguments) [alias]`."""

    schema: str | None
    name: str
    arguments: tuple[Expression, ...]
    alias: str | None


@dataclass(frozen=True, slots=True)
class DerivedTable:
    """A query in FROM."""

    query: Query
    alias: str | None


@dataclass(frozen=True, slots=True)
class Join:
    """A joined source: kind is INNER, LEFT, RIGHT, FULL or CROSS."""

    kind: str
    left: Source
    right: Source
    condition: Expression | None
    using: tuple[str, ...] = ()
    natural: bool = False


Source = TableName | TableFunction | DerivedTable | JsonRows | Join


@dataclass(frozen=True, slots=True)
class Select:
    """One SELECT; `limit` and `offset` are those of TOP, LIMIT, OFFSET and FETCH alike."""

    items: tuple[SelectItem, ...]
    sources: tuple[Source, ...] = ()
    distinct: bool = False
    distinct_by: tuple[Expression, ...] = ()
    where: Expression | None = None
    group: tuple[Expression, ...] = ()
    having: Expression | None = None
    order: tuple[OrderItem, ...] = ()
    limit: Expression | None = None
    offset: Expression | None = None
    limited_by: str | None = None


@dataclass(frozen=True, slots=True)
class SetOperation:
    """`a UNION [ALL] b`; IRIS has no EXCEPT and no INTERSECT."""

    operator: str
    every: bool
    left: Query
    right: Query
    order: tuple[OrderItem, ...] = ()
    limit: Expression | None = None
    offset: Expression | None = None
    limited_by: str | None = None


@dataclass(frozen=True, slots=True)
class With:
    """`WITH name AS (...)` before a query."""

    tables: tuple[tuple[str, tuple[str, ...], Query], ...]
    body: Query


Query = Select | SetOperation | With

__all__ = [
    "Arrow",
    "Between",
    "Binary",
    "Call",
    "Case",
    "Cast",
    "Comparison",
    "Concatenation",
    "Condition",
    "DerivedTable",
    "Exists",
    "Expression",
    "ForSome",
    "InList",
    "InQuery",
    "IsNull",
    "Join",
    "JsonRows",
    "Like",
    "Literal",
    "Logical",
    "Name",
    "Not",
    "OrderItem",
    "Parameter",
    "Query",
    "Scalar",
    "Select",
    "SelectItem",
    "SetOperation",
    "Source",
    "Star",
    "TableFunction",
    "TableName",
    "TextTest",
    "TypeName",
    "TypedLiteral",
    "Unary",
    "Window",
    "With",
]
