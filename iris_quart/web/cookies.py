"""Names of the cookies: `__Host-` over https, plain on loopback without it."""

from __future__ import annotations

from quart import has_request_context, has_websocket_context, request, websocket

from iris_quart.config import Settings
from iris_quart.services import services

__all__ = ["cookie_name", "cookies_secure", "secure_cookies", "session_cookie"]


def secure_cookies(settings: Settings) -> bool:
    """Return whether the browser reaches us over https; it would drop Secure cookies otherwise.

    So `public_origin` says when a proxy ends TLS; when this server ends it, so does the request itself.
    """
    if settings.public_origin and settings.public_origin.startswith("https://"):
        return True
    if has_request_context():
        return request.scheme == "https"
    return has_websocket_context() and websocket.scheme in {"https", "wss"}


def session_cookie(settings: Settings) -> str:
    """Name the session's cookie; `__Host-` binds it to this very host and to Path=/ (RFC 6265bis)."""
    name = settings.cookie_name
    return f"__Host-{name}" if secure_cookies(settings) else name


def cookies_secure() -> bool:
    """Return whether cookies of this application are Secure."""
    return secure_cookies(services().settings)


def cookie_name(purpose: str) -> str:
    """Name a cookie beside the session's."""
    return f"{session_cookie(services().settings)}_{purpose}"
