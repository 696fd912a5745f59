"""JSON routes: sign-in for scripts, the session, tickets, other sessions, the form token, the theme."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from quart import Blueprint, Response, jsonify, request

from iris_quart.errors import AccessDenied, ErrorCode, InvalidInput, InvalidJson, IrisQuartError
from iris_quart.protocol import invalid_input
from iris_quart.services import services
from iris_quart.sessions.records import TICKET_SECONDS

from . import values
from .csrf import form_token
from .current_session import leave, remember_session
from .export import routes as export
from .failures import failure
from .security import current_session, require_session
from .signin import Address, Application, prove, sign_in
from .theme import THEMES, remember_theme

__all__ = ["blueprint"]

blueprint = Blueprint("api", __name__, url_prefix="/api")
blueprint.register_blueprint(export.blueprint)
blueprint.register_blueprint(values.blueprint)

VERSION_CHARACTERS = 64
NEEDED = "Missing required connection fields: host, port, namespace, username and password are needed"


def _port(value: Any) -> Any:
    """Convert a number that a form sent as text."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


class Connect(BaseModel):
    """A sign-in by JSON: `server`, or `host` and `port`."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, hide_input_in_errors=True)

    server: str | None = Field(None, max_length=64)
    host: str | None = Field(None, max_length=253)
    port: Annotated[int, Field(ge=1, le=65535), BeforeValidator(_port)] | None = None
    path_prefix: str = Field("", max_length=128, validation_alias=AliasChoices("pathPrefix", "path_prefix"))
    use_https: bool = Field(False, validation_alias=AliasChoices("useHTTPS", "useHttps", "use_https"))
    namespace: str | None = Field(None, max_length=256)
    username: str = Field(max_length=256, min_length=1)
    password: SecretStr = Field(max_length=4096)
    read_only: bool = Field(False, validation_alias=AliasChoices("readOnly", "read_only"))


async def _body() -> dict[str, Any]:
    try:
        # Not Python's own json, which gives up with a RecursionError and takes NaN.
        body = msgspec.json.decode(await request.get_data())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise InvalidJson("The body must be a JSON object.")
    return body


async def _application() -> Application:
    """Read the body of connect and test-connection. Raises InvalidInput that never echoes a value."""
    body = await _body()
    address_needed = () if body.get("server") else ("host", "port", "namespace")
    if any(not body.get(name) for name in (*address_needed, "username", "password")):
        raise InvalidInput(NEEDED)
    try:
        connect = Connect.model_validate({name: value for name, value in body.items() if value is not None})
    except ValidationError as error:
        raise invalid_input(error, part_of="request") from None
    server: str | Address
    if connect.server:
        server = connect.server
    else:
        assert connect.host is not None
        assert connect.port is not None
        server = Address(connect.host, connect.port, connect.use_https, connect.path_prefix)
    return Application(
        server=server,
        username=connect.username,
        password=connect.password,
        namespace=connect.namespace,
        read_only=connect.read_only,
        address=request.remote_addr or "",
        user_agent=request.user_agent.string,
    )


def _refusal(error: IrisQuartError) -> Response:
    """Answer a failed sign-in in the shapes that clients of the ancestor know."""
    if isinstance(error, AccessDenied):
        response = jsonify({"error": error.message, "code": str(ErrorCode.AUTH_FAILED)})
        response.status_code = 401
        return response
    if isinstance(error, InvalidInput) and error.field is None:
        response = jsonify({"error": error.message})
        response.status_code = 400
        return response
    return failure(error)


@blueprint.post("/connect")
async def connect() -> Response:
    """Sign in; the cookie comes with the answer."""
    session = await current_session()
    try:
        session_id = await sign_in(services(), await _application(), session[1] if session else None)
    except IrisQuartError as error:
        return _refusal(error)
    remember_session(session_id)
    return jsonify({"status": "connected"})


@blueprint.post("/test-connection")
async def test_connection() -> Response:
    """Try to sign in without doing it; counted like a sign-in."""
    try:
        info = await prove(services(), await _application())
    except IrisQuartError as error:
        return _refusal(error)
    version = info.version[:VERSION_CHARACTERS] or (f"API v{info.api}" if info.api else "unknown")
    return jsonify({"status": "success", "version": version})


@blueprint.post("/disconnect")
async def disconnect() -> Response:
    """Sign out; sockets of the session are told and closed."""
    await leave()
    return jsonify({"status": "disconnected"})


@blueprint.get("/session")
async def session() -> Response:
    """Return whether one is signed in; asking does not keep the session alive."""
    found = await current_session()
    if found is None:
        return jsonify({"status": "disconnected"})
    _, known = found
    remaining = max(0.0, known.ends_at - services().store.now())
    return jsonify(
        {
            "status": "connected",
            "server": {"namespace": known.namespace, "username": known.user},
            "createdAt": int(known.created * 1000),
            "timeoutRemaining": int(remaining * 1000),
        }
    )


@blueprint.post("/ticket")
async def ticket() -> Response:
    """Create a ticket for one socket of a client that cannot send cookies on the handshake."""
    session_id, _ = await require_session()
    made = await services().store.make_ticket(session_id)
    return jsonify({"ticket": made, "expiresIn": int(TICKET_SECONDS)})


@blueprint.get("/sessions")
async def sessions() -> Response:
    """List where this user is signed in to this server."""
    _, mine = await require_session()
    idle = services().settings.session_idle_seconds
    found = await services().store.list(mine.user, mine.server_key)
    return jsonify(
        {
            "sessions": [
                {
                    "id": other.short,
                    "current": other.key == mine.key,
                    "created": int(other.created * 1000),
                    "lastUsed": int((other.idle_until - idle) * 1000),
                    "address": other.address,
                    "userAgent": other.user_agent,
                }
                for other in found
            ]
        }
    )


@blueprint.post("/sessions/end-others")
async def end_others() -> Response:
    """End all other sessions of this user on this server."""
    _, mine = await require_session()
    return jsonify({"ended": await services().store.end_others(mine.user, mine.server_key, mine.key)})


@blueprint.get("/csrf")
@blueprint.get("/csrf-token")
async def csrf() -> Response:
    """Return a fresh form token; the second address is the ancestor's."""
    return jsonify({"csrfToken": form_token()})


@blueprint.put("/theme")
async def theme() -> Response:
    """Remember the colour theme of this browser."""
    chosen = (await _body()).get("theme")
    if chosen not in THEMES:
        raise InvalidInput("theme: must be system, light or dark", field="theme")
    response = jsonify({"theme": chosen})
    remember_theme(response, chosen)
    return response
