"""Make the databases of the sample data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from iris_quart.demo.engine import Namespace, Value

BUILDING = (
    ".building"  # suffix of a database that is not whole yet, so that a start cut short leaves no half of one
)


@dataclass(frozen=True)
class Load:
    """Rows for one table: its name, the columns, and the function that makes the rows."""

    table: str
    columns: Sequence[str]
    rows: Callable[[], Iterable[Sequence[Value]]]


@dataclass(frozen=True)
class Contents:
    """What one namespace holds: scripts of IRIS SQL run in order, then rows loaded in order."""

    scripts: Sequence[str] = ()
    loads: Sequence[Load] = ()


CONTENTS: Mapping[str, Contents] = {
    "%SYS": Contents(),
    "USER": Contents(),
    "SAMPLES": Contents(),
    "HOSPITAL": Contents(),
}


def database_path(directory: Path, namespace: str) -> Path:
    """Name the file of a namespace."""
    return directory / f"{namespace.replace('%', '')}.sqlite"


def build_missing(directory: Path, rows: int | None) -> None:
    """Make the databases that are not there yet, and the large table when it is asked for."""
    for name, contents in CONTENTS.items():
        path = database_path(directory, name)
        if not path.exists():
            build(name, contents, path)


def build(name: str, contents: Contents, path: Path) -> None:
    """Make one database beside its place, then move it there."""
    unfinished = path.with_name(path.name + BUILDING)
    for leftover in path.parent.glob(unfinished.name + "*"):
        leftover.unlink()
    with closing(Namespace(name, unfinished)) as namespace:
        for script in contents.scripts:
            namespace.run_script(files(__package__).joinpath(script).read_text(encoding="utf-8"))
        for load in contents.loads:
            namespace.bulk_load(load.table, load.columns, load.rows())
    unfinished.replace(path)
