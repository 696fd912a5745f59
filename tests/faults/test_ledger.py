"""The judge itself: it finds what it is there to find."""

from __future__ import annotations

import pytest

from tests.faults.ledger import Edit, Happened, judge

T = "Fault.Plain"


def update(outcome: str | None, base: str | None = "a") -> Edit:
    return Edit("c1", T, "update", "t1", "7", base, outcome, answered=10.0)


def delete(outcome: str, base: str | None = "a") -> Edit:
    return Edit("c1", T, "delete", "t1", "7", base, outcome)


def insert(outcome: str, row: str | None = None) -> Edit:
    return Edit("c1", T, "insert", "t1", None, None, outcome, row, answered=10.0)


MADE = Happened(T, "update", "7", "a", "t1")
UNDONE = Happened(T, "update", "7", "a", "t1", 5.0, "update")
UNDONE_LATER = Happened(T, "update", "7", "a", "t1", 15.0, "update")
NEW = Happened(T, "insert", "9", None, "t1")
NEW_AND_DELETED = Happened(T, "insert", "9", None, "t1", 5.0, "delete")
NEW_AND_DELETED_LATER = Happened(T, "insert", "9", None, "t1", 15.0, "delete")
NEW_AND_CHANGED = Happened(T, "insert", "9", None, "t1", 5.0, "update")
GONE = Happened(T, "delete", "7", "a", None)


@pytest.mark.parametrize(
    ("edit", "history", "sums"),
    [
        (update("saved"), [MADE], (0, 0, 0, 0)),
        (update("saved"), [], (1, 0, 0, 0)),
        (update("failed"), [MADE], (1, 0, 0, 0)),
        (update("conflict"), [MADE], (1, 0, 0, 0)),
        (update("conflict"), [UNDONE], (0, 0, 0, 0)),
        (update("conflict"), [UNDONE_LATER], (1, 0, 0, 0)),
        (update("failed"), [UNDONE], (1, 0, 0, 0)),
        (update("skipped"), [MADE], (1, 0, 0, 0)),
        (update("unknown"), [MADE], (0, 0, 0, 1)),
        (update("unknown"), [], (0, 0, 0, 1)),
        (update(None), [], (0, 0, 1, 0)),
        (update("saved", base="b"), [MADE], (0, 0, 1, 0)),
        (update("saved"), [UNDONE, MADE], (0, 1, 0, 0)),
        (insert("saved"), [NEW], (0, 0, 0, 0)),
        (insert("saved", "9"), [NEW], (0, 0, 0, 0)),
        (insert("saved", "8"), [NEW], (1, 0, 0, 0)),
        (insert("saved"), [NEW, NEW], (0, 1, 0, 0)),
        (insert("failed"), [NEW], (1, 0, 0, 0)),
        (insert("failed"), [NEW_AND_DELETED], (0, 0, 0, 0)),
        (insert("failed"), [NEW_AND_DELETED_LATER], (1, 0, 0, 0)),
        (insert("failed"), [NEW_AND_CHANGED], (1, 0, 0, 0)),
        (insert("skipped"), [NEW_AND_DELETED], (1, 0, 0, 0)),
        (delete("saved"), [GONE], (0, 0, 0, 0)),
        (delete("saved"), [], (1, 0, 0, 0)),
        (delete("failed"), [GONE], (1, 0, 0, 0)),
        (delete("saved", base="b"), [GONE], (0, 0, 1, 0)),
        (delete("unknown"), [GONE], (0, 0, 0, 1)),
    ],
)
def test_judge(edit: Edit, history: list[Happened], sums: tuple[int, int, int, int]) -> None:
    verdict = judge([edit], history)
    assert (verdict.lies, verdict.duplicates, verdict.lost, verdict.unknown) == sums


def test_two_who_delete_the_same_row_are_both_right() -> None:
    both = [delete("saved"), Edit("c2", T, "delete", "t2", "7", "a", "failed")]
    assert judge(both, [GONE]).lies == 0


def test_last_line() -> None:
    assert str(judge([update("saved")], [MADE])) == "1 edits: 0 lies, 0 duplicates, 0 lost, 0 unknown"
