"""Headers after a column was hidden, and binary values as pictures and files."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from iris_quart.demo.server import ThreadedDemoServer

from .test_edit_server import cell, open_table
from .visits import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


def png(width: int, height: int) -> bytes:
    """Make a red picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + b"\xff\x00\x00" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def header(page: Page, name: str) -> Locator:
    """Find the header of a column."""
    return page.locator(".slick-header-column").filter(
        has=page.locator(".label").get_by_text(name, exact=True)
    )


async def choose(page: Page, name: str, item: str) -> None:
    """Choose from the menu of a column."""
    await header(page, name).click(button="right")
    await page.get_by_role("menuitem", name=item).click()


async def test_the_menu_and_the_sort_mark_find_their_header_after_a_column_was_hidden(
    visitor: Visitor,
) -> None:
    page = await open_table(await visitor())
    await choose(page, "FavoriteColors", "Freeze columns up to here")
    await choose(page, "DOB", "Hide column")
    await expect(header(page, "DOB")).to_have_count(0)
    for name in ("FavoriteColors", "Name", "Office_Zip"):
        await header(page, name).scroll_into_view_if_needed()
        await header(page, name).click(button="right")
        await expect(page.get_by_role("menu", name=f"Column {name}")).to_be_visible()
        await page.keyboard.press("Escape")
    await header(page, "Name").click(button="right")
    await page.get_by_role("menuitemradio", name="Sort descending").click()
    await expect(page.locator(".slick-header-column-sorted .label")).to_have_text(["Name"])


async def test_bytes_are_shown_as_a_picture_and_kept_under_their_name(
    visitor: Visitor, iris: ThreadedDemoServer, tmp_path: Path
) -> None:
    run = iris.server.namespace("SAMPLES").execute
    run("CREATE TABLE Tests.Photos (Label VARCHAR(20), Photo LONGVARBINARY)", ())
    iris.server.namespace("SAMPLES").bulk_load("Tests.Photos", ("Label", "Photo"), [("red", png(40, 20))])
    visit = await visitor()
    page = await open_table(visit, "Tests.Photos")
    await cell(page, 0, "Photo").click()
    await page.keyboard.press("Shift+Enter")
    dialog = page.get_by_role("dialog", name="Value of Photo")
    await expect(dialog.get_by_role("img")).to_have_attribute(
        "aria-label", "PNG picture, 40 \u00d7 20 pixels"
    )
    red = await dialog.locator("canvas").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(5, 5, 1, 1).data]"
    )
    assert red == [255, 0, 0, 255]
    assert await visit.axe() == []
    async with page.expect_download() as kept:
        await dialog.get_by_role("button", name="Download Tests.Photos-Photo-1.png").click()
    assert (await kept.value).suggested_filename == "Tests.Photos-Photo-1.png"
    await page.keyboard.press("Shift+Enter")
    await dialog.get_by_role("button", name="Replace by the file").click()
    await expect(dialog).to_contain_text("Choose a file first.")
    other = tmp_path / "other.pdf"
    other.write_bytes(b"%PDF-1.7 not really")
    await dialog.get_by_label("Another file in its place").set_input_files(other)
    await dialog.get_by_role("button", name="Replace by the file").click()
    await expect(page.locator("[data-part=status-message]")).to_contain_text("Saved 1 row")
    await cell(page, 0, "Photo").click()
    await page.keyboard.press("Shift+Enter")
    await expect(dialog).to_contain_text("PDF document")
    await expect(dialog.get_by_role("button", name="Download Tests.Photos-Photo-1.pdf")).to_be_visible()
