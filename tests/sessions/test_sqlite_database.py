"""The writing thread: what waits shares a transaction, and each piece of work succeeds or fails for itself."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from iris_quart.errors import StoreUnavailable
from iris_quart.sessions.sqlite_database import Database

ADD = "INSERT INTO tickets VALUES (?, NULL, 0)"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "sessions.db")
    await database.open()
    yield database
    await database.close()


class Held:
    """Work that keeps the writing thread until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.gate = threading.Event()

    def __call__(self, _db: sqlite3.Connection) -> None:
        self.begun.set()
        assert self.gate.wait(10)


def keys(database: Database) -> list[str]:
    return [key for (key,) in database.read("SELECT key FROM tickets ORDER BY key", ())]


async def test_what_waits_shares_a_transaction_and_fails_alone(database: Database) -> None:
    def add(key: str, error: Exception | None = None) -> Callable[[sqlite3.Connection], str]:
        def work(db: sqlite3.Connection) -> str:
            db.execute(ADD, (key,))
            if error is not None:
                raise error
            return key

        return work

    held = Held()
    first = asyncio.create_task(database.write(held))
    await asyncio.to_thread(held.begun.wait, 10)
    version = database.version()
    works = [add("a"), add("b", KeyError("b")), add("c"), add("a"), add("d", sqlite3.OperationalError("d"))]
    tasks = [asyncio.create_task(database.write(work)) for work in works]
    await asyncio.sleep(0)
    held.gate.set()
    await first
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [answers[0], answers[2]] == ["a", "c"]
    assert [type(answers[place]) for place in (1, 3, 4)] == [KeyError, StoreUnavailable, StoreUnavailable]
    assert keys(database) == ["a", "c"]
    assert database.version() == version + 1, "one commit for them all"


async def test_many_at_once_are_all_written(database: Database) -> None:
    async def add(number: int) -> None:
        await database.write(lambda db: db.execute(ADD, (f"{number:04}",)), durable=number % 7 == 0)

    await asyncio.gather(*(add(number) for number in range(500)))
    assert len(keys(database)) == 500


async def test_a_lost_transaction_is_told_to_all_and_the_next_one_works(database: Database) -> None:
    def lose(db: sqlite3.Connection) -> None:
        db.execute("ROLLBACK")  # as SQLite does by itself when the disk is full
        raise sqlite3.OperationalError

    held = Held()
    first = asyncio.create_task(database.write(held))
    await asyncio.to_thread(held.begun.wait, 10)
    add = asyncio.create_task(database.write(lambda db: db.execute(ADD, ("a",))))
    lost = asyncio.create_task(database.write(lose))
    await asyncio.sleep(0)
    held.gate.set()
    await first
    answers = await asyncio.gather(add, lost, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreUnavailable, StoreUnavailable]
    assert keys(database) == []
    await database.write(lambda db: db.execute(ADD, ("b",)))
    assert keys(database) == ["b"]


async def test_a_commit_that_fails_leaves_the_file_to_others(tmp_path: Path) -> None:
    """A broken deferred constraint is the one refusal of COMMIT that can be had without a broken disk."""

    def breaks_the_commit(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE child (parent TEXT REFERENCES tickets (key) DEFERRABLE INITIALLY DEFERRED)")
        db.execute("INSERT INTO child VALUES ('nobody')")

    class Strict(Database):
        def _connect(self, synchronous: str) -> sqlite3.Connection:
            db = super()._connect(synchronous)
            db.execute("PRAGMA foreign_keys = ON")
            return db

    strict, other = Strict(tmp_path / "sessions.db"), Database(tmp_path / "sessions.db")
    await strict.open()
    await other.open()
    with pytest.raises(StoreUnavailable):
        await strict.write(breaks_the_commit)
    async with asyncio.timeout(3):
        await other.write(lambda db: db.execute(ADD, ("a",)))
        await strict.write(lambda db: db.execute(ADD, ("b",)))
    assert keys(strict) == ["a", "b"]
    await strict.close()
    await other.close()


async def test_a_writer_that_leaves_harms_nobody(database: Database) -> None:
    held = Held()
    first = asyncio.create_task(database.write(held))
    await asyncio.to_thread(held.begun.wait, 10)
    leaves = asyncio.create_task(database.write(lambda db: db.execute(ADD, ("a",))))
    stays = asyncio.create_task(database.write(lambda db: db.execute(ADD, ("b",))))
    await asyncio.sleep(0)
    leaves.cancel()
    held.gate.set()
    await first
    await stays
    assert leaves.cancelled()
    assert keys(database) == ["a", "b"]


async def test_nothing_is_written_after_the_close(database: Database) -> None:
    last = asyncio.create_task(database.write(lambda db: db.execute(ADD, ("a",))))
    await asyncio.sleep(0)
    await database.close()
    await last
    with pytest.raises(StoreUnavailable):
        await database.write(lambda db: db.execute(ADD, ("b",)))
