"""Every type: what goes in comes out, in both modes, and what its column refuses."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo.core import values
from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.engine.namespace import Namespace

TABLE = """CREATE TABLE Types (Text VARCHAR(20), Exact VARCHAR(20) COLLATE %EXACT,
    Tiny TINYINT, Small SMALLINT, Whole INTEGER,
    Big BIGINT, Bit BIT, Num NUMERIC(10,2), Money MONEY, Long NUMERIC(19,0), Double DOUBLE, Day DATE, Clock TIME(3),
    Stamp TIMESTAMP, Posix POSIXTIME, Guid UNIQUEIDENTIFIER, Bin VARBINARY(10), Memo LONGVARCHAR, Blob LONGVARBINARY)"""

ROUND_TRIPS: list[tuple[str, Any, Any]] = [
    ("Text", "", ""),
    ("Text", None, None),
    ("Text", 'O\'Neil "x"\r\n\t😀', 'O\'Neil "x"\r\n\t😀'),
    ("Text", "a\0b\0", "a\0b\0"),
    ("Text", 42, "42"),
    ("Text", "023", "023"),
    ("Tiny", 127, 127),
    ("Tiny", "-128", -128),
    ("Small", -32768, -32768),
    ("Whole", "2147483647", 2**31 - 1),
    ("Whole", 5.0, 5),
    ("Big", 2**63 - 1, 2**63 - 1),
    ("Big", "-9223372036854775808", -(2**63)),
    ("Bit", True, 1),
    ("Bit", "0", 0),
    ("Num", "12345678.91", Decimal("12345678.91")),
    ("Num", "1.50", Decimal("1.5")),
    ("Num", -0.01, Decimal("-0.01")),
    ("Money", "0.0001", Decimal("0.0001")),
    ("Long", "9223372036854775807", Decimal(9223372036854775807)),
    ("Double", "0.1", 0.1),
    ("Double", 1e308, 1e308),
    ("Double", "inf", math.inf),
    ("Double", 3, 3.0),
    ("Day", 1, 1),
    ("Day", "65500", 65500),
    ("Day", 0, 0),
    ("Day", values.LAST_DAY, values.LAST_DAY),
    ("Clock", 0, 0),
    ("Clock", "86399.999", Decimal("86399.999")),
    ("Clock", "1.23456", Decimal("1.234")),
    ("Stamp", "2020-01-01 10:00:00.120", "2020-01-01 10:00:00.12"),
    ("Stamp", "1841-01-01", "1841-01-01 00:00:00"),
    ("Posix", 2**60, 2**60),
    ("Posix", str(-6979664624441081856), -6979664624441081856),
    ("Guid", "0E984725-C51C-4BF4-9960-E1C80E27ABA0", "0E984725-C51C-4BF4-9960-E1C80E27ABA0"),
    ("Bin", "a\xffb", b"a\xffb"),
]


@pytest.fixture
def types(tmp_path: Path) -> Any:
    """Open a namespace with a table of every type."""
    namespace = Namespace("X", tmp_path / "x.db")
    namespace.run_script(TABLE)
    yield namespace
    namespace.close()


@pytest.mark.parametrize(("column", "written", "expected"), ROUND_TRIPS)
def test_a_written_value_comes_back(types: Namespace, column: str, written: Any, expected: Any) -> None:
    types.execute(f'INSERT INTO Types ("{column}") VALUES (?)', [written])
    types.execute(f'UPDATE Types SET "{column}" = ?', [written])
    ((found,),) = types.execute(f'SELECT "{column}" FROM Types').rows
    assert found == expected
    assert type(found) is type(expected)
    if expected not in (None, ""):
        same = types.execute(f'SELECT COUNT(*) FROM Types WHERE "{column}" = ?', [written]).rows
        assert same == [(1,)] or column == "Clock"


REFUSED: list[tuple[str, Any]] = [
    ("Text", "x" * 21),
    ("Tiny", 128),
    ("Small", "40000"),
    ("Whole", "2147483648"),
    ("Whole", "abc"),
    ("Whole", "1.5"),
    ("Whole", ""),
    ("Big", 2**63),
    ("Bit", 2),
    ("Num", "1.234"),
    ("Num", "123456789"),
    ("Num", "x"),
    ("Num", math.inf),
    ("Double", "x"),
    ("Double", "1_0"),
    ("Day", "2000-01-01"),
    ("Day", 99999999),
    ("Day", -1),
    ("Day", "1.5"),
    ("Clock", 86400),
    ("Clock", "10:00:00"),
    ("Stamp", "2020-02-30"),
    ("Stamp", "yesterday"),
    ("Posix", "2020-01-01 00:00:00"),
    ("Posix", 5),
    ("Bin", "x" * 11),
    ("Guid", "x" * 37),
]


@pytest.mark.parametrize(("column", "written"), REFUSED)
def test_a_value_its_type_refuses(types: Namespace, column: str, written: Any) -> None:
    with pytest.raises(SqlError) as caught:
        types.execute(f'INSERT INTO Types ("{column}") VALUES (?)', [written])
    assert caught.value.sqlcode == -104
    assert caught.value.text.startswith(f"Field 'SQLUser.Types.{column}' (value '")
    types.execute("INSERT INTO Types DEFAULT VALUES")
    with pytest.raises(SqlError) as caught:
        types.execute(f'UPDATE Types SET "{column}" = ?', [written])
    assert caught.value.sqlcode == -105
    assert types.execute(f'SELECT "{column}" FROM Types').rows == [(None,)]


def test_odbc_mode_reads_and_writes_odbc_text(types: Namespace) -> None:
    types.execute(
        "INSERT INTO Types (Day, Clock, Posix) VALUES (?, ?, ?)",
        ["2000-01-02", "10:11:12.5", "2000-01-01 00:00:00.25"],
        select_mode="odbc",
    )
    shown = types.execute(
        "SELECT Day, Clock, Posix FROM Types WHERE Day = ?", ["2000-01-02"], select_mode="odbc"
    )
    assert shown.rows == [("2000-01-02", "10:11:12.5", "2000-01-01 00:00:00.25")]
    assert [column.type for column in shown.columns] == ["date", "time", "posixtime"]
    logical = types.execute("SELECT Day, Clock, Posix FROM Types").rows
    assert logical == [(58075, Decimal("36672.5"), 2**60 + 946684800_250_000)]


@pytest.mark.parametrize(
    ("column", "values_in_order"),
    [
        ("Num", ["-100.5", "-2", "-1.99", "0", "0.01", "9", "10", "99999999.99"]),
        ("Big", [str(-(2**63)), "-1", "0", "9007199254740993", str(2**63 - 1)]),
        ("Clock", ["0", "0.5", "9", "10", "3600.001"]),
        ("Posix", ["-6979664624441081856", str(-1 - (6 << 60)), str(1 << 60)]),
        ("Text", ["", "a", "A b", "b", "Ç"]),
        ("Exact", ["", "B", "a", "Ç", "😀"]),
    ],
)
def test_order_and_comparison_follow_the_type(
    types: Namespace, column: str, values_in_order: list[str]
) -> None:
    for value in reversed(values_in_order):
        types.execute(f"INSERT INTO Types ({column}) VALUES (?)", [value])
    found = types.execute(f"SELECT {column} FROM Types ORDER BY {column}").rows
    keys = [
        types.execute(f"SELECT COUNT(*) FROM Types WHERE {column} < ?", [value]).rows[0][0]
        for value in values_in_order
    ]
    assert keys == list(range(len(values_in_order)))
    assert found == types.execute(f"SELECT {column} FROM Types ORDER BY {column} DESC").rows[::-1]


def test_double_is_stored_as_the_nearest_double_and_found_by_its_text(types: Namespace) -> None:
    types.execute("INSERT INTO Types (Double) VALUES (?)", ["0.30000000000000004"])
    assert types.execute(
        "SELECT Double FROM Types WHERE Double = CAST(? AS DOUBLE)", ["0.30000000000000004"]
    ).rows == [(0.1 + 0.2,)]
    assert types.execute("SELECT Double FROM Types WHERE Double = 0.3").rows == []


def test_streams_hold_megabytes_and_zero_bytes(types: Namespace) -> None:
    text = "zero \0 byte " + "x" * 3_000_000
    types.execute("INSERT INTO Types (Memo, Blob) VALUES (?, ?)", [text, "\x00\xff"])
    ((shown, length, part, blob, blob_shown),) = types.execute(
        "SELECT Memo, CHARACTER_LENGTH(Memo), SUBSTRING(Memo, 1, 12), SUBSTRING(Blob, 1, 10), Blob FROM Types"
    ).rows
    assert length == len(text)
    assert part == text[:12]
    assert blob == b"\x00\xff"
    assert len(str(shown)) < 100
    assert len(str(blob_shown)) < 100


def test_bulk_load_can_break_metadata_and_the_rows_still_read(types: Namespace) -> None:
    types.bulk_load(
        "SQLUser.Types", ["%ID", "Text", "Whole", "Num", "Day"], [[7, "x" * 50, "abc", "n/a", "soon"]]
    )
    assert types.execute("SELECT %ID, Text, Whole, Num, Day FROM Types").rows == [
        (7, "x" * 50, "abc", "n/a", "soon")
    ]
    assert types.execute("SELECT %ID FROM Types WHERE Whole > 5 AND Day > 0").rows == [(7,)]
    assert types.execute("SELECT %ID FROM Types WHERE Whole = 0").rows == []
    assert types.execute("SELECT %ODBCOUT(Day) FROM Types").rows == [("soon",)]
    assert types.execute("SELECT Day FROM Types", select_mode="odbc").rows == [("soon",)]
