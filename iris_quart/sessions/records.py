"""What both stores write alike: sealed credentials, sign-in scopes, targets as text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import SecretStr

from iris_quart.atelier import Credentials, Target
from iris_quart.config import Settings
from iris_quart.peers import counted_as

from .session import NewSession, Session, account, key_of
from .vault import Vault

__all__ = [
    "ATTEMPT_SECONDS",
    "TICKET_SECONDS",
    "begun",
    "open_credentials",
    "open_ticket",
    "scopes",
    "seal_credentials",
    "seal_ticket",
    "session_from_text",
    "session_to_text",
    "sweep_grace",
    "target_from_text",
    "target_to_text",
]

TICKET_SECONDS = 60.0
ATTEMPT_SECONDS = 60.0


def target_to_text(target: Target) -> str:
    """Write a target as JSON."""
    return json.dumps(
        {
            "url": target.url,
            "ca_file": str(target.ca_file) if target.ca_file else None,
            "verify_tls": target.verify_tls,
            "pinned_address": target.pinned_address,
        }
    )


@lru_cache(maxsize=1024)
def target_from_text(text: str) -> Target:
    """Read a target; the same text gives the same object."""
    fields = json.loads(text)
    return Target(
        url=fields["url"],
        ca_file=Path(fields["ca_file"]) if fields["ca_file"] else None,
        verify_tls=fields["verify_tls"],
        pinned_address=fields["pinned_address"],
    )


def begun(new: NewSession, session_id: str, now: float, settings: Settings) -> Session:
    """Make the session that begins now."""
    return Session(
        key=key_of(session_id),
        user=new.user,
        server=new.server,
        server_key=new.server_key,
        namespace=new.namespace,
        read_only=new.read_only,
        target=new.target,
        created=now,
        idle_until=now + settings.session_idle_seconds,
        absolute_until=now + settings.session_absolute_seconds,
        address=new.address,
        user_agent=new.user_agent,
    )


def session_to_text(session: Session) -> str:
    """Write all of a session that never changes, but its key, as JSON."""
    fields = [
        session.user,
        session.server,
        session.server_key,
        session.namespace,
        session.read_only,
        target_to_text(session.target),
        session.created,
        session.absolute_until,
        session.address,
        session.user_agent,
    ]
    return json.dumps(fields)


def session_from_text(key: str, text: str, idle_until: float) -> Session:
    """Read what `session_to_text` wrote."""
    user, server, server_key, namespace, read_only, target, created, absolute, *rest = json.loads(text)
    return Session(
        key,
        user,
        server,
        server_key,
        namespace,
        read_only,
        target_from_text(target),
        created,
        idle_until,
        absolute,
        *rest,
    )


def _associated(session: Session) -> bytes:
    return json.dumps([session.key, session.user, session.server_key, session.created]).encode()


def seal_credentials(vault: Vault, session_id: str, session: Session, credentials: Credentials) -> bytes:
    """Encrypt the credentials so that they open only with this id, in this session's row."""
    plain = json.dumps([credentials.username, credentials.password.get_secret_value()]).encode()
    return vault.seal(session_id, _associated(session), plain)


def open_credentials(vault: Vault, session_id: str, session: Session, sealed: bytes) -> Credentials | None:
    """Decrypt the credentials; None when the key was retired or the row was tampered with."""
    plain = vault.open(session_id, _associated(session), sealed)
    if plain is None:
        return None
    username, password = json.loads(plain)
    return Credentials(username=username, password=SecretStr(password))


def seal_ticket(vault: Vault, ticket: str, session_id: str) -> bytes:
    """Encrypt a session id so that only the ticket opens it."""
    return vault.seal(ticket, b"ticket", session_id.encode())


def open_ticket(vault: Vault, ticket: str, sealed: bytes) -> str | None:
    """Decrypt what a ticket stands for."""
    plain = vault.open(ticket, b"ticket", sealed)
    return None if plain is None else plain.decode()


def scopes(settings: Settings, user: str, server_key: str, address: str) -> Sequence[tuple[str, int]]:
    """Give the counters that a sign-in try fills, hashed, each with its limit per minute.

    The last one is for all tries and is not forgiven.
    """
    person = hashlib.sha256(f"{server_key}|{account(user)}".encode("utf-8", "surrogatepass"))
    place = hashlib.sha256(counted_as(address).encode("utf-8", "surrogatepass"))
    return (
        (f"user:{person.hexdigest()[:32]}", settings.login_attempts_per_minute),
        (f"address:{place.hexdigest()[:32]}", settings.login_attempts_per_address),
        ("all", settings.login_attempts_overall),
    )


def sweep_grace(settings: Settings) -> float:
    """How long after its stored deadline a session is swept: as long as that deadline may lag, in seconds."""
    return min(30.0, settings.session_idle_seconds / 10)
