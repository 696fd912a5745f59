"""Commands about the connection itself: the session, and cancelling a command."""

from __future__ import annotations

import time
from typing import ClassVar

from pydantic import Field

from iris_quart.context import Context
from iris_quart.dispatch import CommandBlueprint, Kind
from iris_quart.errors import InvalidInput
from iris_quart.protocol import ID_PATTERN, Event, Message

__all__ = ["Cancelled", "Nothing", "ServerList", "SessionState", "connection"]

connection = CommandBlueprint("connection", __name__)


class Nothing(Message):
    """No fields."""


class Cancel(Message):
    """Name the command to take back."""

    id: str = Field(max_length=64, description="Id of the command, as it was sent on this socket.")


class ServerList(Event):
    """The server that this session is signed in to."""

    servers: list[str]


class SessionState(Event):
    """The signed-in user and the deadlines; times left in seconds, `createdAt` in milliseconds since 1970.

    `serverTime` is the clock by which ids that carry a time are judged, in milliseconds since 1970. The result of a
    write is kept for `writeResultSeconds`; a statement whose answer was lost may still take effect within
    `doubtSeconds`.
    """

    event: ClassVar[str] = "session"
    user: str
    server: str
    namespace: str | None
    read_only: bool
    created_at: int
    idle_seconds_left: float
    seconds_left: float
    server_time: int
    write_result_seconds: float
    doubt_seconds: float


class Cancelled(Event):
    """Whether the command could still be taken back; then it ends with the error CANCELLED.

    A saveChanges that has begun is stopped instead, and ends with its own changesSaved. One that waits ends with
    CANCELLED, and what an earlier command has not sent of its changes is not sent either.
    """

    id: str
    cancelled: bool


@connection.command("getServerList", kind=Kind.INSTANT)
async def get_server_list(context: Context, _payload: Nothing) -> ServerList:
    """Name the server of this session."""
    return ServerList(servers=[context.session.server])


@connection.command("getSession", kind=Kind.INSTANT, extends_session=False)
async def get_session(context: Context, _payload: Nothing) -> SessionState:
    """Return who is signed in and when that ends; the only command that does not keep the session alive."""
    return _session_state(context)


@connection.command("keepAlive", kind=Kind.INSTANT)
async def keep_alive(context: Context, _payload: Nothing) -> SessionState:
    """Extend the idle deadline, as every command but getSession does, and return the new deadlines."""
    return _session_state(context)


def _session_state(context: Context) -> SessionState:
    session = context.session
    now = context.now()
    # The store's clock may differ from this machine's; people compare with their own.
    created = time.time() - (now - session.created)
    return SessionState(
        user=session.user,
        server=session.server,
        namespace=session.namespace,
        read_only=session.read_only or context.settings.read_only is True,
        created_at=round(created * 1000),
        idle_seconds_left=round(max(0.0, session.ends_at - now), 3),
        seconds_left=round(max(0.0, session.absolute_until - now), 3),
        server_time=round(now * 1000),
        write_result_seconds=context.settings.write_result_seconds,
        doubt_seconds=context.settings.doubt_time,
    )


@connection.command("cancel", kind=Kind.INSTANT)
async def cancel(context: Context, payload: Cancel) -> Cancelled:
    """Cancel a waiting command or a running read of this socket, or stop a running saveChanges.

    Any other write that has begun goes on.
    """
    if not ID_PATTERN.match(payload.id):
        raise InvalidInput("id: must be 1 to 64 letters, digits, _ or -", field="id")
    return Cancelled(id=payload.id, cancelled=context.cancel(payload.id))
