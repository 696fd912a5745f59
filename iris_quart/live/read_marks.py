"""Marks of when rows of a table were read for a session outside its sockets, signed so that nobody makes one up."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256

from iris_quart.names import folded_table

__all__ = ["ReadMarks"]


class ReadMarks:
    """Creates and reads marks; every worker of an instance has the same keys.

    A mark is the time in milliseconds of the store's clock and an HMAC-SHA256 over it, the session and the table.
    Only a session that was given rows has one for their table.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """Keep the signing keys: the current one first, older ones after it."""
        self._keys = [key.encode() for key in keys]

    def create(self, session_key: str, namespace: str, table_name: str, read_at: float) -> str:
        """Return the mark for rows that were read at a time, in seconds of the store's clock."""
        moment = str(int(read_at * 1000))
        return f"{moment}.{_sign(self._keys[0], session_key, namespace, table_name, moment)}"

    def read(self, mark: str, session_key: str, namespace: str, table_name: str) -> float | None:
        """Return the time of a mark in seconds; None when it is not this session's and this table's."""
        moment, _, signature = mark.partition(".")
        if not (moment.isascii() and moment.isdigit()):
            return None
        for key in self._keys:
            wanted = _sign(key, session_key, namespace, table_name, moment)
            if hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "surrogatepass")):
                return int(moment) / 1000
        return None


def _sign(key: bytes, session_key: str, namespace: str, table_name: str, moment: str) -> str:
    text = "\n".join((session_key, *folded_table(namespace, table_name), moment))
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), sha256).hexdigest()
