"""The judge itself: it finds what it is there to find, and blames nobody for what others did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo import DemoOptions, DemoServer
from tests.faults.history import Applied, Forms, Historian, History, Version, marked
from tests.faults.ledger import Edit, Ledger, StatementAnswer, Verdict

T = "Fault.Plain"
DOUBT_SECONDS = 5.0


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forms]:
    found = Forms(tmp_path_factory.mktemp("forms"))
    yield found
    found.close()


class Story:
    """What happened to row 7, which held V = "a" at first: one change a second, from second 1 on."""

    def __init__(self, *changes: tuple[str | None, str | None], first: str | None = "a") -> None:
        self.history = History(
            versions=defaultdict(list), applied=defaultdict(list), arrived=defaultdict(list)
        )
        row = None if first is None else {"V": first}
        versions = self.history.versions[T, "7"]
        if row is not None:
            versions.append(Version(row, None, 0.0))
        for second, (cause, value) in enumerate(changes, 1):
            new = None if value is None else {"V": value}
            old = versions[-1].row if versions else None
            if versions:
                last = versions[-1]
                versions[-1] = Version(last.row, last.cause, last.begin, float(second))
            versions.append(Version(new, cause, float(second)))
            kind = "insert" if old is None else "delete" if new is None else "update"
            if cause is not None:
                item = Applied(T, "7", kind, old, new, cause, float(second), len(versions) - 1)
                self.history.applied[cause].append(item)
                self.history.arrived[cause].append(float(second))

    def judge(self, forms: Forms, *edits: Edit) -> Verdict:
        return Ledger(self.history, forms, doubt_seconds=DOUBT_SECONDS).judge(edits)


def edit(kind: str, outcome: str | None, *, cause: str = "c", received: float = 9.0, **more: Any) -> Edit:
    answer = {"conflict": more.pop("conflict", {}), "row_id": more.pop("row", None)}
    answers = (
        [] if outcome is None else [StatementAnswer(outcome, received, values=more.pop("said", {}), **answer)]
    )
    given = {"values": {} if kind == "delete" else {"V": "b"}, "base": None, **more}
    row_id = None if kind == "insert" else "7"
    return Edit(cause, cause, T, kind, row_id, first_sent=0.5, answers=answers, **given)


MINE, OTHER = ("c", "b"), (None, "x")


@pytest.mark.parametrize(
    ("story", "judged", "false"),
    [
        (Story(MINE), edit("update", "saved"), []),
        (Story(), edit("update", "saved"), ["false saved"]),
        (Story((None, "b")), edit("update", "saved"), []),
        (Story((None, "B")), edit("update", "saved"), ["false saved"]),
        (Story(MINE), edit("update", "saved", received=0.9), ["false saved"]),
        (Story(MINE), edit("update", "saved", row="8"), ["wrong row ID"]),
        (Story(MINE), edit("update", "saved", said={"V": "b"}), []),
        (Story(MINE), edit("update", "saved", said={"V": "a"}), ["false values"]),
        (Story(MINE, OTHER), edit("update", "saved", said={"V": "x"}), []),
        (Story(OTHER, MINE), edit("update", "saved", base={"V": "x"}), []),
        (Story(OTHER, MINE), edit("update", "saved", base={"V": "a"}), ["overwrote"]),
        (Story(("c", "z")), edit("update", "saved"), ["wrong value"]),
        (Story(MINE, MINE), edit("update", "saved"), ["duplicate"]),
        (Story(MINE), edit("update", "failed"), ["false failed"]),
        (Story(MINE), edit("update", "failed", received=0.9), ["false failed before a late apply"]),
        (Story(MINE, OTHER), edit("update", "failed"), []),
        (Story(MINE, OTHER), edit("update", "failed", received=1.5), ["false failed"]),
        (Story(MINE), edit("update", "skipped"), ["false skipped"]),
        (Story(MINE, OTHER), edit("update", "skipped"), ["false skipped"]),
        (Story(MINE), edit("update", "skipped", received=0.9), ["false skipped"]),
        (Story(OTHER), edit("update", "conflict", conflict={"V": {"theirs": "x"}}), []),
        (Story(OTHER), edit("update", "conflict", conflict={"V": {"theirs": "y"}}), ["false theirs"]),
        (Story(MINE, OTHER), edit("update", "conflict", conflict={"V": {"theirs": "x"}}), []),
        (Story(MINE), edit("update", "conflict", conflict={"V": {"theirs": "b"}}), ["false conflict"]),
        (Story((None, None)), edit("update", "gone"), []),
        (Story(), edit("update", "gone"), ["false gone"]),
        (Story(MINE), edit("update", "unknown"), []),
        (Story(), edit("update", None), ["lost"]),
        (Story(("c", None)), edit("delete", "saved"), []),
        (Story((None, None)), edit("delete", "saved"), []),
        (Story(), edit("delete", "saved"), ["false saved"]),
        (Story(("c", None)), edit("delete", "failed"), ["false failed"]),
        (Story(OTHER, ("c", None)), edit("delete", "saved", base={"V": "a"}), ["overwrote"]),
        (Story(MINE, first=None), edit("insert", "saved", row="7"), []),
        (Story(MINE, first=None), edit("insert", "saved"), []),
        (Story(MINE, first=None), edit("insert", "saved", row="8"), ["wrong row ID"]),
        (Story((None, "b"), first=None), edit("insert", "saved", row="7"), ["false saved"]),
        (Story(MINE, first=None), edit("insert", "failed"), ["false failed"]),
        (Story(MINE, (None, None), first=None), edit("insert", "failed"), []),
        (Story(("d", "b")), edit("update", "failed"), ["unasked"]),
    ],
)
def test_judge(forms: Forms, story: Story, judged: Edit, false: list[str]) -> None:
    assert [finding.kind for finding in story.judge(forms, judged).findings] == false


def test_one_row_is_never_told_for_two_inserts(forms: Forms) -> None:
    story = Story(MINE, first=None)
    both = [edit("insert", "saved", row="7"), edit("insert", "saved", row="7", cause="d")]
    kinds = [finding.kind for finding in story.judge(forms, *both).findings]
    assert kinds == ["false saved", "one row for two"]


def test_statement_later_than_the_doubt_time_makes_no_answer_false(forms: Forms) -> None:
    story = Story(*[(None, f"x{number}") for number in range(6)], MINE)
    story.history.arrived["c"] = [1.0]
    verdict = story.judge(forms, edit("update", "failed", received=6.5))
    assert not verdict.findings
    assert verdict.tolerated["later than the doubt time"] == 1


def test_stored_answer_is_judged_by_the_time_of_its_read(forms: Forms) -> None:
    story = Story(*[(None, f"x{number}") for number in range(6)], MINE)
    story.history.arrived["c"] = [1.0]
    fetched = edit("update", "failed", received=9.5)
    assert [finding.kind for finding in story.judge(forms, fetched).findings] == ["false failed"]
    fetched.answers[0] = replace(fetched.answers[0], read=6.5)
    verdict = story.judge(forms, fetched)
    assert not verdict.findings
    assert verdict.tolerated["later than the doubt time"] == 1


async def test_history_knows_which_edit_caused_what(tmp_path: Path) -> None:
    async with DemoServer(DemoOptions(directory=tmp_path, licences=None)) as iris:
        historian = Historian(iris)
        namespace = iris.namespace("USER")
        namespace.execute(marked("INSERT INTO Fault.Upper (V) VALUES (?)", "one"), ["a"])
        namespace.execute("UPDATE Fault.Upper SET N = 2 WHERE %ID = 1")
        namespace.execute(marked("UPDATE Fault.Upper SET V = ? WHERE %ID = 1", "two"), ["b"])
        namespace.execute(marked("DELETE FROM Fault.Upper WHERE %ID = 1", "three"))
        history = historian.read()
    changes = [
        (cause, item.kind, item.old, item.new) for cause in history.applied for item in history.applied[cause]
    ]
    assert changes == [
        ("one", "insert", None, {"V": "A", "N": None}),
        ("two", "update", {"V": "A", "N": "2"}, {"V": "B", "N": "2"}),
        ("three", "delete", {"V": "B", "N": "2"}, None),
    ]
    versions = history.versions["Fault.Upper", "1"]
    assert [version.row for version in versions][-1] is None
    assert all(one.end >= other.begin for one, other in pairwise(versions))


@pytest.mark.parametrize(
    ("column", "value", "stored"),
    [
        ("P", 1.01, "1.01"),
        ("P", 1.005, "\0refused"),
        ("T", "2026-01-02 12:00:00.10", "2026-01-02 12:00:00.1"),
        ("W", "12:00:00.5", "12:00:00"),
    ],
)
def test_forms_are_what_the_database_makes_of_a_value(
    forms: Forms, column: str, value: Any, stored: str
) -> None:
    assert forms.stored(T, column, value) == stored
