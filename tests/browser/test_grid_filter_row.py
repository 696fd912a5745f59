"""The filter row: where the focus stays, and what it shows after the columns changed."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .harness.grid_page import GridPage
from .harness.opening import Opener

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

HIDDEN = "view.showFilters(false)"


async def test_enter_stays_in_the_filter_and_the_next_word_is_the_next_filter(grid: Opener) -> None:
    page = await grid()
    await page.click(0, "Name")
    await page.keys("Control+f")
    field = page.page.get_by_label("Filter Name")
    await page.type("name 99")
    await page.keys("Enter")
    await page.until("statuses.at(-1).total === 11")
    await expect(field).to_be_focused()
    await page.type("name 500")
    await page.keys("Enter")
    await page.until("statuses.at(-1).total === 1")
    await expect(field).to_have_value("name 500")
    assert await page.pending() == [0, 0, 0]
    await page.keys("ArrowDown")
    assert await page.js("document.activeElement === view.table.sheet.getContainerNode()")


async def test_enter_stays_in_the_search(grid: Opener) -> None:
    page = await grid()
    await page.click(0, "Name")
    await page.js("view.showFilters(true)")
    search = page.page.locator(".bar-search")
    await search.fill("name 99")
    await page.keys("Enter")
    await page.until("statuses.at(-1).total === 11")
    await expect(search).to_be_focused()
    await page.type("name 500")
    await page.keys("Enter")
    await page.until("statuses.at(-1).total === 1")
    assert await page.pending() == [0, 0, 0]


@pytest.mark.parametrize(
    "change",
    [
        "view.arranging.hide(['Age'])",
        "view.arranging.move('City', 1)",
        "view.arranging.freeze('City')",
        "view.arranging.fit('City')",
        "document.documentElement.style.setProperty('--row-h', '32px'), dispatchEvent(new Event('densitychange'))",
    ],
    ids=["hidden", "moved", "frozen", "fitted", "row-height"],
)
async def test_a_hidden_filter_row_comes_back_with_its_filters(grid: Opener, change: str) -> None:
    page = await grid()
    await page.click(0, "Name")
    await page.js("view.showFilters(true)")
    await page.page.get_by_label("Filter City").fill("city 7")
    await page.keys("Enter")
    await page.until("statuses.at(-1).total < 1000")
    await page.js(HIDDEN)
    await expect(page.page.get_by_label("Filter City")).to_be_hidden()
    await page.js(f"({change}, undefined)")
    await expect(page.page.get_by_label("Filter City")).to_be_hidden()
    await page.js("view.showFilters(true)")
    await expect(page.page.get_by_label("Filter City")).to_have_value("city 7")
    shown = await page.js("view.table.columns.filter(({ gutter, hidden }) => !gutter && !hidden).length")
    await expect(page.page.locator("input.filter")).to_have_count(shown)


@pytest.mark.parametrize("by", ["active", "hovered"])
async def test_the_arrow_of_a_key_covers_no_digit(grid: Opener, by: str) -> None:
    page = await grid()
    await page.click(0, "Spouse")
    cell = page.cell(4, "Spouse")
    if by == "active":
        await page.keys("ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown")
    else:
        await cell.hover()
    await expect(cell.locator(".follow")).to_be_visible()
    assert not await overlaps(page)
    await page.js("view.table.layout.widths.set('Spouse', 48), view.arranging.changed()")
    await expect(cell).to_have_css("width", "48px")
    assert not await overlaps(page)


async def overlaps(page: GridPage) -> bool:
    """Return whether the arrow lies over the text that can be seen of the key."""
    return bool(
        await page.js(
            """(() => {
                const cell = document.querySelector(".slick-row[data-row='4'] [data-column='Spouse']");
                const range = document.createRange();
                range.selectNodeContents(cell.firstChild);
                const text = range.getBoundingClientRect();
                const arrow = cell.querySelector(".follow").getBoundingClientRect();
                const seen = Math.min(text.right, cell.getBoundingClientRect().right - 22);
                return seen > arrow.left && text.left < arrow.right;
            })()"""
        )
    )


async def test_a_field_with_the_focus_follows_a_filter_that_is_set_elsewhere(grid: Opener) -> None:
    page = await grid()
    await page.click(0, "Name")
    await page.keys("Control+f")
    await page.type("name 99")
    await page.keys("Enter")
    await page.until("statuses.at(-1).total === 11")
    field = page.page.get_by_label("Filter Name")
    await expect(field).to_be_focused()
    await page.js("view.apply({filters: [], sort: [], search: ''})")
    await expect(field).to_have_value("")
    await page.js("view.focus()")  # leaving the field applies what stands in it
    await page.until("statuses.at(-1).total === 1000")
    assert await page.js("view.state.filters") == []
