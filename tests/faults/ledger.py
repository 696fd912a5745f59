"""What was reported beside what happened: the history that the database itself kept."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

TABLES = ("Fault.Plain", "Fault.Keyed")
SCRIPT = """
CREATE TABLE Fault.Plain (V VARCHAR(60), N INTEGER);
CREATE TABLE Fault.Keyed (K VARCHAR(60) NOT NULL, V VARCHAR(60), PRIMARY KEY (K));
"""
NOW = "(julianday('now') - 2440587.5) * 86400"
"""SQLite's clock in seconds since the epoch, cut to milliseconds (SQLite documentation, Date And Time Functions)."""


@dataclass
class Edit:
    """One edit as a user asked for it, and all that was said about it.

    `token` is a value that nobody else writes: what an update or an insert puts into V. `base` is the V that
    was seen, None when the server was left to look itself.
    """

    change_id: str
    table: str
    kind: str
    token: str
    row_id: str | None = None
    base: str | None = None
    outcome: str | None = None
    reported_row: str | None = None
    answered: float = 0.0
    """When the outcome was told, in seconds since the epoch."""


@dataclass
class Verdict:
    """The sums, and the sentences about each fault that was found."""

    edits: int
    lies: int = 0
    duplicates: int = 0
    lost: int = 0
    unknown: int = 0
    findings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.edits} edits: {self.lies} lies, {self.duplicates} duplicates, {self.lost} lost, "
            f"{self.unknown} unknown"
        )


@dataclass(frozen=True)
class Happened:
    """One change of a row, as the database kept it; `next_at` and `next_kind` are of the row's next change."""

    table: str
    kind: str
    row_id: str
    old: str | None
    new: str | None
    next_at: float = math.inf
    next_kind: str | None = None


def keep_history(database: Path) -> None:
    """Let the database write down every change of the tables, past everything that is tested."""
    connection = sqlite3.connect(database)
    connection.executescript(
        "CREATE TABLE history (seq INTEGER PRIMARY KEY, tab TEXT, kind TEXT, row_id TEXT, old TEXT, new TEXT,"
        f" at REAL DEFAULT ({NOW}));"
    )
    for table in TABLES:
        for verb, kind, old, new, row in (
            ("INSERT", "insert", "NULL", 'NEW."V"', "NEW"),
            ("UPDATE", "update", 'OLD."V"', 'NEW."V"', "NEW"),
            ("DELETE", "delete", 'OLD."V"', "NULL", "OLD"),
        ):
            connection.execute(
                f'CREATE TRIGGER "{table} {kind}" AFTER {verb} ON "{table}" BEGIN INSERT INTO history '
                f"(tab, kind, row_id, old, new) VALUES ('{table}', '{kind}', {row}.\"%ID\", {old}, {new}); END"
            )
    connection.commit()
    connection.close()


def read_history(database: Path) -> list[Happened]:
    """Read what happened, in order."""
    connection = sqlite3.connect(database)
    rows = connection.execute("SELECT tab, kind, row_id, old, new, at FROM history ORDER BY seq").fetchall()
    connection.close()
    happened = []
    later: dict[tuple[str, str], tuple[float, str]] = {}
    for table, kind, row_id, old, new, at in reversed(rows):
        then = later.get((table, row_id), (math.inf, None))
        happened.append(Happened(table, kind, str(row_id), old, new, *then))
        later[table, row_id] = at, kind
    return happened[::-1]


def judge(edits: list[Edit], history: list[Happened]) -> Verdict:
    """Compare what was reported with what happened."""
    verdict = Verdict(len(edits))
    by_token: dict[str, list[Happened]] = defaultdict(list)
    deletions: dict[tuple[str, str], list[Happened]] = defaultdict(list)
    for item in history:
        if item.kind == "delete":
            deletions[item.table, item.row_id].append(item)
        elif item.new is not None:
            by_token[item.new].append(item)
    accounted: Counter[tuple[str, str]] = Counter()
    for edit in edits:
        if edit.kind == "delete" and edit.row_id is not None and edit.outcome in {"saved", "unknown"}:
            accounted[edit.table, edit.row_id] += 1
    for edit in edits:
        if edit.outcome is None:
            verdict.lost += 1
            verdict.findings.append(f"never answered: {edit}")
        elif edit.outcome == "unknown":
            verdict.unknown += 1
        if edit.kind == "delete":
            _judge_delete(verdict, edit, deletions, accounted)
        else:
            _judge_write(verdict, edit, by_token[edit.token])
    return verdict


def _judge_write(verdict: Verdict, edit: Edit, happened: list[Happened]) -> None:
    if len(happened) > 1:
        verdict.duplicates += 1
        verdict.findings.append(f"{len(happened)} times: {edit}")
    if edit.outcome == "saved" and not happened:
        verdict.lies += 1
        verdict.findings.append(f"said saved, but never was: {edit}")
    elif edit.outcome in {"conflict", "gone"} and happened and happened[0].next_at <= edit.answered:
        pass  # it was made, and somebody changed it before it was looked at: what was said is what is there
    elif _deleted_before_it_was_seen(edit, happened):
        pass  # what was said is that no such row is there
    elif edit.outcome not in {"saved", "unknown", None} and happened:
        verdict.lies += 1
        verdict.findings.append(f"said {edit.outcome}, but was made: {edit} {happened}")
    for item in happened:
        if edit.kind == "update" and edit.base is not None and item.old != edit.base:
            verdict.lost += 1
            verdict.findings.append(f"overwrote {item.old!r}: {edit}")
        if edit.outcome == "saved" and edit.reported_row not in {None, item.row_id}:
            verdict.lies += 1
            verdict.findings.append(f"said row {edit.reported_row}, but it is {item.row_id}: {edit}")


def _deleted_before_it_was_seen(edit: Edit, happened: list[Happened]) -> bool:
    made = happened[0] if edit.kind == "insert" and edit.outcome == "failed" and happened else None
    return made is not None and made.next_kind == "delete" and made.next_at <= edit.answered


def _judge_delete(
    verdict: Verdict,
    edit: Edit,
    deletions: dict[tuple[str, str], list[Happened]],
    accounted: Counter[tuple[str, str]],
) -> None:
    assert edit.row_id is not None
    happened = deletions[edit.table, edit.row_id]
    if edit.outcome == "saved":
        if not happened:
            verdict.lies += 1
            verdict.findings.append(f"said deleted, but never was: {edit}")
        elif (
            edit.base is not None and accounted[edit.table, edit.row_id] == 1 and happened[0].old != edit.base
        ):
            verdict.lost += 1
            verdict.findings.append(f"deleted {happened[0].old!r}, which was not seen: {edit}")
    elif edit.outcome not in {"unknown", None} and happened and not accounted[edit.table, edit.row_id]:
        verdict.lies += 1
        verdict.findings.append(f"said {edit.outcome}, but the row was deleted: {edit}")
