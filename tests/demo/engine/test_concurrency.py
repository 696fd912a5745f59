"""Threads, locks, interrupts and grants."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.engine.interface import ExecutionHandle
from iris_quart.demo.engine.namespace import Namespace

from .conftest import SCRIPT

ENDLESS = "SELECT COUNT(*) FROM {0} a, {0} b, {0} c, {0} d, {0} e".format("INFORMATION_SCHEMA.COLUMNS")


def in_thread(function: Callable[[], Any]) -> Future[Any]:
    """Run something in a thread of its own."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except SqlError as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Namespace]:
    """Open a namespace whose writers wait as long as IRIS's do, however busy the machine is."""
    found = Namespace("PATIENT", tmp_path / "patient.db")
    found.run_script(SCRIPT)
    yield found
    found.close()


def test_readers_and_writers_lose_nothing(patient: Namespace) -> None:
    namespace = patient
    namespace.execute("CREATE TABLE Tally (k INTEGER PRIMARY KEY, n INTEGER)")
    namespace.bulk_load("SQLUser.Tally", ["k", "n"], [(key, 0) for key in range(4)])

    def one(number: int) -> int:
        if number % 4 == 0:
            namespace.execute("UPDATE Tally SET n = n + 1 WHERE k = ?", [number // 4 % 4])
            return 1
        assert len(namespace.execute("SELECT k, n FROM Tally ORDER BY k").rows) == 4
        return 0

    with ThreadPoolExecutor(16) as pool:
        written = sum(pool.map(one, range(800)))
    assert namespace.execute("SELECT SUM(n) FROM Tally").rows == [(written,)]


def test_definitions_and_statements_in_parallel(patient: Namespace) -> None:
    namespace = patient

    def one(number: int) -> None:
        if number % 10 == 0:
            namespace.execute(f"CREATE TABLE T{number} (a INTEGER)")
        assert len(namespace.execute(f"SELECT ID, {number} FROM Sample.Person").rows) == 4

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(100)))
    assert namespace.execute(
        "SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME LIKE 'T_0'"
    ).rows == [(9,)]


def test_a_held_row_refuses_writes_after_the_time_out(namespace: Namespace) -> None:
    with namespace.lock_row("Sample.Person", 1):
        for sql in (
            "UPDATE Sample.Person SET Salary = 1 WHERE ID < 3",
            "DELETE FROM Sample.Person WHERE ID = 1",
        ):
            started = time.monotonic()
            with pytest.raises(SqlError) as caught:
                namespace.execute(sql)
            assert caught.value.sqlcode == -110
            assert caught.value.text == (
                f"Unable to acquire lock for {sql.split(' ', 1)[0]} of table 'Sample.Person' on row with RowID = '1'"
            )
            assert time.monotonic() - started >= 0.3
        assert namespace.execute("SELECT Salary FROM Sample.Person WHERE ID = 2").rows == [(200,)]
        namespace.execute("UPDATE Sample.Person SET Salary = 5 WHERE ID = 2")
        assert namespace.execute("SELECT Salary FROM Sample.Person ORDER BY ID").rows[:2] == [(100,), (5,)]
    namespace.execute("UPDATE Sample.Person SET Salary = 1 WHERE ID = 1")


def test_a_waiting_write_goes_on_when_the_row_is_free_and_holds_nobody_up(namespace: Namespace) -> None:
    with namespace.lock_row("Sample.Person", 1):
        waiting = in_thread(
            lambda: namespace.execute("UPDATE Sample.Person SET Salary = Salary + 1 WHERE ID = 1")
        )
        namespace.execute("UPDATE Sample.Person SET Salary = 7 WHERE ID = 2")
        assert not waiting.done()
    waiting.result(5)
    assert namespace.execute("SELECT Salary FROM Sample.Person ORDER BY ID").rows[:2] == [(101,), (7,)]


def test_another_process_that_writes_gives_a_lock_time_out(namespace: Namespace) -> None:
    other = sqlite3.connect(namespace.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(SqlError) as caught:
        namespace.execute("UPDATE Sample.Person SET Salary = 1")
    assert caught.value.sqlcode == -110
    assert len(namespace.execute("SELECT ID FROM Sample.Person").rows) == 4
    other.execute("ROLLBACK")
    other.close()
    namespace.execute("UPDATE Sample.Person SET Salary = 1")


@pytest.mark.parametrize("delay", [0.0, 0.001, 0.01, 0.1])
def test_a_running_statement_is_interrupted(namespace: Namespace, delay: float) -> None:
    handle = ExecutionHandle()
    running = in_thread(lambda: namespace.execute(ENDLESS, handle=handle))
    threading.Timer(delay, handle.interrupt).start()
    with pytest.raises(SqlError) as caught:
        running.result(30)
    assert (caught.value.sqlcode, "<INTERRUPT>" in caught.value.text) == (-400, True)
    assert len(namespace.execute("SELECT ID FROM Sample.Person").rows) == 4


def test_an_interrupt_before_the_start_counts_and_one_after_the_end_harms_nobody(
    namespace: Namespace,
) -> None:
    early = ExecutionHandle()
    early.interrupt()
    for sql in ("SELECT 1", "UPDATE Sample.Person SET Salary = 1"):
        with pytest.raises(SqlError):
            namespace.execute(sql, handle=early)
    late = ExecutionHandle()
    namespace.execute("SELECT 1", handle=late)
    late.interrupt()
    assert namespace.execute("SELECT COUNT(*) FROM Sample.Person").rows == [(4,)]


def test_an_interrupted_wait_for_a_row_changes_nothing(namespace: Namespace) -> None:
    handle = ExecutionHandle()
    with namespace.lock_row("Sample.Person", 1):
        waiting = in_thread(
            lambda: namespace.execute("DELETE FROM Sample.Person WHERE ID = 1", handle=handle)
        )
        handle.interrupt()
        with pytest.raises(SqlError):
            waiting.result(5)
    assert namespace.execute("SELECT COUNT(*) FROM Sample.Person").rows == [(4,)]


class OnlyPeople:
    """Grants that let everybody read people and nothing else."""

    def allows(self, user: str, action: str, table: str) -> bool:
        """Return whether it is reading people."""
        return (action, table) == ("SELECT", "Sample.Person")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM Sample.Company",
        "SELECT Company->Name FROM Sample.Person",
        "SELECT Name FROM Sample.Person WHERE Company IN (SELECT ID FROM Sample.Company)",
        "UPDATE Sample.Person SET Salary = 1",
        "DELETE FROM Sample.Person",
        "INSERT INTO Sample.Person (Name, SSN) VALUES ('x', 'y')",
    ],
)
def test_grants_are_checked_when_asked_for(namespace: Namespace, sql: str) -> None:
    with pytest.raises(SqlError) as caught:
        namespace.execute(sql, user="eve", grants=OnlyPeople())
    assert (caught.value.sqlcode, caught.value.text) == (-99, "User eve is not privileged for the operation")
    assert len(namespace.execute("SELECT Name FROM Sample.Person", user="eve", grants=OnlyPeople()).rows) == 4


def test_too_few_parameters_are_an_error(namespace: Namespace) -> None:
    with pytest.raises(SqlError) as caught:
        namespace.execute("SELECT ? || ?", ["a"])
    assert caught.value.sqlcode == -400


CANCELLED_SECONDS = 0.2
RUNNING = (
    "SELECT ProcessID, SQLStatementID FROM INFORMATION_SCHEMA.CURRENT_STATEMENTS"
    " WHERE UserName = 'alice' AND ProcessID <> $JOB"
)


def cancel_once(namespace: Namespace, sql: str) -> float:
    """Run a statement that does not end, cancel it from another, and return the seconds until it ended."""
    future = in_thread(lambda: namespace.execute(sql, user="alice"))
    deadline = time.monotonic() + 10
    while not (found := namespace.execute(RUNNING).rows):
        assert time.monotonic() < deadline
    process, number = found[0]
    assert isinstance(process, int)
    assert isinstance(number, int)
    started = time.monotonic()
    assert namespace.execute("SELECT %SYSTEM.CancelQuery(?, ?, 3)", [process, number]).rows == [(1,)]
    with pytest.raises(SqlError) as caught:
        future.result(timeout=10)
    ended = time.monotonic() - started
    assert caught.value.sqlcode == -456
    assert namespace.execute(RUNNING).rows == []
    return ended


@pytest.mark.parametrize("sql", [
    ENDLESS,
    ("INSERT INTO Code (Code) SELECT a.Name || b.Name FROM Sample.Person a,"
    " (SELECT x.Name FROM Sample.Person x, Sample.Person y, Sample.Person z, Sample.Person v, Sample.Person w,"
    " Sample.Person q, Sample.Person r, Sample.Person s, Sample.Person t, Sample.Person u) b"),
    ("SELECT SUM(a.Salary / 7) OVER (ORDER BY a.Name) FROM Sample.Person a, Sample.Person b, Sample.Person c,"
    " Sample.Person d, Sample.Person e, Sample.Person f, Sample.Person g, Sample.Person h, Sample.Person i,"
    " Sample.Person j, Sample.Person k"),
], ids=["select", "insert", "window"])  # fmt: skip
def test_another_statement_cancels_a_running_one(namespace: Namespace, sql: str) -> None:
    """The best of a few attempts counts: a busy machine can hold up one."""
    before = namespace.execute("SELECT COUNT(*) FROM Code").rows
    assert any(cancel_once(namespace, sql) < CANCELLED_SECONDS for _ in range(5))
    assert namespace.execute("SELECT COUNT(*) FROM Code").rows == before


def test_a_statement_cannot_cancel_itself(namespace: Namespace) -> None:
    with pytest.raises(SqlError) as caught:
        namespace.execute("SELECT %SYSTEM.CancelQuery($JOB)")
    assert caught.value.sqlcode == -400
