"""Work on stored and sent text grows with its length and no faster.

Every pattern of the package is found by walking its modules, so one that is added tomorrow is tried as well. Times
are compared with times of the same pattern on shorter text, so that a busy machine changes both.
"""

from __future__ import annotations

import ast
import importlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from iris_quart.atelier.sqlerrors import sql_error
from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.parse.lexer import tokenize
from iris_quart.web.export.csv_writer import CsvWriter
from iris_quart.web.export.formulas import defused
from iris_quart.web.export.writing import SLICE_CHARACTERS

PACKAGE = Path(__file__).resolve().parent.parent / "iris_quart"
SHORT, LONG = 16 * 1024, 1024 * 1024
GROWTH_MAX = 5.0
"""Quadratic work grows by 8 from 2 KiB to 16, and by 64 from there to a megabyte."""
BRIEF_SECONDS = 0.1
"""Less than this needs no comparison, whatever it is of."""
OTHERS = "\0a0 '\"\n\xe9"
METHODS = {"match", "search", "fullmatch", "sub", "split", "findall", "finditer"}
TOOLS = {"behaviours", "faults"}
"""Parts that developers run by hand over files of their own."""


def uses() -> Iterator[tuple[str, str, str]]:
    """Yield module, name of a compiled pattern and the method it is called by."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if TOOLS & {*path.parts, path.stem}:
            continue
        tree = ast.parse(path.read_text("utf-8"))
        module = "iris_quart." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in METHODS
                and isinstance(node.value, ast.Name)
                and node.value.id.isupper()
            ):
                yield module, node.value.id, node.attr


PATTERNS = sorted(
    {
        (module, name, method)
        for module, name, method in uses()
        if isinstance(getattr(importlib.import_module(module), name, None), re.Pattern)
    }
)


def literals(pattern: Any) -> list[str]:
    """Return the characters of a pattern, and one of each range and class."""
    found: set[str] = set()

    def walk(item: object) -> None:
        if isinstance(item, parser.SubPattern | list | tuple):
            parts = list(item)
            if len(parts) == 2 and str(parts[0]) in {"LITERAL", "NOT_LITERAL"}:
                found.add(chr(parts[1]))
            elif len(parts) == 2 and str(parts[0]) == "RANGE":
                found.update(map(chr, parts[1]))
            elif len(parts) == 2 and str(parts[0]) == "CATEGORY":
                found.add(
                    {"CATEGORY_DIGIT": "7", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "w"}.get(
                        str(parts[1]), "?"
                    )
                )
            else:
                for part in parts:
                    walk(part)

    walk(
        parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, str) else 0)
    )
    return sorted(found | set(OTHERS))


def words(pattern: Any) -> list[str]:
    """Return runs of literal characters as they stand in the pattern's source, as starts that may match."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    plain = re.sub(r"\\(.)", r"\1", source)
    return [word for word in re.findall(r"[A-Za-z(:'<{ ]{3,}", plain) if len(word) < 40][:12]


def texts(pattern: Any) -> Iterator[str]:
    """Yield units whose repetition makes a text: each own character, pairs with a second, and words."""
    own = literals(pattern)
    yield from own
    for word in words(pattern):
        yield word
        for character in (" ", "'", "a", '"'):
            yield word + character
    for first in own[:16]:
        for second in ("\n", " "):
            yield first + second


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of this thread, which others on the machine do not change much."""
    started = time.thread_time()
    work()
    return time.thread_time() - started


def growth(work: Callable[[int], Callable[[], object]], length: int, times: int) -> float:
    """Return how many times as long `times` the length takes, in proportion: 1 is linear, `times` quadratic."""
    for _ in range(3):
        longer = seconds(work(length * times))
        if longer < BRIEF_SECONDS:
            return 1.0
        shorter = min(seconds(work(length)) for _ in range(3))
        found = longer / max(shorter, 50e-6) / times
        if found < GROWTH_MAX:
            break
    return found


def assert_linear(work: Callable[[int], Callable[[], object]], what: str, *, long: bool = True) -> None:
    """Check that `work(length)` takes time in proportion to the length, up to 16 KiB or a megabyte."""
    for length, times in ((SHORT // 8, 8), (SHORT, LONG // SHORT))[: 1 + long]:
        found = growth(work, length, times)
        assert found < GROWTH_MAX, (what, length * times, found)


@pytest.mark.parametrize(("module", "name", "method"), PATTERNS)
def test_patterns_are_linear(module: str, name: str, method: str) -> None:
    pattern: Any = getattr(importlib.import_module(module), name)
    binary = isinstance(pattern.pattern, bytes)
    for unit in texts(pattern):
        for start, end in (("", "\x01"), ("/*", "!")):

            def work(
                length: int, unit: str = unit, start: str = start, end: str = end
            ) -> Callable[[], object]:
                text = start + unit * (length // len(unit)) + end
                subject = text.encode("latin-1", "replace") if binary else text
                if method == "sub":
                    return lambda: pattern.sub(b"" if binary else "", subject)
                if method == "finditer":
                    return lambda: sum(1 for _ in pattern.finditer(subject))
                return lambda: getattr(pattern, method)(subject)

            assert_linear(work, f"{name}.{method} of {unit!r}", long=len(unit) == 1 and not start)


def test_there_are_patterns() -> None:
    names = {name for _, name, _ in PATTERNS}
    assert {"NEEDS_QUOTES", "RISKY_LINE", "SQL_ERROR", "TAGS", "TOKEN", "READ", "NUMBER_TEXT"} <= names


UNITS = [
    "\n", "\r", "\t", " ", "\r\n", "\n ", "\n\t", "\x85", "\u2028", "\xa0", "\u200b", "=", "+", "-", "@", '"', '""',
    ",", "'", "a", "\0", "\ufeff", "\n\xa0", "\n \n", "\uff1d", "a\n",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_cells_of_an_export_are_linear_and_written_in_slices(unit: str) -> None:
    def whole(length: int) -> Callable[[], object]:
        text = "x" + unit * (length // len(unit)) + "x"
        return lambda: CsvWriter().lines([[text]])

    def sliced(length: int) -> Callable[[], object]:
        text = "x" + unit * (length // len(unit)) + "x"
        return lambda: b"".join(CsvWriter().slices([text, 1]))

    assert_linear(whole, repr(unit))
    assert_linear(sliced, repr(unit))
    text = "x" + unit * (LONG // len(unit)) + "x"
    pieces = list(CsvWriter().slices([text, 1]))
    assert max(map(len, pieces)) <= SLICE_CHARACTERS * 6
    assert b"".join(pieces) in {CsvWriter().lines([[text, 1]]), b'"' + defused(text).encode() + b'",1\r\n'}


@pytest.mark.parametrize("unit", ["Field(s) ", "(value '", "(value ''", "') failed", "a", "a=", 'a="', "'", "''",
    "Table '", "Field '", "Constraint '", "Index \"", "Row = '", " failed", "SQLCODE: ", "Field(s) a"])  # fmt: skip
def test_errors_of_iris_are_read_in_linear_time(unit: str) -> None:
    def work(length: int) -> Callable[[], object]:
        text = f"SQLCODE: -104 Message: Field(s) {unit * (length // len(unit))}"
        return lambda: sql_error(text)

    assert_linear(work, unit)
    text = (
        "SQLCODE: -104 Message: Field 'S.T.C' (value '" + unit * (LONG // len(unit)) + "') failed validation"
    )
    assert sql_error(text).field == "C"


@pytest.mark.parametrize("unit", ["/*", "/* ", "/*/", "--", "'", "''", '"', "(", "1", "1.", "a", " "])
def test_statements_are_split_in_linear_time(unit: str) -> None:
    def work(length: int) -> Callable[[], object]:
        sql = "SELECT " + unit * (min(length, 90_000 * len(unit)) // len(unit))

        def tokens() -> None:
            try:
                tokenize(sql)
            except SqlError:
                return

        return tokens

    assert_linear(work, unit)
