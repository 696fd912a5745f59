"""SQL data types: what a declaration means, and how INFORMATION_SCHEMA spells it.

Spellings were measured on a live server by others (facts: lower case, TIMESTAMP also for POSIXTIME). Default
lengths: InterSystems SQL Reference, Data Types (VARCHAR without a length is 1 character). From memory: NUMERIC is
(15, 15) without arguments, (p, 0) with one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .errors import SqlError

TEXT = "text"
INTEGER = "integer"
DECIMAL = "decimal"
DOUBLE = "double"
DATE = "date"
TIME = "time"
TIMESTAMP = "timestamp"
POSIXTIME = "posixtime"
BINARY = "binary"
TEXT_STREAM = "text stream"
BINARY_STREAM = "binary stream"
LIST = "list"

SQLUPPER = "SQLUPPER"
EXACT = "EXACT"
UPPER = "UPPER"
SQLSTRING = "SQLSTRING"


@dataclass(frozen=True, slots=True)
class SqlType:
    """Describe a type.

    `kind` says how values are held, `name` how INFORMATION_SCHEMA spells it; `low` and `high` bound integers.
    """

    kind: str
    name: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    low: int | None = None
    high: int | None = None
    counter: str | None = None

    @property
    def is_number(self) -> bool:
        """Return whether values are numbers to arithmetic."""
        return self.kind in (INTEGER, DECIMAL, DOUBLE)

    @property
    def is_stream(self) -> bool:
        """Return whether values live in a stream."""
        return self.kind in (TEXT_STREAM, BINARY_STREAM)

    @property
    def is_text(self) -> bool:
        """Return whether values compare as text."""
        return self.kind in (TEXT, LIST)


VARCHAR = SqlType(TEXT, "varchar")
ANY_INTEGER = SqlType(INTEGER, "integer", precision=10, scale=0, low=-(2**31), high=2**31 - 1)
BIGINT = SqlType(INTEGER, "bigint", precision=19, scale=0, low=-(2**63), high=2**63 - 1)
BIT = SqlType(INTEGER, "bit", precision=1, scale=0, low=0, high=1)
SMALLINT = SqlType(INTEGER, "smallint", precision=5, scale=0, low=-32768, high=32767)
TINYINT = SqlType(INTEGER, "tinyint", precision=3, scale=0, low=-128, high=127)
NUMERIC = SqlType(DECIMAL, "numeric", precision=18)
DOUBLE_TYPE = SqlType(DOUBLE, "double", precision=20)
DATE_TYPE = SqlType(DATE, "date")
TIME_TYPE = SqlType(TIME, "time", scale=0)
TIMESTAMP_TYPE = SqlType(TIMESTAMP, "timestamp")
POSIXTIME_TYPE = SqlType(POSIXTIME, "posixtime")
VARBINARY = SqlType(BINARY, "varbinary")
LONGVARCHAR = SqlType(TEXT_STREAM, "longvarchar")
LONGVARBINARY = SqlType(BINARY_STREAM, "longvarbinary")
GUID = SqlType(TEXT, "guid", length=36)
LIST_TYPE = SqlType(LIST, "varchar", length=32749)
SERIAL = replace(BIGINT, counter="serial")
ROWVERSION = replace(BIGINT, counter="rowversion")

_BY_NAME: dict[str, SqlType] = {}
for _type, _names in (
    (VARCHAR, "VARCHAR CHAR CHARACTER NVARCHAR NCHAR VARCHAR2 NVARCHAR2 SYSNAME %STRING"),
    (replace(VARCHAR), "CHARACTER_VARYING"),
    (ANY_INTEGER, "INTEGER INT MEDIUMINT %INTEGER"),
    (BIGINT, "BIGINT %BIGINT"),
    (SMALLINT, "SMALLINT YEAR %SMALLINT"),
    (TINYINT, "TINYINT %TINYINT"),
    (BIT, "BIT BOOLEAN BOOL %BOOLEAN"),
    (NUMERIC, "NUMERIC DECIMAL DEC NUMBER %NUMERIC %DECIMAL"),
    (replace(NUMERIC, precision=19, scale=4), "MONEY SMALLMONEY %CURRENCY"),
    (DOUBLE_TYPE, "DOUBLE FLOAT REAL %DOUBLE"),
    (DATE_TYPE, "DATE %DATE"),
    (TIME_TYPE, "TIME %TIME"),
    (TIMESTAMP_TYPE, "TIMESTAMP DATETIME DATETIME2 SMALLDATETIME %TIMESTAMP"),
    (POSIXTIME_TYPE, "POSIXTIME %POSIXTIME"),
    (VARBINARY, "VARBINARY BINARY RAW %BINARY"),
    (LONGVARCHAR, "LONGVARCHAR LONGTEXT MEDIUMTEXT TEXT CLOB NTEXT LONG"),
    (LONGVARBINARY, "LONGVARBINARY IMAGE BLOB LONGBLOB"),
    (GUID, "UNIQUEIDENTIFIER GUID %UNIQUEIDENTIFIER"),
    (LIST_TYPE, "%LIST"),
    (SERIAL, "SERIAL %COUNTER"),
    (ROWVERSION, "ROWVERSION %ROWVERSION"),
):
    for _name in _names.split():
        _BY_NAME[_name] = _type
_BY_NAME["DOUBLE PRECISION"] = DOUBLE_TYPE
_BY_NAME["CHARACTER VARYING"] = VARCHAR
_BY_NAME["LONG VARCHAR"] = LONGVARCHAR
_BY_NAME["LONG BINARY"] = LONGVARBINARY
_BY_NAME["LONG RAW"] = LONGVARBINARY
del _BY_NAME["CHARACTER_VARYING"]
DERIVED_LENGTH = 4096
"""Length of a column whose expression names none."""
TYPE_NAMES = frozenset(_BY_NAME)
"""Every type name that a declaration or a cast may write, in upper case."""


def declared(name: str, arguments: tuple[int, ...], *, cast: bool = False) -> SqlType:
    """Return the type that a declaration names; `cast` gives text and numbers their wider default.

    Raises SqlError -376 for an unknown type, -1 for impossible arguments.
    """
    found = _BY_NAME.get(name)
    if found is None:
        raise SqlError(-376, f"Unsupported data type '{name}'")
    if len(arguments) > 2 or any(argument < 0 for argument in arguments):
        raise SqlError(-1, f"Invalid SQL statement: data type {name} does not take {arguments}")
    if found.kind in (TEXT, BINARY) and name not in ("UNIQUEIDENTIFIER", "GUID", "%UNIQUEIDENTIFIER"):
        default = None if cast else 50 if name == "%STRING" else 1
        return replace(found, length=arguments[0] if arguments else default)
    if found.kind == DECIMAL and name not in ("MONEY", "SMALLMONEY", "%CURRENCY"):
        return _numeric(found, arguments, cast=cast)
    if found.kind in (TIME, TIMESTAMP) and arguments:
        return replace(found, scale=min(arguments[0], 9))
    return found


def declaration(data_type: SqlType) -> str:
    """Return a type as CREATE TABLE declares it."""
    if data_type.name == GUID.name:
        return "UNIQUEIDENTIFIER"
    if data_type.kind == LIST:
        return "%LIST"
    if data_type.kind in (TEXT, BINARY):
        return f"{data_type.name}({data_type.length or DERIVED_LENGTH})"
    if data_type.kind == DECIMAL and data_type.precision is not None:
        return f"{data_type.name}({data_type.precision}, {data_type.scale or 0})"
    return data_type.name


def _numeric(found: SqlType, arguments: tuple[int, ...], *, cast: bool) -> SqlType:
    if not arguments:
        return replace(found, precision=18 if cast else 15, scale=None if cast else 15)
    precision = arguments[0]
    scale = arguments[1] if len(arguments) > 1 else 0
    if scale > precision and precision:
        precision = scale
    return replace(found, precision=precision, scale=scale)


__all__ = [
    "ANY_INTEGER",
    "BIGINT",
    "BINARY",
    "BINARY_STREAM",
    "BIT",
    "DATE",
    "DATE_TYPE",
    "DECIMAL",
    "DERIVED_LENGTH",
    "DOUBLE",
    "DOUBLE_TYPE",
    "EXACT",
    "GUID",
    "INTEGER",
    "LIST",
    "LIST_TYPE",
    "LONGVARBINARY",
    "LONGVARCHAR",
    "NUMERIC",
    "POSIXTIME",
    "POSIXTIME_TYPE",
    "ROWVERSION",
    "SERIAL",
    "SMALLINT",
    "SQLSTRING",
    "SQLUPPER",
    "TEXT",
    "TEXT_STREAM",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_TYPE",
    "TIME_TYPE",
    "TINYINT",
    "TYPE_NAMES",
    "UPPER",
    "VARBINARY",
    "VARCHAR",
    "SqlType",
    "declaration",
    "declared",
]
