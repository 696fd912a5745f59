"""Going to a row, coming back to it, new rows beside the cursor, and tools with words."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from .test_edit_server import cell, edit, open_table
from .visits import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def go_to(page: Page, number: int) -> None:
    """Go to a row by its number."""
    await page.keyboard.press("Control+g")
    await page.keyboard.type(str(number))
    await page.keyboard.press("Enter")
    await expect(page.locator(f".slick-row[data-row='{number - 1}'] .slick-cell.active")).to_be_visible()


async def test_going_to_a_row_puts_it_in_the_middle(visitor: Visitor) -> None:
    page = await open_table(await visitor())
    await cell(page, 2, "Name").click()
    await go_to(page, 100)
    place = await cell(page, 99, "Name").evaluate(
        """node => {
          const view = node.closest(".slick-viewport").getBoundingClientRect();
          const box = node.getBoundingClientRect();
          return ((box.top + box.bottom) / 2 - view.top) / view.height;
        }"""
    )
    assert 0.4 < place < 0.6


async def test_a_reload_returns_to_the_row_and_the_cell(visitor: Visitor) -> None:
    page = await open_table(await visitor())
    await cell(page, 2, "SSN").click()
    await go_to(page, 100)
    rows = page.locator("[data-part=status-rows]")
    await expect(rows).to_contain_text("of 200")
    before = await rows.inner_text()
    await page.reload()
    await expect(
        page.locator(".slick-row[data-row='99'] .slick-cell.active[data-column='SSN']")
    ).to_be_in_viewport()
    await expect(rows).to_have_text(before)
    await page.keyboard.press("ArrowDown")
    await expect(page.locator(".slick-row[data-row='100'] .slick-cell.active")).to_be_visible()


async def test_new_rows_stand_beside_the_cursor(visitor: Visitor) -> None:
    page = await open_table(await visitor())
    await cell(page, 5, "Name").click()
    await page.keyboard.press("Alt+Insert")
    await expect(page.locator(".slick-row.is-new[data-row='6']").first).to_be_visible()
    await cell(page, 2, "Name").click()
    await page.evaluate("navigator.clipboard.writeText('Pasted,One\\nPasted,Two')")
    await page.keyboard.press("Control+Shift+v")
    await expect(cell(page, 3, "Name")).to_have_text("Pasted,One")
    await expect(cell(page, 4, "Name")).to_have_text("Pasted,Two")
    await expect(page.locator(".slick-row.is-new[data-row='4']").first).to_be_visible()


async def test_cells_and_rows_are_counted_in_their_own_units(visitor: Visitor) -> None:
    page = await open_table(await visitor())
    await edit(page, 3, "Name", "Unit,One")
    await edit(page, 3, "DOB", "1970-01-01")
    await edit(page, 4, "Name", "Unit,Two")
    await expect(page.locator("[data-part=status-pending]")).to_have_text("3 cells changed")
    await page.locator(".tools [data-action=showReview]").click()
    await expect(page.locator(".review .panel-head")).to_contain_text(
        "2 rows, 3 changed cells of Sample.Person"
    )


@pytest.mark.parametrize(("width", "words"), [(1280, True), (900, False)])
async def test_the_tools_have_words_where_there_is_room(visitor: Visitor, width: int, *, words: bool) -> None:
    page = await open_table(await visitor(viewport={"width": width, "height": 700}))
    for action, word in {"duplicateRows": "Duplicate", "deleteRows": "Delete", "export": "Export"}.items():
        button = page.locator(f".tools [data-action={action}]")
        await expect(button.get_by_text(word, exact=True)).to_be_visible(visible=words)
        assert await button.evaluate("node => node.scrollWidth <= node.clientWidth")
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")
