"""The page on a phone and on a tablet, by touch."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from .harness.gestures import Gestures
from .visits import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

SIZES = {"phone": (390, 780), "tablet": (820, 1100)}
OUTSIDE = """[...document.querySelectorAll("body *")].filter((node) => {
    const box = node.getBoundingClientRect();
    if (!node.checkVisibility() || !box.width || (box.right <= innerWidth + 1 && box.left >= -1)) return false;
    // What pans within its own frame is reached by a finger.
    for (let up = node.parentElement; up; up = up.parentElement) {
        if (["auto", "scroll", "hidden"].includes(getComputedStyle(up).overflowX) && up.matches(
            ".slick-viewport, .slick-header, .slick-headerrow, .tools, .tablist, .tail, .clip, .sr, .label, pre, .sql, "
            + ".panel-body"
        )) return false;
    }
    return !node.closest(".sr, .skip");
}).map((node) => `${node.tagName} ${node.className}`)"""


@pytest.fixture(params=SIZES)
def viewport(request: pytest.FixtureRequest) -> dict[str, int]:
    """Give the size of a screen."""
    width, height = SIZES[request.param]
    return {"width": width, "height": height}


async def reachable(page: Page, action: str) -> None:
    """Assert that a button of the toolbar lies whole within the screen and is what a finger meets there."""
    met = await page.evaluate(
        """(action) => {
            const button = document.querySelector(`.tools [data-action=${action}]`);
            const box = button.getBoundingClientRect();
            const met = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
            return box.left >= 0 && box.right <= innerWidth && button.contains(met);
        }""",
        action,
    )
    assert met, action


async def fits(visit: Visit) -> None:
    """Assert that nothing on the page is wider than the screen."""
    assert await visit.page.evaluate(OUTSIDE) == []
    assert await visit.page.evaluate(
        "document.documentElement.scrollWidth <= innerWidth && document.querySelector('.app').scrollLeft === 0"
    )


async def test_an_edit_is_made_reviewed_and_saved_by_touch(
    visitor: Visitor, viewport: dict[str, int]
) -> None:
    visit = await visitor(viewport=viewport, has_touch=True, is_mobile=True)
    page = visit.page
    await visit.open_table("Sample.Company")
    gestures = await Gestures.of(page)
    cell = page.locator(".slick-row[data-row='2'] .slick-cell[data-column='Name']")
    await cell.wait_for()
    await fits(visit)
    await cell.scroll_into_view_if_needed()
    await gestures.tap(cell, times=2)
    await expect(page.locator(".cell-editor")).to_be_focused()
    await page.locator(".cell-editor").fill(f"By touch {viewport['width']}")
    await page.keyboard.press("Enter")
    await expect(page.locator(".tools .badge")).to_have_text("1")
    await fits(visit)
    for action in ("showReview", "save"):
        await reachable(page, action)
    await gestures.tap(page.locator(".tools [data-action=showReview]"))
    await expect(page.locator(".review .change")).to_contain_text("By touch")
    await fits(visit)
    await reachable(page, "save")
    await gestures.tap(page.locator(".tools [data-action=save]"))
    await expect(page.locator(".tools .badge")).to_have_count(0)
    await expect(cell).to_have_text(f"By touch {viewport['width']}")


async def test_tables_are_found_and_rows_are_panned_by_touch(
    visitor: Visitor, viewport: dict[str, int]
) -> None:
    visit = await visitor(viewport=viewport, has_touch=True, is_mobile=True)
    page = visit.page
    await page.goto(visit.url)
    await visit.live()
    gestures = await Gestures.of(page)
    await gestures.tap(page.locator("[data-action=sidebar]"))
    await page.get_by_label("Filter tables").fill("person")
    await gestures.press(page.locator("[data-table='Sample.Person']"), page.get_by_role("menu"))
    await gestures.tap(page.get_by_role("menuitem", name="Open").first)
    await page.locator(".slick-row[data-row='9'] .slick-cell[data-column='Name']").wait_for()
    await fits(visit)
    for side in ("left", "right"):
        before = await page.evaluate("document.querySelector('.slick-viewport-right').scrollTop")
        await gestures.swipe(page.locator(f".slick-viewport-top.slick-viewport-{side}"), y=-150)
        moved = "([before]) => document.querySelector('.slick-viewport-right').scrollTop > before + 80"
        await page.wait_for_function(moved, arg=[before])
