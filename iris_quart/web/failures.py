"""Every failure of a request as an answer: JSON for scripts, a page for people, nothing that leaks."""

from __future__ import annotations

import math
from typing import Any

from quart import (
    Quart,
    Response,
    has_websocket_context,
    jsonify,
    redirect,
    render_template,
    request,
    websocket,
)
from quart_auth import Unauthorized
from werkzeug.exceptions import HTTPException

from iris_quart import logs
from iris_quart.errors import ErrorCode, IrisQuartError, StoreUnavailable
from iris_quart.protocol import CloseCode

from .next_page import sign_in_url
from .theme import theme
from .url_paths import sent_address

__all__ = ["STATUS", "error_page", "failure", "install", "wants_json"]

log = logs.get_logger(__name__)

STATUS = {
    ErrorCode.INVALID_JSON: 400,
    ErrorCode.INVALID_MESSAGE: 400,
    ErrorCode.INVALID_INPUT: 400,
    ErrorCode.AUTH_FAILED: 401,
    ErrorCode.AUTH_EXPIRED: 401,
    ErrorCode.NOT_ALLOWED: 403,
    ErrorCode.READ_ONLY: 403,
    ErrorCode.TABLE_NOT_FOUND: 404,
    ErrorCode.ROW_GONE: 404,
    ErrorCode.CONFLICT: 409,
    ErrorCode.ROW_LOCKED: 409,
    ErrorCode.CONSTRAINT_VIOLATION: 409,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.CONNECTION_FAILED: 502,
    ErrorCode.SERVER_UNREACHABLE: 502,
    ErrorCode.INVALID_RESPONSE: 502,
    ErrorCode.LICENSE_LIMIT: 502,
    ErrorCode.STORE_UNAVAILABLE: 503,
    ErrorCode.CONNECTION_TIMEOUT: 504,
}
TITLES = {
    400: ("Not understood", "The request was not understood."),
    403: ("Refused", "This request was refused."),
    404: ("Not found", "There is nothing at this address."),
    405: ("Not found", "This address does not take such a request."),
    408: ("Too slow", "The request took too long to arrive."),
    421: ("Wrong address", "This server does not answer to that host name."),
    413: ("Too large", "The request is too large."),
    429: ("Too many tries", "Wait a moment before the next try."),
    503: ("Not ready", "The session store does not answer. Try again in a moment."),
}
UNEXPECTED = ("Something went wrong", "An unexpected error happened; the log tells more under the trace id.")


def wants_json() -> bool:
    """Return whether the caller is a script: below /api, or asking for JSON rather than a page."""
    if request.path.startswith("/api/"):
        return True
    accept = request.accept_mimetypes
    return bool(accept) and accept["application/json"] > accept["text/html"]


def failure(error: IrisQuartError, status: int | None = None) -> Response:
    """Answer a failed JSON route: `{error, code}`, with Retry-After when it is known."""
    body: dict[str, Any] = {"error": error.message, "code": str(error.code)}
    if error.field is not None:
        body["field"] = error.field
    response = jsonify(body)
    response.status_code = status or STATUS.get(error.code, 500)
    seconds = (error.details or {}).get("retryAfter")
    if seconds is not None:
        response.headers["Retry-After"] = str(math.ceil(seconds))
    return response


async def error_page(status: int, message: str, trace_id: str | None = None) -> Response:
    """Answer with a page, or `{error}` to a script."""
    if wants_json():
        body = {"error": message} | ({"traceId": trace_id} if trace_id else {})
        response = jsonify(body)
    else:
        html = await render_template(
            "error.html",
            status=status,
            title=TITLES.get(status, UNEXPECTED)[0],
            message=message,
            trace_id=trace_id,
            theme=theme(),
        )
        response = Response(html, content_type="text/html; charset=utf-8")
    response.status_code = status
    return response


def install(app: Quart) -> None:
    """Install the handlers."""

    @app.errorhandler(Unauthorized)
    async def unauthorized(_: Unauthorized) -> Response | str:
        if has_websocket_context():
            await websocket.accept()
            await websocket.close(CloseCode.UNAUTHORIZED, "Unauthorized")
            return ""
        if wants_json() or request.method not in {"GET", "HEAD"}:
            response = jsonify({"error": "Unauthorized"})
            response.status_code = 401
            return response
        answer = redirect(sign_in_url(sent_address()), 303)
        assert isinstance(answer, Response)
        return answer

    @app.errorhandler(IrisQuartError)
    async def refused(error: IrisQuartError) -> Response | str:
        if has_websocket_context():
            code = CloseCode.TRY_LATER if isinstance(error, StoreUnavailable) else CloseCode.INTERNAL
            await websocket.accept()
            await websocket.close(code, "try again later")
            return ""
        if wants_json():
            return failure(error)
        status = STATUS.get(error.code, 500)
        return await error_page(status, error.message)

    @app.errorhandler(HTTPException)
    async def http(error: HTTPException) -> Response | HTTPException:
        status = error.code or 500
        if has_websocket_context():
            # The handshake is answered with the plain status, before any page could read it.
            return error
        if status < 400:
            return error
        response = await error_page(status, TITLES.get(status, UNEXPECTED)[1])
        for name, value in error.get_headers():
            if name in {"Allow", "Retry-After"}:
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    async def unexpected(error: Exception) -> Response | str:
        trace_id = logs.trace_id()
        log.error("request failed", trace_id=trace_id, exc_info=error)
        if has_websocket_context():
            await websocket.accept()
            await websocket.close(CloseCode.INTERNAL, "internal error")
            return ""
        return await error_page(500, UNEXPECTED[1], trace_id)
