"""Commands without a socket: a context over the sample data, and a way to run one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Protocol

import msgspec
import pytest

from iris_quart.atelier import Target
from iris_quart.commands.compat import compat
from iris_quart.commands.connection import connection
from iris_quart.commands.namespaces import namespaces
from iris_quart.commands.rows import rows
from iris_quart.commands.tables import tables as tables_blueprint
from iris_quart.config import ServerSettings, Settings
from iris_quart.context import AuditEntry, Context, TableChange
from iris_quart.demo.engine.namespace import Namespace
from iris_quart.demo.samples.building import CONTENTS, build, database_path
from iris_quart.dispatch import Commands, Withdrawal, WriteRecord
from iris_quart.protocol import encode_event, parse_envelope
from iris_quart.sessions import Session
from iris_quart.tables import Tables
from tests.tables.engine import EngineClient

SETTINGS = Settings(
    servers={
        "demo": ServerSettings(url="http://127.0.0.1:1"),
        "demo-readonly": ServerSettings(url="http://127.0.0.1:1", read_only=("SAMPLES",)),
    }
)


@pytest.fixture(scope="session")
def sample_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    """Build and open the sample namespace once; these commands only read it."""
    path = database_path(tmp_path_factory.mktemp("commands"), "SAMPLES")
    build("SAMPLES", CONTENTS["SAMPLES"], path)
    namespace = Namespace("SAMPLES", path)
    yield namespace
    namespace.close()


class NoResults:
    """Reading stores no results."""

    async def begin(self, owner: str, write_id: str, fingerprint: str, **_more: Any) -> WriteRecord | None:
        """Refuse: a reading command must not come here."""
        raise AssertionError("a reading command stored a result")

    async def mark_started(self, owner: str, write_id: str) -> bool:
        """Refuse as well."""
        raise AssertionError("a reading command stored a result")

    async def withdraw(
        self, withdrawals: Sequence[Withdrawal], *, released: bool = False
    ) -> Sequence[WriteRecord | None]:
        """Refuse as well."""
        raise AssertionError("a reading command stored a result")

    async def release(self, owner: str, write_id: str) -> None:
        """Refuse as well."""
        raise AssertionError("a reading command stored a result")

    async def peek(self, owner: str, write_id: str) -> WriteRecord | None:
        """Refuse as well."""
        raise AssertionError("a reading command looked for a result")

    async def finish(self, owner: str, write_id: str, state: str, answer: bytes) -> None:
        """Refuse as well."""
        raise AssertionError("a reading command stored a result")


async def _announce(_change: TableChange) -> None:
    raise AssertionError("a reading command announced a change")


def _audit(_entry: AuditEntry) -> None:
    raise AssertionError("a reading command was audited")


class Desk:
    """One socket's context and the registered commands; `run` gives the events as the client reads them."""

    def __init__(self, client: EngineClient, settings: Settings, server: str) -> None:
        self.client = client
        self.tables = Tables(client, settings, server_key="test")
        self.context = Context(
            session=Session(
                key="0" * 64,
                user="alice",
                server=server,
                server_key="test",
                namespace=None,
                read_only=False,
                target=Target("http://127.0.0.1:1"),
                created=0.0,
                idle_until=1e12,
                absolute_until=1e12,
            ),
            settings=settings,
            tables=self.tables,
            results=NoResults(),
            announce=_announce,
            audit=_audit,
        )
        self.commands = Commands()
        for blueprint in (connection, namespaces, tables_blueprint, rows, compat):
            for command in blueprint.commands:
                self.commands.add(command)

    async def events(
        self, command: str, payload: Any = None, message_id: str | None = None
    ) -> AsyncIterator[Any]:
        """Send one command and give its events one by one."""
        body: dict[str, Any] = {"command": command}
        if payload is not None:
            body["payload"] = payload
        if message_id is not None:
            body["id"] = message_id
        envelope = parse_envelope(msgspec.json.Encoder(decimal_format="number").encode(body))
        found = self.commands.resolve(command)
        checked = self.commands.validate(found, envelope)
        async for event in found.run(self.context.for_message(message_id), checked):
            yield msgspec.json.decode(encode_event(event))

    async def run(self, command: str, payload: Any = None, message_id: str | None = None) -> list[Any]:
        """Send one command and give all its events."""
        return [event async for event in self.events(command, payload, message_id)]

    async def answer(self, command: str, payload: Any = None) -> Any:
        """Send a command of one event and give that event's payload."""
        (event,) = await self.run(command, payload)
        return event["payload"]


class OpenDesk(Protocol):
    """Make a desk."""

    def __call__(self, server: str = "demo", settings: Settings = SETTINGS) -> Desk:
        """Give one with nothing opened yet."""


@pytest.fixture
async def desk_for(sample_data: Namespace) -> AsyncIterator[OpenDesk]:
    """Give a function that makes desks; they are closed at the end."""
    desks: list[Desk] = []

    def make(server: str = "demo", settings: Settings = SETTINGS) -> Desk:
        desks.append(Desk(EngineClient(sample_data), settings, server))
        return desks[-1]

    yield make
    for desk in desks:
        await desk.tables.close()


@pytest.fixture
def desk(desk_for: Callable[..., Desk]) -> Desk:
    """Give one desk."""
    return desk_for()
