"""Edits of every kind of table and type that IRIS has, as the sample data show them, in every encoding."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo import Encoding, FaultRule
from iris_quart.dispatch import Withdrawal, WriteRecord
from tests.faults.stage import Client, Stage, open_stage

REFUSALS = {"INVALID_INPUT", "CONSTRAINT_VIOLATION", "NOT_ALLOWED"}
ENCODINGS = {
    "default": Encoding(),
    "odbc": Encoding(dates="odbc", nulls="null", big_integers="string", numerics="string"),
    "merged": Encoding(nulls="merged", digits="number", empty_parameter="empty", error_params=True),
}


@pytest.fixture(params=list(ENCODINGS))
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path, encoding=ENCODINGS[request.param]) as stage:
        yield stage


@pytest.fixture
async def client(stage: Stage) -> Client:
    return await stage.client()


async def save(client: Client, table: str, *changes: dict[str, Any]) -> list[dict[str, Any]]:
    payload = {
        "namespace": "SAMPLES",
        "tableName": table,
        "changes": [{"changeId": f"c{number}", **change} for number, change in enumerate(changes)],
        "order": "given",
    }
    client.context.results = _Forgetful()
    return [event["payload"] for event in await client.run("saveChanges", payload)][:-1]


class _Forgetful:
    """A store that has never seen an id: the tests here use the same ids again and again."""

    async def begin(self, owner: str, write_id: str, fingerprint: str, **_more: Any) -> None:
        return None

    async def mark_started(self, owner: str, write_id: str) -> bool:
        return True

    async def withdraw(
        self, withdrawals: Sequence[Withdrawal], *, released: bool = False
    ) -> Sequence[WriteRecord | None]:
        return [None] * len(withdrawals)

    async def release(self, owner: str, write_id: str) -> None:
        return None

    async def peek(self, owner: str, write_id: str) -> WriteRecord | None:
        return None

    async def finish(self, owner: str, write_id: str, state: str, answer: bytes) -> None:
        return None


async def row(client: Client, table: str, row_id: str) -> dict[str, Any]:
    detail = await client.one("getRow", {"namespace": "SAMPLES", "tableName": table, "rowId": row_id})
    values: dict[str, Any] = detail["values"] if "values" in detail else detail["row"]
    return values


async def table_of(client: Client, name: str) -> Any:
    return await client.context.tables.catalogue.table("SAMPLES", name, settled=True)


async def test_every_editable_value_of_the_type_matrix_goes_there_and_back(client: Client) -> None:
    table = await table_of(client, "SQLUser.TypeMatrix")
    page = await client.one(
        "requestData", {"namespace": "SAMPLES", "tableName": "SQLUser.TypeMatrix", "pageSize": 50}
    )
    columns = [
        column.name
        for column in table.columns
        if column.editable and not column.category.is_stream and not column.unique
    ]
    tried = 0
    for name in columns:
        column = table.column(name)
        # What was read is written back, guarded by itself; then it is still what was read.
        pairs = [
            (row_id, values[name])
            for values, row_id in zip(page["rows"], page["rowIds"], strict=True)
            if name not in page.get("previews", {}).get(row_id, {})
            and (values[name] is not None or column.nullable)
        ]
        results = await save(
            client,
            "SQLUser.TypeMatrix",
            *(
                {"kind": "update", "rowId": row_id, "values": {name: value}, "base": {name: value}}
                for row_id, value in pairs
            ),
        )
        for (_, value), result in zip(pairs, results, strict=True):
            if result["outcome"] != "saved":
                # Values that break their own column's rules are shown, and refused when written again.
                assert result["outcome"] == "failed", (name, value, result)
                assert result["error"]["code"] in REFUSALS, (name, value, result)
                continue
            tried += 1
            assert result["values"][name] == value, (name, value, result)
    assert tried > 50
    again = await client.one(
        "requestData", {"namespace": "SAMPLES", "tableName": "SQLUser.TypeMatrix", "pageSize": 50}
    )
    version = table.row_version
    for before, after in zip(page["rows"], again["rows"], strict=True):
        before.pop(version), after.pop(version)
    assert again["rows"] == page["rows"]


async def test_row_version_guards_the_whole_row(stage: Stage, client: Client) -> None:
    table = await table_of(client, "Sample.Employee")
    version = table.row_version
    assert version is not None
    before = await row(client, "Sample.Employee", "1")
    name = next(c.name for c in table.columns if c.editable and c.category == "text" and not c.unique)
    change = {
        "kind": "update",
        "rowId": "1",
        "values": {name: "New one"},
        "base": {name: before[name], version: before[version]},
    }
    (saved,) = await save(client, "Sample.Employee", change)
    assert saved["outcome"] == "saved"
    assert saved["values"][version] > (before[version] or 0)
    # Somebody changed another column: only the version tells.
    base = {name: "New one", version: before[version]}
    (conflict,) = await save(client, "Sample.Employee", {**change, "values": {name: "Newer"}, "base": base})
    assert conflict["outcome"] == "conflict"
    assert list(conflict["conflict"]) == [version]


async def test_computed_columns_come_back_with_the_change(client: Client) -> None:
    table = await table_of(client, "Sample.Person")
    (result,) = await save(
        client, "Sample.Person", {"kind": "update", "rowId": "1", "values": {"DOB": "2000-02-29"}}
    )
    assert result["outcome"] == "saved"
    computed = [c.name for c in table.columns if not (c.editable or c.is_identity or c.category.is_preview)]
    assert set(computed) <= set(result["values"])


async def test_part_of_a_serial_object_is_changed(client: Client) -> None:
    before = await row(client, "Sample.Person", "2")
    (result,) = await save(
        client,
        "Sample.Person",
        {
            "kind": "update",
            "rowId": "2",
            "values": {"Home_City": "Ulm"},
            "base": {"Home_City": before["Home_City"]},
        },
    )
    assert result["outcome"] == "saved"
    after = await row(client, "Sample.Person", "2")
    assert after["Home_City"] == "Ulm"
    assert after["Home_Street"] == before["Home_Street"]


async def test_list_and_identity_columns_are_refused(client: Client) -> None:
    for name in ("FavoriteColors", "ID", "Age"):
        (result,) = await save(
            client, "Sample.Person", {"kind": "update", "rowId": "1", "values": {name: "x"}}
        )
        assert (result["outcome"], result["error"]["code"]) == ("failed", "READ_ONLY")
        assert result["error"]["field"] == name


async def test_foreign_key_violations_are_explained(client: Client) -> None:
    table = await table_of(client, "Sample.Employee")
    foreign = next(column for column in table.columns if column.references is not None)
    (result,) = await save(
        client, "Sample.Employee", {"kind": "update", "rowId": "1", "values": {foreign.name: 999999}}
    )
    assert (result["outcome"], result["error"]["code"]) == ("failed", "CONSTRAINT_VIOLATION")
    assert result["error"]["sqlcode"] in {-121, -122}
    parent = foreign.references
    child = await row(client, "Sample.Employee", "1")
    (result,) = await save(
        client, f"{parent.schema}.{parent.table}", {"kind": "delete", "rowId": str(child[foreign.name])}
    )
    assert (result["outcome"], result["error"]["sqlcode"]) == ("failed", -124)


async def test_unique_violation_names_the_column(client: Client) -> None:
    other = await row(client, "Sample.Person", "2")
    (result,) = await save(
        client, "Sample.Person", {"kind": "update", "rowId": "1", "values": {"SSN": other["SSN"]}}
    )
    assert (result["error"]["code"], result["error"]["sqlcode"]) == ("CONSTRAINT_VIOLATION", -120)
    assert result["error"]["field"] == "SSN"


async def test_child_row_is_changed_inserted_and_deleted(client: Client) -> None:
    page = await client.one(
        "requestData", {"namespace": "SAMPLES", "tableName": "Cinema.Show", "pageSize": 3}
    )
    row_id = page["rowIds"][0]
    assert "||" in row_id
    name, value = "StartTime", page["rows"][0]["StartTime"]
    (result,) = await save(
        client,
        "Cinema.Show",
        {"kind": "update", "rowId": row_id, "values": {name: value}, "base": {name: value}},
    )
    assert result["outcome"] == "saved"
    values = {name: page["rows"][0][name] for name in ("Theater", "Film", "StartTime")}
    (result,) = await save(client, "Cinema.Show", {"kind": "insert", "values": values})
    assert result["outcome"] == "saved", result
    assert result["rowId"] not in {None, row_id}
    (result,) = await save(client, "Cinema.Show", {"kind": "delete", "rowId": result["rowId"]})
    assert result["outcome"] == "saved"


async def test_read_only_tables_and_views_are_refused(client: Client) -> None:
    catalogue = client.context.tables.catalogue
    views = [item.full_name for item in await catalogue.list_tables("SAMPLES") if str(item.kind) == "view"]
    # Those that show the row ID of one table can be changed; test_views.py does.
    refused = [name for name in views if (await catalogue.table("SAMPLES", name)).read_only_reason]
    assert set(views) - set(refused) == {"Sample.Senior"}
    assert refused
    for name in refused:
        (result,) = await save(client, name, {"kind": "update", "rowId": "1", "values": {"Name": "x"}})
        assert (result["outcome"], result["error"]["code"]) == ("failed", "READ_ONLY")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Name", ""),
        ("Name", None),
        ("Name", "42"),
        ("Name", "1.50"),
        ("Name", ".5"),
        ("Name", "a\tb\nc\\d'e\"f"),
        ("Big", 2**63 - 1),
        ("Big", -(2**63)),
        ("Price", Decimal("0.10")),
        ("Price", Decimal("99999999.99")),
        ("Ratio", Decimal("1.7976931348623157E+308")),
        ("Born", "1840-12-31"),
        ("Seen", "1969-12-31 23:59:59.5"),
        ("Story", ""),
    ],
)
async def test_hard_value_in_every_encoding(stage: Stage, client: Client, column: str, value: Any) -> None:
    stage.sql("INSERT INTO Edit.Cell (Name) VALUES ('x')")
    payload = {"namespace": "USER", "tableName": "Edit.Cell"}
    first = {"changeId": "a", "kind": "update", "rowId": "1", "values": {column: value}}
    second = {
        "changeId": "b",
        "kind": "update",
        "rowId": "1",
        "values": {column: None},
        "base": {column: value},
    }
    client.context.results = _Forgetful()
    *results, _ = [
        event["payload"]
        for event in await client.run(
            "saveChanges", {**payload, "changes": [first, second], "order": "given"}
        )
    ]
    assert [result["outcome"] for result in results] == ["saved", "saved"], results
    assert results[0]["values"][column] == value
    assert stage.sql(f"SELECT {column} FROM Edit.Cell WHERE {column} IS NULL") == [(None,)]


async def test_posixtime_without_any_value_is_written_in_every_encoding(stage: Stage, client: Client) -> None:
    stage.iris.namespace("USER").run_script(
        "CREATE TABLE Edit.Moment (At POSIXTIME, Seen TIMESTAMP, Name VARCHAR(9));"
        "INSERT INTO Edit.Moment (Name) VALUES ('a')"
    )
    moments = {"At": "2024-02-29 12:34:56.123456", "Seen": "1969-12-31 23:59:59.5"}
    insert = {"changeId": "i", "kind": "insert", "values": moments}
    update = {
        "changeId": "u",
        "kind": "update",
        "rowId": "1",
        "values": moments,
        "base": dict.fromkeys(moments),
    }
    inserted, _ = await client.save("Edit.Moment", [insert])
    assert inserted["outcome"] == "saved", inserted
    assert {name: inserted["values"][name] for name in moments} == moments
    stage.sql("DELETE FROM Edit.Moment WHERE Name IS NULL")
    client.context.tables.catalogue.forget("USER", "Edit.Moment")
    updated, _ = await client.save("Edit.Moment", [update])
    assert updated["outcome"] == "saved", updated
    later = {"At": "1960-01-01 00:00:00.5", "Seen": "2024-01-01 00:00:00"}
    again = {**update, "changeId": "v", "values": later, "base": moments}
    updated, _ = await client.save("Edit.Moment", [again])
    assert updated["outcome"] == "saved", updated
    shown = "%ODBCOUT(At), Seen, Name"
    assert stage.sql(f"SELECT {shown} FROM Edit.Moment") == [(later["At"], later["Seen"], "a")]


async def test_server_that_does_not_take_a_timestamp_for_a_posixtime_gets_a_posixtime(
    stage: Stage, client: Client
) -> None:
    stage.iris.namespace("USER").run_script("CREATE TABLE Edit.Moment (At POSIXTIME)")
    stage.iris.add_fault(
        FaultRule(
            "sqlcode", sql=r"CAST\(\? AS TIMESTAMP\)", sqlcode=-104, text="Field 'At' failed validation"
        )
    )
    insert = {"changeId": "i", "kind": "insert", "values": {"At": "2024-02-29 12:34:56.5"}}
    result, _ = await client.save("Edit.Moment", [insert])
    assert (result["outcome"], result["values"]["At"]) == ("saved", "2024-02-29 12:34:56.5"), result


async def test_the_parent_of_a_child_row_is_part_of_its_id(stage: Stage, client: Client) -> None:
    stage.iris.namespace("USER").run_script(
        "CREATE TABLE Edit.Invoice (Number VARCHAR(10)) WITH %CLASS;"
        "CREATE TABLE Edit.Line (Item VARCHAR(10)) WITH %CLASS, %CHILDOF Edit.Invoice AS Invoice;"
        "INSERT INTO Edit.Invoice (Number) VALUES ('N1');"
        "INSERT INTO Edit.Invoice (Number) VALUES ('N2');"
        "INSERT INTO Edit.Line (Invoice, Item) VALUES (1, 'a');"
    )
    change = {
        "changeId": "p",
        "kind": "update",
        "rowId": "1||1",
        "values": {"Invoice": 2},
        "base": {"Invoice": 1},
    }
    result, _ = await client.save("Edit.Line", [change])
    assert (result["outcome"], result["error"]["code"]) == ("failed", "NOT_ALLOWED")
    assert "part of it" in result["error"]["message"]
    assert stage.sql("SELECT %ID, Invoice FROM Edit.Line") == [("1||1", 1)]
