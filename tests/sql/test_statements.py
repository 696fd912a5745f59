"""Statements: their text depends on shapes alone, and names cannot break out of their quotes."""

from __future__ import annotations

import itertools
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_quart.errors import InvalidInput
from iris_quart.sql.filters import Operator, make_filter
from iris_quart.sql.metadata import Column, Identity, IdentityKind, Table, TableKind
from iris_quart.sql.pages import (
    Boundary,
    RowQuery,
    count_statement,
    decode_cursor,
    encode_cursor,
    jump_statement,
    keyset_statement,
    row_id_parameter,
    sorted_by,
)
from iris_quart.sql.projection import Projection
from iris_quart.sql.server_format import ServerFormat
from iris_quart.sql.values import Category, Fragment
from tests.sql.test_values import BY_CATEGORY

HOSTILE = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=40)
COMPARABLE = [category for category in BY_CATEGORY if category is not Category.LONG_TEXT]
ONE_VALUE = [
    Operator.EQUALS,
    Operator.NOT_EQUALS,
    Operator.GREATER,
    Operator.GREATER_OR_EQUAL,
    Operator.LESS,
    Operator.LESS_OR_EQUAL,
]


def table_of(*columns: tuple[str, Category]) -> Table:
    """Make a table description with these columns."""
    made = tuple(
        Column(name, "varchar", category, sql='"' + name.replace('"', '""') + '"')
        for name, category in columns
    )
    return Table("USER", "S", "T", TableKind.TABLE, made, Identity(IdentityKind.ROW_ID))


def page_of(view: RowQuery, boundary: Boundary | None = None) -> Fragment:
    projection = Projection(view.table, view.columns, ServerFormat(), preview=200)
    return keyset_statement(view, projection, boundary, limit=10)


def test_a_view_read_in_many_ways_is_asked_for_as_a_new_one_is() -> None:
    table = table_of(("a", Category.INTEGER), ("b", Category.TEXT))
    boundaries = [None, Boundary((), "7"), Boundary((), "8||1"), Boundary((1,), "7"), Boundary((None,), "7")]
    orders = {sort: sorted_by(table, [("a", False)] if sort else []) for sort in (False, True)}
    kept = {sort: RowQuery(table, table.columns, order) for sort, order in orders.items()}
    narrow = Projection(table, table.columns[:1], ServerFormat(), preview=200)
    wide = Projection(table, table.columns, ServerFormat(), preview=200)
    for again in range(2):
        for boundary, projection, reverse, inclusive, limit in itertools.product(
            boundaries, (narrow, wide), (False, True), (False, True), (1, 10)
        ):
            sort = boundary is not None and bool(boundary.values)
            fresh = RowQuery(table, table.columns, orders[sort])
            expected, found = (
                keyset_statement(
                    view, projection, boundary, limit=limit, reverse=reverse, inclusive=inclusive
                )
                for view in (fresh, kept[sort])
            )
            assert found == expected, (again, boundary)


def without_strings(sql: str) -> str:
    """Take out delimited identifiers and literals, so that what is left is the skeleton."""
    return re.sub(r"'(?:[^']|'')*'", "'x'", re.sub(r'"(?:[^"]|"")*"', '"n"', sql))


@given(st.sampled_from(COMPARABLE), st.sampled_from(ONE_VALUE), st.booleans(), st.data())
def test_text_is_the_same_for_all_values(
    category: Category, operator: Operator, match_case: bool, data: st.DataObject
) -> None:
    table = table_of(("c", category), ("d", Category.TEXT))
    # '' and the digits of a fraction are part of the shape, by decision.
    shaped = BY_CATEGORY[category].filter(
        lambda value: value != "" and "." not in str(value).partition(":")[2]
    )
    texts = set()
    for _ in range(3):
        value = data.draw(shaped)
        chosen = make_filter(table, "c", operator, value, match_case=match_case)
        assert chosen is not None
        view = RowQuery(
            table,
            table.columns,
            sorted_by(table, [("c", True), ("d", False)]),
            (chosen,),
            search=data.draw(HOSTILE.filter(str.strip)),
        )
        boundary = Boundary((value, data.draw(HOSTILE)), str(data.draw(st.integers(1, 10**12))))
        statement = page_of(view, boundary)
        assert statement.sql.count("?") == len(statement.parameters)
        assert "?" not in without_strings(statement.sql).replace("?", "", len(statement.parameters))
        texts.add(statement.sql)
        texts.add(count_statement(view).sql)
    assert len([text for text in texts if "COUNT(*)" in text]) == 1
    assert len(texts) == 2


@given(st.lists(HOSTILE, min_size=1, max_size=4, unique_by=str.lower))
def test_hostile_names_stay_in_their_quotes(names: list[str]) -> None:
    table = table_of(*((name, Category.TEXT) for name in names))
    plain = table_of(*((f"c{index}", Category.TEXT) for index in range(len(names))))
    sort = [(column.name, False) for column in table.columns]
    statement = page_of(RowQuery(table, table.columns, sorted_by(table, sort)))
    expected = page_of(
        RowQuery(plain, plain.columns, sorted_by(plain, [(c.name, False) for c in plain.columns]))
    )
    assert without_strings(statement.sql) == without_strings(expected.sql)


def test_hidden_columns_never_hide_one_of_the_table() -> None:
    table = table_of(
        ("row_id", Category.TEXT), ("LENGTH_2", Category.LONG_TEXT), ("length_1", Category.BINARY)
    )
    projection = Projection(table, table.columns, ServerFormat(), preview=20)
    aliases = re.findall(r'AS "([^"]+)"', projection.sql)
    assert len({alias.lower() for alias in aliases}) == len(aliases)


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("1", 1),
        ("-5", -5),
        ("007", "007"),
        ("1||2", "1||2"),
        ("9" * 30, "9" * 30),
        ("", ""),
        ("²", "²"),
        ("--1", "--1"),
    ],
)
def test_row_ids_are_numbers_only_when_they_are_written_so(text: str, parameter: Any) -> None:
    assert row_id_parameter(text) == parameter


@given(
    st.lists(
        st.one_of(
            st.none(), st.integers(-(2**70), 2**70), st.decimals(allow_nan=False, allow_infinity=False)
        ),
        max_size=3,
    ),
    st.text(min_size=1, max_size=20),
    st.none() | st.integers(0, 2**50),
)
def test_cursor_reads_back(values: list[Any], row_id: str, position: int | None) -> None:
    names = ["a", "b", "c"][: len(values)]
    table = table_of(*((name, Category.NUMERIC) for name in names), ("z", Category.TEXT))
    view = RowQuery(table, table.columns, sorted_by(table, [(name, False) for name in names]))
    boundary = Boundary(tuple(values), row_id.encode("utf-8", "replace").decode(), position)
    assert decode_cursor(encode_cursor(view.key("s"), boundary), view, "s", field="after") == boundary


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_made_up_cursor_is_refused(junk: bytes | str) -> None:
    table = table_of(("a", Category.TEXT))
    text = junk if isinstance(junk, str) else junk.decode("latin-1")
    with pytest.raises(InvalidInput) as caught:
        decode_cursor(text, RowQuery(table, table.columns), "s", field="after")
    assert caught.value.field == "after"


@pytest.mark.parametrize(
    "changed",
    [
        Boundary((1, 2), "1"),
        Boundary((True,), "1"),
        Boundary(([],), "1"),  # type: ignore[arg-type]
        Boundary((1,), ""),
        Boundary((1,), None),
        Boundary((1,), "1", -1),
        Boundary((1,), "x" * 2000),
    ],
)
def test_cursor_with_the_right_hash_and_wrong_parts_is_refused(changed: Boundary) -> None:
    table = table_of(("a", Category.INTEGER))
    view = RowQuery(table, table.columns, sorted_by(table, [("a", False)]))
    with pytest.raises(InvalidInput):
        decode_cursor(encode_cursor(view.key("s"), changed), view, "s", field="before")


def test_cursor_belongs_to_server_order_and_filter() -> None:
    table = table_of(("a", Category.TEXT))
    view = RowQuery(table, table.columns)
    keys = {
        view.key("s"),
        view.key("other"),
        RowQuery(table, table.columns, sorted_by(table, [("a", True)])).key("s"),
        RowQuery(table, table.columns, sorted_by(table, [("a", False)])).key("s"),
        RowQuery(table, table.columns, search="x").key("s"),
        *(
            RowQuery(
                table, table.columns, filters=tuple(filter(None, [make_filter(table, "a", operator, value)]))
            ).key("s")
            for operator, value in [(Operator.EQUALS, "1"), (Operator.EQUALS, None), (Operator.CONTAINS, "1")]
        ),
    }
    assert len(keys) == 8


def test_jump_is_written_for_the_release() -> None:
    table = table_of(("a", Category.TEXT))
    view = RowQuery(table, table.columns)
    projection = Projection(table, table.columns, ServerFormat(), preview=20)
    new = jump_statement(view, projection, 500, limit=11, release=(2025, 1))
    old = jump_statement(view, projection, 500, limit=11, release=(2024, 3))
    assert new.sql.endswith("ORDER BY %ID LIMIT 11 OFFSET ?")
    assert new.parameters == (500,)
    assert "%VID > ?" in old.sql
    assert old.parameters == (511, 500)
    assert old.sql.endswith("ORDER BY %ID")
    assert jump_statement(view, projection, 0, limit=11, release=(2025, 1)).sql.startswith("SELECT TOP 11 ")


def test_too_many_values_are_refused_before_anything_is_read() -> None:
    table = table_of(("a", Category.INTEGER))
    filters = [make_filter(table, "a", Operator.IN, list(range(100))) for _ in range(2)]
    view = RowQuery(table, table.columns, filters=tuple(item for item in filters if item is not None))
    with pytest.raises(InvalidInput) as caught:
        page_of(view)
    assert caught.value.field == "filters"


def test_stream_filters_look_at_its_beginning() -> None:
    table = table_of(("a", Category.LONG_TEXT))
    item = make_filter(table, "a", Operator.STARTS_WITH, "Dear")
    assert item is not None
    view = RowQuery(table, table.columns, filters=(item,))
    assert view.where == Fragment('%SQLUPPER(SUBSTRING("a", 1, ?)) = %SQLUPPER(?)', (4, "Dear"))
    with pytest.raises(InvalidInput):
        make_filter(table, "a", Operator.EQUALS, "Dear")


def test_table_without_text_finds_nothing() -> None:
    table = table_of(("a", Category.INTEGER))
    assert RowQuery(table, table.columns, search="x").where == Fragment("1 = 0")


def test_numbers_keep_their_digits_as_parameters() -> None:
    table = table_of(("a", Category.NUMERIC))
    item = make_filter(table, "a", Operator.EQUALS, Decimal("123456789012345678.123456789"))
    assert item is not None
    assert RowQuery(table, table.columns, filters=(item,)).where.parameters == (
        Decimal("123456789012345678.123456789"),
    )
