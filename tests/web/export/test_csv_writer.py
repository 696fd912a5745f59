"""CSV text: formulas defused, NULL and '' apart, everything read back as it was."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_quart.sql.values import Wire
from iris_quart.web.export.csv_writer import CsvWriter
from iris_quart.web.export.formulas import defused
from iris_quart.web.export.writing import SLICE_CHARACTERS

FORMULAS = [
    "=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "  +1", "\xa0=1",
    "\xa0 =1", "\u3000=1", "\ufeff=1", "\u200b=1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM",
    "text\n=1", "text\r\n=1",
    "text\n =1",
    "text\r+1", "text\x0b=1", "text\u2028=1",
    '="a"', "=HYPERLINK(\"http://evil\")", "-2+3+cmd|' /C calc'!D2",
    "@", "=", "+", "-", "\t", "\r", "\t\t=1", " \t=1", "=\n", "-1", "+49 30 1234", "a\n@b",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_are_defused(text: str) -> None:
    assert defused(text) == f"'{text}"
    (line,) = csv.reader(io.StringIO(CsvWriter().line([text]), newline=""))
    assert line == [f"'{text}"]


@pytest.mark.parametrize(
    "text", ["", "text", "a=b", "1-2", "x @ y", "'=1", "a\nb", "(-1)", "e-mail@example.org", "ä"]
)
def test_harmless_text_stays(text: str) -> None:
    assert defused(text) == text


def test_numbers_are_numbers() -> None:
    line = CsvWriter().line([-1, Decimal("-1.50"), 2**63, Decimal("1E+3"), Decimal("1E+300")])
    assert line == "-1,-1.50,9223372036854775808,1000,1E+300\r\n"


def test_null_and_empty_are_apart() -> None:
    assert CsvWriter().line([None, "", "NULL"]) == ',"",NULL\r\n'
    assert CsvWriter(null_text="NULL").line([None, "", "NULL"]) == 'NULL,"","NULL"\r\n'


@given(st.lists(st.lists(st.text(), min_size=2, max_size=3), max_size=5))
def test_what_is_written_is_read_back(rows: list[list[str]]) -> None:
    rows = [[cell.replace("\x00", "") for cell in row] for row in rows]
    text = "".join(CsvWriter(safe=False).line(row) for row in rows)
    assert list(csv.reader(io.StringIO(text, newline=""))) == rows


@given(st.text())
def test_no_text_is_left_that_begins_like_a_formula(text: str) -> None:
    written = CsvWriter().line([text])
    first = written.lstrip('" \xa0')[:1]
    assert first not in set("=+@\uff1d\uff0b\uff20-\uff0d")


def test_a_decimal_comma_comes_with_semicolons() -> None:
    writer = CsvWriter(decimal_comma=True)
    row: list[Wire] = [Decimal("-1.50"), 7, "1.5", "a,b", "a;b", None]
    assert writer.line(row) == '-1,50;7;1.5;"a,b";"a;b";\r\n'
    long = "x" * (SLICE_CHARACTERS + 1)
    assert b"".join(writer.slices([Decimal("1.5"), long])) == f'1,5;"{long}"\r\n'.encode()
