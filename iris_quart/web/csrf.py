"""The forms' token: signed, and bound to a random cookie of the browser that asked for the form."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from quart import Response, g, request

from iris_quart.services import services

from .cookies import cookie_name, cookies_secure

__all__ = ["form_token", "remember_form", "token_valid"]

FORM = "form"
PATTERN = re.compile(r"[A-Za-z0-9_-]{22}\Z")


def form_token() -> str:
    """Return the token for a form of this answer; the browser gets the cookie it belongs to."""
    secret = _cookie()
    if secret is None:
        secret = g.get("form_secret") or secrets.token_urlsafe(16)
        g.form_secret = secret
    return _sign(services().vault.signing_keys("forms")[0], secret)


def token_valid(token: str | None) -> bool:
    """Return whether a token was made for this browser."""
    secret = _cookie()
    if secret is None or not token:
        return False
    given = token.encode("utf-8", "surrogatepass")
    keys = services().vault.signing_keys("forms")
    return any(hmac.compare_digest(_sign(key, secret).encode(), given) for key in keys)


def remember_form(response: Response) -> None:
    """Set the cookie when a token was given to a browser that had none."""
    secret = g.get("form_secret")
    if secret is not None:
        response.set_cookie(
            cookie_name(FORM), secret, secure=cookies_secure(), httponly=True, samesite="Lax", path="/"
        )


def _cookie() -> str | None:
    secret = request.cookies.get(cookie_name(FORM), "")
    return secret if PATTERN.match(secret) else None


def _sign(key: str, secret: str) -> str:
    return hmac.new(bytes.fromhex(key), secret.encode(), hashlib.sha256).hexdigest()
