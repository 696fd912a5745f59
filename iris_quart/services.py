"""Services that live as long as the application, one per worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from quart import current_app

from .atelier import Credentials
from .audit import Audit
from .config import Settings
from .dispatch import Commands
from .live.registry import Registry
from .live.worker import LiveWorker
from .sessions import Session, SessionStore, Vault
from .tables import Tables

__all__ = ["EXTENSION", "AppServices", "services"]

EXTENSION = "iris_quart"
"""Key of `app.extensions` under which `create_app` stores the services."""


@dataclass
class AppServices:
    """Services that live as long as the application, one per worker; see `services`."""

    settings: Settings
    store: SessionStore
    vault: Vault
    commands: Commands
    audit: Audit
    live: LiveWorker
    demo_users: Sequence[tuple[str, str]] = ()
    page_reads: set[asyncio.Task[str]] = field(default_factory=set)
    """Reads of first rows for pages, held until they end."""

    @property
    def sockets(self) -> Registry:
        """The open sockets of this worker."""
        return self.live.registry

    @property
    def draining(self) -> bool:
        """Whether the worker is stopping and takes nothing new."""
        return self.live.drain.draining

    def tables_for(self, session: Session, credentials: Credentials) -> Tables:
        """Return the session's table services, made once per session and worker, released when it ends."""
        return self.live.upstream.tables_for(session, credentials)


def services() -> AppServices:
    """Return the services of the application that handles the current request."""
    return cast("AppServices", current_app.extensions[EXTENSION])
