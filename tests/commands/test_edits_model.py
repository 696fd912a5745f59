"""Random edits of three users against a plain dictionary: hypothesis finds the sequence that we did not think of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.stage import Client, Stage, open_stage

NAMES = ("Name", "Age")
VALUES = {
    "Name": st.sampled_from([None, "", "a", "A", " a", "á", "b", "0", "01"]),
    "Age": st.sampled_from([None, 0, 1, -1, 2]),
}
USERS = 3


@dataclass
class Model:
    """The table as a dictionary, and the picture that each user has of it."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: list[dict[str, dict[str, Any]]] = field(default_factory=lambda: [{} for _ in range(USERS)])
    newest: int = 0

    def look(self, user: int) -> None:
        """A user reloads the table."""
        self.seen[user] = {row_id: dict(row) for row_id, row in self.rows.items()}


OPERATIONS = st.one_of(
    st.tuples(st.just("look"), st.integers(0, USERS - 1)),
    st.tuples(
        st.just("update"),
        st.integers(0, USERS - 1),
        st.integers(0, 7),
        st.fixed_dictionaries({}, optional=VALUES).filter(bool),
    ),
    st.tuples(st.just("delete"), st.integers(0, USERS - 1), st.integers(0, 7)),
    st.tuples(st.just("insert"), st.integers(0, USERS - 1), st.fixed_dictionaries({}, optional=VALUES)),
)


class Table:
    """The real thing beside the model, kept over the examples: only the rows are taken away between them."""

    def __init__(self, directory: Path) -> None:
        self.runner = asyncio.Runner()
        self.directory = directory
        self.stack = AsyncExitStack()
        self.users: list[Client] = []
        self.edits = 0

    async def open(self) -> None:
        """Set the stage."""
        self.stage: Stage = await self.stack.enter_async_context(open_stage(self.directory))
        self.users = [await self.stage.client(user) for user in ("_SYSTEM", "alice", "alice")]

    async def close(self) -> None:
        """Take the stage down."""
        await self.stack.aclose()

    async def play(self, operations: list[tuple[Any, ...]]) -> None:
        """Play one sequence on both and compare after every step."""
        self.stage.sql("TRUNCATE TABLE Edit.Cell")
        model = Model()
        for operation in operations:
            await self._step(model, operation)
            assert self._rows() == model.rows
        if len(self.stage.iris.log) > 5000:
            self.stage.iris.log.clear()

    async def _step(self, model: Model, operation: tuple[Any, ...]) -> None:
        kind, user = operation[0], operation[1]
        if kind == "look":
            model.look(user)
            return
        self.edits += 1
        change: dict[str, Any] = {"changeId": f"e{self.edits}", "kind": kind}
        expected = "saved"
        if kind == "insert":
            change["values"] = operation[2]
        else:
            seen = model.seen[user]
            if not seen:
                return
            row_id = sorted(seen, key=int)[operation[2] % len(seen)]
            change["rowId"] = row_id
            there = model.rows.get(row_id)
            if kind == "update":
                change["values"] = operation[3]
                change["base"] = {name: seen[row_id][name] for name in operation[3]}
                if there is None:
                    expected = "gone"
                elif any(
                    there[name] != seen[row_id][name] and there[name] != value
                    for name, value in operation[3].items()
                ) or (
                    any(there[name] != seen[row_id][name] for name in operation[3])
                    and any(there[name] != value for name, value in operation[3].items())
                ):
                    expected = "conflict"
            else:
                change["base"] = {name: seen[row_id][name] for name in NAMES}
                if there is not None and there != seen[row_id]:
                    expected = "conflict"
        result, _ = await self.users[user].save("Edit.Cell", [change])
        assert result["outcome"] == expected, (change, result)
        self._follow(model, user, change, result)

    def _follow(self, model: Model, user: int, change: dict[str, Any], result: dict[str, Any]) -> None:
        seen = model.seen[user]
        if result["outcome"] == "conflict":
            there = model.rows[change["rowId"]]
            for name, difference in result["conflict"].items():
                assert difference["theirs"] == there[name]
                assert difference["base"] == seen[change["rowId"]][name] != there[name]
        elif result["outcome"] == "gone":
            seen.pop(change["rowId"])
        elif change["kind"] == "insert":
            row = {name: change["values"].get(name) for name in NAMES}
            row_id = result["rowId"]
            assert row_id is not None
            assert int(row_id) > model.newest
            model.newest = int(row_id)
            model.rows[row_id] = row
            seen[row_id] = dict(row)
        elif change["kind"] == "delete":
            model.rows.pop(change["rowId"], None)
            seen.pop(change["rowId"])
        else:
            model.rows[change["rowId"]].update(change["values"])
            seen[change["rowId"]].update(change["values"])

    def _rows(self) -> dict[str, dict[str, Any]]:
        rows = self.stage.sql("SELECT %ID, Name, Age FROM Edit.Cell")
        return {str(row_id): {"Name": name, "Age": age} for row_id, name, age in rows}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    table = Table(tmp_path_factory.mktemp("model"))
    table.runner.run(table.open())
    yield table
    table.runner.run(table.close())
    table.runner.close()


def check(table: Table, operations: list[tuple[Any, ...]]) -> None:
    table.runner.run(table.play(operations))


QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=40, deadline=None, suppress_health_check=QUIET, derandomize=True)
@given(operations=st.lists(OPERATIONS, min_size=5, max_size=25))
def test_random_edits_agree_with_a_dictionary(table: Table, operations: list[tuple[Any, ...]]) -> None:
    check(table, operations)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=400, deadline=None, suppress_health_check=QUIET)
@given(operations=st.lists(OPERATIONS, min_size=10, max_size=50))
def test_many_random_edits_agree_with_a_dictionary(table: Table, operations: list[tuple[Any, ...]]) -> None:
    check(table, operations)
