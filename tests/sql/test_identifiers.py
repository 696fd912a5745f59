"""Names become delimited identifiers, whatever is in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_quart.errors import InvalidInput
from iris_quart.sql.identifiers import QualifiedName, free_alias, quote, split_table_name

NAMES = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=128)


@given(NAMES)
def test_quoted_name_reads_back_as_itself(name: str) -> None:
    quoted = quote(name)
    assert quoted[0] == quoted[-1] == '"'
    inside = quoted[1:-1]
    assert inside.replace('""', "").count('"') == 0
    assert inside.replace('""', '"') == name


@pytest.mark.parametrize("name", ["", "x" * 129, "a\0b", "a\nb", "\ud800"])
def test_impossible_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        quote(name)


@pytest.mark.parametrize(
    ("text", "schema", "name"),
    [
        ("Sample.Person", "Sample", "Person"),
        ("Person", "SQLUser", "Person"),
        ("A.B.Person", "A.B", "Person"),
        ("Ünï cøde.Table $#@ name", "Ünï cøde", "Table $#@ name"),
        ('a"b.c"d', 'a"b', 'c"d'),
    ],
)
def test_table_name_divides_at_the_last_dot(text: str, schema: str, name: str) -> None:
    assert split_table_name(text) == QualifiedName(schema, name)


@pytest.mark.parametrize("text", ["", ".", "Sample.", ".Person", "Sample." + "x" * 200, "a.b\0"])
def test_bad_table_name_names_the_field(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        split_table_name(text)
    assert caught.value.field == "tableName"


def test_alias_avoids_columns_in_any_letter_case() -> None:
    assert free_alias("row_id", ["Name"]) == "row_id"
    assert free_alias("row_id", ["ROW_ID", "row_id2"]) == "row_id3"
