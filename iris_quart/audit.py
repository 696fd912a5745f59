"""The audit file: one JSON line for every write, appended by all workers, never rewritten."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from typing import Any

from iris_quart.context import AuditEntry

from .config import Settings
from .protocol import encode_json
from .sessions import Session
from .sessions.vault import prepare_instance

__all__ = ["FILE_NAME", "Audit"]

FILE_NAME = "audit.jsonl"
LINE_ENDS = {"\u2028".encode(): rb"\u2028", "\u2029".encode(): rb"\u2029", "\u0085".encode(): rb"\u0085"}
"""Characters that some readers take for the end of a line, though JSON does not."""

logger = logging.getLogger("iris_quart.audit")


class Audit:
    """Appends to `instance/audit.jsonl`; a file that was moved away (rotation) is created again."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.instance / FILE_NAME
        self._enabled = settings.audit
        self._values = settings.audit_values
        self._descriptor: int | None = None

    def write(self, session: Session, entry: AuditEntry) -> None:
        """Append one write; a full or unwritable disk is logged and stops nobody."""
        if not self._enabled:
            return
        record: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "user": session.user,
            "server": session.server,
            "session": session.short,
            "namespace": entry.namespace,
            "table": entry.table_name,
            "kind": entry.kind,
            "rowId": entry.row_id,
            "columns": list(entry.columns),
            "outcome": entry.outcome,
            "writeId": entry.write_id,
        }
        if entry.sqlcode is not None:
            record["sqlcode"] = entry.sqlcode
        if self._values and entry.values is not None:
            record["values"] = entry.values
        line = encode_json(record) + b"\n"
        for raw, escaped in LINE_ENDS.items():
            line = line.replace(raw, escaped)
        try:
            # One write call with O_APPEND: lines of several workers never mix on a local disk (POSIX write).
            written = os.write(self._open(), line)
        except OSError as error:
            logger.error("audit line lost: %s", error.strerror)  # noqa: TRY400 - the trace tells nothing more
            return
        if written != len(line):
            logger.error("audit line cut short: disk full")

    def close(self) -> None:
        """Close the file."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _open(self) -> int:
        if self._descriptor is not None:
            try:
                there, here = self._path.stat(), os.fstat(self._descriptor)
                if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
                    return self._descriptor
            except FileNotFoundError:
                pass
            self.close()
        prepare_instance(self._path.parent)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o600)
        return self._descriptor
