"""Tokens of IRIS SQL.

Identifier rules: InterSystems "Using SQL", Identifiers: a letter, `%` or `_` first, then letters,
digits, `_ @ # $`; delimited by double quotes, with doubled quotes inside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from iris_quart.demo.core.errors import SqlError

MAX_STATEMENT = 3_641_144
"""Longest string of an IRIS process, in characters; a longer statement cannot reach the compiler."""
MAX_IDENTIFIER = 128
MAX_TOKENS = 100_000
"""Most tokens of one statement; the code compiled from a longer one would not fit IRIS's process either."""

_TOKEN = re.compile(
    r"""
      (?P<space>[\s\u200b\ufeff]+ | --[^\n]* | /\*.*?\*/)
    | (?P<string>'(?:[^']|'')*')
    | (?P<delimited>"(?:[^"]|"")*")
    | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>(?:%|\$\$?|[^\W\d])[\w@\#$]*)
    | (?P<operator>->|\|\||<>|!=|<=|>=|/(?!\*)|[?(),.;*+\-=<>\#\[\]{}:!\\@&|^~`])
    """,
    re.VERBOSE | re.DOTALL,
)

NAME = "name"
DELIMITED = "delimited"
STRING = "string"
NUMBER = "number"
OPERATOR = "operator"
END = "end"


class Token(NamedTuple):
    """One token: `value` is upper case for names and operators, the content for quoted ones."""

    kind: str
    value: str
    text: str
    start: int
    end: int


def tokenize(sql: str) -> list[Token]:
    """Split a statement into tokens; the last one is of kind END.

    Raises SqlError -3 for a missing closing quote, -1 for a character outside the language.
    """
    if len(sql) > MAX_STATEMENT:
        raise SqlError(-400, "Fatal error occurred: <MAXSTRING>")
    if not sql.isascii():
        _check_characters(sql)
    tokens: list[Token] = []
    position = 0
    length = len(sql)
    match_at = _TOKEN.match
    while position < length:
        found = match_at(sql, position)
        if found is None:
            _refuse(sql, position, tokens)
        kind = found.lastgroup or ""
        position = found.end()
        if kind == "space":
            continue
        text = found.group()
        if kind == NAME:
            value = text.upper()
        elif kind == STRING:
            value = text[1:-1].replace("''", "'")
        elif kind == DELIMITED:
            value = _delimited(text[1:-1].replace('""', '"'), tokens)
        else:
            value = text
        tokens.append(Token(kind, value, text, found.start(), position))
        if len(tokens) > MAX_TOKENS:
            raise SqlError(-400, "Fatal error occurred: <STORE>")
    tokens.append(Token(END, "", "", length, length))
    return tokens


def _check_characters(sql: str) -> None:
    try:
        sql.encode()
    except UnicodeEncodeError as error:
        raise SqlError(-1, f"Invalid SQL statement: half a character at position {error.start}") from None


def _delimited(name: str, before: list[Token]) -> str:
    if not name or "\0" in name:
        raise SqlError(-1, f"Invalid SQL statement: delimited identifier is empty^{seen(before)}")
    if len(name) > MAX_IDENTIFIER:
        raise SqlError(-1, f"Invalid SQL statement: identifier longer than {MAX_IDENTIFIER} characters")
    return name


def _refuse(sql: str, position: int, before: list[Token]) -> NoReturn:
    character = sql[position]
    if character in "'\"":
        raise SqlError(-3, f"Closing quote ({character}) missing^{seen(before)}")
    if sql.startswith("/*", position):
        raise SqlError(-1, f"Invalid SQL statement: comment without end^{seen(before)}")
    raise SqlError(-1, f"Invalid SQL statement: character {character!r} is not allowed^{seen(before)}")


def seen(tokens: Sequence[Token], last: int | None = None, limit: int = 40) -> str:
    """Return the tokens up to and with `last` as IRIS prints them after `^`: constants as `?` (seen in the wild)."""
    stop = len(tokens) if last is None else last + 1
    start = max(0, stop - limit)
    return " ".join(_shown(token) for token in tokens[start:stop])


def _shown(token: Token) -> str:
    if token.kind in (STRING, NUMBER):
        return "?"
    return token.text if len(token.text) <= 60 else token.text[:57] + "..."


__all__ = [
    "DELIMITED",
    "END",
    "MAX_IDENTIFIER",
    "MAX_STATEMENT",
    "MAX_TOKENS",
    "NAME",
    "NUMBER",
    "OPERATOR",
    "STRING",
    "Token",
    "seen",
    "tokenize",
]
