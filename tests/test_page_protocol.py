"""The page's names of commands, events and codes are those of the server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from iris_quart import page_protocol
from iris_quart.errors import ErrorCode
from iris_quart.reference import documented_commands, documented_events

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = {name for command in documented_commands() for name in (command.name, *command.aliases)}
EVENTS = {event.event for event in documented_events()}
OWN_EVENTS = {"state", "unanswered", "session"}
"""What the page's client emits of its own; `session` is also the answer that it carries."""
OWN_CODES = {"AWAY", "ABORTED", "STALE"}
"""Errors that never leave the page: no connection, no longer wanted, too late to send."""

USES = {
    "command": (
        re.compile(r'(?:\bclient\.send\(|\bthis\.send\(|exchanges\.start\(|\bcommand: )\s*"(\w+)"'),
        COMMANDS,
    ),
    "event": (re.compile(r'(?:\bclient\.addEventListener\(\s*|\bevent === )"(\w+)"'), EVENTS | OWN_EVENTS),
    "error code": (re.compile(r'\bcode(?: === | !== |: )"([A-Z_]+)"'), {*ErrorCode} | OWN_CODES),
}


def modules() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "static" / "js").rglob("*.js")):
        yield str(path.relative_to(ROOT)), path.read_text("utf-8")


def test_the_generated_module_is_in_step_with_the_code() -> None:
    written = (ROOT / page_protocol.PATH).read_text("utf-8")
    assert written == page_protocol.javascript(), "run: iris-quart protocol --write"


@pytest.mark.parametrize("use", sorted(USES))
def test_every_name_that_the_page_uses_is_in_the_protocol(use: str) -> None:
    pattern, known = USES[use]
    found = [(module, name) for module, text in modules() for name in pattern.findall(text)]
    assert len({name for _, name in found}) >= 4, "the pattern no longer finds the uses"
    assert [(module, name) for module, name in found if name not in known] == []


def test_only_the_generated_module_counts_close_codes() -> None:
    repeated = [
        (module, code)
        for module, text in modules()
        if module != page_protocol.PATH
        for code in re.findall(r"\bcode\s*[=!]==?\s*(\d{4})\b", text)
    ]
    assert repeated == []
