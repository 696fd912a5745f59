"""Logs are JSON lines with listed fields, whatever is given to them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from iris_quart import logs

CANARY = "canary-7f3a"


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logs.configure("info")

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    yield read
    root.handlers[:] = handlers
    root.setLevel(level)


def test_listed_fields_are_written(lines: Any) -> None:
    logs.get_logger("x").warning("it happened", command="getTables", seconds=0.5)
    (line,) = lines()
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "it happened",
        "level": "warning",
        "logger": "x",
        "command": "getTables",
        "seconds": 0.5,
    }


def test_fields_that_are_not_listed_are_left_out(lines: Any) -> None:
    logs.get_logger("x").info("it happened", password=CANARY, user=CANARY, sql=CANARY)
    (line,) = lines()
    assert CANARY not in json.dumps(line)


@pytest.mark.parametrize(
    "text", [f"a\n{CANARY}", f"\x1b[31m{CANARY}", f"a\u2028{CANARY}", f'"}}\n{{"{CANARY}']
)
def test_one_entry_is_one_line(text: str, lines: Any, capsys: pytest.CaptureFixture[str]) -> None:
    logs.get_logger("x").info("it happened", reason=text)
    (line,) = lines()
    assert line["reason"] == text


def test_exceptions_tell_type_and_place_but_no_data(lines: Any) -> None:
    try:
        dict[str, str]()[CANARY]
    except KeyError as error:
        logs.get_logger("x").exception("it failed", exc_info=error, trace_id="abc")
    (line,) = lines()
    assert line["error"] == "KeyError"
    assert line["trace_id"] == "abc"
    assert any(frame.startswith("test_logs.py:") for frame in line["frames"])
    assert CANARY not in json.dumps(line)


def test_exceptions_of_code_keep_their_text(lines: Any) -> None:
    try:
        assert None.nothing  # type: ignore[attr-defined]
    except AttributeError:
        logs.get_logger("x").exception("it failed")
    (line,) = lines()
    assert "no attribute 'nothing'" in line["error"]


def test_other_libraries_keep_their_values_to_themselves(lines: Any) -> None:
    logging.getLogger("some.library").warning("Request to %s failed", CANARY)
    error = ValueError(CANARY)
    logging.getLogger("quart.app").error("Exception on request %s", CANARY, exc_info=error)
    first, second = lines()
    assert first["event"] == "Request to %s failed"
    assert second["error"] == "ValueError"
    assert CANARY not in json.dumps([first, second])


def test_the_level_holds(lines: Any) -> None:
    logs.get_logger("x").debug("no")
    logging.getLogger("httpx").info("HTTP Request: GET http://host/ws?token=%s", CANARY)
    assert lines() == []
