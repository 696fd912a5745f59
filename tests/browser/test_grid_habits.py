"""Habits of a spreadsheet: fill the selection, pick rows one by one, copy with headers, undo at its place."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .harness.grid_page import GridPage
from .harness.opening import Opener

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def pick(page: GridPage, *rows: int) -> None:
    """Click the first row's number, and the others' with Ctrl."""
    for index, row in enumerate(rows):
        number = page.page.locator(f".slick-row[data-row='{row}'] .gutter")
        await number.click(modifiers=["Control"] if index else [])


async def picked(page: GridPage) -> list[int]:
    """Return the rows that are drawn as selected."""
    nodes = await page.js(
        "[...document.querySelectorAll('.slick-cell.gutter.in-range')]"
        ".map((node) => Number(node.closest('.slick-row').dataset.row))"
    )
    return sorted(nodes)


async def test_control_enter_fills_the_selection(grid: Opener) -> None:
    page = await grid()
    await page.click(2, "City")
    await page.keys("Shift+ArrowDown", "Shift+ArrowDown")
    await page.type("Rome")
    await page.keys("Control+Enter")
    assert [await page.value(row, "City") for row in (1, 2, 3, 4, 5)] == ["", "Rome", "Rome", "Rome", None]
    assert await page.js("document.activeElement === view.table.sheet.getContainerNode()")
    assert await page.range() == [2, 3, 4, 3]
    await page.keys("Control+z")
    assert await page.pending() == [0, 0, 0]
    await page.click(2, "Age")
    await page.keys("Shift+ArrowDown")
    await page.type("x")
    await page.keys("Control+Enter")
    await expect(page.page.locator(".cell-editor")).to_have_attribute("aria-invalid", "true")
    await page.keys("Escape")
    assert await page.pending() == [0, 0, 0]


async def test_control_enter_in_one_cell_is_a_line_break(grid: Opener) -> None:
    page = await grid()
    await page.click(2, "City")
    await page.type("a")
    await page.keys("Control+Enter")
    await page.type("b")
    await page.keys("Enter")
    assert await page.value(2, "City") == "a\nb"


async def test_rows_are_picked_one_by_one(grid: Opener) -> None:
    page = await grid()
    await pick(page, 2, 5, 8)
    assert await picked(page) == [2, 5, 8]
    await page.until("statuses.at(-1).selection.rows === 3")
    await pick(page, 2, 5, 8, 5)
    assert await picked(page) == [2, 8]
    await page.keys("Control+c")
    lines = (await page.copied()).split("\r\n")
    assert [line.split("\t")[1] for line in lines] == ["name 2", "name 8"]
    await page.keys("Delete")
    assert await page.pending() == [0, 0, 2]
    await page.keys("Control+s")
    await page.confirm()
    await page.until("view.pending.deleted === 0")
    assert await page.js("[...client.deleted]") == ["3", "9"]
    assert await page.js("view.table.selection.isRows") is False


async def test_control_and_a_cell_pick_its_row_beside_the_active_one(grid: Opener) -> None:
    page = await grid()
    await page.click(3, "Name")
    await page.click(6, "City", modifiers=["Control"])
    assert await picked(page) == [3, 6]
    await page.keys("Control+d")
    await page.until("view.pending.inserted === 2")
    assert [await page.value(row, "Name") for row in (7, 8)] == ["name 3", "name 6"]


async def test_picked_rows_are_exported_alone(grid: Opener) -> None:
    page = await grid()
    await pick(page, 1, 4)
    chosen = await page.js("view.exportRange('selection')")
    assert chosen["rows"] == 2
    assert await page.js("view.exportRows(view.exportRange('selection'))") == ["2", "5"]


async def test_cells_are_copied_with_the_names_of_their_columns(grid: Opener) -> None:
    page = await grid()
    await page.click(2, "Name")
    await page.keys("Shift+ArrowRight", "Shift+ArrowDown", "Control+Alt+c")
    await page.until("said.at(-1)[0].startsWith('Copied')")
    assert await page.copied() == "Name\tCity\r\nname 2\tcity 2\r\nname 3\tcity 3"
    await page.click(10, "Name")
    await page.keys("Control+v")  # the header is recognised
    await page.until("view.pending.changed === 4")
    assert await page.value(10, "Name") == "name 2"
    await page.click(4, "Age", button="right")
    await page.page.get_by_role("menuitem", name="Copy with headers").click()
    await page.js("async () => { while (!(await navigator.clipboard.readText()).startsWith('Age')); }")


async def test_undo_and_redo_go_to_what_they_changed(grid: Opener) -> None:
    page = await grid("rows=5000")
    await page.click(2, "City")
    await page.type("Rome")
    await page.keys("Enter")
    await page.click(3, "Name")
    await page.keys("Shift+ArrowDown", "Shift+ArrowDown")
    await page.type("same")
    await page.keys("Control+Enter", "Control+End")
    await page.settled()
    await page.keys("Control+z")
    assert await page.active() == [3, "Name"]
    assert await page.range() == [3, 2, 5, 2]
    await expect(page.cell(3, "Name")).to_be_visible()
    await page.keys("Control+z")
    assert await page.active() == [2, "City"]
    await page.keys("Control+y", "Control+y")
    assert await page.active() == [3, "Name"]
