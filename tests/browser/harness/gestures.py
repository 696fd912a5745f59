"""Wheel, fingers and input methods as the browser gets them from the system, sent by the debugger protocol."""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import CDPSession, Locator, Page


class Gestures:
    """Trusted input events for one page."""

    def __init__(self, page: Page, debugger: CDPSession) -> None:
        self.page = page
        self._debugger = debugger

    @classmethod
    async def of(cls, page: Page) -> Gestures:
        """Open a debugger session for a page."""
        return cls(page, await page.context.new_cdp_session(page))

    async def wheel(self, at: Locator, x: float = 0, y: float = 0, *, shift: bool = False) -> None:
        """Turn the wheel over the middle of an element."""
        left, top = await middle(at)
        await self.page.mouse.move(left, top)
        event: dict[str, Any] = {"type": "mouseWheel", "x": left, "y": top, "deltaX": x, "deltaY": y}
        await self._debugger.send("Input.dispatchMouseEvent", {**event, "modifiers": 8 if shift else 0})

    async def swipe(self, at: Locator, x: float = 0, y: float = 0, steps: int = 8) -> None:
        """Put a finger on an element, move it by a distance and lift it."""
        left, top = await middle(at)
        await self._touch("touchStart", left, top)
        for step in range(1, steps + 1):
            await self._touch("touchMove", left + x * step / steps, top + y * step / steps)
        await self._touch("touchEnd")

    async def press(self, at: Locator, opened: Locator) -> None:
        """Rest a finger on an element until something is on screen, and lift it."""
        await self._touch("touchStart", *await middle(at))
        await opened.wait_for()
        await self._touch("touchEnd")

    async def tap(self, at: Locator, times: int = 1) -> None:
        """Tap on the middle of an element."""
        left, top = await middle(at)
        for _ in range(times):
            await self._touch("touchStart", left, top)
            await self._touch("touchEnd")

    async def compose(self, text: str) -> None:
        """Begin a composition, as the key of an input method does."""
        await self._debugger.send(
            "Input.dispatchKeyEvent",
            {"type": "rawKeyDown", "windowsVirtualKeyCode": 229, "key": "Process", "code": "KeyK"},
        )
        await self._debugger.send(
            "Input.imeSetComposition",
            {"text": text, "selectionStart": len(text), "selectionEnd": len(text)},
        )

    async def key(self, key: str, code: str, **event: Any) -> None:
        """Press a key with a name, a place on the board and whatever else the event holds."""
        down = {"type": "rawKeyDown", "key": key, "code": code, **event}
        await self._debugger.send("Input.dispatchKeyEvent", down)
        up = {name: value for name, value in down.items() if name not in {"type", "text"}}
        await self._debugger.send("Input.dispatchKeyEvent", {"type": "keyUp", **up})

    async def insert(self, text: str) -> None:
        """End a composition with its text."""
        await self._debugger.send("Input.insertText", {"text": text})

    async def _touch(self, kind: str, x: float | None = None, y: float | None = None) -> None:
        points = [] if x is None else [{"x": x, "y": y}]
        await self._debugger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


async def middle(at: Locator) -> tuple[float, float]:
    """Return the middle of an element on the screen."""
    async with asyncio.timeout(8):
        box = await at.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
