"""Browser tests: a real hypercorn over the embedded IRIS, looked at with Chromium.

A test file says `pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]`, because
Chromium, the web server and the embedded IRIS live as long as the module. Every console error, page error and
violation of the content security policy fails the test, unless it was announced with `visit.expect(pattern)`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from iris_quart.demo import DemoOptions
from iris_quart.demo.server import ThreadedDemoServer, running_in_thread

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]
START_SECONDS = 20.0
PAGE_MILLISECONDS = 10_000
VIOLATIONS = """addEventListener("securitypolicyviolation", (event) => console.error(
    `CSP ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));"""


def free_port() -> int:
    """Give a port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def chromium_path() -> str | None:
    """Find Chromium: the one named by IRIS_QUART_CHROMIUM, else Debian's; None stands for Playwright's own."""
    named = os.environ.get("IRIS_QUART_CHROMIUM") or "/usr/bin/chromium"
    return named if Path(named).exists() else None


class WebServer:
    """A hypercorn process that serves the application; it can be stopped, killed and started again on its port."""

    def __init__(self, instance: Path, iris_url: str, **settings: str) -> None:
        self.instance = instance
        self.port = free_port()
        servers = {
            "demo": {"url": iris_url, "label": "demo", "colour": "green"},
            "demo-readonly": {"url": iris_url, "read_only": True, "colour": "amber"},
            "nowhere": {"url": "http://127.0.0.1:9", "label": "nowhere"},
        }
        self.environment = {
            **os.environ,
            "IRIS_QUART_INSTANCE": str(instance),
            "IRIS_QUART_SERVERS": json.dumps(servers),
            "IRIS_QUART_LOGIN_ATTEMPTS_PER_MINUTE": "1000",
            "IRIS_QUART_LOGIN_ATTEMPTS_PER_ADDRESS": "1000",
            "IRIS_QUART_SESSIONS_PER_ACCOUNT": "1000",
            "IRIS_QUART_LOGIN_FLOOR_SECONDS": "0",
            **{f"IRIS_QUART_{name.upper()}": value for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Give the origin of the pages."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        """Give the file that takes what the process writes."""
        return self.instance / "server.log"

    def start(self) -> None:
        """Start, and wait until the pages answer."""
        self.instance.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "hypercorn",
                    "iris_quart.asgi:app",
                    "--bind",
                    f"127.0.0.1:{self.port}",
                ],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,  # hypercorn works in a child; a kill must take both
            )
        transport = httpx.HTTPTransport(retries=40)
        with httpx.Client(transport=transport, timeout=START_SECONDS, trust_env=False) as client:
            try:
                client.get(f"{self.url}/livez").raise_for_status()
            except httpx.HTTPError as error:
                self.kill()
                raise RuntimeError(f"{error}\n{self.log_file.read_text('utf-8')}") from error

    def ensure(self) -> None:
        """Start it unless it runs."""
        if self._process is None or self._process.poll() is not None:
            self._process = None
            self.start()

    def stop(self) -> None:
        """Ask the process to end, as a deployment does, and wait for it."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the process without a word."""
        self._end(signal.SIGKILL)

    def _end(self, signal_number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if signal_number == signal.SIGKILL:
            os.killpg(process.pid, signal_number)
        else:
            process.send_signal(signal_number)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise


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


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadedDemoServer]:
    """Run an embedded IRIS with its sample data, fresh for the module."""
    with running_in_thread(DemoOptions(directory=tmp_path_factory.mktemp("iris"), licences=None)) as server:
        yield server


@pytest.fixture(scope="module")
def web_settings() -> dict[str, str]:
    """Settings beyond the usual ones; a test module overrides this fixture."""
    return {}


@pytest.fixture(scope="module")
def web(
    tmp_path_factory: pytest.TempPathFactory, iris: ThreadedDemoServer, web_settings: dict[str, str]
) -> Iterator[WebServer]:
    """Run the web server over the embedded IRIS."""
    server = WebServer(tmp_path_factory.mktemp("instance"), iris.url, **web_settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """Run Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(chromium: Browser, web: WebServer) -> AsyncIterator[Visitor]:
    """Give a function that opens a browser for one person; each is checked for errors and closed at the end.

    `user=None` stays signed out. Further arguments go to Playwright's new_context.
    """
    visits: list[Visit] = []

    async def visit(
        user: str | None = "_SYSTEM",
        password: str = "SYS",
        *,
        server: str = "demo",
        namespace: str = "SAMPLES",
        **options: Any,
    ) -> Visit:
        options.setdefault("viewport", {"width": 1280, "height": 800})
        options.setdefault("permissions", ["clipboard-read", "clipboard-write"])
        context = await chromium.new_context(**options)
        context.set_default_timeout(PAGE_MILLISECONDS)
        await context.add_init_script(VIOLATIONS)
        page = await context.new_page()
        opened = Visit(page, context, web.url)
        opened.watch(page)
        visits.append(opened)
        if user is not None:
            await opened.connect(user, password, server, namespace)
        return opened

    yield visit
    for opened in visits:
        await opened.context.close()
    assert [line for opened in visits for line in opened.unexpected()] == []
