"""The SQLite store under a crowd: writes in its thread and answers on the event loop never meet in SQLite."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.sessions.conftest import make_settings, opened

ROUNDS = 100
TOGETHER = 50


async def test_many_sign_ins_are_forgiven_at_once(tmp_path: Path) -> None:
    """What a write leaves behind must not be tidied up by another thread while the next write runs."""
    async with opened(make_settings(tmp_path, login_attempts_overall=10**6)) as store:
        for _ in range(ROUNDS):
            users = [f"user{number}" for number in range(TOGETHER)]
            admissions = await asyncio.gather(*(store.attempt(user, "s", user) for user in users))
            assert all(admission.allowed for admission in admissions)
            await asyncio.gather(*(store.forgive(user, "s", user) for user in users))
        assert (await store.attempt("user0", "s", "user0")).allowed
