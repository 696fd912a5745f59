"""The colour theme: a cookie, so that the server renders the right one and nothing flashes."""

from __future__ import annotations

from quart import Response, request

from .cookies import cookie_name, cookies_secure

__all__ = ["THEMES", "remember_theme", "theme"]

THEMES = ("system", "light", "dark")
YEAR = 365 * 24 * 3600


def theme() -> str:
    """Return the theme that this browser chose."""
    chosen = request.cookies.get(cookie_name("theme"), "")
    return chosen if chosen in THEMES else "system"


def remember_theme(response: Response, chosen: str) -> None:
    """Set the cookie; "system" needs none."""
    name, secure = cookie_name("theme"), cookies_secure()
    if chosen == "system":
        response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="Lax")
    else:
        response.set_cookie(
            name, chosen, max_age=YEAR, path="/", secure=secure, httponly=True, samesite="Lax"
        )
