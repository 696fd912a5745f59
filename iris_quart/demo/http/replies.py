"""Requests as the embedded server reads them and the answers it can give."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from .encodings import envelope

if TYPE_CHECKING:
    from iris_quart.demo.core.errors import SqlError

    from .connections import Receive, Scope

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
PARSED_AT_ONCE = 64 * 1024  # larger bodies are parsed in a thread, so that nobody waits for them
REALM = b'Basic realm="/api/atelier/"'


@dataclass(frozen=True)
class Reply:
    """One answer: HTTP status, body, content type and further headers."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def with_headers(self, *headers: tuple[bytes, bytes]) -> Reply:
        """Return the same answer with more headers."""
        return Reply(self.status, self.body, self.content_type, (*self.headers, *headers))


class MalformedJsonError(ValueError):
    """A body is not JSON, or not JSON that this server can hold."""


@dataclass
class Request:
    """One request, read whole."""

    method: str
    path: str  # decoded
    segments: tuple[str, ...]  # the raw path's parts, decoded one by one, so that %2F does not split
    query: Mapping[str, str]
    query_text: str
    headers: Mapping[str, str]
    body: bytes
    payload: Any = None  # what the body holds, when it is JSON
    malformed: bool = False  # the body is not JSON
    scope: Scope = field(default_factory=dict)

    @property
    def sql(self) -> str | None:
        """Return the statement the body carries, if any."""
        query = self.payload.get("query") if isinstance(self.payload, dict) else None
        return query if isinstance(query, str) else None

    @property
    def parameters(self) -> list[Any]:
        """Return the parameters the body carries."""
        parameters = self.payload.get("parameters") if isinstance(self.payload, dict) else None
        return parameters if isinstance(parameters, list) else []


async def read_request(scope: Scope, receive: Receive, segments: tuple[str, ...]) -> Request:
    """Read the whole request from ASGI; a body that is not JSON is noted, not refused."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    query_text = scope["query_string"].decode("latin-1")
    request = Request(
        method=scope["method"],
        path=scope["path"],
        segments=segments,
        query={name: values[-1] for name, values in parse_qs(query_text, keep_blank_values=True).items()},
        query_text=query_text,
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=bytes(body),
        scope=scope,
    )
    if request.method == "POST":
        try:
            if len(request.body) > PARSED_AT_ONCE:
                request.payload = await asyncio.to_thread(parse_json, request.body)
            else:
                request.payload = parse_json(request.body)
        except MalformedJsonError:
            request.malformed = True
    return request


def parse_json(body: bytes) -> Any:
    """Parse a body with every digit kept; raise MalformedJsonError."""
    try:
        payload = json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
        json.dumps(payload, ensure_ascii=False, default=str).encode()  # a lone surrogate cannot be stored
    except (ValueError, RecursionError) as error:
        raise MalformedJsonError(str(error)) from error
    return payload


def _refuse_constant(name: str) -> None:
    raise MalformedJsonError(f"{name} is not JSON")


def page(status: int, title: str, text: str = "") -> Reply:
    """Return with an HTML page, as the Web Gateway and the web server do."""
    safe_title, safe_text = html.escape(title), html.escape(text or title)
    body = f"<!DOCTYPE html><html><head><title>{safe_title}</title></head><body>{safe_text}</body></html>\n"
    return Reply(status, body.encode(), HTML)


def sql_error(error: SqlError, *, with_params: bool) -> Reply:
    """Return an SQL error: HTTP 200, the error in status, and an empty result (captured on a live server)."""
    text = f"ERROR #5540: SQLCODE: {error.sqlcode} Message: {error.text}"
    entry: dict[str, Any] = {"error": text, "code": 5540, "domain": "%ObjectErrors", "id": "SQLCode"}
    if with_params:
        entry["params"] = [str(error.sqlcode), error.text]
    return Reply(200, envelope({}, [entry], html.escape(text).replace("&#x27;", "&#39;")))


def failure(status: int, code: int, text: str, entry: Mapping[str, Any] | None = None) -> Reply:
    """Return an error of the API itself, not of SQL."""
    error = {"error": f"ERROR #{code}: {text}", "code": code, **(entry or {})}
    return Reply(status, envelope({}, [error], error["error"]))


def content(value: Any) -> Reply:
    """Return 200 with `result.content`."""
    return Reply(200, envelope({"content": value}))


def unauthorized() -> Reply:
    """Return 401 with a body that is not JSON."""
    return page(401, "Unauthorized").with_headers((b"www-authenticate", REALM))


def no_licence() -> Reply:
    """Return 503, as when no licence is left (the status was seen; the wording is ours)."""
    return page(503, "Service Unavailable", "ERROR #5915: Unable to allocate a license")


__all__ = [
    "HTML",
    "JSON",
    "PARSED_AT_ONCE",
    "REALM",
    "MalformedJsonError",
    "Reply",
    "Request",
    "content",
    "failure",
    "no_licence",
    "page",
    "parse_json",
    "read_request",
    "sql_error",
    "unauthorized",
]
