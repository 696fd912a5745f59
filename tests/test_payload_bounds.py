"""Every list, mapping and text of every payload has a largest length, and what is wrong is refused at once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from iris_quart.app import COMMANDS
from iris_quart.dispatch import Commands
from iris_quart.errors import InvalidInput, IrisQuartError
from iris_quart.protocol import Envelope, Message, parse_envelope
from iris_quart.reference import documented_commands
from iris_quart.web.api import Connect
from iris_quart.web.export.parameters import Export

MANY = 50_000


@pytest.fixture(scope="module")
def commands() -> Commands:
    """Return all commands."""
    return documented_commands()


def unbounded(schema: Any, definitions: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield the places of a JSON Schema at which anything may have any length."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    for branch in ("anyOf", "allOf", "oneOf"):
        for part in schema.get(branch, ()):
            yield from unbounded(part, definitions, path)
        if branch in schema:
            return
    if "enum" in schema or "const" in schema:
        return
    kind = schema.get("type")
    if kind is None:
        yield f"{path}: anything"
    elif kind == "string" and "maxLength" not in schema:
        yield f"{path}: text"
    elif kind == "array":
        if "maxItems" not in schema:
            yield f"{path}: list"
        yield from unbounded(schema["items"], definitions, f"{path}[]")
    elif kind == "object":
        for name, part in schema.get("properties", {}).items():
            yield from unbounded(part, definitions, f"{path}.{name}")
        if isinstance(schema.get("additionalProperties"), dict):
            if "maxProperties" not in schema or "maxLength" not in schema.get("propertyNames", {}):
                yield f"{path}: mapping"
            yield from unbounded(schema["additionalProperties"], definitions, f"{path}{{}}")


def payloads() -> list[type[BaseModel]]:
    return sorted(
        {command.payload for command in documented_commands()} | {Export, Connect},
        key=lambda model: model.__name__,
    )


@pytest.mark.parametrize("model", payloads(), ids=lambda model: model.__name__)
def test_everything_in_a_payload_has_a_largest_length(model: type[BaseModel]) -> None:
    schema = model.model_json_schema(by_alias=True)
    assert list(unbounded(schema, schema.get("$defs", {}), model.__name__)) == []


def test_the_walk_finds_what_has_no_bound() -> None:
    class Wrong(Message):
        """Show every kind of missing bound."""

        text: str
        texts: tuple[str, ...]
        anything: Any
        mapping: dict[str, int]

    assert len(list(unbounded(Wrong.model_json_schema(), {}))) == 5


def refusal(commands: Commands, name: str, payload: Any) -> tuple[InvalidInput, float]:
    """Return how a payload is refused, and the processor time that it took."""
    text = json.dumps({"command": name, "payload": payload, "id": "x"})
    started = time.thread_time()
    envelope: Envelope = parse_envelope(text)
    with pytest.raises(IrisQuartError) as caught:
        commands.validate(commands.resolve(name), envelope)
    assert isinstance(caught.value, InvalidInput)
    return caught.value, time.thread_time() - started


INSERT = {"changeId": "a", "kind": "insert"}
WRONG: list[tuple[str, str, Any]] = [
    ("filters", "requestData", {"filters": [{"x": 1}] * MANY}),
    ("filters", "requestData", {"filters": [1] * MANY}),
    ("filters", "requestData", {"filters": [{"column": "a"}] * MANY}),
    ("filters.0", "requestData", {"filters": [{f"x{n}": 1 for n in range(MANY)}]}),
    ("filters.0", "requestData", {"filters": [{}] * 50}),
    ("filters.0.value", "requestData", {"filters": [{"column": "a", "value": [1] * MANY}]}),
    ("x0", "requestData", {f"x{n}": 1 for n in range(MANY)}),
    ("sort", "requestData", {"sort": [0] * MANY}),
    ("columns", "requestData", {"columns": [0] * MANY}),
    ("startAt", "requestData", {"startAt": [0] * MANY}),
    ("changes", "saveChanges", {"changes": [0] * MANY}),
    ("changes.0", "saveChanges", {"changes": [{"x": 1}] * 10_000}),
    ("values", "saveChanges", {"changes": [INSERT | {"values": dict.fromkeys(map(str, range(MANY)))}]}),
    ("columns", "insertRow", {"columns": [0] * MANY, "values": [0] * MANY}),
    ("base", "deleteRow", {"base": dict.fromkeys(map(str, range(MANY)))}),
]  # fmt: skip


@pytest.mark.parametrize(("field", "name", "payload"), WRONG)
def test_a_wrong_payload_is_refused_for_the_price_of_reading_it(
    commands: Commands, field: str, name: str, payload: Any
) -> None:
    for _ in range(3):
        error, spent = refusal(commands, name, payload)
        assert (error.field or "").startswith(field), error
        started = time.thread_time()
        json.loads(json.dumps(payload))
        # A few times what a JSON reader needs; validating each element takes ten times as much and more.
        most = 3 * (time.thread_time() - started) + 0.005
        if spent < most:
            return
    pytest.fail(f"{spent} s of at most {most}")


def test_many_unknown_fields_of_a_message_are_refused_by_one_name() -> None:
    text = json.dumps({"command": "x", "y" * 100_000: 1} | {f"x{n}": 1 for n in range(MANY)})
    with pytest.raises(InvalidInput) as caught:
        parse_envelope(text)
    assert len(caught.value.message) < 200
    assert len(caught.value.field or "") == 64


def test_all_blueprints_are_walked(commands: Commands) -> None:
    assert len(list(commands)) > 15
    assert COMMANDS
