"""Attacks on guards and proofs: what somebody else wrote is never overwritten unseen, and what is said is what is."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from iris_quart.atelier.replies import Reply, read_reply
from iris_quart.tables import edits as edits_module
from tests.faults.stage import Client, Stage, open_stage


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often and not for long: the machine of a test has no minutes."""
    monkeypatch.setattr(edits_module, "SETTLE_SECONDS", (0.0, 0.02))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as stage:
        stage.sql("INSERT INTO Edit.Cell (Name, Age) VALUES (?, ?)", "Ann", 41)
        stage.sql("INSERT INTO Edit.Cell (Name, Age) VALUES (?, ?)", "Bob", 42)
        yield stage


@pytest.fixture
async def client(stage: Stage) -> Client:
    return await stage.client()


def before_writes(client: Client, act: Callable[[], object]) -> None:
    """Let somebody else act in the moment before each statement that changes something."""
    query = client.atelier.query

    async def raced(*arguments: Any, **options: Any) -> Any:
        if options.get("write"):
            act()
        return await query(*arguments, **options)

    client.atelier.query = raced  # type: ignore[method-assign]


def change(kind: str, row: Any = "1", **more: Any) -> dict[str, Any]:
    return {"changeId": f"{kind}-{row}".replace("+", "p"), "kind": kind, "rowId": row, **more}


async def test_deletion_that_names_nothing_seen_is_guarded_by_what_the_server_sees(
    stage: Stage, client: Client
) -> None:
    before_writes(client, lambda: stage.sql("UPDATE Edit.Cell SET Name = 'Theirs' WHERE %ID = 1"))
    result, _ = await client.save("Edit.Cell", [change("delete", base={})])
    assert (result["outcome"], result.get("guard")) == ("conflict", "late"), result
    assert stage.sql("SELECT Name FROM Edit.Cell WHERE %ID = 1") == [("Theirs",)]


@pytest.mark.parametrize("column", ["Essay", "Story"])
async def test_long_text_that_the_server_saw_in_part_is_named_as_not_compared(
    stage: Stage, client: Client, column: str
) -> None:
    stage.sql(f"UPDATE Edit.Cell SET {column} = ? WHERE %ID = 1", "x" * 4000)
    result, _ = await client.save("Edit.Cell", [change("update", values={column: "new"})])
    assert (result["outcome"], result["guard"], result["unguarded"]) == ("saved", "late", [column])
    stage.sql(f"UPDATE Edit.Cell SET {column} = ? WHERE %ID = 2", "x" * 4000)
    result, _ = await client.save("Edit.Cell", [change("delete", "2")])
    assert result["outcome"] == "saved"
    assert column in result["unguarded"]


@pytest.mark.parametrize("spelling", ["01", "+1", "1.0", " 1"])
async def test_row_id_in_another_spelling_is_never_called_gone_beside_others(
    stage: Stage, client: Client, spelling: str
) -> None:
    changes = [
        change("update", spelling, values={"Name": "New"}, base={"Name": "Ann"}),
        change("update", "2", values={"Name": "Other"}, base={"Name": "Bob"}),
    ]
    changes[0]["changeId"] = "odd"
    odd, other, _ = await client.save("Edit.Cell", changes)
    assert other["outcome"] == "saved"
    applied = stage.sql("SELECT Name FROM Edit.Cell WHERE %ID = 1") == [("New",)]
    assert odd["outcome"] == ("saved" if applied else "gone"), odd


async def test_row_that_was_seen_in_part_is_deleted_whatever_its_signs(stage: Stage, client: Client) -> None:
    stage.sql("UPDATE Edit.Cell SET Essay = ? WHERE %ID = 1", "👍é" * 1000)
    page = await client.one("requestData", {"namespace": "USER", "tableName": "Edit.Cell"})
    row = dict(zip(page["rowIds"], page["rows"], strict=True))["1"]
    assert len(row["Essay"]) == 200
    stage.sql("UPDATE Edit.Cell SET Essay = ? WHERE %ID = 1", "👍e" * 1000)
    result, _ = await client.save("Edit.Cell", [change("delete", base=row)])
    assert result["outcome"] == "conflict"
    stage.sql("UPDATE Edit.Cell SET Essay = ? WHERE %ID = 1", "👍é" * 1000)
    again = {**change("delete", base=row), "changeId": "again"}
    result, _ = await client.save("Edit.Cell", [again])
    assert (result["outcome"], result["unguarded"]) == ("saved", ["Essay"])


@pytest.mark.parametrize("kind", ["update", "delete"])
@pytest.mark.parametrize(("column", "value"), [("Age", 1.5), ("Age", "old"), ("Active", 2)])
async def test_row_whose_value_breaks_its_column_can_be_put_right(
    stage: Stage, client: Client, tmp_path: Path, column: str, value: Any, kind: str
) -> None:
    with closing(sqlite3.connect(tmp_path / "iris" / "USER.sqlite")) as file, file:
        file.execute(f'UPDATE "Edit.Cell" SET "{column}" = ? WHERE "%ID" = 1', (value,))
    page = await client.one("requestData", {"namespace": "USER", "tableName": "Edit.Cell"})
    seen = next(row for row in page["rows"] if row["Name"] == "Ann")[column]
    assert seen == value
    more = {"values": {column: 1}} if kind == "update" else {}
    result, _ = await client.save("Edit.Cell", [change(kind, base={column: seen}, **more)])
    assert result["outcome"] == "saved", result


async def test_two_spellings_of_one_row_are_two_changes_of_it(stage: Stage, client: Client) -> None:
    changes = [
        {"changeId": "a", "kind": "update", "rowId": "1", "values": {"Name": "A"}, "base": {"Name": "Ann"}},
        {"changeId": "b", "kind": "update", "rowId": "01", "values": {"Name": "B"}, "base": {"Name": "A"}},
        {"changeId": "c", "kind": "update", "rowId": "1", "values": {"Name": "C"}, "base": {"Name": "A"}},
    ]
    *results, _ = await client.save("Edit.Cell", changes, order="given")
    assert [(item["outcome"], item["rowId"]) for item in results] == [
        ("saved", "1"),
        ("saved", "1"),
        ("conflict", "1"),
    ]
    assert stage.sql("SELECT Name FROM Edit.Cell WHERE %ID = 1") == [("B",)]


@pytest.mark.parametrize(
    ("seen", "theirs"),
    [("x" * 200, "x" * 201), ("x" * 200, "x" * 1000), ("x" * 999, "x" * 2000), ("", "x" * 2000)],
    ids=lambda text: str(len(text)),
)
async def test_long_text_that_was_made_longer_meanwhile_is_a_conflict(
    stage: Stage, client: Client, seen: str, theirs: str
) -> None:
    stage.sql("UPDATE Edit.Cell SET Essay = ? WHERE %ID = 1", theirs)
    result, _ = await client.save(
        "Edit.Cell", [change("update", values={"Essay": "my"}, base={"Essay": seen})]
    )
    assert result["outcome"] == "conflict", result
    assert stage.sql("SELECT Essay FROM Edit.Cell WHERE %ID = 1") == [(theirs,)]


@pytest.mark.parametrize("answer", [b"{}", b'{"content":[{}]}', b'{"content":null}'], ids=repr)
@pytest.mark.parametrize("kind", ["update", "delete"])
async def test_good_answer_that_lacks_its_rows_proves_nothing(
    stage: Stage, client: Client, kind: str, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = {"values": {"Name": "New"}} if kind == "update" else {}
    write = change(kind, base={"Name": "Ann"}, **more)
    envelope = b'{"status":{"errors":[],"summary":""},"console":[],"result":' + answer + b"}"
    query = client.atelier.query
    sent: list[str] = []

    async def poor(namespace: str, sql: str, *arguments: Any, **options: Any) -> Any:
        if sent and not options.get("write"):
            return read_reply(200, {"content-type": "application/json"}, envelope, 0.0, statement=True)
        if options.get("write"):
            sent.append(sql)
            return Reply(b"", None, 0.0, [])  # it never came to the database
        return await query(namespace, sql, *arguments, **options)

    monkeypatch.setattr(client.atelier, "query", poor)
    result, _ = await client.save("Edit.Cell", [write])
    assert result["outcome"] == "unknown", result
    monkeypatch.setattr(client.atelier, "query", query)
