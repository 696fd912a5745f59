"""The judgement itself, case by case."""

from __future__ import annotations

from decimal import Decimal

import pytest

from iris_quart.errors import ErrorCode
from iris_quart.sql.identifiers import quote
from iris_quart.sql.metadata import Column, Identity, IdentityKind, Table, TableKind
from iris_quart.sql.values import Category, Wire
from iris_quart.tables.outcomes import Found, Guard, Outcome, judge
from iris_quart.tables.validation import ChangeKind, Plan, same_value, stored_form

NAME = Column("Name", "varchar", Category.TEXT, max_length=10, sql=quote("Name"))
AGE = Column("Age", "integer", Category.INTEGER, sql=quote("Age"))
PRICE = Column("Price", "numeric", Category.NUMERIC, precision=10, scale=2, sql=quote("Price"))
RATIO = Column("Ratio", "double", Category.DOUBLE, sql=quote("Ratio"))
SEEN = Column("Seen", "timestamp", Category.TIMESTAMP, sql=quote("Seen"))
POSIX = Column("Posix", "timestamp", Category.POSIXTIME, sql=quote("Posix"))
WAKES = Column("Wakes", "time", Category.TIME, sql=quote("Wakes"))
STORY = Column("Story", "longvarchar", Category.LONG_TEXT, sql=quote("Story"))
TABLE = Table(
    "USER", "S", "T", TableKind.TABLE, (NAME, AGE, PRICE, RATIO, SEEN, STORY), Identity(IdentityKind.ROW_ID)
)


def outcome(
    column: Column,
    seen: Wire,
    sent: Wire,
    now: Wire,
    *,
    in_doubt: bool = False,
    late: bool = False,
    rewritten: bool = False,
    cut: bool = False,
    unguarded: bool = False,
    raising: bool = False,
) -> Outcome | None:
    plan = Plan(TABLE, ChangeKind.UPDATE, "1", {column: sent}, {column: seen})
    names = frozenset({column.name})
    guard = Guard(
        {column: seen},
        (column.name,) if unguarded else (),
        late,
        names if rewritten else frozenset(),
        raising=raising,
    )
    found = Found("1", {column.name: now}, names if cut else frozenset())
    result = judge(plan, guard, found, in_doubt=in_doubt)
    return None if result is None else result.outcome


@pytest.mark.parametrize("in_doubt", [False, True])
@pytest.mark.parametrize(
    ("column", "seen", "sent", "now", "expected"),
    [
        (NAME, "a", "b", "b", Outcome.SAVED),
        (NAME, "a", "b", "c", Outcome.CONFLICT),
        (NAME, "a", "b", None, Outcome.CONFLICT),
        (NAME, "a", "b", "", Outcome.CONFLICT),
        (NAME, None, "", "", Outcome.SAVED),
        (NAME, "", None, None, Outcome.SAVED),
        (NAME, "a", "a b", "A B", Outcome.CONFLICT),
        (NAME, "Ann", "ANN", "ann", Outcome.CONFLICT),
        (NAME, "a", "abcdefghijkl", "abcdefghij", Outcome.SAVED),
        (NAME, "1", "2", "2.0", Outcome.CONFLICT),
        (AGE, 1, 2, Decimal("2.0"), Outcome.SAVED),
        (AGE, 1, 2, "two", Outcome.CONFLICT),
        (PRICE, Decimal("1.00"), Decimal("1.239"), Decimal("1.24"), Outcome.SAVED),
        (PRICE, Decimal("1.00"), Decimal("1.239"), Decimal("1.25"), Outcome.CONFLICT),
        (RATIO, 0, Decimal("0.1"), Decimal("0.1000000000000000055511151231257827"), Outcome.SAVED),
        (SEEN, None, "2020-01-01 10:00:00.500", "2020-01-01 10:00:00.5", Outcome.SAVED),
        (PRICE, Decimal("5.00"), Decimal("1.005"), Decimal(1), Outcome.CONFLICT),
        (PRICE, Decimal("5.00"), Decimal("-1.005"), Decimal("-1.01"), Outcome.SAVED),
        (POSIX, None, "2020-01-01 10:00:00.1234567", "2020-01-01 10:00:00.123456", Outcome.SAVED),
        (POSIX, None, "2020-01-01 10:00:00.1234567", "2020-01-01 10:00:00.123", Outcome.CONFLICT),
        (WAKES, "11:00:00", "12:00:00.5", "12:00", Outcome.CONFLICT),
        (SEEN, None, "2020-01-01 10:00:00", "2020-01-01 10:00:01", Outcome.CONFLICT),
        (STORY, None, "b", "c", Outcome.CONFLICT),
    ],
)
def test_update(column: Column, seen: Wire, sent: Wire, now: Wire, expected: Outcome, in_doubt: bool) -> None:
    if in_doubt and expected is Outcome.SAVED and not same_value(column, sent, now):
        # What IRIS makes of the value may be what somebody else wrote.
        expected = Outcome.UNKNOWN
    assert outcome(column, seen, sent, now, in_doubt=in_doubt) is expected


def test_cut_moment_counts_only_where_the_guard_surely_matched() -> None:
    for column, mine, theirs in (
        (WAKES, "12:00:00.123", "12:00:00"),
        (SEEN, "2020-01-01 12:00:00.123", "2020-01-01 12:00:00"),
    ):
        assert outcome(column, None, mine, theirs) is Outcome.CONFLICT
        assert outcome(column, None, mine, theirs, raising=True) is Outcome.SAVED
        # Nobody knows whether it was applied, nor how many digits the column keeps.
        assert outcome(column, None, mine, theirs, in_doubt=True) is Outcome.UNKNOWN
        assert outcome(column, None, mine, theirs, raising=True, in_doubt=True) is Outcome.UNKNOWN


def test_change_of_letter_case_is_never_taken_for_a_trigger() -> None:
    for known in ({"late": True}, {"rewritten": True}):
        assert outcome(NAME, "ann", "Ann", "ANN", **known) is Outcome.CONFLICT
        assert outcome(NAME, "ann", "Ann", "ANN", in_doubt=True, **known) is Outcome.UNKNOWN
    assert outcome(NAME, "ann", "Ann", "ANN", raising=True) is Outcome.SAVED


def test_row_as_it_was_is_a_failure_or_a_doubt() -> None:
    assert outcome(NAME, "a", "b", "a") is Outcome.FAILED
    assert outcome(NAME, "a", "b", "a", in_doubt=True) is None


def test_trigger_counts_only_where_it_is_known_or_the_row_was_just_read() -> None:
    assert outcome(NAME, "x", "ann", "ANN") is Outcome.CONFLICT
    assert outcome(NAME, "x", "ann", "ANN", late=True) is Outcome.SAVED
    assert outcome(NAME, "x", " ann ", "ANN", rewritten=True) is Outcome.SAVED
    assert outcome(NAME, "x", "ann", "BOB", rewritten=True, late=True) is Outcome.CONFLICT


def test_old_value_that_the_new_one_is_stored_as_proves_nothing() -> None:
    old, new = "2020-01-01 10:00:00", "2020-01-01 10:00:00.5"
    assert outcome(SEEN, old, new, old, in_doubt=True) is None
    assert outcome(PRICE, Decimal("1.00"), Decimal("1.005"), Decimal("1.00"), in_doubt=True) is None
    assert outcome(NAME, "Ann", "ANN", "Ann", late=True, in_doubt=True) is None
    assert outcome(NAME, "Ann", "ANN", "Ann", rewritten=True, in_doubt=True) is None
    # IRIS took the statement and nothing else moved: then it is what the type made of the value.
    assert outcome(PRICE, Decimal("1.00"), Decimal("1.004"), Decimal("1.00")) is Outcome.SAVED


def test_old_value_beside_what_another_user_changed_is_a_conflict() -> None:
    old, new = "2020-01-01 10:00:00", "2020-01-01 10:00:00.5"
    plan = Plan(TABLE, ChangeKind.UPDATE, "1", {SEEN: new}, {SEEN: old, AGE: 1})
    result = judge(plan, Guard({SEEN: old, AGE: 1}), Found("1", {"Seen": old, "Age": 2}), in_doubt=False)
    assert result is not None
    assert result.outcome is Outcome.CONFLICT
    assert list(result.conflict) == ["Age"]


def test_value_that_was_read_in_part_proves_nothing() -> None:
    assert outcome(NAME, "a", "b", "b", cut=True) is not Outcome.SAVED
    whole = "abc" + "d" * 1000
    assert outcome(NAME, "abc", "x", whole, unguarded=True, in_doubt=True) is None
    assert outcome(NAME, "abc", "x", "abcd", unguarded=True, cut=True, in_doubt=True) is None
    assert outcome(NAME, "abc", "x", "abd", unguarded=True) is Outcome.CONFLICT


def test_text_that_goes_on_where_all_of_it_was_seen_is_another_one() -> None:
    # Shorter than what is cut: it was seen whole, and the guard compared it whole.
    assert outcome(NAME, "abc", "x", "abcdef", unguarded=True) is Outcome.CONFLICT
    assert outcome(NAME, "abc", "x", "abcdef", cut=True) is Outcome.CONFLICT
    assert outcome(NAME, "", "x", "abcdef", cut=True) is Outcome.CONFLICT


def test_stream_that_was_seen_is_never_a_difference_but_null_is() -> None:
    assert outcome(STORY, "seen", "new", "other") is Outcome.FAILED
    assert outcome(STORY, None, "new", "other") is Outcome.CONFLICT


def test_row_that_is_gone() -> None:
    plan = Plan(TABLE, ChangeKind.UPDATE, "1", {NAME: "b"}, {NAME: "a"})
    for in_doubt in (False, True):
        result = judge(plan, Guard({NAME: "a"}), None, in_doubt=in_doubt)
        assert result is not None
        assert result.outcome is Outcome.GONE
        assert result.error is not None
        assert result.error.code is ErrorCode.ROW_GONE


@pytest.mark.parametrize("in_doubt", [False, True])
def test_delete(in_doubt: bool) -> None:
    plan = Plan(TABLE, ChangeKind.DELETE, "1", {}, {NAME: "a"})
    guard = Guard({NAME: "a"})
    gone = judge(plan, guard, None, in_doubt=in_doubt)
    assert gone is not None
    assert gone.outcome is Outcome.SAVED
    changed = judge(plan, guard, Found("1", {"Name": "b"}), in_doubt=in_doubt)
    assert changed is not None
    assert changed.outcome is Outcome.CONFLICT
    assert dict(changed.conflict) == {"Name": ("a", "a", "b")}
    still = judge(plan, guard, Found("1", {"Name": "a"}), in_doubt=in_doubt)
    assert (still is None) if in_doubt else (still is not None and still.outcome is Outcome.FAILED)


def test_several_columns_are_saved_together_or_not() -> None:
    plan = Plan(TABLE, ChangeKind.UPDATE, "1", {NAME: "b", AGE: 2}, {NAME: "a", AGE: 1})
    guard = Guard({NAME: "a", AGE: 1})
    half = judge(plan, guard, Found("1", {"Name": "b", "Age": 1}), in_doubt=False)
    assert half is not None
    assert half.outcome is Outcome.CONFLICT
    assert list(half.conflict) == ["Name"]


def test_same_value_looks_at_types() -> None:
    assert same_value(AGE, 1, Decimal(1))
    assert not same_value(AGE, 1, "1")
    assert not same_value(NAME, None, "")
    assert same_value(NAME, None, None)
    assert not stored_form(NAME, "a", "A")
    assert not stored_form(AGE, 1, None)
