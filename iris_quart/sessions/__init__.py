"""Sessions: who is signed in, kept where all workers see it, with credentials that only the browser opens."""

from __future__ import annotations

from iris_quart.config import BadSettings, Settings

from .session import Ended, NewSession, Session
from .store import Admission, SessionStore, Withdrawal, WriteRecord, WriteResults
from .vault import Vault, open_vault

__all__ = [
    "Admission",
    "Ended",
    "NewSession",
    "Session",
    "SessionStore",
    "Vault",
    "Withdrawal",
    "WriteRecord",
    "WriteResults",
    "open_store",
    "open_vault",
]


def open_store(settings: Settings, vault: Vault) -> SessionStore:
    """Create the store that the settings name; `start` opens it. Raises BadSettings without redis-py."""
    if settings.store == "sqlite":
        from .sqlite import SqliteStore

        return SqliteStore(settings, vault)
    try:
        from .redis import RedisStore
    except ModuleNotFoundError as error:
        raise BadSettings("store: redis-py is not installed; pip install 'iris-quart[redis]'") from error
    return RedisStore(settings, vault)
