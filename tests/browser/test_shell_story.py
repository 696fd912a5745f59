"""The whole story with a real server and database: edit, insert, delete; drafts; two people; a server that dies."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Locator, Page, expect

from iris_quart.demo.server import ThreadedDemoServer

from .conftest import WebServer
from .visits import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

DROPPED = r"WebSocket connection to .* failed|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|status of 401"


@pytest.fixture(autouse=True)
def running(web: WebServer) -> Iterator[None]:
    """Leave the server running for the next test, whatever happened to it."""
    yield
    web.ensure()


def stored(iris: ThreadedDemoServer, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Ask the database itself."""
    return [tuple(row) for row in iris.namespace("SAMPLES").execute(sql, parameters).rows]


def ssn_of(iris: ThreadedDemoServer, row_id: int) -> str:
    """Give the SSN of a person, by which a row is found on the page."""
    return str(stored(iris, "SELECT SSN FROM Sample.Person WHERE %ID = ?", row_id)[0][0])


def city_of(iris: ThreadedDemoServer, row_id: int) -> Any:
    """Give the city that the database holds for a person."""
    return stored(iris, "SELECT Home_City FROM Sample.Person WHERE %ID = ?", row_id)[0][0]


async def people(visitor: Visitor, user: str = "_SYSTEM", password: str = "SYS", **options: Any) -> Visit:
    """Open Sample.Person and wait for its rows."""
    visit = await visitor(user, password, **options)
    visit.expect(DROPPED)
    await visit.open_table("Sample.Person")
    await expect(visit.page.get_by_role("gridcell").first).to_be_visible()
    return visit


async def cell(page: Page, ssn: str, column: str) -> Locator:
    """Find a cell by its row's SSN and its column's name, scrolled into view."""
    header = page.get_by_role("columnheader", name=re.compile(rf"^{column}\b")).first
    index = await header.get_attribute("aria-colindex")
    found = page.locator(f'.slick-row:has-text("{ssn}") [aria-colindex="{index}"]')
    async with asyncio.timeout(10):
        while True:
            # A row is drawn anew when something of it comes, perhaps in this very moment.
            with suppress(PlaywrightError):
                if await found.count():
                    await found.scroll_into_view_if_needed()
                    return found
                # Rows far below are not drawn before somebody goes there.
                await page.locator(".view:not([hidden]) .sheet").hover()
                await page.mouse.wheel(0, 200)


async def type_into(page: Page, ssn: str, column: str, text: str) -> Locator:
    """Type a value into a cell, as people do: choose it, type, Enter."""
    target = await cell(page, ssn, column)
    await target.click()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")
    await expect(target).to_have_text(text)
    return target


def pending(page: Page) -> Locator:
    """Find the part of the status bar that counts staged edits."""
    return page.locator("[data-part=status-pending]")


async def saved(page: Page) -> None:
    """Wait until nothing is staged any more."""
    await expect(pending(page)).to_be_hidden()


async def test_a_cell_is_edited_saved_and_still_there_after_a_restart(
    visitor: Visitor, iris: ThreadedDemoServer, web: WebServer
) -> None:
    visit = await people(visitor)
    page = visit.page
    ssn = ssn_of(iris, 3)
    await type_into(page, ssn, "Home_City", "Ghent")
    await expect(pending(page)).to_contain_text("1 cell changed")
    await expect(
        page.get_by_role("tab", name="Sample.Person").get_by_role("img", name="unsaved edits")
    ).to_be_visible()
    assert city_of(iris, 3) != "Ghent"
    await page.keyboard.press("Control+s")
    await saved(page)
    assert city_of(iris, 3) == "Ghent"
    await asyncio.to_thread(web.stop)
    await asyncio.to_thread(web.start)
    await page.reload()
    await visit.live()
    await expect(await cell(page, ssn, "Home_City")).to_have_text("Ghent")


async def test_a_row_is_inserted_and_deleted(visitor: Visitor, iris: ThreadedDemoServer) -> None:
    visit = await people(visitor)
    page = visit.page
    before = stored(iris, "SELECT COUNT(*) FROM Sample.Person")[0][0]
    await page.get_by_role("button", name="New row").click()
    await expect(pending(page)).to_contain_text("1 new row")
    new = page.locator(".slick-row.is-new")
    for column, text in (("Name", "Zed,New"), ("SSN", "999-11-2222")):
        index = await page.get_by_role("columnheader", name=re.compile(rf"^{column}\b")).first.get_attribute(
            "aria-colindex"
        )
        await new.locator(f'[aria-colindex="{index}"]').click()
        await page.keyboard.type(text)
        await page.keyboard.press("Enter")
    await page.keyboard.press("Control+s")
    await saved(page)
    assert stored(iris, "SELECT Name FROM Sample.Person WHERE SSN = ?", "999-11-2222") == [("Zed,New",)]
    row = page.locator('.slick-row:has-text("999-11-2222")')
    await row.locator('[aria-colindex="3"]').click()
    await page.keyboard.press("Control+Delete")
    await expect(pending(page)).to_contain_text("1 row deleted")
    await page.keyboard.press("Control+s")
    await page.get_by_role("alertdialog").get_by_role("button").last.click()
    await saved(page)
    assert stored(iris, "SELECT COUNT(*) FROM Sample.Person")[0][0] == before


async def test_staged_edits_survive_reload_tab_switch_expiry_and_a_new_sign_in(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    visit = await people(visitor)
    page = visit.page
    ssn = ssn_of(iris, 4)
    await type_into(page, ssn, "Home_City", "Lisbon")
    await page.reload()
    await visit.live()
    await expect(await cell(page, ssn, "Home_City")).to_have_text("Lisbon")
    await page.locator('[data-table="Sample.Company"]').click()
    await expect(
        page.get_by_role("tabpanel", name="Sample.Company").get_by_role("gridcell").first
    ).to_be_visible()
    await page.get_by_role("tab", name="Sample.Person").click()
    await expect(await cell(page, ssn, "Home_City")).to_have_text("Lisbon")
    await visit.context.request.post(f"{visit.url}/api/disconnect")
    card = page.get_by_role("dialog", name="Sign in again")
    await expect(card).to_contain_text("Your unsaved edit is kept")
    await page.get_by_label("Password").fill("SYS")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await visit.live()
    await expect(await cell(page, ssn, "Home_City")).to_have_text("Lisbon")
    assert city_of(iris, 4) != "Lisbon"
    await page.keyboard.press("Control+s")
    await saved(page)
    assert city_of(iris, 4) == "Lisbon"


async def test_a_closed_tab_keeps_its_draft(visitor: Visitor, iris: ThreadedDemoServer) -> None:
    visit = await people(visitor)
    page = visit.page
    ssn = ssn_of(iris, 5)
    await type_into(page, ssn, "Home_City", "Porto")
    await page.get_by_role("tab", name="Sample.Person").focus()
    await page.keyboard.press("Delete")
    await expect(page.get_by_text("are kept; open the table")).to_be_visible()
    item = page.locator('[data-table="Sample.Person"]')
    await expect(item.get_by_role("img", name="unsaved edits")).to_be_visible()
    await item.click()
    await expect(await cell(page, ssn, "Home_City")).to_have_text("Porto")
    await page.get_by_role("button", name="Discard").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Cancel").click()
    await expect(await cell(page, ssn, "Home_City")).to_have_text("Porto")
    await page.get_by_role("button", name="Discard").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Drop them").click()
    await saved(page)
    await expect(item.get_by_role("img", name="unsaved edits")).to_have_count(0)


async def test_a_tab_closed_right_after_an_edit_counts_it(visitor: Visitor, iris: ThreadedDemoServer) -> None:
    visit = await people(visitor)
    page = visit.page
    await type_into(page, ssn_of(iris, 6), "Home_City", "Porto")
    target = await cell(page, ssn_of(iris, 8), "Home_City")
    await target.click()
    # No frame is drawn any more: what the tab shows of its edits stays as it is.
    await page.evaluate("window.requestAnimationFrame = () => 0")
    await page.keyboard.type("Faro")
    await page.keyboard.press("Enter")
    await page.get_by_role("tab", name="Sample.Person").focus()
    await page.keyboard.press("Delete")
    await expect(page.get_by_text("2 cells changed) are kept; open the table")).to_be_visible()


async def test_signing_out_asks_first_and_leaves_nothing_behind(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    visit = await people(visitor)
    page = visit.page
    await type_into(page, ssn_of(iris, 6), "Home_City", "Secretville")
    await page.get_by_role("button", name="_SYSTEM").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    question = page.get_by_role("alertdialog", name="Sign out with unsaved edits?")
    await question.get_by_role("button", name="Cancel").click()
    await expect(pending(page)).to_contain_text("1 cell changed")
    await page.get_by_role("button", name="_SYSTEM").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await question.get_by_role("button", name="Sign out and drop them").click()
    await expect(page).to_have_title("Sign in · iris-quart")
    kept = await page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
    assert "Secretville" not in kept


async def test_another_person_sees_the_change_at_once(visitor: Visitor, iris: ThreadedDemoServer) -> None:
    mine = await people(visitor)
    theirs = await people(visitor, "alice", "alice")
    ssn = ssn_of(iris, 7)
    watched = await cell(theirs.page, ssn, "Home_City")
    await type_into(mine.page, ssn, "Home_City", "Oslo")
    await mine.page.keyboard.press("Control+s")
    await saved(mine.page)
    await expect(watched).to_have_text("Oslo")


async def test_two_edits_of_one_cell_end_in_a_question_not_in_a_loss(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    mine = await people(visitor)
    theirs = await people(visitor, "alice", "alice")
    ssn = ssn_of(iris, 8)
    await type_into(mine.page, ssn, "Home_City", "Mine")
    await type_into(theirs.page, ssn, "Home_City", "Theirs")
    await theirs.page.keyboard.press("Control+s")
    await saved(theirs.page)
    await expect(pending(mine.page)).to_contain_text("needs you")
    await mine.page.keyboard.press("Control+s")
    assert city_of(iris, 8) == "Theirs"
    await expect(await cell(mine.page, ssn, "Home_City")).to_contain_text("Mine")


@pytest.mark.parametrize(
    "attempt", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, 4))]
)
async def test_a_server_that_dies_while_saving_neither_loses_nor_repeats(
    visitor: Visitor, iris: ThreadedDemoServer, web: WebServer, attempt: int
) -> None:
    visit = await people(visitor)
    page = visit.page
    rows = [20 + 10 * attempt + offset for offset in range(4)]
    for row in rows:
        await type_into(page, ssn_of(iris, row), "Home_City", f"City {row}")
    before = len(iris.log)
    await page.keyboard.press("Control+s")
    while len(iris.log) < before + 1 + attempt:
        await asyncio.sleep(0)
    web.kill()
    iris.settled()
    await asyncio.to_thread(web.start)
    await visit.live()
    await page.keyboard.press("Control+s")
    await saved(page)
    for row in rows:
        assert city_of(iris, row) == f"City {row}"
        await expect(await cell(page, ssn_of(iris, row), "Home_City")).to_have_text(f"City {row}")
