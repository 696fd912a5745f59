"""The status bar: connection, table, user, rows, selection, staged edits, what was said, how long the rows took."""

from __future__ import annotations

import json
import re

import pytest
from playwright.async_api import Locator, Page, WebSocketRoute, expect

from .visits import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PERSON = "Sample.Person"


async def person(visitor: Visitor, **options: object) -> Visit:
    """Open Sample.Person and wait for its rows."""
    visit = await visitor(**options)
    await visit.open_table(PERSON)
    await expect(part(visit.page, "rows")).to_contain_text("of 200")
    return visit


def part(page: Page, name: str) -> Locator:
    """Find a part of the status bar."""
    return page.locator(f"[data-part=status-{name}]")


def cell(page: Page, row: int, name: str) -> Locator:
    """Find a cell of the table on screen."""
    return page.locator(f".slick-row[data-row='{row}'] .slick-cell[data-column='{name}']")


async def test_it_tells_what_is_open_who_looks_and_how_the_rows_were_read(visitor: Visitor) -> None:
    page = (await person(visitor)).page
    await expect(part(page, "connection")).to_have_text("Live")
    await expect(part(page, "table")).to_have_text("SAMPLES.Sample.Person")
    await expect(page.locator("[data-part=status]")).to_contain_text("_SYSTEM")
    await expect(part(page, "rows")).to_have_text(re.compile(r"^1\u2013\d+ of 200$"))
    query = part(page, "query")
    await expect(query).to_have_text(re.compile(r"^\d\d:\d\d:\d\d · [\d,]+ ms$"))
    requests = re.compile(r"; (\d+) requests? to IRIS$")
    opened = requests.search(await query.get_attribute("title") or "")
    assert opened is not None
    assert int(opened[1]) >= 1, "its page; the description may have been read for the shell before"
    await page.get_by_role("button", name="Refresh rows").click()
    await expect(query).to_have_attribute("title", re.compile("; [12] requests? to IRIS$"))


async def test_a_selection_is_summed(visitor: Visitor) -> None:
    page = (await person(visitor)).page
    await cell(page, 15, "Age").click()
    for _ in range(3):
        await page.keyboard.press("Shift+ArrowDown")
    ages = [await cell(page, row, "Age").inner_text() for row in range(15, 19)]
    numbers = [int(age) for age in ages if age != "NULL"]
    assert len(numbers) == 3
    average = re.escape(f"{sum(numbers) / 3:.4f}"[:5])
    await expect(part(page, "selection")).to_have_text(
        re.compile(rf"^4\u00d71 · sum {sum(numbers)} · avg {average}\d* · 1 NULL$")
    )
    await page.keyboard.press("ArrowUp")
    await expect(part(page, "selection")).to_be_hidden()


async def test_staged_edits_are_counted_by_kind(visitor: Visitor) -> None:
    page = (await person(visitor)).page
    pending = part(page, "pending")
    await expect(pending).to_be_hidden()
    await cell(page, 3, "Name").click()
    await page.keyboard.type("Counted")
    await page.keyboard.press("Enter")
    await expect(pending).to_have_text("1 cell changed")
    await page.keyboard.press("Alt+Insert")
    await page.keyboard.type("1980-05-05")
    await page.keyboard.press("Enter")
    await expect(pending).to_have_text("1 cell changed, 1 new row")
    await page.keyboard.press("Control+Delete")
    await expect(pending).to_have_text("1 cell changed, 1 new row, 1 row deleted")


async def test_an_estimate_can_be_counted_exactly_and_the_counting_stopped(visitor: Visitor) -> None:
    visit = await visitor()
    page = visit.page
    counting: list[str] = []
    held: list[str] = []

    def between(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def up(message: str | bytes) -> None:
            command = json.loads(message)
            if command["command"] == "countRows":
                counting.append(command["id"])
                if len(counting) == 1:
                    held.append(command["id"])
                    return
            server.send(message)

        def down(message: str | bytes) -> None:
            event = json.loads(message)
            if event["event"] in {"tableData", "rowCount"} and event.get("id") not in counting:
                event["payload"] |= {"countState": "estimate", "totalRows": 180}
                message = json.dumps(event)
            socket.send(message)

        socket.on_message(up)
        server.on_message(down)

    await page.route_web_socket(re.compile(r"/ws$"), between)
    await visit.open_table(PERSON)
    rows = part(page, "rows")
    await expect(rows).to_contain_text("of ~180 (estimate)")
    await rows.get_by_role("button", name="Count exactly").click()
    await expect(rows).to_contain_text("Counting…")
    await rows.get_by_role("button", name="Stop").click()
    await expect(rows).not_to_contain_text("Counting…")
    assert held
    await rows.get_by_role("button", name="Count exactly").click()
    await expect(rows).to_have_text(re.compile(r"^1\u2013\d+ of 200$"))


@pytest.mark.parametrize("width", [1024, 1280, 1920])
async def test_nothing_that_matters_is_cut(visitor: Visitor, width: int) -> None:
    page = (await person(visitor, viewport={"width": width, "height": 768})).page
    await cell(page, 3, "Name").click()
    await page.keyboard.type("Counted")
    await page.keyboard.press("Enter")
    await cell(page, 5, "Age").click()
    for key in ("Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowRight"):
        await page.keyboard.press(key)
    await expect(part(page, "selection")).to_contain_text("avg")
    for name in ("connection", "table", "rows", "selection", "pending"):
        assert await part(page, name).evaluate(
            "node => node.scrollWidth <= node.clientWidth && node.getBoundingClientRect().right <= innerWidth"
        ), name
    shown = await part(page, "query").evaluate(
        "node => node.getBoundingClientRect().bottom <= innerHeight + 1"
        " && node.scrollWidth <= node.clientWidth"
    )
    assert shown or width < 1280, "how long the rows took gives way first"
    assert not await page.evaluate("document.documentElement.scrollHeight > innerHeight")


async def test_each_server_has_its_colour(visitor: Visitor) -> None:
    colours = {}
    for server in ("demo", "demo-readonly"):
        visit = await visitor(server=server)
        await visit.open_table(PERSON)
        colours[server] = await visit.page.locator("header.bar").evaluate(
            "bar => getComputedStyle(bar).borderTopColor"
        )
        dot = visit.page.get_by_role("button", name=server, exact=True).locator(".dot")
        assert await dot.evaluate("dot => getComputedStyle(dot).backgroundColor") == colours[server]
    assert colours["demo"] != colours["demo-readonly"]
    await expect(visit.page.locator("[data-part=status-lock]")).to_have_text("Read-only")
    await expect(visit.page.locator("[data-part=status-lock]")).to_have_attribute(
        "title", "This server is set to read-only."
    )
