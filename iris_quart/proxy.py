"""Trust `X-Forwarded-*` of as many proxies as the settings name."""

from __future__ import annotations

from typing import Any

from hypercorn.middleware import ProxyFixMiddleware
from quart import Quart

__all__ = ["trust_proxies"]


class _WebsocketScheme:
    """Restore a websocket's own scheme after `X-Forwarded-Proto` was applied.

    With "https" Werkzeug looks for a rule that is not for a websocket, and every socket becomes a 400
    (hypercorn issue 198).
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass one connection on."""
        if scope["type"] == "websocket":
            scheme = scope["scheme"]
            scope = scope | {"scheme": {"http": "ws", "https": "wss"}.get(scheme, scheme)}
        await self._app(scope, receive, send)


def trust_proxies(app: Quart, hops: int) -> None:
    """Read client address, scheme and host from the `hops` nearest proxies; with none, from the connection."""
    if hops:
        fixed: Any = ProxyFixMiddleware(_WebsocketScheme(app.asgi_app), trusted_hops=hops)
        app.asgi_app = fixed  # type: ignore[method-assign]
