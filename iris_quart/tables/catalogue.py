"""The catalogue: which tables a namespace has and what their columns are, asked rarely."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import msgspec

from iris_quart.errors import ColumnNotFound, InvalidInput, NamespaceNotFound, SqlError, TableNotFound
from iris_quart.names import namespace_name, same_namespace
from iris_quart.sql.identifiers import QualifiedName, split_table_name
from iris_quart.sql.information_schema import (
    ALL_COLUMNS_SQL,
    COLUMNS_SQL,
    KEYS_SQL,
    TABLES_SQL,
    build_entries,
    build_table,
    merge_rows,
)
from iris_quart.sql.metadata import Column, Table, TableEntry, TableKind
from iris_quart.sql.server_format import ServerFormat
from iris_quart.sql.values import Category, Parameter
from iris_quart.sql.view_definition import VIEW_SQL, editable_view, read_view

from .caches import Cache

__all__ = ["Catalogue", "Column", "ServerFacts", "SqlClient", "StatementAnswer", "Table", "TableEntry"]

TABLES_KEPT = 512
LISTS_KEPT = 16


class StatementAnswer(Protocol):
    """Answer to a statement."""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One dictionary a row, numbers as int and Decimal."""

    def raw_rows(self) -> list[msgspec.Raw]:
        """Return the rows as JSON text."""

    @property
    def following(self) -> StatementAnswer | None:
        """The answer to a read that followed the statement, where one came."""


class ServerFacts(Protocol):
    """Description of a server."""

    @property
    def release(self) -> tuple[int, int]:
        """Year and minor; (0, 0) when unknown."""

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces it has."""


class SqlClient(Protocol):
    """The part of atelier.AtelierClient that the tables use."""

    async def query(
        self,
        namespace: str,
        sql: str,
        parameters: Sequence[Parameter] = (),
        *,
        write: bool = False,
        background: bool = False,
        following: tuple[str, Sequence[Parameter]] | None = None,
    ) -> StatementAnswer:
        """Run one statement; one in the background leaves the last free IRIS session to the others.

        `following` is a read that may be sent behind it without waiting.
        """

    async def encoding(self, namespace: str) -> ServerFormat:
        """Return the format of the server's values."""

    async def server_info(self) -> ServerFacts:
        """Ask the server who it is."""


class Catalogue:
    """The tables that one user sees on one server, remembered for `lifetime` seconds.

    `allowed` are the namespaces that the settings show; None shows all.
    """

    def __init__(
        self, client: SqlClient, *, lifetime: float = 300.0, allowed: tuple[str, ...] | None = None
    ) -> None:
        self._client = client
        self._allowed = allowed
        self._server: Cache[str, ServerFacts] = Cache(lifetime, 1)
        self._lists: Cache[str, tuple[TableEntry, ...]] = Cache(lifetime, LISTS_KEPT)
        self._tables: Cache[tuple[str, str, str], Table] = Cache(lifetime, TABLES_KEPT)

    async def server(self, *, refresh: bool = False) -> ServerFacts:
        """Return the server's release and namespaces. Raises what AtelierClient.server_info raises."""
        return await self._server.get("", self._client.server_info, refresh=refresh)

    async def namespaces(self, *, refresh: bool = False) -> tuple[str, ...]:
        """List the namespaces that may be opened, in the server's order."""
        info = await self.server(refresh=refresh)
        return tuple(name for name in info.namespaces if self._shows(name.strip().upper()))

    def namespace(self, name: str) -> str:
        """Return a namespace's canonical name.

        Raises NamespaceNotFound for what cannot be one, and when the settings hide it.
        """
        try:
            canonical = namespace_name(name)
        except InvalidInput:
            canonical = ""
        if not canonical or not self._shows(canonical):
            raise NamespaceNotFound(
                "There is no namespace of this name, or it may not be opened.", field="namespace"
            )
        return canonical

    def _shows(self, canonical: str) -> bool:
        return self._allowed is None or any(same_namespace(item, canonical) for item in self._allowed)

    async def list_tables(self, namespace: str, *, refresh: bool = False) -> tuple[TableEntry, ...]:
        """List the tables and views of a namespace by schema and name; one statement when not known."""
        namespace = self.namespace(namespace)

        async def load() -> tuple[TableEntry, ...]:
            reply = await self._client.query(namespace, TABLES_SQL)
            return build_entries(reply.rows)

        return await self._lists.get(namespace, load, refresh=refresh)

    async def table(
        self, namespace: str, name: str, *, refresh: bool = False, settled: bool = False
    ) -> Table:
        """Describe a table or view, named "Schema.Table"; two statements side by side when not known.

        A view takes one more, and the description of the table behind it where its rows can be changed.
        `settled` tells POSIXTIME columns from TIMESTAMP ones, which takes a further statement the first time;
        it is needed wherever values are compared or written. Raises InvalidInput for what is not a name,
        NamespaceNotFound, TableNotFound.
        """
        namespace = self.namespace(namespace)
        asked = split_table_name(name)
        key = _key(namespace, asked)
        table = None if refresh else self._tables.peek(key)
        if table is None:
            table = await self._tables.get(key, lambda: self._read(namespace, asked), refresh=refresh)
        if settled and not table.timestamps_settled:
            table = await self._settle(table)
            self._tables.amend(key, table)
        return table

    def peek(self, namespace: str, name: str) -> Table | None:
        """Describe a table if that is known. Raises as `table` does for names that cannot be."""
        return self._tables.peek(_key(self.namespace(namespace), split_table_name(name)))

    def forget(self, namespace: str, name: str | None = None) -> None:
        """Ask again for a table, or for a whole namespace."""
        canonical = self.namespace(namespace)
        if name is None:
            self._lists.drop(lambda key: key == canonical)
            self._tables.drop(lambda key: key[0] == canonical)
        else:
            wanted = _key(canonical, split_table_name(name))
            self._tables.drop(lambda key: key == wanted)

    async def close(self) -> None:
        """Stop the reads under way."""
        await asyncio.gather(self._server.close(), self._lists.close(), self._tables.close())

    async def _read(self, namespace: str, asked: QualifiedName) -> Table:
        names = (asked.schema, asked.name)
        try:
            columns, keys = await self._ask(namespace, names, COLUMNS_SQL, KEYS_SQL)
        except ColumnNotFound:
            # An older release has fewer columns in these views; what it has is enough.
            tables, columns, keys = await self._ask(namespace, names, *ALL_COLUMNS_SQL)
            columns = merge_rows(tables, columns)
        table = build_table(namespace, asked, columns, keys)
        return await self._look_behind(table) if table.kind is TableKind.VIEW else table

    async def _look_behind(self, view: Table) -> Table:
        """Describe a view by the table behind it where its rows can be changed; else say why not."""
        try:
            (rows,) = await self._ask(view.namespace, (view.schema, view.name), VIEW_SQL)
            source = read_view(rows)
            if isinstance(source, str):
                return replace(view, read_only_reason=source)
            base = await self.table(view.namespace, str(source.table))
        except (SqlError, ColumnNotFound, TableNotFound, InvalidInput):
            # Nobody who does not see the table behind a view changes it from here.
            return view
        found = editable_view(view, source, base)
        return replace(view, read_only_reason=found) if isinstance(found, str) else found

    async def _ask(
        self, namespace: str, names: tuple[str, str], *statements: str
    ) -> list[list[dict[str, Any]]]:
        replies = await asyncio.gather(*(self._client.query(namespace, sql, names) for sql in statements))
        return [reply.rows for reply in replies]

    async def _settle(self, table: Table) -> Table:
        """Look at one value of each timestamp column: a POSIXTIME shows as a number, a TIMESTAMP as text."""
        columns = [column for column in table.columns if column.category is Category.TIMESTAMP]
        samples = [
            f"SELECT TOP 1 {c.sql} AS sample FROM {table.sql} WHERE {c.sql} IS NOT NULL" for c in columns
        ]
        items = ", ".join(f"({sample}) AS sample{index}" for index, sample in enumerate(samples))
        try:
            rows = (await self._client.query(table.namespace, f"SELECT {items}")).rows
            values = [{key.lower(): value for key, value in row.items()} for row in rows[:1]] or [{}]
            found = [values[0].get(f"sample{index}") for index in range(len(columns))]
        except SqlError:
            # Not every release takes subqueries there.
            replies = [await self._client.query(table.namespace, sample) for sample in samples]
            found = [next(iter(reply.rows[0].values()), None) if reply.rows else None for reply in replies]
        seen = list(zip(columns, found, strict=True))
        return table.with_timestamps(
            (column.name for column, value in seen if _is_posixtime(value)),
            (column.name for column, value in seen if value in {None, "", "\0"}),
        )


def _is_posixtime(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and value.lstrip("-").isdigit())


def _key(namespace: str, asked: QualifiedName) -> tuple[str, str, str]:
    return namespace, asked.schema.lower(), asked.name.lower()
