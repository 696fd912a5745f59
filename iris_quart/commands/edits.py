"""Save and preview staged edits of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import Field, model_validator

from iris_quart.commands.payloads import (
    COLUMNS_MAX,
    ColumnKey,
    SeenPreview,
    TableFields,
    ValueMessage,
    WireValue,
    named_table,
    seen_fingerprint,
    seen_lengths,
    writable_table,
)
from iris_quart.context import Context
from iris_quart.dispatch import CommandBlueprint, Kind
from iris_quart.errors import InvalidInput, IrisQuartError
from iris_quart.protocol import ID_PATTERN, UNSET, ErrorBody, Event, UnsetType, error_body
from iris_quart.tables.outcomes import Outcome
from iris_quart.tables.validation import Change, ChangeKind, Plan, check

from .change_results import ChangeResult
from .saving import Write, fingerprint, run_writes

__all__ = [
    "ChangesPreview",
    "ChangesSaved",
    "edits",
]

edits = CommandBlueprint("edits", __name__)

ORDER = {ChangeKind.INSERT: 0, ChangeKind.UPDATE: 1, ChangeKind.DELETE: 2}
ROW_ID_TEXT_MAX = 8 * 1024
"""A row ID that is too long fails its own change; this one is refused with all the others."""


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


@edits.command("saveChanges", kind=Kind.WRITE, stoppable=True)
async def save_changes(context: Context, payload: SaveChanges) -> AsyncIterator[ChangeResult | ChangesSaved]:
    """Save staged edits; one changeResult each as it is known, then changesSaved with the counts.

    `cancel` stops it: nothing more is sent, what was sent is proved, and the rest answers `skipped`.
    """
    namespace, table_name = writable_table(context, payload)
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
        *seen_fingerprint(item.previews),
    )
    base = {name.lower() for name in item.base or {}}
    guarded = bool(base) and all(name.lower() in base for name in item.values or {})
    return Write(item.change_id, content, make, exact=item.kind is ChangeKind.INSERT or not guarded)


def _bounded(context: Context, payload: SaveChanges) -> None:
    most = context.settings.changes_max
    if len(payload.changes) > most:
        raise InvalidInput(f"changes: at most {most} at once", field="changes")
