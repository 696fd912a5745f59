"""Rows that are passed on as bytes are the very rows that the decoder gives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iris_quart.demo.engine.namespace import Namespace
from iris_quart.demo.http.encodings import Encoding
from iris_quart.protocol import encode_json
from iris_quart.sql.metadata import Column
from iris_quart.sql.passthrough import Passing, passing_for
from iris_quart.sql.server_format import NumberForm, ServerFormat, TextForm
from iris_quart.sql.values import Category
from iris_quart.tables import Tables, pages
from iris_quart.tables.row_queries import RowQueryRequest
from iris_quart.tables.rows import After, Before, Jump
from iris_quart.tables.time_slices import TimeSlices
from tests.tables.engine import EngineClient, engine
from tests.tables.test_paging import LOGICAL, SETTINGS, SORTS, WIDE_MODEL

PIECES = [*'":,{}[]\\\0\n\t/u0x\u2028é👍', '""', ':"', '\\"', ':""', '{"row_id":1,', "null", "\\u0000"]
NASTY = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
READER = msgspec.json.Decoder(float_hook=Decimal)
PASSED = {**LOGICAL, "Word": NASTY, "Code": NASTY}
COLUMNS = tuple(name for name in PASSED if name != "Note")
SCRIPT = """
CREATE TABLE T.Things (Word VARCHAR(400), Code VARCHAR(400) COLLATE %EXACT, Whole BIGINT, Amount NUMERIC(18, 4),
    Ratio DOUBLE, Day DATE, Clock TIME, Stamp TIMESTAMP, Posix POSIXTIME, Flag BIT);
"""


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    with engine(tmp_path_factory.mktemp("passing"), SCRIPT) as namespace:
        yield namespace


@settings(WIDE_MODEL)
@given(
    st.lists(st.tuples(*(st.none() | PASSED[name] for name in COLUMNS)).filter(any), max_size=8),
    SORTS.map(lambda sort: tuple(item for item in sort if item[0] != "Note")),
    st.integers(1, 5),
    st.sampled_from([Encoding(), Encoding(nulls="null")]),
)
async def test_passed_rows_are_the_decoded_rows(
    things: Namespace,
    rows: list[tuple[Any, ...]],
    sort: tuple[tuple[str, bool], ...],
    size: int,
    encoding: Encoding,
) -> None:
    things.execute("DELETE FROM T.Things")
    things.bulk_load("T.Things", COLUMNS, rows)
    tables = Tables(EngineClient(things, encoding), SETTINGS, server_key="passing")
    view = await tables.rows.view(RowQueryRequest("USER", "T.Things", sort=sort, page_size=size))
    places: list[Jump | After | Before] = [Jump(0), Jump(1), Before("end")]
    for place in places:
        decoded = await tables.rows.page(view, place)
        passed = await tables.rows.page(view, place, pass_on=True)
        assert passed.passed is not None
        assert passed.row_ids == decoded.row_ids
        assert (passed.next, passed.previous, passed.total) == (decoded.next, decoded.previous, decoded.total)
        ours = READER.decode(encode_json(passed.passed))
        theirs = READER.decode(encode_json(decoded.rows))
        assert ours == theirs
        assert [{name: str(value) for name, value in row.items()} for row in ours] == [
            {name: str(value) for name, value in row.items()} for row in theirs
        ]
        if decoded.next is not None and len(places) < 8:
            places.append(After(decoded.next))
    await tables.close()


def raws(*rows: str) -> list[msgspec.Raw]:
    return [msgspec.Raw(row.encode()) for row in rows]


PLAIN = Passing("row_id", replace=True, doubles=True, booleans=True)


@pytest.mark.parametrize(
    "row",
    [
        '{"row_id":"1||2","a":1}',
        '{"row_id": 1,"a":1}',
        '{ "row_id":1,"a":1}',
        '{"a":1,"row_id":1}',
        '{"row_id":1}',
        '{"row_id":1,"a":true}',
        '{"row_id":1,"a":"NAN"}',
        '{"row_id":1,"a":"-INF"}',
        '{"row_id":1.5,"a":1}',
        '{"row_id":1,\n"a":1,"b":2}\n{"row_id":2,"a":1}',
    ],
)
def test_what_looks_otherwise_is_decoded(row: str) -> None:
    assert PLAIN.rows(raws('{"row_id":7,"a":1}', row)) is None


def test_bytes_that_are_no_text_are_decoded() -> None:
    assert PLAIN.rows([msgspec.Raw(b'{"row_id":1,"a":"\xff"}')]) is None


def test_null_and_empty_are_spelled_as_the_wire_does() -> None:
    passed = PLAIN.rows(raws('{"row_id":1,"a":"","b":"\\u0000","c":":\\"\\"","d":"x\\u0000"}'))
    assert passed is not None
    assert bytes(passed.rows) == b'[{"a":null,"b":"","c":":\\"\\"","d":"x\\u0000"}]'
    assert passed.row_ids == ["1"]


def test_no_rows() -> None:
    passed = PLAIN.rows([])
    assert passed is not None
    assert (bytes(passed.rows), passed.row_ids) == (b"[]", [])


TEXT = Column("a", "varchar", Category.TEXT, max_length=50)


@pytest.mark.parametrize(
    ("column", "encoding", "allowed"),
    [
        (TEXT, ServerFormat(), True),
        (TEXT, ServerFormat(null=TextForm.NULL, empty=TextForm.BLANK), True),
        (TEXT, ServerFormat(null=TextForm.BLANK, empty=TextForm.BLANK), False),
        (TEXT, ServerFormat(null=TextForm.MISSING, empty=TextForm.BLANK), False),
        (TEXT, ServerFormat(digits_as_numbers=True), False),
        (TEXT, ServerFormat(big_integers=NumberForm.STRING), False),
        (TEXT, ServerFormat(numerics=NumberForm.ROUNDED), False),
        (Column("a", "varchar", Category.TEXT, max_length=5000), ServerFormat(), False),
        (Column("a", "date", Category.DATE), ServerFormat(), False),
        (Column("a", "date", Category.DATE), ServerFormat(odbc_as_text=True), True),
        (Column("a", "list", Category.LIST), ServerFormat(), False),
        (Column("a", "varbinary", Category.BINARY), ServerFormat(), False),
        (Column("a", "vector", Category.UNKNOWN), ServerFormat(), False),
        (Column("a", "double", Category.DOUBLE), ServerFormat(doubles=NumberForm.STRING), False),
    ],
)
def test_only_what_needs_no_decoding_is_passed_on(
    column: Column, encoding: ServerFormat, allowed: bool
) -> None:
    assert (passing_for([column], encoding, "row_id") is not None) is allowed


@pytest.mark.parametrize("encoding", [Encoding(), Encoding(nulls="merged", numerics="string")])
async def test_many_rows_are_worked_on_in_pieces_and_are_the_same(
    things: Namespace, encoding: Encoding, monkeypatch: pytest.MonkeyPatch
) -> None:
    things.execute("DELETE FROM T.Things")
    words = ["", None, "é", 'q"', "\0", "x"]
    rows = [(words[i % 6], f"code {i}", i, Decimal(i) / 10, 0.5, i, i, None, None, i % 2) for i in range(40)]
    things.bulk_load("T.Things", COLUMNS, rows)
    tables = Tables(EngineClient(things, encoding), SETTINGS, server_key="passing")
    view = await tables.rows.view(RowQueryRequest("USER", "T.Things", page_size=31))
    whole = await tables.rows.page(view, Jump(0))
    for name in ("PASSED_CELLS", "DECODED_CELLS"):
        monkeypatch.setattr(pages, name, 4 * len(view.columns))
    for pass_on in (False, True):
        # In four rows at a time, the last piece shorter; several pages at once take turns.
        for page in await asyncio.gather(
            *(tables.rows.page(view, Jump(0), pass_on=pass_on) for _ in range(3))
        ):
            shown = page.rows if page.passed is None else READER.decode(encode_json(page.passed))
            assert (page.passed is not None) is pass_on
            assert shown == READER.decode(encode_json(whole.rows))
            assert (page.row_ids, page.previews) == (whole.row_ids, whole.previews)
            assert (page.next, page.previous) == (whole.next, whole.previous)
    await tables.close()


async def test_turns_let_others_go_between() -> None:
    turns = TimeSlices()
    seen: list[str] = []

    async def long_work(name: str) -> None:
        async for piece in turns.pieces(range(6), 2):
            work(f"{name}{piece[0]}")

    async def short_work() -> None:
        for _ in range(12):
            work("short")
            await asyncio.sleep(0)

    def work(name: str) -> None:
        seen.append(name)

    await asyncio.gather(long_work("a"), long_work("b"), short_work())
    places = [place for place, name in enumerate(seen) if name != "short"]
    assert sorted(seen[place] for place in places) == ["a0", "a2", "a4", "b0", "b2", "b4"]
    # Never two pieces in one round: something short stands between them.
    assert all(later - earlier > 1 for earlier, later in pairwise(places))
