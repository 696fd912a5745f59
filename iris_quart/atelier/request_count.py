"""Count of requests to IRIS within one piece of work, across all layers."""

from __future__ import annotations

from contextvars import ContextVar

__all__ = ["Tally", "count_request", "tally_requests"]


class Tally:
    """Requests sent since the tally began."""

    __slots__ = ("requests",)

    def __init__(self) -> None:
        self.requests = 0


_current: ContextVar[Tally | None] = ContextVar("requests to IRIS", default=None)


def tally_requests() -> Tally:
    """Begin to count what this task, and every task that it starts from now on, sends to IRIS.

    A read that was already under way for somebody else, and is only waited for, is counted there.
    """
    tally = Tally()
    _current.set(tally)
    return tally


def count_request() -> None:
    """Count one request for the work that it is sent for."""
    tally = _current.get()
    if tally is not None:
        tally.requests += 1
