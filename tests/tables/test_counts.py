"""Counts: remembered, kept in step with our own writes, and never taken from before a write."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from iris_quart.errors import InvalidResponse
from iris_quart.sql.filters import Operator
from iris_quart.tables import Tables
from iris_quart.tables.row_queries import FilterRequest, RowQueryRequest
from tests.tables.engine import EngineClient, Reply, engine
from tests.tables.test_paging import SETTINGS

ALL = RowQueryRequest("USER", "C.Items")
SOME = RowQueryRequest("USER", "C.Items", filters=(FilterRequest("N", 5, Operator.LESS),))


@pytest.fixture
def items(tmp_path: Path) -> Iterator[EngineClient]:
    with engine(tmp_path, "CREATE TABLE C.Items (N INTEGER);") as namespace:
        namespace.bulk_load("C.Items", ("N",), [(number,) for number in range(10)])
        yield EngineClient(namespace)


@pytest.fixture
async def tables(items: EngineClient) -> AsyncIterator[Tables]:
    services = Tables(items, SETTINGS, server_key="counts")
    yield services
    await services.close()


async def test_counted_once_per_filter(tables: Tables, items: EngineClient) -> None:
    everything, some = await tables.rows.view(ALL), await tables.rows.view(SOME)
    items.log.clear()
    for _ in range(2):
        assert await tables.counts.total(everything) == 10
        assert await tables.counts.total(some) == 5
    assert len(items.log) == 2


async def test_large_filters_are_not_kept_with_their_counts(tables: Tables, items: EngineClient) -> None:
    """One session could fill the worker's memory with them: 1,024 counts, and a message for each filter."""
    items.namespace.execute("CREATE TABLE C.Texts (T VARCHAR(50))")
    await tables.rows.view(RowQueryRequest("USER", "C.Texts"))
    tracemalloc.start()
    try:
        for number in range(50):
            long = FilterRequest("T", f"{number:0100000}", Operator.EQUALS)
            view = await tables.rows.view(RowQueryRequest("USER", "C.Texts", filters=(long,)))
            tables.counts.put(view, number)
            assert tables.counts.peek(view) == number
        del view, long
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


async def test_own_writes_adjust_the_whole_and_forget_the_filtered(
    tables: Tables, items: EngineClient
) -> None:
    everything, some = await tables.rows.view(ALL), await tables.rows.view(SOME)
    await tables.counts.total(everything)
    await tables.counts.total(some)
    items.namespace.execute("INSERT INTO C.Items (N) VALUES (1)")
    tables.note_write("user", "c.items", inserted=1)
    assert tables.counts.peek(everything) == 11
    assert tables.counts.peek(some) is None
    assert await tables.counts.total(some) == 6
    tables.note_write("USER", "C.Items", deleted=3)
    assert tables.counts.peek(everything) == 8
    tables.note_write("USER", "C.Items", deleted=100)
    assert tables.counts.peek(everything) == 0


async def test_count_that_began_before_a_write_is_not_remembered(tables: Tables, items: EngineClient) -> None:
    view = await tables.rows.view(ALL)
    gate = asyncio.Event()
    items.before = lambda sql: gate if "COUNT" in sql else None
    counting = asyncio.create_task(tables.counts.total(view))
    async with asyncio.timeout(5):
        while not tables.counts.under_way(view):
            await asyncio.sleep(0)
    tables.note_write("USER", "C.Items", inserted=1)
    assert not tables.counts.under_way(view)
    gate.set()
    assert await counting == 10
    assert tables.counts.peek(view) is None


@pytest.mark.parametrize("answer", [[], [{"total": "many"}], [{}], [{"total": 1}, {"total": 2}]])
async def test_answer_that_is_no_count(
    tables: Tables, items: EngineClient, answer: list[dict[str, Any]]
) -> None:
    view = await tables.rows.view(ALL)

    async def odd(*_arguments: Any, **_options: Any) -> Reply:
        return Reply(answer)

    items.query = odd  # type: ignore[method-assign]
    with pytest.raises(InvalidResponse):
        await tables.counts.total(view)
