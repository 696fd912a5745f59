"""One signed-in session: who, on which IRIS server, until when."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from iris_quart.atelier import Target

__all__ = ["Ended", "NewSession", "Session", "account", "key_of", "new_secret"]


def account(user: str) -> str:
    """Return what tells one IRIS account from another, for IRIS takes user names in any letter case."""
    return user.strip().casefold()


def new_secret() -> str:
    """Create a random id of 256 bits, base64url: session ids and tickets."""
    return secrets.token_urlsafe(32)


def key_of(secret: str) -> str:
    """Return the name under which a store keeps what belongs to a secret: its SHA-256, in hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class NewSession:
    """The data of a successful sign-in; the store adds key and times."""

    user: str
    server: str
    server_key: str
    target: Target
    namespace: str | None = None
    read_only: bool = False
    address: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """A session as the store knows it. All times are seconds of the store's clock (`SessionStore.now`)."""

    key: str
    """Hex SHA-256 of the session id; never the id itself."""
    user: str
    server: str
    """Name in the settings, or "host:port" of a typed address."""
    server_key: str
    """Stable identity of the IRIS server, the same for two names of one address; safe to log."""
    namespace: str | None
    read_only: bool
    """No change at all in this session, whatever the settings allow."""
    target: Target
    created: float
    idle_until: float
    """When it ends unless the user does something; not cut by `absolute_until`."""
    absolute_until: float
    address: str = ""
    user_agent: str = ""

    @property
    def ends_at(self) -> float:
        """The nearer of the two deadlines."""
        return min(self.idle_until, self.absolute_until)

    @property
    def short(self) -> str:
        """The first 12 digits of the key: names a session to people and in logs."""
        return self.key[:12]


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that has just ended, somewhere."""

    key: str
    reason: str
    """logout, replaced, ended (by another session or an administrator), limit (another sign-in of the account needed
    its place), idle, absolute, credentials, lost."""
