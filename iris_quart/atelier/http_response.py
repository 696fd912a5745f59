"""The bytes of one HTTP/1.1 answer: parsed as they come, bounded, no I/O."""

from __future__ import annotations

import httptools
import httpx

__all__ = ["AnswerReader", "BodyTooLarge", "Headers", "WholeAnswer"]

SWITCHING_PROTOCOLS = 101
OVERHEAD = 8
"""Bytes of chunk sizes and the like that may come for each byte of the body, beside the head."""

Headers = list[tuple[bytes, bytes]]
WholeAnswer = tuple[int, Headers, bytes]
"""Status, headers and body."""


class BodyTooLarge(httpx.ReadError):
    """The answer is longer than is accepted; the rest was not read."""


class AnswerReader:
    """Reads the answers on one connection, one after the other, of one or several requests at a time.

    Parser and reader know each other, so a new pair for each answer would be work for the collector.
    `head_only` says that the request was HEAD, whose answer has no body whatever its fields say (RFC 9110
    section 9.3.2). With several `answers` to come, `earlier` are those before the one that is being read, and the
    bounds hold for all together. Names of `headers` are in lower case. `feed` and `end` raise RemoteProtocolError,
    ReadError, DecodingError or BodyTooLarge.
    """

    __slots__ = (
        "_awaited",
        "_body",
        "_body_bytes_max",
        "_delimited",
        "_fed",
        "_head_done",
        "_head_only",
        "_header_bytes_max",
        "_keeps_alive",
        "_left",
        "_length",
        "_parser",
        "_refusal",
        "_trailing",
        "complete",
        "earlier",
        "headers",
        "status",
    )

    def __init__(self, *, body_bytes_max: int, header_bytes_max: int) -> None:
        self._body_bytes_max = body_bytes_max
        self._header_bytes_max = header_bytes_max
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self.headers: Headers = []
        self._head_only = False
        self.begin()

    def begin(self, *, head_only: bool = False, answers: int = 1) -> None:
        """Expect the next answers; those before were complete and their connection reusable."""
        if self._head_only:
            # It still waits for the body that was announced and never comes.
            self._parser = httptools.HttpResponseParser(self)
        self.drop()
        self._head_only = head_only
        self._awaited = answers
        self._left = answers
        self._length = 0
        self._fed = 0
        self._trailing = False  # something came behind the answer
        self._refusal: Exception | None = None
        self.complete = False
        """Whether the last answer that may come is there in whole."""
        self._begin_answer()

    def _begin_answer(self) -> None:
        self.headers = []
        self._body = []
        self._head_done = False
        self._delimited = False  # the answer itself says where it ends
        self._keeps_alive = False
        self.status = 0

    @property
    def body(self) -> bytes:
        """Body received so far."""
        return self._body[0] if len(self._body) == 1 else b"".join(self._body)

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request after this answer."""
        return self.complete and self._keeps_alive and not self._trailing and self._left == 0

    @property
    def answers(self) -> list[WholeAnswer]:
        """The answers that are there in whole, in order."""
        if not self.complete:
            return self.earlier
        return [*self.earlier, (self.status, self.headers, self.body)]

    def feed(self, data: bytes) -> bool:
        """Parse bytes; return whether the response is complete."""
        if self.complete:
            self._trailing = True
            return True
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise httpx.RemoteProtocolError("the server switched protocols") from None
        except httptools.HttpParserError as error:
            if self._refusal is not None:
                raise self._refusal from None
            if not self.complete:
                raise httpx.RemoteProtocolError(str(error)) from None
            self._trailing = True
        if self._fed - self._length > self._header_bytes_max * self._awaited + OVERHEAD * self._length:
            if self._head_done and not self.complete:
                raise httpx.RemoteProtocolError("the answer has more around its body than in it")
            if not self.complete:
                raise httpx.RemoteProtocolError("the head of the answer is too long")
        return self.complete

    def end(self) -> None:
        """Handle the end of the stream: the end of a response without a length, else an error."""
        if self.complete:
            return
        if not self._head_done:
            raise httpx.RemoteProtocolError("the server closed the connection without an answer")
        if self._delimited:
            raise httpx.RemoteProtocolError("the server closed the connection within its answer")
        self._left -= 1
        self.complete = True

    def retire(self) -> None:
        """Release the parser, which holds a reference back to this object."""
        del self._parser

    def drop(self) -> None:
        """Free the body, because an error's traceback may keep this object alive."""
        self._body = []
        self.headers = []
        self.earlier: list[WholeAnswer] = []

    # What the parser calls. An exception here reaches `feed` wrapped, so it is put by first.

    def on_message_begin(self) -> None:
        """Begin an answer; a second one is not ours."""
        if self.complete:
            self._trailing = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Handle a header field, or a trailer, which is ignored."""
        if self.complete or self._head_done:
            return
        name, value = name.lower(), value.strip()
        if name == b"content-length":
            self._delimited = True
            # The parser lets only digits pass.
            if int(value) > self._body_bytes_max and not self._head_only:
                self._refuse(BodyTooLarge(f"the answer is longer than {self._body_bytes_max} bytes"))
        elif name == b"transfer-encoding":
            if value.lower() != b"chunked":
                self._refuse(httpx.RemoteProtocolError("the answer's transfer encoding is not known"))
            self._delimited = True
        elif name == b"content-encoding" and value.lower() not in {b"", b"identity"}:
            self._refuse(httpx.DecodingError("the answer is compressed although we asked for none"))
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Handle the end of the headers."""
        if self.complete:
            return
        self.status = self._parser.get_status_code()
        if self.status == SWITCHING_PROTOCOLS:
            self._refuse(httpx.RemoteProtocolError("the server switched protocols"))
        if self.status < 200:
            self.headers = []
            self._delimited = False
            return
        self._head_done = True
        self._keeps_alive = bool(self._parser.should_keep_alive())
        self._delimited = self._delimited or self.status in {204, 304}
        if self._head_only:
            self._left -= 1
            self.complete = True

    def on_body(self, data: bytes) -> None:
        """Handle a part of the body."""
        if self.complete:
            self._trailing = True
            return
        self._length += len(data)
        if self._length > self._body_bytes_max:
            self._refuse(BodyTooLarge(f"the answer is longer than {self._body_bytes_max} bytes"))
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Handle the end of a response, or of an interim one."""
        if not self._head_done or self.complete:
            return
        self._left -= 1
        if self._left and self._keeps_alive:
            self.earlier.append((self.status, self.headers, self.body))
            self._begin_answer()
        else:
            self.complete = True

    def _refuse(self, error: Exception) -> None:
        self._refusal = error
        raise error
