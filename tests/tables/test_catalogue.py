"""The catalogue: few statements, remembered, asked again when IRIS says that it is old."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from iris_quart.config import Settings
from iris_quart.demo.http.settings import default_encoding
from iris_quart.errors import ColumnNotFound, InvalidInput, NamespaceNotFound, SqlError, TableNotFound
from iris_quart.sql.metadata import IdentityKind, TableKind
from iris_quart.sql.values import Category
from iris_quart.tables import Catalogue, Tables
from iris_quart.tables.row_queries import RowQueryRequest
from iris_quart.tables.rows import Jump
from tests.tables.engine import EngineClient, Reply, engine

MOMENT = Category.POSIXTIME if default_encoding().dates == "logical" else Category.TIMESTAMP
"""Where moments come as ODBC text nobody can tell a POSIXTIME, nor needs to: it is compared as such text too."""


async def test_columns_of_every_kind(tables: Tables) -> None:
    table = await tables.catalogue.table("SAMPLES", "SQLUser.TypeMatrix", settled=True)
    categories = {column.name.removesuffix("Value"): column.category for column in table.columns}
    assert categories == {
        "Label": Category.TEXT,
        "Varchar": Category.TEXT,
        "Exact": Category.TEXT,
        "Char": Category.TEXT,
        "Integer": Category.INTEGER,
        "Bigint": Category.INTEGER,
        "Smallint": Category.INTEGER,
        "Tinyint": Category.INTEGER,
        "Bit": Category.BOOLEAN,
        "Numeric": Category.NUMERIC,
        "Money": Category.NUMERIC,
        "Double": Category.DOUBLE,
        "Date": Category.DATE,
        "Time": Category.TIME,
        "PreciseTime": Category.TIME,
        "Timestamp": Category.TIMESTAMP,
        "Posixtime": MOMENT,
        "Varbinary": Category.BINARY,
        "LongVarchar": Category.LONG_TEXT,
        "LongVarbinary": Category.LONG_BINARY,
        "Guid": Category.GUID,
        "List": Category.LIST,
        "ReadOnly": Category.TEXT,
        "Computed": Category.TEXT,
        "Version": Category.INTEGER,
    }
    assert table.row_version == "VersionValue"
    assert table.column("numericvalue").precision == 18
    assert table.column("NUMERICVALUE").scale == 4
    assert table.column("ComputedValue").read_only_reason == "IRIS computes this column."
    assert table.column("VarbinaryValue").replaceable
    assert not table.column("ListValue").replaceable
    assert table.unique_keys == (("Label",),)


async def test_keys_references_and_identity(tables: Tables) -> None:
    employee = await tables.catalogue.table("samples", "sample.EMPLOYEE")
    assert employee.full_name == "Sample.Employee"
    assert employee.identity.kind is IdentityKind.ROW_ID
    assert {key.table for key in employee.foreign_keys} >= {"Company"}
    reference = employee.column("Company").references
    assert reference is not None
    assert (reference.schema, reference.table, reference.column) == ("Sample", "Company", "ID")
    view = await tables.catalogue.table("SAMPLES", "Sample.CompanyStaff")
    assert view.kind is TableKind.VIEW
    assert view.identity.kind is IdentityKind.NONE
    assert view.read_only_reason


async def test_two_statements_side_by_side_then_none(tables: Tables, client: EngineClient) -> None:
    gate = asyncio.Event()
    client.before = lambda _sql: gate
    asked = [asyncio.create_task(tables.catalogue.table("SAMPLES", "Sample.Person")) for _ in range(3)]
    async with asyncio.timeout(5):
        while len(client.log) < 2:
            await asyncio.sleep(0)
    gate.set()
    first, *others = await asyncio.gather(*asked)
    assert all(other is first for other in others)
    assert await tables.catalogue.table("SAMPLES", "SAMPLE.person") is first
    assert tables.catalogue.peek("SAMPLES", "Sample.Person") is first
    assert len(client.log) == 2
    assert await tables.catalogue.table("SAMPLES", "Sample.Person", refresh=True) == first
    assert len(client.log) == 4


async def test_posixtime_is_told_from_timestamp_once(tables: Tables, client: EngineClient) -> None:
    plain = await tables.catalogue.table("SAMPLES", "SQLUser.TypeMatrix")
    assert not plain.timestamps_settled
    assert plain.column("PosixtimeValue").category is Category.TIMESTAMP
    settled = await tables.catalogue.table("SAMPLES", "SQLUser.TypeMatrix", settled=True)
    assert settled.column("PosixtimeValue").category is MOMENT
    sent = len(client.log)
    assert await tables.catalogue.table("SAMPLES", "SQLUser.TypeMatrix", settled=True) is settled
    assert len(client.log) == sent


async def test_other_tables_stay_when_one_is_forgotten(tables: Tables) -> None:
    person = await tables.catalogue.table("SAMPLES", "Sample.Person")
    company = await tables.catalogue.table("SAMPLES", "Sample.Company")
    tables.catalogue.forget("samples", "sample.person")
    assert tables.catalogue.peek("SAMPLES", "Sample.Person") is None
    assert tables.catalogue.peek("SAMPLES", "Sample.Company") is company
    tables.catalogue.forget("SAMPLES")
    assert tables.catalogue.peek("SAMPLES", "Sample.Company") is None
    assert await tables.catalogue.table("SAMPLES", "Sample.Person") == person


@pytest.mark.parametrize("name", ["Sample.Nobody", "Nobody.Person", "Person", "Sample.Per%"])
async def test_unknown_table(tables: Tables, name: str) -> None:
    with pytest.raises(TableNotFound) as caught:
        await tables.catalogue.table("SAMPLES", name)
    assert caught.value.field == "tableName"


@pytest.mark.parametrize("name", ["", "Sample.", "a.b\nc"])
async def test_what_is_no_name_is_not_asked_for(tables: Tables, client: EngineClient, name: str) -> None:
    with pytest.raises(InvalidInput):
        await tables.catalogue.table("SAMPLES", name)
    assert client.log == []


async def test_hidden_namespaces(client: EngineClient) -> None:
    catalogue = Catalogue(client, allowed=("Samples",))
    assert await catalogue.namespaces() == ("SAMPLES",)
    for name in ("USER", "", " "):
        with pytest.raises(NamespaceNotFound):
            await catalogue.list_tables(name)
    assert client.log == []


async def test_changed_table_is_described_anew(tmp_path: Path) -> None:
    with engine(tmp_path, "CREATE TABLE C.Thing (A INTEGER, B INTEGER);") as namespace:
        client = EngineClient(namespace)
        tables = Tables(client, Settings(), server_key="changed")
        view = await tables.rows.view(RowQueryRequest("USER", "C.Thing"))
        namespace.run_script("DROP TABLE C.Thing; CREATE TABLE C.Thing (A INTEGER, C INTEGER);")
        with pytest.raises(ColumnNotFound):
            await tables.rows.page(view, Jump(0))
        fresh = await tables.rows.view(RowQueryRequest("USER", "C.Thing"))
        assert [column.name for column in fresh.columns] == ["A", "C"]
        assert (await tables.rows.page(fresh, Jump(0))).rows == []
        namespace.run_script("DROP TABLE C.Thing;")
        with pytest.raises(TableNotFound):
            await tables.rows.page(fresh, Jump(0))
        with pytest.raises(TableNotFound):
            await tables.rows.view(RowQueryRequest("USER", "C.Thing"))
        await tables.close()


async def test_ten_thousand_tables(tmp_path: Path) -> None:
    rows = [
        {"TABLE_SCHEMA": "S", "TABLE_NAME": f"T{number:05}", "TABLE_TYPE": "BASE TABLE", "DESCRIPTION": ""}
        for number in range(10_000)
    ]

    async def many(*_arguments: Any, **_options: Any) -> Reply:
        return Reply(rows)

    with engine(tmp_path) as namespace:
        client = EngineClient(namespace)
        client.query = many  # type: ignore[method-assign]
        entries = await Catalogue(client).list_tables("USER")
    assert len(entries) == 10_000
    assert entries[-1].full_name == "S.T09999"
    assert entries[0].description is None


@pytest.mark.parametrize("name", ["Sample.Employee", "SQLUser.TypeMatrix", "Sample.Senior"])
async def test_release_with_fewer_columns_in_its_views(client: EngineClient, name: str) -> None:
    catalogue = Catalogue(client)
    expected = await catalogue.table("SAMPLES", name)
    query = client.query

    async def older(namespace: str, sql: str, *rest: Any, **options: Any) -> Reply:
        if "GENERATION_EXPRESSION" in sql or "REFERENCED_COLUMN_NAME" in sql:
            raise ColumnNotFound("Field 'X' not found in the applicable tables", sqlcode=-29)
        return await query(namespace, sql, *rest, **options)

    client.query = older  # type: ignore[method-assign]
    assert await catalogue.table("SAMPLES", name, refresh=True) == expected


async def test_release_without_subqueries_among_the_items(client: EngineClient) -> None:
    query = client.query

    async def older(namespace: str, sql: str, *rest: Any, **options: Any) -> Reply:
        if sql.startswith("SELECT (SELECT"):
            raise SqlError("A term expected", sqlcode=-12)
        return await query(namespace, sql, *rest, **options)

    client.query = older  # type: ignore[method-assign]
    table = await Catalogue(client).table("SAMPLES", "SQLUser.TypeMatrix", settled=True)
    assert table.column("PosixtimeValue").category is MOMENT
    assert table.column("TimestampValue").category is Category.TIMESTAMP
