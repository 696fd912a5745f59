"""A few lines that answer as IRIS's API does, to watch the client's manners; no SQL in it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec

from .exchanges import MockExchange

INFO = {
    "version": "IRIS for UNIX (Ubuntu Server LTS for x86-64) 2025.3 (Build 226U) Thu Nov 13 2025 12:35:14 EST",
    "id": "474E12AF-D8F4-4C59-9AFB-B3D316397836",
    "api": 8,
    "features": [{"name": "DEEPSEE", "enabled": True}, {"name": "HEALTHSHARE", "enabled": False}],
    "namespaces": ["%SYS", "USER"],
}


class IrisLike:
    """Counts sessions and what was sent; `before` may hold a statement up or answer it."""

    def __init__(self, user: str = "alice", password: str = "alice", licences: int = 100) -> None:
        self.authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.licences = licences
        self.sessions: set[str] = set()
        self.made = 0
        self.log: list[tuple[str, str, str | None, bool]] = []  # method, path, session, with Basic
        self.statements: list[dict[str, Any]] = []
        self.in_flight: dict[str | None, int] = {}
        self.most_in_flight = 0
        self.before: Callable[[dict[str, Any]], Awaitable[httpx.Response | None]] | None = None

    def exchange(self) -> MockExchange:
        """Return an exchange with this server."""
        return MockExchange(self.handle)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        cookies = dict(
            pair.strip().split("=", 1)
            for pair in request.headers.get("cookie", "").split(";")
            if pair.strip()
        )
        session = cookies.get("CSPSESSIONID-SP-1-UP-api-atelier-")
        authorization = request.headers.get("authorization")
        self.log.append((request.method, request.url.raw_path.decode(), session, authorization is not None))
        headers: list[tuple[str, str]] = []
        if session not in self.sessions:
            if authorization != self.authorization:
                return httpx.Response(401, text="Unauthorized", headers={"WWW-Authenticate": "Basic"})
            if len(self.sessions) >= self.licences:
                return httpx.Response(503, html="<p>Unable to allocate a license</p>")
            self.made += 1
            session = f"{self.made:05}-x"
            self.sessions.add(session)
            headers += [
                ("Set-Cookie", f"CSPSESSIONID-SP-1-UP-api-atelier-={session}; path=/api/atelier/; httponly;"),
                ("Set-Cookie", "CSPWSERVERID=abc; expires=Thu, 01 Jan 2099 00:00:00 GMT; path=/"),
            ]
        if request.url.query == b"CacheLogout=end":
            self.sessions.discard(session)
            return httpx.Response(200, headers=headers)
        if request.method == "GET":
            return self.answer({"content": INFO}, headers)
        self.in_flight[session] = self.in_flight.get(session, 0) + 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight[session])
        try:
            statement = msgspec.json.decode(request.content)
            self.statements.append(statement)
            if self.before is not None:
                response = await self.before(statement)
                if response is not None:
                    return response
            await asyncio.sleep(0)
            return self.answer({"content": [{"n": len(self.statements)}]}, headers)
        finally:
            self.in_flight[session] -= 1

    @staticmethod
    def answer(result: Any, headers: list[tuple[str, str]]) -> httpx.Response:
        """Wrap a result in the envelope."""
        body = msgspec.json.encode({"status": {"errors": [], "summary": ""}, "console": [], "result": result})
        return httpx.Response(
            200, headers=[("Content-Type", "application/json; charset=utf-8"), *headers], content=body
        )
