"""The ids of one command's writes: one run of all workers owns an id, and only it sends the statement."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from iris_quart.context import Context
from iris_quart.dispatch import Withdrawal, WriteRecord
from iris_quart.errors import InvalidInput, OutcomeUnknown, StoreUnavailable
from iris_quart.protocol import encode_json
from iris_quart.tables.validation import Plan

from .change_results import ChangeResult, failed

__all__ = ["Claims", "Withdrawn", "Write", "made_at"]

CLAIMS_AHEAD = 8
"""Ids that are claimed in the store while IRIS works on changes before them."""
LOOK_SECONDS = (0.02, 0.5)
"""First and longest pause between looks at the record of a write that another worker runs."""
RETRY_SECONDS = 1.0

_STORED = msgspec.json.Decoder(ChangeResult, float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a command: its id, its content, and how to plan it.

    Without an id it cannot be asked for again, and nothing is stored.
    """

    write_id: str | None
    content: str
    """`fingerprint` of all that it says."""
    make: Callable[[], Awaitable[Plan]]
    exact: bool = False
    """Whether "perhaps sent" is not settled by reading, as of a new row: it is stored right before it is sent, for
    the price of one more write to the store."""


class Withdrawn(Exception):
    """Another run has stored that the write is not sent, or has taken it over; nothing was sent here."""


_Promise = asyncio.Future["ChangeResult | None"]
"""The end of a write that a run of this worker owns; None as the result: the store knows more."""


def made_at(write_id: str | None) -> float | None:
    """Read the time that an id carries, in seconds since 1970: that of a UUID of version 7 (RFC 9562 section 5.7)."""
    if write_id is None or len(write_id) != 36:
        return None
    try:
        value = uuid.UUID(write_id)
    except ValueError:
        return None
    return (value.int >> 80) / 1000 if value.variant == uuid.RFC_4122 and value.version == 7 else None


class Claims:
    """The ids of one command's writes."""

    def __init__(self, context: Context, writes: Sequence[Write], stopping: Callable[[], bool]) -> None:
        self._context = context
        self._results = context.results
        self._writes = writes
        self._stopping = stopping
        self._claiming: dict[int, asyncio.Task[WriteRecord | None]] = {}
        self._held: dict[int, _Promise] = {}
        self._left: set[int] = set()  # places whose statement may have been sent

    async def claim(self, place: int) -> WriteRecord | None:
        """Claim the id of a write, and those of some after it: None when this run owns it, else what is stored.

        Raises StoreUnavailable.
        """
        for ahead in range(place, min(place + CLAIMS_AHEAD, len(self._writes))):
            if ahead not in self._claiming and ahead not in self._held and self._writes[ahead].write_id:
                self._claiming[ahead] = asyncio.ensure_future(self._begin(ahead))
        task = self._claiming.get(place)
        if task is None:
            return None
        try:
            return await asyncio.shield(task)
        finally:
            if task.done():
                self._claiming.pop(place, None)

    async def _begin(self, place: int) -> WriteRecord | None:
        write = self._writes[place]
        key = self._key(place)
        made = made_at(write.write_id)
        if self._is_too_old(place):
            # What the store has forgotten may have been saved: it is never run again.
            return await self._results.peek(*key) or WriteRecord("forgotten", write.content, b"")
        record = await self._results.begin(
            *key,
            write.content,
            started=not write.exact,
            since=self._context.arrived or None,
            made=made or 0.0,
        )
        if record is None:
            promise: _Promise = asyncio.get_running_loop().create_future()
            self._held[place] = promise
            self._context.under_way[key] = promise
        return record

    async def start(self, place: int) -> None:
        """Store that the statement is about to be sent. Raises Withdrawn, StoreUnavailable."""
        write = self._writes[place]
        if write.write_id is None:
            return
        if write.exact and not await self._results.mark_started(*self._key(place)):
            self._resolve(place, None)
            raise Withdrawn
        self._left.add(place)

    async def join(
        self, place: int, record: WriteRecord | None, deadline: float
    ) -> ChangeResult | WriteRecord | None:
        """Follow the run that owns an id: its answer; the record when no run is left that will answer.

        None when this run owns the id now; the latest record when nothing more may be sent. Raises StoreUnavailable.
        """
        write = self._writes[place]
        write_id, key = write.write_id, self._key(place)
        assert write_id is not None
        loop = asyncio.get_running_loop()
        pause, waited = LOOK_SECONDS[0], False
        while True:
            if record is None:
                record = await self.claim(place)
                if record is None:
                    return None
            if record.fingerprint != write.content:
                error = InvalidInput("This id was used for another write.", field="changeId")
                return failed(write_id, error)
            if record.state in {"done", "released"}:
                with suppress(msgspec.DecodeError):
                    return _STORED.decode(record.answer)
            if not (record.state in {"claimed", "started"} and record.alive):
                return record
            if waited and self._stopping():
                return record
            if loop.time() > deadline:
                message = (
                    "This change is still being saved by an earlier attempt; ask again with the same id."
                )
                return failed(write_id, OutcomeUnknown(message))
            # Two runs that hold what the other waits for would wait for ever.
            await self.let_go()
            promise: _Promise | None = self._context.under_way.get(key)
            if promise is not None:
                await asyncio.wait({promise}, timeout=LOOK_SECONDS[1])
                if promise.done() and (answer := promise.result()) is not None:
                    return answer
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LOOK_SECONDS[1])
            waited = True
            record = await self._results.peek(*key)
            if record is None and self._stopping():
                return None
            if record is not None and record.state == "claimed" and not (record.alive or self._stopping()):
                record = None

    async def peek(self, place: int) -> WriteRecord | None:
        """Read what is stored under the id of a write. Raises StoreUnavailable."""
        return await self._results.peek(*self._key(place))

    async def withdraw(
        self, places: Sequence[int], answer: Callable[[Write], ChangeResult]
    ) -> dict[int, WriteRecord]:
        """Store that writes are not sent, whichever run has claimed them; gives the records of those that were sent.

        Raises StoreUnavailable.
        """
        await asyncio.gather(*self._claiming.values(), return_exceptions=True)
        self._claiming.clear()
        others: dict[int, WriteRecord] = {}
        for place in [place for place in places if place not in self._held and self._is_too_old(place)]:
            record = await self.peek(place)
            others[place] = record or WriteRecord("forgotten", self._writes[place].content, b"")
        places = [place for place in places if place not in others]
        items = [self._withdrawal(place, answer(self._writes[place])) for place in places]
        released = self._context.draining()
        found = await self._results.withdraw(items, released=released)
        for place, item, record in zip(places, items, found, strict=True):
            if record is not None and place in self._held and record.state == "started":
                # Started by this run, which has not sent it.
                await self._results.finish(
                    item.owner, item.write_id, "released" if released else "done", item.answer
                )
            elif record is not None:
                others[place] = record
            self._resolve(place, None)
        return others

    async def finish(self, place: int, state: str, answer: ChangeResult) -> None:
        """Store how a write ended and tell the runs that wait for it."""
        await self.store(self._writes[place], state, answer)
        self._resolve(place, answer)

    async def store(self, write: Write, state: str, answer: ChangeResult) -> None:
        """Store how a write ended; a store that is away gets it as soon as it is back."""
        if write.write_id is None:
            return
        owner, encoded = self._context.owner_of(write.write_id), encode_json(answer)
        try:
            await self._results.finish(owner, write.write_id, state, encoded)
        except StoreUnavailable:
            work = self._store_later(owner, write.write_id, state, encoded)
            self._context.tables.edits.keep(work, key=f"store {write.write_id}")

    async def _store_later(self, owner: str, write_id: str, state: str, answer: bytes) -> None:
        """Store an end whose storing failed, unless it was stored and only the answer to that was lost.

        Another run may then have claimed the id, or looked up more: its record is not touched.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self._context.settings.write_result_seconds
        while loop.time() < end:
            await asyncio.sleep(RETRY_SECONDS)
            with suppress(StoreUnavailable):
                record = await self._results.peek(owner, write_id)
                ended = record is not None and record.state not in {"claimed", "started"}
                if ended or (owner, write_id) in self._context.under_way:
                    return
                await self._results.finish(owner, write_id, state, answer)
                return

    async def let_go(self) -> None:
        """Forget the claims of writes that were not sent, so that other runs can own them."""
        await asyncio.gather(*self._claiming.values(), return_exceptions=True)
        self._claiming.clear()
        for place in [place for place in self._held if place not in self._left]:
            with suppress(StoreUnavailable):
                await self._results.release(*self._key(place))
            self._resolve(place, None)

    async def close(self, answer: Callable[[Write], ChangeResult]) -> None:
        """Store that what this run still owns was not sent."""
        with suppress(StoreUnavailable):
            await asyncio.gather(*self._claiming.values(), return_exceptions=True)
            self._claiming.clear()
            for place in [place for place in self._held if place in self._left]:
                doubtful = failed(
                    self._writes[place].write_id, OutcomeUnknown("It is not known whether this was saved.")
                )
                await self.finish(place, "unknown", doubtful)
            if self._held:
                await self.withdraw(list(self._held), answer)
        # A store that was away would have this worker hold them until their records expire.
        await self.let_go()
        for place in list(self._held):
            self._resolve(place, None)
        # The run holds this object and this function: left so, each would keep the session's objects alive.
        self._stopping = _stopped

    def _is_too_old(self, place: int) -> bool:
        made = made_at(self._writes[place].write_id)
        kept = self._context.settings.write_result_seconds
        return made is not None and made + kept < self._context.now()

    def _withdrawal(self, place: int, answer: ChangeResult) -> Withdrawal:
        return Withdrawal(*self._key(place), self._writes[place].content, encode_json(answer))

    def _resolve(self, place: int, answer: ChangeResult | None) -> None:
        promise = self._held.pop(place, None)
        if promise is not None:
            self._context.under_way.pop(self._key(place), None)
            promise.set_result(answer)

    def _key(self, place: int) -> tuple[str, str]:
        write_id = self._writes[place].write_id
        assert write_id is not None
        return self._context.owner_of(write_id), write_id


def _stopped() -> bool:
    return True
