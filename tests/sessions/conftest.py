"""Stores to test: SQLite in a folder of the test, and a real redis-server of this test run."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from iris_quart.atelier import Credentials, Target
from iris_quart.config import Settings
from iris_quart.sessions import NewSession, SessionStore, open_store, open_vault

PASSWORD = "canary-Pa55word-5f2c"
CREDENTIALS = Credentials("alice", SecretStr(PASSWORD))
ALICE = NewSession(
    user="alice",
    server="demo",
    server_key="key-of-demo",
    target=Target("http://canary-host.example:52773"),
    namespace="USER",
    address="192.0.2.7",
    user_agent="Test/1",
)

OpenStore = Callable[[], Awaitable[SessionStore]]


class RedisServer:
    """A redis-server of our own, that can be killed, frozen and started again."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server") or "/usr/bin/redis-server"
        assert Path(program).exists(), "redis-server is needed: apt-get install redis-server"
        self._program = program
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address for `settings.store`."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, *, keep: bool = False, unix: Path | None = None) -> None:
        """Start it; with `keep` it appends to a file and finds its data again; `unix` is a socket to listen on too."""
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--dir", str(self._folder), "--appendonly", "yes" if keep else "no"]
        command += ["--appendfsync", "always", "--loglevel", "warning"]
        command += ["--unixsocket", str(unix)] if unix else []
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    connection.settimeout(1)
                    connection.sendall(b"PING\r\n")
                    if connection.recv(16).startswith(b"+PONG"):
                        return
            except OSError:
                pass
            assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.02)

    def command(self, *words: str) -> bytes:
        """Send one command and give the raw answer (small ones only)."""
        with socket.create_connection(("127.0.0.1", self.port), 2) as connection:
            parts = b"".join(b"$%d\r\n%b\r\n" % (len(word.encode()), word.encode()) for word in words)
            connection.sendall(b"*%d\r\n%b" % (len(words), parts))
            return connection.recv(1 << 20)

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One redis-server for all tests that only need an empty one."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A redis-server that the test may kill."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@dataclass
class Kind:
    """A kind of store: its address for the settings."""

    name: str
    url: str


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.redis)])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Run the test on each kind of store."""
    if request.param == "sqlite":
        return Kind("sqlite", "sqlite")
    server: RedisServer = request.getfixturevalue("shared_redis")
    server.command("FLUSHALL")
    return Kind("redis", server.url)


def make_settings(folder: Path, **changes: object) -> Settings:
    """Settings with quick polling."""
    values: dict[str, object] = {"instance": folder, "sessions_poll_seconds": 0.05}
    return Settings(**(values | changes))  # type: ignore[arg-type]


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[SessionStore]:
    """A started store, as one worker has it."""
    store = open_store(settings, open_vault(settings.instance))
    await store.start()
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
async def store(kind: Kind, tmp_path: Path) -> AsyncIterator[SessionStore]:
    """A store of one worker."""
    async with opened(make_settings(tmp_path, store=kind.url)) as store:
        yield store


@pytest.fixture
async def pair(kind: Kind, tmp_path: Path) -> AsyncIterator[tuple[SessionStore, SessionStore]]:
    """The stores of two workers over the same data."""
    settings = make_settings(tmp_path, store=kind.url)
    async with opened(settings) as one, opened(settings) as other:
        yield one, other


async def until(condition: Callable[[], Awaitable[object]], seconds: float = 5) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.01)
