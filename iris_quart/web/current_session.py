"""The session of a request: quart-auth's cookie carries its id, the store holds it."""

from __future__ import annotations

import math
from typing import Any, cast

from quart import Quart, Websocket, current_app, g
from quart_auth import Action, AuthUser, QuartAuth, Unauthorized, current_user, logout_user

from iris_quart.config import Settings
from iris_quart.services import AppServices, services
from iris_quart.sessions import Session
from iris_quart.sessions.session import key_of
from iris_quart.sessions.vault import Vault
from iris_quart.tables import Tables

from .cookies import secure_cookies, session_cookie

__all__ = [
    "SessionUser",
    "current_session",
    "install",
    "leave",
    "remember_session",
    "require_session",
    "session_tables",
    "slide",
    "socket_session",
]

ATTRIBUTE = "_quart_auth_user"
UNREAD = object()


class SessionUser(AuthUser):
    """The user of one request or socket; its auth_id is the session id."""

    def __init__(self, auth_id: str | None, action: Action = Action.PASS) -> None:
        super().__init__(auth_id if isinstance(auth_id, str) else None, action)
        self._session: Any = UNREAD

    async def session(self) -> Session | None:
        """Ask the store, once. Raises StoreUnavailable."""
        if self._session is UNREAD:
            self._session = await services().store.get(self.auth_id) if self.auth_id else None
        return cast("Session | None", self._session)

    @property
    async def is_authenticated(self) -> bool:
        """Return whether the session is alive."""
        return await self.session() is not None

    def __repr__(self) -> str:
        """Keep the id out of logs."""
        return f"SessionUser(signed_in={self.auth_id is not None})"


class SessionAuth(QuartAuth):
    """quart-auth with our user, who never travels in a header or an URL, and with the cookie that the request needs."""

    user_class = SessionUser

    def __init__(self, app: Quart, settings: Settings, **options: Any) -> None:
        self._settings = settings
        super().__init__(app, **options)

    @property
    def cookie_name(self) -> str:
        """Return the name of the session's cookie."""
        return session_cookie(self._settings)

    @cookie_name.setter
    def cookie_name(self, _: str | None) -> None:
        """Ignore quart-auth's own setting."""

    @property
    def cookie_secure(self) -> bool:
        """Return whether the session's cookie is Secure."""
        return secure_cookies(self._settings)

    @cookie_secure.setter
    def cookie_secure(self, _: bool | None) -> None:
        """Ignore quart-auth's own setting."""


def install(app: Quart, settings: Settings, vault: Vault) -> None:
    """Install quart-auth; the signature of its cookie is valid as long as the longest session."""
    keys = vault.signing_keys("cookie")
    app.secret_key = keys[0]
    app.config["SECRET_KEY_FALLBACKS"] = keys[1:]
    SessionAuth(
        app,
        settings,
        attribute_name=ATTRIBUTE,
        cookie_http_only=True,
        cookie_samesite="Lax",
        cookie_path="/",
        duration=math.ceil(settings.session_absolute_seconds),
        mode="cookie",
        salt="iris-quart session",
    )


async def current_session() -> tuple[str, Session] | None:
    """Return the session of this request: its id and what the store knows. Raises StoreUnavailable."""
    user = cast("SessionUser", current_user)
    session = await user.session()
    session_id = user.auth_id
    return None if session is None or session_id is None else (session_id, session)


async def require_session() -> tuple[str, Session]:
    """Return the session of this request. Raises quart_auth.Unauthorized without one."""
    found = await current_session()
    if found is None:
        raise Unauthorized
    return found


async def socket_session(websocket: Websocket) -> tuple[str, Session] | None:
    """Return the session of a handshake: that of its cookie, else that of a `?token=` ticket.

    The ticket is used up by the first look; looking again gives the same answer. Raises StoreUnavailable.
    """
    found = await current_session()
    ticket = websocket.args.get("token")
    if found is not None or not ticket or g.get("ticket_taken"):
        return found
    session_id = await services().store.take_ticket(ticket)
    g.ticket_taken = True
    setattr(g, ATTRIBUTE, SessionUser(session_id))
    return await current_session()


async def leave() -> None:
    """End the session of this request and let the answer take the cookie away, even when the store is down.

    Raises StoreUnavailable when the session could not be ended.
    """
    session_id = cast("SessionUser", current_user).auth_id
    logout_user()
    if session_id is not None:
        await services().store.end(key_of(session_id), "logout")


def remember_session(session_id: str) -> None:
    """Set the session's cookie in the response."""
    user = SessionUser(session_id, Action.WRITE)
    cast("QuartAuth", current_app.extensions["QUART_AUTH"][0]).login_user(user)


async def session_tables(session_id: str, session: Session) -> Tables:
    """Return the table services of a session. Raises quart_auth.Unauthorized when it has just ended."""
    credentials = await services().store.credentials(session_id, session)
    if credentials is None:
        raise Unauthorized
    return services().tables_for(session, credentials)


async def slide(session: Session, known: AppServices | None = None) -> None:
    """Count this request as the user's activity; the store is written rarely."""
    found = known or services()
    settings, store = found.settings, found.store
    lag = store.now() + settings.session_idle_seconds - session.idle_until
    if lag > settings.touch_lag_seconds:
        await store.touch(session)
