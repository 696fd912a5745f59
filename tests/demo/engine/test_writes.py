"""INSERT, UPDATE, DELETE: what they write, what they refuse, and that a refusal changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.engine.namespace import Namespace

from .conftest import Refused, Rows


def everything(namespace: Namespace) -> list[Any]:
    """Return every row of every table, and the counters."""
    found: list[Any] = []
    for table in namespace.catalog.tables.values():
        if not table.system:
            order = "" if table.is_view else " ORDER BY %ID"
            found.append(namespace.execute(f'SELECT * FROM "{table.schema}"."{table.name}"{order}').rows)
    return found


def test_statements_that_write_answer_nothing(namespace: Namespace) -> None:
    for sql in (
        "INSERT INTO Code (Code) VALUES ('n')",
        "UPDATE Code SET Label = 'x'",
        "DELETE FROM Code WHERE Code = 'zz'",
    ):
        result = namespace.execute(sql)
        assert (result.is_query, result.columns, result.rows) == (False, (), [])


def test_guarded_update_writes_only_the_row_as_seen(rows: Rows) -> None:
    update = (
        "UPDATE Sample.Person SET Name = ?, DOB = TO_DATE(?, 'YYYY-MM-DD') WHERE %ID = ? AND %EXACT(Name) = ?"
        " AND DOB = TO_DATE(?, 'YYYY-MM-DD') AND Notes IS NULL AND Home_City = 'boston'"
    )
    rows(update, "New", "2001-02-03", "1", "SMITH,JOHN", "1980-05-06")
    assert rows("SELECT Name FROM Sample.Person WHERE ID = 1") == [("Smith,John",)]
    rows(update, "New", "2001-02-03", "1", "Smith,John", "1980-05-06")
    assert rows("SELECT Name, %ODBCOUT(DOB) FROM Sample.Person WHERE ID = 1") == [("New", "2001-02-03")]


def test_empty_text_and_null_are_two_values(rows: Rows) -> None:
    assert rows("SELECT ID FROM Sample.Person WHERE Home_City = ''") == [(3,)]
    assert rows("SELECT ID FROM Sample.Person WHERE Home_City IS NULL") == [(4,)]
    rows("UPDATE Sample.Person SET Home_City = NULL WHERE Home_City = ''")
    assert rows("SELECT ID FROM Sample.Person WHERE Home_City IS NULL ORDER BY ID") == [(3,), (4,)]


def test_insert_forms(rows: Rows) -> None:
    rows("INSERT INTO Code VALUES ('p', 'positional', NULL)")
    rows("INSERT Code SET Code = 'q', Label = DEFAULT")
    rows("INSERT INTO Code (Code, Label) VALUES ('r', 'x'), ('s', 'y')")
    rows(
        "INSERT INTO Code (Code, Label) SELECT SSN, SUBSTRING(Name, 1, 3) FROM Sample.Person WHERE ID < ?",
        "2",
    )
    assert rows("SELECT Code, Label FROM Code WHERE %ID > 2 ORDER BY %ID") == [
        ("p", "positional"),
        ("q", "none"),
        ("r", "x"),
        ("s", "y"),
        ("111", "Smi"),
    ]


def test_insert_or_update(rows: Rows) -> None:
    rows("INSERT OR UPDATE Code (Code, Label) VALUES ('a', 'again')")
    rows("INSERT OR UPDATE INTO Code (Code, Label) VALUES ('new', 'first')")
    assert rows("SELECT Code, Label FROM Code ORDER BY %ID") == [
        ("a", "again"),
        ("A", "upper"),
        ("new", "first"),
    ]


def test_row_version_and_serial_are_kept_by_the_table(rows: Rows, refused: Refused) -> None:
    assert rows("SELECT Changed, Number FROM Code ORDER BY %ID") == [(1, 1), (2, 2)]
    rows("UPDATE Code SET Label = 'z' WHERE Code = 'a'")
    assert rows("SELECT Changed, Number FROM Code ORDER BY %ID") == [(3, 1), (2, 2)]
    assert refused("UPDATE Code SET Changed = 9").sqlcode == -138
    rows("INSERT INTO Code (Code, Number) VALUES ('n', 50)")
    assert rows("SELECT Number FROM Code WHERE Code = 'n'") == [(50,)]


def test_row_ids_are_never_used_again(rows: Rows) -> None:
    rows("INSERT INTO Code (Code) VALUES ('x')")
    rows("DELETE FROM Code WHERE Code = 'x'")
    rows("INSERT INTO Code (Code) VALUES ('y')")
    assert rows("SELECT %ID FROM Code WHERE Code = 'y'") == [(4,)]
    rows("TRUNCATE TABLE Code")
    rows("INSERT INTO Code (Code) VALUES ('z')")
    assert rows("SELECT %ID, Number FROM Code") == [(1, 1)]


REFUSALS: list[tuple[str, int, str]] = [
    (
        "INSERT INTO Sample.Person (Name) VALUES ('x')",
        -108,
        "'SSN' in table 'Sample.Person' is a required field",
    ),
    ("UPDATE Sample.Person SET Name = NULL", -108, "'Name' in table 'Sample.Person' is a required field"),
    (
        "INSERT INTO Sample.Person (Name, SSN) VALUES ('x', '111')",
        -119,
        "Table 'Sample.Person', Constraint 'SSNKey', Field(s) SSN=\"111\"; failed unique check",
    ),
    ("UPDATE Sample.Person SET SSN = '222' WHERE ID = 1", -120, "Constraint 'SSNKey'"),
    ("UPDATE Sample.Person SET SSN = '9'", -120, "Constraint 'SSNKey'"),
    ("INSERT INTO Code (Code) VALUES ('a')", -119, "Constraint 'CODEPKEY1'"),
    (
        "INSERT INTO Sample.Person (Name, SSN, Company) VALUES ('x', '9', 99)",
        -121,
        "failed referential integrity check",
    ),
    ("UPDATE Sample.Person SET Company = 99 WHERE ID = 1", -122, "failed referential integrity check"),
    ("INSERT INTO Sample.Person (ID, Name, SSN) VALUES (9, 'x', '9')", -111, "RowID"),
    ("UPDATE Sample.Person SET %ID = 9", -107, "RowID"),
    ("UPDATE Sample.Person SET Age = 9", -138, "Field 'Sample.Person.Age' is ReadOnly and cannot be UPDATEd"),
    ("INSERT INTO Sample.Person (Name, SSN, Age) VALUES ('x', '9', 1)", -138, "cannot be INSERTed"),
    ("UPDATE Sample.Person SET Home = 'x'", -138, "ReadOnly"),
    ("UPDATE Sample.Person SET Nme = 'x'", -29, "not found"),
    ("UPDATE Sample.Person SET Name = 'a', Name = 'b'", -54, "more than once"),
    ("INSERT INTO Sample.Person (Name, SSN) VALUES ('x')", -62, "does not match"),
    ("UPDATE Sample.Person SET Salary = 1 / 0", -400, "<DIVIDE>"),
    ("UPDATE Sample.Person SET Salary = Salary / 3 WHERE ID < 3", -105, "Salary"),
    ("UPDATE INFORMATION_SCHEMA.TABLES SET TABLE_NAME = 'x'", -115, "Read-Only"),
    ("DELETE FROM Nothing", -30, "Table 'SQLUSER.NOTHING' not found"),
    ("UPDATE %NOLOCK Sample.Person SET Salary = 1", -99, "not privileged"),
    ("DELETE FROM Sample.Person WHERE ID IN (1, 2) AND 1 / (ID - 2) < 0", -400, "<DIVIDE>"),
]


@pytest.mark.parametrize(("sql", "sqlcode", "text"), REFUSALS, ids=[case[0] for case in REFUSALS])
def test_a_refused_write_changes_nothing(namespace: Namespace, sql: str, sqlcode: int, text: str) -> None:
    before = everything(namespace)
    with pytest.raises(SqlError) as caught:
        namespace.execute(sql)
    assert (caught.value.sqlcode, text in caught.value.text) == (sqlcode, True), caught.value.text
    assert everything(namespace) == before


@pytest.mark.parametrize(
    ("action", "left"),
    [("CASCADE", []), ("SET NULL", [(None,)]), ("SET DEFAULT", [("d",)]), ("NO ACTION", None)],
)
def test_referential_actions_of_delete_and_update(
    rows: Rows, refused: Refused, action: str, left: Any
) -> None:
    rows("CREATE TABLE P (k VARCHAR(5) PRIMARY KEY)")
    rows(
        f"CREATE TABLE C (p VARCHAR(5) DEFAULT 'd', CONSTRAINT pfk FOREIGN KEY (p) REFERENCES P (k)"
        f" ON DELETE {action} ON UPDATE {action})"
    )
    rows("INSERT INTO P VALUES ('d')")
    rows("INSERT INTO P VALUES ('x')")
    rows("INSERT INTO C VALUES ('x')")
    if left is None:
        error = refused("DELETE FROM P WHERE k = 'x'")
        assert (error.sqlcode, "'pfk'" in error.text) == (-124, True)
        assert refused("UPDATE P SET k = 'y' WHERE k = 'x'").sqlcode == -123
        assert rows("SELECT p FROM C") == [("x",)]
        return
    rows("UPDATE P SET k = 'y' WHERE k = 'x'")
    assert rows("SELECT p FROM C") == ([("y",)] if action == "CASCADE" else left)
    rows("UPDATE C SET p = 'y'")
    rows("DELETE FROM P WHERE k = 'y'")
    assert rows("SELECT p FROM C") == left


def test_deleting_a_company_sets_its_people_free(rows: Rows) -> None:
    rows("DELETE FROM Sample.Company WHERE Name = 'ACME'")
    assert rows("SELECT Company FROM Sample.Person WHERE ID = 1") == [(None,)]


def test_a_table_that_points_to_itself(rows: Rows, refused: Refused) -> None:
    rows("CREATE TABLE Tree (Parent INTEGER REFERENCES Tree ON DELETE CASCADE, Name VARCHAR(5)) WITH %CLASS")
    rows("INSERT INTO Tree (Name) VALUES ('a')")
    rows("INSERT INTO Tree (Parent, Name) VALUES (1, 'b')")
    rows("INSERT INTO Tree (Parent, Name) VALUES (2, 'c')")
    assert refused("INSERT INTO Tree (Parent) VALUES (9)").sqlcode == -121
    assert rows("SELECT Parent->Parent->Name FROM Tree WHERE ID = 3") == [("a",)]
    rows("DELETE FROM Tree WHERE ID = 1")
    assert rows("SELECT * FROM Tree") == []


def test_parent_and_child_rows(rows: Rows, refused: Refused) -> None:
    rows("CREATE TABLE Shop.Invoice (Number VARCHAR(10)) WITH %CLASS")
    rows("CREATE TABLE Shop.Line (Item VARCHAR(10)) WITH %CLASS, %CHILDOF Shop.Invoice AS Invoice")
    rows("INSERT INTO Shop.Invoice (Number) VALUES ('N1')")
    for item in ("a", "b"):
        rows("INSERT INTO Shop.Line (Invoice, Item) VALUES (?, ?)", "1", item)
    assert rows("SELECT * FROM Shop.Line ORDER BY %ID") == [("1||1", 1, 1, "a"), ("1||2", 1, 2, "b")]
    assert rows("SELECT Item, Invoice->Number FROM Shop.Line WHERE %ID = ?", "1||2") == [("b", "N1")]
    assert refused("INSERT INTO Shop.Line (Item) VALUES ('x')").sqlcode == -108
    assert refused("INSERT INTO Shop.Line (Invoice, Item) VALUES (7, 'x')").sqlcode == -121
    assert refused("UPDATE Shop.Line SET Invoice = 2").sqlcode == -107
    assert refused("INSERT INTO Shop.Line (Invoice, childsub) VALUES (1, 2)").sqlcode == -119
    rows("UPDATE Shop.Line SET Item = 'B' WHERE %ID = '1||2' AND %EXACT(Item) = 'b'")
    assert rows("SELECT Item FROM Shop.Line WHERE %ID > '1||1'") == [("B",)]
    rows("DELETE FROM Shop.Invoice WHERE %ID = 1")
    assert rows("SELECT * FROM Shop.Line") == []


def test_identity_and_public_row_id(rows: Rows, refused: Refused) -> None:
    rows("CREATE TABLE I (n IDENTITY, a INTEGER)")
    rows("CREATE TABLE R (%PUBLICROWID, a INTEGER AUTO_INCREMENT)")
    rows("INSERT INTO I (a) VALUES (5)")
    rows("INSERT INTO R DEFAULT VALUES")
    assert rows("SELECT n, a, %ID FROM I") == [(1, 5, 1)]
    assert rows("SELECT * FROM R") == [(1, 1)]
    assert refused("INSERT INTO I (n) VALUES (5)").sqlcode == -111


def test_a_value_outside_its_list_becomes_null_or_is_refused(rows: Rows, refused: Refused) -> None:
    rows(
        "CREATE TABLE Listed (Number INTEGER, Free VARCHAR(5) %PARAMETERS (VALUELIST '|a|b c|'),"
        " Needed VARCHAR(5) NOT NULL %PARAMETERS (VALUELIST ',x,y'))"
    )
    rows("INSERT INTO Listed (Number, Free, Needed) VALUES (1, 'b c', 'x'), (2, 'A', 'y'), (3, NULL, 'y')")
    assert rows("SELECT Number, Free FROM Listed ORDER BY Number") == [(1, "b c"), (2, None), (3, None)]
    assert refused("INSERT INTO Listed (Needed) VALUES ('X')").sqlcode == -104
    assert refused("UPDATE Listed SET Needed = 'x,y'").sqlcode == -105
    rows("UPDATE Listed SET Free = 'a', Needed = 'x'")
    assert rows("SELECT COUNT(*) FROM Listed WHERE Free = 'a' AND Needed = 'x'") == [(3,)]
