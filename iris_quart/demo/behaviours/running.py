"""Run the behaviours against a server: the embedded one, or a real IRIS given by its URL."""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit

from iris_quart.demo.behaviours import Behaviour
from iris_quart.demo.core.values import date_from_text, posix_from_timestamp, time_from_text
from iris_quart.demo.http.encodings import Encoding
from iris_quart.demo.parse.dialect import split_script

SCHEMA = "IrisQuartCheck"
LOGOUT = "/api/atelier/?CacheLogout=end"
EXTRA_TABLE = "Child2"  # one that a row makes
WRITTEN = ("Child", "Parent", "Target")  # in an order in which they can be emptied
DROPS = (
    "VIEW Counted", "VIEW Narrow", "VIEW Simple", f"TABLE {EXTRA_TABLE}", "TABLE Child", "TABLE Parent", "TABLE Target",
    "TABLE Word", "TABLE Thing",
)  # fmt: skip
SQLCODE = re.compile(r"SQLCODE:\s*(-?\d+)\s+Message:\s*(.*)", re.DOTALL)
READS = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body as JSON, every digit kept; raise ValueError when it is none."""
        return json.loads(self.body, parse_float=Decimal)


class Asker:
    """A small blocking client with one session: signs in with Basic and keeps the cookies it is given.

    timeout: seconds until an unanswered request raises TimeoutError. tls: how to check an https server.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        namespace: str = "USER",
        timeout: float = 60.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._https = parts.scheme == "https"
        self._tls = tls
        self._address = (parts.hostname or "", parts.port)
        self._prefix = parts.path.rstrip("/").removesuffix("/api/atelier")
        self._credentials = f"{user}:{password}"
        self._timeout = timeout
        self._cookies: dict[str, str] = {}
        self.namespace = namespace

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        credentials: str | None = None,
        *,
        session: bool = True,
    ) -> Answer:
        """Ask once; `credentials` "" sends none, None sends the asker's own; without `session` in one of its own."""
        sent = {"Accept": "application/json", **(headers or {})}
        known = self._credentials if credentials is None else credentials
        if known:
            sent["Authorization"] = "Basic " + base64.b64encode(known.encode()).decode()
        if session and self._cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        connection = self._connection()
        try:
            connection.request(method, self._prefix + path, body, {k: v for k, v in sent.items() if v})
            response = connection.getresponse()
            received: dict[str, str] = {}
            for name, value in response.getheaders():
                lower = name.lower()
                received[lower] = f"{received[lower]}, {value}" if lower in received else value
            answer = Answer(response.status, received, response.read())
            given = [value.partition(";")[0] for value in response.headers.get_all("Set-Cookie") or []]
        finally:
            connection.close()
        if session:
            self._cookies.update(
                (name, value) for name, _, value in (cookie.partition("=") for cookie in given)
            )
        elif given:
            self.request("HEAD", LOGOUT, {"Cookie": "; ".join(given)}, credentials="", session=False)
        return answer

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._address
        if self._https:
            return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=self._timeout)

    def query(
        self,
        statement: str,
        parameters: tuple[Any, ...] = (),
        *,
        namespace: str | None = None,
        version: str = "v1",
        options: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask one statement."""
        place = quote(namespace or self.namespace, safe="")
        path = f"/api/atelier/{version}/{place}/action/query"
        if options:
            path += "?" + urlencode(options)
        body = json.dumps({"query": statement, "parameters": [plain(item) for item in parameters]})
        return self.request("POST", path, {"Content-Type": "application/json"}, body.encode())

    def must(self, statement: str) -> None:
        """Ask a statement that has to succeed; raise RuntimeError with the server's words."""
        answer = self.query(statement)
        if answer.status != 200 or answer.json["status"]["errors"]:
            raise RuntimeError(f"{statement}\n{answer.status} {answer.body.decode(errors='replace')}")

    def end(self) -> None:
        """End the session, which frees its licence."""
        self.request("HEAD", LOGOUT)


def plain(value: Any) -> Any:
    """Return a parameter as the json module can write it; a Decimal of a row's table is a short one."""
    return float(value) if isinstance(value, Decimal) else value


def literal(text: str) -> Any:
    """Read JSON so that two texts are equal only when they differ in white space alone."""
    return json.loads(
        text,
        parse_float=lambda digits: ("number", digits),
        parse_int=lambda digits: ("number", digits),
        object_pairs_hook=lambda pairs: ("object", pairs),
    )


PROBE = (
    "SELECT CAST('2024-02-29' AS DATE) AS d, NULL AS n, '' AS e, CAST(9007199254740993 AS BIGINT) AS b, "
    "CAST('1.5' AS NUMERIC(5, 2)) AS m, CAST('42' AS VARCHAR(5)) AS t, CAST('0.1' AS DOUBLE) AS f"
)


def detect(asker: Asker) -> Encoding:
    """Return how a server writes what the public sources leave open."""
    row = asker.query(PROBE).json["result"]["content"][0]
    nulls: Literal["blank", "null", "merged"] = "blank" if row["e"] == "\u0000" else "merged"
    if row["n"] is None:
        nulls = "null"
    return Encoding(
        dates="odbc" if isinstance(row["d"], str) and "-" in row["d"] else "logical",
        nulls=nulls,
        big_integers="string" if isinstance(row["b"], str) else "number",
        numerics="string" if isinstance(row["m"], str) else "number",
        digits="string" if isinstance(row["t"], str) else "number",
        doubles="digits" if len(str(row["f"])) > len("0.1") else "shortest",
    )


def release_of(asker: Asker) -> tuple[int, int]:
    """Read the release from the server's own description."""
    version = asker.request("GET", "/api/atelier/").json["result"]["content"]["version"]
    found = re.search(r"\) (\d{4})\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (2025, 1)


@contextmanager
def tables(asker: Asker) -> Iterator[None]:
    """Create the tables of the behaviours, and drop them in the end."""
    drop(asker)
    try:
        make(asker)
        yield
    finally:
        drop(asker)


def script() -> list[str]:
    """Read the statements that make the tables and their rows."""
    return split_script(
        files("iris_quart.demo.behaviours").joinpath("tables.sql").read_text(encoding="utf-8")
    )


def make(asker: Asker) -> None:
    """Create the tables and their rows."""
    for statement in script():
        asker.must(statement)


def refill(asker: Asker, missing: Collection[str] = ()) -> None:
    """Restore the rows of the tables that behaviours write to, except tables that are `missing`."""
    asker.query(f"DROP TABLE {SCHEMA}.{EXTRA_TABLE}")
    written = [table for table in WRITTEN if table not in missing]
    for table in written:
        asker.must(f"DELETE FROM {SCHEMA}.{table}")
    for statement in script():
        if statement.startswith(tuple(f"INSERT INTO {SCHEMA}.{table} " for table in written)):
            asker.must(statement)


def drop(asker: Asker) -> None:
    """Drop what is there of the tables."""
    for item in DROPS:
        kind, name = item.split()
        asker.query(f"DROP {kind} {SCHEMA}.{name}")


class Runner:
    """Run rows one after another on tables that are made afresh after each row that may have written."""

    def __init__(
        self,
        asker: Asker,
        encoding: Encoding,
        release: tuple[int, int],
        *,
        embedded: bool,
        missing: Collection[str] = (),
    ) -> None:
        self.asker = asker
        self.encoding = encoding
        self.release = release
        self.embedded = embedded
        self.missing = missing
        self._touched = False

    def applies(self, behaviour: Behaviour) -> bool:
        """Return whether a row claims anything about this server."""
        return (
            (self.embedded or not behaviour.embedded)
            and all(getattr(self.encoding, name) == value for name, value in behaviour.setting.items())
            and (behaviour.before is None or self.release < behaviour.before)
            and (behaviour.since is None or self.release >= behaviour.since)
        )

    def run(self, behaviour: Behaviour) -> str | None:
        """Run a row; return None when the server does as claimed, else what it did instead."""
        try:
            return self.attempt(behaviour)
        except (ValueError, KeyError, TypeError, http.client.HTTPException, OSError) as error:
            return f"{type(error).__name__}: {error}"

    def attempt(self, behaviour: Behaviour) -> str | None:
        """Do as `run` does, but raise what the connection raises, and RuntimeError if rows cannot be restored."""
        self.restore()
        if behaviour.request is not None:
            return self._exchange(behaviour)
        return self._query(behaviour)

    def note_write(self) -> None:
        """Note that a statement outside the table may have written to the tables."""
        self._touched = True

    def restore(self) -> None:
        """Restore the tables if a row may have written to them."""
        if self._touched:
            refill(self.asker, self.missing)
            self._touched = False

    def _query(self, behaviour: Behaviour) -> str | None:
        statement = behaviour.statement or ""
        self._touched = self._touched or not READS.match(statement)
        answer = self.asker.query(
            statement,
            behaviour.parameters,
            namespace=behaviour.namespace,
            version=behaviour.version,
            options=behaviour.options,
        )
        if answer.status != 200:
            return f"HTTP {answer.status}"
        return self._judge(behaviour, answer) or self._judge_afterwards(behaviour)

    def _judge(self, behaviour: Behaviour, answer: Answer) -> str | None:
        errors = answer.json["status"]["errors"]
        if behaviour.error is not None or errors:
            return judge_error(behaviour, errors)
        result = answer.json["result"]
        if behaviour.raw is not None:
            written = answer.body.decode().split('"result":', 1)[1].strip().removesuffix("}").strip()
            return None if literal(written) == literal(behaviour.raw) else f"result {written[:300]}"
        content = result["content"]
        if behaviour.columns is not None and (not content or list(content[0]) != behaviour.columns):
            return f"columns {list(content[0]) if content else 'unknown, without rows'}"
        if behaviour.rows is not None:
            return self._compare(behaviour.rows, content)
        return None

    def _judge_afterwards(self, behaviour: Behaviour) -> str | None:
        for statement, expected in behaviour.then:
            answer = self.asker.query(statement, namespace=behaviour.namespace).json
            if answer["status"]["errors"]:
                return f"then {answer['status']['errors'][0]['error'][:200]}"
            if different := self._compare(expected, answer["result"]["content"]):
                return f"then {different}"
        return None

    def _compare(self, expected: list[list[Any]], content: list[dict[str, Any]]) -> str | None:
        found = [list(row.values()) for row in content]
        if len(found) == len(expected) and all(
            len(row) == len(wanted) and all(self._same(*pair) for pair in zip(wanted, row, strict=True))
            for wanted, row in zip(expected, found, strict=True)
        ):
            return None
        return f"rows {json.dumps(found, ensure_ascii=False, default=str)[:300]}"

    def _same(self, wanted: Any, found: Any) -> bool:
        if isinstance(wanted, dict):
            kind, text = next(iter(wanted.items()))
            if kind == "matches":
                return isinstance(found, str) and re.search(text, found, re.DOTALL) is not None
            wanted = self._temporal(kind, text)
        elif wanted is None:
            wanted = None if self.encoding.nulls == "null" else ""
        elif wanted == "" and self.encoding.nulls == "blank":
            wanted = "\u0000"
        return isinstance(wanted, str) == isinstance(found, str) and bool(wanted == found)

    def _temporal(self, kind: str, text: str) -> Any:
        if self.encoding.dates == "odbc":
            return text
        return {"date": date_from_text, "time": time_from_text, "posix": posix_from_timestamp}[kind](text)

    def _exchange(self, behaviour: Behaviour) -> str | None:
        asked, expected = behaviour.request or {}, behaviour.response or {}
        body = asked.get("body")
        answer = self.asker.request(
            asked["method"],
            asked["path"].replace("{namespace}", quote(self.asker.namespace, safe="")),
            asked.get("headers"),
            body.encode() if body is not None else None,
            asked.get("credentials"),
            session=asked.get("session", True),
        )
        return judge_response(expected, answer)


def judge_error(behaviour: Behaviour, errors: list[dict[str, Any]]) -> str | None:
    """Compare the SQL error that came, or its absence, with what was claimed."""
    if not errors:
        return "no error"
    found = SQLCODE.search(errors[0]["error"])
    if found is None or int(found[1]) != behaviour.error:
        return str(errors[0]["error"])[:300]
    if behaviour.text and not re.search(behaviour.text, found[2], re.DOTALL):
        return str(errors[0]["error"])[:300]
    return None


def judge_response(expected: Mapping[str, Any], answer: Answer) -> str | None:
    """Compare an HTTP answer with what was claimed of it."""
    if answer.status != expected["status"]:
        return f"HTTP {answer.status}"
    kind = answer.headers.get("content-type", "")
    if "type" in expected and not kind.startswith(expected["type"]):
        return f"content type {kind}"
    if "length" in expected and len(answer.body) != expected["length"]:
        return f"{len(answer.body)} bytes"
    for name, pattern in expected.get("headers", {}).items():
        if not re.search(pattern, answer.headers.get(name, ""), re.IGNORECASE):
            return f"{name}: {answer.headers.get(name)}"
    for path, wanted in expected.get("json", {}).items():
        found: Any = answer.json
        for step in path.split("."):
            found = found[int(step)] if isinstance(found, list) else found[step]
        if found != wanted:
            return f"{path} is {found!r}"
    return None


__all__ = [
    "DROPS",
    "EXTRA_TABLE",
    "LOGOUT",
    "PROBE",
    "READS",
    "SCHEMA",
    "SQLCODE",
    "WRITTEN",
    "Answer",
    "Asker",
    "Runner",
    "detect",
    "drop",
    "judge_error",
    "judge_response",
    "literal",
    "make",
    "plain",
    "refill",
    "release_of",
    "script",
    "tables",
]
