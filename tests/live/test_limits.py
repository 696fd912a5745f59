"""Token buckets and counts of sockets."""

from __future__ import annotations

from pathlib import Path

import pytest

from iris_quart.config import Settings
from iris_quart.live.limits import SocketLimits, TokenBucket, TooManySockets

from .conftest import Start


def test_bucket_lets_a_burst_through_and_then_the_rate() -> None:
    now = 0.0
    bucket = TokenBucket(rate=2, burst=3, clock=lambda: now)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    now = 100.0
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_sockets_are_counted_by_session_and_address(tmp_path: Path) -> None:
    limits = SocketLimits(Settings(instance=tmp_path, sockets_per_session=2, sockets_per_address=3))
    with limits.counted("a", "1"), limits.counted("a", "2"):
        with pytest.raises(TooManySockets, match="session"), limits.counted("a", "1"):
            pass
        # A third address's socket is no concern of the first's.
        with limits.counted("b", "1"), limits.counted("c", "1"), limits.counted("e", "3"):
            refused = pytest.raises(TooManySockets, match="address")
            with refused, limits.counted("d", "1"):
                pass
    with limits.counted("a", "1"), limits.counted("a", "1"):
        pass
    # A customer has a whole network of IPv6 addresses.
    nets = [f"2001:db8::{number}" for number in range(3)]
    with limits.counted("a", nets[0]), limits.counted("b", nets[1]), limits.counted("c", nets[2]):
        with pytest.raises(TooManySockets, match="address"), limits.counted("d", "2001:db8::9"):
            pass
        with limits.counted("d", "2001:db8:0:1::9"):
            pass


def test_bytes_are_counted_by_session_and_outlive_its_sockets(tmp_path: Path) -> None:
    limits = SocketLimits(
        Settings(
            instance=tmp_path,
            message_bytes_max=1024,
            message_bytes_burst=4096,
            message_bytes_per_second=0.001,
        )
    )
    with limits.counted("a", "1") as first, limits.counted("a", "1") as second:
        assert [first.take(1500), second.take(1500), first.take(1500), second.take(1000)] == [
            True,
            True,
            False,
            True,
        ]
    with limits.counted("a", "1") as again, limits.counted("b", "1") as other:
        assert not again.take(1500)
        assert other.take(4096)


def test_settings_let_the_largest_message_through(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="message_bytes_burst"):
        Settings(instance=tmp_path, message_bytes_max=1024 * 1024, message_bytes_burst=1024 * 1024 - 1)


async def test_a_session_that_sends_too_many_bytes_is_closed(start: Start) -> None:
    server = start(message_bytes_max=65536, message_bytes_burst=200_000, message_bytes_per_second=1)
    large = {"filters": [{"column": "x" * 100, "value": "y"}] * 400}
    async with server.person() as person, person.socket() as socket, person.socket() as second:
        for _ in range(3):
            await socket.send("requestData", large)
        await second.send("requestData", large)
        await second.send("requestData", large)
        await second.closed(1008)
