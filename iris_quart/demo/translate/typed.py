"""Typed SQLite expressions: the text, the type it has, and its collation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from iris_quart.demo.catalog.tables import Column, Table
from iris_quart.demo.core.conversions import Stored, Value, comparable
from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.core.types import (
    BIGINT,
    BINARY,
    BINARY_STREAM,
    DECIMAL,
    DOUBLE,
    DOUBLE_TYPE,
    EXACT,
    INTEGER,
    NUMERIC,
    TEXT,
    TEXT_STREAM,
    TIME,
    VARCHAR,
    SqlType,
)

from .plans import Slot

COLUMN, LITERAL, PARAMETER, AGGREGATE, EXPRESSION, SUBQUERY, WINDOW = (
    "column",
    "Literal",
    "HostVar",
    "Aggregate",
    "Expression",
    "Subquery",
    "Window",
)


@dataclass(frozen=True, slots=True)
class Typed:
    """One translated expression.

    Constants and parameters have no text yet: the form they take depends on where they stand. `collated` marks
    the explicit `%SQLUPPER(x)`, whose value as a result is the collated one; `pseudo` marks %TABLENAME and the like,
    `document` what a function of JSON or XML returns.
    A stream out of a derived table knows its `row` and the table that is its `owner`.
    """

    sql: str
    type: SqlType
    collation: str = EXACT
    category: str = EXPRESSION
    label: str | None = None
    value: Value = None
    parameter: int = 0
    column: Column | None = None
    table: Table | None = None
    source: str = ""
    collated: bool = False
    pseudo: bool = False
    document: bool = False
    row: str = ""
    owner: str | None = None

    @property
    def table_name(self) -> str | None:
        """Return the full name of the table of its column."""
        return self.table.full_name if self.table is not None else self.owner

    @property
    def kind(self) -> str:
        """Return the kind of its values."""
        return self.type.kind

    @property
    def open(self) -> bool:
        """Return whether it takes its type from where it stands."""
        return self.category == PARAMETER or (self.category == LITERAL and isinstance(self.value, str))

    @property
    def is_null(self) -> bool:
        """Return whether it is the word NULL."""
        return self.category == LITERAL and self.value is None


class Slots:
    """Number the parameters of one query, one slot for each form that a parameter is needed in."""

    def __init__(self) -> None:
        self.found: dict[Slot, int] = {}

    def place(self, parameter: int, kind: str) -> str:
        """Return the SQLite placeholder of a parameter in the form of a kind."""
        number = self.found.setdefault(Slot(parameter, kind), len(self.found) + 1)
        return f"?{number}"

    def listed(self) -> tuple[Slot, ...]:
        """Return the slots in the order of their numbers."""
        return tuple(self.found)


def constant(value: Stored) -> str:
    """Return a stored value as SQLite text."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value) if value >= -(2**63) + 1 else "(-9223372036854775807 - 1)"
    if isinstance(value, float):
        text = repr(value)
        return {"inf": "9e999", "-inf": "-9e999"}.get(text, text)
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if "\0" in value:
        return f"CAST(X'{value.encode().hex()}' AS TEXT)"
    return "'" + value.replace("'", "''") + "'"


class Rendering:
    """Write typed expressions as SQLite text in the form that their place asks for."""

    def __init__(self, *, odbc: bool) -> None:
        self.slots = Slots()
        self.odbc = odbc

    def plain(self, item: Typed) -> str:
        """Return the text of an expression in its own kind."""
        if item.category == PARAMETER:
            return self.slots.place(item.parameter, item.kind)
        if item.category == LITERAL:
            return constant(comparable(item.value, TEXT, item.kind, odbc=self.odbc))
        if item.collated:
            return f"iris_collated({item.sql}, '{item.collation}')"
        return item.sql

    def as_kind(self, item: Typed, kind: str) -> str:
        """Return the text of an expression as another kind, for a comparison or an argument."""
        if item.category == PARAMETER:
            return self.slots.place(item.parameter, kind)
        if item.category == LITERAL:
            source = TEXT if isinstance(item.value, str) else item.kind
            return constant(comparable(item.value, source, kind, odbc=self.odbc))
        sql = item.sql
        if same_form(item.kind, kind):
            return sql
        if kind == DOUBLE and item.kind == INTEGER:
            return f"CAST({sql} AS REAL)"
        return f"iris_as({sql}, '{item.kind}', '{kind}', {int(self.odbc)})"

    def as_text(self, item: Typed) -> str:
        """Return the text of an expression as an argument of a text function."""
        if item.type.is_stream:
            raise stream_error(item, "string functions")
        if item.collated:
            return self.plain(item)
        return self.as_kind(item, TEXT)


def same_form(kind: str, other: str) -> bool:
    """Return whether two kinds are held alike."""
    if kind == other:
        return True
    forms = ({DECIMAL, TIME}, {TEXT, TEXT_STREAM, "list"}, {BINARY, BINARY_STREAM}, {INTEGER, "date"})
    return any(kind in form and other in form for form in forms)


def common_kind(left: Typed, right: Typed) -> str:
    """Return the kind in which two expressions are compared; raise -313 for a stream."""
    for item in (left, right):
        if item.type.is_stream:
            raise SqlError(
                -313, f"Invalid operation on a stream field: {item.label or 'stream'} in a comparison"
            )
    if left.open and not right.open:
        return right.kind if not right.is_null else left.kind
    if right.open and not left.open:
        return left.kind if not left.is_null else right.kind
    kinds = {left.kind, right.kind}
    if left.is_null or right.is_null:
        return right.kind if left.is_null else left.kind
    if len(kinds) == 1:
        return left.kind
    for kind in ("posixtime", "timestamp", DOUBLE, TIME, DECIMAL, "date", INTEGER, BINARY):
        if kind in kinds:
            return DECIMAL if kind in ("date", INTEGER) and DECIMAL in kinds else kind
    return TEXT


def collation_of(left: Typed, right: Typed) -> str:
    """Return the collation of a comparison: that of a column or collating function, else exact."""
    if left.category in (LITERAL, PARAMETER):
        return right.collation
    if right.category in (LITERAL, PARAMETER) or left.collation == right.collation:
        return left.collation
    return left.collation if left.column is not None or left.collated else right.collation


def with_collation(sql: str, kind: str, collation: str) -> str:
    """Return text with its collation written out, so that a declared one never slips in."""
    if kind not in (TEXT, "list"):
        return sql
    return f"{sql} COLLATE {'BINARY' if collation == EXACT else collation}"


def document_kind(item: Typed) -> str:
    """Return how JSON writes a value: as a document, a number or a text."""
    if item.document:
        return "j"
    return "n" if item.type.is_number and not item.is_null and item.category != PARAMETER else "t"


def stream_error(item: Typed, where: str) -> SqlError:
    """Return -37 for a function that takes no streams."""
    return SqlError(
        -37, f"Scalar, aggregate and unary functions not supported for stream fields: {item.label} in {where}"
    )


def literal(value: Value) -> Typed:
    """Return a constant."""
    data_type = VARCHAR
    if isinstance(value, Decimal):
        data_type = NUMERIC
    elif isinstance(value, float):
        data_type = DOUBLE_TYPE
    elif isinstance(value, int):
        data_type = BIGINT if -(2**63) <= value < 2**63 else NUMERIC
    return Typed("", data_type, category=LITERAL, value=value)


def relabelled(item: Typed, label: str | None) -> Typed:
    """Return an expression under another label."""
    return replace(item, label=label)


__all__ = [
    "Rendering",
    "Slots",
    "Typed",
    "collation_of",
    "common_kind",
    "constant",
    "document_kind",
    "literal",
    "relabelled",
    "same_form",
    "stream_error",
    "with_collation",
]
