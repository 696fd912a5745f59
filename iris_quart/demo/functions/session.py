"""Special variables of the process that runs a statement, such as $USERNAME and $HOROLOG."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

from iris_quart.demo.core.errors import fatal

from .signatures import signatures


class Statements(Protocol):
    """The running statements of the namespace."""

    def listed(self) -> str:
        """Return them as JSON."""
        ...

    def text_of(self, wanted: str) -> str | None:
        """Return the text of one by its hash."""
        ...

    def cancel(self, process: int, number: int | None) -> bool:
        """Stop one; return whether there is one."""
        ...


@dataclass(frozen=True)
class Process:
    """What a statement can ask about the process that runs it."""

    user: str
    namespace: str
    version: str
    statements: Statements


_running = threading.local()
"""The process of the statement that this thread runs: SQLite calls functions in the thread of the statement."""


def run_as(process: Process) -> None:
    """Let the functions of this thread answer for a process."""
    _running.process = process


def user() -> str:
    """Return the name of the user."""
    return str(_running.process.user)


def namespace() -> str:
    """Return the name of the namespace."""
    return str(_running.process.namespace)


def version() -> str:
    """Return the version text of the server."""
    return str(_running.process.version)


def job() -> int:
    """Return the number of the process."""
    return threading.get_native_id()


def horolog() -> str:
    """Return the local date and time as `$HOROLOG` does: days, comma, seconds."""
    return _horolog(datetime.now())  # noqa: DTZ005 -- $HOROLOG is local time


def utc_horolog() -> str:
    """Return the date and time of UTC as `$ZTIMESTAMP` does, to the millisecond."""
    moment = datetime.now(UTC)
    return f"{_horolog(moment)}.{moment.microsecond // 1000:03d}"


def _horolog(moment: datetime) -> str:
    days = moment.toordinal() - date(1840, 12, 31).toordinal()
    return f"{days},{moment.hour * 3600 + moment.minute * 60 + moment.second}"


def utc_now() -> str:
    """Return the timestamp of UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")


def last_identity() -> None:
    """Return no row ID: each request runs in a process that has inserted nothing yet."""


def running() -> str:
    """Return the running statements as JSON."""
    return str(_running.process.statements.listed())


def statement_text(_: str | None, wanted: str | None) -> str | None:
    """Return the text of a running statement by its hash."""
    found: str | None = _running.process.statements.text_of(wanted or "")
    return found


def cancel_query(process: int | None, number: int | None = None, _: int | None = None) -> int:
    """Stop the query of another process; raise -400 where it runs none (SQL Reference, CANCEL QUERY)."""
    if process is None or not _running.process.statements.cancel(process, number):
        raise fatal("<NO QUERY>")
    return 1


VOLATILE: dict[str, Callable[..., Any]] = {
    "iris_user": user,
    "iris_namespace": namespace,
    "iris_version": version,
    "iris_job": job,
    "iris_horolog": horolog,
    "iris_utc_horolog": utc_horolog,
    "iris_utc_now": utc_now,
    "iris_last_identity": last_identity,
    "iris_running": running,
    "iris_statement_text": statement_text,
    "iris_cancel_query": cancel_query,
}
"""SQLite functions whose answer depends on more than their arguments."""

SQL = signatures(
    """
USER $USERNAME         iris_user             i    0 0 text
$NAMESPACE DATABASE    iris_namespace        i    0 0 text
$ZVERSION $ZV          iris_version          i    0 0 text
$JOB $J                iris_job              i    0 0 integer
$HOROLOG $H            iris_horolog          i    0 0 text
$ZTIMESTAMP $ZTS       iris_utc_horolog      i    0 0 text
GETUTCDATE             iris_utc_now          i    0 1 timestamp
LAST_IDENTITY          iris_last_identity    i    0 0 integer
%SYSTEM.CANCELQUERY    iris_cancel_query     i    1 3 integer
INFORMATION_SCHEMA.GETSQLSTATEMENT iris_statement_text t 2 2 text
"""
)
"""Their names and signatures in SQL."""

__all__ = ["SQL", "VOLATILE", "Process", "run_as"]
