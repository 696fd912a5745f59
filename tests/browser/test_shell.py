"""The frame of the editor: tree, tabs, addresses, palette, keys, menus, accessibility."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from .visits import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PERSON = "Sample.Person"
COMPANY = "Sample.Company"
EMPLOYEE = "Sample.Employee"


def tab(page: Page, table: str) -> Locator:
    """Find the tab of a table."""
    return page.get_by_role("tab", name=table)


def tree_item(page: Page, name: str) -> Locator:
    """Find a line of the tree by its table or schema."""
    return page.locator(f'[data-table="{name}"], [data-schema="{name}"]')


async def rows_of(page: Page, table: str) -> None:
    """Wait until the rows of a table are on screen."""
    await expect(page.get_by_role("tabpanel", name=table).get_by_role("gridcell").first).to_be_visible()


async def size_of(element: Locator) -> tuple[float, float]:
    """Measure width and height."""
    box = await element.bounding_box()
    assert box is not None
    return box["width"], box["height"]


async def editor(visitor: Visitor, path: str = "/", **options: object) -> Visit:
    """Open the editor at a path, signed in."""
    visit = await visitor(**options)
    await visit.page.goto(f"{visit.url}{path}")
    await visit.live()
    return visit


# --- the tree


async def test_tables_stand_below_their_schemas(visitor: Visitor) -> None:
    page = (await editor(visitor)).page
    sample = tree_item(page, "Sample")
    await expect(sample).to_have_attribute("aria-expanded", "false")
    await sample.click()
    await expect(sample).to_have_attribute("aria-expanded", "true")
    await tree_item(page, PERSON).click()
    await rows_of(page, PERSON)
    await expect(tree_item(page, PERSON)).to_have_attribute("aria-selected", "true")
    await expect(page).to_have_title("Sample.Person · SAMPLES · iris-quart")


async def test_the_tree_can_be_walked_by_keyboard(visitor: Visitor) -> None:
    page = (await editor(visitor)).page
    await expect(tree_item(page, "Sample")).to_be_visible()
    await page.keyboard.press("F6")
    await expect(page.get_by_role("searchbox", name="Filter tables")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.type("Samp")
    await expect(tree_item(page, "Sample")).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.type("p")
    await expect(tree_item(page, PERSON)).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await expect(tree_item(page, "Sample")).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await expect(tree_item(page, "Sample")).to_have_attribute("aria-expanded", "false")


async def test_the_filter_finds_and_enter_opens(visitor: Visitor) -> None:
    page = (await editor(visitor)).page
    field = page.get_by_role("searchbox", name="Filter tables")
    await field.fill("sample.empl")
    await expect(tree_item(page, EMPLOYEE)).to_be_visible()
    await expect(tree_item(page, "Cinema")).to_have_count(0)
    await field.press("Enter")
    await rows_of(page, EMPLOYEE)
    await field.fill("no such table")
    await expect(page.get_by_text("Nothing contains “no such table”")).to_be_visible()
    await field.press("Escape")
    await expect(field).to_have_value("")
    await expect(tree_item(page, "Sample")).to_be_visible()


async def test_system_schemas_are_shown_when_asked_for(visitor: Visitor) -> None:
    page = (await editor(visitor)).page
    await expect(tree_item(page, "Sample")).to_be_visible()
    system = tree_item(page, "INFORMATION_SCHEMA")
    await expect(system).to_have_count(0)
    await page.get_by_label("System schemas").check()
    await expect(system).to_be_visible()
    await page.reload()
    await expect(system).to_be_visible()


async def test_another_namespace_has_its_own_tables(visitor: Visitor) -> None:
    page = (await editor(visitor)).page
    await expect(tree_item(page, "Sample")).to_be_visible()
    await page.get_by_role("button", name="SAMPLES").click()
    await expect(page.get_by_role("menuitemradio", name="SAMPLES")).to_have_attribute("aria-checked", "true")
    await page.get_by_role("menuitemradio", name="%SYS").click()
    await expect(page.get_by_role("tree", name="Tables of %SYS")).to_be_visible()
    await expect(page.locator("[data-part=namespace]")).to_have_text("%SYS")
    await expect(tree_item(page, "Sample")).to_have_count(0)
    await page.reload()
    await expect(page.get_by_role("tree", name="Tables of %SYS")).to_be_visible()


async def test_the_sidebar_folds_and_keeps_its_width(visitor: Visitor) -> None:
    page = (await editor(visitor)).page
    side = page.locator("#side")
    await page.keyboard.press("Control+b")
    await expect(side).to_be_hidden()
    await page.reload()
    await expect(side).to_be_hidden()
    await page.get_by_role("button", name="Sidebar").click()
    await expect(side).to_be_visible()
    handle = page.get_by_role("separator", name="Width of the sidebar")
    before = (await size_of(side))[0]
    await handle.focus()
    await handle.press("ArrowRight")
    await handle.press("ArrowRight")
    assert (await size_of(side))[0] == before + 32
    await page.reload()
    await expect(side).to_have_css("width", f"{before + 32:.0f}px")


async def test_a_narrow_window_starts_without_the_sidebar(visitor: Visitor) -> None:
    visit = await editor(visitor, "/table/SAMPLES/Sample.Person", viewport={"width": 1024, "height": 768})
    await expect(visit.page.locator("#side")).to_be_hidden()
    await rows_of(visit.page, PERSON)
    overflow = await visit.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not overflow


# --- tabs and addresses


async def test_tabs_are_remembered(visitor: Visitor) -> None:
    visit = await editor(visitor, "/table/SAMPLES/Sample.Person")
    page = visit.page
    await rows_of(page, PERSON)
    await visit.open_table(COMPANY)
    await rows_of(page, COMPANY)
    await expect(page.get_by_role("tab")).to_have_count(2)
    await page.goto(f"{visit.url}/")
    await rows_of(page, COMPANY)
    await expect(page.get_by_role("tab")).to_have_count(2)
    await expect(tab(page, COMPANY)).to_have_attribute("aria-selected", "true")
    # A new window of the same browser begins with the same tables.
    second = await visit.context.new_page()
    visit.watch(second)
    await second.goto(f"{visit.url}/")
    await rows_of(second, COMPANY)
    await expect(second.get_by_role("tab")).to_have_count(2)


async def test_tabs_by_keyboard(visitor: Visitor) -> None:
    visit = await editor(visitor, "/table/SAMPLES/Sample.Person")
    page = visit.page
    await visit.open_table(COMPANY)
    await visit.open_table(EMPLOYEE)
    await rows_of(page, EMPLOYEE)
    await tab(page, EMPLOYEE).focus()
    await page.keyboard.press("ArrowLeft")
    await expect(tab(page, COMPANY)).to_be_focused()
    await expect(tab(page, COMPANY)).to_have_attribute("aria-selected", "true")
    await rows_of(page, COMPANY)
    await page.keyboard.press("Delete")
    await expect(tab(page, COMPANY)).to_have_count(0)
    await expect(page.get_by_role("tab", selected=True)).to_have_count(1)
    await page.get_by_role("tab", selected=True).click(button="right")
    await page.get_by_role("menuitem", name="Close all tabs").click()
    await expect(page.get_by_role("heading", name="Open a table")).to_be_visible()
    assert page.url == f"{visit.url}/?namespace=SAMPLES"


async def three_tabs(visitor: Visitor) -> Visit:
    """Open Person, Company and Employee, in this order; Employee is on screen."""
    visit = await editor(visitor, "/table/SAMPLES/Sample.Person")
    await visit.open_table(COMPANY)
    await visit.open_table(EMPLOYEE)
    await rows_of(visit.page, EMPLOYEE)
    return visit


async def order_of_tabs(page: Page, *tables: str) -> None:
    """Expect the tabs in this order."""
    await expect(page.get_by_role("tab")).to_have_text(list(tables))


async def test_tabs_are_moved_by_keyboard_and_by_menu(visitor: Visitor) -> None:
    visit = await three_tabs(visitor)
    page = visit.page
    await tab(page, EMPLOYEE).focus()
    await page.keyboard.press("Shift+ArrowLeft")
    await order_of_tabs(page, PERSON, EMPLOYEE, COMPANY)
    await expect(tab(page, EMPLOYEE)).to_be_focused()
    await expect(page.locator("[data-part=announcer]")).to_have_text("Sample.Employee is tab 2 of 3.")
    await page.keyboard.press("Shift+ArrowLeft")
    await page.keyboard.press("Shift+ArrowLeft")
    await order_of_tabs(page, EMPLOYEE, PERSON, COMPANY)
    await tab(page, COMPANY).click(button="right")
    await expect(page.get_by_role("menuitem", name="Move right")).to_have_attribute("aria-disabled", "true")
    await page.get_by_role("menuitem", name="Move left").click()
    await order_of_tabs(page, EMPLOYEE, COMPANY, PERSON)
    # As they stand, so they come back, here and in a new window.
    await page.reload()
    await rows_of(page, EMPLOYEE)
    await order_of_tabs(page, EMPLOYEE, COMPANY, PERSON)
    second = await visit.context.new_page()
    visit.watch(second)
    await second.goto(f"{visit.url}/")
    await order_of_tabs(second, EMPLOYEE, COMPANY, PERSON)


async def test_a_tab_is_dragged_and_nothing_else_happens(visitor: Visitor) -> None:
    page = (await three_tabs(visitor)).page
    company = await tab(page, COMPANY).bounding_box()
    person = await tab(page, PERSON).bounding_box()
    assert company is not None
    assert person is not None
    await page.mouse.move(person["x"] + 20, person["y"] + 15)
    await page.mouse.down()
    await page.mouse.move(company["x"] + company["width"] / 2 + 5, person["y"] + 40, steps=8)
    await order_of_tabs(page, COMPANY, PERSON, EMPLOYEE)
    await page.mouse.up()
    await order_of_tabs(page, COMPANY, PERSON, EMPLOYEE)
    await expect(tab(page, EMPLOYEE)).to_have_attribute("aria-selected", "true")
    # Far beyond the end, then Esc: as if nothing had been.
    await page.mouse.move(person["x"] + 20, person["y"] + 15)
    await page.mouse.down()
    await page.mouse.move(1200, person["y"] + 15, steps=8)
    await order_of_tabs(page, PERSON, EMPLOYEE, COMPANY)
    await page.keyboard.press("Escape")
    await order_of_tabs(page, COMPANY, PERSON, EMPLOYEE)
    await page.mouse.up()
    # A hand that shakes still clicks.
    await page.mouse.move(person["x"] + 20, person["y"] + 15)
    await page.mouse.down()
    await page.mouse.move(person["x"] + 22, person["y"] + 16)
    await page.mouse.up()
    await expect(tab(page, COMPANY)).to_have_attribute("aria-selected", "true")


async def test_many_tabs_stay_within_reach(visitor: Visitor) -> None:
    visit = await editor(visitor)
    page = visit.page
    await tree_item(page, "Cinema").click()
    await tree_item(page, "Sample").click()
    tables = page.locator("[data-table]")
    count = await tables.count()
    assert count > 10
    for index in range(count):
        await tables.nth(index).click(modifiers=["Control"])
    await expect(page.get_by_role("tab")).to_have_count(count)
    await tables.first.click()
    await expect(page.get_by_role("tab").first).to_be_in_viewport()
    await page.get_by_role("tab").first.focus()
    await page.keyboard.press("End")
    last = page.get_by_role("tab").last
    await expect(last).to_be_focused()
    await expect(last).to_be_in_viewport(ratio=0.95)
    await expect(page.get_by_role("button", name="Open a table")).to_be_in_viewport()
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")


async def test_back_and_forward_walk_through_tables(visitor: Visitor) -> None:
    visit = await editor(visitor, "/table/SAMPLES/Sample.Person")
    page = visit.page
    await rows_of(page, PERSON)
    await tree_item(page, COMPANY).click()
    await rows_of(page, COMPANY)
    assert page.url.endswith("/table/SAMPLES/Sample.Company")
    await page.go_back()
    await rows_of(page, PERSON)
    assert page.url.endswith("/table/SAMPLES/Sample.Person")
    await page.go_forward()
    await rows_of(page, COMPANY)


async def test_an_address_carries_filter_and_sort(visitor: Visitor) -> None:
    path = '/table/SAMPLES/Sample.Person?sort=Name%3Adesc&filter=["Home_State","equals","MA"]'
    page = (await editor(visitor, path)).page
    await rows_of(page, PERSON)
    status = page.locator("[data-part=status-rows]")
    await expect(status).to_contain_text(re.compile(r"of \d+"))
    assert "200" not in await status.inner_text()
    await page.reload()
    await rows_of(page, PERSON)
    assert "sort=Name%3Adesc" in page.url


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ('filter=["Home_State","in",["MA","NY"]]&filter=["DOB","between",["1950-01-01","1999-12-31"]]', True),
        (
            'filter=["Home_State","in","MA"]&filter=["DOB","between",[]]&filter=["Age"]&filter=x&sort=Name',
            False,
        ),
    ],
)
async def test_any_filter_in_an_address_shows_rows(visitor: Visitor, query: str, matches: bool) -> None:
    page = (await editor(visitor, f"/table/SAMPLES/Sample.Person?{query}")).page
    await rows_of(page, PERSON)
    await expect(page.locator("[data-part=status-rows]")).to_contain_text(re.compile(r"of \d+$"))
    await expect(page.locator(".filter-chip")).to_have_count(2 if matches else 0)
    assert ("of 200" in await page.locator("[data-part=status-rows]").inner_text()) is not matches
    await page.reload()
    await rows_of(page, PERSON)


async def test_back_takes_a_filter_away_again(visitor: Visitor) -> None:
    page = (await editor(visitor, "/table/SAMPLES/Sample.Person")).page
    await rows_of(page, PERSON)
    status = page.locator("[data-part=status-rows]")
    await expect(status).to_contain_text("of 200")
    await page.keyboard.press("Control+f")
    await page.get_by_role("textbox", name=re.compile("Name")).first.fill("hale")
    await page.keyboard.press("Enter")
    await expect(status).not_to_contain_text("of 200")
    await page.wait_for_url("**/Sample.Person?filter=*")
    await page.go_back()
    await expect(status).to_contain_text("of 200")
    await page.go_forward()
    await expect(status).not_to_contain_text("of 200")


async def test_a_table_that_is_not_there_is_said_in_its_tab(visitor: Visitor) -> None:
    page = (await editor(visitor, "/table/SAMPLES/No.Such")).page
    await expect(page.get_by_role("tabpanel")).to_contain_text(re.compile("No.Such", re.IGNORECASE))
    await tree_item(page, "Sample").click()
    await tree_item(page, PERSON).click()
    await rows_of(page, PERSON)


async def test_odd_names_have_addresses_too(visitor: Visitor) -> None:
    page = (await editor(visitor)).page
    await tree_item(page, "Odd Names").click()
    odd = page.locator('[data-table^="Odd Names."]').first
    name = await odd.get_attribute("data-table")
    assert name is not None
    await odd.click()
    await expect(page.get_by_role("tabpanel").get_by_role("gridcell").first).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("tabpanel").get_by_role("gridcell").first).to_be_visible()
    assert (await page.title()).startswith(name)


async def test_a_link_to_the_table_can_be_copied(visitor: Visitor) -> None:
    visit = await editor(visitor, "/table/SAMPLES/Sample.Person")
    page = visit.page
    await rows_of(page, PERSON)
    await tab(page, PERSON).click(button="right")
    await page.get_by_role("menuitem", name="Copy link").click()
    await expect(page.get_by_text("Copied.")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == f"{visit.url}/table/SAMPLES/Sample.Person"


# --- palette, help, menus


async def test_the_palette_opens_any_table(visitor: Visitor) -> None:
    page = (await editor(visitor)).page
    await expect(tree_item(page, "Sample")).to_be_visible()
    await page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Go to table or command")
    await expect(box).to_be_focused()
    await page.keyboard.type("samp emplo")
    await expect(page.get_by_role("option").first).to_contain_text(EMPLOYEE)
    await page.keyboard.press("Enter")
    await rows_of(page, EMPLOYEE)
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_the_palette_runs_commands_and_switches_namespaces(visitor: Visitor) -> None:
    page = (await editor(visitor)).page
    await expect(tree_item(page, "Sample")).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.keyboard.type(">keyboard")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Keyboard map")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("%SYS")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("tree", name="Tables of %SYS")).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("zzzzqq")
    await expect(page.get_by_text("Nothing found in any of your namespaces.")).to_be_visible()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_the_keyboard_map_opens_by_f1_and_by_question_mark_outside_of_cells(visitor: Visitor) -> None:
    page = (await editor(visitor, "/table/SAMPLES/Sample.Person")).page
    await rows_of(page, PERSON)
    dialog = page.get_by_role("dialog", name="Keyboard map")
    await page.keyboard.press("F1")
    await expect(dialog).to_be_visible()
    keys = await dialog.locator("kbd").all_inner_texts()
    await page.evaluate(
        "addEventListener('keydown', event => { window.left = [event.key, event.defaultPrevented]; })"
    )
    for key in ("Control+s", "Control+k", "F5"):
        await page.keyboard.press(key)
        assert (await page.evaluate("left"))[1], f"the browser would act on {key}"
    await expect(page.get_by_role("dialog")).to_have_count(1)
    assert {"?", "F1", "Arrows", "Page Up", "Ctrl+Alt+N", "Shift+Right", "Shift+click", "Delete"} <= set(keys)
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await page.get_by_role("gridcell").nth(2).click()
    await page.keyboard.press("Shift+?")
    await expect(dialog).to_have_count(0)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Refresh rows").focus()
    await page.keyboard.press("Shift+?")
    await expect(dialog).to_be_visible()


async def test_f6_goes_round_the_regions(visitor: Visitor) -> None:
    page = (await editor(visitor, "/table/SAMPLES/Sample.Person")).page
    await rows_of(page, PERSON)
    await page.get_by_role("searchbox", name="Filter tables").focus()
    regions = [
        page.locator(".tabs"),
        page.locator("[data-part=tools]"),
        page.locator("[data-part=views]"),
        page.locator("#side"),
    ]
    for region in regions:
        await page.keyboard.press("F6")
        assert await region.evaluate("region => region.contains(document.activeElement)")
    for region in [regions[2], regions[1]]:
        await page.keyboard.press("Shift+F6")
        assert await region.evaluate("region => region.contains(document.activeElement)")


async def test_the_focus_is_always_somewhere(visitor: Visitor) -> None:
    page = (await editor(visitor)).page
    field = page.get_by_role("searchbox", name="Filter tables")
    await expect(field).to_be_focused()
    await page.keyboard.type("sample.person")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await expect(tree_item(page, PERSON)).to_be_focused()
    # A table that is opened takes the focus when its rows are there.
    await page.keyboard.press("Enter")
    grid = page.get_by_role("grid", name="Rows of Sample.Person")
    await expect(grid).to_be_focused()
    await page.keyboard.press("Alt+ArrowDown")
    await expect(page.get_by_role("menu")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(grid).to_be_focused()
    await page.keyboard.press("Shift+F10")
    await expect(page.get_by_role("menu")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(grid).to_be_focused()
    await page.reload()
    await expect(grid).to_be_focused()
    # Not when the person has gone elsewhere meanwhile.
    await field.fill("")
    await tree_item(page, COMPANY).click()
    await field.focus()
    await rows_of(page, COMPANY)
    await expect(field).to_be_focused()
    for table in (COMPANY, PERSON):
        await tab(page, table).focus()
        await page.keyboard.press("Delete")
    await expect(page.get_by_role("tab")).to_have_count(0)
    await expect(field).to_be_focused()


async def test_a_menu_gives_the_focus_back(visitor: Visitor) -> None:
    page = (await editor(visitor)).page
    button = page.get_by_role("button", name="_SYSTEM")
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(button).to_have_attribute("aria-expanded", "true")
    await expect(page.get_by_role("menuitem", name="Your sessions")).to_be_focused()
    await page.keyboard.press("End")
    await expect(page.get_by_role("menuitem", name="Sign out")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(button).to_be_focused()
    await expect(button).to_have_attribute("aria-expanded", "false")


async def test_row_height_is_a_setting(visitor: Visitor) -> None:
    page = (await editor(visitor, "/table/SAMPLES/Sample.Person")).page
    await rows_of(page, PERSON)
    cell = page.get_by_role("tabpanel").get_by_role("gridcell").first
    before = (await size_of(cell))[1]
    await page.get_by_role("button", name="_SYSTEM").click()
    await page.get_by_role("menuitem", name="Settings").click()
    await page.get_by_label("Row height").select_option("roomy")
    await page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    await page.reload()
    await rows_of(page, PERSON)
    assert (await size_of(cell))[1] > before


async def test_a_read_only_server_says_so(visitor: Visitor) -> None:
    visit = await editor(visitor, "/table/SAMPLES/Sample.Person", server="demo-readonly")
    page = visit.page
    await rows_of(page, PERSON)
    await expect(page.locator("[data-part=read-only]")).to_be_visible()
    await expect(page.locator("[data-part=why]")).to_contain_text("Read-only.")
    await expect(page.get_by_role("button", name="New row")).to_have_attribute("aria-disabled", "true")


# --- accessibility


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_view_has_serious_axe_findings(visitor: Visitor, scheme: str) -> None:
    visit = await editor(visitor, color_scheme=scheme)
    page = visit.page
    await expect(tree_item(page, "Sample")).to_be_visible()
    findings = {"empty": await visit.axe()}
    await visit.open_table(PERSON)
    await rows_of(page, PERSON)
    findings["table"] = await visit.axe()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("e")
    findings["palette"] = await visit.axe()
    await page.keyboard.press("Escape")
    await page.keyboard.press("F1")
    findings["help"] = await visit.axe()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="_SYSTEM").click()
    findings["menu"] = await visit.axe()
    await page.get_by_role("menuitem", name="Your sessions").click()
    await expect(page.get_by_role("dialog", name="Your sessions")).to_be_visible()
    findings["sessions"] = await visit.axe()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="_SYSTEM").click()
    await page.get_by_role("menuitem", name="Settings").click()
    findings["settings"] = await visit.axe()
    assert {view: found for view, found in findings.items() if found} == {}


async def test_zoom_of_200_percent_keeps_everything_within_reach(visitor: Visitor) -> None:
    # 200 % zoom of a 1280 px window is a page of 640 CSS pixels.
    visit = await editor(
        visitor, "/table/SAMPLES/Sample.Person", viewport={"width": 640, "height": 400}, device_scale_factor=2
    )
    page = visit.page
    await rows_of(page, PERSON)
    for name in ("Save", "Refresh rows", "Discard", "_SYSTEM", "Keyboard map"):
        await expect(page.get_by_role("button", name=name, exact=True)).to_be_in_viewport()
    await expect(page.get_by_role("button", name="Go to table…")).to_be_in_viewport()
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")


async def test_on_a_narrow_page_the_sidebar_lies_over_the_rows_and_goes_again(visitor: Visitor) -> None:
    visit = await editor(visitor, "/table/SAMPLES/Sample.Person", viewport={"width": 640, "height": 400})
    page = visit.page
    await rows_of(page, PERSON)
    save = page.get_by_role("button", name="Save", exact=True)
    before = await save.bounding_box()
    await page.keyboard.press("Control+b")
    await expect(page.locator("#side")).to_be_visible()
    await expect(page.get_by_role("button", name="Sidebar")).to_have_attribute("aria-expanded", "true")
    assert await save.bounding_box() == before
    assert await visit.axe() == []
    await page.keyboard.press("Escape")
    await expect(page.locator("#side")).to_be_hidden()
    await expect(page.get_by_role("button", name="Sidebar")).to_be_focused()
    await page.keyboard.press("Control+b")
    await tree_item(page, COMPANY).click()
    await expect(page.locator("#side")).to_be_hidden()
    await rows_of(page, COMPANY)
    await page.keyboard.press("Control+b")
    await expect(page.locator("#side")).to_be_visible()
    await page.set_viewport_size({"width": 900, "height": 600})
    await expect(page.locator("#side")).to_be_hidden()
    # What the wide page remembers is another matter.
    await page.set_viewport_size({"width": 1280, "height": 800})
    await expect(page.locator("#side")).to_be_visible()


async def test_the_palette_stays_where_it_is_while_its_list_shrinks(visitor: Visitor) -> None:
    page = (await editor(visitor)).page
    await expect(tree_item(page, "Sample")).to_be_visible()
    await page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Go to table or command")
    before = await box.bounding_box()
    await page.keyboard.type("cinema.film")
    await expect(page.get_by_role("option").first).to_contain_text("Cinema.Film")
    assert await box.bounding_box() == before


async def test_descriptions_stand_at_the_tables(visitor: Visitor) -> None:
    page = (await editor(visitor)).page
    await tree_item(page, "Sample").click()
    await expect(tree_item(page, "Sample.Empty")).to_have_attribute("title", "Sample.Empty\nNo rows at all.")
    await expect(tree_item(page, "Sample.Senior").get_by_role("img", name="view")).to_be_visible()
    # Where no name fits, a word of a description finds its table.
    await page.get_by_role("searchbox", name="Filter tables").fill("no rows at")
    await expect(tree_item(page, COMPANY)).to_have_count(0)
    await expect(tree_item(page, "Sample.Empty")).to_be_visible()


async def test_forced_colours_still_tell_what_is_what(visitor: Visitor) -> None:
    visit = await editor(visitor, "/table/SAMPLES/Sample.Person", forced_colors="active")
    page = visit.page
    await rows_of(page, PERSON)

    async def style(element: Locator, name: str, pseudo: str | None = None) -> str:
        return str(
            await element.evaluate(
                "(node, [name, pseudo]) => getComputedStyle(node, pseudo)[name]", [name, pseudo]
            )
        )

    cells = page.locator(".slick-row [data-column=Name]")
    await cells.nth(2).click()
    await page.keyboard.type("Changed")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Shift+ArrowDown")
    # Tints are gone; outlines and marks are not.
    assert await style(cells.nth(3), "outlineStyle") == "solid"
    assert await style(cells.nth(4), "outlineStyle") == "dashed"
    assert await style(cells.nth(2), "forcedColorAdjust", "::after") == "none"
    assert await style(cells.nth(2), "content", "::after") not in {"none", "normal"}
    ground = await style(page.locator("body"), "backgroundColor")
    chosen = tree_item(page, PERSON).locator("> .tree-row")
    marks = [
        (page.get_by_role("tab").locator(".staged"), "backgroundColor"),
        (chosen, "backgroundColor"),
        (page.locator("[data-action=save]"), "backgroundColor"),
        (page.locator("header.bar"), "borderTopColor"),
    ]
    for element, name in marks:
        assert await style(element, name) != ground, element
    await page.get_by_role("button", name="Refresh rows").focus()
    await page.keyboard.press("ArrowRight")
    focused = page.get_by_role("button", name="New row")
    await expect(focused).to_be_focused()
    assert await style(focused, "outlineStyle") == "solid"
    await page.keyboard.press("Control+k")
    await page.keyboard.type("emp")
    # In one look: the list is drawn again while the tables of other namespaces come.
    await page.wait_for_function(
        """() => {
            const [first, second] = document.querySelectorAll("[role=option]");
            return second && getComputedStyle(first).backgroundColor !== getComputedStyle(second).backgroundColor;
        }"""
    )


async def test_without_motion_nothing_moves(visitor: Visitor) -> None:
    visit = await editor(visitor, reduced_motion="reduce")
    duration = await visit.page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--dur')"
    )
    assert duration.strip() in {"0ms", "0s"}
