"""How answers are written as JSON, with one switch for each question the public sources leave open."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iris_quart.demo.engine.interface import Result, ResultColumn

Scalar: TypeAlias = str | int | Decimal | bool | None
Writer: TypeAlias = Callable[[Any], Any]

LARGEST_EXACT_DOUBLE = 2**53
CANONICAL_NUMBER = re.compile(r"-?(?:[1-9][0-9]{0,17}|0)(?:\.[0-9]{0,17}[1-9])?")
LENGTHS = {"varchar": "(4096)"}

json_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class Encoding:
    r"""The way in which this server writes values; the defaults are what the public sources make most likely.

    dates: DATE and TIME as Logical numbers (%SQL.Statement's default select mode) or as ODBC text.
    nulls: NULL and '' as "" and "\u0000" (`blank`), as null and "" (`null`), or both as "" (`merged`).
    big_integers: integers beyond 2**53 as bare JSON numbers with all digits, or as strings.
    numerics: NUMERIC as JSON numbers, or as strings.
    doubles: with the fewest digits that give the same double, or with 20 digits, as the manual shows CAST .. AS DOUBLE.
    digits: text that looks like a canonical number stays a string, or becomes a number.
    empty_parameter: an empty string in `parameters` binds as NULL (as "" does in ObjectScript), or as ''.
    error_params: SQL errors carry a `params` list, as other errors of the same envelope do.
    """

    dates: Literal["logical", "odbc"] = "logical"
    nulls: Literal["blank", "null", "merged"] = "blank"
    big_integers: Literal["number", "string"] = "number"
    numerics: Literal["number", "string"] = "number"
    doubles: Literal["shortest", "digits"] = "shortest"
    digits: Literal["string", "number"] = "string"
    empty_parameter: Literal["null", "empty"] = "null"
    error_params: bool = False


def envelope(result: Any, errors: Sequence[dict[str, Any]] = (), summary: str = "") -> bytes:
    """Write the envelope every Atelier answer has (class reference of %Atelier.REST, RenderResponseBody)."""
    status = {"errors": list(errors), "summary": summary}
    return json_encoder.encode({"status": status, "console": [], "result": result})


def result_objects(result: Result, encoding: Encoding) -> dict[str, Any]:
    """Shape a result as `{"content": [{name: value}]}`; of columns with the same name the last one wins."""
    names = [column.name for column in result.columns]
    writers = [writer_of(column, encoding) for column in result.columns]
    content = [
        {name: write(value) for name, write, value in zip(names, writers, row, strict=True)}
        for row in result.rows
    ]
    return {"content": content}


def result_positional(result: Result, encoding: Encoding) -> list[dict[str, Any]]:
    """Shape a result as `?positional=1` asks: one item per result set, with columns and rows as lists.

    A statement without rows has one item too: a client in use reads the columns of the first one unguarded.
    """
    columns = [{"name": column.name, "type": type_text(column)} for column in result.columns]
    writers = [writer_of(column, encoding) for column in result.columns]
    content = [[write(value) for write, value in zip(writers, row, strict=True)] for row in result.rows]
    return [{"columns": columns, "content": content}]


def type_text(column: ResultColumn) -> str:
    """Spell a column's type as the positional form does, like VARCHAR(4096)."""
    return column.type.upper() + LENGTHS.get(column.type, "")


def writer_of(column: ResultColumn, encoding: Encoding) -> Writer:
    """Return the function that turns one engine value of a column into what is written for it."""
    null: str | None = None if encoding.nulls == "null" else ""
    empty = "\u0000" if encoding.nulls == "blank" else ""
    textual = column.type in {"varchar", "longvarchar"}

    def write(value: Any) -> Any:
        if value is None:
            return null
        if isinstance(value, str):
            if not value:
                return empty
            if encoding.digits == "number" and textual and CANONICAL_NUMBER.fullmatch(value):
                return msgspec.Raw(value.encode())
            return value
        if isinstance(value, int):
            if encoding.big_integers == "string" and abs(value) > LARGEST_EXACT_DOUBLE:
                return str(value)
            return value
        if isinstance(value, Decimal):
            text = canonical_decimal(value)
            return text if encoding.numerics == "string" else msgspec.Raw(text.encode())
        if isinstance(value, float):
            return msgspec.Raw(double_text(value, encoding)) if math.isfinite(value) else double_name(value)
        return bytes(value).decode("latin-1")

    return write


def canonical_decimal(value: Decimal) -> str:
    """Write a number in plain digits without trailing zeros: 1.50 is 1.5, as ObjectScript keeps it."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def double_text(value: float, encoding: Encoding) -> bytes:
    """Write a double without a fraction that is zero."""
    text = format(value, ".20g") if encoding.doubles == "digits" else repr(value).removesuffix(".0")
    return b"0" if text == "-0" else text.encode()


def double_name(value: float) -> str:
    """Name what JSON has no number for, as $DOUBLE prints it."""
    if math.isnan(value):
        return "NAN"
    return "INF" if value > 0 else "-INF"


def bind(parameter: object, encoding: Encoding) -> Scalar:
    r"""Convert one item of `parameters` into the value to bind; raise TypeError for a list or an object.

    "" is NULL and "\u0000" is the empty string, as between ObjectScript and SQL, unless the encoding says otherwise.
    """
    if isinstance(parameter, str):
        if parameter == "" and encoding.empty_parameter == "null":
            return None
        return "" if parameter == "\u0000" else parameter
    if isinstance(parameter, bool):
        return int(parameter)
    if parameter is None or isinstance(parameter, (int, Decimal)):
        return parameter
    raise TypeError(f"a parameter cannot be a {type(parameter).__name__}")


def bind_all(parameters: object, encoding: Encoding) -> list[Scalar]:
    """Turn what the body has under `parameters` into values to bind; raise TypeError when it is not a list."""
    if parameters is None:
        return []
    if not isinstance(parameters, list):
        raise TypeError("parameters is not a list")
    return [bind(parameter, encoding) for parameter in parameters]


__all__ = [
    "CANONICAL_NUMBER",
    "LARGEST_EXACT_DOUBLE",
    "LENGTHS",
    "Encoding",
    "Scalar",
    "Writer",
    "bind",
    "bind_all",
    "canonical_decimal",
    "double_name",
    "double_text",
    "envelope",
    "json_encoder",
    "result_objects",
    "result_positional",
    "type_text",
    "writer_of",
]
