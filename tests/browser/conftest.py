"""Browser tests: a real hypercorn over the embedded IRIS, looked at with Chromium.

A test file says `pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]`, because
Chromium, the web server and the embedded IRIS live as long as the module. Every console error, page error and
violation of the content security policy fails the test, unless it was announced with `visit.expect(pattern)`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from iris_quart.demo import DemoOptions
from iris_quart.demo.server import ThreadedDemoServer, running_in_thread

from .harness.opening import Opener, opening
from .harness.server import serving
from .visits import PAGE_MILLISECONDS, VIOLATIONS, Visit, Visitor

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]
START_SECONDS = 20.0


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


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Serve the harness, in which the grid stands by itself over a fake client."""
    with serving() as url:
        yield url


@pytest_asyncio.fixture(loop_scope="module")
async def grid(chromium: Browser, origin: str) -> AsyncIterator[Opener]:
    """Give a function that opens the grid."""
    async with opening(chromium, origin) as open_grid:
        yield open_grid


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
