"""Run each write once: claim its id, send, prove, store, audit and announce it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from dataclasses import replace
from typing import Any

from iris_quart.context import AuditEntry, Context, TableChange
from iris_quart.dispatch import WriteRecord
from iris_quart.errors import (
    AuthExpired,
    ConnectionFailed,
    ConnectionTimeout,
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

from .change_results import ChangeResult, answer_of, failed, row_changes, skipped, unsure
from .claims import Claims, Withdrawn, Write

__all__ = ["Write", "fingerprint", "run_writes"]

BATCH = 10
"""Changes that are sent before their rows are read again, all with one statement."""
SILENT_MAX = 3
"""Changes in a row that IRIS does not answer before the rest is left staged."""
STOPPED = "This change was not sent: saving was stopped."
RESTARTING = "This change was not sent: the server is restarting. Save it again."
FORGOTTEN = (
    "This change was first sent so long ago that its result is no longer kept. It may have been saved: look at the"
    " row before you save it again."
)


def fingerprint(*parts: Any) -> str:
    """Return a text that differs whenever a write says something else."""
    return hashlib.sha256(encode_json(parts)).hexdigest()


async def run_writes(
    context: Context, writes: Sequence[Write]
) -> AsyncGenerator[tuple[int, ChangeResult], None]:
    """Run writes in order, one at a time, and give each one's place and result as it is known.

    A write whose id another run owns is not run: its result is waited for, or read from the store, and one that
    nobody saw the end of is looked up. When the session or the worker ends, or the user stops the command, what was
    sent is proved, and the rest is skipped: that is stored before it is answered, so that no run sends it later.
    """
    runs = _Runs(context, writes)
    try:
        for place in range(len(writes)):
            if runs.stopping():
                async for known in runs.skip(range(place, len(writes))):
                    yield known
                return
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
        self._claims = Claims(context, writes, self.stopping)
        self._sent: list[tuple[int, Sent]] = []
        self._mark: InsertMark | None = None
        self._silent = 0  # changes in a row to which IRIS said nothing

    def stopping(self) -> bool:
        """Check whether nothing more may be sent."""
        context = self._context
        return context.stopping() or context.ended() or context.draining() or self._silent >= SILENT_MAX

    def _skipped(self, write: Write) -> ChangeResult:
        if self._context.stopping():
            return skipped(write.write_id, STOPPED)
        if self._context.draining() and not self._context.ended():
            return skipped(write.write_id, RESTARTING)
        return skipped(write.write_id)

    async def skip(self, places: Sequence[int]) -> AsyncIterator[tuple[int, ChangeResult]]:
        """Skip writes in every run of them; what another run has sent is answered as that run ends."""
        async for known in self.prove():
            yield known
        stored = [place for place in places if self._writes[place].write_id is not None]
        answers = {place: self._skipped(self._writes[place]) for place in places}
        others: Iterable[int] = ()
        try:
            others = await self._claims.withdraw(stored, self._skipped)
        except StoreUnavailable as error:
            answers |= {place: unsure(self._writes[place].write_id, error) for place in stored}
        for place in places:
            if place not in others:
                yield place, answers[place]
        for place in others:
            yield place, await self._follow_to_the_end(place)

    async def _follow_to_the_end(self, place: int) -> ChangeResult:
        """Answer a write that this run does not send, and that another run may have sent."""
        write = self._writes[place]
        deadline = self._deadline()
        try:
            while place in (found := await self._claims.withdraw([place], self._skipped)):
                joined = await self._claims.join(place, found[place], deadline)
                if isinstance(joined, ChangeResult):
                    return joined
                if joined is not None and not (joined.state in {"claimed", "started"} and joined.alive):
                    return await self._look(write, joined)
            return self._skipped(write)
        except StoreUnavailable as error:
            return unsure(write.write_id, error)

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._context.settings.doubt_time

    async def run(self, place: int) -> AsyncIterator[tuple[int, ChangeResult]]:
        """Run one write; what was sent before it is proved first where that is needed."""
        write = self._writes[place]
        try:
            record = await self._claims.claim(place)
            if record is not None:
                async for known in self.prove():
                    yield known
                joined = await self._claims.join(place, record, self._deadline())
                if isinstance(joined, ChangeResult):
                    yield place, joined
                    return
                if joined is not None and not joined.alive:
                    yield place, await self._look(write, joined)
                    return
                if joined is not None or self.stopping():
                    yield place, await self._follow_to_the_end(place)
                    return
        except StoreUnavailable as error:
            yield place, unsure(write.write_id, error)
            return
        try:
            plan = await write.make()
        except AuthExpired:
            await self._claims.finish(place, "done", skipped(write.write_id))
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
            last = place == len(self._writes) - 1 or len(self._sent) + 1 >= BATCH
            sent = await self._edits.send(
                plan,
                mark=self._mark,
                leave=lambda: self._claims.start(place),
                earlier=[sent for _, sent in self._sent] if last else None,
            )
        except AuthExpired:
            await self._claims.finish(place, "done", skipped(write.write_id))
            self._audit(place, plan, "skipped", None)
            raise
        except Withdrawn:
            self._audit(place, plan, "skipped", None)
            yield place, await self._follow_to_the_end(place)
            return
        except StoreUnavailable as error:
            # Not sent, but that cannot be stored now: the same id may be run by the next request for it.
            self._audit(place, plan, "skipped", None)
            await self._claims.finish(place, "released", skipped(write.write_id))
            yield place, unsure(write.write_id, error)
            return
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
        """Release claims that did not run, and leave unproved changes in doubt."""
        for place, sent in self._sent:
            result = sent.result or doubt(sent.plan)
            state = "unknown" if sent.result is None else "done"
            await self._claims.finish(place, state, answer_of(self._writes[place].write_id, result))
            self._audit_result(self._writes[place], sent.plan, result)
        await self._claims.close(self._skipped)

    def _listen(self, error: IrisQuartError | None, *, in_doubt: bool = False) -> None:
        """Count how often in a row IRIS said nothing: then the rest would only wait in vain."""
        silent = in_doubt or isinstance(error, ConnectionFailed | ConnectionTimeout | ServerUnreachable)
        self._silent = self._silent + 1 if silent else 0

    async def _look(self, write: Write, record: WriteRecord) -> ChangeResult:
        """Look up a write that was perhaps sent, by a run that nobody saw the end of; nothing is run."""
        if record.state == "forgotten":
            return failed(write.write_id, OutcomeUnknown(FORGOTTEN))
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
            await self._claims.store(write, "done", answer)
            self._audit_result(write, plan, result)
            await self._announce([(plan, result)])
        return answer

    async def _finish(self, place: int, sent: Sent | None, result: Result) -> ChangeResult:
        write = self._writes[place]
        answer = answer_of(write.write_id, result)
        unknown = result.outcome is Outcome.UNKNOWN
        await self._claims.finish(place, "unknown" if unknown else "done", answer)
        if sent is not None:
            self._audit_result(write, sent.plan, result)
        if unknown and sent is not None:
            self._look_after(write, sent)
        return answer

    def _look_after(self, write: Write, sent: Sent) -> None:
        """Go on looking at a write in doubt, and store what is found for the next request."""

        async def settle() -> None:
            result = await self._edits.settle(sent)
            unknown = result.outcome is Outcome.UNKNOWN
            await self._claims.store(
                write, "unknown" if unknown else "done", answer_of(write.write_id, result)
            )
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
    """Return whether a change has to be proved before another one is sent: both may be of one row."""
    return (
        plan.kind is ChangeKind.INSERT
        or sent.row_id == plan.row_id
        or not (_is_as_written(sent) and _is_as_written(plan))
    )


def _is_as_written(plan: Plan) -> bool:
    """Return whether IRIS would write the row ID so: to it "01" and "1.0" are row 1 as well."""
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
