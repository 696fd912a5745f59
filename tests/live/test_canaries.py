"""Secrets of a whole life with the server, both stores: in no log, answer, address, metric or file."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from iris_quart.demo import DemoOptions, FaultRule, ThreadedDemoServer, User, running_in_thread
from iris_quart.sessions import open_vault
from tests.sessions.conftest import RedisServer

from .servers import Person, Refused, WebServer, free_port

pytestmark = pytest.mark.live

NAME, PASSWORD, WRONG = "dora", "canary-r1ght-Pa55w0rd", "canary-wr0ng-Pa55w0rd"
FAULTS = (
    FaultRule("html", sql="Person"),
    FaultRule("status", sql="Person", status=503),
    FaultRule("reset_before", sql="Person"),
)
TABLE = {"namespace": "SAMPLES", "tableName": "Sample.Person"}


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadedDemoServer]:
    """Run an embedded IRIS with an account whose password can be searched for."""
    folder = tmp_path_factory.mktemp("canaries") / "data"
    with running_in_thread(DemoOptions(directory=folder, users=(User(NAME, PASSWORD),))) as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.redis)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, RedisServer | None]]:
    """Give the address of a store, and its server if it has one."""
    if request.param == "sqlite":
        yield "sqlite", None
        return
    redis = RedisServer(tmp_path)
    redis.start(keep=True)
    yield redis.url, redis
    redis.kill()


class Life:
    """What a person does, and all that is answered."""

    def __init__(self, server: WebServer, iris: ThreadedDemoServer) -> None:
        self.server = server
        self.iris = iris
        self.told: list[str] = []
        self.secrets: dict[str, str] = {"password": PASSWORD, "wrong password": WRONG}

    def hear(self, response: httpx.Response) -> httpx.Response:
        """Keep an answer, but for the cookies it sets, which are the secrets' own place."""
        headers = [(name, value) for name, value in response.headers.multi_items() if name != "set-cookie"]
        self.told += [response.text, str(headers)]
        return response

    async def strangers(self, person: Person) -> None:
        """Fail to sign in in every shape that carries a password."""
        post = person.http.post
        body = {"server": "demo", "namespace": "SAMPLES", "username": NAME}
        for password in (WRONG, [WRONG], {WRONG: WRONG}, f"{WRONG}\x00", WRONG * 5000):
            self.hear(await post("/api/connect", json={**body, "password": password}))
            self.hear(await post("/api/test-connection", json={**body, "password": password, "server": "no"}))
        self.hear(await post("/api/connect", content=f'{{"password": "{WRONG}'))
        self.hear(await post("/login", data={**body, "password": WRONG}))
        self.hear(await post(f"/login?password={WRONG}", data={"password": WRONG}))
        self.hear(await person.http.get("/login", params={"server": "demo", "next": "/table/SAMPLES/X"}))

    async def work(self, person: Person) -> None:
        """Use pages, tickets, sockets, values and exports; meet errors of every kind."""
        jar = {cookie.name: str(cookie.value) for cookie in person.http.cookies.jar}
        ticket, left_over = await person.ticket(), await person.ticket()
        # The id itself is the signed cookie's first part.
        content = jar["iris_quart"].partition(".")[0]
        identity = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
        self.secrets |= {"ticket": ticket, "unused ticket": left_over, "cookie": jar["iris_quart"]}
        self.secrets |= {"session id": identity}
        for path in ("/", "/api/session", "/api/sessions", "/api/csrf", "/table/SAMPLES/No.Such", "/no/such"):
            self.hear(await person.http.get(path))
        self.hear(await person.http.get("/api/export", params=TABLE))
        self.hear(await person.http.get("/api/value/SAMPLES/Sample.Person/1/Notes"))
        self.hear(await person.http.get(f"/ws?token={ticket}"))
        async with person.socket(cookies=False, query=f"?token={ticket}") as socket:
            commands: list[tuple[str, dict[str, Any]]] = [
                ("getSession", {}),
                ("getServerList", {}),
                ("getNamespaces", {}),
                ("requestData", {**TABLE, "pageSize": 5}),
                ("requestData", {**TABLE, "filters": [{"column": "No", "value": WRONG}]}),
                ("selectServer", {"serverName": "demo", "password": WRONG}),
                (WRONG, {}),
            ]
            for command, payload in commands:
                try:
                    self.told.append(str(await socket.ask(command, payload)))
                except Refused as refused:
                    # What a client sent as a command's name is told back to that client, and to nobody else.
                    self.told.append(str(refused.payload) if command != WRONG else "")
            for rule in FAULTS:
                self.iris.add_fault(rule)
                try:
                    await socket.ask("requestData", {**TABLE, "pageSize": 7})
                except Refused as refused:
                    self.told.append(str(refused.payload))
                self.iris.clear_faults()
            change = {"changeId": "canary", "kind": "update", "rowId": "1", "values": {"Home_City": "Dinant"}}
            self.told.append(str(await socket.ask("saveChanges", {**TABLE, "changes": [change]})))


async def test_no_secret_lies_about(
    tmp_path: Path, iris: ThreadedDemoServer, store: tuple[str, RedisServer | None]
) -> None:
    url, redis = store
    instance = tmp_path / "instance"
    settings: dict[str, Any] = {"store": url, "log_level": "debug", "audit_values": "true"}
    metrics = f"127.0.0.1:{free_port()}"
    with WebServer(instance, iris.url, own=True, workers=2, metrics_bind=metrics, **settings) as server:
        life = Life(server, iris)
        async with server.person(signed_in=False) as stranger:
            await life.strangers(stranger)
        async with server.person(NAME, PASSWORD) as person:
            await life.work(person)
            life.told += [str(await server.metrics())]
            if redis is not None:
                redis.command("SAVE")
            while_signed_in = files(tmp_path)
            await person.sign_out()
    vault = open_vault(instance)
    life.secrets |= {f"key for {use}": vault.signing_keys(use)[0] for use in ("cookie", "forms")}
    assert len(life.secrets) == 8
    assert any(name.endswith(("sessions.db-wal", "dump.rdb")) for name in while_signed_in)
    assert any("metrics" in name for name in while_signed_in)
    assert "iris_quart_commands_total" in "\n".join(life.told)
    for what, secret in life.secrets.items():
        assert secret not in "\n".join(life.told), what
        spellings = {secret, quote(secret), base64.b64encode(secret.encode()).decode(), secret[:24]}
        for content in (while_signed_in, files(tmp_path)):
            found = [name for name, text in content.items() if any(one.encode() in text for one in spellings)]
            assert found == [], (what, found)


def files(folder: Path) -> dict[str, bytes]:
    """Read all files below a folder: logs, stores, audit, metrics."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
