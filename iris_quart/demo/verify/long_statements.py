"""Probes that need a long statement: cancelling one, and outlasting the time-out of a web gateway.

A long statement is a join of the kit's table of eight words with itself. It reads no other table, and it ends by
itself even if nobody can cancel it.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from iris_quart.demo.behaviours.running import SCHEMA, Asker

from .inquiry import Inquiry, NotRun

WORDS = f"{SCHEMA}.Word"
CANCELLED_JOIN = 7  # times eight words: two million rows
GATEWAY_JOIN = 10
FIND_SECONDS = 5.0
LISTED = (
    "SELECT ProcessID, SQLStatementID FROM INFORMATION_SCHEMA.CURRENT_STATEMENTS"
    " WHERE Namespace = ? AND ProcessID <> $JOB AND ExecutionDuration >= 0"
    " AND INFORMATION_SCHEMA.GetSQLStatement(Namespace, StatementIndexHash) LIKE '%w1.Number + %'"
)
CANCEL = "SELECT %SYSTEM.CancelQuery(?, ?, 3) AS status"


def long_join(times: int) -> str:
    """Return a statement that looks at every combination of the eight words."""
    sources = ", ".join(f"{WORDS} w{number}" for number in range(1, times + 1))
    total = " + ".join(f"w{number}.Number" for number in range(1, times + 1))
    return f"SELECT COUNT(*) AS n FROM {sources} WHERE {total} < 0"


@dataclass
class Victim:
    """A long statement in a thread and session of its own."""

    inquiry: Inquiry
    asker: Asker
    statement: str
    answer: str = "no answer"
    seconds: float = 0.0
    done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Ask the statement and keep the answer."""
        begun = time.monotonic()
        try:
            reply = self.inquiry.ask(self.statement, asker=self.asker)
            self.answer = reply.outcome("it ended by itself")
        except (OSError, ValueError) as error:
            self.answer = f"{type(error).__name__}: {error}"
        self.seconds = time.monotonic() - begun
        self.done.set()


def _find(inquiry: Inquiry, victim: Victim) -> tuple[int, int] | None:
    """Return process and statement of the victim, None if it is not listed while it runs."""
    deadline = time.monotonic() + FIND_SECONDS
    while not victim.done.is_set() and time.monotonic() < deadline:
        reply = inquiry.ask(LISTED, inquiry.asker.namespace)
        if reply.error is not None:
            victim.done.wait(inquiry.patience)
            raise NotRun(f"the running statement cannot be found; the lookup is {reply.outcome('')}")
        if reply.rows:
            return int(reply.rows[0][0]), int(reply.rows[0][1])
        victim.done.wait(0.05)
    return None


def cancel_from_another_session(inquiry: Inquiry) -> str:
    """Run a long statement in a second session and cancel it from the first."""
    with inquiry.other_session() as other:
        victim = Victim(inquiry, other, long_join(CANCELLED_JOIN))
        thread = threading.Thread(target=victim.run, name="cancelled-statement", daemon=True)
        thread.start()
        try:
            found = _find(inquiry, victim)
            if found is None:
                raise NotRun(f"the running statement was not listed; {victim.answer}")
            reply = inquiry.ask(CANCEL, *found)
            asked = time.monotonic()
            ended = victim.done.wait(inquiry.patience)
            took = f"after {time.monotonic() - asked:.3f} s" if ended else "not yet"
            return f"CancelQuery {reply.outcome('accepted')}; the cancelled request answered {took}: {victim.answer}"
        finally:
            thread.join(inquiry.patience)


def outlast_the_gateway(inquiry: Inquiry) -> str:
    """Run a statement that takes longer than a web gateway waits, see how it is cut off, and cancel it."""
    if inquiry.gateway_seconds is None:
        raise NotRun(
            "it keeps a process of the server busy for more than a minute; --gateway-timeout asks it"
        )
    with inquiry.other_session(inquiry.gateway_seconds) as other:
        victim = Victim(inquiry, other, long_join(GATEWAY_JOIN))
        thread = threading.Thread(target=victim.run, name="long-statement", daemon=True)
        thread.start()
        victim.done.wait(inquiry.gateway_seconds + 1)
        running = inquiry.ask(LISTED, inquiry.asker.namespace)
        for process, number in running.rows:
            inquiry.ask(CANCEL, process, number)
        thread.join(inquiry.patience)
    state = running.outcome("is still running" if running.rows else "is not running any more")
    return f"after {victim.seconds:.0f} s: {victim.answer}; the statement {state}"


__all__ = ["cancel_from_another_session", "long_join", "outlast_the_gateway"]
