"""A relay before an IRIS: it passes requests on, one by one and as they are; how it answers is its subclass's."""

from __future__ import annotations

import asyncio
import socket as sockets
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import NamedTuple, Self

import httpx

__all__ = ["HOP", "Relay", "Request"]

HOP = {"content-length", "transfer-encoding", "connection", "keep-alive", "date"}
"""Fields of one connection, which are not passed on."""


class Request(NamedTuple):
    """A request that came."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes


class Relay(ABC):
    """Listens at `url`; `connections` counts what was accepted, `statements` are the bodies that were passed on."""

    def __init__(self, iris_url: str) -> None:
        self.connections = 0
        self.statements: list[bytes] = []
        self._iris_url = iris_url
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(base_url=self._iris_url, timeout=30)
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    @abstractmethod
    async def serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve what comes next on a connection; False when the connection ends with it."""

    async def read_request(self, reader: asyncio.StreamReader) -> Request:
        """Read a whole request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.rstrip().split("\r\n")
        method, target, _ = line.split(" ")
        headers = [(name.lower(), value.strip()) for name, _, value in (one.partition(":") for one in fields)]
        body = await reader.readexactly(int(dict(headers).get("content-length", 0)))
        return Request(method, target, headers, body)

    async def forward(self, request: Request) -> httpx.Response:
        """Pass a request on."""
        self.statements.append(request.body)
        # A client with no cookies of its own: those of the request are passed on, and nothing else is sent.
        self._client.cookies.clear()
        kept = [(name, value) for name, value in request.headers if name not in HOP]
        return await self._client.request(request.method, request.target, headers=kept, content=request.body)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        writer.get_extra_info("socket").setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self.serve_one(reader, writer):
                pass
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
