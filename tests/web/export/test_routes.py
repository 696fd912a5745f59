"""`/api/export` over the embedded IRIS."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import hypercorn.asyncio
import pytest
from hypercorn.config import Config
from quart.typing import TestClientProtocol as Client

from iris_quart.demo import FaultRule
from iris_quart.sql.values import Wire
from iris_quart.web.export.formats import FORMATS
from iris_quart.web.export.writing import Format, LongValue, WriteOptions
from tests.web.conftest import Site

TABLE = "ExportTest.Thing"


@pytest.fixture
async def things(site: Site) -> AsyncIterator[Site]:
    """A table of 120 rows with everything that is hard to write."""
    iris = site.iris.namespace("SAMPLES")
    run = iris.execute
    await asyncio.to_thread(
        run,
        f"CREATE TABLE {TABLE} (Name VARCHAR(50), Number NUMERIC(10,2), Day DATE, Long LONGVARCHAR, Raw LONGVARBINARY)",
    )
    for number in range(120):
        await asyncio.to_thread(
            run,
            f"INSERT INTO {TABLE} (Name, Number, Long) VALUES (?, ?, ?)",
            [f"name {number:03}", number, f"<{number}>" * 600],
        )
    yield site
    await asyncio.to_thread(run, f"DROP TABLE {TABLE}")


async def get(
    client: Client, method: str = "GET", headers: dict[str, str] | None = None, **query: Any
) -> Any:
    fields = {"namespace": "SAMPLES", "tableName": TABLE} | query
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    send = client.get if method == "GET" else client.post
    return await send("/api/export", query_string=texts, headers=headers)


async def table(client: Client, **query: Any) -> list[list[str]]:
    response = await get(client, **query)
    text = await response.get_data(as_text=True)
    assert response.status_code == 200, text
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


async def test_all_rows_whole_and_in_order(things: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iris_quart.tables.rows.EXPORT_ROWS", 50)
    client = await things.connected()
    head, *rows = await table(client)
    assert head == ["Name", "Number", "Day", "Long", "Raw"]
    assert [row[0] for row in rows] == [f"name {number:03}" for number in range(120)]
    assert [row[3] for row in rows] == [f"<{number}>" * 600 for number in range(120)]
    assert rows[7] == ["name 007", "7.00", "", "<7>" * 600, ""] or rows[7][1] == "7"


async def test_headers_make_it_a_download(things: Site) -> None:
    response = await get(await things.connected())
    assert response.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    assert response.headers["Content-Disposition"].startswith(f'attachment; filename="{TABLE}.csv"')
    assert (await response.get_data(as_text=False)).startswith(b"\xef\xbb\xbfName,")


async def test_a_name_of_a_table_is_no_path_in_the_header(site: Site) -> None:
    run = site.iris.namespace("SAMPLES").execute
    name = 'ExportTest."a/b;\u00fc\'c"'
    await asyncio.to_thread(run, f"CREATE TABLE {name} (Name VARCHAR(50))")
    try:
        response = await get(await site.connected(), tableName="ExportTest.a/b;\u00fc'c")
        assert response.status_code == 200, await response.get_data(as_text=True)
        assert response.headers["Content-Disposition"] == (
            "attachment; filename=\"ExportTest.a-b-c.csv\"; filename*=UTF-8''ExportTest.a%2Fb%3B%C3%BC%27c.csv"
        )
    finally:
        await asyncio.to_thread(run, f"DROP TABLE {name}")


async def test_choice_of_columns_filters_sort_and_search(things: Site) -> None:
    client = await things.connected()
    rows = await table(
        client,
        columns=["Number", "Name"],
        filters=[{"column": "Number", "operator": "lessOrEqual", "value": 12}],
        sort=[{"column": "Number", "direction": "desc"}],
        search="name 01",
        bom="false",
    )
    assert [row[1] for row in rows] == ["Name", "name 012", "name 011", "name 010"]


async def test_chosen_rows_in_their_order(things: Site) -> None:
    client = await things.connected()
    rows = await table(client, columns=["Name"], rowIds=["3", "1", "99999"])
    assert rows == [["Name"], ["name 002"], ["name 000"]]


async def test_many_rows_are_named_in_the_body(things: Site) -> None:
    client = await things.connected()
    ids = [str(number) for number in (3, 1, *range(1_000_000, 1_000_050))] + ["9" * 200] * 100
    body = {"namespace": "SAMPLES", "tableName": TABLE, "columns": ["Name"], "rowIds": ids, "safe": False}
    response = await client.post("/api/export", json=body)
    text = (await response.get_data(as_text=True)).removeprefix("\ufeff")
    assert (response.status_code, text) == (200, "Name\r\nname 002\r\nname 000\r\n")


@pytest.mark.parametrize(
    ("body", "query", "field"),
    [
        ({"rowIds": [1]}, "", "rowIds.0"),
        ({"rowIds": ["1"] * 20_001}, "", "rowIds"),
        ({"unknown": 1}, "", "unknown"),
        ({"safe": "false?"}, "", "safe"),
        ({}, "?search=x", "body"),
        ([], "", "payload"),
    ],
)
async def test_what_is_wrong_in_the_body_is_named(things: Site, body: Any, query: str, field: str) -> None:
    if isinstance(body, dict):
        body = {"namespace": "SAMPLES", "tableName": TABLE} | body
    client = await things.connected()
    response = await client.post(f"/api/export{query}", json=body)
    assert (response.status_code, (await response.get_json())["field"]) == (400, field)


async def test_a_body_is_bounded(things: Site) -> None:
    client = await things.connected()
    response = await client.post(
        "/api/export", data=b" " * (4 * 1024 * 1024 + 1), headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 413


class Plain:
    """A format of a test: names and values with semicolons, and a last line."""

    def __init__(self, options: WriteOptions) -> None:
        self.options = options

    def head(self, columns: Sequence[str]) -> bytes:
        return ";".join(columns).encode() + b"\n"

    def lines(self, rows: Sequence[Sequence[Wire]]) -> bytes:
        return "".join(";".join(map(str, row)) + "\n" for row in rows).encode()

    def slices(self, values: Sequence[Wire]) -> Iterator[bytes]:
        yield self.lines([values])

    async def long_row(self, values: Sequence[Wire | LongValue]) -> AsyncIterator[bytes]:
        yield f"{len(values)} values\n".encode()

    def tail(self) -> bytes:
        return b"end"


async def test_a_format_is_one_entry(things: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "plain", Format("txt", "text/plain; charset=utf-8", Plain))
    client = await things.connected()
    response = await get(client, format="plain", columns=["Name"], rowIds=["3", "1"])
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert f'filename="{TABLE}.txt"' in response.headers["Content-Disposition"]
    assert await response.get_data(as_text=True) == "Name\nname 002\nname 000\nend"
    refused = await (await get(client, format="xls")).get_json()
    assert refused["error"] == "format: must be one of csv, plain"


async def test_null_empty_and_formulas(things: Site) -> None:
    run = things.iris.namespace("SAMPLES").execute
    await asyncio.to_thread(run, f"UPDATE {TABLE} SET Name = ? WHERE %ID = 1", ["=1+1"])
    await asyncio.to_thread(run, f"UPDATE {TABLE} SET Name = '' WHERE %ID = 2")
    await asyncio.to_thread(run, f"UPDATE {TABLE} SET Name = NULL WHERE %ID = 3")
    client = await things.connected()
    ids = ["1", "2", "3"]
    for query, expected in (
        ({}, b'Name\r\n\'=1+1\r\n""\r\n\r\n'),
        ({"safe": "true", "null": "NULL"}, b'Name\r\n\'=1+1\r\n""\r\nNULL\r\n'),
        ({"safe": "false", "null": "NULL"}, b'Name\r\n=1+1\r\n""\r\nNULL\r\n'),
    ):
        fields: dict[str, Any] = {"columns": ["Name"], "rowIds": ids, "bom": "false"} | query
        response = await get(client, "POST" if query.get("safe") == "false" else "GET", None, **fields)
        assert await response.get_data(as_text=False) == expected


@pytest.mark.parametrize("spelling", ["false", "0"])
async def test_only_our_own_page_may_leave_formulas_as_they_are(things: Site, spelling: str) -> None:
    client = await things.connected()
    response = await get(client, safe=spelling)
    assert response.status_code == 400
    assert (await response.get_json())["field"] == "safe"
    foreign = ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"})
    for headers in (*foreign, {"Sec-Fetch-Site": "same-site"}):
        assert (await get(client, "POST", headers, safe=spelling)).status_code == 403
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert (await get(client, "POST", own, safe=spelling)).status_code == 200


async def test_binary_is_base64(things: Site) -> None:
    run = things.iris.namespace("SAMPLES").execute
    await asyncio.to_thread(run, f"UPDATE {TABLE} SET Raw = ? WHERE %ID = 1", ["\x00\x01\xff"])
    rows = await table(await things.connected(), columns=["Raw"], rowIds=["1"])
    assert rows[1] == ["AAH/"]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"tableName": ""}, 400, "tableName"),
        ({"tableName": "No.Such"}, 404, None),
        ({"namespace": "NOSUCH"}, 400, None),
        ({"filters": "{"}, 400, "filters"),
        ({"filters": [{"column": "NoSuch", "value": "x"}]}, 400, "filters.0.column"),
        ({"filters": [{"column": "Name", "operator": "canary", "value": 1}]}, 400, "filters.0.operator"),
        ({"sort": [{"column": "NoSuch"}]}, 400, None),
        ({"columns": ["NoSuch"]}, 400, None),
        ({"columns": []}, 400, "columns"),
        ({"rowIds": []}, 400, "rowIds"),
        ({"rowIds": [1]}, 400, "rowIds.0"),
        ({"format": "xls"}, 400, "format"),
        ({"null": 'a"b'}, 400, "null"),
        ({"null": "=cmd|' /C calc'!A0"}, 400, "null"),
        ({"null": "+1"}, 400, "null"),
        ({"null": "\t@x"}, 400, "null"),
        ({"null": "anything"}, 400, "null"),
        ({"safe": "maybe"}, 400, "safe"),
        ({"unknown": "x"}, 400, "unknown"),
        ({"search": "x" * 999}, 400, "search"),
    ],
)
async def test_what_is_wrong_is_told_before_anything_is_sent(
    things: Site, query: dict[str, Any], status: int, field: str | None
) -> None:
    response = await get(await things.connected(), **query)
    body = await response.get_json()
    assert response.status_code == status, body
    assert "canary" not in str(body)
    if field is not None:
        assert body["field"] == field


class Served:
    """The application behind a real Hypercorn, for what only a real connection shows."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.port = 0
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Served:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        config = Config()
        config.bind = [f"127.0.0.1:{self.port}"]
        config.errorlog = None
        serve: Any = hypercorn.asyncio.serve
        self._task = asyncio.create_task(serve(self._app, config, shutdown_trigger=self._stop.wait))
        async with asyncio.timeout(5):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        assert self._task is not None
        await asyncio.wait_for(self._task, 10)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self.site.app(scope, receive, send)
            return
        # The fixture has started the application already.
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return

    async def raw(self, path: str, cookie: str) -> bytes:
        """Everything that comes over the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        return answer


def cookie_of(client: Client) -> str:
    return "; ".join(f"{item.name}={item.value}" for item in client.cookie_jar or ())


async def test_a_fault_in_the_middle_never_looks_like_the_end(
    things: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunked answer without its last chunk is a failed download to every browser (RFC 9112 section 7.1)."""
    monkeypatch.setattr("iris_quart.tables.rows.EXPORT_ROWS", 50)
    client = await things.connected()
    path = f"/api/export?namespace=SAMPLES&tableName={TABLE}&columns=%5B%22Name%22%5D"
    async with Served(things) as served:
        whole = await served.raw(path, cookie_of(client))
        assert b"name 119" in whole
        assert whole.endswith(b"\r\n0\r\n\r\n")
        things.iris.add_fault(FaultRule(kind="sqlcode", sql=r"FROM .*Thing.*>"))
        cut = await served.raw(path, cookie_of(client))
        assert cut.startswith(b"HTTP/1.1 200")
        assert b"name 049" in cut
        assert b"name 119" not in cut
        assert not cut.endswith(b"0\r\n\r\n")


async def test_export_stops_when_its_session_ends(things: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iris_quart.tables.rows.EXPORT_ROWS", 10)
    client = await things.connected()
    (session,) = await things.store.list()
    asked = 0
    recheck = things.store.recheck

    async def ending(keys: list[str]) -> Any:
        nonlocal asked
        asked += 1
        if asked == 3:
            await things.store.end(session.key, "logout")
        return await recheck(keys)

    monkeypatch.setattr(things.store, "recheck", ending)
    path = f"/api/export?namespace=SAMPLES&tableName={TABLE}&columns=%5B%22Name%22%5D"
    async with Served(things) as served:
        cut = await served.raw(path, cookie_of(client))
    assert b"name 029" in cut
    assert b"name 030" not in cut
    assert not cut.endswith(b"0\r\n\r\n")
