"""A bare Quart socket that answers at once: the floor for a command that asks IRIS nothing."""

from __future__ import annotations

from quart import Quart, websocket

app = Quart(__name__)
ANSWER = '{"event":"serverList","payload":{"servers":["demo"]}}'


@app.get("/readyz")
async def ready() -> str:
    """Say that it runs."""
    return ""


@app.websocket("/ws")
async def echo() -> None:
    """Answer every message with the same text."""
    while True:
        await websocket.receive()
        await websocket.send(ANSWER)
