"""Faults a test can order: which requests go wrong, how often, and in which way."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

FaultKind: TypeAlias = Literal[
    # Before anything runs: the statement is surely not applied.
    "reset_before",  # the connection is reset as soon as the request is read
    "close_before",  # the connection is closed in order, without an answer
    "hang",  # nothing is ever answered
    "unauthorized",  # 401, and the session is forgotten: it ended in the middle of the work
    "cookie_loss",  # the session is forgotten, the request itself goes on
    "forbidden",  # 403
    "status",  # `status` (500) with an HTML body
    "licence",  # 503 as at the licence cap
    "redirect",  # 302 to a login page
    "html",  # 200 with an HTML page, as a proxy or a login page gives
    "sqlcode",  # 200 with this SQL error
    # Around the statement, which is applied.
    "latency",  # it runs `delay` seconds later, also when the client went away meanwhile
    "late",  # the connection is reset at once, the statement applies `delay` seconds later
    "reset_after",  # the connection is reset, without an answer, after the statement was applied
    "close_after",  # the connection is closed in order, without an answer, after it was applied
    "status_after",  # `status` (504) with an HTML body after it was applied, as a gateway's time-out gives
    # On the way of the answer; the statement was applied.
    "reset_mid_body",  # the connection is reset in the middle of the body
    "truncated",  # a whole HTTP answer with half of the JSON
    "drip",  # one byte every `delay` seconds
    "huge",  # a body of `size` bytes
    "content_type",  # the right body as text/plain
    "content_encoding",  # a body said to be gzip
]
KINDS = frozenset(get_args(FaultKind))
BEFORE_SIGN_IN = frozenset(
    {
        "reset_before",
        "close_before",
        "hang",
        "unauthorized",
        "forbidden",
        "status",
        "licence",
        "redirect",
        "html",
    }
)


@dataclass
class FaultRule:
    """Order one kind of fault for the requests that match.

    path, sql: regular expressions searched in the request's path (with its query) and in the statement;
        a rule with `sql` matches only requests that carry a statement.
    times: how often it strikes before it is spent, None for always. probability and seed: whether each match strikes.
    delay: seconds. status: HTTP status. sqlcode and text: the SQL error. size: bytes of a huge body.
    """

    kind: FaultKind
    path: str | None = None
    sql: str | None = None
    times: int | None = None
    probability: float = 1.0
    seed: int = 0
    delay: float = 0.0
    status: int | None = None
    sqlcode: int = -400
    text: str = "Fatal error occurred"
    size: int = 64 * 1024 * 1024
    struck: int = field(default=0, init=False)  # how often it struck so far

    def __post_init__(self) -> None:
        """Check the kind and compile the patterns. Raises ValueError."""
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault: {self.kind}")
        self._path = re.compile(self.path) if self.path else None
        self._sql = re.compile(self.sql, re.IGNORECASE) if self.sql else None
        self._random = random.Random(self.seed)  # noqa: S311

    def strikes(self, path: str, sql: str | None) -> bool:
        """Decide whether this request gets the fault, and count it."""
        if self.times is not None and self.struck >= self.times:
            return False
        if self._path and not self._path.search(path):
            return False
        if self._sql and (sql is None or not self._sql.search(sql)):
            return False
        if self._random.random() >= self.probability:
            return False
        self.struck += 1
        return True


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: list[FaultRule] = []

    def add(self, rule: FaultRule) -> FaultRule:
        """Put a rule in force and give it back, so that a test can read how often it struck."""
        self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Lift every rule."""
        self._rules.clear()

    def strike(self, path: str, sql: str | None) -> Struck:
        """Return the faults this request gets."""
        return Struck([rule for rule in self._rules if rule.strikes(path, sql)])


class Struck:
    """The faults of one request."""

    def __init__(self, rules: list[FaultRule]) -> None:
        self._rules = {rule.kind: rule for rule in rules}

    def __bool__(self) -> bool:
        """Return whether there is a rule."""
        return bool(self._rules)

    def get(self, kind: FaultKind) -> FaultRule | None:
        """Return the rule of this kind, if it struck."""
        return self._rules.get(kind)

    def before_sign_in(self) -> FaultRule | None:
        """Return the rule that ends the request before it is looked at, if any."""
        return next((rule for kind, rule in self._rules.items() if kind in BEFORE_SIGN_IN), None)


__all__ = ["BEFORE_SIGN_IN", "KINDS", "FaultKind", "FaultRule", "Faults", "Struck"]
