"""A worker process that can be killed: commands come in as lines of JSON, events go out so."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

import msgspec

from iris_quart.errors import IrisQuartError
from iris_quart.protocol import encode_json
from iris_quart.tables import edits as edits_module
from tests.faults.stage import Client, Office, open_office


async def serve(office: Office, doubt_seconds: float, request_seconds: float) -> None:
    """Run commands until stdin ends, each line as a task of its own."""
    clients: dict[str, Client] = {}
    opening = asyncio.Lock()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks: set[asyncio.Task[None]] = set()

    async def client_of(socket: str, user: str) -> Client:
        async with opening:
            if socket not in clients:
                client = await office.client(user, request_seconds=request_seconds)
                client.context.tables.edits._doubt_seconds = doubt_seconds
                clients[socket] = client
            return clients[socket]

    async def run(order: dict[str, Any]) -> None:
        try:
            client = await client_of(order["socket"], order["user"])
            async for event in client.stream("saveChanges", order["payload"]):
                say({"order": order["order"], "event": event})
        except IrisQuartError as error:
            say({"order": order["order"], "error": str(error.code), "message": error.message})

    while line := await reader.readline():
        task = asyncio.create_task(run(msgspec.json.decode(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


def say(message: dict[str, Any]) -> None:
    """Write one line at once."""
    sys.stdout.buffer.write(encode_json(message) + b"\n")
    sys.stdout.buffer.flush()


async def main(arguments: argparse.Namespace) -> None:
    """Open the office and serve."""
    async with open_office(arguments.instance, arguments.iris) as office:
        say({"ready": True})
        await serve(office, arguments.doubt_seconds, arguments.request_seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--iris", required=True)
    parser.add_argument("--instance", type=Path, required=True)
    # A statement may wait for its lock as long as the lock time-out says, here 1 s, and be applied then; only after
    # that, and the other delays here, can nothing be called nothing. The product waits for 65 s, IRIS 10 s.
    parser.add_argument("--doubt-seconds", type=float, default=5.0)
    parser.add_argument("--request-seconds", type=float, default=1.0)
    edits_module.SETTLE_SECONDS = (0.0, 0.05, 0.15)
    asyncio.run(main(parser.parse_args()))
