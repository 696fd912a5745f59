"""Every registered command on sockets of every kind of cookie and sender: none runs that should not.

The registry is walked, so a command that is added tomorrow is tried as well.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr
from quart.testing import WebsocketResponseError
from quart.testing.connections import WebsocketDisconnectError
from quart.typing import TestClientProtocol as Client

from iris_quart.atelier import Credentials, Target
from iris_quart.context import Context
from iris_quart.dispatch import Command, Kind
from iris_quart.protocol import Event, Message

from .conftest import PASSWORD, USER, Site
from .test_matrix import (
    NEW,
    SENDERS,
    SOCKET_SENDERS,
    STATES,
    client_with,
    cookie_for,
    expected,
    routes,
    signed_cookie,
)

SAMPLE: dict[str, Any] = {
    "namespace": "SAMPLES",
    "tableName": "Sample.Person",
    "rowId": "1",
    "columnName": "Home_City",
    "primaryKeyColumn": "ID",
    "primaryKeyValue": "1",
    "newValue": "canary city",
    "column": "Name",
    "columns": ["Name"],
    "values": ["canary name"],
    "changes": [{"changeId": "matrix", "kind": "delete", "rowId": "1"}],
    "id": "nothing",
    "readMark": "1.nothing",
}
"""Values for the fields that commands require; one that needs another fails here until it is written down."""
TABLE = ("namespace", "tableName")
Ran = list[str]


def names(site: Site) -> list[tuple[str, Command]]:
    """Give each name and alias under which a command is known."""
    return [
        (name, command) for command in site.services.commands for name in (command.name, *command.aliases)
    ]


def sound(command: Command) -> dict[str, Any]:
    """Make a payload that the command takes."""
    fields = {field.alias or name: field for name, field in command.payload.model_fields.items()}
    needed = [name for name, field in fields.items() if field.is_required() or name in TABLE]
    return {name: SAMPLE[name] for name in needed}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Take note of every command whose handler is reached."""
    reached: Ran = []
    answer = Command.answer

    async def noting(self: Command, context: Context, payload: Message) -> Event | AsyncGenerator[Event]:
        reached.append(self.name)
        return await answer(self, context, payload)

    monkeypatch.setattr(Command, "answer", noting)
    return reached


async def tried(client: Client, headers: dict[str, str], name: str, payload: dict[str, Any]) -> object:
    """Send a command as soon as the socket takes it: its first answer, the close code, or the refusal's status."""
    try:
        async with client.websocket("/ws", headers=headers) as socket:
            await socket.send(json.dumps({"command": name, "payload": payload, "id": "matrix"}))
            return json.loads(await socket.receive())
    except WebsocketDisconnectError as error:
        return error.args[0]
    except WebsocketResponseError as error:
        return error.response.status_code


@pytest.mark.parametrize("state", STATES)
async def test_every_command_on_every_socket(site: Site, ran: Ran, state: str) -> None:
    checked = 0
    cookie = await cookie_for(site, state)
    for name, command in names(site):
        for sender, (headers, _) in SENDERS.items():
            ran.clear()
            answer = await tried(client_with(site, cookie), headers, name, sound(command))
            what = f"{name} as {sender!r} with cookie {state!r}: {answer}"
            if not SOCKET_SENDERS[sender]:
                assert (answer, ran) == (403, []), what
            elif state != "valid":
                assert (answer, ran) == (4001, []), what
            else:
                # IRIS is not there in this test, so that most are answered by an error; but they were let in.
                assert isinstance(answer, dict), what
                assert answer["id"] == "matrix", what
                assert answer["payload"].get("code") not in {"INVALID_INPUT", "UNKNOWN_COMMAND"}, what
                assert ran == [command.name], what
            checked += 1
    assert checked == len(names(site)) * len(SENDERS)


async def test_the_matrix_is_as_large_as_it_should_be(site: Site) -> None:
    """Cookies x senders x routes and commands; `checked` in both tests says that all of them are tried."""
    of_routes, of_commands = len(routes(site)), len(names(site))
    assert of_routes > 15
    assert of_commands > 20
    assert len(STATES) * len(SENDERS) * (of_routes + of_commands) > 1500
    # It has something to refuse and something to allow everywhere.
    for endpoint, method, path in routes(site):
        wanted = [expected(endpoint, method, path, sender, "valid") for sender in SENDERS]
        assert not all(wanted) or endpoint in {"auth.login", "auth.logout"}, endpoint


@asynccontextmanager
async def cookie_of(site: Site, *, server: str, read_only: bool) -> AsyncIterator[str]:
    """Sign somebody in at the embedded IRIS."""
    new = dataclasses.replace(
        NEW, user=USER, server=server, read_only=read_only, target=Target(site.iris.url), namespace="SAMPLES"
    )
    session_id = await site.store.create(new, Credentials(USER, SecretStr(PASSWORD)))
    yield signed_cookie(site, session_id)
    session = await site.store.get(session_id)
    assert session is not None
    await site.store.end(session.key, "logout")


@pytest.mark.parametrize(
    ("server", "read_only"), [("demo", True), ("demo-readonly", False)], ids=["session", "server"]
)
async def test_no_writing_command_writes_where_none_may(
    site: Site, ran: Ran, server: str, read_only: bool
) -> None:
    writing = [(name, command) for name, command in names(site) if command.kind is Kind.WRITE]
    assert len(writing) >= 4
    async with cookie_of(site, server=server, read_only=read_only) as cookie:
        for name, command in writing:
            answer = await tried(client_with(site, cookie), {}, name, sound(command))
            assert isinstance(answer, dict), answer
            assert answer["payload"].get("code") == "READ_ONLY", (name, answer)
    assert ran == [command.name for _, command in writing]
    statements = [entry.sql for entry in site.iris.log if entry.sql]
    assert [sql for sql in statements if not sql.lstrip().upper().startswith("SELECT")] == []
