"""Kill the server while a person types and saves.

Every value typed is in the database or still unsaved, and what the page calls saved is stored.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from playwright.async_api import Page, expect

from iris_quart.demo.server import ThreadedDemoServer

from .conftest import WebServer
from .visits import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

ROWS = 12
DOUBT_MS = 75_000
"""Milliseconds within which a statement whose answer was lost has had its effect: the doubt time and a little more."""
DROPPED = r"WebSocket connection to .* failed|Failed to load resource|ERR_CONNECTION|ERR_EMPTY_RESPONSE"
# What the page shows of each row: its ID, its word, and whether that is called saved.
SHOWN = """() => [...document.querySelectorAll(".view:not([hidden]) .slick-cell[data-column=Word]")].map((cell) => {
    const row = cell.closest(".slick-row");
    const id = document.querySelector(`.view:not([hidden]) .slick-row[data-row="${row.dataset.row}"] [data-column=ID]`);
    const open = row.classList.contains("is-new") || /is-(changed|saving|error|conflict|unknown)/.test(cell.className);
    return [id.textContent, cell.textContent, !open];
})"""


@pytest.fixture(autouse=True)
def running(web: WebServer) -> Iterator[None]:
    """Leave the server running for the next test, whatever happened to it."""
    yield
    web.ensure()


def stored(iris: ThreadedDemoServer, table: str) -> dict[str, Any]:
    """Give the words of the database by row ID."""
    rows = iris.namespace("SAMPLES").execute(f"SELECT ID, Word FROM {table}", ()).rows
    return {str(row_id): word for row_id, word in rows}


async def type_word(page: Page, row: int, word: str) -> None:
    """Type a word into a row's cell, as people do."""
    cell = page.locator(f".view:not([hidden]) .slick-row[data-row='{row}'] .slick-cell[data-column=Word]")
    await cell.click(position={"x": 20, "y": 10})
    await page.keyboard.type(word)
    await page.keyboard.press("Enter")


async def decide(page: Page, in_database: set[Any], *, stay: bool = False) -> None:
    """Settle new rows of which nobody knows whether they were saved, as people do: by looking into the table.

    `stay` leaves the review open.
    """
    review = page.locator(".panel.review")
    if await page.locator("[data-action=save]").get_attribute("aria-disabled") == "false":
        if not await review.count():
            await page.locator("[data-action=showReview]").click()
        unknown = review.locator(".change:has(.why-error)")
        while await page.locator(".gutter .unknown").count():
            word = await unknown.first.locator("ins").inner_text()
            choice = "Drop this one" if word in in_database else "Insert again"
            # It is offered to be inserted again only when it can no longer arrive.
            await unknown.first.get_by_role("button", name=choice).click(timeout=DOUBT_MS)
            await expect(unknown.filter(has_text=word)).to_have_count(0)
    if not stay and await review.count():
        await review.get_by_role("button", name="Close").click()


async def settled(page: Page) -> None:
    """Wait until the page waits for no answer, and has drawn that."""
    await expect(page.locator("[data-action=save]")).to_have_attribute("aria-busy", "false", timeout=30_000)
    open_cells = page.locator(".slick-cell:is(.is-saving, .is-unknown), .gutter .saving")
    # The killed worker may have begun a change; asked under a new id one and four seconds later, IRIS's row tells.
    await expect(open_cells).to_have_count(0, timeout=15_000)
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("seed", "saving", "kills"),
    [
        (1, "staged", 2),
        pytest.param(2, "staged", 8, marks=pytest.mark.slow),
        pytest.param(3, "auto", 8, marks=pytest.mark.slow),
    ],
)
async def test_nothing_typed_is_lost_and_nothing_called_saved_is_missing(
    visitor: Visitor, iris: ThreadedDemoServer, web: WebServer, seed: int, saving: str, kills: int
) -> None:
    """Type, insert and save without a pause while the server dies at random moments, then compare."""
    chance = random.Random(seed)
    table = f"Chaos.T{seed}"
    iris.namespace("SAMPLES").execute(f"CREATE TABLE {table} (Word VARCHAR(40)) WITH %CLASS", ())
    for row in range(ROWS):
        iris.namespace("SAMPLES").execute(f"INSERT INTO {table} (Word) VALUES (?)", (f"old {row}",))
    # All rows are in sight, for they are compared.
    visit = await visitor(viewport={"width": 1280, "height": 2000})
    visit.expect(DROPPED)
    await visit.context.add_init_script(
        f"localStorage.setItem('iris-quart:preferences', JSON.stringify({{saving: '{saving}'}}))"
    )
    page = visit.page
    await visit.open_table(table)
    await expect(page.locator(f".slick-row[data-row='{ROWS - 1}']").first).to_be_visible()
    typed: dict[int, str] = {}  # grid row -> last word
    inserted: list[str] = []
    number = 0

    async def work(steps: int) -> None:
        nonlocal number
        for _ in range(steps):
            number += 1
            row = chance.randrange(ROWS)
            typed[row] = f"word {number}"
            await type_word(page, row, typed[row])
            if chance.random() < 0.2 and saving == "staged":
                await page.keyboard.press("Control+End")
                await page.keyboard.press("Alt+Insert")
                inserted.append(f"new {number}")
                await page.keyboard.type(inserted[-1])
                await page.keyboard.press("Enter")
                await page.keyboard.press("Control+Home")
            if chance.random() < 0.4 and saving == "staged":
                await page.keyboard.press("Control+s")

    for _ in range(kills):
        typing = asyncio.create_task(work(8))
        await after_statements(iris, chance.randrange(1, 12))
        await asyncio.to_thread(web.kill)
        await typing  # typing goes on while the server is away
        iris.settled()
        await asyncio.to_thread(web.start)
        await visit.live()
        await settled(page)
        in_database = stored(iris, table)
        for row_id, word, saved in await page.evaluate(SHOWN):
            if saved:
                assert in_database[row_id] == word
        await decide(page, set(in_database.values()), stay=chance.random() < 0.5)
    for _ in range(2):
        await page.keyboard.press("Control+s")
        await settled(page)
        await decide(page, set(stored(iris, table).values()))
    await expect(page.locator("[data-action=save]")).to_have_attribute("aria-disabled", "true")
    in_database = stored(iris, table)
    expected = {str(row + 1): typed.get(row, f"old {row}") for row in range(ROWS)}
    assert {row_id: in_database[row_id] for row_id in expected} == expected
    new = sorted(word for row_id, word in in_database.items() if row_id not in expected)
    assert new == sorted(inserted)  # none lost, none twice
    # A new row that was dropped because it is in the table comes with the rows of the table.
    await page.keyboard.press("F5")
    words = page.locator(".view:not([hidden]) .slick-cell[data-column=Word]")
    await expect(words).to_have_count(len(in_database))
    assert sorted(word for _, word, saved in await page.evaluate(SHOWN) if saved) == sorted(
        in_database.values()
    )


async def after_statements(iris: ThreadedDemoServer, count: int) -> None:
    """Wait until IRIS got so many statements more, or for a moment: people also type without saving."""
    before = len(iris.log)
    with suppress(TimeoutError):
        async with asyncio.timeout(1.0):
            while len(iris.log) < before + count:
                await asyncio.sleep(0.002)
