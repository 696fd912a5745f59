"""Every encoding that a server may have gives the same rows, and every value can be found by itself."""

from __future__ import annotations

import pytest

from iris_quart.demo.engine.namespace import Namespace
from iris_quart.demo.http.encodings import Encoding
from iris_quart.sql.filters import Operator
from iris_quart.sql.values import guard, parse
from iris_quart.tables import Tables
from iris_quart.tables.row_queries import FilterRequest, RowQueryRequest
from iris_quart.tables.rows import Jump, Page
from tests.tables.engine import EngineClient
from tests.tables.test_paging import SETTINGS

DIGITS = Encoding(doubles="digits")
VARIANTS = [
    Encoding(nulls="null"),
    Encoding(nulls="merged"),
    Encoding(dates="odbc"),
    Encoding(big_integers="string"),
    Encoding(numerics="string"),
    Encoding(digits="number"),
    Encoding(nulls="merged", dates="odbc", big_integers="string", numerics="string", digits="number"),
    Encoding(nulls="null", dates="odbc", digits="number", empty_parameter="empty"),
]
TABLES = [
    "SQLUser.TypeMatrix",
    "Sample.Imported",
    "Odd Names.Café $ Prices #1",
    "Sample.Person",
    "Sample.Senior",
]


async def first_page(namespace: Namespace, encoding: Encoding, table: str) -> Page:
    tables = Tables(EngineClient(namespace, encoding), SETTINGS, server_key="encodings")
    view = await tables.rows.view(RowQueryRequest("SAMPLES", table, page_size=200))
    page = await tables.rows.page(view, Jump(0))
    await tables.close()
    return page


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("encoding", VARIANTS, ids=str)
async def test_rows_are_the_same_in_every_encoding(
    samples: Namespace, encoding: Encoding, table: str
) -> None:
    expected, seen = await first_page(samples, Encoding(), table), await first_page(samples, encoding, table)
    assert seen.row_ids == expected.row_ids
    assert seen.previews == expected.previews
    for ours, theirs in zip(seen.rows, expected.rows, strict=True):
        assert ours == theirs
        assert {name: str(value) for name, value in ours.items()} == {
            name: str(value) for name, value in theirs.items()
        }


@pytest.mark.parametrize("encoding", [Encoding(), DIGITS, *VARIANTS], ids=str)
async def test_every_cell_is_found_by_the_guard_of_its_value(samples: Namespace, encoding: Encoding) -> None:
    client = EngineClient(samples, encoding)
    tables = Tables(client, SETTINGS, server_key="guards")
    for name in TABLES[:3]:
        table = await tables.catalogue.table("SAMPLES", name, settled=True)
        page = await tables.rows.page(await tables.rows.view(RowQueryRequest("SAMPLES", name)), Jump(0))
        for row, row_id in zip(page.rows, page.row_ids, strict=True):
            for column in table.columns:
                fragment = guard(column.sql, column.category, row[column.name])
                if fragment is None or column.name in page.previews.get(str(row_id), {}):
                    continue
                sql = f"SELECT %ID AS k FROM {table.sql} WHERE %ID = ? AND {fragment.sql}"
                reply = await client.query("SAMPLES", sql, (int(str(row_id)), *fragment.parameters))
                assert reply.rows, f"{name}.{column.name} of row {row_id}: {row[column.name]!r}"
    await tables.close()


@pytest.mark.parametrize("encoding", [Encoding(), DIGITS, VARIANTS[-2]], ids=str)
async def test_every_cell_is_found_by_a_filter_for_its_value(samples: Namespace, encoding: Encoding) -> None:
    tables = Tables(EngineClient(samples, encoding), SETTINGS, server_key="filters")
    name = "SQLUser.TypeMatrix"
    table = await tables.catalogue.table("SAMPLES", name, settled=True)
    page = await tables.rows.page(await tables.rows.view(RowQueryRequest("SAMPLES", name)), Jump(0))
    for column in table.columns:
        if column.category.is_stream or column.category.is_preview:
            continue
        values = {
            str(row[column.name]): (row[column.name], row_id)
            for row, row_id in zip(page.rows, page.row_ids, strict=True)
        }
        for value, row_id in values.values():
            if column.name in page.previews.get(str(row_id), {}):
                continue
            assert parse(column.category, value) == value
            asked = FilterRequest(column.name, value, Operator.EQUALS, match_case=True)
            found = await tables.rows.view(RowQueryRequest("SAMPLES", name, filters=(asked,), page_size=500))
            assert row_id in (await tables.rows.page(found, Jump(0))).row_ids, f"{column.name}: {value!r}"
    await tables.close()
