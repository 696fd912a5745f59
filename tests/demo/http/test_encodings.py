"""Values as they are written and bound, in each setting."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_quart import cli
from iris_quart.demo import DemoOptions, Encoding
from iris_quart.demo.engine.interface import Result, ResultColumn
from iris_quart.demo.http.encodings import bind, bind_all, envelope, result_objects, result_positional
from iris_quart.demo.http.settings import ENCODING_VARIABLE, UnknownEncoding

DEFAULT = Encoding()


def text(value: Any, encoding: Encoding = DEFAULT, type_name: str = "varchar") -> str:
    """Write one value in a row and give its JSON text."""
    result = Result((ResultColumn("v", type_name),), [(value,)], is_query=True)
    whole = envelope(result_objects(result, encoding)).decode()
    return whole.split('"content":[{"v":', 1)[1].removesuffix("}]}}")


@pytest.mark.parametrize(("nulls", "null", "empty"), [("blank", '""', '"\\u0000"'), ("null", "null", '""'),
                                                      ("merged", '""', '""')])  # fmt: skip
def test_null_and_the_empty_string(nulls: Any, null: str, empty: str) -> None:
    assert text(None, Encoding(nulls=nulls)) == null
    assert text("", Encoding(nulls=nulls)) == empty


@pytest.mark.parametrize(("value", "written"), [
    (1, "1"), (-(2**63), "-9223372036854775808"), (2**63 - 1, "9223372036854775807"), (10**30, "1" + "0" * 30),
    (Decimal("1.50"), "1.5"), (Decimal(100), "100"), (Decimal("1E+3"), "1000"), (Decimal("-0.00"), "0"),
    (Decimal("0.10"), "0.1"), (Decimal("12345678901234567.89"), "12345678901234567.89"),
    (1.5, "1.5"), (0.1, "0.1"), (5.0, "5"), (-0.0, "0"), (1e22, "1e+22"), (5e-324, "5e-324"),
    (float("inf"), '"INF"'), (float("-inf"), '"-INF"'), (float("nan"), '"NAN"'),
    ("42", '"42"'), ("a\"b\\c\n\x01", '"a\\"b\\\\c\\n\\u0001"'), ("\u00e9\U0001f600", '"\u00e9\U0001f600"'),
    (b"\x00\xffA", '"\\u0000\u00ffA"'),
])  # fmt: skip
def test_values_by_default(value: object, written: str) -> None:
    assert text(value) == written


def test_big_integers_as_strings() -> None:
    encoding = Encoding(big_integers="string")
    assert text(2**53, encoding) == "9007199254740992"
    assert text(2**53 + 1, encoding) == '"9007199254740993"'
    assert text(-(2**53) - 1, encoding) == '"-9007199254740993"'


def test_numerics_as_strings() -> None:
    assert text(Decimal("1.50"), Encoding(numerics="string")) == '"1.5"'
    assert text(7, Encoding(numerics="string")) == "7"


@pytest.mark.parametrize(("value", "written"), [(0.1, "0.10000000000000000555"), (0.5, "0.5"), (3.0, "3"),
                                                (1e300, "1.0000000000000000525e+300")])  # fmt: skip
def test_doubles_with_twenty_digits(value: float, written: str) -> None:
    assert text(value, Encoding(doubles="digits"), "double") == written


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["shortest", "digits"]))
def test_doubles_come_back(value: float, doubles: Any) -> None:
    assert json.loads(text(value, Encoding(doubles=doubles)), parse_int=float) == value


@pytest.mark.parametrize(("value", "written"), [("42", "42"), ("-1.5", "-1.5"), ("0", "0"), ("042", '"042"'),
                                                ("1.50", '"1.50"'), ("1e3", '"1e3"'), ("-0", "-0"), ("", '"\\u0000"'),
                                                (" 1", '" 1"'), ("1\n", '"1\\n"')])  # fmt: skip
def test_digits_in_text_as_numbers(value: str, written: str) -> None:
    assert text(value, Encoding(digits="number")) == written


def test_digits_in_a_timestamp_stay_text() -> None:
    assert text("2020", Encoding(digits="number"), "timestamp") == '"2020"'


@given(st.one_of(st.integers(), st.decimals(allow_nan=False, allow_infinity=False, places=9)))
def test_no_digit_of_a_number_is_lost(value: int | Decimal) -> None:
    assert json.loads(text(value), parse_int=Decimal, parse_float=Decimal) == value


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])))
def test_text_comes_back(value: str) -> None:
    assert json.loads(text(value)) == value


@pytest.mark.parametrize(("parameter", "bound"), [
    ("", None), ("\u0000", ""), ("a", "a"), (None, None), (True, 1), (False, 0), (2**70, 2**70),
    (Decimal("1.10"), Decimal("1.10")), ("1", "1"),
])  # fmt: skip
def test_parameters_bind(parameter: object, bound: object) -> None:
    value = bind(parameter, DEFAULT)
    assert value == bound
    assert type(value) is type(bound)


def test_an_empty_parameter_may_be_the_empty_string() -> None:
    assert bind("", Encoding(empty_parameter="empty")) == ""


def test_parameters_must_be_a_list_of_values() -> None:
    assert bind_all(None, DEFAULT) == []
    with pytest.raises(TypeError):
        bind_all("a", DEFAULT)
    with pytest.raises(TypeError):
        bind_all([[1]], DEFAULT)


def test_positional_keeps_columns_of_the_same_name() -> None:
    result = Result((ResultColumn("a", "varchar"), ResultColumn("a", "integer")), [("x", 1)], is_query=True)
    assert result_positional(result, DEFAULT) == [
        {
            "columns": [{"name": "a", "type": "VARCHAR(4096)"}, {"name": "a", "type": "INTEGER"}],
            "content": [["x", 1]],
        }
    ]
    assert result_objects(result, DEFAULT) == {"content": [{"a": 1}]}


def test_a_statement_without_rows_has_one_result_set_without_columns() -> None:
    result = Result((), [], is_query=False)
    assert result_positional(result, DEFAULT) == [{"columns": [], "content": []}]
    assert result_objects(result, DEFAULT) == {"content": []}


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (None, Encoding()),
        ("", Encoding()),
        ("default", Encoding()),
        ("ODBC", Encoding(dates="odbc", nulls="null")),
        ("merged", Encoding(nulls="merged")),
        ("digits", Encoding(doubles="digits")),
    ],
)
def test_the_environment_chooses_the_encoding(
    name: str | None, written: Encoding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENCODING_VARIABLE, raising=False)
    if name is not None:
        monkeypatch.setenv(ENCODING_VARIABLE, name)
    assert DemoOptions(directory=tmp_path).encoding == written
    # What a test asks for itself it gets.
    assert DemoOptions(directory=tmp_path, encoding=DEFAULT).encoding == DEFAULT


def test_an_encoding_that_there_is_not_is_one_readable_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ENCODING_VARIABLE, "obdc")
    with pytest.raises(UnknownEncoding, match="IRIS_QUART_DEMO_ENCODING must be one of default, odbc"):
        DemoOptions(directory=tmp_path)
    assert cli.main(["demo", "--instance", str(tmp_path)]) != 0
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "IRIS_QUART_DEMO_ENCODING must be one of" in line
