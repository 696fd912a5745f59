"""The HTTP client for IRIS's Atelier API: transport, answers, errors, IRIS sessions, the probe."""

from __future__ import annotations

from .client import AtelierClient, ServerInfo
from .probe import Probes
from .replies import Reply
from .target import Credentials, Limits, Target

__all__ = ["AtelierClient", "Credentials", "Limits", "Probes", "Reply", "ServerInfo", "Target"]
