"""The sign-in page where people may type the address of an IRIS server."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from iris_quart.demo.server import ThreadedDemoServer

from .visits import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def web_settings(iris: ThreadedDemoServer) -> dict[str, str]:
    """Let addresses on this machine be typed."""
    return {
        "allow_free_host": "true",
        "free_host_networks": '["127.0.0.0/8"]',
        "free_host_ports": f"[{iris.port}]",
    }


async def test_an_address_is_typed_tested_and_signed_in_to(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    visit = await visitor(None)
    page = visit.page
    await page.goto(f"{visit.url}/login")
    assert await visit.axe() == []
    await page.get_by_label("Server").fill(f"127.0.0.1:{iris.port}")
    await page.get_by_label("Namespace").fill("SAMPLES")
    await page.get_by_label("User", exact=True).fill("_SYSTEM")
    await page.get_by_label("Password").fill("SYS")
    await page.get_by_role("button", name="Test the connection").click()
    await expect(page.locator("[data-part=test-result]")).to_contain_text("The server answers: IRIS")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await visit.live()
    await visit.open_table("Sample.Person")
    await expect(page.get_by_role("gridcell").first).to_be_visible()
    # Signing in again over the page goes to the same address.
    visit.expect(r"WebSocket connection to .* failed")
    await visit.context.request.post(f"{visit.url}/api/disconnect")
    await page.get_by_label("Password").fill("SYS")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await visit.live()
    await expect(page.get_by_role("gridcell").first).to_be_visible()


async def test_an_address_outside_of_what_is_allowed_is_refused(visitor: Visitor) -> None:
    visit = await visitor(None)
    visit.expect(r"status of (4|50)")
    page = visit.page
    await page.goto(f"{visit.url}/login")
    await page.get_by_label("Server").fill("10.0.0.1:52773")
    await page.get_by_label("User", exact=True).fill("_SYSTEM")
    await page.get_by_label("Password").fill("SYS")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.locator("#sign-in-error")).to_be_visible()
    await expect(page.get_by_label("Server")).to_have_value("10.0.0.1:52773")


async def test_a_configured_server_may_still_be_named(visitor: Visitor) -> None:
    visit = await visitor(None)
    page = visit.page
    await page.goto(f"{visit.url}/login")
    await expect(page.get_by_label("Server")).to_have_value("demo")
    await page.get_by_label("User", exact=True).fill("_SYSTEM")
    await page.get_by_label("Password").fill("SYS")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await visit.live()
