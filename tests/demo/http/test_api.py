"""Routes, statuses and bodies of the Atelier API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from iris_quart.demo import DemoOptions, DemoServer, Release

if TYPE_CHECKING:
    from pathlib import Path

    from tests.demo.conftest import Api


async def test_root_describes_the_server(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/api/atelier/")).json()
    content = answer["result"]["content"]
    assert list(answer) == ["status", "console", "result"]
    assert answer["status"] == {"errors": [], "summary": ""}
    assert content["api"] == 8
    assert {"%SYS", "USER", "SAMPLES"} <= set(content["namespaces"])
    assert content["version"].split(") ")[1].startswith("2025.1")
    assert all(isinstance(feature["enabled"], bool) for feature in content["features"])


async def test_head_signs_in_without_a_body(client: httpx.AsyncClient) -> None:
    response = await client.head("/api/atelier/")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] != "0"


async def test_namespace_is_described(client: httpx.AsyncClient) -> None:
    content = (await client.get("/api/atelier/v1/%25SYS")).json()["result"]["content"]
    assert content["name"] == "%SYS"
    assert content["db"][0]["default"] is True


@pytest.mark.parametrize("version", ["v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8"])
async def test_every_version_answers_queries(api: Api, version: str) -> None:
    response = await api.query("SELECT 1 AS One", version=version)
    assert response.json()["result"]["content"] == [{"One": 1}]


@pytest.mark.parametrize(
    "path",
    ["/", "/api", "/api/atelier", "/api/atelier/v1/", "/api/atelier/v1/USER/", "/api/atelier/v9/USER",
     "/api/atelier/v0/USER", "/api/atelier/x/USER", "/api/atelier/v1/USER/action/nothing",
     "/api/atelier/v1/USER/action/query/"],
)  # fmt: skip
async def test_unknown_paths_are_not_found(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_v8_needs_a_release_that_has_it(directory: Path) -> None:
    options = DemoOptions(directory=directory, release=Release(2023, 1))
    async with (
        DemoServer(options) as server,
        httpx.AsyncClient(base_url=server.url, auth=("alice", "alice")) as client,
    ):
        assert (await client.get("/api/atelier/")).json()["result"]["content"]["api"] == 7
        assert (await client.get("/api/atelier/v7/USER")).status_code == 200
        assert (await client.get("/api/atelier/v8/USER")).status_code == 404


@pytest.mark.parametrize("namespace", ["NOPE", "user", "US%2FER", "%C3%A9"])
async def test_unknown_namespace_is_404_with_zero_bytes(client: httpx.AsyncClient, namespace: str) -> None:
    response = await client.post(f"/api/atelier/v1/{namespace}/action/query", json={"query": "SELECT 1"})
    assert (response.status_code, response.content) == (404, b"")


@pytest.mark.parametrize("path", ["/api/atelier/", "/api/atelier/v1/USER"])
async def test_other_methods_are_refused(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path, json={})).status_code == 405


async def test_query_must_be_posted(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/atelier/v1/USER/action/query")).status_code == 405


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff", b'{"query": NaN}', b'{"query": "\\ud800"}',
                                  b"[" * 100_000, b'{"query": ' + b"1" * 5000 + b"}"],
                         ids=["none", "cut", "list", "text", "bytes", "nan", "half", "deep", "long"])  # fmt: skip
async def test_malformed_json_is_16002(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post(
        "/api/atelier/v1/USER/action/query", content=body, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 400
    error = response.json()["status"]["errors"][0]
    assert (error["code"], error["error"]) == (16002, "ERROR #16002: Invalid JSON Content")


@pytest.mark.parametrize("parameters", ['{"a": 1}', '"text"', "[[1]]", '[{"a": 1}]'])
async def test_parameters_that_are_no_values_are_refused(client: httpx.AsyncClient, parameters: str) -> None:
    response = await client.post(
        "/api/atelier/v1/USER/action/query",
        content=f'{{"query": "SELECT 1", "parameters": {parameters}}}',
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == 400
    assert response.json()["result"] == {}


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"]
)
async def test_wrong_content_type_is_415(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post(
        "/api/atelier/v1/USER/action/query", content=b"{}", headers={"Content-Type": content_type}
    )
    assert response.status_code == 415


@pytest.mark.parametrize(("accept", "status"), [("text/html", 406), ("text/html, */*;q=0.1", 200),
                                                ("application/json", 200), ("application/xml", 406)])  # fmt: skip
async def test_accept_must_allow_json(client: httpx.AsyncClient, accept: str, status: int) -> None:
    assert (await client.get("/api/atelier/", headers={"Accept": accept})).status_code == status


async def test_sql_error_is_200_with_an_empty_result(api: Api) -> None:
    response = await api.query("SELECT * FROM Nothing.Here")
    answer = response.json()
    assert response.status_code == 200
    assert answer["result"] == {}
    [error] = answer["status"]["errors"]
    assert error["error"].startswith("ERROR #5540: SQLCODE: -30 Message: ")
    assert (error["code"], error["domain"], error["id"]) == (5540, "%ObjectErrors", "SQLCode")
    assert "params" not in error
    assert "'" not in answer["status"]["summary"]
    assert "&#39;" in answer["status"]["summary"]


async def test_statements_that_write_give_no_count(notes: Api) -> None:
    for sql in (
        "INSERT INTO Note (Number, Text) VALUES (1, 'a')",
        "UPDATE Note SET Text = 'b' WHERE Number = 1",
        "UPDATE Note SET Text = 'b' WHERE Number = 99",
        "DELETE FROM Note WHERE Number = 1",
    ):
        response = await notes.query(sql)
        assert response.json() == {
            "status": {"errors": [], "summary": ""},
            "console": [],
            "result": {"content": []},
        }


async def test_of_columns_with_the_same_name_the_last_wins(api: Api) -> None:
    assert await api.rows("SELECT 1 AS a, 2 AS b, 3 AS a") == [{"a": 3, "b": 2}]


async def test_a_large_body_is_taken(notes: Api) -> None:
    long = "x" * 3_000_000
    assert await notes.rows("SELECT LENGTH(?) AS n", long) == [{"n": 3_000_000}]


async def test_columns_keep_the_order_of_the_select(api: Api) -> None:
    response = await api.query("SELECT 1 AS z, 2 AS a, 3 AS m")
    assert json.loads(response.text, object_pairs_hook=list)[2][1][0][1] == [[("z", 1), ("a", 2), ("m", 3)]]


@pytest.mark.parametrize(("version", "limit", "rows"), [
    ("v1", "1", 3), ("v5", "1", 3), ("v6", "1", 1), ("v8", "2", 2), ("v8", "0", 3), ("v8", "-1", 3), ("v8", "x", 3),
    ("v8", "99999999999999999999", 3),
])  # fmt: skip
async def test_max_counts_from_v6(notes: Api, version: str, limit: str, rows: int) -> None:
    for number in range(3):
        await notes.rows("INSERT INTO Note (Number) VALUES (?)", number)
    response = await notes.query("SELECT Number FROM Note ORDER BY Number", version=version, max=limit)
    assert [row["Number"] for row in response.json()["result"]["content"]] == list(range(rows))


async def test_positional_gives_result_sets_from_v6(api: Api) -> None:
    response = await api.query("SELECT 'x' AS a, 2 AS a", version="v6", positional="1")
    [result_set] = response.json()["result"]
    assert [column["name"] for column in result_set["columns"]] == ["a", "a"]
    assert result_set["columns"][0]["type"].startswith("VARCHAR")
    assert result_set["content"] == [["x", 2]]
    assert (await api.query("SELECT 1 AS a", version="v5", positional="1")).json()["result"] == {
        "content": [{"a": 1}]
    }


async def test_flags_are_one_or_zero(api: Api) -> None:
    assert (await api.query("SELECT 1 AS a", version="v6", positional="true")).status_code == 400
    response = await api.query("SELECT 1 AS a", version="v6", positional="0")
    assert response.json()["result"] == {"content": [{"a": 1}]}


async def test_a_statement_is_needed(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/atelier/v1/USER/action/query", json={"parameters": []})
    assert response.json()["result"] == {}
    assert "SQLCODE: -" in response.json()["status"]["errors"][0]["error"]


async def test_prefix_stands_in_front(directory: Path) -> None:
    options = DemoOptions(directory=directory, prefix="/iris/one")
    async with (
        DemoServer(options) as server,
        httpx.AsyncClient(base_url=server.url, auth=("alice", "alice")) as client,
    ):
        assert server.url.endswith("/iris/one")
        response = await client.get("/api/atelier/")
        assert response.status_code == 200
        assert "path=/iris/one/api/atelier/" in response.headers["set-cookie"]
        assert (await client.get(f"http://127.0.0.1:{server.port}/api/atelier/")).status_code == 404


async def test_the_log_tells_what_was_asked(server: DemoServer, notes: Api) -> None:
    await notes.rows("INSERT INTO Note (Number, Text) VALUES (?, ?)", 1, "a")
    await notes.query("SELECT * FROM Nothing.Here")
    first, second = server.log[-2:]
    assert (first.method, first.path) == ("POST", "/api/atelier/v1/USER/action/query")
    assert (first.sql, first.parameters) == ("INSERT INTO Note (Number, Text) VALUES (?, ?)", [1, "a"])
    assert (first.status, first.applied, first.user) == (200, True, "_SYSTEM")
    assert (second.status, second.applied) == (200, False)
    assert first.session == second.session
