"""The sign-in page, signing in and signing out; all of it works without JavaScript."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr
from quart import Blueprint, Response, jsonify, redirect, render_template, request

from iris_quart import __version__
from iris_quart.errors import InvalidInput, IrisQuartError
from iris_quart.services import services

from .csrf import form_token
from .current_session import leave, remember_session
from .failures import STATUS, failure, wants_json
from .next_page import safe_next
from .security import csp_nonce, current_session
from .signin import Application, sign_in, typed_address
from .theme import theme

__all__ = ["blueprint"]

blueprint = Blueprint("auth", __name__)


@blueprint.get("/login")
async def sign_in_page() -> Response:
    """Show the sign-in page, or the editor to those who are signed in."""
    wanted = safe_next(request.args.get("next"))
    if await current_session() is not None:
        return _go(wanted)
    return await _form({}, None, 200)


@blueprint.post("/login")
async def login() -> Response:
    """Sign in by the form; a script that asks for JSON gets `{status}` or `{error, code}`."""
    form = await request.form
    server = form.get("server", "").strip()
    username = form.get("username", "").strip()
    password = form.get("password", "")
    missing = {
        name: f"{title} is needed."
        for name, title, text in (
            ("server", "A server", server),
            ("username", "A user name", username),
            ("password", "A password", password),
        )
        if not text
    }
    try:
        if missing:
            raise InvalidInput(" ".join(missing.values()), field=next(iter(missing)))
        session = await current_session()
        session_id = await sign_in(
            services(),
            Application(
                server=typed_address(server) if services().settings.allow_free_host else server,
                username=username,
                password=SecretStr(password),
                namespace=form.get("namespace", "").strip() or None,
                read_only=form.get("read_only") in {"true", "on", "1"},
                address=request.remote_addr or "",
                user_agent=request.user_agent.string,
            ),
            None if session is None else session[1],
        )
    except IrisQuartError as error:
        if wants_json():
            return failure(error)
        return await _form(missing, error, STATUS.get(error.code, 500))
    remember_session(session_id)
    if wants_json():
        return jsonify({"status": "connected"})
    return _go(safe_next(form.get("next")))


@blueprint.post("/logout")
async def logout() -> Response:
    """End the session everywhere and delete the cookie."""
    await leave()
    if wants_json():
        return jsonify({"status": "disconnected"})
    return _go(f"{request.root_path}/login")


def _go(path: str) -> Response:
    answer = redirect(path, 303)
    assert isinstance(answer, Response)
    return answer


async def _form(missing: dict[str, str], error: IrisQuartError | None, status: int) -> Response:
    settings = services().settings
    given = await request.form if request.method == "POST" else request.args
    field_errors = dict(missing)
    message = None
    if error is not None and not missing:
        message = error.message
        if error.field in {"namespace", "username"}:
            field_errors[error.field] = error.message
    wanted = safe_next(given.get("next"))
    values: dict[str, Any] = {
        "servers": [
            {
                "name": name,
                "label": server.label or name,
                "colour": server.colour,
                "read_only": server.read_only is True or settings.read_only,
            }
            for name, server in settings.servers.items()
        ],
        "form": {
            "server": given.get("server", "")[:64],
            "namespace": given.get("namespace", "")[:64],
            "username": given.get("username", "")[:256],
            "read_only": given.get("read_only") in {"true", "on", "1"},
        },
        "error": message,
        "field_errors": field_errors,
        "allow_free_host": settings.allow_free_host,
        "csrf_token": form_token(),
        "next": wanted if wanted != f"{request.root_path}/" else None,
        "demo_users": [{"username": name, "password": password} for name, password in services().demo_users]
        or None,
        "theme": theme(),
        "csp_nonce": csp_nonce(),
        "insecure": not request.is_secure and settings.insecure_http,
        "version": __version__,
    }
    html = await render_template("login.html", **values)
    response = Response(html, status, content_type="text/html; charset=utf-8")
    seconds = (error.details or {}).get("retryAfter") if error is not None else None
    if seconds is not None:
        response.headers["Retry-After"] = str(max(1, round(seconds)))
    return response
