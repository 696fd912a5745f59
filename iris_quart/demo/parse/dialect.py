"""The IRIS SQL dialect behind one function: text in, syntax tree out.

Written by hand instead of on a general SQL parser: a general one needed 4 s for a 600 KB statement, gave
up at 50 parentheses, and cannot word IRIS's errors (-1, -12, -14, -25 with the statement after `^`).
"""

from __future__ import annotations

from collections.abc import Callable

from iris_quart.demo.core.errors import SqlError

from . import nodes
from .cursor import Cursor
from .grammar import Grammar
from .lexer import END, NAME

KNOWN_STATEMENTS = frozenset(
    [
        "ANALYZE",
        "BEGIN",
        "BUILD",
        "CANCEL",
        "CLOSE",
        "DECLARE",
        "EXECUTE",
        "EXPORT",
        "FETCH",
        "FREEZE",
        "GRANT",
        "%INTRANSACTION",
        "INTRANSACTION",
        "JOB",
        "LOAD",
        "LOCK",
        "OPEN",
        "PURGE",
        "REVOKE",
        "%SET",
        "UNFREEZE",
        "UNLOCK",
        "USE",
    ]
)
"""Statements of IRIS that this engine does not run."""


EXPLAINED = (nodes.Select, nodes.SetOperation, nodes.With, nodes.Update, nodes.Delete)


def _explain(grammar: Grammar) -> nodes.Explain:
    """Read EXPLAIN; -481 for a statement it does not take, -482 for an error inside (codes seen on live servers)."""
    cursor = grammar.cursor
    while cursor.at_any("ALT", "ALL", "STAT"):
        cursor.advance()
    start = cursor.index
    if not cursor.at_any("SELECT", "WITH", "UPDATE", "DELETE") and not cursor.at_operator("("):
        raise SqlError(-481, f"EXPLAIN takes a SELECT, UPDATE or DELETE only{cursor.context()}")
    try:
        body = _body(grammar)
    except SqlError as error:
        raise SqlError(
            -482, f"EXPLAIN of an invalid statement: SQLCODE {error.sqlcode}, {error.text}"
        ) from None
    assert isinstance(body, EXPLAINED)
    return nodes.Explain(body, cursor.text_between(start, cursor.index))


def _call(grammar: Grammar) -> nodes.Select:
    procedure = grammar.queries.call(grammar.queries.table_name(), alias=False)
    return nodes.Select((nodes.SelectItem(nodes.Star(None), None),), (procedure,))


def _set(grammar: Grammar) -> nodes.SessionWord:
    cursor = grammar.cursor
    if cursor.accept("TRANSACTION"):
        return _to_end(grammar, "SET TRANSACTION")
    cursor.expect("OPTION")
    raise SqlError(-1, f"Invalid SQL statement: SET OPTION is not supported here{cursor.context()}")


def _to_end(grammar: Grammar, word: str) -> nodes.SessionWord:
    """Read the words of a transaction statement, such as WORK or ISOLATION LEVEL READ COMMITTED."""
    while grammar.cursor.token.kind == NAME or grammar.cursor.accept_operator(","):
        grammar.cursor.advance()
    return nodes.SessionWord(word)


def _start(grammar: Grammar) -> nodes.SessionWord:
    grammar.cursor.expect("TRANSACTION")
    return _to_end(grammar, "START TRANSACTION")


def _savepoint(grammar: Grammar) -> nodes.SessionWord:
    grammar.cursor.identifier()
    return nodes.SessionWord("SAVEPOINT")


def _tune(grammar: Grammar) -> nodes.SessionWord:
    grammar.cursor.expect("TABLE")
    found = nodes.SessionWord("TUNE TABLE", grammar.queries.table_name())
    while grammar.cursor.token.kind == NAME:
        grammar.cursor.advance()
    return found


STATEMENTS: dict[str, Callable[[Grammar], nodes.StatementBody]] = {
    "ALTER": lambda grammar: grammar.alterations.alter(),
    "CALL": _call,
    "COMMIT": lambda grammar: _to_end(grammar, "COMMIT"),
    "CREATE": lambda grammar: grammar.definitions.create(),
    "DELETE": lambda grammar: grammar.writes.delete(),
    "DROP": lambda grammar: grammar.definitions.drop(),
    "EXPLAIN": _explain,
    "INSERT": lambda grammar: grammar.writes.insert(),
    "ROLLBACK": lambda grammar: _to_end(grammar, "ROLLBACK"),
    "SAVEPOINT": _savepoint,
    "SET": _set,
    "START": _start,
    "TRUNCATE": lambda grammar: grammar.writes.truncate(),
    "TUNE": _tune,
    "UPDATE": lambda grammar: grammar.writes.update(),
}
"""What reads a statement after its first word; queries begin with SELECT, WITH or a parenthesis."""


def _statement(grammar: Grammar) -> nodes.Statement:
    body = _body(grammar)
    cursor = grammar.cursor
    if cursor.token.kind != END:
        raise cursor.left_over()
    return nodes.Statement(body, cursor.parameters, tuple(cursor.tokens))


def _body(grammar: Grammar) -> nodes.StatementBody:
    cursor = grammar.cursor
    if cursor.at_any("SELECT", "WITH") or cursor.at_operator("("):
        return grammar.queries.query()
    word = cursor.token
    read = STATEMENTS.get(word.value) if word.kind == NAME else None
    if read is not None:
        cursor.advance()
        return read(grammar)
    if word.kind == NAME and word.value in KNOWN_STATEMENTS:
        raise SqlError(-1, f"Invalid SQL statement: {word.value} is not supported here{cursor.context()}")
    raise SqlError(-51, f" An SQL statement expected, {cursor.found()} found{cursor.context()}")


def parse(sql: str, *, paging: bool = True, json_tables: bool = True) -> nodes.Statement:
    """Parse one statement.

    `paging` says whether LIMIT, OFFSET and FETCH exist (IRIS 2025.1 and later), `json_tables` whether JSON_TABLE does.
    Raises SqlError: -1, -3, -12, -14, -25, -51, -62, -386, or -400 <FRAMESTACK> and <MAXSTRING> for what is too deep
    or too long.
    """
    return _statement(Grammar(sql, paging=paging, json_tables=json_tables))


def split_script(script: str) -> list[str]:
    """Split a script at its semicolons, minding quotes and comments."""
    cursor = Cursor(script, paging=True)
    statements: list[str] = []
    start = 0
    for index, token in enumerate(cursor.tokens):
        if token.kind == END or (token.value == ";" and token.kind == "operator"):
            text = cursor.text_between(start, index)
            if text:
                statements.append(text)
            start = index + 1
    return statements


__all__ = ["EXPLAINED", "KNOWN_STATEMENTS", "STATEMENTS", "parse", "split_script"]
