"""Staged edits, saving, errors, conflicts, live changes and drafts, over a fake client."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .harness.grid_page import GridPage
from .harness.opening import Opener

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def edit(page: GridPage, row: int, name: str, text: str) -> None:
    """Type a text into a cell and leave it downwards."""
    await page.click(row, name)
    await page.type(text)
    await page.keys("Enter")


# --- staging and saving


async def test_edits_are_staged_and_saved_by_key(grid: Opener) -> None:
    page = await grid()
    await edit(page, 2, "Name", "mine")
    await edit(page, 3, "Age", "77")
    assert await page.states(2, "Name") == "is-changed"
    await expect(page.cell(2, "Name")).to_have_attribute("title", "Changed. Was: name 2")
    assert await page.js("client.requests.filter(({command}) => command === 'saveChanges').length") == 0
    await page.keys("Control+s")
    await page.until("view.pending.changed === 0")
    assert await page.js("[client.value('3', 'Name'), client.value('4', 'Age')]") == ["mine", 77]
    sent = await page.js("client.requests.find(({command}) => command === 'saveChanges').payload.changes")
    assert [(change["kind"], change["rowId"], change["values"], change["base"]) for change in sent] == [
        ("update", "3", {"Name": "mine"}, {"Name": "name 2"}),
        ("update", "4", {"Age": 77}, {"Age": 3}),
    ]
    assert await page.states(2, "Name") == ""
    assert await page.said() == "Saved 2 rows."


async def test_staged_edits_survive_sort_filter_scrolling_and_refresh(grid: Opener) -> None:
    page = await grid("rows=100000")
    await edit(page, 4, "Name", "kept")
    await page.keys("Control+End")
    await page.settled()
    await page.js("view.sortBy([{column: 'Age', direction: 'desc'}])")
    await page.settled()
    await page.js("view.sortBy([])")
    await page.settled()
    await page.keys("F5")
    await page.settled()
    await page.click(4, "Age")
    assert await page.text(4, "Name") == "kept"
    assert await page.states(4, "Name") == "is-changed"
    assert await page.pending() == [1, 0, 0]


async def test_saving_many_rows_can_be_stopped(grid: Opener) -> None:
    page = await grid("rows=300")
    await page.click(0, "Name")
    await page.js(
        "view.edits.change(new view.table.sheet.Range(0, 2, 249, 2), (row) => `mine ${row}`)"
        ".then(() => { client.slow = 5; })"
    )
    await page.until("view.table.staged.counts.rows === 250")
    await page.keys("Control+s")
    await page.confirm()
    await page.until("client.value('20', 'Name') === 'mine 19'")
    await page.js("view.stopSaving()")
    await page.until("!view.saving.busy")
    left = await page.js("view.table.staged.counts.rows")
    assert 150 <= left < 240  # of the batch under way some were saved, the next one did not leave
    assert await page.js("[...view.table.staged.entries.values()].every(({state}) => state === 'staged')")
    assert await page.said() == f"Stopped: {250 - left} rows saved, {left} rows still unsaved."
    await page.js("client.slow = 0")
    await page.keys("Control+s")
    await page.confirm()
    await page.until("view.pending.changed === 0")
    assert await page.js("client.value('250', 'Name')") == "mine 249"


async def test_insert_duplicate_and_delete(grid: Opener) -> None:
    page = await grid("rows=50")
    await page.click(4, "Name")
    await page.keys("Alt+Insert")
    assert await page.active() == [5, "Name"]
    assert [await page.text(5, name) for name in ("ID", "Name", "City")] == [
        "default",
        "required",
        "NULL",
    ]
    await page.type("new one")
    await page.keys("Tab", "Control+Alt+n")
    await page.page.locator(".slick-row[data-row='7'] .gutter").click()
    await page.keys("Control+d")
    assert await page.value(8, "Name") == "name 6"
    assert await page.value(8, "ID") == "(default)"
    await page.click(1, "Name")
    await page.keys("Shift+ArrowDown", "Control+Delete")
    assert await page.pending() == [0, 2, 2]
    row = page.page.locator(".grid-canvas-right .slick-row[data-row='1']")
    await expect(row).to_have_class("ui-widget-content slick-row odd active is-deleted")
    await page.keys("Control+s")
    await expect(page.page.get_by_role("alertdialog")).to_contain_text(
        "2 rows are deleted and 2 rows are written in Demo.Table"
    )
    await page.confirm()
    await page.until("view.pending.inserted === 0 && view.pending.deleted === 0")
    saved = await page.js("client.requests.find(({command}) => command === 'saveChanges').payload.changes")
    assert [change["kind"] for change in saved] == ["delete", "delete", "insert", "insert"]
    assert saved[2]["values"] == {"Name": "new one", "City": None}
    assert saved[0]["base"]["Name"] == "name 1"
    assert "Notes" not in saved[0]["base"]
    assert [await page.value(row, "Name") for row in range(1, 7)] == [
        "name 3",
        "name 4",
        "new one",
        "name 5",
        "name 6",
        "name 6",
    ]
    assert await page.text(3, "ID") == "51"
    await page.until("statuses.at(-1).total === 50")  # new rows count as soon as they are saved
    await page.keys("F5")
    await page.until("view.table.rows.settled === 0")
    assert await page.value(48, "Name") == "new one"


async def test_undo_walks_over_everything(grid: Opener) -> None:
    page = await grid("rows=20")
    await edit(page, 1, "Name", "first")
    await page.click(2, "City")
    await page.keys("Control+Alt+n")
    await page.keys("Alt+Insert")
    await page.click(5, "Name")
    await page.keys("Control+Delete")
    assert await page.pending() == [2, 1, 1]
    for expected in ([2, 1, 0], [2, 0, 0], [1, 0, 0], [0, 0, 0]):
        await page.keys("Control+z")
        assert await page.pending() == expected
    await page.keys("Control+z")
    assert await page.said() == "Nothing to undo"
    for expected in ([1, 0, 0], [2, 0, 0], [2, 1, 0], [2, 1, 1]):
        await page.keys("Control+y")
        assert await page.pending() == expected
    await page.keys("Control+s")
    await page.confirm()
    await page.until("view.pending.changed === 0")
    await page.js("view.edits.undo()")
    await page.js("view.edits.undo()")
    await page.js("view.edits.undo()")
    await page.js("view.edits.undo()")
    assert await page.value(1, "Name") == "name 1"
    pending = await page.pending()
    assert pending[0] == 2
    assert pending[1:] == [1, 1]


async def test_what_was_reverted_can_be_had_back(grid: Opener) -> None:
    page = await grid("rows=50")
    await edit(page, 2, "Name", "mine")
    await edit(page, 2, "City", "here")
    await page.click(5, "Name")
    await page.keys("Control+Delete")
    await page.click(8, "Name")
    await page.keys("Alt+Insert")
    await page.type("one")
    await page.keys("Enter")
    await edit(page, 9, "Name", "two")
    assert await page.pending() == [2, 1, 1]
    await page.click(2, "Name")
    await page.keys("Control+Alt+z")
    assert await page.pending() == [1, 1, 1]
    assert await page.said() == "1 edit reverted; Ctrl+Z brings it back"
    await page.js("view.showReview()")
    for _ in range(3):
        await page.page.locator(".change > .button-icon").first.click()
    assert await page.pending() == [0, 0, 0]
    await page.keys("Escape")
    await page.click(20, "Name")
    for pending in ([0, 1, 0], [0, 1, 1], [1, 1, 1], [2, 1, 1]):
        await page.keys("Control+z")
        assert sorted(await page.pending()) == sorted(pending)
    assert await page.value(2, "Name") == "mine"
    assert await page.value(9, "Name") == "two"
    await page.keys("Control+z")
    assert await page.value(9, "Name") == "one"
    for _ in range(5):
        await page.keys("Control+y")
    assert await page.pending() == [0, 0, 0]


async def test_undo_never_makes_an_edit_of_a_row_that_is_not_there(grid: Opener) -> None:
    page = await grid("rows=50")
    await page.click(4, "Name")
    await page.keys("Alt+Insert")
    await page.type("one")
    await page.keys("Enter")
    await edit(page, 5, "Name", "two")
    await page.js("client.more = () => ({rowId: null, proof: 'ambiguous'})")
    await page.keys("Control+s")
    await page.until("view.pending.inserted === 0")
    await page.keys("Control+z")
    assert await page.pending() == [0, 0, 0]
    assert await page.said() == "That cannot be undone any more: the row has been saved or is gone."


async def test_a_deleted_row_is_not_brought_back_with_the_start_of_a_long_value_as_the_whole(
    grid: Opener,
) -> None:
    page = await grid("rows=50")
    await page.js(
        "(() => { const notes = client.columns.find(({name}) => name === 'Notes'); notes.editable = true; "
        "notes.category = 'text'; return view.loading.open(); })()"
    )
    await page.click(4, "Name")
    await page.keys("Control+Delete")
    await page.keys("Control+s")
    await page.confirm()
    await page.until("view.pending.deleted === 0")
    await page.keys("Control+z")
    assert await page.pending() == [0, 1, 0]
    values = await page.js("view.table.staged.inserts[0].values")
    assert values["Name"] == "name 4"
    assert "Notes" not in values
    assert await page.said() == "Undone. Not brought back: Notes, of which the whole is not here."
    await edit(page, 10, "City", "mine")
    row_id = await page.js("view.table.rows.idAt(10)")
    await page.js("id => client.push([{kind: 'delete', rowId: id}])", row_id)
    await page.until("view.table.staged.undecided.length === 1")
    await page.js("id => view.rowWork.insertAgain(id)", row_id)
    assert "Not brought back: Notes" in await page.said()
    assert await page.js("view.table.staged.inserts.every(({values}) => !('Notes' in values))")


async def test_errors_stand_at_their_cells_and_lose_nothing(grid: Opener) -> None:
    page = await grid()
    await edit(page, 1, "Name", "good")
    await edit(page, 2, "Name", "bad")
    await edit(page, 2, "Age", "5")
    await edit(page, 3, "Name", "also good")
    await page.keys("Control+s")
    await page.until("view.table.staged.get('3')?.state === 'error'")
    assert await page.states(2, "Name") == "is-error"
    assert await page.states(2, "Age") == "is-changed"
    title = await page.cell(2, "Name").get_attribute("title")
    assert title == "Name must not be bad\nSQLCODE -104: Field validation failed"
    await expect(page.cell(2, "Name")).to_have_attribute("aria-invalid", "true")
    assert await page.said() == (
        "Saved 2 rows; row 3 was not saved: Name must not be bad. 1 row with edits is still unsaved."
    )
    # Whoever comes to the cell by keyboard is told what the tooltip says.
    await page.click(4, "Name")
    await page.keys("ArrowUp", "ArrowUp")
    await page.until("said.at(-1)[0].includes('SQLCODE -104: Field validation failed')")
    await page.js("view.showReview()")
    panel = page.page.get_by_role("complementary", name="Review")
    await expect(panel.locator(".why-error")).to_contain_text("Name must not be bad")
    await panel.get_by_role("button", name="Go to cell").click()
    assert await page.active() == [2, "Name"]
    await page.type("better")
    await page.keys("Enter", "Control+s")
    await page.until("view.pending.changed === 0")
    assert await page.js("client.value('3', 'Name')") == "better"


async def test_what_is_special_about_a_save_is_told_with_it(grid: Opener) -> None:
    page = await grid()
    await edit(page, 1, "Name", "special")
    await page.js("client.more = () => ({guard: 'late', unguarded: ['Notes']})")
    await page.keys("Control+s")
    await page.until("view.pending.changed === 0")
    assert await page.said() == (
        "Saved 1 row. Row 2 was compared with what the database held just before, not with what you saw. Notes "
        "could not be compared as a whole: a change by someone else in the meantime would not have been noticed."
    )
    assert await page.js("said.at(-1)[1]") == "warning"  # all is saved: nothing that looks like a failure
    await edit(page, 1, "Name", "stored otherwise")
    await page.js("client.more = () => ({values: {Name: 'STORED'}})")
    await page.keys("Control+s")
    await page.until("view.pending.changed === 0")
    assert await page.said() == "Saved 1 row. The database stored Name as STORED."
    assert await page.text(1, "Name") == "STORED"


async def test_a_row_that_left_its_view_by_being_saved_is_marked(grid: Opener) -> None:
    page = await grid()
    await edit(page, 1, "Name", "elsewhere")
    await page.js("client.more = () => ({proof: 'outside'})")
    await page.keys("Control+s")
    await page.until("view.pending.changed === 0")
    said = "Saved 1 row. Row 2 is saved, but this view no longer shows it; a refresh takes it out."
    assert await page.said() == said
    mark = page.cell(1, "gutter").get_by_role("img", name="saved, no longer in this view")
    await expect(mark).to_be_visible()
    await edit(page, 1, "Name", "once more")
    await page.js(
        "client.more = () => ({outcome: 'gone', proof: 'outside', error: {code: 'ROW_GONE', "
        "message: 'The view no longer shows this row.'}})"
    )
    await page.keys("Control+s")
    await page.until("view.table.staged.get('2').state === 'gone'")
    await page.js("view.showReview()")
    why = page.page.locator(".why-conflict")
    await expect(why).to_contain_text("The view no longer shows this row.")
    await expect(why.get_by_role("button", name="Insert again")).to_have_count(0)  # it would be there twice
    await why.get_by_role("button", name="Drop edits").click()
    assert await page.pending() == [0, 0, 0]
    await page.keys("Escape")
    await page.click(2, "Name")
    await page.keys("F5")
    await expect(mark).to_have_count(0)


async def test_a_new_row_that_cannot_be_told_from_others_is_said_to_be_saved(grid: Opener) -> None:
    page = await grid("rows=50")
    await page.click(4, "Name")
    await page.keys("Alt+Insert")
    await page.type("twin")
    await page.keys("Enter")
    await page.js("client.more = () => ({rowId: null, proof: 'ambiguous'})")
    await page.keys("Control+s")
    await page.until("view.pending.inserted === 0")
    assert await page.said() == (
        "Saved 1 row. The new row was saved, but it cannot be told which one it is. Refresh to see it."
    )
    await page.keys("Control+z", "Control+z")  # it is not ours to change any more
    assert await page.pending() == [0, 0, 0]


async def test_typing_goes_on_while_saving(grid: Opener) -> None:
    page = await grid()
    await page.js(
        "client.hold = command => command === 'saveChanges' && new Promise(resolve => { "
        "window.release = resolve; })"
    )
    await edit(page, 2, "Name", "one")
    await page.keys("Control+s")
    await page.until("view.table.staged.get('3')?.state === 'saving' && Boolean(window.release)")
    assert await page.states(2, "Name") == "is-saving"
    await edit(page, 2, "Name", "two")
    await page.click(4, "Name")
    await page.type("typed wh")
    await page.js("window.release()")
    await page.until("view.table.staged.get('3')?.state === 'staged'")
    await page.type("ile saving")
    await page.keys("Enter")
    assert await page.value(4, "Name") == "typed while saving"
    assert await page.js("client.value('3', 'Name')") == "one"
    assert await page.js("view.table.staged.get('3').base.Name") == "one"
    assert await page.value(2, "Name") == "two"


async def test_an_insert_that_is_saved_while_another_row_is_edited(grid: Opener) -> None:
    page = await grid("rows=30")
    await page.js(
        "client.hold = command => command === 'saveChanges' && new Promise(resolve => { "
        "window.release = resolve; })"
    )
    await page.click(1, "Name")
    await page.keys("Control+Delete")
    await page.keys("Control+s")
    await page.confirm()
    await page.until("Boolean(window.release)")
    await page.click(6, "Name")
    await page.type("half a wo")
    await page.js("window.release()")
    await page.until("view.pending.deleted === 0 && view.table.cache.length === 29")
    assert await page.active() == [5, "Name"]
    await page.type("rd")
    await page.keys("Enter")
    assert await page.value(5, "Name") == "half a word"
    assert await page.text(5, "ID") == "7"


async def test_an_unknown_outcome_is_asked_for_with_the_same_id(grid: Opener) -> None:
    page = await grid()
    await page.js(
        "client.fail = command => command === 'saveChanges' && { code: 'OUTCOME_UNKNOWN', message: "
        "'The connection broke.' }"
    )
    await edit(page, 2, "Name", "maybe")
    await page.keys("Control+s")
    await page.until("view.table.staged.get('3')?.state === 'unknown'")
    assert await page.states(2, "Name") == "is-unknown"
    await page.js(
        "client.fail = null; client.dispatchEvent(new CustomEvent('state', {detail: {state: 'live'}}))"
    )
    await page.until("view.pending.changed === 0")
    ids = await page.js(
        "client.requests.filter(({command}) => command === 'saveChanges').map(({payload}) => "
        "payload.changes[0].changeId)"
    )
    assert len(ids) == 2
    assert ids[0] == ids[1]


async def test_a_new_row_of_unknown_outcome_is_for_the_person_to_decide(grid: Opener) -> None:
    page = await grid("rows=50")
    await page.click(4, "Name")
    await page.keys("Alt+Insert")
    await page.type("name 7")
    await page.keys("Enter")
    await page.js("client.more = () => ({outcome: 'unknown'})")
    await page.js("view.table.staged.times.learn({doubtSeconds: 0.3})")
    await page.keys("Control+s")
    await page.until("view.table.staged.inserts[0].state === 'unknown'")
    await page.js("view.showReview()")
    why = page.page.locator(".why-error")
    await expect(why).to_contain_text("Whether it is in the table is not known")
    await why.get_by_role("button", name="Look for it").click()
    await page.until("statuses.at(-1).total === 2")  # the fake one has saved it
    assert await page.text(1, "ID") == "8"
    await page.js("client.more = null")
    await why.get_by_role("button", name="Insert again").click()
    await expect(why).to_have_count(0)
    assert await page.focused() == "Review"  # what had the focus is gone
    await page.js("void view.save()")
    await page.until("view.pending.inserted === 0")
    ids = await page.js(
        "client.requests.filter(({command}) => command === 'saveChanges').map(({payload}) => "
        "payload.changes[0].changeId)"
    )
    assert ids[-1] != ids[0]


async def test_a_save_asks_before_more_than_a_hundred_rows_change(grid: Opener) -> None:
    page = await grid("rows=300")
    dialog = page.page.get_by_role("alertdialog")
    for rows, asks in ((100, False), (101, True)):
        await page.js("view.goto(1), view.table.sheet.setActiveCell(0, 2)")
        await page.js(
            f"view.table.sheet.getSelectionModel().setSelectedRanges([new view.table.sheet.Range(0, 3, {rows - 1}, 3)])"
        )
        await page.to_clipboard(f"city of {rows}")
        await page.js("view.table.sheet.setFocus()")
        await page.keys("Control+v")
        await page.until(f"view.pending.changed === {rows}")
        await page.keys("Control+s")
        if asks:
            await expect(dialog).to_contain_text("101 rows are written in Demo.Table")
            assert await page.pending() == [101, 0, 0]
            await page.confirm()
        await page.until("view.pending.changed === 0")


async def test_a_deletion_that_is_not_confirmed_stays_marked(grid: Opener) -> None:
    page = await grid("rows=30")
    await page.click(4, "Name")
    await page.keys("Control+Delete")
    await expect(page.page.get_by_role("alertdialog")).to_have_count(0)
    assert await page.pending() == [0, 0, 1]
    await page.keys("Control+s")
    await expect(page.page.get_by_role("alertdialog")).to_contain_text("1 row is deleted in Demo.Table")
    await page.keys("Escape")
    await expect(page.page.locator("dialog")).to_have_count(0)
    assert await page.pending() == [0, 0, 1]
    assert await page.js("client.requests.filter(({command}) => command === 'saveChanges').length") == 0
    await page.keys("Control+z")
    assert await page.pending() == [0, 0, 0]


async def test_autosave_saves_each_edit_and_waits_for_complete_new_rows(grid: Opener) -> None:
    page = await grid("autosave=1&rows=30")
    await edit(page, 2, "Name", "at once")
    await page.until("view.pending.changed === 0 && client.value('3', 'Name') === 'at once'")
    await page.keys("Alt+Insert")
    await page.click(4, "City")
    await page.type("town")
    await page.keys("Enter")
    assert await page.pending() == [0, 1, 0]
    await edit(page, 4, "Name", "complete")
    await page.until("view.pending.inserted === 0")


async def test_thousands_of_edits_are_sent_in_batches(grid: Opener) -> None:
    page = await grid("rows=3000")
    await page.click(0, "Age")
    await page.js("view.table.selection.extendTo(999, 5)")
    await page.to_clipboard("55")
    await page.keys("Control+v")
    await page.until("view.pending.changed > 980")
    await page.keys("Control+s")
    await page.confirm()
    await page.until("view.pending.changed === 0")
    sizes = await page.js(
        "client.requests.filter(({command}) => command === 'saveChanges').map(({payload}) => "
        "payload.changes.length)"
    )
    assert sum(sizes) == 990
    assert max(sizes) == 100


# --- review


async def test_the_review_shows_and_reverts_each_change(grid: Opener) -> None:
    page = await grid("rows=40")
    await edit(page, 1, "Name", "one")
    await edit(page, 1, "City", "two")
    await page.click(3, "Name")
    await page.keys("Alt+Insert")
    await page.type("new")
    await page.keys("Enter")
    await page.click(8, "Name")
    await page.keys("Control+Delete")
    await page.js("view.showReview()")
    panel = page.page.get_by_role("complementary", name="Review")
    await expect(panel).to_contain_text("3 rows, 2 changed cells of Demo.Table")
    first = panel.locator(".change").first
    await expect(first.locator("del").first).to_have_text("name 1")
    await expect(first.locator("ins").first).to_have_text("one")
    await expect(panel.locator(".sql pre")).to_contain_text('UPDATE "Demo"."Table"')
    await first.get_by_role("button", name="Revert this value: City").click()
    assert await page.pending() == [1, 1, 1]
    await panel.get_by_role("button", name="Revert row 8").click()
    assert await page.pending() == [1, 1, 0]
    await panel.get_by_role("button", name="Save 2 rows").click()
    await page.until("view.pending.changed === 0 && view.pending.inserted === 0")
    await expect(panel).to_have_count(0)
    assert await page.focused() == "Rows of Demo.Table"


async def test_the_review_stands_beside_the_rows_so_that_its_links_lead_to_cells_in_sight(
    grid: Opener,
) -> None:
    page = await grid()
    await edit(page, 2, "Spouse", "77")
    await page.click(2, "Name")
    await page.js("client.fail = (name) => name === 'saveChanges' && { code: 'READ_ONLY', message: 'No.' }")
    await page.keys("Control+s")
    await page.until("view.table.staged.get('3').state === 'error'")
    await page.js("view.showReview()")
    await page.page.get_by_role("button", name="Go to cell").click()
    assert await page.active() == [2, "Spouse"]
    top = "(() => { const box = document.querySelector('.slick-cell.active').getBoundingClientRect(); "
    top += "return document.elementFromPoint(box.right - 4, box.top + 4)?.dataset.column === 'Spouse'; })()"
    await page.until(top)
    await page.keys("Home", "ArrowDown", "End")  # and every other one can be walked to
    await page.until(top)


async def test_rows_that_cannot_be_read_say_that_the_edits_are_kept(grid: Opener) -> None:
    page = await grid()
    await edit(page, 2, "Name", "mine")
    await page.js("client.fail = () => ({ code: 'TABLE_NOT_FOUND', message: 'There is no such table.' })")
    await page.js("view.refresh().catch(() => 0)")
    alert = page.page.locator(".empty [class*=float]")
    await expect(alert).to_contain_text("1 row with edits is still unsaved.")
    await page.js("client.fail = null")
    await alert.get_by_role("button", name="Try again").click()
    await expect(alert).to_have_count(0)
    assert await page.pending() == [1, 0, 0]


async def test_the_review_leads_to_a_row_that_is_not_on_hand_any_more(grid: Opener) -> None:
    page = await grid("rows=100000")
    await edit(page, 5, "Name", "far away")
    await page.js("client.fail = (name) => name === 'saveChanges' && { code: 'READ_ONLY', message: 'No.' }")
    await page.keys("Control+s")
    await page.until("view.table.staged.get('6').state === 'error'")
    await page.js("view.table.cache.reset(null, 100000); view.goto(90000)")
    await page.settled()
    await page.js("view.showReview()")
    await page.page.get_by_role("button", name="Go to cell").click()
    await page.until("view.table.sheet.getActiveCell()?.row === 5")
    assert await page.states(5, "Name") == "is-error"
    await page.js("view.sortBy([{column: 'City', direction: 'desc'}])")
    await page.settled()
    await page.page.get_by_role("button", name="Go to cell").click()
    await page.until("window.said.at(-1)[0].startsWith('Row 6 is not among the rows shown')")


async def test_a_review_of_very_many_values_shows_a_part_of_them(grid: Opener) -> None:
    page = await grid("rows=2000&cols=60")
    await page.js("view.edits.change(new view.table.sheet.Range(0, 11, 499, 60), (row) => `mine ${row}`)")
    await page.until("view.table.staged.counts.rows === 500")
    await page.js("view.showReview()")
    changes = page.page.locator(".change")
    shown = await changes.count()
    assert 2 < shown < 20
    await expect(changes.last).to_contain_text(f"… and {500 - shown + 1} more rows.")
    await changes.last.get_by_role("button", name="Show more").click()
    assert shown < await changes.count() < 40


async def test_discard_asks_and_drops_everything(grid: Opener) -> None:
    page = await grid("rows=40")
    await edit(page, 1, "Name", "one")
    await page.keys("Alt+Insert")
    await page.js("view.showReview()")
    await page.page.get_by_role("button", name="Discard").click()
    await page.confirm()
    assert await page.pending() == [0, 0, 0]
    assert await page.text(1, "Name") == "name 1"
    assert await page.js("view.table.rows.getLength()") == 40


# --- other people


async def test_changes_by_others_flash_and_leave_edits_alone(grid: Opener) -> None:
    page = await grid()
    await edit(page, 2, "Name", "mine")
    await page.click(4, "Name")
    await page.type("ty")
    await page.js(
        "client.push([{kind: 'update', rowId: '3', values: {Name: 'theirs'}}, {kind: 'update', "
        "rowId: '4', values: {City: 'new town'}}, {kind: 'update', rowId: '5', values: {Name: "
        "'remote', City: 'r'}}])"
    )
    await expect(page.cell(3, "City")).to_have_text("new town")
    assert await page.states(3, "City") == "is-others"
    assert await page.states(2, "Name") == "is-conflict"
    await expect(page.cell(2, "Name")).to_have_attribute("title", "alice made it theirs")
    assert await page.value(4, "City") == "r"
    await page.type("ped")
    assert await page.js("document.activeElement.value") == "typed"
    await page.keys("Enter")
    assert await page.value(4, "Name") == "typed"
    await page.until("!document.querySelector('.is-others')")
    assert await page.states(3, "City") == ""


async def test_a_value_changed_by_others_while_it_is_edited_is_a_conflict(grid: Opener) -> None:
    page = await grid()
    await page.click(2, "Name")
    await page.type("mi")
    await page.js("client.push([{kind: 'update', rowId: '3', values: {Name: 'theirs'}}])")
    await page.until("view.table.rows.find('3').values.Name === 'theirs'")
    await page.js("view.table.restructure()")  # rows coming or going must not make theirs the seen value
    await page.type("ne")
    await page.keys("Enter")
    assert await page.js("view.table.staged.get('3').conflict.Name") == {
        "base": "name 2",
        "mine": "mine",
        "theirs": "theirs",
    }
    assert "is-conflict" in await page.states(2, "Name")
    assert "alice changed Name while you were editing it" in await page.said()
    await page.click(3, "Name")
    await page.keys("F2")
    await page.js("client.push([{kind: 'update', rowId: '4', values: {Name: 'untouched'}}])")
    await page.until("view.table.rows.find('4').values.Name === 'untouched'")
    await page.keys("Enter")
    assert await page.text(3, "Name") == "untouched"
    assert await page.pending() == [1, 0, 0]


async def test_a_conflict_is_decided_cell_by_cell(grid: Opener) -> None:
    page = await grid()
    await edit(page, 2, "Name", "mine")
    await edit(page, 2, "Age", "50")
    await edit(page, 2, "City", "kept")
    await page.js("client.writes.set('3', {Name: 'theirs', Age: 60})")
    await page.keys("Control+s")
    await page.until("view.table.staged.get('3')?.state === 'conflict'")  # the save opens its dialog
    dialog = (
        page.page.get_by_role("dialog", name="Row 3 (name 2) was changed by someone else")
        .or_(page.page.locator("dialog[open]"))
        .first
    )
    await expect(dialog.locator("tbody tr")).to_have_count(2)
    await expect(dialog.locator("tbody tr").first).to_contain_text("name 2")
    await expect(dialog.locator("input:focus")).to_be_checked()  # no key chooses theirs by accident
    await dialog.get_by_role("radio", name="theirs").check()
    await dialog.get_by_role("button", name="Save row as chosen").click()
    await page.until("view.pending.changed === 0")
    assert await page.js(
        "[client.value('3', 'Name'), client.value('3', 'Age'), client.value('3', 'City')]"
    ) == ["theirs", 50, "kept"]
    assert [await page.value(2, name) for name in ("Name", "Age", "City")] == ["theirs", 50, "kept"]


async def test_a_conflict_with_several_cells_says_what_saving_does(grid: Opener) -> None:
    page = await grid()
    await edit(page, 2, "Name", "mine")
    await edit(page, 2, "City", "my city")
    await page.js("client.push([{kind: 'update', rowId: '3', values: {Name: 'theirs', City: 'their city'}}])")
    await page.until("view.table.staged.undecided.length === 1")
    await page.js("void view.panels.decide('3')")
    dialog = page.page.get_by_role("dialog")
    save = dialog.locator(".button-primary")
    await expect(save).to_have_text("Keep mine and save row")
    await dialog.locator("[data-column=City] [data-side=theirs] input").check()
    await expect(save).to_have_text("Save row as chosen")
    await save.click()
    await page.until("view.pending.changed === 0")
    assert await page.js("[client.value('3', 'Name'), client.value('3', 'City')]") == ["mine", "their city"]


async def test_a_refresh_finds_what_others_changed(grid: Opener) -> None:
    page = await grid()
    await edit(page, 2, "Name", "mine")
    await edit(page, 3, "Name", "same")
    await edit(page, 4, "Name", "left alone")
    await page.js("client.writes.set('3', {Name: 'theirs'}); client.writes.set('4', {Name: 'same'})")
    await page.keys("F5")
    await page.until("view.table.staged.get('3')?.state === 'conflict'")
    assert await page.states(2, "Name") == "is-conflict"
    assert await page.pending() == [2, 0, 0]
    assert await page.states(4, "Name") == "is-changed"


async def test_conflicts_are_decided_for_all(grid: Opener) -> None:
    page = await grid()
    for row in (2, 3):
        await edit(page, row, "Name", f"mine {row}")
    await page.js(
        "client.push([{kind: 'update', rowId: '3', values: {Name: 'a'}}, {kind: 'update', rowId: "
        "'4', values: {Name: 'b'}}])"
    )
    await page.until("view.table.staged.undecided.length === 2")
    await page.keys("Control+s")
    assert await page.said() == "2 rows need your decision first."
    await page.page.get_by_role("button", name="Skip for now").click()
    await page.js("view.showReview()")
    await page.page.get_by_role("button", name="Take theirs in all rows").click()
    assert await page.pending() == [0, 0, 0]
    assert [await page.text(row, "Name") for row in (2, 3)] == ["a", "b"]


async def test_a_row_deleted_by_others_can_be_inserted_again(grid: Opener) -> None:
    page = await grid("rows=50")
    await edit(page, 2, "Name", "mine")
    await page.js("client.push([{kind: 'delete', rowId: '3'}, {kind: 'delete', rowId: '10'}])")
    await page.until("view.table.staged.get('3')?.state === 'gone'")
    await expect(page.page.locator(".grid-canvas-right .slick-row[data-row='9']")).to_have_class(
        "ui-widget-content slick-row odd is-deleted"
    )
    await page.js("view.showReview()")
    await page.page.get_by_role("button", name="Insert again").click()
    assert await page.pending() == [0, 1, 0]
    await page.keys("Control+s")
    await page.until("view.pending.inserted === 0")
    assert await page.js("client.value('51', 'Name')") == "mine"
    assert await page.js("client.value('51', 'City')") == "city 2"


async def test_new_rows_by_others_wait_for_the_person(grid: Opener) -> None:
    page = await grid("rows=200")
    await page.click(3, "Name")
    await page.js(
        "client.rows = 203; client.push([201, 202, 203].map(id => ({kind: 'insert', rowId: "
        "String(id), values: {}})))"
    )
    chip = page.page.get_by_role("button", name="3 new rows by others. Show")
    await expect(chip).to_be_visible()
    assert await page.js("view.table.cache.length") == 200
    await chip.click()
    await page.until("statuses.at(-1).total === 203")
    await expect(chip).to_have_count(0)
    assert await page.active() == [3, "Name"]


# --- drafts


async def test_drafts_survive_a_reload_and_a_closed_view(grid: Opener) -> None:
    page = await grid("store=1")
    await edit(page, 2, "Balance", "12345678.50")
    await page.keys("Alt+Insert")
    await page.type("draft")
    await page.keys("Enter")
    await page.click(6, "Name")
    await page.keys("Control+Delete")
    await page.page.reload()
    await page.until("window.ready")
    assert await page.pending() == [1, 1, 1]
    assert await page.text(2, "Balance") == "12345678.50"
    assert await page.states(2, "Balance") == "is-changed"
    await page.js("void view.save()")
    await page.confirm()
    await page.until(
        "view.pending.changed === 0 && view.pending.inserted === 0 && view.pending.deleted === 0"
    )
    await page.until("sessionStorage.length === 0")


async def test_what_is_being_typed_survives_a_reload(grid: Opener) -> None:
    page = await grid("store=1")
    await page.click(2, "Name")
    await page.type("half typed")
    await page.page.reload()
    await page.until("window.ready")
    assert await page.pending() == [1, 0, 0]
    assert await page.value(2, "Name") == "half typed"


async def test_a_draft_that_does_not_fit_keeps_the_older_one(grid: Opener) -> None:
    page = await grid("store=1&rows=200")
    await edit(page, 1, "Name", "saved since")
    await edit(page, 2, "Name", "first")
    await page.until("sessionStorage.length === 1 && JSON.stringify(sessionStorage).includes('first')")
    await page.js(
        "(() => { const set = Storage.prototype.setItem; const room = JSON.stringify(sessionStorage).length; "
        "Storage.prototype.setItem = function (key, text) { if (text.length > room) "
        "throw new DOMException('full', 'QuotaExceededError'); set.call(this, key, text); }; })()"
    )
    await edit(page, 3, "Name", "second " * 7)
    await page.until("view.drafts.full")
    assert "storage is full" in await page.said()
    await edit(page, 4, "Name", "third")
    await page.js("view.drafts.saveNow()")
    full = "window.said.filter(([text]) => text.includes('storage is full')).length"
    assert await page.js(full) == 1  # said once, not over everything else that is to be said
    await page.js("view.saving.save(['2'])")
    await page.until("!view.table.staged.get('2')")
    await page.js("view.drafts.saveNow()")
    kept = await page.js("JSON.stringify(sessionStorage)")
    assert "first" in kept
    assert "saved since" not in kept, "an older draft does not bring back what was saved"


async def test_a_save_cut_off_by_a_reload_is_asked_for_again(grid: Opener) -> None:
    page = await grid("store=1")
    await page.js("client.hold = command => command === 'saveChanges' && new Promise(() => {})")
    await edit(page, 2, "Name", "on its way")
    await page.keys("Control+s")
    await page.until("view.table.staged.get('3')?.state === 'saving'")
    sent = await page.js("view.table.staged.get('3').sent.changeId")
    await page.js("view.drafts.saveNow()")
    await page.page.reload()
    await page.until("window.ready")
    await page.until("view.pending.changed === 0")
    assert (
        await page.js(
            "client.requests.find(({command}) => command === 'saveChanges').payload.changes[0].changeId"
        )
        == sent
    )


# --- read-only, details, values


async def test_a_read_only_table_says_why(grid: Opener) -> None:
    page = await grid("readonly=1")
    await page.click(2, "Name")
    await page.type("x")
    await page.keys("Delete", "Control+Delete", "Alt+Insert")
    await page.to_clipboard("y")
    await page.keys("Control+v")
    assert await page.said() == "This table cannot be edited: The server is read-only"
    assert await page.pending() == [0, 0, 0]
    assert (await page.js("statuses.at(-1).readOnly")) == {"reason": "The server is read-only"}


async def test_row_detail_follows_the_active_row(grid: Opener) -> None:
    page = await grid()
    await page.click(2, "Name")
    await page.keys("Space")
    panel = page.page.get_by_role("complementary", name="Row detail")
    await expect(panel.locator("dd").nth(1)).to_contain_text("name 2")
    await page.keys("ArrowDown")
    await expect(panel.locator("dd").nth(1)).to_contain_text("name 3")


async def test_row_detail_hides_neither_the_cell_nor_its_field(grid: Opener) -> None:
    page = await grid("cols=60")
    await page.click(2, "Name")
    await page.keys("End", "Space")
    panel = page.page.get_by_role("complementary", name="Row detail")
    await expect(panel.locator("dd.current")).to_be_in_viewport()
    right, left = await page.js(
        "[document.querySelector('.slick-cell.active'), document.querySelector('.panel')]"
        ".map((node, index) => node.getBoundingClientRect()[index ? 'left' : 'right'])"
    )
    assert right <= left + 1
    await page.keys("Home")
    await expect(panel.locator("dd.current")).to_be_in_viewport()
    await page.keys("Escape")
    await expect(panel).to_have_count(0)


async def test_the_large_editor_stages_lines_and_formats_json(grid: Opener) -> None:
    page = await grid()
    await page.click(2, "City")
    await page.type('{"a":')
    await page.keys("Shift+Enter")
    area = page.page.get_by_role("textbox", name="Value of City")
    await expect(area).to_be_focused()
    assert await area.input_value() == '{"a":'
    await page.page.keyboard.press("End")
    await page.type("[1]}")
    await page.page.get_by_role("button", name="Format JSON").click()
    assert await area.input_value() == '{\n  "a": [\n    1\n  ]\n}'
    await page.keys("Control+Enter")
    await page.until("view.pending.changed === 1")
    assert await page.text(2, "City") == "{↵"
    await page.keys("Shift+Enter")
    await page.type("more")
    await page.keys("Escape")
    await expect(page.page.get_by_role("alertdialog", name="Discard your text?")).to_be_visible()
    await page.confirm()
    assert await page.value(2, "City") == '{\n  "a": [\n    1\n  ]\n}'


async def test_line_breaks_in_a_cell(grid: Opener) -> None:
    page = await grid()
    await page.click(2, "City")
    await page.type("one")
    await page.keys("Alt+Enter")
    await page.type("two")
    await page.keys("Enter")
    assert await page.value(2, "City") == "one\ntwo"
    assert await page.text(2, "City") == "one↵"
    await page.click(2, "City")
    await page.keys("F2", "Enter")
    assert await page.value(2, "City") == "one\ntwo"


async def test_the_cell_menu_offers_what_keys_do(grid: Opener) -> None:
    page = await grid()
    await page.click(2, "City", button="right")
    menu = page.page.get_by_role("menu", name="Cell")
    await menu.get_by_role("menuitem", name="Set NULL").click()
    assert await page.value(2, "City") is None
    await page.keys("Shift+F10")
    await menu.get_by_role("menuitem", name="Revert").click()
    assert await page.pending() == [0, 0, 0]
    await page.click(3, "Age", button="right")
    await menu.get_by_role("menuitem", name="Filter by this value").click()
    await page.until("statuses.at(-1).total === 10")


async def test_changing_a_key_asks_first(grid: Opener) -> None:
    page = await grid()
    await page.js("view.table.schema.columns[1].isPrimaryKey = true")
    await edit(page, 2, "Name", "other key")
    await page.keys("Control+s")
    await expect(page.page.get_by_role("alertdialog")).to_contain_text("Change the value of a key?")
    await page.confirm()
    await page.until("view.pending.changed === 0")


async def test_columns_that_vanish_while_the_table_is_open(grid: Opener) -> None:
    page = await grid("rows=5000")
    await edit(page, 2, "Name", "kept")
    await page.js("view.table.filters.put('City', {operator: 'isNotNull'}); view.filtersChanged()")
    await page.settled()
    await page.js("client.columns = client.columns.filter(({name}) => name !== 'City'); view.refresh()")
    await expect(page.page.get_by_role("columnheader").filter(has_text="City")).to_have_count(0)
    assert await page.pending() == [1, 0, 0]
    assert await page.js("view.state.filters") == []


async def test_edits_of_a_column_that_vanished_are_shown_and_can_be_dropped(grid: Opener) -> None:
    page = await grid()
    await edit(page, 2, "City", "mine")
    await edit(page, 2, "Name", "kept")
    await page.js("client.columns = client.columns.filter(({name}) => name !== 'City'); view.refresh()")
    await page.until("window.said.at(-1)?.[0].includes('1 unsaved edit in City cannot be saved')")
    assert await page.pending() == [2, 0, 0]
    await page.js("view.showReview()")
    line = page.page.locator(".change dd").filter(has_text="no longer in the table")
    await expect(line).to_contain_text("mine")
    await line.get_by_role("button", name="Revert this value: City").click()
    assert await page.pending() == [1, 0, 0]
    assert await page.value(2, "Name") == "kept"
