"""The IRIS SQL dialect behind one function: text in, syntax tree out.

Written by hand instead of on a general SQL parser: a general one needed 4 s for a 600 KB statement, gave
up at 50 parentheses, and cannot word IRIS's errors (-1, -12, -14, -25 with the statement after ``^``).
"""

from __future__ import annotations

from iris_quart.demo.core.errors import SqlError

from . import nodes
from .definitions import DefinitionParser
from .lexer import END, NAME

KNOWN_STATEMENTS = frozenset(
    [
        "ALTER",
        "ANALYZE",
        "BEGIN",
        "BUILD",
        "CALL",
        "CANCEL",
        "CLOSE",
        "COMMIT",
        "DECLARE",
        "EXPLAIN",
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
        "ROLLBACK",
        "SAVEPOINT",
        "SET",
        "%SET",
        "START",
        "TUNE",
        "UNFREEZE",
        "UNLOCK",
        "USE",
    ]
)
"""Statements of IRIS that this engine does not run."""


class StatementParser(DefinitionParser):
    """Read one whole statement."""

    def statement(self) -> nodes.Statement:
        """Read a statement that fills the text."""
        body = self._body()
        if self.token.kind != END:
            raise self.left_over()
        return nodes.Statement(body, self.parameters, tuple(self.tokens))

    def _body(self) -> nodes.StatementBody:
        if self.at_any("SELECT", "WITH") or self.at_operator("("):
            return self.query()
        if self.accept("INSERT"):
            return self.insert()
        if self.accept("UPDATE"):
            return self.update()
        if self.accept("DELETE"):
            return self.delete()
        if self.accept("TRUNCATE"):
            return self.truncate()
        if self.accept("CREATE"):
            return self.create()
        if self.accept("DROP"):
            return self.drop()
        if self.token.kind == NAME and self.token.value in KNOWN_STATEMENTS:
            raise SqlError(
                -1, f"Invalid SQL statement: {self.token.value} is not supported here{self.context()}"
            )
        raise SqlError(-51, f"An SQL statement expected, {self.found()} found{self.context()}")


def parse(sql: str, *, paging: bool = True) -> nodes.Statement:
    """Parse one statement.

    ``paging`` says whether LIMIT, OFFSET and FETCH exist (IRIS 2025.1 and later).
    Raises SqlError: -1, -3, -12, -14, -25, -51, -62, -386, or -400 <FRAMESTACK> and <MAXSTRING> for what is too deep
    or too long.
    """
    return StatementParser(sql, paging=paging).statement()


def split_script(script: str) -> list[str]:
    """Split a script at its semicolons, minding quotes and comments."""
    parser = StatementParser(script, paging=True)
    statements: list[str] = []
    start = 0
    for index, token in enumerate(parser.tokens):
        if token.kind == END or (token.value == ";" and token.kind == "operator"):
            text = parser.text_between(start, index)
            if text:
                statements.append(text)
            start = index + 1
    return statements
