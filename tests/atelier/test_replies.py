"""Answers and what they mean, case by case (the table of HTTP statuses of %Api.Atelier)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

from iris_quart.atelier.replies import Reply, read_reply
from iris_quart.errors import (
    AccessDenied,
    ConnectionFailed,
    ConnectionTimeout,
    InvalidResponse,
    IrisQuartError,
    LicenseLimit,
    NamespaceNotFound,
    TableNotFound,
    UpstreamError,
)

JSON = "application/json; charset=utf-8"


def read(
    status: int, body: bytes | str, content_type: str | None = JSON, *, statement: bool = True, **headers: str
) -> Reply:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type is not None:
        fields["content-type"] = content_type
    data = body.encode() if isinstance(body, str) else body
    return read_reply(status, httpx.Headers(fields), data, 0.25, statement=statement)


def envelope(result: Any, errors: list[dict[str, Any]] | None = None) -> bytes:
    return msgspec.json.encode(
        {"status": {"errors": errors or [], "summary": ""}, "console": [], "result": result}
    )


def test_numbers_keep_all_their_digits() -> None:
    rows = b'[{"a":9223372036854775807,"b":0.10,"c":123456789012345678901234567890.5,"d":-1,"e":1E+3}]'
    body = b'{"status":{"errors":[],"summary":""},"console":[],"result":{"content":' + rows + b"}}"
    reply = read(200, body)
    assert reply.rows == [
        {
            "a": 9223372036854775807,
            "b": Decimal("0.10"),
            "c": Decimal("123456789012345678901234567890.5"),
            "d": -1,
            "e": Decimal("1E+3"),
        }
    ]
    assert str(reply.rows[0]["b"]) == "0.10"
    assert [bytes(row) for row in reply.raw_rows()] == [rows[1:-1]]
    assert reply.body == body
    assert reply.elapsed == 0.25


def test_change_answers_with_no_rows() -> None:
    reply = read(200, envelope({"content": []}))
    assert reply.rows == []
    assert reply.raw_rows() == []


@pytest.mark.parametrize(
    "body", [envelope({}), envelope({"content": None}), b'{"status":{"errors":[],"summary":""},"console":[]}']
)
def test_answer_that_lacks_its_rows_does_not_say_that_there_are_none(body: bytes) -> None:
    reply = read(200, body)
    with pytest.raises(InvalidResponse):
        reply.raw_rows()
    with pytest.raises(InvalidResponse):
        _ = reply.rows


def test_content_may_be_an_object() -> None:
    assert read(200, envelope({"content": {"api": 8}}), statement=False).content() == {"api": 8}


def test_sql_error_with_status_200() -> None:
    text = "ERROR #5540: SQLCODE: -30 Message: Table 'SQLUSER.X' not found"
    with pytest.raises(TableNotFound) as caught:
        read(200, envelope({}, [{"error": text, "code": 5540, "domain": "%ObjectErrors", "id": "SQLCode"}]))
    assert caught.value.sqlcode == -30
    assert caught.value.server_text == text


def test_several_errors_travel_together() -> None:
    errors = [
        {"error": "ERROR #5001: first"},
        {"error": "ERROR #5540: SQLCODE: -30  Message:  Table 'A.B' not found"},
    ]
    with pytest.raises(TableNotFound) as caught:
        read(200, envelope({}, errors))
    assert caught.value.server_text is not None
    assert "first" in caught.value.server_text


PAGE = "<html><head><title>Sign in</title></head><body><p>Please &amp; sign in</p></body></html>"
LICENCE = "<h1>Service unavailable</h1>Unable to allocate a license"


@pytest.mark.parametrize(
    ("status", "body", "content_type", "statement", "error", "maybe"),
    [
        (200, PAGE, "text/html", True, InvalidResponse, True),
        (200, "{}", "text/plain", True, InvalidResponse, True),
        (200, "{}", None, True, InvalidResponse, True),
        (200, '{"status":{"errors":[', JSON, True, InvalidResponse, True),
        (200, "", JSON, True, InvalidResponse, True),
        (200, "[]", JSON, True, InvalidResponse, True),
        (200, "null", JSON, True, InvalidResponse, True),
        (200, "[" * 100_000, JSON, True, InvalidResponse, True),
        (200, b"\xff\xfe{}", JSON, True, InvalidResponse, True),
        (200, '{"x":1}', JSON, True, InvalidResponse, True),
        (200, '{"status":{"errors":[]},"result":7}', JSON, True, InvalidResponse, True),
        (302, "", None, True, InvalidResponse, False),
        (400, '{"status":{"errors":[{"error":"ERROR #16002: Invalid JSON Content","code":16002}]}}', JSON, True,
         ConnectionFailed, False),
        (403, "Forbidden", "text/plain", True, AccessDenied, False),
        (403, "", None, False, AccessDenied, False),
        (200, '{"status":{"errors":[{"error":"ERROR #822: Access Denied","code":822}]},"result":{}}', JSON, True,
         AccessDenied, False),
        (404, "", JSON, True, NamespaceNotFound, False),
        (404, "", None, True, NamespaceNotFound, False),
        (404, PAGE, "text/html", True, ConnectionFailed, False),
        (404, PAGE, "text/html", False, ConnectionFailed, False),
        (404, "", None, False, ConnectionFailed, False),
        (406, "", None, True, ConnectionFailed, False),
        (415, "", None, True, ConnectionFailed, False),
        (500, PAGE, "text/html", True, ConnectionFailed, True),
        (500, '{"status":{"errors":[{"error":"ERROR #5002: ObjectScript error","code":5002}]},"result":{}}', JSON,
         True, ConnectionFailed, True),
        (502, PAGE, "text/html", True, ConnectionFailed, True),
        (503, PAGE, "text/html", True, ConnectionFailed, True),
        (503, LICENCE, "text/html", True, LicenseLimit, False),
        (200, LICENCE, "text/html", True, LicenseLimit, False),
        (503, '{"status":{"errors":[{"error":"ERROR #5915: Unable to allocate a license"}]}}', JSON, True,
         LicenseLimit, False),
        (504, PAGE, "text/html", True, ConnectionTimeout, True),
    ],
)  # fmt: skip
def test_answer_that_is_not_good(
    status: int,
    body: str | bytes,
    content_type: str | None,
    statement: bool,
    error: type[UpstreamError],
    maybe: bool,
) -> None:
    with pytest.raises(error) as caught:
        read(status, body, content_type, statement=statement)
    assert type(caught.value) is error
    assert caught.value.maybe_executed is maybe
    assert "<" not in caught.value.message


def test_page_is_quoted_as_words() -> None:
    with pytest.raises(InvalidResponse) as caught:
        read(200, PAGE, "text/html")
    assert caught.value.server_text == "Sign in Please & sign in"


def test_compressed_answer_is_refused_whatever_it_says() -> None:
    with pytest.raises(InvalidResponse):
        read(200, envelope({"content": []}), content_encoding="gzip")
    assert read(200, envelope({"content": []}), content_encoding="identity").rows == []


@pytest.mark.parametrize("content", ["7", '"x"', "[1]", '{"a":1}', "null"])
def test_rows_that_are_no_rows(content: str) -> None:
    reply = read(200, '{"status":{"errors":[],"summary":""},"result":{"content":' + content + "}}")
    with pytest.raises(InvalidResponse):
        _ = reply.rows


def test_long_server_text_is_cut() -> None:
    with pytest.raises(IrisQuartError) as caught:
        read(200, envelope({}, [{"error": "ERROR #5540: SQLCODE: -12 Message: " + "x" * 100_000}]))
    assert caught.value.server_text is not None
    assert len(caught.value.server_text) <= 2000
    assert len(caught.value.message) < 500
