"""Every write under every spelling of a name and every read-only setting: none gets past, and none is misjudged.

The registries of commands and routes are walked, so a write that is added tomorrow is tried as well.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest

from iris_quart.config import ServerSettings, Settings
from iris_quart.demo import DemoServer
from iris_quart.dispatch import Kind
from iris_quart.errors import InvalidInput
from iris_quart.names import namespace_name, row_id, table_name

from .conftest import CONNECT, Site, post_login
from .test_matrix import client_with, routes
from .test_matrix_commands import SAMPLE, cookie_of, names, sound, tried

BLANKS = [
    " ",
    "\t",
    "\n",
    "\r\n",
    "\x0b",
    "\x1c",
    "\x85",
    "\xa0",
    "\u1680",
    "\u2003",
    "\u2028",
    "\u3000",
    " \t ",
]
MEANT = [
    *(f"{blank}SAMPLES" for blank in BLANKS),
    *(f"SAMPLES{blank}" for blank in BLANKS),
    "samples",
    "Samples",
    "\xa0sAmPlEs\t",
]
"""Other spellings of one name: they mean SAMPLES, and are judged as SAMPLES."""
IN_PATHS = [name for name in MEANT if "\n" not in name]
"""Those that stand in a path: no route has a line break in it."""
REFUSED = [
    "",
    " ",
    "\uff33\uff21\uff2d\uff30\uff2c\uff25\uff33",
    "\u017famples",
    "SAMPLE\u017f",
    "SAM PLES",
    "SAM\tPLES",
    "SAMPLES\0",
    "\u200bSAMPLES",
    "SAMPLES\ufeff",
    "SAM\u00adPLES",
    "./SAMPLES",
    "USER/../SAMPLES",
    "..",
    "SAMPLES/",
    "SAMPLES?",
    "SAMPLES;a",
    "^^/iris/mgr/samples",
    "^^",
    "%",
    "-SAMPLES",
    "S" * 129,
]
"""What no namespace is called."""
CHOSEN = {"namespace": "SAMPLES", "tableName": "Sample.Person"}
SETTINGS: dict[str, dict[str, Any]] = {
    "all": {"read_only": True},
    "server": {"server": {"read_only": True}},
    "list": {"server": {"read_only": ["SAMPLES"]}},
    "list, other case": {"server": {"read_only": [" samples", "%sys"]}},
    "session": {"session": True},
}


@pytest.fixture(params=SETTINGS)
def kind(request: pytest.FixtureRequest) -> str:
    """Say how SAMPLES is read-only."""
    return str(request.param)


@pytest.fixture
def changes(kind: str, iris: DemoServer) -> dict[str, Any]:
    """Settings under which nobody changes anything in SAMPLES."""
    setting = SETTINGS[kind]
    server = ServerSettings.model_validate({"url": iris.url} | setting.get("server", {}))
    return {"servers": {"demo": server}, "read_only": setting.get("read_only", False)}


def wrote(site: Site) -> list[str]:
    """Return the statements that reached IRIS and change something."""
    statements = [entry.sql for entry in site.iris.log if entry.sql]
    return [sql for sql in statements if not sql.lstrip().upper().startswith("SELECT")]


class TestReadOnly:
    """SAMPLES is read-only."""

    async def test_no_command_writes_under_any_spelling(self, site: Site, kind: str) -> None:
        writing = [(name, command) for name, command in names(site) if command.kind is Kind.WRITE]
        assert len(writing) >= 4
        async with cookie_of(site, server="demo", read_only=kind == "session") as cookie:
            client = client_with(site, cookie)
            for name, command in writing:
                for spelling in [*MEANT, *REFUSED]:
                    payload = sound(command) | {"namespace": spelling}
                    answer = await tried(client, {}, name, payload)
                    assert isinstance(answer, dict), answer
                    code = "READ_ONLY" if spelling in MEANT else "INVALID_INPUT"
                    assert answer["payload"].get("code") == code, (name, spelling, answer)
                    if code == "INVALID_INPUT":
                        assert answer["payload"]["field"] == "namespace"
        assert wrote(site) == []

    async def test_no_command_writes_after_the_namespace_was_chosen_so(self, site: Site, kind: str) -> None:
        async with cookie_of(site, server="demo", read_only=kind == "session") as cookie:
            for spelling in MEANT:
                async with client_with(site, cookie).websocket("/ws") as socket:
                    opened = {"namespace": spelling, "tableName": " Sample.Person "}
                    write = {
                        key: value
                        for key, value in SAMPLE.items()
                        if key in {"columnName", "primaryKeyColumn", "primaryKeyValue", "newValue"}
                    }
                    await socket.send(json.dumps({"command": "selectTable", "payload": opened, "id": "o"}))
                    await socket.send(json.dumps({"command": "saveCell", "payload": write, "id": "w"}))
                    async with asyncio.timeout(10):
                        while (answer := json.loads(await socket.receive())).get("id") != "w":
                            if answer["event"] in {"tableSelected", "tableSchema"}:
                                assert answer["payload"]["namespace"] == "SAMPLES"
                                assert answer["payload"]["tableName"] == "Sample.Person"
                                assert answer["payload"].get("readOnly", True) is True
                    assert answer["payload"]["code"] == "READ_ONLY"
        assert wrote(site) == []

    async def test_no_route_writes_under_any_spelling(self, site: Site, kind: str) -> None:
        writing = [
            (endpoint, method)
            for endpoint, method, _ in routes(site)
            if endpoint.startswith("api.values") and method not in {"GET", "HEAD", "OPTIONS"}
        ]
        assert {method for _, method in writing} == {"PUT", "DELETE"}
        async with cookie_of(site, server="demo", read_only=kind == "session") as cookie:
            client = client_with(site, cookie)
            for _, method in writing:
                for spelling in IN_PATHS:
                    address = f"/api/value/{quote(spelling, safe='')}/Sample.Person/1/Name"
                    send = client.put if method == "PUT" else client.delete
                    response = await send(address, data="canary", headers={"If-Match": f'"{"0" * 64}"'})
                    body = await response.get_json()
                    assert (response.status_code, body["code"]) == (403, "READ_ONLY"), (spelling, body)
        assert wrote(site) == []

    async def test_a_session_that_chose_its_namespace_so_writes_nothing(self, site: Site, kind: str) -> None:
        more = {"readOnly": True} if kind == "session" else {}
        box = "true" if kind == "session" else ""
        for spelling in MEANT[::5]:
            by_json = site.client()
            response = await by_json.post("/api/connect", json=CONNECT | {"namespace": spelling} | more)
            assert response.status_code == 200
            by_form = site.client()
            assert (await post_login(by_form, namespace=spelling, read_only=box)).status_code == 303
            for client in (by_json, by_form):
                session = await (await client.get("/api/session")).get_json()
                assert session["server"]["namespace"] == "SAMPLES"
                payload = {key: SAMPLE[key] for key in ("tableName", "columns", "values")}
                answer = await tried(client, {}, "insertRow", payload)
                assert isinstance(answer, dict)
                assert answer["payload"]["code"] == "READ_ONLY"
        assert wrote(site) == []


class TestShownNamespaces:
    """The settings show USER alone."""

    @pytest.fixture
    def kind(self) -> str:
        """Let nothing be read-only."""
        return ""

    @pytest.fixture
    def changes(self, iris: DemoServer) -> dict[str, Any]:
        """Show one namespace."""
        server = ServerSettings.model_validate({"url": iris.url, "namespaces": [" user "]})
        return {"servers": {"demo": server}, "login_attempts_per_minute": 1000}

    async def test_a_hidden_namespace_has_no_other_spelling(self, site: Site) -> None:
        async with cookie_of(site, server="demo", read_only=False) as cookie:
            client = client_with(site, cookie)
            for name, command in names(site):
                if "namespace" not in command.payload.model_fields:
                    continue
                for spelling in [*MEANT[::3], *REFUSED]:
                    answer = await tried(client, {}, name, sound(command) | {"namespace": spelling})
                    assert isinstance(answer, dict)
                    body = answer["payload"].get("error", answer["payload"])
                    assert body.get("code") == "INVALID_INPUT", (name, spelling, answer)
        assert [entry for entry in site.iris.log if entry.sql and "SAMPLES" in entry.path] == []
        for spelling in IN_PATHS[::3]:
            assert (await post_login(site.client(), namespace=spelling)).status_code == 400
            export = f"/api/export?namespace={quote(spelling)}&tableName=Sample.Person"
            client = site.client()
            await client.post("/api/connect", json=CONNECT | {"namespace": "USER"})
            assert (await client.get(export)).status_code == 400
            value = f"/api/value/{quote(spelling, safe='')}/Sample.Person/1/Name"
            assert (await client.get(value)).status_code == 400


class TestOneName:
    """Nothing is read-only: what is announced, audited and remembered has one name."""

    @pytest.fixture
    def kind(self) -> str:
        """Let nothing be read-only."""
        return ""

    @pytest.fixture
    def changes(self, iris: DemoServer) -> dict[str, Any]:
        """Take the usual server."""
        return {"servers": {"demo": ServerSettings(url=iris.url)}}

    @pytest.mark.parametrize("table", ["Sample.Person", " sample.PERSON\xa0"])
    @pytest.mark.parametrize("namespace", [" samples", "SAMPLES\xa0", "\tSAMPLES"])
    async def test_changes_reach_a_socket_and_the_audit_file(
        self, site: Site, namespace: str, table: str
    ) -> None:
        client = await site.connected()
        opened = {"namespace": namespace, "tableName": table}
        async with client.websocket("/ws") as watcher, client.websocket("/ws") as writer:
            await watcher.send(json.dumps({"command": "requestData", "payload": opened, "id": "open"}))
            async with asyncio.timeout(10):
                while json.loads(await watcher.receive())["event"] != "tableData":
                    pass
            change = {
                "namespace": " SAMPLES",
                "tableName": table,
                "columns": ["Name", "SSN"],
                "values": ["Canary,Anna", f"9{abs(hash((namespace, table))) % 10**8:08}"],
            }
            await writer.send(json.dumps({"command": "insertRow", "payload": change, "id": "write"}))
            async with asyncio.timeout(10):
                result = json.loads(await writer.receive())["payload"]
                assert result.get("outcome") == "saved", result
                while (event := json.loads(await watcher.receive()))["event"] != "rowsChanged":
                    pass
        assert (event["payload"]["namespace"], event["payload"]["tableName"]) == ("SAMPLES", "Sample.Person")
        lines = (site.settings.instance / "audit.jsonl").read_text().splitlines()
        assert {(item["namespace"], item["table"]) for item in map(json.loads, lines)} == {
            ("SAMPLES", "Sample.Person")
        }

    async def test_the_page_of_a_table_has_its_canonical_name(self, site: Site) -> None:
        client = await site.connected()
        for spelling in IN_PATHS[::4]:
            path = f"/table/{quote(spelling, safe='')}/{quote(' Sample.Person', safe='')}"
            html = await (await client.get(path)).get_data(as_text=True)
            assert 'data-namespace="SAMPLES"' in html
        assert (await client.get("/table/%5E%5E/Sample.Person")).status_code == 400


class TestTypedAddress:
    """The server of the settings is read-only, and people may type addresses."""

    @pytest.fixture
    def kind(self) -> str:
        """Name no setting of TestReadOnly."""
        return ""

    @pytest.fixture
    def changes(self, iris: DemoServer) -> dict[str, Any]:
        """Allow typed addresses of this machine."""
        port = int(iris.url.rpartition(":")[2])
        return {
            "servers": {"demo": ServerSettings(url=iris.url, read_only=True)},
            "allow_free_host": True,
            "free_host_networks": ("127.0.0.0/8", "::/0"),
            "free_host_ports": (port,),
            "login_attempts_per_minute": 1000,
        }

    @pytest.mark.parametrize(
        ("host", "prefix"),
        [
            ("127.0.0.1", ""),
            ("127.0.0.1", "/"),
            ("127.0.0.1", "/api/atelier"),
            ("127.0.0.1", "api/atelier/"),
            (" 127.0.0.1 ", "//api/atelier//"),
            ("127.0.0.1.", ""),
            ("::ffff:127.0.0.1", ""),
            ("[::ffff:7f00:1]", "/api/atelier"),
        ],
    )
    async def test_another_spelling_of_its_address_is_read_only(
        self, site: Site, host: str, prefix: str
    ) -> None:
        client = site.client()
        port = int(site.iris.url.rpartition(":")[2])
        body = {key: value for key, value in CONNECT.items() if key != "server"}
        response = await client.post(
            "/api/connect", json=body | {"host": host, "port": port, "pathPrefix": prefix}
        )
        assert response.status_code == 200
        answer = await tried(client, {}, "insertRow", {"columns": ["Name"], "values": ["x"], **CHOSEN})
        assert isinstance(answer, dict)
        assert answer["payload"]["code"] == "READ_ONLY"


@pytest.mark.parametrize("name", MEANT)
def test_a_namespace_has_one_canonical_name(name: str) -> None:
    assert namespace_name(name) == "SAMPLES"
    assert namespace_name(namespace_name(name)) == "SAMPLES"


@pytest.mark.parametrize("name", [*REFUSED, "\ud800SAMPLES"])
def test_what_cannot_be_canonical_is_refused_by_its_field(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        namespace_name(name, field="there")
    assert caught.value.field == "there"


@pytest.mark.parametrize("name", ["%SYS", "%ALL", "HS-EDGE_1", "A", "N\u00dcRNBERG", "HS.ONE", "1ST"])
def test_names_that_servers_have(name: str) -> None:
    assert namespace_name(f" {name.lower()} ") == name


def test_tables_without_a_schema_lie_in_sqluser() -> None:
    assert table_name(" Person ") == table_name("SQLUser.Person") == "SQLUser.Person"
    for name in ("", ".", "A.", ".B", "A. B", "A .B", "A.\0", "x" * 129):
        with pytest.raises(InvalidInput):
            table_name(name)


def test_row_ids_are_taken_as_they_are() -> None:
    assert row_id(" a||b ") == " a||b "
    for name in ("", "\0", "\ud800", "1" * 1025):
        with pytest.raises(InvalidInput):
            row_id(name)


def test_a_setting_that_names_no_namespace_is_refused() -> None:
    with pytest.raises(ValueError, match="namespace"):
        Settings.model_validate({"servers": {"a": {"url": "http://h:1", "read_only": ["\uff35SER"]}}})
    server = ServerSettings.model_validate({"url": "http://h:1", "read_only": [" user"]})
    assert server.read_only == ("USER",)
