"""Updatable views: those that show columns of one table, among them its row ID.

IRIS takes changes through a view only if it is simple (SQLCODE -35 otherwise). Its definition is read with caution
here: whatever is not understood at once leaves the view read-only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .identifiers import DEFAULT_SCHEMA, QualifiedName
from .metadata import Identity, IdentityKind, Table, TableKind

__all__ = ["VIEW_SQL", "ViewSource", "editable_view", "read_view"]

VIEW_SQL = (
    "SELECT VIEW_DEFINITION, IS_UPDATABLE FROM INFORMATION_SCHEMA.VIEWS "
    "WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?"
)

NOT_UPDATABLE = "IRIS accepts no changes through this view."
NOT_SIMPLE = "This view is more than some columns of one table, so its rows are not changed here."
NO_ROW_ID = "This view does not show the row ID of its table, so its rows cannot be told apart safely."
NO_TABLE = "The table behind this view accepts no changes here."

TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"]|"")+")|(?P<name>%?[A-Za-z_][A-Za-z0-9_@#$]*)|(?P<text>'(?:[^']|'')*')"""
    r"""|(?P<number>\d+(?:\.\d*)?|\.\d+)|(?P<sign><=|>=|<>|!=|\|\||[-+*/=<>(),.?#\[\]!]))"""
)
COMMENTS = ("--", "/*", "//")
CLAUSES = frozenset(
    {"SELECT", "UNION", "INTERSECT", "EXCEPT", "GROUP", "HAVING", "ORDER", "JOIN", "LIMIT", "OFFSET", "FETCH"}
    | {"TOP", "DISTINCT", "INTO", "FOR", "OVER", "%VID", "%NOINDEX", "%FOREACH", "%AFTERHAVING"}
)
"""Words that, outside the list of columns, make a definition more than a plain condition on one table."""


@dataclass(frozen=True, slots=True)
class ViewSource:
    """The table that a view shows, and which of its columns, in order."""

    table: QualifiedName
    columns: tuple[str, ...]


def read_view(rows: Iterable[Mapping[str, Any]]) -> ViewSource | str:
    """Read the answer to VIEW_SQL: where the view's rows come from, or why they cannot be changed."""
    row = next(iter(rows), {})
    if str(row.get("IS_UPDATABLE") or "").upper() not in {"YES", "1"}:
        return NOT_UPDATABLE
    return _parse(str(row.get("VIEW_DEFINITION") or "")) or NOT_SIMPLE


def editable_view(view: Table, source: ViewSource, base: Table) -> Table | str:
    """Describe a view by the table behind it, so that its rows are addressed by that table's row ID.

    Gives the reason when it cannot be: it then stays read-only.
    """
    if base.kind is not TableKind.TABLE or base.read_only_reason is not None or not base.has_row_id:
        return NO_TABLE
    if [column.name.lower() for column in view.columns] != [name.lower() for name in source.columns]:
        return NOT_SIMPLE
    columns = []
    for shown in view.columns:
        column = base.find(shown.name)
        if column is None or column.data_type.lower() != shown.data_type.lower():
            return NO_ROW_ID if column is None else NOT_SIMPLE
        described = shown.description or column.description
        columns.append(replace(column, name=shown.name, sql=shown.sql, description=described))
    row_id = next((column for column in columns if column.is_identity), None)
    if row_id is None:
        return NO_ROW_ID
    names = {column.name.lower() for column in columns}
    return replace(
        view,
        columns=tuple(columns),
        identity=Identity(IdentityKind.ROW_ID, (row_id.name,)),
        read_only_reason=None,
        unique_keys=tuple(key for key in base.unique_keys if {name.lower() for name in key} <= names),
        foreign_keys=tuple(
            key for key in base.foreign_keys if {name.lower() for name in key.columns} <= names
        ),
        row_version=base.row_version if (base.row_version or "").lower() in names else None,
        timestamps_settled=base.timestamps_settled,
        row_id=row_id.sql,
        base=QualifiedName(base.schema, base.name),
        _by_name={},
    )


def _tokens(text: str) -> list[tuple[str, str]] | None:
    """Split a definition into kinds and texts; None when there is something in it that is not known here."""
    found: list[tuple[str, str]] = []
    place, text = 0, text.strip().rstrip(";").rstrip()
    if len(text) > 32_000:
        return None
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None or text.startswith(COMMENTS, match.start(match.lastgroup or 0)):
            return None
        kind = match.lastgroup or ""
        found.append((kind, match[kind]))
        place = match.end()
    return found


def _parse(text: str) -> ViewSource | None:
    tokens = _tokens(text)
    if not tokens or _word(tokens, 0) != "SELECT":
        return None
    columns: list[str] = []
    place = 1
    while True:
        name = _name(tokens, place)
        if name is None:
            return None
        columns.append(name)
        place += 2
        if _sign(tokens, place - 1) != ",":
            break
    if _word(tokens, place - 1) != "FROM":
        return None
    first = _name(tokens, place)
    if first is None:
        return None
    schema, table = DEFAULT_SCHEMA, first
    place += 1
    if _sign(tokens, place) == ".":
        second = _name(tokens, place + 1)
        if second is None:
            return None
        schema, table = first, second
        place += 2
    if place < len(tokens):
        if _word(tokens, place) != "WHERE":
            return None
        if any(kind == "name" and word.upper() in CLAUSES for kind, word in tokens[place + 1 :]):
            return None
    return ViewSource(QualifiedName(schema, table), tuple(columns))


def _word(tokens: list[tuple[str, str]], place: int) -> str | None:
    kind, text = tokens[place] if place < len(tokens) else ("", "")
    return text.upper() if kind == "name" else None


def _sign(tokens: list[tuple[str, str]], place: int) -> str | None:
    kind, text = tokens[place] if place < len(tokens) else ("", "")
    return text if kind == "sign" else None


def _name(tokens: list[tuple[str, str]], place: int) -> str | None:
    """Return the name of a column or table; None for anything else, pseudo-columns and clauses too."""
    kind, text = tokens[place] if place < len(tokens) else ("", "")
    if kind == "quoted":
        return text[1:-1].replace('""', '"')
    if kind != "name" or text.startswith("%") or text.upper() in CLAUSES | {"FROM", "WHERE", "ALL"}:
        return None
    return text
