"""Health routes for load balancers and administrators; public, with little detail."""

from __future__ import annotations

import time

from quart import Blueprint, Response, jsonify

from iris_quart.errors import StoreUnavailable
from iris_quart.services import services

__all__ = ["blueprint"]

blueprint = Blueprint("health", __name__)

STARTED = time.monotonic()


@blueprint.get("/livez")
async def livez() -> Response:
    """Return 200 while the event loop runs."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
async def readyz() -> Response:
    """Return whether new people may be sent here: the store answers and nobody stops the server."""
    if services().draining:
        return _not_ready("draining")
    if not await services().store.healthy():
        return _not_ready("store")
    return jsonify({"status": "ok"})


@blueprint.get("/health")
async def health() -> Response:
    """Answer in the ancestor's shape: uptime in seconds, and how many sessions there are."""
    try:
        connections = await services().store.count()
    except StoreUnavailable:
        return _not_ready("store")
    uptime = int(time.monotonic() - STARTED)
    return jsonify({"status": "ok", "uptime": uptime, "connections": connections})


def _not_ready(reason: str) -> Response:
    response = jsonify({"status": "unavailable", "reason": reason})
    response.status_code = 503
    return response
