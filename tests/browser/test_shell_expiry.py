"""Idle expiry with a short deadline: the warning, staying, and the end."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from .visits import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def web_settings() -> dict[str, str]:
    """End sessions after five idle seconds; the warning comes one second before."""
    return {"session_idle_seconds": "5"}


async def gone_for_a_while(visitor: Visitor) -> Visit:
    """Open a table and let two minutes pass for the page, in which nobody touches it."""
    visit = await visitor()
    await visit.page.add_init_script(
        "window.late = 0; Date.now = (now => () => now() + window.late)(Date.now)"
    )
    await visit.open_table("Sample.Person")
    await visit.page.evaluate("window.late = 120_000")
    return visit


async def time_left(page: Page, comparison: str) -> None:
    """Wait until the session's time left, in milliseconds, compares so."""
    await page.evaluate(
        f"""async () => {{
          for (;;) {{
            const session = await (await fetch("/api/session")).json();
            if (session.status !== "connected") throw new Error("the session has ended");
            if (session.timeoutRemaining {comparison}) return;
            await new Promise((resolve) => setTimeout(resolve, 100));
          }}
        }}"""
    )


async def test_someone_who_is_gone_is_warned_and_then_signed_out(visitor: Visitor) -> None:
    visit = await gone_for_a_while(visitor)
    page = visit.page
    await expect(page.get_by_text("Your session ends in").first).to_be_visible()
    await expect(page.get_by_role("dialog", name="Sign in again")).to_be_visible()
    await expect(page.locator("[data-part=toasts]").get_by_text("Your session ends in")).to_have_count(0)


async def test_staying_is_one_click(visitor: Visitor) -> None:
    visit = await gone_for_a_while(visitor)
    page = visit.page
    await page.get_by_role("button", name="Stay signed in").click()
    await time_left(page, "> 4000")
    await expect(page.locator("[data-part=toasts]").get_by_text("Your session ends in")).to_have_count(0)


async def test_any_key_is_a_sign_of_life_too(visitor: Visitor) -> None:
    visit = await gone_for_a_while(visitor)
    page = visit.page
    await expect(page.get_by_role("button", name="Stay signed in")).to_be_visible()
    await page.keyboard.press("Shift")
    await expect(page.get_by_role("button", name="Stay signed in")).to_have_count(0)
    await time_left(page, "> 4000")


async def test_someone_at_work_is_not_asked(visitor: Visitor) -> None:
    visit = await visitor()
    page = visit.page
    await visit.open_table("Sample.Person")
    await page.evaluate(
        """() => {
          window.asked = false;
          const look = () => { window.asked ||= document.body.innerText.includes("Stay signed in"); };
          new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
        }"""
    )
    await time_left(page, "< 1500")
    await time_left(page, "> 3500")
    assert not await page.evaluate("window.asked")
    await expect(page.locator("[data-part=status-connection][data-state=live]")).to_be_visible()
