"""The result of one change, for its writer and for other sockets."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import msgspec

from iris_quart.context import RowChange
from iris_quart.errors import Cancelled, IrisQuartError, OutcomeUnknown, StoreUnavailable
from iris_quart.protocol import UNSET, ErrorBody, Event, PreviewMark, UnsetType, error_body
from iris_quart.tables.outcomes import Outcome, Result
from iris_quart.tables.validation import ChangeKind, Plan

__all__ = ["ChangeDifference", "ChangeResult", "answer_of", "failed", "row_changes", "skipped", "unsure"]

NOT_SENT = "This change was not sent."


class ChangeDifference(msgspec.Struct):
    """Base, mine and theirs: the value that was seen, the wanted value, and the stored one."""

    base: Any
    mine: Any
    theirs: Any


class ChangeResult(Event):
    """The result of one change.

    `values` are what the row holds now. `conflict` tells by column what was seen, what is wanted and what is
    there; `previews` marks what is there in part only, as `tableData.previews` does. `guard` is "late" when the
    client did not say what it had seen; `unguarded` names columns that could not be compared; `proof` is "ambiguous"
    when a new row is there, but nobody can tell which it is, and "outside" when a row is in the table behind a view,
    which does not show it any more.
    """

    change_id: str
    outcome: str
    row_id: str | UnsetType | None = UNSET
    values: dict[str, Any] | UnsetType = UNSET
    error: ErrorBody | UnsetType = UNSET
    conflict: dict[str, ChangeDifference] | UnsetType = UNSET
    previews: dict[str, PreviewMark] | UnsetType = UNSET
    guard: str | UnsetType = UNSET
    unguarded: list[str] | UnsetType = UNSET
    proof: str | UnsetType = UNSET


def answer_of(write_id: str | None, result: Result) -> ChangeResult:
    """Write what is known of a change for an event."""
    return ChangeResult(
        change_id=write_id or "",
        outcome=str(result.outcome),
        row_id=result.row_id if result.row_id is not None or result.proof is not None else UNSET,
        values=_shown(result) or UNSET,
        error=UNSET if result.error is None else error_body(result.error),
        conflict={name: ChangeDifference(*item) for name, item in result.conflict.items()} or UNSET,
        previews=_marks(result, result.conflict) or UNSET,
        guard=result.guard or UNSET,
        unguarded=list(result.unguarded) or UNSET,
        proof=result.proof or UNSET,
    )


def _shown(result: Result) -> dict[str, Any]:
    """Return the values that are there in full: long texts travel when somebody asks for them."""
    return {name: value for name, value in result.values.items() if name not in result.previews}


def _marks(result: Result, names: Container[str]) -> dict[str, PreviewMark]:
    return {
        name: PreviewMark(mark.length, mark.unit) for name, mark in result.previews.items() if name in names
    }


def row_changes(plan: Plan, result: Result) -> list[RowChange]:
    """Return what others should see: proved changes, and what a guard found that somebody else had changed."""
    if result.outcome is Outcome.SAVED:
        if plan.kind is ChangeKind.DELETE:
            return [RowChange("delete", result.row_id)]
        if result.row_id is None:
            return []
        if result.proof == "outside":
            return [RowChange("delete", result.row_id)] if plan.kind is ChangeKind.UPDATE else []
        return [RowChange(str(plan.kind), result.row_id, dict(result.values), _marks(result, result.values))]
    if result.outcome is Outcome.CONFLICT:
        values = {name: item.theirs for name, item in result.conflict.items()}
        return [RowChange("update", result.row_id, values, _marks(result, values))]
    if result.outcome is Outcome.GONE and result.row_id is not None:
        return [RowChange("delete", result.row_id)]
    return []


def failed(write_id: str | None, error: IrisQuartError) -> ChangeResult:
    """Return the event of a change that failed or whose outcome is unknown."""
    outcome = Outcome.UNKNOWN if isinstance(error, OutcomeUnknown) else Outcome.FAILED
    return ChangeResult(change_id=write_id or "", outcome=str(outcome), row_id=UNSET, error=error_body(error))


def skipped(write_id: str | None, why: str = NOT_SENT) -> ChangeResult:
    """Return the event of a change that was not sent."""
    return ChangeResult(
        change_id=write_id or "",
        outcome=str(Outcome.SKIPPED),
        error=error_body(Cancelled(why)),
    )


def unsure(write_id: str | None, error: StoreUnavailable) -> ChangeResult:
    """Return that this attempt sent nothing, while the store cannot tell whether another attempt did."""
    message = (
        f"{error.message} This attempt sent nothing; whether an earlier one saved the change is not known."
    )
    return ChangeResult(
        change_id=write_id or "",
        outcome=str(Outcome.UNKNOWN),
        error=error_body(StoreUnavailable(message)),
    )
