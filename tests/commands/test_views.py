"""Views that can be changed: addressed by the row ID of the table behind them, and proved there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo.engine.interface import Release
from tests.faults.stage import Client, Stage, open_stage

SCRIPT = """
CREATE TABLE Edit.Person (Name VARCHAR(50), Age INTEGER, SSN VARCHAR(11), City VARCHAR(30) DEFAULT 'Rome',
    CONSTRAINT SSNKey UNIQUE (SSN)) WITH %CLASS;
CREATE VIEW Edit.Senior AS SELECT ID, Name, Age, SSN FROM Edit.Person WHERE Age > 65;
CREATE VIEW Edit.Strict AS SELECT ID, Name, Age FROM Edit.Person WHERE Age > 65 WITH CHECK OPTION;
CREATE VIEW Edit.Renamed (Ident, Title) AS SELECT ID, Name FROM Edit.Person;
CREATE VIEW Edit.NoKey AS SELECT Name, Age FROM Edit.Person;
CREATE VIEW Edit.Ages AS SELECT Age, COUNT(*) AS Persons FROM Edit.Person GROUP BY Age;
"""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path, SCRIPT) as stage:
        for number in range(1, 31):
            stage.sql(
                "INSERT INTO Edit.Person (Name, Age, SSN) VALUES (?, ?, ?)",
                f"P{number % 7}",
                50 + number,
                f"S{number}",
            )
        yield stage


@pytest.fixture
async def client(stage: Stage) -> Client:
    return await stage.client()


def update(
    row_id: str, values: dict[str, Any], base: dict[str, Any] | None, name: str = "u"
) -> dict[str, Any]:
    change = {"changeId": name, "kind": "update", "rowId": row_id, "values": values}
    return change if base is None else {**change, "base": base}


def stored(stage: Stage, row_id: int) -> tuple[Any, ...]:
    return stage.sql("SELECT Name, Age FROM Edit.Person WHERE %ID = ?", row_id)[0]


async def test_a_view_that_shows_the_row_id_is_editable_and_says_so(client: Client) -> None:
    table = await client.context.tables.catalogue.table("USER", "edit.senior")
    assert (table.full_name, table.read_only_reason, table.identity.columns) == ("Edit.Senior", None, ("ID",))
    assert table.column("ID").read_only_reason == "IRIS gives each row its ID."
    assert table.column("Name").editable
    assert table.column("SSN").unique


@pytest.mark.parametrize(
    ("name", "reason"),
    [("Renamed", "more than some columns"), ("NoKey", "row ID"), ("Ages", "accepts no changes")],
)
async def test_other_views_are_read_only_and_say_why(
    stage: Stage, client: Client, name: str, reason: str
) -> None:
    table = await client.context.tables.catalogue.table("USER", f"Edit.{name}")
    assert reason in (table.read_only_reason or "")
    results = await client.save(f"Edit.{name}", [update("20", {table.columns[1].name: 1}, None)])
    assert (results[0]["outcome"], results[0]["error"]["code"]) == ("failed", "READ_ONLY")


@pytest.mark.parametrize("sort", [[], [{"column": "Name", "direction": "desc"}]])
async def test_pages_by_key_with_filters_both_ways(stage: Stage, client: Client, sort: list[Any]) -> None:
    asked = {
        "namespace": "USER",
        "tableName": "Edit.Senior",
        "pageSize": 4,
        "sort": sort,
        "filters": [{"column": "Age", "operator": "less", "value": 79}],
        "count": "skip",
    }
    order = "Name DESC, ID" if sort else "ID"
    expected = [
        str(row[0]) for row in stage.sql(f"SELECT ID FROM Edit.Senior WHERE Age < 79 ORDER BY {order}")
    ]
    seen: list[str] = []
    place: dict[str, Any] = {"after": "start"}
    while True:
        page = (await client.run("requestData", {**asked, **place}))[0]["payload"]
        seen += page["rowIds"]
        assert [str(row["ID"]) for row in page["rows"]] == page["rowIds"]
        if page["cursors"]["next"] is None:
            break
        place = {"after": page["cursors"]["next"]}
    assert seen == expected
    assert not [sql for sql in stage.statements() if "OFFSET" in sql or "%VID" in sql]
    back = (await client.run("requestData", {**asked, "before": page["cursors"]["previous"]}))[0]["payload"]
    assert back["rowIds"] == expected[: len(expected) - len(page["rowIds"])][-4:]


@pytest.mark.parametrize("release", [Release(2023, 1), Release(2025, 1)], ids=str)
async def test_a_jump_lands_on_the_same_row_in_old_releases(tmp_path: Path, release: Release) -> None:
    async with open_stage(tmp_path, SCRIPT, release=release) as stage:
        for number in range(1, 31):
            stage.sql("INSERT INTO Edit.Person (Name, Age) VALUES (?, ?)", f"P{number}", 50 + number)
        client = await stage.client()
        asked = {"namespace": "USER", "tableName": "Edit.Senior", "pageSize": 4, "page": 2, "count": "skip"}
        page = (await client.run("requestData", asked))[0]["payload"]
        assert page["rowIds"] == ["24", "25", "26", "27"]
        row = await client.one("getRow", {"namespace": "USER", "tableName": "Edit.Senior", "rowId": "24"})
        assert row["values"]["Age"] == 74


async def test_a_guarded_change_is_saved_through_the_view_and_told_in_both(
    stage: Stage, client: Client
) -> None:
    result, _ = await client.save("Edit.Senior", [update("20", {"Name": "New"}, {"Name": "P6"})])
    assert (result["outcome"], result["values"]["Name"]) == ("saved", "New")
    assert "proof" not in result
    assert stored(stage, 20) == ("New", 70)
    (sent,) = [sql for sql in stage.statements() if sql.startswith("UPDATE")]
    assert sent.startswith('UPDATE "Edit"."Senior"')
    assert [change.table_name for change in client.announced] == ["Edit.Senior", "Edit.Person"]


async def test_a_conflict_keeps_the_other_value(stage: Stage, client: Client) -> None:
    stage.sql("UPDATE Edit.Person SET Name = 'Theirs' WHERE %ID = 20")
    result, _ = await client.save("Edit.Senior", [update("20", {"Name": "Mine"}, {"Name": "P6"})])
    assert result["outcome"] == "conflict"
    assert result["conflict"] == {"Name": {"base": "P6", "mine": "Mine", "theirs": "Theirs"}}
    assert stored(stage, 20) == ("Theirs", 70)


async def test_a_row_that_leaves_the_view_by_the_change_is_saved_and_said_to_be_outside(
    stage: Stage, client: Client
) -> None:
    result, counts = await client.save("Edit.Senior", [update("20", {"Age": 10}, {"Age": 70})])
    assert (result["outcome"], result["proof"], result["values"]["Age"]) == ("saved", "outside", 10)
    assert counts["saved"] == 1
    assert stored(stage, 20) == ("P6", 10)
    told = [(item.table_name, item.changes[0].kind) for item in client.announced]
    assert told == [("Edit.Senior", "delete"), ("Edit.Person", "update")]


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("kind", ["update", "delete"])
async def test_a_row_that_left_the_view_meanwhile_is_gone_from_it_and_not_touched(
    stage: Stage, client: Client, kind: str, guarded: bool
) -> None:
    stage.sql("UPDATE Edit.Person SET Age = 10 WHERE %ID = 20")
    change = update("20", {"Name": "Mine"}, {"Name": "P6", "Age": 70} if guarded else None)
    if kind == "delete":
        change = {key: value for key, value in change.items() if key != "values"} | {"kind": "delete"}
    result, counts = await client.save("Edit.Senior", [change])
    assert (result["outcome"], result["error"]["code"]) == ("gone", "ROW_GONE")
    assert "no longer shows this row" in result["error"]["message"]
    assert result["proof"] == "outside"  # so that nobody offers to insert it again
    assert stored(stage, 20) == ("P6", 10)
    # In the table behind it the row is still there, and nobody is told otherwise.
    assert [item.table_name for item in client.announced] == ["Edit.Senior"]
    assert counts["conflicts"] == 1


async def test_the_check_option_is_the_views_own(stage: Stage, client: Client) -> None:
    result, _ = await client.save("Edit.Strict", [update("20", {"Age": 10}, {"Age": 70})])
    assert (result["outcome"], result["error"]["sqlcode"]) == ("failed", -136 - 1)
    assert stored(stage, 20) == ("P6", 70)


async def test_inserts_are_found_by_key_or_as_the_newest_row(stage: Stage, client: Client) -> None:
    changes = [
        {"changeId": "a", "kind": "insert", "values": {"Name": "A", "Age": 90, "SSN": "X1"}},
        {"changeId": "b", "kind": "insert", "values": {"Name": "B", "Age": 91}},
        {"changeId": "c", "kind": "insert", "values": {"Name": "C", "Age": 5}},
    ]
    *results, counts = await client.save("Edit.Senior", changes)
    assert [(item["outcome"], item["rowId"], item.get("proof")) for item in results] == [
        ("saved", "31", None),
        ("saved", "32", None),
        ("saved", "33", "outside"),
    ]
    assert counts["saved"] == 3
    assert stage.sql("SELECT City FROM Edit.Person WHERE %ID = 33") == [("Rome",)]
    assert [(item.table_name, len(item.changes)) for item in client.announced].count(("Edit.Senior", 1)) == 2


async def test_deletes_are_guarded_and_proved(stage: Stage, client: Client) -> None:
    wrong = {"changeId": "w", "kind": "delete", "rowId": "20", "base": {"Name": "Other"}}
    right = {"changeId": "r", "kind": "delete", "rowId": "21", "base": {"Name": "P0", "Age": 71}}
    *results, _ = await client.save("Edit.Senior", [wrong, right])
    assert [item["outcome"] for item in results] == ["conflict", "saved"]
    assert stage.sql("SELECT %ID FROM Edit.Person WHERE %ID IN (20, 21)") == [(20,)]


async def test_counts_follow_rows_that_come_and_go(stage: Stage, client: Client) -> None:
    asked = {"namespace": "USER", "tableName": "Edit.Senior"}
    behind = {"namespace": "USER", "tableName": "Edit.Person"}
    assert [(await client.one("countRows", item))["totalRows"] for item in (asked, behind)] == [15, 30]
    await client.save("Edit.Senior", [update("20", {"Age": 10}, {"Age": 70})])
    await client.save("Edit.Senior", [{"changeId": "i", "kind": "insert", "values": {"Age": 99}}])
    assert [(await client.one("countRows", item))["totalRows"] for item in (asked, behind)] == [15, 31]
