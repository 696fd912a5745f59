"""CAST and CONVERT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iris_quart.demo.core.errors import SqlError, not_done
from iris_quart.demo.core.types import (
    BINARY_STREAM,
    DATE,
    DATE_TYPE,
    INTEGER,
    POSIXTIME,
    TEXT,
    TEXT_STREAM,
    VARBINARY,
    VARCHAR,
    SqlType,
    declared,
)
from iris_quart.demo.parse import nodes

from .scope import Scope
from .typed import Typed

if TYPE_CHECKING:
    from .translation import Translation

STYLES = {
    "23": "YYYY-MM-DD",
    "101": "MM/DD/YYYY",
    "102": "YYYY.MM.DD",
    "103": "DD/MM/YYYY",
    "104": "DD.MM.YYYY",
    "105": "DD-MM-YYYY",
    "108": "HH24:MI:SS",
    "110": "MM-DD-YYYY",
    "111": "YYYY/MM/DD",
    "112": "YYYYMMDD",
    "120": "YYYY-MM-DD HH24:MI:SS",
    "121": "YYYY-MM-DD HH24:MI:SS.FF3",
}
"""Format texts of the style numbers of CONVERT."""


class Casts:
    """Translate CAST and CONVERT."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation
        self.rendering = translation.rendering

    def cast(self, node: nodes.Cast, scope: Scope) -> Typed:
        """Translate CAST and CONVERT."""
        data_type = declared(node.type.name, node.type.arguments, cast=True)
        item = self.translation.expressions.value(node.operand, scope, VARCHAR)
        if item.is_null:
            return Typed("NULL", data_type)
        if node.style is not None:
            return self._styled(node, item, data_type, scope)
        if data_type.kind == TEXT_STREAM:
            data_type = VARCHAR
        elif data_type.kind == BINARY_STREAM:
            data_type = VARBINARY
        if item.type.is_stream:
            raise SqlError(
                -37, f"Scalar, aggregate and unary functions not supported for stream fields: {item.label}"
            )
        size = "NULL" if data_type.length is None else str(data_type.length)
        scale = "NULL" if data_type.scale is None else str(data_type.scale)
        if data_type.kind == INTEGER:
            size = f"'{data_type.name}'"
        sql = f"iris_cast({self.rendering.plain(item)}, '{item.kind}', '{data_type.kind}', {size}, {scale})"
        return Typed(sql, data_type)

    def _styled(self, node: nodes.Cast, item: Typed, data_type: SqlType, scope: Scope) -> Typed:
        assert node.style is not None
        style = node.style.value if isinstance(node.style, nodes.Literal) else None
        layout = STYLES.get(str(style))
        if layout is None or data_type.kind not in (TEXT, DATE):
            raise not_done(f"CONVERT with style {style}")
        if data_type.kind == TEXT:
            moment = (
                self.rendering.as_kind(item, "timestamp")
                if item.kind == POSIXTIME
                else self.rendering.plain(item)
            )
            text = f"iris_to_char({moment}, '{layout}')"
            return Typed(
                text if data_type.length is None else f"substr({text}, 1, {data_type.length})", data_type
            )
        return Typed(f"iris_to_date({self.rendering.as_text(item)}, '{layout}')", DATE_TYPE)


__all__ = ["STYLES", "Casts"]
