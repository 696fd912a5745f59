"""Create the databases of the sample data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path

from iris_quart.demo.core.conversions import Value
from iris_quart.demo.engine.namespace import Namespace
from iris_quart.demo.samples import films, hard_values, hospital, inventory, measurements, people

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
    """What one namespace holds: a script of IRIS SQL, then rows loaded in order."""

    script: str | None = None
    loads: Sequence[Load] = ()


CONTENTS: Mapping[str, Contents] = {
    "%SYS": Contents(),
    "USER": Contents(
        "user.sql",
        (
            Load("Inventory.Warehouse", inventory.WAREHOUSE_COLUMNS, inventory.warehouses),
            Load("Inventory.Item", inventory.ITEM_COLUMNS, inventory.items),
            Load("Inventory.Stock", inventory.STOCK_COLUMNS, inventory.stock),
            Load("Inventory.Movement", inventory.MOVEMENT_COLUMNS, inventory.movements),
        ),
    ),
    "SAMPLES": Contents(
        "samples.sql",
        (
            Load("Sample.Company", people.COMPANY_COLUMNS, people.companies),
            Load("Sample.Person", people.PERSON_COLUMNS, people.people),
            Load("Sample.Employee", people.EMPLOYEE_COLUMNS, people.employees),
            Load("Cinema.FilmCategory", films.CATEGORY_COLUMNS, films.categories),
            Load("Cinema.Film", films.FILM_COLUMNS, films.films),
            Load("Cinema.Theater", films.THEATER_COLUMNS, films.theaters),
            Load("Cinema.Show", films.SHOW_COLUMNS, films.shows),
            Load("SQLUser.TypeMatrix", hard_values.MATRIX_COLUMNS, hard_values.matrix),
            Load("Odd Names.Café $ Prices #1", hard_values.PRICE_COLUMNS, hard_values.prices),
            Load("Sample.Imported", hard_values.IMPORTED_COLUMNS, hard_values.imported),
            Load("Sample.Keyless", hard_values.KEYLESS_COLUMNS, hard_values.keyless),
            Load("Sample.Archive", hard_values.ARCHIVE_COLUMNS, hard_values.archive),
        ),
    ),
    "HOSPITAL": Contents(
        "hospital.sql",
        (
            Load("Ward.Doctor", hospital.DOCTOR_COLUMNS, hospital.doctors),
            Load("Ward.Patient", hospital.PATIENT_COLUMNS, hospital.patients),
            Load("Ward.Appointment", hospital.APPOINTMENT_COLUMNS, hospital.appointments),
            Load("Ward.Observation", hospital.OBSERVATION_COLUMNS, hospital.observations),
        ),
    ),
}
LARGE_NAMESPACE = "SAMPLES"
LAST_INDEX = """SELECT COUNT(*) FROM INFORMATION_SCHEMA.INDEXES
    WHERE TABLE_SCHEMA = 'Big' AND TABLE_NAME = 'Measurement' AND INDEX_NAME = 'MeasuredAtIDX'"""


def database_path(directory: Path, namespace: str) -> Path:
    """Name the file of a namespace."""
    return directory / f"{namespace.replace('%', '')}.sqlite"


def build_missing(directory: Path, rows: int | None) -> None:
    """Create the databases that are not there yet, and the large table when it is asked for and missing."""
    for name, contents in CONTENTS.items():
        path = database_path(directory, name)
        if not path.exists():
            build(name, contents, path)
    if rows:
        with closing(Namespace(LARGE_NAMESPACE, database_path(directory, LARGE_NAMESPACE))) as namespace:
            if namespace.execute(LAST_INDEX).rows == [(0,)]:
                build_large(namespace, rows)


def build(name: str, contents: Contents, path: Path) -> None:
    """Make one database beside its place, then move it there."""
    unfinished = path.with_name(path.name + BUILDING)
    for leftover in path.parent.glob(unfinished.name + "*"):
        leftover.unlink()
    with closing(Namespace(name, unfinished)) as namespace:
        if contents.script:
            namespace.run_script(script(contents.script))
        for load in contents.loads:
            namespace.bulk_load(load.table, load.columns, load.rows())
    unfinished.replace(path)


def build_large(namespace: Namespace, rows: int) -> None:
    """Create the large table and its indexes, after dropping one that was cut short before its last index."""
    namespace.run_script("DROP TABLE IF EXISTS Big.Measurement")
    namespace.run_script(script("measurements.sql"))
    load = partial(measurements.measurements, rows)
    namespace.bulk_load("Big.Measurement", measurements.MEASUREMENT_COLUMNS, load())
    namespace.run_script(script("measurements-indexes.sql"))


def script(name: str) -> str:
    """Read a script that stands beside this module."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


__all__ = [
    "BUILDING",
    "CONTENTS",
    "LARGE_NAMESPACE",
    "LAST_INDEX",
    "Contents",
    "Load",
    "build",
    "build_large",
    "build_missing",
    "database_path",
    "script",
]
