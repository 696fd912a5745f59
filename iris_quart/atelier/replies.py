"""Answers of the Atelier API: what they say, read in the order content type, body, errors, status."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import msgspec

from iris_quart.errors import (
    AccessDenied,
    ConnectionFailed,
    ConnectionTimeout,
    InvalidResponse,
    LicenseLimit,
    NamespaceNotFound,
)

from .sqlerrors import SQL_ERROR, sql_error

__all__ = ["Reply", "read_reply"]

LICENCE = re.compile(rb"allocate a licen[cs]e|#5915|licen[cs]e limit|License Usage", re.IGNORECASE)
TAGS = re.compile(r"<[^<>]{0,2000}>")
SERVER_TEXT_MAX = 2000
ERROR_END_CHARACTERS = 16 * 1024
"""Characters of each end of an error's text that are looked at."""
ERRORS_MAX = 20


class _Error(msgspec.Struct):
    error: str = ""
    code: int | str | None = None
    domain: str | None = None
    id: str | None = None


class _Status(msgspec.Struct):
    errors: list[_Error] = []
    summary: str = ""


class _Envelope(msgspec.Struct):
    status: _Status | None = None
    result: msgspec.Raw = msgspec.Raw(b"{}")


class _Content(msgspec.Struct):
    content: msgspec.Raw = msgspec.Raw(b"")


class _Rows(msgspec.Struct):
    content: list[msgspec.Raw]


class _RowsEnvelope(msgspec.Struct):
    result: _Rows
    status: _Status


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ROWS_ENVELOPE = msgspec.json.Decoder(_RowsEnvelope)
_CONTENT = msgspec.json.Decoder(_Content)
_RAW_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_ROWS = msgspec.json.Decoder(list[dict[str, Any]], float_hook=Decimal)
_ANY = msgspec.json.Decoder(float_hook=Decimal)


class Reply:
    """One good answer.

    An answer without `result.content` is good for a change, but says nothing of rows: not even that there are none.
    `body` is what came; `elapsed` is in seconds. Integers are read as int and other numbers as Decimal,
    with all their digits.
    """

    __slots__ = ("_content", "_raw_rows", "_rows", "body", "elapsed", "following")

    def __init__(
        self,
        body: bytes,
        content: msgspec.Raw | None,
        elapsed: float,
        raw_rows: list[msgspec.Raw] | None = None,
    ) -> None:
        self.body = body
        self.elapsed = elapsed
        self._content = content
        self._raw_rows = raw_rows
        self._rows: list[dict[str, Any]] | None = None
        self.following: Reply | None = None
        """The answer to the read that followed the statement, where one came."""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of `result.content`, parsed at first use. Raises InvalidResponse."""
        if self._rows is None:
            try:
                self._rows = _ROWS.decode(self._text())
            except (msgspec.DecodeError, ValueError) as error:
                raise InvalidResponse("IRIS answered with something that is not a list of rows.") from error
        return self._rows

    def raw_rows(self) -> list[msgspec.Raw]:
        """Return the rows as JSON text, not parsed. Raises InvalidResponse."""
        if self._raw_rows is not None:
            return self._raw_rows
        try:
            return _RAW_ROWS.decode(self._text())
        except msgspec.DecodeError as error:
            raise InvalidResponse("IRIS answered with something that is not a list of rows.") from error

    def _text(self) -> bytes | msgspec.Raw:
        if self._content is not None:
            return self._content
        return b"[" + b",".join(self._raw_rows or []) + b"]"

    def content(self) -> Any:
        """`result.content`, whatever it is. Raises InvalidResponse."""
        try:
            return _ANY.decode(self._text())
        except (msgspec.DecodeError, ValueError) as error:
            raise InvalidResponse("IRIS answered with invalid JSON.") from error


def read_reply(
    status: int, headers: Mapping[str, str], body: bytes, elapsed: float, *, statement: bool
) -> Reply:
    """Judge an answer and give it if it is a good one.

    Names of `headers` are in lower case. `statement` tells a statement's answer from that of the API's root.
    Raises AccessDenied, LicenseLimit, NamespaceNotFound, ConnectionFailed, ConnectionTimeout,
    InvalidResponse or an SqlError. 401 is not looked at here. Source of the cases: facts on `%Api.Atelier`,
    class reference of v1.Query and v6.Query.
    """
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity"}:
        raise InvalidResponse("The server compressed its answer although it was asked not to.")
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise _not_json(status, body, statement=statement)
    if statement and 200 <= status < 300:
        # The common answer in one pass; whatever does not fit is judged below.
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            answer = _ROWS_ENVELOPE.decode(body)
            if not answer.status.errors:
                return Reply(body, None, elapsed, answer.result.content)
    try:
        envelope = _ENVELOPE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if not 200 <= status < 300:
            raise _by_status(status, body, statement=statement) from error
        raise InvalidResponse("IRIS answered with JSON that is incomplete or invalid.") from error
    if envelope.status is not None and envelope.status.errors:
        raise _refusal(status, envelope.status.errors, body)
    if not 200 <= status < 300:
        raise _by_status(status, body, statement=statement)
    if envelope.status is None:
        raise InvalidResponse("The answer is JSON, but not from IRIS's API: it has no status.")
    try:
        content = _CONTENT.decode(envelope.result).content
    except msgspec.DecodeError as error:
        raise InvalidResponse("IRIS answered without a result.") from error
    return Reply(body, content, elapsed)


def _refusal(status: int, errors: list[_Error], body: bytes) -> Exception:
    texts = [_shortened(error.error) for error in errors[:ERRORS_MAX]]
    for text in texts:
        if SQL_ERROR.search(text):
            # All the texts travel along: a second error often tells what the first one is about.
            return sql_error(text, "\n".join(texts)[:SERVER_TEXT_MAX])
    text = "\n".join(texts)[:SERVER_TEXT_MAX]
    if LICENCE.search(body[:65536]):
        return _licence(text)
    if status == 403 or any(str(error.code) in {"822", "862"} for error in errors):
        return AccessDenied("This user may not use IRIS's HTTP API here.", server_text=text)
    # Not an SQL error: whether the statement was applied before is not known.
    return ConnectionFailed(
        "IRIS reported an error of its own.",
        maybe_executed=status not in {400, 404, 405, 406, 415},
        server_text=text,
    )


def _shortened(text: str) -> str:
    """Cut the middle out of a text that is long by the value in it; its ends hold IRIS's own words."""
    if len(text) <= 2 * ERROR_END_CHARACTERS:
        return text
    return text[:ERROR_END_CHARACTERS] + text[-ERROR_END_CHARACTERS:]


def _not_json(status: int, body: bytes, *, statement: bool) -> Exception:
    if LICENCE.search(body[:65536]):
        return _licence(_plain(body))
    if 200 <= status < 300:
        return InvalidResponse(
            "The server answered with a page instead of data; a proxy or a login page may stand in front of it.",
            server_text=_plain(body),
        )
    return _by_status(status, body, statement=statement)


def _by_status(status: int, body: bytes, *, statement: bool) -> Exception:
    text = _plain(body)
    if LICENCE.search(body[:65536]):
        return _licence(text)
    if 300 <= status < 400:
        return InvalidResponse(
            "The server redirects to another address; check its address and path prefix.",
            maybe_executed=False,
        )
    if status == 403:
        return AccessDenied(
            "This user may not use IRIS's HTTP API; the privilege %Development:USE is needed.",
            server_text=text,
        )
    if status == 404 and statement:
        if not body.strip():
            return NamespaceNotFound(
                "There is no namespace of this name, or this user may not open it.", field="namespace"
            )
        return ConnectionFailed(
            "The server does not know IRIS's HTTP API at this address.",
            maybe_executed=False,
            server_text=text,
        )
    if status == 404:
        return ConnectionFailed(
            "There is no /api/atelier at this address: the web application may be off, or a path prefix missing.",
            maybe_executed=False,
            server_text=text,
        )
    if status == 503:
        # A gateway gives it too when IRIS went away in the middle, so only the licence text is proof.
        return ConnectionFailed("IRIS is not available at the moment.", server_text=text)
    if status in {408, 504}:
        return ConnectionTimeout("The web server in front of IRIS timed out.", server_text=text)
    return ConnectionFailed(
        f"The server answered with HTTP status {status}.",
        maybe_executed=status not in {400, 405, 406, 411, 413, 414, 415, 431},
        server_text=text,
    )


def _licence(text: str | None) -> LicenseLimit:
    return LicenseLimit(
        "IRIS has no free licence for another session; try again when someone has signed out.",
        server_text=text,
    )


def _plain(body: bytes) -> str | None:
    """Return the words of a page, for people; None when there are none."""
    text = TAGS.sub(" ", body[:8192].decode("utf-8", "replace"))
    text = " ".join(html.unescape(text).split())
    return text[:300] or None
