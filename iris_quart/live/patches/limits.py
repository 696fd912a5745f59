"""Limits of one application's sockets, kept on each stream, so that applications do not share them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import hypercorn.protocol.ws_stream as streams

from iris_quart.live.limits import TokenBucket

__all__ = ["FRAMES_PER_MESSAGE", "SocketLimits", "limits_of"]

FRAMES_PER_MESSAGE = 10
"""Frames that a socket may send for each message that it may send."""


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """Limits of one application's sockets."""

    message_length: int = 16 * 1024 * 1024
    """Characters of a text message, or bytes of another, beyond which it is refused with 1009."""
    graceful_seconds: float = 0.0
    """Least time that open sockets have when Hypercorn stops."""
    messages_per_second: float = math.inf
    messages_burst: int = 2**31
    """Messages that a socket may send, and `FRAMES_PER_MESSAGE` times as many frames; beyond: close code 1008."""
    slow_reader_seconds: float = math.inf
    """Time for which the peer of an HTTP response may read nothing of it."""
    fast_path: bool = True
    """Whether text messages bypass the queues of Hypercorn and Quart."""

    def attach(self, stream: streams.WSStream) -> None:
        """Apply the limits to one stream, before its handshake is accepted."""
        stream.iris_quart_limits = self  # type: ignore[attr-defined]
        stream.iris_quart_frames = self.frames()  # type: ignore[attr-defined]
        stream.buffer.max_length = min(stream.buffer.max_length, self.message_length)
        # worker_serve reads this value when it stops, so it can still be raised here.
        stream.config.graceful_timeout = max(stream.config.graceful_timeout, self.graceful_seconds)

    def frames(self) -> TokenBucket:
        """Return the frames that a new socket may send."""
        return TokenBucket(
            FRAMES_PER_MESSAGE * self.messages_per_second, FRAMES_PER_MESSAGE * self.messages_burst
        )


UNLIMITED = SocketLimits()
"""For streams of other applications in the same process."""


def limits_of(stream: object) -> SocketLimits:
    """Return the limits of the application that serves a stream."""
    found: SocketLimits = getattr(stream, "iris_quart_limits", UNLIMITED)
    return found
