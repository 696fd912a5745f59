"""What tests do with a grid: click cells, press keys, read values."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

from playwright.async_api import Page, expect

SECONDS = 8.0


class GridPage:
    """One page of the harness."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin

    async def open(self, query: str = "", state: dict[str, Any] | None = None) -> GridPage:
        """Load the page and wait for its first rows."""
        extra = f"&state={quote(json.dumps(state))}" if state is not None else ""
        await self.page.goto(f"{self.origin}/?{query}{extra}")
        await self.until("window.ready && document.querySelector('.slick-cell.l1')")
        return self

    async def js(self, expression: str, argument: Any = None) -> Any:
        """Evaluate in the page."""
        return await self.page.evaluate(expression, argument)

    async def until(self, expression: str) -> None:
        """Wait until an expression is true; the page's policy forbids Playwright's own waiting for one."""
        async with asyncio.timeout(SECONDS):
            while not await self.page.evaluate(expression):
                await asyncio.sleep(0.02)

    async def settled(self) -> None:
        """Wait until every row on screen is here."""
        await self.until("!document.querySelector('.slick-row.loading')")

    async def keys(self, *keys: str) -> None:
        """Press keys one after another."""
        for key in keys:
            await self.page.keyboard.press(key)

    async def type(self, text: str) -> None:
        """Type a text."""
        await self.page.keyboard.type(text)

    async def click(self, row: int, name: str, **options: Any) -> None:
        """Click a cell."""
        await self.js(
            "([row, name]) => view.table.sheet.scrollCellIntoView(row, "
            "view.table.columns.findIndex((column) => column.field === name))",
            [row, name],
        )
        await self.settled()
        cell = self.cell(row, name)
        await cell.click(position={"x": 30, "y": 10}, **options)

    def cell(self, row: int, name: str) -> Any:
        """Find the node of a cell; columns keep the number that they have in the table."""
        return self.page.locator(f".slick-row[data-row='{row}'] .slick-cell[data-column='{name}']")

    async def value(self, row: int, name: str) -> Any:
        """Read the value that a cell shows."""
        return await self.js(
            "([row, name]) => { const value = view.table.rows.valueOf(view.table.rows.getItem(row), "
            "name); return value === undefined ? '(default)' : value === null ? null : typeof value "
            "=== 'object' ? String(value) : value; }",
            [row, name],
        )

    async def text(self, row: int, name: str) -> str:
        """Read what stands in a cell."""
        return str(await self.cell(row, name).text_content())

    async def active(self) -> list[Any]:
        """Give row and column of the active cell."""
        result = await self.js(
            "(() => { const active = view.table.sheet.getActiveCell(); return active && [active.row, "
            "view.table.columns[active.cell].field]; })()"
        )
        return list(result)

    async def range(self) -> list[int]:
        """Give the selected range: from row, from cell, to row, to cell."""
        result = await self.js(
            "(() => { const range = view.table.selection.range; return [range.fromRow, "
            "range.fromCell, range.toRow, range.toCell]; })()"
        )
        return list(result)

    async def pending(self) -> list[int]:
        """Count staged edits: changed, inserted, deleted."""
        result = await self.js(
            "(() => { const { changed, inserted, deleted } = view.pending; return [changed, "
            "inserted, deleted]; })()"
        )
        return list(result)

    async def said(self) -> str:
        """Give the last announcement."""
        return str(await self.js("window.said.at(-1)?.[0] ?? ''"))

    async def states(self, row: int, name: str) -> str:
        """Give the state classes of a cell."""
        classes = str(await self.cell(row, name).get_attribute("class"))
        return " ".join(sorted(part for part in classes.split() if part.startswith("is-")))

    async def copied(self) -> str:
        """Read the clipboard's text."""
        return str(await self.js("navigator.clipboard.readText()"))

    async def to_clipboard(self, text: str) -> None:
        """Put a text on the clipboard, as another program would."""
        await self.js("text => navigator.clipboard.writeText(text)", text)

    async def confirm(self) -> None:
        """Agree to the question on screen."""
        dialog = self.page.get_by_role("alertdialog")
        await dialog.locator(".button-primary").click()
        await expect(self.page.locator("dialog")).to_have_count(
            0
        )  # gone, not only closed: then it is answered

    async def focused(self) -> str:
        """Name what has the focus: its ID, class or label."""
        return str(
            await self.js(
                "(() => { const node = document.activeElement; return node.id || "
                "node.getAttribute('aria-label') || node.className; })()"
            )
        )
