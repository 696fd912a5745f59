"""A real server in its own processes, and people who use it by scripts.

with WebServer(tmp_path, iris.url, workers=2, session_idle_seconds=5) as server:
    async with server.person() as person:          # signed in by POST /api/connect
        async with person.socket() as socket:
            answer = await socket.ask("getSession")
            await socket.closed(4002)              # waits for the close and checks its code
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket as sockets
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

__all__ = ["Closed", "Person", "Refused", "Socket", "WebServer", "free_port"]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 10.0
"""Seconds within which anything expected must happen."""
START_PATIENCE = 60.0
"""Seconds for a start: a machine that runs everything at once imports slowly."""


def free_port() -> int:
    """Give a port that nothing listens on at this moment."""
    with sockets.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class WebServer:
    """The application in processes of its own: `hypercorn iris_quart.asgi:app`, or `iris-quart serve`.

    settings become IRIS_QUART_* variables. It starts in `with` and is stopped by SIGTERM at the end.
    """

    def __init__(
        self,
        instance: Path,
        iris_url: str,
        *,
        workers: int = 1,
        own: bool = False,
        options: Sequence[str] = (),
        **settings: Any,
    ) -> None:
        self.instance = instance
        self.port = free_port()
        self.worker_count = workers
        self.own = own
        self.options = list(options)
        servers = {"demo": {"url": iris_url}, "demo-readonly": {"url": iris_url, "read_only": True}}
        given = {
            "instance": str(instance),
            "servers": json.dumps(servers),
            "login_floor_seconds": 0,
            "login_attempts_per_minute": 1000,
            "login_attempts_per_address": 1000,
            "sessions_per_account": 1000,
            **settings,
        }
        self.environment = {
            **os.environ,
            **{f"IRIS_QUART_{name.upper()}": str(value) for name, value in given.items()},
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Give the origin of the pages."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Give all that the processes wrote."""
        return (self.instance / "server.log").read_text("utf-8")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.stop()

    def command(self) -> list[str]:
        """Give the command line."""
        bind = f"127.0.0.1:{self.port}"
        if self.own:
            start = [sys.executable, "-m", "iris_quart.cli", "serve", "--workers", str(self.worker_count)]
        else:
            start = [sys.executable, "-m", "hypercorn", "iris_quart.asgi:app", "-w", str(self.worker_count)]
        return [*start, "--bind", bind, *self.options]

    def start(self) -> None:
        """Start, and wait until it is ready."""
        self.instance.mkdir(parents=True, exist_ok=True)
        with (self.instance / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        transport = httpx.HTTPTransport(retries=60)
        with httpx.Client(transport=transport, timeout=START_PATIENCE) as client:
            try:
                client.get(f"{self.url}/readyz").raise_for_status()
            except httpx.HTTPError as error:
                self.kill()
                raise RuntimeError(f"{error}\n{self.log}") from error

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end and wait; gives the exit code."""
        process = self._take()
        process.send_signal(number)
        try:
            return process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise

    def kill(self) -> None:
        """End all its processes without a word."""
        process = self._take()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    async def stop_soon(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end and wait beside other tasks; gives the exit code."""
        return await asyncio.to_thread(self.stop, number)

    def workers(self) -> list[int]:
        """Give the process ids of the workers (Linux)."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        lines = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
        return [child for child, line in lines.items() if b"spawn_main" in line or b"--supervised" in line]

    def memory(self) -> int:
        """Give the bytes that the workers hold in memory (Linux)."""
        total = 0
        for worker in self.workers():
            status = Path(f"/proc/{worker}/status").read_text()
            total += (
                next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) * 1024
            )
        return total

    async def metrics(self) -> dict[str, float]:
        """Read the metrics by name and labels, as Prometheus does; needs the setting `metrics_bind`."""
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            response = await client.get(f"http://{self.environment['IRIS_QUART_METRICS_BIND']}/metrics")
        lines = [line for line in response.text.splitlines() if line and not line.startswith("#")]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    @asynccontextmanager
    async def person(
        self, user: str = "_SYSTEM", password: str = "SYS", *, signed_in: bool = True, **fields: Any
    ) -> AsyncIterator[Person]:
        """Open a browser of its own cookies, signed in unless told otherwise."""
        async with httpx.AsyncClient(base_url=self.url, timeout=PATIENCE) as client:
            person = Person(self, client)
            if signed_in:
                await person.sign_in(user, password, **fields)
            yield person

    def _take(self) -> subprocess.Popen[bytes]:
        process, self.process = self.process, None
        assert process is not None, "the server is not running"
        return process


class Person:
    """One browser: cookies, HTTP requests and sockets."""

    def __init__(self, server: WebServer, http: httpx.AsyncClient) -> None:
        self.server = server
        self.http = http

    async def sign_in(self, user: str = "_SYSTEM", password: str = "SYS", **fields: Any) -> None:
        """Sign in by the JSON route; a session there was ends."""
        body = {"server": "demo", "namespace": "SAMPLES", "username": user, "password": password, **fields}
        response = await self.http.post("/api/connect", json=body)
        assert response.status_code == 200, response.text

    async def sign_out(self) -> None:
        """Sign out by the JSON route."""
        response = await self.http.post("/api/disconnect")
        assert response.status_code == 200, response.text

    async def ticket(self) -> str:
        """Get a ticket for a socket without cookies."""
        response = await self.http.post("/api/ticket")
        assert response.status_code == 200, response.text
        return str(response.json()["ticket"])

    @asynccontextmanager
    async def socket(
        self,
        *,
        cookies: bool = True,
        origin: str | None = None,
        query: str = "",
        base: str | None = None,
        **options: Any,
    ) -> AsyncIterator[Socket]:
        """Open a socket; `options` go to websockets' `connect`. A refused handshake raises InvalidStatus."""
        headers = {}
        if cookies:
            jar = self.http.cookies.jar
            headers["Cookie"] = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
        url = (base or self.server.url).replace("http", "ws", 1) + "/ws" + query
        options.setdefault("compression", None)
        options.setdefault("open_timeout", PATIENCE)
        options.setdefault("close_timeout", 1.0)
        connecting = connect(url, origin=origin, additional_headers=headers, proxy=None, **options)  # type: ignore[arg-type]
        async with connecting as connection:
            socket = Socket(connection)
            try:
                yield socket
            finally:
                await socket.leave()


class Closed(AssertionError):
    """The socket was closed, or said nothing, when an answer was due."""


class Refused(Exception):
    """A command was answered by the event `error`."""

    def __init__(self, payload: dict[str, Any]) -> None:
        super().__init__(f"{payload['code']}: {payload['message']}")
        self.payload = payload
        self.code = payload["code"]


class Socket:
    """One socket: commands are answered by their id, everything else is kept in `pushed`."""

    _ids = itertools.count(1)

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.pushed: list[dict[str, Any]] = []
        self._answers: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in self.connection:
                event = json.loads(text)
                if (answers := self._answers.get(event.get("id", ""))) is not None:
                    answers.put_nowait(event)
                else:
                    self.pushed.append(event)
                self._news.set()
        self._news.set()

    async def send(self, command: str, payload: dict[str, Any] | None = None, **envelope: Any) -> str:
        """Send a command without waiting; gives its id."""
        message_id = envelope.pop("id", None) or f"t{next(self._ids)}"
        self._answers.setdefault(message_id, asyncio.Queue())
        message = {"command": command, "payload": payload or {}, "id": message_id, **envelope}
        try:
            await self.connection.send(json.dumps(message))
        except ConnectionClosed:
            raise Closed(f"closed with {self.connection.close_code} before {command}") from None
        return message_id

    async def answer(self, message_id: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """Wait for the next event of a command; gives event and payload. Raises Refused for `error`."""
        queue = self._answers[message_id]
        waiting = asyncio.ensure_future(queue.get())
        done, _ = await asyncio.wait(
            {waiting, self._reader}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if waiting not in done:
            waiting.cancel()
            closed = f"closed with {self.connection.close_code}" if done else "no answer"
            raise Closed(f"{closed} while waiting for {message_id}")
        event = waiting.result()
        if event["event"] == "error":
            raise Refused(event["payload"])
        return event

    async def ask(
        self, command: str, payload: dict[str, Any] | None = None, **envelope: Any
    ) -> dict[str, Any]:
        """Send a command and give the payload of its first event. Raises Refused for `error`."""
        event = await self.answer(await self.send(command, payload, **envelope))
        answer: dict[str, Any] = event["payload"]
        return answer

    async def heard(self, event: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """Wait until an event was pushed; gives its payload and forgets it."""
        async with asyncio.timeout(seconds):
            while True:
                for pushed in self.pushed:
                    if pushed["event"] == event:
                        self.pushed.remove(pushed)
                        payload: dict[str, Any] = pushed["payload"]
                        return payload
                assert not self._reader.done(), f"closed with {self.connection.close_code} before {event}"
                self._news.clear()
                await self._news.wait()

    async def closed(self, code: int, seconds: float = PATIENCE) -> str:
        """Wait for the close, check its code, and give the reason."""
        await asyncio.wait({self._reader}, timeout=seconds)
        assert self._reader.done(), "still open"
        assert self.connection.close_code == code, (self.connection.close_code, self.connection.close_reason)
        return self.connection.close_reason or ""

    async def leave(self) -> None:
        """Close politely."""
        await self.connection.close()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
