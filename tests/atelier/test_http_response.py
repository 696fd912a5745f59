"""The reader of answers on its own: what never ends is bounded, and what does not belong to an answer is noticed."""

from __future__ import annotations

import httpx
import pytest

from iris_quart.atelier.http_response import AnswerReader, BodyTooLarge

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def reader(*, head_only: bool = False) -> AnswerReader:
    answer = AnswerReader(body_bytes_max=100_000, header_bytes_max=4096)
    answer.begin(head_only=head_only)
    return answer


def test_answers_follow_each_other() -> None:
    answer = reader(head_only=True)
    was_head = True
    for head_only in (False, True, True, False, False):
        answer.feed(OK[:-2] if was_head else OK)
        assert answer.reusable
        answer.begin(head_only=head_only)
        was_head = head_only
        assert (answer.complete, answer.body, answer.headers) == (False, b"", [])


def test_an_answer_is_read_in_any_pieces() -> None:
    for size in range(1, len(OK) + 1):
        answer = reader()
        parts = [OK[start : start + size] for start in range(0, len(OK), size)]
        assert [answer.feed(part) for part in parts] == [*[False] * (len(parts) - 1), True]
        assert (answer.status, answer.body, answer.reusable) == (200, b"{}", True)
        assert answer.headers == [(b"content-type", b"application/json"), (b"content-length", b"2")]


@pytest.mark.parametrize(
    ("head", "endless"),
    [
        (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 1000 + b"\r\n"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 40),
        (CHUNKED + b"1;", b"x" * 1000),
        (CHUNKED + b"0\r\n", b"Trailer: " + b"y" * 1000 + b"\r\n"),
        (CHUNKED + b"0\r\nTrailer: ", b"y" * 1000),
    ],
    ids=["field", "fields", "interim answers", "chunk extension", "trailers", "trailer"],
)
def test_what_never_ends_is_refused(head: bytes, endless: bytes) -> None:
    answer = reader()
    answer.feed(head)
    fed = 0
    with pytest.raises(httpx.RemoteProtocolError):
        while fed < 100_000:
            answer.feed(endless)
            fed += len(endless)
    assert fed < 10_000


def test_small_chunks_are_no_flood() -> None:
    answer = reader()
    answer.feed(CHUNKED)
    for _ in range(50_000):
        answer.feed(b"1\r\nx\r\n")
    assert answer.feed(b"0\r\n\r\n")
    assert answer.body == b"x" * 50_000


def test_a_body_without_an_end_is_refused() -> None:
    answer = reader()
    answer.feed(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    with pytest.raises(BodyTooLarge):
        for _ in range(200):
            answer.feed(b"x" * 1000)


@pytest.mark.parametrize("more", [OK, b"{", b"\r\nnonsense\r\n\r\n"], ids=["answer", "byte", "nonsense"])
@pytest.mark.parametrize("together", [True, False], ids=["at once", "later"])
def test_bytes_behind_an_answer_use_the_connection_up(more: bytes, together: bool) -> None:
    answer = reader()
    if together:
        assert answer.feed(OK + more)
    else:
        assert answer.feed(OK)
        assert answer.feed(more)
    assert (answer.body, answer.reusable) == (b"{}", False)


def test_an_answer_to_head_has_no_body() -> None:
    head, _, _ = OK.partition(b"{}")
    answer = reader(head_only=True)
    assert answer.feed(head)
    assert (answer.body, answer.reusable) == (b"", True)
    answer = reader(head_only=True)
    assert answer.feed(OK)
    assert (answer.body, answer.reusable) == (b"", False)


def test_an_answer_may_end_with_the_connection() -> None:
    answer = reader()
    assert not answer.feed(b"HTTP/1.1 200 OK\r\n\r\n{}")
    answer.end()
    assert (answer.body, answer.complete, answer.reusable) == (b"{}", True, False)


def test_an_interim_answer_leaves_no_trace() -> None:
    answer = reader()
    assert not answer.feed(b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\nX: interim\r\n\r\n")
    assert not answer.feed(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}")
    answer.end()
    assert (answer.status, answer.headers, answer.body) == (200, [(b"connection", b"close")], b"{}")


@pytest.mark.parametrize("coding", [b"gzip", b"gzip, chunked", b"identity"])
def test_another_transfer_encoding_is_refused(coding: bytes) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        reader().feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + coding + b"\r\n\r\n{}")


def test_what_was_read_of_a_refused_answer_can_be_let_go() -> None:
    answer = reader()
    answer.feed(OK[:-1])
    answer.drop()
    assert (answer.body, answer.headers) == (b"", [])
