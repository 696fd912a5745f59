"""Run one statement in a worker thread, so that the event loop never waits for the engine."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from iris_quart.demo.engine.interface import ExecutionHandle

if TYPE_CHECKING:
    from iris_quart.demo.engine.interface import Result
    from iris_quart.demo.engine.namespace import Namespace

    from .encodings import Scalar
    from .settings import DemoOptions
    from .users import User

T = TypeVar("T")
READ = re.compile(
    r"\s*+(?>/\*.*?\*/\s*|--[^\n]*\n\s*)*+(?:\(\s*+)*+(?:SELECT|WITH|EXPLAIN|CALL)\b",
    re.IGNORECASE | re.DOTALL,
)


class ClientGoneError(Exception):
    """The client of a read went away, and the read was stopped."""


@dataclass(frozen=True)
class Statement:
    """One statement as the API receives it."""

    sql: str
    parameters: Sequence[Scalar]
    max_rows: int | None
    user: User

    @property
    def reads(self) -> bool:
        """Return whether the statement only reads, so that nothing is lost when it is stopped."""
        return READ.match(self.sql) is not None


def execute(
    namespace: Namespace, statement: Statement, options: DemoOptions, handle: ExecutionHandle
) -> Result:
    """Run a statement; blocking; raises SqlError."""
    return namespace.execute(
        statement.sql,
        statement.parameters,
        max_rows=statement.max_rows,
        user=statement.user.name,
        grants=statement.user.grants if options.check_grants else None,
        select_mode=options.encoding.dates,
        handle=handle,
    )


async def run(
    executor: Executor,
    work: Callable[[ExecutionHandle], T],
    gone: Callable[[], Awaitable[object]],
    *,
    interruptible: bool,
) -> T:
    """Run `work` in the executor; raise ClientGoneError when it may be interrupted and `gone` comes first.

    What may not be interrupted runs to its end although nobody waits for it, as a process of IRIS outlives its client.
    """
    handle = ExecutionHandle()
    future: asyncio.Future[T] = asyncio.get_running_loop().run_in_executor(executor, work, handle)
    if not interruptible:
        return await asyncio.shield(future)
    watch: asyncio.Future[object] = asyncio.ensure_future(gone())
    try:
        await asyncio.wait((future, watch), return_when=asyncio.FIRST_COMPLETED)
        if future.done():
            return future.result()
        handle.interrupt()
        await asyncio.wait((future,))
        if not future.cancelled():
            future.exception()
        raise ClientGoneError
    finally:
        watch.cancel()


__all__ = ["READ", "ClientGoneError", "Statement", "T", "execute", "run"]
