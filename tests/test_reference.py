"""The reference in docs/ says what the code says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from iris_quart import reference
from iris_quart.errors import ErrorCode
from iris_quart.protocol import CloseCode

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.mark.parametrize("name", sorted(reference.FILES))
def test_files_are_in_step_with_the_code(name: str) -> None:
    written = (DOCS / name).read_text("utf-8")
    assert written == getattr(reference, reference.FILES[name])(), "run: iris-quart protocol --write"


ANCESTOR = """
getServerList selectServer getNamespaces getTables selectNamespace selectTable openTable requestData refresh
paginate paginateNext paginatePrev refreshData saveCell updateRow insertRow deleteRow disconnect
cancelConnection openServerManager installServerManager
"""
OURS = "getSession keepAlive countRows getRow saveChanges previewChanges cancel"


@pytest.mark.parametrize("name", ANCESTOR.split() + OURS.split())
def test_every_command_is_there(name: str) -> None:
    assert reference.documented_commands().resolve(name)


def test_every_field_of_a_payload_says_what_it_is() -> None:
    models = {command.payload for command in reference.documented_commands()}
    silent = [
        f"{model.__name__}.{name}"
        for model in models
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert silent == []


def test_every_code_has_a_meaning() -> None:
    page = reference.markdown()
    for code in ErrorCode:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{code}` |")]
        assert len(row) > len(f"| `{code}` |  |") + 10, row
    assert set(reference.CLOSES) == set(CloseCode)


def test_every_reference_inside_the_schema_leads_somewhere() -> None:
    schema = json.loads(reference.schema_text())

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [found for inner in value.values() for found in references(inner)]
        if isinstance(value, list):
            return [found for inner in value for found in references(inner)]
        return []

    for found in references(schema):
        assert found.removeprefix("#/$defs/") in schema["$defs"], found
    for command in schema["commands"].values():
        assert set(command["events"]) <= set(schema["events"])
