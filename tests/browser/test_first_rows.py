"""The rows that come with the page: there before the socket, taken over by it, and never a way around the session."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from playwright.async_api import Dialog, Page, WebSocketRoute, expect

from iris_quart.demo.server import ThreadedDemoServer

from .visits import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

SOCKET = re.compile(r"/ws$")
PERSON = "/table/SAMPLES/Sample.Person"
EMPTY = re.compile(rb'id="first-rows"[^>]*></script>')
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "line\u2028and\u2029paragraph",
    "'single' \"double\" \\ back",
    "<img src=x onerror=alert(1)>",
)


async def show(visit: Visit, line: Line | None = None, address: str = PERSON) -> None:
    """Go to a table's page that comes with its rows: a busy machine may be too late with them."""
    for _ in range(50):
        if line is not None:
            line.forget()
        answer = await visit.page.goto(visit.url + address)
        assert answer is not None
        if not EMPTY.search(await answer.body()):
            return
    raise AssertionError("no page had rows")


class Line:
    """The socket between page and server: what the page sends is noted, and held back until `open` is called."""

    def __init__(self, *, held: bool = True) -> None:
        self.sent: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._latest: WebSocketRoute | None = None
        self._waiting: list[tuple[WebSocketRoute, str]] | None = [] if held else None

    async def install(self, page: Page) -> None:
        await page.route_web_socket(SOCKET, self._between)

    def open(self) -> None:
        """Let what was held back go, and all that follows."""
        waiting, self._waiting = self._waiting, None
        for server, text in waiting or ():
            server.send(text)

    def forget(self) -> None:
        """Forget what an earlier page sent."""
        self.sent.clear()
        if self._waiting is not None:
            self._waiting = []

    def commands(self) -> list[str]:
        return [message["command"] for message in self.sent]

    async def until(self, *commands: str) -> None:
        """Wait until the page has sent one of these commands."""
        async with asyncio.timeout(20):
            while not set(commands) & set(self.commands()):
                self._news.clear()
                await self._news.wait()

    def changed(self, message: dict[str, Any]) -> dict[str, Any]:
        """Change a message on its way to the server."""
        return message

    def _between(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        # What the page before sent may still be on its way.
        self._latest = socket
        self.forget()

        def up(message: str | bytes) -> None:
            if socket is not self._latest:
                return
            command = self.changed(json.loads(message))
            self.sent.append(command)
            self._news.set()
            if self._waiting is None:
                server.send(json.dumps(command))
            else:
                self._waiting.append((server, json.dumps(command)))

        socket.on_message(up)
        server.on_message(socket.send)


class Forgetful(Line):
    """A line on which the server does not recognise the mark of the rows."""

    def changed(self, message: dict[str, Any]) -> dict[str, Any]:
        """Replace the mark."""
        if message["command"] == "followTable":
            message["payload"]["readMark"] = "0.unknown"
        return message


class Breaking(Line):
    """A line that breaks with the first command after the question who is signed in."""

    broken = False

    def forget(self) -> None:
        """Break the next one again."""
        super().forget()
        self.broken = False

    def _between(self, socket: WebSocketRoute) -> None:
        if self.broken:
            super()._between(socket)
            return

        async def break_off(_: str | bytes) -> None:
            if not self.broken:
                self.broken = True
                await socket.close(code=1012)

        socket.on_message(break_off)


async def person(visitor: Visitor, **options: Any) -> tuple[Visit, Line]:
    """Sign somebody in whose socket is silent until it is opened."""
    visit = await visitor(**options)
    line = Line()
    await line.install(visit.page)
    return visit, line


async def live(visitor: Visitor) -> tuple[Visit, Line]:
    """Show a table's page to somebody, and wait for its connection."""
    visit, line = await person(visitor)
    await show(visit, line)
    line.open()
    await visit.live()
    return visit, line


async def test_rows_are_there_without_a_word_of_the_socket(visitor: Visitor) -> None:
    visit, line = await person(visitor)
    page = visit.page
    await show(visit, line)
    await expect(page.locator(".slick-row[data-row='5'] [data-column='Name']")).not_to_be_empty()
    await expect(page.locator("[data-part=status-connection]")).to_have_attribute("data-state", "connecting")
    assert await page.locator("#first-rows").count() == 0
    heads = page.locator(".slick-header-column:not(.gutter)")
    assert await page.locator(".head-menu").count() == await heads.count()
    await expect(page.locator("[data-part=status-query]")).to_have_attribute(
        "title", re.compile(r"\d+ request")
    )
    # What is typed now is an unsaved change like any other.
    await page.locator(".slick-row[data-row='1'] [data-column='Name']").click()
    await page.keyboard.type("typed early")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-part=status-pending]")).to_contain_text("1 cell changed")
    line.open()
    await visit.live()
    await expect(page.locator(".slick-row[data-row='1'] [data-column='Name']")).to_have_text("typed early")


async def test_the_socket_takes_over_and_asks_for_no_row_again(visitor: Visitor) -> None:
    visit, line = await person(visitor)
    page = visit.page
    await show(visit, line)
    city = page.locator(".slick-row[data-row='2'] [data-column='Home_City']")
    await expect(city).to_be_visible()
    other = await visitor()
    await other.open_table("Sample.Person")
    await save(other.page, 2, "Between")
    line.open()
    await visit.live()
    await expect(city).to_have_text("Between")
    await save(other.page, 2, "Afterwards")
    await expect(city).to_have_text("Afterwards")
    await expect(page.get_by_role("contentinfo")).to_contain_text("of 200")
    await expect(page.get_by_role("contentinfo")).not_to_contain_text("200+")
    assert "followTable" in line.commands()
    assert not {"selectTable", "requestData", "refresh"} & set(line.commands())


async def save(page: Page, row: int, text: str) -> None:
    """Save one cell."""
    await page.locator(f".slick-row[data-row='{row}'] [data-column='Home_City']").click()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+s")
    await expect(page.locator("[data-part=status-pending]")).not_to_contain_text("changed")


async def test_rows_are_read_once_more_when_the_server_cannot_say_what_changed(visitor: Visitor) -> None:
    visit = await visitor()
    line = Forgetful(held=False)
    await line.install(visit.page)
    await show(visit, line)
    await line.until("requestData")
    assert "selectTable" not in line.commands()
    await expect(visit.page.get_by_role("gridcell").first).to_be_visible()


async def test_a_connection_that_breaks_before_it_took_over(visitor: Visitor) -> None:
    visit = await visitor()
    line = Breaking(held=False)
    await line.install(visit.page)
    await show(visit, line)
    await expect(visit.page.get_by_role("gridcell").first).to_be_visible()
    await visit.live()
    await line.until("requestData")
    await expect(visit.page.get_by_role("gridcell").first).to_be_visible()


async def test_a_session_that_ended_meanwhile_shows_no_rows(visitor: Visitor) -> None:
    visit, line = await person(visitor)
    visit.expect("WebSocket|401")
    page = visit.page
    await show(visit, line)
    await expect(page.get_by_role("gridcell").first).to_be_visible()
    assert (await visit.context.request.post(f"{visit.url}/api/disconnect")).ok
    line.open()
    await expect(page.get_by_role("dialog", name="Sign in again")).to_be_visible()
    assert await page.get_by_role("gridcell").count() == 0


async def test_a_read_only_server(visitor: Visitor) -> None:
    visit, line = await person(visitor, server="demo-readonly")
    page = visit.page
    await show(visit, line)
    await expect(page.get_by_role("gridcell").first).to_be_visible()
    await expect(page.locator("[data-part=why]")).to_be_visible()
    await page.locator(".slick-row[data-row='1'] [data-column='Name']").click()
    await page.keyboard.type("no")
    await expect(page.locator("[data-part=status-pending]")).not_to_contain_text("changed")
    line.open()
    await visit.live()


async def test_a_table_that_does_not_exist(visitor: Visitor) -> None:
    visit = await visitor()
    await visit.open_table("No.Such")
    await expect(visit.page.get_by_role("alert").filter(has_text="No.Such")).to_be_visible()


async def test_hostile_texts_are_text(visitor: Visitor, iris: ThreadedDemoServer) -> None:
    engine = iris.server.namespace("SAMPLES")
    engine.run_script("CREATE TABLE Proof.Hostile (T VARCHAR(100));")
    engine.bulk_load("Proof.Hostile", ["T"], [[text] for text in HOSTILE])
    visit, line = await person(visitor)
    page = visit.page
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await show(visit, line, "/table/SAMPLES/Proof.Hostile")
    for row, text in enumerate(HOSTILE):
        cell = page.locator(f".slick-row[data-row='{row}'] [data-column='T']")
        await expect(cell).to_be_visible()
        shown = await cell.text_content()
        assert re.sub(r"\s|\u21b5", "", shown or "") == re.sub(r"\s", "", text), row
    assert dialogs == []


async def test_a_filtered_address(visitor: Visitor) -> None:
    visit, line = await person(visitor)
    page = visit.page
    address = f"{PERSON}?sort=Name%3Adesc&filter={json.dumps(['Home_State', 'equals', 'MA'])}"
    cells = page.locator(".slick-row [data-column='Home_State']")
    await show(visit, line, address)
    await expect(cells.first).to_have_text("MA")
    line.open()
    await visit.live()
    await expect(cells.first).to_have_text("MA")
    await line.until("followTable")
    assert not {"selectTable", "requestData"} & set(line.commands())


async def test_unsaved_edits_are_compared_with_the_rows_that_came(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    visit, line = await live(visitor)
    page = visit.page
    name = page.locator(".slick-row[data-row='3'] [data-column='Name']")
    await name.click()
    await page.keyboard.type("mine")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-part=status-pending]")).to_contain_text("1 cell changed")
    iris.server.namespace("SAMPLES").execute("UPDATE Sample.Person SET Name = ? WHERE ID = 4", ["theirs"])
    await show(visit, line)
    await expect(name).to_have_class(re.compile("is-conflict"))


async def test_a_text_that_is_being_typed_is_there_after_a_reload(visitor: Visitor) -> None:
    visit, _ = await live(visitor)
    page = visit.page
    name = page.locator(".slick-row[data-row='6'] [data-column='Name']")
    await name.click()
    await page.keyboard.type("half")
    await page.reload()
    await expect(name).to_have_text("half")
    await expect(page.locator("[data-part=status-pending]")).to_contain_text("1 cell changed")


async def test_a_text_that_is_refused_makes_the_browser_ask(visitor: Visitor) -> None:
    visit, _ = await live(visitor)
    page = visit.page
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    page.on("dialog", stay)
    await page.locator(".slick-row[data-row='6'] [data-column='DOB']").click()
    await page.keyboard.type("Anna")
    async with page.expect_event("dialog"):
        await page.evaluate("setTimeout(() => location.reload())")
    await expect(page.locator(".cell-editor")).to_have_value("Anna")
    assert asked == ["beforeunload"]


async def test_what_a_person_needs_later_is_fetched_with_the_first_sign_of_one(visitor: Visitor) -> None:
    visit = await visitor()
    page = visit.page
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    await show(visit)
    await visit.live()
    await expect(page.locator('[data-table="Sample.Company"]')).to_be_visible()
    await page.wait_for_load_state("networkidle")
    scripts = [url for url in fetched if url.endswith(".js")]
    assert 0 < len(set(scripts)) <= 3, scripts
    async with page.expect_request(re.compile(r"/panel/review\.js$")):
        await page.mouse.move(300, 300)
    # What came with the page and what came later are one: the panel shows what was typed in the grid.
    await page.locator(".slick-row[data-row='1'] [data-column='Name']").click()
    await page.keyboard.type("typed")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name=re.compile("^Review")).click()
    await expect(page.get_by_role("complementary")).to_contain_text("typed")
