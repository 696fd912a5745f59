"""Take the pictures of docs/images again: the main views over the embedded IRIS, as `make screenshots` runs it."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from iris_quart.demo import DemoOptions
from iris_quart.demo.server import running_in_thread
from tests.browser.conftest import CHROMIUM_ARGUMENTS, WebServer, chromium_path

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
PASSWORDS = {"_SYSTEM": "SYS", "alice": "alice"}
WINDOW: ViewportSize = {"width": 1280, "height": 800}


async def signed_in(
    browser: Browser, web: WebServer, scheme: Literal["light", "dark"], user: str = "_SYSTEM"
) -> Page:
    """Open a signed-in browser."""
    context = await browser.new_context(viewport=WINDOW, color_scheme=scheme)
    await context.add_init_script("Date.now = () => Date.parse('2026-01-15T14:02:36')")
    answer = await context.request.post(
        f"{web.url}/api/connect",
        data={"server": "demo", "namespace": "SAMPLES", "username": user, "password": PASSWORDS[user]},
    )
    assert answer.ok, await answer.text()
    return await context.new_page()


async def table(page: Page, web: WebServer, address: str) -> None:
    """Go to a table and wait for its rows."""
    await page.goto(f"{web.url}/table/SAMPLES/{address}")
    await page.locator("[data-part=status-connection][data-state=live]").wait_for()
    await page.locator(".slick-row [role=gridcell]").first.wait_for()
    await page.locator("[data-part=status-rows]").filter(has_text="of").wait_for()


async def put(page: Page, row: int, column: int, text: str) -> None:
    """Type a value into a cell, counted from the first row on screen and ARIA's column index."""
    cell = page.locator(f'[aria-colindex="{column}"]').locator("visible=true")
    await page.locator(".slick-row").locator(cell).nth(row).click()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def edited(page: Page, web: WebServer) -> None:
    """Show Sample.Person with edits of each kind."""
    await table(page, web, "Sample.Person?sort=Name:asc")
    await put(page, 1, 3, "Abbott,Grace M.")
    await put(page, 4, 7, "12 Elm Drive")
    await put(page, 5, 7, "12 Elm Drive")
    await page.locator('.slick-row [aria-colindex="3"]').nth(8).click()
    for _ in range(2):
        await page.keyboard.press("Shift+ArrowDown")
    await page.keyboard.press("Shift+ArrowRight")


async def conflict(browser: Browser, web: WebServer, page: Page) -> None:
    """Let somebody else be faster with one of the edits, and show both versions."""
    other = await signed_in(browser, web, "light", "alice")
    await table(other, web, "Sample.Person?sort=Name:asc")
    await put(other, 1, 3, "Abbott,Grace Miller")
    await other.keyboard.press("Control+s")
    await other.locator("[data-part=status-message]").filter(has_text="Saved").wait_for()
    await page.locator(".is-conflict").first.wait_for()
    await page.locator(".panel").get_by_role("button", name="Compare").first.click()
    await page.get_by_role("dialog").wait_for()
    await page.screenshot(path=IMAGES / "conflict.png")


async def draw(browser: Browser, web: WebServer) -> None:
    """Take every picture."""
    page = await signed_in(browser, web, "dark")
    await edited(page, web)
    await page.screenshot(path=IMAGES / "editor-dark.png")
    page = await signed_in(browser, web, "light")
    await edited(page, web)
    await page.screenshot(path=IMAGES / "editor-light.png")
    await page.locator("[data-action=showReview]").click()
    await page.locator(".panel").filter(has_text="UPDATE").wait_for()
    await page.screenshot(path=IMAGES / "review.png")
    await conflict(browser, web, page)
    await page.goto(f"{web.url}/")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("sam")
    await page.locator(".palette-item").first.wait_for()
    await page.screenshot(path=IMAGES / "palette.png")
    await page.context.clear_cookies()
    await page.goto(f"{web.url}/login")
    await page.screenshot(path=IMAGES / "sign-in.png")


async def main() -> None:
    """Start what is needed, draw, and stop it."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_in_thread(DemoOptions(directory=Path(folder) / "iris", licences=None)) as iris,
    ):
        web = WebServer(Path(folder) / "instance", iris.url)
        web.start()
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS
                )
                await draw(browser, web)
                await browser.close()
        finally:
            web.stop()
    for image in sorted(IMAGES.glob("*.png")):
        print(f"{image.relative_to(IMAGES.parent.parent)}  {image.stat().st_size // 1024} KB")


if __name__ == "__main__":
    asyncio.run(main())
