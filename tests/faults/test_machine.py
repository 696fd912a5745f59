"""The write protocol as a state machine: Hypothesis looks for a short story that ends in a false answer.

People of one worker save, send again, stop, and meet broken connections and statements that come late, beside another
program; the database's own history judges every answer as in the campaign.
"""

from __future__ import annotations

import asyncio
import atexit
import random
import shutil
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from iris_quart.demo import FaultRule
from iris_quart.errors import IrisQuartError
from iris_quart.tables import edits as edits_module
from tests.faults.history import Forms, Gate, Historian
from tests.faults.ledger import Edit, Ledger, StatementAnswer
from tests.faults.plays import POOLS, Typist, read_rows
from tests.faults.stage import Client, Stage, open_stage
from tests.faults.worker import cause_of, marked_writes, recorded_reads

WRITES = r"^(UPDATE|INSERT|DELETE)"
BRIEF_SECONDS = 0.2
"""Time in which a command that waits for nothing has ended."""
TABLES = {"Fault.Plain": ("V", "P", "T", "W"), "Fault.Keyed": ("K", "V"), "Fault.Upper": ("V",)}
REFUSED_VALUES = {1.005, 1.004, 0.995}
FAULTS = (None, "reset_before", "reset_after", "late", "truncated", "sqlcode")


def alike(column: str, one: Any, other: Any) -> bool:
    """Tell whether two different values may be taken for one another."""
    if one is None or other is None or one == other or other in REFUSED_VALUES:
        return False
    if isinstance(one, str):
        return one.casefold().strip() == other.casefold().strip() or (column != "V" and one.startswith(other))
    return bool(abs(one - other) < 0.01)


TWINS = [
    (table, column, one, other)
    for table, columns in TABLES.items()
    for column in columns
    if column != "K"
    for one in POOLS[column]
    for other in POOLS[column]
    if alike(column, one, other)
]


@dataclass
class World:
    """The stage, kept over the stories: only rows and people are new in each."""

    runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    directory: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="iris-quart-machine-")))
    stories: int = 0

    async def open(self) -> None:
        """Set the stage."""
        self.stack.enter_context(marked_writes())
        self.reads = self.stack.enter_context(recorded_reads())
        self.stage: Stage = await self.stack.enter_async_context(open_stage(self.directory, script=""))
        self.historian = await asyncio.to_thread(Historian, self.stage.iris)
        self.forms = Forms(self.directory / "forms")

    async def close(self) -> None:
        """Take the stage down."""
        self.forms.close()
        await self.stack.aclose()
        shutil.rmtree(self.directory, ignore_errors=True)


_worlds: list[World] = []


def world() -> World:
    """Return the stage of this process."""
    if not _worlds:
        _worlds.append(World())
        _worlds[0].runner.run(_worlds[0].open())
        atexit.register(end_world)
    return _worlds[0]


def end_world() -> None:
    """Take the stage down, once."""
    if _worlds:
        found = _worlds.pop()
        found.runner.run(found.close())
        found.runner.close()


class WriteProtocol(RuleBasedStateMachine):
    """A story of a few people who edit the same rows."""

    def __init__(self) -> None:
        super().__init__()
        self.world = world()
        self.stage = self.world.stage
        self.run = self.world.runner.run
        self.people: list[Client] = []
        self.stopper: Client | None = None
        self.typist = Typist(random.Random(0), "")
        self.edits: list[Edit] = []
        self.changes: dict[str, dict[str, Any]] = {}
        self.seen: dict[str, dict[str, dict[str, Any]]] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.gate = Gate()

    @initialize(rows=st.integers(1, 2))
    def begin(self, rows: int) -> None:
        """Empty the tables and sign people in."""
        self.world.stories += 1
        self.typist = Typist(random.Random(0), f"s{self.world.stories}")
        namespace = self.stage.iris.namespace("USER")
        for table in TABLES:
            namespace.execute(f"DELETE FROM {table}")
        namespace._storage.writer.execute("DELETE FROM history")
        self.world.historian.arrived.clear()
        self.world.historian.struck.clear()
        self.world.reads.clear()
        self.world.historian.gate = self.gate
        for number in range(rows):
            namespace.execute("INSERT INTO Fault.Plain (V, P) VALUES (?, ?)", ("a", 1))
            namespace.execute("INSERT INTO Fault.Upper (V) VALUES (?)", ("A",))
            namespace.execute("INSERT INTO Fault.Keyed (K, V) VALUES (?, ?)", (f"k{number}", "a"))
        self.run(self._sign_in())
        self.look()

    async def _sign_in(self) -> None:
        for _ in range(3):
            client = await self.stage.client(request_seconds=20.0)
            client.context.tables.edits._doubt_seconds = 0.05
            await client.atelier.encoding("USER")
            self.people.append(client)
        self.stopper = self.people.pop()
        self.stopper.stopping = True

    # What users do.

    @rule()
    def look(self) -> None:
        """Everybody reloads."""
        for table in TABLES:
            self.seen[table] = read_rows(self.stage.iris.namespace("USER"), table)

    @rule(
        person=st.integers(0, 1),
        table=st.sampled_from(list(TABLES)),
        kinds=st.lists(st.sampled_from(("update", "insert", "update", "delete")), min_size=1, max_size=3),
        fault=st.sampled_from(FAULTS),
        guarded=st.booleans(),
        fresh=st.booleans(),
        data=st.data(),
    )
    def save(
        self,
        person: int,
        table: str,
        kinds: list[str],
        fault: Any,
        guarded: bool,
        fresh: bool,
        data: st.DataObject,
    ) -> None:
        """Save new edits of the rows as they are, or were; a fault strikes the first statement."""
        if fresh:
            self.look()
        edits = [self._edit(table, kind, guarded, data) for kind in kinds]
        if fault is not None:
            self.stage.iris.add_fault(
                FaultRule(fault, sql=WRITES, times=1, sqlcode=-110, text="Unable to acquire lock for UPDATE")
            )
        self.run(self._send(self.people[person], edits))
        self.stage.iris.clear_faults()

    @rule(
        person=st.integers(0, 1),
        twins=st.sampled_from(TWINS),
        when=st.sampled_from(("before", "meanwhile")),
        fault=st.sampled_from((None, None, "reset_before", "reset_after")),
        guarded=st.booleans(),
        place=st.integers(0, 1),
    )
    def save_what_somebody_changes(
        self, person: int, twins: tuple[str, str, Any, Any], when: str, fault: Any, guarded: bool, place: int
    ) -> None:
        """Save a value while another program writes one like it, before the save or before its statement runs."""
        table, column, mine, theirs = twins
        self.look()
        rows = self.seen[table]
        if not rows or self.gate.closed:
            return
        place %= len(rows)
        row_id = sorted(rows, key=int)[place]
        base = {column: rows[row_id][column]} if guarded else None
        edit, change = self.typist.change(table, "update", row_id, {column: mine}, base)
        self.edits.append(edit)
        self.changes[edit.cause] = change
        if fault is not None:
            self.stage.iris.add_fault(FaultRule(fault, sql=WRITES, times=1))
        if when == "before":
            self._other(table, "update", column, theirs, place)
            self.run(self._send(self.people[person], [edit]))
        else:
            self.gate.close()
            self.run(self._send(self.people[person], [edit]))
            self._other(table, "update", column, theirs, place)
            self.run(self._release())
        self.stage.iris.clear_faults()

    def _edit(self, table: str, kind: str, guarded: bool, data: st.DataObject) -> Edit:
        columns = TABLES[table]
        rows = self.seen[table]
        values = {}
        if kind != "delete":
            names = data.draw(st.lists(st.sampled_from(columns), min_size=kind == "update", unique=True))
            if table == "Fault.Keyed" and kind == "insert":
                names = list(dict.fromkeys(("K", *names)))
            pools = {**POOLS, "K": ("k0", "k1", "K1")}
            values = {name: data.draw(st.sampled_from(pools[name])) for name in names}
        if kind == "insert" or not rows:
            values = {"K": "k0", **values} if table == "Fault.Keyed" else values
            edit, change = self.typist.change(table, "insert", None, values, None)
        else:
            row_id = data.draw(st.sampled_from(sorted(rows)))
            names = list(values) if kind == "update" else list(columns)
            base = {name: rows[row_id][name] for name in names} if guarded else None
            edit, change = self.typist.change(table, kind, row_id, values, base)
        self.edits.append(edit)
        self.changes[edit.cause] = change
        return edit

    @precondition(lambda self: bool(self.edits))
    @rule(
        person=st.sampled_from((0, 1, "stopper")),
        which=st.lists(st.integers(0, 5), min_size=1, max_size=4, unique=True),
    )
    def send_again(self, person: int | str, which: list[int]) -> None:
        """Send edits again, in any order; the stopper asks to stop at once."""
        edits = list({id(edit): edit for place in which if (edit := self._latest(place))}.values())
        edits = [edit for edit in edits if edit.table == edits[0].table]
        client = self.people[person] if isinstance(person, int) else self.stopper
        assert client is not None
        self.run(self._send(client, edits))

    @precondition(lambda self: bool(self.edits))
    @rule(person=st.integers(0, 1), place=st.integers(0, 5), value=st.sampled_from(POOLS["V"]))
    def use_the_id_for_something_else(self, person: int, place: int, value: Any) -> None:
        """Send other values under an id."""
        edit = self._latest(place)
        if edit.kind == "delete" or edit.values.get("V", ()) == value:
            return
        values = {**edit.values, "V": value}
        other = {**self.changes[edit.cause], "values": values}
        found = Edit(
            edit.cause, edit.change_id, edit.table, edit.kind, edit.row_id, values, edit.base, rival=True
        )
        found.cause = cause_of(other)
        if found.cause not in self.changes:
            self.changes[found.cause] = other
            self.edits.append(found)
            self.run(self._send(self.people[person], [found]))

    def _latest(self, place: int) -> Edit:
        return self.edits[-1 - place % len(self.edits)]

    # What the world does.

    @rule(
        table=st.sampled_from(list(TABLES)),
        value=st.sampled_from(POOLS["V"]),
        place=st.integers(0, 3),
        kind=st.sampled_from(("update", "insert", "delete")),
    )
    def another_program_writes(self, table: str, value: Any, place: int, kind: str) -> None:
        """Somebody writes past this application."""
        self._other(table, kind, "V", value, place)

    @rule(
        column=st.sampled_from(("P", "T", "W")),
        number=st.integers(0, 6),
        place=st.integers(0, 3),
    )
    def another_program_writes_a_near_value(self, column: str, number: int, place: int) -> None:
        """Somebody writes a number or a time past this application."""
        pool = POOLS[column]
        value = pool[number % len(pool)]
        if value not in REFUSED_VALUES:
            self._other("Fault.Plain", "update", column, value, place)

    def _other(self, table: str, kind: str, column: str, value: Any, place: int) -> None:
        namespace = self.stage.iris.namespace("USER")
        rows = sorted(read_rows(namespace, table), key=int)
        if kind != "insert" and not rows:
            return
        expression = "NULL" if value is None else "''" if value == "" else "?"
        parameters: list[Any] = [] if value is None or value == "" else [value]
        if kind == "insert":
            if table != "Fault.Keyed":
                namespace.execute(
                    f"INSERT INTO {table} ({column}) VALUES ({expression})", parameters, select_mode="odbc"
                )
            return
        row_id = int(rows[place % len(rows)])
        if kind == "delete":
            namespace.execute(f"DELETE FROM {table} WHERE %ID = ?", [row_id])
        else:
            statement = f"UPDATE {table} SET {column} = {expression} WHERE %ID = ?"
            namespace.execute(statement, [*parameters, row_id], select_mode="odbc")

    @rule()
    def hold_statements(self) -> None:
        """IRIS takes long from now on: statements that write wait before they run."""
        self.gate.close()

    @rule()
    def let_statements_run(self) -> None:
        """What waited runs now."""
        self.run(self._release())

    async def _release(self) -> None:
        self.gate.open()
        await self.stage.iris.settled()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=20)

    async def _send(self, client: Client, edits: list[Edit]) -> None:
        task = asyncio.ensure_future(self._ask(client, edits))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        held = len(self.gate.held)
        end = time.monotonic() + 5
        quiet = time.monotonic() + BRIEF_SECONDS
        while not task.done() and time.monotonic() < end:
            await asyncio.wait({task}, timeout=0.005)
            if len(self.gate.held) > held or (self.gate.held and time.monotonic() > quiet):
                break

    async def _ask(self, client: Client, edits: list[Edit]) -> None:
        now = time.time()
        for edit in edits:
            edit.first_sent = edit.first_sent or now
        by_id = {edit.change_id: edit for edit in edits}
        payload = {
            "namespace": "USER",
            "tableName": edits[0].table,
            "changes": [self.changes[edit.cause] for edit in by_id.values()],
            "order": "given",
        }
        try:
            async for event in client.stream("saveChanges", payload):
                if event["event"] == "changeResult":
                    said = event["payload"]
                    answer = StatementAnswer.of(said, time.time())
                    answer = replace(answer, read=self.world.reads.get(said["changeId"]))
                    by_id[said["changeId"]].answers.append(answer)
        except IrisQuartError:
            return

    def teardown(self) -> None:
        """Let everything end, ask for what is unknown, and judge."""
        if not self.people:
            return
        self.run(self._end())
        history = self.world.historian.read()
        verdict = Ledger(history, self.world.forms, doubt_seconds=0.04).judge(self.edits)
        self.stage.iris.log.clear()
        false = [finding for finding in verdict.findings if finding.kind != "lost"]
        assert not false, "\n".join(str(finding) for finding in false)

    async def _end(self) -> None:
        await self._release()
        await asyncio.sleep(0.06)
        for edit in [edit for edit in self.edits if edit.outcome == "unknown"]:
            await self._ask(self.people[0], [edit])
        clients = [*self.people, *([self.stopper] if self.stopper else [])]
        for client in clients:
            await client.close()
            self.stage.clients.remove(client)


def play(examples: int, steps: int, *, derandomize: bool) -> None:
    """Run stories."""
    kept = edits_module.SETTLE_SECONDS
    edits_module.SETTLE_SECONDS = (0.0,)
    try:
        run_state_machine_as_test(
            WriteProtocol,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                derandomize=derandomize,
                database=None,
                phases=(Phase.generate, Phase.shrink),
                suppress_health_check=list(HealthCheck),
                print_blob=False,
            ),
        )
    finally:
        edits_module.SETTLE_SECONDS = kept
        end_world()


def test_stories_end_without_a_false_answer() -> None:
    play(30, 8, derandomize=True)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_more_stories_end_without_a_false_answer() -> None:
    # The same stories each time; `make faults` looks for new ones.
    play(400, 14, derandomize=True)
