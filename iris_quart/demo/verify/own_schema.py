"""The schema that the live kit creates and drops: what it holds, what could not be created, and what stayed behind."""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass, field

from iris_quart.demo.behaviours import Behaviour
from iris_quart.demo.behaviours.running import DROPS, READS, SCHEMA, SQLCODE, Answer, Asker, script

CREATED = re.compile(r"(?:CREATE TABLE|CREATE VIEW|INSERT INTO)\s+\w+\.(\w+)", re.IGNORECASE)
MENTIONED = re.compile(rf"\b{SCHEMA}\"?\.\"?(\w+)", re.IGNORECASE)
OURS = "SELECT TABLE_NAME AS n FROM INFORMATION_SCHEMA.TABLES WHERE %SQLUPPER(TABLE_SCHEMA) = %SQLUPPER(?)"
LOST = (OSError, http.client.HTTPException)
SILENCES = 3  # requests in succession without an answer, after which no more are sent
HARMLESS = (-51, -1)  # errors of statements that no parser takes


def error_of(answer: Answer) -> str | None:
    """Return the error of an answer, None if the statement succeeded."""
    if answer.status != 200:
        return f"HTTP {answer.status}"
    errors = answer.json["status"]["errors"]
    return str(errors[0].get("error", errors[0])) if errors else None


def code_of(error: str) -> int | None:
    """Return the SQLCODE that a text of an error names."""
    found = SQLCODE.search(error)
    return int(found[1]) if found else None


@dataclass
class OwnSchema:
    """The tables of the kit on one server; `broken` maps those that could not be created to the reason."""

    asker: Asker
    broken: dict[str, str] = field(default_factory=dict)

    def tables(self) -> list[str]:
        """Return the tables and views that the schema holds; raise RuntimeError if the server does not list them."""
        answer = self.asker.query(OURS, (SCHEMA,))
        if (error := error_of(answer)) is not None:
            raise RuntimeError(error)
        return sorted(str(row["n"]) for row in answer.json["result"]["content"])

    def create(self) -> None:
        """Create the tables and their rows, as far as the server takes the statements."""
        for statement in script():
            found = CREATED.match(statement)
            name = found[1] if found else ""
            if name in self.broken:
                continue
            if (error := error_of(self.asker.query(statement))) is not None:
                self.broken[name] = error

    def drop(self) -> list[str]:
        """Drop the tables, each even if another could not be dropped; return those that are still there."""
        silent = 0
        for item in DROPS:
            kind, name = item.split()
            try:
                self.asker.query(f"DROP {kind} {SCHEMA}.{name}")
                silent = 0
            except LOST:
                silent += 1
                if silent == SILENCES:
                    raise
        return self.tables()

    def why_not(self, behaviour: Behaviour) -> str | None:
        """Return why a row must not or cannot run here, None if it can."""
        if behaviour.request is not None:
            if behaviour.request.get("credentials"):
                return "a failed sign-in could lock an account"
            return None
        return self._why_not_asked(
            [behaviour.statement or "", *(then[0] for then in behaviour.then)], behaviour
        )

    def _why_not_asked(self, statements: list[str], behaviour: Behaviour) -> str | None:
        for statement in statements:
            if "%SYSTEM" in statement.upper():
                return "it could stop a statement of somebody else"
            if (
                not READS.match(statement)
                and not MENTIONED.search(statement)
                and behaviour.error not in HARMLESS
            ):
                return "it could change something outside the kit's own schema"
            for name in MENTIONED.findall(statement):
                for broken, error in self.broken.items():
                    if name.upper() == broken.upper():
                        return _not_created(broken, error)
            if self.broken and f"'{SCHEMA.upper()}" in statement.upper():
                return _not_created(*next(iter(self.broken.items())))
        return None


def _not_created(name: str, error: str) -> str:
    return f"{SCHEMA}.{name} could not be created: {error[:200]}"


__all__ = ["LOST", "SILENCES", "OwnSchema", "code_of", "error_of"]
