"""A client that sends no id: its payloads are taken as the legacy server took them."""

from __future__ import annotations

from typing import Any

import pytest

from iris_quart.errors import InvalidInput

from .conftest import Desk

PERSON = {"namespace": "SAMPLES", "tableName": "Sample.Person"}


async def page(desk: Desk, command: str, payload: Any) -> Any:
    (event, *_) = await desk.run(command, payload)
    assert event["event"] == "tableData"
    return event["payload"]


@pytest.fixture
async def opened(desk: Desk) -> Desk:
    """Return a desk with Sample.Person open, as a legacy client opens it."""
    await desk.run("selectTable", PERSON)
    return desk


@pytest.mark.parametrize(
    ("command", "payload", "number"),
    [
        ("paginate", {"currentPage": None, "direction": "next", "pageSize": 5}, 1),
        ("paginate", {"currentPage": None, "direction": None, "pageSize": 5}, 0),
        ("paginate", {"currentPage": 3, "direction": 5, "pageSize": 5}, 2),
        ("paginate", {"currentPage": 3, "direction": ["next"], "pageSize": 5}, 2),
        ("paginate", {"currentPage": "3", "direction": "next", "pageSize": "5"}, 4),
        ("paginate", {"currentPage": 2.0, "direction": "x" * 500, "pageSize": 5}, 1),
        ("requestData", {"page": "1", "pageSize": 5}, 1),
        ("requestData", {"page": "", "pageSize": "5"}, 0),
        ("requestData", {"page": None, "pageSize": None}, 0),
        ("requestData", [], 0),
        ("refresh", [], 0),
        ("refreshData", [], 0),
    ],
)
async def test_values_are_taken_loosely(opened: Desk, command: str, payload: Any, number: int) -> None:
    assert (await page(opened, command, payload))["page"] == number


@pytest.mark.parametrize(
    ("direction", "descending"), [("ASC", False), ("DESC", True), ("Desc", True), ("", False), (None, False)]
)
async def test_a_direction_may_have_any_letter_case(opened: Desk, direction: Any, descending: bool) -> None:
    payload = {"sortColumn": "Name", "sortDirection": direction, "pageSize": 20}
    names = [row["Name"] for row in (await page(opened, "requestData", payload))["rows"]]
    assert names == sorted(names, key=str.upper, reverse=descending)


@pytest.mark.parametrize(
    ("command", "payload"),
    [
        ("paginate", {"currentPage": None}),
        ("paginate", {"direction": 5}),
        ("requestData", {"page": "1"}),
        ("requestData", []),
        ("requestData", {"sortColumn": "Name", "sortDirection": "ASC"}),
    ],
)
async def test_a_client_with_ids_is_told(opened: Desk, command: str, payload: Any) -> None:
    with pytest.raises(InvalidInput):
        await opened.run(command, payload, "id1")


@pytest.mark.parametrize("payload", [{"page": "x"}, {"page": "1" * 50}, {"page": "-1"}, {"page": {}}])
async def test_what_is_no_number_is_still_refused(opened: Desk, payload: Any) -> None:
    with pytest.raises(InvalidInput):
        await opened.run("requestData", payload)


@pytest.mark.parametrize("command", ["requestData", "refreshData", "paginate", "selectTable"])
async def test_a_filter_of_the_table_before_is_left_out_and_named(desk: Desk, command: str) -> None:
    carried = {
        "filters": [
            {"column": "Title", "value": "A*"},
            {"column": "Name", "value": "A*"},
            {"column": "Title", "value": "B*"},
        ]
    }
    events = await desk.run(command, PERSON | carried)
    (data,) = [event["payload"] for event in events if event["event"] == "tableData"]
    assert data["ignoredFilters"] == ["Title"]
    assert data["rows"]
    assert all(row["Name"].upper().startswith("A") for row in data["rows"])
    with pytest.raises(InvalidInput) as caught:
        await desk.run(command, PERSON | carried, "id1")
    assert caught.value.field == "filters.0.column"


async def test_nothing_is_named_when_all_filters_count(opened: Desk) -> None:
    answer = await page(opened, "requestData", {"filters": [{"column": "Name", "value": "A*"}]})
    assert "ignoredFilters" not in answer
