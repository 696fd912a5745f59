"""Wheel and touch in the grid: trusted events, as the system sends them."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .harness.gestures import Gestures
from .harness.grid_page import GridPage
from .harness.opening import Opener

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

TABLET = {"viewport": {"width": 820, "height": 700}, "has_touch": True}
WHERE = """(() => { const { scrolled } = view.table.sheet;
    const frozen = document.querySelector(".slick-viewport-top.slick-viewport-left");
    return [scrolled.left, scrolled.top, frozen.scrollTop, frozen.scrollLeft]; })()"""


async def where(page: GridPage) -> list[float]:
    """Return how far the columns, the rows and the frozen columns are scrolled."""
    return [round(number) for number in await page.js(WHERE)]


async def rests_at(page: GridPage, *, left: float, top: float) -> None:
    """Wait until the grid is scrolled to a place, all of its parts alike."""
    await page.until(
        f"(() => {{ const [x, y] = {WHERE}; return Math.abs(x - {left}) < 2 && Math.abs(y - {top}) < 2; }})()"
    )
    await page.until(
        f"(() => {{ const [, y, frozen, side] = {WHERE}; return Math.abs(y - frozen) < 1 && side === 0; }})()"
    )
    rows = await page.js(
        "[...document.querySelectorAll('.slick-viewport-right .slick-row')].map((row) => [row, document.querySelector("
        "`.slick-viewport-left .slick-row[data-row='${row.dataset.row}']`)])"
        ".map(([right, left]) => Math.abs(right.getBoundingClientRect().top - left.getBoundingClientRect().top))"
    )
    assert max(rows) < 1


async def glided(page: GridPage) -> list[float]:
    """Wait until what a finger left moving rests; return where."""
    await page.js(
        f"""async () => {{
            let [before, same] = ["", 0];
            while (same < 8) {{
                await new Promise(requestAnimationFrame);
                const now = String({WHERE});
                same = now === before ? same + 1 : 0;
                before = now;
            }}
        }}"""
    )
    return await where(page)


@pytest.mark.parametrize("column", ["ID", "City"], ids=["frozen", "other"])
async def test_the_wheel_scrolls_by_pixels(grid: Opener, column: str) -> None:
    page = await grid("rows=5000&cols=20")
    gestures = await Gestures.of(page.page)
    cell = page.cell(5, column)
    await gestures.wheel(cell, y=107)
    await rests_at(page, left=0, top=107)
    await gestures.wheel(cell, x=83)
    await rests_at(page, left=83, top=107)
    await gestures.wheel(cell, y=120, shift=True)
    await rests_at(page, left=203, top=107)
    await gestures.wheel(cell, y=-50)
    await rests_at(page, left=203, top=57)


async def test_the_wheel_scrolls_from_the_head_and_the_row_numbers(grid: Opener) -> None:
    page = await grid("rows=5000&cols=20")
    gestures = await Gestures.of(page.page)
    await gestures.wheel(page.page.locator(".slick-header-column").nth(3), x=64, y=31)
    await rests_at(page, left=64, top=31)
    await gestures.wheel(page.page.locator(".slick-row[data-row='8'] .gutter"), y=90)
    await rests_at(page, left=64, top=121)


async def test_the_wheel_over_frozen_columns_reaches_the_last_row(grid: Opener) -> None:
    page = await grid("rows=2000001&cols=20")
    gestures = await Gestures.of(page.page)
    await page.click(0, "ID")
    await page.keys("Control+End")
    await page.settled()
    last = page.page.locator(".slick-row[data-row='2000000'] .gutter")
    bottom = await page.js("view.table.sheet.scrolled.top")
    await gestures.wheel(last, y=-300)
    await page.until(f"view.table.sheet.scrolled.top <= {bottom} - 299")
    assert await page.js("view.table.sheet.shown.bottom < 2000000")
    await gestures.wheel(page.page.locator(".slick-viewport-top.slick-viewport-left"), y=900)
    await page.until(f"Math.abs(view.table.sheet.scrolled.top - {bottom}) < 1")
    await rests_at(page, left=(await where(page))[0], top=bottom)


@pytest.mark.parametrize("column", ["ID", "City"], ids=["frozen", "other"])
async def test_a_swipe_pans_and_selects_nothing(grid: Opener, column: str) -> None:
    page = await grid("rows=5000&cols=20", browser=TABLET)
    gestures = await Gestures.of(page.page)
    await gestures.swipe(page.cell(12, column), y=-200)
    await page.until("view.table.sheet.scrolled.top > 150")
    top = (await glided(page))[1]
    await gestures.swipe(page.cell(int(top) // 26 + 8, column), x=-40 if column == "ID" else -150)
    await page.until("view.table.sheet.scrolled.left > 15")
    assert (await glided(page))[1] == top
    assert await page.js("view.table.sheet.getActiveCell()") is None
    await rests_at(page, left=(await where(page))[0], top=top)


async def test_a_swipe_over_the_head_pans_sideways_and_moves_no_column(grid: Opener) -> None:
    page = await grid("rows=100&cols=20", browser=TABLET)
    gestures = await Gestures.of(page.page)
    before = await page.js("view.table.columns.map(({ field }) => field)")
    await gestures.swipe(page.page.locator(".slick-header-column").nth(4), x=-120)
    await page.until("view.table.sheet.scrolled.left >= 110")
    assert await page.js("view.table.columns.map(({ field }) => field)") == before
    assert await page.js("view.table.sort") == []


async def test_tap_selects_and_double_tap_edits(grid: Opener) -> None:
    page = await grid(browser=TABLET)
    gestures = await Gestures.of(page.page)
    await gestures.tap(page.cell(4, "City"))
    await page.until("view.table.sheet.getActiveCell()?.row === 4")
    assert await page.active() == [4, "City"]
    assert not await page.js("Boolean(view.table.sheet.getCellEditor())")
    await gestures.tap(page.cell(6, "Name"), times=2)
    await expect(page.page.locator(".cell-editor")).to_be_focused()
    assert await page.active() == [6, "Name"]
    await page.keys("Escape")
    await gestures.tap(page.page.locator(".slick-row[data-row='7'] .gutter"))
    await page.until("view.table.selection.isRows")
    assert (await page.range())[::2] == [7, 7]


async def test_a_long_press_opens_the_menu_and_keeps_it(grid: Opener) -> None:
    page = await grid(browser=TABLET)
    gestures = await Gestures.of(page.page)
    menu = page.page.get_by_role("menu")
    await gestures.press(page.cell(4, "City"), menu)
    await expect(menu).to_have_count(1)
    assert await page.active() == [4, "City"]
    await page.keys("Escape")
    await gestures.press(page.page.locator(".slick-header-column").nth(3), menu)
    await expect(menu).to_have_count(1)
    assert await page.js("view.table.sort") == []


async def test_a_mouse_still_drags_a_range_where_there_is_touch(grid: Opener) -> None:
    page = await grid(browser=TABLET)
    start = await page.cell(3, "Name").bounding_box()
    end = await page.cell(6, "DOB").bounding_box()
    assert start is not None
    assert end is not None
    await page.page.mouse.move(start["x"] + 20, start["y"] + 10)
    await page.page.mouse.down()
    await page.page.mouse.move(end["x"] + 20, end["y"] + 10, steps=6)
    await page.page.mouse.up()
    assert await page.range() == [3, 2, 6, 4]
