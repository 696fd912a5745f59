"""Keys count wherever the focus is, and what took the focus gives it back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from .test_edit_server import cell, edit, open_table
from .visits import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def page(visitor: Visitor) -> AsyncIterator[Page]:
    """Open Sample.Person, signed in."""
    yield await open_table(await visitor())


async def at(page: Page, row: int, name: str) -> None:
    """Wait until a cell is the active one."""
    await expect(
        page.locator(f".slick-row[data-row='{row}'] .slick-cell.active[data-column='{name}']")
    ).to_be_visible()


async def test_after_discard_by_mouse_or_keys_the_rows_have_the_keys(page: Page) -> None:
    for by_keys in (False, True):
        await edit(page, 3, "Name", "Dropped,By Hand")
        button = page.locator(".tools [data-action=discard]")
        await expect(button).to_have_attribute("aria-disabled", "false")
        if by_keys:
            await button.focus()
            await page.keyboard.press("Enter")
        else:
            await button.click()
        await page.get_by_role("button", name="Drop them").click()
        await expect(page.locator("[data-part=status-pending]")).to_be_hidden()
        await page.keyboard.press("ArrowDown")
        await at(page, 5, "Name")


async def test_after_an_export_the_rows_have_the_keys(page: Page) -> None:
    await page.evaluate("window.showSaveFilePicker = undefined")
    await cell(page, 3, "Name").click()
    await page.locator(".tools [data-action=export]").click()
    async with page.expect_download():
        await page.get_by_role("button", name="Export as CSV").click()
    await page.keyboard.press("ArrowDown")
    await at(page, 4, "Name")


@pytest.mark.parametrize("place", ["review", "toolbar", "tab", "tree"])
async def test_undo_and_the_other_commands_count_beside_the_rows(page: Page, place: str) -> None:
    await edit(page, 3, "Name", "Undone,Elsewhere")
    if place == "review":
        await page.locator(".tools [data-action=showReview]").click()
        await expect(page.locator(".review .change")).to_have_count(1)
    elif place == "toolbar":
        await page.locator(".tools [data-action=refresh]").focus()
    elif place == "tab":
        await page.get_by_role("tab", name="Sample.Person").focus()
    else:
        await page.get_by_role("treeitem", name="Person").first.focus()
    await page.keyboard.press("Control+z")
    await expect(page.locator("[data-part=status-pending]")).to_be_hidden()
    await page.keyboard.press("Control+y")
    await expect(page.locator("[data-part=status-pending]")).to_be_visible()
    await page.keyboard.press("Control+g")
    await page.keyboard.type("21")
    await page.keyboard.press("Enter")
    await at(page, 20, "Name")
    await page.keyboard.press("ArrowDown")
    await at(page, 21, "Name")


async def test_a_field_keeps_its_own_undo_and_gives_the_commands(page: Page) -> None:
    await edit(page, 3, "Name", "Kept,In Row")
    field = page.get_by_label("Filter tables")
    await field.fill("person")
    await page.keyboard.press("Control+z")
    await expect(page.locator("[data-part=status-pending]")).to_be_visible()
    await page.keyboard.press("Control+s")
    await expect(page.locator("[data-part=status-pending]")).to_be_hidden()


async def test_the_next_key_brings_a_lost_focus_back(page: Page) -> None:
    await cell(page, 3, "Name").click()
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("ArrowDown")
    await at(page, 4, "Name")
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("Control+c")
    await expect(page.locator("[data-part=status-message]")).to_contain_text("Copied")
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.type("Typed")
    await expect(page.locator(".cell-editor")).to_have_value("Typed")
    await page.keyboard.press("Escape")


async def test_a_dialog_gives_the_focus_back_also_where_its_button_is_gone(page: Page) -> None:
    await cell(page, 3, "Name").click()
    await page.keyboard.press("F1")
    await page.get_by_role("dialog").wait_for()
    await page.evaluate("document.querySelector('dialog').close()")
    await page.keyboard.press("ArrowDown")
    await at(page, 4, "Name")
    await page.evaluate("document.activeElement.blur()")
    await page.get_by_role("button", name="Keyboard map").click()
    await page.get_by_role("dialog").wait_for()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.locator("[data-action=account]").click()
    await page.get_by_role("menuitem", name="Settings").click()
    await page.get_by_role("dialog").wait_for()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="_SYSTEM")).to_be_focused()
    await page.keyboard.press("Control+z")
    await expect(page.locator("[data-part=status-message]")).to_contain_text("Nothing to undo")
