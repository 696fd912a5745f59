"""Several runs of the same ids, in one worker and in two: each id is sent once, and what is answered is so."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from iris_quart.commands.claims import made_at
from iris_quart.demo import FaultRule
from iris_quart.errors import StoreUnavailable
from tests.faults.stage import Office, Stage, open_office, open_stage

ROWS = 30


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as stage:
        yield stage


@pytest.fixture(params=["one worker", "two workers"])
async def offices(
    request: pytest.FixtureRequest, stage: Stage, tmp_path: Path
) -> AsyncIterator[list[Office]]:
    if request.param == "one worker":
        yield [stage, stage]
        return
    async with open_office(tmp_path / "instance", stage.url) as other:
        yield [stage, other]


def new_rows(count: int = ROWS) -> list[dict[str, Any]]:
    return [
        {"changeId": f"row-of-this-test-{number:04}", "kind": "insert", "values": {"Name": f"N{number}"}}
        for number in range(count)
    ]


def made(stage: Stage) -> list[str]:
    return [name for (name,) in stage.sql("SELECT Name FROM Edit.Cell")]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def outcomes(results: list[dict[str, Any]]) -> dict[str, str]:
    return {result["changeId"]: result["outcome"] for result in results if "changeId" in result}


def assert_true(stage: Stage, changes: list[dict[str, Any]], *answers: list[dict[str, Any]]) -> None:
    """Check that every answer is true of the database, and that no row is there twice."""
    rows = made(stage)
    for results in answers:
        told = outcomes(results)
        assert set(told) == {change["changeId"] for change in changes}
        for change in changes:
            expected = {"saved": 1, "skipped": 0}[told[change["changeId"]]]
            assert rows.count(change["values"]["Name"]) == expected, (change, told)


async def test_second_run_joins_the_first(offices: list[Office], stage: Stage) -> None:
    first, second = [await office.client() for office in offices]
    changes = new_rows()
    one = asyncio.create_task(first.save("Edit.Cell", changes))
    await until(lambda: made(stage))
    answers = await asyncio.gather(one, second.save("Edit.Cell", changes))
    assert_true(stage, changes, *answers)
    assert set(outcomes(answers[1]).values()) == {"saved"}


async def test_runs_in_opposite_order_do_not_wait_for_each_other_for_ever(
    offices: list[Office], stage: Stage
) -> None:
    first, second = [await office.client() for office in offices]
    changes = new_rows()
    async with asyncio.timeout(30):
        answers = await asyncio.gather(
            first.save("Edit.Cell", changes, order="given"),
            second.save("Edit.Cell", changes[::-1], order="given"),
        )
    assert_true(stage, changes, *answers)
    assert set(outcomes(answers[0]).values()) == {"saved"}


async def test_guarded_changes_of_two_runs_in_opposite_order_are_made_once(
    offices: list[Office], stage: Stage
) -> None:
    first, second = [await office.client() for office in offices]
    for number in range(ROWS):
        stage.sql("INSERT INTO Edit.Cell (Name, Age) VALUES (?, ?)", f"N{number}", number)
    changes = [
        {
            "changeId": f"change-of-this-test-{number:04}",
            "kind": "update",
            "rowId": str(number + 1),
            "values": {"Age": 1000},
            "base": {"Age": number},
        }
        for number in range(ROWS)
    ]
    async with asyncio.timeout(30):
        answers = await asyncio.gather(
            first.save("Edit.Cell", changes, order="given"),
            second.save("Edit.Cell", changes[::-1], order="given"),
        )
    assert [set(outcomes(results).values()) for results in answers] == [{"saved"}, {"saved"}]
    sent = [sql for sql in stage.statements() if sql.startswith("UPDATE")]
    assert len(sent) == ROWS


@pytest.mark.parametrize("how", ["stopping", "ended"])
async def test_stop_of_the_second_run_reaches_the_first(
    offices: list[Office], stage: Stage, how: str
) -> None:
    first, second = [await office.client() for office in offices]
    changes = new_rows()
    one = asyncio.create_task(first.save("Edit.Cell", changes))
    await until(lambda: made(stage))
    two = asyncio.create_task(second.save("Edit.Cell", changes))
    await until(lambda: len(made(stage)) > 3)
    setattr(second, how, True)
    answers = await asyncio.gather(one, two)
    assert_true(stage, changes, *answers)
    assert "skipped" in outcomes(answers[1]).values()
    # The page makes new ids for what was skipped.
    left = [change for change in changes if outcomes(answers[1])[change["changeId"]] == "skipped"]
    setattr(second, how, False)
    again = [{**change, "changeId": f"{change['changeId']}-again"} for change in left]
    await second.save("Edit.Cell", again)
    assert sorted(made(stage)) == sorted(f"N{number}" for number in range(ROWS))


async def test_run_that_is_stopped_at_once_asks_what_the_other_has_sent(
    offices: list[Office], stage: Stage
) -> None:
    first, second = [await office.client() for office in offices]
    changes = new_rows(5)
    stage.iris.add_fault(FaultRule(kind="latency", sql="^INSERT", times=1, delay=0.5))
    one = asyncio.create_task(first.save("Edit.Cell", changes))
    await until(lambda: any(sql.startswith("INSERT") for sql in stage.statements()))
    second.stopping = True
    answers = await asyncio.gather(one, second.save("Edit.Cell", changes))
    assert_true(stage, changes, *answers)
    assert list(outcomes(answers[1]).values()).count("saved") == 1


async def test_restarting_worker_releases_what_it_did_not_send(offices: list[Office], stage: Stage) -> None:
    first, second = [await office.client() for office in offices]
    changes = new_rows()
    draining = False
    first.context.draining = lambda: draining
    one = asyncio.create_task(first.save("Edit.Cell", changes))
    await until(lambda: len(made(stage)) > 3)
    draining = True
    told = await one
    assert_true(stage, changes, told)
    assert "skipped" in outcomes(told).values()
    again = await second.save("Edit.Cell", changes)
    assert_true(stage, changes, again)
    assert set(outcomes(again).values()) == {"saved"}


@pytest.mark.parametrize("kind", ["insert", "update"])
async def test_store_that_goes_before_the_statement_leaves_keeps_it_back(
    stage: Stage, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await stage.client()
    stage.sql("INSERT INTO Edit.Cell (Name) VALUES ('Ann')")
    store = client.context.results
    mark = store.mark_started
    fails = True

    async def mark_started(owner: str, write_id: str) -> bool:
        if fails:
            raise StoreUnavailable("The session store does not answer.")
        return await mark(owner, write_id)

    monkeypatch.setattr(store, "mark_started", mark_started)
    changes = new_rows(2)
    if kind == "update":
        changes = [{**change, "kind": "update", "rowId": "1"} for change in changes[:1]] + [
            {"changeId": "another-change-of-it", "kind": "update", "rowId": "1", "values": {"Age": 3}}
        ]
    *results, _ = await client.save("Edit.Cell", changes)
    assert {result["outcome"] for result in results} == {"unknown"}
    assert made(stage) == ["Ann"]
    fails = False
    *results, _ = await client.save("Edit.Cell", changes)
    assert [result["outcome"] for result in results] == ["saved", "saved"]


async def test_end_that_is_stored_again_does_not_end_a_later_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = [await stage.client() for _ in range(3)]
    store = first.context.results
    mark, finish = store.mark_started, store.finish
    ends: list[str] = []

    async def mark_started(owner: str, write_id: str) -> bool:
        monkeypatch.setattr(store, "mark_started", mark)
        raise StoreUnavailable("The session store does not answer.")

    async def finish_unheard(owner: str, write_id: str, state: str, answer: bytes) -> None:
        await finish(owner, write_id, state, answer)
        ends.append(state)
        if len(ends) == 1:
            raise StoreUnavailable("The answer of the session store was lost.")

    monkeypatch.setattr(store, "mark_started", mark_started)
    monkeypatch.setattr(store, "finish", finish_unheard)
    monkeypatch.setattr("iris_quart.commands.claims.RETRY_SECONDS", 0.2)
    changes = new_rows(1)
    assert set(outcomes(await first.save("Edit.Cell", changes)).values()) == {"unknown"}
    stage.iris.add_fault(FaultRule(kind="latency", sql="^INSERT", times=1, delay=1.0))
    two = asyncio.create_task(second.save("Edit.Cell", changes))
    await until(lambda: any(sql.startswith("INSERT") for sql in stage.statements()))
    await asyncio.gather(*first.context.tables.edits._kept.values())
    answers = await asyncio.gather(two, third.save("Edit.Cell", changes))
    assert_true(stage, changes, *answers)


async def test_short_ids_of_two_sessions_do_not_answer_for_each_other(stage: Stage) -> None:
    first, second = await stage.client(), await stage.client()
    one = {"changeId": "1", "kind": "insert", "values": {"Name": "One"}}
    other = {"changeId": "1", "kind": "insert", "values": {"Name": "Other"}}
    assert (await first.save("Edit.Cell", [one]))[0]["outcome"] == "saved"
    assert (await second.save("Edit.Cell", [other]))[0]["outcome"] == "saved"
    assert (await first.save("Edit.Cell", [one]))[0]["outcome"] == "saved"
    assert sorted(made(stage)) == ["One", "Other"]


async def test_keyed_row_of_a_dead_worker_is_settled_by_its_key(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = {"changeId": "keyed-row-of-a-dead-one", "kind": "insert", "values": {"K": "k", "V": "v"}}
    async with open_office(tmp_path / "instance", stage.url) as dying:
        victim = await dying.client()
        rule = stage.iris.add_fault(FaultRule(kind="reset_before", sql="^INSERT", times=None))
        dead = asyncio.create_task(victim.save("Edit.Keyed", [change]))
        await until(lambda: rule.struck)
        # As after a kill: its store has gone before the run could say how it ended.
        await dying.store.close()
        dead.cancel()
        await asyncio.gather(dead, return_exceptions=True)
    stage.iris.clear_faults()
    client = await stage.client()
    monkeypatch.setattr(client.context.tables.edits, "_doubt_seconds", 0.2)
    assert (await client.save("Edit.Keyed", [change]))[0]["outcome"] == "unknown"
    async with asyncio.timeout(10):
        while (result := (await client.save("Edit.Keyed", [change]))[0])["outcome"] == "unknown":
            await asyncio.sleep(0.05)
    assert (result["outcome"], stage.sql("SELECT K FROM Edit.Keyed")) == ("failed", [])


def timed_id(seconds: float, tail: int = 1) -> str:
    value = int(seconds * 1000) << 80 | 0x7 << 76 | 0x2 << 62 | tail
    return str(uuid.UUID(int=value))


def test_time_is_read_from_ids_of_version_7_only() -> None:
    # The example of RFC 9562, appendix A.6: Tuesday, February 22, 2022 2:22:22.00 PM GMT-05:00.
    assert made_at("017F22E2-79B0-7CC3-98C4-DC0C0C07398F") == 1645557742.0
    assert made_at(timed_id(1_700_000_000.25)) == 1_700_000_000.25
    for other in ("919108f7-52d1-4320-9bac-f847db4148a8", "1", "017F22E279B07CC398C4DC0C0C07398F", "x" * 36):
        assert made_at(other) is None
    assert made_at(None) is None


async def test_id_older_than_results_are_kept_is_never_run(stage: Stage) -> None:
    client = await stage.client()
    kept = stage.settings.write_result_seconds
    old = {"kind": "insert", "values": {"Name": "Old"}, "changeId": timed_id(time.time() - kept - 5)}
    result, counts = await client.save("Edit.Cell", [old])
    assert (result["outcome"], result["error"]["code"]) == ("unknown", "OUTCOME_UNKNOWN")
    assert "may have been saved" in result["error"]["message"]
    assert counts["unknown"] == 1
    client.stopping = True
    result, _ = await client.save("Edit.Cell", [old])
    assert result["outcome"] == "unknown"
    assert made(stage) == []


async def test_id_with_a_time_runs_once_and_is_answered_while_it_is_kept(stage: Stage) -> None:
    client = await stage.client()
    kept = stage.settings.write_result_seconds
    young = {"kind": "insert", "values": {"Name": "Young"}, "changeId": timed_id(time.time() - kept + 30)}
    first = await client.save("Edit.Cell", [young])
    assert await client.save("Edit.Cell", [young]) == first
    assert first[0]["outcome"] == "saved"
    # A result that is still there is given, however old the id is.
    client.context.now = lambda: time.time() + 60
    assert await client.save("Edit.Cell", [young]) == first
    assert made(stage) == ["Young"]


@pytest.mark.parametrize("command", ["saveCell", "insertRow", "deleteRow"])
async def test_single_commands_with_an_old_id_are_not_run(stage: Stage, command: str) -> None:
    stage.sql("INSERT INTO Edit.Cell (Name) VALUES ('Ann')")
    client = await stage.client()
    row = {"primaryKeyColumn": "%ID", "primaryKeyValue": "1"}
    commands: dict[str, dict[str, Any]] = {
        "saveCell": {**row, "columnName": "Name", "newValue": "New"},
        "insertRow": {"columns": ["Name"], "values": ["New"]},
        "deleteRow": row,
    }
    old = timed_id(time.time() - stage.settings.write_result_seconds - 5)
    payload = {"namespace": "USER", "tableName": "Edit.Cell", **commands[command]}
    answer = await client.one(command, payload, old)
    assert (answer["success"], answer["outcome"]) == (False, "unknown")
    assert made(stage) == ["Ann"]
    assert (await client.one(command, payload, timed_id(time.time())))["success"]
