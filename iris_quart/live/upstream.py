"""The IRIS side of each session, once per worker: made on first use, given back when the session ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from iris_quart.atelier import AtelierClient, Credentials, Limits, Probes
from iris_quart.config import Settings
from iris_quart.sessions import Session

if TYPE_CHECKING:
    from iris_quart.tables import Tables

__all__ = ["MakeTables", "Upstream"]

MakeTables = Callable[[AtelierClient, Session], "Tables"]


class Upstream:
    """Clients and table services of the sessions that this worker has served."""

    def __init__(self, settings: Settings, make_tables: MakeTables) -> None:
        self._limits = Limits.of(settings)
        self._probes = Probes()
        self._make_tables = make_tables
        self._open: dict[str, tuple[AtelierClient, Tables]] = {}
        self._past_round_trips = 0
        self._leaving: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Count the sessions that have a client here."""
        return len(self._open)

    @property
    def round_trips(self) -> int:
        """Requests sent to IRIS since the start."""
        return self._past_round_trips + sum(client.round_trips for client, _ in self._open.values())

    @property
    def iris_sessions(self) -> int:
        """IRIS sessions, and so perhaps licences, that this worker holds now."""
        return sum(client.open_sessions for client, _ in self._open.values())

    def tables_for(self, session: Session, credentials: Credentials) -> Tables:
        """Return the session's table services."""
        if found := self._open.get(session.key):
            return found[1]
        client = AtelierClient(
            session.target,
            credentials,
            limits=self._limits,
            signed_in=True,
            licence_freed=self._left,
            probes=self._probes,
        )
        tables = self._make_tables(client, session)
        self._open[session.key] = (client, tables)
        return tables

    async def release(self, key: str) -> None:
        """Sign out at IRIS and forget the credentials of a session; a session that is not here is ignored."""
        if found := self._open.pop(key, None):
            client, tables = found
            self._past_round_trips += client.round_trips
            try:
                await tables.close()
            finally:
                # Whatever became of the rest, licences go back and the credentials are let go.
                await client.close()

    def give_back(self, client: AtelierClient) -> None:
        """Sign a client that belongs to no session out at IRIS, in the background; `close` waits for it."""
        task = asyncio.get_running_loop().create_task(client.close())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _left(self) -> bool:
        """Wait for the clients that are signing out; False when there are none."""
        if not self._leaving:
            return False
        await asyncio.wait(set(self._leaving))
        return True

    async def close(self, seconds: float) -> None:
        """Release everything within `seconds`."""
        releases: list[asyncio.Future[None]] = [
            asyncio.ensure_future(self.release(key)) for key in list(self._open)
        ]
        releases += self._leaving
        if releases:
            _, late = await asyncio.wait(releases, timeout=seconds)
            for release in late:
                release.cancel()
            await asyncio.gather(*releases, return_exceptions=True)
