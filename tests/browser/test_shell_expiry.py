"""Idle expiry with a short deadline: the warning, staying, and the end."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def web_settings() -> dict[str, str]:
    """End sessions after five idle seconds; the warning comes one second before."""
    return {"session_idle_seconds": "5"}


async def test_someone_who_is_gone_is_warned_and_then_signed_out(visitor: Visitor) -> None:
    visit = await visitor()
    page = visit.page
    # The page holds a person for present who moved within the last minute: this one never does.
    await page.add_init_script(
        "Date.now = ((now) => () => now() + (performance.now() > 500 ? 120000 : 0))(Date.now)"
    )
    await visit.open_table("Sample.Person")
    await expect(page.get_by_text("Your session ends in")).to_be_visible()
    await expect(page.get_by_role("dialog", name="Sign in again")).to_be_visible()
    await expect(page.get_by_text("Your session ends in")).to_have_count(0)


async def test_staying_is_one_click(visitor: Visitor) -> None:
    visit = await visitor()
    page = visit.page
    await page.add_init_script(
        "Date.now = ((now) => () => now() + (performance.now() > 500 ? 120000 : 0))(Date.now)"
    )
    await visit.open_table("Sample.Person")
    await page.get_by_role("button", name="Stay signed in").click()
    left = await page.evaluate("fetch('/api/session').then(answer => answer.json())")
    assert left["timeoutRemaining"] > 4000
    await expect(page.get_by_text("Your session ends in")).to_have_count(0)


async def test_someone_at_work_is_not_asked(visitor: Visitor) -> None:
    visit = await visitor()
    page = visit.page
    await visit.open_table("Sample.Person")
    extended = page.wait_for_event("websocket")
    frames: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(str(frame))))
    await page.reload()
    await extended
    await visit.live()
    await page.keyboard.press("Shift")
    await page.wait_for_function(
        "fetch('/api/session').then(a => a.json()).then(s => s.timeoutRemaining > 0 && s.timeoutRemaining < 1200)",
        polling=200,
    )
    await page.wait_for_function(
        "fetch('/api/session').then(a => a.json()).then(s => s.timeoutRemaining > 3500)", polling=200
    )
    await expect(page.get_by_text("Your session ends in")).to_have_count(0)
