"""What is shown in part only is marked as such, to its writer and to all others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from iris_quart.protocol import PreviewMark
from tests.faults.stage import Client, Stage, open_stage

LONG = "x" * 4000


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as stage:
        stage.sql("INSERT INTO Edit.Cell (Name, Essay, Story) VALUES ('Ann', 'old', NULL)")
        yield stage


@pytest.fixture
async def client(stage: Stage) -> Client:
    client = await stage.client()
    client.context.browsing.choose_table("USER", "Edit.Cell")
    return client


@pytest.mark.parametrize("length", [1001, 4000, 20_000])
@pytest.mark.parametrize(("column", "base"), [("Essay", "old"), ("Story", None)])
async def test_long_value_of_somebody_else_is_a_marked_preview(
    stage: Stage, client: Client, column: str, base: Any, length: int
) -> None:
    length = min(length, 5000) if column == "Essay" else length
    stage.sql(f"UPDATE Edit.Cell SET {column} = ? WHERE %ID = 1", "x" * length)
    change = {
        "changeId": "c",
        "kind": "update",
        "rowId": "1",
        "values": {column: "mine"},
        "base": {column: base},
    }
    result, _ = await client.save("Edit.Cell", [change])
    difference = {"base": base, "mine": "mine", "theirs": "x" * 200}
    assert (result["outcome"], result["conflict"]) == ("conflict", {column: difference})
    assert result["previews"] == {column: {"length": length, "unit": "characters"}}
    assert result["error"]["details"] == {column: difference}
    (pushed,) = client.announced[-1].changes
    assert (pushed.values, pushed.previews) == (
        {column: "x" * 200},
        {column: PreviewMark(length, "characters")},
    )


async def test_single_cell_and_deletion_mark_previews_too(stage: Stage, client: Client) -> None:
    stage.sql("UPDATE Edit.Cell SET Essay = ? WHERE %ID = 1", LONG)
    row = {"primaryKeyColumn": "%ID", "primaryKeyValue": "1"}
    cell = await client.one("saveCell", {**row, "columnName": "Essay", "newValue": "mine", "oldValue": "old"})
    deleted = await client.one("deleteRow", {**row, "base": {"Essay": "old"}})
    for result in (cell, deleted):
        assert result["conflict"]["Essay"]["theirs"] == "x" * 200
        assert result["previews"] == {"Essay": {"length": 4000, "unit": "characters"}}


async def test_long_value_that_was_saved_is_pushed_as_a_preview(stage: Stage, client: Client) -> None:
    update = {"changeId": "u", "kind": "update", "rowId": "1", "values": {"Essay": LONG, "Name": "Bob"}}
    insert = {"changeId": "i", "kind": "insert", "values": {"Essay": LONG, "Name": "Cid"}}
    *results, _ = await client.save("Edit.Cell", [update, insert])
    for result, change in zip(results, client.announced, strict=True):
        assert result["outcome"] == "saved"
        # The writer has the whole text.
        assert "Essay" not in result["values"]
        assert "previews" not in result
        (pushed,) = change.changes
        assert pushed.values is not None
        assert pushed.values["Essay"] == "x" * 200
        assert pushed.previews == {"Essay": PreviewMark(4000, "characters")}


async def test_text_of_a_thousand_characters_travels_whole(stage: Stage, client: Client) -> None:
    stage.sql("UPDATE Edit.Cell SET Essay = ? WHERE %ID = 1", "x" * 1000)
    change = {
        "changeId": "c",
        "kind": "update",
        "rowId": "1",
        "values": {"Essay": "m"},
        "base": {"Essay": "o"},
    }
    result, _ = await client.save("Edit.Cell", [change])
    assert result["conflict"]["Essay"]["theirs"] == "x" * 1000
    assert "previews" not in result


@pytest.mark.parametrize("now", [200, 999, 2000])
@pytest.mark.parametrize("column", ["Essay", "Story"])
async def test_row_whose_text_was_seen_whole_is_not_deleted_when_it_grew(
    stage: Stage, client: Client, column: str, now: int
) -> None:
    stage.sql(f"UPDATE Edit.Cell SET {column} = ? WHERE %ID = 1", "x" * now)
    base = {"Name": "Ann", column: "x" * 200}
    change = {"changeId": "d", "kind": "delete", "rowId": "1", "base": base, "previews": {}}
    result, _ = await client.save("Edit.Cell", [change])
    assert result["outcome"] == ("saved" if now == 200 or column == "Story" else "conflict"), result


@pytest.mark.parametrize("now", ["x" * 2000, "x" * 2001, "y" * 2000, "x" * 200, None])
@pytest.mark.parametrize("column", ["Essay", "Story"])
async def test_row_of_which_a_preview_was_seen_is_deleted_only_if_it_is_as_long(
    stage: Stage, client: Client, column: str, now: str | None
) -> None:
    stage.sql(f"UPDATE Edit.Cell SET {column} = ? WHERE %ID = 1", now)
    mark = {column: {"length": 2000, "unit": "characters"}}
    change = {"changeId": "d", "kind": "delete", "rowId": "1", "base": {column: "x" * 200}, "previews": mark}
    result, _ = await client.save("Edit.Cell", [change])
    assert result["outcome"] == ("saved" if now == "x" * 2000 else "conflict"), result
