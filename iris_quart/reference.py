"""Generate the reference of the wire from the code: a page for people and a JSON Schema for programs."""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from quart import Blueprint

from . import errors
from .app import COMMANDS
from .dispatch import Command, CommandBlueprint, Commands, Kind
from .errors import ErrorCode, IrisQuartError
from .live.changes import RowsChanged
from .protocol import CloseCode, ErrorEvent, Event, SessionExpired, SessionExpiring

__all__ = ["FILES", "documented_commands", "documented_events", "markdown", "schema", "schema_text", "write"]

PUSHED: tuple[type[Event], ...] = (RowsChanged, SessionExpiring, SessionExpired)
FILES = {"protocol.md": "markdown", "protocol.schema.json": "schema_text"}

CLOSES = {
    CloseCode.TEXT_ONLY: "A binary message, or an empty one. The protocol is text.",
    CloseCode.POLICY: "Too many sockets, messages sent too fast, or answers left unread. Do not reconnect at once.",
    CloseCode.TOO_LARGE: "A message was larger than `message_bytes_max`.",
    CloseCode.INTERNAL: "An unexpected error; the log has its trace. Reconnect after a pause.",
    CloseCode.RESTART: "The server stops or restarts. Reconnect within a few seconds.",
    CloseCode.TRY_LATER: "The session store has not answered for a while. Reconnect after a pause.",
    CloseCode.UNAUTHORIZED: "There is no session. Sign in first.",
    CloseCode.SESSION_EXPIRED: "The session ended: signed out, expired, or replaced. `sessionExpired` came before.",
}

KINDS = {
    Kind.INSTANT: "answered at once",
    Kind.READ: "a read: runs beside others, can be cancelled",
    Kind.WRITE: "a write: one at a time, in order",
}

INTRODUCTION = """\
# The protocol

`iris-quart protocol --write` generates this page from the code, and a test compares them.
`protocol.schema.json` has the same as JSON Schema.

A browser, or a script, opens a WebSocket at `/ws` with the cookie of a signed-in session. A script that
cannot send cookies first requests `POST /api/ticket` with its session and opens `/ws?token=TICKET`; a ticket
is valid once, for 60 seconds. Without a session the socket is accepted and closed with 4001.

A client sends one JSON object per message, as text:

    {"command": "getTables", "payload": {"namespace": "USER"}, "id": "a1"}

- `payload` may be left out when every field of it may. A field that a command does not have is refused.
- `id` is optional: 1 to 64 of `A-Z a-z 0-9 _ -`. Every event that the command causes carries it. A write
  keeps its result under its id for a while: the same id again returns the stored answer and runs nothing.
- `"background": true` marks a command that no person caused; it does not keep the session alive.

The id of a write is its `id`, or the `changeId` of each change of `saveChanges`. Make a new random one for
each write, such as `019a8e5c-3f1b-7c4e-9d2a-5b6f0e8c7a14`, and send the same write again under the same id:

- An id of 16 characters and more names the same write in every session of the account at its IRIS server, so
  that it can be sent again after a new sign-in. A shorter one names it in this session only: two scripts of
  one account that count `1`, `2`, `3` do not answer for each other.
- The result is kept for `writeResultSeconds` of the event `session`. A UUID of version 7 (RFC 9562) carries its
  time: when it is older than that, by `serverTime`, and its result is no longer there, the write is not run and
  its outcome is `unknown`. Other ids carry no time: do not send one again later than that.
- While another command still runs the write, also in another worker, its result is waited for.
- `skipped` means that no command has sent the write, and none will under this id; after a restart of the server
  (close code 1012) the same id may be sent again.

The server sends events, as text:

    {"event": "tableList", "payload": {"namespace": "USER", "tables": []}, "id": "a1"}

Pushed events have no `id`. A failure is the event `error`; the socket stays usable. Reads of one
socket run side by side, writes one at a time in the order of arrival. A command that leaves its table out
means the one chosen before it on the same socket, and waits for all that was sent before it. A newer
`requestData` for a view makes an older one stale: if that carried an `id`, it ends with `CANCELLED`.
"""


def documented_commands(blueprints: Iterable[Blueprint] = ()) -> Commands:
    """Collect every command of the application and of further blueprints, without starting it."""
    commands = Commands()
    for blueprint in (*COMMANDS, *blueprints):
        if isinstance(blueprint, CommandBlueprint):
            for command in blueprint.commands:
                commands.add(command)
    return commands


def documented_events() -> set[type[Event]]:
    """Collect every event of the application: answers, `error`, and the pushed ones."""
    return _events(list(documented_commands()))


def schema(blueprints: Iterable[Blueprint] = ()) -> dict[str, Any]:
    """Describe commands, events and codes as one JSON Schema document (draft 2020-12)."""
    commands = list(documented_commands(blueprints))
    payloads = sorted({command.payload for command in commands}, key=lambda one: one.__name__)
    events: list[type[Event]] = sorted(_events(commands), key=lambda one: one.event)
    inputs, definitions = models_json_schema(
        [(payload, "validation") for payload in payloads], ref_template="#/$defs/{model}"
    )
    outputs, components = msgspec.json.schema_components(events, ref_template="#/$defs/{name}")
    names = [event.event for event in events]
    answers = dict(zip(names, outputs, strict=True))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "iris-quart protocol",
        "commands": {
            command.name: {
                "aliases": list(command.aliases),
                "description": _text(command.handler),
                "kind": command.kind.value,
                "slides": command.extends_session,
                "payload": inputs[command.payload, "validation"],
                "events": [*(event.event for event in command.events), ErrorEvent.event],
            }
            for command in commands
        },
        "events": answers,
        "pushed": [event.event for event in PUSHED],
        "errorCodes": [code.value for code in ErrorCode],
        "closeCodes": {str(int(code)): text for code, text in CLOSES.items()},
        "$defs": {**definitions.get("$defs", {}), **components},
    }


def schema_text(blueprints: Iterable[Blueprint] = ()) -> str:
    """Return the schema as text."""
    return json.dumps(schema(blueprints), indent=2, ensure_ascii=False) + "\n"


def markdown(blueprints: Iterable[Blueprint] = ()) -> str:
    """Return the reference page in Markdown."""
    commands = list(documented_commands(blueprints))
    parts = [INTRODUCTION, "\n## Commands\n"]
    for command in commands:
        parts.extend(_command(command))
    parts.append("\n## Events\n")
    for event in sorted(_events(commands), key=lambda one: one.event):
        parts.append(f"\n### {event.event}\n\n{_text(event)}\n")
        if event in PUSHED:
            parts.append("\nPushed: no command causes it.\n")
        parts.extend(_struct_fields(event))
    parts.append("\n## Objects inside events\n")
    for struct in _inner_structs(commands):
        parts.append(f"\n### {struct.__name__}\n\n{_text(struct)}\n")
        parts.extend(_struct_fields(struct))
    parts.append("\n## Objects inside payloads\n")
    for model in _inner_models(commands):
        parts.append(f"\n### {model.__name__}\n\n{_text(model)}\n")
        parts.extend(_model_fields(model))
    parts.append("\n## Error codes\n\n| code | meaning |\n|---|---|\n")
    parts.extend(f"| `{code.value}` | {_cell(_meaning(code))} |\n" for code in ErrorCode)
    parts.append("\n## Close codes\n\n| code | meaning |\n|---|---|\n")
    parts.extend(f"| {int(code)} | {text} |\n" for code, text in CLOSES.items())
    return "".join(parts)


def write(root: Path | None = None) -> list[Path]:
    """Write the files into `docs/` and say which."""
    folder = (root or Path(__file__).resolve().parent.parent) / "docs"
    folder.mkdir(exist_ok=True)
    texts = {"protocol.md": markdown(), "protocol.schema.json": schema_text()}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def _events(commands: list[Command]) -> set[type[Event]]:
    return {event for command in commands for event in command.events} | {ErrorEvent, *PUSHED}


def _command(command: Command) -> Iterator[str]:
    yield f"\n### {command.name}\n\n{_text(command.handler)}\n\n"
    if command.aliases:
        yield f"Also called {', '.join(f'`{name}`' for name in command.aliases)}. "
    yield f"Kind: {KINDS[command.kind]}{', can be stopped' if command.stoppable else ''}.\n"
    yield from _model_fields(command.payload)
    answers = ", ".join(f"[`{event.event}`](#{event.event.lower()})" for event in command.events)
    yield f"\nAnswer: {answers}, or `error`.\n"


def _model_fields(model: type[BaseModel]) -> Iterator[str]:
    if not model.model_fields:
        yield "\nNo fields.\n"
        return
    yield "\n| field | type | default | |\n|---|---|---|---|\n"
    for name, field in model.model_fields.items():
        default = (
            "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
        )
        wire = field.serialization_alias or field.alias or name
        yield f"| `{wire}` | {_cell(_type(field.annotation))} | {_cell(default)} | {_cell(field.description or '')} |\n"


def _default(value: Any) -> str:
    if isinstance(value, tuple):
        value = list(value)
    return f"`{json.dumps(value, default=str)}`"


def _struct_fields(struct: type[msgspec.Struct]) -> Iterator[str]:
    fields = msgspec.structs.fields(struct)
    if not fields:
        yield "\nNo fields.\n"
        return
    yield "\n| field | type | |\n|---|---|---|\n"
    for field in fields:
        absent = field.default is msgspec.UNSET or _may_be_unset(field.type)
        optional = "may be absent" if absent else ""
        yield f"| `{field.encode_name}` | {_cell(_type(field.type))} | {optional} |\n"


def _may_be_unset(annotation: Any) -> bool:
    return msgspec.UnsetType in _parts(annotation)


def _parts(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in {Union, types.UnionType}:
        return tuple(part for one in get_args(annotation) for part in _parts(one))
    return (annotation,)


def _type(annotation: Any) -> str:
    """Name a type as JSON knows it."""
    parts = [part for part in _parts(annotation) if part is not msgspec.UnsetType]
    if len(parts) > 1:
        return " or ".join(dict.fromkeys(_type(part) for part in parts))
    (only,) = parts or (annotation,)
    origin, arguments = get_origin(only), get_args(only)
    if origin is not None and hasattr(only, "__metadata__"):
        return _type(arguments[0])
    simple = {
        str: "string",
        int: "integer",
        float: "number",
        bool: "true or false",
        type(None): "null",
        Any: "any",
    }
    if only in simple:
        return simple[only]
    if origin is dict:
        return f"object of {_inside(arguments[1])}"
    if origin is not None and str(origin) == "typing.Literal":
        return " or ".join(json.dumps(value) for value in arguments)
    if origin is not None and arguments:
        return f"array of {_inside(arguments[0])}"
    if inspect.isclass(only) and issubclass(only, ErrorCode):
        return "error code"
    if inspect.isclass(only) and issubclass(only, msgspec.Struct | BaseModel):
        return f"[{only.__name__}](#{only.__name__.lower()})"
    if inspect.isclass(only) and hasattr(only, "__members__"):
        return " or ".join(json.dumps(str(member.value)) for member in only.__members__.values())
    name = getattr(only, "__name__", str(only))
    return {"Decimal": "number", "Raw": "any", "dict": "object", "list": "array"}.get(name, name)


def _inside(annotation: Any) -> str:
    text = _type(annotation)
    return f"({text})" if " or " in text else text


def _inner_structs(commands: list[Command]) -> list[type[msgspec.Struct]]:
    events = _events(commands)
    found: dict[type[msgspec.Struct], None] = {}
    for event in sorted(events, key=lambda one: one.event):
        _collect(event, found, msgspec.Struct)
    return sorted((one for one in found if one not in events), key=lambda one: one.__name__)


def _inner_models(commands: list[Command]) -> list[type[BaseModel]]:
    payloads = {command.payload for command in commands}
    found: dict[type[BaseModel], None] = {}
    for payload in sorted(payloads, key=lambda one: one.__name__):
        _collect(payload, found, BaseModel)
    return sorted((one for one in found if one not in payloads), key=lambda one: one.__name__)


def _collect(kind: Any, found: dict[Any, None], base: type) -> None:
    if inspect.isclass(kind) and issubclass(kind, base):
        if kind in found:
            return
        found[kind] = None
        for one in _inner(kind):
            _collect(one, found, base)
        return
    for part in get_args(kind):
        _collect(part, found, base)


def _inner(kind: Any) -> list[Any]:
    if issubclass(kind, msgspec.Struct):
        return [field.type for field in msgspec.structs.fields(kind)]
    return [field.annotation for field in kind.model_fields.values()]


def _meaning(code: ErrorCode) -> str:
    """Return the meanings from the docstrings of the errors with this code."""
    found: list[str] = []
    for name in errors.__all__:
        kind = getattr(errors, name)
        if inspect.isclass(kind) and issubclass(kind, IrisQuartError) and kind is not IrisQuartError:
            leaf = not any(
                issubclass(getattr(errors, other), kind) and getattr(errors, other) is not kind
                for other in errors.__all__
                if inspect.isclass(getattr(errors, other))
            )
            if kind.code is code and (leaf or kind is errors.SqlError or kind is errors.AuthFailed):
                found.append(_text(kind).split("\n", 1)[0])
    return " ".join(dict.fromkeys(found))


def _text(thing: Any) -> str:
    return inspect.cleandoc(thing.__doc__ or "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
