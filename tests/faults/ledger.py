"""What was answered, judged by the database's own history: rows are counted, and what each answer says is compared.

An answer is about one edit. The history knows each statement that an edit caused and each version of each row, with
the time in which a reader may have seen it, so an answer is called false only when no reader could have seen what it
says, or when it says of a change what the change is not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.history import Applied, Forms, History, Row, Version, canonical

SETTLED = ("saved", "conflict", "gone", "failed", "skipped")
OUTCOMES = (*SETTLED, "unknown")


@dataclass
class Edit:
    """One edit as a user asked for it. Two that say different things under one id are two edits."""

    cause: str
    change_id: str
    table: str
    kind: str
    row_id: str | None
    values: Mapping[str, Any]
    base: Mapping[str, Any] | None
    first_sent: float = 0.0
    answers: list[StatementAnswer] = field(default_factory=list)
    rival: bool = False
    """It reuses the id of another edit, to be refused."""

    def __str__(self) -> str:
        said = {"values": dict(self.values), "base": self.base, "row": self.row_id}
        told: list[str] = []
        for answer in self.answers:
            if not told or not told[-1].startswith(answer.outcome):
                told.append(f"{answer.outcome} ({answer.received - self.first_sent:+.2f} s, {answer.how})")
        return f"{self.kind} {self.table} {said} as {self.change_id}, sent {self.first_sent:.2f}: {', '.join(told)}"

    @property
    def outcome(self) -> str | None:
        """What was answered last."""
        return self.answers[-1].outcome if self.answers else None


@dataclass(frozen=True)
class StatementAnswer:
    """One `changeResult`, and when it came."""

    outcome: str
    received: float
    row_id: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    conflict: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    message: str = ""
    how: str = "plain"
    """What the user did when it was asked for."""
    read: float | None = None
    """When the row was read for it, where that is known: it may have been stored before it was asked for."""

    @classmethod
    def of(cls, payload: Mapping[str, Any], received: float, how: str = "plain") -> StatementAnswer:
        """Read an event's payload."""
        return cls(
            payload["outcome"],
            received,
            payload.get("rowId"),
            payload.get("values") or {},
            payload.get("conflict") or {},
            (payload.get("error") or {}).get("message", ""),
            how,
        )


@dataclass(frozen=True)
class Finding:
    """A false answer, a duplicate, or a change that nobody asked for."""

    kind: str
    edit: Edit | None
    sentence: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.sentence}"


@dataclass
class Verdict:
    """The sums and the findings of a run."""

    edits: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    """Last answers, by outcome; "none" was never answered."""
    by_fault: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Last answers by the kind of fault that struck the edit's statement."""
    by_play: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """All answers by what the user did."""
    findings: list[Finding] = field(default_factory=list)
    tolerated: Counter[str] = field(default_factory=Counter)
    """Answers that are true of the row as it was read, although the change was made and undone by others since,
    and those of statements that came later than the doubt time allows."""

    @property
    def false(self) -> Counter[str]:
        """Findings by kind."""
        return Counter(finding.kind for finding in self.findings)

    @property
    def unknown_share(self) -> float:
        """Share of edits whose outcome stayed unknown."""
        return self.outcomes["unknown"] / max(1, self.edits)

    def add(self, other: Verdict) -> None:
        """Add the sums of another run."""
        self.edits += other.edits
        self.outcomes += other.outcomes
        self.tolerated += other.tolerated
        self.findings += other.findings
        for mine, theirs in ((self.by_fault, other.by_fault), (self.by_play, other.by_play)):
            for name, counts in theirs.items():
                mine[name] += counts

    def __str__(self) -> str:
        told = ", ".join(f"{self.outcomes[name]} {name}" for name in (*OUTCOMES, "none"))
        false = ", ".join(f"{count} {kind}" for kind, count in sorted(self.false.items())) or "none"
        return f"{self.edits} edits: {told}; false: {false}; unknown {self.unknown_share:.2%}"

    def table(self) -> str:
        """Return the counts by fault and by what users did, for reading."""
        lines = [f"{'':18}" + "".join(f"{name:>10}" for name in (*OUTCOMES, "none"))]
        for counts in (self.by_fault, self.by_play):
            for name in sorted(counts):
                cells = "".join(f"{counts[name][outcome]:>10}" for outcome in (*OUTCOMES, "none"))
                lines.append(f"{name:18}{cells}")
        if self.tolerated:
            lines.append(", ".join(f"{count} {name}" for name, count in sorted(self.tolerated.items())))
        return "\n".join(lines)


class Ledger:
    """Judges edits by a history; `doubt_seconds` is how late a statement may arrive before the product gives up."""

    def __init__(self, history: History, forms: Forms, *, doubt_seconds: float) -> None:
        self._history = history
        self._forms = forms
        self._doubt_seconds = doubt_seconds
        self._verdict = Verdict()

    def judge(self, edits: Iterable[Edit]) -> Verdict:
        """Judge every answer of every edit."""
        edits = list(edits)
        self._verdict.edits = sum(not edit.rival for edit in edits)
        by_id: dict[str, list[Applied]] = defaultdict(list)
        rows: dict[tuple[str, str], list[Edit]] = defaultdict(list)
        for edit in edits:
            applied = self._history.applied.get(edit.cause, [])
            by_id[edit.change_id] += applied
            self._judge_statements(edit, applied)
            for answer in edit.answers:
                self._verdict.by_play[answer.how][answer.outcome] += 1
                self._judge_answer(edit, answer, applied)
                if edit.kind == "insert" and answer.outcome == "saved" and answer.row_id is not None:
                    rows[edit.table, answer.row_id].append(edit)
            if not edit.rival:
                self._verdict.outcomes[edit.outcome or "none"] += 1
                if edit.outcome is None:
                    self._find("lost", edit, "never answered")
                for fault in sorted(set(self._history.faults.get(edit.cause, ["no fault"]))):
                    self._verdict.by_fault[fault][edit.outcome or "none"] += 1
        for change_id, applied in by_id.items():
            if len(applied) > 1:
                edit = next(item for item in edits if item.change_id == change_id)
                self._find("duplicate", edit, f"{change_id} was made {len(applied)} times: {applied}")
        for (table, row_id), owners in rows.items():
            if len({edit.cause for edit in owners}) > 1:
                self._find("one row for two", owners[0], f"{table} {row_id} for {[e.cause for e in owners]}")
        known = {edit.cause for edit in edits}
        for cause, applied in self._history.applied.items():
            if cause not in known and not cause.startswith("other"):
                self._find("unasked", None, f"{cause}: {applied}")
        return self._verdict

    def faults(self, edit: Edit) -> Sequence[str]:
        """Return the kinds of faults that struck the statements of an edit."""
        return self._history.faults.get(edit.cause, [])

    def _find(self, kind: str, edit: Edit | None, sentence: str) -> None:
        struck = [] if edit is None else self.faults(edit)
        arrived = [] if edit is None else self._history.arrived.get(edit.cause, [])
        came = ", ".join(f"{moment:.2f}" for moment in arrived)
        sentence = f"{edit} | {sentence} | faults: {', '.join(struck)}; statements arrived: {came}"
        self._verdict.findings.append(Finding(kind, edit, sentence))

    def _judge_statements(self, edit: Edit, applied: Sequence[Applied]) -> None:
        """Check that what was done is what was asked for, on a row that was as it was seen."""
        for item in applied:
            asked = (edit.table, edit.kind, edit.row_id if edit.kind != "insert" else item.row_id)
            if (item.table, item.kind, item.row_id) != asked:
                self._find("wrong row", edit, f"{item}")
                continue
            wanted = self._wanted(edit)
            if item.new is not None and any(item.new[name] != form for name, form in wanted.items()):
                self._find("wrong value", edit, f"{wanted} became {item.new}")
            for name, seen in (edit.base or {}).items():
                there = None if item.old is None else item.old[name]
                if there != canonical(edit.table, name, seen):
                    self._find("overwrote", edit, f"{name} was {there!r}")

    def _judge_answer(self, edit: Edit, answer: StatementAnswer, applied: Sequence[Applied]) -> None:
        made = applied[0] if applied else None
        seen = self._seen(edit, answer, made)
        judge = {
            "saved": self._judge_saved,
            "conflict": self._judge_conflict,
            "gone": self._judge_gone,
            "failed": self._judge_failed,
            "skipped": self._judge_skipped,
        }.get(answer.outcome)
        if judge is not None:
            judge(edit, answer, made, seen)

    def _seen(self, edit: Edit, answer: StatementAnswer, made: Applied | None) -> list[Version]:
        """Return the versions of the edit's row that the server may have seen before it answered."""
        row_id = edit.row_id if edit.row_id is not None else made.row_id if made else answer.row_id
        if row_id is None:
            return []
        return self._history.seen(edit.table, row_id, edit.first_sent, answer.received)

    def _judge_saved(
        self, edit: Edit, answer: StatementAnswer, made: Applied | None, seen: Sequence[Version]
    ) -> None:
        if made is None or made.at > answer.received:
            if edit.kind == "delete" and any(version.row is None for version in seen):
                self._verdict.tolerated["deleted by others"] += 1
            elif edit.kind == "update" and any(self._holds(edit, version.row) for version in seen):
                self._verdict.tolerated["equal by others"] += 1
            else:
                self._find("false saved", edit, f"row {answer.row_id}: {_listed(seen)}; made: {made}")
            return
        if answer.row_id not in {None, made.row_id}:
            self._find("wrong row ID", edit, f"said {answer.row_id}, is {made.row_id}")
        since = self._history.versions[made.table, made.row_id][made.index :]
        self._judge_values(edit, answer, [item for item in since if item.begin <= answer.received])

    def _judge_conflict(
        self, edit: Edit, answer: StatementAnswer, made: Applied | None, seen: Sequence[Version]
    ) -> None:
        rewritten = made is not None and made.at <= answer.received and self._is_rewritten(edit, answer, made)
        if rewritten:
            # A trigger changed what was written, and no reader can tell it from what somebody else wrote.
            self._verdict.tolerated["conflict with what a trigger made of it"] += 1
        else:
            self._judge_not_made(edit, answer, made)
        theirs = {name: item.get("theirs") for name, item in answer.conflict.items()}
        if not any(_matches(edit.table, theirs, version.row) for version in seen):
            self._find("false theirs", edit, f"{theirs} was never there: {_listed(seen)}")

    def _judge_gone(
        self, edit: Edit, answer: StatementAnswer, made: Applied | None, seen: Sequence[Version]
    ) -> None:
        self._judge_not_made(edit, answer, made)
        if not any(version.row is None for version in seen):
            self._find("false gone", edit, _listed(seen))

    def _judge_failed(
        self, edit: Edit, answer: StatementAnswer, made: Applied | None, seen: Sequence[Version]
    ) -> None:
        self._judge_not_made(edit, answer, made)

    def _judge_skipped(
        self, edit: Edit, answer: StatementAnswer, made: Applied | None, seen: Sequence[Version]
    ) -> None:
        if made is not None:
            self._find("false skipped", edit, str(made))

    def _judge_not_made(self, edit: Edit, answer: StatementAnswer, made: Applied | None) -> None:
        if made is None:
            return
        if made.old is not None and made.old == made.new and made.at <= answer.received:
            self._verdict.tolerated["made, to no effect"] += 1
            return
        versions = self._history.versions[made.table, made.row_id]
        arrived = self._history.arrived.get(edit.cause, [made.at])
        told = answer.received if answer.read is None else min(answer.read, answer.received)
        if made.at > told and made.at - arrived[-1] > self._doubt_seconds:
            self._verdict.tolerated["later than the doubt time"] += 1
        elif made.index + 1 < len(versions) and versions[made.index + 1].begin <= answer.received:
            # Others changed the row between our statement and the reading: what is said is what is there.
            self._verdict.tolerated["undone by others"] += 1
        else:
            late = " before a late apply" if made.at > answer.received else ""
            self._find(f"false {answer.outcome}{late}", edit, f"{answer.message} {made}")

    def _is_rewritten(self, edit: Edit, answer: StatementAnswer, made: Applied) -> bool:
        new, values = made.new or {}, edit.values or {}
        return any(
            canonical(edit.table, name, value) != new.get(name) for name, value in values.items()
        ) and all(
            name not in values or canonical(edit.table, name, item.get("theirs")) == new.get(name)
            for name, item in answer.conflict.items()
        )

    def _judge_values(self, edit: Edit, answer: StatementAnswer, seen: Sequence[Version]) -> None:
        if edit.kind == "delete" or not answer.values:
            return
        if not any(_matches(edit.table, answer.values, version.row) for version in seen):
            self._find("false values", edit, f"{answer.values} was never there: {_listed(seen)}")

    def _wanted(self, edit: Edit) -> dict[str, str | None]:
        return {
            name: self._forms.stored(edit.table, name, value) for name, value in (edit.values or {}).items()
        }

    def _holds(self, edit: Edit, row: Row | None) -> bool:
        return row is not None and all(row[name] == form for name, form in self._wanted(edit).items())


def _matches(table: str, said: Mapping[str, Any], row: Row | None) -> bool:
    return row is not None and all(
        row[name] == canonical(table, name, value) for name, value in said.items() if name in row
    )


def _listed(versions: Sequence[Version]) -> str:
    return "; ".join(
        f"{dict(item.row) if item.row is not None else 'no row'} by {item.cause} from {item.begin:.2f}"
        for item in versions
    )
