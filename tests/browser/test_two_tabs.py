"""Two tabs of one person with the same edits staged: no row is saved twice, and no edit is lost."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from iris_quart.demo.server import ThreadedDemoServer

from .visits import Visit, Visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
]

ROWS = 8
PATIENCE_SECONDS = 20.0


def cell(page: Page, row: int, name: str) -> Locator:
    """Find a cell of the table on screen."""
    return page.locator(f".view:not([hidden]) .slick-row[data-row='{row}'] .slick-cell[data-column='{name}']")


async def shown(page: Page) -> None:
    """Wait until the rows are there."""
    await expect(cell(page, 0, "V")).to_be_visible()
    await expect(page.locator(".view:not([hidden]) .slick-row.loading")).to_have_count(0)


async def duplicate(visit: Visit) -> Page:
    """Open the page once more with a copy of what it keeps for its tab, as Duplicate in a browser's menu does."""
    async with visit.context.expect_page() as opening:
        await visit.page.evaluate("() => void window.open(location.href)")
    page = await opening.value
    visit.watch(page)
    await page.locator("[data-part=status-connection][data-state=live]").wait_for()
    await shown(page)
    return page


async def stage(page: Page, chance: random.Random, number: int) -> list[tuple[str, str]]:
    """Type into some rows and insert some, with values that repeat; what was done, as kind and value."""
    done = []
    for step in range(number):
        value = chance.choice(("twin", "Twin"))
        if chance.random() < 0.4:
            await cell(page, 0, "V").click()
            await page.keyboard.press("Alt+Insert")
            await page.keyboard.type(value)
            await page.keyboard.press("Enter")
            done.append(("insert", value))
        else:
            await cell(page, ROWS - 1 - step % ROWS, "V").scroll_into_view_if_needed()
            await page.keyboard.press("Escape")
            await cell(page, ROWS - 1 - step % ROWS, "N").click(position={"x": 20, "y": 10})
            await page.keyboard.type(str(100 + step))
            await page.keyboard.press("Enter")
            done.append(("update", str(100 + step)))
    return done


async def save_all(page: Page) -> None:
    """Press Save until nothing is staged, or time is up."""
    button = page.locator("[data-action=save]")
    end = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while asyncio.get_running_loop().time() < end:
        if await button.get_attribute("aria-disabled") == "true":
            return
        await page.keyboard.press("Control+s")
        await page.wait_for_timeout(200)


async def staged_rows(page: Page) -> int:
    """Count the cells and rows that the page shows as not saved."""
    classes = ".is-new, .is-changed, .is-saving, .is-error, .is-conflict, .is-unknown"
    return await page.locator(f".view:not([hidden]) :is({classes})").count()


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_duplicated_tab_saves_no_row_twice(
    visitor: Visitor, iris: ThreadedDemoServer, seed: int
) -> None:
    namespace, table = iris.server.namespace("SAMPLES"), f"Twins.T{seed}"
    namespace.execute(f"CREATE TABLE {table} (V VARCHAR(20), N INTEGER)")
    for number in range(ROWS):
        namespace.execute(f"INSERT INTO {table} (V, N) VALUES (?, ?)", ("twin", number % 2))
    chance = random.Random(seed)
    visit = await visitor()
    await visit.open_table(table)
    await shown(visit.page)
    done = await stage(visit.page, chance, 5)
    other = await duplicate(visit)
    done += await stage(other if seed == 3 else visit.page, chance, 2)
    await asyncio.gather(save_all(visit.page), save_all(other))
    rows: list[tuple[Any, ...]] = namespace.execute(f"SELECT V, N FROM {table}").rows
    inserted = Counter(value for kind, value in done if kind == "insert")
    there = Counter(str(value) for value, _number in rows)
    there.subtract({"twin": ROWS})
    more = {value: count for value, count in there.items() if count > inserted[value]}
    assert not more, f"{more} rows more than were inserted of {inserted}: {rows}"
    lost = sum((inserted - there).values())
    assert lost <= await staged_rows(visit.page) + await staged_rows(other)
