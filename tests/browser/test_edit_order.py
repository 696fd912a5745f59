"""The order of a save: no unique value is taken before another row has left it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from iris_quart.demo.server import ThreadedDemoServer

from .test_edit_server import cell, edit, open_table, save, saved, stored
from .visits import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def page(visitor: Visitor) -> AsyncIterator[Page]:
    """Open Sample.Person, signed in."""
    yield await open_table(await visitor())


def numbers(iris: ThreadedDemoServer, first: int, last: int) -> list[str]:
    """Read the unique numbers of some rows."""
    found = stored(iris, "SELECT SSN FROM Sample.Person WHERE ID BETWEEN ? AND ? ORDER BY ID", first, last)
    return [str(number) for (number,) in found]


async def copy_numbers(page: Page, first: int, last: int, to: int) -> None:
    """Copy the numbers of some rows onto others."""
    await cell(page, first, "SSN").click()
    await cell(page, last, "SSN").click(modifiers=["Shift"])
    await page.keyboard.press("Control+c")
    await expect(page.locator("[data-part=status-message]")).to_contain_text("Copied")
    await cell(page, to, "SSN").click()
    await page.keyboard.press("Control+v")


async def test_a_chain_of_unique_values_is_saved_at_once(page: Page, iris: ThreadedDemoServer) -> None:
    before = numbers(iris, 3, 12)
    await copy_numbers(page, 3, 11, 2)  # each row takes the number of the next one
    await expect(page.locator(".tools .badge")).to_have_text("9")
    await edit(page, 11, "SSN", "990-00-0001")
    await save(page)
    assert numbers(iris, 3, 12) == [*before[1:], "990-00-0001"]


async def insert(page: Page, below: int, name: str, number: str) -> None:
    """Stage a new row below another."""
    await cell(page, below, "Name").click()
    await page.keyboard.press("Alt+Insert")
    await cell(page, below + 1, "Name").click()
    await page.keyboard.type(name)
    await page.keyboard.press("Tab")
    await page.keyboard.type(number)
    await page.keyboard.press("Enter")


async def test_the_value_of_a_deleted_row_is_free_for_a_new_one(page: Page, iris: ThreadedDemoServer) -> None:
    number = "990-00-0003"
    await insert(page, 0, "Order,First", number)
    await save(page)
    await insert(page, 1, "Order,Second", number)
    await cell(page, 1, "Name").click()
    await page.keyboard.press("Control+Delete")
    await page.keyboard.press("Control+s")
    await page.get_by_role("button", name="Delete 1 row and save").click()
    await saved(page)
    await saved(page)
    assert stored(iris, "SELECT Name FROM Sample.Person WHERE SSN = ?", number) == [("Order,Second",)]


async def test_an_exchange_of_unique_values_is_refused_before_it_is_sent(
    page: Page, iris: ThreadedDemoServer
) -> None:
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    await page.reload()
    await expect(cell(page, 4, "SSN")).to_be_visible()
    one, two = before = numbers(iris, 5, 6)
    await edit(page, 4, "SSN", two)
    await edit(page, 5, "SSN", one)
    await page.keyboard.press("Control+s")
    await expect(cell(page, 4, "SSN")).to_have_class(re.compile("is-error"))
    await expect(page.locator(".slick-cell.active")).to_have_attribute("data-column", "SSN")
    title = await cell(page, 4, "SSN").get_attribute("title")
    assert title is not None
    assert "Row 5 not saved: it takes the value of SSN that row 6 still has" in title
    assert "Give one of them a value that no row has, save, then give it its final value" in title
    assert not any("saveChanges" in frame for frame in sent)
    assert numbers(iris, 5, 6) == before
    await edit(page, 5, "SSN", "990-00-0002")  # the way out that is named
    await save(page)
    assert numbers(iris, 5, 6) == [two, "990-00-0002"]
