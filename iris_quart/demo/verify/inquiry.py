"""Questions that a probe asks: one statement at a time, each recorded with the shape of its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from iris_quart.demo.behaviours.running import Asker

from .own_schema import code_of, error_of
from .report import Asked

NO_ERROR = 0


class NotRun(Exception):
    """A probe cannot be asked here; the text is the reason."""


@dataclass(frozen=True)
class Reply:
    """An answer: its rows as lists, or its error."""

    columns: list[str]
    rows: list[list[Any]]
    error: str | None
    result: Any
    seconds: float

    @property
    def code(self) -> int | None:
        """Return the SQLCODE: 0 without an error, None if the error names none."""
        return NO_ERROR if self.error is None else code_of(self.error)

    def outcome(self, success: str) -> str:
        """Return `success`, or how the statement was refused."""
        return success if self.error is None else f"refused: {self.error[:200]}"


@dataclass
class Inquiry:
    """The statements of one probe; `connect` opens a further session for a given number of seconds of patience."""

    asker: Asker
    user: str
    connect: Callable[[float], Asker]
    namespaces: list[str]
    patience: float
    gateway_seconds: float | None
    asked: list[Asked] = field(default_factory=list)

    def ask(
        self,
        statement: str,
        *parameters: Any,
        version: str = "v1",
        namespace: str | None = None,
        options: Mapping[str, str] | None = None,
        asker: Asker | None = None,
    ) -> Reply:
        """Ask one statement; raise what the connection raises."""
        begun = time.monotonic()
        error: str | None = "no answer"
        columns: list[str] = []
        rows: list[list[Any]] = []
        result: Any = None
        try:
            answer = (asker or self.asker).query(
                statement, parameters, version=version, namespace=namespace, options=options
            )
            error = error_of(answer)
            if error is None:
                result = answer.json["result"]
                columns, rows = _table(result)
        finally:
            seconds = round(time.monotonic() - begun, 3)
            # Of rows only the number is recorded: a report must hold nobody's data.
            self.asked.append(Asked(statement, seconds, error, columns or None, len(rows)))
        return Reply(columns, rows, error, result, seconds)

    @contextmanager
    def other_session(self, patience: float | None = None) -> Iterator[Asker]:
        """Open a second session and end it with the block."""
        other = self.connect(patience or self.patience)
        try:
            yield other
        finally:
            other.end()


def _table(result: Any) -> tuple[list[str], list[list[Any]]]:
    """Return columns and rows of a result, of objects or positional."""
    if isinstance(result, list):
        result = result[0] if result else {}
    content = result.get("content") or []
    if content and isinstance(content[0], dict):
        return list(content[0]), [list(row.values()) for row in content]
    named = [str(column.get("name")) for column in result.get("columns", [])]
    return named, [list(row) if isinstance(row, list) else [row] for row in content]


__all__ = ["Inquiry", "NotRun", "Reply"]
