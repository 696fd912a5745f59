"""Changes of rows: guarded, sent once, and proved by reading, because IRIS reports no row count."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iris_quart import logs
from iris_quart.errors import (
    AuthExpired,
    ColumnNotFound,
    InvalidInput,
    InvalidResponse,
    IrisQuartError,
    RowGone,
    TableNotFound,
    UpstreamError,
    ValueRefused,
)
from iris_quart.sql.edits import (
    RAISED,
    Guards,
    delete_statement,
    guards_for,
    insert_statement,
    update_statement,
)
from iris_quart.sql.identifiers import ROW_ID
from iris_quart.sql.metadata import Column, Table
from iris_quart.sql.values import Category, Fragment, Wire, guard

from .inserts import InsertMark, filled_key
from .new_rows import SLOW_SECONDS, NewRows
from .outcomes import (
    Guard,
    Outcome,
    Result,
    doubt,
    not_applied,
    refused,
    shortened,
)
from .proofs import Proofs, ReadBehind, Sent
from .validation import (
    Change,
    ChangeKind,
    Plan,
    check,
    is_kept,
    naming_what_was_given,
    parse_seen,
    rewritten_form,
)

if TYPE_CHECKING:
    from .catalogue import Catalogue, SqlClient

__all__ = ["Edits"]

SETTLE_SECONDS: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0, 2.0)
"""Pauses between the readings of a change in doubt while its user waits."""
DOUBT_SECONDS = 65.0
"""Time after which a statement in doubt that has had no effect will have none; see `settings.doubt_time`."""
DOUBT_PAUSE_MAX = 10.0
REWRITTEN_KEPT = 1000

NoteWrite = Callable[..., None]

log = logs.get_logger(__name__)


class Edits:
    """Changes rows for one user of one server.

    `preview` is the length of previews in characters; `note_write` is told of every write that was or may have
    been applied, so that caches and reads under way are not taken for the truth.
    """

    def __init__(
        self,
        client: SqlClient,
        catalogue: Catalogue,
        *,
        preview: int,
        note_write: NoteWrite,
        doubt_seconds: float = DOUBT_SECONDS,
        new_rows: NewRows | None = None,
        server_key: str = "",
    ) -> None:
        self._client = client
        self._catalogue = catalogue
        self._preview = preview
        self._note_write = note_write
        self._doubt_seconds = doubt_seconds
        self._new_rows = new_rows or NewRows()
        self._server_key = server_key
        self._proofs = Proofs(client, self._new_rows)
        self._rewritten: dict[tuple[str, str], frozenset[str]] = {}
        self._kept: dict[str, asyncio.Task[None]] = {}

    async def plan(self, namespace: str, table_name: str, change: Change) -> Plan:
        """Check a change. Raises what `validation.check` and `Catalogue.table` raise."""
        table = await self._catalogue.table(namespace, table_name, settled=True)
        return check(table, change)

    def statement(self, plan: Plan, guarded: Guard | None = None, *, as_posixtimes: bool = False) -> Fragment:
        """Return the very statement that `send` sends for a change whose base is known.

        With `as_posixtimes` columns that may be a TIMESTAMP or a POSIXTIME are written as the latter.
        """
        guarded = guarded or self._guard_of(plan)
        conditions = self._guards(guarded).conditions
        values: Mapping[Column, Wire] = plan.values
        if as_posixtimes:
            values = {_as_posixtime(column): value for column, value in values.items()}
        if plan.kind is ChangeKind.INSERT:
            return insert_statement(plan.table, values)
        assert plan.row_id is not None
        if plan.kind is ChangeKind.DELETE:
            return delete_statement(plan.table, plan.row_id, conditions)
        return update_statement(plan.table, plan.row_id, values, conditions, raising=guarded.raising)

    async def find_row(self, table: Table, column_name: str, value: Any) -> str:
        """Return the row ID of the row that a unique column, or the row ID, names.

        Raises InvalidInput for another column, since a change might then touch several rows, and RowGone.
        """
        column = table.find(column_name)
        if column_name.upper() == ROW_ID or (column is not None and column.is_identity):
            if value is None or value == "" or isinstance(value, bool | list | dict):
                raise InvalidInput("primaryKeyValue must name the row.", field="primaryKeyValue")
            return str(value)
        if column is None or not column.unique or not table.has_row_id:
            raise InvalidInput(
                f"{column_name[:128]!r} is not a unique column of {table.full_name}; name the row by one, or by %ID.",
                field="primaryKeyColumn",
            )
        condition = guard(column.sql, column.category, parse_seen(column, value))
        if condition is None or value is None:
            raise InvalidInput("primaryKeyValue must name the row.", field="primaryKeyValue")
        statement = f'SELECT TOP 2 {table.row_id} AS "row_id" FROM {table.sql} WHERE {condition.sql}'
        rows = (await self._client.query(table.namespace, statement, condition.parameters)).rows
        if not rows:
            raise RowGone("No row has this key any more.")
        if len(rows) > 1:
            raise InvalidInput("More than one row has this key, so none is changed.", field="primaryKeyValue")
        return str(next(iter(rows[0].values())))

    async def apply(self, plan: Plan) -> Result:
        """Send a change and prove it; a change in doubt is looked after for a few seconds."""
        return (await self.prove([await self.send(plan, earlier=())]))[0]

    async def send(
        self,
        plan: Plan,
        *,
        mark: InsertMark | None = None,
        leave: Callable[[], Awaitable[None]] | None = None,
        earlier: Sequence[Sent] | None = None,
    ) -> Sent:
        """Guard a change and send it, once.

        `mark` is what is known already of the rows there before an insert. `leave` is awaited right before the
        statement is sent; when it raises, nothing is sent. With `earlier`, the changes sent before that are not
        proved yet, a read that proves them and this one is sent behind it where that is possible.
        """
        try:
            guarded = await self._guard(plan)
            since = self._new_rows.sequence
            if plan.kind is ChangeKind.INSERT and (mark is None or not mark.fits(plan)):
                mark = replace(await self._proofs.inserts.mark(plan), since=since)
        except AuthExpired:
            raise
        except IrisQuartError as error:
            return Sent(plan, Guard(), result=refused(plan, naming_what_was_given(plan, error)))
        plan = replace(plan, base=dict(guarded.base)) if plan.kind is not ChangeKind.INSERT else plan
        if leave is not None:
            await leave()
        new_row = None
        if plan.kind is ChangeKind.INSERT and mark is not None:
            new_row = self._new_rows.expect(self._server_key, plan.table, plan.values, since=mark.since)
        late = None
        if new_row is not None and not (mark is not None and mark.key):
            late = asyncio.get_running_loop().call_later(SLOW_SECONDS, self._new_rows.note_slow, new_row)
        try:
            sent = Sent(plan, guarded, mark, new_row)
            behind = None
            # Where IRIS may store another value than was sent, only a read that surely comes after proves it.
            if earlier is not None and not guarded.raising:
                behind = await self._proofs.read_behind([*earlier, sent])
            sent = await self._send_once(sent, behind)
            if sent.result is not None and _may_be_of_another_type(plan, sent.result.error):
                again = await self._send_once(replace(sent, result=None), behind, as_posixtimes=True)
                sent = again if again.result is None else sent
        except AuthExpired:
            if new_row is not None:
                self._new_rows.drop(new_row)
            raise
        finally:
            if late is not None:
                late.cancel()
        if new_row is not None:
            if sent.in_doubt and late is not None:
                self._new_rows.note_slow(new_row)
            if sent.result is not None:
                self._new_rows.drop(new_row)
            elif not sent.in_doubt:
                self._new_rows.note_made(new_row)
        if guarded.raising and sent.result is not None and _may_be_raised(sent.result.error):
            sent = await self._look_at_refusal(sent)
        return sent

    async def _send_once(
        self, sent: Sent, behind: ReadBehind | None = None, *, as_posixtimes: bool = False
    ) -> Sent:
        plan, table = sent.plan, sent.plan.table
        statement = self.statement(plan, sent.guard, as_posixtimes=as_posixtimes)
        options: dict[str, Any] = {}
        if behind is not None:
            options["following"] = (behind.statement.sql, behind.statement.parameters)
        try:
            answer = await self._client.query(
                table.namespace, statement.sql, statement.parameters, write=True, **options
            )
        except AuthExpired:
            raise
        except UpstreamError as error:
            if not error.maybe_executed:
                return replace(sent, result=refused(plan, naming_what_was_given(plan, error)))
            self._note_write(table.namespace, table.full_name)
            return replace(sent, in_doubt=True)
        except IrisQuartError as error:
            if isinstance(error, TableNotFound | ColumnNotFound):
                self._catalogue.forget(table.namespace, table.full_name)
            return replace(sent, result=refused(plan, naming_what_was_given(plan, error)))
        self._note_write(
            table.namespace,
            table.full_name,
            inserted=plan.kind is ChangeKind.INSERT,
            deleted=plan.kind is ChangeKind.DELETE,
        )
        if behind is not None and answer.following is not None:
            # What it does not prove is read once more, surely after the statement.
            with suppress(InvalidResponse):
                return replace(sent, proved=behind.prove(answer.following))
        return sent

    async def _look_at_refusal(self, sent: Sent) -> Sent:
        """Look up out whether a statement failed because its guard did not match: then the row is not as it was.

        Where the row is as it was after all, the server takes the guard otherwise or somebody changed it back, and
        the change is sent with an ordinary guard.
        """
        unsent = replace(sent, result=None, in_doubt=True, unapplied=True)
        result = (await self._proofs.look([unsent]))[0]
        if result is None:
            return await self._send_once(replace(sent, guard=replace(sent.guard, raising=False), result=None))
        return sent if result.outcome is Outcome.UNKNOWN else replace(sent, result=result)

    async def prove(self, sent: Sequence[Sent]) -> list[Result]:
        """Return the results of changes that were sent, each of another row whose ID is written as IRIS writes it.

        A single change may name its row otherwise.
        What cannot be told at once is looked at again and again for a few seconds.
        """
        proved = {row_id: result for item in sent for row_id, result in item.proved.items()}
        results = [
            item.result or (None if item.plan.row_id is None else proved.get(item.plan.row_id))
            for item in sent
        ]
        unproved = [index for index, result in enumerate(results) if result is None]
        if unproved:
            found = await self._proofs.look([sent[index] for index in unproved])
            for index, result in zip(unproved, found, strict=True):
                results[index] = result
        for pause in SETTLE_SECONDS[1:]:
            open_ones = [index for index, result in enumerate(results) if not _is_known(result)]
            if not open_ones:
                break
            await asyncio.sleep(pause)
            found = await self._proofs.look([sent[index] for index in open_ones])
            for index, result in zip(open_ones, found, strict=True):
                results[index] = result
        return [
            self._complete(item, doubt(item.plan) if result is None else result)
            for item, result in zip(sent, results, strict=True)
        ]

    async def settle(self, sent: Sent) -> Result:
        """Look at a change in doubt until it is known, which may take more than a minute; nothing is sent."""
        sent = replace(sent, in_doubt=True, result=None)
        loop = asyncio.get_running_loop()
        end = loop.time() + self._doubt_seconds
        pause = 1.0
        while True:
            left = end - loop.time()
            result = (await self._proofs.look([sent]))[0]
            if result is not None and _is_known(result):
                return self._complete(sent, result)
            if left <= 0:
                if result is None and sent.conclusive:
                    result = not_applied(sent.plan)
                    if sent.new_row is not None:
                        self._new_rows.drop(sent.new_row)
                return self._complete(sent, result or doubt(sent.plan))
            await asyncio.sleep(min(pause, max(left, 0.01)))
            pause = min(pause * 2, DOUBT_PAUSE_MAX)

    async def look(self, sent: Sent) -> Result:
        """Look once at a change whose outcome is not known, as after a worker died; nothing is sent."""
        result = (await self._proofs.look([replace(sent, in_doubt=True, result=None)]))[0]
        return self._complete(sent, doubt(sent.plan) if result is None else result)

    def in_doubt(self, plan: Plan) -> Sent:
        """Build the state of a change that may have been sent, from its content alone."""
        base = plan.base or {}
        conclusive = plan.kind is ChangeKind.UPDATE and all(column in base for column in plan.values)
        if plan.kind is ChangeKind.DELETE:
            conclusive = bool(base)
        if plan.kind is ChangeKind.INSERT:
            # Where no row holds the key, the new one is not there.
            conclusive = bool(filled_key(plan))
        return Sent(plan, self._guard_of(plan), None, in_doubt=True, conclusive=conclusive)

    def keep(self, work: Coroutine[Any, Any, None], *, key: str | None) -> None:
        """Run background work for an unresolved change, at most once per key."""
        name = key or f"unnamed-{id(work)}"
        if name in self._kept:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._kept[name] = task
        task.add_done_callback(lambda done: self._forget(name, done))

    def _forget(self, name: str, task: asyncio.Task[None]) -> None:
        self._kept.pop(name, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("a change in doubt stays so", error=type(error).__name__)

    async def close(self) -> None:
        """Stop the background work; a client that asks again is answered by a new read."""
        tasks = list(self._kept.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _guard(self, plan: Plan) -> Guard:
        if plan.kind is ChangeKind.INSERT:
            return Guard()
        base = dict(plan.base or {})
        wanted = list(plan.values) if plan.kind is ChangeKind.UPDATE else []
        if plan.kind is ChangeKind.DELETE and not plan.base:
            wanted = [column for column in plan.table.columns if not column.category.is_preview]
        missing = [column for column in wanted if column not in base]
        late = bool(missing)
        unread: list[str] = []
        if late:
            version = plan.table.row_version
            if version is not None:
                missing.append(plan.table.column(version))
            assert plan.row_id is not None
            found = (await self._proofs.read(plan.table, missing, [plan.row_id], [])).get(plan.row_id)
            if found is None:
                raise RowGone("The row no longer exists.")
            for column in missing:
                if column.name in found.cut:
                    unread.append(column.name)
                else:
                    base.setdefault(column, found.values.get(column.name))
        return self._guard_of(plan, base, read=missing if late else (), unread=unread)

    def _guard_of(
        self,
        plan: Plan,
        base: Mapping[Column, Wire] | None = None,
        *,
        read: Collection[Column] = (),
        unread: Sequence[str] = (),
    ) -> Guard:
        """Return the guard of a change by its base; the columns `read` were looked up by the server itself."""
        base = (plan.base or {}) if base is None else base
        # A cell of which only a preview was seen is not edited; what was read here was read whole.
        seen_whole = plan.values if plan.previews is None else base
        whole = frozenset((*seen_whole, *read)) - frozenset(plan.previews or ())
        guarded = Guard(
            base,
            late=bool(read),
            rewritten=self._rewritten.get(_key(plan.table), frozenset()),
            whole=whole,
            lengths=plan.previews or {},
            raising=self._must_raise(plan, base) or (bool(read) and plan.kind is ChangeKind.UPDATE),
        )
        return replace(guarded, unguarded=(*self._guards(guarded).unguarded, *unread))

    def _guards(self, guarded: Guard) -> Guards:
        return guards_for(guarded.base, preview=self._preview, whole=guarded.whole, lengths=guarded.lengths)

    def _must_raise(self, plan: Plan, base: Mapping[Column, Wire]) -> bool:
        """Check whether the row may not show that an update was applied, since IRIS may store another value."""
        if plan.kind is not ChangeKind.UPDATE:
            return False
        rewritten = self._rewritten.get(_key(plan.table), frozenset())
        late = any(column not in base for column in plan.values)
        return late or any(
            column.name in rewritten or not is_kept(column, value) for column, value in plan.values.items()
        )

    def _learn(self, plan: Plan, result: Result) -> None:
        """Remember which columns a trigger rewrites, seen where the row was surely written by us."""
        columns = {
            column.name
            for column, value in plan.values.items()
            if rewritten_form(value, result.values.get(column.name))
        }
        if columns and len(self._rewritten) < REWRITTEN_KEPT:
            key = _key(plan.table)
            self._rewritten[key] = self._rewritten.get(key, frozenset()) | columns

    def _complete(self, sent: Sent, result: Result) -> Result:
        guarded, table = sent.guard, sent.plan.table
        if result.outcome is Outcome.SAVED and any(column.is_open_moment for column in sent.plan.values):
            # Its first value shows what the column is.
            self._catalogue.forget(table.namespace, table.full_name)
        if result.outcome is Outcome.SAVED and _is_surely_ours(sent, result):
            self._learn(sent.plan, result)
        return replace(
            shortened(result, self._preview),
            guard="late" if guarded.late else None,
            unguarded=guarded.unguarded if result.outcome is Outcome.SAVED else (),
        )


def _key(table: Table) -> tuple[str, str]:
    return table.namespace, table.full_name


def _as_posixtime(column: Column) -> Column:
    if not column.is_open_moment:
        return column
    return replace(column, category=Category.POSIXTIME, is_open_moment=False)


def _may_be_of_another_type(plan: Plan, error: IrisQuartError | None) -> bool:
    """Check whether IRIS may have refused a moment because its column is a POSIXTIME: nothing was changed then."""
    return isinstance(error, ValueRefused) and any(
        column.is_open_moment and value is not None for column, value in plan.values.items()
    )


def _may_be_raised(error: IrisQuartError | None) -> bool:
    return error is not None and error.sqlcode == RAISED


def _is_surely_ours(sent: Sent, result: Result) -> bool:
    """Check whether the row surely holds what IRIS made of this very change.

    A guard that would have failed has matched, or IRIS took a new row that is known by its key.
    """
    if sent.in_doubt or sent.result is not None:
        return False
    if sent.plan.kind is ChangeKind.INSERT:
        return result.proof is None and sent.mark is not None and bool(sent.mark.key)
    return sent.guard.raising


def _is_known(result: Result | None) -> bool:
    return result is not None and result.outcome is not Outcome.UNKNOWN
