"""Whatever is posted, the answer is an envelope or a documented HTTP error, and the server goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iris_quart.demo import DemoOptions, ThreadedDemoServer, running_in_thread
from iris_quart.demo.behaviours.running import Asker

JSON = {"Content-Type": "application/json"}
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text())
VALUES = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)), max_leaves=8
)
RELAXED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
DOCUMENTED = {200, 400, 401, 403, 404, 405, 406, 413, 415, 431, 503}


@pytest.fixture(scope="module")
def running(made_samples: Path) -> Iterator[ThreadedDemoServer]:
    with running_in_thread(DemoOptions(directory=made_samples)) as server:
        yield server


@pytest.fixture(scope="module")
def asker(running: ThreadedDemoServer) -> Asker:
    return Asker(running.url, "_SYSTEM", "SYS")


def assert_documented(status: int, kind: str, body: bytes) -> None:
    """Judge one answer."""
    assert status in DOCUMENTED
    assert b"Traceback" not in body
    if kind.startswith("application/json"):
        envelope: dict[str, Any] = json.loads(body)
        assert list(envelope) == ["status", "console", "result"]


@RELAXED
@given(body=st.one_of(st.binary(), VALUES.map(lambda value: json.dumps(value).encode())))
def test_any_body(asker: Asker, body: bytes) -> None:
    answer = asker.request("POST", "/api/atelier/v1/USER/action/query", JSON, body)
    assert_documented(answer.status, answer.headers.get("content-type", ""), answer.body)


@RELAXED
@given(
    parameters=st.lists(SCALARS),
    sql=st.sampled_from(["SELECT ? AS a", "SELECT ? || ? AS a", "SELECT TOP ? 1 AS a"]),
)
def test_any_parameters(asker: Asker, sql: str, parameters: list[Any]) -> None:
    body = json.dumps({"query": sql, "parameters": parameters}).encode()
    answer = asker.request("POST", "/api/atelier/v8/USER/action/query?positional=1", JSON, body)
    assert_documented(answer.status, answer.headers.get("content-type", ""), answer.body)


@RELAXED
@given(path=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
def test_any_path(asker: Asker, path: str) -> None:
    answer = asker.request("GET", "/api/atelier/" + path)
    assert_documented(answer.status, answer.headers.get("content-type", ""), answer.body)


@RELAXED
@given(value=st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255)))
def test_any_credentials_and_cookie(asker: Asker, value: str) -> None:
    sent = {"Cookie": value.encode("latin-1").decode("latin-1"), "Accept": "*/*"}
    answer = asker.request("GET", "/api/atelier/", sent, credentials=value or "x", session=False)
    assert_documented(answer.status, answer.headers.get("content-type", ""), answer.body)


def test_the_server_goes_on(asker: Asker, running: ThreadedDemoServer) -> None:
    assert asker.query("SELECT 1 AS a").json["result"]["content"] == [{"a": 1}]
    assert all(record.status != 500 for record in running.log)
