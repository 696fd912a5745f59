"""Names in their canonical form: read once where a payload, a path or a form is read, then used everywhere.

What is judged (read-only, shown namespaces), remembered, announced and audited is the canonical form alone, so that
no other spelling of a name reaches IRIS. A name without a canonical form is refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field

from .errors import InvalidInput
from .sql.identifiers import quote, split_table_name

__all__ = [
    "NAMESPACE_MAX",
    "ROW_ID_MAX",
    "ColumnName",
    "NamespaceName",
    "RowId",
    "ServerName",
    "TableName",
    "column_name",
    "folded_table",
    "namespace_name",
    "row_id",
    "same_namespace",
    "server_name",
    "table_name",
]

NAMESPACE_MAX = 128
TABLE_MAX = 260
COLUMN_MAX = 128
ROW_ID_MAX = 1024
SERVER_MAX = 64
NAMES_KEPT = 1024


@lru_cache(maxsize=NAMES_KEPT)
def namespace_name(text: str, *, field: str = "namespace") -> str:
    """Return a namespace's name in IRIS's own spelling: upper case, without white space around it.

    Raises InvalidInput naming `field` for what no namespace is called: IRIS takes letters and digits, % as the
    first character, - and _ after it (class reference, %SYS.Namespace). Other characters could mean a directory
    (an implied namespace) or leave the address below which statements are sent, and compatibility characters
    (full-width letters) look like another name.
    """
    name = text.strip().upper()
    rest = name.removeprefix("%")
    if (
        not 0 < len(name) <= NAMESPACE_MAX
        or not rest.replace("-", "").replace("_", "").replace(".", "").isalnum()
        or not rest[0].isalnum()
        or unicodedata.normalize("NFKC", name) != name
        or unicodedata.normalize("NFKC", text.strip()) != text.strip()
    ):
        raise InvalidInput(
            f"A namespace's name is 1 to {NAMESPACE_MAX} letters, digits, - and _; the first may be %.",
            field=field,
        )
    return name


def same_namespace(name: str, canonical: str) -> bool:
    """Return whether a name that a server or a setting spells is the namespace of this canonical name."""
    try:
        return namespace_name(name) == canonical
    except InvalidInput:
        return False


@lru_cache(maxsize=NAMES_KEPT)
def table_name(text: str, *, field: str = "tableName") -> str:
    """Return "Schema.Table" without white space around it; a name without a schema lies in SQLUser.

    Raises InvalidInput naming `field`. Letter case stays, as people read the name; IRIS ignores it.
    """
    name = split_table_name(text, field=field)
    if len(str(name)) > TABLE_MAX or name.schema != name.schema.strip() or name.name != name.name.strip():
        raise InvalidInput("Write the table as Schema.Table.", field=field)
    return str(name)


def column_name(text: str, *, field: str = "column") -> str:
    """Check that a column can have this name; the catalogue knows its spelling. Raises InvalidInput."""
    try:
        quote(text)
    except InvalidInput as error:
        raise InvalidInput(
            f"A column's name is 1 to {COLUMN_MAX} characters, none of them a control character.",
            field=field,
        ) from error
    return text


def row_id(text: str, *, field: str = "rowId") -> str:
    """Check that a row can have this ID. Raises InvalidInput.

    Every character counts: rows of a table with keys of its own may differ by white space alone.
    """
    if not 0 < len(text) <= ROW_ID_MAX or "\0" in text:
        raise InvalidInput(f"A row ID is text of 1 to {ROW_ID_MAX} characters.", field=field)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput("A row ID is text.", field=field) from None
    return text


def server_name(text: str, *, field: str = "server") -> str:
    """Return the name of a server of the settings, without white space around it. Raises InvalidInput."""
    name = text.strip()
    if not 0 < len(name) <= SERVER_MAX or not name.isprintable():
        raise InvalidInput(f"A server's name is 1 to {SERVER_MAX} characters.", field=field)
    return name


def _checked(read: Callable[[str], str]) -> AfterValidator:
    def validate(text: str) -> str:
        try:
            return read(text)
        except InvalidInput as error:
            # pydantic adds the field's name to a ValueError.
            raise ValueError(error.message) from None

    return AfterValidator(validate)


NamespaceName: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=NAMESPACE_MAX), _checked(namespace_name)
]
TableName: TypeAlias = Annotated[str, Field(min_length=1, max_length=TABLE_MAX), _checked(table_name)]
ColumnName: TypeAlias = Annotated[str, Field(min_length=1, max_length=COLUMN_MAX), _checked(column_name)]
RowId: TypeAlias = Annotated[str, Field(min_length=1, max_length=ROW_ID_MAX), _checked(row_id)]
ServerName: TypeAlias = Annotated[str, Field(min_length=1, max_length=SERVER_MAX), _checked(server_name)]


def folded_table(namespace: str, table_name: str) -> tuple[str, str]:
    """Return what two spellings of a table's names have in common: letter case is not part of them."""
    return namespace.casefold(), table_name.casefold()
