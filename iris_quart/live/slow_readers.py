"""Cut off peers that read nothing of what is sent to them."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["cutting_off"]

LOOKS = 8
"""Checks of a peer within its time."""
TCP_INFO_BYTES = 128
ACKNOWLEDGED_AT = 120
"""Where struct tcp_info of Linux holds tcpi_bytes_acked (include/uapi/linux/tcp.h; since Linux 4.1)."""


@contextmanager
def cutting_off(transport: asyncio.WriteTransport, seconds: float) -> Iterator[None]:
    """Abort the connection when its peer takes nothing for `seconds` while the block waits for it.

    The wait then ends with a ConnectionError. A peer that reads slowly but steadily is left alone.
    """
    if seconds == math.inf:
        yield
        return
    watch = _Watch(transport, seconds)
    try:
        yield
    finally:
        watch.stop()


class _Watch:
    """Looks at one connection from time to time."""

    __slots__ = ("_loop", "_quiet_since", "_seconds", "_taken", "_timer", "_transport")

    def __init__(self, transport: asyncio.WriteTransport, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._seconds = seconds
        self._taken: tuple[int, int] | None = None
        self._quiet_since = self._loop.time()
        self._timer = self._loop.call_later(seconds / LOOKS, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def _look(self) -> None:
        now, taken = self._loop.time(), _taken(self._transport)
        if taken != self._taken:
            self._taken, self._quiet_since = taken, now
        elif now - self._quiet_since >= self._seconds:
            self._transport.abort()
            return
        self._timer = self._loop.call_later(self._seconds / LOOKS, self._look)


def _taken(transport: asyncio.WriteTransport) -> tuple[int, int]:
    """Return numbers that change whenever the peer has taken something.

    The kernel's buffer has megabytes, and its count of acknowledged bytes moves long before it has room for more.
    """
    return transport.get_write_buffer_size(), _acknowledged(transport)


def _acknowledged(transport: asyncio.WriteTransport) -> int:
    connection = transport.get_extra_info("socket")
    if connection is None or connection.family not in {socket.AF_INET, socket.AF_INET6}:
        return 0
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
        return int(struct.unpack_from("@Q", info, ACKNOWLEDGED_AT)[0])
    except (AttributeError, OSError, struct.error):
        return 0
