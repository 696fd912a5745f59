"""Plans: what a translated statement needs to run, kept in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from iris_quart.demo.catalog.tables import Column, Table
from iris_quart.demo.core.conversions import Stored, Value, comparable
from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.core.types import TEXT, SqlType
from iris_quart.demo.parse import nodes

BY_ROW_ID: Final = "row ID"
BACKWARDS: Final = "backwards"
Unordered = Literal["row ID", "backwards"] | int
"""How rows come without ORDER BY: by row ID, backwards, or scrambled by a seed."""

Parameter = str | int | float | Decimal | bool | None


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in the SQLite text where a parameter goes, in the form its context asks for."""

    parameter: int
    kind: str


@dataclass(frozen=True, slots=True)
class Output:
    """One column of an answer."""

    label: str
    type: SqlType


@dataclass(frozen=True, slots=True)
class Written:
    """Where a written value comes from: a constant, a parameter, a default or a computed output."""

    source: str
    value: Value = None
    index: int = 0
    kind: str = TEXT


@dataclass(frozen=True, slots=True)
class Query:
    """A translated query: SQLite text, its slots and its columns."""

    sql: str
    slots: tuple[Slot, ...]
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement ready to run.

    `reads` and `writes` name the tables whose grants a caller may want checked.
    """

    kind: str
    parameters: int
    query: Query | None = None
    table: Table | None = None
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Written, ...], ...] = ()
    or_update: bool = False
    checks: Query | None = None
    definition: nodes.Definition | None = None
    reads: frozenset[str] = frozenset()
    writes: tuple[tuple[str, str], ...] = ()
    text: str = field(default="", repr=False)


def bind(slots: Sequence[Slot], parameters: Sequence[Parameter], *, odbc: bool) -> list[Stored]:
    """Return the values to give SQLite for a query's slots."""
    return [comparable(plain(parameters[slot.parameter]), TEXT, slot.kind, odbc=odbc) for slot in slots]


def plain(value: Parameter) -> Value:
    """Return a parameter as a logical value: IRIS has no booleans, and JSON's are 1 and 0."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise SqlError(-400, "Fatal error occurred: <WIDE CHAR>") from None
    return value


__all__ = [
    "BACKWARDS",
    "BY_ROW_ID",
    "Output",
    "Parameter",
    "Plan",
    "Query",
    "Slot",
    "Unordered",
    "Written",
    "bind",
    "plain",
]
