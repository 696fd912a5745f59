"""Functions, casts and arithmetic: one row a behaviour."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from .conftest import Refused, Rows

VALUES: list[tuple[str, Any]] = [
    # arithmetic is exact
    ("1 + 2 * 3", 7),
    ("7 / 2", Decimal("3.5")),
    ("0.1 + 0.2", Decimal("0.3")),
    ("1 / 3", Decimal("0.3333333333333333333")),
    ("9223372036854775806 + 1", 2**63 - 1),
    ("-9223372036854775808", -(2**63)),
    ("7 # 3", 1),
    ("-7 # 3", 2),
    ("7 \\ 2", 3),
    ("MOD(-7, 3)", -1),
    ("123456789012345678 * 10", 1234567890123456780),
    ("12345678901234567.89 + 0.01", Decimal("12345678901234567.9")),
    ("-(-5)", 5),
    ("'3 apples' + 4", 7),
    ("CAST(0.5 AS DOUBLE) * 3", 1.5),
    ("NULL + 1", None),
    ("{d '2000-01-01'} + 1", 58075),
    ("{d '2000-03-01'} - {d '2000-02-28'}", 2),
    # numbers
    ("ROUND(2.567, 2)", Decimal("2.57")),
    ("ROUND(-2.5, 0)", Decimal(-3)),
    ("ROUND(1234, -2)", 1200),
    ("TRUNCATE(2.567, 1)", Decimal("2.5")),
    ("FLOOR(-1.5)", Decimal(-2)),
    ("CEILING(1.2)", Decimal(2)),
    ("ABS(-3)", 3),
    ("SIGN(-2.5)", Decimal(-1)),
    ("POWER(2, 10)", Decimal(1024)),
    ("SQRT(2)", Decimal("1.414213562373095049")),
    ("TO_NUMBER('12.50')", Decimal("12.5")),
    ("GREATEST(1, 3, 2)", 3),
    ("LEAST('b', 'a')", "a"),
    # text
    ("UPPER('straße')", "STRAßE"),
    ("LOWER('ÉA')", "éa"),
    ("LENGTH('ab  ')", 2),
    ("CHARACTER_LENGTH('ab  ')", 4),
    ("SUBSTRING('abcdef', 2, 3)", "bcd"),
    ("SUBSTRING('abc', 0, 2)", "a"),
    ("SUBSTRING('abc', -1, 3)", "a"),
    ("SUBSTRING('abc' FROM 2)", "bc"),
    ("LEFT('abc', 2)", "ab"),
    ("RIGHT('abc', 2)", "bc"),
    ("'a' || 'b' || 1", "ab1"),
    ("'a' || NULL", None),
    ("CONCAT('a', 'b')", "ab"),
    ("STRING('a', NULL, 1)", "a1"),
    ("REPLACE('aXbX', 'X', '-')", "a-b-"),
    ("POSITION('b' IN 'abc')", 2),
    ("CHARINDEX('c', 'abcabc', 4)", 6),
    ("INSTR('abcabc', 'b', 1, 2)", 5),
    ("TRIM('  a ')", "a"),
    ("TRIM(LEADING 'x' FROM 'xxa')", "a"),
    ("LTRIM(' a')", "a"),
    ("LPAD('7', 3, '0')", "007"),
    ("RPAD('ab', 1)", "a"),
    ("REPEAT('ab', 2)", "abab"),
    ("REVERSE('abc')", "cba"),
    ("ASCII('A')", 65),
    ("CHAR(66)", "B"),
    ("STUFF('abcd', 2, 2, 'X')", "aXd"),
    ("$PIECE('a^b^c', '^', 2)", "b"),
    ("$PIECE('a^b^c', '^', 2, 3)", "b^c"),
    ("$EXTRACT('abc', 2)", "b"),
    ("$LENGTH('a,b', ',')", 2),
    ("$LISTTOSTRING($LISTBUILD('a', 'b'))", "a,b"),
    ("$LISTGET($LISTFROMSTRING('x,y'), 2)", "y"),
    ("$LISTLENGTH($LISTBUILD(1, 2))", 2),
    ("'' ", ""),
    ("LENGTH('')", 0),
    ("LENGTH(NULL)", None),
    ("'it''s'", "it's"),
    ("%SQLUPPER('aB ')", " AB"),
    ("%EXACT('aB')", "aB"),
    # choices
    ("COALESCE(NULL, 2)", 2),
    ("NVL(NULL, 'x')", "x"),
    ("ISNULL('', 'x')", ""),
    ("IFNULL(NULL, 1, 2)", 1),
    ("IFNULL(5, 1, 2)", 2),
    ("NULLIF(1, 1)", None),
    ("DECODE(2, 1, 'a', 2, 'b', 'c')", "b"),
    ("CASE WHEN 'a' = 'A' THEN 1 ELSE 0 END", 0),
    # dates and times
    ("CAST('2000-01-01' AS DATE)", 58074),
    ("TO_DATE('2000-01-01', 'YYYY-MM-DD')", 58074),
    ("TO_DATE('01 FEB 2000')", 58105),
    ("%ODBCOUT(CAST('1841-01-01' AS DATE))", "1841-01-01"),
    ("CAST(58074 AS DATE)", 58074),
    ("{d '1840-12-31'}", 0),
    ("CAST('10:11:12.5' AS TIME)", Decimal("36672.5")),
    ("{t '00:00:10'}", 10),
    ("%ODBCOUT({t '10:11:12.5'})", "10:11:12.5"),
    ("CAST('2000-01-01 10:00:00.120' AS TIMESTAMP)", "2000-01-01 10:00:00.12"),
    ("CAST('2000-01-01' AS TIMESTAMP)", "2000-01-01 00:00:00"),
    ("{ts '2000-01-01 10:00:00'}", "2000-01-01 10:00:00"),
    ("CAST({d '2000-01-01'} AS VARCHAR(10))", "2000-01-01"),
    ("CAST({ts '2000-01-02 03:04:05'} AS DATE)", 58075),
    ("CAST({ts '2000-01-02 03:04:05'} AS TIME)", 11045),
    ("TO_TIMESTAMP('2000-01-02 03:04:05', 'YYYY-MM-DD HH24:MI:SS')", "2000-01-02 03:04:05"),
    ("CAST('1970-01-01 00:00:00' AS POSIXTIME)", 2**60),
    ("TO_POSIXTIME('0001-01-01 00:00:00', 'YYYY-MM-DD HH24:MI:SS')", -6979664624441081856),
    ("CAST(CAST('9999-12-31 23:59:59.999999' AS POSIXTIME) AS VARCHAR(30))", "9999-12-31 23:59:59.999999"),
    ("%ODBCOUT(CAST('1969-12-31 23:59:59.5' AS POSIXTIME))", "1969-12-31 23:59:59.5"),
    ("TO_CHAR({d '2000-02-03'}, 'YYYY/MM/DD')", "2000/02/03"),
    ("TO_CHAR(1234.5, '9,999.99')", " 1,234.50"),
    ("DATEADD('mm', 1, {d '2000-01-31'})", "2000-02-29 00:00:00"),
    ("DATEDIFF('yy', '1999-12-31', '2000-01-01')", 1),
    ("DATEDIFF(dd, {d '2000-02-28'}, {d '2000-03-01'})", 2),
    ("DATEPART('week', '2000-01-02')", 2),
    ("YEAR('1999-05-06')", 1999),
    ("{fn DAYOFWEEK('2000-01-02')}", 1),
    ("DATENAME('month', '2000-02-01')", "February"),
    ("LAST_DAY({d '2000-02-10'})", 58133),
    ("{fn MONTHNAME({d '2000-02-10'})}", "February"),
    ("HOUR({t '10:11:12'})", 10),
    ("{fn TIMESTAMPDIFF(SQL_TSI_HOUR, '2000-01-01', '2000-01-02')}", 24),
    # casts
    ("CAST('12abc' AS INTEGER)", 12),
    ("CAST(12.7 AS INTEGER)", 12),
    ("CAST('2000-02-30' AS DATE)", 0),
    ("CAST('25:00:00' AS TIME)", 0),
    ("CAST(1.005 AS NUMERIC(5,2))", Decimal("1.01")),
    ("CAST('abc' AS VARCHAR(2))", "ab"),
    ("CAST(9223372036854775807 AS BIGINT)", 2**63 - 1),
    ("CAST(0.5 AS VARCHAR(5))", ".5"),
    ("CONVERT(VARCHAR(20), 12)", "12"),
    ("{fn CONVERT('12', SQL_INTEGER)}", 12),
    ("CONVERT(VARCHAR(20), {d '2000-02-03'}, 101)", "02/03/2000"),
    ("CAST('ab' AS VARBINARY(10))", b"ab"),
    ("CAST(NULL AS DATE)", None),
    ("CAST(5 AS BIT)", 1),
]


@pytest.mark.parametrize(("expression", "expected"), VALUES, ids=[value[0] for value in VALUES])
def test_value(rows: Rows, expression: str, expected: Any) -> None:
    ((found,),) = rows(f"SELECT {expression}")
    assert found == expected
    assert type(found) is type(expected)


def test_double_keeps_special_values(rows: Rows) -> None:
    ((nan, infinity, tiny),) = rows(
        "SELECT CAST('nan' AS DOUBLE), CAST('-inf' AS DOUBLE), CAST('5e-324' AS DOUBLE)"
    )
    assert math.isnan(nan)
    assert infinity == -math.inf
    assert tiny == 5e-324


@pytest.mark.parametrize(
    ("expression", "sqlcode"),
    [
        ("CAST(99999999 AS DATE)", -146),
        ("CAST(99999 AS TIME)", -147),
        ("TO_TIMESTAMP('x', 'YYYY')", -400),
        ("{d 'x'}", -146),
        ("{t '99:00:00'}", -147),
        ("TO_DATE('2000-13-01', 'YYYY-MM-DD')", -146),
        ("CAST('x' AS TIMESTAMP)", -146),
        ("DATEADD('century', 1, '2000-01-01')", -8),
        ("SQRT(-1)", -400),
        ("LOG(0)", -400),
        ("POWER(10, 1000)", -400),
        ("REPEAT('x', 4000000)", -400),
        ("LENGTH()", -1),
        ("CAST(1 AS NOTHING)", -376),
        ("CAST(99999999999 AS INTEGER)", -104),
        ("1E999", -400),
        ("DATEADD('yy', 99999999999, '2000-01-01')", -146),
    ],
)
def test_refused_value(refused: Refused, expression: str, sqlcode: int) -> None:
    assert refused(f"SELECT {expression}").sqlcode == sqlcode


def test_clock_functions_agree(rows: Rows) -> None:
    ((same, stamp, fraction),) = rows("SELECT CURRENT_DATE - CURDATE(), NOW(), CURRENT_TIMESTAMP(3)")
    assert same == 0
    assert len(stamp) == 19
    assert len(fraction) == 23


@pytest.mark.parametrize(
    ("parameter", "expression", "expected"),
    [
        ("5", "? + 1", Decimal(6)),
        (5, "? + 1", Decimal(6)),
        (2.5, "? * 2", Decimal(5)),
        (Decimal("0.1"), "? + 0.2", Decimal("0.3")),
        (True, "? + 0", Decimal(1)),
        ("", "?", ""),
        (None, "?", None),
        (7, "?", "7"),
        ("2000-01-01", "CAST(? AS DATE)", 58074),
        ("1.5", "CAST(? AS NUMERIC(5,2))", Decimal("1.5")),
        ("1.5", "CAST(? AS DOUBLE)", 1.5),
        ("a\0b", "LENGTH(?)", 3),
        ("a\0b", "? || 'c'", "a\0bc"),
        ("10:00:00", "CAST(? AS TIME)", 36000),
        ("2000-01-01 00:00:00.5", "CAST(? AS POSIXTIME)", 2**60 + 946684800_500_000),
    ],
)
def test_parameters(rows: Rows, parameter: Any, expression: str, expected: Any) -> None:
    ((found,),) = rows(f"SELECT {expression}", parameter)
    assert found == expected


def test_a_lone_surrogate_is_refused(refused: Refused) -> None:
    assert refused("SELECT ?", "\ud800").sqlcode == -400
