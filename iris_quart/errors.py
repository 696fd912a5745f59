"""Everything that can go wrong, as one small tree with a wire code at each leaf.

IrisQuartError
├── RequestError                 the message itself is wrong; nothing was read or written
│   ├── InvalidJson              INVALID_JSON
│   ├── InvalidMessage           INVALID_MESSAGE
│   ├── UnknownCommand           UNKNOWN_COMMAND
│   ├── InvalidInput             INVALID_INPUT
│   ├── RateLimited              RATE_LIMITED
│   └── Cancelled                CANCELLED
├── UpstreamError                IRIS did not answer as it should
│   ├── AuthFailed               AUTH_FAILED
│   ├── AuthExpired              AUTH_EXPIRED
│   ├── AccessDenied             NOT_ALLOWED
│   ├── ConnectionTimeout        CONNECTION_TIMEOUT
│   ├── ConnectionFailed         CONNECTION_FAILED
│   ├── ServerUnreachable        SERVER_UNREACHABLE
│   ├── InvalidResponse          INVALID_RESPONSE
│   ├── NamespaceNotFound        INVALID_INPUT
│   └── LicenseLimit             LICENSE_LIMIT
├── SqlError                     UNKNOWN_ERROR; IRIS refused the statement and said so with an SQLCODE
│   ├── TableNotFound            TABLE_NOT_FOUND
│   ├── ColumnNotFound           INVALID_INPUT
│   ├── ConstraintViolation      CONSTRAINT_VIOLATION
│   ├── ValueRefused             INVALID_INPUT
│   ├── NotAllowed               NOT_ALLOWED
│   └── RowLocked                ROW_LOCKED
├── WriteError                   the write was not applied, or nobody knows
│   ├── Conflict                 CONFLICT
│   ├── RowGone                  ROW_GONE
│   ├── ReadOnly                 READ_ONLY
│   └── OutcomeUnknown           OUTCOME_UNKNOWN
├── StoreUnavailable             STORE_UNAVAILABLE
└── CommandFailed                COMMAND_ERROR; nobody expected this, the log has the trace
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

__all__ = [
    "AccessDenied",
    "AuthExpired",
    "AuthFailed",
    "Cancelled",
    "ColumnNotFound",
    "CommandFailed",
    "Conflict",
    "ConnectionFailed",
    "ConnectionTimeout",
    "ConstraintViolation",
    "ErrorCode",
    "InvalidInput",
    "InvalidJson",
    "InvalidMessage",
    "InvalidResponse",
    "IrisQuartError",
    "LicenseLimit",
    "NamespaceNotFound",
    "NotAllowed",
    "OutcomeUnknown",
    "RateLimited",
    "ReadOnly",
    "RequestError",
    "RowGone",
    "RowLocked",
    "ServerUnreachable",
    "SqlError",
    "StoreUnavailable",
    "TableNotFound",
    "UnknownCommand",
    "UpstreamError",
    "ValueRefused",
    "WriteError",
]


class ErrorCode(StrEnum):
    """The closed set of codes on the wire."""

    INVALID_JSON = "INVALID_JSON"
    INVALID_MESSAGE = "INVALID_MESSAGE"
    UNKNOWN_COMMAND = "UNKNOWN_COMMAND"
    COMMAND_ERROR = "COMMAND_ERROR"
    INVALID_INPUT = "INVALID_INPUT"
    AUTH_FAILED = "AUTH_FAILED"
    AUTH_EXPIRED = "AUTH_EXPIRED"
    CONNECTION_TIMEOUT = "CONNECTION_TIMEOUT"
    CONNECTION_FAILED = "CONNECTION_FAILED"
    SERVER_UNREACHABLE = "SERVER_UNREACHABLE"
    TABLE_NOT_FOUND = "TABLE_NOT_FOUND"
    CONSTRAINT_VIOLATION = "CONSTRAINT_VIOLATION"
    INVALID_RESPONSE = "INVALID_RESPONSE"
    UNKNOWN_ERROR = "UNKNOWN_ERROR"
    CONFLICT = "CONFLICT"
    ROW_GONE = "ROW_GONE"
    READ_ONLY = "READ_ONLY"
    NOT_ALLOWED = "NOT_ALLOWED"
    ROW_LOCKED = "ROW_LOCKED"
    LICENSE_LIMIT = "LICENSE_LIMIT"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    RATE_LIMITED = "RATE_LIMITED"
    CANCELLED = "CANCELLED"
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"


class IrisQuartError(Exception):
    """Anything this program says is wrong.

    `message` is a sentence a user can act on. `sqlcode` and `server_text` are IRIS's own; `field` names
    the payload field or column at fault; `details` travels to the client as it is (JSON values only).
    """

    code: ClassVar[ErrorCode] = ErrorCode.UNKNOWN_ERROR
    recoverable: ClassVar[bool] = True

    def __init__(
        self,
        message: str,
        *,
        sqlcode: int | None = None,
        server_text: str | None = None,
        field: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.sqlcode = sqlcode
        self.server_text = server_text
        self.field = field
        self.details = dict(details) if details else None


class RequestError(IrisQuartError):
    """The message itself is wrong; nothing was read or written."""

    code = ErrorCode.INVALID_MESSAGE


class InvalidJson(RequestError):
    """The frame is not JSON."""

    code = ErrorCode.INVALID_JSON


class InvalidMessage(RequestError):
    """The frame is JSON, but no `{command, payload}`."""

    code = ErrorCode.INVALID_MESSAGE


class UnknownCommand(RequestError):
    """No command has this name."""

    code = ErrorCode.UNKNOWN_COMMAND


class InvalidInput(RequestError):
    """A field of the payload is missing, of the wrong type or names something that does not exist."""

    code = ErrorCode.INVALID_INPUT


class RateLimited(RequestError):
    """Too many requests in a short time."""

    code = ErrorCode.RATE_LIMITED


class Cancelled(RequestError):
    """The client took the command back before it ended."""

    code = ErrorCode.CANCELLED


class UpstreamError(IrisQuartError):
    """IRIS did not answer as it should.

    `maybe_executed` is False only when surely no byte of the request was handed to the connection; a write
    that fails with True here has an unknown outcome until the row was read again.
    """

    code = ErrorCode.CONNECTION_FAILED

    def __init__(self, message: str, *, maybe_executed: bool = True, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.maybe_executed = maybe_executed


class AuthFailed(UpstreamError):
    """IRIS refused the user name or the password."""

    code = ErrorCode.AUTH_FAILED

    def __init__(self, message: str, *, maybe_executed: bool = False, **rest: Any) -> None:
        super().__init__(message, maybe_executed=maybe_executed, **rest)


class AuthExpired(AuthFailed):
    """IRIS no longer accepts credentials that it accepted at sign-in."""

    code = ErrorCode.AUTH_EXPIRED
    recoverable = False


class AccessDenied(AuthFailed):
    """The user is known, but may not use IRIS's HTTP API (no %Development:USE)."""

    code = ErrorCode.NOT_ALLOWED


class ConnectionTimeout(UpstreamError):
    """IRIS did not answer in time."""

    code = ErrorCode.CONNECTION_TIMEOUT


class ConnectionFailed(UpstreamError):
    """The connection broke, or IRIS answered with an HTTP error."""

    code = ErrorCode.CONNECTION_FAILED


class ServerUnreachable(UpstreamError):
    """No server listens at the address, or the name does not resolve."""

    code = ErrorCode.SERVER_UNREACHABLE

    def __init__(self, message: str, *, maybe_executed: bool = False, **rest: Any) -> None:
        super().__init__(message, maybe_executed=maybe_executed, **rest)


class InvalidResponse(UpstreamError):
    """The answer is not one of the Atelier API: HTML, cut JSON, too large, encoded or redirected."""

    code = ErrorCode.INVALID_RESPONSE


class NamespaceNotFound(UpstreamError):
    """The server has no namespace of this name, or the user may not see it."""

    code = ErrorCode.INVALID_INPUT

    def __init__(self, message: str, *, maybe_executed: bool = False, **rest: Any) -> None:
        super().__init__(message, maybe_executed=maybe_executed, **rest)


class LicenseLimit(UpstreamError):
    """IRIS has no free licence unit for another session."""

    code = ErrorCode.LICENSE_LIMIT

    def __init__(self, message: str, *, maybe_executed: bool = False, **rest: Any) -> None:
        super().__init__(message, maybe_executed=maybe_executed, **rest)


class SqlError(IrisQuartError):
    """IRIS refused the statement; `sqlcode` says why and nothing was changed."""

    code = ErrorCode.UNKNOWN_ERROR


class TableNotFound(SqlError):
    """No table or view of this name (SQLCODE -30)."""

    code = ErrorCode.TABLE_NOT_FOUND


class ColumnNotFound(SqlError):
    """No column of this name (SQLCODE -29)."""

    code = ErrorCode.INVALID_INPUT


class ConstraintViolation(SqlError):
    """A required, unique or foreign-key rule of the table refused the row."""

    code = ErrorCode.CONSTRAINT_VIOLATION


class ValueRefused(SqlError):
    """A value does not fit its column (SQLCODE -104, -105, -146, -147)."""

    code = ErrorCode.INVALID_INPUT


class NotAllowed(SqlError):
    """The user lacks the privilege, or the column or table is read-only in IRIS."""

    code = ErrorCode.NOT_ALLOWED


class RowLocked(SqlError):
    """Another process holds the row (SQLCODE -110, -114)."""

    code = ErrorCode.ROW_LOCKED


class WriteError(IrisQuartError):
    """The write was not applied, or its outcome is unknown."""

    code = ErrorCode.CONFLICT


class Conflict(WriteError):
    """Someone changed the row since it was read; `details` holds base, mine and theirs by column."""

    code = ErrorCode.CONFLICT


class RowGone(WriteError):
    """The row no longer exists."""

    code = ErrorCode.ROW_GONE


class ReadOnly(WriteError):
    """This server, namespace, session, table or column takes no changes here."""

    code = ErrorCode.READ_ONLY


class OutcomeUnknown(WriteError):
    """The connection broke after the statement was sent, and reading has not settled it yet."""

    code = ErrorCode.OUTCOME_UNKNOWN


class StoreUnavailable(IrisQuartError):
    """The session store does not answer."""

    code = ErrorCode.STORE_UNAVAILABLE


class CommandFailed(IrisQuartError):
    """Nobody expected this; the log has the trace under the trace id that the user sees."""

    code = ErrorCode.COMMAND_ERROR
