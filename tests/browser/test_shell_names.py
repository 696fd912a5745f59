"""Names in tabs and addresses: namespaces beside twins, letter case, and the address in step with the table."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page, expect

from .harness.gestures import Gestures
from .visits import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def address(page: Page) -> str:
    """Return the address as the browser shows it at this moment."""
    return str(await page.evaluate("location.pathname + location.search"))


async def test_tabs_of_one_name_show_their_namespaces(visitor: Visitor) -> None:
    visit = await visitor()
    page = visit.page
    await visit.open_table("Sample.Person")
    tabs = page.get_by_role("tab")
    await expect(tabs).to_have_text(["Sample.Person"])
    visit.expect("404|NOT_FOUND")
    await page.goto(f"{visit.url}/table/USER/Sample.Person")
    await visit.live()
    await expect(tabs).to_have_text(["Sample.PersonSAMPLES", "Sample.PersonUSER"])
    await tabs.last.focus()
    await page.keyboard.press("Delete")
    await expect(tabs).to_have_text(["Sample.Person"])


async def test_letter_case_of_an_address_makes_no_other_table(visitor: Visitor) -> None:
    visit = await visitor()
    page = visit.page
    await visit.open_table("Sample.Person")
    cell = page.locator(".slick-row[data-row='1'] .slick-cell[data-column='Name']")
    await cell.click()
    await page.keyboard.type("Draft,Kept")
    await page.keyboard.press("Enter")
    await expect(page.locator(".tab .staged")).to_be_visible()
    await page.goto(f"{visit.url}/table/samples/sample.person?sort=Name:desc")
    await visit.live()
    await expect(page.get_by_role("tab")).to_have_text(["Sample.Person"])
    await expect(page.locator(".tab .staged")).to_be_visible()
    await page.wait_for_url("**/table/SAMPLES/Sample.Person?sort=Name%3Adesc")


async def test_a_draft_is_found_under_another_letter_case(visitor: Visitor) -> None:
    visit = await visitor()
    page = visit.page
    await page.goto(f"{visit.url}/table/samples/SAMPLE.COMPANY")
    await visit.live()
    await expect(page.get_by_role("tab")).to_have_text(["Sample.Company"])
    await page.wait_for_url("**/table/SAMPLES/Sample.Company")
    await page.locator(".slick-row[data-row='1'] .slick-cell[data-column='Name']").click()
    await page.keyboard.type("Draft Ltd")
    await page.keyboard.press("Enter")
    await expect(page.locator(".tab .staged")).to_be_visible()
    await page.get_by_role("tab").focus()
    await page.keyboard.press("Delete")
    await expect(page.get_by_role("tab")).to_have_count(0)
    await visit.open_table("Sample.Company")
    await expect(page.get_by_text("Draft Ltd")).to_be_visible()
    drafts = await page.evaluate("Object.keys(sessionStorage).filter((key) => /:draft:/.test(key)).length")
    assert drafts == 1


async def test_the_address_is_in_step_with_filter_and_sort(visitor: Visitor) -> None:
    visit = await visitor()
    page = visit.page
    await visit.open_table("Sample.Person")
    await page.locator(".slick-row[data-row='1'] .slick-cell[data-column='Name']").click()
    head = page.get_by_role("columnheader", name="Name").first
    await head.click()
    await expect(head).to_have_attribute("aria-sort", "ascending")
    query = await page.evaluate("new Promise((done) => requestAnimationFrame(() => done(location.search)))")
    assert parse_qs(query[1:]) == {"sort": ["Name:asc"]}
    await page.keyboard.press("Control+f")
    await page.locator("input.filter:focus").fill("a")
    await page.keyboard.press("Enter")
    await expect(page.locator(".filter-chip")).to_have_count(1)
    query = await page.evaluate("new Promise((done) => requestAnimationFrame(() => done(location.search)))")
    assert '"a"' in parse_qs(query[1:])["filter"][0]
    # A reload at once shows the same.
    await page.reload()
    await visit.live()
    await expect(page.locator(".filter-chip")).to_have_count(1)
    await page.go_back()
    await expect(page.locator(".filter-chip")).to_have_count(0)
    assert parse_qs(urlsplit(page.url).query) in ({"sort": ["Name:asc"]}, {})


async def test_a_tab_that_is_left_at_once_keeps_its_filter(visitor: Visitor) -> None:
    visit = await visitor()
    page = visit.page
    await visit.open_table("Sample.Person")
    await visit.open_table("Sample.Company")
    tabs = page.get_by_role("tab")
    await tabs.first.click()
    head = page.locator(".view:not([hidden])").get_by_role("columnheader", name="Name").first
    await head.click()
    await tabs.last.click()
    await page.reload()
    await visit.live()
    await page.get_by_role("tab").first.click()
    await page.wait_for_url("**/Sample.Person?sort=Name%3Aasc")


@pytest.mark.parametrize("order", ["before", "after"], ids=["while composing", "after it, as Safari"])
async def test_a_composition_stays_in_the_palette_and_the_tree(visitor: Visitor, order: str) -> None:
    visit = await visitor()
    page = visit.page
    await visit.open_table("Sample.Person")
    gestures = await Gestures.of(page)

    async def compose() -> None:
        await gestures.compose("Com")
        for key in ("ArrowDown", "Escape"):
            await gestures.key(key, key, windowsVirtualKeyCode=229)
        if order == "after":
            await gestures.insert("Company")
        await gestures.key("Enter", "Enter", windowsVirtualKeyCode=229)
        if order == "before":
            await gestures.insert("Company")

    field = page.get_by_label("Filter tables")
    await field.focus()
    await compose()
    await expect(field).to_be_focused()
    await expect(field).to_have_value("Company")
    await expect(page.get_by_role("tab")).to_have_count(1)
    await page.keyboard.press("Control+k")
    palette = page.locator(".palette-input")
    await expect(palette).to_be_focused()
    await compose()
    await expect(palette).to_be_focused()
    await expect(palette).to_have_value("Company")
    await expect(page.get_by_role("tab")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("tab")).to_have_count(2)


async def test_commands_of_the_page_on_a_cyrillic_keyboard(visitor: Visitor) -> None:
    visit = await visitor()
    page = visit.page
    await visit.open_table("Sample.Person")
    gestures = await Gestures.of(page)
    await page.get_by_label("Filter tables").focus()
    await gestures.key("л", "KeyK", modifiers=2)
    await expect(page.locator(".palette-input")).to_be_focused()
