"""Formats that both stores share: sealed credentials, sign-in scopes, targets as text."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import SecretStr

from iris_quart.atelier import Credentials, Target
from iris_quart.client_address import counted_as, network_of
from iris_quart.config import Settings
from iris_quart.errors import RateLimited

from .session import NewSession, Session, account, key_of
from .vault import Vault

__all__ = [
    "ATTEMPT_SECONDS",
    "LEASE_RENEWAL_SECONDS",
    "LEASE_SECONDS",
    "TICKET_SECONDS",
    "Pace",
    "TryScopes",
    "account_scope",
    "begun",
    "network_limit",
    "open_credentials",
    "open_ticket",
    "pace_of",
    "recent_seconds",
    "seal_credentials",
    "seal_ticket",
    "session_from_text",
    "session_to_text",
    "sweep_grace",
    "target_from_text",
    "target_to_text",
    "too_many_sessions",
    "try_scopes",
]

TICKET_SECONDS = 60.0
ATTEMPT_SECONDS = 60.0
LEASE_SECONDS = 30.0
"""Time for which a transfer's place outlives the worker that held it."""
LEASE_RENEWAL_SECONDS = 10.0


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
    """Create the session that begins now."""
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


@dataclass(frozen=True, slots=True)
class TryScopes:
    """What a sign-in try is counted by, hashed. See docs/security.md, "Guessing passwords"."""

    user: str
    address: str
    pair: str
    """The account at this address."""
    network: str
    everything: str = "all"


def try_scopes(user: str, server_key: str, address: str) -> TryScopes:
    """Return what a sign-in try is counted by."""
    person = f"{server_key}|{account(user)}"
    place = counted_as(address)
    return TryScopes(
        f"user:{_hashed(person)}",
        f"address:{_hashed(place)}",
        f"pair:{_hashed(f'{person}|{place}')}",
        f"network:{_hashed(network_of(address))}",
    )


def account_scope(user: str, server_key: str) -> str:
    """Return the name, hashed, by which sessions and transfers of an account at a server are counted."""
    return _hashed(f"{server_key}|{account(user)}")


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Pace:
    """An even pace of tries that allows a burst, never more than its limit in any minute.

    Half of the limit may come at once, the other half comes back evenly over the minute (GCRA, the generic cell
    rate algorithm of ATM Forum TM 4.0). A store keeps one number for each pace: when it would be at rest again.
    """

    interval: float
    """Seconds in which one try comes back."""
    burst: float
    """Seconds by which the moment of rest may lie ahead."""

    def after(self, rest: float, now: float) -> tuple[float, float]:
        """Return the seconds until the next try may run, and the moment of rest with it counted."""
        ahead = max(rest, now) + self.interval
        return max(0.0, ahead - self.burst - now), ahead


def pace_of(limit: int) -> Pace:
    """Return the pace with which at most `limit` tries run in any minute."""
    at_once = max(1, limit // 2)
    interval = ATTEMPT_SECONDS / max(1, limit - at_once)
    return Pace(interval, at_once * interval)


def network_limit(settings: Settings) -> int:
    """Return the tries per minute of a network: a fifth of all, so that a few networks do not use up the rest."""
    return max(settings.login_attempts_overall // 5, settings.login_attempts_per_address)


def recent_seconds(settings: Settings) -> float:
    """Return the idle time below which a session may be in use, though the store may not know it yet."""
    return 2 * sweep_grace(settings)


def too_many_sessions(limit: int, wait: float) -> RateLimited:
    """Build the refusal of a session when the account uses all that it may have."""
    seconds = max(1, math.ceil(wait))
    return RateLimited(
        f"This account is signed in {limit} times, and each of these sessions was used a moment ago. "
        f"Sign out of one of them, or try again in {seconds} seconds.",
        details={"retryAfter": seconds},
    )


def sweep_grace(settings: Settings) -> float:
    """Return how long after its stored deadline a session is swept, in seconds: as long as that deadline may lag."""
    return settings.touch_lag_seconds
