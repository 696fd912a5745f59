"""How often IRIS is asked, counted at the embedded server behind real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from iris_quart.atelier import AtelierClient, Credentials, Limits, Target
from iris_quart.demo import DemoOptions, DemoServer
from iris_quart.sql.filters import Operator
from iris_quart.tables import Tables
from iris_quart.tables.row_queries import FilterRequest, RowQueryRequest
from iris_quart.tables.rows import After, Before, Jump, StartAt
from tests.tables.test_paging import SETTINGS

PERSON = RowQueryRequest("SAMPLES", "Sample.Person", sort=(("Name", True),), page_size=30)


class Bench:
    """Table services at an embedded server, and what that server was asked."""

    def __init__(self, server: DemoServer, tables: Tables) -> None:
        self.server = server
        self.tables = tables

    def asked(self) -> list[str]:
        """Give the statements that came since the last look."""
        statements = [record.sql for record in self.server.log if record.sql]
        self.server.log.clear()
        return statements


@pytest.fixture
async def bench(samples_directory: Path) -> AsyncIterator[Bench]:
    async with DemoServer(DemoOptions(directory=samples_directory), host="127.0.0.1", port=0) as server:
        client = AtelierClient(
            Target(server.url), Credentials("_SYSTEM", SecretStr("SYS")), limits=Limits(), signed_in=True
        )
        tables = Tables(client, SETTINGS, server_key="round trips")
        yield Bench(server, tables)
        await tables.close()
        await client.close()


async def test_cold_open_is_the_catalogue_then_page_beside_count(bench: Bench) -> None:
    view = await bench.tables.rows.view(PERSON)
    first = bench.asked()
    assert len(first) == 3, "columns, keys, and once per server the question how it writes values"
    page, total = await asyncio.gather(bench.tables.rows.page(view, Jump(0)), bench.tables.counts.total(view))
    assert len(bench.asked()) == 2
    assert (len(page.rows), total) == (30, 200)


async def test_everything_warm_is_one_round_trip(bench: Bench) -> None:
    view = await bench.tables.rows.view(PERSON)
    first = await bench.tables.rows.page(view, Jump(0))
    await bench.tables.rows.page(view, Jump(60))
    await bench.tables.counts.total(view)
    bench.asked()
    for place in (Jump(0), Jump(90), After(first.next or ""), Before("end"), StartAt("m")):
        warm = await bench.tables.rows.view(PERSON)
        await bench.tables.rows.page(warm, place)
        await bench.tables.counts.total(warm)
        assert len(bench.asked()) == 1, place


async def test_a_filter_costs_its_page_and_its_count(bench: Bench) -> None:
    await bench.tables.rows.view(PERSON)
    bench.asked()
    asked = RowQueryRequest(
        "SAMPLES", "Sample.Person", filters=(FilterRequest("Name", "a", Operator.CONTAINS),), page_size=10
    )
    view = await bench.tables.rows.view(asked)
    await asyncio.gather(bench.tables.rows.page(view, Jump(0)), bench.tables.counts.total(view))
    assert len(bench.asked()) == 2


async def test_export_reads_each_row_once(bench: Bench) -> None:
    view = await bench.tables.rows.view(PERSON)
    seen = [row_id async for page in bench.tables.rows.stream(view) for row_id in page.row_ids]
    assert len(seen) == len(set(seen)) == 200
    names = [row["Name"] async for page in bench.tables.rows.stream(view) for row in page.rows]
    assert names == sorted(names, key=lambda name: str(name).upper(), reverse=True)
