"""Values made of tables: made once for a description, forgotten with it, bounded."""

from __future__ import annotations

from dataclasses import replace

from iris_quart.sql.metadata import Column, Identity, IdentityKind, Table, TableKind
from iris_quart.sql.values import Category
from iris_quart.tables.derived import VALUES_KEPT, Derived


def table(name: str) -> Table:
    columns = (Column("Name", "varchar", Category.TEXT, sql="Name"),)
    return Table("SAMPLES", "App", name, TableKind.TABLE, columns, Identity(IdentityKind.ROW_ID))


def test_a_value_is_made_once_for_a_description() -> None:
    derived: Derived[list[int]] = Derived(2)
    known = table("A")
    first = derived.get(known, "key", lambda: [1])
    assert derived.get(known, "key", lambda: [2]) is first
    assert derived.get(known, "other", lambda: [3]) == [3]
    assert derived.get(replace(known, description="the same columns"), "key", lambda: [4]) is first
    assert derived.get(table("A"), "key", lambda: [5]) == [5], "read again"


def test_the_number_of_tables_and_values_is_bounded() -> None:
    derived: Derived[int] = Derived(2)
    for name in "ABC":
        for key in range(VALUES_KEPT + 1):
            derived.get(table(name), key, lambda: 1)
    assert len(derived) == 2
    assert derived.get(table("A"), 0, lambda: 2) == 2, "the least used went first"
