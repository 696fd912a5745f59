"""The interface of a session store; SQLite and Redis implement it and share one contract test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from iris_quart.atelier import Credentials

from .session import Ended, NewSession, Session

__all__ = [
    "Admission",
    "LiveChanges",
    "SessionStore",
    "Sessions",
    "SignInLimits",
    "StoreLifetime",
    "Tickets",
    "Transfers",
    "Withdrawal",
    "WriteRecord",
    "WriteResults",
]


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """Stored record of a write's id."""

    state: str
    """"claimed": nothing was sent; "started": perhaps sent; "unknown", "done", "released": see `WriteResults`."""
    fingerprint: str
    answer: bytes
    mine: bool = False
    """Whether this worker claimed the id and still runs the write."""
    alive: bool = False
    """Whether the worker that claimed the id still runs; means nothing once the write has ended."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A write that a run does not send, and the answer that it gets if no other run has sent it."""

    owner: str
    write_id: str
    fingerprint: str
    answer: bytes


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a sign-in try may go on, and when."""

    allowed: bool
    seconds: float = 0.0
    """Allowed: how long to wait before IRIS is asked. Refused: how long until another try may be allowed."""


class StoreLifetime(Protocol):
    """Opening and closing of a store in one worker, its clock and its health."""

    async def start(self) -> None:
        """Open the store in this worker; called once, in `before_serving`."""

    async def close(self) -> None:
        """Close files and connections; iterators of `watch` and `changes` end."""

    def now(self) -> float:
        """Return the store's clock in seconds; between answers of a remote store it is extrapolated."""

    async def healthy(self) -> bool:
        """Return whether the store answers; never raises."""


class Sessions(Protocol):
    """The signed-in sessions of all workers."""

    async def create(self, new: NewSession, credentials: Credentials, *, replaced: str | None = None) -> str:
        """Begin a session and return its id, 256 random bits as base64url: the only copy there is.

        An account has at most settings.sessions_per_account sessions at a server, not counting the one with the key
        `replaced`, which the caller ends. The longest idle one ends in favour of the new one (reason "limit"). Raises
        RateLimited when that one too was used a moment ago.
        """

    async def get(self, session_id: str) -> Session | None:
        """Look up a session; None when it is unknown, ended or past a deadline."""

    async def credentials(self, session_id: str, session: Session) -> Credentials | None:
        """Decrypt the IRIS credentials; None when the session has ended meanwhile."""

    async def touch(self, session: Session) -> Session | None:
        """Slide the idle deadline, unless it has passed; None when the session has ended.

        Callers do so rarely: when the stored deadline lags the true one by more than
        `settings.touch_lag_seconds`.
        """

    async def recheck(self, keys: Sequence[str], *, together: bool = False) -> dict[str, Session | None]:
        """Read many sessions again by key; None for those that have ended.

        `together` allows what was read for other work that the event loop lined up before this moment: good enough
        for work that was asked for before the loop came to the first of it.
        """

    async def end(self, key: str, reason: str) -> bool:
        """End a session everywhere; whether it was there.

        When a remote store is away the session ends in this worker at once and in the store as soon as
        it is back.
        """

    async def end_others(self, user: str, server_key: str, keep: str) -> int:
        """End the user's other sessions on this server; how many there were."""

    async def list(self, user: str | None = None, server_key: str | None = None) -> Sequence[Session]:
        """List live sessions, oldest first."""

    async def count(self) -> int:
        """Count live sessions."""

    def watch(self) -> AsyncIterator[Ended]:
        """Return every session that ends from `start` on, in any worker, deadlines included."""


class SignInLimits(Protocol):
    """Limits of sign-in attempts."""

    async def attempt(self, user: str, server_key: str, address: str) -> Admission:
        """Count a sign-in try, and admit it now, after a wait, or not.

        An account at an address where it signed in lately is judged by its own tries there alone, an address where
        anybody signed in lately is not judged by its network and by all tries together.
        """

    async def forgive(self, user: str, server_key: str, address: str) -> None:
        """Take back the latest try, for it succeeded, and remember the account and its address."""


class Transfers(Protocol):
    """Places for downloads and exports, counted by account."""

    async def begin_transfer(self, user: str, server_key: str) -> str | None:
        """Take one of the account's settings.transfers_per_account places; None when all are taken.

        This worker holds the place until `end_transfer`, or it falls free half a minute after the worker died.
        """

    async def end_transfer(self, place: str) -> None:
        """Return a place back."""


class Tickets(Protocol):
    """Tickets that stand for a session once."""

    async def make_ticket(self, session_id: str) -> str:
        """Create a ticket that stands for the session once, within 60 s, in any worker."""

    async def take_ticket(self, ticket: str) -> str | None:
        """Use up a ticket and give the session id; None when it is unknown, used or too old."""


class WriteResults(Protocol):
    """Results of writes by owner and id; they outlive the web session."""

    async def begin(
        self,
        owner: str,
        write_id: str,
        fingerprint: str,
        *,
        started: bool = False,
        since: float | None = None,
        made: float = 0.0,
    ) -> WriteRecord | None:
        """Claim a write's id: None when it is now this worker's, else what is stored.

        An id that is new is claimed, and so is one that a dead worker had claimed and not started. `started` starts
        it at once. `since` is when the command that asks arrived: an id that was released before is claimed again.
        `made` is the time that the id carries: the record is kept for `settings.write_result_seconds` after that
        and after the claim.
        """

    async def mark_started(self, owner: str, write_id: str) -> bool:
        """Store that the statement is about to be sent; False when the claim is no longer this worker's."""

    async def withdraw(
        self, withdrawals: Sequence[Withdrawal], *, released: bool = False
    ) -> Sequence[WriteRecord | None]:
        """Store answers of writes that are not sent, claimed by any worker or by none: None for each one stored.

        For the others the result is what is stored. Commands that arrive later find the answer and run nothing;
        with `released` they may run the write, while commands that arrived before get the answer.
        """

    async def release(self, owner: str, write_id: str) -> None:
        """Forget a claim of this worker whose statement was not sent, so that another run may claim the id.

        Where StoreUnavailable is raised, this worker runs the write no longer all the same.
        """

    async def peek(self, owner: str, write_id: str) -> WriteRecord | None:
        """Read what is stored under an id; None when it is new or forgotten."""

    async def finish(self, owner: str, write_id: str, state: str, answer: bytes) -> None:
        """Store how a write ended; kept for settings.write_result_seconds.

        An end that is known is replaced only by the worker that runs the write: another one may look at the row when
        it has changed again.
        """


class LiveChanges(Protocol):
    """Messages between workers about changed rows."""

    async def publish(self, *messages: bytes) -> None:
        """Publish to the other workers, in this order; this worker's own `changes` do not yield them."""

    def changes(self) -> AsyncIterator[bytes]:
        """Return what other workers published since `start`, in order for each of them."""


class SessionStore(
    StoreLifetime, Sessions, SignInLimits, Transfers, Tickets, WriteResults, LiveChanges, Protocol
):
    """Everything that the workers share.

    Every method but `now` and `healthy` raises StoreUnavailable when the store does not answer.
    """
