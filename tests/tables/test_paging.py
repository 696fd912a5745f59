"""Paging by key equals sorting the whole table, whatever the data, order, filters and writers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from iris_quart.config import Settings
from iris_quart.demo.engine.namespace import Namespace
from iris_quart.demo.http.encodings import Encoding
from iris_quart.sql.filters import Operator
from iris_quart.tables import Tables
from iris_quart.tables.row_queries import FilterRequest, RowQueryRequest
from iris_quart.tables.rows import After, Before, Jump, Page, StartAt
from tests.tables.engine import EngineClient, engine

SCRIPT = """
CREATE TABLE T.Things (Word VARCHAR(40), Code VARCHAR(20) COLLATE %EXACT, Whole BIGINT, Amount NUMERIC(18, 4),
    Ratio DOUBLE, Day DATE, Clock TIME, Stamp TIMESTAMP, Posix POSIXTIME, Flag BIT, Note VARCHAR(5000));
"""
COLUMNS = ("Word", "Code", "Whole", "Amount", "Ratio", "Day", "Clock", "Stamp", "Posix", "Flag", "Note")
WORDS = st.sampled_from(
    ["", "a", "A", "b", "B ", " b", "Ä", "ä", "zz", "Zz", "it's", "100%", "a_b", "42", "9"]
)
LOGICAL: dict[str, st.SearchStrategy[Any]] = {
    "Word": WORDS,
    "Code": WORDS,
    "Whole": st.sampled_from([0, 1, -1, 7, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)]),
    "Amount": st.sampled_from([Decimal("0.1"), Decimal("-0.1"), Decimal(3), Decimal("12345678901234.5678")]),
    "Ratio": st.sampled_from([0.1, 0.30000000000000004, 0.3, -2.5, 1e300, 1e-300]),
    "Day": st.integers(-672045, 2980013),
    "Clock": st.integers(0, 86399),
    "Stamp": st.sampled_from(["2024-01-01 00:00:00", "2024-01-01 00:00:00.5", "1999-12-31 23:59:59"]),
    "Posix": st.integers(2**60, 2**60 + 10).map(lambda value: value),
    "Flag": st.integers(0, 1),
    "Note": st.sampled_from(["", "x" * 150, "x" * 1500, "X" * 1500, "y"]),
}
ROWS = st.lists(
    st.tuples(*(st.none() | LOGICAL[name] for name in COLUMNS)).filter(any), min_size=0, max_size=14
)
SORTS = st.lists(
    st.tuples(st.sampled_from(COLUMNS), st.booleans()), max_size=3, unique_by=lambda item: item[0]
)
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
# No explain phase: it traces every line, which takes longer than the tests.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
MODEL = settings(max_examples=60, deadline=None, suppress_health_check=QUIET, phases=PHASES)
WIDE_MODEL = settings(MODEL, max_examples=150)
SETTINGS = Settings()
ENCODINGS = [
    Encoding(),
    Encoding(nulls="null", dates="odbc", doubles="digits"),
    Encoding(nulls="merged", numerics="string", big_integers="string", digits="number"),
]


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    with engine(tmp_path_factory.mktemp("things"), SCRIPT) as namespace:
        yield namespace


def fill(namespace: Namespace, rows: list[tuple[Any, ...]]) -> list[str]:
    """Put rows in place of those there; gives their row IDs."""
    namespace.execute("DELETE FROM T.Things")
    namespace.bulk_load("T.Things", COLUMNS, rows)
    return [str(row[0]) for row in namespace.execute("SELECT %ID FROM T.Things ORDER BY %ID").rows]


def upper(text: str | None) -> str:
    """Collate as SQLUPPER does: without letter case and blanks at the end (SQL Guide, Collation)."""
    return (text or "").upper().rstrip()


def collated(name: str, value: Any) -> tuple[int, Any]:
    """Order as IRIS does: NULL first; text by SQLUPPER unless EXACT, long text by its first 200."""
    if value is None:
        return (0, 0)
    if isinstance(value, str) and name != "Code" and name != "Stamp":
        value = upper(value[:200])
    return (1, value)


def in_order(rows: list[tuple[Any, ...]], ids: list[str], sort: list[tuple[str, bool]]) -> list[str]:
    """Sort row IDs as a plain model does: by the last column first, each sort being stable."""
    numbered = list(zip(ids, rows, strict=True))
    for name, descending in reversed(sort):
        place = COLUMNS.index(name)

        def key(item: tuple[str, tuple[Any, ...]], name: str = name, place: int = place) -> tuple[int, Any]:
            return collated(name, item[1][place])

        # reverse=True keeps equal rows in their order, so the row ID always ascends.
        numbered.sort(key=key, reverse=descending)
    return [row_id for row_id, _ in numbered]


def services(namespace: Namespace, encoding: Encoding) -> Tables:
    return Tables(EngineClient(namespace, encoding), SETTINGS, server_key="model")


async def walk(
    tables: Tables, request: RowQueryRequest, *, between: Callable[[int], None] = lambda _page: None
) -> list[Page]:
    """Read all pages from the first on by their cursors."""
    view = await tables.rows.view(request)
    pages = [await tables.rows.page(view, Jump(0))]
    while (cursor := pages[-1].next) is not None:
        between(len(pages))
        pages.append(await tables.rows.page(view, After(cursor)))
        assert len(pages) < 500
    return pages


def ids_of(pages: list[Page]) -> list[str | None]:
    return [row_id for page in pages for row_id in page.row_ids]


@MODEL
@given(ROWS, SORTS, st.integers(1, 9), st.sampled_from(ENCODINGS))
async def test_pages_by_key_are_the_sorted_table(
    things: Namespace,
    rows: list[tuple[Any, ...]],
    sort: list[tuple[str, bool]],
    size: int,
    encoding: Encoding,
) -> None:
    ids = fill(things, rows)
    expected = in_order(rows, ids, sort)
    tables = services(things, encoding)
    request = RowQueryRequest("USER", "T.Things", sort=tuple(sort), page_size=size)
    forward = await walk(tables, request)
    assert ids_of(forward) == expected
    assert forward[-1].least_total == len(expected)
    assert forward[-1].total == (len(expected) if len(forward) == 1 else None), "a cursor's number may be old"
    assert [page.position for page in forward] == [index * size for index in range(len(forward))]

    view = await tables.rows.view(request)
    backward = [await tables.rows.page(view, Before("end"))]
    while (cursor := backward[0].previous) is not None:
        backward.insert(0, await tables.rows.page(view, Before(cursor)))
        assert len(backward) < 500
    assert ids_of(backward) == expected

    for offset in (1, len(rows) // 2, len(rows), len(rows) + 3):
        jumped = await tables.rows.page(view, Jump(offset))
        assert jumped.row_ids == expected[offset : offset + size]
    await tables.close()


@MODEL
@given(ROWS.filter(lambda rows: len(rows) > 3), SORTS, st.integers(1, 5), st.data())
async def test_no_row_is_missed_or_seen_twice_beside_a_writer(
    things: Namespace,
    rows: list[tuple[Any, ...]],
    sort: list[tuple[str, bool]],
    size: int,
    data: st.DataObject,
) -> None:
    ids = fill(things, rows)
    tables = services(things, Encoding())
    doomed = data.draw(st.lists(st.sampled_from(ids), max_size=len(ids) - 1, unique=True))
    gone = iter(doomed)

    def write(_page: int) -> None:
        row_id = next(gone, None)
        if row_id is not None:
            things.execute("DELETE FROM T.Things WHERE %ID = ?", [int(row_id)])
        new = data.draw(st.tuples(*(st.none() | LOGICAL[name] for name in COLUMNS)).filter(any))
        things.bulk_load("T.Things", COLUMNS, [new])

    request = RowQueryRequest("USER", "T.Things", sort=tuple(sort), page_size=size)
    written = 0

    def at_most_ten(page: int) -> None:
        nonlocal written
        if written < 10:
            written += 1
            write(page)

    seen = ids_of(await walk(tables, request, between=at_most_ten))
    assert len(seen) == len(set(seen)), "no row is seen twice"
    stayed = [row_id for row_id in in_order(rows, ids, sort) if row_id not in doomed]
    assert [row_id for row_id in seen if row_id in stayed] == stayed, "and none that stayed is left out"
    await tables.close()


FILTERS = st.sampled_from(
    [
        (
            FilterRequest("Word", "a", Operator.EQUALS),
            lambda row: row[0] is not None and upper(row[0]) == "A",
        ),
        (FilterRequest("Word", "a", Operator.EQUALS, match_case=True), lambda row: row[0] == "a"),
        (FilterRequest("Word", None, Operator.EQUALS), lambda row: row[0] is None),
        (FilterRequest("Word", "", Operator.EQUALS), lambda row: row[0] == ""),
        (FilterRequest("Word", operator=Operator.IS_EMPTY), lambda row: row[0] == ""),
        (FilterRequest("Word", operator=Operator.IS_NULL), lambda row: row[0] is None),
        (FilterRequest("Word", operator=Operator.IS_NOT_NULL), lambda row: row[0] is not None),
        (FilterRequest("Word", "b", Operator.CONTAINS), lambda row: "B" in (row[0] or "").upper()),
        (FilterRequest("Word", "b", Operator.CONTAINS, match_case=True), lambda row: "b" in (row[0] or "")),
        (FilterRequest("Word", "%", Operator.CONTAINS), lambda row: "%" in (row[0] or "")),
        (
            FilterRequest("Word", "a_", Operator.STARTS_WITH),
            lambda row: (row[0] or "").upper().startswith("A_"),
        ),
        (FilterRequest("Word", "Z", Operator.ENDS_WITH), lambda row: (row[0] or "").upper().endswith("Z")),
        # %SQLUPPER, by which the comparison goes, drops trailing blanks.
        (FilterRequest("Word", "?"), lambda row: len((row[0] or "").rstrip(" ")) == 1),
        (FilterRequest("Word", "*b*"), lambda row: "B" in (row[0] or "").upper()),
        (FilterRequest("Word", "a_b"), lambda row: row[0] == "a_b"),
        (
            FilterRequest("Word", "b", Operator.NOT_EQUALS),
            lambda row: row[0] is None or upper(row[0]) != "B",
        ),
        (
            FilterRequest("Word", ["a", None, ""], Operator.IN),
            lambda row: upper(row[0]) in {"A", ""},
        ),
        (FilterRequest("Code", "a", Operator.EQUALS), lambda row: row[1] == "a"),
        (FilterRequest("Code", "A", Operator.CONTAINS), lambda row: "a" in (row[1] or "").lower()),
        (FilterRequest("Code", "A", Operator.CONTAINS, match_case=True), lambda row: "A" in (row[1] or "")),
        (
            FilterRequest("Code", "A", Operator.STARTS_WITH),
            lambda row: (row[1] or "").lower().startswith("a"),
        ),
        (
            FilterRequest("Code", "A", Operator.STARTS_WITH, match_case=True),
            lambda row: (row[1] or "").startswith("A"),
        ),
        (FilterRequest("Code", "B", Operator.ENDS_WITH), lambda row: (row[1] or "").lower().endswith("b")),
        (FilterRequest("Code", "*A*"), lambda row: "a" in (row[1] or "").lower()),
        (FilterRequest("Whole", 2**53 + 1, Operator.EQUALS), lambda row: row[2] == 2**53 + 1),
        (FilterRequest("Whole", "7"), lambda row: row[2] == 7),
        (FilterRequest("Whole", "9007*"), lambda row: str(row[2]).startswith("9007")),
        (FilterRequest("Whole", 0, Operator.GREATER), lambda row: row[2] is not None and row[2] > 0),
        (
            FilterRequest("Whole", [-1, 7], Operator.BETWEEN),
            lambda row: row[2] is not None and -1 <= row[2] <= 7,
        ),
        (
            FilterRequest("Amount", Decimal("12345678901234.5678"), Operator.EQUALS),
            lambda row: row[3] == Decimal("12345678901234.5678"),
        ),
        (FilterRequest("Ratio", Decimal("0.1"), Operator.EQUALS), lambda row: row[4] == 0.1),
        (
            FilterRequest("Day", "2000-01-01", Operator.LESS),
            lambda row: row[5] is not None and row[5] < 58074,
        ),
        (FilterRequest("Day", "2000*"), lambda row: row[5] is not None and 58074 <= row[5] < 58074 + 366),
        (FilterRequest("Clock", "12:00", Operator.GREATER_OR_EQUAL), lambda row: (row[6] or 0) >= 43200),
        (
            FilterRequest("Stamp", "2024-01-01 00:00:00", Operator.EQUALS),
            lambda row: row[7] == "2024-01-01 00:00:00",
        ),
        (
            FilterRequest("Posix", "1970-01-01 00:00:00.000005", Operator.LESS_OR_EQUAL),
            lambda row: row[8] is not None and row[8] <= 2**60 + 5,
        ),
        (FilterRequest("Flag", True, Operator.EQUALS), lambda row: row[9] == 1),
    ]
)


@WIDE_MODEL
@given(ROWS, st.lists(FILTERS, min_size=1, max_size=2), SORTS, st.sampled_from(ENCODINGS))
async def test_filters_leave_the_rows_that_a_model_leaves(
    things: Namespace,
    rows: list[tuple[Any, ...]],
    filters: list[tuple[FilterRequest, Callable[[Any], bool]]],
    sort: list[tuple[str, bool]],
    encoding: Encoding,
) -> None:
    if encoding.dates == "odbc":
        # A column without rows tells nothing of its kind, and there is nothing to find in it either.
        filters = [item for item in filters if item[0].column != "Posix"]
    ids = fill(things, rows)
    tables = services(things, encoding)
    request = RowQueryRequest(
        "USER", "T.Things", filters=tuple(item[0] for item in filters), sort=tuple(sort), page_size=4
    )
    pages = await walk(tables, request)
    left = {row_id for row_id, row in zip(ids, rows, strict=True) if all(item[1](row) for item in filters)}
    assert ids_of(pages) == [row_id for row_id in in_order(rows, ids, sort) if row_id in left]
    view = await tables.rows.view(request)
    assert await tables.counts.total(view) == len(left)
    await tables.close()


async def test_search_finds_any_letter_case_in_a_column_that_compares_exactly(things: Namespace) -> None:
    rows = [("x", code, *(None,) * 9) for code in ("Fog", "fog", "a FOGGY day", "clear", None)]
    ids = fill(things, rows)
    tables = services(things, Encoding())
    pages = await walk(tables, RowQueryRequest("USER", "T.Things", search="fOg", page_size=4))
    assert ids_of(pages) == ids[:3]
    await tables.close()


@pytest.mark.parametrize("release", [(2023, 1), (2025, 1)])
@pytest.mark.parametrize("table", ["T.Numbers", "T.Shown"])
async def test_jumps_in_every_release(tmp_path: Path, release: tuple[int, int], table: str) -> None:
    script = """
    CREATE TABLE T.Numbers (N INTEGER, M INTEGER);
    CREATE VIEW T.Shown AS SELECT N, M FROM T.Numbers;
    """
    with engine(tmp_path, script, release) as namespace:
        namespace.bulk_load("T.Numbers", ("N", "M"), [(number, number % 3) for number in range(20)])
        client = EngineClient(namespace, release=release)
        tables = Tables(client, SETTINGS, server_key="jumps")
        view = await tables.rows.view(RowQueryRequest("USER", table, sort=(("M", True),), page_size=6))
        expected = sorted(range(20), key=lambda number: (-(number % 3), number))
        for offset in (0, 1, 5, 14, 19, 20, 40):
            page = await tables.rows.page(view, Jump(offset))
            assert [row["N"] for row in page.rows] == expected[offset : offset + 6]
            assert page.position == offset
        assert any(" OFFSET ?" in sql for sql in client.statements) is (release >= (2025, 1))
        forward = await walk(tables, RowQueryRequest("USER", table, sort=(("M", True),), page_size=6))
        assert [row["N"] for page in forward for row in page.rows] == expected
        back = await tables.rows.page(view, Before(forward[-1].previous or ""))
        assert [row["N"] for row in back.rows] == expected[12:18]
        await tables.close()


async def test_a_page_starts_at_a_key_value(things: Namespace) -> None:
    ids = fill(things, [(word, *(None,) * 10) for word in ["b", "a", "c", None, "C", "a"]])
    tables = services(things, Encoding())
    view = await tables.rows.view(RowQueryRequest("USER", "T.Things", sort=(("Word", False),), page_size=2))
    page = await tables.rows.page(view, StartAt("b"))
    assert [row["Word"] for row in page.rows] == ["b", "c"]
    assert page.position is None
    rest = await tables.rows.page(view, After(page.next or ""))
    assert [row["Word"] for row in rest.rows] == ["C"]
    before = await tables.rows.page(view, Before(page.previous or ""))
    assert [row["Word"] for row in before.rows] == ["a", "a"]

    unsorted = await tables.rows.view(RowQueryRequest("USER", "T.Things", page_size=2))
    found = await tables.rows.page(unsorted, StartAt(int(ids[3])))
    assert found.row_ids == ids[3:5]
    await tables.close()


async def test_identical_reads_are_sent_once_but_not_across_a_write(things: Namespace) -> None:
    fill(things, [("a", *(None,) * 10)])
    client = EngineClient(things)
    tables = Tables(client, SETTINGS, server_key="once")
    view = await tables.rows.view(RowQueryRequest("USER", "T.Things"))
    gate = asyncio.Event()
    client.before = lambda sql: gate if sql.startswith("SELECT TOP") else None
    client.log.clear()
    reads = [asyncio.create_task(tables.rows.page(view, Jump(0))) for _ in range(3)]
    await asyncio.sleep(0)
    tables.note_write("USER", "T.Things", inserted=1)
    later = asyncio.create_task(tables.rows.page(view, Jump(0)))
    while len(client.log) < 2:
        await asyncio.sleep(0)
    things.bulk_load("T.Things", COLUMNS, [("b", *(None,) * 10)])
    gate.set()
    assert len((await later).rows) == 2
    for read in reads:
        await read
    assert len(client.log) == 2
    await tables.close()


def test_positions_never_fall(things: Namespace) -> None:
    """The model above compares positions only without writers; here the pages must at least follow each other."""

    async def run() -> None:
        fill(things, [(str(number), *(None,) * 10) for number in range(9)])
        tables = services(things, Encoding())
        pages = await walk(tables, RowQueryRequest("USER", "T.Things", page_size=2))
        assert all((a.position or 0) < (b.position or 0) for a, b in pairwise(pages))
        await tables.close()

    asyncio.run(run())
