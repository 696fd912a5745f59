"""Why a session must not change a namespace: one policy for commands and HTTP routes."""

from __future__ import annotations

from iris_quart.config import Settings
from iris_quart.context import Context
from iris_quart.names import namespace_name, same_namespace
from iris_quart.sessions import Session

__all__ = ["read_only_reason", "why_read_only"]


def read_only_reason(context: Context, namespace: str) -> str | None:
    """Return why this session must not change a namespace; None if it may."""
    return why_read_only(context.settings, context.session, namespace)


def why_read_only(settings: Settings, session: Session, namespace: str) -> str | None:
    """Return why a session must not change a namespace, regardless of IRIS's own rights; None if it may."""
    if settings.read_only:
        return "This editor is set to read-only."
    server = settings.servers.get(session.server)
    listed = False if server is None else server.read_only
    # A session on a read-only server is read-only as well; the cause is told, not what follows from it.
    if listed is True:
        return "This server is set to read-only."
    if session.read_only:
        return "You signed in to read only."
    # A name of another spelling must not come this far; if one does, it is judged by what it means.
    if listed and any(same_namespace(name, namespace_name(namespace)) for name in listed):
        return "This namespace is set to read-only."
    return None
