"""Whole values: read in pieces, replaced only if they are still what was seen, and never lied about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo.http.encodings import Encoding
from iris_quart.errors import Conflict, ConnectionFailed, InvalidInput, OutcomeUnknown, ReadOnly, RowGone
from iris_quart.sql.metadata import Table
from iris_quart.tables import Tables
from iris_quart.tables.row_queries import RowQueryRequest
from iris_quart.tables.rows import Jump
from iris_quart.tables.whole_values import Values, value_hash
from tests.tables.engine import EngineClient, engine
from tests.tables.test_paging import SETTINGS

SCRIPT = """
CREATE TABLE V.Papers (Title VARCHAR(50), Body LONGVARCHAR, Scan LONGVARBINARY, Seal VARBINARY(100),
    Long VARCHAR(5000), Amount NUMERIC(10, 2), Day DATE, Tags %LIST,
    Seen TIMESTAMP, Ratio DOUBLE, Active BIT, Wakes TIME, At POSIXTIME,
    Loud VARCHAR(60) GENERATED ALWAYS AS (UPPER(Title)));
INSERT INTO V.Papers (Title, Body, Amount, Day) VALUES ('one', 'Hello', 1.5, TO_DATE('2024-02-29', 'YYYY-MM-DD'));
CREATE VIEW V.Shown AS SELECT Title, Body FROM V.Papers;
"""


@pytest.fixture(params=["blank", "merged"])
def papers(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    with engine(tmp_path, SCRIPT) as namespace:
        yield EngineClient(namespace, Encoding(nulls=request.param))


@pytest.fixture
async def tables(papers: EngineClient) -> AsyncIterator[Tables]:
    services = Tables(papers, SETTINGS, server_key="values")
    yield services
    await services.close()


@pytest.fixture
async def table(tables: Tables) -> Table:
    return await tables.catalogue.table("USER", "V.Papers", settled=True)


async def write(values: Values, table: Table, column: str, content: bytes | None) -> bytes | None:
    seen = await values.read_value(table, "1", column)
    now = await values.write_value(table, "1", column, content, seen.sha256)
    assert now.sha256 == value_hash(content)
    again = await values.read_value(table, "1", column)
    assert again == now
    return again.content


@pytest.mark.parametrize(
    ("column", "content"),
    [
        ("Body", "Ünï cøde ✓ 👍 and\nlines".encode()),
        ("Body", b""),
        ("Body", None),
        ("Body", ("x" * 999_999 + "é" + "y" * 1_500_000).encode()),
        ("Scan", bytes(range(256))),
        ("Scan", None),
        ("Seal", b"\x00\xff\x00"),
        ("Long", b"z" * 4000),
        ("Long", b"  blanks stay  "),
        ("Title", b"two"),
        ("Amount", b"12345678.25"),
        ("Day", b"1841-01-01"),
        ("Day", None),
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_what_is_written_is_read_again(
    tables: Tables, table: Table, column: str, content: bytes | None
) -> None:
    assert await write(tables.values, table, column, content) == content


async def test_media_types_and_hashes(tables: Tables, table: Table) -> None:
    body = await tables.values.read_value(table, "1", "Body")
    scan = await tables.values.read_value(table, "1", "Scan")
    assert (body.content, body.media_type) == (b"Hello", "text/plain; charset=utf-8")
    assert (scan.content, scan.media_type) == (None, "application/octet-stream")
    assert scan.sha256 != value_hash(b"")


async def test_another_value_is_a_conflict_and_stays(
    tables: Tables, table: Table, papers: EngineClient
) -> None:
    seen = await tables.values.read_value(table, "1", "Body")
    papers.namespace.execute("UPDATE V.Papers SET Body = 'theirs' WHERE %ID = 1")
    with pytest.raises(Conflict):
        await tables.values.write_value(table, "1", "Body", b"mine", seen.sha256)
    assert (await tables.values.read_value(table, "1", "Body")).content == b"theirs"


@pytest.mark.parametrize("column", ["Body", "Long", "Scan", "Title"])
async def test_change_between_reading_and_writing_is_found(
    tables: Tables, table: Table, papers: EngineClient, column: str
) -> None:
    await write(tables.values, table, column, b"before")
    seen = await tables.values.read_value(table, "1", column)
    query = papers.query

    async def raced(namespace: str, sql: str, parameters: Sequence[Any] = (), **options: Any) -> Any:
        if options.get("write"):
            await query(namespace, f"UPDATE V.Papers SET {column} = ? WHERE %ID = 1", ("theirs",))
        return await query(namespace, sql, parameters, **options)

    papers.query = raced  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        await tables.values.write_value(table, "1", column, b"mine", seen.sha256)
    assert (await tables.values.read_value(table, "1", column)).content == b"theirs"


ENDS = "a" * 40_000, "c" * 40_000
EMOJI = "👍" * 50


@pytest.mark.parametrize(
    ("column", "before", "theirs"),
    [
        ("Body", "b".join(ENDS), "x".join(ENDS)),
        ("Scan", "b".join(ENDS), "x".join(ENDS)),
        ("Body", EMOJI + "b", EMOJI + "x"),
        ("Body", "b" + EMOJI, "x" + EMOJI),
        ("Long", EMOJI + "b", EMOJI + "x"),
        ("Body", "Ann", "ANN"),
        ("Long", "Ann", "ANN"),
        ("Seal", "Ann", "ANN"),
    ],
    ids=lambda value: repr(value)[:12],
)
async def test_change_of_the_same_length_between_reading_and_writing_is_found(
    tables: Tables, table: Table, papers: EngineClient, column: str, before: str, theirs: str
) -> None:
    await write(tables.values, table, column, before.encode())
    seen = await tables.values.read_value(table, "1", column)
    query = papers.query

    async def raced(namespace: str, sql: str, parameters: Sequence[Any] = (), **options: Any) -> Any:
        if options.get("write"):
            await query(namespace, f"UPDATE V.Papers SET {column} = ? WHERE %ID = 1", (theirs,))
        return await query(namespace, sql, parameters, **options)

    papers.query = raced  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        await tables.values.write_value(table, "1", column, b"mine", seen.sha256)
    assert (await tables.values.read_value(table, "1", column)).content == theirs.encode()


@pytest.mark.parametrize(
    ("column", "content", "stored"),
    [
        ("Amount", b"2.50", b"2.5"),
        ("Amount", b" 3 ", b"3"),
        ("Day", b" 2024-03-01 ", b"2024-03-01"),
        ("Seen", b"2024-03-01T10:00", b"2024-03-01 10:00:00"),
        ("Ratio", b"1e-1", b"0.1"),
        ("Active", b"true", b"1"),
        ("Body", b"\x00", b""),
    ],
)
async def test_value_in_another_spelling_is_saved_as_the_database_stores_it(
    tables: Tables, table: Table, column: str, content: bytes, stored: bytes
) -> None:
    for sent in (content, content):
        seen = await tables.values.read_value(table, "1", column)
        now = await tables.values.write_value(table, "1", column, sent, seen.sha256)
        assert now.content == stored


@pytest.mark.parametrize(
    ("column", "mine", "theirs"),
    [
        ("Wakes", b"12:00:00.123", "CAST('12:00:00' AS TIME)"),
        ("Seen", b"2024-01-01 12:00:00.123", "'2024-01-01 12:00:00'"),
        ("At", b"2024-01-01 12:00:00.1234567", "CAST('2024-01-01 12:00:00.123456' AS POSIXTIME)"),
        ("Amount", b"1.005", "1"),
        ("Amount", b"1.004", "1"),
    ],
)
async def test_stored_form_of_my_value_that_somebody_else_wrote_is_a_conflict(
    tables: Tables, table: Table, papers: EngineClient, column: str, mine: bytes, theirs: str
) -> None:
    seen = await tables.values.read_value(table, "1", column)
    query = papers.query

    async def raced(namespace: str, sql: str, parameters: Sequence[Any] = (), **options: Any) -> Any:
        if options.get("write"):
            await query(namespace, f"UPDATE V.Papers SET {column} = {theirs} WHERE %ID = 1")
        return await query(namespace, sql, parameters, **options)

    papers.query = raced  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        await tables.values.write_value(table, "1", column, mine, seen.sha256)
    with pytest.raises(Conflict):
        await tables.values.write_value(table, "1", column, mine, seen.sha256)


async def test_what_the_type_makes_of_a_value_is_saved(tables: Tables, table: Table) -> None:
    for _ in range(2):
        seen = await tables.values.read_value(table, "1", "Wakes")
        now = await tables.values.write_value(table, "1", "Wakes", b"12:00:00.123", seen.sha256)
        assert now.content == b"12:00:00"


async def test_same_write_again_is_a_success(tables: Tables, table: Table, papers: EngineClient) -> None:
    for column, content in (("Body", b"mine"), ("Title", b"Mine"), ("Amount", b"2.50"), ("Day", None)):
        seen = await tables.values.read_value(table, "1", column)
        first = await tables.values.write_value(table, "1", column, content, seen.sha256)
        papers.log.clear()
        assert await tables.values.write_value(table, "1", column, content, seen.sha256) == first
        assert not any(sql.startswith("UPDATE") for sql, _ in papers.log)
    seen = await tables.values.read_value(table, "1", "Title")
    with pytest.raises(Conflict):
        await tables.values.write_value(table, "1", "Title", b"MINE", "0" * 64)


async def test_numbers_guard_their_own_replacement(tables: Tables, table: Table) -> None:
    for column, values in {"Amount": (b"0.5", b"-0.25"), "Ratio": (b"0.5", b"-1e-7", b"NaN", b"2")}.items():
        for content in values:
            seen = await tables.values.read_value(table, "1", column)
            await tables.values.write_value(table, "1", column, content, seen.sha256)


@pytest.mark.parametrize("applied", [True, False])
async def test_broken_connection_is_never_called_a_failure(
    tables: Tables, table: Table, papers: EngineClient, applied: bool
) -> None:
    seen = await tables.values.read_value(table, "1", "Body")
    query = papers.query

    async def broken(namespace: str, sql: str, parameters: Sequence[Any] = (), **options: Any) -> Any:
        if not options.get("write"):
            return await query(namespace, sql, parameters, **options)
        if applied:
            await query(namespace, sql, parameters, **options)
        raise ConnectionFailed("The connection broke.", maybe_executed=True)

    papers.query = broken  # type: ignore[method-assign]
    writing = tables.values.write_value(table, "1", "Body", b"mine", seen.sha256)
    if applied:
        assert (await writing).content == b"mine"
    else:
        with pytest.raises(OutcomeUnknown):
            await writing


async def test_value_that_was_never_sent_is_a_plain_failure(
    tables: Tables, table: Table, papers: EngineClient
) -> None:
    seen = await tables.values.read_value(table, "1", "Body")
    query = papers.query

    async def unsent(namespace: str, sql: str, parameters: Sequence[Any] = (), **options: Any) -> Any:
        if options.get("write"):
            raise ConnectionFailed("Nobody there.", maybe_executed=False)
        return await query(namespace, sql, parameters, **options)

    papers.query = unsent  # type: ignore[method-assign]
    with pytest.raises(ConnectionFailed):
        await tables.values.write_value(table, "1", "Body", b"mine", seen.sha256)


@pytest.mark.parametrize(
    ("column", "content", "error"),
    [
        ("Tags", b"Red", ReadOnly),
        ("Loud", b"ONE", ReadOnly),
        ("Body", b"\xff\xfe", InvalidInput),
        ("Body", b"x" * 3_000_001, InvalidInput),
        ("Body", b"x" * (SETTINGS.value_bytes_max + 1), InvalidInput),
        ("Amount", b"a lot", InvalidInput),
        ("Nobody", b"", InvalidInput),
    ],
)
async def test_what_cannot_be_written(
    tables: Tables, table: Table, papers: EngineClient, column: str, content: bytes, error: type[Exception]
) -> None:
    papers.log.clear()
    with pytest.raises(error):
        await tables.values.write_value(table, "1", column, content, "0" * 64)
    assert not any(sql.startswith("UPDATE") for sql, _ in papers.log)


async def test_rows_that_are_not_there(tables: Tables, table: Table) -> None:
    for row_id in ("2", "x'; DROP TABLE V.Papers", "1||1"):
        with pytest.raises(RowGone):
            await tables.values.read_value(table, row_id, "Body")
    view = await tables.catalogue.table("USER", "V.Shown")
    with pytest.raises(InvalidInput):
        await tables.values.read_value(view, "1", "Body")


async def test_large_value_stays_out_of_pages(tables: Tables, table: Table, papers: EngineClient) -> None:
    papers.namespace.execute("UPDATE V.Papers SET Body = ? WHERE %ID = 1", ["x" * 3_000_000])

    view = await tables.rows.view(RowQueryRequest("USER", "V.Papers"))
    page = await tables.rows.page(view, Jump(0))
    assert page.rows[0]["Body"] == "x" * SETTINGS.preview_characters
    assert page.previews["1"]["Body"] == (3_000_000, "characters")


def test_empty_and_null_differ() -> None:
    assert value_hash(None) != value_hash(b"")
