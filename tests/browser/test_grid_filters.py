"""Filters that teach: the menu of operators, examples, the values of a column, years, and alternatives."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .harness.grid_page import GridPage
from .harness.opening import Opener

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def filtering(page: GridPage, name: str) -> None:
    """Go to the filter of a column."""
    await page.click(0, name)
    await page.keys("Control+f")
    await expect(page.page.get_by_label(f"Filter {name}")).to_be_focused()


async def test_an_operator_is_chosen_from_the_menu(grid: Opener) -> None:
    page = await grid()
    await filtering(page, "Age")
    field = page.page.get_by_label("Filter Age")
    await page.keys("Alt+ArrowDown")
    menu = page.page.get_by_role("menu")
    await expect(menu.get_by_role("menuitemradio", name="at least")).to_contain_text("≥ …")
    await menu.get_by_role("menuitemradio", name="at least").click()
    await expect(field).to_be_focused()
    await expect(field).to_have_value("≥ ")
    await page.type("98")
    await page.keys("Enter")
    await page.until("statuses.at(-1).total === 20")
    await page.page.get_by_role("button", name="How Age is compared").click()
    await expect(menu.get_by_role("menuitemradio", name="at least")).to_have_attribute("aria-checked", "true")
    await menu.get_by_role("menuitemradio", name="less than").click()
    await page.until("statuses.at(-1).total === 980")
    await expect(field).to_have_value("< 98")
    await page.page.get_by_role("button", name="How Age is compared").click()
    await menu.get_by_role("menuitem", name="No filter").click()
    await page.until("statuses.at(-1).total === 1000")
    await page.page.get_by_role("button", name="How City is compared").click()
    await menu.get_by_role("menuitemradio", name="is NULL").click()
    await page.until("statuses.at(-1).total === 200")


async def test_a_filter_stands_below_the_head_of_its_column(grid: Opener) -> None:
    page = await grid()
    await filtering(page, "Age")
    for name in ("Name", "Age", "Modified"):
        field = await page.page.get_by_label(f"Filter {name}").bounding_box()
        head = await page.page.locator(".slick-header-column", has_text=name).first.bounding_box()
        assert field is not None
        assert head is not None
        assert abs(field["x"] - head["x"]) < 3
        assert field["width"] > head["width"] - 6
        assert abs(field["y"] - head["y"] - head["height"]) < 4


async def test_a_filter_cell_has_examples(grid: Opener) -> None:
    page = await grid()
    await filtering(page, "DOB")
    for name, example in (("DOB", "1985..1990"), ("Age", "10..20"), ("City", "in Boston, Rome")):
        assert example in str(await page.page.get_by_label(f"Filter {name}").get_attribute("title"))


async def test_years_are_a_range_of_days(grid: Opener) -> None:
    page = await grid()
    await filtering(page, "DOB")
    await page.type("1985..1990")
    await page.keys("Enter")
    await page.until("statuses.at(-1).total < 1000")
    assert await page.js("client.requests.at(-1).payload.filters") == [
        {"column": "DOB", "operator": "between", "value": ["1985-01-01", "1990-12-31"]}
    ]


async def test_values_are_ticked_from_a_list_with_counts(grid: Opener) -> None:
    page = await grid()
    await filtering(page, "Insured")
    await page.keys("Alt+ArrowDown")
    await page.page.get_by_role("menuitem", name="Choose values…").click()
    dialog = page.page.get_by_role("dialog", name="Values of Insured")
    boxes = dialog.get_by_role("checkbox")
    await expect(boxes).to_have_count(3)
    await expect(dialog.locator(".value-list li").first).to_contain_text("334")
    await dialog.get_by_role("button", name="None", exact=True).click()
    await expect(dialog.get_by_role("button", name="Filter")).to_be_disabled()
    await dialog.get_by_role("checkbox", name="NULL").check()
    await dialog.get_by_role("checkbox", name="1").first.check()
    await dialog.get_by_role("button", name="Filter").click()
    await page.until("statuses.at(-1).total === 667")
    await expect(page.page.get_by_label("Filter Insured")).to_have_value("in 1, NULL")
    assert await page.js("client.requests.at(-1).payload.filters") == [
        {"column": "Insured", "operator": "in", "value": [1, None]}
    ]
    await page.keys("Control+f")
    await page.page.get_by_role("button", name="How Insured is compared").click()
    await page.page.get_by_role("menuitem", name="Choose values…").click()
    await expect(boxes).to_have_count(3)
    assert [await boxes.nth(index).is_checked() for index in range(3)] == [True, False, True]
    await dialog.get_by_role("button", name="All", exact=True).click()
    await dialog.get_by_role("button", name="Filter").click()
    await page.until("statuses.at(-1).total === 1000")
    await expect(page.page.locator(".filter-chip")).to_have_count(0)


async def test_more_values_than_a_list_holds_are_told(grid: Opener) -> None:
    page = await grid()
    await filtering(page, "Name")
    await page.keys("Alt+ArrowDown")
    await page.page.get_by_role("menuitem", name="Choose values…").click()
    dialog = page.page.get_by_role("dialog", name="Values of Name")
    await expect(dialog).to_contain_text("Only the 100 most frequent ones")
    await dialog.get_by_label("Find in these values").fill("name 77")
    await expect(dialog.get_by_role("checkbox")).to_have_count(1)
    await page.keys("Escape", "Escape")  # the first empties the field
    await expect(dialog).to_have_count(0)
    assert await page.js("view.table.filters.list.length") == 0


async def test_filters_are_joined_by_or(grid: Opener) -> None:
    page = await grid(state={"filters": [
        {"column": "Age", "operator": "equals", "value": 1},
        {"column": "Name", "operator": "equals", "value": "name 501"},
    ]})  # fmt: skip
    await page.until("statuses.at(-1)?.total === 1")
    await page.page.get_by_role("button", name="Both must hold").click()
    await page.until("statuses.at(-1).total === 10")
    joint = page.page.get_by_role("button", name="One of them must hold")
    await expect(joint).to_be_focused()
    await joint.click()
    await page.until("statuses.at(-1).total === 1")
