"""Export as CSV: the selection, the rows on screen, all that the filters leave."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from playwright.async_api import expect

from .conftest import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def opened(visitor: Visitor, path: str) -> Visit:
    """Open a table in a browser that cannot write files itself, so that an export is a download."""
    visit = await visitor()
    await visit.page.add_init_script("delete window.showSaveFilePicker")
    await visit.page.goto(f"{visit.url}{path}")
    await visit.live()
    await expect(visit.page.get_by_role("gridcell").first).to_be_visible()
    return visit


async def export(visit: Visit, what: str, null: str = "empty") -> list[list[str]]:
    """Export through the dialog, and read the file."""
    page = visit.page
    await page.get_by_role("button", name="Export rows").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Rows").select_option(what)
    await dialog.get_by_label("NULL is written as").select_option(null)
    assert await visit.axe() == []
    async with page.expect_download() as download:
        await dialog.get_by_role("button", name="Export as CSV").click()
    path = Path(await (await download.value).path())
    return list(csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")))


async def test_all_rows_that_match_the_filters(visitor: Visitor) -> None:
    visit = await opened(visitor, '/table/SAMPLES/Sample.Person?filter=["ID","lessOrEqual",150]&sort=ID:desc')
    lines = await export(visit, "all")
    assert lines[0][:2] == ["ID", "Name"]
    assert [line[0] for line in lines[1:]] == [str(number) for number in range(150, 0, -1)]


async def test_the_selection_only(visitor: Visitor) -> None:
    visit = await opened(visitor, "/table/SAMPLES/Sample.Person")
    page = visit.page
    first = page.locator(".slick-row [aria-colindex='3']").first
    await first.click()
    for _ in range(2):
        await page.keyboard.press("Shift+ArrowDown")
    await page.keyboard.press("Shift+ArrowRight")
    name = await first.inner_text()
    lines = await export(visit, "selection")
    assert lines[0] == ["Name", "SSN"]
    assert len(lines) == 4
    assert lines[1][0] == name


async def test_null_may_be_a_word(visitor: Visitor) -> None:
    visit = await opened(visitor, '/table/SAMPLES/Sample.Person?filter=["DOB","isNull"]')
    lines = await export(visit, "all", "word")
    dob = lines[0].index("DOB")
    assert len(lines) > 1
    assert {line[dob] for line in lines[1:]} == {"NULL"}


async def test_an_export_that_fails_says_why(visitor: Visitor) -> None:
    visit = await opened(visitor, "/table/SAMPLES/Sample.Person")
    visit.expect("status of 502")
    page = visit.page
    await page.route(
        "**/api/export?*", lambda route: route.fulfill(status=502, json={"error": "IRIS is not there."})
    )
    await page.locator(".slick-row [aria-colindex='3']").first.click()
    await page.keyboard.press("Shift+ArrowDown")
    await page.get_by_role("button", name="Export rows").click()
    await page.get_by_role("dialog").get_by_role("button", name="Export as CSV").click()
    await expect(page.get_by_role("alert")).to_contain_text("The export stopped. IRIS is not there.")
