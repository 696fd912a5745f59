"""Commands that change rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import Field, model_validator

from iris_quart.commands.payloads import (
    ColumnKey,
    SeenPreview,
    TableFields,
    ValueMessage,
    WireValue,
    named_table,
    seen_lengths,
)
from iris_quart.context import Context
from iris_quart.dispatch import CommandBlueprint, Kind
from iris_quart.errors import InvalidInput, IrisQuartError, ReadOnly
from iris_quart.names import ColumnName
from iris_quart.protocol import ID_PATTERN, UNSET, ErrorBody, Event, PreviewMark, UnsetType, error_body
from iris_quart.read_only import read_only_reason
from iris_quart.tables.outcomes import Outcome
from iris_quart.tables.validation import Change, ChangeKind, Plan, check

from .change_results import ChangeDifference, ChangeResult
from .saving import Write, fingerprint, run_writes

__all__ = [
    "ChangesPreview",
    "ChangesSaved",
    "DeleteRowResult",
    "InsertRowResult",
    "SaveCellResult",
    "edits",
]

edits = CommandBlueprint("edits", __name__)

ORDER = {ChangeKind.INSERT: 0, ChangeKind.UPDATE: 1, ChangeKind.DELETE: 2}
COLUMNS_MAX = 1000
ROW_ID_TEXT_MAX = 8 * 1024
"""A row ID that is too long fails its own change; this one is refused with all the others."""


class SaveCell(TableFields):
    """Change one cell. `oldValue` is what was seen there (null: NULL was seen); the change is guarded by it."""

    column_name: ColumnName = Field(description="Column of the cell.")
    primary_key_column: ColumnName = Field(
        description="Column that names the row: the row ID or a unique column."
    )
    primary_key_value: WireValue = Field(description="Its value in the row.")
    new_value: WireValue = Field(description="Wire value to store.")
    old_value: WireValue = Field(
        None, description="Wire value that was seen; left out, the server looks before it writes."
    )
    row_index: int | None = Field(None, description="Given back as it is.")
    col_index: int | None = Field(None, description="Given back as it is.")


class InsertRow(TableFields):
    """Insert one row with the columns that are named; the others get their defaults."""

    columns: tuple[ColumnName, ...] = Field(
        max_length=COLUMNS_MAX, fail_fast=True, description="Columns that were filled."
    )
    values: tuple[WireValue, ...] = Field(
        max_length=COLUMNS_MAX, fail_fast=True, description="Their wire values, in the same order."
    )
    new_row_index: int | None = Field(None, description="Given back as it is.")

    @model_validator(mode="after")
    def _parallel(self) -> Self:
        if len(self.columns) != len(self.values):
            raise ValueError("columns and values must be as many")
        return self


class DeleteRow(TableFields):
    """Delete one row, if it still is as `base` says or, without it, as the server sees it just before."""

    primary_key_column: ColumnName = Field(
        description="Column that names the row: the row ID or a unique column."
    )
    primary_key_value: WireValue = Field(description="Its value in the row.")
    base: dict[ColumnKey, WireValue] | None = Field(
        None, max_length=COLUMNS_MAX, description="Wire values that were seen, by column."
    )
    previews: dict[ColumnKey, SeenPreview] | None = Field(
        None, max_length=COLUMNS_MAX, description="Values of base of which only a preview was seen."
    )
    row_index: int | None = Field(None, description="Given back as it is.")


class ChangeItem(ValueMessage):
    """One staged edit."""

    change_id: str = Field(
        max_length=64,
        description="Id of this change, 1 to 64 letters, digits, _ or -; its result is kept. Make a new random one for "
        "each change: of 16 characters and more it is the same change in every session of the account, a shorter one "
        "only in this session. A UUID of version 7 is refused once its result may be forgotten.",
        examples=["019a8e5c-3f1b-7c4e-9d2a-5b6f0e8c7a14"],
    )
    kind: ChangeKind = Field(description="update, insert or delete.")
    row_id: Annotated[str, Field(max_length=ROW_ID_TEXT_MAX)] | int | None = Field(
        None, description="Row ID; not for insert."
    )
    values: dict[ColumnKey, WireValue] | None = Field(
        None, max_length=COLUMNS_MAX, description="New wire values by column; not for delete."
    )
    base: dict[ColumnKey, WireValue] | None = Field(
        None,
        max_length=COLUMNS_MAX,
        description="Wire values that were seen, by column; left out, the server looks before it writes.",
    )

    previews: dict[ColumnKey, SeenPreview] | None = Field(
        None,
        max_length=COLUMNS_MAX,
        description="Values of base of which only a preview was seen, as tableData.previews marks them; with it all "
        "others are compared whole.",
    )

    @model_validator(mode="after")
    def _id(self) -> Self:
        if not ID_PATTERN.match(self.change_id):
            raise ValueError("changeId must be 1 to 64 letters, digits, _ or -")
        return self

    def change(self) -> Change:
        """Return the change as the tables take it."""
        return Change(self.kind, self.row_id, self.values or {}, self.base, seen_lengths(self.previews))


class SaveChanges(TableFields):
    """Save staged edits of one table. Each is proved and answered by itself, and a failure stops no other."""

    changes: tuple[ChangeItem, ...] = Field(
        min_length=1, max_length=10_000, fail_fast=True, description="The edits."
    )
    order: Literal["kind", "given"] = Field(
        "kind", description="kind: inserts, then updates, then deletes; given: as they stand."
    )

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        twice = [
            name for name, count in Counter(item.change_id for item in self.changes).items() if count > 1
        ]
        if twice:
            raise ValueError("two changes have the same changeId")
        return self

    def ordered(self) -> list[ChangeItem]:
        """Return the edits in the order in which they are sent."""
        if self.order == "given":
            return list(self.changes)
        return sorted(self.changes, key=lambda item: ORDER[item.kind])


class PreviewChanges(SaveChanges):
    """Show the statements of staged edits; nothing is sent."""


class SaveCellResult(Event, kw_only=True):
    """The result of a cell; `newValue` is its stored value after a save.

    `proof` is "outside" when a view no longer shows the row.
    """

    success: bool
    row_index: int | UnsetType = UNSET
    col_index: int | UnsetType = UNSET
    column_name: str
    old_value: Any = UNSET
    new_value: Any
    primary_key_value: Any
    row_id: str | UnsetType | None = UNSET
    outcome: str
    error: ErrorBody | UnsetType = UNSET
    conflict: dict[str, ChangeDifference] | UnsetType = UNSET
    previews: dict[str, PreviewMark] | UnsetType = UNSET
    values: dict[str, Any] | UnsetType = UNSET
    guard: str | UnsetType = UNSET
    unguarded: list[str] | UnsetType = UNSET
    proof: str | UnsetType = UNSET


class InsertRowResult(Event, kw_only=True):
    """The result of a new row; `rowId` is null when the row exists but cannot be identified."""

    success: bool
    new_row_index: int | UnsetType = UNSET
    row_id: str | UnsetType | None = UNSET
    outcome: str
    values: dict[str, Any] | UnsetType = UNSET
    proof: str | UnsetType = UNSET
    error: ErrorBody | UnsetType = UNSET


class DeleteRowResult(Event, kw_only=True):
    """The result of a deletion."""

    success: bool
    row_index: int | UnsetType = UNSET
    row_id: str | UnsetType | None = UNSET
    outcome: str
    error: ErrorBody | UnsetType = UNSET
    conflict: dict[str, ChangeDifference] | UnsetType = UNSET
    previews: dict[str, PreviewMark] | UnsetType = UNSET
    guard: str | UnsetType = UNSET
    unguarded: list[str] | UnsetType = UNSET


class ChangesSaved(Event):
    """All changes are answered; rows that are gone count as conflicts."""

    saved: int
    conflicts: int
    failed: int
    unknown: int
    skipped: int


class StatementPreview(msgspec.Struct, rename="camel"):
    """The statement of one change and the values of its question marks, or why it would not be sent."""

    change_id: str
    sql: str | None
    values: list[Any]
    error: ErrorBody | UnsetType = UNSET


class ChangesPreview(Event):
    """The statements that saveChanges would send, in its order."""

    statements: list[StatementPreview]


@edits.command("saveCell", aliases=("updateRow",), kind=Kind.WRITE)
async def save_cell(context: Context, payload: SaveCell) -> SaveCellResult:
    """Change one cell, guarded by what was seen in it, and prove it by reading."""
    namespace, table_name = _writable_table(context, payload)
    guarded = "old_value" in payload.model_fields_set
    base = {payload.column_name: payload.old_value} if guarded else None

    async def make() -> Plan:
        table = await context.tables.catalogue.table(namespace, table_name, settled=True)
        row_id = await context.tables.edits.find_row(
            table, payload.primary_key_column, payload.primary_key_value
        )
        return check(table, Change(ChangeKind.UPDATE, row_id, {payload.column_name: payload.new_value}, base))

    content = fingerprint(
        "saveCell",
        namespace,
        table_name,
        payload.primary_key_column,
        payload.primary_key_value,
        payload.column_name,
        payload.new_value,
        base,
    )
    result = await _only(context, Write(context.message_id, content, make, exact=not guarded))
    saved = result.outcome == Outcome.SAVED
    new_value = payload.new_value
    if saved and isinstance(result.values, dict):
        new_value = next(
            (value for name, value in result.values.items() if name.lower() == payload.column_name.lower()),
            new_value,
        )
    return SaveCellResult(
        success=saved,
        row_index=_given(payload.row_index),
        col_index=_given(payload.col_index),
        column_name=payload.column_name,
        old_value=payload.old_value if guarded else UNSET,
        new_value=new_value,
        primary_key_value=payload.primary_key_value,
        row_id=result.row_id,
        outcome=result.outcome,
        error=result.error,
        conflict=result.conflict,
        previews=result.previews,
        values=result.values,
        guard=result.guard,
        unguarded=result.unguarded,
        proof=result.proof,
    )


@edits.command("insertRow", kind=Kind.WRITE)
async def insert_row(context: Context, payload: InsertRow) -> InsertRowResult:
    """Insert one row and find it again."""
    namespace, table_name = _writable_table(context, payload)
    if len({name.lower() for name in payload.columns}) != len(payload.columns):
        raise InvalidInput("columns: a column is named twice", field="columns")
    values = dict(zip(payload.columns, payload.values, strict=True))

    async def make() -> Plan:
        return await context.tables.edits.plan(
            namespace, table_name, Change(ChangeKind.INSERT, None, values, None)
        )

    content = fingerprint("insertRow", namespace, table_name, values)
    result = await _only(context, Write(context.message_id, content, make, exact=True))
    return InsertRowResult(
        success=result.outcome == Outcome.SAVED,
        new_row_index=_given(payload.new_row_index),
        row_id=result.row_id,
        outcome=result.outcome,
        values=result.values,
        proof=result.proof,
        error=result.error,
    )


@edits.command("deleteRow", kind=Kind.WRITE)
async def delete_row(context: Context, payload: DeleteRow) -> DeleteRowResult:
    """Delete one row, guarded by what was seen of it, and prove that it is gone."""
    namespace, table_name = _writable_table(context, payload)

    async def make() -> Plan:
        table = await context.tables.catalogue.table(namespace, table_name, settled=True)
        row_id = await context.tables.edits.find_row(
            table, payload.primary_key_column, payload.primary_key_value
        )
        previews = seen_lengths(payload.previews)
        return check(table, Change(ChangeKind.DELETE, row_id, {}, payload.base, previews))

    content = fingerprint(
        "deleteRow",
        namespace,
        table_name,
        payload.primary_key_column,
        payload.primary_key_value,
        payload.base,
        *_seen(payload.previews),
    )
    result = await _only(context, Write(context.message_id, content, make, exact=not payload.base))
    return DeleteRowResult(
        success=result.outcome == Outcome.SAVED,
        row_index=_given(payload.row_index),
        row_id=result.row_id,
        outcome=result.outcome,
        error=result.error,
        conflict=result.conflict,
        previews=result.previews,
        guard=result.guard,
        unguarded=result.unguarded,
    )


@edits.command("saveChanges", kind=Kind.WRITE, stoppable=True)
async def save_changes(context: Context, payload: SaveChanges) -> AsyncIterator[ChangeResult | ChangesSaved]:
    """Save staged edits; one changeResult each as it is known, then changesSaved with the counts.

    `cancel` stops it: nothing more is sent, what was sent is proved, and the rest answers `skipped`.
    """
    namespace, table_name = _writable_table(context, payload)
    _bounded(context, payload)
    items = payload.ordered()
    counts: Counter[str] = Counter()
    writes = [_write(context, namespace, table_name, item) for item in items]
    async with aclosing(run_writes(context, writes)) as results:
        async for _, result in results:
            counts[result.outcome] += 1
            yield result
    yield ChangesSaved(
        saved=counts[Outcome.SAVED],
        conflicts=counts[Outcome.CONFLICT] + counts[Outcome.GONE],
        failed=counts[Outcome.FAILED],
        unknown=counts[Outcome.UNKNOWN],
        skipped=counts[Outcome.SKIPPED],
    )


@edits.command("previewChanges")
async def preview_changes(context: Context, payload: PreviewChanges) -> ChangesPreview:
    """Show the very statements that saveChanges would send, with their values."""
    namespace, table_name = named_table(context, payload)
    _bounded(context, payload)
    table = await context.tables.catalogue.table(namespace, table_name, settled=True)
    statements = []
    for item in payload.ordered():
        try:
            statement = context.tables.edits.statement(check(table, item.change()))
        except IrisQuartError as error:
            statements.append(StatementPreview(item.change_id, None, [], error_body(error)))
        else:
            statements.append(StatementPreview(item.change_id, statement.sql, list(statement.parameters)))
    return ChangesPreview(statements=statements)


def _write(context: Context, namespace: str, table_name: str, item: ChangeItem) -> Write:
    async def make() -> Plan:
        return await context.tables.edits.plan(namespace, table_name, item.change())

    row_id = None if item.row_id is None else str(item.row_id)
    content = fingerprint(
        "change",
        namespace,
        table_name,
        str(item.kind),
        row_id,
        item.values or {},
        item.base,
        *_seen(item.previews),
    )
    base = {name.lower() for name in item.base or {}}
    guarded = bool(base) and all(name.lower() in base for name in item.values or {})
    return Write(item.change_id, content, make, exact=item.kind is ChangeKind.INSERT or not guarded)


def _seen(previews: dict[str, SeenPreview] | None) -> tuple[dict[str, int], ...]:
    """Return what a fingerprint has of previews: nothing where a client does not send them."""
    lengths = seen_lengths(previews)
    return () if lengths is None else (lengths,)


async def _only(context: Context, write: Write) -> ChangeResult:
    async with aclosing(run_writes(context, [write])) as results:
        async for _, result in results:
            return result
    raise AssertionError("a write without a result")


def _writable_table(context: Context, payload: TableFields) -> tuple[str, str]:
    """Return the table to be changed. Raises ReadOnly when this session changes nothing there."""
    namespace, table_name = named_table(context, payload)
    reason = read_only_reason(context, namespace)
    if reason is not None:
        raise ReadOnly(reason)
    return namespace, table_name


def _bounded(context: Context, payload: SaveChanges) -> None:
    most = context.settings.changes_max
    if len(payload.changes) > most:
        raise InvalidInput(f"changes: at most {most} at once", field="changes")


def _given(value: int | None) -> int | UnsetType:
    return UNSET if value is None else value
