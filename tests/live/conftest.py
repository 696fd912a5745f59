"""Fixtures of the live tests; `servers.py` says what can be done with them.

- `iris`: an embedded IRIS with its sample data, fresh for the module, in a thread of this process.
- `server`: `hypercorn iris_quart.asgi:app`, one worker, as long as the module; a module overrides
  `server_settings` to change it (keywords of `WebServer`).
- `person`, `socket`: someone signed in at `server`, and an open socket of theirs.
- `start`: starts a further `WebServer(**settings)` for one test.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo import DemoOptions, ThreadedDemoServer, running_in_thread

from .servers import Person, Socket, WebServer

Start = Callable[..., WebServer]


@pytest.fixture(scope="session")
def sample_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the sample data once; each module gets a copy."""
    folder = tmp_path_factory.mktemp("samples") / "data"
    with running_in_thread(DemoOptions(directory=folder)):
        return folder


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory, sample_data: Path) -> Iterator[ThreadedDemoServer]:
    """Run an embedded IRIS."""
    folder = tmp_path_factory.mktemp("iris") / "data"
    shutil.copytree(sample_data, folder)
    with running_in_thread(DemoOptions(directory=folder, licences=None)) as server:
        yield server


@pytest.fixture(scope="module")
def server_settings() -> dict[str, Any]:
    """What a module wants of its server."""
    return {}


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, iris: ThreadedDemoServer, server_settings: dict[str, Any]
) -> Iterator[WebServer]:
    """Run the server of the module."""
    with WebServer(tmp_path_factory.mktemp("instance"), iris.url, **server_settings) as server:
        yield server


@pytest.fixture
def start(tmp_path: Path, iris: ThreadedDemoServer) -> Iterator[Start]:
    """Give a function that starts a server of this test's own; all are stopped at its end."""
    with ExitStack() as running:
        count = 0

        def start_server(**settings: Any) -> WebServer:
            nonlocal count
            count += 1
            instance = settings.pop("instance", tmp_path / f"instance{count}")
            return running.enter_context(WebServer(instance, iris.url, **settings))

        yield start_server


@pytest.fixture
async def person(server: WebServer) -> AsyncIterator[Person]:
    """Sign somebody in."""
    async with server.person() as person:
        yield person


@pytest.fixture
async def socket(person: Person) -> AsyncIterator[Socket]:
    """Open a socket of that person."""
    async with person.socket() as socket:
        yield socket
