"""A relay before the embedded IRIS that keeps to HTTP's letter and to nothing else.

with running_relay(iris.url) as relay, WebServer(folder, relay.url):
    relay.manner = "pieces"
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal, get_args

import httpx

from tests.relay import HOP, Relay

__all__ = ["MANNERS", "Manner", "RoughRelay", "running_relay"]

Manner = Literal[
    "slow",  # every answer comes late
    "out of order",  # of requests at the same time on different connections, the later is answered first
    "pieces",  # every byte of an answer by itself
    "close",  # a connection for each answer, announced by Connection: close
    "until close",  # HTTP/1.0: the end of the connection is the end of the body
    "chunked",  # chunks of odd sizes, with extensions and trailers
    "idle close",  # a connection is closed without a word, at once or a moment after its answer
]
MANNERS: tuple[Manner, ...] = get_args(Manner)

SLOW_SECONDS = 0.25
IDLE_SECONDS = (0.0, 0.0, 0.001, 0.005, 0.02)


class RoughRelay(Relay):
    """Answers in one manner. Manner, `connections` and `statements` may be changed at any time."""

    def __init__(self, iris_url: str, seed: int = 1) -> None:
        super().__init__(iris_url)
        self.manner: Manner = "slow"
        self._random = random.Random(seed)
        self._waiting: list[asyncio.Event] = []

    async def serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request."""
        request = await self.read_request(reader)
        answer = await self.forward(request)
        await self._hold_back()
        await self._answer(writer, answer, with_body=request.method != "HEAD")
        if self.manner == "idle close":
            await asyncio.sleep(self._random.choice(IDLE_SECONDS))
            return False
        return self.manner not in {"close", "until close"}

    async def _hold_back(self) -> None:
        if self.manner == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        if self.manner == "out of order":
            # Who waits is let go by whoever comes later and is answered, or after a while by nobody.
            later, self._waiting = self._waiting, []
            for event in later:
                asyncio.get_running_loop().call_later(0.05, event.set)
            if not later:
                mine = asyncio.Event()
                self._waiting.append(mine)
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await mine.wait()

    async def _answer(self, writer: asyncio.StreamWriter, answer: httpx.Response, *, with_body: bool) -> None:
        body = answer.content if with_body else b""
        version = "1.0" if self.manner == "until close" else "1.1"
        lines = [f"HTTP/{version} {answer.status_code} {answer.reason_phrase}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.multi_items() if name not in HOP]
        if self.manner == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif self.manner != "until close":
            lines.append(f"Content-Length: {len(body)}")
        if self.manner == "close":
            lines.append("Connection: close")
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        if self.manner == "chunked":
            body = self._chunked(body)
        step = 1 if self.manner == "pieces" else max(1, len(body))
        for start in range(0, len(body), step):
            writer.write(body[start : start + step])
            await writer.drain()
            await asyncio.sleep(0)
        await writer.drain()

    def _chunked(self, body: bytes) -> bytes:
        parts = []
        while body:
            size = self._random.randint(1, 700)
            chunk, body = body[:size], body[size:]
            parts.append(b"%x;why=not\r\n%b\r\n" % (len(chunk), chunk))
        return b"".join([*parts, b"0\r\nX-Trailer: none\r\n\r\n"])


@contextmanager
def running_relay(iris_url: str) -> Iterator[RoughRelay]:
    """Run a relay on an event loop in a thread of its own until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="rough-relay", daemon=True)
    thread.start()
    relay = RoughRelay(iris_url)
    try:
        asyncio.run_coroutine_threadsafe(relay.__aenter__(), loop).result()
        yield relay
        asyncio.run_coroutine_threadsafe(relay.__aexit__(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
