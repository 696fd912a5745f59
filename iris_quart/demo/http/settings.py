"""What can be chosen about an embedded server."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from iris_quart.demo.engine.interface import Release, careless_by_environment

from .encodings import Encoding
from .users import DEMO_USERS, User

DEFAULT_RELEASE = Release(2025, 1)
ENCODING_VARIABLE = "IRIS_QUART_DEMO_ENCODING"
ENCODINGS = {
    "default": Encoding(),
    "odbc": Encoding(dates="odbc", nulls="null"),
    "merged": Encoding(nulls="merged"),
    "digits": Encoding(doubles="digits"),
}


class UnknownEncoding(ValueError):
    """The environment asks for an encoding that there is not."""


def default_encoding() -> Encoding:
    """Return the encoding that IRIS_QUART_DEMO_ENCODING names. Raises UnknownEncoding."""
    name = os.environ.get(ENCODING_VARIABLE, "").strip().lower() or "default"
    if name not in ENCODINGS:
        raise UnknownEncoding(f"{ENCODING_VARIABLE} must be one of {', '.join(ENCODINGS)}, not {name[:40]!r}")
    return ENCODINGS[name]


@dataclass(frozen=True)
class DemoOptions:
    """Options of one embedded server.

    directory: where its databases live, one SQLite file per namespace; made and filled on first start.
    rows: rows of the large table Big.Measurement in SAMPLES, None for no such table; made once.
    licences: how many CSP sessions may live at once (503 beyond), None for any number.
    licence_grace: seconds for which an ended session keeps its licence.
    session_timeout: seconds without a request after which a CSP session ends.
    encoding: how it writes values. Without one the environment variable IRIS_QUART_DEMO_ENCODING names it, so that
        any test can be run in another: `default`, `odbc` (dates as ODBC text, NULL as null), `merged` (NULL and ''
        both as "") or `digits` (doubles with 20 digits).
    release: which IRIS it plays: LIMIT and OFFSET .. FETCH are refused before 2025.1.
    check_grants: table grants are checked (-99); action/query of IRIS is said not to check them.
    lock_timeout: seconds a statement waits for a lock before -110.
    careless_order: SELECTs without ORDER BY return their rows backwards instead of by row ID. Without it the
        environment variable IRIS_QUART_DEMO_ORDER decides (`careless`), so that any test can be run that way.
    shuffle_unordered: a seed; SELECTs without ORDER BY then come in an order that depends on it.
    json_tables: JSON_TABLE exists; without a choice the release decides (2024.1 and later).
    prefix: a path in front of /api/atelier, as some web servers have.
    """

    directory: Path
    rows: int | None = None
    licences: int | None = 25
    licence_grace: float = 0.0
    session_timeout: float = 900.0
    encoding: Encoding = field(default_factory=default_encoding)
    release: Release = DEFAULT_RELEASE
    check_grants: bool = False
    lock_timeout: float = 10.0
    careless_order: bool = field(default_factory=careless_by_environment)
    shuffle_unordered: int | None = None
    json_tables: bool | None = None
    users: tuple[User, ...] = DEMO_USERS
    prefix: str = ""
    threads: int = 8


__all__ = [
    "DEFAULT_RELEASE",
    "ENCODINGS",
    "ENCODING_VARIABLE",
    "DemoOptions",
    "UnknownEncoding",
    "default_encoding",
]
