"""Rows that hold equal values: as many are told as saved as are there, and no row is counted for two changes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from iris_quart.demo import FaultRule
from iris_quart.demo.http.faults import FaultKind
from iris_quart.tables import Tables
from iris_quart.tables import edits as edits_module
from iris_quart.tables.new_rows import NewRows
from tests.faults.stage import Client, Stage, open_stage

INSERTS = r"^INSERT"
ROW = {"V": "same", "N": 1}
KINDS: tuple[FaultKind, ...] = ("reset_before", "reset_after", "late", "close_before")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often and not for long: the machine of a test has no minutes."""
    monkeypatch.setattr(edits_module, "SETTLE_SECONDS", (0.0, 0.02, 0.02))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as stage:
        yield stage


@pytest.fixture
async def client(stage: Stage) -> Client:
    return await ready(stage)


async def ready(stage: Stage, new_rows: NewRows | None = None) -> Client:
    """Sign in before anything goes wrong."""
    client = await stage.client(request_seconds=5.0)
    client.context.tables = Tables(
        client.atelier, stage.settings, server_key="demo-key", new_rows=new_rows or NewRows(seen_seconds=0.0)
    )
    client.context.tables.edits._doubt_seconds = 0.5
    await client.atelier.encoding("USER")
    await client.context.tables.catalogue.table("USER", "Edit.Plain", settled=True)
    return client


def insert(number: int, **values: Any) -> dict[str, Any]:
    return {"changeId": f"i{number}", "kind": "insert", "values": values or ROW}


async def settled(client: Client, changes: list[dict[str, Any]], table: str = "Edit.Plain") -> list[Any]:
    """Save the changes, and ask again until no background work is left."""
    *results, _ = await client.save(table, changes)
    async with asyncio.timeout(20):
        while client.context.tables.edits._kept:
            await asyncio.sleep(0.02)
    if any(result["outcome"] == "unknown" for result in results):
        *results, _ = await client.save(table, changes)
    return results


def on_fault(stage: Stage, client: Client, number: int, kind: Any, act: Callable[[], object]) -> None:
    """Let one statement that inserts fail, and somebody act in that moment."""
    query = client.atelier.query
    sent = 0

    async def failing(*arguments: Any, **options: Any) -> Any:
        nonlocal sent
        sent += bool(options.get("write"))
        if options.get("write") and sent == number:
            stage.iris.add_fault(FaultRule(kind=kind, sql=INSERTS, times=1, delay=0.3))
            act()
        return await query(*arguments, **options)

    client.atelier.query = failing  # type: ignore[method-assign]


@pytest.mark.parametrize("lost", [1, 3, 6])
async def test_six_equal_rows_of_which_one_never_came_to_iris(
    stage: Stage, client: Client, lost: int
) -> None:
    on_fault(stage, client, lost, "reset_before", lambda: None)
    results = await settled(client, [insert(number) for number in range(6)])
    assert Counter(result["outcome"] for result in results) == {"saved": 5, "failed": 1}
    assert results[lost - 1]["outcome"] == "failed"
    row_ids = [result["rowId"] for result in results if result["outcome"] == "saved"]
    assert sorted(row_ids) == sorted(str(row_id) for (row_id,) in stage.sql("SELECT %ID FROM Edit.Plain"))


@pytest.mark.parametrize("fault", ["reset_after", "late"])
async def test_six_equal_rows_of_which_one_was_made_without_an_answer(
    stage: Stage, client: Client, fault: str
) -> None:
    on_fault(stage, client, 3, fault, lambda: None)
    results = await settled(client, [insert(number) for number in range(6)])
    saved = [result for result in results if result["outcome"] == "saved"]
    assert len(stage.sql("SELECT %ID FROM Edit.Plain")) == 6
    assert {result["outcome"] for result in results} <= {"saved", "unknown"}
    row_ids = [result["rowId"] for result in saved if result["rowId"] is not None]
    assert len(row_ids) == len(set(row_ids))
    if fault == "reset_after":
        assert len(saved) == 6


@pytest.mark.parametrize("fault", ["reset_before", "reset_after"])
async def test_equal_rows_of_somebody_else_leave_a_row_in_doubt_unknown(
    stage: Stage, client: Client, fault: str
) -> None:
    def others() -> None:
        for _ in range(2):
            stage.sql("INSERT INTO Edit.Plain (V, N) VALUES ('same', 1)")

    on_fault(stage, client, 3, fault, others)
    results = await settled(client, [insert(number) for number in range(6)])
    assert results[2]["outcome"] == "unknown"
    assert [result["outcome"] for result in results[:2] + results[3:]] == ["saved"] * 5
    row_ids = [result["rowId"] for result in results if result.get("rowId")]
    assert len(row_ids) == len(set(row_ids))


async def test_equal_row_of_another_session_is_not_counted_twice(stage: Stage) -> None:
    new_rows = NewRows(seen_seconds=0.0)
    mine, other = await ready(stage, new_rows), await ready(stage, new_rows)
    stage.iris.add_fault(FaultRule(kind="reset_before", sql=INSERTS, times=1))
    await asyncio.gather(mine.save("Edit.Plain", [insert(1)]), other.save("Edit.Plain", [insert(2)]))
    results = [*await settled(mine, [insert(1)]), *await settled(other, [insert(2)])]
    assert Counter(result["outcome"] for result in results) == {"saved": 1, "failed": 1}
    assert len(stage.sql("SELECT %ID FROM Edit.Plain")) == 1


async def test_row_that_another_worker_announced_is_theirs(stage: Stage) -> None:
    new_rows = NewRows(seen_seconds=0.0)
    mine = await ready(stage, new_rows)

    def others() -> None:
        stage.sql("INSERT INTO Edit.Plain (V, N) VALUES ('same', 1)")
        new_rows.note_other("demo-key", "USER", "Edit.Plain", ["1"])

    on_fault(stage, mine, 1, "reset_before", others)
    assert (await settled(mine, [insert(1)]))[0]["outcome"] == "failed"


async def test_only_new_row_is_ours_only_if_it_can_have_become_so(stage: Stage, client: Client) -> None:
    query = client.atelier.query

    async def swapped(*arguments: Any, **options: Any) -> Any:
        reply = await query(*arguments, **options)
        if options.get("write"):
            stage.sql("DELETE FROM Edit.Plain")
            stage.sql("INSERT INTO Edit.Plain (V, N) VALUES ('theirs', 2)")
        return reply

    client.atelier.query = swapped  # type: ignore[method-assign]
    result, _ = await client.save("Edit.Plain", [insert(1)])
    assert (result["outcome"], result["rowId"], result["proof"]) == ("saved", None, "ambiguous")


@pytest.mark.parametrize("value", ["mine", "old"])
async def test_key_that_was_there_before_is_never_told_as_saved(
    stage: Stage, client: Client, value: str
) -> None:
    stage.sql("INSERT INTO Edit.Keyed (K, V) VALUES ('k', ?)", "mine")
    stage.iris.add_fault(FaultRule(kind="reset_before", sql=INSERTS, times=1))
    (result,) = await settled(client, [insert(1, K="k", V=value)], "Edit.Keyed")
    assert result["outcome"] == "failed", result
    assert stage.sql("SELECT K, V FROM Edit.Keyed") == [("k", "mine")]


async def test_key_that_somebody_else_took_meanwhile_is_told_as_it_is(stage: Stage, client: Client) -> None:
    on_fault(
        stage,
        client,
        1,
        "reset_before",
        lambda: stage.sql("INSERT INTO Edit.Keyed (K, V) VALUES ('k', 'theirs')"),
    )
    (result,) = await settled(client, [insert(1, K="k", V="mine")], "Edit.Keyed")
    assert result["outcome"] == "unknown"
    assert "A row with this key is there" in result["error"]["message"]


async def test_insert_with_its_key_reads_two_things_before_it_side_by_side(
    stage: Stage, client: Client
) -> None:
    await client.save("Edit.Keyed", [insert(1, K="a", V="v")])
    before = client.atelier.round_trips
    stage.iris.add_fault(FaultRule(kind="latency", sql=r"^SELECT", times=2, delay=0.4))
    start = time.perf_counter()
    result, _ = await client.save("Edit.Keyed", [insert(2, K="b", V="v")])
    assert result["outcome"] == "saved"
    assert client.atelier.round_trips - before == 4
    # The key's holder and the greatest row ID: one after the other they would take twice the delay.
    assert time.perf_counter() - start < 0.75


async def test_row_ids_that_are_used_again_belong_to_the_new_rows(stage: Stage, client: Client) -> None:
    for number in range(3):
        stage.sql("TRUNCATE TABLE Edit.Plain")
        result, _ = await client.save("Edit.Plain", [insert(number)])
        assert (result["outcome"], result["rowId"]) == ("saved", "1"), result


@pytest.mark.parametrize("seed", range(4))
async def test_as_many_rows_are_told_as_saved_as_are_there(stage: Stage, seed: int) -> None:
    chance = Random(seed)
    new_rows = NewRows(seen_seconds=0.0)
    clients = [await ready(stage, new_rows) for _ in range(3)]
    outcomes: list[str] = []
    row_ids: list[str] = []

    async def paste(client: Client, name: str) -> None:
        changes = [
            {"changeId": f"{name}-{number}", "kind": "insert", "values": chance.choice([ROW, {"V": "same"}])}
            for number in range(10)
        ]
        for result in await settled(client, changes):
            outcomes.append(result["outcome"])
            if result.get("rowId") is not None:
                row_ids.append(result["rowId"])

    for _ in range(6):
        kind: FaultKind = chance.choice(KINDS)
        stage.iris.add_fault(
            FaultRule(kind, sql=INSERTS, times=1, delay=0.1, probability=0.15, seed=chance.randrange(99))
        )
    await asyncio.gather(*(paste(client, f"p{number}") for number, client in enumerate(clients)))
    counts = Counter(outcomes)
    there = len(stage.sql("SELECT %ID FROM Edit.Plain"))
    assert len(row_ids) == len(set(row_ids))
    assert counts["saved"] <= there <= counts["saved"] + counts["unknown"], (counts, there)
    assert set(counts) <= {"saved", "failed", "unknown", "skipped"}
