"""The wire: envelopes in, events out, close codes."""

from __future__ import annotations

import functools
import re
from decimal import Decimal
from enum import IntEnum
from typing import Annotated, Any, ClassVar

import msgspec
from annotated_types import MaxLen
from msgspec import UNSET, UnsetType
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from .errors import ErrorCode, InvalidInput, InvalidJson, InvalidMessage, IrisQuartError

__all__ = [
    "UNSET",
    "CloseCode",
    "Envelope",
    "ErrorBody",
    "ErrorEvent",
    "Event",
    "Message",
    "PreviewMark",
    "SessionExpired",
    "SessionExpiring",
    "UnsetType",
    "decode_exactly",
    "encode_event",
    "encode_json",
    "error_body",
    "invalid_input",
    "parse_envelope",
    "salvage",
]

ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


class CloseCode(IntEnum):
    """Why a socket was closed (RFC 6455 section 7.4; 4000 and above are ours)."""

    TEXT_ONLY = 1003
    POLICY = 1008
    TOO_LARGE = 1009
    INTERNAL = 1011
    RESTART = 1012
    TRY_LATER = 1013
    UNAUTHORIZED = 4001
    SESSION_EXPIRED = 4002


class Message(BaseModel):
    """A payload that a client sends; fields that are not declared are refused."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )

    @classmethod
    def from_legacy(cls, value: dict[str, Any]) -> dict[str, Any]:
        """Return the payload of a client that sends no id, with its values as the legacy server read them."""
        return value

    def table_reference(self) -> tuple[str | None, str | None] | None:
        """Return the namespace and table that the command is about, None for one that it leaves out.

        None for a command that is about no table.
        """
        return None

    @model_validator(mode="before")
    @classmethod
    def _bounded(cls, value: Any) -> Any:
        """Refuse what is too long before its elements are looked at, and keep one of many unknown fields.

        pydantic would validate all elements, and describe every error, first.
        """
        if not isinstance(value, dict):
            return value
        known, lengths = _bounds(cls)
        for name, most in lengths.items():
            part = value.get(name)
            if isinstance(part, list | dict) and len(part) > most:
                raise InvalidInput(f"{name}: has {len(part)} items, of at most {most}", field=name)
        if len(value) > len(known):
            unknown = next(key for key in value if key not in known)
            return {key: part for key, part in value.items() if key in known} | {unknown: None}
        return value


@functools.cache
def _bounds(model: type[Message]) -> tuple[frozenset[str], dict[str, int]]:
    """Return the names that a payload may have, and the most items of its lists and mappings."""
    names: set[str] = set()
    lengths: dict[str, int] = {}
    for name, field in model.model_fields.items():
        own = {name, field.alias or name}
        names |= own
        most = next((item.max_length for item in field.metadata if isinstance(item, MaxLen)), None)
        if most is not None:
            lengths.update(dict.fromkeys(own, most))
    return frozenset(names), lengths


class Event(msgspec.Struct, kw_only=True, rename="camel"):
    """A message from the server; the class is named after the event.

    A field left UNSET is not written; None is written as null.
    """

    event: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Name the event after its class, unless the class says otherwise."""
        super().__init_subclass__(**kwargs)
        if "event" not in cls.__dict__:
            cls.event = cls.__name__[0].lower() + cls.__name__[1:]


class PreviewMark(msgspec.Struct):
    """Full length of a value of which only a part is shown; unit is characters or bytes."""

    length: int
    unit: str


class ErrorBody(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """An error inside another event."""

    message: str
    code: ErrorCode
    sqlcode: int | UnsetType = UNSET
    server_text: str | UnsetType = UNSET
    field: str | UnsetType = UNSET
    trace_id: str | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class ErrorEvent(Event):
    """A command failed; `context` is the command's name as it was sent."""

    event: ClassVar[str] = "error"
    message: str
    code: ErrorCode
    recoverable: bool
    context: str
    sqlcode: int | UnsetType = UNSET
    server_text: str | UnsetType = UNSET
    field: str | UnsetType = UNSET
    trace_id: str | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET

    @classmethod
    def of(cls, error: IrisQuartError, context: str, trace_id: str | None = None) -> ErrorEvent:
        """Convert an error to an event for the client."""
        return cls(
            message=error.message,
            code=error.code,
            recoverable=error.recoverable,
            context=context,
            sqlcode=UNSET if error.sqlcode is None else error.sqlcode,
            server_text=UNSET if error.server_text is None else error.server_text,
            field=UNSET if error.field is None else error.field,
            trace_id=UNSET if trace_id is None else trace_id,
            details=UNSET if error.details is None else error.details,
        )


def error_body(error: IrisQuartError, trace_id: str | None = None) -> ErrorBody:
    """Put an error into the `error` field of a result event."""
    return ErrorBody(
        message=error.message,
        code=error.code,
        sqlcode=UNSET if error.sqlcode is None else error.sqlcode,
        server_text=UNSET if error.server_text is None else error.server_text,
        field=UNSET if error.field is None else error.field,
        trace_id=UNSET if trace_id is None else trace_id,
        details=UNSET if error.details is None else error.details,
    )


def invalid_input(error: ValidationError, *, part_of: str = "command") -> InvalidInput:
    """Return the first error of a validation: it names the field and never echoes its value."""
    errors = error.errors(include_input=False, include_context=False, include_url=False)
    first = errors[0]
    # A location may hold keys that the client made up; they are cut, as they come back in the answer.
    location = ".".join(str(part)[:64] for part in first["loc"][:6])
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = f"is not a field of this {part_of}"
    elif first["type"] == "missing":
        message = "is required"
    elif first["type"] == "recursion_loop":
        message = "is nested too deeply"
    text = f"{location}: {message}" if location else f"payload: {message}"
    if len(errors) > 1:
        text += f" (and {len(errors) - 1} more)"
    return InvalidInput(text, field=location or "payload")


class SessionExpired(Event):
    """The session has ended; the socket is closed with 4002 right after."""


class SessionExpiring(Event):
    """The session ends soon unless a command is sent."""

    seconds_left: Annotated[int, msgspec.Meta(ge=0)]


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message of a client; the payload is still JSON text."""

    command: str
    payload: msgspec.Raw = msgspec.Raw(b"{}")
    id: str | None = None
    background: bool = False


_ENCODER = msgspec.json.Encoder(decimal_format="number")
_ANY = msgspec.json.Decoder()
_EXACT = msgspec.json.Decoder(float_hook=Decimal)
_ENVELOPE = msgspec.json.Decoder(Envelope)
_FIELDS = {"command", "payload", "id", "background"}


def encode_json(value: Any) -> bytes:
    """Write JSON; integers and Decimals keep all their digits."""
    return _ENCODER.encode(value)


def encode_event(event: Event, message_id: str | None = None) -> bytes:
    """Write an event as `{event, payload}`, with the id of the command that caused it."""
    body: dict[str, Any] = {"event": event.event, "payload": event}
    if message_id is not None:
        body["id"] = message_id
    return _ENCODER.encode(body)


def parse_envelope(text: str | bytes) -> Envelope:
    """Read one message.

    Raises InvalidJson when it is not JSON, InvalidMessage when it is not `{command, payload}`,
    InvalidInput when the id or a field beside them is wrong.
    """
    try:
        envelope = _ENVELOPE.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        envelope = None
    # The fast path cannot tell null from absent, nor see unknown fields; the slow one explains.
    if envelope is None or bytes(envelope.payload) == b"null":
        return _explain(text)
    if envelope.id is not None and not ID_PATTERN.match(envelope.id):
        raise InvalidInput("id must be 1 to 64 letters, digits, _ or -", field="id")
    return envelope


def _explain(text: str | bytes) -> Envelope:
    try:
        value = _ANY.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidJson("The message is not valid JSON.") from None
    if value is None:
        raise InvalidJson("The message is null.")
    if not isinstance(value, dict) or not isinstance(value.get("command"), str):
        raise InvalidMessage("A message is {command, payload}, and command is a string.")
    unknown = next((name[:64] for name in value if name not in _FIELDS), None)
    if unknown is not None:
        raise InvalidInput(f"{unknown} is not a field of a message; use command, payload, id", field=unknown)
    message_id = value.get("id")
    if message_id is not None and not (isinstance(message_id, str) and ID_PATTERN.match(message_id)):
        raise InvalidInput("id must be 1 to 64 letters, digits, _ or -", field="id")
    background = value.get("background", False)
    if not isinstance(background, bool):
        raise InvalidInput("background must be true or false", field="background")
    payload = value.get("payload")
    raw = b"{}" if payload is None else msgspec.json.encode(payload)
    return Envelope(command=value["command"], payload=msgspec.Raw(raw), id=message_id, background=background)


def decode_exactly(data: bytes) -> Any:
    """Read JSON; decimals keep all their digits. Raises ValueError, msgspec.DecodeError or RecursionError."""
    return _EXACT.decode(data)


def salvage(text: str | bytes) -> tuple[str | None, str | None]:
    """Read id and command of a message that `parse_envelope` refused, as far as they are usable."""
    try:
        value = _ANY.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, None
    if not isinstance(value, dict):
        return None, None
    message_id, command = value.get("id"), value.get("command")
    usable = isinstance(message_id, str) and ID_PATTERN.match(message_id)
    return message_id if usable else None, command[:64] if isinstance(command, str) else None
