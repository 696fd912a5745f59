"""Sign-in does not wait until IRIS has signed the probing session out; its licence comes back all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from iris_quart.atelier import AtelierClient
from iris_quart.demo import DemoOptions, DemoServer

from .conftest import Site

EXPORT = "/api/export?namespace=SAMPLES&tableName=Sample.Person&rowIds=%5B%221%22%5D"


@pytest.fixture
async def iris(tmp_path: Path) -> AsyncIterator[DemoServer]:
    """An IRIS with a single licence."""
    async with DemoServer(DemoOptions(directory=tmp_path / "iris", licences=1)) as server:
        yield server


@pytest.fixture(autouse=True)
def gate(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Let no client sign out at IRIS before this is set."""
    gate, sign_out = asyncio.Event(), AtelierClient.close

    async def close(self: AtelierClient) -> None:
        await gate.wait()
        await sign_out(self)

    monkeypatch.setattr(AtelierClient, "close", close)
    return gate


async def none_left(iris: DemoServer) -> None:
    async with asyncio.timeout(5):
        while iris.app.sessions:
            await asyncio.sleep(0.01)


async def test_sign_in_does_not_wait_for_the_log_out(site: Site, gate: asyncio.Event) -> None:
    async with asyncio.timeout(5):
        client = await site.connected()
        assert len(site.iris.app.sessions) == 1
        # The next request needs the very licence that is on its way back.
        export = asyncio.ensure_future(client.get(EXPORT))
        while len(site.iris.log) < 2:
            await asyncio.sleep(0.01)
        assert not export.done()
        gate.set()
        assert (await export).status_code == 200


async def test_a_stop_waits_for_the_log_out(site: Site, gate: asyncio.Event) -> None:
    await site.connected()
    stopping = asyncio.ensure_future(site.services.live.upstream.close(5))
    await asyncio.sleep(0)
    assert len(site.iris.app.sessions) == 1
    gate.set()
    await stopping
    assert not site.iris.app.sessions


async def test_a_log_out_outlives_the_browser_that_asked(site: Site, gate: asyncio.Event) -> None:
    asking = asyncio.create_task(site.connected())
    async with asyncio.timeout(5):
        while not site.iris.app.sessions:
            await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    gate.set()
    await none_left(site.iris)
