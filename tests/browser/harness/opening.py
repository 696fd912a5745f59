"""Open the harness in a browser and check that nothing went wrong in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser

from tests.browser.visits import PAGE_MILLISECONDS, VIOLATIONS, Visit

from .grid_page import GridPage

Opener = Callable[..., Awaitable[GridPage]]


@asynccontextmanager
async def opening(chromium: Browser, origin: str) -> AsyncIterator[Opener]:
    """Give a function that opens the grid; console errors and policy violations fail the test at its end."""
    visits: list[Visit] = []

    async def open_grid(
        query: str = "", *, browser: dict[str, Any] | None = None, **options: Any
    ) -> GridPage:
        context = await chromium.new_context(
            **{
                "viewport": {"width": 1280, "height": 800},
                "permissions": ["clipboard-read", "clipboard-write"],
                **(browser or {}),
            }
        )
        context.set_default_timeout(PAGE_MILLISECONDS)
        await context.add_init_script(VIOLATIONS)
        page = await context.new_page()
        visit = Visit(page, context, origin)
        visit.watch(page)
        visits.append(visit)
        return await GridPage(page, origin).open(query, **options)

    yield open_grid
    for visit in visits:
        await visit.context.close()
    assert [line for visit in visits for line in visit.unexpected()] == []
