"""What is particular to the SQLite store: its file, several processes, and what breaks it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sqlite3
import stat
import time
from pathlib import Path

import pytest

from iris_quart.config import BadSettings
from iris_quart.errors import StoreUnavailable
from iris_quart.sessions import Ended, open_store, open_vault
from iris_quart.sessions.sqlite import FILE_NAME

from .conftest import ALICE, CREDENTIALS, PASSWORD, make_settings, opened, until
from .test_store_contract import signed_in


async def test_its_files_are_for_the_owner_alone(tmp_path: Path) -> None:
    async with opened(make_settings(tmp_path / "instance")) as store:
        await signed_in(store)
        names = {path.name for path in (tmp_path / "instance").iterdir()}
        assert names >= {FILE_NAME, f"{FILE_NAME}-wal"}
        for path in (tmp_path / "instance").iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


async def test_sessions_outlive_a_restart(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    async with opened(settings) as store:
        session_id, session = await signed_in(store)
    async with opened(settings) as store:
        assert await store.get(session_id) == session
        assert await store.credentials(session_id, session) is not None


async def test_nothing_secret_lies_in_the_files_in_clear(tmp_path: Path) -> None:
    async with opened(make_settings(tmp_path)) as store:
        session_id, session = await signed_in(store)
        ticket = await store.make_ticket(session_id)
        await store.end(session.key, "logout")
        for path in tmp_path.iterdir():
            content = path.read_bytes()
            for secret in (PASSWORD, session_id, ticket):
                assert secret.encode() not in content, path.name


async def test_credentials_of_an_ended_session_are_wiped_from_the_file(tmp_path: Path) -> None:
    async with opened(make_settings(tmp_path)) as store:
        _, session = await signed_in(store)
        with sqlite3.connect(tmp_path / FILE_NAME) as db:
            (sealed,) = db.execute("SELECT credentials FROM sessions").fetchone()
        db.close()
        await store.end(session.key, "logout")
    # Closing the last connection writes the log back into the file.
    assert sealed not in (tmp_path / FILE_NAME).read_bytes()
    assert not (tmp_path / f"{FILE_NAME}-wal").exists()


async def test_moved_row_does_not_open(tmp_path: Path) -> None:
    """Credentials copied into the row of another session are worth nothing there."""
    async with opened(make_settings(tmp_path)) as store:
        _, alice = await signed_in(store)
        bob_id, bob = await signed_in(store, user="bob")
        with sqlite3.connect(tmp_path / FILE_NAME) as db:
            copy = "UPDATE sessions SET credentials = (SELECT credentials FROM sessions WHERE key = ?) WHERE key = ?"
            db.execute(copy, (alice.key, bob.key))
        db.close()
        assert await store.credentials(bob_id, bob) is None


async def test_tables_of_another_release_are_made_anew(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    async with opened(settings) as store:
        session_id, _ = await signed_in(store)
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.execute("PRAGMA user_version = 999")
        db.execute("ALTER TABLE sessions ADD COLUMN something")
    db.close()
    async with opened(settings) as store:
        assert await store.get(session_id) is None
        await signed_in(store)


async def test_end_reaches_another_worker_in_half_a_second(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, sessions_poll_seconds=0.2)
    async with opened(settings) as one, opened(settings) as other:
        heard = other.watch()
        for _ in range(5):
            _, session = await signed_in(one)
            waiting = asyncio.ensure_future(anext(heard))
            await asyncio.sleep(0.01)
            started = time.monotonic()
            await one.end(session.key, "logout")
            assert await asyncio.wait_for(waiting, 2) == Ended(session.key, "logout")
            assert time.monotonic() - started < 0.5


async def test_a_damaged_file_is_the_store_being_away(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"this is no database" * 100)
    store = open_store(settings, open_vault(tmp_path))
    with pytest.raises(StoreUnavailable) as caught:
        await store.start()
    assert str(tmp_path) not in caught.value.message
    await store.close()


async def test_a_locked_file_is_the_store_being_away_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iris_quart.sessions.sqlite_database.BUSY_SECONDS", 0.1)
    async with opened(make_settings(tmp_path)) as store:
        session_id, session = await signed_in(store)
        blocker = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        assert not await store.healthy()
        with pytest.raises(StoreUnavailable):
            await store.create(ALICE, CREDENTIALS)
        assert await store.get(session_id) == session
        blocker.execute("ROLLBACK")
        blocker.close()
        await until(store.healthy)
        await store.create(ALICE, CREDENTIALS)


async def test_made_up_tickets_do_not_queue_up_among_the_writers(tmp_path: Path) -> None:
    async with opened(make_settings(tmp_path)) as store:
        busy = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
        busy.execute("BEGIN IMMEDIATE")
        try:
            async with asyncio.timeout(2):
                assert [await store.take_ticket(f"made up {number}") for number in range(50)] == [None] * 50
        finally:
            busy.execute("ROLLBACK")
            busy.close()


async def test_before_start_and_after_close_everything_is_refused(tmp_path: Path) -> None:
    store = open_store(make_settings(tmp_path), open_vault(tmp_path))
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await store.get("x")
        with pytest.raises(StoreUnavailable):
            await store.create(ALICE, CREDENTIALS)
        assert not await store.healthy()
        await store.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(BadSettings, match="instance"):
        open_vault(tmp_path)


def _worker(folder: Path, number: int) -> tuple[int, int]:
    """Sign in, end half, claim writes: what one worker of several does at the same time."""

    async def work() -> tuple[int, int]:
        claimed = 0
        async with opened(make_settings(folder)) as store:
            for turn in range(15):
                session_id, session = await signed_in(store, user=f"user {number}")
                await store.touch(session)
                assert await store.get(session_id) is not None
                if turn % 2:
                    await store.end(session.key, "logout")
                claimed += await store.begin("owner", f"write {turn}", "print", started=True) is None
            return claimed, await store.count()

    return asyncio.run(work())


async def test_several_processes_start_and_work_together(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        results = await asyncio.to_thread(pool.starmap, _worker, [(tmp_path, number) for number in range(3)])
    assert sum(claimed for claimed, _ in results) == 15
    async with opened(make_settings(tmp_path)) as store:
        assert await store.count() == 3 * 8
