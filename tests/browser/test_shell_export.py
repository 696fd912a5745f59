"""Export as CSV: the selection, the rows on screen, all that the filters leave."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from iris_quart.demo.server import ThreadedDemoServer

from .visits import Visit, Visitor

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
    text = await export_text(visit, what, null)
    return list(csv.reader(io.StringIO(text, newline="")))


async def export_text(visit: Visit, what: str, null: str = "empty") -> str:
    """Export through the dialog, and give the file as it is."""
    page = visit.page
    await page.get_by_role("button", name="Export rows").click()
    await expect(page.get_by_role("dialog").locator("select").first).to_be_focused()  # not the cross
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Rows").select_option(what)
    await dialog.get_by_label("NULL is written as").select_option(null)
    assert await visit.axe() == []
    async with page.expect_download() as download:
        await dialog.get_by_role("button", name="Export as CSV").click()
    path = Path(await (await download.value).path())
    return path.read_bytes().decode("utf-8-sig")


async def test_all_rows_that_match_the_filters(visitor: Visitor) -> None:
    visit = await opened(visitor, '/table/SAMPLES/Sample.Person?filter=["ID","lessOrEqual",150]&sort=ID:desc')
    lines = await export(visit, "all")
    assert lines[0][:2] == ["ID", "Age"]
    assert [line[0] for line in lines[1:]] == [str(number) for number in range(150, 0, -1)]


async def test_the_selection_only(visitor: Visitor) -> None:
    visit = await opened(visitor, "/table/SAMPLES/Sample.Person")
    page = visit.page
    first = page.locator(".slick-row [data-column='Name']").first
    await first.click()
    for _ in range(2):
        await page.keyboard.press("Shift+ArrowDown")
    await page.keyboard.press("Shift+ArrowRight")
    name = await first.inner_text()
    lines = await export(visit, "selection")
    assert lines[0] == ["Name", "SSN"]
    assert len(lines) == 4
    assert lines[1][0] == name


async def test_the_rows_on_screen_only(visitor: Visitor) -> None:
    visit = await opened(visitor, "/table/SAMPLES/Sample.Person?sort=ID:desc")
    status = visit.page.locator("[data-part=status-rows]")
    await expect(status).to_contain_text("of 200")
    shown = re.match(r"1\u2013(\d+) of 200", await status.inner_text())
    assert shown is not None
    lines = await export(visit, "page")
    assert len(lines[0]) > 10, "all columns"
    assert [line[0] for line in lines[1:]] == [str(200 - index) for index in range(int(shown[1]))]


async def test_a_selection_is_exported_whole_also_where_its_rows_were_not_read_yet(visitor: Visitor) -> None:
    visit = await opened(visitor, "/table/SAMPLES/Sample.Person")
    page = visit.page
    await page.locator(".slick-row [data-column='Name']").nth(1).click()
    await page.keyboard.press("Control+Shift+End")
    await page.get_by_role("button", name="Export rows").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Rows").locator("option:checked")).to_have_text(
        re.compile(r"^The selection \(199 rows, \d+ columns\)$")
    )
    await page.keyboard.press("Escape")
    lines = await export(visit, "selection")
    assert len(lines) == 200
    assert "Name" in lines[0]
    # Everything: streamed as one, not row by row.
    await page.get_by_role("grid").press("Control+a")
    addresses: list[str] = []
    page.on("download", lambda download: addresses.append(download.url))
    lines = await export(visit, "selection")
    assert addresses[0].startswith(visit.url), "the server's stream itself, not what the page gathered"
    assert "rowIds" not in addresses[0]
    assert len(lines) == 201


async def test_null_empty_and_formulas_are_told_apart(visitor: Visitor, iris: ThreadedDemoServer) -> None:
    iris.server.namespace("SAMPLES").execute(
        "UPDATE Sample.Person SET Name = '=1+1', Home_Street = '', Home_City = NULL WHERE ID = 150", ()
    )
    visit = await opened(visitor, '/table/SAMPLES/Sample.Person?filter=["ID","equals",150]')
    page = visit.page
    await page.locator(".slick-row [data-column='Name']").first.click()
    await page.keyboard.type("only staged")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Export rows").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Unsaved edits are not in it.")
    await page.keyboard.press("Escape")
    text = await export_text(visit, "all")
    names, line = text.splitlines()
    values = re.findall(r'(?:^|,)("(?:[^"]|"")*"|[^,]*)', line)
    cells = dict(zip(names.split(","), values, strict=True))
    assert cells["Home_Street"] == '""'
    assert cells["Home_City"] == ""
    assert cells["Name"].strip('"') == "'=1+1"


CHOSEN_FILE = """() => {
  window.showSaveFilePicker = async ({ suggestedName }) => {
    const folder = await navigator.storage.getDirectory();
    window.file = await folder.getFileHandle(suggestedName, { create: true });
    return window.file;
  };
  const real = window.fetch;
  window.fetch = (url, options) => {
    if (!window.slow || !String(url).includes("/api/export")) return real(url, options);
    const body = new ReadableStream({
      start(controller) {
        window.feed = (text) => controller.enqueue(new TextEncoder().encode(text));
        options.signal.addEventListener("abort", () => controller.error(options.signal.reason));
      },
    });
    return Promise.resolve(new Response(body));
  };
}"""
CONTENT = "async () => (await (await window.file.getFile()).text())"


async def test_a_large_export_shows_its_progress_and_can_be_stopped(visitor: Visitor) -> None:
    visit = await opened(visitor, "/table/SAMPLES/Sample.Person")
    page = visit.page
    await page.evaluate(CHOSEN_FILE)
    await expect(page.locator("[data-part=status-rows]")).to_contain_text("of 200")

    async def go() -> None:
        await page.get_by_role("button", name="Export rows").click()
        await page.get_by_role("dialog").get_by_label("Rows").select_option("all")
        await page.get_by_role("dialog").get_by_role("button", name="Export as CSV").click()

    await page.evaluate("window.slow = true")
    await go()
    toasts = page.locator("[data-part=toasts]")
    await expect(toasts).to_contain_text("Exporting: 0 of 200 rows")
    # Screen readers hear that it is over, not each of its steps.
    await expect(toasts.get_by_text("Exporting:")).to_have_attribute("aria-live", "off")
    await page.wait_for_function("() => Boolean(window.feed)")
    await page.evaluate('feed("ID,Name\\r\\n1,one\\r\\n2,\\"two\\r\\nlines\\"\\r\\n")')
    await expect(toasts).to_contain_text(re.compile(r"Exporting: 2 of 200 rows . \d+ B"))
    await toasts.get_by_role("button", name="Stop").click()
    await expect(toasts).to_contain_text("The export was stopped. No file was kept.")
    assert await page.evaluate(CONTENT) == ""

    await page.evaluate("window.slow = false")
    await go()
    await expect(toasts).to_contain_text(re.compile(r"Sample.Person.csv was exported: 200 rows, [\d.]+ KB\."))
    assert len((await page.evaluate(CONTENT)).splitlines()) == 201


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
        "**/api/export*", lambda route: route.fulfill(status=502, json={"error": "IRIS is not there."})
    )
    await page.locator(".slick-row [data-column='Name']").first.click()
    await page.keyboard.press("Shift+ArrowDown")
    await page.get_by_role("button", name="Export rows").click()
    await page.get_by_role("dialog").get_by_role("button", name="Export as CSV").click()
    await expect(page.get_by_role("alert")).to_contain_text("The export stopped. IRIS is not there.")
