"""What can be chosen about an embedded server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .encodings import Encoding
from .engine import Release
from .users import DEMO_USERS, User

DEFAULT_ENCODING = Encoding()
DEFAULT_RELEASE = Release(2025, 1)


@dataclass(frozen=True)
class DemoOptions:
    """Options of one embedded server.

    directory: where its databases live, one SQLite file per namespace; made and filled on first start.
    rows: rows of the large table Big.Measurement in SAMPLES, None for no such table; made once.
    licences: how many CSP sessions may live at once (503 beyond), None for any number.
    licence_grace: seconds for which an ended session keeps its licence.
    session_timeout: seconds without a request after which a CSP session ends.
    release: which IRIS it plays: LIMIT and OFFSET .. FETCH are refused before 2025.1.
    check_grants: table grants are checked (-99); action/query of IRIS is said not to check them.
    lock_timeout: seconds a statement waits for a lock before -110.
    shuffle_unordered: a seed; SELECTs without ORDER BY then come in an order that depends on it.
    prefix: a path in front of /api/atelier, as some web servers have.
    """

    directory: Path
    rows: int | None = None
    licences: int | None = 25
    licence_grace: float = 0.0
    session_timeout: float = 900.0
    encoding: Encoding = DEFAULT_ENCODING
    release: Release = DEFAULT_RELEASE
    check_grants: bool = False
    lock_timeout: float = 10.0
    shuffle_unordered: int | None = None
    users: tuple[User, ...] = DEMO_USERS
    prefix: str = ""
    threads: int = 8
