"""Writes run once: claimed by their id, sent, proved, stored, audited and told to others."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import msgspec

from iris_quart.dispatch import AuditEntry, Context, TableChange, WriteRecord
from iris_quart.errors import (
    AuthExpired,
    ConnectionFailed,
    ConnectionTimeout,
    InvalidInput,
    IrisQuartError,
    OutcomeUnknown,
    ServerUnreachable,
    StoreUnavailable,
)
from iris_quart.protocol import encode_json
from iris_quart.sql.pages import row_id_parameter
from iris_quart.sql.values import NUMBER_TEXT
from iris_quart.tables.inserts import InsertMark
from iris_quart.tables.outcomes import Outcome, Result, doubt
from iris_quart.tables.proofs import Sent
from iris_quart.tables.validation import ChangeKind, Plan

from .change_results import ChangeResult, answer_of, failed, row_changes, skipped

__all__ = ["Write", "fingerprint", "run_writes"]

BATCH = 10
"""Changes that are sent before their rows are read again, all with one statement."""
SILENT_MAX = 3
"""Changes in a row that IRIS does not answer before the rest is left staged."""
STOPPED = "This change was not sent: saving was stopped."
CLAIMS_AHEAD = 8
"""Ids that are claimed in the store while IRIS works on changes before them."""


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a command: its id, what it is, and how to plan it.

    Without an id it cannot be asked for again, and nothing is stored.
    """

    write_id: str | None
    content: str
    """`fingerprint` of all that it says."""
    make: Callable[[], Awaitable[Plan]]


_STORED = msgspec.json.Decoder(ChangeResult, float_hook=Decimal)
_running: dict[tuple[str, str], asyncio.Future[ChangeResult]] = {}
"""Writes with an id that run in this worker, by owner and id: who asks for one of them waits for it."""


def fingerprint(*parts: Any) -> str:
    """Give a text that differs whenever a write says something else."""
    return hashlib.sha256(encode_json(parts)).hexdigest()


async def run_writes(
    context: Context, writes: Sequence[Write]
) -> AsyncGenerator[tuple[int, ChangeResult], None]:
    """Run writes in order, one at a time, and give each one's place and result as it is known.

    A write whose id is stored already is not run: its stored result is given, and one that nobody saw the end
    of is looked up. When the session ends, or the user stops the command, what was sent is proved and the rest
    is skipped.
    """
    runs = _Runs(context, writes)
    try:
        for place in range(len(writes)):
            async for known in runs.run(place):
                yield known
        async for known in runs.prove():
            yield known
    finally:
        await runs.close()


class _Runs:
    """The writes of one command on their way."""

    def __init__(self, context: Context, writes: Sequence[Write]) -> None:
        self._context = context
        self._edits = context.tables.edits
        self._writes = writes
        self._claims: dict[int, asyncio.Task[WriteRecord | None]] = {}
        self._sent: list[tuple[int, Sent]] = []
        self._promises: dict[int, asyncio.Future[ChangeResult]] = {}
        self._mark: InsertMark | None = None
        self._silent = 0  # changes in a row to which IRIS said nothing

    async def run(self, place: int) -> AsyncIterator[tuple[int, ChangeResult]]:
        """Run one write; what was sent before it is proved first where that is needed."""
        write = self._writes[place]
        stopping = self._context.stopping()
        if stopping or self._context.ended() or self._silent >= SILENT_MAX:
            async for known in self.prove():
                yield known
            answer = skipped(write.write_id, STOPPED) if stopping else skipped(write.write_id)
            if (claim := self._claims.pop(place, None)) is not None:
                with suppress(StoreUnavailable):
                    if await claim is None:
                        await self._store(write, "done", answer)
            yield place, answer
            return
        try:
            record = await self._claim(place)
        except StoreUnavailable as error:
            yield place, failed(write.write_id, error)
            return
        if record is not None:
            yield place, await self._again(write, record)
            return
        self._promise(place)
        try:
            plan = await write.make()
        except AuthExpired:
            await self._store(write, "done", skipped(write.write_id))
            raise
        except IrisQuartError as error:
            self._listen(error)
            yield place, await self._finish(place, None, Result(Outcome.FAILED, error=error))
            return
        if any(_meet(sent.plan, plan) for _, sent in self._sent):
            async for known in self.prove():
                yield known
        self._audit(place, plan, "started", None)
        try:
            sent = await self._edits.send(plan, mark=self._mark)
        except AuthExpired:
            await self._store(write, "done", skipped(write.write_id))
            self._audit(place, plan, "skipped", None)
            raise
        self._listen(sent.result.error if sent.result else None, in_doubt=sent.in_doubt)
        self._sent.append((place, sent))
        if len(self._sent) >= BATCH or plan.kind is ChangeKind.INSERT:
            async for known in self.prove():
                yield known

    async def prove(self) -> AsyncIterator[tuple[int, ChangeResult]]:
        """Prove what was sent, tell it to others, and give the results."""
        batch, self._sent = self._sent, []
        if not batch:
            return
        results = await self._edits.prove([sent for _, sent in batch])
        proved = [(place, sent, result) for (place, sent), result in zip(batch, results, strict=True)]
        for _place, sent, result in proved:
            self._mark = None if sent.mark is None else sent.mark.after(result)
        # Side by side, for the store writes what waits together.
        _, answers = await asyncio.gather(
            self._announce([(sent.plan, result) for _place, sent, result in proved]),
            asyncio.gather(*(self._finish(place, sent, result) for place, sent, result in proved)),
        )
        for (place, _sent), answer in zip(batch, answers, strict=True):
            yield place, answer

    async def close(self) -> None:
        """Let go of what was claimed and not run, and leave what was not proved in doubt."""
        for place, sent in self._sent:
            result = sent.result or doubt(sent.plan)
            state = "unknown" if sent.result is None else "done"
            await self._store(self._writes[place], state, answer_of(self._writes[place].write_id, result))
            self._audit_result(self._writes[place], sent.plan, result)
        for place, task in self._claims.items():
            with suppress(StoreUnavailable, asyncio.CancelledError):
                if await task is None:
                    await self._store(self._writes[place], "done", skipped(self._writes[place].write_id))
        for place, promise in self._promises.items():
            self._forget(place)
            if not promise.done():
                promise.cancel()

    def _listen(self, error: IrisQuartError | None, *, in_doubt: bool = False) -> None:
        """Count how often in a row IRIS said nothing: then the rest would only wait in vain."""
        silent = in_doubt or isinstance(error, ConnectionFailed | ConnectionTimeout | ServerUnreachable)
        self._silent = self._silent + 1 if silent else 0

    # Ids.

    async def _claim(self, place: int) -> WriteRecord | None:
        for ahead in range(place, min(place + CLAIMS_AHEAD, len(self._writes))):
            write = self._writes[ahead]
            if ahead not in self._claims and write.write_id is not None:
                begin = self._context.results.begin(self._context.owner, write.write_id, write.content)
                self._claims[ahead] = asyncio.ensure_future(begin)
        task = self._claims.get(place)
        if task is None:
            return None
        try:
            return await asyncio.shield(task)
        finally:
            if task.done():
                self._claims.pop(place, None)

    async def _again(self, write: Write, record: WriteRecord) -> ChangeResult:
        """Answer a write that was asked for before; nothing is run."""
        if record.fingerprint != write.content:
            return failed(
                write.write_id, InvalidInput("This id was used for another write.", field="changeId")
            )
        assert write.write_id is not None
        if record.state == "done":
            with suppress(msgspec.DecodeError):
                return _STORED.decode(record.answer)
        running = _running.get((self._context.owner, write.write_id))
        if running is not None:
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                if not running.cancelled():
                    raise
        try:
            plan = await write.make()
            sent = self._edits.in_doubt(plan)
            result = await self._edits.look(sent)
        except AuthExpired:
            raise
        except IrisQuartError as error:
            return failed(
                write.write_id, OutcomeUnknown(f"It is not known whether this was saved. {error.message}")
            )
        answer = answer_of(write.write_id, result)
        if result.outcome is Outcome.UNKNOWN:
            self._look_after(write, sent)
        else:
            await self._store(write, "done", answer)
            self._audit_result(write, plan, result)
            await self._announce([(plan, result)])
        return answer

    async def _finish(self, place: int, sent: Sent | None, result: Result) -> ChangeResult:
        write = self._writes[place]
        answer = answer_of(write.write_id, result)
        unknown = result.outcome is Outcome.UNKNOWN
        await self._store(write, "unknown" if unknown else "done", answer)
        if sent is not None:
            self._audit_result(write, sent.plan, result)
        promise = self._promises.pop(place, None)
        if promise is not None:
            promise.set_result(answer)
            self._forget(place)
        if unknown and sent is not None:
            self._look_after(write, sent)
        return answer

    async def _store(self, write: Write, state: str, answer: ChangeResult) -> None:
        if write.write_id is None:
            return
        # The write is made, whatever becomes of its record: then who asks again is answered by a look.
        with suppress(StoreUnavailable):
            await self._context.results.finish(
                self._context.owner, write.write_id, state, encode_json(answer)
            )

    def _promise(self, place: int) -> None:
        write_id = self._writes[place].write_id
        if write_id is not None:
            promise: asyncio.Future[ChangeResult] = asyncio.get_running_loop().create_future()
            self._promises[place] = promise
            _running[self._context.owner, write_id] = promise

    def _forget(self, place: int) -> None:
        write_id = self._writes[place].write_id
        if write_id is not None:
            _running.pop((self._context.owner, write_id), None)

    # What others learn.

    def _look_after(self, write: Write, sent: Sent) -> None:
        """Go on looking at a write in doubt, and store what is found for whoever asks again."""

        async def settle() -> None:
            result = await self._edits.settle(sent)
            unknown = result.outcome is Outcome.UNKNOWN
            await self._store(write, "unknown" if unknown else "done", answer_of(write.write_id, result))
            self._audit_result(write, sent.plan, result)
            await self._announce([(sent.plan, result)])

        self._edits.keep(settle(), key=write.write_id)

    async def _announce(self, proved: Sequence[tuple[Plan, Result]]) -> None:
        table = proved[0][0].table
        told = {table.full_name: [change for item in proved for change in row_changes(*item)]}
        if table.base is not None:
            # Who looks at the table behind a view sees what is there, whatever the view shows of it.
            there = [
                (plan, replace(result, proof=None))
                for plan, result in proved
                if result.outcome in {Outcome.SAVED, Outcome.CONFLICT}
            ]
            told[str(table.base)] = [change for item in there for change in row_changes(*item)]
        for name, changes in told.items():
            if changes:
                await self._context.announce(TableChange(table.namespace, name, changes))

    def _audit(self, place: int, plan: Plan, outcome: str, result: Result | None) -> None:
        _audit(self._context, self._writes[place], plan, outcome, result)

    def _audit_result(self, write: Write, plan: Plan, result: Result) -> None:
        _audit(self._context, write, plan, str(result.outcome), result)


def _meet(sent: Plan, plan: Plan) -> bool:
    """Tell whether a change has to be proved before another one is sent: both may be of one row."""
    return (
        plan.kind is ChangeKind.INSERT
        or sent.row_id == plan.row_id
        or not (_is_as_written(sent) and _is_as_written(plan))
    )


def _is_as_written(plan: Plan) -> bool:
    """Tell whether IRIS would write the row ID so: to it "01" and "1.0" are row 1 as well."""
    row_id = plan.row_id or ""
    return isinstance(row_id_parameter(row_id), int) or not NUMBER_TEXT.match(row_id.strip())


def _audit(context: Context, write: Write, plan: Plan, outcome: str, result: Result | None) -> None:
    error = None if result is None else result.error
    context.audit(
        AuditEntry(
            namespace=plan.table.namespace,
            table_name=plan.table.full_name,
            kind=str(plan.kind),
            row_id=plan.row_id if result is None or result.row_id is None else result.row_id,
            columns=[column.name for column in plan.values],
            outcome=outcome,
            write_id=write.write_id or "",
            sqlcode=None if error is None else error.sqlcode,
            values={
                "old": {column.name: value for column, value in (plan.base or {}).items()},
                "new": {column.name: value for column, value in plan.values.items()},
            },
        )
    )
