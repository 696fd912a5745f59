"""Firefox and WebKit, driven by the protocols that they speak themselves: WebDriver BiDi and WebDriver (W3C)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import IO, Any

import httpx
from websockets.sync.client import ClientConnection, connect

from .conftest import free_port

__all__ = ["CONTROL", "END", "ENTER", "Engine", "firefox", "webkit"]

CONTROL, END, ENTER = "\ue009", "\ue010", "\ue007"
"""Keys by their code points (WebDriver, section 15.4.2, Keyboard actions)."""
PATIENCE = 20.0
SIZE = {"width": 1280, "height": 860}
WAIT = """new Promise((done) => {
    const observer = new MutationObserver(() => look());
    const look = () => {
        if (CONDITION) {
            observer.disconnect();
            done(true);
        }
    };
    observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
    look();
})"""


class EngineError(Exception):
    """The browser did not do what it was told."""


class Engine(ABC):
    """One window of a browser; `complaints` are the errors of its console, where the protocol tells them."""

    def __init__(self) -> None:
        self.complaints: list[str] = []

    @abstractmethod
    def go(self, url: str) -> None:
        """Open an address and wait until it is loaded."""

    @abstractmethod
    def evaluate(self, expression: str) -> Any:
        """Give the JSON value of an expression, or of what its promise gives. Raises EngineError."""

    @abstractmethod
    def act(self, actions: list[dict[str, Any]]) -> None:
        """Perform input actions of WebDriver."""

    def wait(self, condition: str) -> None:
        """Wait until an expression is true, across the loading of another page."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self.evaluate(WAIT.replace("CONDITION", condition))
            except EngineError:
                # The page that was asked has gone.
                if time.monotonic() > until:
                    raise
            else:
                return

    def click(self, selector: str) -> None:
        """Click the middle of an element."""
        middle = f"""(() => {{
            const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();
            return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];
        }})()"""
        x, y = self.evaluate(middle)
        steps: list[dict[str, Any]] = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self.act([{"type": "pointer", "id": "mouse", "actions": steps}])

    def press(self, *keys: str, holding: str = "") -> None:
        """Press keys one after the other, perhaps while holding another."""
        steps = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        if holding:
            steps = [{"type": "keyDown", "value": holding}, *steps, {"type": "keyUp", "value": holding}]
        self.act([{"type": "key", "id": "keyboard", "actions": steps}])


class _Firefox(Engine):
    """WebDriver BiDi over the browser's own socket."""

    def __init__(self, connection: ClientConnection) -> None:
        super().__init__()
        self._connection = connection
        self._number = 0
        self._ask("session.new", {"capabilities": {}})
        self._ask("session.subscribe", {"events": ["log.entryAdded"]})
        self._context = self._ask("browsingContext.getTree", {})["contexts"][0]["context"]
        self._ask("browsingContext.setViewport", {"context": self._context, "viewport": SIZE})

    def go(self, url: str) -> None:
        """Open an address and wait until it is loaded."""
        self._ask("browsingContext.navigate", {"context": self._context, "url": url, "wait": "complete"})

    def evaluate(self, expression: str) -> Any:
        """Give the JSON value of an expression, or of what its promise gives. Raises EngineError."""
        question = {
            "expression": f"Promise.resolve({expression}).then((value) => JSON.stringify(value ?? null))",
            "target": {"context": self._context},
            "awaitPromise": True,
        }
        answer = self._ask("script.evaluate", question)
        if answer["type"] != "success":
            raise EngineError(str(answer))
        return json.loads(answer["result"]["value"])

    def act(self, actions: list[dict[str, Any]]) -> None:
        """Perform input actions of WebDriver."""
        self._ask("input.performActions", {"context": self._context, "actions": actions})

    def _ask(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        self._connection.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._connection.recv(timeout=PATIENCE))
            if message.get("id") == self._number:
                if message["type"] == "error":
                    raise EngineError(str(message))
                result: dict[str, Any] = message["result"]
                return result
            entry = message.get("params", {})
            if message.get("method") == "log.entryAdded" and entry.get("level") == "error":
                self.complaints.append(str(entry.get("text")))


class _WebKit(Engine):
    """WebDriver over HTTP, as Safari's driver speaks it too."""

    def __init__(self, http: httpx.Client) -> None:
        super().__init__()
        self._http = http
        self._session = ""
        self._session = f"/session/{self._ask('POST', '/session', {'capabilities': {}})['sessionId']}"
        self._ask("POST", "/timeouts", {"script": int(PATIENCE * 1000)})
        self._ask("POST", "/window/rect", SIZE)

    def go(self, url: str) -> None:
        """Open an address and wait until it is loaded."""
        self._ask("POST", "/url", {"url": url})

    def evaluate(self, expression: str) -> Any:
        """Give the JSON value of an expression, or of what its promise gives. Raises EngineError."""
        script = (
            f"const done = arguments[0]; Promise.resolve({expression}).then((value) => done(value ?? null))"
        )
        return self._ask("POST", "/execute/async", {"script": script, "args": []})

    def act(self, actions: list[dict[str, Any]]) -> None:
        """Perform input actions of WebDriver."""
        self._ask("POST", "/actions", {"actions": actions})

    def close(self) -> None:
        """End the session, and with it the browser."""
        self._ask("DELETE", "")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._http.request(method, self._session + path, json=body)
        value = answer.json()["value"]
        if answer.is_error:
            raise EngineError(str(value))
        return value


@contextmanager
def firefox() -> Iterator[Engine]:
    """Run Firefox without a screen."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    assert program is not None, "Firefox is not installed; `make engines` installs it"
    with ExitStack() as stack:
        profile = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        arguments = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
        process = stack.enter_context(_running([program, *arguments]))
        address = _line(process.stdout, re.compile(r"BiDi listening on (ws://\S+)"))
        yield _Firefox(stack.enter_context(connect(f"{address}/session", max_size=2**26)))


@contextmanager
def webkit() -> Iterator[Engine]:
    """Run WebKitGTK's small browser on a screen of its own."""
    for program in ("WebKitWebDriver", "Xvfb"):
        assert shutil.which(program), f"{program} is not installed; `make engines` installs it"
    with ExitStack() as stack:
        screen = stack.enter_context(_running(["Xvfb", "-displayfd", "1", "-screen", "0", "1400x900x24"]))
        display = _line(screen.stdout, re.compile(r"^(\d+)$"))
        port = free_port()
        # Its sandbox needs namespaces, which containers seldom give; the pages are our own.
        environment = {"DISPLAY": f":{display}", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
        stack.enter_context(_running(["WebKitWebDriver", f"--port={port}"], environment))
        transport = httpx.HTTPTransport(retries=10)  # it tells nobody when it listens
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=60)
        yield stack.enter_context(closing(_WebKit(stack.enter_context(client))))


@contextmanager
def _running(
    command: list[str], environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _line(output: IO[str] | None, wanted: re.Pattern[str]) -> str:
    """Wait for a line of a process's output; what comes after it is thrown away."""
    assert output is not None
    seen = deque[str](maxlen=20)
    for line in output:
        seen.append(line)
        if found := wanted.search(line):
            threading.Thread(target=lambda: deque(output, maxlen=0), daemon=True).start()
            return found[1]
    raise EngineError("".join(seen))
