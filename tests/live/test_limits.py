"""Token buckets and counts of sockets."""

from __future__ import annotations

from pathlib import Path

import pytest

from iris_quart.config import Settings
from iris_quart.live.limits import SocketLimits, TokenBucket, TooManySockets


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
