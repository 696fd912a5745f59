"""One namespace of the embedded IRIS: IRIS SQL in, logical values out."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from iris_quart.demo.catalog.layout import table_indexes
from iris_quart.demo.catalog.tables import ROW_ID, Catalog, Column, Table, quoted
from iris_quart.demo.core.conversions import Stored, Value, decode
from iris_quart.demo.core.errors import SqlError, fatal, not_found, not_privileged, row_locked
from iris_quart.demo.core.types import TEXT
from iris_quart.demo.functions.session import Process, run_as
from iris_quart.demo.parse import nodes
from iris_quart.demo.parse.dialect import parse, split_script
from iris_quart.demo.translate.plans import Parameter, Plan, Query, bind
from iris_quart.demo.translate.scope import Names, Scope
from iris_quart.demo.translate.statements import DEFINITION, QUERY, SESSION, translate
from iris_quart.demo.translate.translation import Translation
from iris_quart.demo.translate.typed import LITERAL

from .changes import Definer, open_catalog
from .interface import (
    PAGING_SINCE,
    EngineOptions,
    ExecutionHandle,
    Grants,
    Result,
    ResultColumn,
    SelectMode,
)
from .locks import POLL_SECONDS, RowHeld, RowLocks
from .rows import BULK_ENCODED, encoded_rows, logical_rows, number_versions
from .running import RunningStatements
from .storage import Storage, mapped
from .writes import Writer

CACHED_PLANS = 1000
NOTHING = Result((), [], is_query=False)


class Namespace:
    """Run IRIS SQL on one SQLite file; safe to call from many threads."""

    def __init__(self, name: str, path: Path, options: EngineOptions | None = None) -> None:
        self.name = name
        self.path = path
        self.options = options or EngineOptions()
        self._paging = self.options.release >= PAGING_SINCE
        self._storage = Storage(path, self.options.lock_timeout)
        self._locks = RowLocks()
        self._running = RunningStatements(name)
        self._plans: OrderedDict[tuple[str, bool], Plan] = OrderedDict()
        self._plans_lock = threading.Lock()
        self._catalog = open_catalog(self._storage.writer)

    @property
    def catalog(self) -> Catalog:
        """Return the tables as they are now."""
        return self._catalog

    def execute(
        self,
        sql: str,
        parameters: Sequence[Parameter] = (),
        *,
        max_rows: int | None = None,
        user: str = "_SYSTEM",
        grants: Grants | None = None,
        select_mode: SelectMode = "logical",
        handle: ExecutionHandle | None = None,
        building: bool = False,
    ) -> Result:
        """Run one statement and return its answer, or raise SqlError.

        Blocks; call it from a worker thread. Rows hold logical values, or ODBC text for dates, times and lists in the
        select mode "odbc".
        """
        odbc = select_mode == "odbc"
        handle = handle or ExecutionHandle()
        run_as(Process(user, self.name, self.options.release.version_text, self._running))
        try:
            plan = self._ready(sql, parameters, user, grants, odbc=odbc)
            with self._running.entered(user, sql, handle):
                if plan.kind == QUERY:
                    return self._read(plan, parameters, max_rows, odbc, handle)
                if plan.kind != SESSION:
                    self._write(plan, parameters, odbc, handle, building=building)
        except SqlError:
            if handle.cancelled:
                raise SqlError(-456, "Query cancelled by another process") from None
            raise
        except RecursionError:
            raise fatal("<FRAMESTACK>") from None
        except MemoryError:
            raise fatal("<STORE>") from None
        return NOTHING

    def _ready(
        self, sql: str, parameters: Sequence[Parameter], user: str, grants: Grants | None, *, odbc: bool
    ) -> Plan:
        """Return the plan of a statement that may run with these parameters."""
        plan = self._plan(sql, odbc)
        if len(parameters) < plan.parameters:
            raise SqlError(
                -400,
                f"Fatal error occurred: {plan.parameters} parameters expected, {len(parameters)} given",
            )
        if grants is not None:
            self._check_grants(plan, user, grants)
        return plan

    def run_script(self, script: str) -> None:
        """Run statements separated by semicolons, dates in ODBC form; they may change the tables of classes."""
        for statement in split_script(script):
            self.execute(statement, select_mode="odbc", building=True)

    def bulk_load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
        """Insert many rows of logical values in one transaction, without checking them.

        So it can also make rows whose values break their own metadata. The column `%ID` sets row IDs.
        Raises SqlError -29 or -30 for unknown names, -119 for a broken unique key.
        """
        target = self._catalog.by_full_name(table)
        if target is None:
            raise not_found(table)
        found = [self._loaded_column(target, name) for name in columns]
        versions = [
            column
            for column in target.stored()
            if column.type.counter == "rowversion" and column not in found
        ]
        encoders = {
            index: column.type.kind for index, column in enumerate(found) if column.type.kind in BULK_ENCODED
        }
        names = ", ".join(quoted(ROW_ID if column.row_id else column.storage or "") for column in found)
        sql = f"INSERT INTO {quoted(target.full_name)} ({names}) VALUES ({', '.join('?' * len(found))})"
        with self._writing(None) as connection:
            try:
                empty = not connection.execute(f"SELECT 1 FROM {quoted(target.full_name)} LIMIT 1").fetchall()
                indexes = table_indexes(target) if empty else []
                for name, _ in indexes:
                    connection.execute(f"DROP INDEX {name}")
                connection.executemany(sql, encoded_rows(rows, encoders))
                for column in versions:
                    number_versions(connection, target, column)
                for _, statement in indexes:
                    connection.execute(statement)
            except sqlite3.IntegrityError as error:
                raise SqlError(-119, f"Table '{target.full_name}' failed unique check: {error}") from None

    def lock_row(self, table: str, row_id: int | str) -> AbstractContextManager[None]:
        """Hold a row as another process would, until the block ends."""
        return self._locks.hold(table, row_id)

    def close(self) -> None:
        """Close the file."""
        self._storage.close()

    def _plan(self, sql: str, odbc: bool) -> Plan:
        key = (sql, odbc)
        with self._plans_lock:
            plan = self._plans.get(key)
            if plan is not None:
                self._plans.move_to_end(key)
                return plan
        catalog = self._catalog
        statement = parse(sql, paging=self._paging, json_tables=self.options.has_json_tables)
        plan = translate(statement, catalog, odbc=odbc, unordered=self.options.unordered, text=sql)
        if plan.kind != DEFINITION:
            with self._plans_lock:
                if self._catalog is catalog:
                    self._plans[key] = plan
                    if len(self._plans) > CACHED_PLANS:
                        self._plans.popitem(last=False)
        return plan

    def _check_grants(self, plan: Plan, user: str, grants: Grants) -> None:
        for table in plan.reads:
            if not table.startswith(("INFORMATION_SCHEMA.", "%Dictionary.")) and not grants.allows(
                user, "SELECT", table
            ):
                raise not_privileged(user)
        for action, table in plan.writes:
            if not grants.allows(user, action, table):
                raise not_privileged(user)

    def _read(
        self,
        plan: Plan,
        parameters: Sequence[Parameter],
        max_rows: int | None,
        odbc: bool,
        handle: ExecutionHandle | None,
    ) -> Result:
        query = plan.query
        assert query is not None
        bound = bind(query.slots, parameters, odbc=odbc)
        with self._storage.reader() as connection:
            rows = _fetched(connection, query, bound, max_rows, handle)
        columns = tuple(ResultColumn(item.label, item.type.name) for item in query.outputs)
        return Result(columns, logical_rows(rows, query.outputs, odbc=odbc), is_query=True)

    def _write(
        self,
        plan: Plan,
        parameters: Sequence[Parameter],
        odbc: bool,
        handle: ExecutionHandle | None,
        *,
        building: bool,
    ) -> None:
        deadline = time.monotonic() + self.options.lock_timeout
        while True:
            try:
                if plan.definition is not None:
                    self._define(plan.definition, plan.text, handle, building=building)
                    return
                with self._writing(handle) as connection:
                    self._writer(connection, odbc, handle).run(plan, parameters)
                return
            except RowHeld as held:
                self._wait_for_row(plan, held, deadline, handle)

    def _wait_for_row(
        self, plan: Plan, held: RowHeld, deadline: float, handle: ExecutionHandle | None
    ) -> None:
        while not self._locks.wait(held, deadline):
            if handle is not None and handle.interrupted:
                raise fatal("<INTERRUPT>")
            if time.monotonic() >= deadline:
                raise row_locked(plan.kind, held.table, held.row_id) from None

    @contextmanager
    def _writing(
        self, handle: ExecutionHandle | None, committed: Callable[[], None] | None = None
    ) -> Iterator[sqlite3.Connection]:
        """Lend the writer inside a transaction that ends with the block, undone by any error.

        `committed` is called after the commit, before anybody else may write.
        """
        self._take_writer(handle)
        connection = self._storage.writer
        try:
            with (handle or ExecutionHandle()).watching(connection):
                _run(connection, "BEGIN IMMEDIATE", ())
                try:
                    yield connection
                    _run(connection, "COMMIT", ())
                    if committed is not None:
                        committed()
                finally:
                    if connection.in_transaction:
                        connection.rollback()
        except sqlite3.Error as error:
            raise mapped(error, "UPDATE", self.name) from None
        finally:
            self._storage.write_lock.release()

    def _take_writer(self, handle: ExecutionHandle | None) -> None:
        deadline = time.monotonic() + self.options.lock_timeout
        while not self._storage.write_lock.acquire(
            timeout=POLL_SECONDS if handle else self.options.lock_timeout
        ):
            if handle is not None and handle.interrupted:
                raise fatal("<INTERRUPT>")
            if time.monotonic() >= deadline:
                raise SqlError(-110, f"Unable to acquire lock for UPDATE of table in namespace '{self.name}'")

    def _define(
        self, definition: nodes.Definition, text: str, handle: ExecutionHandle | None, *, building: bool
    ) -> None:
        changed: list[Catalog] = []

        def publish() -> None:
            with self._plans_lock:
                self._catalog = changed[0]
                self._plans.clear()

        with self._writing(handle, publish) as connection:
            changed.append(
                Definer(connection, self._catalog, self._default(connection), building).run(definition, text)
            )

    def _writer(self, connection: sqlite3.Connection, odbc: bool, handle: ExecutionHandle | None) -> Writer:
        def pulse() -> None:
            if handle is not None and handle.interrupted:
                raise fatal("<INTERRUPT>")

        def evaluate(query: Query, bound: Sequence[Stored]) -> list[tuple[Stored, ...]]:
            return _run(connection, query.sql, bound).fetchall()

        return Writer(
            connection, self._catalog, self._locks, evaluate, self._default(connection), pulse, odbc
        )

    def _default(self, connection: sqlite3.Connection) -> Callable[[Column], tuple[Value, str]]:
        def value(column: Column) -> tuple[Value, str]:
            if column.default is None:
                return None, TEXT
            translation = Translation(self._catalog, Names(()), odbc=False)
            item = translation.expressions.value(column.default, Scope(), column.type)
            if item.category == LITERAL:
                return item.value, TEXT if isinstance(item.value, str) else item.kind
            (row,) = _run(connection, f"SELECT {translation.rendering.plain(item)}", ()).fetchall()
            return decode(row[0], item.kind), item.kind

        return value

    def _loaded_column(self, table: Table, name: str) -> Column:
        column = table.column(name)
        if column is None or column.storage is None:
            raise SqlError(-29, f"Field '{name}' not found in the applicable tables")
        return column


def _run(connection: sqlite3.Connection, sql: str, bound: Sequence[Stored]) -> sqlite3.Cursor:
    try:
        return connection.execute(sql, tuple(bound))
    except (sqlite3.Error, OverflowError, UnicodeError, ValueError) as error:
        raise _as_sql_error(error) from None


def _as_sql_error(error: Exception) -> SqlError:
    if isinstance(error, sqlite3.Error):
        return mapped(error, "SELECT", "")
    return fatal(f"<ILLEGAL VALUE> {error}")


def _fetched(
    connection: sqlite3.Connection,
    query: Query,
    bound: Sequence[Stored],
    max_rows: int | None,
    handle: ExecutionHandle | None,
) -> list[tuple[Stored, ...]]:
    def fetch() -> list[tuple[Stored, ...]]:
        cursor = _run(connection, query.sql, bound)
        try:
            return cursor.fetchall() if max_rows is None else cursor.fetchmany(max_rows)
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            raise _as_sql_error(error) from None
        finally:
            cursor.close()

    if handle is None:
        return fetch()
    with handle.watching(connection):
        return fetch()


__all__ = ["Namespace"]
