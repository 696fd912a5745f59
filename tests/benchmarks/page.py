"""The page in Chromium, against the large table."""

from __future__ import annotations

import asyncio
import gzip
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import median

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, async_playwright

from iris_quart.demo import DemoOptions, running_in_thread
from tests.browser.conftest import CHROMIUM_ARGUMENTS, chromium_path
from tests.live.servers import ROOT, WebServer

from .report import Figure, at_most

__all__ = ["measure"]

ROWS = 1_000_000
TABLE = "/table/SAMPLES/Big.Measurement"
ROW_HEIGHT = 26
WIDE, COLUMNS, WIDE_ROWS = "Bench.Wide", 200, 5000
CELL = ".slick-row [role=gridcell]"
EDITABLE = '.slick-row [role=gridcell]:not([aria-readonly="true"])'
WATCH = """
window.bench = {longest: 0, keys: []};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.bench.longest = Math.max(window.bench.longest, entry.duration);
}).observe({type: "longtask", buffered: true});
addEventListener("keydown", (event) => {
  requestAnimationFrame(() => setTimeout(() => window.bench.keys.push(performance.now() - event.timeStamp)));
}, true);
new MutationObserver((_, observer) => {
  if (document.querySelector(".slick-row [role=gridcell]")) {
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.bench.firstRows = performance.now(); }));
  }
}).observe(document, {childList: true, subtree: true});
"""

FETCHED = """performance.getEntriesByType("resource")
  .filter(({name, transferSize}) => transferSize > 0 && /[.](js|css|svg)$/.test(new URL(name).pathname)).length"""

REQUESTS = """performance.getEntriesByType("resource").length + 2"""
"""The page itself and its socket are none of the resources."""

SCRIPT_BYTES = """performance.getEntriesByType("resource")
  .filter(({name}) => new URL(name).pathname.endsWith(".js"))
  .reduce((sum, {transferSize}) => sum + transferSize, 0)"""
"""With the headers of the answers."""

LIVE = "[data-part=status-connection][data-state=live]"
NAVIGATIONS = 5

FIRST_ROWS = """new Promise((done) => {
  const look = () => window.bench.firstRows ? done(window.bench.firstRows) : requestAnimationFrame(look);
  look();
})"""


def measure(_seconds: float) -> Iterator[tuple[str, list[Figure]]]:
    """Measure the page over the embedded IRIS."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            running_in_thread(DemoOptions(directory=folder / "demo", rows=ROWS, licences=None)) as iris,
            WebServer(folder / "instance", iris.url, own=True) as server,
        ):
            engine = iris.server.namespace("SAMPLES")
            names = [f"C{number}" for number in range(COLUMNS)]
            engine.run_script(
                f"CREATE TABLE {WIDE} ({', '.join(f'{name} VARCHAR(20)' for name in names)}) WITH %CLASS;"
            )
            engine.bulk_load(WIDE, names, [[f"{row} {name}" for name in names] for row in range(WIDE_ROWS)])
            yield "The page in Chromium", asyncio.run(_page(server))
    yield "Its size", [_scripts()]


def _scripts() -> Figure:
    """Weigh our own modules, each compressed as it would travel."""
    own = (ROOT / "static" / "js").rglob("*.js")
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in own)
    return at_most("own JavaScript, compressed", size / 1024, "KB", 150)


async def _page(server: WebServer) -> list[Figure]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS)
        try:
            return [figure async for figure in _figures(browser, server)]
        finally:
            await browser.close()


async def _figures(browser: Browser, server: WebServer) -> AsyncIterator[Figure]:
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    await context.add_init_script(WATCH)
    page = await context.new_page()
    seconds = []
    for _ in range(3):
        await page.goto(f"{server.url}/login")
        seconds.append(
            await page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") / 1000
        )
    yield at_most("sign-in page", min(seconds), "s", 0.5)

    await _sign_in(context, server)
    async for figure in _navigations(browser, context, server):
        yield figure
    await page.goto(f"{server.url}{TABLE}")
    await page.evaluate(FIRST_ROWS)

    await page.evaluate("window.bench.longest = 0")
    drawn = await _scroll(page, 10_000)
    yield at_most(
        "longest task while scrolling 10,000 rows", await page.evaluate("window.bench.longest"), "ms", 100
    )
    yield Figure("frames of it that had rows to show", round(100 * drawn, 1), "%")

    yield at_most("jump to row 900,000", await _jump(page, 900_000), "s", 1)

    await _click(page, EDITABLE)
    await page.evaluate("window.bench.keys = []")
    await page.keyboard.type("how quickly is a typed character seen", delay=25)
    keys = sorted(await page.evaluate("window.bench.keys"))
    yield at_most("typed character to frame, p95", keys[int(len(keys) * 0.95)], "ms", 50)
    await page.keyboard.press("Escape")

    await page.keyboard.press("Control+Home")
    for _ in range(10):
        await _scroll(page, 10_000)
    client = await context.new_cdp_session(page)
    yield at_most("JavaScript heap after 100,000 rows", await _heap(client), "MB", 60)

    await page.goto(f"{server.url}/table/SAMPLES/{WIDE}")
    await page.evaluate(FIRST_ROWS)
    await page.evaluate("window.bench.longest = 0")
    await _across(page)
    longest = await page.evaluate("window.bench.longest")
    yield at_most(f"longest task while scrolling {COLUMNS} columns", longest, "ms", 300)


async def _navigations(browser: Browser, known: BrowserContext, server: WebServer) -> AsyncIterator[Figure]:
    """Navigate to a table on a new page each time: with an empty cache, and on a second visit.

    A page that is kept from one navigation to the next is quicker than any that a person opens: it has its process.
    """
    seconds, requests, kilobytes = [], [], []
    for _ in range(NAVIGATIONS):
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        await context.add_init_script(WATCH)
        await _sign_in(context, server)
        page = await context.new_page()
        seconds.append(await _first_rows(page, server))
        await page.locator(LIVE).wait_for()
        await page.wait_for_load_state("networkidle")
        requests.append(await page.evaluate(REQUESTS))
        kilobytes.append(await page.evaluate(SCRIPT_BYTES) / 1024)
        await context.close()
    yield at_most("first rows after navigation, cold", median(seconds), "s", 0.45)
    yield at_most("requests of a cold load", median(requests), "requests", 40)
    yield at_most("JavaScript sent for it", median(kilobytes), "KB", 160)
    seconds = []
    for number in range(NAVIGATIONS + 1):
        page = await known.new_page()
        taken = await _first_rows(page, server)
        if number:  # the first one fills the cache
            seconds.append(taken)
        await page.locator(LIVE).wait_for()
        fetched = await page.evaluate(FETCHED)
        await page.close()
    yield at_most("first rows after navigation, second visit", median(seconds), "s", 0.30)
    yield at_most("files fetched by a second visit", fetched, "files", 0)


async def _first_rows(page: Page, server: WebServer) -> float:
    await page.goto(f"{server.url}{TABLE}", wait_until="commit")
    return float(await page.evaluate(FIRST_ROWS)) / 1000


async def _across(page: Page) -> None:
    """Scroll over all columns, and down."""
    await page.evaluate(
        """async () => {
            const view = document.querySelector(".slick-viewport-top.slick-viewport-right");
            for (const side of ["scrollLeft", "scrollTop"]) {
              for (let frame = 0; frame < 100; frame += 1) {
                view[side] += 200;
                await new Promise((done) => requestAnimationFrame(done));
              }
            }
        }"""
    )


async def _sign_in(context: BrowserContext, server: WebServer) -> None:
    body = {"server": "demo", "namespace": "SAMPLES", "username": "_SYSTEM", "password": "SYS"}
    answer = await context.request.post(f"{server.url}/api/connect", data=body)
    assert answer.ok, await answer.text()


async def _scroll(page: Page, rows: int) -> float:
    """Scroll by screens as a hand on the wheel does, frame by frame, and rest until the rows are there.

    Gives the share of frames that showed at least one row that had been read.
    """
    moved, drawn = await page.evaluate(
        """async (pixels) => {
            const views = [...document.querySelectorAll(".slick-viewport")];
            const view = views.sort((a, b) => b.scrollHeight - a.scrollHeight || b.scrollWidth - a.scrollWidth)[0];
            const begin = view.scrollTop;
            const end = begin + pixels;
            const frame = () => new Promise((done) => requestAnimationFrame(done));
            const bounds = view.getBoundingClientRect();
            const read = () => [...view.querySelectorAll(".slick-row:not(.loading)")].some((row) => {
              const {top, bottom} = row.getBoundingClientRect();
              return bottom > bounds.top && top < bounds.bottom;
            });
            let [frames, drawn] = [0, 0];
            while (view.scrollTop < end - 1) {
              const before = view.scrollTop;
              view.scrollTop = Math.min(end, before + 600);
              await frame();
              frames += 1;
              if (frames % 10 === 0) drawn += read();
              if (view.scrollTop === before) break;
            }
            for (let left = 300; left && view.querySelector(".slick-row.loading"); left -= 1) await frame();
            return [(view.scrollTop - begin) / pixels, drawn / Math.floor(frames / 10)];
        }""",
        rows * ROW_HEIGHT,
    )
    if moved < 0.99:
        raise RuntimeError(f"only {moved:.0%} of the way was scrolled")
    return float(drawn)


async def _click(page: Page, selector: str) -> None:
    """Click the first such cell that is in sight: rows are kept above and below it too."""
    x, y = await page.evaluate(
        """(selector) => {
            for (const cell of document.querySelectorAll(selector)) {
              const {left, right, top, bottom} = cell.getBoundingClientRect();
              const [x, y] = [(left + right) / 2, (top + bottom) / 2];
              if (document.elementFromPoint(x, y)?.closest(selector) === cell) return [x, y];
            }
            throw new Error("no such cell is in sight");
        }""",
        selector,
    )
    await page.mouse.click(x, y)


async def _jump(page: Page, row: int) -> float:
    await _click(page, CELL)
    await page.keyboard.press("Control+g")
    await page.keyboard.type(str(row))
    begun = await page.evaluate("performance.now()")
    await page.keyboard.press("Enter")
    # The row number stands in the gutter and, for this table, in the ID as well.
    await page.locator(".slick-row").filter(has_text=str(row)).first.wait_for()
    ended = await page.evaluate("performance.now()")
    return float(ended - begun) / 1000


async def _heap(client: CDPSession) -> float:
    await client.send("HeapProfiler.collectGarbage")
    await client.send("Performance.enable")
    metrics = (await client.send("Performance.getMetrics"))["metrics"]
    used = next(metric["value"] for metric in metrics if metric["name"] == "JSHeapUsedSize")
    return float(used) / 1e6
