"""People and worker processes of the campaign."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from websockets.exceptions import InvalidHandshake

from tests.faults.plays import Typist
from tests.faults.worker import REQUEST_SECONDS
from tests.live.servers import Closed, Person, Refused, Socket, WebServer

SCALE = 1 / 20
"""Times of a run are the product's own, shortened by this."""
GONE = (Closed, Refused, InvalidHandshake, OSError, TimeoutError, httpx.HTTPError, AssertionError)
"""How a command ends without its answers; the edits are sent again."""


class WorkerServer(WebServer):
    """One worker process of the campaign."""

    def __init__(self, instance: Path, iris_url: str, number: int) -> None:
        super().__init__(
            instance,
            iris_url,
            request_timeout_seconds=REQUEST_SECONDS * SCALE,
            drain_seconds=5 * SCALE,
            messages_per_second=1000,
            messages_burst=1000,
            login_attempts_overall=100000,
            log_level="error",
        )
        self.number = number

    def command(self) -> list[str]:
        """Return the command line."""
        bind = f"127.0.0.1:{self.port}"
        return [sys.executable, "-m", "tests.faults.worker", "--bind", bind, "--scale", str(SCALE)]

    @property
    def process_id(self) -> int:
        """The process to send signals to."""
        assert self.process is not None
        return self.process.pid


@dataclass
class Actor:
    """One person at a browser: a session, and a socket to each worker."""

    number: int
    user: str
    http: httpx.AsyncClient
    typist: Typist
    sockets: dict[int, Socket] = field(default_factory=dict)
    signed_in: bool = False
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def socket(self, worker: WorkerServer) -> Socket:
        """Return an open socket to a worker; signs in first where that is needed."""
        found = self.sockets.get(id(worker))
        if found is not None and not found._reader.done():
            return found
        self.http.base_url = httpx.URL(worker.url)
        person = Person(worker, self.http)
        if not self.signed_in:
            await person.sign_in(self.user, "SYS" if self.user == "_SYSTEM" else self.user)
            self.signed_in = True
        try:
            socket = await self.stack.enter_async_context(person.socket(base=worker.url))
        except InvalidHandshake:
            self.signed_in = False
            raise
        self.sockets[id(worker)] = socket
        return socket

    def cut(self, socket: Socket) -> None:
        """Break a socket's connection without a word, as a dead network does."""
        socket.connection.transport.abort()
        self.sockets = {key: item for key, item in self.sockets.items() if item is not socket}

    async def sign_out(self, worker: WorkerServer) -> None:
        """End the session; every socket of it is closed."""
        self.http.base_url = httpx.URL(worker.url)
        self.signed_in = False
        with suppress(*GONE):
            await Person(worker, self.http).sign_out()
