"""Signing in to an IRIS that misbehaves: answered in time, by a code of the list, and nothing leaks."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from iris_quart.demo import FaultRule

from .conftest import CONNECT, Site, post_login

LEAKS = re.compile(
    r"127\.0\.0\.1|localhost|:\d{4,5}\b|Traceback|\.py\b|httpx|h11|Errno|<!DOCTYPE html>.*atelier",
    re.IGNORECASE,
)


@pytest.fixture
def changes() -> dict[str, Any]:
    """Deadlines that a test can wait for, and a small bound for answers."""
    return {"request_timeout_seconds": 1.0, "response_bytes_max": 65536, "login_attempts_per_minute": 1000}


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (FaultRule("reset_before"), 502, "CONNECTION_FAILED"),
        (FaultRule("close_before"), 502, "CONNECTION_FAILED"),
        (FaultRule("hang"), 504, "CONNECTION_TIMEOUT"),
        (FaultRule("unauthorized"), 401, "AUTH_FAILED"),
        (FaultRule("forbidden"), 401, "AUTH_FAILED"),
        (FaultRule("status", status=500), 502, "CONNECTION_FAILED"),
        (FaultRule("status", status=404), 502, None),
        (FaultRule("licence"), 502, "LICENSE_LIMIT"),
        (FaultRule("redirect"), 502, "INVALID_RESPONSE"),
        (FaultRule("html"), 502, "INVALID_RESPONSE"),
        (FaultRule("truncated"), 502, "INVALID_RESPONSE"),
        (FaultRule("reset_mid_body"), 502, "CONNECTION_FAILED"),
        (FaultRule("drip", delay=0.05), 504, "CONNECTION_TIMEOUT"),
        (FaultRule("huge", size=10_000_000), 502, "INVALID_RESPONSE"),
        (FaultRule("content_type"), 502, "INVALID_RESPONSE"),
        (FaultRule("content_encoding"), 502, "INVALID_RESPONSE"),
    ],
    ids=lambda value: value.kind if isinstance(value, FaultRule) else None,
)
async def test_sign_in(site: Site, fault: FaultRule, status: int, code: str | None) -> None:
    site.iris.add_fault(fault)
    started = time.monotonic()
    response = await site.client().post("/api/connect", json=CONNECT)
    assert time.monotonic() - started < 5
    text = await response.get_data(as_text=True)
    body = await response.get_json()
    assert response.status_code == status, text
    if code is not None:
        assert body["code"] == code, text
    assert not LEAKS.search(text), text
    assert body["error"].endswith(".")
    page = await (await post_login(site.client())).get_data(as_text=True)
    (message,) = re.findall(r"<strong>Not signed in\.</strong>(.*?)</p>", page, re.DOTALL)
    assert not LEAKS.search(message), message
    assert await site.store.count() == 0
    site.iris.clear_faults()
    await site.connected()
