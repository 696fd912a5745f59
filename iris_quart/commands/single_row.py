"""Change one row: a cell, a new row, a deletion. The page sends `saveChanges` instead."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any, Self

from pydantic import Field, model_validator

from iris_quart.context import Context
from iris_quart.dispatch import CommandBlueprint, Kind
from iris_quart.errors import InvalidInput
from iris_quart.names import ColumnName
from iris_quart.protocol import UNSET, ErrorBody, Event, PreviewMark, UnsetType
from iris_quart.tables.outcomes import Outcome
from iris_quart.tables.validation import Change, ChangeKind, Plan, check

from .change_results import ChangeDifference, ChangeResult
from .payloads import (
    COLUMNS_MAX,
    ColumnKey,
    SeenPreview,
    TableFields,
    WireValue,
    seen_fingerprint,
    seen_lengths,
    writable_table,
)
from .saving import Write, fingerprint, run_writes

__all__ = ["DeleteRowResult", "InsertRowResult", "SaveCellResult", "single_row"]

single_row = CommandBlueprint("single_row", __name__)


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
    row_index: int | None = Field(None, description="Returned unchanged.")
    col_index: int | None = Field(None, description="Returned unchanged.")


class InsertRow(TableFields):
    """Insert one row with the columns that are named; the others get their defaults."""

    columns: tuple[ColumnName, ...] = Field(
        max_length=COLUMNS_MAX, fail_fast=True, description="Columns that were filled."
    )
    values: tuple[WireValue, ...] = Field(
        max_length=COLUMNS_MAX, fail_fast=True, description="Their wire values, in the same order."
    )
    new_row_index: int | None = Field(None, description="Returned unchanged.")

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
    row_index: int | None = Field(None, description="Returned unchanged.")


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


@single_row.command("saveCell", aliases=("updateRow",), kind=Kind.WRITE)
async def save_cell(context: Context, payload: SaveCell) -> SaveCellResult:
    """Change one cell, guarded by what was seen in it, and prove it by reading."""
    namespace, table_name = writable_table(context, payload)
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


@single_row.command("insertRow", kind=Kind.WRITE)
async def insert_row(context: Context, payload: InsertRow) -> InsertRowResult:
    """Insert one row and find it again."""
    namespace, table_name = writable_table(context, payload)
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


@single_row.command("deleteRow", kind=Kind.WRITE)
async def delete_row(context: Context, payload: DeleteRow) -> DeleteRowResult:
    """Delete one row, guarded by what was seen of it, and prove that it is gone."""
    namespace, table_name = writable_table(context, payload)

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
        *seen_fingerprint(payload.previews),
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


async def _only(context: Context, write: Write) -> ChangeResult:
    async with aclosing(run_writes(context, [write])) as results:
        async for _, result in results:
            return result
    raise AssertionError("a write without a result")


def _given(value: int | None) -> int | UnsetType:
    return UNSET if value is None else value
