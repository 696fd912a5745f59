"""The sample data: there once, the same each time, and as hard as promised."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.engine.namespace import Namespace
from iris_quart.demo.http.settings import DemoOptions
from iris_quart.demo.samples import open_namespaces
from iris_quart.demo.samples.building import BUILDING, CONTENTS, build_missing, database_path, script
from iris_quart.demo.samples.chance import Chance, day, posixtime, seconds, timestamp


@pytest.fixture(scope="module")
def namespaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Namespace]]:
    opened = open_namespaces(DemoOptions(directory=tmp_path_factory.mktemp("samples")))
    yield opened
    for namespace in opened.values():
        namespace.close()


def test_every_table_has_the_rows_that_were_made(namespaces: dict[str, Namespace]) -> None:
    for name, contents in CONTENTS.items():
        for load in contents.loads:
            quoted = ".".join(f'"{part}"' for part in load.table.split("."))
            [(count,)] = namespaces[name].execute(f"SELECT COUNT(*) FROM {quoted}").rows
            assert count == sum(1 for _ in load.rows()), load.table


def test_rows_are_the_same_each_time() -> None:
    for contents in CONTENTS.values():
        for load in contents.loads:
            assert list(load.rows()) == list(load.rows())


def test_the_tables_that_others_rely_on(namespaces: dict[str, Namespace]) -> None:
    samples = namespaces["SAMPLES"]
    columns = {
        str(row[0])
        for row in samples.execute(
            "SELECT COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = 'Sample' AND TABLE_NAME = 'Person'"
        ).rows
    }
    assert {
        "ID",
        "Name",
        "SSN",
        "DOB",
        "Home_City",
        "Office_City",
        "FavoriteColors",
        "Spouse",
        "Age",
    } <= columns
    assert samples.execute("SELECT COUNT(*), COUNT(DISTINCT SSN) FROM Sample.Person").rows == [(200, 200)]
    with pytest.raises(SqlError) as caught:
        samples.execute("INSERT INTO Sample.Employee (Name, Company) VALUES ('x', 9999)")
    assert caught.value.sqlcode == -121


def test_ages_follow_from_dates_of_birth(namespaces: dict[str, Namespace]) -> None:
    rows = namespaces["SAMPLES"].execute("SELECT %ODBCOUT(DOB), Age FROM Sample.Person").rows
    today = time.strftime("%Y-%m-%d")
    for born, age in rows:
        if born is None:
            assert age is None
        else:
            assert age == int(today[:4]) - int(str(born)[:4]) - (today[5:] < str(born)[5:])


def test_spouses_and_managers_are_there(namespaces: dict[str, Namespace]) -> None:
    samples = namespaces["SAMPLES"]
    missing = "SELECT COUNT(*) FROM {0} t WHERE t.{1} IS NOT NULL AND t.{1} NOT IN (SELECT ID FROM {0})"
    assert samples.execute(missing.format("Sample.Person", "Spouse")).rows == [(0,)]
    assert samples.execute(missing.format("Sample.Employee", "Manager")).rows == [(0,)]


@pytest.mark.parametrize(("label", "column", "value"), [
    ("largest", "BigintValue", 2**63 - 1), ("largest", "NumericValue", Decimal("99999999999999.9999")),
    ("largest", "TimestampValue", "9999-12-31 23:59:59.999999999"), ("largest", "DoubleValue", 1.7976931348623157e308),
    ("beyond 2^53", "BigintValue", 2**53 + 1), ("year 1841", "DateValue", 2), ("null", "VarcharValue", None),
    ("empty string", "VarcharValue", ""), ("zero bytes", "VarcharValue", "a\u0000b"),
    ("emoji", "ExactValue", "\U0001f600"),
    ("line ends", "VarcharValue", "first\nsecond\r\nthird\ttab"),
    ("usual", "PosixtimeValue", posixtime(1_709_210_096_789_000)),
    ("usual", "PreciseTimeValue", Decimal("45296.789")), ("usual", "VarbinaryValue", b"\x01\x02\xfe\xff"),
    ("a tenth", "DoubleValue", 0.1), ("a tenth", "NumericValue", Decimal("0.1")), ("usual", "ComputedValue", "[usual]"),
])  # fmt: skip
def test_hard_values_come_back(
    namespaces: dict[str, Namespace], label: str, column: str, value: object
) -> None:
    [(found,)] = (
        namespaces["SAMPLES"]
        .execute(f"SELECT {column} FROM SQLUser.TypeMatrix WHERE Label = ?", [label])
        .rows
    )
    assert found == value


def test_composite_keys_hold(namespaces: dict[str, Namespace]) -> None:
    with pytest.raises(SqlError) as caught:
        namespaces["USER"].execute(
            "INSERT INTO Inventory.Movement (Warehouse, Sku, Change) VALUES ('EAST', 'no such item', 1)"
        )
    assert caught.value.sqlcode == -121


def test_what_was_changed_stays(tmp_path: Path) -> None:
    options = DemoOptions(directory=tmp_path)
    for expected in ("", "changed"):
        opened = open_namespaces(options)
        [(mission,)] = opened["SAMPLES"].execute("SELECT Mission FROM Sample.Company WHERE ID = 1").rows
        assert (mission == "changed") is bool(expected)
        opened["SAMPLES"].execute("UPDATE Sample.Company SET Mission = 'changed' WHERE ID = 1")
        for namespace in opened.values():
            namespace.close()


def test_a_start_that_was_cut_short_is_made_good(tmp_path: Path) -> None:
    path = database_path(tmp_path, "USER")
    path.with_name(path.name + BUILDING).write_bytes(b"half of a database")
    build_missing(tmp_path, None)
    assert path.exists()
    assert list(tmp_path.glob("*" + BUILDING + "*")) == []


def test_the_large_table_is_made_once(tmp_path: Path) -> None:
    for rows in (None, 3000, 5000):
        opened = open_namespaces(DemoOptions(directory=tmp_path, rows=rows))
        samples = opened["SAMPLES"]
        if rows:
            assert samples.execute("SELECT COUNT(*), MAX(ID) FROM Big.Measurement").rows == [(3000, 3000)]
            assert samples.execute(
                "SELECT COUNT(*) FROM Big.Measurement WHERE Station = 'coast-000'"
            ).rows == [(0,)]
            [(found,)] = samples.execute(
                "SELECT COUNT(*) FROM Big.Measurement WHERE Station = 'Coast-000'"
            ).rows
            assert found == 15
        for namespace in opened.values():
            namespace.close()


def test_a_large_table_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    build_missing(tmp_path, None)
    with closing(Namespace("SAMPLES", database_path(tmp_path, "SAMPLES"))) as samples:
        samples.run_script(script("measurements.sql"))
    build_missing(tmp_path, 1000)
    with closing(Namespace("SAMPLES", database_path(tmp_path, "SAMPLES"))) as samples:
        assert samples.execute("SELECT COUNT(*) FROM Big.Measurement").rows == [(1000,)]


def test_chance_is_the_same_everywhere() -> None:
    chance = Chance(1, 2, 3)
    assert [chance.below(1000) for _ in range(5)] == [
        Chance(1, 2, 3).below(1000),
        *[chance_at(n) for n in range(1, 5)],
    ]
    assert {Chance(1, n).between(3, 5) for n in range(100)} == {3, 4, 5}
    assert Chance(4).pick("a") == "a"
    assert Chance(4).maybe(1, 100) == 1
    assert Chance(4).maybe(1, 0) is None


def chance_at(position: int) -> int:
    chance = Chance(1, 2, 3)
    return [chance.below(1000) for _ in range(position + 1)][-1]


def test_logical_values() -> None:
    assert (day(1840, 12, 31), day(1841, 1, 1), day(2024, 2, 29)) == (0, 1, 66899)
    assert seconds(12, 34, 56) == 45296
    assert timestamp(66899, 45296) == "2024-02-29 12:34:56"
    assert posixtime(-62_135_596_800_000_000) == -6_979_664_624_441_081_856
    assert posixtime(253_402_300_799_999_999) == 1_406_323_805_406_846_975
