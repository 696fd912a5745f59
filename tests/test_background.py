"""Work that goes on whatever happens."""

from __future__ import annotations

import asyncio

import pytest

from iris_quart import background as persistence
from iris_quart import logs
from iris_quart.background import persistently


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "PAUSE_SECONDS", 0.0)


async def test_it_begins_again_after_a_defect_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    begun = 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            raise KeyError("canary")

    await persistently(work)
    assert begun == 3
    assert capsys.readouterr().err.count("begins again") == 2


async def test_it_ends_when_it_is_cancelled() -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(persistently(work))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
