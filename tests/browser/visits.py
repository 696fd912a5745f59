"""One person's browser in a test, and what goes wrong on its pages."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import BrowserContext, Page

PAGE_MILLISECONDS = 10_000
VIOLATIONS = """addEventListener("securitypolicyviolation", (event) => console.error(
    `CSP ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));"""


@dataclass
class Visit:
    """One person's browser: its page, and what went wrong on it."""

    page: Page
    context: BrowserContext
    url: str
    wrong: list[str] = field(default_factory=list)
    expected: list[re.Pattern[str]] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """Allow errors that match; a refused request is one in the console even where the page handles it."""
        self.expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        """List what nobody announced."""
        return [line for line in self.wrong if not any(pattern.search(line) for pattern in self.expected)]

    def watch(self, page: Page) -> None:
        """Note console errors, page errors and policy violations of a page."""
        page.on("console", lambda line: self.wrong.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.wrong.append(f"page error: {error}"))

    async def connect(
        self, user: str, password: str, server: str = "demo", namespace: str = "SAMPLES"
    ) -> None:
        """Sign in by the JSON route, without the form."""
        answer = await self.context.request.post(
            f"{self.url}/api/connect",
            data={"server": server, "namespace": namespace, "username": user, "password": password},
        )
        assert answer.ok, await answer.text()

    async def live(self) -> None:
        """Wait until the page says that its connection is live."""
        await self.page.locator("[data-part=status-connection][data-state=live]").wait_for()

    async def open_table(self, table: str, namespace: str = "SAMPLES") -> None:
        """Go to a table's own address, and wait for the connection."""
        await self.page.goto(f"{self.url}/table/{namespace}/{table}")
        await self.live()

    async def axe(self, selector: str = "body") -> list[str]:
        """Run axe-core; give its serious and critical findings."""
        before = len(self.wrong)
        await self.page.evaluate(axe_source())  # evaluated by the debugger, which no policy holds back
        found = await self.page.evaluate(
            "selector => axe.run(selector, {resultTypes: ['violations'], preload: false})", selector
        )
        # Axe itself tries inline styles, which our policy refuses and the console reports.
        self.wrong[before:] = [line for line in self.wrong[before:] if "style" not in line]
        return [
            f"{violation['impact']} {violation['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
            for violation in found["violations"]
            if violation["impact"] in {"serious", "critical"}
            for node in violation["nodes"]
        ]


Visitor = Callable[..., Awaitable[Visit]]


def axe_source() -> str:
    """Read axe-core as its package brings it."""
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
