"""Two servers, one Redis and a proxy of deploy/ in front: what a service of several machines is made of."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo import ThreadedDemoServer
from tests.live.conftest import iris, sample_data
from tests.live.servers import Socket, WebServer, free_port
from tests.sessions.conftest import RedisServer

from .proxies import Front, HAProxy, Nginx

__all__ = ["FRONTS", "Service", "iris", "sample_data"]

FRONTS: dict[str, type[Front]] = {"nginx": Nginx, "haproxy": HAProxy}


@dataclass
class Service:
    """Everything of it; `servers` share nothing but Redis and the instance's key."""

    front: Front
    servers: list[WebServer]
    iris: ThreadedDemoServer
    dead: list[WebServer] = field(default_factory=list)

    async def sockets(self) -> list[float]:
        """Count the open sockets of each server that runs."""
        return [
            (await server.metrics())["iris_quart_sockets"]
            for server in self.servers
            if server not in self.dead
        ]

    async def until_sockets(self, *wanted: int, seconds: float = 10) -> None:
        """Wait until the servers hold so many sockets, in this order."""
        found: list[float] = []
        try:
            async with asyncio.timeout(seconds):
                while (found := await self.sockets()) != list(wanted):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"sockets {found}, wanted {wanted}") from None

    async def server_of(self, socket: Socket) -> WebServer:
        """Find the server that a socket is connected to: the one that counts its command."""
        name = 'iris_quart_commands_total{command="getServerList",outcome="ok"}'
        before = [(await server.metrics()).get(name, 0) for server in self.servers]
        await socket.ask("getServerList")
        async with asyncio.timeout(5):
            while True:
                for server, count in zip(self.servers, before, strict=True):
                    if (await server.metrics()).get(name, 0) > count:
                        return server

    def kill(self, server: WebServer) -> None:
        """End a server as a power failure does."""
        server.kill()
        self.dead.append(server)

    async def heal(self) -> None:
        """Start again what was killed."""
        for server in list(self.dead):
            await asyncio.to_thread(server.start)
            self.dead.remove(server)


@pytest.fixture(scope="module", params=list(FRONTS))
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, iris: ThreadedDemoServer
) -> Iterator[Service]:
    """Run two servers with one Redis behind each kind of proxy."""
    folder = tmp_path_factory.mktemp("machines")
    redis = RedisServer(folder)
    with ExitStack() as running:
        redis.start(keep=True)
        running.callback(redis.kill)
        front = running.enter_context(FRONTS[request.param](folder / "front"))
        servers: list[WebServer] = []
        for name in ("one", "two"):
            if servers:
                # As the administrator copies it; the rest of the instance is each machine's own.
                (folder / name).mkdir(mode=0o700)
                shutil.copy2(servers[0].instance / "secret.key", folder / name / "secret.key")
            servers.append(running.enter_context(behind(front, folder / name, iris, store=redis.url)))
        front.start([server.port for server in servers])
        yield Service(front, servers, iris)


def behind(front: Front, instance: Path, iris: ThreadedDemoServer, **settings: Any) -> WebServer:
    """Make a server as docs/deploy.md configures it."""
    given: dict[str, Any] = {
        "own": True,
        "public_origin": front.origin,
        "trusted_hops": 1,
        "metrics_bind": f"127.0.0.1:{free_port()}",
    }
    return WebServer(instance, iris.url, **given | settings)
