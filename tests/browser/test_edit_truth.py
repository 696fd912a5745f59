"""What the page shows is true of the database: numbers of rows, odd names, two tabs, cut values, large saves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.async_api import Page, expect

from iris_quart.demo.server import ThreadedDemoServer

from .test_edit_server import cell, edit, open_table, save, shown, stored
from .visits import Visitor

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


WITHOUT_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', {get: () => undefined})"


async def duplicate(page: Page) -> Page:
    """Open another tab with a copy of this one's session storage, as a browser duplicates a tab."""
    copied = await page.evaluate("JSON.stringify({...sessionStorage})")
    other = await page.context.new_page()
    await other.add_init_script(
        f"if (!sessionStorage.length) for (const [key, text] of Object.entries({copied})) "
        "sessionStorage.setItem(key, text);"
    )
    await other.goto(page.url)
    await shown(other)
    return other


@pytest.mark.parametrize("locks", [True, False], ids=["Web Locks", "no Web Locks"])
async def test_a_duplicated_tab_saves_a_new_row_once(
    visitor: Visitor, iris: ThreadedDemoServer, locks: bool
) -> None:
    table = make(iris, f"Copies{int(locks)}", "N INTEGER, T VARCHAR(20)", [(1, "first"), (2, "second")])
    visit = await visitor()
    if not locks:
        await visit.context.add_init_script(WITHOUT_LOCKS)
    page = await open_table(visit, table)
    await cell(page, 1, "N").click()
    await page.keyboard.press("Alt+Insert")
    await page.keyboard.type("3")
    await page.keyboard.press("Enter")
    await edit(page, 0, "T", "mine")
    await expect(page.locator("[data-action=save]")).to_have_attribute("aria-disabled", "false")
    async with asyncio.timeout(8):
        while "mine" not in await page.evaluate("JSON.stringify({...sessionStorage})"):
            await asyncio.sleep(0.02)
    other = await duplicate(page)
    visit.watch(other)
    await expect(other.locator("[data-part=notices]")).to_contain_text("Another tab", timeout=10_000)
    await edit(other, 1, "T", "theirs")
    await save(other)
    await other.reload()
    await shown(other)
    await expect(other.locator("[data-action=save]")).to_have_attribute("aria-disabled", "true")
    await page.bring_to_front()
    await page.reload()
    await shown(page)
    await save(page)
    assert stored(iris, f"SELECT N, T FROM {table} ORDER BY ID") == [(1, "mine"), (2, "theirs"), (3, None)]
    await other.close()


ODD = ("__proto__", "constructor", "toString", "hasOwnProperty")


async def test_columns_may_be_called_as_what_every_object_has(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    columns = ", ".join(f'"{name}" VARCHAR(50)' for name in ODD)
    table = make(iris, "OddNames", columns, [tuple(f"{name} {n}" for name in ODD) for n in (1, 2, 3)])
    page = await open_table(await visitor(), table)
    everything = "SELECT " + ", ".join(f'"{name}"' for name in ODD) + f" FROM {table} ORDER BY %ID"
    for name in ODD:
        await expect(cell(page, 0, name)).to_have_text(f"{name} 1")
        await edit(page, 0, name, f"{name} new")
    async with asyncio.timeout(8):
        while "hasOwnProperty new" not in await page.evaluate("JSON.stringify({...sessionStorage})"):
            await asyncio.sleep(0.02)
    await page.reload()
    await shown(page)
    for name in ODD:
        await expect(cell(page, 0, name)).to_have_text(f"{name} new")
    await save(page)
    assert stored(iris, everything)[0] == tuple(f"{name} new" for name in ODD)
    # A copied row, pasted over another one and as a new one, and a duplicate.
    await page.locator(".slick-row[data-row='0'] .gutter").click()
    await page.keyboard.press("Control+c")
    await page.locator(".slick-row[data-row='1'] .gutter").click()
    await page.keyboard.press("Control+v")
    await save(page)
    await page.locator(".slick-row[data-row='2'] .gutter").click()
    await page.keyboard.press("Control+d")
    await save(page)
    await page.locator(".slick-row[data-row='2'] .gutter").click()
    await page.keyboard.press("Control+Shift+v")
    await save(page)
    assert stored(iris, everything) == [
        tuple(f"{name} new" for name in ODD),
        tuple(f"{name} new" for name in ODD),
        tuple(f"{name} 3" for name in ODD),
        tuple(f"{name} 3" for name in ODD),
        tuple(f"{name} new" for name in ODD),
    ]
    text = await page.evaluate(
        "table => fetch(`/api/export?namespace=SAMPLES&tableName=${table}&format=csv`).then((r) => r.text())",
        table,
    )
    assert text.count("hasOwnProperty new") == 3


async def test_a_long_value_of_somebody_else_is_read_whole_before_it_is_decided(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    table = make(iris, "Grows", "T VARCHAR(30000)", [("short",), ("other",)])
    visit = await visitor()
    page = await open_table(visit, table)
    await edit(page, 0, "T", "mine")
    whole = "y" * 2_000 + " the end"
    stored(iris, f"UPDATE {table} SET T = ? WHERE %ID = 1", whole)
    await page.keyboard.press("Control+s")
    await expect(page.locator("[data-part=notices]")).to_contain_text("in conflict")
    await page.get_by_role("button", name="Take theirs").click()
    await expect(page.locator("dialog")).to_have_count(0)
    await cell(page, 0, "T").click()
    await page.keyboard.press("Shift+Enter")
    await expect(page.get_by_role("textbox", name="Value of T")).to_have_value(whole)


async def test_what_was_chosen_decides_in_a_table_of_one_column(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    table = make(iris, "OneColumn", "N INTEGER", [(n,) for n in range(1, 7)])
    page = await open_table(await visitor(), table)
    numbers = f"SELECT N FROM {table} ORDER BY %ID"
    await cell(page, 0, "N").click()
    await page.keyboard.press("Delete")
    await save(page)
    assert stored(iris, numbers)[0] == (None,), "a cell was chosen"
    # Rows by their numbers: marked, deleted, and the selection does not fall to the rows that moved up.
    await page.locator(".slick-row[data-row='1'] .gutter").click()
    await page.locator(".slick-row[data-row='2'] .gutter").click(modifiers=["Shift"])
    await page.keyboard.press("Delete")
    await expect(page.locator(".slick-row.is-deleted")).not_to_have_count(0)
    await page.keyboard.press("Control+s")
    await page.get_by_role("alertdialog").locator(".button-primary").click()
    await expect(page.locator(".slick-row.is-deleted")).to_have_count(0)
    assert stored(iris, numbers) == [(None,), (4,), (5,), (6,)]
    await expect(cell(page, 1, "N")).to_have_text("4")
    await page.keyboard.press("Delete")
    await expect(page.locator(".slick-row.is-deleted")).to_have_count(0)
    await expect(page.locator("dialog")).to_have_count(0)
    await save(page)
    assert stored(iris, numbers) == [(None,), (None,), (5,), (6,)], "one cell, for no row is chosen"


async def test_what_a_page_without_tls_lacks_has_a_way_back(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    table = make(iris, "Insecure", "N INTEGER, T VARCHAR(20)", [(1, "first"), (2, "second")])
    visit = await visitor()
    await visit.context.add_init_script(
        WITHOUT_LOCKS + ";Object.defineProperty(Navigator.prototype, 'clipboard', {get: () => undefined});"
        "delete Crypto.prototype.randomUUID; Object.defineProperty(Crypto.prototype, 'subtle', {get: () => undefined});"
    )
    page = await open_table(visit, table)
    await cell(page, 0, "T").click()
    await page.keyboard.press("Control+c")
    await expect(page.locator("[data-part=status]")).to_contain_text("Copied 1")
    await cell(page, 1, "N").click()
    await page.keyboard.press("Control+Shift+v")
    await cell(page, 0, "T").click(button="right")
    await page.get_by_role("menuitem", name=re.compile("^Copy Ctrl")).click()
    await expect(page.locator("[data-part=status]")).to_contain_text("Copied 1")
    await cell(page, 1, "T").click()
    await page.keyboard.press("Control+Shift+v")
    await expect(page.locator("[data-part=status]")).to_contain_text("new row")
    await page.evaluate("Document.prototype.execCommand = () => false")
    await cell(page, 0, "T").click(button="right")
    await page.get_by_role("menuitem", name=re.compile("^Copy Ctrl")).click()
    await expect(page.locator("[data-part=notices]")).to_contain_text("does not let this page write")
