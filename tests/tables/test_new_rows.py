"""Which new row was made by which change, also where other workers insert equal rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iris_quart.sql.metadata import Column, Identity, IdentityKind, Table, TableKind
from iris_quart.sql.values import Category
from iris_quart.tables.new_rows import ELSEWHERE_SECONDS, ENDED_SECONDS, NewRow, NewRows

TEXT = Column("V", "VARCHAR", Category.TEXT)
NUMBER = Column("N", "INTEGER", Category.INTEGER)
TABLE = Table("USER", "Edit", "Plain", TableKind.TABLE, (TEXT, NUMBER), Identity(IdentityKind.ROW_ID))
KEY = ("server", "USER", "Edit.Plain")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def expected(rows: NewRows, **values: Any) -> NewRow:
    given = {column: values[column.name] for column in (TEXT, NUMBER) if column.name in values}
    return rows.expect("server", TABLE, given, since=rows.sequence)


def test_a_pending_insert_of_another_worker_is_a_rival_of_an_equal_row() -> None:
    rows = NewRows(Clock())
    mine = expected(rows, V="a", N=1)
    assert rows.rivals(mine) == (0, 0)
    rows.note_elsewhere(KEY, "t1", {"V": "a", "N": 1})
    rows.note_elsewhere(KEY, "t2", {})  # a row of defaults may hold anything
    rows.note_elsewhere(KEY, "t3", {"V": "other", "N": 1})
    rows.note_elsewhere(("server", "USER", "Edit.Other"), "t4", {"V": "a", "N": 1})
    assert rows.rivals(mine) == (0, 2)


def test_it_counts_until_a_moment_after_its_end() -> None:
    clock = Clock()
    rows = NewRows(clock)
    mine = expected(rows, V="a")
    rows.note_elsewhere(KEY, "t1", {"V": "a"})
    rows.note_elsewhere(KEY, "t1", None)
    clock.now = ENDED_SECONDS / 2
    assert rows.rivals(mine).open == 1
    clock.now = ENDED_SECONDS + 0.1
    assert rows.rivals(mine).open == 0


def test_one_that_never_ends_counts_for_as_long_as_rows_are_remembered() -> None:
    clock = Clock()
    rows = NewRows(clock)
    mine = expected(rows, V="a")
    rows.note_elsewhere(KEY, "t1", {"V": "a"})
    clock.now = ELSEWHERE_SECONDS - 1
    assert rows.rivals(mine).open == 1
    clock.now = ELSEWHERE_SECONDS + 1
    assert rows.rivals(mine).open == 0


def test_a_slow_insert_is_announced_once_and_its_end_as_well() -> None:
    told: list[tuple[tuple[str, str, str], Mapping[str, Any] | None]] = []
    rows = NewRows(Clock())
    rows.announce = lambda table, _token, values: told.append((table, values))
    slow, quick = expected(rows, V="a"), expected(rows, V="b")
    rows.note_slow(slow)
    rows.note_slow(slow)
    assert rows.claim(slow, "1")
    assert rows.claim(quick, "2")
    assert told == [(KEY, {"V": "a"}), (KEY, None)]


def test_a_row_has_to_be_seen_for_a_while() -> None:
    clock = Clock()
    rows = NewRows(clock, seen_seconds=1.0)
    mine = expected(rows, V="a")
    assert not rows.seen_long(mine, frozenset({"7"}))
    clock.now = 0.9
    assert not rows.seen_long(mine, frozenset({"7"}))
    clock.now = 1.0
    assert rows.seen_long(mine, frozenset({"7"}))
    assert not rows.seen_long(mine, frozenset({"7", "8"}))
