"""The client of one user at one IRIS server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from iris_quart.errors import InvalidResponse
from iris_quart.protocol import encode_json
from iris_quart.sql.server_format import PROBE_SQL, ServerFormat

from .probe import Probes
from .replies import Reply
from .session_pool import IrisSessions
from .target import Credentials, Limits, Target
from .transport import ConnectionTransport, Exchange
from .urls import Urls

__all__ = ["AtelierClient", "Parameter", "ServerInfo"]

Parameter = str | int | float | Decimal

RELEASE = re.compile(r"\)\s+(\d{4})\.(\d+)")
CLOSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Answer of `GET /api/atelier/` (class reference of %Api.Atelier)."""

    version: str
    release: tuple[int, int]
    """Year and minor of the release; (0, 0) when the version text does not tell."""
    api: int
    namespaces: tuple[str, ...]


class AtelierClient:
    """Send statements to one IRIS server as one user.

    Usage::

        client = AtelierClient(Target("http://host:52773"), Credentials(name, password), limits=Limits())
        reply = await client.query("USER", "SELECT Name FROM Sample.Person WHERE %ID = ?", [1])
        reply.rows                 # [{"Name": "…"}]
        await client.close()       # signs out at IRIS, which gives the licences back

    `signed_in` says that IRIS has accepted these credentials before, so that a refusal is AuthExpired from
    the start. `make_exchange` makes the connection of each IRIS session. `licence_freed` waits for licences that
    are being given back, and returns whether there were any. Clients that share `probes` ask a server once.
    """

    def __init__(
        self,
        target: Target,
        credentials: Credentials,
        *,
        limits: Limits,
        make_exchange: Callable[[], Exchange] | None = None,
        signed_in: bool = False,
        licence_freed: Callable[[], Awaitable[bool]] | None = None,
        probes: Probes | None = None,
    ) -> None:
        self.target = target
        self.username = credentials.username
        self._limits = limits
        self._probes = probes or Probes()
        self._urls = Urls(target.url)
        self._sessions = IrisSessions(
            self._urls,
            credentials,
            limits,
            make_exchange or partial(_make_transport, target, limits),
            proved=signed_in,
            licence_freed=licence_freed,
        )

    @property
    def round_trips(self) -> int:
        """Requests sent so far."""
        return self._sessions.round_trips

    @property
    def pipelined(self) -> bool | None:
        """Whether the server takes a read behind a statement; None as long as it is not known."""
        return self._sessions.pipelining.works

    async def learn_pipelining(self, namespace: str) -> None:
        """Find out whether the server takes a read behind a statement. Raises what `query` raises."""
        await self._sessions.learn_pipelining(self._urls.query(namespace))

    @property
    def open_sessions(self) -> int:
        """IRIS sessions that hold a licence now."""
        return self._sessions.open_sessions

    async def server_info(self, *, timeout: float | None = None) -> ServerInfo:
        """Ask who is there; the first success proves the credentials.

        Raises AuthFailed, AccessDenied, ServerUnreachable, ConnectionTimeout, ConnectionFailed,
        LicenseLimit or InvalidResponse.
        """
        reply = await self._sessions.request("GET", self._urls.root, seconds=timeout)
        return _server_info(reply.content())

    async def query(
        self,
        namespace: str,
        sql: str,
        parameters: Sequence[Parameter] = (),
        *,
        write: bool = False,
        background: bool = False,
        timeout: float | None = None,
        following: tuple[str, Sequence[Parameter]] | None = None,
    ) -> Reply:
        """Run one statement in a namespace.

        `following` is a SELECT, with its parameters, that is sent behind the statement on the same connection
        without waiting, where the server takes that; `Reply.following` is its answer, or None.

        A read whose connection breaks is repeated once; a write never, but on a 401, which precedes
        execution. `background` reads never take the last free IRIS session. `timeout` is in seconds, the
        settings' by default. Numbers keep all their digits in both directions.

        Raises the errors below errors.UpstreamError (`maybe_executed` tells whether a write may have been
        applied) and those that atelier.sqlerrors makes of an SQLCODE.
        """
        url = self._urls.query(namespace)
        behind = _statement(*following) if following is not None and self._sessions.pipelined else None
        reply = await self._sessions.request(
            "POST",
            url,
            _statement(sql, parameters),
            write=write,
            background=background,
            seconds=timeout,
            following=behind,
        )
        if following is not None and behind is None:
            self._sessions.try_pipelining(url)
        return reply

    async def encoding(self, namespace: str) -> ServerFormat:
        """Return the format of this server's values; probed once per server and user.

        Raises what `query` raises.
        """
        return await self._probes.get(
            self.target.url, self.username, lambda: self.query(namespace, PROBE_SQL)
        )

    async def close(self) -> None:
        """Sign out at IRIS and close the connections, within a few seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._sessions.close()


def _make_transport(target: Target, limits: Limits) -> ConnectionTransport:
    return ConnectionTransport(
        address=target.pinned_address,
        ssl_context=target.ssl_context(),
        connect_seconds=limits.connect_seconds,
        body_bytes_max=limits.body_bytes,
    )


def _statement(sql: str, parameters: Sequence[Parameter]) -> bytes:
    return encode_json({"query": sql, "parameters": list(parameters)})


def _server_info(content: Any) -> ServerInfo:
    if not isinstance(content, dict):
        raise InvalidResponse("The server answered, but not as IRIS does.")
    # The version is only shown; a gateway may leave it out.
    version, api, namespaces = content.get("version", ""), content.get("api"), content.get("namespaces")
    if not isinstance(version, str) or not isinstance(api, int) or not isinstance(namespaces, list):
        raise InvalidResponse("The server answered, but not as IRIS does.")
    found = RELEASE.search(version)
    return ServerInfo(
        version=version[:200],
        release=(int(found[1]), int(found[2])) if found else (0, 0),
        api=api,
        namespaces=tuple(name for name in namespaces if isinstance(name, str)),
    )
