"""Commands: declared, resolved, validated, run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from pydantic import Field
from quart import Quart

from iris_quart.context import Browsing, Context
from iris_quart.dispatch import CommandBlueprint, Commands, Kind
from iris_quart.errors import InvalidInput, UnknownCommand
from iris_quart.protocol import Event, Message, parse_envelope


class Ask(Message):
    """A payload."""

    how_many: int = Field(1, ge=0, le=9)
    name: str | None = None


class Told(Event):
    """An event."""

    number: int


class ToldMore(Event):
    """Another."""

    word: str


def registered(*blueprints: CommandBlueprint) -> Commands:
    app = Quart("test", static_folder=None)
    commands = Commands()
    commands.init_app(app)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    return commands


def blueprint_with_ask(name: str = "ask", aliases: tuple[str, ...] = ("askAgain",)) -> CommandBlueprint:
    blueprint = CommandBlueprint(f"blueprint_{name}", __name__)

    @blueprint.command(name, aliases=aliases, kind=Kind.INSTANT, extends_session=False)
    async def ask(_context: Context, payload: Ask) -> AsyncIterator[Told | ToldMore]:
        """Answer as often as asked."""
        for number in range(payload.how_many):
            yield Told(number=number)
        yield ToldMore(word="end")

    return blueprint


def context() -> Context:
    nothing = cast("Any", None)
    return Context(nothing, nothing, nothing, nothing, nothing, nothing)


def test_command_is_described_by_its_function() -> None:
    commands = registered(blueprint_with_ask())
    (command,) = commands
    assert commands.resolve("askAgain") is commands.resolve("ask") is command
    assert (command.payload, command.events, command.summary) == (
        Ask,
        (Told, ToldMore),
        "Answer as often as asked.",
    )
    assert (command.kind, command.extends_session) == (Kind.INSTANT, False)


def test_unknown_command_is_named_and_cut() -> None:
    with pytest.raises(UnknownCommand, match=r"^Unknown command: x{64}$"):
        registered().resolve("x" * 500)


def test_name_that_is_taken_fails_at_start() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        registered(blueprint_with_ask("one", ("other",)), blueprint_with_ask("other", ()))


@pytest.mark.parametrize("wrong", ["no docstring", "no payload", "no event", "no return"])
def test_wrong_declarations_fail_at_import(wrong: str) -> None:
    blueprint = CommandBlueprint("wrong", __name__)

    async def undocumented(_context: Context, _payload: Ask) -> Told:
        return Told(number=1)

    async def without_payload(_context: Context, _payload: int) -> Told:
        """Answer."""
        return Told(number=1)

    async def without_event(_context: Context, _payload: Ask) -> int:
        """Answer."""
        return 1

    async def without_return(_context, _payload: Ask):  # type: ignore[no-untyped-def]
        """Answer."""

    handlers: dict[str, Any] = {
        "no docstring": undocumented,
        "no payload": without_payload,
        "no event": without_event,
        "no return": without_return,
    }
    with pytest.raises(TypeError, match="command 'ask'"):
        blueprint.command("ask")(handlers[wrong])


@pytest.mark.parametrize(
    ("payload", "field", "message"),
    [
        ('{"howMany":"x"}', "howMany", "valid integer"),
        ('{"howMany":10}', "howMany", "less than or equal to 9"),
        ('{"more":1}', "more", "is not a field of this command"),
        ("[1]", "payload", "object"),
        ('"secret-canary"', "payload", "object"),
        ('{"name":["secret-canary"]}', "name", "valid string"),
        ('{"name":' + "[" * 200 + "]" * 200 + "}", "name", "string"),
    ],
)
def test_wrong_payload_names_the_field_and_never_echoes(payload: str, field: str, message: str) -> None:
    commands = registered(blueprint_with_ask())
    envelope = parse_envelope('{"command":"ask","payload":' + payload + "}")
    with pytest.raises(InvalidInput, match=message) as caught:
        commands.validate(commands.resolve("ask"), envelope)
    assert caught.value.field == field
    assert "canary" not in caught.value.message


async def test_generator_gives_its_events_in_order() -> None:
    commands = registered(blueprint_with_ask())
    events = [event async for event in commands.resolve("ask").run(context(), Ask(how_many=2))]
    assert events == [Told(number=0), Told(number=1), ToldMore(word="end")]


async def test_generator_is_closed_when_nobody_wants_the_rest() -> None:
    closed = []
    blueprint = CommandBlueprint("b", __name__)

    @blueprint.command("count")
    async def count(_context: Context, _payload: Ask) -> AsyncIterator[Told]:
        """Count on."""
        try:
            for number in range(100):
                yield Told(number=number)
        finally:
            closed.append(True)

    running = registered(blueprint).resolve("count").run(context(), Ask())
    async for _ in running:
        break
    await running.aclose()
    assert closed == [True]


def test_another_namespace_clears_the_table() -> None:
    browsing = Browsing()
    browsing.choose_table("USER", "A.B")
    states = []
    for namespace in ("USER", "SAMPLES"):
        browsing.choose_namespace(namespace)
        states.append((browsing.namespace, browsing.table_name))
    assert states == [("USER", "A.B"), ("SAMPLES", None)]


def test_context_of_a_message_shares_what_is_browsed() -> None:
    whole = context()
    one = whole.for_message("x")
    one.browsing.choose_namespace("USER")
    assert one.message_id == "x"
    assert whole.message_id is None
    assert whole.browsing.namespace == "USER"
