"""What the routes need from the application; `create_app` puts it into `app.extensions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from quart import current_app

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iris_quart.atelier import AtelierClient, Credentials
    from iris_quart.audit import Audit
    from iris_quart.config import Settings
    from iris_quart.dispatch import Commands, TableChange
    from iris_quart.sessions import Session, SessionStore
    from iris_quart.sessions.vault import Vault
    from iris_quart.tables import Tables

__all__ = ["EXTENSION", "FanOut", "IrisClients", "LiveSide", "Services", "SocketCount", "services"]

EXTENSION = "iris_quart"


class SocketCount(Protocol):
    """What the routes ask of the registry of sockets."""

    def __len__(self) -> int:
        """Count the open sockets of this worker."""


class FanOut(Protocol):
    """Tells proved changes to the sockets that show the table."""

    async def announce(self, session: Session, change: TableChange, writer: None) -> None:
        """Tell everybody, for no socket wrote it."""


class IrisClients(Protocol):
    """What the routes ask of the IRIS side of this worker."""

    def give_back(self, client: AtelierClient) -> None:
        """Sign a client out at IRIS in the background."""


class LiveSide(Protocol):
    """What the routes ask of the live side."""

    @property
    def upstream(self) -> IrisClients:
        """The clients of this worker."""

    @property
    def changes(self) -> FanOut:
        """The fan-out of live changes."""


class Services(Protocol):
    """Everything that lives as long as the application, one per worker."""

    @property
    def settings(self) -> Settings:
        """The settings."""

    @property
    def store(self) -> SessionStore:
        """The session store."""

    @property
    def vault(self) -> Vault:
        """The instance's secrets."""

    @property
    def commands(self) -> Commands:
        """The registered commands."""

    @property
    def sockets(self) -> SocketCount:
        """The registry of open sockets."""

    @property
    def audit(self) -> Audit:
        """The audit file."""

    @property
    def live(self) -> LiveSide:
        """The live side of this worker."""

    @property
    def draining(self) -> bool:
        """Whether the worker is stopping and takes nothing new."""

    @property
    def demo_users(self) -> Sequence[tuple[str, str]]:
        """User names and passwords to show on the sign-in page of the demo; else empty."""

    def tables_for(self, session: Session, credentials: Credentials) -> Tables:
        """Give the session's table services, made once per session and worker, released when it ends."""


def services() -> Services:
    """Give the services of the application that handles this request."""
    return cast("Services", current_app.extensions[EXTENSION])
