"""Refusals over real connections: what was wrong cannot be told by time, and nobody else pays for them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import math
import random
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live.servers import PATIENCE, WebServer

pytestmark = pytest.mark.live

FLOOR = 0.15
TRIES = 60
LANES = 6
TRIES_PER_MINUTE = 2 * TRIES

SECONDS = {"unknown": 0.0, "locked": 0.01, "known": 0.05}
"""How long an IRIS looks at a password before it refuses: hashing it takes a while, if the account is there."""

APPLICATIONS: dict[str, dict[str, Any]] = {
    "unknown user": {"username": "unknown"},
    "wrong password": {"username": "known"},
    "locked account": {"username": "locked"},
    "wrong namespace too": {"username": "known", "namespace": "NOWHERE"},
    "unknown server": {"username": "known", "server": "nowhere"},
    "tried too often": {"username": "tired"},
}


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Refuse every password as IRIS does, some sooner than others."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            token = head.partition(b"Basic ")[2].partition(b"\r\n")[0]
            user = base64.b64decode(token).partition(b":")[0].decode()
            await asyncio.sleep(SECONDS.get(user, 0.0))
            writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
    writer.close()


@pytest.fixture
async def iris_url() -> AsyncIterator[str]:
    """Give the address of something that refuses everybody."""
    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """Run a server that nobody can sign in to."""
    with WebServer(tmp_path_factory.mktemp("instance"), "http://127.0.0.1:9") as server:
        yield server


@dataclass
class Refusals:
    """What was seen of one kind of refusal."""

    seconds: list[float] = field(default_factory=list)
    answers: set[tuple[int, str]] = field(default_factory=set)


async def try_to_sign_in(client: httpx.AsyncClient, kind: str, seen: dict[str, Refusals]) -> None:
    """Be refused once."""
    body = {"server": "demo", "namespace": "USER", "password": "wrong"} | APPLICATIONS[kind]
    started = time.perf_counter()
    answer = await client.post("/api/connect", json=body)
    seen[kind].seconds.append(time.perf_counter() - started)
    seen[kind].answers.add((answer.status_code, answer.text))


async def measure(folder: Path, iris_url: str, floor: float) -> dict[str, Refusals]:
    """Be refused in every way many times, in an order by chance, some at a time."""
    settings: dict[str, Any] = {
        "login_floor_seconds": floor,
        "login_attempts_per_minute": TRIES_PER_MINUTE,
        "login_attempts_per_address": 100_000,
        "login_attempts_overall": 100_000,
    }
    seen = {kind: Refusals() for kind in APPLICATIONS}
    server = WebServer(folder / "instance", iris_url, own=True, **settings)
    await asyncio.to_thread(server.start)
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
            tired = {"server": "demo", "username": "tired", "password": "wrong"}
            await asyncio.gather(
                *(client.post("/api/connect", json=tired) for _ in range(TRIES_PER_MINUTE + 1))
            )
            kinds = [kind for kind in APPLICATIONS for _ in range(TRIES)]
            random.Random(1).shuffle(kinds)
            waiting = iter(kinds)

            async def lane() -> None:
                for kind in waiting:
                    await try_to_sign_in(client, kind, seen)

            await asyncio.gather(*(lane() for _ in range(LANES)))
    finally:
        await asyncio.to_thread(server.stop)
    return seen


def likelihood(one: list[float], other: list[float]) -> float:
    """Give the chance that samples of one distribution differ so much (Kolmogorov and Smirnov, two samples)."""
    ordered = sorted(one + other)
    widest = max(
        abs(sum(value <= x for value in one) / len(one) - sum(value <= x for value in other) / len(other))
        for x in ordered
    )
    size = math.sqrt(len(one) * len(other) / (len(one) + len(other)))
    scaled = (size + 0.12 + 0.11 / size) * widest
    if scaled < 0.2:  # where the series no longer converges
        return 1.0
    series = (math.copysign(math.exp(-2 * (k * scaled) ** 2), k % 2 - 0.5) for k in range(1, 101))
    return min(1.0, 2 * sum(series))


def least_likely(seen: dict[str, Refusals]) -> tuple[float, str, str]:
    """Find the two kinds that differ most."""
    pairs = itertools.combinations(seen, 2)
    return min((likelihood(seen[one].seconds, seen[other].seconds), one, other) for one, other in pairs)


async def test_time_does_not_tell_what_was_wrong(tmp_path: Path, iris_url: str) -> None:
    seen = await measure(tmp_path, iris_url, FLOOR)
    assert all(min(one.seconds) >= FLOOR - 0.01 for one in seen.values())
    # Fifteen pairs: by mere chance one of them looks as different as this once in several thousand runs.
    chance, one, other = least_likely(seen)
    assert chance > 1e-5, (one, other, sorted(seen[one].seconds), sorted(seen[other].seconds))
    same = [seen[kind].answers for kind in ("unknown user", "wrong password", "locked account")]
    assert len(set.union(*same)) == 1
    assert {status for status, _ in seen["tried too often"].answers} == {429}


async def test_without_a_floor_time_tells_everything(tmp_path: Path, iris_url: str) -> None:
    """What shows that the test before this one can see a difference."""
    seen = await measure(tmp_path, iris_url, 0)
    assert likelihood(seen["unknown user"].seconds, seen["wrong password"].seconds) < 1e-9


HANDSHAKE = (
    "Upgrade: websocket\r\nConnection: upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
LATE_BODY = "Content-Type: application/json\r\nContent-Length: {}\r\n"


@pytest.mark.parametrize(
    ("line", "headers", "origin", "status"),
    [
        ("GET /ws", HANDSHAKE, "https://evil.example", 403),
        ("POST /api/ticket", LATE_BODY.format(20), "https://evil.example", 403),
        ("POST /api/connect", LATE_BODY.format(200_000), None, 413),
        ("PUT /api/value/USER/A.B/1/C", LATE_BODY.format(20), None, 401),
        ("POST /nowhere", "Transfer-Encoding: chunked\r\n", None, 404),
    ],
)
async def test_a_refusal_that_ends_the_connection_says_so(
    refusing: WebServer, line: str, headers: str, origin: str | None, status: int
) -> None:
    """A proxy that is not told gives the next request, anybody's, to a connection that is being closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", refusing.port)
    asked_from = f"Origin: {origin}\r\n" if origin else ""
    writer.write(f"{line} HTTP/1.1\r\nHost: 127.0.0.1:{refusing.port}\r\n{headers}{asked_from}\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        head, _, _ = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    first, *fields = head.decode().lower().split("\r\n")
    assert first.split()[1] == str(status)
    assert "connection: close" in fields
