"""Texts that are written from right to left, wherever a value is shown or edited."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from .harness.opening import Opener

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

HEBREW = "שלום (עולם)"


async def runs(at: Locator, direction: str) -> None:
    """Assert the direction of an element's text."""
    await expect(at).to_have_css("direction", direction)


async def test_a_value_runs_in_its_own_direction(grid: Opener) -> None:
    page = await grid()
    await page.js(
        "text => client.push([{kind: 'update', rowId: '3', values: {Name: text}}], 'alice')", HEBREW
    )
    cell = page.cell(2, "Name")
    await expect(cell).to_have_text(HEBREW)
    await runs(cell, "rtl")
    await runs(page.cell(3, "Name"), "ltr")
    await page.click(2, "Name")
    await page.keys("F2")
    editor = page.page.locator(".cell-editor")
    await runs(editor, "rtl")
    await editor.fill("plain")
    await runs(editor, "ltr")
    await page.keys("Enter")
    await runs(cell, "ltr")
    await page.js("view.showReview()")
    change = page.page.locator(".change").first
    await runs(change.locator("del"), "rtl")
    await runs(change.locator("ins"), "ltr")
    await page.js("view.showReview()")
    await page.click(2, "Name")
    await page.keys("Control+z")
    await runs(cell, "rtl")
    await page.js("view.showDetail()")
    await runs(page.page.locator(".detail .current .field-value"), "rtl")
    await page.js("view.openValue()")
    await runs(page.page.locator(".value-text"), "rtl")
    await page.keys("Escape")
    await page.js("view.showFilters(true, 'Name')")
    field = page.page.get_by_label("Filter Name")
    await field.fill(HEBREW)
    await runs(field, "rtl")
    await page.keys("Enter")
    await runs(page.page.locator(".chip-value"), "rtl")
    await page.page.locator(".bar-search").fill(HEBREW)
    await runs(page.page.locator(".bar-search"), "rtl")
