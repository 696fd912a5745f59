"""Axe on the frame's views that the other files do not look at, in both themes."""

from __future__ import annotations

import json
import re

import pytest
from playwright.async_api import WebSocketRoute, expect

from .conftest import WebServer
from .visits import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
Findings = dict[str, list[str]]


def nothing(findings: Findings) -> None:
    """Expect no view with a finding."""
    assert {view: found for view, found in findings.items() if found} == {}


async def rows(visit: Visit) -> None:
    """Wait until rows are on screen."""
    await expect(visit.page.locator(".view:not([hidden]) .slick-row [role=gridcell]").first).to_be_visible()


@SCHEMES
async def test_what_stands_in_place_of_rows(visitor: Visitor, scheme: str) -> None:
    findings: Findings = {}
    visit = await visitor(color_scheme=scheme)
    page = visit.page
    panel = page.get_by_role("tabpanel")
    await visit.open_table("Sample.Empty")
    await expect(panel).to_contain_text("This table has no rows")
    findings["empty table"] = await visit.axe()
    await visit.open_table('Sample.Company?filter=["Name","equals","nobody"]')
    await expect(page.locator(".view:not([hidden])")).to_contain_text("No rows match this filter")
    findings["no match"] = await visit.axe()
    await visit.open_table("No.Such")
    await expect(page.locator(".view:not([hidden])")).to_contain_text("This table is not there")
    findings["no such table"] = await visit.axe()
    visit.expect("status of 404")
    await page.goto(f"{visit.url}/no/such/page")
    await expect(page.get_by_role("heading")).to_be_visible()
    findings["error page"] = await visit.axe()
    nothing(findings)


@SCHEMES
async def test_read_only_menus_and_questions(visitor: Visitor, scheme: str) -> None:
    findings: Findings = {}
    locked = await visitor(server="demo-readonly", color_scheme=scheme)
    await locked.open_table("Sample.Person")
    await rows(locked)
    findings["read-only"] = await locked.axe()
    await locked.page.get_by_role("button", name="demo-readonly").click()
    findings["server menu"] = await locked.axe()
    visit = await visitor(color_scheme=scheme)
    page = visit.page
    await visit.open_table("Sample.Person")
    await rows(visit)
    await page.locator(".slick-row [data-column=Name]").nth(2).click()
    await page.keyboard.type("Staged")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="SAMPLES").click()
    findings["namespace menu"] = await visit.axe()
    await page.keyboard.press("Escape")
    await page.get_by_role("tab").click(button="right")
    findings["tab menu"] = await visit.axe()
    await page.keyboard.press("Escape")
    await page.locator('[data-table="Sample.Company"]').click(button="right")
    findings["table menu"] = await visit.axe()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Export rows").click()
    findings["export"] = await visit.axe()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Discard", exact=True).click()
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    findings["question"] = await visit.axe()
    await page.keyboard.press("Escape")
    await page.get_by_role("tab").focus()
    await page.keyboard.press("Delete")
    await expect(page.locator("[data-part=toasts]")).to_contain_text("Sample.Person closed.")
    findings["toast"] = await visit.axe()
    nothing(findings)


@SCHEMES
async def test_connection_and_session(visitor: Visitor, web: WebServer, scheme: str) -> None:
    findings: Findings = {}
    visit = await visitor(color_scheme=scheme)
    visit.expect(r"status of 401|WebSocket connection to .* failed")
    page = visit.page
    sockets: list[WebSocketRoute] = []
    back = False

    async def between(socket: WebSocketRoute) -> None:
        if sockets and not back:
            await socket.close(code=1011)
            return
        sockets.append(socket)
        socket.connect_to_server()

    await page.add_init_script(
        "window.late = 0; Date.now = (now => () => now() + window.late)(Date.now); Math.random = () => 1"
    )
    await page.route_web_socket(re.compile(r"/ws$"), between)
    await visit.open_table("Sample.Person")
    await rows(visit)
    await page.evaluate("window.late = 120_000")
    sockets[0].send(json.dumps({"event": "sessionExpiring", "payload": {"secondsLeft": 90}}))
    await expect(page.get_by_role("button", name="Stay signed in")).to_be_visible()
    findings["warning"] = await visit.axe()
    await sockets[0].close(code=1011)
    await page.locator("[data-part=status-connection][data-state=away]").wait_for()
    findings["away"] = await visit.axe()
    back = True
    await page.get_by_role("button", name="Retry now").click()
    await visit.live()
    await visit.context.request.post(f"{visit.url}/api/disconnect")
    await expect(page.get_by_role("dialog", name="Sign in again")).to_be_visible()
    findings["sign in again"] = await visit.axe()
    await page.get_by_label("Password").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    findings["refused"] = await visit.axe()
    nothing(findings)
