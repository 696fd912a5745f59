"""The embedded engine without HTTP: what a client of the tables needs, in every encoding."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from iris_quart.atelier.request_count import count_request
from iris_quart.atelier.sqlerrors import sql_error
from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.engine.interface import EngineOptions, Release
from iris_quart.demo.engine.namespace import Namespace
from iris_quart.demo.http import encodings
from iris_quart.demo.http.settings import default_encoding
from iris_quart.sql.server_format import PROBE_SQL, ServerFormat, interpret
from iris_quart.sql.values import Parameter

_READER = msgspec.json.Decoder(float_hook=Decimal)


@dataclass
class Reply:
    """What a statement answered."""

    rows: list[dict[str, Any]]
    content: bytes = b"[]"
    following: Reply | None = None

    def raw_rows(self) -> list[msgspec.Raw]:
        """The rows as JSON text."""
        return msgspec.json.decode(self.content, type=list[msgspec.Raw])


@dataclass(frozen=True)
class Facts:
    """What the server says of itself."""

    release: tuple[int, int] = (2025, 1)
    namespaces: tuple[str, ...] = ("%SYS", "USER", "SAMPLES")


class EngineClient:
    """Runs statements in one namespace of the embedded engine and writes the answers as JSON, as a server does.

    `before` is called before each statement and may hold it back; `log` keeps statements and parameters.
    """

    def __init__(
        self,
        namespace: Namespace,
        encoding: encodings.Encoding | None = None,
        release: tuple[int, int] = (2025, 1),
    ) -> None:
        self.namespace = namespace
        self.written = encoding or default_encoding()
        self.facts = Facts(release)
        self.log: list[tuple[str, tuple[Parameter, ...]]] = []
        self.background: list[str] = []
        self.before: Callable[[str], asyncio.Event | None] = lambda _sql: None
        self._seen: ServerFormat | None = None

    async def query(
        self,
        namespace: str,
        sql: str,
        parameters: Sequence[Parameter] = (),
        *,
        write: bool = False,
        background: bool = False,
        following: tuple[str, Sequence[Parameter]] | None = None,
    ) -> Reply:
        """Run one statement; a read that follows it is left to the caller."""
        if background:
            self.background.append(sql)
        self.log.append((sql, tuple(parameters)))
        count_request()
        gate = self.before(sql)
        if gate is not None:
            await gate.wait()
        bound = encodings.bind_all(
            _READER.decode(msgspec.json.Encoder(decimal_format="number").encode(list(parameters))),
            self.written,
        )
        try:
            result = self.namespace.execute(
                sql, bound, select_mode="odbc" if self.written.dates == "odbc" else "logical"
            )
        except SqlError as error:
            text = f"ERROR #5540: SQLCODE: {error.sqlcode} Message: {error.text}"
            raise sql_error(text, text) from error
        content = encodings.json_encoder.encode(encodings.result_objects(result, self.written))
        answer = msgspec.json.decode(content, type=dict[str, msgspec.Raw])["content"]
        return Reply(_READER.decode(answer), bytes(answer))

    async def encoding(self, namespace: str) -> ServerFormat:
        """Tell how answers are written."""
        if self._seen is None:
            self._seen = interpret((await self.query(namespace, PROBE_SQL)).rows[0])
        return self._seen

    async def server_info(self) -> Facts:
        """Say which release this is."""
        return self.facts

    @property
    def statements(self) -> list[str]:
        """What was sent, the probe aside."""
        return [sql for sql, _ in self.log if sql != PROBE_SQL]


@contextmanager
def engine(directory: Path, script: str = "", release: tuple[int, int] = (2025, 1)) -> Iterator[Namespace]:
    """Give an empty namespace in which a script was run."""
    namespace = Namespace("USER", directory / "user.sqlite", EngineOptions(release=Release(*release)))
    try:
        namespace.run_script(script)
        yield namespace
    finally:
        namespace.close()
