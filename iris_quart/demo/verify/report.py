"""What the live kit found: as data, as JSON and as a text to read."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["confirmed", "refuted", "new", "not run"]
VERDICTS: tuple[Verdict, ...] = ("confirmed", "refuted", "new", "not run")
FORMAT = 1
MASK = "<user>"


@dataclass(frozen=True)
class Row:
    """The verdict on one row of the table of behaviours; `detail` is what the server did, or why it was not asked."""

    id: str
    source: str
    reference: str
    verdict: Verdict
    detail: str | None = None


@dataclass(frozen=True)
class Asked:
    """One statement of a probe and the shape of its answer."""

    statement: str
    seconds: float
    error: str | None = None
    columns: list[str] | None = None
    rows: int | None = None


@dataclass(frozen=True)
class Found:
    """The answer to one probe."""

    id: str
    question: str
    falls_back_to: str
    verdict: Verdict
    answer: str
    asked: list[Asked]


@dataclass
class Report:
    """All that one run found; `stopped` says why it ended early, `left_behind` which tables could not be dropped."""

    version: str
    release: str
    encoding: dict[str, str]
    started: str
    kit: str
    stopped: str | None = None
    broken: dict[str, str] = field(default_factory=dict)
    left_behind: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    probes: list[Found] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return the number of rows and probes by verdict."""
        found = Counter([row.verdict for row in self.rows]) + Counter(
            [probe.verdict for probe in self.probes]
        )
        return {verdict: found[verdict] for verdict in VERDICTS}


def as_json(report: Report, user: str) -> str:
    """Return a report as JSON; the name of the user who ran it is masked."""
    data = {"format": FORMAT, "counts": report.counts(), **asdict(report)}
    return json.dumps(_masked(data, user), ensure_ascii=False, indent=1) + "\n"


def as_text(report: Report, user: str) -> str:
    """Return a report as plain text; the name of the user who ran it is masked."""
    return "\n".join(str(_masked(line, user)) for line in _lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"iris-quart verify {report.kit}, {report.started}"
    yield f"Server: {report.version} (release {report.release})"
    yield "Values: " + ", ".join(f"{name} {value}" for name, value in report.encoding.items())
    yield ", ".join(f"{count} {verdict}" for verdict, count in report.counts().items())
    if report.stopped:
        yield f"STOPPED EARLY: {report.stopped}"
    if report.left_behind:
        yield f"STILL THERE, drop by hand: {', '.join(report.left_behind)}"
    for name, error in report.broken.items():
        yield f"Table {name} could not be created: {error}"
    yield ""
    yield "Open questions"
    for probe in report.probes:
        yield f"{probe.id} [{probe.verdict}] {probe.question}"
        yield f"    {probe.answer}"
    for verdict in ("refuted", "not run"):
        yield ""
        yield f"Rows {verdict}"
        for row in report.rows:
            if row.verdict == verdict:
                yield f"({row.source}) {row.id}"
                yield f"    {row.detail}"
    yield ""
    yield "Rows confirmed, by source"
    sources = Counter(row.source for row in report.rows if row.verdict == "confirmed")
    yield ", ".join(f"{count} {source}" for source, count in sorted(sources.items())) or "none"


def _masked(value: Any, user: str) -> Any:
    """Replace the name of the user, which error texts may hold, in every text of a value."""
    if isinstance(value, str):
        return re.sub(rf"(?<!\w){re.escape(user)}(?!\w)", MASK, value, flags=re.IGNORECASE) if user else value
    if isinstance(value, dict):
        return {key: _masked(item, user) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, user) for item in value]
    return value


__all__ = ["FORMAT", "VERDICTS", "Asked", "Found", "Report", "Row", "Verdict", "as_json", "as_text"]
