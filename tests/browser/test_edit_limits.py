"""Very large selections over a server that takes few messages at a time."""

from __future__ import annotations

import pytest
from playwright.async_api import WebSocket, expect

from iris_quart.demo.server import ThreadedDemoServer

from .test_edit_server import cell, open_table, stored
from .test_edit_truth import make
from .visits import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

ROWS = 3_000


@pytest.fixture(scope="module")
def web_settings() -> dict[str, str]:
    """Allow few messages, and few edits in one."""
    return {"messages_per_second": "25", "messages_burst": "12", "changes_max": "60"}


async def test_a_whole_column_is_cleared_and_saved_at_the_pace_that_the_server_takes(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    table = make(iris, "Many", "N INTEGER, T VARCHAR(20)")
    iris.server.namespace("SAMPLES").bulk_load(table, ("N", "T"), [(n, f"t{n}") for n in range(ROWS)])
    visit = await visitor()
    sockets: list[WebSocket] = []
    visit.page.on("websocket", lambda socket: sockets.append(socket))
    page = await open_table(visit, table)
    await cell(page, 0, "T").click()
    await page.keyboard.press("Control+Space")
    await page.keyboard.press("Delete")
    await expect(page.locator("[data-part=status]")).to_contain_text(
        f"{ROWS:,} cells changed", timeout=60_000
    )
    await page.keyboard.press("Control+s")
    await page.get_by_role("alertdialog").locator(".button-primary").click()
    await expect(page.locator("[data-action=save]")).to_have_attribute(
        "aria-disabled", "true", timeout=90_000
    )
    assert stored(iris, f"SELECT COUNT(*) FROM {table} WHERE T IS NULL") == [(ROWS,)]
    assert len(sockets) == 1, "the server closed no connection"
