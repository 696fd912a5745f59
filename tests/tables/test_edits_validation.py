"""Changes checked before IRIS is asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from iris_quart.atelier.sqlerrors import sql_error
from iris_quart.errors import ConstraintViolation, InvalidInput, IrisQuartError, ReadOnly, ValueRefused
from iris_quart.sql.identifiers import quote
from iris_quart.sql.metadata import Column, Identity, IdentityKind, Table, TableKind
from iris_quart.sql.values import Category
from iris_quart.tables.validation import (
    Change,
    ChangeKind,
    check,
    naming_what_was_given,
    parse_row_id,
    parse_seen,
)

COLUMNS = (
    Column("ID", "bigint", Category.INTEGER, read_only_reason="IRIS gives each row its ID.", sql=quote("ID")),
    Column("Name", "varchar", Category.TEXT, nullable=False, max_length=5, sql=quote("Name")),
    Column("Code", "varchar", Category.TEXT, nullable=False, has_default=True, sql=quote("Code")),
    Column("Price", "numeric", Category.NUMERIC, precision=5, scale=2, sql=quote("Price")),
    Column("Born", "date", Category.DATE, sql=quote("Born")),
    Column("Story", "longvarchar", Category.LONG_TEXT, max_length=3, sql=quote("Story")),
    Column("Data", "varbinary", Category.BINARY, read_only_reason="Binary.", sql=quote("Data")),
)
TABLE = Table("USER", "S", "T", TableKind.TABLE, COLUMNS, Identity(IdentityKind.ROW_ID))


def update(**values: Any) -> Change:
    return Change(ChangeKind.UPDATE, "1", values, None)


def insert(**values: Any) -> Change:
    return Change(ChangeKind.INSERT, None, values, None)


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        (update(), InvalidInput, "values"),
        (update(Nope=1), InvalidInput, "Nope"),
        (update(ID=5), ReadOnly, "ID"),
        (update(Data="x"), ReadOnly, "Data"),
        (update(Name=None), ConstraintViolation, "Name"),
        (update(Name="sixsix"), ValueRefused, "Name"),
        (update(Price="x"), InvalidInput, "Price"),
        (update(Price=1000), ValueRefused, "Price"),
        (update(Price=Decimal("-1000.00")), ValueRefused, "Price"),
        (update(Price=10**4000), InvalidInput, "Price"),
        (update(Price="9" * 4000), InvalidInput, "Price"),
        (update(Price=float("nan")), InvalidInput, "Price"),
        (update(Born="31.12.2020"), InvalidInput, "Born"),
        (update(Name="a", name="b"), InvalidInput, "Name"),
        (insert(), ConstraintViolation, "Name"),
        (insert(Name=None), ConstraintViolation, "Name"),
        (insert(Name="a", ID=1), ReadOnly, "ID"),
        (Change(ChangeKind.INSERT, "1", {"Name": "a"}), InvalidInput, "rowId"),
        (Change(ChangeKind.DELETE, "1", {"Name": "a"}), InvalidInput, "values"),
        (Change(ChangeKind.UPDATE, None, {"Name": "a"}), InvalidInput, "rowId"),
        (Change(ChangeKind.UPDATE, "1", {"Name": "a"}, {"Nope": 1}), InvalidInput, "Nope"),
        (Change(ChangeKind.UPDATE, "1", {"Name": "a"}, {"Name": [1]}), InvalidInput, "Name"),
    ],
)
def test_change_that_is_refused(change: Change, error: type[IrisQuartError], field: str) -> None:
    with pytest.raises(error) as caught:
        check(TABLE, change)
    assert type(caught.value) is error
    assert caught.value.field == field
    assert caught.value.sqlcode is None
    assert len(caught.value.message) < 400


def test_refusal_says_what_the_column_takes() -> None:
    with pytest.raises(ValueRefused) as caught:
        check(TABLE, update(Name="sixsix"))
    assert (
        caught.value.message
        == "Name does not accept “sixsix”. It accepts at most 5 characters, and this has 6."
    )
    assert caught.value.details == {"table": "S.T", "column": "Name", "value": "sixsix"}


def test_change_that_is_taken() -> None:
    plan = check(TABLE, update(name="five!", Price="999.99", Born=None, Story="longer than three"))
    assert {column.name: value for column, value in plan.values.items()} == {
        "Name": "five!",
        "Price": Decimal("999.99"),
        "Born": None,
        "Story": "longer than three",
    }
    assert plan.base is None
    assert check(TABLE, insert(Name="a")).row_id is None


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (
            Table(
                "U",
                "S",
                "V",
                TableKind.VIEW,
                COLUMNS,
                Identity(IdentityKind.NONE),
                read_only_reason="A view.",
            ),
            "A view.",
        ),
        (Table("U", "S", "V", TableKind.VIEW, COLUMNS, Identity(IdentityKind.NONE)), "identified"),
    ],
)
def test_table_that_takes_no_change(table: Table, reason: str) -> None:
    with pytest.raises(ReadOnly, match=reason):
        check(table, insert(Name="a"))


@pytest.mark.parametrize("value", [None, "", True, 1.5, [], {}, "x" * 1025, "a\0", "\ud800", 2**255])
def test_row_id_that_is_none(value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_row_id(value)
    assert caught.value.field == "rowId"


@pytest.mark.parametrize(
    ("value", "text"), [(1, "1"), ("1||2", "1||2"), ("é", "é"), (-5, "-5"), (2**255 - 1, str(2**255 - 1))]
)
def test_row_id_is_text(value: Any, text: str) -> None:
    assert parse_row_id(value) == text


def test_value_that_broke_its_column_is_seen_as_it_is() -> None:
    assert parse_seen(COLUMNS[3], "not a number") == "not a number"
    assert parse_seen(COLUMNS[3], "1.50") == Decimal("1.50")
    assert parse_seen(COLUMNS[4], "2020-13-45") == "2020-13-45"
    assert parse_seen(COLUMNS[0], Decimal("1.5")) == Decimal("1.5")
    assert parse_seen(COLUMNS[0], 2**70) == 2**70
    assert parse_seen(COLUMNS[1], 42) == "42"
    assert parse_seen(COLUMNS[1], None) is None
    with pytest.raises(InvalidInput):
        parse_seen(COLUMNS[3], {"a": 1})


def test_a_refused_date_is_named_as_it_was_given() -> None:
    plan = check(TABLE, update(Born="1820-03-01", Name="ab"))
    text = "ERROR #5540: SQLCODE: -105 Message: Field 'S.T.Born' (value '-7610') failed validation"
    error = naming_what_was_given(plan, sql_error(text))
    assert isinstance(error, ValueRefused)
    assert error.message == (
        "Born does not accept “1820-03-01”. It takes no date before 1840-12-31, the first day that IRIS counts from."
    )
    assert (error.sqlcode, error.field, error.server_text) == (-105, "Born", None)
    other = sql_error(text.replace("Born", "Name"))
    assert naming_what_was_given(plan, other) is other
