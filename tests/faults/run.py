"""Seeded edits of several users under faults: python -m tests.faults.run --edits 10000.

Users edit the same rows over worker processes that are killed now and then, against an embedded IRIS whose
connections break before and after it applies a statement, late or in the middle of the answer, beside another
program that writes by itself. The last line compares what was reported with what the database kept.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from iris_quart.demo import DemoOptions, DemoServer, FaultRule
from iris_quart.demo.samples import open_namespaces
from tests.faults.ledger import SCRIPT, TABLES, Edit, Verdict, judge, keep_history, read_history

USERS = ("_SYSTEM", "alice")
SOCKETS = 6
ROWS = 120
WRITES = r"^(UPDATE|INSERT|DELETE)"
READS = r"^SELECT .*%ID"
LOCK_SECONDS = 1.0
FAULTS: tuple[tuple[str, str, float, dict[str, Any]], ...] = (
    ("reset_before", WRITES, 0.03, {}),
    ("close_before", WRITES, 0.01, {}),
    ("reset_after", WRITES, 0.04, {}),
    ("close_after", WRITES, 0.01, {}),
    ("status_after", WRITES, 0.01, {}),
    ("reset_mid_body", WRITES, 0.01, {}),
    ("truncated", WRITES, 0.01, {}),
    ("late", WRITES, 0.02, {"delay": 0.4}),
    ("latency", WRITES, 0.01, {"delay": 1.2}),
    ("hang", WRITES, 0.003, {}),
    ("status", WRITES, 0.01, {"status": 503}),
    ("html", WRITES, 0.01, {}),
    ("licence", WRITES, 0.01, {}),
    ("unauthorized", WRITES, 0.01, {}),
    ("cookie_loss", WRITES, 0.01, {}),
    ("sqlcode", WRITES, 0.01, {"sqlcode": -110, "text": "Unable to acquire lock for UPDATE"}),
    ("reset_before", READS, 0.02, {}),
    ("reset_after", READS, 0.02, {}),
    ("html", READS, 0.005, {}),
)


class Worker:
    """One worker process; what waits for it fails when it dies."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._orders: dict[int, asyncio.Queue[dict[str, Any] | None]] = {}
        self._next = 0
        self._listener = asyncio.create_task(self._listen())
        self.ready = asyncio.Event()
        self.errors: Counter[str] = Counter()

    @classmethod
    async def start(cls, iris: str, instance: Path) -> Worker:
        """Start a process and wait until it takes orders."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.faults.worker",
            "--iris",
            iris,
            "--instance",
            str(instance),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        worker = cls(process)
        async with asyncio.timeout(60):
            await worker.ready.wait()
        return worker

    async def save(self, socket: str, user: str, payload: dict[str, Any]) -> list[dict[str, Any]]:
        """Send saveChanges; the events that came before the end, or before the worker died."""
        number, self._next = self._next, self._next + 1
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._orders[number] = queue
        line = msgspec.json.encode({"order": number, "socket": socket, "user": user, "payload": payload})
        assert self._process.stdin is not None
        with suppress(ConnectionError):
            self._process.stdin.write(line + b"\n")
            await self._process.stdin.drain()
        if self._listener.done():
            queue.put_nowait(None)
        events: list[dict[str, Any]] = []
        while (message := await queue.get()) is not None:
            if "error" in message:
                self.errors[f"{message['error']}: {message['message']}"] += 1
                break
            events.append(message["event"])
            if message["event"]["event"] == "changesSaved":
                break
        self._orders.pop(number, None)
        return events

    async def kill(self) -> None:
        """Kill the process as the kernel does."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._listener

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            message = msgspec.json.decode(line)
            if "ready" in message:
                self.ready.set()
            elif message["order"] in self._orders:
                self._orders[message["order"]].put_nowait(message)
        for queue in self._orders.values():
            queue.put_nowait(None)


class Run:
    """One run: users, workers, faults and the other program."""

    def __init__(self, iris: DemoServer, instance: Path, edits: int, seed: int, kills: int) -> None:
        self.iris = iris
        self.instance = instance
        self.random = random.Random(seed)
        self.edits: list[Edit] = []
        self.left = edits
        self.kills_left = kills
        self.interval = max(1, edits // (kills + 1))
        self.workers: list[Worker] = []
        self.killed = 0
        self.victims: list[Worker] = []
        self.in_flight: Counter[int] = Counter()
        self.doubtful = 0  # edits that were on their way when a worker was killed
        self.tokens = 0
        self.owners: dict[str, str] = {}
        self.changes: dict[str, dict[str, Any]] = {}

    async def go(self) -> Verdict:
        """Run until all edits are answered, then judge."""
        await asyncio.to_thread(self.iris.namespace("USER").run_script, SCRIPT)
        keep_history(self.iris.options.directory / "USER.sqlite")
        await asyncio.to_thread(self._fill)
        self.workers = [await Worker.start(self.iris.url, self.instance) for _ in range(2)]
        rules = [
            self.iris.add_fault(FaultRule(kind, sql=sql, probability=chance, seed=number, **more))  # type: ignore[arg-type]
            for number, (kind, sql, chance, more) in enumerate(FAULTS)
        ]
        stop = asyncio.Event()
        other = asyncio.create_task(self._other_program(stop))
        await asyncio.gather(*(self._user(number) for number in range(SOCKETS)))
        stop.set()
        await other
        self.iris.clear_faults()
        await self._ask_for_the_unknown()
        for worker in self.workers:
            await worker.kill()
        errors = sum((worker.errors for worker in (*self.workers, *self.victims)), Counter[str]())
        for text, count in errors.items():
            print(f"{count} commands ended with {text}")
        await self.iris.settled()
        verdict = judge(self.edits, read_history(self.iris.options.directory / "USER.sqlite"))
        struck = sum(rule.struck for rule in rules)
        if verdict.unknown > struck + self.doubtful:
            verdict.lies += verdict.unknown
            verdict.findings.append(f"{verdict.unknown} unknown, but only {struck} faults")
        print(
            f"{struck} faults struck, {self.killed} workers killed; "
            + ", ".join(
                f"{count} {name}"
                for name, count in sorted(Counter(str(e.outcome) for e in self.edits).items())
            )
        )
        return verdict

    def _fill(self) -> None:
        namespace = self.iris.namespace("USER")
        for number in range(ROWS):
            namespace.execute("INSERT INTO Fault.Plain (V, N) VALUES (?, ?)", (f"p{number}", number))
            namespace.execute("INSERT INTO Fault.Keyed (K, V) VALUES (?, ?)", (f"k{number}", f"v{number}"))

    async def _user(self, number: int) -> None:
        user = USERS[number % len(USERS)]
        while self.left > 0:
            table = self.random.choice(TABLES)
            rows = await self._rows(table)
            size = min(self.left, self.random.choice((1, 1, 1, 2, 5, 12)))
            self.left -= size
            edits: list[Edit] = []
            changes: list[dict[str, Any]] = []
            for _ in range(size):
                edit, change = self._edit(table, rows)
                edits.append(edit)
                changes.append(change)
                self.owners[edit.change_id] = user
                self.changes[edit.change_id] = change
            self.edits += edits
            await self._save(number, user, table, edits, changes)
            if self.kills_left and len(self.edits) >= self.interval * (self.killed + 1):
                await self._kill()

    def _edit(self, table: str, rows: list[tuple[str, str]]) -> tuple[Edit, dict[str, Any]]:
        self.tokens += 1
        token = f"t{self.tokens}"
        change: dict[str, Any] = {"changeId": f"change-{self.tokens:012}"}
        kind = self.random.choices(("update", "insert", "delete"), (70, 20, 10))[0]
        if kind == "insert" or len(rows) < ROWS // 2:
            values = {"V": token, "N": self.tokens} if table == "Fault.Plain" else {"K": token, "V": token}
            return Edit(change["changeId"], table, "insert", token), {
                **change,
                "kind": "insert",
                "values": values,
            }
        row_id, seen = self.random.choice(rows)
        # Some users see an old picture, and some clients do not say what they saw.
        base = "something older" if self.random.random() < 0.05 else seen
        late = self.random.random() < 0.1
        edit = Edit(change["changeId"], table, kind, token, row_id, None if late else base)
        change |= {"kind": kind, "rowId": row_id}
        if kind == "update":
            change["values"] = {"V": token}
        if not late:
            change["base"] = {"V": base}
        return edit, change

    async def _save(
        self, number: int, user: str, table: str, edits: list[Edit], changes: list[dict[str, Any]]
    ) -> None:
        waiting = {edit.change_id: edit for edit in edits}
        again = 0
        while waiting and again < 50:
            worker = self.workers[(number + again) % len(self.workers)]
            payload = {
                "namespace": "USER",
                "tableName": table,
                "changes": [change for change in changes if change["changeId"] in waiting],
            }
            self.in_flight[id(worker)] += len(waiting)
            events = await worker.save(f"{number}", user, payload)
            self.in_flight[id(worker)] -= len(waiting)
            for event in events:
                result = event["payload"]
                if event["event"] == "changeResult" and result["changeId"] in waiting:
                    edit = waiting.pop(result["changeId"])
                    edit.outcome = result["outcome"]
                    edit.reported_row = result.get("rowId")
                    edit.answered = time.time()
            again += 1
            if waiting:
                await asyncio.sleep(0.05)

    async def _rows(self, table: str) -> list[tuple[str, str]]:
        def read() -> list[tuple[str, str]]:
            result = self.iris.namespace("USER").execute(f"SELECT %ID, V FROM {table} ORDER BY %ID")
            return [(str(row_id), str(value)) for row_id, value in result.rows]

        return await asyncio.to_thread(read)

    async def _other_program(self, stop: asyncio.Event) -> None:
        number = 0
        while not stop.is_set():
            table = self.random.choice(TABLES)
            rows = await self._rows(table)
            if rows:
                number += 1
                row_id, _ = self.random.choice(rows)
                namespace = self.iris.namespace("USER")
                statement = f"UPDATE {table} SET V = ? WHERE %ID = ?"
                await asyncio.to_thread(namespace.execute, statement, (f"other{number}", int(row_id)))
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await stop.wait()

    async def _kill(self) -> None:
        self.kills_left -= 1
        self.killed += 1
        place = self.random.randrange(len(self.workers))
        victim = self.workers[place]
        self.doubtful += self.in_flight[id(victim)]
        self.workers[place] = await Worker.start(self.iris.url, self.instance)
        await victim.kill()
        self.victims.append(victim)

    async def _ask_for_the_unknown(self) -> None:
        """Ask again for what is unknown until it is settled, as the page does."""
        end = time.monotonic() + 12
        while time.monotonic() < end:
            unknown = [edit for edit in self.edits if edit.outcome == "unknown"]
            if not unknown:
                return
            for number, user in enumerate(USERS):
                for table in TABLES:
                    mine = [
                        edit
                        for edit in unknown
                        if edit.table == table and self.owners[edit.change_id] == user
                    ]
                    if mine:
                        for edit in mine:
                            edit.outcome = None
                        await self._save(number, user, table, mine, [self.changes[e.change_id] for e in mine])
            await asyncio.sleep(0.5)


async def run(edits: int, seed: int, kills: int) -> Verdict:
    """Run once in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="iris-quart-faults-") as folder:
        directory = Path(folder)
        options = DemoOptions(directory=directory / "iris", licences=None, lock_timeout=LOCK_SECONDS)
        for namespace in (await asyncio.to_thread(open_namespaces, options)).values():
            namespace.close()
        async with DemoServer(options) as iris:
            return await Run(iris, directory / "instance", edits, seed, kills).go()


def main() -> int:
    """Read the options, run, and print the findings; the last line is the sum."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run", description=__doc__)
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=None, help="how many worker processes are killed")
    arguments = parser.parse_args()
    kills = max(1, arguments.edits // 500) if arguments.kills is None else arguments.kills
    started = time.monotonic()
    verdict = asyncio.run(run(arguments.edits, arguments.seed, kills))
    for finding in verdict.findings[:50]:
        print(finding)
    print(f"seed {arguments.seed}, {time.monotonic() - started:.0f} s")
    print(verdict)
    return 1 if verdict.lies or verdict.duplicates or verdict.lost else 0


if __name__ == "__main__":
    sys.exit(main())
