"""Dates and numbers as people and spreadsheets write them: typed, pasted, chosen, and shown with a decimal comma."""

from __future__ import annotations

import datetime

import pytest
from playwright.async_api import expect

from .harness.grid_page import GridPage
from .harness.opening import Opener

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def paste(page: GridPage, row: int, name: str, text: str) -> None:
    """Paste a text at a cell, as from another program."""
    await page.to_clipboard(text)
    await page.click(row, name)
    await page.keys("Control+v")


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("DOB", "31.12.1980", "1980-12-31"),
        ("DOB", "31 Dec 1980", "1980-12-31"),
        ("DOB", "12/31/1980", "1980-12-31"),
        ("Age", "7.00", 7),
        ("Age", "1,234", 1234),
        ("Balance", "€ 1.234,50", "1234.50"),
        ("Modified", "31.12.1980 1:45 PM", "1980-12-31 13:45:00"),
    ],
)
async def test_what_is_typed_is_read(grid: Opener, name: str, typed: str, value: object) -> None:
    page = await grid()
    await page.click(2, name)
    await page.type(typed)
    await page.keys("Enter")
    assert await page.value(2, name) == value
    assert await page.pending() == [1, 0, 0]


async def test_a_date_of_two_meanings_offers_both(grid: Opener) -> None:
    page = await grid()
    await page.click(2, "DOB")
    await page.type("03/04/2024")
    note = page.page.locator(".cell-note")
    await expect(note).to_contain_text("3 April 2024 or 4 March 2024?")
    await page.keys("Enter")
    assert await page.pending() == [0, 0, 0]
    cut = (
        "(({scrollWidth, clientWidth}) => scrollWidth > clientWidth)(document.querySelector('.cell-editor'))"
    )
    assert not await page.js(cut)  # all of it can be read beside the button of the calendar
    await note.get_by_role("button", name="4 March 2024").click()
    await expect(page.page.locator(".cell-editor")).to_be_focused()
    await page.keys("Enter")
    assert await page.value(2, "DOB") == "2024-03-04"


async def test_a_pasted_column_is_read_in_one_format(grid: Opener) -> None:
    page = await grid()
    await paste(page, 2, "DOB", "03/04/2024\t1,234\r\n31/12/2024\t7.00")
    await page.until("view.pending.changed === 4")
    assert [await page.value(row, "DOB") for row in (2, 3)] == ["2024-04-03", "2024-12-31"]
    assert [await page.value(row, "Age") for row in (2, 3)] == [1234, 7]
    await expect(page.page.locator("dialog")).to_have_count(0)


async def test_a_pasted_column_of_two_meanings_is_asked_once(grid: Opener) -> None:
    page = await grid()
    await paste(page, 2, "DOB", "03/04/2024\r\n05/06/2024")
    dialog = page.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("DOB: does the day or the month stand first?")
    await page.keys("Escape")
    await expect(page.page.locator("dialog")).to_have_count(0)
    await page.until("window.said.at(-1)[0] === 'Nothing was pasted.'")
    assert await page.pending() == [0, 0, 0]
    await page.keys("Control+v")
    await dialog.get_by_role("button", name="Month first").click()
    await page.until("view.pending.changed === 2")
    assert [await page.value(row, "DOB") for row in (2, 3)] == ["2024-03-04", "2024-05-06"]
    await paste(page, 8, "DOB", "01/02/2024")
    await page.until("view.pending.changed === 3")
    assert await page.value(8, "DOB") == "2024-01-02"  # the answer counts for the column
    await page.click(9, "DOB")
    await page.type("07/08/2024")
    await page.keys("Enter")
    assert await page.value(9, "DOB") == "2024-07-08"


async def test_a_copied_number_is_pasted_exactly_whatever_the_decimal_sign(grid: Opener) -> None:
    page = await grid("decimal=,")
    await page.click(2, "Balance")
    await page.type("1234,50")
    await page.keys("Enter")
    assert await page.value(2, "Balance") == "1234.50"
    assert await page.text(2, "Balance") == "1234,50"
    await page.click(2, "Balance")
    await page.keys("Control+c")
    assert await page.copied() == "1234,50"
    await page.click(5, "Balance")
    await page.keys("Control+v")
    await page.until("view.pending.changed === 2")
    assert await page.value(5, "Balance") == "1234.50"
    await page.keys("F2")
    await expect(page.page.locator(".cell-editor")).to_have_value("1234,50")
    await page.keys("Escape", "Escape")
    assert await page.pending() == [2, 0, 0]
    await page.keys("Control+s")
    await page.until("view.pending.changed === 0")
    sent = await page.js(
        "client.requests.find(({command}) => command === 'saveChanges').payload.changes"
        ".map(({values}) => String(values.Balance))"
    )
    assert sent == ["1234.50", "1234.50"]


async def test_control_and_semicolon_give_today(grid: Opener) -> None:
    page = await grid()
    before = await page.js("[new Date().getFullYear(), new Date().getMonth() + 1, new Date().getDate()]")
    await page.click(2, "DOB")
    await page.keys("Shift+ArrowDown", "Control+;")
    await page.until("view.pending.changed === 2")
    assert await page.value(3, "DOB") == datetime.date(*before).isoformat()
    await page.click(5, "DOB")
    await page.keys("F2", "Control+;")
    await expect(page.page.locator(".cell-editor")).to_have_value(datetime.date(*before).isoformat())
    await page.keys("Escape")
    await page.click(2, "Name")
    await page.keys("Control+;")
    await page.until("window.said.at(-1)[0] === 'Name: No date or time goes here.'")


async def test_a_day_is_chosen_by_keys_and_by_mouse(grid: Opener) -> None:
    page = await grid()
    await page.click(2, "DOB")  # 1942-03-03
    await page.keys("F2", "Alt+ArrowDown")
    calendar = page.page.get_by_role("dialog", name="Calendar")
    await expect(calendar.get_by_role("button", name="3 March 1942", exact=True)).to_be_focused()
    await page.keys("ArrowDown", "ArrowRight", "PageDown", "Enter")
    await expect(calendar).to_have_count(0)
    await expect(page.page.locator(".cell-editor")).to_have_value("1942-04-11")
    await page.keys("Enter")
    assert await page.value(2, "DOB") == "1942-04-11"
    await page.click(5, "DOB")
    await page.keys("F2")
    await page.page.get_by_role("button", name="Calendar").click()
    await calendar.get_by_role("button", name="Month after").click()
    await calendar.get_by_role("button", name="20 July 1945").click()
    await expect(page.page.locator(".cell-editor")).to_be_focused()
    await page.keys("Enter")
    assert await page.value(5, "DOB") == "1945-07-20"
    await page.click(6, "DOB")
    await page.keys("F2", "Alt+ArrowDown", "Escape")
    await expect(page.page.locator(".cell-editor")).to_be_focused()
    await page.keys("Escape")
    assert await page.pending() == [2, 0, 0]
