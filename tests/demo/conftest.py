"""Embedded servers for tests: one fixture gives one on a free port."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from iris_quart.demo import DemoOptions, DemoServer
from iris_quart.demo.samples.building import build_missing


class Api:
    """A client of one embedded server, signed in as _SYSTEM on each request, with the cookies it was given."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def query(
        self,
        sql: str,
        *parameters: object,
        namespace: str = "USER",
        version: str = "v1",
        **options: str,
    ) -> httpx.Response:
        """Post one statement; options go into the URL."""
        return await self.client.post(
            f"/api/atelier/{version}/{namespace.replace('%', '%25')}/action/query",
            json={"query": sql, "parameters": list(parameters)},
            params=options,
        )

    async def rows(self, sql: str, *parameters: object, namespace: str = "USER") -> list[dict[str, Any]]:
        """Post one statement that must succeed and give its rows."""
        response = await self.query(sql, *parameters, namespace=namespace)
        answer = response.json()
        assert response.status_code == 200, response.text
        assert answer["status"]["errors"] == []
        content: list[dict[str, Any]] = answer["result"]["content"]
        return content


@pytest.fixture(scope="session")
def made_samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the sample data once for all tests."""
    directory = tmp_path_factory.mktemp("made")
    build_missing(directory, None)
    return directory


@pytest.fixture
def directory(tmp_path: Path, made_samples: Path) -> Path:
    """Give a directory with sample data that only this test changes."""
    copied = tmp_path / "demo"
    shutil.copytree(made_samples, copied)
    return copied


@pytest.fixture
async def server(directory: Path) -> AsyncIterator[DemoServer]:
    """Run an embedded server with the default options."""
    async with DemoServer(DemoOptions(directory=directory)) as running:
        yield running


@pytest.fixture
async def client(server: DemoServer) -> AsyncIterator[httpx.AsyncClient]:
    """Connect to it as _SYSTEM."""
    async with httpx.AsyncClient(base_url=server.url, auth=("_SYSTEM", "SYS"), timeout=10) as connected:
        yield connected


@pytest.fixture
def api(client: httpx.AsyncClient) -> Api:
    """Give the client's statements."""
    return Api(client)


@pytest.fixture
async def notes(api: Api) -> Api:
    """Make a small table to write to."""
    await api.rows("CREATE TABLE Note (Number INTEGER, Text VARCHAR(50))")
    return api
