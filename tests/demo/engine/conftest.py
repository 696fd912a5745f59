"""A small namespace with one of everything, new for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.engine.interface import EngineOptions
from iris_quart.demo.engine.namespace import Namespace

SCRIPT = """
CREATE TABLE Sample.Company (Name VARCHAR(80) NOT NULL, Revenue NUMERIC(18,2), TaxID VARCHAR(10)
    CONSTRAINT TaxIDKey UNIQUE) WITH %CLASS;
CREATE TABLE Sample.Person (%DESCRIPTION 'People; with a semicolon', Name VARCHAR(50) NOT NULL %DESCRIPTION 'Full name',
    SSN VARCHAR(11) NOT NULL CONSTRAINT SSNKey UNIQUE, DOB DATE, Home %SERIAL (Street VARCHAR(80), City VARCHAR(80)),
    FavoriteColors %LIST, Spouse %REFERENCE Sample.Person,
    Company INTEGER REFERENCES Sample.Company ON DELETE SET NULL, Salary INTEGER, Notes LONGVARCHAR,
    Age INTEGER GENERATED ALWAYS AS (DATEDIFF('yy', DOB, {d '2020-06-01'}))) WITH %CLASS;
CREATE TABLE Code (Code VARCHAR(10) COLLATE %EXACT PRIMARY KEY, Label VARCHAR(20) DEFAULT 'none', Changed ROWVERSION,
    Number SERIAL);
INSERT INTO Sample.Company (Name, Revenue, TaxID) VALUES ('Acme', 12.50, 'A1');
INSERT INTO Sample.Company (Name, Revenue, TaxID) VALUES ('Ørsted', 9999999999999999.99, 'B2');
INSERT INTO Sample.Person (Name, SSN, DOB, Home_City, Company, Salary)
    VALUES ('Smith,John', '111', '1980-05-06', 'Boston', 1, 100);
INSERT INTO Sample.Person (Name, SSN, DOB, Home_City, Company, Salary, Notes)
    VALUES ('adams,zoe', '222', '1990-01-01', 'boston', 2, 200, 'a long text');
INSERT INTO Sample.Person (Name, SSN, Home_City) VALUES ('Çelik,Ayşe', '333', '');
INSERT INTO Sample.Person (Name, SSN, Spouse) VALUES ('Nobody', '444', 1);
INSERT INTO Code (Code, Label) VALUES ('a', 'lower');
INSERT INTO Code (Code, Label) VALUES ('A', 'upper');
"""

Rows = Callable[..., list[tuple[Any, ...]]]
Refused = Callable[..., SqlError]


@pytest.fixture
def namespace(tmp_path: Path) -> Iterator[Namespace]:
    """Open a namespace with sample tables; its lock time-out is short."""
    found = Namespace("SAMPLES", tmp_path / "samples.db", EngineOptions(lock_timeout=0.3))
    found.run_script(SCRIPT)
    yield found
    found.close()


@pytest.fixture
def rows(namespace: Namespace) -> Rows:
    """Run a statement with its parameters and return the rows."""

    def run(sql: str, *parameters: Any, **options: Any) -> list[tuple[Any, ...]]:
        return namespace.execute(sql, parameters, **options).rows

    return run


@pytest.fixture
def refused(namespace: Namespace) -> Refused:
    """Run a statement that must fail and return its error."""

    def run(sql: str, *parameters: Any, **options: Any) -> SqlError:
        with pytest.raises(SqlError) as caught:
            namespace.execute(sql, parameters, **options)
        return caught.value

    return run
