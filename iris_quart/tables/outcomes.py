"""The outcome of a change, judged by the row as it is now; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from iris_quart.errors import Conflict, ConnectionFailed, IrisQuartError, OutcomeUnknown, RowGone
from iris_quart.sql.edits import is_cut_text
from iris_quart.sql.metadata import WHOLE_TEXT, Column
from iris_quart.sql.projection import Preview
from iris_quart.sql.values import Wire

from .validation import ChangeKind, Plan, may_become, rewritten_form, same_value, stored_form

__all__ = [
    "Difference",
    "Found",
    "Guard",
    "Outcome",
    "Result",
    "doubt",
    "is_judged",
    "judge",
    "not_applied",
    "outside",
    "refused",
    "shortened",
]


class Outcome(StrEnum):
    """Outcome of a change, as the wire names it."""

    SAVED = "saved"
    CONFLICT = "conflict"
    GONE = "gone"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Difference(NamedTuple):
    """Base, mine and theirs: the value that was seen, the wanted value, and the stored one."""

    base: Wire
    mine: Wire
    theirs: Wire


@dataclass(frozen=True, slots=True)
class Guard:
    """The guard of a statement; `unguarded` columns were compared in part, or not at all."""

    base: Mapping[Column, Wire] = field(default_factory=dict)
    unguarded: tuple[str, ...] = ()
    late: bool = False
    """The server read it itself, just before."""
    rewritten: frozenset[str] = frozenset()
    """Columns whose text a trigger is known to change."""
    whole: frozenset[Column] = frozenset()
    """Columns whose values were surely seen whole, although they are as long as a preview."""
    lengths: Mapping[Column, int] = field(default_factory=dict)
    """Whole lengths of values of which only a preview was seen."""
    raising: bool = False
    """The statement fails where the guard does not match (sql.edits.raising_guard)."""


@dataclass(frozen=True, slots=True)
class Found:
    """A row as it was read for a proof; `cut` names columns of which only the beginning was read."""

    row_id: str
    values: Mapping[str, Wire]
    cut: frozenset[str] = frozenset()
    previews: Mapping[str, Preview] = field(default_factory=dict)
    """Whole lengths of the values that were cut."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one change.

    `values` are what the row holds now in the columns that were read. `guard` is "late" when the server
    itself had to read what the change is guarded by; `unguarded` names columns that could not be compared;
    `previews` are the lengths of values and of what a conflict found that are shown in part only.
    `proof` is "ambiguous" when a new row is there but cannot be told from others, and "outside" when the row is
    in the table behind a view, which does not show it any more.
    """

    outcome: Outcome
    row_id: str | None = None
    values: Mapping[str, Wire] = field(default_factory=dict)
    error: IrisQuartError | None = None
    conflict: Mapping[str, Difference] = field(default_factory=dict)
    guard: str | None = None
    unguarded: tuple[str, ...] = ()
    proof: str | None = None
    previews: Mapping[str, Preview] = field(default_factory=dict)


def judge(
    plan: Plan, guard: Guard, found: Found | None, *, in_doubt: bool, unapplied: bool = False
) -> Result | None:
    """Judge an update or a deletion by the row as it stands; None when it cannot be told yet.

    `in_doubt` says that nobody knows whether the statement was
    applied: a row as it was before may then still change. A guard that no longer matches settles it.
    `unapplied` says that it surely was not: only the very value that was sent then counts as saved.
    """
    if plan.kind is ChangeKind.DELETE:
        return _judge_delete(plan, guard, found, in_doubt=in_doubt)
    if found is None:
        return Result(
            Outcome.GONE, plan.row_id, error=RowGone("The row no longer exists, so nothing is saved.")
        )
    if all(_holds(column, value, found) for column, value in plan.values.items()):
        return Result(Outcome.SAVED, plan.row_id, found.values, previews=found.previews)
    differences = _differences(plan, guard, found)
    matched = not in_doubt and (guard.raising or not differences)
    if not unapplied and (matched or _was_changed(plan, guard, found)):
        items = plan.values.items()
        stored = all(_is_stored(column, value, found, guard, matched) for column, value in items)
        if stored and not in_doubt:
            return Result(Outcome.SAVED, plan.row_id, found.values, previews=found.previews)
        if in_doubt and (stored or all(_may_be_stored(*item, found, guard) for item in items)):
            # Not the very value that was sent: somebody else may have written what IRIS makes of it.
            return doubt(plan)
    if differences:
        return _conflict(plan, differences, found)
    return None if in_doubt else _without_effect(plan, found)


def is_judged(plan: Plan, result: Result) -> bool:
    """Return whether a row was seen in the table behind a view, so that the view may show it or not."""
    if result.outcome is Outcome.SAVED:
        return plan.kind is not ChangeKind.DELETE
    return result.outcome in {Outcome.CONFLICT, Outcome.FAILED}


def outside(plan: Plan, result: Result | None) -> Result | None:
    """Return the result for a row that a view does not show: saved nevertheless, or out of reach of the statement."""
    if result is None or result.outcome is Outcome.SAVED:
        return None if result is None else replace(result, proof="outside")
    what = "deleted" if plan.kind is ChangeKind.DELETE else "saved"
    error = RowGone(
        f"The view {plan.table.full_name} no longer shows this row, so it was not {what}. It is still in "
        f"{plan.table.behind.full_name}."
    )
    return Result(Outcome.GONE, plan.row_id, error=error, proof="outside")


def doubt(plan: Plan, found: str = "") -> Result:
    """Return the result of an unknown outcome; `found` is a sentence about the row that is there."""
    return Result(
        Outcome.UNKNOWN,
        plan.row_id,
        error=OutcomeUnknown(
            "The connection to IRIS broke after the change was sent, and it is not known yet whether it was made."
            + (f" {found}" if found else "")
        ),
    )


def not_applied(plan: Plan) -> Result:
    """Return the result of a change in doubt that had no effect within the doubt time."""
    what = "the change was not made"
    if plan.kind is ChangeKind.INSERT:
        # Somebody may have taken away what was made: rows that are gone leave nothing to be read.
        what = "the new row is not there: it was not made, or somebody has deleted it since"
    return Result(
        Outcome.FAILED,
        plan.row_id,
        error=ConnectionFailed(
            f"The connection to IRIS broke, and {what}. You may save it again.", maybe_executed=False
        ),
    )


def refused(plan: Plan, error: IrisQuartError) -> Result:
    """Return the result of a change that IRIS refused, or that was never sent."""
    outcome = Outcome.GONE if isinstance(error, RowGone) else Outcome.FAILED
    return Result(outcome, plan.row_id, error=error)


def _judge_delete(plan: Plan, guard: Guard, found: Found | None, *, in_doubt: bool) -> Result | None:
    if found is None:
        return Result(Outcome.SAVED, plan.row_id)
    differences = _differences(plan, guard, found)
    if differences:
        return _conflict(plan, differences, found)
    return None if in_doubt else _without_effect(plan, found)


def _holds(column: Column, value: Wire, found: Found) -> bool:
    return column.name not in found.cut and same_value(column, value, found.values.get(column.name))


def _is_stored(column: Column, value: Wire, found: Found, guard: Guard, matched: bool) -> bool:
    """Check whether the row holds what the column's type or a known trigger makes of a value.

    Where the guard surely `matched`, all that the type can make of it counts. Elsewhere only what the type surely
    makes of it. Another letter case counts where a guard that raises matched, or where a trigger is known or the
    row was read just before, unless only the letter case of what was there is another one: then it may be somebody
    else's change.
    """
    now = found.values.get(column.name)
    if column.name in found.cut:
        return False
    if stored_form(column, value, now) or (matched and may_become(column, value, now)):
        return True
    if not rewritten_form(value, now):
        return False
    if matched and guard.raising:
        return True
    known = guard.late or column.name in guard.rewritten
    return known and not rewritten_form(guard.base.get(column), now)


def _may_be_stored(column: Column, value: Wire, found: Found, guard: Guard) -> bool:
    """Check whether the row may hold what was made of a value, or what somebody else wrote."""
    now = found.values.get(column.name)
    return column.name not in found.cut and (
        may_become(column, value, now)
        or (rewritten_form(value, now) and (guard.late or column.name in guard.rewritten))
    )


def _was_changed(plan: Plan, guard: Guard, found: Found) -> bool:
    """Return whether a column that was to change surely holds another value than before.

    What its type makes of the new value may be the old one: then the row does not show that the statement ran.
    """
    return any(
        column in guard.base and not same_value(column, guard.base[column], found.values.get(column.name))
        for column in plan.values
    )


def _differences(plan: Plan, guard: Guard, found: Found) -> dict[str, Difference]:
    differences = {}
    for column, seen in guard.base.items():
        theirs = found.values.get(column.name)
        if column.name in found.values and not _seen_again(column, seen, guard, found):
            differences[column.name] = Difference(seen, plan.values.get(column, seen), theirs)
    return differences


def _seen_again(column: Column, seen: Wire, guard: Guard, found: Found) -> bool:
    """Return whether the condition of the guard holds for a column."""
    now, cut = found.values.get(column.name), column.name in found.cut
    if column in guard.lengths and isinstance(seen, str) and is_cut_text(column):
        lengths = {found.previews[column.name].length} if column.name in found.previews else _lengths(now)
        return guard.lengths[column] in lengths and isinstance(now, str) and now.startswith(seen)
    if column.category.is_stream or column.category.is_preview:
        return seen is not None or now is None  # only NULL was compared
    if column.name in guard.unguarded and isinstance(seen, str) and isinstance(now, str):
        longer = cut or len(now) > max(WHOLE_TEXT, len(seen))
        return now == seen or (longer and now.startswith(seen))
    return not cut and same_value(column, seen, now)


def _lengths(text: Wire) -> set[int]:
    """Return the length of a text in characters and in UTF-16 units, either of which a server may count."""
    if not isinstance(text, str):
        return set()
    return {len(text), len(text.encode("utf-16-le", "surrogatepass")) // 2}


def _conflict(plan: Plan, differences: Mapping[str, Difference], found: Found) -> Result:
    names = ", ".join(differences)
    return Result(
        Outcome.CONFLICT,
        plan.row_id,
        found.values,
        error=Conflict(
            f"The row is not as you saw it: {names} now holds another value. Compare, then decide.",
            details=_details(differences),
        ),
        conflict=dict(differences),
        previews=found.previews,
    )


def _details(differences: Mapping[str, Difference]) -> dict[str, dict[str, Wire]]:
    return {
        name: {"base": item.base, "mine": item.mine, "theirs": item.theirs}
        for name, item in differences.items()
    }


def shortened(result: Result, preview: int) -> Result:
    """Return a result whose long values are cut to `preview` characters and marked, as they are in a page."""
    marks = dict(result.previews)
    for name, value in result.values.items():
        if name not in marks and isinstance(value, str) and len(value) > WHOLE_TEXT:
            marks[name] = Preview(len(value), "characters")
    if not marks:
        return result
    values = {name: _shown(value, marks.get(name), preview) for name, value in result.values.items()}
    conflict = {
        name: item._replace(theirs=_shown(item.theirs, marks.get(name), preview))
        for name, item in result.conflict.items()
    }
    error = result.error
    if isinstance(error, Conflict) and conflict:
        error = Conflict(error.message, details=_details(conflict))
    return replace(result, values=values, conflict=conflict, error=error, previews=marks)


def _shown(value: Wire, mark: Preview | None, preview: int) -> Wire:
    cut = mark is not None and mark.unit == "characters" and isinstance(value, str)
    return value[:preview] if cut and isinstance(value, str) else value


def _without_effect(plan: Plan, found: Found) -> Result:
    what = (
        "the row is still there" if plan.kind is ChangeKind.DELETE else "the row still holds the old values"
    )
    return Result(
        Outcome.FAILED,
        plan.row_id,
        found.values,
        error=IrisQuartError(f"IRIS accepted the statement, but {what}. Nothing was saved."),
    )
