"""Edits in the ancestor's form and ours: guarded, proved, told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from iris_quart.errors import InvalidInput, ReadOnly
from tests.faults.stage import Client, Stage, open_stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as stage:
        stage.sql("INSERT INTO Edit.Cell (Name, Age) VALUES (?, ?)", "Ann", 41)
        stage.sql("INSERT INTO Edit.Cell (Name, Age) VALUES (?, ?)", "Bob", 42)
        yield stage


@pytest.fixture
async def client(stage: Stage) -> Client:
    client = await stage.client()
    client.context.browsing.choose_table("USER", "Edit.Cell")
    return client


def cell(column: str, new: Any, row: Any = 1, **more: Any) -> dict[str, Any]:
    return {
        "columnName": column,
        "primaryKeyColumn": "%ID",
        "primaryKeyValue": row,
        "newValue": new,
        **more,
    }


async def test_cell_is_saved_and_proved(stage: Stage, client: Client) -> None:
    result = await client.one("saveCell", cell("Name", "Anna", oldValue="Ann", rowIndex=3, colIndex=1))
    assert result == {
        "success": True,
        "rowIndex": 3,
        "colIndex": 1,
        "columnName": "Name",
        "oldValue": "Ann",
        "newValue": "Anna",
        "primaryKeyValue": 1,
        "rowId": "1",
        "outcome": "saved",
        "values": {"Name": "Anna"},
    }
    assert stage.sql("SELECT Name, Age FROM Edit.Cell WHERE %ID = 1") == [("Anna", 41)]
    assert [
        (change.namespace, change.table_name, change.changes[0].values) for change in client.announced
    ] == [("USER", "Edit.Cell", {"Name": "Anna"})]
    assert [(entry.outcome, entry.kind, entry.row_id, list(entry.columns)) for entry in client.audited] == [
        ("started", "update", "1", ["Name"]),
        ("saved", "update", "1", ["Name"]),
    ]


async def test_guarded_save_takes_two_round_trips(stage: Stage, client: Client) -> None:
    await client.one("saveCell", cell("Name", "A", oldValue="Ann"))
    before = client.atelier.round_trips
    await client.one("saveCell", cell("Name", "B", oldValue="A"))
    assert client.atelier.round_trips - before == 2


async def test_conflict_keeps_the_other_value(stage: Stage, client: Client) -> None:
    stage.sql("UPDATE Edit.Cell SET Name = 'ANN' WHERE %ID = 1")
    result = await client.one("saveCell", cell("Name", "Anna", oldValue="Ann"))
    assert result["success"] is False
    assert result["outcome"] == "conflict"
    assert result["newValue"] == "Anna"
    assert result["error"]["code"] == "CONFLICT"
    assert result["conflict"] == {"Name": {"base": "Ann", "mine": "Anna", "theirs": "ANN"}}
    assert stage.sql("SELECT Name FROM Edit.Cell WHERE %ID = 1") == [("ANN",)]
    assert client.announced[0].changes[0].values == {"Name": "ANN"}


async def test_another_column_of_the_row_is_no_conflict(stage: Stage, client: Client) -> None:
    stage.sql("UPDATE Edit.Cell SET Age = 1 WHERE %ID = 1")
    assert (await client.one("saveCell", cell("Name", "Anna", oldValue="Ann")))["success"] is True
    assert stage.sql("SELECT Name, Age FROM Edit.Cell WHERE %ID = 1") == [("Anna", 1)]


async def test_row_that_is_gone(stage: Stage, client: Client) -> None:
    stage.sql("DELETE FROM Edit.Cell WHERE %ID = 1")
    result = await client.one("saveCell", cell("Name", "Anna", oldValue="Ann"))
    assert (result["success"], result["outcome"], result["error"]["code"]) == (False, "gone", "ROW_GONE")
    assert client.announced[0].changes[0].kind == "delete"


async def test_without_old_value_the_guard_is_late(stage: Stage, client: Client) -> None:
    result = await client.one("updateRow", cell("Name", "Anna"))
    assert (result["success"], result["guard"]) == (True, "late")
    assert "oldValue" not in result


async def test_null_as_old_value_means_that_null_was_seen(stage: Stage, client: Client) -> None:
    result = await client.one("saveCell", cell("Name", "Anna", oldValue=None))
    assert result["conflict"] == {"Name": {"base": None, "mine": "Anna", "theirs": "Ann"}}
    assert (await client.one("saveCell", cell("Born", "2001-02-03", oldValue=None)))["success"] is True


VALUES = [
    ("Name", "Zoë \U0001f600 \"'; DROP"),
    ("Name", ""),
    ("Name", None),
    ("Name", "007"),
    ("Name", " 1 "),
    ("Age", 0),
    ("Age", -5),
    ("Born", "1840-12-31"),
    ("Born", "9999-12-31"),
    ("Born", None),
    ("Wakes", "23:59:59"),
    ("Seen", "2024-02-29 12:34:56.789"),
    ("Price", Decimal("12345678.91")),
    ("Price", Decimal("-0.01")),
    ("Ratio", Decimal("0.1")),
    ("Ratio", Decimal("1E+300")),
    ("Active", 1),
    ("Active", 0),
    ("Story", "long\n" * 300),
    ("Story", ""),
    ("Story", None),
    ("Essay", "e" * 5000),
]


@pytest.mark.parametrize(
    ("column", "value"), VALUES, ids=[f"{column}-{index}" for index, (column, _) in enumerate(VALUES)]
)
async def test_value_of_every_type_is_written_and_guards_the_next(
    stage: Stage, client: Client, column: str, value: Any
) -> None:
    first = await client.one("saveCell", cell(column, value))
    assert first["success"] is True, first
    if not (isinstance(value, str) and len(value) > 1000):
        # A double may be told with 20 digits; it is the same double.
        told = float(first["newValue"]) if column == "Ratio" else first["newValue"]
        assert told == (float(value) if column == "Ratio" else value)
        assert isinstance(first["newValue"], type(value))
    other = {"Age": 7, "Born": "2000-01-01", "Wakes": "01:02:03", "Seen": "2000-01-01 00:00:00", "Price": 1}
    again = await client.one("saveCell", cell(column, other.get(column, 1), oldValue=value))
    assert again["success"] is True, again
    back = await client.one("saveCell", cell(column, value, oldValue=other.get(column, 1)))
    assert back["success"] is True, back


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("Name", "x" * 51, "INVALID_INPUT"),
        ("Age", "forty", "INVALID_INPUT"),
        ("Age", 2**70, "INVALID_INPUT"),
        ("Age", Decimal("1.5"), "INVALID_INPUT"),
        ("Born", "2023-02-29", "INVALID_INPUT"),
        ("Wakes", "25:00:00", "INVALID_INPUT"),
        ("Price", Decimal("123456789.00"), "INVALID_INPUT"),
        ("Active", 2, "INVALID_INPUT"),
        ("Code", None, "CONSTRAINT_VIOLATION"),
        ("Nope", 1, "INVALID_INPUT"),
        ("Name", ["x"], "INVALID_INPUT"),
        ("Name", {"x": 1}, "INVALID_INPUT"),
    ],
)
async def test_bad_value_is_refused_before_iris_is_asked(
    stage: Stage, client: Client, column: str, value: Any, code: str
) -> None:
    result = await client.one("saveCell", cell(column, value))
    assert (result["success"], result["error"]["code"]) == (False, code)
    assert result["error"]["field"] == column
    assert not [sql for sql in stage.statements() if sql.startswith("UPDATE")]


async def test_sql_error_is_explained(stage: Stage, client: Client) -> None:
    stage.sql("INSERT INTO Edit.Keyed (K, V) VALUES ('a', '1')")
    stage.sql("INSERT INTO Edit.Keyed (K, V) VALUES ('b', '2')")
    client.context.browsing.choose_table("USER", "Edit.Keyed")
    result = await client.one(
        "saveCell",
        {
            "columnName": "K",
            "primaryKeyColumn": "K",
            "primaryKeyValue": "b",
            "newValue": "a",
            "oldValue": "b",
        },
    )
    assert result["success"] is False
    assert result["error"]["code"] == "CONSTRAINT_VIOLATION"
    assert result["error"]["sqlcode"] == -120
    assert "SQLCODE: -120" in result["error"]["serverText"]


async def test_row_is_named_by_a_unique_column(stage: Stage, client: Client) -> None:
    stage.sql("INSERT INTO Edit.Keyed (K, V) VALUES ('a', '1')")
    client.context.browsing.choose_table("USER", "Edit.Keyed")
    payload = {
        "columnName": "V",
        "primaryKeyColumn": "K",
        "primaryKeyValue": "a",
        "newValue": "9",
        "oldValue": "1",
    }
    assert (await client.one("saveCell", payload))["success"] is True
    assert stage.sql("SELECT V FROM Edit.Keyed") == [("9",)]
    gone = await client.one("saveCell", {**payload, "primaryKeyValue": "zz"})
    assert gone["error"]["code"] == "ROW_GONE"
    refused = await client.one("saveCell", {**payload, "primaryKeyColumn": "V", "primaryKeyValue": "9"})
    assert refused["error"]["code"] == "INVALID_INPUT"
    assert refused["error"]["field"] == "primaryKeyColumn"
    assert stage.sql("SELECT V FROM Edit.Keyed") == [("9",)]


@pytest.mark.parametrize(("column", "value"), [("K", None), ("%ID", None), ("%ID", ""), ("%id", None)])
async def test_key_without_a_value_names_no_row(
    stage: Stage, client: Client, column: str, value: str | None
) -> None:
    stage.sql("INSERT INTO Edit.Keyed (K, V) VALUES ('a', '1')")
    client.context.browsing.choose_table("USER", "Edit.Keyed")
    payload = {"columnName": "V", "primaryKeyColumn": column, "primaryKeyValue": value, "newValue": "9"}
    refused = await client.one("saveCell", payload)
    assert (refused["error"]["code"], refused["error"]["field"]) == ("INVALID_INPUT", "primaryKeyValue")
    assert stage.sql("SELECT V FROM Edit.Keyed") == [("1",)]


async def test_row_is_inserted_and_found(stage: Stage, client: Client) -> None:
    result = await client.one(
        "insertRow", {"columns": ["Name", "Age"], "values": ["Zed", 5], "newRowIndex": 2}
    )
    assert (result["success"], result["newRowIndex"], result["rowId"]) == (True, 2, "3")
    assert result["values"]["Code"] == "x"
    assert stage.sql("SELECT Name, Age, Code FROM Edit.Cell WHERE %ID = 3") == [("Zed", 5, "x")]
    assert client.announced[0].changes[0].kind == "insert"
    assert client.announced[0].changes[0].row_id == "3"


@pytest.mark.parametrize("table", ["Edit.Keyed", "Edit.Pair", "Edit.Plain"])
async def test_row_is_found_with_and_without_a_key(stage: Stage, client: Client, table: str) -> None:
    client.context.browsing.choose_table("USER", table)
    columns, values = {
        "Edit.Keyed": (["K", "V"], ["k1", "v"]),
        "Edit.Pair": (["A", "B", "V"], [1, "b", "v"]),
        "Edit.Plain": (["V"], ["v"]),
    }[table]
    before = client.atelier.round_trips
    result = await client.one("insertRow", {"columns": columns, "values": values})
    assert result["success"] is True
    assert result["rowId"] == str(stage.sql(f"SELECT %ID FROM {table}")[0][0])
    if table == "Edit.Plain":
        same = await client.one("insertRow", {"columns": columns, "values": values})
        assert same["rowId"] not in {None, result["rowId"]}
    assert client.atelier.round_trips > before


async def test_insert_with_defaults_only(stage: Stage, client: Client) -> None:
    result = await client.one("insertRow", {"columns": [], "values": []})
    assert (result["success"], result["rowId"]) == (True, "3")
    assert stage.sql("SELECT Name, Code FROM Edit.Cell WHERE %ID = 3") == [(None, "x")]


async def test_missing_required_column_is_named(stage: Stage, client: Client) -> None:
    client.context.browsing.choose_table("USER", "Edit.Keyed")
    result = await client.one("insertRow", {"columns": ["V"], "values": ["v"]})
    assert result["error"]["code"] == "CONSTRAINT_VIOLATION"
    assert result["error"]["field"] == "K"
    assert stage.sql("SELECT COUNT(*) FROM Edit.Keyed") == [(0,)]


async def test_duplicate_key_is_refused_by_iris(stage: Stage, client: Client) -> None:
    client.context.browsing.choose_table("USER", "Edit.Keyed")
    payload = {"columns": ["K", "V"], "values": ["k", "1"]}
    assert (await client.one("insertRow", payload))["success"] is True
    result = await client.one("insertRow", {**payload, "values": ["k", "2"]})
    assert (result["success"], result["error"]["sqlcode"]) == (False, -119)
    assert stage.sql("SELECT V FROM Edit.Keyed") == [("1",)]


async def test_row_is_deleted(stage: Stage, client: Client) -> None:
    result = await client.one("deleteRow", {"primaryKeyColumn": "%ID", "primaryKeyValue": 2, "rowIndex": 1})
    assert result == {"success": True, "rowIndex": 1, "rowId": "2", "outcome": "saved", "guard": "late"}
    assert stage.sql("SELECT Name FROM Edit.Cell") == [("Ann",)]
    assert client.announced[0].changes[0].kind == "delete"


async def test_row_that_changed_is_not_deleted(stage: Stage, client: Client) -> None:
    payload = {
        "primaryKeyColumn": "%ID",
        "primaryKeyValue": 2,
        "base": {"Name": "Bob", "Age": 41, "Born": None, "Story": None},
    }
    result = await client.one("deleteRow", payload)
    assert (result["success"], result["outcome"]) == (False, "conflict")
    assert result["conflict"] == {"Age": {"base": 41, "mine": 41, "theirs": 42}}
    assert stage.sql("SELECT COUNT(*) FROM Edit.Cell") == [(2,)]


async def test_staged_edits_are_answered_one_by_one(stage: Stage, client: Client) -> None:
    changes: list[dict[str, Any]] = [
        {"changeId": "d", "kind": "delete", "rowId": "2", "base": {"Name": "Bob"}},
        {
            "changeId": "u",
            "kind": "update",
            "rowId": 1,
            "values": {"Name": "A", "Age": 1},
            "base": {"Name": "Ann", "Age": 41},
        },
        {"changeId": "c", "kind": "update", "rowId": 1, "values": {"Name": "B"}, "base": {"Name": "Ann"}},
        {"changeId": "f", "kind": "update", "rowId": 1, "values": {"Age": "x"}},
        {"changeId": "g", "kind": "update", "rowId": 99, "values": {"Age": 1}, "base": {"Age": 2}},
        {"changeId": "i", "kind": "insert", "values": {"Name": "New"}},
    ]
    *results, counts = await client.save("Edit.Cell", changes)
    assert {result["changeId"]: result["outcome"] for result in results} == {
        "i": "saved",
        "u": "saved",
        "c": "conflict",
        "f": "failed",
        "g": "gone",
        "d": "saved",
    }
    assert results[0]["changeId"] == "i"
    assert counts == {"saved": 3, "conflicts": 2, "failed": 1, "unknown": 0, "skipped": 0}
    assert stage.sql("SELECT Name, Age FROM Edit.Cell ORDER BY %ID") == [("A", 1), ("New", None)]


async def test_given_order_is_kept(stage: Stage, client: Client) -> None:
    changes: list[dict[str, Any]] = [
        {"changeId": "1", "kind": "delete", "rowId": "2"},
        {"changeId": "2", "kind": "insert", "values": {"Name": "New"}},
        {"changeId": "3", "kind": "update", "rowId": "1", "values": {"Name": "A"}},
    ]
    await client.save("Edit.Cell", changes, order="given")
    verbs = [sql.split()[0] for sql in stage.statements() if not sql.startswith("SELECT")]
    assert verbs == ["DELETE", "INSERT", "UPDATE"]


async def test_same_id_again_runs_nothing(stage: Stage, client: Client) -> None:
    changes: list[dict[str, Any]] = [
        {"changeId": "once-and-not-again", "kind": "insert", "values": {"Name": "One"}}
    ]
    first = await client.save("Edit.Cell", changes)
    other = await stage.client()
    again = await other.save("Edit.Cell", changes)
    assert again == first
    assert stage.sql("SELECT COUNT(*) FROM Edit.Cell") == [(3,)]
    changes[0]["values"] = {"Name": "Two"}
    refused, _ = await client.save("Edit.Cell", changes)
    assert (refused["outcome"], refused["error"]["code"]) == ("failed", "INVALID_INPUT")
    assert stage.sql("SELECT COUNT(*) FROM Edit.Cell") == [(3,)]


async def test_command_id_protects_a_single_cell(stage: Stage, client: Client) -> None:
    payload = cell("Name", "Anna", oldValue="Ann")
    first = await client.one("saveCell", payload, "m1")
    stage.sql("UPDATE Edit.Cell SET Name = 'Later' WHERE %ID = 1")
    assert await client.one("saveCell", payload, "m1") == first
    assert stage.sql("SELECT Name FROM Edit.Cell WHERE %ID = 1") == [("Later",)]


async def test_ids_of_another_user_are_their_own(stage: Stage, client: Client) -> None:
    changes = [{"changeId": "same", "kind": "insert", "values": {"Name": "One"}}]
    await client.save("Edit.Cell", changes)
    alice = await stage.client("alice")
    await alice.save("Edit.Cell", changes)
    assert stage.sql("SELECT COUNT(*) FROM Edit.Cell") == [(4,)]


async def test_session_that_ended_starts_nothing_new(stage: Stage, client: Client) -> None:
    changes: list[dict[str, Any]] = [
        {"changeId": f"c{number}", "kind": "update", "rowId": "1", "values": {"Age": number}}
        for number in range(5)
    ]
    seen = []
    async for event in client.stream(
        "saveChanges", {"namespace": "USER", "tableName": "Edit.Cell", "changes": changes}
    ):
        seen.append(event["payload"])
        client.ended = True
    outcomes = [result["outcome"] for result in seen[:-1]]
    assert outcomes[0] == "saved"
    assert outcomes[-1] == "skipped"
    assert len(outcomes) == 5
    assert seen[-1]["skipped"] == outcomes.count("skipped") >= 3


async def test_saving_that_is_stopped_proves_what_was_sent_and_skips_the_rest(
    stage: Stage, client: Client
) -> None:
    changes: list[dict[str, Any]] = [
        {"changeId": f"c{number}", "kind": "insert", "values": {"Name": f"N{number}"}} for number in range(12)
    ]
    before = stage.sql("SELECT COUNT(*) FROM Edit.Cell")[0][0]
    seen = []
    async for event in client.stream(
        "saveChanges", {"namespace": "USER", "tableName": "Edit.Cell", "changes": changes}
    ):
        seen.append(event["payload"])
        client.stopping = len(seen) >= 3
    *results, counts = seen
    assert [result["outcome"] for result in results] == ["saved"] * 3 + ["skipped"] * 9
    assert results[3]["error"]["code"] == "CANCELLED"
    assert "stopped" in results[3]["error"]["message"]
    assert (counts["saved"], counts["skipped"]) == (3, 9)
    assert stage.sql("SELECT COUNT(*) FROM Edit.Cell") == [(before + 3,)]


async def test_preview_shows_the_very_statements(stage: Stage, client: Client) -> None:
    changes: list[dict[str, Any]] = [
        {"changeId": "u", "kind": "update", "rowId": "1", "values": {"Name": "A"}, "base": {"Name": "Ann"}},
        {"changeId": "i", "kind": "insert", "values": {"Name": "New", "Born": "2000-01-01"}},
        {"changeId": "d", "kind": "delete", "rowId": "2", "base": {"Name": "Bob", "Age": None}},
        {"changeId": "x", "kind": "update", "rowId": "2", "values": {"Nope": 1}},
    ]
    preview = await client.one(
        "previewChanges", {"namespace": "USER", "tableName": "Edit.Cell", "changes": changes}
    )
    assert not [sql for sql in stage.statements() if not sql.startswith("SELECT")]
    shown = {item["changeId"]: item for item in preview["statements"]}
    assert shown["x"]["sql"] is None
    assert shown["x"]["error"]["code"] == "INVALID_INPUT"
    await client.save("Edit.Cell", changes[:3])
    sent = {sql.split()[0]: sql for sql in stage.statements() if not sql.startswith("SELECT")}
    assert sent == {"UPDATE": shown["u"]["sql"], "INSERT": shown["i"]["sql"], "DELETE": shown["d"]["sql"]}
    assert shown["u"]["values"] == ["A", 1, "Ann"]


async def test_read_only_session_writes_nothing(stage: Stage) -> None:
    client = await stage.client(session={"read_only": True})
    for command, payload in (
        ("saveCell", cell("Name", "x", namespace="USER", tableName="Edit.Cell")),
        ("insertRow", {"namespace": "USER", "tableName": "Edit.Cell", "columns": [], "values": []}),
        (
            "deleteRow",
            {"namespace": "USER", "tableName": "Edit.Cell", "primaryKeyColumn": "%ID", "primaryKeyValue": 1},
        ),
        (
            "saveChanges",
            {"namespace": "USER", "tableName": "Edit.Cell", "changes": [{"changeId": "1", "kind": "insert"}]},
        ),
    ):
        with pytest.raises(ReadOnly):
            await client.run(command, payload)
    assert stage.sql("SELECT COUNT(*) FROM Edit.Cell") == [(2,)]


async def test_no_table_is_an_error(stage: Stage) -> None:
    client = await stage.client()
    with pytest.raises(InvalidInput):
        await client.run("saveCell", cell("Name", "x"))


CELL = cell("Name", "x")
CHANGE = {"changeId": "1", "kind": "update", "rowId": "1", "values": {"Name": "x"}}


@pytest.mark.parametrize(
    ("command", "payload", "field"),
    [
        ("saveCell", {**CELL, "columnName": ""}, "columnName"),
        ("saveCell", {**CELL, "columnName": None}, "columnName"),
        ("saveCell", {**CELL, "columnName": 1}, "columnName"),
        ("saveCell", {**CELL, "columnName": "x" * 200}, "columnName"),
        ("saveCell", {**CELL, "primaryKeyColumn": ""}, "primaryKeyColumn"),
        ("saveCell", {key: value for key, value in CELL.items() if key != "newValue"}, "newValue"),
        (
            "saveCell",
            {key: value for key, value in CELL.items() if key != "primaryKeyValue"},
            "primaryKeyValue",
        ),
        ("saveCell", {**CELL, "rowIndex": "first"}, "rowIndex"),
        ("saveCell", {**CELL, "extra": 1}, "extra"),
        ("insertRow", {"columns": "Name", "values": ["x"]}, "columns"),
        ("insertRow", {"columns": ["Name"], "values": []}, "payload"),
        ("insertRow", {"columns": ["Name", "name"], "values": ["a", "b"]}, "columns"),
        ("insertRow", {"values": []}, "columns"),
        ("saveChanges", {"changes": []}, "changes"),
        ("saveChanges", {"changes": None}, "changes"),
        ("saveChanges", {"changes": [CHANGE, CHANGE]}, "payload"),
        ("saveChanges", {"changes": [{**CHANGE, "changeId": "a b"}]}, "changes.0"),
        ("saveChanges", {"changes": [{**CHANGE, "kind": "upsert"}]}, "changes.0.kind"),
        ("saveChanges", {"changes": [{**CHANGE, "values": []}]}, "changes.0.values"),
        (
            "saveChanges",
            {"changes": [{**CHANGE, "changeId": str(number)} for number in range(1001)]},
            "changes",
        ),
        ("saveChanges", {"changes": [CHANGE], "order": "random"}, "order"),
    ],
)
async def test_bad_payload_names_the_field(
    stage: Stage, client: Client, command: str, payload: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await client.run(command, payload)
    assert caught.value.field == field
    assert stage.statements() == []


@pytest.mark.parametrize("row", [None, "", True, [], {}, 1.5, "x" * 2000, "\0"])
async def test_bad_row_id_changes_nothing(stage: Stage, client: Client, row: Any) -> None:
    result = await client.one("saveCell", cell("Name", "x", row))
    assert result["success"] is False
    assert result["error"]["code"] in {"INVALID_INPUT", "ROW_GONE"}
    assert sorted(stage.sql("SELECT Name FROM Edit.Cell")) == [("Ann",), ("Bob",)]
