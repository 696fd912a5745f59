"""From namespaces to tables to an open table, as clients of old and new see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from iris_quart.config import ServerSettings, Settings
from iris_quart.errors import InvalidInput, NamespaceNotFound, TableNotFound
from iris_quart.tables import Tables
from tests.commands.conftest import SETTINGS, Desk, OpenDesk
from tests.tables.engine import EngineClient, Facts, engine


async def test_namespaces(desk: Desk) -> None:
    assert await desk.run("getNamespaces") == [
        {"event": "namespaceList", "payload": {"namespaces": ["%SYS", "USER", "SAMPLES"]}}
    ]


async def test_namespaces_are_asked_for_once_and_again_on_demand(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    server_info = desk.client.server_info

    async def counted() -> Facts:
        asked.append("server")
        return await server_info()

    monkeypatch.setattr(desk.client, "server_info", counted)
    for payload in ({}, {"refresh": False}, {"refresh": True}):
        await desk.run("getNamespaces", payload)
    assert len(asked) == 2


async def test_only_the_namespaces_of_the_settings_are_shown(desk: Desk) -> None:
    settings = Settings(servers={"demo": ServerSettings(url="http://127.0.0.1:1", namespaces=("samples",))})
    desk.context.tables = Tables(desk.client, settings, server_key="test", allowed=("samples",))
    assert await desk.answer("getNamespaces") == {"namespaces": ["SAMPLES"]}
    with pytest.raises(NamespaceNotFound) as caught:
        await desk.run("getTables", {"namespace": "USER"})
    assert caught.value.field == "namespace"


@pytest.mark.parametrize("command", ["getTables", "selectNamespace"])
async def test_tables_of_a_namespace(desk: Desk, command: str) -> None:
    answer = await desk.answer(command, {"namespace": "SAMPLES"})
    assert answer["namespace"] == "SAMPLES"
    assert "Sample.Person" in answer["tables"]
    assert "Sample.Senior" not in answer["tables"], "clients of old list base tables"
    details = {item["name"]: item for item in answer["details"]}
    assert details["Sample.Senior"]["kind"] == "view"
    assert details["Sample.Person"]["kind"] == "table"
    assert details["Sample.Person"]["description"]
    assert details["INFORMATION_SCHEMA.TABLES"]["kind"] == "system"
    assert answer["total"] == len(answer["details"])
    assert desk.context.browsing.namespace == "SAMPLES"


async def test_tables_are_asked_for_once_and_again_on_demand(desk: Desk) -> None:
    for refresh in (False, False, True):
        await desk.run("getTables", {"namespace": "SAMPLES", "refresh": refresh})
    assert len(desk.client.statements) == 2


async def test_list_of_tables_in_parts_and_by_text(desk: Desk) -> None:
    first = await desk.answer("getTables", {"namespace": "SAMPLES", "pageSize": 3})
    second = await desk.answer("getTables", {"namespace": "SAMPLES", "pageSize": 3, "page": 1})
    names = [item["name"] for part in (first, second) for item in part["details"]]
    assert len(names) == len(set(names)) == 6
    found = await desk.answer("getTables", {"namespace": "SAMPLES", "search": "café"})
    assert [item["name"] for item in found["details"]] == ["Odd Names.Café $ Prices #1"]


async def test_select_table_gives_four_events_in_order(desk: Desk) -> None:
    events = await desk.run("selectTable", {"namespace": "SAMPLES", "tableName": "Sample.Person"})
    assert [event["event"] for event in events] == [
        "tableSelected",
        "tableSchema",
        "tableLoading",
        "tableData",
    ]
    selected, schema, loading, data = (event["payload"] for event in events)
    assert selected == {"tableName": "Sample.Person", "namespace": "SAMPLES"}
    assert loading == {"loading": False, "context": ""}
    assert schema["serverName"] == "demo"
    assert schema["identity"] == {"kind": "rowId", "columns": ["ID"]}
    assert ["SSN"] in schema["uniqueKeys"]
    assert schema["readOnly"] is False
    columns = {column["name"]: column for column in schema["columns"]}
    assert columns["ID"]["readOnly"] is True
    assert columns["ID"]["isPrimaryKey"] is True
    assert "readOnly" not in columns["Name"]
    assert columns["Name"]["maxLength"] == 50
    assert columns["Age"]["editable"] is False
    assert columns["Age"]["readOnlyReason"]
    assert columns["SSN"]["unique"] is True
    assert (data["totalRows"], data["page"], data["pageSize"]) == (200, 0, 100)
    assert len(data["rows"]) == len(data["rowIds"]) == 100
    assert set(data["rows"][0]) == set(columns)
    assert data["countState"] == "exact"
    assert desk.context.browsing.table_name == "Sample.Person"


async def test_opening_takes_two_steps_at_first_and_one_later(desk: Desk) -> None:
    choose = {"namespace": "SAMPLES", "tableName": "Sample.Person"}
    await desk.run("selectTable", choose)
    assert len(desk.client.statements) == 4, "catalogue in two, then page and count"
    await desk.run("selectTable", choose)
    assert len(desk.client.statements) == 5, "the page alone"
    await desk.run("selectTable", {**choose, "refresh": True})
    assert len(desk.client.statements) == 9


async def test_references_and_descriptions(desk: Desk) -> None:
    events = await desk.run("openTable", {"namespace": "SAMPLES", "tableName": "Sample.Employee"})
    columns = {column["name"]: column for column in events[1]["payload"]["columns"]}
    assert columns["Company"]["references"] == {"table": "Sample.Company", "column": "ID"}
    assert events[1]["payload"]["description"]


async def test_names_of_every_kind(desk: Desk) -> None:
    events = await desk.run(
        "selectTable", {"namespace": "samples", "tableName": "odd names.CAFÉ $ prices #1"}
    )
    assert events[0]["payload"]["tableName"] == "Odd Names.Café $ Prices #1"
    assert events[3]["payload"]["rows"][0]["Prix €"] == 2.4
    assert events[3]["payload"]["rows"][0]["日本語"] == "珈琲"


async def test_a_view_says_why_it_cannot_be_changed(desk: Desk) -> None:
    events = await desk.run("selectTable", {"namespace": "SAMPLES", "tableName": "Sample.CompanyStaff"})
    schema, data = events[1]["payload"], events[3]["payload"]
    assert schema["identity"] == {"kind": "none", "columns": []}
    assert schema["readOnly"] is True
    assert "view" in schema["readOnlyReason"]
    assert set(data["rowIds"]) == {None}


async def test_read_only_by_settings_is_in_the_schema(desk_for: OpenDesk) -> None:
    desk = desk_for(server="demo-readonly")
    events = await desk.run("selectTable", {"namespace": "SAMPLES", "tableName": "Sample.Person"})
    assert events[1]["payload"]["readOnlyReason"] == "This namespace is set to read-only."


async def test_another_namespace_leaves_the_table(desk: Desk) -> None:
    await desk.run("selectTable", {"namespace": "SAMPLES", "tableName": "Sample.Person"})
    await desk.run("getTables", {"namespace": "samples"})
    assert desk.context.browsing.table_name == "Sample.Person"
    await desk.run("getTables", {"namespace": "USER"})
    assert desk.context.browsing.table_name is None
    with pytest.raises(InvalidInput) as caught:
        await desk.run("requestData", {})
    assert caught.value.field == "tableName"


@pytest.mark.parametrize(
    ("payload", "error", "field"),
    [
        ({"namespace": "SAMPLES", "tableName": "Sample.Nobody"}, TableNotFound, "tableName"),
        ({"namespace": "SAMPLES", "tableName": "Sample."}, InvalidInput, "tableName"),
        ({"namespace": "SAMPLES"}, InvalidInput, "tableName"),
        ({"tableName": "Sample.Person"}, InvalidInput, "namespace"),
        ({"namespace": "", "tableName": "Sample.Person"}, InvalidInput, "namespace"),
        ({"namespace": 7, "tableName": "Sample.Person"}, InvalidInput, "namespace"),
        ({"namespace": "SAMPLES", "tableName": ["Sample.Person"]}, InvalidInput, "tableName"),
        ({"namespace": "SAMPLES", "tableName": "Sample.Person", "mode": "x"}, InvalidInput, "mode"),
    ],
)
async def test_what_cannot_be_opened(
    desk: Desk, payload: dict[str, object], error: type[InvalidInput], field: str
) -> None:
    with pytest.raises(error) as caught:
        await desk.run("selectTable", payload)
    assert caught.value.field == field
    assert desk.context.browsing.table_name is None


async def test_table_made_anew_is_opened_as_it_is_now(tmp_path: Path) -> None:
    with engine(tmp_path, "CREATE TABLE C.Thing (A INTEGER, B INTEGER);") as namespace:
        desk = Desk(EngineClient(namespace), SETTINGS, "demo")
        choose = {"namespace": "USER", "tableName": "C.Thing"}
        await desk.run("selectTable", choose)
        namespace.run_script("DROP TABLE C.Thing; CREATE TABLE C.Thing (A INTEGER, C VARCHAR(10));")
        events = await desk.run("selectTable", choose)
        assert [column["name"] for column in events[1]["payload"]["columns"]] == ["A", "C"]
        namespace.run_script("DROP TABLE C.Thing;")
        with pytest.raises(TableNotFound):
            await desk.run("selectTable", choose)
        await desk.tables.close()
