"""The SQLite store under a crowd: writes in its thread and answers on the event loop never meet in SQLite."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.sessions.conftest import ALICE, CREDENTIALS, make_settings, opened

pytestmark = [pytest.mark.slow]

ROUNDS = 40
TOGETHER = 50


async def test_many_writes_at_once(tmp_path: Path) -> None:
    """What a write leaves behind must not be tidied up by another thread while the next write runs."""
    async with opened(make_settings(tmp_path)) as store:
        session_id = await store.create(ALICE, CREDENTIALS)
        for _ in range(ROUNDS):
            tickets = await asyncio.gather(*(store.make_ticket(session_id) for _ in range(TOGETHER)))
            taken = await asyncio.gather(
                *(store.take_ticket(ticket) for ticket in tickets),
                *(store.publish(b"news") for _ in range(TOGETHER)),
            )
            assert taken[:TOGETHER] == [session_id] * TOGETHER
