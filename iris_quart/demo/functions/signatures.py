"""How SQL functions are declared: one line beside the Python function that runs each.

`takes` has one letter an argument, the last one repeated: `t` text, `n` number, `i` whole number, `m` moment,
`a` anything, `u` date part, `f` format text. `gives` names a type, or `same` for that of the first argument,
`number` for the widest number among the arguments, `binary` for text or binary as given.
"""

from __future__ import annotations

from dataclasses import dataclass

from iris_quart.demo.core.types import (
    BIGINT,
    DATE_TYPE,
    LIST_TYPE,
    POSIXTIME_TYPE,
    TIME_TYPE,
    TIMESTAMP_TYPE,
    VARCHAR,
    SqlType,
)


@dataclass(frozen=True, slots=True)
class Function:
    """One function; `sqlite` is the function of ours that runs it."""

    sqlite: str
    takes: str
    least: int
    most: int
    gives: str
    streams: bool = False
    inherits: bool = False


TYPES: dict[str, SqlType] = {
    "text": VARCHAR,
    "integer": BIGINT,
    "date": DATE_TYPE,
    "time": TIME_TYPE,
    "timestamp": TIMESTAMP_TYPE,
    "posixtime": POSIXTIME_TYPE,
    "list": LIST_TYPE,
}


def signatures(table: str) -> dict[str, Function]:
    """Read a table of functions: SQL names, SQLite function, `takes`, fewest and most arguments, `gives`, flags."""
    found: dict[str, Function] = {}
    for line in table.strip().splitlines():
        words = line.split()
        at = next(index for index, word in enumerate(words) if word.startswith("iris_"))
        flags = words[at + 5 :]
        function = Function(
            words[at],
            words[at + 1],
            int(words[at + 2]),
            int(words[at + 3]),
            words[at + 4],
            "streams" in flags,
            "inherits" in flags,
        )
        for name in words[:at]:
            found[name] = function
    return found


__all__ = ["TYPES", "Function", "signatures"]
