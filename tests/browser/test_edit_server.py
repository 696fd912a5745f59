"""The grid with the real server and the embedded IRIS: every edit ends in the database, or is still there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, Route, expect

from iris_quart.demo import FaultRule
from iris_quart.demo.server import ThreadedDemoServer

from .conftest import WebServer
from .visits import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PERSON = "Sample.Person"
MATRIX = "SQLUser.TypeMatrix"


def cell(page: Page, row: int, name: str) -> Locator:
    """Find a cell of the table on screen."""
    return page.locator(f".view:not([hidden]) .slick-row[data-row='{row}'] .slick-cell[data-column='{name}']")


async def shown(page: Page) -> None:
    """Wait until the first rows are there."""
    await expect(page.locator(".view:not([hidden]) .slick-row[data-row='0']").first).to_be_visible()
    await expect(page.locator(".view:not([hidden]) .slick-row.loading")).to_have_count(0)


async def open_table(visit: Visit, table: str = PERSON) -> Page:
    """Open a table and wait for its rows."""
    await visit.open_table(table)
    await shown(visit.page)
    return visit.page


async def go_to(page: Page, name: str) -> None:
    """Walk along the first row to a column that may be out of sight."""
    await cell(page, 0, "Label").click()
    while not await page.locator(f".slick-cell.active[data-column='{name}']").count():
        await page.keyboard.press("ArrowRight")


async def edit(page: Page, row: int, name: str, text: str) -> None:
    """Type a text into a cell and leave it downwards."""
    await cell(page, row, name).click(position={"x": 20, "y": 10})
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def saved(page: Page) -> None:
    """Wait until nothing is staged."""
    await expect(page.locator("[data-action=save]")).to_have_attribute("aria-disabled", "true")


async def save(page: Page) -> None:
    """Save what is staged once the page shows that something is, and wait until nothing is."""
    await expect(page.locator("[data-action=save]")).to_have_attribute("aria-disabled", "false")
    await page.keyboard.press("Control+s")
    await saved(page)


async def long_value(page: Page) -> Locator:
    """Open the editor of the matrix's long text, and give its field."""
    await cell(page, 5, "VarcharValue").click()
    await page.keyboard.press("Shift+Enter")
    return page.get_by_role("textbox", name="Value of VarcharValue")


def stored(iris: ThreadedDemoServer, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Ask the database itself."""
    return iris.server.namespace("SAMPLES").execute(sql, parameters).rows


@pytest_asyncio.fixture(loop_scope="module")
async def page(visitor: Visitor) -> AsyncIterator[Page]:
    """Open Sample.Person, signed in."""
    yield await open_table(await visitor())


async def test_an_edit_is_saved_and_still_there_after_a_reload(page: Page, iris: ThreadedDemoServer) -> None:
    await edit(page, 2, "Name", "Saved,By Key")
    await expect(cell(page, 2, "Name")).to_have_attribute("title", "Changed. Was: Goto,Greta B.")
    await save(page)
    assert stored(iris, "SELECT Name FROM Sample.Person WHERE ID = 3") == [("Saved,By Key",)]
    await page.reload()
    await shown(page)
    await expect(cell(page, 2, "Name")).to_have_text("Saved,By Key")


async def test_null_and_empty_reach_the_database(page: Page, iris: ThreadedDemoServer) -> None:
    await cell(page, 4, "Home_Street").click()
    await page.keyboard.press("Control+Alt+n")
    await cell(page, 5, "Home_Street").click()
    await page.keyboard.press("Control+Alt+e")
    await edit(page, 6, "DOB", "1984-02-29")
    await save(page)
    rows = stored(iris, "SELECT Home_Street FROM Sample.Person WHERE ID IN (5, 6) ORDER BY ID")
    assert rows == [(None,), ("",)]
    assert stored(iris, "SELECT %ODBCOUT(DOB) FROM Sample.Person WHERE ID = 7") == [("1984-02-29",)]


async def test_insert_and_delete(page: Page, iris: ThreadedDemoServer) -> None:
    await cell(page, 0, "Name").click()
    await page.keyboard.press("Alt+Insert")
    await cell(page, 1, "Name").click()
    await page.keyboard.type("Inserted,Row")
    await page.keyboard.press("Tab")
    await page.keyboard.type("999-11-2222")
    await page.keyboard.press("Enter")
    await save(page)
    (row_id,) = stored(iris, "SELECT ID FROM Sample.Person WHERE SSN = ?", "999-11-2222")[0]
    await expect(cell(page, 1, "ID")).to_have_text(str(row_id))
    await cell(page, 1, "Name").click()
    await page.keyboard.press("Control+Delete")
    await page.keyboard.press("Control+s")
    question = page.get_by_role("alertdialog")
    await expect(question).to_contain_text("1 row is deleted in Sample.Person on demo.")
    await question.get_by_role("button", name="Delete 1 row").click()
    await expect(page.locator("dialog")).to_have_count(0)
    await saved(page)
    assert stored(iris, "SELECT COUNT(*) FROM Sample.Person WHERE SSN = ?", "999-11-2222") == [(0,)]


async def test_a_violated_constraint_stands_at_its_row(page: Page, iris: ThreadedDemoServer) -> None:
    (other,) = stored(iris, "SELECT SSN FROM Sample.Person WHERE ID = 1")[0]
    await edit(page, 8, "SSN", other)
    await page.keyboard.press("Control+s")
    await expect(cell(page, 8, "SSN")).to_have_attribute("aria-invalid", "true")
    assert "SQLCODE" in str(await cell(page, 8, "SSN").get_attribute("title"))
    await page.keyboard.press("Control+Alt+z")
    await cell(page, 8, "SSN").click()
    await page.keyboard.press("Control+Alt+z")
    await saved(page)


async def test_two_people_see_each_other_and_settle_a_conflict(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    first = await open_table(await visitor())
    second = await open_table(await visitor("alice", "alice"))
    await edit(second, 10, "Name", "Alice,Was Here")
    await second.keyboard.press("Control+s")
    await saved(second)
    await expect(cell(first, 10, "Name")).to_have_text("Alice,Was Here")
    await edit(first, 11, "Name", "First,Edit")
    await edit(second, 11, "Name", "Second,Edit")
    await second.keyboard.press("Control+s")
    await saved(second)
    await expect(cell(first, 11, "Name")).to_have_attribute("aria-invalid", "true")
    await expect(cell(first, 11, "Name")).to_have_attribute("title", "alice made it Second,Edit")
    await first.locator("[data-action=showReview]").click()
    await first.get_by_role("button", name="Compare").click()
    await first.get_by_role("button", name="Keep mine and save row").click()
    await saved(first)
    assert stored(iris, "SELECT Name FROM Sample.Person WHERE ID = 12") == [("First,Edit",)]
    await expect(cell(second, 11, "Name")).to_have_text("First,Edit")


async def test_every_type_comes_back_as_it_was(visitor: Visitor, iris: ThreadedDemoServer) -> None:
    """Opening and leaving each cell of the hardest table changes nothing."""
    page = await open_table(await visitor(), MATRIX)
    before = stored(iris, "SELECT * FROM SQLUser.TypeMatrix ORDER BY ID")
    await cell(page, 0, "Label").click()
    for _row in range(12):
        for _column in range(24):
            await page.keyboard.press("F2")
            if await page.locator("dialog[open]").count():
                await page.keyboard.press("Escape")
                await page.keyboard.press("ArrowRight")
            else:
                await page.keyboard.press("Tab")
        await page.keyboard.press("Home")
        await page.keyboard.press("ArrowDown")
    await saved(page)
    assert stored(iris, "SELECT * FROM SQLUser.TypeMatrix ORDER BY ID") == before


async def test_edits_of_every_type_are_exact(visitor: Visitor, iris: ThreadedDemoServer) -> None:
    page = await open_table(await visitor(), MATRIX)
    typed = {
        "VarcharValue": "it's \u20ac \U0001f600",
        "BigintValue": "9223372036854775807",
        "NumericValue": "12345678901234.5678",
        "DateValue": "9999-12-31",
        "TimeValue": "23:59:59",
        "PosixtimeValue": "1999-12-31 23:59:59.123456",
    }
    for name, text in typed.items():
        await page.keyboard.press("Home")
        await go_to(page, name)
        await page.keyboard.type(text)
        await page.keyboard.press("Enter")
    await save(page)
    row = stored(
        iris,
        "SELECT VarcharValue, BigintValue, NumericValue, %ODBCOUT(DateValue), %ODBCOUT(TimeValue), "
        "%ODBCOUT(PosixtimeValue) FROM SQLUser.TypeMatrix WHERE Label = 'usual'",
    )[0]
    assert [str(value) for value in row] == list(typed.values())


async def test_no_zone_of_the_browser_moves_a_date(visitor: Visitor, iris: ThreadedDemoServer) -> None:
    """Far ahead of and behind the server, over days that a zone never had, every text is the database's."""
    columns = ["DateValue", "TimeValue", "TimestampValue", "PosixtimeValue"]
    converted = ", ".join(f"%ODBCOUT({name})" for name in columns)
    expected = stored(iris, f"SELECT {converted} FROM SQLUser.TypeMatrix ORDER BY ID")[:20]
    for zone in ("Pacific/Apia", "America/Sao_Paulo"):
        page = await open_table(await visitor(timezone_id=zone), MATRIX)
        for place, name in enumerate(columns):
            await page.keyboard.press("Control+Home")
            await go_to(page, name)
            cells = page.locator(f".slick-cell[data-column={name}]")
            texts = [{"NULL": None, "''": ""}.get(text, text) for text in await cells.all_inner_texts()]
            assert texts[:20] == [row[place] for row in expected]
        await page.keyboard.press("Control+Home")
        await go_to(page, "DateValue")
        await page.keyboard.type("2011-12-30")  # a day that Samoa left out
        await page.keyboard.press("Enter")
        await save(page)
        day = "SELECT %ODBCOUT(DateValue) FROM SQLUser.TypeMatrix WHERE Label = 'usual'"
        assert stored(iris, day) == [("2011-12-30",)]
        await page.keyboard.press("Control+z")
        await save(page)


async def test_hostile_names_and_errors_of_the_server_are_text(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    """Schema, table, column and value are markup, and IRIS's error quotes the value: nothing of it runs."""
    attack = "<img src=x onerror=alert(1)>"
    table = f'"{attack}s"."{attack}t"'
    run = iris.server.namespace("SAMPLES").execute
    run(f'CREATE TABLE {table} ("<svg onload=alert(1)>" VARCHAR(60), Tight VARCHAR(60) NOT NULL UNIQUE)', ())
    run(f'INSERT INTO {table} ("<svg onload=alert(1)>", Tight) VALUES (?, ?)', (attack, attack))
    visit = await visitor()
    dialogs: list[str] = []
    visit.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page = await open_table(visit, quote(f"{attack}s.{attack}t"))
    await expect(cell(page, 0, "Tight")).to_have_text(attack)
    await cell(page, 0, "Tight").click()
    await page.keyboard.press("Alt+Insert")
    await cell(page, 1, "Tight").click()
    await page.keyboard.type(attack)
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+s")
    await expect(page.locator("[data-part=notices]")).to_contain_text("was not saved")
    await page.locator("[data-action=showReview]").click()
    await expect(page.locator(".why-error")).to_contain_text(attack)
    await page.keyboard.press("Escape")
    await cell(page, 0, "Tight").click(button="right")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("img")
    await expect(page.locator("dialog[open]")).to_contain_text(attack)
    assert await page.locator("img, svg[onload]").count() == 0
    assert dialogs == []


async def test_a_long_value_is_fetched_whole_and_replaced(visitor: Visitor, iris: ThreadedDemoServer) -> None:
    visit = await visitor()
    page = await open_table(visit, MATRIX)
    await cell(page, 5, "VarcharValue").click()
    await page.keyboard.press("Enter")
    area = page.get_by_role("textbox", name="Value of VarcharValue")
    await expect(area).to_be_visible()
    assert len(await area.input_value()) == 2000
    await area.fill("y" * 1500)
    await page.get_by_role("button", name="Save value").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator("[data-part=status-message]")).to_contain_text("Saved")
    assert stored(iris, "SELECT VarcharValue FROM SQLUser.TypeMatrix WHERE ID = 6") == [("y" * 1500,)]


async def test_a_long_value_that_was_refused_is_still_in_its_editor(
    visitor: Visitor, iris: ThreadedDemoServer
) -> None:
    visit = await visitor()
    visit.expect("412")
    page = await open_table(visit, MATRIX)
    area = await long_value(page)
    await area.fill("an hour of work " * 90)
    theirs = "theirs " * 250
    iris.server.namespace("SAMPLES").execute(
        "UPDATE SQLUser.TypeMatrix SET VarcharValue = ? WHERE ID = 6", (theirs,)
    )
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("Someone changed this value")
    await expect(area).to_be_focused()
    assert await area.input_value() == "an hour of work " * 90
    assert stored(iris, "SELECT VarcharValue FROM SQLUser.TypeMatrix WHERE ID = 6") == [(theirs,)]


async def test_the_browser_asks_before_it_drops_a_long_value_that_was_typed(visitor: Visitor) -> None:
    visit = await visitor()
    page = await open_table(visit, MATRIX)
    area = await long_value(page)
    await area.press("End")
    await page.keyboard.type("an hour of work")
    typed = await area.input_value()
    async with page.expect_event("dialog") as asked:
        leaving = asyncio.ensure_future(page.close(run_before_unload=True))
    question = await asked.value
    assert question.type == "beforeunload"
    await question.dismiss()
    await leaving
    assert await area.input_value() == typed
    # Given up by its person, it holds nobody any more.
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Drop it").click()
    async with page.expect_event("close"):
        await page.close(run_before_unload=True)


async def test_a_long_value_whose_save_got_no_answer_is_still_in_its_editor(visitor: Visitor) -> None:
    visit = await visitor()
    visit.expect("ERR_FAILED")
    page = await open_table(visit, MATRIX)
    area = await long_value(page)
    await area.fill("an hour of work " * 90)
    await page.route("**/api/value/**", lambda route: route.abort())
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("not known whether the value was saved")
    await page.unroute("**/api/value/**")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("[data-part=status-message]")).to_contain_text("Saved")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_typing_on_a_long_value_opens_one_editor(visitor: Visitor) -> None:
    visit = await visitor()
    page = await open_table(visit, MATRIX)
    asked: list[str] = []
    typed = asyncio.Event()

    async def late(route: Route) -> None:
        asked.append(route.request.url)
        await typed.wait()
        await route.continue_()

    await page.route("**/api/value/**", late)
    await cell(page, 5, "VarcharValue").click()
    await page.keyboard.type("abc")
    typed.set()
    area = page.get_by_role("textbox", name="Value of VarcharValue")
    await expect(area).to_be_focused()
    assert len(asked) == 1
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_filters_search_and_sort_ask_the_server(page: Page) -> None:
    rows = page.locator("[data-part=status-rows]")
    await cell(page, 0, "Name").click()
    await page.keyboard.press("Control+f")
    await page.keyboard.type("Goto,")
    await expect(rows).not_to_contain_text("of 200")
    await page.get_by_label("Filter DOB").fill("≥ 1980")
    await page.keyboard.press("Enter")
    await expect(page.locator(".filter-chip")).to_have_count(2)
    await page.get_by_role("columnheader").filter(has_text="DOB").click()
    await expect(page.get_by_role("columnheader").filter(has_text="DOB")).to_have_attribute(
        "aria-sort", "ascending"
    )
    await page.locator(".bar-filters").get_by_role("button", name="Clear filters").click()
    await expect(rows).to_contain_text("of 200")


async def test_all_rows_of_a_table_are_reached(page: Page) -> None:
    await cell(page, 0, "Name").click()
    await page.keyboard.press("Control+End")
    await expect(cell(page, 199, "ID")).to_be_visible()
    await page.keyboard.press("Control+Home")
    await expect(cell(page, 0, "ID")).to_have_text("1")


async def test_the_review_shows_statements_that_run_elsewhere_and_closes_after_its_save(
    page: Page, iris: ThreadedDemoServer
) -> None:
    await edit(page, 3, "Name", "O'Review,Row?")
    await edit(page, 3, "DOB", "1980-01-02")
    await page.locator("[data-action=showReview]").click()
    sql = page.locator(".sql pre")
    await expect(sql).to_contain_text('UPDATE "Sample"."Person" SET "Name" = \'O\'\'Review,Row?\'')
    assert await sql.evaluate("node => node.scrollWidth <= node.clientWidth"), "long lines wrap"
    await expect(page.locator(".review .change h3")).to_have_text("Row 4O'Review,Row?")
    await page.get_by_role("button", name="Copy SQL").click()
    await expect(page.locator("[data-part=status-message]")).to_have_text("SQL copied")
    copied = await page.evaluate("navigator.clipboard.readText()")
    iris.server.namespace("SAMPLES").execute(copied.removesuffix(";"))
    assert stored(iris, "SELECT Name, %ODBCOUT(DOB) FROM Sample.Person WHERE ID = 4") == [
        ("O'Review,Row?", "1980-01-02")
    ]
    await page.locator(".panel-foot").get_by_role("button", name="Save 1 row").click()
    await expect(page.locator(".review")).to_have_count(0)
    await saved(page)
    await page.keyboard.press("ArrowUp")
    await expect(page.locator(".slick-row[data-row='3'] .slick-cell.active")).to_be_visible()


async def test_the_review_stays_with_what_its_save_left(page: Page, iris: ThreadedDemoServer) -> None:
    ((taken,),) = stored(iris, "SELECT SSN FROM Sample.Person WHERE ID = 8")
    await edit(page, 8, "SSN", str(taken))
    await edit(page, 9, "Name", "Review,Stays")
    await page.locator("[data-action=showReview]").click()
    await page.locator(".panel-foot").get_by_role("button", name="Save 2 rows").click()
    await expect(page.locator(".review .change")).to_have_count(1)
    await expect(page.locator(".review .why-error")).to_contain_text("SSN")
    await expect(page.locator(".review .change h3")).to_contain_text("Row 9")
    await page.get_by_role("button", name="Revert row 9").click()
    await expect(page.locator(".review .change")).to_have_count(0)


async def test_foreign_keys_open_the_other_table(visitor: Visitor) -> None:
    page = await open_table(await visitor(), "Sample.Employee")
    reference = await page.locator(".slick-cell:has([data-follow])").first.get_attribute("data-column")
    assert reference is not None
    await page.locator(".slick-cell:has([data-follow])").first.click()
    await page.keyboard.press("Alt+Enter")
    await expect(page.get_by_role("tab")).to_have_count(2)
    await shown(page)
    await expect(page.locator(".view:not([hidden]) .filter-chip")).to_have_count(1)


async def test_a_killed_server_loses_no_edit(
    visitor: Visitor, web: WebServer, iris: ThreadedDemoServer
) -> None:
    """Kill the server while somebody types and saves, again and again: what the page calls saved is stored."""
    visit = await visitor()
    visit.expect("WebSocket connection|Failed to load resource|ERR_CONNECTION")
    page = await open_table(visit)
    for turn in range(3):
        await page.keyboard.press("Control+Home")
        for row in range(8, 14):
            await edit(page, row, "Name", f"Chaos,{turn} {row}")
        await page.keyboard.press("Control+s")
        await asyncio.to_thread(web.kill)
        await edit(page, 15, "Name", f"Typed,While Away {turn}")
        await asyncio.to_thread(web.start)
        await visit.live()
        # A change that the killed worker had begun is asked for again a moment later.
        await expect(page.locator(".slick-cell:is(.is-saving, .is-unknown)")).to_have_count(0, timeout=15_000)
        await page.keyboard.press("Control+s")
        await saved(page)
        names = [
            name
            for (name,) in stored(
                iris, "SELECT Name FROM Sample.Person WHERE ID BETWEEN 9 AND 14 ORDER BY ID"
            )
        ]
        assert names == [f"Chaos,{turn} {row}" for row in range(8, 14)]
        assert stored(iris, "SELECT Name FROM Sample.Person WHERE ID = 16") == [(f"Typed,While Away {turn}",)]


async def test_an_unknown_outcome_is_found_out_while_the_review_is_open(
    page: Page, iris: ThreadedDemoServer
) -> None:
    """The review shows what saving would send; that must not make the page forget under which id it asks."""
    iris.add_fault(FaultRule(kind="reset_before", sql="^UPDATE", times=1))
    await edit(page, 20, "Name", "Unknown,For A Moment")
    await page.locator("[data-action=showReview]").click()
    await page.locator("[data-action=save]").click()
    await expect(page.locator(".slick-cell.is-unknown")).to_have_count(1)
    await expect(page.locator(".slick-cell.is-unknown")).to_have_count(0, timeout=15_000)
    await saved(page)
    assert stored(iris, "SELECT Name FROM Sample.Person WHERE ID = 21") == [("Unknown,For A Moment",)]


async def test_a_tab_keeps_its_place_and_its_edit_while_another_is_looked_at(visitor: Visitor) -> None:
    page = await open_table(await visitor())
    await cell(page, 0, "Name").click()
    await page.keyboard.press("Control+g")
    await page.keyboard.type("120")
    await page.keyboard.press("Enter")
    await expect(cell(page, 119, "ID")).to_have_text("120")
    await edit(page, 119, "Name", "Kept,In Its Tab")
    tree = page.locator("[data-table='Sample.Company']")
    if not await tree.count():
        await page.locator("[data-schema='Sample']").click()
    await tree.click()
    await shown(page)
    await page.get_by_role("tab", name=PERSON).click()
    await expect(cell(page, 119, "Name")).to_have_text("Kept,In Its Tab")
    await expect(cell(page, 119, "Name")).to_be_in_viewport()
    await page.reload()
    await expect(cell(page, 119, "Name")).to_have_text("Kept,In Its Tab")
    await save(page)


async def test_staged_edits_survive_an_expired_session(visitor: Visitor, iris: ThreadedDemoServer) -> None:
    visit = await visitor()
    visit.expect("Failed to load resource|WebSocket")
    page = await open_table(visit)
    await edit(page, 3, "Name", "Survived,The End")
    await visit.context.request.post(f"{visit.url}/api/disconnect")
    await expect(page.locator("dialog[open]")).to_be_visible()
    await expect(page.get_by_text("Survived,The End")).to_have_count(0)
    await page.locator("dialog[open] input[type=password]").fill("SYS")
    await page.keyboard.press("Enter")
    await visit.live()
    await expect(cell(page, 3, "Name")).to_have_text("Survived,The End")
    await page.locator("[data-action=save]").click()
    await saved(page)
    assert stored(iris, "SELECT Name FROM Sample.Person WHERE ID = 4") == [("Survived,The End",)]


async def test_autosave_is_a_choice_of_the_person(visitor: Visitor, iris: ThreadedDemoServer) -> None:
    visit = await visitor()
    await visit.context.add_init_script(
        "localStorage.setItem('iris-quart:preferences', JSON.stringify({saving: 'auto'}))"
    )
    page = await open_table(visit)
    await edit(page, 1, "Name", "Saved,At Once")
    await saved(page)
    assert stored(iris, "SELECT Name FROM Sample.Person WHERE ID = 2") == [("Saved,At Once",)]


async def test_a_read_only_server_says_why(visitor: Visitor) -> None:
    page = await open_table(await visitor(server="demo-readonly"))
    await cell(page, 1, "Name").click()
    await page.keyboard.type("x")
    await expect(page.locator("[data-part=notices]")).to_contain_text("cannot be edited")
    await expect(page.locator("[data-action=insertRow]")).to_have_attribute("aria-disabled", "true")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_on_the_whole_page(visitor: Visitor, theme: str) -> None:
    visit = await visitor(color_scheme=theme)
    page = await open_table(visit)
    await edit(page, 2, "Name", "Axe,Edit")
    await cell(page, 4, "Name").click()
    assert await visit.axe() == []
    await page.locator("[data-action=showReview]").click()
    await expect(page.locator(".sql pre")).to_contain_text("UPDATE")
    assert await visit.axe() == []
    await page.locator("[data-action=showFilters]").click()
    await page.get_by_label("Filter Name").fill("e")
    await page.keyboard.press("Enter")
    await expect(page.locator(".filter-chip")).to_have_count(1)
    assert await visit.axe() == []
    await page.get_by_role("columnheader").filter(has_text="DOB").click(button="right")
    assert await visit.axe() == []
