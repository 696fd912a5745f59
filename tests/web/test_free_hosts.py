"""Typed addresses: nothing is sent where it may not be, and all refusals look alike (SSRF)."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from iris_quart.web.signin import Address, typed_address

from .conftest import Site, post_login

USER = {"namespace": "USER", "username": "_SYSTEM", "password": "SYS"}
SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001",
    "127.0.0.1.", "127.000.000.001", "127.0.0.2", "127.255.255.254", "0", "0.0.0.0", "0x0", "00000000",
    "localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "ip6-localhost", "[::1]", "::1", "[::]", "::",
    "[::ffff:127.0.0.1]", "::ffff:127.0.0.1", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[fe80::1%25lo]", "fe80::1%lo", "[::1%25lo]", "169.254.169.254", "[fd00:ec2::254]",
    "127.0.0.1@evil", "user@127.0.0.1", "user:pw@127.0.0.1", "127.0.0.1#evil", "127.0.0.1?x", "127.0.0.1/x",
    "evil/#@127.0.0.1", "127.0.0.1%00", "127.0.0.1\t", " 127.0.0.1", "127.0.0.1 evil", "127。0。0。1", "①②⑦.0.0.1",
    "127.0.0.1\r\nHost: x", "127.0.0.1%2f", "127.0.0.1:80", "[127.0.0.1]", "-", ".", "..", "a..b", "a" * 64, "_", "*",
]  # fmt: skip


PORTS = 6


class Canary:
    """Listens on ports of every address of this machine, IPv4 and IPv6, and counts who comes."""

    def __init__(self) -> None:
        self.visits = 0
        self.ports: list[int] = []
        self.hosts: tuple[str, ...] = ("127.0.0.1", "127.0.0.2", "::1")
        self._servers: list[asyncio.Server] = []

    async def start(self) -> None:
        async def visited(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.visits += 1
            writer.close()

        while len(self.ports) < PORTS:
            server = await asyncio.start_server(visited, "0.0.0.0", 0)
            self._servers.append(server)
            port = server.sockets[0].getsockname()[1]
            try:
                self._servers.append(await asyncio.start_server(visited, "::", port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue  # another process has the same number in the other family
                self.hosts = ("127.0.0.1", "127.0.0.2")  # a machine without IPv6
            self.ports.append(port)

    async def hears(self) -> None:
        """Make sure that whoever comes would be noticed, whichever way."""
        before = self.visits
        for port in self.ports:
            for host in self.hosts:
                _, writer = await asyncio.open_connection(host, port)
                writer.close()
        async with asyncio.timeout(5):
            while self.visits < before + len(self.hosts) * PORTS:
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        for server in self._servers:
            server.close()
            await server.wait_closed()


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    found = Canary()
    await found.start()
    yield found
    await found.stop()


async def refused(site: Site, host: str, port: int, **more: Any) -> str:
    body = USER | {"host": host, "port": port, "username": f"u{port}{hash(host)}"} | more
    response = await site.client().post("/api/test-connection", json=body)
    text = await response.get_data(as_text=True)
    assert response.status_code == 502, (host, port, text)
    return text


class TestOff:
    """By default nobody types an address."""

    async def test_no_spelling_sends_a_packet(self, site: Site, canary: Canary) -> None:
        answers = {await refused(site, host, port) for host in SPELLINGS for port in canary.ports}
        assert len(set(SPELLINGS)) >= 60
        assert len(canary.ports) == PORTS
        assert canary.visits == 0
        assert answers == {
            '{"code":"SERVER_UNREACHABLE","error":"This server cannot be reached from here."}\n'
        }
        await canary.hears()


class TestOn:
    """Addresses of one network and all the canary's ports are allowed; loopback is not in it."""

    @pytest.fixture
    def changes(self, canary: Canary) -> dict[str, Any]:
        return {
            "allow_free_host": True,
            "free_host_networks": ("192.0.2.0/24",),
            "free_host_ports": (*canary.ports, 52773),
            "connect_timeout_seconds": 0.02,
            "login_attempts_overall": 100_000,
        }

    async def test_no_spelling_sends_a_packet(self, site: Site, canary: Canary) -> None:
        answers = {await refused(site, host, port) for host in SPELLINGS for port in (*canary.ports, 80)}
        assert canary.visits == 0
        assert len(answers) == 1
        await canary.hears()


class TestLoopbackAllowed:
    """An administrator who allows loopback on the port of the embedded IRIS, and two others."""

    @pytest.fixture
    def closed(self) -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    @pytest.fixture
    def changes(self, iris: Any, canary: Canary, closed: int) -> dict[str, Any]:
        return {
            "servers": {},
            "allow_free_host": True,
            "free_host_networks": ("127.0.0.0/8",),
            "free_host_ports": (iris.port, canary.ports[0], closed),
            "connect_timeout_seconds": 1.0,
        }

    async def test_true_iris_lets_people_in(self, site: Site) -> None:
        client = site.client()
        body = USER | {"host": "127.0.0.1", "port": site.iris.port}
        response = await client.post("/api/connect", json=body)
        assert response.status_code == 200, await response.get_data(as_text=True)
        (session,) = await site.store.list()
        assert session.server == f"127.0.0.1:{site.iris.port}"
        assert session.target.pinned_address == "127.0.0.1"
        assert (await client.get("/")).status_code == 200

    async def test_address_may_be_typed_into_the_form(self, site: Site) -> None:
        for text in (f"127.0.0.1:{site.iris.port}", f"http://127.0.0.1:{site.iris.port}/"):
            response = await post_login(site.client(), server=text)
            assert response.status_code == 303, await response.get_data(as_text=True)

    async def test_spellings_of_an_address_have_their_tries_in_common(self, site: Site) -> None:
        """Whoever guesses alice's password has five tries, however the way to IRIS is written."""
        places = [
            ("127.0.0.1", ""),
            ("127.0.0.2", ""),
            ("127.0.0.3", "x"),
            ("::ffff:127.0.0.1", "y"),
            ("h", ""),
        ]
        for host, prefix in places:
            body = USER | {"host": host, "port": site.iris.port, "pathPrefix": prefix, "password": "wrong"}
            answer = await site.client().post("/api/connect", json=body)
            assert answer.status_code in {401, 502}, await answer.get_data(as_text=True)
        body = USER | {"host": "127.0.0.9", "port": site.iris.port}
        assert (await site.client().post("/api/connect", json=body)).status_code == 429

    async def test_true_iris_may_refuse_a_password(self, site: Site) -> None:
        body = USER | {"host": "127.0.0.1", "port": site.iris.port, "password": "wrong"}
        response = await site.client().post("/api/connect", json=body)
        assert response.status_code == 401

    async def test_closed_ports_and_others_take_the_same_time_and_text(
        self, site: Site, canary: Canary, closed: int
    ) -> None:
        times, answers = [], set()
        for port in (closed, canary.ports[0]):
            started = time.monotonic()
            answers.add(await refused(site, "127.0.0.1", port))
            times.append(time.monotonic() - started)
        assert len(answers) == 1
        assert abs(times[0] - times[1]) < 0.5
        assert min(times) >= 0.95


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("demo", "demo"),
        ("Iris-1:52773", Address("iris-1", 52773)),
        ("https://iris.example:443/prod/", Address("iris.example", 443, True, "prod")),
        ("[::1]:52773", Address("::1", 52773)),
        ("user@host:1", "user@host:1"),
        ("ftp://host:1", "ftp://host:1"),
        ("host:99999", "host:99999"),
        ("http://host:1/?x", "http://host:1/?x"),
        ("[", "["),
        ("https://host/", "https://host/"),
    ],
)
def test_how_typed_addresses_are_read(text: str, expected: object) -> None:
    assert typed_address(text) == expected
