"""Messages: each kind in its place, readable whole, and gone when it does not hold any more."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from iris_quart.demo.server import ThreadedDemoServer

from .conftest import WebServer
from .test_edit_server import cell, edit, open_table, save
from .test_shell_connection import DROPPED, away
from .visits import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

NOTICES = "[data-part=notices] .note-bar"
MESSAGE = "[data-part=status-message]"
LONG = "An_Uncommonly_Long_Schema_Name_For_Tests.A_Table_Whose_Name_Takes_All_The_Room_That_There_Is"


@pytest.fixture(autouse=True)
def running(web: WebServer) -> Iterator[None]:
    """Leave the server running for the next test, whatever happened to it."""
    yield
    web.ensure()


async def refused(page: Page, row: int = 4) -> None:
    """Save a number that another row has, from a cell elsewhere."""
    taken = await cell(page, row + 1, "SSN").inner_text()
    await edit(page, row, "SSN", taken)
    await cell(page, 20, "Name").click()
    await page.keyboard.press("Control+s")
    await expect(page.locator(NOTICES)).to_contain_text("was not saved")


async def whole(page: Page, selector: str) -> bool:
    """Check that a text is shown whole, within the window."""
    return bool(
        await page.locator(selector).evaluate(
            "node => node.scrollWidth <= node.clientWidth && node.scrollHeight <= node.clientHeight + 1"
            " && node.getBoundingClientRect().right <= innerWidth"
        )
    )


@pytest.mark.parametrize("width", [390, 1024, 1280])
async def test_a_refused_save_is_read_whole_and_goes_to_its_first_cell(visitor: Visitor, width: int) -> None:
    page = await open_table(await visitor(viewport={"width": width, "height": 800}))
    await refused(page)
    assert await whole(page, NOTICES)
    assert await whole(page, f"{NOTICES} .said")
    active = page.locator(".slick-cell.active")
    await expect(active).to_have_attribute("data-column", "SSN")
    await expect(page.locator(".slick-row[data-row='4'] .slick-cell.active")).to_be_in_viewport()
    await expect(page.locator(MESSAGE)).to_have_text("")


async def test_it_offers_the_way_back_and_ends_when_it_does_not_hold_any_more(visitor: Visitor) -> None:
    page = await open_table(await visitor())
    await refused(page)
    await cell(page, 20, "Name").click()
    await page.get_by_role("button", name="Go to the first").click()
    await expect(page.locator(".slick-row[data-row='4'] .slick-cell.active")).to_have_attribute(
        "data-column", "SSN"
    )
    await expect(page.locator(NOTICES)).to_have_count(1)
    await page.keyboard.press("Control+z")  # the edit is taken back: there is nothing left to be told of it
    await expect(page.locator(NOTICES)).to_have_count(0)


async def test_it_stays_with_its_table_and_can_be_dismissed(visitor: Visitor) -> None:
    page = await open_table(await visitor())
    await refused(page)
    await page.locator('[data-table="Sample.Company"]').click()
    await expect(page.get_by_role("tab", name="Sample.Company")).to_have_attribute("aria-selected", "true")
    await expect(page.locator(NOTICES)).to_have_count(0)
    await page.get_by_role("tab", name="Sample.Person").click()
    await expect(page.locator(NOTICES)).to_contain_text("was not saved")
    await page.locator(NOTICES).get_by_role("button", name="Dismiss").click()
    await expect(page.locator(NOTICES)).to_have_count(0)


async def test_what_was_done_stands_with_a_check_and_what_failed_ends_it(visitor: Visitor) -> None:
    page = await open_table(await visitor())
    await edit(page, 8, "Name", "Message,Told")
    await save(page)
    await expect(page.locator(MESSAGE)).to_have_text("Saved 1 row.")
    await expect(page.locator(f"{MESSAGE} .icon use")).to_have_attribute("href", re.compile("#check$"))
    await expect(page.locator(NOTICES)).to_have_count(0)
    await refused(page)
    await expect(page.locator(MESSAGE)).to_have_text("")


async def test_an_explanation_of_a_cell_ends_with_the_next_move(visitor: Visitor) -> None:
    page = await open_table(await visitor())
    await cell(page, 3, "Age").click()
    await page.keyboard.press("F2")
    await expect(page.locator(NOTICES)).to_contain_text("Age cannot be edited")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator(NOTICES)).to_have_count(0)


async def test_a_conflict_found_by_the_save_opens_its_dialog(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    visit = await visitor()
    page = await open_table(visit)
    await edit(page, 20, "Name", "Mine,Of Two")
    iris.server.namespace("SAMPLES").execute(
        "UPDATE Sample.Person SET Name = ? WHERE ID = ?", ("Theirs,Of Two", 21)
    )
    await page.keyboard.press("Control+s")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Theirs,Of Two")
    await expect(page.locator(NOTICES)).to_contain_text("1 row in conflict")
    await dialog.get_by_role("button", name="Skip for now").click()
    await page.locator(NOTICES).get_by_role("button", name="Compare").click()
    await dialog.get_by_role("button", name="Keep mine and save row").click()
    await expect(page.locator(NOTICES)).to_have_count(0)
    await expect(page.locator(MESSAGE)).to_have_text("Saved 1 row.")


async def test_a_lost_connection_is_a_bar_with_the_edits_that_wait(visitor: Visitor, web: WebServer) -> None:
    visit = await visitor()
    visit.expect(DROPPED)
    page = await open_table(visit)
    bar = page.locator("[data-part=offline]")
    await expect(bar).to_be_hidden()
    web.kill()
    await away(page)
    await expect(bar).to_contain_text("Offline: the rows on screen can be read and edited")
    await edit(page, 9, "Name", "Offline,One")
    await edit(page, 10, "Name", "Offline,Two")
    await expect(bar).to_contain_text("Offline: 2 unsaved edits wait here.")
    assert await whole(page, "[data-part=offline]")
    await page.keyboard.press("Control+s")
    await expect(bar).to_contain_text("Offline: 2 edits wait here and are sent when the connection is back.")
    web.start()
    await visit.live()
    await expect(bar).to_be_hidden()
    await expect(page.locator("[data-part=status-pending]")).to_be_hidden()


async def test_the_save_button_counts_its_rows(visitor: Visitor) -> None:
    page = await open_table(await visitor())
    button = page.locator(".tools [data-action=save]")
    await expect(button).to_have_text("Save")
    await edit(page, 12, "Name", "Counted,Once")
    await edit(page, 12, "DOB", "1970-01-01")
    await edit(page, 13, "Name", "Counted,Twice")
    await expect(button).to_have_text("Save2")
    await expect(button).to_have_accessible_name("Save 2 rows")


async def test_a_long_table_name_hides_no_message(visitor: Visitor, iris: ThreadedDemoServer) -> None:
    run = iris.server.namespace("SAMPLES").execute
    run(f"CREATE TABLE {LONG} (Word VARCHAR(60))", ())
    run(f"INSERT INTO {LONG} (Word) VALUES ('x')", ())
    page = await open_table(await visitor(), LONG)
    await edit(page, 0, "Word", "y")
    await save(page)
    await expect(page.locator(MESSAGE)).to_have_text("Saved 1 row.")
    assert await whole(page, f"{MESSAGE} .said")
