"""What a connection was made of goes with it: a circle of objects that has grown old is found late or never."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import hypercorn.asyncio
import pytest
from hypercorn.config import Config

from iris_quart.app import create_app
from iris_quart.config import Settings
from iris_quart.demo import ThreadedDemoServer

from .servers import Person, WebServer

pytestmark = pytest.mark.live

PERSON = {"namespace": "SAMPLES", "tableName": "Sample.Person"}
CONNECTION = (
    "hypercorn.",
    "wsproto.",
    "h11.",
    "quart.wrappers.websocket",
    "iris_quart.live.",
    "iris_quart.dispatch.Context",
)
SESSION = (
    "iris_quart.tables.service.",
    "iris_quart.tables.edits.",
    "iris_quart.atelier.client.",
    "iris_quart.atelier.session_pool.",
    "iris_quart.atelier.target.Credentials",
)


@pytest.fixture
async def person(tmp_path: Path, iris: ThreadedDemoServer) -> AsyncIterator[Person]:
    """Somebody who is signed in at a server in this process."""
    thresholds = gc.get_threshold()
    settings = Settings(instance=tmp_path / "instance", servers={"demo": {"url": iris.url}})
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.errorlog = None
    stop = asyncio.Event()
    serve: Any = hypercorn.asyncio.serve
    serving = asyncio.create_task(serve(create_app(settings), config, shutdown_trigger=stop.wait))
    try:
        async with httpx.AsyncClient(base_url=url, timeout=20) as client:
            found = Person(cast("WebServer", SimpleNamespace(url=url)), client)
            await found.sign_in()
            yield found
    finally:
        stop.set()
        await serving
        gc.unfreeze()
        gc.set_threshold(*thresholds)


def parts(modules: tuple[str, ...]) -> Counter[str]:
    """Count the objects of some modules."""
    names = (f"{type(item).__module__}.{type(item).__qualname__}" for item in gc.get_objects())
    return Counter(name for name in names if name.startswith(modules))


async def use(person: Person, times: int) -> None:
    """Open sockets one after the other, read and write over each, and close them."""
    for number in range(times):
        async with person.socket() as peer:
            await peer.ask("requestData", {**PERSON, "pageSize": 5})
            change = {
                "kind": "update",
                "rowId": "3",
                "values": {"Home_City": f"Town {number}"},
                "changeId": f"c{number}",
            }
            await peer.ask("saveChanges", {**PERSON, "changes": [change]})


@contextmanager
def uncollected(modules: tuple[str, ...]) -> Iterator[Callable[[], Counter[str]]]:
    """Hold the collector still; what is given counts the objects that have come since and are still there."""
    gc.collect()
    gc.disable()
    try:
        before = parts(modules)
        yield lambda: parts(modules) - before
    finally:
        gc.enable()


async def test_nothing_of_a_closed_socket_waits_for_the_collector(person: Person) -> None:
    await use(person, 2)
    with uncollected(CONNECTION) as left:
        await use(person, 10)
        # The server may still take leave of the last one.
        assert {name: count for name, count in left().items() if count >= 10} == {}


async def test_nothing_of_an_ended_session_waits_for_the_collector(person: Person) -> None:
    await use(person, 1)
    with uncollected(SESSION) as left:
        for _ in range(10):
            await person.sign_in()  # which ends the session that was
            await use(person, 1)
        # The last one is still there, and the one before may be signing out at IRIS.
        assert {name: count for name, count in left().items() if count >= 5} == {}
