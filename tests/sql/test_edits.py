"""Statements of edits: values never in the text, names always quoted."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_quart.errors import InvalidInput
from iris_quart.sql.edits import delete_statement, guards_for, insert_statement, update_statement
from iris_quart.sql.identifiers import quote
from iris_quart.sql.metadata import Column, Identity, IdentityKind, Table, TableKind
from iris_quart.sql.values import Category, Fragment, Wire

PREVIEW = 200


def column(name: str, category: Category, max_length: int | None = None) -> Column:
    return Column(name, str(category), category, max_length=max_length, sql=quote(name))


def table(*columns: Column, schema: str = "S", name: str = "T") -> Table:
    return Table("USER", schema, name, TableKind.TABLE, columns, Identity(IdentityKind.ROW_ID))


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60)
VALUES: dict[Category, st.SearchStrategy[Any]] = {
    Category.TEXT: TEXT,
    Category.LONG_TEXT: TEXT,
    Category.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Category.NUMERIC: st.decimals(allow_nan=False, allow_infinity=False, places=3),
    Category.DOUBLE: st.floats(allow_nan=False, allow_infinity=False).map(
        lambda number: Decimal(repr(number))
    ),
    Category.BOOLEAN: st.sampled_from([0, 1]),
    Category.DATE: st.dates().map(str),
    Category.TIME: st.times().map(lambda time: time.strftime("%H:%M:%S")),
    Category.TIMESTAMP: st.datetimes().map(lambda moment: str(moment)[:19]),
    Category.POSIXTIME: st.datetimes().map(lambda moment: str(moment)[:19]),
}
CATEGORIES = st.sampled_from(list(VALUES))


def statements(item: Column, new: Wire, seen: Wire, row_id: str) -> list[Fragment]:
    owner = table(item, column("Other", Category.TEXT))
    guards = guards_for({item: seen}, preview=PREVIEW).conditions
    return [
        update_statement(owner, row_id, {item: new}, guards),
        delete_statement(owner, row_id, guards),
        insert_statement(owner, {item: new}),
    ]


@given(st.data(), CATEGORIES)
def test_text_depends_on_values_in_no_way(data: st.DataObject, category: Category) -> None:
    item = column("C", category, 50)
    values = VALUES[category].filter(lambda value: not (isinstance(value, str) and len(value) == PREVIEW))
    texts = set()
    for _ in range(2):
        made = statements(item, data.draw(values), data.draw(values), str(data.draw(st.integers(1))))
        texts.add(tuple(fragment.sql for fragment in made))
        for fragment in made:
            assert fragment.sql.count("?") == len(fragment.parameters)
            assert all(type(parameter) in {str, int, Decimal} for parameter in fragment.parameters)
    assert len(texts) == 1


@given(TEXT, TEXT, TEXT)
def test_text_of_the_user_stands_nowhere_in_the_statement(new: str, seen: str, row_id: str) -> None:
    item = column("C", Category.TEXT, 50)
    marker = "\u2603"
    for fragment in statements(item, new + marker, seen + marker, row_id + marker):
        assert marker not in fragment.sql


@pytest.mark.parametrize("value", [None, ""])
def test_null_and_empty_are_words_not_parameters(value: Wire) -> None:
    item = column("C", Category.TEXT, 50)
    update, delete, insert = statements(item, value, value, "1")
    word = "NULL" if value is None else "''"
    assert f'SET "C" = {word}' in update.sql
    assert update.parameters == delete.parameters == (1,)
    assert insert.parameters == ()


HOSTILE = [
    'a"; DROP TABLE x --',
    '"',
    '""',
    "a.b",
    "select",
    "%ID",
    "a b",
    "Zoë",
    "a'b",
    "?",
    "a?b",
    "/*",
    "--",
    "a\u2028b",
]
NAMES = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40),
)
LITERALS = re.compile(r'"(?:[^"]|"")*"')


@given(NAMES, NAMES, NAMES)
def test_names_stand_in_quotes_only(schema: str, name: str, column_name: str) -> None:
    item = column(column_name, Category.TEXT, 50)
    owner = table(item, schema=schema, name=name)
    guards = guards_for({item: "x"}, preview=PREVIEW).conditions
    skeletons = {
        LITERALS.sub('"·"', fragment.sql)
        for fragment in (
            update_statement(owner, "1", {item: "y"}, guards),
            delete_statement(owner, "1", guards),
            insert_statement(owner, {item: "y"}),
        )
    }
    assert skeletons == {
        'UPDATE "·"."·" SET "·" = ? WHERE %ID = ? AND %EXACT("·") = ?',
        'DELETE FROM "·"."·" WHERE %ID = ? AND %EXACT("·") = ?',
        'INSERT INTO "·"."·" ("·") VALUES (?)',
    }


@pytest.mark.parametrize("name", ["", "a\0b", "a\nb", "x" * 129, "\ud800"])
def test_name_that_none_can_be_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        quote(name)


def test_streams_binaries_and_lists_are_not_compared_but_for_null() -> None:
    items = [
        column(str(c), c) for c in (Category.LONG_TEXT, Category.LONG_BINARY, Category.BINARY, Category.LIST)
    ]
    guards = guards_for(dict.fromkeys(items, "x"), preview=PREVIEW)
    assert guards.conditions == ()
    assert guards.unguarded == tuple(item.name for item in items)
    nulls = guards_for(dict.fromkeys(items), preview=PREVIEW)
    assert [item.sql for item in nulls.conditions] == [f"{item.sql} IS NULL" for item in items]
    assert nulls.unguarded == ()


def test_text_that_may_be_cut_is_compared_as_far_as_it_was_seen() -> None:
    item = column("Essay", Category.TEXT, 5000)
    guards = guards_for({item: "x" * PREVIEW}, preview=PREVIEW)
    assert guards.unguarded == ("Essay",)
    assert guards.conditions[0].parameters == ("x" * PREVIEW, "x" * PREVIEW)
    assert guards_for({item: "x" * 199}, preview=PREVIEW).unguarded == ()
    short = column("Name", Category.TEXT, 200)
    assert guards_for({short: "x" * PREVIEW}, preview=PREVIEW).unguarded == ()


def test_beginning_of_a_text_is_compared_in_the_units_that_the_server_counts() -> None:
    item = column("Essay", Category.TEXT, 5000)
    seen = "👍" + "x" * (PREVIEW - 1)
    guard = guards_for({item: seen}, preview=PREVIEW).conditions[0]
    # IRIS counts the sign as two.
    assert guard.parameters == (seen, seen, PREVIEW + 1, seen)
    assert f"SUBSTRING({item.sql}, 1, {PREVIEW})" in guard.sql
    assert f"SUBSTRING({item.sql}, 1, ?)" in guard.sql


def test_wide_rows_are_guarded_by_as_many_columns_as_a_statement_takes() -> None:
    items = [column(f"C{number}", Category.INTEGER) for number in range(300)]
    guards = guards_for(dict.fromkeys(items, 1), preview=PREVIEW)
    assert len(guards.conditions) == 150
    assert len(guards.unguarded) == 150


def test_row_without_values_takes_its_defaults() -> None:
    assert insert_statement(table(), {}) == Fragment('INSERT INTO "S"."T" DEFAULT VALUES')
