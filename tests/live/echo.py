"""An echo over the same bounds and the same connection as `/ws`; Autobahn's cases talk to it.

python -m tests.live.echo PORT
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, websocket

from iris_quart.config import Settings
from iris_quart.live.connection import Connection
from iris_quart.live.patches.bounds import harden
from iris_quart.live.patches.limits import SocketLimits
from iris_quart.live.patches.wire import WIRE

SIZE = 64 * 1024 * 1024
"""Autobahn's largest message has 16 MiB, and hypercorn counts its limit in characters."""


def make_app(folder: Path) -> Quart:
    """Make the application; binary messages are echoed here, where `/ws` closes with 1003."""
    settings = Settings(instance=folder, slow_reader_seconds=30, close_seconds=2)
    app = Quart("echo", static_folder=None)
    harden(app, SocketLimits(message_length=SIZE, graceful_seconds=1))

    @app.websocket("/")
    async def echo() -> None:
        peer = websocket._get_current_object()  # type: ignore[attr-defined]
        await peer.accept()
        async with Connection(peer, peer.scope.get(WIRE), settings) as connection:
            while True:
                message = await peer.receive()
                if isinstance(message, bytes):
                    await peer.send(message)
                elif message is None:
                    # An empty binary message arrives as None; `/ws` answers it with 1003.
                    await peer.send(b"")
                else:
                    await connection.send(message.encode())

    return app


def main() -> None:
    """Serve until killed."""
    config = Config()
    config.bind = [f"127.0.0.1:{int(sys.argv[1])}"]
    config.websocket_max_message_size = SIZE
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(serve(make_app(Path(folder)), config))


if __name__ == "__main__":
    main()
