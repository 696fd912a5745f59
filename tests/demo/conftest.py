"""Embedded servers for tests: one fixture gives one on a free port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from iris_quart.demo import DemoOptions, DemoServer


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[DemoServer]:
    async with DemoServer(DemoOptions(directory=tmp_path)) as running:
        yield running


@pytest.fixture
async def client(server: DemoServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, auth=("_SYSTEM", "SYS")) as connected:
        yield connected
