"""The whole story by a script: one command starts it, somebody signs in by the form, reads and writes, and it lasts."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from .servers import ROOT, Person, Refused, Socket, WebServer

pytestmark = pytest.mark.live

PERSON = {"namespace": "SAMPLES", "tableName": "Sample.Person"}


@contextmanager
def demo(instance: Path) -> Iterator[WebServer]:
    """Run `iris-quart demo` and stop it by Ctrl-C."""
    server = WebServer(instance, "")
    command = [
        sys.executable,
        "-m",
        "iris_quart.cli",
        "demo",
        "--port",
        str(server.port),
        "--instance",
        str(instance),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + 60
            with httpx.Client(timeout=10) as client:
                while True:
                    try:
                        client.get(f"{server.url}/readyz").raise_for_status()
                        break
                    except httpx.TransportError:
                        assert process.poll() is None
                        assert time.monotonic() < deadline
                        time.sleep(0.1)
            yield server
            process.send_signal(signal.SIGINT)
            assert process.wait(15) == 0
        finally:
            process.kill()


async def sign_in_by_form(server: WebServer, client: httpx.AsyncClient) -> Person:
    page = (await client.get("/login")).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    form = {
        "server": "demo",
        "namespace": "SAMPLES",
        "username": "_SYSTEM",
        "password": "SYS",
        "csrf_token": token[1],
    }
    answer = await client.post("/login", data=form, headers={"Origin": server.url})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert (await client.get("/")).status_code == 200
    return Person(server, client)


async def events(socket: Socket, command: str, count: int, payload: dict[str, Any]) -> list[tuple[str, Any]]:
    message_id = await socket.send(command, payload)
    answers = [await socket.answer(message_id) for _ in range(count)]
    return [(answer["event"], answer["payload"]) for answer in answers]


async def test_sign_in_browse_edit_insert_delete_restart_and_still_there(tmp_path: Path) -> None:
    with demo(tmp_path) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
            person = await sign_in_by_form(server, client)
            async with person.socket(origin=server.url) as socket:
                assert (await socket.ask("getNamespaces"))["namespaces"] == [
                    "%SYS",
                    "USER",
                    "SAMPLES",
                    "HOSPITAL",
                ]
                assert "Sample.Person" in (await socket.ask("getTables", {"namespace": "SAMPLES"}))["tables"]
                opened = await events(socket, "selectTable", 4, PERSON)
                assert [event for event, _ in opened] == [
                    "tableSelected",
                    "tableSchema",
                    "tableLoading",
                    "tableData",
                ]
                data = opened[3][1]
                assert (data["totalRows"], len(data["rows"]), data["rowIds"][0]) == (200, 100, "1")
                cell = {"columnName": "Name", "primaryKeyColumn": "ID", "primaryKeyValue": 1}
                name = data["rows"][0]["Name"]
                saved = await socket.ask("saveCell", {**cell, "oldValue": name, "newValue": "Ann, O'Neill"})
                assert (saved["success"], saved["newValue"]) == (True, "Ann, O'Neill")
                stale = await socket.ask("saveCell", {**cell, "oldValue": name, "newValue": "Lost"})
                assert (stale["success"], stale["error"]["code"]) == (False, "CONFLICT")
                columns = {"columns": ["Name", "SSN"], "values": ["Stays,New", "999-99-0001"]}
                kept = await socket.ask("insertRow", columns)
                assert kept["success"]
                again = await socket.ask("insertRow", columns)
                assert (again["success"], again["error"]["code"]) == (False, "CONSTRAINT_VIOLATION")
                gone = {"primaryKeyColumn": "ID", "primaryKeyValue": 2}
                assert (await socket.ask("deleteRow", gone))["success"]
                assert (await socket.ask("deleteRow", gone))["error"]["code"] == "ROW_GONE"
    with demo(tmp_path) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
            person = await sign_in_by_form(server, client)
            async with person.socket() as socket:
                data = await socket.ask("requestData", {**PERSON, "pageSize": 1000})
                names = {row["ID"]: row["Name"] for row in data["rows"]}
                assert data["totalRows"] == 200
                assert (names[1], names.get(2), names[int(kept["rowId"])]) == (
                    "Ann, O'Neill",
                    None,
                    "Stays,New",
                )


@pytest.mark.parametrize(
    ("command", "payload", "code"),
    [
        ("getTables", {"namespace": "NOWHERE"}, "INVALID_INPUT"),
        ("getTables", {}, "INVALID_INPUT"),
        ("selectTable", {"namespace": "SAMPLES", "tableName": "No.Such"}, "TABLE_NOT_FOUND"),
        ("selectTable", {"namespace": "SAMPLES"}, "INVALID_INPUT"),
        ("requestData", {**PERSON, "sortColumn": "Nope", "sortDirection": "asc"}, "INVALID_INPUT"),
        ("requestData", {**PERSON, "filters": [{"column": "Nope", "value": "x"}]}, "INVALID_INPUT"),
        ("requestData", {**PERSON, "pageSize": 100_000}, "INVALID_INPUT"),
        ("requestData", {**PERSON, "page": 1, "offset": 5}, "INVALID_INPUT"),
        ("requestData", {**PERSON, "surprise": 1}, "INVALID_INPUT"),
        ("requestData", {}, "INVALID_INPUT"),
        ("saveCell", {}, "INVALID_INPUT"),
    ],
)
async def test_bad_input_is_answered_with_its_code(
    socket: Socket, command: str, payload: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as caught:
        await socket.ask(command, payload)
    assert caught.value.code == code
    assert caught.value.payload["context"] == command
    await socket.ask("getSession")


async def test_a_read_only_server_takes_no_changes(server: WebServer) -> None:
    async with server.person(server="demo-readonly") as person, person.socket() as socket:
        await events(socket, "selectTable", 4, PERSON)
        with pytest.raises(Refused) as caught:
            await socket.ask(
                "saveCell",
                {
                    "columnName": "Name",
                    "primaryKeyColumn": "ID",
                    "primaryKeyValue": 1,
                    "oldValue": "a",
                    "newValue": "b",
                },
            )
        assert caught.value.code == "READ_ONLY"
        schema = (await events(socket, "selectTable", 4, PERSON))[1][1]
        assert schema["readOnly"] is True
