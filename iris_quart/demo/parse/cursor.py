"""The parser's place in the tokens, and the errors it can raise there."""

from __future__ import annotations

from iris_quart.demo.core.errors import SqlError

from .lexer import DELIMITED, END, NAME, NUMBER, OPERATOR, STRING, Token, seen, tokenize
from .words import RESERVED

MAX_DEPTH = 100
"""Deepest nesting of parentheses and queries; beyond it the answer is <FRAMESTACK>, as from a full stack."""

TERM_EXPECTED = (
    " A term expected, beginning with either of:  identifier, constant, aggregate, $$, (, :, +, -, %ALPHAUP,"
    " %EXACT, %MVR %SQLSTRING, %SQLUPPER, %STRING, %TRUNCATE, or %UPPER"
)


class Cursor:
    """Walk through the tokens of one statement."""

    def __init__(self, sql: str, *, paging: bool) -> None:
        """Read the statement; `paging` says whether LIMIT, OFFSET and FETCH exist in this release."""
        self.sql = sql
        self.tokens = tokenize(sql)
        self.index = 0
        self.parameters = 0
        self.paging = paging
        self._depth = 0

    @property
    def token(self) -> Token:
        """Return the token under the cursor."""
        return self.tokens[self.index]

    def ahead(self, count: int = 1) -> Token:
        """Return a later token, or the last one."""
        return self.tokens[min(self.index + count, len(self.tokens) - 1)]

    def advance(self) -> Token:
        """Return the token under the cursor and step over it."""
        token = self.tokens[self.index]
        if token.kind != END:
            self.index += 1
        return token

    def at(self, *words: str) -> bool:
        """Return whether the cursor stands at these words."""
        for offset, word in enumerate(words):
            token = self.ahead(offset)
            if token.kind != NAME or token.value != word:
                return False
        return True

    def at_any(self, *words: str) -> bool:
        """Return whether the cursor stands at one of these words."""
        return self.token.kind == NAME and self.token.value in words

    def at_operator(self, operator: str, offset: int = 0) -> bool:
        """Return whether an operator stands here."""
        token = self.ahead(offset)
        return token.kind == OPERATOR and token.value == operator

    def accept(self, *words: str) -> bool:
        """Step over these words if they all stand here."""
        if self.at(*words):
            self.index += len(words)
            return True
        return False

    def accept_operator(self, operator: str) -> bool:
        """Step over an operator if it stands here."""
        if self.at_operator(operator):
            self.index += 1
            return True
        return False

    def expect(self, *words: str) -> None:
        """Step over words that must stand here."""
        for word in words:
            if not self.accept(word):
                raise self.unexpected(word)

    def expect_operator(self, operator: str) -> None:
        """Step over an operator that must stand here."""
        if not self.accept_operator(operator):
            raise self.unexpected(operator)

    def identifier(self, what: str = "IDENTIFIER", reserved: frozenset[str] = RESERVED) -> str:
        """Return a name, delimited or not; an undelimited one keeps its case."""
        token = self.token
        if token.kind == DELIMITED:
            self.advance()
            return token.value
        if token.kind == NAME and token.value not in reserved:
            self.advance()
            return token.text
        if token.kind == NAME:
            raise SqlError(-1, f" IDENTIFIER expected, reserved word {token.value} found^{self.upto_here()}")
        raise self.unexpected(what)

    def integer(self) -> int:
        """Return a whole number."""
        negative = self.accept_operator("-")
        token = self.token
        if token.kind != NUMBER or not token.text.isdigit() or len(token.text) > 18:
            raise self.unexpected("NUMBER")
        self.advance()
        return -int(token.text) if negative else int(token.text)

    def string(self) -> str:
        """Return a quoted text."""
        token = self.token
        if token.kind != STRING:
            raise self.unexpected("STRING")
        self.advance()
        return token.value

    def enter(self) -> None:
        """Count one level of nesting; raise SqlError -400 when it is too deep."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise SqlError(-400, "Fatal error occurred: <FRAMESTACK>")

    def leave(self) -> None:
        """Come back from one level of nesting."""
        self._depth -= 1

    def found(self) -> str:
        """Return the token here as IRIS prints it: constants are parameters to it."""
        token = self.token
        if token.kind == END:
            return "end of statement"
        if token.kind in (NUMBER, STRING) or token.value == "?":
            return "?"
        return token.text if len(token.text) <= 60 else token.text[:57] + "..."

    def upto_here(self) -> str:
        """Return the statement up to this token, the way IRIS prints it after `^`."""
        return seen(self.tokens[:-1], min(self.index, len(self.tokens) - 2))

    def context(self) -> str:
        """Return `^` and the statement up to this token."""
        return "^" + self.upto_here()

    def unexpected(self, expected: str) -> SqlError:
        """Return -1: something else was expected here (texts seen in the wild)."""
        token = self.token
        found = self.found()
        if token.kind == NAME and token.value not in RESERVED and expected.isupper():
            found = f"IDENTIFIER ({found})"
        return SqlError(-1, f" {expected} expected, {found} found^ {self.upto_here()}")

    def no_term(self) -> SqlError:
        """Return -12: no value begins with this token (text seen in the wild)."""
        return SqlError(-12, TERM_EXPECTED + self.context())

    def left_over(self) -> SqlError:
        """Return -25: the statement was complete before this token (text seen in the wild)."""
        return SqlError(-25, f"Input ({self.found()}) encountered after end of query{self.context()}")

    def text_between(self, start: int, stop: int) -> str:
        """Return the source text of the tokens from `start` to `stop`, exclusive."""
        if stop <= start:
            return ""
        return self.sql[self.tokens[start].start : self.tokens[stop - 1].end]


__all__ = ["MAX_DEPTH", "TERM_EXPECTED", "Cursor"]
