"""Frames that we read ourselves are read as wsproto reads them, and everything else is left to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.utilities import RemoteProtocolError

from iris_quart.live.patches.frames import whole_text

LONGEST = 1_000_000
LENGTHS = [0, 1, 3, 4, 5, 124, 125, 126, 127, 128, 1000, 65_535]


def sent(*events: Event) -> bytes:
    client = Connection(ConnectionType.CLIENT)
    return b"".join(client.send(event) for event in events)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_whole_text_is_read(length: int) -> None:
    text = "x" * length
    assert whole_text(sent(TextMessage(text)), LONGEST) == text


@given(st.text(max_size=300))
def test_any_whole_text_is_read(text: str) -> None:
    assert whole_text(sent(TextMessage(text)), LONGEST) == text


LEFT = [
    b"",
    sent(TextMessage("x" * 65_536)),
    sent(TextMessage("part", message_finished=False)),
    sent(TextMessage("a", message_finished=False), TextMessage("b")),
    sent(TextMessage("one"), TextMessage("two")),
    sent(TextMessage("one"), Ping()),
    sent(BytesMessage(b"bytes")),
    sent(Ping(b"ping")),
    sent(CloseConnection(1000)),
    sent(TextMessage("cut"))[:-1],
    sent(TextMessage("cut" * 100))[:7],
    sent(TextMessage("more")) + b"\x81",
    b"\x81\x04text",  # not masked
    b"\xc1\x84\0\0\0\0text",  # a reserved bit
    b"\x81\xfe\x00\x04\0\0\0\0text",  # a longer length than is needed
    b"\x81\x82\0\0\0\0\xc3\x28",  # no UTF-8
]


# Masks are random, so the bytes make no name of a test.
@pytest.mark.parametrize("data", LEFT, ids=range(len(LEFT)))
def test_everything_else_is_left(data: bytes) -> None:
    assert whole_text(data, LONGEST) is None


def test_a_longer_text_than_allowed_is_left() -> None:
    assert whole_text(sent(TextMessage("x" * 10)), 10) == "x" * 10
    assert whole_text(sent(TextMessage("x" * 11)), 10) is None
    assert whole_text(sent(TextMessage("é" * 6)), 10) is None


@given(st.binary(max_size=140), st.booleans())
def test_what_is_read_is_what_wsproto_reads(data: bytes, shaped: bool) -> None:
    if shaped:
        data = bytes((0x81, 0x80 + max(0, min(125, len(data) - 4)))) + data
    text = whole_text(data, LONGEST)
    server = Connection(ConnectionType.SERVER)
    server.receive_data(data)
    try:
        events = list(server.events())
    except RemoteProtocolError:
        events = []
    whole = [event.data for event in events if isinstance(event, TextMessage) and event.message_finished]
    if text is not None:
        assert whole == [text]
    elif shaped and len(events) == 1 and whole:
        pytest.fail("a whole text was left")
