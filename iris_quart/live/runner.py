"""Schedule one socket's commands and deliver their answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from iris_quart import logs
from iris_quart.config import Settings
from iris_quart.context import Context
from iris_quart.dispatch import Command, Commands, Kind
from iris_quart.errors import AuthExpired, Cancelled, CommandFailed, IrisQuartError, RateLimited
from iris_quart.protocol import Envelope, ErrorEvent, Event, Message, encode_event, parse_envelope, salvage
from iris_quart.sessions import Session

__all__ = ["Runner", "SessionOver", "Surroundings"]

QUEUED_MESSAGES = 4
"""Messages of the largest size whose characters all waiting commands of a socket may have together."""
NO_COMMAND = "wsServer"
"""`context` of an error in a message that names no command; the ancestor's word."""

log = logs.get_logger(__name__)


class SessionOver(Exception):
    """The session has ended, so the command is not run; the socket is told by its close."""


class Surroundings(Protocol):
    """The part of the socket and the worker that a runner uses."""

    async def admit(self, command: Command, background: bool) -> Session:
        """Admit a command and return the current session. Raises SessionOver, StoreUnavailable."""

    async def emit(self, text: bytes) -> None:
        """Send one answer, waiting for room."""

    def push(self, text: bytes) -> None:
        """Send one answer without waiting."""

    def succeeded(self, command: Command, payload: Message) -> None:
        """Record a command that was answered without an error."""

    def write_begun(self, task: asyncio.Task[None]) -> None:
        """Hold the task of a write until it ends: a client that drops does not cut it short."""

    def measured(self, command: str, outcome: str, seconds: float) -> None:
        """Record how a command ended."""

    def credentials_refused(self) -> None:
        """End the session: IRIS no longer accepts what it accepted at sign-in."""


class _Stop:
    """Whether the user asked a command to stop.

    Apart from the job, which leads to the context that this is part of: each command would leave a circle behind,
    and the collector of those held everybody up for 20 ms a few times in a second under load.
    """

    __slots__ = ("asked",)

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        """Tell."""
        return self.asked


@dataclass(eq=False, slots=True)
class _Job:
    """One command on its way."""

    command: Command
    payload: Message
    context: Context
    name: str
    """As the client wrote it, perhaps an alias."""
    message_id: str | None
    background: bool
    size: int = 0
    """Characters of its message."""
    view: Hashable = None
    taken_back: bool = False
    """Nothing of its answer is sent any more."""
    stop: _Stop = field(default_factory=_Stop)
    """It was asked to send nothing further, and tells by itself what became of the rest."""
    task: asyncio.Task[None] | None = field(default=None)
    begun: float = 0.0
    outcome: str = "cancelled"

    @property
    def depends_on_context(self) -> bool:
        """Whether it names no table and so means the one that the commands before it chose."""
        reference = self.payload.table_reference()
        return reference is not None and None in reference


class Runner:
    """Runs the commands of one socket.

    Reads run side by side, up to `settings.reads_in_flight`; writes one at a time in the order of arrival;
    instant commands at once. A command that names no table waits for all before it and, until it has
    started, holds back all behind it: so it can only mean the table that its sender meant.
    """

    def __init__(
        self, commands: Commands, context: Context, settings: Settings, surroundings: Surroundings
    ) -> None:
        self._commands = commands
        self._context = context
        self._settings = settings
        self._around = surroundings
        self._waiting: list[_Job] = []
        self._running: set[_Job] = set()
        self._refusing = False

    @property
    def busy(self) -> bool:
        """Whether a command runs or waits."""
        return bool(self._running or self._waiting)

    def take(self, text: str) -> None:
        """Accept one message of the client."""
        if self._refusing:
            return
        envelope: Envelope | None = None
        try:
            envelope = parse_envelope(text)
            command = self._commands.resolve(envelope.command)
            payload = self._commands.validate(command, envelope)
            context = self._context.for_message(envelope.id)
            job = _Job(
                command,
                payload,
                context,
                envelope.command[:64],
                envelope.id,
                envelope.background,
                len(text),
            )
            if command.stale_key is not None:
                job.view = command.stale_key(context, payload)
            self._accept(job)
        except Exception as error:  # noqa: BLE001 - the one border where every error becomes an event
            # A message is read once more only when it could not be read at all.
            message_id, name = salvage(text) if envelope is None else (envelope.id, envelope.command[:64])
            self._around.push(self._failure(error, name or NO_COMMAND, message_id))

    def cancel(self, message_id: str) -> bool:
        """Cancel a waiting command or a running read, or stop a stoppable write; return whether there was one."""
        for job in (*self._waiting, *self._running):
            if job.message_id == message_id and not job.taken_back:
                if job.task is not None and job.command.kind is not Kind.READ:
                    stops = job.command.stoppable and not job.stop.asked
                    job.stop.asked = job.stop.asked or stops
                    return stops
                self._take_back(job, "The command was cancelled.")
                return True
        return False

    def stop_reads(self) -> None:
        """Accept nothing new, drop what waits, and cancel reads; a write that has begun continues."""
        self._refusing = True
        self._waiting.clear()
        for job in list(self._running):
            if job.command.kind is not Kind.WRITE and job.task is not None:
                job.taken_back = True
                job.task.cancel()

    async def finish(self, seconds: float) -> None:
        """Accept nothing new and wait, up to `seconds`, until everything accepted is answered."""
        self._refusing = True
        until = time.monotonic() + seconds
        while self.busy and (left := until - time.monotonic()) > 0:
            tasks = {job.task for job in self._running if job.task is not None}
            if not tasks:
                break
            await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)

    def writes(self) -> set[asyncio.Task[None]]:
        """Return the writes that have begun and not ended."""
        return {job.task for job in self._running if job.command.kind is Kind.WRITE and job.task is not None}

    def _accept(self, job: _Job) -> None:
        if job.command.kind is Kind.INSTANT or not (self._running or self._waiting):
            self._start(job)
            return
        if job.view is not None:
            self._make_stale(job)
        waiting = sum(other.size for other in self._waiting)
        if (
            len(self._waiting) >= self._settings.commands_queued
            # A few small ones take no room worth speaking of; many large ones would fill the memory.
            or (waiting and waiting + job.size > QUEUED_MESSAGES * self._settings.message_bytes_max)
        ):
            raise RateLimited("Too many commands are waiting; send this one again later.")
        self._waiting.append(job)
        self._schedule()

    def _make_stale(self, newer: _Job) -> None:
        # Commands that wait for the table that a command chooses would otherwise mean the table before it.
        needed = newer.depends_on_context or any(job.depends_on_context for job in self._waiting)
        for job in (*self._waiting, *self._running):
            if job.view == newer.view and not job.taken_back and (job.depends_on_context or not needed):
                self._take_back(job, "A newer command replaced it.")

    def _take_back(self, job: _Job, why: str) -> None:
        job.taken_back = True
        if job.message_id is not None:
            self._around.push(self._failure(Cancelled(why), job.name, job.message_id))
        if job.task is not None:
            job.task.cancel()
        elif job.command.stoppable:
            # It may have been sent before, and that run be on its way: run without sending anything, it stores that
            # the rest is not sent.
            job.stop.asked = True
            if not job.depends_on_context:
                self._waiting.remove(job)
                self._start(job)
        else:
            self._waiting.remove(job)
            self._schedule()

    def _schedule(self) -> None:
        ahead = [job for job in self._running if job.command.kind is not Kind.INSTANT]
        reads = sum(job.command.kind is Kind.READ for job in ahead)
        write_ahead = len(ahead) > reads
        kept: list[_Job] = []
        barrier = False
        for job in self._waiting:
            writes = job.command.kind is Kind.WRITE
            free = not write_ahead if writes else reads < self._settings.reads_in_flight
            if not barrier and job.depends_on_context:
                free = free and not ahead and not kept
                barrier = not free
            if barrier or not free:
                kept.append(job)
            else:
                self._start(job)
                ahead.append(job)
                reads += not writes
            write_ahead = write_ahead or writes
        self._waiting = kept

    def _start(self, job: _Job) -> None:
        self._running.add(job)
        job.begun = time.perf_counter()
        job.task = asyncio.get_running_loop().create_task(self._run(job))
        # A task that is cancelled before its first step runs none of its code, not even `finally`.
        job.task.add_done_callback(lambda _task: self._ended(job))
        if job.command.kind is Kind.WRITE:
            self._around.write_begun(job.task)

    def _ended(self, job: _Job) -> None:
        self._running.discard(job)
        self._around.measured(job.command.name, job.outcome, time.perf_counter() - job.begun)
        if self._waiting:
            self._schedule()

    async def _run(self, job: _Job) -> None:
        try:
            context = job.context
            context.session = await self._around.admit(job.command, job.background)
            context.stopping = job.stop
            answer = await job.command.answer(context, job.payload)
            # The peer may be slow to take a text; the event that it was made of need not wait with it.
            if isinstance(answer, Event):
                text = encode_event(answer, job.message_id)
                del answer
                await self._emit(job, text)
            else:
                async with aclosing(answer) as events:
                    async for event in events:
                        text = encode_event(event, job.message_id)
                        del event
                        await self._emit(job, text)
            job.outcome = "cancelled" if job.taken_back else "ok"
            self._around.succeeded(job.command, job.payload)
        except asyncio.CancelledError:
            # Only our own code cancels these tasks, after it has answered the client.
            job.outcome = "cancelled"
        except SessionOver:
            job.outcome = "session_over"
        except Exception as error:  # noqa: BLE001 - the one border where every error becomes an event
            job.outcome = str(getattr(error, "code", "COMMAND_ERROR")).lower()
            if not job.taken_back:
                await self._around.emit(self._failure(error, job.name, job.message_id))
            if isinstance(error, AuthExpired):
                self._around.credentials_refused()

    async def _emit(self, job: _Job, text: bytes) -> None:
        if not job.taken_back:
            await self._around.emit(text)

    def _failure(self, error: Exception, name: str, message_id: str | None) -> bytes:
        if isinstance(error, IrisQuartError) and not isinstance(error, CommandFailed):
            return encode_event(ErrorEvent.of(error, name), message_id)
        trace = logs.trace_id()
        log.error("command failed", command=name, trace_id=trace, exc_info=error)
        told = CommandFailed(
            f"Something went wrong on the server. If you report it, include the trace id {trace}."
        )
        return encode_event(ErrorEvent.of(told, name, trace), message_id)
