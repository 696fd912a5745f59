"""Which command runs when, with handlers that the test holds in its hand."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from quart import Quart

from iris_quart.config import Settings
from iris_quart.context import Context
from iris_quart.dispatch import Command, CommandBlueprint, Commands, Kind
from iris_quart.errors import AuthExpired, StoreUnavailable, TableNotFound
from iris_quart.live.runner import Runner, SessionOver
from iris_quart.protocol import Event, Message
from iris_quart.sessions import Session


class Work(Message):
    """A payload."""

    name: str
    view: str | None = None


class WorkHere(Message):
    """A payload that may leave its table out."""

    name: str
    namespace: str | None = None
    table_name: str | None = None

    def table_reference(self) -> tuple[str | None, str | None]:
        return self.namespace, self.table_name


class Worked(Event):
    """An event."""

    name: str
    step: int = 0


class Stage:
    """A runner whose handlers wait until the test lets them go, and what came out of it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.gates: dict[str, asyncio.Event] = {}
        self.started: list[str] = []
        self.ended: list[str] = []
        self.out: list[dict[str, Any]] = []
        self.arrived = asyncio.Event()
        self.writes: set[asyncio.Task[None]] = set()
        self.refused = False
        self.outcomes: list[tuple[str, str]] = []
        self.admitting: Exception | None = None
        app = Quart("test", static_folder=None)
        self.commands = Commands()
        self.commands.init_app(app)
        app.register_blueprint(self._blueprint())
        nothing = cast("Any", None)
        context = Context(nothing, nothing, nothing, nothing, nothing, nothing)
        self.runner = Runner(self.commands, context, Settings(instance=folder, **settings), self)

    def _blueprint(self) -> CommandBlueprint:
        blueprint = CommandBlueprint("work", __name__)

        async def hold(name: str) -> None:
            self.started.append(name)
            try:
                await self.gates.setdefault(name, asyncio.Event()).wait()
            finally:
                self.ended.append(name)

        @blueprint.command("read", stale_key=lambda _context, payload: payload.view)
        async def read(_context: Context, payload: Work) -> Worked:
            """Read."""
            await hold(payload.name)
            return Worked(name=payload.name)

        @blueprint.command("write", kind=Kind.WRITE)
        async def write(_context: Context, payload: Work) -> Worked:
            """Write."""
            await hold(payload.name)
            return Worked(name=payload.name)

        @blueprint.command("writeMany", kind=Kind.WRITE, stoppable=True)
        async def write_many(context: Context, payload: Work) -> AsyncIterator[Worked]:
            """Write until stopped."""
            for step in range(3):
                if context.stopping():
                    yield Worked(name="stopped", step=step)
                    return
                await hold(f"{payload.name}{step}")
                yield Worked(name=payload.name, step=step)

        @blueprint.command("readHere", stale_key=lambda _context, _payload: "grid")
        async def read_here(_context: Context, payload: WorkHere) -> Worked:
            """Read the table chosen before."""
            await hold(payload.name)
            return Worked(name=payload.name)

        @blueprint.command(
            "choose", stale_key=lambda context, _payload: None if context.message_id else "grid"
        )
        async def choose(_context: Context, payload: Work) -> Worked:
            """Choose a table."""
            await hold(payload.name)
            return Worked(name=payload.name)

        @blueprint.command("steps")
        async def steps(_context: Context, payload: Work) -> AsyncIterator[Worked]:
            """Answer twice."""
            yield Worked(name=payload.name, step=1)
            await hold(payload.name)
            yield Worked(name=payload.name, step=2)

        @blueprint.command("now", kind=Kind.INSTANT)
        async def now(_context: Context, payload: Work) -> Worked:
            """Answer at once."""
            return Worked(name=payload.name)

        @blueprint.command("fail")
        async def fail(_context: Context, payload: Work) -> Worked:
            """Fail as told."""
            raise {
                "table": TableNotFound("No such table."),
                "auth": AuthExpired("Sign in again."),
                "bug": KeyError("canary"),
            }[payload.name]

        return blueprint

    # What the runner asks of its surroundings.

    async def admit(self, _command: Command, _background: bool) -> Session:
        if self.admitting is not None:
            raise self.admitting
        return cast("Session", None)

    async def emit(self, text: bytes) -> None:
        self.push(text)

    def push(self, text: bytes) -> None:
        self.out.append(json.loads(text))
        self.arrived.set()

    def succeeded(self, command: Command, payload: Message) -> None:
        pass

    def write_begun(self, task: asyncio.Task[None]) -> None:
        self.writes.add(task)

    def measured(self, command: str, outcome: str, _seconds: float) -> None:
        self.outcomes.append((command, outcome))

    def credentials_refused(self) -> None:
        self.refused = True

    # What the test does.

    def send(self, command: str, name: str, message_id: str | None = None, **payload: Any) -> None:
        message: dict[str, Any] = {"command": command, "payload": {"name": name, **payload}}
        if message_id:
            message["id"] = message_id
        self.runner.take(json.dumps(message))

    def release(self, *names: str) -> None:
        for name in names:
            self.gates.setdefault(name, asyncio.Event()).set()

    async def until(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many events came out."""
        async with asyncio.timeout(5):
            while len(self.out) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.out

    @property
    def answered(self) -> list[str]:
        return [event["payload"]["name"] for event in self.out if event["event"] == "worked"]

    @property
    def errors(self) -> list[tuple[str | None, str]]:
        return [
            (event.get("id"), event["payload"]["code"]) for event in self.out if event["event"] == "error"
        ]


async def turns() -> None:
    """Let everything happen that can happen without the test."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path, reads_in_flight=2, commands_queued=4)
    yield stage
    stage.runner.stop_reads()
    for gate in stage.gates.values():
        gate.set()
    await turns()


async def test_reads_run_side_by_side_up_to_the_limit(stage: Stage) -> None:
    for name in "abc":
        stage.send("read", name)
    await turns()
    assert stage.started == ["a", "b"]
    stage.release("b")
    await stage.until(1)
    await turns()
    assert (stage.answered, stage.started) == (["b"], ["a", "b", "c"])


async def test_what_waits_is_bounded_by_its_size_too(tmp_path: Path) -> None:
    stage = Stage(tmp_path, reads_in_flight=1, message_bytes_max=1024)
    stage.send("read", "first")
    for number in range(8):
        stage.send("read", f"{number}" * 900, message_id=f"m{number}")
    stage.send("read", "small", message_id="small")
    await turns()
    refused = [event["id"] for event in stage.out]
    assert [event["payload"]["code"] for event in stage.out] == ["RATE_LIMITED"] * len(refused)
    assert refused == ["m4", "m5", "m6", "m7"]
    stage.runner.stop_reads()


async def test_writes_run_one_at_a_time_in_order(stage: Stage) -> None:
    for name in "abc":
        stage.send("write", name)
    await turns()
    assert stage.started == ["a"]
    stage.release("b", "c")
    await turns()
    assert stage.started == ["a"]
    stage.release("a")
    await stage.until(3)
    assert stage.answered == ["a", "b", "c"]


async def test_a_write_does_not_wait_for_reads(stage: Stage) -> None:
    for name in "ab":
        stage.send("read", name)
    stage.send("write", "w")
    stage.release("w")
    await stage.until(1)
    assert stage.answered == ["w"]


async def test_instant_commands_overtake_everything(stage: Stage) -> None:
    for name in "abc":
        stage.send("read", name)
    stage.send("now", "n")
    await stage.until(1)
    assert stage.answered == ["n"]


async def test_a_command_without_a_table_waits_for_all_before_it_and_holds_back_all_behind(
    stage: Stage,
) -> None:
    stage.send("read", "select")
    stage.send("readHere", "here")
    stage.send("write", "behind")
    await turns()
    assert stage.started == ["select"]
    stage.release("select")
    await stage.until(1)
    await turns()
    # Once it has started it knows its table, and nobody needs to wait for it any longer.
    assert stage.started == ["select", "here", "behind"]


async def test_a_command_that_names_its_table_waits_for_nobody(stage: Stage) -> None:
    stage.send("read", "a")
    stage.send("readHere", "b", namespace="USER", tableName="A.B")
    await turns()
    assert stage.started == ["a", "b"]


async def test_a_newer_command_makes_an_older_one_of_its_view_stale(stage: Stage) -> None:
    stage.send("read", "old", "1", view="v")
    stage.send("read", "other", "2", view="w")
    await turns()
    stage.send("read", "new", "3", view="v")
    await stage.until(1)
    stage.release("old", "new", "other")
    await stage.until(3)
    await turns()
    assert stage.errors == [("1", "CANCELLED")]
    assert sorted(stage.answered) == ["new", "other"]
    assert "old" in stage.ended


async def test_without_ids_only_the_table_opened_last_is_shown(stage: Stage) -> None:
    stage.send("choose", "first")
    await turns()
    stage.send("choose", "second")
    stage.release("first", "second")
    await stage.until(1)
    await turns()
    assert stage.answered == ["second"]


async def test_with_ids_each_table_that_was_opened_is_shown(stage: Stage) -> None:
    stage.send("choose", "first", "1")
    stage.send("choose", "second", "2")
    stage.release("first", "second")
    await stage.until(2)
    assert sorted(stage.answered) == ["first", "second"]


@pytest.mark.parametrize("later", ["readHere", "choose"])
async def test_a_table_that_somebody_waits_for_is_opened_all_the_same(stage: Stage, later: str) -> None:
    stage.send("choose", "first")
    await turns()
    stage.send("readHere", "here")
    stage.send(later, "later")
    stage.release("first")
    await stage.until(1)
    assert stage.answered == ["first"]
    assert "first" in stage.ended


async def test_a_stale_command_without_an_id_is_answered_by_nothing(stage: Stage) -> None:
    stage.send("read", "old", view="v")
    await turns()
    stage.send("read", "new", view="v")
    stage.release("old", "new")
    await stage.until(1)
    await turns()
    assert stage.out == [{"event": "worked", "payload": {"name": "new", "step": 0}}]


async def test_a_command_that_is_replaced_before_its_first_step_leaves_its_place(stage: Stage) -> None:
    for number in range(4):
        stage.send("read", f"r{number}", str(number), view="v")
    stage.send("readHere", "here", "4")
    stage.release("r3", "here")
    await stage.until(5)
    await turns()
    assert stage.errors == [("0", "CANCELLED"), ("1", "CANCELLED"), ("2", "CANCELLED")]
    assert stage.answered == ["r3", "here"]
    assert not stage.runner.busy


async def test_a_waiting_command_becomes_stale_too(stage: Stage) -> None:
    for name in "ab":
        stage.send("read", name)
    stage.send("read", "old", "1", view="v")
    stage.send("read", "new", "2", view="v")
    stage.release("a", "b", "old", "new")
    await stage.until(4)
    assert "old" not in stage.started
    assert stage.errors == [("1", "CANCELLED")]


async def test_cancel_stops_a_read_that_runs(stage: Stage) -> None:
    stage.send("read", "a", "1")
    await turns()
    assert stage.runner.cancel("1")
    await turns()
    assert stage.ended == ["a"]
    assert stage.errors == [("1", "CANCELLED")]
    assert not stage.runner.cancel("1")
    assert not stage.runner.busy


async def test_cancel_takes_a_waiting_write_back_but_not_one_that_has_begun(stage: Stage) -> None:
    stage.send("write", "a", "1")
    stage.send("write", "b", "2")
    await turns()
    assert not stage.runner.cancel("1")
    assert stage.runner.cancel("2")
    stage.release("a", "b")
    await stage.until(2)
    await turns()
    assert stage.answered == ["a"]
    assert stage.started == ["a"]


async def test_cancel_asks_a_write_that_can_stop_to_stop(stage: Stage) -> None:
    stage.send("writeMany", "a", "1")
    stage.send("writeMany", "b", "2")
    stage.release("a0", "b0", "b1", "b2")
    await stage.until(1)
    await turns()
    assert stage.runner.cancel("1")
    assert not stage.runner.cancel("1")
    stage.release("a1")
    await stage.until(6)
    await turns()
    # It ends by its own words, without an error; the next one was not asked to stop.
    assert stage.answered == ["a", "a", "stopped", "b", "b", "b"]
    assert stage.errors == []
    assert not stage.runner.busy


async def test_what_comes_after_the_first_event_can_be_cancelled(stage: Stage) -> None:
    stage.send("steps", "a", "1")
    await stage.until(1)
    assert stage.runner.cancel("1")
    await turns()
    assert [event["event"] for event in stage.out] == ["worked", "error"]


async def test_too_many_waiting_commands_are_refused_and_the_rest_goes_on(stage: Stage) -> None:
    for number in range(8):
        stage.send("read", f"r{number}", str(number))
    assert stage.errors == [("6", "RATE_LIMITED"), ("7", "RATE_LIMITED")]
    stage.release(*(f"r{number}" for number in range(8)))
    await stage.until(8)
    assert len(stage.answered) == 6


async def test_our_errors_keep_their_code_and_the_name_as_sent(stage: Stage) -> None:
    stage.send("fail", "table", "1")
    (event,) = await stage.until(1)
    assert event["id"] == "1"
    assert event["payload"]["code"] == "TABLE_NOT_FOUND"
    assert event["payload"]["context"] == "fail"
    assert "traceId" not in event["payload"]


async def test_unexpected_errors_show_a_trace_id_and_nothing_else(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.send("fail", "bug", "1")
    (event,) = await stage.until(1)
    payload = event["payload"]
    assert payload["code"] == "COMMAND_ERROR"
    assert payload["traceId"] in payload["message"]
    assert "canary" not in json.dumps(event)
    assert "KeyError" not in json.dumps(event)
    # The socket goes on.
    stage.send("now", "n")
    await stage.until(2)
    assert stage.answered == ["n"]


async def test_refused_credentials_end_the_session(stage: Stage) -> None:
    stage.send("fail", "auth", "1")
    await stage.until(1)
    assert stage.errors == [("1", "AUTH_EXPIRED")]
    assert stage.refused


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", (None, "INVALID_JSON", "wsServer")),
        ("null", (None, "INVALID_JSON", "wsServer")),
        ("[]", (None, "INVALID_MESSAGE", "wsServer")),
        ('{"command":"nope","id":"7"}', ("7", "UNKNOWN_COMMAND", "nope")),
        ('{"command":"read","id":"7","payload":{}}', ("7", "INVALID_INPUT", "read")),
        ('{"command":"read","id":"7","x":1}', ("7", "INVALID_INPUT", "read")),
    ],
)
async def test_malformed_messages_are_answered_and_nothing_breaks(
    stage: Stage, text: str, expected: tuple[str | None, str, str]
) -> None:
    stage.runner.take(text)
    (event,) = stage.out
    assert (event.get("id"), event["payload"]["code"], event["payload"]["context"]) == expected
    stage.send("now", "n")
    await stage.until(2)


async def test_after_the_end_of_the_session_nothing_runs_and_nothing_is_said(stage: Stage) -> None:
    stage.admitting = SessionOver()
    stage.send("write", "a", "1")
    await turns()
    assert (stage.started, stage.out) == ([], [])


async def test_without_the_store_nothing_runs(stage: Stage) -> None:
    stage.admitting = StoreUnavailable("The store does not answer.")
    stage.send("write", "a", "1")
    await stage.until(1)
    assert (stage.started, stage.errors) == ([], [("1", "STORE_UNAVAILABLE")])


async def test_a_client_that_drops_leaves_its_write_running_and_nothing_else(stage: Stage) -> None:
    stage.send("write", "w1", "1")
    stage.send("write", "w2", "2")
    stage.send("read", "r", "3")
    await turns()
    (write,) = stage.runner.writes()
    stage.runner.stop_reads()
    await turns()
    assert stage.ended == ["r"]
    stage.release("w1", "w2")
    await write
    assert stage.ended == ["r", "w1"]
    assert stage.started == ["w1", "r"]


async def test_finish_answers_what_was_taken_and_takes_nothing_new(stage: Stage) -> None:
    for name in "abc":
        stage.send("read", name)
    finishing = asyncio.create_task(stage.runner.finish(5))
    await turns()
    stage.send("read", "late")
    stage.release("a", "b", "c", "late")
    await finishing
    assert sorted(stage.answered) == ["a", "b", "c"]


async def test_finish_does_not_wait_for_ever(stage: Stage) -> None:
    stage.send("read", "a")
    await turns()
    await stage.runner.finish(0.05)
    assert stage.runner.busy


@pytest.mark.parametrize("command", ["read", "write", "steps", "now"])
async def test_an_answered_command_leaves_no_work_for_the_collector(stage: Stage, command: str) -> None:
    async def answer(count: int) -> None:
        for _ in range(count):
            expected = len(stage.out) + (2 if command == "steps" else 1)
            stage.send(command, "x", message_id="same")
            await stage.until(expected)
            await turns()

    stage.release("x")
    await answer(3)
    gc.collect()
    gc.disable()
    try:
        await answer(50)
        # Whatever else the loop and the test leave, it is less than one object for each command.
        assert gc.collect() < 50
    finally:
        gc.enable()
