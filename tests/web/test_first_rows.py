"""The first rows of a table in the editor's page: the same as over the socket, harmless, and never in the way."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any
from urllib.parse import quote

import pytest
from quart.typing import TestClientProtocol as Client

from iris_quart.demo import FaultRule

from .conftest import CONNECT, Site

PERSON = "/table/SAMPLES/Sample.Person"
ROWS = re.compile(r'<script type="application/json" id="first-rows"[^>]*>([^<]*)</script>')
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>&lt;&amp;",
    "line\u2028and\u2029paragraph",
    "'single' \"double\" \\ back",
)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the rows as long as a busy machine needs; how long the page waits has tests of its own."""
    monkeypatch.setattr("iris_quart.web.first_rows.FIRST_ROWS_SECONDS", 10.0)


async def page_of(client: Client, address: str = PERSON) -> str:
    """Fetch a page of the editor."""
    response = await client.get(address)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    return str(await response.get_data(as_text=True))


def rows_in(page: str) -> Any:
    """Read the rows as the page does; None without any."""
    found = ROWS.search(page)
    assert found, page
    return json.loads(found[1]) if found[1] else None


async def over_the_socket(client: Client, command: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Ask for the same over the socket: the payloads by event, up to the rows."""
    events: dict[str, Any] = {}
    async with client.websocket("/ws") as socket:
        await socket.send(json.dumps({"command": command, "payload": payload, "id": "x"}))
        while "tableData" not in events:
            message = json.loads(await socket.receive())
            events[message["event"]] = message["payload"]
    return events


@pytest.mark.usefixtures("patient")
async def test_the_rows_are_those_of_the_socket(site: Site) -> None:
    client = await site.connected()
    given = rows_in(await page_of(client))
    wanted = await over_the_socket(
        client, "selectTable", {"namespace": "SAMPLES", "tableName": "Sample.Person", "count": "skip"}
    )
    schema, data = given["events"]
    assert (schema["event"], data["event"]) == ("tableSchema", "tableData")
    assert schema["payload"] == wanted["tableSchema"]
    for payload in (data["payload"], wanted["tableData"]):
        del payload["roundTrips"]
    assert data["payload"] == wanted["tableData"]
    assert (given["filters"], given["sort"], given["search"]) == ([], [], "")
    assert given["readMark"]


@pytest.mark.usefixtures("patient")
async def test_rows_with_a_mark_are_not_those_of_an_older_read(site: Site) -> None:
    client = await site.connected()
    await page_of(client)
    site.iris.add_fault(FaultRule("latency", sql="Sample.*Person", times=1, delay=5.0))
    before = site.services.live.upstream.round_trips
    older = asyncio.create_task(page_of(client))
    async with asyncio.timeout(5):
        while site.services.live.upstream.round_trips == before:
            await asyncio.sleep(0.005)
    assert rows_in(await page_of(client))["readMark"]
    assert not older.done()
    assert rows_in(await older)["readMark"]


@pytest.mark.usefixtures("patient")
async def test_filters_sort_and_search_of_the_address(site: Site) -> None:
    client = await site.connected()
    address = f"{PERSON}?sort=Name:desc&filter={quote(json.dumps(['Home_State', 'equals', 'MA']))}&search=a"
    given = rows_in(await page_of(client, address))
    filters = [{"column": "Home_State", "operator": "equals", "value": "MA"}]
    sort = [{"column": "Name", "direction": "desc"}]
    assert (given["filters"], given["sort"], given["search"]) == (filters, sort, "a")
    query = {"filters": filters, "sort": sort, "search": "a", "count": "skip", "offset": 0}
    wanted = await over_the_socket(
        client, "requestData", {"namespace": "SAMPLES", "tableName": "Sample.Person", **query}
    )
    assert given["events"][1]["payload"]["rows"] == wanted["tableData"]["rows"]
    assert given["events"][1]["payload"]["rows"]


@pytest.mark.usefixtures("patient")
async def test_parts_of_the_address_that_cannot_be_read_are_left_out(site: Site) -> None:
    client = await site.connected()
    broken = "sort=Name&sort=:asc&filter=nonsense&filter=[1]&filter=" + "[" * 500
    given = rows_in(await page_of(client, f"{PERSON}?{broken}"))
    assert (given["filters"], given["sort"], given["search"]) == ([], [], "")


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    "query",
    [
        "sort=Nowhere:asc",
        f"filter={quote(json.dumps(['Name', 'sounds like', 'x']))}",
        f"filter={quote(json.dumps(['Nowhere', 'equals', 1]))}",
        f"search={'x' * 300}",
        "&".join(["sort=Name:asc"] * 30),
    ],
)
async def test_a_query_that_cannot_be_answered_is_left_to_the_socket(site: Site, query: str) -> None:
    client = await site.connected()
    assert rows_in(await page_of(client, f"{PERSON}?{query}")) is None


@pytest.mark.usefixtures("patient")
async def test_hostile_texts_neither_end_the_element_nor_change(site: Site) -> None:
    engine = site.iris.namespace("SAMPLES")
    engine.run_script("DROP TABLE IF EXISTS Proof.Hostile; CREATE TABLE Proof.Hostile (T VARCHAR(100));")
    engine.bulk_load("Proof.Hostile", ["T"], [[text] for text in HOSTILE])
    client = await site.connected()
    page = await page_of(client, "/table/SAMPLES/Proof.Hostile")
    given = rows_in(page)
    assert [row["T"] for row in given["events"][1]["payload"]["rows"]] == list(HOSTILE)
    assert page.count("<script") == 2  # the module and the rows
    assert "\u2028" not in page
    response = await client.get("/table/SAMPLES/%3C!--rows--%3E.T")
    assert response.status_code == 200


@pytest.mark.usefixtures("patient")
async def test_a_read_only_server_says_so_in_the_description(site: Site) -> None:
    client = site.client()
    await client.post("/api/connect", json={**CONNECT, "server": "demo-readonly"})
    schema = rows_in(await page_of(client))["events"][0]["payload"]
    assert schema["readOnly"] is True
    assert schema["readOnlyReason"]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("address", ["/table/SAMPLES/No.Such", "/table/NOWHERE/Sample.Person"])
async def test_a_table_that_does_not_exist(site: Site, address: str) -> None:
    client = await site.connected()
    assert rows_in(await page_of(client, address)) is None


async def test_without_a_session_nothing_is_read(site: Site) -> None:
    before = site.services.live.upstream.round_trips
    response = await site.client().get(PERSON)
    assert response.status_code in {302, 303}
    assert site.services.live.upstream.round_trips == before


async def test_the_page_without_a_table_has_no_rows(site: Site) -> None:
    client = await site.connected()
    assert "first-rows" not in await page_of(client, "/")


async def test_the_policy_is_that_of_every_page(site: Site) -> None:
    client = await site.connected()
    policies = []
    for address in ("/", PERSON):
        policy = (await client.get(address)).headers["Content-Security-Policy"]
        policies.append(re.sub(r"nonce-[\w-]+", "nonce", policy))
    assert policies[0] == policies[1]
    assert "script-src 'self';" in policies[0]


@pytest.mark.parametrize("kind", ["hang", "latency"])
async def test_a_slow_iris_holds_the_page_up_for_a_moment_only(site: Site, kind: Any) -> None:
    client = await site.connected()
    await page_of(client, "/")
    site.iris.add_fault(FaultRule(kind, sql="Sample", delay=20.0))
    begun = time.monotonic()
    assert rows_in(await page_of(client)) is None
    assert time.monotonic() - begun < 2.0


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    "kind", ["reset_before", "status", "html", "truncated", "forbidden", "sqlcode", "unauthorized"]
)
async def test_a_broken_iris_leaves_the_page_whole(site: Site, kind: Any) -> None:
    client = await site.connected()
    site.iris.add_fault(FaultRule(kind, sql="Sample", status=500 if kind == "status" else None))
    page = await page_of(client)
    assert rows_in(page) is None
    assert page.rstrip().endswith("</html>")


@pytest.mark.usefixtures("patient")
async def test_an_unexpected_error_leaves_the_page_whole(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await site.connected()

    def broken(*_: object) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr("iris_quart.web.first_rows.table_schema", broken)
    page = await page_of(client)
    assert rows_in(page) is None
    assert "canary" not in page
    assert page.rstrip().endswith("</html>")
