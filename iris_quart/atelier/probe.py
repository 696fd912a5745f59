"""Ask each server once how it writes values."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from iris_quart.errors import InvalidResponse
from iris_quart.sql.server_format import ServerFormat, interpret

from .replies import Reply

__all__ = ["Probes"]

PROBES_MAX = 1024


class Probes:
    """The formats of servers, by URL and user; one for all clients of a worker.

    A failure is not remembered.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], ServerFormat] = OrderedDict()  # oldest first
        self._running: dict[tuple[str, str], asyncio.Task[ServerFormat]] = {}

    async def get(self, url: str, user: str, ask: Callable[[], Awaitable[Reply]]) -> ServerFormat:
        """Return the format of the server's values for this user.

        The first call runs `ask`, which sends PROBE_SQL; calls at the same time wait for it. Raises what `ask` raises,
        and InvalidResponse.
        """
        key = (url, user)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        task = self._running.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._probe(key, ask))
            self._running[key] = task
            task.add_done_callback(lambda done: self._ended(key, done))
        # The caller may be cancelled; the others that wait for the same answer are not.
        return await asyncio.shield(task)

    async def _probe(self, key: tuple[str, str], ask: Callable[[], Awaitable[Reply]]) -> ServerFormat:
        reply = await ask()
        if len(reply.rows) != 1:
            raise InvalidResponse("IRIS did not answer the probe of its value formats.")
        found = interpret(reply.rows[0])
        self._known[key] = found
        while len(self._known) > PROBES_MAX:
            self._known.popitem(last=False)
        return found

    def _ended(self, key: tuple[str, str], task: asyncio.Task[ServerFormat]) -> None:
        del self._running[key]
        if not task.cancelled():
            task.exception()  # a waiting task has seen it; otherwise the probe is repeated
