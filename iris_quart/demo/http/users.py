"""The people who may sign in to the embedded server."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class TableGrants:
    """What SQL privileges allow: pairs of an action (SELECT, INSERT, UPDATE, DELETE) and a table or `Schema.*`."""

    granted: frozenset[tuple[str, str]]

    def allows(self, user: str, action: str, table: str) -> bool:
        """Return whether an action on `Schema.Table` is granted."""
        schema = table.partition(".")[0]
        return (action, table) in self.granted or (action, f"{schema}.*") in self.granted


@dataclass(frozen=True)
class User:
    """One account: a name, a password in clear (this is a demonstration), and what it may do.

    development: holds %Development:USE, without which /api/atelier answers 403.
    namespaces: the namespaces it may open, or None for all.
    grants: what it may do to tables, where the server checks grants; None means everything.
    """

    name: str
    password: str
    development: bool = True
    namespaces: frozenset[str] | None = None
    grants: TableGrants | None = None

    def may_open(self, namespace: str) -> bool:
        """Return whether this user may open a namespace."""
        return self.namespaces is None or namespace in self.namespaces


DEMO_USERS = (
    User("_SYSTEM", "SYS"),
    User("alice", "alice"),
    User("nodev", "nodev", development=False),
)


class Users:
    """Look up accounts by the header of HTTP Basic authentication."""

    def __init__(self, users: Iterable[User]) -> None:
        self._by_name = {
            user.name.casefold(): user for user in users
        }  # IRIS takes user names in any letter case

    def authenticate(self, authorization: str) -> User | None:
        """Return the user an Authorization header proves, or None (RFC 7617)."""
        scheme, _, token = authorization.partition(" ")
        if scheme.casefold() != "basic":
            return None
        try:
            name, colon, password = base64.b64decode(token.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        user = self._by_name.get(name.casefold())
        expected = user.password if user else ""
        matches = hmac.compare_digest(password.encode(), expected.encode())
        return user if user and colon and matches else None


__all__ = ["DEMO_USERS", "TableGrants", "User", "Users"]
