# ruff: noqa: RUF001 - letters of other scripts that look like Latin ones are what is tested
"""Keys of other keyboards than the English one, and of input methods, in the grid."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .harness.gestures import Gestures
from .harness.opening import Opener

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

ALT, CTRL, SHIFT = 1, 2, 8
EDITING = "Boolean(view.table.sheet.getCellEditor())"


@pytest.mark.parametrize(
    ("undo", "redo", "save", "filters", "all_cells", "fill"),
    [
        ("яKeyZ", "нKeyY", "ыKeyS", "аKeyF", "фKeyA", "вKeyD"),
        ("ζKeyZ", "υKeyY", "σKeyS", "φKeyF", "αKeyA", "δKeyD"),
        ("זKeyZ", "טKeyY", "דKeyS", "כKeyF", "שKeyA", "גKeyD"),
        ("zKeyY", "yKeyZ", "sKeyS", "fKeyF", "aKeyA", "dKeyD"),
        ("zKeyW", "yKeyY", "sKeyS", "fKeyF", "aKeyQ", "dKeyD"),
    ],
    ids=["Cyrillic", "Greek", "Hebrew", "QWERTZ", "AZERTY"],
)
async def test_commands_by_layout(
    grid: Opener, undo: str, redo: str, save: str, filters: str, all_cells: str, fill: str
) -> None:
    page = await grid()
    gestures = await Gestures.of(page.page)

    async def press(key: str, modifiers: int = CTRL) -> None:
        await gestures.key(key[0], key[1:], modifiers=modifiers)

    await page.click(3, "Name")
    await page.type("x")
    await page.keys("Enter", "ArrowUp")
    await press(undo)
    assert await page.pending() == [0, 0, 0]
    await press(redo)
    assert await page.pending() == [1, 0, 0]
    await page.keys("Shift+ArrowDown")
    await press(fill)
    assert await page.value(4, "Name") == "x"
    await press(save)
    await page.until("view.pending.changed === 0")
    await press(all_cells)
    assert await page.range() == [0, 1, 999, 10]
    await press(filters)
    await expect(page.page.locator("input.filter:focus")).to_have_count(1)


async def test_pasting_as_new_rows_on_a_cyrillic_keyboard(grid: Opener) -> None:
    page = await grid()
    gestures = await Gestures.of(page.page)
    await page.to_clipboard("new name\tnew city")
    await page.click(2, "Name")
    await gestures.key("М", "KeyV", modifiers=CTRL | SHIFT, commands=["paste"])
    await page.until("view.pending.inserted === 1")
    assert await page.pending() == [0, 1, 0]


@pytest.mark.parametrize("flag", [True, False], ids=["AltGraph", "Ctrl and Alt alone"])
async def test_a_letter_of_altgr_is_text_and_no_command(grid: Opener, flag: bool) -> None:
    page = await grid()
    await page.click(3, "Name")
    await page.js(
        "flag => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {bubbles: true, cancelable: true, "
        "key: 'ń', code: 'KeyN', ctrlKey: true, altKey: true, modifierAltGraph: flag}))",
        flag,
    )
    assert await page.js(EDITING)
    await page.page.keyboard.insert_text("ń")  # what the browser does with a key that was not taken
    await page.keys("Enter")
    assert await page.value(3, "Name") == "ń"


async def test_ctrl_and_alt_that_type_nothing_leave_the_value(grid: Opener) -> None:
    page = await grid()
    gestures = await Gestures.of(page.page)
    await page.click(3, "Name")
    await gestures.key("ö", "Semicolon", modifiers=CTRL | ALT)
    await page.keys("Enter")
    assert await page.value(3, "Name") == "name 3"
    await page.click(5, "City")
    await gestures.key("т", "KeyN", modifiers=CTRL | ALT)
    assert await page.value(5, "City") is None


async def test_ctrl_0_is_the_browsers_zoom(grid: Opener) -> None:
    page = await grid()
    await page.js(
        "addEventListener('keydown', (event) => setTimeout(() => { window.taken = event.defaultPrevented; }))"
    )
    await page.click(7, "City")
    for key in ("Control+0", "Control+Numpad0"):
        await page.keys(key)
        await page.until("window.taken === false")
    assert await page.pending() == [0, 0, 0]
    await page.keys("F2", "Control+0", "Enter")
    assert await page.value(7, "City") == "city 7"


@pytest.mark.parametrize("order", ["before", "after"], ids=["while composing", "after it, as Safari"])
async def test_enter_of_a_composition_stays_in_its_field(grid: Opener, order: str) -> None:
    page = await grid()
    gestures = await Gestures.of(page.page)
    await page.click(3, "Name")
    await gestures.compose("か")
    await confirm(gestures, order)
    assert await page.js(EDITING)
    assert await page.active() == [3, "Name"]
    await page.keys("Enter")
    assert await page.value(3, "Name") == "漢字"
    await page.js("view.showFilters(true, 'City')")
    field = page.page.get_by_label("Filter City")
    await gestures.compose("か")
    for key in ("ArrowDown", "Escape"):
        await gestures.key(key, key, windowsVirtualKeyCode=229)
        await expect(field).to_be_focused()
    await confirm(gestures, order)
    await expect(field).to_be_focused()
    await expect(field).to_have_value("漢字")


async def confirm(gestures: Gestures, order: str) -> None:
    """Confirm a composition by Enter, in the order of events of most browsers or of Safari."""
    if order == "after":
        await gestures.insert("漢字")
    await gestures.key("Enter", "Enter", windowsVirtualKeyCode=229)
    if order == "before":
        await gestures.insert("漢字")
