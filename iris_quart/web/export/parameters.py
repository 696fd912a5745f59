"""Parameters of an export, read from the query of a link or from the body of a POST."""

from __future__ import annotations

from typing import Annotated, Literal, cast

import msgspec
from pydantic import AfterValidator, Field, ValidationError
from quart import request

from iris_quart.commands.payloads import FilterFields, SortItem
from iris_quart.errors import InvalidInput
from iris_quart.names import ColumnName, NamespaceName, RowId, TableName
from iris_quart.protocol import invalid_input

from .formats import FORMATS
from .writing import WriteOptions

__all__ = ["Export", "asked_export"]

JSON_FIELDS = ("filters", "sort", "columns", "rowIds")
FLAGS = {"true": True, "false": False, "1": True, "0": False}
ROWS_MAX = 20_000
"""Each row that is named costs IRIS a statement of its own."""


def _known_format(name: str) -> str:
    if name not in FORMATS:
        raise ValueError(f"must be one of {', '.join(FORMATS)}")
    return name


class Export(FilterFields):
    """Parameters of an export, from the query or from a JSON body."""

    namespace: NamespaceName = Field(description="Namespace of the table.")
    table_name: TableName = Field(description="Schema.Table.")
    sort: tuple[SortItem, ...] | None = Field(
        None, max_length=8, fail_fast=True, description="Columns to sort by."
    )
    columns: tuple[ColumnName, ...] | None = Field(
        None, min_length=1, max_length=1000, fail_fast=True, description="Columns."
    )
    row_ids: tuple[RowId, ...] | None = Field(
        None, min_length=1, max_length=ROWS_MAX, fail_fast=True, description="Only these rows, in this order."
    )
    format: Annotated[str, AfterValidator(_known_format)] = Field(
        "csv", max_length=32, description="A key of `FORMATS`."
    )
    null: Literal["", "NULL", "null", "(null)", "NA", "\\N"] = Field(
        "", description="What is written for NULL."
    )
    safe: bool = Field(True, description="Defuse what a spreadsheet would run; false only with POST.")
    decimal: Literal["point", "comma"] = Field(
        "point", description="Sign before decimals; with comma, cells are separated by semicolons."
    )
    bom: bool = Field(True, description="Begin with a byte order mark.")

    def write_options(self) -> WriteOptions:
        """Return the choices that a format needs."""
        return WriteOptions(
            null_text=self.null, safe=self.safe, bom=self.bom, decimal_comma=self.decimal == "comma"
        )


async def asked_export() -> Export:
    """Read what the request asks for. Raises InvalidInput that names the field.

    Rows are many: they come in the JSON body of a POST, for which no address would be long enough. Values of
    `filters`, `sort`, `columns` and `rowIds` in a query are JSON, too.
    """
    raw = _query() if request.mimetype != "application/json" else await _body()
    try:
        return Export.model_validate_json(raw)
    except ValidationError as error:
        raise invalid_input(error, part_of="request") from None


async def _body() -> bytes:
    if request.args:
        raise InvalidInput(
            "The fields of an export are in the query or in the body, not in both.", field="body"
        )
    return cast("bytes", await request.get_data())


def _query() -> bytes:
    raw: dict[str, object] = {}
    for name, text in request.args.items():
        if name in JSON_FIELDS:
            try:
                raw[name] = msgspec.Raw(msgspec.json.encode(msgspec.json.decode(text, type=msgspec.Raw)))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                raise InvalidInput(f"{name}: is not JSON", field=name) from None
        else:
            raw[name] = FLAGS.get(text, text) if name in {"safe", "bom"} else text
    return msgspec.json.encode(raw)
