"""Sessions: who is signed in, kept where all workers see it, with credentials that only the browser opens."""

from __future__ import annotations

from .session import Ended, NewSession, Session
from .store import SessionStore, WriteRecord

__all__ = ["Ended", "NewSession", "Session", "SessionStore", "WriteRecord"]
