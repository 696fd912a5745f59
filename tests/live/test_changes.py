"""What one worker tells the others of its changes: in order, and without holding up who made them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import msgspec
import pytest

from iris_quart.atelier import Target
from iris_quart.context import RowChange, TableChange
from iris_quart.errors import StoreUnavailable
from iris_quart.live.changes import Changes
from iris_quart.live.registry import Registry
from iris_quart.sessions import Session, SessionStore

SESSION = Session(
    key="0" * 64,
    user="alice",
    server="demo",
    server_key="key",
    namespace=None,
    read_only=False,
    target=Target("http://127.0.0.1:9"),
    created=0.0,
    idle_until=1e12,
    absolute_until=1e12,
)


class Store:
    """Publishes when it is allowed to; an order of "away" fails."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.away = False
        self.published: list[str] = []
        self.messages: list[bytes] = []

    def now(self) -> float:
        return 1000.0

    async def changes(self) -> AsyncIterator[bytes]:
        """Give what was published, as to another worker."""
        for message in self.messages:
            yield message

    async def publish(self, *messages: bytes) -> None:
        await self.open.wait()
        if self.away:
            self.away = False
            raise StoreUnavailable("away")
        self.messages.extend(messages)
        for message in messages:
            event = msgspec.json.decode(msgspec.json.decode(message)["event"])
            self.published.append(event["payload"]["changes"][0]["rowId"])


def change(row_id: str) -> TableChange:
    return TableChange("USER", "T.One", [RowChange("update", row_id, {"A": 1})])


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def changes(store: Store) -> Changes:
    return Changes(Registry(), cast("SessionStore", store))


async def test_nobody_waits_for_the_store_and_the_order_stays(changes: Changes, store: Store) -> None:
    publishing = asyncio.create_task(changes.publish())
    async with asyncio.timeout(5):
        for number in range(5):
            await changes.announce(SESSION, change(str(number)), None)
        assert store.published == []
        store.open.set()
        await changes.flush()
    assert store.published == ["0", "1", "2", "3", "4"]
    publishing.cancel()


async def test_a_store_that_is_away_loses_one_and_not_the_next(changes: Changes, store: Store) -> None:
    publishing = asyncio.create_task(changes.publish())
    store.away = True
    store.open.set()
    for number in range(3):
        await changes.announce(SESSION, change(str(number)), None)
        await changes.flush()
    assert store.published == ["1", "2"]
    publishing.cancel()


async def test_a_stop_waits_for_it_but_a_moment(changes: Changes) -> None:
    publishing = asyncio.create_task(changes.publish())
    await changes.announce(SESSION, change("1"), None)
    async with asyncio.timeout(5):
        await changes.flush()
    publishing.cancel()


async def test_new_rows_that_other_workers_announce_are_noted(changes: Changes, store: Store) -> None:
    publishing = asyncio.create_task(changes.publish())
    store.open.set()
    new = [RowChange("insert", "7", {"A": '"insert"'}), RowChange("update", "8", {"A": 1})]
    for announced in (change("1"), TableChange("USER", "T.One", new)):
        await changes.announce(SESSION, announced, None)
    await changes.flush()
    publishing.cancel()
    other = Changes(Registry(), cast("SessionStore", store))
    noted: list[Any] = []
    other.note_inserted = lambda *names: noted.append(names)
    await other.run()
    assert noted == [("key", "USER", "T.One", ["7"])]
