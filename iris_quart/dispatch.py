"""Commands: declared once with a decorator, validated, run, and described as JSON Schema."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import inspect
import types
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from pydantic import ValidationError
from quart import Blueprint

from iris_quart.context import Context

from .errors import UnknownCommand
from .protocol import Envelope, Event, Message, decode_exactly, invalid_input
from .sessions import Withdrawal, WriteRecord

if TYPE_CHECKING:
    from quart import Quart
    from quart.blueprints import BlueprintSetupState


__all__ = ["Command", "CommandBlueprint", "Commands", "Kind", "Withdrawal", "WriteRecord"]

EXTENSION = "iris_quart.commands"


class Kind(enum.Enum):
    """Scheduling of a command beside the others of its socket."""

    INSTANT = "instant"
    """Answers from memory, at once."""
    READ = "read"
    """Runs beside other reads, up to `settings.reads_in_flight`; may be cancelled."""
    WRITE = "write"
    """One at a time per socket, in the order of arrival; never cancelled once started. One that is declared with
    `stoppable` may be asked to send nothing further."""


Handler = Callable[[Any, Any], Any]
StaleKey = Callable[[Context, Any], Hashable]
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
    extends_session: bool
    """Whether it counts as the user's activity, which keeps the session alive."""
    stale_key: StaleKey | None
    """Key of what it shows: a newer command of the same key makes an older one stale."""
    stoppable: bool = False
    """Whether it looks at `Context.stopping` once it has begun."""
    shows_rows: bool = False
    """Whether its answer shows rows of its table: the socket then receives the changes of that table."""

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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Create a blueprint without commands; the arguments are those of `quart.Blueprint`."""
        super().__init__(*args, **kwargs)
        self.commands: list[Command] = []
        self.record(self._register_commands)

    def command(
        self,
        name: str,
        *,
        aliases: Sequence[str] = (),
        kind: Kind = Kind.READ,
        extends_session: bool = True,
        stale_key: StaleKey | None = None,
        stoppable: bool = False,
        shows_rows: bool = False,
    ) -> Callable[[H], H]:
        """Declare a command; payload and event types come from the handler's annotations."""

        def declare(handler: H) -> H:
            command = _describe(name, tuple(aliases), handler, kind, extends_session, stale_key)
            command = dataclasses.replace(command, stoppable=stoppable, shows_rows=shows_rows)
            self.commands.append(command)
            return handler

        return declare

    def _register_commands(self, state: BlueprintSetupState) -> None:
        commands: Commands = state.app.extensions[EXTENSION]
        for command in self.commands:
            commands.add(command)


def _describe(
    name: str,
    aliases: tuple[str, ...],
    handler: Handler,
    kind: Kind,
    extends_session: bool,
    stale_key: StaleKey | None,
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
    return Command(name, aliases, summary, payload, events, handler, kind, extends_session, stale_key)


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
        """Register the commands of the blueprints that `app` registers afterwards."""
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
        """Look up a command. Raises UnknownCommand."""
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
            raise invalid_input(error) from None


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
