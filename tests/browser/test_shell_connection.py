"""Losing the server and coming back: quietly, by itself, without losing what was typed."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from iris_quart.demo.server import ThreadedDemoServer

from .conftest import WebServer
from .visits import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

SOCKET = re.compile(r"/ws$")
DROPPED = (
    r"WebSocket connection to .* failed|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_INTERNET_DISCONNECTED"
)


@pytest.fixture(autouse=True)
def running(web: WebServer) -> Iterator[None]:
    """Leave the server running for the next test, whatever happened to it."""
    yield
    web.ensure()


async def person(visitor: Visitor) -> Visit:
    """Open Sample.Person and wait for its rows."""
    visit = await visitor()
    visit.expect(DROPPED)
    await visit.open_table("Sample.Person")
    await expect(visit.page.get_by_role("gridcell").first).to_be_visible()
    return visit


async def away(page: Page) -> None:
    """Wait until the page says that the connection is gone."""
    await page.locator("[data-part=status-connection][data-state=away]").wait_for()


async def test_a_killed_server_is_told_and_found_again(visitor: Visitor, web: WebServer) -> None:
    visit = await person(visitor)
    page = visit.page
    web.kill()
    await away(page)
    await expect(page.locator("[data-part=status-connection]")).to_contain_text("Reconnecting")
    # The rows stay where they are, to be read and edited.
    await expect(page.get_by_role("gridcell").first).to_be_visible()
    await asyncio.to_thread(web.start)
    await visit.live()
    await page.get_by_role("button", name="Refresh rows").click()
    await expect(page.get_by_role("gridcell").first).to_be_visible()


ANNOUNCED = """() => {
  window.announced = [];
  const host = document.querySelector("[data-part=announcer]");
  new MutationObserver(() => host.textContent && announced.push(host.textContent)).observe(host, {childList: true});
}"""


async def test_a_drop_is_announced_once_and_edits_say_that_they_wait(
    visitor: Visitor, web: WebServer, iris: ThreadedDemoServer
) -> None:
    visit = await person(visitor)
    page = visit.page
    await page.evaluate(ANNOUNCED)
    status = page.locator("[data-part=status-connection]")
    web.kill()
    await away(page)
    for row in (7, 8):
        await page.locator(f".slick-row[data-row='{row}'] [data-column='Name']").click()
        await page.keyboard.type(f"Typed while away {row}")
        await page.keyboard.press("Enter")
    await expect(status).not_to_contain_text("queued")
    await page.keyboard.press("Control+s")
    await expect(status).to_contain_text("2 edits queued")
    await expect(status).to_have_attribute("title", re.compile("2 edits wait here and will be sent."))
    await page.get_by_role("button", name="Retry now").click()
    await away(page)
    await asyncio.to_thread(web.start)
    await visit.live()
    await expect(page.locator("[data-part=status-pending]")).to_be_hidden()
    await expect(status).to_have_text("Live")
    stored = iris.server.namespace("SAMPLES").execute(
        "SELECT Name FROM Sample.Person WHERE ID IN (8, 9) ORDER BY ID", ()
    )
    assert stored.rows == [("Typed while away 7",), ("Typed while away 8",)]
    said = await page.evaluate("announced")
    assert said.count("The connection was lost. Reconnecting by itself.") == 1
    assert said.count("Connected again.") == 1
    assert await status.get_attribute("role") is None, "a live region would read every second"


async def test_rows_that_cannot_be_read_again_stay_and_the_reason_stands_on_its_own_ground(
    visitor: Visitor,
) -> None:
    visit = await visitor()
    page = visit.page
    refusing = False

    def between(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def up(message: str | bytes) -> None:
            command = json.loads(message)
            if not refusing or command["command"] != "requestData":
                server.send(message)
                return
            error = {
                "code": "SERVER_UNREACHABLE",
                "message": "IRIS cannot be reached.",
                "recoverable": True,
                "context": "requestData",
            }
            socket.send(json.dumps({"event": "error", "payload": error, "id": command["id"]}))

        socket.on_message(up)
        server.on_message(socket.send)

    await page.route_web_socket(SOCKET, between)
    await visit.open_table("Sample.Person")
    await expect(page.get_by_role("gridcell").first).to_be_visible()
    refusing = True
    await page.get_by_role("button", name="Refresh rows").click()
    alert = page.get_by_role("alert").filter(has_text="The rows could not be read")
    await expect(alert).to_contain_text("IRIS cannot be reached.")
    await expect(page.get_by_role("gridcell").first).to_be_visible()
    ground = await alert.locator("> div").evaluate("card => getComputedStyle(card).backgroundColor")
    assert ground == "rgb(255, 255, 255)", "no rows shine through the text"
    assert await visit.axe() == []
    refusing = False
    await alert.get_by_role("button", name="Try again").click()
    await expect(alert).to_have_count(0)


async def test_an_announced_restart_is_over_within_three_seconds_of_the_server_being_back(
    visitor: Visitor, web: WebServer
) -> None:
    visit = await person(visitor)
    await asyncio.to_thread(web.stop)
    await away(visit.page)
    await asyncio.to_thread(web.start)
    back = time.monotonic()
    await visit.live()
    assert time.monotonic() - back < 3.0


async def test_the_page_comes_back_at_once_when_the_network_does(visitor: Visitor) -> None:
    visit = await visitor()
    visit.expect(DROPPED)
    page = visit.page
    refused = 0

    async def refuse_three(socket: WebSocketRoute) -> None:
        nonlocal refused
        if refused < 3:
            refused += 1
            await socket.close(code=1011)
        else:
            socket.connect_to_server()

    # The longest waits that the jitter allows: half a second, one, two, and so on.
    await page.add_init_script("Math.random = () => 1")
    await page.route_web_socket(SOCKET, refuse_three)
    await page.goto(f"{visit.url}/table/SAMPLES/Sample.Person")
    status = page.locator("[data-part=status-connection]")
    await expect(status).to_contain_text("in 2 s")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await visit.live()
    await expect(page.get_by_role("gridcell").first).to_be_visible()
    assert refused == 3


async def test_a_table_opened_while_away_shows_its_rows_after(visitor: Visitor, web: WebServer) -> None:
    visit = await person(visitor)
    page = visit.page
    web.kill()
    await away(page)
    await page.locator('[data-table="Sample.Company"]').click()
    await expect(page.get_by_role("tab", name="Sample.Company")).to_have_attribute("aria-selected", "true")
    panel = page.get_by_role("tabpanel", name="Sample.Company")
    await expect(panel).to_contain_text("The rows are read as soon as the server can be reached again.")
    await asyncio.to_thread(web.start)
    await visit.live()
    await expect(panel.get_by_role("gridcell").first).to_be_visible()
    await expect(panel).not_to_contain_text("The rows are read as soon as")


async def test_a_page_loaded_while_the_socket_is_refused_keeps_trying(visitor: Visitor) -> None:
    visit = await visitor()
    visit.expect(DROPPED)
    await visit.page.route_web_socket(SOCKET, lambda socket: socket.close(code=1011))
    await visit.page.goto(f"{visit.url}/table/SAMPLES/Sample.Person")
    await away(visit.page)
    status = visit.page.locator("[data-part=status-connection]")
    await expect(status.get_by_role("button", name="Retry now")).to_be_visible()


async def test_a_connection_closed_for_too_many_messages_comes_back_after_a_pause(visitor: Visitor) -> None:
    visit = await visitor()
    visit.expect(DROPPED)
    opened: list[float] = []

    async def refuse(socket: WebSocketRoute) -> None:
        opened.append(asyncio.get_running_loop().time())
        if len(opened) == 1:
            await socket.close(code=1008, reason="too many messages")
        else:
            socket.connect_to_server()

    page = visit.page
    await page.route_web_socket(SOCKET, refuse)
    await page.goto(f"{visit.url}/table/SAMPLES/Sample.Person")
    await visit.live()
    await expect(page.get_by_role("gridcell").first).to_be_visible(timeout=20_000)
    assert opened[1] - opened[0] >= 3


@pytest.mark.parametrize(("code", "said"), [(1009, "too large")])
async def test_a_connection_closed_for_cause_is_not_retried_by_itself(
    visitor: Visitor, code: int, said: str
) -> None:
    visit = await visitor()
    visit.expect(DROPPED)
    opened = 0

    async def refuse(socket: WebSocketRoute) -> None:
        nonlocal opened
        opened += 1
        if opened == 1:
            await socket.close(code=code, reason="because")
        else:
            socket.connect_to_server()

    page = visit.page
    await page.route_web_socket(SOCKET, refuse)
    await page.goto(f"{visit.url}/table/SAMPLES/Sample.Person")
    await expect(page.get_by_role("alert")).to_contain_text(said)
    await expect(page.locator("[data-part=status-connection]")).to_contain_text("Disconnected")
    await page.evaluate("dispatchEvent(new Event('online'))")
    assert opened == 1
    await page.get_by_role("alert").get_by_role("button", name="Reconnect").click()
    await visit.live()
    await expect(page.get_by_role("gridcell").first).to_be_visible()
