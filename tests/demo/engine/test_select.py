"""SELECT: sources, joins, grouping, paging and order."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.engine.interface import EngineOptions, Release
from iris_quart.demo.engine.namespace import Namespace

from .conftest import Refused, Rows

NAMES = ["Smith,John", "adams,zoe", "Çelik,Ayşe", "Nobody"]

CASES: list[tuple[str, tuple[Any, ...], list[tuple[Any, ...]]]] = [
    ("SELECT 1", (), [(1,)]),
    ("SELECT NULL AS a, '' AS b, 'x' AS c", (), [(None, "", "x")]),
    ("SELECT Name FROM Sample.Person WHERE %ID = ?", ("2",), [("adams,zoe",)]),
    ("SELECT ID, %ID FROM Sample.Person WHERE SSN = '111'", (), [(1, 1)]),
    ("SELECT name FROM SAMPLE.person WHERE ssn = '111'", (), [("Smith,John",)]),
    ('SELECT "NAME" FROM "sample"."PERSON" WHERE SSN = 111', (), [("Smith,John",)]),
    ("SELECT Name FROM Sample.Person WHERE Name = 'SMITH,JOHN'", (), [("Smith,John",)]),
    ("SELECT Name FROM Sample.Person WHERE %EXACT(Name) = 'SMITH,JOHN'", (), []),
    ("SELECT Name FROM Sample.Person WHERE Name = 'çELIK,ayşe'", (), [("Çelik,Ayşe",)]),
    (
        "SELECT Name FROM Sample.Person ORDER BY Name",
        (),
        [(NAMES[1],), (NAMES[3],), (NAMES[0],), (NAMES[2],)],
    ),
    (
        "SELECT Name FROM Sample.Person ORDER BY %EXACT(Name)",
        (),
        [(NAMES[3],), (NAMES[0],), (NAMES[1],), (NAMES[2],)],
    ),
    ("SELECT DISTINCT Home_City FROM Sample.Person ORDER BY Home_City", (), [(None,), ("",), ("BOSTON",)]),
    (
        "SELECT Home_City, COUNT(*) AS n FROM Sample.Person GROUP BY Home_City ORDER BY n DESC, Home_City",
        (),
        [("BOSTON", 2), (None, 1), ("", 1)],
    ),
    (
        """SELECT %EXACT(Home_City) c, COUNT(*) FROM Sample.Person GROUP BY %EXACT(Home_City)
        HAVING COUNT(Home_City) > 0 ORDER BY c""",
        (),
        [("", 1), ("Boston", 1), ("boston", 1)],
    ),
    ("SELECT Name, Company->Name FROM Sample.Person WHERE ID = 1", (), [("Smith,John", "Acme")]),
    ("SELECT Spouse->Company->Name FROM Sample.Person WHERE ID = 4", (), [("Acme",)]),
    ("SELECT Name FROM Sample.Person WHERE Company->Name = 'ørsted'", (), [("adams,zoe",)]),
    ("SELECT ID FROM Sample.Person ORDER BY Company->Name DESC, ID", (), [(2,), (1,), (3,), (4,)]),
    (
        "SELECT p.Name, c.Name FROM Sample.Person p INNER JOIN Sample.Company AS c ON p.Company = c.%ID ORDER BY p.ID",
        (),
        [("Smith,John", "Acme"), ("adams,zoe", "Ørsted")],
    ),
    (
        "SELECT p.ID, c.Name FROM Sample.Person p LEFT OUTER JOIN Sample.Company c ON p.Company = c.ID ORDER BY p.ID",
        (),
        [(1, "Acme"), (2, "Ørsted"), (3, None), (4, None)],
    ),
    (
        "SELECT p.ID, c.ID FROM Sample.Person p, Sample.Company c WHERE p.Company = c.ID ORDER BY 1",
        (),
        [(1, 1), (2, 2)],
    ),
    (
        "SELECT Name FROM Sample.Company UNION SELECT Label FROM Code ORDER BY Name",
        (),
        [("Acme",), ("lower",), ("upper",), ("Ørsted",)],
    ),
    ("SELECT 1 AS a UNION ALL SELECT 1 ORDER BY a", (), [(1,), (1,)]),
    (
        "SELECT Name FROM Sample.Person WHERE Company IN (SELECT ID FROM Sample.Company WHERE Revenue > 100)",
        (),
        [("adams,zoe",)],
    ),
    (
        "SELECT ID FROM Sample.Person p WHERE EXISTS (SELECT 1 FROM Sample.Company WHERE ID = p.Company) ORDER BY ID",
        (),
        [(1,), (2,)],
    ),
    (
        "SELECT (SELECT MAX(Salary) FROM Sample.Person), (SELECT Name FROM Sample.Company WHERE ID = 1)",
        (),
        [(200, "Acme")],
    ),
    (
        "SELECT ID FROM Sample.Person WHERE Salary > ALL (SELECT Salary FROM Sample.Person WHERE Salary < 200)",
        (),
        [(2,)],
    ),
    ("SELECT ID FROM Sample.Person WHERE Salary = ANY (SELECT 100 UNION SELECT 300)", (), [(1,)]),
    (
        "SELECT CASE WHEN Home_City IS NULL THEN 1 ELSE 0 END FROM Sample.Person ORDER BY ID",
        (),
        [(0,), (0,), (0,), (1,)],
    ),
    (
        "SELECT CASE Home_City WHEN 'BOSTON' THEN 'b' WHEN '' THEN 'empty' END FROM Sample.Person ORDER BY ID",
        (),
        [("b",), ("b",), ("empty",), (None,)],
    ),
    ("WITH c AS (SELECT ID AS k FROM Sample.Company) SELECT k FROM c ORDER BY k DESC", (), [(2,), (1,)]),
    ("SELECT TOP 2 ID FROM Sample.Person ORDER BY ID", (), [(1,), (2,)]),
    ("SELECT TOP ? ID FROM Sample.Person WHERE ID > ? ORDER BY ID", ("1", "1"), [(2,)]),
    ("SELECT TOP 0 ID FROM Sample.Person", (), []),
    ("SELECT ID FROM Sample.Person ORDER BY ID LIMIT 2 OFFSET 1", (), [(2,), (3,)]),
    (
        "SELECT ID FROM Sample.Person ORDER BY ID OFFSET ? ROWS FETCH NEXT ? ROWS ONLY",
        ("1", "2"),
        [(2,), (3,)],
    ),
    (
        "SELECT k FROM (SELECT TOP 3 ID AS k FROM Sample.Person ORDER BY ID DESC) WHERE %VID BETWEEN 2 AND 3",
        (),
        [(3,), (2,)],
    ),
    (
        "SELECT %VID, k FROM (SELECT ID AS k FROM Sample.Person ORDER BY ID DESC) t ORDER BY k",
        (),
        [(4, 1), (3, 2), (2, 3), (1, 4)],
    ),
    (
        "SELECT ID, ROW_NUMBER() OVER (ORDER BY Name) FROM Sample.Person ORDER BY ID",
        (),
        [(1, 3), (2, 1), (3, 4), (4, 2)],
    ),
    ("SELECT Name FROM Sample.Person WHERE Name %STARTSWITH 'AD'", (), [("adams,zoe",)]),
    ("SELECT Code FROM Code WHERE Code %STARTSWITH 'A'", (), [("A",)]),
    ("SELECT Name FROM Sample.Person WHERE Name [ 'ZOE'", (), []),
    ("SELECT Name FROM Sample.Person WHERE Name [ 'zoe'", (), [("adams,zoe",)]),
    ("SELECT Name FROM Sample.Person WHERE Name LIKE '%Z_E'", (), [("adams,zoe",)]),
    ("SELECT Name FROM Sample.Person WHERE Name LIKE 'Ç%ŞE'", (), [("Çelik,Ayşe",)]),
    ("SELECT Name FROM Sample.Person WHERE %EXACT(Name) LIKE '%ZOE'", (), []),
    ("SELECT Name FROM Sample.Person WHERE %SQLUPPER(Name) LIKE ? ESCAPE '\\'", ("%\\_%",), []),
    ("SELECT Code FROM Code WHERE %SQLUPPER(Label) LIKE %SQLUPPER('LOW%')", (), [("a",)]),
    ("SELECT Code FROM Code WHERE %SQLUPPER(Label) LIKE 'LOW%'", (), []),
    (
        "SELECT Code FROM Code WHERE %SQLUPPER(Code) %STARTSWITH %SQLUPPER('a') AND %SQLUPPER(Label) = %SQLUPPER(?)",
        ("LOWER ",),
        [("a",)],
    ),
    ("SELECT COUNT(*) FROM Sample.Person WHERE Home_City %STARTSWITH ' '", (), [(3,)]),
    ("SELECT Code FROM Code WHERE Code IN ('a', 'b')", (), [("a",)]),
    (
        "SELECT ID FROM Sample.Person WHERE Name IN ('ADAMS,ZOE', 'x') OR SSN BETWEEN '333' AND '4444' ORDER BY ID",
        (),
        [(2,), (3,), (4,)],
    ),
    (
        "SELECT ID FROM Sample.Person WHERE NOT (Salary > ? OR (Salary = ? AND ID > ?))",
        (None, "100", "1"),
        [],
    ),
    (
        "SELECT COUNT(*), COUNT(Salary), SUM(Salary), AVG(Salary), MIN(Name), MAX(DOB) FROM Sample.Person",
        (),
        [(4, 2, 300, Decimal(150), "adams,zoe", 54422)],
    ),
    ("SELECT SUM(Revenue) FROM Sample.Company", (), [(Decimal("10000000000000012.49"),)]),
    (
        "SELECT COUNT(DISTINCT Home_City), LIST(SSN) FROM Sample.Person WHERE Home_City = 'boston'",
        (),
        [(1, "222,111")],
    ),
    ("SELECT * FROM (SELECT 1 AS a, 2 AS b) AS t", (), [(1, 2)]),
    ("SELECT Age FROM Sample.Person WHERE Age >= 40", (), [(40,)]),
    (
        "SELECT %TABLENAME, %CLASSNAME FROM Sample.Person WHERE ID = 1",
        (),
        [("Sample.Person", "Sample.Person")],
    ),
]


@pytest.mark.parametrize(("sql", "parameters", "expected"), CASES, ids=[case[0][:90] for case in CASES])
def test_rows(rows: Rows, sql: str, parameters: tuple[Any, ...], expected: list[tuple[Any, ...]]) -> None:
    found = rows(sql, *parameters)
    if "LIST(" in sql:
        found = [(count, ",".join(sorted(text.split(","), reverse=True))) for count, text in found]
    assert found == expected


@pytest.mark.parametrize(
    ("sql", "labels"),
    [
        (
            "SELECT Name, name AS n, ID + 1, COUNT(*), 'x', (SELECT 1) FROM Sample.Person GROUP BY Name, ID",
            None,
        ),
        ("SELECT NAME, ? FROM Sample.Person WHERE ID = 1", ["Name", "HostVar_2"]),
        ("SELECT Company->Name, UPPER(Name) FROM Sample.Person", ["Name", "Expression_2"]),
    ],
)
def test_labels(namespace: Namespace, sql: str, labels: list[str] | None) -> None:
    found = [column.name for column in namespace.execute(sql, ("x",)).columns]
    assert found == (labels or ["Name", "n", "Expression_3", "Aggregate_4", "HostVar_5", "Subquery_6"])


def test_row_id_is_listed_for_class_tables_only(namespace: Namespace) -> None:
    person = [column.name for column in namespace.execute("SELECT * FROM Sample.Person").columns]
    assert person[:3] == ["ID", "Age", "Company"]
    assert "Home" not in person
    assert "Home_City" in person
    code = [column.name for column in namespace.execute("SELECT * FROM Code").columns]
    assert code == ["Code", "Label", "Changed", "Number"]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("column", ["Home_City", "Salary", "DOB"])
def test_keyset_pages_reach_every_row_once(rows: Rows, column: str, descending: bool) -> None:
    for number in range(5, 25):
        city = [None, "", "Salem", "boston", "Ürgüp"][number % 5]
        rows(
            "INSERT INTO Sample.Person (Name, SSN, Home_City, Salary, DOB) VALUES (?, ?, NULL, ?, ?)",
            f"n{number}",
            str(number),
            number % 4 or None,
            number % 3 or None,
        )
        if city is not None:
            rows(
                f"UPDATE Sample.Person SET Home_City = {'?' if city else repr(city)} WHERE %ID = {number}",
                *filter(None, [city]),
            )
    down = " DESC" if descending else ""
    select = f'SELECT TOP 3 %ID, "{column}" FROM Sample.Person'
    order = f'ORDER BY "{column}"{down}, %ID'
    whole = rows(f'SELECT %ID, "{column}" FROM Sample.Person {order}')
    found = rows(f"{select} {order}")
    while page := rows(
        f"{select} WHERE {_behind(column, found[-1][1], descending)} {order}", *_values(found[-1])
    ):
        found.extend(page)
    assert found == whole


def _behind(column: str, value: Any, descending: bool) -> str:
    if value is None:
        return (
            f'("{column}" IS NULL AND %ID > ?)'
            if descending
            else f'("{column}" IS NOT NULL OR ("{column}" IS NULL AND %ID > ?))'
        )
    beyond = f'("{column}" < ? OR "{column}" IS NULL)' if descending else f'"{column}" > ?'
    return f'({beyond} OR ("{column}" = ? AND %ID > ?))'


def _values(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return (row[0],) if row[1] is None else (row[1], row[1], row[0])


def test_max_rows_cuts_the_answer(namespace: Namespace) -> None:
    assert len(namespace.execute("SELECT ID FROM Sample.Person", max_rows=3).rows) == 3


def test_unordered_rows_come_by_row_id(tmp_path: Path) -> None:
    namespace = Namespace("X", tmp_path / "x.db", EngineOptions(careless_order=False))
    namespace.run_script("CREATE TABLE T (a INTEGER, b INTEGER); CREATE INDEX B ON T (b)")
    namespace.bulk_load("SQLUser.T", ["a", "b"], [(number, -number) for number in range(50)])
    for query in ("SELECT b FROM T", "SELECT a, b FROM T WHERE b > -99", "SELECT TOP 50 b FROM T"):
        assert [row[-1] for row in namespace.execute(query).rows] == [-number for number in range(50)]
    namespace.close()


def test_unordered_rows_come_backwards_in_tests(rows: Rows) -> None:
    assert rows("SELECT ID FROM Sample.Person") == [(4,), (3,), (2,), (1,)]
    assert rows("SELECT TOP 1 ID FROM Sample.Person") == [(4,)]


def test_shuffled_rows_depend_on_the_seed_alone(tmp_path: Path) -> None:
    def order(seed: int) -> list[tuple[Any, ...]]:
        path = tmp_path / f"{seed}.db"
        namespace = Namespace("X", path, EngineOptions(shuffle_unordered=seed))
        namespace.run_script("CREATE TABLE IF NOT EXISTS T (a INTEGER)")
        namespace.bulk_load("SQLUser.T", ["a"], [(number,) for number in range(50)])
        found = namespace.execute("SELECT a FROM T").rows
        again = namespace.execute("SELECT a FROM T").rows
        assert found == again
        namespace.close()
        return found

    first, second = order(1), order(2)
    assert first != second
    assert sorted(first) == sorted(second) == [(number,) for number in range(50)]


def test_limit_does_not_exist_before_2025_1(tmp_path: Path) -> None:
    namespace = Namespace("X", tmp_path / "x.db", EngineOptions(release=Release(2023, 1)))
    namespace.run_script("CREATE TABLE T (a INTEGER)")
    for tail in ("LIMIT 10", "ORDER BY a OFFSET 1 ROWS", "OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY"):
        with pytest.raises(SqlError) as caught:
            namespace.execute(f"SELECT a FROM T {tail}")
        assert caught.value.sqlcode == -25
        assert "encountered after end of query" in caught.value.text
    assert namespace.execute("SELECT TOP 1 a FROM T").rows == []
    namespace.close()


@pytest.mark.parametrize(
    ("sql", "sqlcode", "text"),
    [
        ("SELECT Nme FROM Sample.Person", -29, "Field 'NME' not found in the applicable tables^ SELECT Nme"),
        ("SELECT Name FROM Sample.Persn", -30, "Table 'SAMPLE.PERSN' not found"),
        ("SELECT ID FROM Sample.Person p, Sample.Company c", -27, "Field 'ID' is ambiguous"),
        ("SELECT x.Name FROM Sample.Person p", -23, "Label 'X' is not listed"),
        (
            "SELECT FOO(Name) FROM Sample.Person",
            -359,
            "User defined SQL function 'SQLUSER.FOO' does not exist",
        ),
        ("SELECT", -12, "A term expected, beginning with either of:"),
        ("SELECT Name FROM", -1, "IDENTIFIER expected, end of statement found"),
        ("SELECT Name FROM Sample.Person WHERE Name", -14, "comparison operator"),
        ("SELECT Name FROM Sample.Person extra words", -25, "Input (words) encountered after end of query^"),
        ("SELECT 'x", -3, "Closing quote"),
        ("FROB", -51, "An SQL statement expected, FROB found"),
        ("{", -51, "An SQL statement expected, { found"),
        ('SELECT "%ID" FROM Sample.Person', -29, "Field '%ID' not found"),
        ("SELECT %ROWCOUNT", -12, "A term expected"),
        ("SELECT TOP 5 ID FROM Sample.Person LIMIT 5", -386, "TOP and LIMIT"),
        ("SELECT Name, COUNT(*) FROM Sample.Person", -1, "not supported here"),
        ("SELECT Name FROM Sample.Person WHERE COUNT(*) > 1", -19, "aggregate"),
        ("SELECT SUM(MAX(Salary)) FROM Sample.Person", -78, "aggregate"),
        ("SELECT Notes FROM Sample.Person WHERE Notes = 'x'", -313, "stream"),
        ("SELECT UPPER(Notes) FROM Sample.Person", -37, "stream fields"),
        ("SELECT Name FROM Sample.Person ORDER BY Notes", -313, "stream"),
        ("SELECT Name FROM Sample.Person ORDER BY 2", -5, "Column number 2"),
        ("SELECT 1/0", -400, "<DIVIDE>"),
        ("SELECT 9223372036854775807 + 1", -400, "<MAXNUMBER>"),
        ("SELECT ID FROM Sample.Person WHERE Name %CONTAINS 'x'", -1, "%CONTAINS"),
        ("SELECT ID FROM Sample.Person WHERE Name %PATTERN '.(.A)'", -400, "<COMPLEX PATTERN>"),
        ("SELECT ID FROM Sample.Person WHERE Name %PATTERN 'A'", -400, "<SYNTAX>"),
        ("SELECT NTILE(0) OVER (ORDER BY ID) FROM Sample.Person", -400, ""),
        ("CALL Sample.Proc()", -428, "Sample.Proc"),
        ("SELECT 1 UNION SELECT 1, 2", -9, "1 and 2 items"),
        ("SELECT Name FROM Sample.Person JOIN Sample.Company USING (Name)", -1, "USING"),
        ("SELECT Salary->Name FROM Sample.Person", -68, "not a reference"),
        ("SELECT 1;", -25, "Input (;)"),
    ],
)
def test_refusals(refused: Refused, sql: str, sqlcode: int, text: str) -> None:
    error = refused(sql)
    assert (error.sqlcode, text in error.text) == (sqlcode, True), error.text


def test_streams_show_an_identifier_and_give_their_text_to_substring(rows: Rows) -> None:
    ((shown, part, length, whole),) = rows(
        "SELECT Notes, SUBSTRING(Notes, 3, 4), CHARACTER_LENGTH(Notes), SUBSTRING(Notes, 1, 100) FROM Sample.Person"
        " WHERE Notes IS NOT NULL"
    )
    assert "%Stream.GlobalCharacter" in shown
    assert "long text" not in shown
    assert (part, length, whole) == ("long", 11, "a long text")
    ((derived,),) = rows(
        "SELECT SUBSTRING(n, 1, 6) FROM (SELECT Notes AS n FROM Sample.Person WHERE ID = 2) t"
    )
    assert derived == "a long"


def test_lists_and_serial_containers(namespace: Namespace, rows: Rows) -> None:
    rows("UPDATE Sample.Person SET FavoriteColors = $LISTBUILD('Red', 'Blue') WHERE ID = 1")
    ((logical, text, lines, container),) = rows(
        "SELECT FavoriteColors, %ODBCOUT(FavoriteColors), %EXTERNAL(FavoriteColors), Home FROM Sample.Person"
        " WHERE ID = 1"
    )
    assert logical == "\x05\x01Red\x06\x01Blue"
    assert (text, lines) == ("Red,Blue", "Red\r\nBlue")
    assert container == "\x01\x08\x01Boston"
    assert rows("SELECT FavoriteColors FROM Sample.Person WHERE ID = 1", select_mode="odbc") == [
        ("Red,Blue",)
    ]


def test_a_stream_out_of_a_derived_table_is_that_of_its_row(rows: Rows) -> None:
    plain = rows("SELECT Notes FROM Sample.Person WHERE ID = 2")
    assert plain[0][0]
    assert rows("SELECT Notes FROM (SELECT ID, Notes FROM Sample.Person) WHERE ID = 2") == plain
    assert (
        rows("SELECT x FROM (SELECT Notes AS x, ID FROM (SELECT ID, Notes FROM Sample.Person)) WHERE ID = 2")
        == plain
    )
    assert rows("WITH n AS (SELECT ID, Notes FROM Sample.Person) SELECT Notes FROM n WHERE ID = 2") == plain
    rows("CREATE VIEW Noted AS SELECT ID, Notes FROM Sample.Person")
    assert rows("SELECT Notes FROM Noted WHERE ID = 2") == plain


def test_words_that_iris_reserves_are_no_alias(refused: Refused, rows: Rows) -> None:
    for word in ("Found", "Level", "Count", "Module", "User", "Rows", "Procedure"):
        error = refused(f"SELECT Name AS {word} FROM Sample.Person")
        assert (error.sqlcode, f"reserved word {word.upper()} found" in error.text) == (-1, True)
        assert rows(f'SELECT Name AS "{word}" FROM Sample.Person WHERE ID = 1')
    assert rows("SELECT Name AS Value FROM Sample.Person WHERE ID = 1")


def test_the_process_knows_its_user(namespace: Namespace) -> None:
    found = namespace.execute("SELECT $USERNAME, USER, $NAMESPACE", user="alice").rows
    assert found == [("alice", "alice", "SAMPLES")]
    assert namespace.execute("SELECT $USERNAME, USER, $NAMESPACE", user="bob").rows == [
        ("bob", "bob", "SAMPLES")
    ]


def test_an_update_takes_its_values_from_another_table(rows: Rows) -> None:
    rows("UPDATE Sample.Person p SET Home_City = c.Name FROM Sample.Company c WHERE p.Company = c.ID")
    assert rows("SELECT Home_City FROM Sample.Person WHERE Company IS NOT NULL ORDER BY ID") == [
        ("Acme",),
        ("Ørsted",),
    ]


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("1U.L", "Abc", True),
        ("1U.L", "abc", False),
        ('3N1"-"2N', "123-45", True),
        ("1.2N", "123", False),
        ('1(1"a",1"b")2N', "b12", True),
        ("2.A", "a", False),
    ],
)
def test_patterns(rows: Rows, pattern: str, text: str, fits: bool) -> None:
    found = rows("SELECT ID FROM Sample.Person WHERE ID = 1 AND ? %PATTERN ?", text, pattern)
    assert bool(found) is fits
