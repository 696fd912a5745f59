"""Requests that nobody would write: none of them is an unexpected error."""

from __future__ import annotations

import json
import random
from typing import Any
from urllib.parse import quote

import pytest

from .conftest import CONNECT, Site

# ruff: noqa: E501
WORDS = [
    "", "x", "0", "-1", "null", "true", "demo", "SAMPLES", "Sample.Person", "USER", "%SYS", "_SYSTEM", "SYS", "1||2", "'", '"',
    '""', "';--", "{{7*7}}", "${7}", "<script>", "..", "../..", "%00", "\x00", "\r\nX: y", "ä日𝄞", "\ud800", "a" * 300, "a" * 5000,
    "9" * 400, "1e999", "NaN", "[]", "{}", "[[[", '{"a":', '"\\ud800"', "0" * 64, '"' + "0" * 64 + '"', "*", "W/", "bytes=0-",
]  # fmt: skip
PATHS = [
    "/", "/login", "/logout", "/table/{}/{}", "/api/connect", "/api/test-connection", "/api/disconnect", "/api/session",
    "/api/ticket", "/api/sessions", "/api/sessions/end-others", "/api/csrf", "/api/theme", "/api/export",
    "/api/value/{}/{}/{}/{}", "/api/value/SAMPLES/Sample.Person/{}/{}", "/api/value/SAMPLES/Sample.Person/1/Name",
    "/static/{}", "/static/v-{}/{}", "/{}", "/{}/{}", "/health", "/ws",
]  # fmt: skip
METHODS = ["GET", "GET", "GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]
NAMES = [
    "namespace", "tableName", "filters", "sort", "columns", "rowIds", "search", "null", "safe", "format", "next", "token",
    "server", "username", "password", "csrf_token", "host", "port", "theme", "pathPrefix", "useHTTPS", "readOnly",
]  # fmt: skip
HEADERS = [
    "Accept", "Content-Type", "If-Match", "If-None-Match", "If-Modified-Since", "Range", "Cookie", "Accept-Language",
    "X-Forwarded-For", "X-Forwarded-Proto", "Sec-Fetch-Site", "Authorization", "Content-Encoding", "User-Agent",
]  # fmt: skip


class Chance:
    """Makes requests by chance, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def word(self) -> str:
        return self._random.choice(WORDS)

    def path(self) -> str:
        template = self._random.choice(PATHS)
        words = [quote(self.word().encode("utf-8", "replace")[:600]) for _ in range(template.count("{}"))]
        # The test client itself stumbles over two slashes at the beginning.
        return "/" + template.format(*words).lstrip("/")

    def value(self, depth: int = 0) -> Any:
        kind = self._random.randrange(8 if depth < 3 else 5)
        if kind < 3:
            return self.word()
        if kind == 3:
            return self._random.choice([0, -1, 2**70, 1.5, True, None, 52773])
        if kind == 4:
            return self.word()[:10]
        if kind == 5:
            return [self.value(depth + 1) for _ in range(self._random.randrange(4))]
        return {
            self._random.choice([*NAMES, "column", "value", "operator"]): self.value(depth + 1)
            for _ in range(3)
        }

    def request(self) -> dict[str, Any]:
        made: dict[str, Any] = {"method": self._random.choice(METHODS), "headers": {}}
        for _ in range(self._random.randrange(4)):
            text = self.word().encode("latin-1", "replace").decode("latin-1")
            made["headers"][self._random.choice(HEADERS)] = "".join(c for c in text if c.isprintable())
        if self._random.random() < 0.6:
            plain = self._random.random() < 0.5
            pairs = [
                (self._random.choice(NAMES), self.word() if plain else json.dumps(self.value()))
                for _ in range(self._random.randrange(6))
            ]
            pairs += (
                [("namespace", "SAMPLES"), ("tableName", "Sample.Person")]
                if self._random.random() < 0.5
                else []
            )
            made["query_string"] = {name: value.encode("utf-8", "replace").decode() for name, value in pairs}
        body = self._random.randrange(5)
        if body == 0:
            made["data"] = self.word().encode("utf-8", "replace")
        elif body == 1:
            made["json"] = self.value()
        elif body == 2:
            made["json"] = CONNECT | {self._random.choice(NAMES): self.value() for _ in range(2)}
        elif body == 3:
            made["form"] = {
                self._random.choice(NAMES): self.word().encode("utf-8", "replace").decode() for _ in range(4)
            }
        return made


async def play(site: Site, seed: int, count: int) -> dict[int, int]:
    chance = Chance(seed)
    statuses: dict[int, int] = {}
    client: Any = await site.connected()
    for number in range(count):
        if number % 50 == 49:
            client = await site.connected() if number % 100 == 99 else site.client()
        path, request = chance.path(), chance.request()
        response = await client.open(path, **request)
        text = await response.get_data(as_text=False)
        status = response.status_code
        statuses[status] = statuses.get(status, 0) + 1
        # 502 and 504 are IRIS's: a server of that name is not reached.
        assert status < 500 or status in {502, 504}, (path, request, text)
        assert b"Traceback" not in text
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    return statuses


@pytest.fixture
def changes() -> dict[str, Any]:
    """Enough tries for a fuzzer that signs in."""
    return {
        "login_attempts_per_minute": 100_000,
        "login_attempts_overall": 100_000,
        "login_attempts_per_address": 100_000,
    }


@pytest.mark.parametrize("seed", range(3))
async def test_a_few_hundred(site: Site, seed: int) -> None:
    statuses = await play(site, seed, 250)
    # A fuzzer that only meets refusals tests nothing else.
    assert statuses.get(200, 0) > 25, statuses


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_five_thousand(site: Site) -> None:
    statuses = await play(site, 2026, 5000)
    assert statuses.get(200, 0) > 500, statuses
