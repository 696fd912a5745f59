"""Addresses that people type: 60 spellings, and nothing reaches what is not allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from iris_quart.atelier.address import REFUSED, free_target, judge, one_answer, resolve
from iris_quart.errors import AuthFailed, ConnectionFailed, ServerUnreachable
from tests.atelier.raw import RawServer, answer_all

NETWORKS = ("10.1.0.0/16", "fd00::/8")
PORTS = (52773, 443)


def resolving(*addresses: str) -> tuple[list[tuple[str, int]], object]:
    asked: list[tuple[str, int]] = []

    async def resolver(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return addresses

    return asked, resolver


@pytest.mark.parametrize(
    ("host", "answers", "expected"),
    [
        ("10.1.2.3", (), "10.1.2.3"),
        ("fd00::5", (), "fd00::5"),
        ("[fd00::5]", (), "fd00::5"),
        ("iris.example", ("10.1.0.9",), "10.1.0.9"),
        ("iris-1.example.", ("10.1.0.9", "fd00::1"), "10.1.0.9"),
        ("::ffff:10.1.2.3", (), "::ffff:a01:203"),
    ],
)
async def test_allowed_address(host: str, answers: tuple[str, ...], expected: str) -> None:
    _, resolver = resolving(*answers)
    address = await judge(host, 52773, networks=NETWORKS, ports=PORTS, resolver=resolver)  # type: ignore[arg-type]
    assert str(address) == expected


LOOPBACK_SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0x7F.0x0.0x0.0x1", "017700000001",
    "0177.0.0.1", "127.0.0.1.", "::1", "[::1]", "::ffff:127.0.0.1", "[::ffff:127.0.0.1]", "::ffff:7f00:1",
    "64:ff9b::7f00:1", "fe80::1%eth0", "fd00::1%1", "0", "0.0.0.0", "::", "localhost.0x1", "1.2.3.4.5",
]  # fmt: skip
GLUED = [
    "", " ", ".", "..", "a..b", "-a", "a-", "a_b", "a b", "10.1.2.3@evil", "evil/#10.1.2.3", "10.1.2.3/", "10.1.2.3?x",
    "10.1.2.3#x", "10.1.2.3:80", "user:pw@10.1.2.3", "http://10.1.2.3", "//10.1.2.3", "10.1.2.3\\evil", "10.1.2.3%00",
    "10.1.2.3\x00", "10.1.2.3\r\nHost: x", "ⓛocalhost", "\uff110.1.2.3", "10。1。2。3", "xn--\u00e4", "[10.1.2.3]x",
    "[fd00::5", "fd00::5]", "[]", "a" * 64, ".".join(["a" * 60] * 5), "*", "10.1.2.*", "10.1.2.3,10.1.2.4",
]  # fmt: skip


@pytest.mark.parametrize("host", [*LOOPBACK_SPELLINGS, *GLUED])
@pytest.mark.parametrize("https", [False, True])
async def test_other_spellings_reach_nothing(host: str, https: bool) -> None:
    async def resolver(name: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    with pytest.raises(ServerUnreachable) as caught:
        await free_target(host, 52773, https=https, networks=NETWORKS, ports=PORTS, resolver=resolver)
    assert caught.value.message == REFUSED


@pytest.mark.parametrize("port", [0, 22, 80, 52774, 65535, -1, 70000])
async def test_other_ports_are_not_even_resolved(port: int) -> None:
    asked, resolver = resolving("10.1.0.9")
    with pytest.raises(ServerUnreachable):
        await judge("iris.example", port, networks=NETWORKS, ports=PORTS, resolver=resolver)  # type: ignore[arg-type]
    assert asked == []


@pytest.mark.parametrize(
    "answers",
    [
        (),
        ("127.0.0.1",),
        ("10.1.0.9", "169.254.169.254"),
        ("10.2.0.1",),
        ("::1",),
        ("::ffff:169.254.169.254",),
        ("x",),
    ],
)
async def test_every_resolved_address_is_judged(answers: tuple[str, ...]) -> None:
    _, resolver = resolving(*answers)
    with pytest.raises(ServerUnreachable):
        await judge("iris.example", 443, networks=NETWORKS, ports=PORTS, resolver=resolver)  # type: ignore[arg-type]


async def test_no_network_allows_nothing() -> None:
    with pytest.raises(ServerUnreachable):
        await judge("10.1.2.3", 443, networks=(), ports=PORTS, resolver=resolve)


async def test_name_is_resolved_once_and_kept_for_host_and_tls() -> None:
    asked, resolver = resolving("10.1.0.9")
    target = await free_target(
        "iris.example",
        443,
        https=True,
        prefix="/dev",
        networks=NETWORKS,
        ports=PORTS,
        resolver=resolver,  # type: ignore[arg-type]
    )
    assert asked == [("iris.example", 443)]
    assert target.url == "https://iris.example/dev"
    assert target.pinned_address == "10.1.0.9"


async def test_ipv6_literal_in_a_url() -> None:
    target = await free_target("fd00::5", 52773, https=False, networks=NETWORKS, ports=PORTS)
    assert target.url == "http://[fd00::5]:52773"
    assert target.pinned_address == "fd00::5"


@pytest.mark.parametrize("prefix", ["x", "/a/../b", "/..", "/a?b", "/a#b", "/a b", "/a\r\n", "//evil/"])
async def test_prefix_stays_a_path(prefix: str) -> None:
    with pytest.raises(ServerUnreachable):
        await free_target("10.1.2.3", 443, https=False, prefix=prefix, networks=NETWORKS, ports=PORTS)


async def test_slow_resolver_is_given_up() -> None:
    async def resolver(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(ServerUnreachable):
        await judge("a.example", 443, networks=NETWORKS, ports=PORTS, resolver=resolver, seconds=0.05)


async def test_system_resolver_gives_addresses() -> None:
    assert "127.0.0.1" in await resolve("localhost", 80)


async def test_failures_look_the_same_and_take_the_same_time() -> None:
    loop = asyncio.get_running_loop()

    async def fails_at_once() -> None:
        raise ConnectionFailed("refused by 10.1.2.3:80")

    async def hangs() -> None:
        await asyncio.Event().wait()

    async def refuses() -> None:
        raise AuthFailed("IRIS does not accept this user name and password.")

    durations = []
    for attempt in (fails_at_once(), hangs()):
        started = loop.time()
        with pytest.raises(ServerUnreachable) as caught:
            await one_answer(attempt, 0.1)
        durations.append(loop.time() - started)
        assert caught.value.message == REFUSED
        assert caught.value.server_text is None
    assert all(0.09 < duration < 0.5 for duration in durations)
    with pytest.raises(AuthFailed):
        await one_answer(refuses(), 5)


async def test_success_passes_at_once() -> None:
    async with RawServer(answer_all) as server:

        async def attempt() -> int:
            return server.port

        async with asyncio.timeout(1):
            assert await one_answer(attempt(), 5) == server.port
