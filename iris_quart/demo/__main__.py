"""Run the embedded server alone: python -m iris_quart.demo --port 52773 --directory DIR."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from .http.settings import DemoOptions, UnknownEncoding
from .server import DemoServer


def main() -> None:
    """Read the options and serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m iris_quart.demo", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=52773)
    parser.add_argument("--directory", type=Path, required=True, help="where the databases live")
    parser.add_argument("--rows", type=int, default=None, help="rows of the large table, made once")
    parser.add_argument(
        "--licences", type=int, default=25, help="how many sessions may live at once, 0 for any"
    )
    arguments = parser.parse_args()
    try:
        options = DemoOptions(
            directory=arguments.directory, rows=arguments.rows, licences=arguments.licences or None
        )
    except UnknownEncoding as error:
        parser.error(str(error))
    asyncio.run(serve(DemoServer(options, arguments.host, arguments.port)))


async def serve(server: DemoServer) -> None:
    """Serve until SIGINT or SIGTERM."""
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    async with server:
        print(f"Embedded IRIS at {server.url}/api/atelier/ (users: _SYSTEM/SYS, alice/alice)", flush=True)
        await done.wait()


if __name__ == "__main__":
    main()
