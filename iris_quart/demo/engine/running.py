"""The statements that a namespace runs now: who runs them, and the way to stop them."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from .interface import ExecutionHandle


@dataclass(frozen=True)
class Running:
    """One running statement."""

    process: int
    number: int
    user: str
    text: str
    handle: ExecutionHandle
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.monotonic)

    @property
    def hash(self) -> str:
        """Return the hash under which the statement index would hold the text."""
        return hashlib.sha256(self.text.encode("utf-8", "replace")).hexdigest()[:32]


class RunningStatements:
    """Know the running statements of one namespace; safe to use from many threads."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self._lock = threading.Lock()
        self._found: dict[int, Running] = {}
        self._last = 0

    @contextmanager
    def entered(self, user: str, text: str, handle: ExecutionHandle) -> Iterator[None]:
        """List a statement until the block ends."""
        with self._lock:
            self._last += 1
            number = self._last
            self._found[number] = Running(threading.get_native_id(), number, user, text, handle)
        try:
            yield
        finally:
            with self._lock:
                del self._found[number]

    def listed(self) -> str:
        """Return the statements as JSON, in the columns of INFORMATION_SCHEMA.CURRENT_STATEMENTS."""
        with self._lock:
            found = list(self._found.values())
        now = time.monotonic()
        return json.dumps(
            [
                {
                    "process": item.process,
                    "number": item.number,
                    "hash": item.hash,
                    "user": item.user,
                    "namespace": self.namespace,
                    "started": item.started.strftime("%Y-%m-%d %H:%M:%S"),
                    "duration": int((now - item.clock) * 1000),
                    "kind": 1 if item.text.lstrip()[:6].upper() in ("SELECT", "WITH") else 2,
                }
                for item in found
            ]
        )

    def text_of(self, wanted: str) -> str | None:
        """Return the text of a running statement by its hash."""
        with self._lock:
            return next((item.text for item in self._found.values() if item.hash == wanted), None)

    def cancel(self, process: int, number: int | None) -> bool:
        """Stop the statement of a process; return whether there is one."""
        with self._lock:
            found = [
                item
                for item in self._found.values()
                if item.process == process
                and process != threading.get_native_id()
                and number in (None, 0, item.number)
            ]
        for item in found:
            item.handle.cancel()
        return bool(found)


__all__ = ["RunningStatements"]
