"""A worker process of the campaign: the real application, with a mark on what it writes and a faster clock."""

from __future__ import annotations

import argparse
import contextvars
import functools
import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from iris_quart.app import create_app
from iris_quart.atelier import AtelierClient
from iris_quart.commands.change_results import ChangeResult
from iris_quart.commands.claims import Claims, Write
from iris_quart.commands.edits import ChangeItem
from iris_quart.config import Settings, load_settings
from iris_quart.live import expiry
from iris_quart.protocol import encode_json
from iris_quart.serve import run_on_loop, serve_app
from iris_quart.tables import edits as edits_module
from iris_quart.tables import new_rows
from iris_quart.tables.edits import Edits
from iris_quart.tables.new_rows import SEEN_SECONDS, SLOW_SECONDS
from iris_quart.tables.outcomes import Result
from iris_quart.tables.proofs import Proofs, Sent
from iris_quart.tables.validation import Change
from tests.faults.history import marked

LOCK_SECONDS, REQUEST_SECONDS, DOUBT_SECONDS = 10.0, 30.0, 65.0
"""The product's own times: IRIS's lock time-out, the request time-out, and the time after which nothing more comes."""

_cause: contextvars.ContextVar[str | None] = contextvars.ContextVar("cause", default=None)


def cause_of(change: dict[str, Any]) -> str:
    """Return the name of an edit: its id, and what it says, for an id may be used for something else as well."""
    row_id = change.get("rowId")
    said = [
        str(change["kind"]),
        None if row_id is None else str(row_id),
        {name: _plain(value) for name, value in sorted((change.get("values") or {}).items())},
        None
        if change.get("base") is None
        else {name: _plain(value) for name, value in sorted(change["base"].items())},
    ]
    return f"{change['changeId']}.{hashlib.sha256(encode_json(said)).hexdigest()[:10]}"


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)


@contextmanager
def marked_writes() -> Iterator[None]:
    """Append to each statement that writes the name of the edit that it is sent for.

    An edit is planned and sent by one task, so that a context variable carries its name.
    """
    change, query = ChangeItem.change, AtelierClient.query

    def named(item: ChangeItem) -> Change:
        said = {
            "changeId": item.change_id,
            "kind": item.kind,
            "rowId": item.row_id,
            "values": item.values,
            "base": item.base,
        }
        _cause.set(cause_of(said))
        return change(item)

    @functools.wraps(query)
    async def marking(
        client: AtelierClient, namespace: str, sql: str, parameters: Sequence[Any] = (), **options: Any
    ) -> Any:
        cause = _cause.get()
        if options.get("write") and cause is not None:
            sql = marked(sql, cause)
        return await query(client, namespace, sql, parameters, **options)

    with patch.object(ChangeItem, "change", named), patch.object(AtelierClient, "query", marking):
        yield


@contextmanager
def recorded_reads() -> Iterator[dict[str, float]]:
    """Yield a table of when the row of each write was last read for the answer that is stored under its id.

    An answer that is fetched later is true of that moment.
    """
    times: dict[str, float] = {}
    read: contextvars.ContextVar[float] = contextvars.ContextVar("read")
    look, store = Proofs.look, Claims.store

    @functools.wraps(look)
    async def looking(proofs: Proofs, sent: Sequence[Sent]) -> list[Result | None]:
        read.set(time.time())
        return await look(proofs, sent)

    @functools.wraps(store)
    async def storing(claims: Claims, write: Write, state: str, answer: ChangeResult) -> None:
        if write.write_id is not None:
            times[write.write_id] = read.get()
        await store(claims, write, state, answer)

    with patch.object(Proofs, "look", looking), patch.object(Claims, "store", storing):
        yield times


@contextmanager
def scaled_clock(scale: float) -> Iterator[None]:
    """Shorten what the product waits for by one factor: doubt time, pauses, last proofs."""
    made = Edits.__init__
    pauses = tuple(seconds * scale for seconds in edits_module.SETTLE_SECONDS)

    @functools.wraps(made)
    def make(edits: Edits, *arguments: Any, **options: Any) -> None:
        made(edits, *arguments, **options)
        edits._doubt_seconds = DOUBT_SECONDS * scale

    doubt_time = property(lambda _settings: DOUBT_SECONDS * scale)
    with (
        patch.object(Settings, "doubt_time", doubt_time, create=True),
        patch.object(Edits, "__init__", make),
        patch.object(edits_module, "SETTLE_SECONDS", pauses),
        patch.object(edits_module, "SLOW_SECONDS", SLOW_SECONDS * scale),
        # Not by the factor: what other workers announce is polled for at an unscaled pace.
        patch.object(new_rows, "SEEN_SECONDS", SEEN_SECONDS / 3),
        patch.object(expiry, "WRITE_SECONDS", expiry.WRITE_SECONDS * scale),
    ):
        yield


def main() -> int:
    """Serve one worker, configured by the environment."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bind", required=True)
    parser.add_argument("--scale", type=float, required=True)
    options = parser.parse_args()
    settings = load_settings()

    async def serve() -> int:
        await serve_app(create_app(settings), settings, [options.bind])
        return 0

    with marked_writes(), scaled_clock(options.scale):
        return run_on_loop(serve)


if __name__ == "__main__":
    raise SystemExit(main())
