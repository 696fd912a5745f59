"""A failed guard is never told as saved because IRIS might store the sent value as what somebody else wrote."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo import FaultRule
from iris_quart.tables import edits as edits_module
from tests.faults.stage import CELLS, Client, Stage, open_stage

SCRIPT = (
    CELLS
    + """
CREATE TABLE Edit.Form (
    Name VARCHAR(50), Wakes TIME, Precise TIME(3), Seen TIMESTAMP, Cut TIMESTAMP(3), At POSIXTIME,
    Price NUMERIC(10,2), Essay VARCHAR(5000));
INSERT INTO Edit.Form (Name) VALUES ('x');
"""
)
RACES = [
    ("Wakes", "11:00:00", "12:00:00.123", "12:00:00"),
    ("Precise", "11:00:00", "12:00:00.12345", "12:00:00.123"),
    ("Seen", "2020-01-01 11:00:00", "2020-01-01 12:00:00.123", "2020-01-01 12:00:00"),
    ("Cut", "2020-01-01 11:00:00", "2020-01-01 12:00:00.12345", "2020-01-01 12:00:00.123"),
    ("At", "2020-01-01 11:00:00", "2020-01-01 12:00:00.1234567", "2020-01-01 12:00:00.123456"),
    ("Price", 5, Decimal("1.005"), 1),
    ("Price", 5, Decimal("1.004"), 1),
    ("Name", "ann", "Ann", "ANN"),
    ("Name", "ann", "Ann", "ann "),
]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often and not for long: the machine of a test has no minutes."""
    monkeypatch.setattr(edits_module, "SETTLE_SECONDS", (0.0, 0.02))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path, SCRIPT) as stage:
        yield stage


@pytest.fixture
async def client(stage: Stage) -> Client:
    return await stage.client()


def before_writes(client: Client, act: Callable[[], object]) -> None:
    """Let somebody else act once, in the moment before a statement that changes something."""
    query = client.atelier.query
    acts = [act]

    async def raced(*arguments: Any, **options: Any) -> Any:
        if options.get("write") and acts:
            acts.pop()()
        return await query(*arguments, **options)

    client.atelier.query = raced  # type: ignore[method-assign]


def put(stage: Stage, column: str, value: Any) -> None:
    kind = {"Wakes": "TIME", "Precise": "TIME(3)", "At": "POSIXTIME"}.get(column)
    mark = "?" if kind is None else f"CAST(? AS {kind})"
    stage.sql(f"UPDATE Edit.Form SET {column} = {mark} WHERE %ID = 1", value)


def change(column: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"changeId": "c", "kind": "update", "rowId": "1", "values": {column: value}, **more}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(("column", "base", "mine", "theirs"), RACES)
async def test_what_somebody_else_wrote_in_between_is_a_conflict(
    stage: Stage, client: Client, column: str, base: Any, mine: Any, theirs: Any, late: bool
) -> None:
    put(stage, column, base)
    before_writes(client, lambda: put(stage, column, theirs))
    seen = {} if late else {"base": {column: base}}
    result, _ = await client.save("Edit.Form", [change(column, mine, **seen)])
    assert result["outcome"] == "conflict", result
    assert result["conflict"][column]["theirs"] == theirs
    assert result.get("guard") == ("late" if late else None)


@pytest.mark.parametrize(
    ("column", "mine", "stored"),
    [
        ("Wakes", "12:00:00.123", "12:00:00"),
        ("Precise", "12:00:00.1239", "12:00:00.123"),
        ("Seen", "2020-01-01 12:00:00.123456789", "2020-01-01 12:00:00.123456789"),
        ("Cut", "2020-01-01 12:00:00.12345", "2020-01-01 12:00:00.123"),
        ("At", "2020-01-01 12:00:00.1234567", "2020-01-01 12:00:00.123456"),
    ],
)
async def test_what_the_type_makes_of_my_value_is_saved_in_two_round_trips(
    stage: Stage, client: Client, column: str, mine: str, stored: str
) -> None:
    await client.context.tables.catalogue.table("USER", "Edit.Form", settled=True)
    put(stage, column, "11:00:00" if column in {"Wakes", "Precise"} else "2020-01-01 11:00:00")
    base = {column: "11:00:00" if column in {"Wakes", "Precise"} else "2020-01-01 11:00:00"}
    await client.save("Edit.Form", [{**change("Name", "y", base={"Name": "x"}), "changeId": "first"}])
    before = client.atelier.round_trips
    result, _ = await client.save("Edit.Form", [change(column, mine, base=base)])
    assert (result["outcome"], result["values"][column]) == ("saved", stored), result
    assert client.atelier.round_trips - before == 2


async def test_value_that_iris_refuses_is_a_failure_and_no_conflict(stage: Stage, client: Client) -> None:
    put(stage, "Price", 5)
    result, _ = await client.save("Edit.Form", [change("Price", Decimal("1.005"), base={"Price": 5})])
    assert (result["outcome"], result["error"]["sqlcode"]) == ("failed", -105)


async def test_row_that_is_gone_is_told_as_gone(stage: Stage, client: Client) -> None:
    put(stage, "Wakes", "11:00:00")
    before_writes(client, lambda: stage.sql("DELETE FROM Edit.Form WHERE %ID = 1"))
    result, _ = await client.save("Edit.Form", [change("Wakes", "12:00:00.5", base={"Wakes": "11:00:00"})])
    assert result["outcome"] == "gone"


async def test_server_that_takes_the_guard_otherwise_gets_an_ordinary_one(
    stage: Stage, client: Client
) -> None:
    put(stage, "Wakes", "11:00:00")
    stage.iris.add_fault(FaultRule("sqlcode", sql="1 / 0", sqlcode=-400, text="Fatal error occurred"))
    result, _ = await client.save("Edit.Form", [change("Wakes", "12:00:00.000", base={"Wakes": "11:00:00"})])
    assert result["outcome"] == "saved"
    result, _ = await client.save(
        "Edit.Form", [{**change("Wakes", "13:00:00.5", base={"Wakes": "12:00:00"}), "changeId": "d"}]
    )
    # Whether the ordinary guard matched cannot be told from what is there.
    assert result["outcome"] == "conflict"


async def test_trigger_is_learnt_only_where_the_guard_surely_matched(
    stage: Stage, client: Client, tmp_path: Path
) -> None:
    put(stage, "Name", "ann")
    before_writes(client, lambda: put(stage, "Name", "ANN"))
    result, _ = await client.save("Edit.Form", [change("Name", "Ann")])
    assert result["outcome"] == "conflict"
    assert not client.context.tables.edits._rewritten
    with closing(sqlite3.connect(tmp_path / "iris" / "USER.sqlite")) as file, file:
        file.execute(
            'CREATE TRIGGER "loud" AFTER UPDATE OF "Name" ON "Edit.Form" BEGIN '
            'UPDATE "Edit.Form" SET "Name" = upper(NEW."Name") WHERE "%ID" = NEW."%ID"; END'
        )
    result, _ = await client.save("Edit.Form", [{**change("Name", "bob"), "changeId": "b"}])
    assert (result["outcome"], result["values"]["Name"]) == ("saved", "BOB")
    guarded = {**change("Name", "cleo", base={"Name": "BOB"}), "changeId": "g"}
    result, _ = await client.save("Edit.Form", [guarded])
    assert (result["outcome"], result["values"]["Name"]) == ("saved", "CLEO")
    with closing(sqlite3.connect(tmp_path / "iris" / "USER.sqlite")) as file, file:
        file.execute('DROP TRIGGER "loud"')
    before_writes(client, lambda: put(stage, "Name", "Cleo"))
    raced = {**change("Name", "cleo", base={"Name": "CLEO"}), "changeId": "r"}
    result, _ = await client.save("Edit.Form", [raced])
    assert (result["outcome"], result["conflict"]["Name"]["theirs"]) == ("conflict", "Cleo")


async def test_text_of_the_length_of_a_preview_that_grew_is_a_conflict(stage: Stage, client: Client) -> None:
    put(stage, "Essay", "x" * 2000)
    result, _ = await client.save("Edit.Form", [change("Essay", "mine", base={"Essay": "x" * 200})])
    assert result["outcome"] == "conflict", result
    assert stage.sql("SELECT Essay FROM Edit.Form WHERE %ID = 1") == [("x" * 2000,)]


@pytest.mark.parametrize("kind", ["update", "delete"])
async def test_text_of_the_length_of_a_preview_that_grew_under_a_late_guard_is_a_conflict(
    stage: Stage, client: Client, kind: str
) -> None:
    put(stage, "Essay", "x" * 200)
    before_writes(client, lambda: put(stage, "Essay", "x" * 2000))
    values = {"values": {"Essay": "mine"}} if kind == "update" else {}
    result, _ = await client.save("Edit.Form", [{"changeId": "c", "kind": kind, "rowId": "1", **values}])
    assert result["outcome"] == "conflict", result
    assert stage.sql("SELECT Essay FROM Edit.Form WHERE %ID = 1") == [("x" * 2000,)]
