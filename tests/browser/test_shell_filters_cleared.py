"""Patterns in the filter row, a key that clears all filters, and Ctrl+D with nothing to fill."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from playwright.async_api import expect

from iris_quart.demo.server import ThreadedDemoServer

from .test_edit_server import cell, open_table, stored
from .visits import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

ROWS = "[data-part=status-rows]"


async def test_a_star_and_a_question_mark_are_a_pattern(visitor: Visitor, iris: ThreadedDemoServer) -> None:
    page = await open_table(await visitor())
    ((many,),) = stored(iris, "SELECT COUNT(*) FROM Sample.Person WHERE Name LIKE 'T%,_a%'")
    await cell(page, 0, "Name").click()
    await page.keyboard.press("Control+f")
    await page.keyboard.type("T*,?a*")
    await page.keyboard.press("Enter")
    await expect(page.locator(ROWS)).to_contain_text(f"of {many}")
    assert '["Name","matches","T*,?a*"]' in unquote(page.url)
    await page.reload()
    await expect(page.locator(ROWS)).to_contain_text(f"of {many}")


async def test_a_key_clears_all_filters_from_the_rows_and_from_a_field(visitor: Visitor) -> None:
    page = await open_table(await visitor())
    for from_rows in (True, False):
        await cell(page, 0, "Name").click()
        await page.keyboard.press("Control+f")
        await page.keyboard.type("T*")
        await page.keyboard.press("Enter")
        await expect(page.locator(ROWS)).not_to_contain_text("of 200")
        if from_rows:
            await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Control+Shift+F")
        await expect(page.locator(ROWS)).to_contain_text("of 200")
        await expect(page.locator("input.filter[data-column=Name]")).to_have_value("")
    await page.keyboard.press("Control+Shift+F")
    await expect(page.locator("[data-part=status-message]")).to_have_text("There is no filter to clear")


async def test_ctrl_d_with_one_cell_says_why_nothing_happens(visitor: Visitor) -> None:
    page = await open_table(await visitor())
    await cell(page, 2, "Name").click()
    await page.keyboard.press("Control+d")
    await expect(page.locator("[data-part=notices]")).to_have_text(re.compile("cells below it first"))
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[data-part=notices] .note-bar")).to_have_count(0)


async def test_a_test_of_the_connection_can_be_stopped(visitor: Visitor) -> None:
    visit = await visitor(user=None)
    page = visit.page
    await page.route("**/api/test-connection", lambda route: None)  # it never answers
    await page.goto(visit.url)
    await page.get_by_label("User").fill("_SYSTEM")
    await page.get_by_label("Password").fill("SYS")
    await page.get_by_role("button", name="Test the connection").click()
    await page.get_by_role("button", name="Stop the test").click()
    await expect(page.locator("[data-part=test-result]")).to_have_text("The test was stopped.")
    await expect(page.get_by_role("button", name="Test the connection")).to_be_visible()
