"""SQL errors as IRIS words them.

A text marked "seen in the wild" follows a message recorded in a public issue or test log. All other texts, and the
codes that stand in no fact we have (-5, -6, -8, -9, -10, -19, -54, -62, -68, -78, -97, -306, -310, -311, -315, -316,
-320, -321, -324, -333), are from memory and were not checked: a client must not depend on them.
"""

from __future__ import annotations


class SqlError(Exception):
    """A failed statement: a SQLCODE and the text that IRIS sends with it."""

    def __init__(self, sqlcode: int, text: str) -> None:
        super().__init__(f"SQLCODE {sqlcode}: {text}")
        self.sqlcode = sqlcode
        self.text = text


def shortened(value: object, limit: int = 80) -> str:
    """Return a value for an error text, cut so that a long one cannot fill the answer."""
    text = str(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def not_found(table: str) -> SqlError:
    """Return -30 for an unknown table or view (text seen in the wild)."""
    return SqlError(-30, f"Table '{table}' not found")


def name_conflict(name: str, table: str) -> SqlError:
    """Return -400 for an index or key whose name another one has (text seen on a live server)."""
    return SqlError(-400, f"Fatal error occurred: ERROR #5067: Index name conflict: '{table}:{name}'")


def fatal(reason: str) -> SqlError:
    """Return -400, the code IRIS uses for run-time faults such as <DIVIDE> or <MAXSTRING>."""
    return SqlError(-400, f"Fatal error occurred: {reason}")


def not_done(what: str) -> SqlError:
    """Return -1 for a statement or clause that this engine does not run."""
    return SqlError(-1, f"Invalid SQL statement: {what} is not supported here")


def not_privileged(user: str) -> SqlError:
    """Return -99 for a missing grant (text seen in the wild)."""
    return SqlError(-99, f"User {user} is not privileged for the operation")


def row_locked(operation: str, table: str, row_id: object) -> SqlError:
    """Return -110 for a row that somebody else holds (text seen in the wild)."""
    return SqlError(
        -110,
        f"Unable to acquire lock for {operation} of table '{table}' on row with RowID = '{row_id}'",
    )


__all__ = ["SqlError", "fatal", "not_done", "not_found", "not_privileged", "row_locked", "shortened"]
