"""The sign-in page: signing in, refusals, what the browser remembers, the theme."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.async_api import expect

from .conftest import WebServer
from .visits import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def fill(visit: Visit, user: str, password: str, server: str = "demo", namespace: str = "") -> None:
    """Fill the form and send it."""
    page = visit.page
    await page.get_by_label("Server").select_option(server)
    await page.get_by_label("Namespace").fill(namespace)
    await page.get_by_label("User", exact=True).fill(user)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def test_sign_in_opens_the_editor(visitor: Visitor) -> None:
    visit = await visitor(None)
    await visit.page.goto(f"{visit.url}/")
    await expect(visit.page).to_have_title("Sign in · iris-quart")
    await fill(visit, "_SYSTEM", "SYS", namespace="SAMPLES")
    await visit.live()
    await expect(visit.page.get_by_role("treeitem", name="Sample", exact=False).first).to_be_visible()
    await expect(visit.page.locator("[data-part=namespace]")).to_have_text("SAMPLES")


async def test_sign_in_goes_to_the_address_that_was_asked_for(visitor: Visitor) -> None:
    visit = await visitor(None)
    path = "/table/SAMPLES/Sample.Company"
    await visit.page.goto(f"{visit.url}{path}")
    await fill(visit, "_SYSTEM", "SYS")
    await visit.live()
    assert visit.page.url == f"{visit.url}{path}"
    await expect(visit.page.get_by_role("tab", name="Sample.Company")).to_be_visible()


async def test_a_link_with_filter_and_order_arrives_whole(visitor: Visitor) -> None:
    path = '/table/SAMPLES/Sample.Person?sort=Name:desc&sort=ID:asc&filter=["Home_State","in",["MA","NY"]]&search=a'
    first = await visitor()
    await first.page.goto(f"{first.url}{path}")
    status = first.page.locator("[data-part=status-rows]")
    await expect(status).to_contain_text("of ")
    linked, shown = first.page.url, await status.inner_text()
    # The same link out of a mail, in a browser that is not signed in.
    visit = await visitor(None)
    await visit.page.goto(linked)
    await fill(visit, "_SYSTEM", "SYS")
    await visit.live()
    await expect(visit.page.locator("[data-part=status-rows]")).to_have_text(shown)
    assert visit.page.url == linked
    assert "200" not in shown


async def test_a_foreign_address_is_not_followed_after_sign_in(visitor: Visitor) -> None:
    visit = await visitor(None)
    await visit.page.goto(f"{visit.url}/login?next={quote('https://evil.example/')}")
    await fill(visit, "_SYSTEM", "SYS")
    await visit.live()
    assert visit.page.url.startswith(visit.url)


@pytest.mark.parametrize(
    ("user", "password", "server", "namespace"),
    [
        ("_SYSTEM", "wrong", "demo", ""),
        ("nobody", "SYS", "demo", ""),
        ("_SYSTEM", "SYS", "nowhere", ""),
        ("_SYSTEM", "SYS", "demo", "NOSUCHNAMESPACE"),
    ],
)
async def test_a_refused_sign_in_says_so_and_keeps_what_was_typed(
    visitor: Visitor, user: str, password: str, server: str, namespace: str
) -> None:
    visit = await visitor(None)
    visit.expect(r"status of (401|403|429|50\d|400)")
    await visit.page.goto(f"{visit.url}/login")
    await fill(visit, user, password, server, namespace)
    page = visit.page
    alert = page.locator("#sign-in-error, .field-error").first
    await expect(alert).to_be_visible()
    assert (await alert.inner_text()).strip()
    await expect(page.get_by_label("User", exact=True)).to_have_value(user)
    await expect(page.get_by_label("Namespace")).to_have_value(namespace)
    await expect(page.get_by_label("Server")).to_have_value(server)
    await expect(page.get_by_label("Password")).to_have_value("")
    assert await visit.axe() == []


async def test_the_form_works_without_javascript(visitor: Visitor) -> None:
    visit = await visitor(None, java_script_enabled=False)
    await visit.page.goto(f"{visit.url}/login")
    await expect(visit.page.get_by_text("Test the connection")).to_be_hidden()
    await fill(visit, "alice", "alice")
    await expect(visit.page.get_by_role("heading", name="The editor needs JavaScript")).to_be_visible()


async def test_the_connection_can_be_tested_without_signing_in(visitor: Visitor) -> None:
    visit = await visitor(None)
    visit.expect(r"status of (401|50\d)")
    page = visit.page
    await page.goto(f"{visit.url}/login")
    await page.get_by_label("User", exact=True).fill("_SYSTEM")
    await page.get_by_label("Password").fill("SYS")
    result = page.locator("[data-part=test-result]")
    await page.get_by_role("button", name="Test the connection").click()
    await expect(result).to_contain_text("The server answers: IRIS")
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Test the connection").click()
    await expect(result).to_have_class("error")
    assert "iris_quart" not in " ".join(
        cookie["name"] for cookie in await visit.context.cookies() if "form" not in cookie["name"]
    )


async def test_the_browser_remembers_server_namespace_and_user_but_no_password(visitor: Visitor) -> None:
    visit = await visitor(None)
    page = visit.page
    await page.goto(f"{visit.url}/login")
    await fill(visit, "alice", "alice", "demo-readonly", "USER")
    await visit.live()
    kept = await page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    assert "alice" in kept
    assert '"password"' not in kept
    await visit.context.clear_cookies()
    await page.goto(f"{visit.url}/login")
    await expect(page.get_by_label("Server")).to_have_value("demo-readonly")
    await expect(page.get_by_label("Namespace")).to_have_value("USER")
    await expect(page.get_by_label("User", exact=True)).to_have_value("alice")
    await expect(page.get_by_label("Password")).to_be_focused()


async def test_recent_sign_ins_are_a_choice_and_can_be_forgotten(visitor: Visitor) -> None:
    visit = await visitor(None)
    visit.expect(r"status of 401")
    page = visit.page
    for user, password, server, namespace in (
        ("alice", "alice", "demo-readonly", "USER"),
        ("_SYSTEM", "SYS", "demo", "SAMPLES"),
    ):
        await page.goto(f"{visit.url}/login")
        await expect(page.get_by_role("button", name="Recent")).to_be_hidden()
        await fill(visit, user, password, server, namespace)
        await visit.live()
        await visit.context.clear_cookies()
    # Somebody who mistypes does not find it there.
    await page.goto(f"{visit.url}/login")
    await fill(visit, "_SYSTME", "SYS", "demo", "SAMPLES")
    await expect(page.locator("#sign-in-error")).to_be_visible()
    button = page.get_by_role("button", name="Recent")
    await button.focus()
    await page.keyboard.press("Enter")
    entries = page.get_by_role("menu", name="Recent sign-ins").get_by_role("menuitem")
    await expect(entries).to_have_text(
        [
            "demo \u00b7 SAMPLES \u00b7 _SYSTEM",
            "demo-readonly (read-only) \u00b7 USER \u00b7 alice",
            "Forget them",
        ]
    )
    assert await visit.axe() == []
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Server")).to_have_value("demo-readonly")
    await expect(page.get_by_label("Namespace")).to_have_value("USER")
    await expect(page.get_by_label("User", exact=True)).to_have_value("alice")
    await expect(page.get_by_label("Password")).to_be_focused()
    await expect(page.get_by_label("Password")).to_have_value("")
    await button.click()
    await page.get_by_role("menuitem", name="Forget them").click()
    await expect(button).to_be_hidden()
    await page.goto(f"{visit.url}/login")
    await expect(page.get_by_label("User", exact=True)).to_have_value("")


async def test_signing_in_says_so_and_is_sent_once(visitor: Visitor) -> None:
    visit = await visitor(None)
    page = visit.page
    await page.goto(f"{visit.url}/login")
    # The page's own handler comes first; what it lets through is counted, and then held back.
    await page.evaluate(
        """() => {
          window.sent = 0;
          addEventListener("submit", (event) => {
            if (!event.defaultPrevented) sent += 1;
            event.preventDefault();
          });
        }"""
    )
    await page.get_by_label("User", exact=True).fill("_SYSTEM")
    await page.get_by_label("Password").fill("SYS")
    await page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Signing in…")
    await expect(button).to_have_attribute("aria-disabled", "true")
    await page.keyboard.press("Enter")
    await button.evaluate("button => button.click()")
    assert await page.evaluate("sent") == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_sign_in_page_has_no_serious_axe_findings(visitor: Visitor, scheme: str) -> None:
    visit = await visitor(None, color_scheme=scheme)
    await visit.page.goto(f"{visit.url}/login")
    assert await visit.axe() == []


async def test_the_theme_is_kept_by_the_server_and_does_not_flash(visitor: Visitor) -> None:
    visit = await visitor(None, color_scheme="light")
    page = visit.page
    await page.goto(f"{visit.url}/login")
    button = page.locator("[data-action=theme]")
    async with page.expect_response("**/api/theme") as answer:
        await button.click()
    assert (await answer.value).ok
    async with page.expect_response("**/api/theme"):
        await button.click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    # What the server sends already carries the theme: no script has to repaint.
    source = await (await visit.context.request.get(f"{visit.url}/login")).text()
    assert 'data-theme="dark"' in source
    async with page.expect_response("**/api/theme"):
        await button.click()
    assert "data-theme" not in await (await visit.context.request.get(f"{visit.url}/login")).text()


async def test_sign_out_ends_the_session_here_and_on_the_server(visitor: Visitor, web: WebServer) -> None:
    visit = await visitor()
    page = visit.page
    await page.goto(f"{web.url}/")
    await visit.live()
    cookies = await visit.context.cookies()
    await page.get_by_role("button", name="_SYSTEM").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await expect(page).to_have_title("Sign in · iris-quart")
    # The old cookie is worth nothing, even put back.
    await visit.context.add_cookies(
        [{"name": c["name"], "value": c["value"], "url": web.url} for c in cookies]
    )
    await page.goto(f"{web.url}/")
    await expect(page).to_have_title("Sign in · iris-quart")
