"""Everything that a write passes through, on one stage: embedded IRIS over real HTTP, client, store, commands."""

from __future__ import annotations

import asyncio
import atexit
import functools
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from pydantic import SecretStr
from quart import Quart

from iris_quart.atelier import AtelierClient, Credentials, Limits, Target
from iris_quart.commands.edits import edits
from iris_quart.commands.rows import rows
from iris_quart.commands.single_row import single_row
from iris_quart.config import ServerSettings, Settings
from iris_quart.context import AuditEntry, Context, TableChange
from iris_quart.demo import DemoOptions, DemoServer
from iris_quart.demo.samples import open_namespaces
from iris_quart.dispatch import Commands
from iris_quart.protocol import encode_event, encode_json, parse_envelope
from iris_quart.sessions import NewSession, Session, SessionStore, open_store, open_vault
from iris_quart.tables import Tables
from iris_quart.tables.new_rows import NewRows

_READ = msgspec.json.Decoder(float_hook=Decimal)

CELLS = """
CREATE TABLE Edit.Cell (
    Name VARCHAR(50), Age INTEGER, Born DATE, Wakes TIME, Seen TIMESTAMP, Price NUMERIC(10,2), Ratio DOUBLE,
    Active BIT, Code VARCHAR(10) NOT NULL DEFAULT 'x', Story LONGVARCHAR, Essay VARCHAR(5000),
    Big BIGINT);
CREATE TABLE Edit.Keyed (K VARCHAR(20) NOT NULL, V VARCHAR(50), PRIMARY KEY (K));
CREATE TABLE Edit.Pair (A INTEGER NOT NULL, B VARCHAR(20) NOT NULL, V VARCHAR(50), PRIMARY KEY (A, B));
CREATE TABLE Edit.Plain (V VARCHAR(50), N INTEGER);
"""


@dataclass
class Client:
    """One signed-in user, as one worker serves them."""

    office: Office
    context: Context
    atelier: AtelierClient
    announced: list[TableChange] = field(default_factory=list)
    audited: list[AuditEntry] = field(default_factory=list)
    ended: bool = False
    stopping: bool = False

    async def run(
        self, command: str, payload: dict[str, Any], message_id: str | None = None
    ) -> list[dict[str, Any]]:
        """Run a command and give its events as a client reads them. Raises the command's error."""
        return [event async for event in self.stream(command, payload, message_id)]

    async def stream(
        self, command: str, payload: dict[str, Any], message_id: str | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Run a command and give each event as it comes."""
        body: dict[str, Any] = {"command": command, "payload": payload}
        if message_id is not None:
            body["id"] = message_id
        envelope = parse_envelope(encode_json(body).decode())
        declared = self.office.commands.resolve(envelope.command)
        message = self.office.commands.validate(declared, envelope)
        context = self.context.for_message(envelope.id)
        async for event in declared.run(context, message):
            yield _READ.decode(encode_event(event, envelope.id))

    async def one(
        self, command: str, payload: dict[str, Any], message_id: str | None = None
    ) -> dict[str, Any]:
        """Run a command with one answer and give its payload."""
        events = await self.run(command, payload, message_id)
        assert len(events) == 1, events
        payload_out: dict[str, Any] = events[0]["payload"]
        return payload_out

    async def save(self, table: str, changes: Sequence[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
        """Save staged edits of a table in USER; the results, then the counts."""
        payload = {"namespace": "USER", "tableName": table, "changes": list(changes), **more}
        return [event["payload"] for event in await self.run("saveChanges", payload)]

    async def close(self) -> None:
        """Sign out."""
        await self.context.tables.close()
        await self.atelier.close()


@dataclass
class Office:
    """Where users sign in: one IRIS server by its URL, one session store."""

    url: str
    store: SessionStore
    settings: Settings
    commands: Commands
    clients: list[Client] = field(default_factory=list)
    new_rows: NewRows = field(default_factory=lambda: NewRows(seen_seconds=0.0))
    """Of the one worker that all these users have."""
    under_way: dict[tuple[str, str], asyncio.Future[Any]] = field(default_factory=dict)
    """Of that worker, too."""

    async def client(
        self, user: str = "_SYSTEM", *, session: dict[str, Any] | None = None, **limits: Any
    ) -> Client:
        """Sign a user in."""
        target = Target(self.url)
        credentials = Credentials(user, SecretStr("SYS" if user == "_SYSTEM" else user))
        new = NewSession(user=user, server="demo", server_key="demo-key", target=target, **(session or {}))
        opened = await self.store.get(await self.store.create(new, credentials))
        assert opened is not None
        found: Session = opened[0] if isinstance(opened, tuple) else opened
        atelier = AtelierClient(target, credentials, limits=replace(Limits(), **limits))
        announced: list[TableChange] = []
        audited: list[AuditEntry] = []

        async def announce(change: TableChange) -> None:
            announced.append(change)

        context = Context(
            session=found,
            settings=self.settings,
            tables=Tables(atelier, self.settings, server_key="demo-key", new_rows=self.new_rows),
            results=self.store,
            announce=announce,
            audit=audited.append,
            under_way=self.under_way,
        )
        client = Client(self, context, atelier, announced, audited)
        context.ended = lambda: client.ended
        context.stopping = lambda: client.stopping
        self.clients.append(client)
        return client


@dataclass
class Stage(Office):
    """An office with an embedded IRIS of its own."""

    iris: DemoServer = field(kw_only=True)

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement in USER past everything: what the database really holds."""
        return self.iris.namespace("USER").execute(statement, parameters).rows

    def statements(self, *, of: str = "Edit.") -> list[str]:
        """Give the statements that IRIS was asked to run on tables of edits."""
        quoted = of.replace(".", '"."').rstrip('"')
        return [
            record.sql
            for record in self.iris.log
            if record.sql and (of in record.sql or quoted in record.sql)
        ]


@asynccontextmanager
async def open_office(instance: Path, url: str) -> AsyncIterator[Office]:
    """Open a store in a directory, and the commands."""
    settings = Settings(
        instance=instance,
        servers={"demo": ServerSettings(url="http://127.0.0.1:1")},
        sessions_per_account=1_000_000,
    )
    store = open_store(settings, open_vault(settings.instance))
    await store.start()
    app = Quart(__name__)
    commands = Commands()
    commands.init_app(app)
    app.register_blueprint(edits)
    app.register_blueprint(single_row)
    app.register_blueprint(rows)
    office = Office(url, store, settings, commands)
    try:
        yield office
    finally:
        for client in office.clients:
            await client.close()
        await store.close()


@functools.cache
def empty_databases() -> Path:
    """Make the sample databases once for all tests of a run; each test works on a copy."""
    directory = Path(tempfile.mkdtemp(prefix="iris-quart-test-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    for namespace in open_namespaces(DemoOptions(directory=directory)).values():
        namespace.close()
    return directory


@asynccontextmanager
async def open_stage(directory: Path, script: str = CELLS, **options: Any) -> AsyncIterator[Stage]:
    """Set the stage up in a directory, and take it down."""
    iris_directory = directory / "iris"
    await asyncio.to_thread(shutil.copytree, await asyncio.to_thread(empty_databases), iris_directory)
    async with DemoServer(DemoOptions(directory=iris_directory, **options)) as iris:
        await asyncio.to_thread(iris.namespace("USER").run_script, script)
        async with open_office(directory / "instance", iris.url) as office:
            yield Stage(office.url, office.store, office.settings, office.commands, office.clients, iris=iris)
