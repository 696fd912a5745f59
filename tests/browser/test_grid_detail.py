"""The row detail: fields are edited where they stand, and open the row that a key refers to."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from .harness.grid_page import GridPage
from .harness.opening import Opener

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def detail(page: GridPage, row: int) -> Locator:
    """Open the detail of a row."""
    await page.click(row, "Name")
    await page.keys("Control+i")
    panel = page.page.get_by_role("complementary", name="Row detail")
    await expect(panel).to_be_visible()
    return panel


def field(panel: Locator, name: str) -> Locator:
    """Find a field."""
    return panel.locator(f"[data-field='{name}']")


async def test_a_field_is_edited_by_a_click_and_staged_by_enter(grid: Opener) -> None:
    page = await grid()
    panel = await detail(page, 2)
    await field(panel, "City").locator(".field-value").click()
    await expect(page.page.get_by_label("Edit City").first).to_be_focused()
    await page.type("Rome")
    await page.keys("Enter")
    assert await page.value(2, "City") == "Rome"
    await expect(field(panel, "City")).to_have_class("is-changed")
    await expect(field(panel, "City").get_by_role("button", name="Edit City")).to_be_focused()
    await page.keys("Enter")
    await page.type("dropped")
    await page.keys("Escape")
    assert await page.value(2, "City") == "Rome"
    await expect(panel).to_be_visible()
    assert await page.pending() == [1, 0, 0]


async def test_tab_goes_from_field_to_field(grid: Opener) -> None:
    page = await grid()
    panel = await detail(page, 2)
    await field(panel, "City").get_by_role("button", name="Edit City").click()
    await page.type("Oslo")
    await page.keys("Tab")
    await page.type("31.12.1980")
    await page.keys("Tab")
    await expect(page.page.locator(".field-editor")).to_have_attribute("aria-label", "Edit Age")
    await page.keys("Shift+Tab")
    await expect(page.page.locator(".field-editor")).to_have_value("1980-12-31")
    await page.keys("Escape")
    assert [await page.value(2, name) for name in ("City", "DOB")] == ["Oslo", "1980-12-31"]
    assert await page.pending() == [2, 0, 0]


async def test_a_wrong_value_is_told_and_never_lost(grid: Opener) -> None:
    page = await grid()
    panel = await detail(page, 2)
    await field(panel, "Age").get_by_role("button", name="Edit Age").click()
    await page.type("many")
    await page.keys("Enter")
    await expect(panel.get_by_role("alert")).to_have_text("Not a number")
    await expect(page.page.locator(".field-editor")).to_be_focused()
    await page.click(5, "Name")  # it stays in its cell, to be corrected
    assert await page.text(2, "Age") == "many"
    assert await page.states(2, "Age") == "is-error"
    assert await page.pending() == [1, 0, 0]


async def test_null_and_check_boxes(grid: Opener) -> None:
    page = await grid()
    panel = await detail(page, 2)
    await field(panel, "City").get_by_role("button", name="Edit City").click()
    await page.keys("Control+Alt+n")
    assert await page.value(2, "City") is None
    await field(panel, "Insured").get_by_role("button", name="Edit Insured").click()
    assert await page.value(2, "Insured") == 1
    await expect(field(panel, "Insured").get_by_role("button", name="Edit Insured")).to_be_focused()
    await expect(field(panel, "ID").get_by_role("button", name="Edit ID")).to_have_count(0)


async def test_what_is_typed_stays_while_others_write(grid: Opener) -> None:
    page = await grid()
    panel = await detail(page, 2)
    await field(panel, "City").get_by_role("button", name="Edit City").click()
    await page.type("mine")
    await page.js("client.push([{kind: 'update', rowId: '3', values: {City: 'theirs'}}])")
    await page.js("view.refresh()")
    await page.settled()
    await expect(page.page.locator(".field-editor")).to_have_value("mine")
    await page.keys("Enter")
    await page.until("view.table.staged.get('3')?.state === 'conflict'")
    assert await page.value(2, "City") == "mine"


async def test_saving_from_a_field_takes_what_is_typed(grid: Opener) -> None:
    page = await grid()
    panel = await detail(page, 2)
    await field(panel, "City").get_by_role("button", name="Edit City").click()
    await page.type("Rome")
    await page.js("view.save()")
    await page.until("client.value('3', 'City') === 'Rome'")


async def test_the_row_of_a_key_is_opened(grid: Opener) -> None:
    page = await grid()
    panel = await detail(page, 4)
    await field(panel, "Spouse").get_by_role("button", name="Open row of Sample.Person").click()
    assert await page.js("window.opened") == [
        {
            "namespace": "USER",
            "tableName": "Sample.Person",
            "view": {"filters": [{"column": "ID", "operator": "equals", "value": 5}], "sort": []},
        }
    ]
    await page.click(3, "Name")
    await expect(field(panel, "Spouse").get_by_role("button", name="Open row")).to_have_count(0)
