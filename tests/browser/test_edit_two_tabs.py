"""Two tabs of one browser whose drafts are kept for the whole browser."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, expect

from iris_quart.demo.server import ThreadedDemoServer

from .test_edit_server import cell, edit, open_table, save, shown, stored
from .test_edit_truth import make
from .visits import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def web_settings() -> dict[str, str]:
    """Keep drafts in the browser's storage."""
    return {"drafts": "browser"}


async def kept(page: Page, text: str) -> None:
    """Wait until the browser's drafts hold a text."""
    async with asyncio.timeout(8):
        while text not in await page.evaluate("JSON.stringify({...localStorage})"):
            await asyncio.sleep(0.02)


async def test_two_tabs_keep_their_edits_of_one_table_apart(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    table = make(iris, "Twice", "N INTEGER, T VARCHAR(20)", [(1, "first"), (2, "second")])
    visit = await visitor()
    one = await open_table(visit, table)
    await cell(one, 1, "N").click()
    await one.keyboard.press("Alt+Insert")
    await one.keyboard.type("3")
    await one.keyboard.press("Enter")
    await edit(one, 0, "T", "one")
    await kept(one, "one")
    two = await visit.context.new_page()
    visit.watch(two)
    await two.goto(one.url)
    await shown(two)
    await expect(two.locator("[data-part=notices]")).to_contain_text("Another tab", timeout=10_000)
    await edit(two, 1, "T", "two")
    await kept(two, "two")
    await edit(one, 0, "T", "one more")
    await kept(one, "one more")
    await kept(one, "two")
    await two.close()
    await one.close()
    # Nobody owns the drafts any more: the next tab takes both over.
    three = await visit.context.new_page()
    visit.watch(three)
    await three.goto(f"{visit.url}/table/SAMPLES/{table}")
    await shown(three)
    await expect(cell(three, 0, "T")).to_have_text("one more")
    await save(three)
    assert stored(iris, f"SELECT N, T FROM {table} ORDER BY ID") == [(1, "one more"), (2, "two"), (3, None)]
    async with asyncio.timeout(8):
        while any(":draft:" in key for key in await three.evaluate("Object.keys(localStorage)")):
            await asyncio.sleep(0.02)
