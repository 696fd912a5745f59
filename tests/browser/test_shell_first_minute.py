"""The first minute: what a person meets who has not opened a table yet, and what comes back."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from .visits import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

AS_DEMO = """document.addEventListener("readystatechange", () => {
  const { dataset } = document.body;
  dataset.settings &&= JSON.stringify({...JSON.parse(dataset.settings), demo: true});
}, {once: true});"""


async def start(visit: Visit, path: str = "/") -> Page:
    """Go to the editor's page, and wait for the connection."""
    await visit.page.goto(f"{visit.url}{path}")
    await visit.live()
    return visit.page


async def sign_in(visit: Visit, namespace: str = "") -> Page:
    """Sign in by the form."""
    page = visit.page
    await page.get_by_label("Namespace").fill(namespace)
    await page.get_by_label("User").fill("_SYSTEM")
    await page.get_by_label("Password").fill("SYS")
    await page.get_by_role("button", name="Sign in").click()
    await visit.live()
    return page


async def sign_out(page: Page) -> None:
    """Sign out by the menu."""
    await page.get_by_role("button", name="_SYSTEM").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await expect(page).to_have_title("Sign in · iris-quart")


async def test_the_demo_opens_samples_with_tables_to_try(visitor: Visitor) -> None:
    visit = await visitor(namespace="")
    await visit.page.add_init_script(AS_DEMO)
    page = await start(visit)
    await expect(page.get_by_role("tree", name="Tables of SAMPLES")).to_be_visible()
    await expect(page.locator(".welcome")).to_contain_text("Tables to try")
    assert await visit.axe() == []
    await page.locator(".welcome").get_by_role("button", name="Sample.Person").click()
    await expect(page.locator(".slick-row[data-row='0']").first).to_be_visible()


async def test_the_empty_page_lists_recent_tables(visitor: Visitor) -> None:
    visit = await visitor()
    for table in ("Sample.Person", "Sample.Company"):
        await visit.open_table(table)
        await expect(visit.page.get_by_role("gridcell").first).to_be_visible()
        await visit.page.get_by_role("tab", name=table).press("Delete")
    page = visit.page
    welcome = page.locator(".welcome")
    await expect(welcome).to_contain_text("Recent tables")
    await expect(welcome.locator("li")).to_have_text(["Sample.CompanySAMPLES", "Sample.PersonSAMPLES"])
    await welcome.get_by_role("button", name="Go to table or command").click()
    await expect(page.get_by_role("combobox", name="Go to table or command")).to_be_focused()
    await expect(page.get_by_role("option").first).to_contain_text("Sample.Company")
    await expect(page.get_by_role("option").first).to_contain_text("Recent")


async def test_the_palette_finds_tables_of_every_namespace(visitor: Visitor) -> None:
    visit = await visitor()
    page = await start(visit)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("ward.patient")
    await expect(page.get_by_role("option", name="Ward.Patient")).to_contain_text("HOSPITAL")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("gridcell").first).to_be_visible()
    await expect(page).to_have_title("Ward.Patient · HOSPITAL · iris-quart")


async def test_the_tree_reaches_every_namespace_by_mouse_and_keys(visitor: Visitor) -> None:
    visit = await visitor()
    page = await start(visit)
    await page.get_by_role("treeitem", name="USER", exact=True).click()
    await expect(page.get_by_role("tree", name="Tables of USER")).to_be_visible()
    await expect(page.get_by_role("treeitem", name="Inventory")).to_be_focused()
    await page.keyboard.type("hosp")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("tree", name="Tables of HOSPITAL")).to_be_visible()
    assert await visit.axe() == []


async def test_the_last_tables_of_an_account_come_back_after_signing_out(visitor: Visitor) -> None:
    visit = await visitor(user=None)
    page = visit.page
    await page.goto(visit.url)
    await sign_in(visit)
    await visit.open_table("Ward.Patient", "HOSPITAL")
    await expect(page.get_by_role("gridcell").first).to_be_visible()
    await sign_out(page)
    await sign_in(visit)
    await expect(page.get_by_role("tab", name="Ward.Patient")).to_have_attribute("aria-selected", "true")
    await expect(page.locator("[data-part=namespace]")).to_have_text("HOSPITAL")


async def test_a_namespace_that_was_asked_for_comes_before_remembered_tables(visitor: Visitor) -> None:
    visit = await visitor(user=None)
    page = visit.page
    await page.goto(visit.url)
    await sign_in(visit)
    await visit.open_table("Sample.Person")
    await expect(page.get_by_role("gridcell").first).to_be_visible()
    await start(visit, "/?namespace=user")
    await expect(page.get_by_role("tree", name="Tables of USER")).to_be_visible()
    await expect(page.locator(".welcome")).to_be_visible()
    await expect(page.get_by_role("tab", name="Sample.Person")).to_be_visible()
    await sign_out(page)
    await sign_in(visit, "HOSPITAL")
    await expect(page.get_by_role("tree", name="Tables of HOSPITAL")).to_be_visible()
    await expect(page.locator(".welcome")).to_be_visible()
    await start(visit)  # only once: what was open comes back at the next visit
    await expect(page.get_by_role("tree", name="Tables of HOSPITAL")).to_be_visible()
