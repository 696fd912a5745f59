"""The context of a command: the session, its tables, and the means to announce and audit a write."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .protocol import PreviewMark
from .sessions.session import account

if TYPE_CHECKING:
    from .config import Settings
    from .sessions import Session, WriteResults
    from .tables import Tables

__all__ = [
    "RANDOM_ID_LENGTH",
    "AuditEntry",
    "Browsing",
    "Context",
    "RowChange",
    "TableChange",
]


RANDOM_ID_LENGTH = 16
"""Characters from which an id of a write counts as random and unique."""


@dataclass(slots=True)
class Browsing:
    """The table that one socket has open, for commands that do not name theirs."""

    namespace: str | None = None
    table_name: str | None = None

    def choose_namespace(self, namespace: str) -> None:
        """Enter a namespace; another one clears the table, so that no write falls on its namesake."""
        if namespace != self.namespace:
            self.table_name = None
        self.namespace = namespace

    def choose_table(self, namespace: str, table_name: str) -> None:
        """Open a table."""
        self.namespace, self.table_name = namespace, table_name


@dataclass(frozen=True, slots=True)
class RowChange:
    """One proved change of a row; `values` are the new wire values by column, absent for a delete.

    `previews` names those of which only the beginning is among them.
    """

    kind: str
    row_id: str | None
    values: dict[str, Any] | None = None
    previews: dict[str, PreviewMark] | None = None


@dataclass(frozen=True, slots=True)
class TableChange:
    """Proved changes of one table, to be told to every other socket that has it open."""

    namespace: str
    table_name: str
    changes: Sequence[RowChange]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One write for the audit file; `values` are written only when settings.audit_values says so."""

    namespace: str
    table_name: str
    kind: str
    row_id: str | None
    columns: Sequence[str]
    outcome: str
    write_id: str
    sqlcode: int | None = None
    values: dict[str, Any] | None = None


@dataclass(slots=True)
class Context:
    """All that a command may use: no request, no socket, no current_app.

    One per socket; `message_id` differs for each command (see `for_message`).
    """

    session: Session
    """The session as it stands; of one command, as it stood when the command was let in."""
    settings: Settings
    tables: Tables
    results: WriteResults
    announce: Callable[[TableChange], Awaitable[None]]
    audit: Callable[[AuditEntry], None]
    browsing: Browsing = field(default_factory=Browsing)
    message_id: str | None = None
    cancel: Callable[[str], bool] = lambda _message_id: False
    """Cancel a command of this socket by its id; returns whether it could still be cancelled."""
    follow: Callable[[str, str, str], bool] = lambda _namespace, _table_name, _mark: False
    """Show a table on this socket whose rows were sent with the page, by the mark that came with them.

    The socket is sent what others changed since. Return whether that is everything; otherwise the rows must be read."""
    ended: Callable[[], bool] = lambda: False
    """Whether the session has ended: a write of many rows then starts no further statement."""
    stopping: Callable[[], bool] = lambda: False
    """Whether the user asked this very command to stop: it then starts no further statement and answers the rest."""
    draining: Callable[[], bool] = lambda: False
    """Whether this worker stops so soon that a write must start no further statement."""
    under_way: dict[tuple[str, str], asyncio.Future[Any]] = field(default_factory=dict)
    """Writes that commands of this worker run now, by owner and id; one mapping for all of its sockets. See
    `commands.claims`."""
    now: Callable[[], float] = time.time
    """The store's clock, by which the session's deadlines are judged."""
    arrived: float = 0.0
    """When the command came, by `now`."""

    def owner_of(self, write_id: str) -> str:
        """Return whom the stored result of a write belongs to.

        An id that is long enough to be random belongs to the account at its IRIS server and outlives the session;
        scripts of one account that count their commands would answer for each other, so a shorter one belongs to
        the session.
        """
        owner = f"{self.session.server_key}|{account(self.session.user)}"
        return owner if len(write_id) >= RANDOM_ID_LENGTH else f"{owner}|{self.session.key}"

    def for_message(self, message_id: str | None) -> Context:
        """Return the same context for one command; what is being browsed stays shared."""
        # Once per message; dataclasses.replace costs several times as much.
        return Context(
            self.session,
            self.settings,
            self.tables,
            self.results,
            self.announce,
            self.audit,
            self.browsing,
            message_id,
            self.cancel,
            self.follow,
            self.ended,
            self.stopping,
            self.draining,
            self.under_way,
            self.now,
            self.now(),
        )
