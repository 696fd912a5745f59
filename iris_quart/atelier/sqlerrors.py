"""SQL errors of IRIS: from SQLCODE and text to our error, a sentence and a hint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from iris_quart.errors import (
    ColumnNotFound,
    ConstraintViolation,
    IrisQuartError,
    NotAllowed,
    RowGone,
    RowLocked,
    SqlError,
    TableNotFound,
    ValueRefused,
)

__all__ = ["SQL_ERROR", "SQL_ERRORS", "Explanation", "explain", "sql_error"]

SQL_ERROR = re.compile(r"SQLCODE:\s*(-?\d{1,9})\s+Message:\s*(.*)", re.DOTALL)
"""Shape of an SQL error's text; the spacing varies between releases."""

QUOTED = r"'((?:[^']|'')*)'"
TABLE = re.compile(rf"[Tt]able {QUOTED}")
FIELD = re.compile(rf"[Ff]ield(?:\(s\))? {QUOTED}")
CONSTRAINT = re.compile(
    rf"(?:[Cc]onstraint|Foreign Key(?: Constraint)?|[Ii]ndex) [{chr(39)}\"]([^'\"]+)['\"]"
)
ROW = re.compile(rf"Row(?:ID)? ?= ?{QUOTED}|RowID {QUOTED}")
LISTED = re.compile(r'\b(\w+)=(?:"(?:[^"]|"")*"|[^,]*)')
VALUE_MAX = 100


@dataclass(frozen=True, slots=True)
class Explanation:
    """Meaning of an SQLCODE: error class, sentence, and what to do.

    `{field}`, `{table}`, `{constraint}`, `{value}` and `{row}` stand for what IRIS's text names.
    """

    error: type[IrisQuartError]
    sentence: str
    hint: str = ""


def _(error: type[IrisQuartError], sentence: str, hint: str = "") -> Explanation:
    return Explanation(error, sentence, hint)


# SQLCODEs and their meaning: InterSystems SQL error code reference.
SQL_ERRORS: dict[int, Explanation] = {
    -1: _(SqlError, "IRIS does not understand the statement."),
    -3: _(SqlError, "IRIS misses a closing quote in the statement."),
    -4: _(SqlError, "IRIS expected a value in the statement."),
    -12: _(SqlError, "IRIS expected a value in the statement."),
    -14: _(SqlError, "IRIS expected a comparison in the statement."),
    -23: _(ColumnNotFound, "IRIS does not know {field:a name} in the statement."),
    -25: _(
        SqlError, "IRIS found more text after the end of the statement.", "The release may be too old for it."
    ),
    -26: _(SqlError, "IRIS misses FROM in the statement."),
    -27: _(SqlError, "The column {field:named} is ambiguous."),
    -29: _(
        ColumnNotFound,
        "There is no column {field:of this name}.",
        "The table may have changed; reload it.",
    ),
    -30: _(
        TableNotFound,
        "There is no table {table:of this name}.",
        "It may have been dropped or renamed; reload the list of tables.",
    ),
    -35: _(NotAllowed, "This view cannot be changed.", "Change the table behind it."),
    -37: _(NotAllowed, "IRIS cannot use {field:a stream} in this way, as it is a stream."),
    -51: _(SqlError, "IRIS does not understand the statement."),
    -99: _(NotAllowed, "The user lacks a privilege for this.", "Ask for it in IRIS, or use another user."),
    -104: _(
        ValueRefused,
        "{field:A column} does not accept {value:the value}.",
        "Check its type, length and range.",
    ),
    -105: _(
        ValueRefused,
        "{field:A column} does not accept {value:the value}.",
        "Check its type, length and range.",
    ),
    -106: _(RowGone, "The row no longer exists."),
    -107: _(
        NotAllowed,
        "{field:This column} is the row ID or a part of it, as the parent of a child table's row is, and the ID of a "
        "row cannot be changed.",
        "Insert a new row instead, and delete this one.",
    ),
    -108: _(
        ConstraintViolation, "{field:A required column} must have a value.", "Fill in the required columns."
    ),
    -109: _(RowGone, "The row no longer exists."),
    -110: _(
        RowLocked,
        "Row {row:} is being changed by someone else.",
        "Nothing was changed; try again in a moment.",
    ),
    -111: _(NotAllowed, "IRIS gives the row ID itself; leave {field:it} empty."),
    -112: _(NotAllowed, "Access is not allowed."),
    -114: _(
        RowLocked, "Rows are being changed by someone else.", "Nothing was changed; try again in a moment."
    ),
    -115: _(NotAllowed, "The table {table:} is read-only in IRIS."),
    -116: _(SqlError, "The statement would have given more than one row."),
    -119: _(
        ConstraintViolation,
        "Another row already has this value of {field:a unique column}{constraint: (constraint %)}.",
        "The value must be unique.",
    ),
    -120: _(
        ConstraintViolation,
        "Another row already has this value of {field:a unique column}{constraint: (constraint %)}.",
        "The value must be unique.",
    ),
    -121: _(
        ConstraintViolation,
        "{field:A column} refers to a row that does not exist{constraint: (foreign key %)}.",
        "Enter the key of an existing row.",
    ),
    -122: _(
        ConstraintViolation,
        "{field:A column} refers to a row that does not exist{constraint: (foreign key %)}.",
        "Enter the key of an existing row.",
    ),
    -123: _(
        ConstraintViolation,
        "Other rows refer to this one{constraint: (foreign key %)}, so its key cannot change.",
        "Change or delete those rows first.",
    ),
    -124: _(
        ConstraintViolation,
        "Other rows refer to this one{constraint: (foreign key %)}, so it cannot be deleted.",
        "Change or delete those rows first.",
    ),
    -130: _(ConstraintViolation, "A trigger of the table refused the new row."),
    -131: _(ConstraintViolation, "A trigger of the table failed after the new row."),
    -132: _(ConstraintViolation, "A trigger of the table refused the change."),
    -133: _(ConstraintViolation, "A trigger of the table failed after the change."),
    -134: _(ConstraintViolation, "A trigger of the table refused the deletion."),
    -135: _(ConstraintViolation, "A trigger of the table failed after the deletion."),
    -136: _(ConstraintViolation, "The new row would not be visible in this view."),
    -137: _(ConstraintViolation, "The changed row would no longer be visible in this view."),
    -138: _(NotAllowed, "{field:The column} is read-only in IRIS."),
    -139: _(NotAllowed, "The row version cannot be changed by hand."),
    -146: _(ValueRefused, "{value:The value} is not a valid IRIS date.", "Write it as YYYY-MM-DD."),
    -147: _(ValueRefused, "{value:The value} is not a valid IRIS time.", "Write it as HH:MM:SS."),
    -149: _(SqlError, "A function in the statement failed."),
    -201: _(SqlError, "The name {table:} is taken."),
    -303: _(NotAllowed, "A stream cannot be changed in this way."),
    -304: _(SqlError, "IRIS cannot put a value into a column of this type."),
    -313: _(NotAllowed, "A stream cannot be compared."),
    -359: _(
        SqlError, "IRIS does not know a function in the statement.", "The release may be too old for it."
    ),
    -361: _(SqlError, "IRIS does not know a method in the statement."),
    -386: _(SqlError, "IRIS does not accept TOP beside LIMIT or OFFSET."),
    -400: _(SqlError, "IRIS stopped the statement with a fatal error."),
    -402: _(NotAllowed, "The user may not run this statement."),
    -415: _(SqlError, "IRIS stopped the statement with a fatal error."),
}
UNKNOWN = Explanation(SqlError, "IRIS refused the statement.")
DETAILS = {"constraint": "constraint", "table": "table", "field": "column", "value": "value", "row": "rowId"}
"""Names in the sentences, and the keys under which they travel."""
SLOT = re.compile(r"\{(\w+):([^}]*)\}")


def sql_error(text: str, server_text: str | None = None) -> IrisQuartError:
    """Turn IRIS's text (`… SQLCODE: -30 Message: …`) into our error.

    The error carries the SQLCODE and IRIS's text; its `field` is the column and its `details` hold
    constraint, table, column, value and row ID as far as the text names them.
    """
    match = SQL_ERROR.search(text)
    sqlcode, message = (int(match[1]), match[2].strip()) if match else (0, text)
    return explain(sqlcode, _names(message), sqlcode_known=True, server_text=server_text or text)


def explain(
    sqlcode: int,
    names: Mapping[str, str],
    *,
    hint: str | None = None,
    sqlcode_known: bool = False,
    server_text: str | None = None,
) -> IrisQuartError:
    """Return the error that stands for an SQLCODE; `names` may hold field, table, constraint, value and row.

    A refusal before IRIS is asked has the same words with `hint` at their end; only an
    error that IRIS gave (`sqlcode_known`) carries the SQLCODE.
    """
    explanation = SQL_ERRORS.get(sqlcode, UNKNOWN)
    found = dict(names)
    if len(found.get("value", "")) > VALUE_MAX:
        found["value"] = found["value"][: VALUE_MAX - 1] + "…"
    sentence = SLOT.sub(lambda slot: _fill(slot, found), explanation.sentence)
    sentence = " ".join(sentence.split()).replace(" .", ".")
    if explanation is UNKNOWN:
        sentence = f"IRIS refused the statement (SQLCODE {sqlcode})."
    details = {key: found[name] for name, key in DETAILS.items() if name in found}
    return explanation.error(
        " ".join(filter(None, (sentence, explanation.hint if hint is None else hint))),
        sqlcode=sqlcode if sqlcode_known else None,
        server_text=server_text,
        field=found.get("field"),
        details=details or None,
    )


def _fill(slot: re.Match[str], found: dict[str, str]) -> str:
    name, default = slot[1], slot[2]
    if name == "constraint":
        return default.replace("%", found[name]) if name in found else ""
    if name not in found:
        return default
    value = found[name]
    return f"“{value}”" if name == "value" else value


def _names(message: str) -> dict[str, str]:
    """Look up what IRIS's text names: field, table, constraint, value, row."""
    found: dict[str, str] = {}
    # The longest value that there can be; a pattern would look for its end from each of its starts.
    before, opening, rest = message.partition("(value '")
    value, closing, after = rest.rpartition("') failed")
    has_value = bool(opening and closing)
    if has_value:
        found["value"] = value
        # The value is the user's; nothing in it may be taken for IRIS's words.
        message = before + after
    for name, pattern in (("table", TABLE), ("field", FIELD), ("constraint", CONSTRAINT), ("row", ROW)):
        match = pattern.search(message)
        if match:
            found[name] = next(group for group in match.groups() if group is not None).replace("''", "'")
    if "field" not in found:
        listed, failed, _ = message.partition("Field(s) ")[2].partition(" failed")
        names = LISTED.findall(listed) if failed else []
        if names:
            found["field"] = ", ".join(names)
    if "field" in found and has_value and "." in found["field"]:
        # -104 and -105 name the column as 'Schema.Table.Column'.
        table, _, column = found["field"].rpartition(".")
        found["field"], found["table"] = column, found.get("table", table)
    return found
