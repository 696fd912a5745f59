"""Commands: declared once with a decorator, validated, run, and described as JSON Schema."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import inspect
import time
import types
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from pydantic import ValidationError
from quart import Blueprint

from .errors import InvalidInput, UnknownCommand
from .protocol import Envelope, Event, Message, PreviewMark, decode_exactly
from .sessions import Withdrawal, WriteRecord
from .sessions.session import account

if TYPE_CHECKING:
    from quart import Quart

    from .config import Settings
    from .sessions import Session
    from .tables import Tables

__all__ = [
    "AuditEntry",
    "Browsing",
    "Command",
    "CommandBlueprint",
    "Commands",
    "Context",
    "Kind",
    "RowChange",
    "TableChange",
    "Withdrawal",
    "WriteRecord",
    "WriteResults",
]

EXTENSION = "iris_quart.commands"
RANDOM_ID_LENGTH = 16
"""Characters from which an id of a write counts as random and unique."""


class Kind(enum.Enum):
    """How a command runs beside the others of its socket."""

    INSTANT = "instant"
    """Answers from memory, at once."""
    READ = "read"
    """Runs beside other reads, up to `settings.reads_in_flight`; may be cancelled."""
    WRITE = "write"
    """One at a time per socket, in the order of arrival; never cancelled once started. One that is declared with
    `stops` may be asked to send nothing further."""


@dataclass(slots=True)
class Browsing:
    """What one socket looks at: the context of commands that do not name their table."""

    namespace: str | None = None
    table_name: str | None = None

    def choose_namespace(self, namespace: str) -> None:
        """Enter a namespace; another one clears the table, so that no write falls on its namesake."""
        if namespace != self.namespace:
            self.table_name = None
        self.namespace = namespace

    def choose_table(self, namespace: str, table_name: str) -> None:
        """Open a table."""
        self.namespace, self.table_name = namespace, table_name


@dataclass(frozen=True, slots=True)
class RowChange:
    """One proved change of a row; `values` are the new wire values by column, absent for a delete.

    `previews` names those of which only the beginning is among them.
    """

    kind: str
    row_id: str | None
    values: dict[str, Any] | None = None
    previews: dict[str, PreviewMark] | None = None


@dataclass(frozen=True, slots=True)
class TableChange:
    """Proved changes of one table, to be told to every other socket that has it open."""

    namespace: str
    table_name: str
    changes: Sequence[RowChange]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One write for the audit file; `values` are written only when settings.audit_values says so."""

    namespace: str
    table_name: str
    kind: str
    row_id: str | None
    columns: Sequence[str]
    outcome: str
    write_id: str
    sqlcode: int | None = None
    values: dict[str, Any] | None = None


class WriteResults(Protocol):
    """Results of writes by id, outliving the web session; see `SessionStore` for the methods."""

    async def begin(
        self,
        owner: str,
        write_id: str,
        fingerprint: str,
        *,
        started: bool = False,
        since: float | None = None,
        made: float = 0.0,
    ) -> WriteRecord | None:
        """Claim an id: None when it is now ours, else what is stored."""

    async def mark_started(self, owner: str, write_id: str) -> bool:
        """Store that the statement is about to be sent; False when the claim is no longer ours."""

    async def withdraw(
        self, withdrawals: Sequence[Withdrawal], *, released: bool = False
    ) -> Sequence[WriteRecord | None]:
        """Store answers of writes that no run has started: None for each one stored, else what is stored."""

    async def release(self, owner: str, write_id: str) -> None:
        """Forget a claim of ours whose statement was not sent."""

    async def peek(self, owner: str, write_id: str) -> WriteRecord | None:
        """Read what is stored under an id."""

    async def finish(self, owner: str, write_id: str, state: str, answer: bytes) -> None:
        """Store how it ended."""


@dataclass(slots=True)
class Context:
    """All that a command may use: no request, no socket, no current_app.

    One per socket; `message_id` differs for each command (see `for_message`).
    """

    session: Session
    """The session as it stands; of one command, as it stood when the command was let in."""
    settings: Settings
    tables: Tables
    results: WriteResults
    announce: Callable[[TableChange], Awaitable[None]]
    audit: Callable[[AuditEntry], None]
    browsing: Browsing = field(default_factory=Browsing)
    message_id: str | None = None
    cancel: Callable[[str], bool] = lambda _message_id: False
    """Take back a command of this socket by its id; whether it was still to be taken back."""
    ended: Callable[[], bool] = lambda: False
    """Whether the session has ended: a write of many rows then starts no further statement."""
    stopping: Callable[[], bool] = lambda: False
    """Whether the user asked this very command to stop: it then starts no further statement and answers the rest."""
    draining: Callable[[], bool] = lambda: False
    """Whether this worker stops so soon that a write must start no further statement."""
    now: Callable[[], float] = time.time
    """The store's clock, by which the session's deadlines are judged."""
    arrived: float = 0.0
    """When the command came, by `now`."""

    def owner_of(self, write_id: str) -> str:
        """Return whom the stored result of a write belongs to.

        An id that is long enough to be random belongs to the account at its IRIS server and outlives the session;
        scripts of one account that count their commands would answer for each other, so a shorter one belongs to
        the session.
        """
        owner = f"{self.session.server_key}|{account(self.session.user)}"
        return owner if len(write_id) >= RANDOM_ID_LENGTH else f"{owner}|{self.session.key}"

    def for_message(self, message_id: str | None) -> Context:
        """Give the same context for one command; what is being browsed stays shared."""
        # Once per message; dataclasses.replace costs several times as much.
        return Context(
            self.session,
            self.settings,
            self.tables,
            self.results,
            self.announce,
            self.audit,
            self.browsing,
            message_id,
            self.cancel,
            self.ended,
            self.stopping,
            self.draining,
            self.now,
            self.now(),
        )


Handler = Callable[[Any, Any], Any]
View = Callable[[Context, Any], Hashable]
H = TypeVar("H", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it was declared."""

    name: str
    aliases: tuple[str, ...]
    summary: str
    payload: type[Message]
    events: tuple[type[Event], ...]
    handler: Handler
    kind: Kind
    slides: bool
    """Whether it counts as the user's activity, which keeps the session alive."""
    view: View | None
    """Key of what it shows: a newer command of the same key makes an older one stale."""
    stops: bool = False
    """Whether it looks at `Context.stopping` once it has begun."""
    event_names: frozenset[str] = field(init=False)
    """Names of `events`."""

    def __post_init__(self) -> None:
        """Name the events once; it is asked for after every command."""
        object.__setattr__(self, "event_names", frozenset(event.event for event in self.events))

    async def answer(self, context: Context, payload: Message) -> Event | AsyncGenerator[Event]:
        """Run the handler: gives its one event, or the generator of its events, which the caller closes."""
        answer: Any = self.handler(context, payload)
        # The type itself, for asking the abstract class costs as much as a short command's own work.
        return answer if isinstance(answer, types.AsyncGeneratorType) else await answer

    async def run(self, context: Context, payload: Message) -> AsyncGenerator[Event]:
        """Run the handler and give its events one by one."""
        answer = await self.answer(context, payload)
        if isinstance(answer, AsyncGenerator):
            async with contextlib.aclosing(answer):
                async for event in answer:
                    yield event
        else:
            yield answer


class CommandBlueprint(Blueprint):
    """A blueprint that registers commands; `app.register_blueprint` makes them known.

    Example::

        rows = CommandBlueprint("rows", __name__)

        @rows.command("requestData", aliases=("refresh",))
        async def request_data(context: Context, payload: RequestData) -> TableData:
            '''Read one page of the selected table.'''

    A handler that answers with several events is typed `AsyncIterator[A | B]`: it is an async generator, or
    returns one. `A | AsyncIterator[A | B]` returns either.
    """

    def command(
        self,
        name: str,
        *,
        aliases: Sequence[str] = (),
        kind: Kind = Kind.READ,
        slides: bool = True,
        view: View | None = None,
        stops: bool = False,
    ) -> Callable[[H], H]:
        """Declare a command; payload and event types come from the handler's annotations."""

        def declare(handler: H) -> H:
            command = _describe(name, tuple(aliases), handler, kind, slides, view)
            command = dataclasses.replace(command, stops=stops)
            self.record(lambda state: state.app.extensions[EXTENSION].add(command))
            return handler

        return declare


def _describe(
    name: str, aliases: tuple[str, ...], handler: Handler, kind: Kind, slides: bool, view: View | None
) -> Command:
    where = f"command {name!r} ({handler.__module__}.{handler.__qualname__})"
    hints = get_type_hints(handler)
    parameters = list(inspect.signature(handler).parameters)
    if len(parameters) != 2 or "return" not in hints:
        raise TypeError(f"{where} takes a context and a payload and says what it returns")
    payload = hints.get(parameters[1])
    if not (inspect.isclass(payload) and issubclass(payload, Message)):
        raise TypeError(f"{where}: the payload must be a Message")
    summary = inspect.getdoc(handler)
    if not summary:
        raise TypeError(f"{where} needs a docstring; it becomes the reference")
    events = tuple(dict.fromkeys(_events(hints["return"])))
    if not events or not all(inspect.isclass(event) and issubclass(event, Event) for event in events):
        raise TypeError(f"{where} must return an Event, a union of them or an AsyncIterator of them")
    return Command(name, aliases, summary, payload, events, handler, kind, slides, view)


def _events(annotation: Any) -> Iterator[type[Event]]:
    origin = get_origin(annotation)
    if origin in {AsyncIterator, AsyncGenerator}:
        yield from _events(get_args(annotation)[0])
    elif origin in {Union, types.UnionType}:
        for part in get_args(annotation):
            yield from _events(part)
    else:
        yield annotation


class Commands:
    """The registered commands, by name and alias."""

    def __init__(self) -> None:
        self._by_name: dict[str, Command] = {}

    def init_app(self, app: Quart) -> None:
        """Take commands from the blueprints that `app` registers from now on."""
        app.extensions[EXTENSION] = self

    def add(self, command: Command) -> None:
        """Register a command; a name that is taken raises ValueError at start."""
        for name in (command.name, *command.aliases):
            if name in self._by_name:
                raise ValueError(f"command {name!r} is declared twice")
        for name in (command.name, *command.aliases):
            self._by_name[name] = command

    def __iter__(self) -> Iterator[Command]:
        """Go through the commands once each, in the order of registration."""
        return iter(dict.fromkeys(self._by_name.values()))

    def resolve(self, name: str) -> Command:
        """Find a command. Raises UnknownCommand."""
        command = self._by_name.get(name)
        if command is None:
            raise UnknownCommand(f"Unknown command: {name[:64]}")
        return command

    def validate(self, command: Command, envelope: Envelope) -> Message:
        """Read the payload. Raises InvalidInput that names the first wrong field and never echoes its value.

        A client that sends no id is a legacy one: its values are taken as the legacy server took them.
        """
        try:
            if envelope.id is None:
                return _validate_legacy(command.payload, bytes(envelope.payload))
            return command.payload.model_validate_json(bytes(envelope.payload))
        except ValidationError as error:
            raise _invalid(error) from None


def _validate_legacy(model: type[Message], payload: bytes) -> Message:
    try:
        value = decode_exactly(payload)
    except (ValueError, msgspec.DecodeError, RecursionError):
        value = None
    if value == []:
        # An empty list has as few fields as an empty object.
        value = {}
    if not isinstance(value, dict):
        return model.model_validate_json(payload)
    return model.model_validate(model.from_legacy(value))


def _invalid(error: ValidationError) -> InvalidInput:
    errors = error.errors(include_input=False, include_context=False, include_url=False)
    first = errors[0]
    # A location may hold keys that the client made up; they are cut, as they come back in the answer.
    location = ".".join(str(part)[:64] for part in first["loc"][:6])
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "is no field of this command"
    elif first["type"] == "missing":
        message = "is required"
    elif first["type"] == "recursion_loop":
        message = "is nested too deeply"
    text = f"{location}: {message}" if location else f"payload: {message}"
    if len(errors) > 1:
        text += f" (and {len(errors) - 1} more)"
    return InvalidInput(text, field=location or "payload")
