"""Where to connect, as whom, and within which bounds."""

from __future__ import annotations

import functools
import ssl
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from iris_quart.config import ServerSettings, Settings

__all__ = ["Credentials", "Limits", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """One IRIS server: its address with path prefix, without `/api/atelier`."""

    url: str
    ca_file: Path | None = None
    verify_tls: bool = True
    pinned_address: str | None = None
    """Connect to this address instead of resolving the URL's host (a free host that was judged)."""

    @classmethod
    def of(cls, server: ServerSettings) -> Target:
        """Create it from the settings."""
        return cls(server.url, server.ca_file, server.verify_tls)

    def ssl_context(self) -> ssl.SSLContext | None:
        """TLS settings for https, None for http. Raises OSError or ssl.SSLError for a bad `ca_file`."""
        if not self.url.lower().startswith("https:"):
            return None
        return _ssl_context(self.ca_file, self.verify_tls)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user's name and password at one IRIS server."""

    username: str
    password: SecretStr


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one client; times in seconds."""

    request_seconds: float = 30.0
    connect_seconds: float = 3.0
    body_bytes: int = 32 * 1024 * 1024
    sessions: int = 2
    idle_seconds: float = 300.0
    pipelined: bool = True
    """Try whether a read may follow a statement without waiting for its answer."""

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Create the bounds from the settings."""
        return cls(
            request_seconds=settings.request_timeout_seconds,
            connect_seconds=settings.connect_timeout_seconds,
            body_bytes=settings.response_bytes_max,
            sessions=settings.iris_sessions_per_user,
            idle_seconds=settings.iris_session_idle_seconds,
            pipelined=settings.pipelined_proofs,
        )


@functools.lru_cache(maxsize=64)
def _ssl_context(ca_file: Path | None, verify: bool) -> ssl.SSLContext:
    # Building one costs 25 ms, so clients share it.
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context
