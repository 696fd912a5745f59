"""The requests of clients in use, recorded as data, in the order in which each client sends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from iris_quart.demo import DemoOptions, running_in_thread

RECORDED = [
    json.loads(line) for line in Path(__file__).with_name("clients.jsonl").read_text("utf-8").splitlines()
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, made_samples: Path) -> Iterator[httpx.Client]:
    options = DemoOptions(directory=tmp_path_factory.mktemp("clients"), careless_order=False)
    with (
        running_in_thread(options) as server,
        httpx.Client(base_url=server.url, auth=("_SYSTEM", "SYS"), timeout=30) as connected,
    ):
        yield connected


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda row: f"{row['client']}: {row['step']}")
def test_a_client_in_use_is_answered(client: httpx.Client, recorded: dict[str, Any]) -> None:
    answer = client.post(
        "/api/atelier/v6/SAMPLES/action/query?positional=1",
        json={"query": recorded["statement"], "parameters": recorded.get("parameters", [])},
    ).json()
    assert answer["status"]["errors"] == []
    (first,) = answer["result"]
    if recorded["columns"] is not None:
        assert [column["name"] for column in first["columns"]] == recorded["columns"]
    if "rows" in recorded:
        expected = recorded["rows"]
        assert [row[: len(expected[0])] if expected else row for row in first["content"]] == expected
