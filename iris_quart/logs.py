"""JSON logs, one line each; only fields on an allow-list are written."""

from __future__ import annotations

import logging
import secrets
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

__all__ = ["FIELDS", "configure", "get_logger", "trace_id"]

FIELDS = frozenset(
    {
        "address",
        "api",
        "close_code",
        "code",
        "command",
        "count",
        "error",
        "event",
        "frames",
        "level",
        "logger",
        "method",
        "outcome",
        "port",
        "reason",
        "release",
        "route",
        "seconds",
        "server",
        "session",
        "sockets",
        "sqlcode",
        "status",
        "time",
        "trace_id",
        "version",
        "worker",
    }
)
"""All that may appear in a line. No user names, values, SQL, paths, headers or host names are among them."""

PLAIN_ERRORS = (AssertionError, AttributeError, ImportError, NameError, NotImplementedError, TypeError)
"""Errors whose text names code, not data."""

TEXT_MAX = 300


def trace_id() -> str:
    """Make an id that a user can quote and a log can be searched for: 12 hex digits."""
    return secrets.token_hex(6)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Get the logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


def configure(level: str) -> None:
    """Send all logs of this process to standard error, as JSON lines, from `level` on."""
    shared: list[Any] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _frames,
        _only_listed,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_template, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [other for other in root.handlers if not isinstance(other, _StandardError)] + [handler]
    root.setLevel(level.upper())
    for name in ("hypercorn.error", "quart.app", "quart.serving", "asyncio"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
    # These tell every request with its address, which may hold a ticket or the name of a table.
    for name in ("httpx", "httpcore", "hypercorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)


class _StandardError(logging.StreamHandler[Any]):
    """Writes to what is standard error at that moment, for it may be replaced or closed."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        """Return standard error."""
        return sys.stderr

    @stream.setter
    def stream(self, _stream: Any) -> None:
        """Keep to standard error."""


def _template(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # Other libraries format values into their texts: only the first line of the template is taken.
    record: logging.LogRecord = entry["_record"]
    entry["event"] = str(record.msg).split("\n", 1)[0][:TEXT_MAX]
    if record.exc_info:
        entry["exc_info"] = record.exc_info
    return entry


def _frames(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Describe an exception by its type and its places; its text only where that cannot hold data."""
    given = entry.pop("exc_info", None)
    error: BaseException | None = None
    if isinstance(given, BaseException):
        error = given
    elif isinstance(given, tuple):
        error = given[1]
    elif given:
        error = sys.exc_info()[1]
    if error is None:
        return entry
    entry["error"] = _describe(error)
    entry["frames"] = [
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-12:]
    ]
    return entry


def _describe(error: BaseException) -> str:
    name = type(error).__qualname__
    if isinstance(error, PLAIN_ERRORS):
        return f"{name}: {error}"[:TEXT_MAX]
    if isinstance(error, BaseExceptionGroup):
        return f"{name}: {', '.join(_describe(inner) for inner in error.exceptions)}"[:TEXT_MAX]
    return name


def _only_listed(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: value for name, value in entry.items() if name in FIELDS or name.startswith("_")}
