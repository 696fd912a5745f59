"""What the page shows is true of the database: numbers of rows, odd names, two tabs, cut values, large saves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from playwright.async_api import Page, expect

from iris_quart.demo.server import ThreadedDemoServer

from .conftest import Visitor
from .test_edit_server import cell, edit, open_table, save, shown, stored

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


def make(iris: ThreadedDemoServer, name: str, columns: str, rows: Sequence[Sequence[Any]] = ()) -> str:
    """Create a table in SQLUser and fill it; return its full name."""
    namespace = iris.server.namespace("SAMPLES")
    namespace.execute(f"CREATE TABLE SQLUser.{name} ({columns})")
    places = ", ".join("?" * len(columns.split(",")))
    for row in rows:
        namespace.execute(f"INSERT INTO SQLUser.{name} VALUES ({places})", list(row))
    return f"SQLUser.{name}"


async def go_to_row(page: Page, number: int) -> None:
    """Ask for a row by its number."""
    await page.keyboard.press("Control+g")
    await page.keyboard.type(str(number))
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog")).to_have_count(0)


async def test_rows_deleted_in_the_database_shorten_the_grid(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    table = make(iris, "Shrinks", "N INTEGER")
    iris.server.namespace("SAMPLES").bulk_load(table, ("N",), [(n,) for n in range(1, 1001)])
    page = await open_table(await visitor(), table)
    status = page.locator("[data-part=status]")
    await expect(status).to_contain_text("of 1,000")
    stored(iris, f"DELETE FROM {table} WHERE N <= 400 OR N > 600")
    await cell(page, 0, "N").click()
    await go_to_row(page, 700)
    await expect(status).to_contain_text("of 200")
    await expect(page.locator(".slick-row.loading")).to_have_count(0)
    await expect(cell(page, 199, "N")).to_have_text("600")
    await expect(page.locator(".slick-row[data-row='199'] .gutter")).to_have_text("200")
    await page.keyboard.press("Control+Home")
    await page.keyboard.press("F5")
    await expect(cell(page, 0, "N")).to_have_text("401")
    await page.keyboard.press("Control+End")
    await expect(cell(page, 199, "N")).to_have_text("600")
    await expect(status).to_contain_text("of 200")
