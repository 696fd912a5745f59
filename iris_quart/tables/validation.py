"""Validation of changes before IRIS is asked, with the same messages as IRIS's own refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from typing import Any

from iris_quart.atelier.sqlerrors import explain
from iris_quart.errors import InvalidInput, IrisQuartError, ReadOnly, ValueRefused
from iris_quart.sql.decoding import EPOCH
from iris_quart.sql.metadata import Column, Table
from iris_quart.sql.values import DIGITS_MAX, Category, Wire, number_text, parse

__all__ = [
    "Change",
    "ChangeKind",
    "Plan",
    "check",
    "is_kept",
    "may_become",
    "naming_what_was_given",
    "parse_row_id",
    "parse_seen",
    "rewritten_form",
    "same_value",
    "stored_form",
]

ROW_ID_MAX = 1024
ROUNDING_DIGITS = 2 * DIGITS_MAX + 50


class ChangeKind(StrEnum):
    """Kind of a change."""

    UPDATE = "update"
    INSERT = "insert"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """A change as a client asks for it; values by column name, not yet looked at.

    `base` is what the user saw; None when the client does not say. `previews` are the whole lengths of the values
    in `base` of which only a preview was seen; None when the client does not say which were.
    """

    kind: ChangeKind
    row_id: str | int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    base: Mapping[str, Any] | None = None
    previews: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A change that may be sent: columns of the table with wire values."""

    table: Table
    kind: ChangeKind
    row_id: str | None
    values: dict[Column, Wire]
    base: dict[Column, Wire] | None
    previews: dict[Column, int] | None = None


def check(table: Table, change: Change) -> Plan:
    """Check a change against its table.

    Raises ReadOnly for tables and columns that take no change, InvalidInput for values that do not fit their
    type and for what is missing or unknown, ValueRefused for values out of bounds and ConstraintViolation for
    required columns without a value.
    """
    if table.read_only_reason is not None:
        raise ReadOnly(table.read_only_reason, field="tableName")
    if not table.has_row_id:
        raise ReadOnly("Rows of this table cannot be identified, so none is changed.", field="tableName")
    row_id = None
    if change.kind is not ChangeKind.INSERT:
        row_id = parse_row_id(change.row_id)
    elif change.row_id is not None:
        raise InvalidInput("IRIS assigns the ID of a new row; leave rowId out.", field="rowId")
    values: dict[Column, Wire] = {}
    if change.kind is not ChangeKind.DELETE:
        for name, value in change.values.items():
            column = table.column(name, field=name[:128])
            if column in values:
                raise InvalidInput(f"{column.name} is named twice.", field=column.name)
            values[column] = _new_value(table, column, value, change.kind)
        if change.kind is ChangeKind.UPDATE and not values:
            raise InvalidInput("There is nothing to change: values is empty.", field="values")
    elif change.values:
        raise InvalidInput("A deletion has no values; leave values out.", field="values")
    if change.kind is ChangeKind.INSERT:
        _required(table, values)
        return Plan(table, change.kind, None, values, None)
    base = None
    if change.base is not None:
        base = {}
        for name, value in change.base.items():
            column = table.column(name, field=name[:128])
            base[column] = parse_seen(column, value)
    previews = None
    if change.previews is not None:
        previews = {table.column(name, field="previews"): length for name, length in change.previews.items()}
    return Plan(table, change.kind, row_id, values, base, previews)


def parse_row_id(value: Any, *, name: str = "rowId") -> str:
    """Read a row ID, text or a whole number. Raises InvalidInput naming the field."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 256:
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value) <= ROW_ID_MAX or "\0" in value:
        raise InvalidInput("A row ID is text of 1 to 1024 characters.", field=name)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInput("A row ID is text.", field=name) from None
    return value


def parse_seen(column: Column, value: Any) -> Wire:
    """Read a value that was seen in a column: what breaks the column's own type stays what it is."""
    if isinstance(value, list | dict):
        raise InvalidInput("A value is text, a number, true, false or null.", field=column.name)
    if value is None:
        return None
    if column.category.is_stream or column.category.is_preview:
        return parse(Category.TEXT, value, field=column.name)
    if column.category.is_temporal and isinstance(value, str):
        return value
    try:
        return parse(column.category, value, field=column.name)
    except InvalidInput:
        if isinstance(value, str):
            return value
        if column.category.is_number and isinstance(value, int | Decimal) and not isinstance(value, bool):
            return parse(Category.NUMERIC, value, field=column.name)
        raise


def _new_value(table: Table, column: Column, value: Any, kind: ChangeKind) -> Wire:
    if column.read_only_reason is not None:
        raise ReadOnly(f"{column.name}: {column.read_only_reason}", field=column.name)
    wire = parse(column.category, value, field=column.name)
    if wire is None:
        if not column.nullable:
            raise _refusal(-108, table, column, None, "It cannot be NULL.")
        return None
    sqlcode = -104 if kind is ChangeKind.INSERT else -105
    if isinstance(wire, str) and column.category is Category.TEXT:
        if column.max_length is not None and 0 < column.max_length < len(wire):
            hint = f"It accepts at most {column.max_length} characters, and this has {len(wire)}."
            raise _refusal(sqlcode, table, column, wire, hint)
    elif (
        column.category is Category.NUMERIC
        and not isinstance(wire, str)
        and column.precision
        and column.scale is not None
    ):
        before = column.precision - column.scale
        if before > 0 and abs(Decimal(wire)) >= Decimal(10) ** before:
            hint = f"It accepts at most {before} digits before the decimal point."
            raise _refusal(sqlcode, table, column, wire, hint)
    return wire


def _required(table: Table, values: Mapping[Column, Wire]) -> None:
    missing = [
        column
        for column in table.columns
        if column not in values and column.editable and not column.nullable and not column.has_default
    ]
    if missing:
        names = ", ".join(column.name for column in missing)
        error = explain(-108, {"field": names, "table": table.full_name}, hint="Fill it in.")
        error.field = missing[0].name
        raise error


def _refusal(sqlcode: int, table: Table, column: Column, wire: Wire, hint: str) -> IrisQuartError:
    names = {"field": column.name, "table": table.full_name}
    if wire is not None:
        names["value"] = wire if isinstance(wire, str) else number_text(wire)
    return explain(sqlcode, names, hint=hint)


def naming_what_was_given(plan: Plan, error: IrisQuartError) -> IrisQuartError:
    """Return a refusal that names the date or time that was given, not the number that IRIS stores it as."""
    if not isinstance(error, ValueRefused) or error.sqlcode not in {-104, -105}:
        return error
    column = next((column for column in plan.values if column.name == error.field), None)
    wire = None if column is None else plan.values[column]
    if column is None or not column.category.is_temporal or not isinstance(wire, str):
        return error
    before_epoch = column.category is Category.DATE and wire < EPOCH.isoformat()
    hint = (
        f"It takes no date before {EPOCH.isoformat()}, the first day that IRIS counts from."
        if before_epoch
        else None
    )
    names = {"field": column.name, "table": plan.table.full_name, "value": wire}
    return explain(error.sqlcode, names, hint=hint, sqlcode_known=True)


def same_value(column: Column, one: Wire, other: Wire) -> bool:
    """Return whether two wire values are the same value of a column."""
    if one is None or other is None:
        return one is other
    if isinstance(one, str) and isinstance(other, str):
        if one == other:
            return True
        return column.category.is_temporal and _plain_time(one) == _plain_time(other)
    if isinstance(one, str) or isinstance(other, str):
        return False
    return Decimal(one) == Decimal(other) or (
        column.category is Category.DOUBLE and float(one) == float(other)
    )


def stored_form(column: Column, sent: Wire, found: Wire) -> bool:
    """Check whether `found` is exactly what the column's own type makes of `sent`.

    A fraction is rounded to the declared scale, a moment is cut to the declared digits (a POSIXTIME to its six),
    and text to its length. A type whose digits are not known makes nothing else of a value.
    """
    if same_value(column, sent, found):
        return True
    if sent is None or found is None:
        return False
    if isinstance(sent, str) and isinstance(found, str):
        if column.category.is_temporal:
            digits = _fraction_digits(column)
            return digits is not None and _cut_to(sent, digits) == _plain_time(found)
        return column.max_length is not None and found == sent[: column.max_length]
    if isinstance(sent, str) or isinstance(found, str) or column.category is not Category.NUMERIC:
        return False
    return column.scale is not None and _rounded(sent, column.scale) == Decimal(found)


def may_become(column: Column, sent: Wire, found: Wire) -> bool:
    """Check whether the column's type can turn `sent` into `found`, with the digits that are not known open."""
    if stored_form(column, sent, found):
        return True
    if not (column.category.is_temporal and isinstance(sent, str) and isinstance(found, str)):
        return False
    if column.category is Category.DATE or _fraction_digits(column) is not None:
        return False
    return _cut_to(sent, len(_plain_time(found).partition(".")[2])) == _plain_time(found)


def is_kept(column: Column, sent: Wire) -> bool:
    """Check whether the column surely stores `sent` as it is, or refuses it."""
    if column.category.is_temporal and isinstance(sent, str):
        digits = len(_plain_time(sent).partition(".")[2])
        return digits <= (_fraction_digits(column) or 0)
    if column.category is not Category.NUMERIC or sent is None or isinstance(sent, str):
        return True
    return _rounded(sent, column.scale or 0) == Decimal(sent)


def _rounded(number: int | Decimal, scale: int) -> Decimal:
    """Return a number rounded half away from zero; all its digits fit (values.DIGITS_MAX)."""
    number = Decimal(number)
    if int(number.as_tuple().exponent) >= -scale:
        return number
    with localcontext(prec=ROUNDING_DIGITS):
        return number.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)


def _fraction_digits(column: Column) -> int | None:
    """Return how many digits of a second a column keeps; None when nothing tells.

    INFORMATION_SCHEMA has no precision of moments (DATETIME_PRECISION is NULL in release 2024.1); a POSIXTIME counts
    microseconds (class reference of %Library.PosixTime).
    """
    return 6 if column.category is Category.POSIXTIME else column.scale


def _cut_to(text: str, digits: int) -> str:
    whole, _, fraction = text.partition(".")
    return _plain_time(f"{whole}.{fraction[:digits]}")


def rewritten_form(sent: Wire, found: Wire) -> bool:
    """Return whether a trigger may have turned text that was sent into what was found: other case, no blanks."""
    return (
        isinstance(sent, str)
        and isinstance(found, str)
        and sent != found
        and sent.casefold().strip() == found.casefold().strip()
    )


def _plain_time(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
