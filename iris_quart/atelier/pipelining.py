"""Whether a server answers a read that was sent behind a statement, without waiting between them."""

from __future__ import annotations

from contextlib import suppress

from iris_quart.errors import ConnectionFailed, InvalidResponse
from iris_quart.protocol import encode_json

from .replies import Reply

__all__ = ["FIRST", "SECOND", "Pipelining", "are_in_order"]

FIRST = encode_json({"query": 'SELECT 1 AS "first"', "parameters": []})
SECOND = encode_json({"query": 'SELECT 2 AS "second"', "parameters": []})
MISSES_MAX = 2
"""Following reads in a row that went unanswered before the server counts as one that does not answer them."""
TRIALS_MAX = 3
"""Trials that may fail for another reason, as that IRIS had ended the session."""


class Pipelining:
    """Keeps what is known of one server.

    HTTP/1.1 lets a client send a second request before the first is answered, and the server must answer in
    order (RFC 9112 section 9.3.2). What stands before IRIS may not do so, therefore two constants are asked for
    first, and each use is checked.
    """

    def __init__(self, *, allowed: bool) -> None:
        self.works: bool | None = None if allowed else False
        """None as long as it is not known."""
        self._misses = 0
        self._trials = 0

    def learn(self, replies: tuple[Reply, Reply | None] | None) -> None:
        """Learn from a trial; None is one that could not be made."""
        self._trials += 1
        if replies is not None:
            self.works = replies[1] is not None and are_in_order(replies[0], replies[1])
        elif self._trials >= TRIALS_MAX:
            self.works = False

    def check(self, reply: Reply) -> None:
        """Learn from a statement that a read followed.

        Raises ConnectionFailed when the answers are not in order: what was said of the statement is not known.
        """
        with suppress(InvalidResponse):
            if reply.raw_rows():
                self.works = False
                raise ConnectionFailed("IRIS answered two requests in another order than they were sent in.")
        if reply.following is not None:
            self._misses = 0
            return
        self._misses += 1
        if self._misses >= MISSES_MAX:
            self.works = False


def are_in_order(first: Reply, second: Reply) -> bool:
    """Check the answers to FIRST and SECOND."""
    try:
        return first.rows == [{"first": 1}] and second.rows == [{"second": 2}]
    except InvalidResponse:
        return False
