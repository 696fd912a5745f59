"""Names of schemas, tables and columns: quoted, split and checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from iris_quart.errors import InvalidInput

__all__ = ["DEFAULT_SCHEMA", "ROW_ID", "QualifiedName", "free_alias", "quote", "split_table_name"]

DEFAULT_SCHEMA = "SQLUser"
"""Schema of a name written without one (InterSystems SQL Guide, "Schema Name")."""

ROW_ID = "%ID"
"""The row ID whatever its column is called; it must stand bare, for in quotes it would be a column's name."""

NAMES_KEPT = 2048
"""The same few names are quoted and split for every page."""

NAME_MAX = 128
"""Longest identifier (InterSystems SQL Guide, "Identifiers")."""

CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class QualifiedName(NamedTuple):
    """A schema and a table or view in it."""

    schema: str
    name: str

    def __str__(self) -> str:
        """Write it as people do, unquoted."""
        return f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """Write it for a statement."""
        return f"{quote(self.schema)}.{quote(self.name)}"


@lru_cache(maxsize=NAMES_KEPT)
def quote(name: str) -> str:
    """Write a name as a delimited identifier, with its quotes doubled.

    Raises InvalidInput for a name that no identifier can be: empty, longer than 128 characters, or with
    a control character in it.
    """
    if not name or len(name) > NAME_MAX or CONTROL.search(name):
        raise InvalidInput("A name is 1 to 128 characters, none of them a control character.")
    return '"' + name.replace('"', '""') + '"'


@lru_cache(maxsize=NAMES_KEPT)
def split_table_name(text: str, *, field: str = "tableName") -> QualifiedName:
    """Read "Schema.Table"; a name without a schema lies in SQLUser.

    A table's name holds no dot, but a schema's may be written with some, so the last dot divides. Raises
    InvalidInput naming `field`.
    """
    schema, dot, name = text.strip().rpartition(".")
    if not dot:
        schema = DEFAULT_SCHEMA
    try:
        quote(schema), quote(name)
    except InvalidInput as error:
        raise InvalidInput("Write the table as Schema.Table.", field=field) from error
    return QualifiedName(schema, name)


def free_alias(base: str, taken: Iterable[str]) -> str:
    """Return an alias that no column has, whatever its letter case: `base`, or `base` with a number after it."""
    names = {name.lower() for name in taken}
    alias, number = base, 1
    while alias.lower() in names:
        number += 1
        alias = f"{base}{number}"
    return alias
