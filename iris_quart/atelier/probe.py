"""Ask each server once how it writes values."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

from iris_quart.errors import InvalidResponse
from iris_quart.sql.server_format import PROBE_SQL, ServerFormat, interpret

if TYPE_CHECKING:
    from .client import AtelierClient

__all__ = ["forget_probes", "probe"]

PROBES_MAX = 1024

_known: OrderedDict[tuple[str, str], ServerFormat] = OrderedDict()  # by server URL and user, oldest first
_running: dict[tuple[str, str], asyncio.Task[ServerFormat]] = {}


async def probe(client: AtelierClient, namespace: str) -> ServerFormat:
    """Return the format of the server's values for this user.

    The first call runs one SELECT of constants in `namespace`; calls at the same time wait for it. Raises
    what AtelierClient.query raises; a failure is not remembered.
    """
    key = (client.target.url, client.username)
    known = _known.get(key)
    if known is not None:
        _known.move_to_end(key)
        return known
    task = _running.get(key)
    if task is None or task.get_loop() is not asyncio.get_running_loop():
        task = asyncio.get_running_loop().create_task(_ask(client, namespace, key))
        _running[key] = task
        task.add_done_callback(lambda done: _settle(key, done))
    # The caller may be cancelled; the others that wait for the same answer are not.
    return await asyncio.shield(task)


def forget_probes() -> None:
    """Ask every server again at the next use."""
    _known.clear()


async def _ask(client: AtelierClient, namespace: str, key: tuple[str, str]) -> ServerFormat:
    reply = await client.query(namespace, PROBE_SQL)
    if len(reply.rows) != 1:
        raise InvalidResponse("IRIS did not answer the first question that we ask each server.")
    encoding = interpret(reply.rows[0])
    _known[key] = encoding
    while len(_known) > PROBES_MAX:
        _known.popitem(last=False)
    return encoding


def _settle(key: tuple[str, str], task: asyncio.Task[ServerFormat]) -> None:
    if _running.get(key) is task:
        del _running[key]
    if not task.cancelled():
        task.exception()  # a waiting task has seen it; otherwise the probe is repeated
