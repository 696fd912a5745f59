"""An exchange that a test answers through httpx's MockTransport."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import httpx

from iris_quart.atelier.http_response import Headers

__all__ = ["MockExchange"]


class MockExchange:
    """Passes requests to a function, as httpx's objects, and keeps the deadline."""

    def __init__(self, handle: Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]) -> None:
        self._transport = httpx.MockTransport(handle)

    async def exchange(
        self,
        method: str,
        url: httpx.URL,
        headers: Headers,
        body: bytes | None,
        *,
        deadline: float | None = None,
        fresh_after: float | None = None,
    ) -> tuple[int, Headers, bytes]:
        """Send one request; the function reads `fresh_after` in the request's extensions."""
        extensions = {"deadline": deadline, "fresh_after": fresh_after}
        request = httpx.Request(method, url, headers=headers, content=body, extensions=extensions)
        try:
            async with asyncio.timeout(deadline):
                response = await self._transport.handle_async_request(request)
                content = await response.aread()
        except TimeoutError as error:
            raise httpx.ReadTimeout("no answer in time") from error
        return response.status_code, [(name.lower(), value) for name, value in response.headers.raw], content

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()
