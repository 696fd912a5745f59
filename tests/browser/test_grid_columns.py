"""Widths of columns: from the first page's content, fitted, dragged; and the handle of a column's menu."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .harness.grid_page import GridPage
from .harness.opening import Opener

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CUT = """[...document.querySelectorAll(".slick-cell:not(.gutter)")]
    .filter((node) => !node.querySelector(".v-long") && node.scrollWidth > node.clientWidth)
    .map((node) => [node.dataset.column, node.textContent])"""


async def widths(page: GridPage) -> dict[str, int]:
    """Return the widths of the columns that are drawn."""
    return dict(
        await page.js("view.table.columns.slice(1).map(({field}) => [field, "
        "document.querySelector(`.slick-cell[data-column=\"${field}\"]`)?.offsetWidth]).filter(([, w]) => w)")
    )  # fmt: skip


async def test_columns_are_as_wide_as_the_first_page_needs(grid: Opener) -> None:
    page = await grid()
    assert await page.js(CUT) == []
    found = await widths(page)
    assert all(60 <= width <= 320 for width in found.values())
    assert found["Age"] < 90 < found["Modified"] < 220
    handles = await page.js(
        "[...document.querySelectorAll('.slick-header-column .label')]"
        ".filter((node) => node.scrollWidth > node.clientWidth).map((node) => node.textContent)"
    )
    assert handles == []
    await page.keys("F5")
    await page.js("client.push([{kind: 'update', rowId: '3', values: {City: 'x'.repeat(90)}}])")
    assert await widths(page) == found  # only the first page counts


async def test_only_the_column_that_was_dragged_is_kept(grid: Opener) -> None:
    page = await grid("store=1")
    before = await widths(page)
    header = page.page.locator(".slick-header-column", has_text="City")
    box = await header.bounding_box()
    assert box is not None
    edge = box["x"] + box["width"] - 3
    await page.page.mouse.move(edge, box["y"] + 10)
    await page.page.mouse.down()
    await page.page.mouse.move(edge + 60, box["y"] + 10, steps=4)
    await page.page.mouse.up()
    await page.until("view.table.layout.widths.size === 1")
    after = await widths(page)
    assert after.pop("City") >= before.pop("City") + 50
    assert after == {name: before[name] for name in after}


async def test_all_columns_are_fitted_at_once(grid: Opener) -> None:
    page = await grid()
    await page.js(
        "view.table.columns.slice(1).forEach(({field}) => view.table.layout.widths.set(field, 50)),"
        "view.arranging.changed()"
    )
    assert await page.js(CUT) != []
    await page.click(0, "Name")
    await page.keys("Alt+ArrowDown")
    await page.page.get_by_role("menuitem", name="Fit all columns").click()
    assert await page.js(CUT) == []


async def test_a_cut_value_is_in_the_tooltip_beside_what_stands_there(grid: Opener) -> None:
    page = await grid("rows=2000000")
    await page.js("view.table.layout.widths.set('ID', 48), view.arranging.changed()")
    await page.click(0, "ID")
    await page.keys("Control+End")
    await page.settled()
    cell = page.cell(1999999, "ID")
    await cell.hover()
    title = str(await cell.get_attribute("title"))
    assert title.startswith("2000000\n")
    assert "Given by the database" in title


async def test_the_handle_of_a_column_opens_its_menu_and_sorts_nothing(grid: Opener) -> None:
    page = await grid()
    header = page.page.locator(".slick-header-column", has_text="City")
    handle = header.locator(".head-menu")
    await expect(handle).to_be_hidden()
    await header.hover()
    await expect(handle).to_be_visible()
    await handle.click()
    await expect(page.page.get_by_role("menu", name="Column City")).to_be_visible()
    await page.keys("Escape")
    assert await page.js("view.table.sort.length") == 0
    await page.page.mouse.move(600, 500)
    await expect(handle).to_be_hidden()
    await page.click(3, "City")
    await page.page.mouse.move(600, 500)
    await expect(handle).to_be_visible()  # of the column where the person is
