"""Envelopes in, events out."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_quart.errors import (
    ErrorCode,
    InvalidInput,
    InvalidJson,
    InvalidMessage,
    IrisQuartError,
    TableNotFound,
)
from iris_quart.protocol import UNSET, ErrorEvent, Event, UnsetType, encode_event, parse_envelope, salvage


class TableOpened(Event):
    """An event of these tests."""

    table_name: str
    row_count: int | Decimal | None
    note: str | UnsetType = UNSET


class Odd(Event):
    """An event that is not named after its class."""

    event: ClassVar[str] = "somethingElse"


def test_envelope_with_everything() -> None:
    envelope = parse_envelope('{"command":"a","payload":{"x":1},"id":"A-z_9","background":true}')
    assert (envelope.command, bytes(envelope.payload), envelope.id, envelope.background) == (
        "a",
        b'{"x":1}',
        "A-z_9",
        True,
    )


@pytest.mark.parametrize(
    "text", ['{"command":"a"}', '{"command":"a","payload":null}', '{"command":"a","id":null}']
)
def test_payload_and_id_may_be_left_out(text: str) -> None:
    envelope = parse_envelope(text)
    assert bytes(envelope.payload) == b"{}"
    assert envelope.id is None


@pytest.mark.parametrize("text", ["", "{", "null", "not json", "[" * 100_000, '{"command":"a"'])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(InvalidJson):
        parse_envelope(text)


@pytest.mark.parametrize(
    "text", ["[]", "1", '"a"', "{}", '{"command":1}', '{"command":null}', '{"payload":{}}']
)
def test_what_is_no_message(text: str) -> None:
    with pytest.raises(InvalidMessage):
        parse_envelope(text)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"command":"a","id":""}', "id"),
        ('{"command":"a","id":"a b"}', "id"),
        ('{"command":"a","id":"a\\n"}', "id"),
        ('{"command":"a","id":7}', "id"),
        ('{"command":"a","id":"' + "x" * 65 + '"}', "id"),
        ('{"command":"a","background":1}', "background"),
        ('{"command":"a","more":1}', "more"),
    ],
)
def test_wrong_fields_are_named(text: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_envelope(text)
    assert caught.value.field == field


@given(st.text())
def test_any_text_is_an_envelope_or_our_error(text: str) -> None:
    with contextlib.suppress(IrisQuartError):
        parse_envelope(text)


def test_salvage_keeps_what_is_usable() -> None:
    assert salvage('{"command":"a","id":"x","more":1}') == ("x", "a")
    assert salvage('{"command":"a","id":"x y"}') == (None, "a")
    assert salvage("{") == (None, None)
    assert salvage("[]") == (None, None)
    assert salvage('{"command":"' + "c" * 100 + '"}') == (None, "c" * 64)


def test_events_are_named_after_their_class() -> None:
    assert TableOpened.event == "tableOpened"
    assert Odd.event == "somethingElse"


def test_events_keep_every_digit_and_leave_out_what_is_not_set() -> None:
    event = TableOpened(table_name="A.B", row_count=Decimal("12345678901234567890.123456789"))
    assert encode_event(event, "x") == (
        b'{"event":"tableOpened","payload":{"tableName":"A.B","rowCount":12345678901234567890.123456789},"id":"x"}'
    )
    big = TableOpened(table_name="A.B", row_count=2**63 - 1, note="n")
    assert encode_event(big) == (
        b'{"event":"tableOpened","payload":{"tableName":"A.B","rowCount":9223372036854775807,"note":"n"}}'
    )


def test_error_event() -> None:
    error = TableNotFound("No such table.", sqlcode=-30, server_text="Table not found")
    told = msgspec.json.decode(encode_event(ErrorEvent.of(error, "selectTable"), "x"))
    assert told == {
        "event": "error",
        "id": "x",
        "payload": {
            "message": "No such table.",
            "code": ErrorCode.TABLE_NOT_FOUND,
            "recoverable": True,
            "context": "selectTable",
            "sqlcode": -30,
            "serverText": "Table not found",
        },
    }
