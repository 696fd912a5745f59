"""What a type makes of a value, as predicted and as the embedded engine stores it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iris_quart.errors import IrisQuartError, SqlError
from iris_quart.sql.edits import guards_for, prove_statement, update_statement
from iris_quart.sql.metadata import Column, Table
from iris_quart.sql.values import Category, Wire, parse
from iris_quart.tables import Tables
from iris_quart.tables.proofs import Projections
from iris_quart.tables.validation import (
    Change,
    ChangeKind,
    check,
    is_kept,
    may_become,
    same_value,
    stored_form,
)
from tests.tables.engine import EngineClient, engine
from tests.tables.test_paging import SETTINGS

SCRIPT = """
CREATE TABLE Stored.Form (
    Word VARCHAR(12), Tight VARCHAR(3), Whole INTEGER, Small TINYINT, Big BIGINT, Price NUMERIC(10,2), Ten NUMERIC(5),
    Coin MONEY, Loose NUMERIC, Ratio DOUBLE, Flag BIT, Day DATE, Clock TIME, Fine TIME(3), Stamp TIMESTAMP,
    Cut TIMESTAMP(3), Posix POSIXTIME, Note VARCHAR(5000));
INSERT INTO Stored.Form (Posix) VALUES (TO_POSIXTIME('2000-01-01 00:00:00'));
"""
FRACTIONS = st.sampled_from(["", ".1", ".12", ".120", ".123", ".1239", ".999", ".123456", ".1234567", ".000"])
CLOCKS = st.builds(lambda moment, fraction: f"{moment.strftime('%H:%M:%S')}{fraction}", st.times(), FRACTIONS)
DAYS = st.dates().filter(lambda day: day.year > 1840).map(str)
STAMPS = st.builds(lambda day, clock: f"{day} {clock}", DAYS, CLOCKS)
NUMBERS = st.one_of(
    st.sampled_from(
        [0, 1, -1, 5, 10, Decimal("1.005"), Decimal("1.004"), Decimal("-1.005"), Decimal("0.995")]
    ),
    st.integers(-(10**9), 10**9),
    st.decimals(-10_000, 10_000, places=3),
    st.decimals(-100, 100, places=2),
)
TEXTS = st.text(st.sampled_from("aA bB\u00e1\u00df\U0001f600'\n"), max_size=14)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("Word", "Tight", "Note"), TEXTS),
    **dict.fromkeys(("Whole", "Small", "Big", "Price", "Ten", "Coin", "Loose", "Ratio"), NUMBERS),
    "Flag": st.sampled_from([0, 1, True, False, "true"]),
    "Day": DAYS,
    "Clock": CLOCKS,
    "Fine": CLOCKS,
    **dict.fromkeys(("Stamp", "Cut", "Posix"), STAMPS),
}


class Bench:
    """One row of every type, kept over the examples."""

    def __init__(self, client: EngineClient) -> None:
        self.runner = asyncio.Runner()
        self.client = client
        self.table: Table = self.runner.run(self._table())
        self._projections = Projections(client)

    async def _table(self) -> Table:
        tables = Tables(self.client, SETTINGS, server_key="stored")
        return await tables.catalogue.table("USER", "Stored.Form", settled=True)

    async def _store(self, column: Column, value: Wire, *, raising: bool) -> Wire:
        guards = guards_for({column: None}, preview=200).conditions
        await self.client.query("USER", f"UPDATE {self.table.sql} SET {column.sql} = NULL")
        statement = update_statement(self.table, "1", {column: value}, guards, raising=raising)
        await self.client.query("USER", statement.sql, statement.parameters, write=True)
        projection = await self._projections.whole(self.table, [column], 0)
        proof = prove_statement(self.table, projection, ["1"])
        answers = (await self.client.query("USER", proof.sql, proof.parameters)).rows
        return projection.read(answers).rows[0][column.name]

    def store(self, column: Column, value: Wire, *, raising: bool = True) -> Wire:
        """Write a value and read it again. Raises what IRIS refuses it with."""
        return self.runner.run(self._store(column, value, raising=raising))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with engine(tmp_path_factory.mktemp("stored"), SCRIPT) as namespace:
        bench = Bench(EngineClient(namespace))
        yield bench
        bench.runner.close()


@pytest.mark.parametrize("name", list(VALUES))
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_engine_stores_what_is_predicted_and_nothing_else_is_taken_for_it(
    bench: Bench, name: str, data: st.DataObject
) -> None:
    column = bench.table.column(name)
    try:
        sent = parse(column.category, data.draw(VALUES[name]))
        plan = check(bench.table, Change(ChangeKind.UPDATE, "1", {name: sent}, {name: None}))
        found = bench.store(column, plan.values[column])
    except IrisQuartError:
        return  # refused: nothing is stored
    assert may_become(column, sent, found), (sent, found)
    if is_kept(column, sent):
        assert same_value(column, sent, found), (sent, found)
    hidden = name == "Posix" and column.category is Category.TIMESTAMP
    if name not in {"Clock", "Fine", "Cut"} and not hidden:
        # INFORMATION_SCHEMA has no digits of these, and a POSIXTIME shows as text where dates are ODBC text.
        assert stored_form(column, sent, found), (sent, found)
    other = parse(column.category, data.draw(VALUES[name].filter(lambda value: _parses(column, value))))
    if stored_form(column, sent, other):
        assert same_value(column, found, other) or not same_value(column, sent, found), (sent, other)


def _parses(column: Column, value: Any) -> bool:
    try:
        parse(column.category, value)
    except IrisQuartError:
        return False
    return True


def test_raising_guard_that_does_not_match_changes_nothing(bench: Bench) -> None:
    for name in VALUES:
        column = bench.table.column(name)
        seen = guards_for(
            {column: "2000-01-01" if column.category.is_temporal else 1}, preview=200
        ).conditions
        statement = update_statement(bench.table, "1", {column: None}, seen, raising=True)
        bench.runner.run(bench.client.query("USER", f"UPDATE {bench.table.sql} SET {column.sql} = NULL"))
        with pytest.raises(SqlError) as error:
            bench.runner.run(bench.client.query("USER", statement.sql, statement.parameters, write=True))
        assert error.value.sqlcode == -400
