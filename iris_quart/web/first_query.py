"""The rows that an address of the editor shows: a table, its order, filters and search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from werkzeug.datastructures import MultiDict

from iris_quart.protocol import decode_exactly

__all__ = ["FirstQuery"]

DIRECTIONS = {"asc", "desc"}


@dataclass(frozen=True, slots=True)
class FirstQuery:
    """A query of an address, as static/js/shell/location.js reads it: a part that cannot be read is left out."""

    namespace: str
    table_name: str
    sort: tuple[dict[str, Any], ...] = ()
    filters: tuple[dict[str, Any], ...] = ()
    search: str = ""

    @classmethod
    def of(cls, namespace: str, table_name: str, arguments: MultiDict[str, str]) -> FirstQuery:
        """Read the query of an address."""
        return cls(
            namespace,
            table_name,
            tuple(_sorts(arguments.getlist("sort"))),
            tuple(_filters(arguments.getlist("filter"))),
            arguments.get("search", ""),
        )

    def wire(self) -> dict[str, Any]:
        """Return the query as the page compares it with its own."""
        return {"filters": self.filters, "sort": self.sort, "search": self.search}

    def payload(self, page_size: int) -> dict[str, Any]:
        """Return the payload of requestData for the first rows."""
        return {
            "namespace": self.namespace,
            "tableName": self.table_name,
            "pageSize": page_size,
            "offset": 0,
            "count": "skip",
            **{name: value for name, value in self.wire().items() if value},
        }


def _sorts(texts: list[str]) -> Iterator[dict[str, Any]]:
    for text in texts:
        column, colon, direction = text.rpartition(":")
        if colon and column and direction in DIRECTIONS:
            yield {"column": column, "direction": direction}


def _filters(texts: list[str]) -> Iterator[dict[str, Any]]:
    for text in texts:
        try:
            parts = decode_exactly(text.encode())
        except (msgspec.DecodeError, UnicodeError, ValueError, RecursionError):
            continue
        match parts:
            case [str(column), str(operator), *rest]:
                found: dict[str, Any] = {"column": column, "operator": operator}
                if rest:
                    found["value"] = rest[0]
                if rest[1:] == ["matchCase"]:
                    found["matchCase"] = True
                yield found
