"""Bad input: whatever comes in, the answer is rows or an SQL error, soon, and an error changes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.engine.interface import Result
from iris_quart.demo.engine.namespace import Namespace
from iris_quart.demo.parse.lexer import tokenize

from .conftest import SCRIPT
from .test_functions import VALUES
from .test_schema import COLUMN_FACTS
from .test_select import CASES
from .test_writes import REFUSALS

CORPUS = [
    *(case[0] for case in CASES),
    *(case[0] for case in REFUSALS),
    *(f"SELECT {value[0]}" for value in VALUES),
    COLUMN_FACTS,
    "INSERT OR UPDATE INTO Code (Code, Label) VALUES (?, DEFAULT), ('x', 'y')",
    "UPDATE Sample.Person SET Name = ?, DOB = TO_DATE(?, 'YYYY-MM-DD') WHERE %ID = ? AND %EXACT(Name) = ?",
    """CREATE TABLE T (%DESCRIPTION 'd', a VARCHAR(10) COLLATE %EXACT DEFAULT 'x' NOT NULL, b ROWVERSION,
    h %SERIAL (c INTEGER), l %LIST, r %REFERENCE Code, g INTEGER GENERATED ALWAYS AS (b + 1),
    CONSTRAINT k PRIMARY KEY (a)) WITH %CLASS""",
    "CREATE TABLE T (a VARCHAR(10)) WITH %TRIGGER x UPDATE a AS (TRIM(a))",
    "CREATE VIEW V (a) AS SELECT Name FROM Sample.Person WHERE ID > 1 WITH CHECK OPTION",
    "CREATE UNIQUE INDEX I ON TABLE Code (Label DESC)",
    "DROP TABLE IF EXISTS T CASCADE",
    "ALTER TABLE Code ADD COLUMN x INTEGER NOT NULL DEFAULT 3, y DATE",
    "ALTER TABLE Code MODIFY Label VARCHAR(40) NOT NULL",
    "ALTER TABLE Code DROP CONSTRAINT CODEPKEY1",
    "ALTER TABLE T ALTER COLUMN a RENAME c",
    "ALTER TABLE T RENAME U",
    "SELECT n, a FROM JSON_TABLE('[{\"a\":[1,null]}]', '$[0].a' COLUMNS (n FOR ORDINALITY, a INTEGER PATH '$')) t",
    """SELECT ID, SUM(Salary) OVER (PARTITION BY Company ORDER BY ID ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING),
    AVG(ID) OVER (ORDER BY ID ROWS UNBOUNDED PRECEDING) FROM Sample.Person""",
    "CREATE TABLE T AS SELECT ID, Name FROM Sample.Person",
    "EXPLAIN ALT SELECT Name FROM Sample.Person WHERE ID = ?",
    "CALL %SQL_MANAGER.TablesTree(0, 'Sample.*')",
    "SELECT DISTINCT BY (Name) Name, ID FROM Sample.SP_Sample_By_Name('a') p WHERE p.ID > 1",
    "SELECT Name FROM Sample.Person WHERE Name %INLIST $LISTFROMSTRING('a,b') OR NOT Name %MATCHES '[a-z]*?'",
    """SELECT ID FROM Sample.Person WHERE Name %PATTERN '1U.L1","1(1"a",2N)' AND FOR SOME %ELEMENT(FavoriteColors) e
    (%VALUE = 'x' AND e.%KEY > 1)""",
    """SELECT ID, LAG(Name, 2, 'x') OVER (PARTITION BY Company ORDER BY ID DESC), SUM(Salary) OVER (ORDER BY ID),
    NTILE(3) OVER (ORDER BY ID), NTH_VALUE(Salary, 2) OVER (ORDER BY ID) FROM Sample.Person""",
    "SELECT JSON_OBJECT('a':ID, KEY 'b' VALUE JSON_ARRAY(1, NULL ABSENT ON NULL) NULL ON NULL) FROM Sample.Person",
    "SELECT JSON_ARRAYAGG(Salary), XMLAGG(XMLELEMENT(NAME x, XMLATTRIBUTES(ID AS i), Name)) FROM Sample.Person",
    "UPDATE Code SET Label = p.Name FROM Sample.Person p WHERE p.ID = Code.Number",
    "SELECT $HOROLOG, $USERNAME, LAST_IDENTITY(), %SYSTEM.CancelQuery(1, 2)",
    "SELECT %Dictionary.GetParameterValue(Parameters, 'MAXLEN') FROM %Dictionary.CompiledProperty",
    "SELECT * FROM INFORMATION_SCHEMA.CURRENT_STATEMENTS c",
    "START TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE",
    "TUNE TABLE Sample.Person %SAVE",
]
FRAGMENTS = sorted({token.text for sql in CORPUS for token in tokenize(sql) if token.text})
PARAMETERS = ["5", "x", None, 2.5, "2000-01-01", 7, "", "a\0", 10**30, "\ud800"]
SECONDS = 2.0


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    """Open one namespace for all of a test's examples."""
    path: Path = tmp_path_factory.mktemp("fuzz") / "fuzz.db"
    namespace = Namespace("FUZZ", path)
    namespace.run_script(SCRIPT)
    yield namespace
    namespace.close()


def contents(namespace: Namespace) -> list[object]:
    """Return every row and every definition."""
    with namespace._storage.reader() as connection:
        names = [
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
        found: list[object] = [
            connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        ]
        found.extend(
            connection.execute('SELECT * FROM "' + name.replace('"', '""') + '"').fetchall()
            for name in names
            if not name.startswith(("INFORMATION_SCHEMA", "%Dictionary"))
        )
    return found


def answers(namespace: Namespace, sql: str) -> None:
    """Run a statement and check what must always hold."""
    before = contents(namespace)
    started = time.thread_time()
    error: SqlError | None = None
    result: Result | None = None
    try:
        result = namespace.execute(sql, PARAMETERS, select_mode="odbc" if len(sql) % 2 else "logical")
    except SqlError as caught:
        error = caught
    assert time.thread_time() - started < SECONDS
    if error is not None:
        assert error.sqlcode < 0
        assert error.text
    if result is None or result.is_query:
        assert contents(namespace) == before


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """Return a statement of the corpus with some of its tokens gone, swapped, doubled or foreign."""
    words = [token.text for token in tokenize(draw(st.sampled_from(CORPUS))) if token.text]
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(words) - 1, 0)))
        other = draw(st.integers(0, max(len(words) - 1, 0)))
        kind = draw(st.sampled_from(["delete", "swap", "double", "foreign", "replace"]))
        if kind == "foreign" or not words:
            words.insert(at, draw(st.sampled_from(FRAGMENTS)))
        elif kind == "delete":
            del words[at]
        elif kind == "swap":
            words[at], words[other] = words[other], words[at]
        elif kind == "double":
            words[at:at] = words[min(at, other) : max(at, other) + 1]
        else:
            words[at] = draw(st.sampled_from(FRAGMENTS))
    return " ".join(words)


CHECKS = settings(
    deadline=None, suppress_health_check=list(HealthCheck), max_examples=300, derandomize=True, database=None
)


@CHECKS
@given(sql=mutations())
def test_mutated_statements(fuzzed: Namespace, sql: str) -> None:
    answers(fuzzed, sql)


@CHECKS
@given(sql=st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(" ".join))
def test_shuffled_words(fuzzed: Namespace, sql: str) -> None:
    answers(fuzzed, sql)


@CHECKS
@given(
    text=st.text(max_size=60),
    around=st.sampled_from(["{}", "SELECT {}", "SELECT '{}'", 'SELECT "{}"', "SELECT 1 WHERE {}"]),
)
@example(text="\0", around='CREATE TABLE "{}" (a INTEGER)')
@example(text="\0", around='CREATE TABLE T0 ("{}" INTEGER)')
@example(text="\ud800", around="SELECT '{}'")
@example(text="\ud800", around='CREATE TABLE "{}" (a INTEGER)')
@example(text="²", around="SELECT {}")
@example(text="٣", around="SELECT TOP {} 1")
@example(text="rowid", around='CREATE TABLE T1 ({} INTEGER, "_rowid_" INTEGER, oid INTEGER)')
def test_any_text(fuzzed: Namespace, text: str, around: str) -> None:
    answers(fuzzed, around.format(text))


DEEP = 10_000
LONG = {
    "parentheses": "SELECT " + "(" * DEEP + "1" + ")" * DEEP,
    "conditions": "SELECT 1 WHERE " + "(" * DEEP + "1 = 1" + ")" * DEEP,
    "queries": "SELECT " + "(SELECT " * DEEP + "1" + ")" * DEEP,
    "derived tables": "SELECT * FROM " + "(SELECT * FROM " * DEEP + "Code" + ")" * DEEP,
    "functions": "SELECT " + "UPPER(" * DEEP + "'x'" + ")" * DEEP,
    "cases": "SELECT " + "CASE WHEN 1 = 1 THEN " * DEEP + "1" + " END" * DEEP,
    "joins": "SELECT * FROM " + "(" * DEEP + "Code",
    "not": "SELECT 1 WHERE " + "NOT " * DEEP + "1 = 1",
    "minus": "SELECT " + "- " * DEEP + "1",
    "casts": "SELECT " + "CAST(" * DEEP + "1" + " AS INTEGER)" * DEEP,
    "digits": "SELECT " + "9" * 4000,
    "decimals": "SELECT 0." + "9" * 4000,
    "exponent": "SELECT 1E" + "9" * 4000,
    "digits in TOP": "SELECT TOP " + "9" * 4000 + " 1",
    "digits in a type": "SELECT CAST(1 AS NUMERIC(" + "9" * 4000 + "))",
    "digits as text": "SELECT CAST('" + "9" * 4000 + "' AS INTEGER)",
    "digits compared": "SELECT ID FROM Sample.Person WHERE ID = '" + "9" * 4000 + "' OR Salary > " + "9" * 40,
    "a megabyte of text": "SELECT LENGTH('" + "x" * 1_000_000 + "')",
    "a megabyte of words": "SELECT " + "a " * 500_000,
    "a megabyte of items": "SELECT " + "1," * 500_000 + "1",
    "a megabyte of additions": "SELECT 1" + "+1" * 500_000,
    "a long sum": "SELECT 1" + "+1" * 5_000,
    "a long concatenation": "SELECT 'a'" + "||'a'" * 20_000,
    "a megabyte of terms": "SELECT ID FROM Sample.Person WHERE ID = 1" + " OR ID = 1" * 15_000,
    "a long list": "SELECT ID FROM Sample.Person WHERE ID IN (" + "1," * 40_000 + "1)",
    "a long union": "SELECT 1" + " UNION ALL SELECT 1" * 1_000,
    "many joins": "SELECT COUNT(*) FROM Code" + ", Code" * 100,
    "a megabyte of comment": "/*" + "x" * 1_000_000 + "*/ SELECT 1",
    "an open comment": "/*" + "x" * 1_000_000,
    "a megabyte of quotes": "SELECT " + "''" * 500_000,
    "a wild pattern": "SELECT 1 WHERE '" + "a" * 30_000 + "' LIKE '" + "%a" * 1_000 + "%b'",
    "a wild pattern on a column": "SELECT ID FROM Sample.Person WHERE Name LIKE '" + "%_" * 5_000 + "'",
    "too long": "SELECT '" + "x" * 4_000_000 + "'",
}


@pytest.mark.parametrize("name", LONG)
def test_long_and_deep_statements(fuzzed: Namespace, name: str) -> None:
    answers(fuzzed, LONG[name])


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(CHECKS, max_examples=20_000, derandomize=True)
@given(sql=mutations())
def test_many_mutated_statements(fuzzed: Namespace, sql: str) -> None:
    answers(fuzzed, sql)
