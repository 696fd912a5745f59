"""Limits belong to an application: two of them in one process do not share any."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, websocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from iris_quart.live.patches.bounds import harden
from iris_quart.live.patches.limits import SocketLimits

pytestmark = pytest.mark.live

SMALL, LARGE = 1_000, 100_000


@asynccontextmanager
async def echo(limits: SocketLimits | None) -> AsyncIterator[str]:
    """Serve an echo in this process; gives its address."""
    app = Quart("echo", static_folder=None)
    if limits is not None:
        harden(app, limits)

    @app.websocket("/")
    async def answer() -> None:
        while True:
            await websocket.send(await websocket.receive())

    # It listens from now on, so that nobody is refused before Hypercorn accepts connections.
    listener = socket.create_server(("127.0.0.1", 0))
    url = "ws://{}:{}/".format(*listener.getsockname())
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.errorlog = None
    ended = asyncio.Event()
    task = asyncio.create_task(serve(app, config, shutdown_trigger=ended.wait))
    try:
        yield url
    finally:
        ended.set()
        await task


async def close_code(url: str, size: int) -> int | None:
    """Send one message; gives the code of the close, None when it comes back instead."""
    async with connect(url, proxy=None, compression=None, max_size=2 * LARGE) as connection:
        try:
            await connection.send("x" * size)
            async with asyncio.timeout(10):
                assert len(await connection.recv()) == size
        except ConnectionClosed:
            assert connection.close_code is not None
            return connection.close_code
        return None


async def test_two_applications_in_one_process_have_limits_of_their_own() -> None:
    async with AsyncExitStack() as stack:
        small = await stack.enter_async_context(echo(SocketLimits(message_length=SMALL)))
        large = await stack.enter_async_context(echo(SocketLimits(message_length=LARGE)))
        foreign = await stack.enter_async_context(echo(None))
        for _ in range(2):
            assert await close_code(small, SMALL) is None
            assert await close_code(small, SMALL + 1) == 1009
            assert await close_code(large, SMALL + 1) is None
            assert await close_code(large, LARGE) is None
            assert await close_code(large, LARGE + 1) == 1009
            assert await close_code(foreign, LARGE + 1) is None


async def test_frames_are_counted_by_the_limits_of_their_application() -> None:
    async with AsyncExitStack() as stack:
        strict = SocketLimits(messages_per_second=0.001, messages_burst=1)
        few = await stack.enter_async_context(echo(strict))
        many = await stack.enter_async_context(echo(SocketLimits()))
        async with connect(many, proxy=None) as connection:
            for _ in range(50):
                await connection.send("x")
                assert await connection.recv() == "x"
        async with connect(few, proxy=None) as connection:
            with pytest.raises(ConnectionClosed):
                for _ in range(50):
                    await connection.send("x")
                    await connection.recv()
            assert connection.close_code == 1008
