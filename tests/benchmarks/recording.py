"""Answers of the embedded IRIS to what the server really sends, recorded for the stub."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
from pydantic import SecretStr

from iris_quart.atelier import AtelierClient, Credentials, Limits, Target
from iris_quart.atelier.http_response import Headers
from iris_quart.atelier.transport import ConnectionTransport
from iris_quart.commands.edits import edits
from iris_quart.commands.namespaces import namespaces
from iris_quart.commands.rows import rows
from iris_quart.commands.single_row import single_row
from iris_quart.commands.tables import tables as tables_commands
from iris_quart.config import Settings
from iris_quart.context import AuditEntry, Context, TableChange
from iris_quart.demo import DemoOptions, DemoServer
from iris_quart.dispatch import Commands, Withdrawal, WriteRecord
from iris_quart.protocol import encode_event, parse_envelope
from iris_quart.sessions import Session
from iris_quart.tables import Tables
from iris_quart.tables.row_queries import RowQueryRequest
from iris_quart.tables.rows import Rows
from iris_quart.web.export.routes import PREVIEW

__all__ = ["Recording", "record"]

PAGES = 20
PAGE_SIZE = 50
BIG_PAGE = 1000
NAMESPACE = "SAMPLES"
CUSTOMER, BIG, LONG = "App.Customer", "App.Wide", "App.Long"
LONG_PAGES = 12
LONG_NOTES = 400
"""Characters that make a page of 1,000 rows 580 KB."""
COLUMNS = """Name VARCHAR(80), City VARCHAR(50), Street VARCHAR(80), DOB DATE, Balance NUMERIC(12,2), Active BIT,
    Updated TIMESTAMP, Notes VARCHAR(500), Parent INTEGER"""
NAMES = ("Name", "City", "Street", "DOB", "Balance", "Active", "Updated", "Notes", "Parent")


@dataclass(frozen=True)
class Recording:
    """What was recorded and the messages that lead to it."""

    replies: Path
    """The stub's file."""
    page_request: bytes
    """Body of one page's request, for the bare client."""
    page_bytes: int
    prepare: str
    """The selectTable that a socket sends first."""
    messages: dict[str, Sequence[str]]
    """Messages by workload."""
    round_trips: dict[str, float]
    """Requests to IRIS per command, by workload."""


class _Tap:
    """Passes requests on and keeps what was answered."""

    def __init__(self, kept: dict[bytes, bytes]) -> None:
        self._inner = ConnectionTransport()
        self._kept = kept

    async def exchange(
        self, method: str, url: httpx.URL, headers: Headers, body: bytes | None, **limits: float | None
    ) -> tuple[int, Headers, bytes]:
        answer = await self._inner.exchange(method, url, headers, body, **limits)
        self._kept[body or url.raw_path] = answer[2]
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Results:
    async def begin(self, owner: str, write_id: str, fingerprint: str, **_more: Any) -> WriteRecord | None:
        return None

    async def mark_started(self, owner: str, write_id: str) -> bool:
        return True

    async def withdraw(
        self, withdrawals: Sequence[Withdrawal], *, released: bool = False
    ) -> Sequence[WriteRecord | None]:
        return [None] * len(withdrawals)

    async def release(self, owner: str, write_id: str) -> None:
        return None

    async def peek(self, owner: str, write_id: str) -> WriteRecord | None:
        return None

    async def finish(self, owner: str, write_id: str, state: str, answer: bytes) -> None:
        return None


class _Desk:
    """Runs commands without a socket, on a client that is tapped."""

    def __init__(self, url: str) -> None:
        self.kept: dict[bytes, bytes] = {}
        settings = Settings(count_seconds=3600, catalogue_seconds=3600)
        self.client = AtelierClient(
            Target(url),
            Credentials("_SYSTEM", SecretStr("SYS")),
            limits=Limits(),
            make_exchange=lambda: _Tap(self.kept),
        )
        self.context = Context(
            session=Session(
                key="0" * 64,
                user="_SYSTEM",
                server="demo",
                server_key="bench",
                namespace=None,
                read_only=False,
                target=Target(url),
                created=0.0,
                idle_until=1e12,
                absolute_until=1e12,
            ),
            settings=settings,
            tables=Tables(self.client, settings, server_key="bench"),
            results=_Results(),
            announce=_announce,
            audit=_audit,
        )
        self.commands = Commands()
        for blueprint in (namespaces, tables_commands, rows, edits, single_row):
            for command in blueprint.commands:
                self.commands.add(command)

    async def run(self, message: str) -> dict[str, Any]:
        """Run one message and give its last event; raise RuntimeError for an error."""
        envelope = parse_envelope(message)
        command = self.commands.resolve(envelope.command)
        payload = self.commands.validate(command, envelope)
        last: dict[str, Any] = {}
        async for event in command.run(self.context.for_message(None), payload):
            last = msgspec.json.decode(encode_event(event))
            if last["event"] == "error":
                raise RuntimeError(last["payload"]["message"])
        return last

    async def export(self, table: str) -> None:
        """Read a table as its export does."""
        tables = self.context.tables
        rows = Rows(self.client, tables.catalogue, server_key=tables.server_key, preview=PREVIEW)
        async for _page in rows.stream(await rows.view(RowQueryRequest(NAMESPACE, table))):
            pass

    async def counted(self, messages: Sequence[str]) -> float:
        """Run messages and give the round trips each took."""
        before = self.client.round_trips
        for message in messages:
            await self.run(message)
        return (self.client.round_trips - before) / len(messages)


async def _announce(_change: TableChange) -> None:
    return None


def _audit(_entry: AuditEntry) -> None:
    return None


def _message(command: str, **payload: Any) -> str:
    return json.dumps({"command": command, "payload": payload})


def _customers(count: int, notes: int = 0) -> list[tuple[Any, ...]]:
    return [
        (
            f'Customer {i}, "Jones"',
            "Zürich",
            f"{i * 7} Main Street West",
            40000 + i % 20000,
            f"{i * 113 % 100000}.{i % 90 + 10}",
            i & 1,
            f"2026-01-{1 + i % 28:02d} 12:34:56",
            f"Lorem ipsum dolor sit amet {i}".ljust(notes, "."),
            None,
        )
        for i in range(1, count + 1)
    ]


async def record(folder: Path) -> Recording:
    """Run every workload once against the embedded IRIS and keep its answers in `folder`."""
    async with DemoServer(DemoOptions(directory=folder / "demo", licences=None)) as iris:
        engine = iris.namespace(NAMESPACE)
        for table, count, notes in (
            (CUSTOMER, 2 * PAGES * PAGE_SIZE, 0),
            (BIG, 3 * BIG_PAGE, 0),
            (LONG, BIG_PAGE + LONG_PAGES, LONG_NOTES),
        ):
            engine.run_script(f"CREATE TABLE {table} ({COLUMNS}) WITH %CLASS;")
            engine.bulk_load(table, NAMES, _customers(count, notes))
        desk = _Desk(iris.url)
        await desk.client.server_info()

        prepare = _message("selectTable", namespace=NAMESPACE, tableName=CUSTOMER, pageSize=PAGE_SIZE)
        trips = {"select cold": await desk.counted([prepare])}
        trips["select"] = await desk.counted([prepare])
        pages = []
        at = {"page": 0}
        for _ in range(PAGES):
            pages.append(
                _message("requestData", namespace=NAMESPACE, tableName=CUSTOMER, pageSize=PAGE_SIZE, **at)
            )
            answer = await desk.run(pages[-1])
            at = {"after": answer["payload"]["cursors"]["next"]}
        trips["page"] = await desk.counted(pages)
        top = f"TOP {PAGE_SIZE + 1} ".encode()
        page_request = next(key for key in desk.kept if top in key and b"Customer" in key)

        big = _message("requestData", namespace=NAMESPACE, tableName=BIG, pageSize=BIG_PAGE, count="skip")
        await desk.run(big)
        long_pages = [
            _message(
                "requestData",
                namespace=NAMESPACE,
                tableName=LONG,
                pageSize=BIG_PAGE,
                offset=offset,
                count="skip",
            )
            for offset in range(LONG_PAGES)
        ]
        for message in long_pages:
            await desk.run(message)
        await desk.export(BIG)
        saves = [
            _message(
                "saveCell",
                namespace=NAMESPACE,
                tableName=CUSTOMER,
                columnName="Name",
                primaryKeyColumn="ID",
                primaryKeyValue=i,
                oldValue=f'Customer {i}, "Jones"',
                newValue=f"New name {i}",
            )
            for i in range(1, PAGES + 1)
        ]
        trips["save"] = await desk.counted(saves)
        for name, number in (("first", 1), ("second", 2)):
            # What the server is asked before a read is sent behind a write.
            await desk.client.query(NAMESPACE, f'SELECT {number} AS "{name}"')
        tables = _message("getTables", namespace=NAMESPACE)
        await desk.run(tables)
        cold = [
            _message("selectTable", namespace=NAMESPACE, tableName=CUSTOMER, pageSize=PAGE_SIZE, refresh=True)
        ]
        await desk.counted(cold)
        await desk.client.close()

    replies = folder / "replies.bin"
    with replies.open("wb") as file:
        for key, body in desk.kept.items():
            file.write(struct.pack("<I", len(key)) + key + struct.pack("<I", len(body)) + body)
    return Recording(
        replies=replies,
        page_request=page_request,
        page_bytes=len(desk.kept[page_request]),
        prepare=prepare,
        messages={
            "cheap": [_message("getServerList")],
            "page": pages,
            "select": [prepare],
            "select cold": cold,
            "save": saves,
            "big page": [big],
            "long pages": long_pages,
        },
        round_trips=trips,
    )
