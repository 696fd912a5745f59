"""The rules that hold for every route and socket: default deny, hosts, https, origins, tokens, headers."""

from __future__ import annotations

import ipaddress
import secrets
from urllib.parse import urlsplit

from quart import Quart, Request, Response, abort, g, redirect, request, websocket
from quart.typing import ResponseTypes
from quart.wrappers.base import BaseRequestWebsocket
from quart_auth import Unauthorized

from iris_quart.config import Settings, is_loopback
from iris_quart.process import forbid_core_dumps
from iris_quart.services import services

from . import csrf, failures, origins
from . import current_session as sessions
from .cookies import secure_cookies
from .current_session import current_session, require_session, socket_session
from .url_paths import sent_address

__all__ = [
    "FORMS",
    "PUBLIC",
    "csp_nonce",
    "current_session",
    "init_app",
    "origin_allowed",
    "require_session",
    "socket_session",
]

PUBLIC = frozenset(
    {
        "api.connect",
        "api.csrf",
        "api.disconnect",
        "api.session",
        "api.test_connection",
        "api.theme",
        "assets.versioned",
        "auth.login",
        "auth.logout",
        "auth.sign_in_page",
        "health.health",
        "health.livez",
        "health.readyz",
        "static",
    }
)
"""Endpoints that answer without a session; every other one refuses."""

FORMS = frozenset({"auth.login", "auth.logout"})
"""Endpoints whose unsafe requests come from forms, and so need the form's token too."""

PROBES = frozenset({"health.health", "health.livez", "health.readyz"})
"""Endpoints that load balancers ask under whatever name they know us by; they tell nothing."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_BYTES = 64 * 1024
ROWS_BYTES = 4 * 1024 * 1024
"""Body of an export that names its rows."""
YEAR = 365 * 24 * 3600

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
NO_PAGE = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


class BoundedRequest(Request):
    """A request whose body is bounded by what its route takes."""

    value_bytes = 16 * 1024 * 1024

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        large = self.method == "PUT" and self.path.startswith("/api/value/")
        named_rows = self.method == "POST" and self.path == "/api/export"
        limit = self.value_bytes if large else ROWS_BYTES if named_rows else BODY_BYTES
        self.max_content_length = limit
        self.body = self.body_class(self.content_length, limit)


def csp_nonce() -> str:
    """Return the nonce of this answer's own styles."""
    nonce = g.get("csp_nonce")
    if nonce is None:
        nonce = g.csp_nonce = secrets.token_urlsafe(16)
    return str(nonce)


def origin_allowed(socket: BaseRequestWebsocket) -> bool:
    """Judge the Origin of a handshake: `null` and foreign ones are refused, none at all passes."""
    return origins.origin_allowed(services().settings, socket)


def init_app(app: Quart, settings: Settings) -> None:
    """Install the rules; `app.extensions["iris_quart"]` must be there already."""
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES

    class AppRequest(BoundedRequest):
        value_bytes = settings.value_bytes_max

    app.request_class = AppRequest
    sessions.install(app, settings, app.extensions["iris_quart"].vault)
    failures.install(app)

    @app.before_serving
    async def protect_memory() -> None:
        forbid_core_dumps()

    @app.before_request
    async def judge_request() -> Response | None:
        if request.endpoint in PROBES:
            return None
        if not origins.host_allowed(settings, request.host):
            return await failures.error_page(421, "This server does not answer to that host name.")
        answer = await _plain_http(settings)
        if answer is not None:
            return answer
        if request.endpoint is None:
            return None
        if request.method not in SAFE:
            if not origins.sender_allowed(settings, request):
                return await failures.error_page(403, "This request comes from another site.")
            if request.endpoint in FORMS and not await _form_token_valid():
                return await failures.error_page(403, "This form has expired. Reload the page and try again.")
        if request.endpoint not in PUBLIC:
            await require_session()
        return None

    @app.before_websocket
    async def judge_socket() -> None:
        if not origins.host_allowed(settings, websocket.host) or not origin_allowed(websocket):
            abort(403)
        if _too_plain(settings, websocket):
            abort(403)
        if await socket_session(websocket) is None:
            raise Unauthorized

    @app.after_request
    async def add_headers(response: Response) -> Response:
        csrf.remember_form(response)
        for name, value in HEADERS.items():
            response.headers[name] = value
        page = response.mimetype == "text/html" and origins.host_allowed(settings, request.host)
        response.headers["Content-Security-Policy"] = _policy(settings) if page else NO_PAGE
        if request.is_secure or secure_cookies(settings):
            response.headers["Strict-Transport-Security"] = f"max-age={YEAR}"
        if request.endpoint not in {"static", "assets.versioned"}:
            response.headers["Cache-Control"] = "no-store"
        if response.status_code >= 400 and (
            request.content_length or request.headers.get("Transfer-Encoding")
        ):
            _announce_close(response, request)
        return response

    @app.after_websocket
    async def refuse_tidily(response: ResponseTypes | None) -> ResponseTypes | None:
        if response is not None:
            response.headers.update(HEADERS)
            response.headers["Content-Security-Policy"] = NO_PAGE
            response.headers["Cache-Control"] = "no-store"
            _announce_close(response, websocket)
        return response


async def _form_token_valid() -> bool:
    form = await request.form
    return csrf.token_valid(form.get("csrf_token"))


def _announce_close(response: ResponseTypes, asked: BaseRequestWebsocket) -> None:
    """Announce the close of the connection, which Hypercorn closes after a refusal before the whole body was read.

    A proxy that is not told keeps the connection, and somebody else's next request is lost in it.
    """
    if asked.http_version in {"1.0", "1.1"}:
        response.headers["Connection"] = "close"


def _too_plain(settings: Settings, asked: BaseRequestWebsocket) -> bool:
    """Return whether the request crossed a network unencrypted, as far as can be known.

    A peer on this machine is a proxy that ends TLS, or a person who sits here.
    """
    if settings.insecure_http or asked.scheme in {"https", "wss"}:
        return False
    peer = asked.remote_addr or "<local>"
    if peer == "<local>":
        return False
    try:
        return not ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return not is_loopback(peer)


async def _plain_http(settings: Settings) -> Response | None:
    if not _too_plain(settings, request):
        return None
    if settings.public_origin and request.method in {"GET", "HEAD"}:
        # Never the Host that was sent, which anyone may choose.
        answer = redirect(settings.public_origin + request.root_path.rstrip("/") + sent_address(), 308)
        assert isinstance(answer, Response)
        return answer
    return await failures.error_page(
        403, "Plain http is refused here, because passwords would travel unencrypted. Use https."
    )


def _policy(settings: Settings) -> str:
    own = urlsplit(origins.own_origin(settings, request))
    socket = f"{'wss' if own.scheme == 'https' else 'ws'}://{own.netloc}"
    nonce = g.get("csp_nonce")
    style = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    return (
        "default-src 'none'; script-src 'self'; "
        f"style-src {style}; img-src 'self' data:; font-src 'self'; connect-src 'self' {socket}; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
