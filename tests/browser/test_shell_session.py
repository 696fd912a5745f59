"""The end of a session: warned of once, signed in again over the page, nothing shown and nothing lost meanwhile."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from .visits import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

REFUSED = r"status of 401|WebSocket connection to .* failed"


async def person(visitor: Visitor) -> Visit:
    """Open Sample.Person and wait for its rows."""
    visit = await visitor()
    visit.expect(REFUSED)
    await visit.open_table("Sample.Person")
    await expect(visit.page.get_by_role("gridcell").first).to_be_visible()
    return visit


async def end_session(visit: Visit) -> None:
    """End the session behind the page's back."""
    assert (await visit.context.request.post(f"{visit.url}/api/disconnect")).ok


async def sign_in_again(page: Page, password: str) -> None:
    """Answer the card that stands over the page."""
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def test_an_ended_session_is_signed_in_again_over_the_page(visitor: Visitor) -> None:
    visit = await person(visitor)
    page = visit.page
    await page.locator('[data-table="Sample.Company"]').click()
    await expect(
        page.get_by_role("tabpanel", name="Sample.Company").get_by_role("gridcell").first
    ).to_be_visible()
    await end_session(visit)
    card = page.get_by_role("dialog", name="Sign in again")
    await expect(card).to_be_visible()
    await expect(card).to_contain_text("Your session ended at")
    await expect(page.get_by_label("Password")).to_be_focused()
    # Not blurred: gone. And neither Esc nor Ctrl+K uncovers anything.
    assert await page.locator("[role=gridcell]").count() == 0
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await expect(card).to_be_visible()
    await expect(page.get_by_role("combobox", name="Go to table or command")).to_have_count(0)
    assert await visit.axe() == []
    await sign_in_again(page, "wrong")
    await expect(card.get_by_role("alert")).to_contain_text("Not signed in.")
    await expect(page.get_by_label("Password")).to_be_focused()
    await sign_in_again(page, "SYS")
    await visit.live()
    await expect(card).to_have_count(0)
    await expect(page.get_by_role("tab")).to_have_count(2)
    await expect(
        page.get_by_role("tabpanel", name="Sample.Company").get_by_role("gridcell").first
    ).to_be_visible()
    assert page.url.endswith("/table/SAMPLES/Sample.Company")


async def test_a_value_being_typed_when_the_session_ends_is_not_lost(visitor: Visitor) -> None:
    visit = await person(visitor)
    page = visit.page
    target = page.locator(".slick-row [data-column='Name']").nth(2)
    await target.click()
    await page.keyboard.type("half a na")
    await end_session(visit)
    await expect(page.get_by_role("dialog", name="Sign in again")).to_be_visible()
    await sign_in_again(page, "SYS")
    await visit.live()
    await expect(target).to_have_text("half a na")
    await expect(page.locator("[data-part=status-pending]")).to_contain_text("1 cell changed")


async def test_a_long_value_being_edited_when_the_session_ends_comes_back(visitor: Visitor) -> None:
    visit = await person(visitor)
    page = visit.page
    await visit.open_table("SQLUser.TypeMatrix")
    await page.locator(".slick-row[data-row='0'] [data-column='VarcharValue']").click()
    await page.keyboard.press("Shift+Enter")
    area = page.get_by_role("textbox", name="Value of VarcharValue")
    await area.fill("half a page")
    await end_session(visit)
    await expect(page.get_by_role("dialog", name="Sign in again")).to_be_visible()
    # Neither the text nor a question about it stands over the sign-in.
    await expect(page.locator("dialog")).to_have_count(1)
    await expect(page.get_by_label("Password")).to_be_focused()
    await sign_in_again(page, "SYS")
    await visit.live()
    await expect(area).to_be_focused()
    await expect(area).to_have_value("half a page")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("[data-part=status-pending]")).to_contain_text("1 cell changed")


async def test_a_page_whose_cookie_became_someone_elses_sends_nothing(visitor: Visitor) -> None:
    visit = await person(visitor)
    page = visit.page
    await visit.connect("alice", "alice")
    card = page.get_by_role("dialog", name="Sign in again")
    await expect(card).to_be_visible()
    # The session of _SYSTEM was replaced; the page offers the way back and the way to the other user.
    await expect(page.get_by_label("User on demo")).to_have_value("_SYSTEM")
    await page.get_by_role("link", name="Use another user").click()
    await visit.live()
    await expect(page.get_by_role("button", name="alice")).to_be_visible()


async def test_sessions_of_mine_can_be_ended_from_elsewhere(visitor: Visitor) -> None:
    first = await person(visitor)
    second = await person(visitor)
    page = second.page
    await page.get_by_role("button", name="_SYSTEM").click()
    await page.get_by_role("menuitem", name="Your sessions").click()
    dialog = page.get_by_role("dialog", name="Your sessions")
    await expect(dialog.get_by_text("this one")).to_have_count(1)
    await dialog.get_by_role("button", name="End all others").click()
    await expect(page.get_by_text("ended.")).to_be_visible()
    await expect(first.page.get_by_role("dialog", name="Sign in again")).to_be_visible()
    await expect(page.get_by_role("dialog", name="Sign in again")).to_have_count(0)
