"""What the embedded server claims to do as IRIS does: one table, each row with its source.

The rows stand in JSON lines beside this module, in files by topic. `running` runs them against any server; run as a
module, this package prints how many rows have which source.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from importlib.resources import files
from typing import Any, Literal

SOURCES = ("doc", "seen", "inferred")
TOPICS = (
    "http", "envelope", "parameters", "types", "encodings", "selects", "text", "dates", "functions", "pages",
    "writes", "constraints", "errors", "catalogue", "samples",
)  # fmt: skip


@dataclass(frozen=True)
class Behaviour:
    """One claim: what is asked, in which setting, what is expected, and where that is from.

    statement, parameters, version, options: a query for the API; or request: a bare HTTP request.
    rows: the expected rows as lists of values; null is NULL and "" the empty string whatever the encoding, and
        {"date": "2024-02-29"}, {"time": ...}, {"posix": ...}, {"matches": "regular expression"} stand for themselves.
    raw: the expected text of `result`, for claims about the encoding itself.
    columns: the expected names. error and text: the SQLCODE, and a regular expression found in the message.
    then: statements asked afterwards, each with the rows expected.
    setting: Encoding fields that must have these values, else the row is skipped. before, since: a release.
    unmet: what the embedded server does instead, where it does not do as claimed.
    embedded: needs what only the embedded server has (sample data, its users).
    source: doc (InterSystems' manuals and class reference), seen (recorded by somebody on a live server), or
        inferred (follows from such sources, shown by nobody).
    """

    topic: str
    name: str
    source: Literal["doc", "seen", "inferred"]
    reference: str
    statement: str | None = None
    parameters: tuple[Any, ...] = ()
    namespace: str | None = None
    version: str = "v1"
    options: Mapping[str, str] = field(default_factory=dict)
    rows: list[list[Any]] | None = None
    raw: str | None = None
    columns: list[str] | None = None
    error: int | None = None
    text: str | None = None
    then: list[list[Any]] = field(default_factory=list)
    request: Mapping[str, Any] | None = None
    response: Mapping[str, Any] | None = None
    setting: Mapping[str, str] = field(default_factory=dict)
    before: tuple[int, int] | None = None
    since: tuple[int, int] | None = None
    unmet: str | None = None
    embedded: bool = False

    @property
    def id(self) -> str:
        """Name the row among all."""
        return f"{self.topic}: {self.name}"


FIELDS = {entry.name for entry in fields(Behaviour)}


def load() -> Iterator[Behaviour]:
    """Read every row; raise ValueError for one that is not well formed."""
    for topic in TOPICS:
        lines = files(__package__).joinpath(f"{topic}.jsonl").read_text(encoding="utf-8").splitlines()
        for line in lines:
            yield parse(topic, line)


def parse(topic: str, line: str) -> Behaviour:
    """Read one row; raise ValueError when it is not well formed."""
    row = json.loads(line, parse_float=Decimal)
    if unknown := set(row) - FIELDS:
        raise ValueError(f"{topic}: unknown fields {sorted(unknown)} in {line}")
    if row.get("source") not in SOURCES or not row.get("reference"):
        raise ValueError(f"{topic}: no source in {line}")
    if ("statement" in row) == ("request" in row):
        raise ValueError(f"{topic}: neither statement nor request, or both, in {line}")
    if not any(name in row for name in ("rows", "raw", "error", "then", "response", "columns")):
        raise ValueError(f"{topic}: nothing is expected in {line}")
    for name in ("before", "since", "parameters"):
        if name in row:
            row[name] = tuple(row[name])
    return Behaviour(topic=topic, **row)


def counts() -> Counter[str]:
    """Count the rows by source."""
    return Counter(behaviour.source for behaviour in load())
