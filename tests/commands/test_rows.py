"""Pages, counts and single rows by command: shapes, places, late counts, and everything that is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from iris_quart.errors import InvalidInput, IrisQuartError, RowGone
from tests.commands.conftest import SETTINGS, Desk
from tests.tables.engine import EngineClient, engine

PERSON = {"namespace": "SAMPLES", "tableName": "Sample.Person"}
MATRIX = {"namespace": "SAMPLES", "tableName": "SQLUser.TypeMatrix"}


@pytest.fixture
async def person(desk: Desk) -> Desk:
    """A socket that has Sample.Person open."""
    await desk.run("selectTable", PERSON)
    desk.client.log.clear()
    return desk


async def test_client_of_old_pages_sorts_and_filters(person: Desk) -> None:
    data = await person.answer(
        "requestData",
        {
            "page": 1,
            "pageSize": 5,
            "filters": [{"column": "Name", "value": "h*"}],
            "sortColumn": "Name",
            "sortDirection": "desc",
        },
    )
    names = [row["Name"] for row in data["rows"]]
    assert names == sorted(names, reverse=True)
    assert all(name.startswith("H") for name in names)
    assert data["page"] == 1
    assert data["pageSize"] == 5


async def test_a_warm_page_is_one_round_trip(person: Desk) -> None:
    await person.answer("requestData", {"page": 1, "pageSize": 50})
    assert len(person.client.log) == 1


async def test_an_answer_tells_how_many_requests_it_took(desk: Desk) -> None:
    events = await desk.run("selectTable", PERSON)
    opened = next(event["payload"] for event in events if event["event"] == "tableData")
    assert opened["roundTrips"] == len(desk.client.log), "all that opening the table took, the probe as well"
    assert (await desk.answer("requestData", {**PERSON, "page": 1}))["roundTrips"] == 1
    filtered = {**PERSON, "pageSize": 5, "filters": [{"column": "Home_State", "value": "?A"}]}
    assert (await desk.answer("requestData", filtered))["roundTrips"] == 2, "the page and its count"
    assert (await desk.answer("paginate", {"direction": "next"}))["roundTrips"] == 1
    assert (await desk.answer("refreshData", {}))["roundTrips"] == 2


async def test_answers_under_way_at_once_count_their_own_requests(person: Desk) -> None:
    gate = asyncio.Event()
    person.client.before = lambda _sql: gate
    pages = [
        asyncio.create_task(person.answer("requestData", {**PERSON, "offset": offset, "count": "skip"}))
        for offset in (0, 50, 100)
    ]
    while len(person.client.log) < 3:
        await asyncio.sleep(0)
    gate.set()
    assert [(await page)["roundTrips"] for page in pages] == [1, 1, 1]


async def test_page_and_new_count_are_asked_for_side_by_side(person: Desk) -> None:
    gate = asyncio.Event()
    person.client.before = lambda _sql: gate
    reading = asyncio.create_task(
        person.answer("requestData", {"pageSize": 5, "filters": [{"column": "Home_State", "value": "?A"}]})
    )
    while len(person.client.log) < 2:
        await asyncio.sleep(0)
    assert not reading.done()
    gate.set()
    assert (await reading)["countState"] == "exact"
    assert len(person.client.log) == 2


@pytest.mark.parametrize("size", [0, None])
async def test_no_page_size_is_a_hundred(person: Desk, size: int | None) -> None:
    assert (await person.answer("requestData", {"pageSize": size}))["pageSize"] == 100


async def test_paginate_counts_pages_from_zero(person: Desk) -> None:
    seen: list[str] = []
    current = -1
    for _ in range(4):
        payload = {"direction": "next", "currentPage": max(current, 0), "pageSize": 50}
        data = await person.answer(
            "requestData" if current < 0 else "paginate", {} if current < 0 else payload
        )
        if current < 0:
            data = await person.answer("requestData", {"pageSize": 50})
        current = data["page"]
        seen += data["rowIds"]
    assert seen == [str(number) for number in range(1, 201)]
    before = await person.answer("paginatePrev", {"direction": "prev", "currentPage": 3, "pageSize": 50})
    assert before["page"] == 2
    assert before["rowIds"][0] == "101"
    first = await person.answer("paginateNext", {"direction": "whatever", "currentPage": 0, "pageSize": 50})
    assert first["page"] == 0
    assert all(" OFFSET " not in sql for sql in person.client.statements), (
        "pages beside a page are read by key"
    )


async def test_cursors_lead_forwards_and_back(person: Desk) -> None:
    view = {**PERSON, "pageSize": 60, "sort": [{"column": "Home_City", "direction": "desc"}], "count": "skip"}
    first = await person.answer("requestData", view)
    assert first["cursors"]["previous"] is None
    assert first["offset"] == 0
    second = await person.answer("requestData", {**view, "after": first["cursors"]["next"]})
    assert second["page"] == 1
    assert second["offset"] == 60
    back = await person.answer("requestData", {**view, "before": second["cursors"]["previous"]})
    assert back["rowIds"] == first["rowIds"]
    last = await person.answer("requestData", {**view, "before": "end"})
    assert last["cursors"]["next"] is None
    start = await person.answer("requestData", {**view, "after": "start"})
    assert start["rowIds"] == first["rowIds"]


async def test_chosen_columns_alone_are_read(person: Desk) -> None:
    data = await person.answer(
        "requestData", {"columns": ["Name", "ssn"], "sortColumn": "DOB", "pageSize": 2}
    )
    assert [set(row) for row in data["rows"]] == [{"Name", "SSN"}] * 2
    assert '"Home_City"' not in person.client.statements[-1]
    assert data["cursors"]["next"]


async def test_quick_search_looks_into_text_columns(person: Desk) -> None:
    data = await person.answer("requestData", {"search": "larkspur"})
    assert data["rows"]
    assert all("larkspur" in str(list(row.values())).lower() for row in data["rows"])
    assert data["totalRows"] == len(data["rows"])


async def test_previews_are_marked_by_row(desk: Desk) -> None:
    data = await desk.answer("requestData", MATRIX)
    row_id = data["rowIds"][0]
    assert data["previews"][row_id]["LongVarbinaryValue"] == {"length": 9, "unit": "bytes"}
    assert data["rows"][0]["LongVarbinaryValue"].startswith("0x")
    longest = max(
        (mark["length"], row, column)
        for row, marks in data["previews"].items()
        for column, mark in marks.items()
        if mark["unit"] == "characters"
    )
    place = data["rowIds"].index(longest[1])
    assert len(data["rows"][place][longest[2]]) <= desk.context.settings.preview_characters


async def test_one_row(desk: Desk) -> None:
    detail = await desk.answer("getRow", {**MATRIX, "rowId": "1"})
    assert detail["rowId"] == "1"
    assert detail["values"]["Label"] == "usual"
    assert detail["previews"]["VarbinaryValue"]["unit"] == "bytes"
    with pytest.raises(RowGone):
        await desk.run("getRow", {**MATRIX, "rowId": "987654"})


async def test_count_follows_filters_and_is_remembered(desk: Desk) -> None:
    asked = {**PERSON, "filters": [{"column": "Office_City", "operator": "isNull"}]}
    first = await desk.answer("countRows", asked)
    assert 0 < first["totalRows"] < 200
    assert first["countState"] == "exact"
    sent = len(desk.client.statements)
    assert await desk.answer("countRows", asked) == first
    assert len(desk.client.statements) == sent
    await desk.answer("countRows", {**asked, "refresh": True})
    assert len(desk.client.statements) == sent + 1


PLAIN_ITEMS = {"namespace": "USER", "tableName": "C.Items"}
ITEMS = {**PLAIN_ITEMS, "pageSize": 10}


@pytest.fixture
async def items(tmp_path: Path) -> AsyncIterator[Desk]:
    """Yield a desk over a table of 100 rows that tests may write to."""
    with engine(tmp_path, "CREATE TABLE C.Items (N INTEGER);") as namespace:
        namespace.bulk_load("C.Items", ("N",), [(number,) for number in range(100)])
        desk = Desk(EngineClient(namespace), SETTINGS, "demo")
        yield desk
        await desk.tables.close()


def counted(events: list[Any]) -> list[tuple[int, str]]:
    """Return what each event says about the number of rows."""
    return [(event["payload"]["totalRows"], event["payload"]["countState"]) for event in events]


@pytest.mark.parametrize("known", [False, True], ids=["count unknown", "count remembered"])
@pytest.mark.parametrize("place", [{"page": 999}, {"offset": 100}, {"offset": 99_900}])
async def test_an_empty_page_is_no_evidence_of_rows(items: Desk, place: dict[str, Any], known: bool) -> None:
    if known:
        await items.answer("countRows", PLAIN_ITEMS)
    assert counted(await items.run("requestData", {**ITEMS, **place})) == [(100, "exact")]


async def test_an_empty_page_without_a_count_claims_nothing(items: Desk) -> None:
    events = await items.run("requestData", {**ITEMS, "page": 999, "count": "skip"})
    assert counted(events) == [(0, "skipped")]
    events = await items.run("requestData", {**ITEMS, "page": 999, "count": "deferred"}, "a1")
    assert counted(events) == [(0, "pending"), (100, "exact")]


@pytest.mark.parametrize("count", ["exact", "deferred"])
@pytest.mark.parametrize(
    ("change", "place", "total"),
    [
        ("DELETE FROM C.Items WHERE N >= 20", {"offset": 50}, 20),
        ("DELETE FROM C.Items WHERE N >= 20", {"page": 9}, 20),
        ("DELETE FROM C.Items WHERE N >= 52", {"offset": 50}, 52),
        ("INSERT INTO C.Items (N) SELECT N FROM C.Items", {"offset": 150}, 200),
    ],
)
async def test_a_page_that_contradicts_the_remembered_count_forgets_it(
    items: Desk, change: str, place: dict[str, Any], total: int, count: str
) -> None:
    assert (await items.answer("countRows", PLAIN_ITEMS))["totalRows"] == 100
    items.client.namespace.execute(change)
    events = await items.run("requestData", {**ITEMS, **place, "count": count}, "a1")
    assert counted(events)[-1] == (total, "exact")
    assert all(state == "pending" for _, state in counted(events)[:-1])
    assert (await items.answer("requestData", ITEMS))["totalRows"] == total, "the old count is forgotten"


async def test_a_last_page_by_an_old_cursor_tells_no_exact_number(items: Desk) -> None:
    """The cursor's number counted rows that were deleted since."""
    before = await items.answer("requestData", {**ITEMS, "offset": 80, "count": "skip"})
    items.client.namespace.execute("DELETE FROM C.Items WHERE N < 50")
    after = {**ITEMS, "after": before["cursors"]["next"]}
    assert counted(await items.run("requestData", {**after, "count": "skip"}))[0][1] == "skipped"
    assert counted(await items.run("requestData", after))[-1] == (50, "exact")


async def test_rows_that_come_between_a_page_and_its_count_leave_no_false_number(items: Desk) -> None:
    gate = hold_counts(items)
    reading = asyncio.create_task(items.run("requestData", {**ITEMS, "offset": 85}, "a1"))
    while not any("COUNT(*)" in sql for sql in items.client.statements) or len(items.client.log) < 2:
        await asyncio.sleep(0)
    items.client.namespace.execute("DELETE FROM C.Items WHERE N >= 20")
    gate.set()
    assert counted(await reading)[0][1] != "exact"
    assert (await items.answer("requestData", ITEMS))["totalRows"] == 20


def hold_counts(desk: Desk) -> asyncio.Event:
    gate = asyncio.Event()
    desk.client.before = lambda sql: gate if "COUNT(*)" in sql else None
    return gate


async def test_deferred_count_follows_the_page(desk: Desk) -> None:
    gate = hold_counts(desk)
    events = desk.events("requestData", {**PERSON, "count": "deferred", "pageSize": 10}, "a1")
    data = (await anext(events))["payload"]
    assert data["countState"] == "pending"
    assert data["totalRows"] == 11, "the least there are: one more than the page shows"
    gate.set()
    assert [event async for event in events] == [
        {"event": "rowCount", "payload": {**PERSON, "totalRows": 200, "countState": "exact"}}
    ]


@pytest.mark.parametrize(
    ("command", "payload", "background"),
    [
        ("requestData", {"count": "deferred"}, True),
        ("selectTable", {"count": "deferred"}, True),
        ("countRows", {}, True),
        ("requestData", {"count": "exact"}, False),
    ],
)
async def test_a_count_leaves_the_last_iris_session_free_unless_the_page_waits_for_it(
    desk: Desk, command: str, payload: dict[str, Any], background: bool
) -> None:
    if command != "countRows":
        payload = {**payload, "pageSize": 10}
    events = await desk.run(command, {**PERSON, **payload}, "a1")
    counted = next(event for event in reversed(events) if event["event"] in {"rowCount", "tableData"})
    assert (counted["payload"]["totalRows"], counted["payload"]["countState"]) == (200, "exact")
    assert [sql for sql in desk.client.statements if "COUNT(*)" in sql]
    assert bool(desk.client.background) is background


async def test_a_second_page_does_not_wait_for_the_same_count(desk: Desk) -> None:
    gate = hold_counts(desk)
    asked = {**PERSON, "count": "deferred", "pageSize": 10}
    events = desk.events("requestData", asked, "a1")
    first = (await anext(events))["payload"]
    while not any("COUNT(*)" in sql for sql in desk.client.statements):
        await asyncio.sleep(0)
    later = await desk.run("requestData", {**asked, "after": first["cursors"]["next"]}, "a2")
    assert [event["payload"]["countState"] for event in later] == ["skipped"]
    gate.set()
    assert (await anext(events))["payload"]["totalRows"] == 200


async def test_exact_count_that_takes_long_comes_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iris_quart.commands.rows.COUNT_SECONDS", 0.01)
    gate = hold_counts(desk)
    events = desk.events("requestData", {**PERSON, "pageSize": 10}, "a1")
    assert (await anext(events))["payload"]["countState"] == "pending"
    gate.set()
    assert (await anext(events))["event"] == "rowCount"


async def test_client_of_old_is_not_told_late_and_not_kept_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iris_quart.commands.rows.COUNT_SECONDS", 0.01)
    gate = hold_counts(desk)
    (event,) = await desk.run("requestData", {**PERSON, "pageSize": 10})
    assert event["payload"]["countState"] == "pending"
    gate.set()
    while (await desk.answer("requestData", {**PERSON, "pageSize": 10}))["countState"] != "exact":
        await asyncio.sleep(0)
    assert sum("COUNT(*)" in sql for sql in desk.client.statements) == 1, "the count went on meanwhile"


async def test_skip_does_without_a_count(desk: Desk) -> None:
    data = await desk.answer("requestData", {**PERSON, "count": "skip", "pageSize": 10})
    assert data["countState"] == "skipped"
    assert not any("COUNT(*)" in sql for sql in desk.client.statements)


async def test_taking_a_page_back_stops_its_count(desk: Desk) -> None:
    hold_counts(desk)
    stopped = asyncio.Event()
    query = desk.client.query

    async def watched(namespace: str, sql: str, *rest: Any, **options: Any) -> Any:
        try:
            return await query(namespace, sql, *rest, **options)
        except asyncio.CancelledError:
            stopped.set()
            raise

    desk.client.query = watched  # type: ignore[method-assign]
    events = desk.events("requestData", {**PERSON, "count": "deferred", "pageSize": 10}, "a1")
    await anext(events)
    await events.aclose()  # type: ignore[attr-defined]
    async with asyncio.timeout(5):
        await stopped.wait()


async def test_values_keep_their_digits_on_the_way_in(desk: Desk) -> None:
    await desk.run(
        "requestData",
        {
            **MATRIX,
            "filters": [
                {"column": "BigintValue", "value": 9223372036854775807, "operator": "less"},
                {"column": "NumericValue", "value": Decimal("12345678901234.5678"), "operator": "less"},
            ],
        },
    )
    parameters = next(sent for sql, sent in desk.client.log if sql.startswith("SELECT TOP"))
    assert parameters == (9223372036854775807, Decimal("12345678901234.5678"))


BAD: list[tuple[dict[str, Any], str]] = [
    ({"page": -1}, "page"),
    ({"page": "x"}, "page"),
    ({"page": 1.5}, "page"),
    ({"page": True}, "page"),
    ({"page": None, "offset": -1}, "offset"),
    ({"offset": 2**53}, "offset"),
    ({"page": 1, "offset": 1}, "payload"),
    ({"after": "start", "before": "end"}, "payload"),
    ({"pageSize": 1001}, "pageSize"),
    ({"pageSize": -1}, "pageSize"),
    ({"pageSize": "many"}, "pageSize"),
    ({"pageSize": 10**4000}, "pageSize"),
    ({"sortColumn": "Nobody"}, "sortColumn"),
    ({"sortColumn": 7}, "sortColumn"),
    ({"sortColumn": "Name", "sortDirection": "up"}, "sortDirection"),
    ({"sortColumn": "Name", "sort": [{"column": "Name"}]}, "payload"),
    ({"sort": [{"column": "Nobody"}]}, "sort.0.column"),
    ({"sort": [{"column": "FavoriteColors"}]}, "sort.0.column"),
    ({"sort": [{"column": "Name"}] * 9}, "sort"),
    ({"sort": [{}]}, "sort.0.column"),
    ({"columns": []}, "columns"),
    ({"columns": ["Name", "Nobody"]}, "columns.1"),
    ({"filters": "Name"}, "filters"),
    ({"filters": [{"column": "Name", "value": "a"}] * 51}, "filters"),
    ({"filters": [{"value": "a"}]}, "filters.0.column"),
    ({"filters": [{"column": "Nobody", "value": "a"}]}, "filters.0.column"),
    ({"filters": [{"column": 'x" OR 1=1 --', "value": "a"}]}, "filters.0.column"),
    ({"filters": [{"column": "Name", "value": "a", "operator": "resembles"}]}, "filters.0.operator"),
    ({"filters": [{"column": "Age", "value": "old"}]}, "filters.0.value"),
    ({"filters": [{"column": "Age", "value": "1" * 4000, "operator": "less"}]}, "filters.0.value"),
    ({"filters": [{"column": "DOB", "value": "2024-02-30"}]}, "filters.0.value"),
    ({"filters": [{"column": "Age", "value": [1], "operator": "between"}]}, "filters.0.value"),
    ({"filters": [{"column": "Age", "value": list(range(101)), "operator": "in"}]}, "filters.0.value"),
    ({"filters": [{"column": "Age", "value": [], "operator": "in"}]}, "filters.0.value"),
    ({"filters": [{"column": "Age", "value": {"a": 1}}]}, "filters.0.value"),
    ({"filters": [{"column": "Age", "value": None, "operator": "greater"}]}, "filters.0.value"),
    ({"filters": [{"column": "Age", "operator": "isEmpty"}]}, "filters.0.operator"),
    ({"filters": [{"column": "Name", "value": "a", "operator": "isNull"}]}, "filters.0.value"),
    ({"filters": [{"column": "Name", "value": "", "operator": "contains"}]}, "filters.0.value"),
    ({"filters": [{"column": "FavoriteColors", "value": "Red", "operator": "equals"}]}, "filters.0.operator"),
    ({"search": "x" * 201}, "search"),
    ({"after": ""}, "after"),
    ({"after": "bm90IGEgY3Vyc29y"}, "after"),
    ({"after": "eyJ2IjoxfQ"}, "after"),
    ({"before": "~~~"}, "before"),
    ({"before": "x" * 40000}, "before"),
    ({"startAt": [1]}, "startAt"),
    ({"sort": [{"column": "DOB"}], "startAt": "soon"}, "startAt"),
    ({"count": "maybe"}, "count"),
    ({"table": "Sample.Person"}, "table"),
    ({"namespace": "USER"}, "tableName"),
    ({"tableName": ""}, "tableName"),
]


@pytest.mark.parametrize(("payload", "field"), BAD, ids=[str(item[0])[:60] for item in BAD])
async def test_bad_input_names_its_field_and_reads_nothing(
    person: Desk, payload: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await person.run("requestData", payload, "id1")
    assert caught.value.field == field
    assert person.client.log == []
    assert (await person.run("requestData", {}))[0]["event"] == "tableData", "the socket stays usable"


async def test_cursor_of_another_view_is_refused(person: Desk) -> None:
    cursor = (await person.answer("requestData", {"pageSize": 5}))["cursors"]["next"]
    for payload in (
        {"sortColumn": "Name"},
        {"filters": [{"column": "Name", "value": "a*"}]},
        {"search": "a"},
        {"namespace": "SAMPLES", "tableName": "Sample.Company"},
    ):
        with pytest.raises(InvalidInput) as caught:
            await person.run("requestData", {**payload, "after": cursor})
        assert caught.value.field == "after"


async def test_an_error_of_iris_is_the_commands_error(person: Desk) -> None:
    async def fails(*_arguments: Any, **_options: Any) -> Any:
        raise IrisQuartError("IRIS said no.", sqlcode=-400)

    person.client.query = fails  # type: ignore[method-assign]
    with pytest.raises(IrisQuartError, match="said no"):
        await person.run("requestData", {"pageSize": 7})


async def test_filters_of_a_group_are_alternatives(person: Desk) -> None:
    boston = {"column": "Home_City", "operator": "equals", "value": "Boston", "group": 1}
    named = {"column": "Name", "operator": "startsWith", "value": "H", "group": 1}
    ohio = {"column": "Home_State", "operator": "equals", "value": "OH"}

    async def ids(*filters: dict[str, Any]) -> set[str]:
        data = await person.answer("requestData", {"pageSize": 500, "filters": list(filters)})
        return set(data["rowIds"])

    alone = {"group": None}
    either = await ids(boston, named)
    assert either == await ids(boston | alone) | await ids(named | alone)
    assert either
    assert await ids(boston, ohio, named) == either & await ids(ohio)
    assert (await person.answer("countRows", {"filters": [boston, named]}))["totalRows"] == len(either)


async def test_a_cursor_belongs_to_its_groups(person: Desk) -> None:
    filters = [
        {"column": "Home_State", "operator": "equals", "value": state, "group": 0} for state in ("OH", "MA")
    ]
    data = await person.answer("requestData", {"pageSize": 1, "filters": filters})
    cursor = data["cursors"]["next"]
    assert (await person.answer("requestData", {"pageSize": 1, "filters": filters, "after": cursor}))["rows"]
    apart = [item | {"group": None} for item in filters]
    with pytest.raises(InvalidInput):
        await person.answer("requestData", {"pageSize": 1, "filters": apart, "after": cursor})


async def test_values_of_a_column_with_their_numbers(person: Desk) -> None:
    found = await person.answer("getColumnValues", {"column": "Home_State"})
    assert found["column"] == "Home_State"
    numbers = [item["rows"] for item in found["values"]]
    assert numbers == sorted(numbers, reverse=True)
    first = found["values"][0]
    equals = {"column": "Home_State", "operator": "equals", "value": first["value"]}
    assert (await person.answer("countRows", {"filters": [equals]}))["totalRows"] == first["rows"]
    filtered = await person.answer("getColumnValues", {"column": "Home_State", "filters": [equals]})
    assert [item["value"] for item in filtered["values"]] == [first["value"]]
    assert not filtered["more"]
    many = await person.answer("getColumnValues", {"column": "SSN"})
    assert len(many["values"]) == 100
    assert many["more"]


@pytest.mark.parametrize("column", ["BitValue", "DateValue", "TimestampValue", "NumericValue"])
async def test_values_of_any_type_are_wire_values(desk: Desk, column: str) -> None:
    await desk.run("selectTable", MATRIX)
    rows = (await desk.answer("requestData", {"pageSize": 500}))["rows"]
    found = await desk.answer("getColumnValues", {"column": column})
    assert {item["value"] for item in found["values"]} == {row[column] for row in rows}


async def test_streams_have_no_list_of_values(desk: Desk) -> None:
    await desk.run("selectTable", MATRIX)
    with pytest.raises(InvalidInput, match="too long for a list"):
        await desk.answer("getColumnValues", {"column": "LongvarcharValue"})
