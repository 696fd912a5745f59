"""The catalogue: definitions, views, INFORMATION_SCHEMA, and that they survive closing the file."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.engine.namespace import Namespace

from .conftest import Refused, Rows

COLUMN_FACTS = (
    "SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, IS_NULLABLE,"
    " IS_IDENTITY, IS_GENERATED, UNIQUE_COLUMN, PRIMARY_KEY, AUTO_INCREMENT FROM INFORMATION_SCHEMA.COLUMNS"
    " WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION"
)


def test_columns_of_a_class_table(rows: Rows) -> None:
    found = {row[0]: row[1:] for row in rows(COLUMN_FACTS, "sample", "PERSON")}
    assert list(found) == [
        "ID",
        "Age",
        "Company",
        "DOB",
        "FavoriteColors",
        "Name",
        "Notes",
        "SSN",
        "Salary",
        "Spouse",
        "Home_City",
        "Home_Street",
    ]
    assert found["ID"] == ("bigint", None, 19, 0, "NO", "YES", "NO", "YES", "YES", "YES")
    assert found["Name"] == ("varchar", 50, None, None, "NO", "NO", "NO", "NO", "NO", "NO")
    assert found["SSN"][7] == "YES"
    assert found["DOB"][:1] == ("date",)
    assert found["Salary"][:4] == ("integer", None, 10, 0)
    assert found["Notes"][:2] == ("longvarchar", None)
    assert found["Age"][6] == "YES"


def test_columns_of_a_plain_table_hide_the_row_id(rows: Rows) -> None:
    found = {row[0]: row[1:] for row in rows(COLUMN_FACTS, "SQLUser", "Code")}
    assert list(found) == ["Code", "Label", "Changed", "Number"]
    assert found["Code"][8] == "YES"
    assert found["Changed"][6] == "YES"
    assert found["Number"][9] == "YES"


@pytest.mark.parametrize(
    ("declared", "shown"),
    [
        ("VARCHAR(10)", ("varchar", 10, None, None)),
        ("VARCHAR", ("varchar", 1, None, None)),
        ("TEXT", ("longvarchar", None, None, None)),
        ("VARBINARY(5)", ("varbinary", 5, None, None)),
        ("IMAGE", ("longvarbinary", None, None, None)),
        ("BIT", ("bit", None, 1, 0)),
        ("TINYINT", ("tinyint", None, 3, 0)),
        ("SMALLINT", ("smallint", None, 5, 0)),
        ("BIGINT", ("bigint", None, 19, 0)),
        ("NUMERIC(10,2)", ("numeric", None, 10, 2)),
        ("DECIMAL(5)", ("numeric", None, 5, 0)),
        ("MONEY", ("numeric", None, 19, 4)),
        ("FLOAT", ("double", None, 20, None)),
        ("TIME", ("time", None, None, None)),
        ("DATETIME", ("timestamp", None, None, None)),
        ("POSIXTIME", ("timestamp", None, None, None)),
        ("UNIQUEIDENTIFIER", ("guid", 36, None, None)),
    ],
)
def test_spelling_of_data_types(rows: Rows, declared: str, shown: tuple[Any, ...]) -> None:
    rows(f"CREATE TABLE Spelt (c {declared})")
    (found,) = rows(COLUMN_FACTS, "SQLUser", "Spelt")
    assert found[1] == shown[0]
    assert found[2:5] == shown[1:]


def test_tables_views_and_descriptions(rows: Rows) -> None:
    rows("CREATE VIEW Sample.Cheap AS SELECT Name, Revenue FROM Sample.Company WHERE Revenue < 100")
    assert rows(
        "SELECT TABLE_NAME, TABLE_TYPE, DESCRIPTION, CLASSNAME FROM INFORMATION_SCHEMA.TABLES"
        " WHERE TABLE_SCHEMA = 'Sample'"
        " ORDER BY TABLE_NAME"
    ) == [
        ("Cheap", "VIEW", None, "Sample.Cheap"),
        ("Company", "BASE TABLE", None, "Sample.Company"),
        ("Person", "BASE TABLE", "People; with a semicolon", "Sample.Person"),
    ]
    assert rows("SELECT CLASSNAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = 'Code'") == [
        ("User.Code",)
    ]
    assert rows("SELECT VIEW_DEFINITION, CHECK_OPTION FROM INFORMATION_SCHEMA.VIEWS") == [
        ("SELECT Name, Revenue FROM Sample.Company WHERE Revenue < 100", "NONE")
    ]
    assert rows(
        "SELECT DESCRIPTION FROM INFORMATION_SCHEMA.COLUMNS WHERE COLUMN_NAME = 'NAME' AND TABLE_NAME = 'Person'"
    ) == [("Full name",)]
    assert ("INFORMATION_SCHEMA",) in rows("SELECT SCHEMA_NAME FROM INFORMATION_SCHEMA.SCHEMATA")


def test_constraints_and_references(rows: Rows) -> None:
    assert rows(
        "SELECT c.CONSTRAINT_NAME, c.CONSTRAINT_TYPE, k.COLUMN_NAME, k.REFERENCED_TABLE_SCHEMA,"
        " k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS c"
        " JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE k ON k.CONSTRAINT_NAME = c.CONSTRAINT_NAME"
        " AND k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME"
        " WHERE c.TABLE_SCHEMA = ? AND c.TABLE_NAME = ? ORDER BY c.CONSTRAINT_TYPE, k.ORDINAL_POSITION",
        "Sample",
        "Person",
    ) == [
        ("PERSONFKEY1", "FOREIGN KEY", "Company", "Sample", "Company", "ID"),
        ("RowIDField_As_PKey", "PRIMARY KEY", "ID", None, None, None),
        ("SSNKey", "UNIQUE", "SSN", None, None, None),
    ]
    assert rows(
        "SELECT UNIQUE_CONSTRAINT_TABLE, UPDATE_RULE, DELETE_RULE, MATCH_OPTION"
        " FROM INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS"
    ) == [("Company", "NO ACTION", "SET NULL", "NONE")]


def test_indexes_come_and_go(rows: Rows, refused: Refused) -> None:
    listed = (
        "SELECT INDEX_NAME, COLUMN_NAME, NON_UNIQUE FROM INFORMATION_SCHEMA.INDEXES"
        " WHERE TABLE_NAME = 'Company' ORDER BY INDEX_NAME"
    )
    rows("CREATE INDEX NameIndex ON TABLE Sample.Company (Name DESC, Revenue)", building=True)
    assert rows(listed) == [
        ("IDKEY", "ID", 0),
        ("NameIndex", "Name", 1),
        ("NameIndex", "Revenue", 1),
        ("TaxIDKey", "TaxID", 0),
    ]
    assert refused("CREATE INDEX nameindex ON Sample.Company (Name)", building=True).sqlcode == -324
    assert refused("DROP INDEX NameIndex ON TABLE Sample.Company").sqlcode == -300
    rows("DROP INDEX NameIndex ON TABLE Sample.Company", building=True)
    assert len(rows(listed)) == 2
    assert refused("DROP INDEX NameIndex").sqlcode == -333


def test_a_unique_index_is_a_constraint(rows: Rows, refused: Refused) -> None:
    rows("INSERT INTO Sample.Company (Name) VALUES ('acme')")
    assert refused("CREATE UNIQUE INDEX U ON Sample.Company (Name)", building=True).sqlcode == -119
    rows("DELETE FROM Sample.Company WHERE ID = 3")
    rows("CREATE UNIQUE INDEX U ON Sample.Company (Name)", building=True)
    assert "Constraint 'U'" in refused("INSERT INTO Sample.Company (Name) VALUES ('ACME')").text


@pytest.mark.parametrize(
    ("sql", "sqlcode"),
    [
        ("CREATE TABLE Sample.person (a INTEGER)", -201),
        ("CREATE TABLE T (a INTEGER, A VARCHAR)", -306),
        ("CREATE TABLE T (a NOTYPE)", -376),
        ("CREATE TABLE T (a INTEGER, PRIMARY KEY (b))", -31),
        ("CREATE TABLE T (a INTEGER PRIMARY KEY, b INTEGER PRIMARY KEY)", -311),
        ("CREATE TABLE T (a INTEGER REFERENCES Nothing)", -310),
        ("CREATE TABLE T (a INTEGER, FOREIGN KEY (a) REFERENCES Code (b))", -316),
        ("CREATE TABLE T (a INTEGER CHECK (a > 1))", -1),
        ("CREATE TABLE T (a LONGVARCHAR UNIQUE)", -313),
        ("CREATE TABLE T ()", -1),
        ("CREATE VIEW V AS SELECT Nme FROM Sample.Person", -29),
        ("CREATE VIEW V (a) AS SELECT Name, SSN FROM Sample.Person", -62),
        ("DROP TABLE Nothing", -30),
        ("DROP TABLE Sample.Company", -320),
        ("DROP VIEW Sample.Person", -30),
        ("DROP TABLE INFORMATION_SCHEMA.TABLES", -115),
        ("ALTER TABLE Code RENAME Code", -201),
        ("ALTER TABLE Sample.Person RENAME Other", -300),
        ("ALTER TABLE Code MODIFY Nix RENAME Other", -29),
        ("ALTER TABLE Code MODIFY Label RENAME Code", -306),
        ("ALTER TABLE Code ADD COLUMN Label INTEGER", -306),
        ("ALTER TABLE Code ADD COLUMN x INTEGER NOT NULL", -304),
        ("ALTER TABLE Code DROP COLUMN Nix", -29),
        ("ALTER TABLE Code DROP COLUMN Code", -322),
        ("ALTER TABLE Code MODIFY Label VARCHAR(2)", -105),
        ("ALTER TABLE Code DROP CONSTRAINT Nix", -317),
        ("ALTER TABLE Code ADD CONSTRAINT K UNIQUE (Nix)", -31),
        ("ALTER TABLE Sample.Person ADD COLUMN x INTEGER", -300),
        ("CREATE INDEX x ON Sample.Person (Name)", -300),
        ("CREATE TABLE T (a INTEGER, FOREIGN KEY (a) REFERENCES Code (Label))", -314),
        ("CREATE TABLE T AS SELECT Nix FROM Code", -29),
    ],
)
def test_refused_definitions(namespace: Namespace, refused: Refused, sql: str, sqlcode: int) -> None:
    before = namespace.catalog
    error = refused(sql)
    assert error.sqlcode == sqlcode, error.text
    assert namespace.catalog is before


def test_drop_and_create_again_starts_anew(rows: Rows) -> None:
    rows("DROP TABLE Code")
    assert rows("SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = 'Code'") == [(0,)]
    rows("CREATE TABLE Code (n SERIAL)")
    rows("INSERT INTO Code DEFAULT VALUES")
    assert rows("SELECT %ID, n FROM Code") == [(1, 1)]
    rows("CREATE TABLE IF NOT EXISTS Code (x INTEGER)")
    rows("DROP TABLE IF EXISTS Code")
    rows("DROP TABLE IF EXISTS Code")


def test_a_plan_made_before_a_definition_is_not_used_after_it(rows: Rows) -> None:
    rows("CREATE TABLE T (a INTEGER)")
    assert rows("SELECT * FROM T") == []
    rows("DROP TABLE T")
    rows("CREATE TABLE T (b INTEGER, c INTEGER)")
    rows("INSERT INTO T VALUES (1, 2)")
    assert rows("SELECT * FROM T") == [(1, 2)]


def test_simple_views_take_writes(rows: Rows, refused: Refused) -> None:
    rows(
        "CREATE VIEW Boston (Who, Town) AS SELECT Name, Home_City FROM Sample.Person"
        " WHERE Home_City = 'boston' WITH CHECK OPTION"
    )
    assert rows("SELECT Who FROM Boston ORDER BY Who") == [("adams,zoe",), ("Smith,John",)]
    rows("UPDATE Boston SET Who = 'Changed' WHERE Who = 'smith,john'")
    assert rows("SELECT Name FROM Sample.Person WHERE ID = 1") == [("Changed",)]
    assert refused("UPDATE Boston SET Town = 'Salem'").sqlcode == -137
    rows("DELETE FROM Boston WHERE Who = 'Changed'")
    assert rows("SELECT ID FROM Sample.Person ORDER BY ID") == [(2,), (3,), (4,)]
    assert refused("SELECT %ID FROM Boston").sqlcode == -29
    rows("DROP VIEW Boston")


def test_a_check_option_holds_for_inserts(rows: Rows, refused: Refused) -> None:
    rows("CREATE VIEW Low AS SELECT Code, Label FROM Code WHERE Label = 'low' WITH CHECK OPTION")
    rows("INSERT INTO Low (Code, Label) VALUES ('k', 'low')")
    assert refused("INSERT INTO Low (Code, Label) VALUES ('m', 'high')").sqlcode == -136
    assert rows("SELECT Code FROM Low") == [("k",)]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT DISTINCT Name FROM Sample.Person",
        "SELECT Name || 'x' AS n FROM Sample.Person",
        "SELECT p.Name FROM Sample.Person p JOIN Sample.Company c ON c.ID = p.Company",
        "SELECT COUNT(*) AS n FROM Sample.Person",
        "SELECT Name FROM Sample.Person UNION SELECT Name FROM Sample.Company",
    ],
)
def test_other_views_do_not(rows: Rows, refused: Refused, query: str) -> None:
    rows(f"CREATE VIEW V AS {query}")
    assert rows("SELECT IS_UPDATABLE FROM INFORMATION_SCHEMA.VIEWS WHERE TABLE_NAME = 'V'") == [("NO",)]
    for sql in ("DELETE FROM V", "UPDATE V SET Name = 'x'", "INSERT INTO V VALUES ('x')"):
        assert refused(sql).sqlcode == -35


def test_odd_names(rows: Rows) -> None:
    rows(
        'CREATE TABLE "Odd Schema"."Tëst $#1" ("a b" VARCHAR(10), "Größe" INTEGER, "say ""hi""" INTEGER, %ROW_ INTEGER)'
    )
    rows('INSERT INTO "ODD SCHEMA"."tËST $#1" ("A B", "GRÖßE", "say ""hi""") VALUES (?, ?, 3)', "x", 5)
    assert rows(
        'SELECT "a b", "größe", "say ""hi""", %ROW_ FROM "Odd Schema"."Tëst $#1" t WHERE t."Größe" = 5'
    ) == [("x", 5, 3, None)]


def test_everything_is_there_after_closing(namespace: Namespace, rows: Rows) -> None:
    rows("CREATE VIEW Sample.V AS SELECT Name FROM Sample.Person")
    rows("CREATE INDEX NameIndex ON Sample.Person (Name)", building=True)
    before = rows("SELECT * FROM Sample.Person ORDER BY ID")
    schema = rows(
        "SELECT * FROM INFORMATION_SCHEMA.COLUMNS ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
    )
    namespace.close()
    again = Namespace("SAMPLES", namespace.path)
    assert again.execute("SELECT * FROM Sample.Person ORDER BY ID").rows == before
    assert len(again.execute("SELECT * FROM Sample.V").rows) == 4
    assert again.catalog.tables.keys() == namespace.catalog.tables.keys()
    assert (
        again.execute(
            "SELECT * FROM INFORMATION_SCHEMA.COLUMNS ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
        ).rows
        == schema
    )
    again.execute("INSERT INTO Code (Code) VALUES ('later')")
    assert again.execute("SELECT Number FROM Code WHERE Code = 'later'").rows == [(3,)]
    again.close()


def test_views_hold_their_tables(rows: Rows, refused: Refused) -> None:
    rows("CREATE VIEW First AS SELECT Code, Label FROM Code")
    rows("CREATE VIEW Second AS SELECT Label FROM First WHERE Code = 'a'")
    assert rows("SELECT * FROM Second") == [("lower",)]
    assert refused("DROP TABLE Code").sqlcode == -321
    assert refused("DROP VIEW First").sqlcode == -321
    rows("DROP TABLE Code CASCADE")
    assert rows("SELECT COUNT(*) FROM INFORMATION_SCHEMA.VIEWS") == [(0,)]


def test_a_view_can_be_replaced(rows: Rows) -> None:
    rows("CREATE VIEW V AS SELECT Code FROM Code")
    rows("CREATE OR REPLACE VIEW V (x, y) AS SELECT Label, Code FROM Code WHERE Code = 'A'")
    assert rows("SELECT x, y FROM V") == [("upper", "A")]


def test_a_table_changes_and_its_rows_stay(rows: Rows, refused: Refused, tmp_path: Path) -> None:
    rows("ALTER TABLE Code ADD COLUMN Extra INTEGER DEFAULT 7")
    rows("ALTER TABLE Code ADD Needed INTEGER NOT NULL DEFAULT 3, Day DATE")
    rows("ALTER TABLE Code MODIFY Label VARCHAR(40)")
    rows("ALTER TABLE Code ADD CONSTRAINT OneLabel UNIQUE (Label)")
    assert rows("SELECT Code, Label, Extra, Needed, Day FROM Code ORDER BY %ID") == [
        ("a", "lower", None, 3, None),
        ("A", "upper", None, 3, None),
    ]
    assert refused("INSERT INTO Code (Code, Label) VALUES ('b', 'lower')").sqlcode == -119
    rows("INSERT INTO Code (Code, Label) VALUES ('b', 'other')")
    assert rows("SELECT Extra, Needed FROM Code WHERE Code = 'b'") == [(7, 3)]
    rows("ALTER TABLE Code DROP CONSTRAINT OneLabel")
    rows("ALTER TABLE Code DROP COLUMN Label")
    assert rows("SELECT * FROM Code WHERE Code = 'a'")[0][0] == "a"
    assert refused("SELECT Label FROM Code").sqlcode == -29
    again = Namespace("SAMPLES", tmp_path / "samples.db")
    assert again.execute("SELECT Code, Extra, Needed, Day FROM Code WHERE Code = 'b'").rows == [
        ("b", 7, 3, None)
    ]
    again.close()


@pytest.mark.parametrize("sql", [
    "ALTER TABLE Code ADD CONSTRAINT OnLabel UNIQUE (Label)",
    "ALTER TABLE Code ADD CONSTRAINT onlabel UNIQUE (Code)",
    "CREATE TABLE Twice (A INTEGER, B INTEGER, CONSTRAINT K UNIQUE (A), CONSTRAINT k UNIQUE (B))",
])  # fmt: skip
def test_names_of_indexes_that_clash_are_refused_in_words_of_iris(
    rows: Rows, refused: Refused, sql: str
) -> None:
    rows("CREATE INDEX OnLabel ON Code (Label)")
    found = refused(sql)
    assert found.sqlcode == -400
    assert "ERROR #5067: Index name conflict: " in found.text


def test_a_table_and_its_columns_are_renamed(rows: Rows, refused: Refused, tmp_path: Path) -> None:
    rows("CREATE TABLE Before (A INTEGER PRIMARY KEY, B VARCHAR(10), Number SERIAL)")
    rows("CREATE INDEX OnB ON Before (B)")
    rows("INSERT INTO Before (A, B) VALUES (1, 'x')")
    rows("ALTER TABLE Before ALTER COLUMN B RENAME C")
    rows("ALTER TABLE Before MODIFY Number RENAME Counted")
    rows("ALTER TABLE Before RENAME Later")
    rows("CREATE TABLE Before (Z INTEGER)")
    assert refused("SELECT B FROM Later").sqlcode == -29
    again = Namespace("SAMPLES", tmp_path / "samples.db")
    again.execute("INSERT INTO Later (A, C) VALUES (2, 'y')")
    assert again.execute("SELECT A, C, Counted FROM Later ORDER BY A").rows == [(1, "x", 1), (2, "y", 2)]
    assert again.execute(
        "SELECT COLUMN_NAME FROM INFORMATION_SCHEMA.INDEXES WHERE TABLE_NAME = 'Later' AND INDEX_NAME = 'OnB'"
    ).rows == [("C",)]
    with pytest.raises(SqlError, match="-119"):
        again.execute("INSERT INTO Later (A) VALUES (2)")
    again.execute("DROP TABLE Later")
    assert again.execute("SELECT * FROM Before").rows == []
    again.close()


def test_what_others_name_is_not_renamed(rows: Rows, refused: Refused) -> None:
    rows("CREATE TABLE Target (A INTEGER PRIMARY KEY, B INTEGER)")
    rows("CREATE VIEW Seen AS SELECT B FROM Target")
    assert refused("ALTER TABLE Target RENAME Other").sqlcode == -321
    assert refused("ALTER TABLE Target MODIFY B RENAME C").sqlcode == -321
    rows("DROP VIEW Seen")
    rows("CREATE TABLE Pointing (A INTEGER, FOREIGN KEY (A) REFERENCES Target (A))")
    assert refused("ALTER TABLE Target RENAME Other").sqlcode == -320
    assert refused("ALTER TABLE Target MODIFY A RENAME C").sqlcode == -317
    rows("ALTER TABLE Pointing MODIFY A RENAME C")
    assert refused("INSERT INTO Pointing (C) VALUES (9)").sqlcode == -121


def test_a_table_is_made_out_of_a_query(rows: Rows, tmp_path: Path) -> None:
    rows("CREATE TABLE Copied AS SELECT ID AS Number, Name, DOB FROM Sample.Person WHERE ID < 3")
    expected = rows("SELECT ID, Name, DOB FROM Sample.Person WHERE ID < 3 ORDER BY ID")
    assert rows("SELECT * FROM Copied ORDER BY Number") == expected
    again = Namespace("SAMPLES", tmp_path / "samples.db")
    assert again.execute("SELECT * FROM Copied ORDER BY Number").rows == expected
    again.close()


def test_an_older_file_gets_the_system_tables_that_it_lacks(namespace: Namespace) -> None:
    namespace.close()
    with sqlite3.connect(namespace.path) as connection:
        connection.execute('UPDATE "%format" SET version = 1')
        connection.execute('DROP TABLE "%Dictionary.CompiledClass"')
        connection.execute('DELETE FROM "INFORMATION_SCHEMA.TABLES"')
    connection.close()
    again = Namespace("SAMPLES", namespace.path)
    assert again.execute("SELECT Name FROM %Dictionary.CompiledClass WHERE SqlTableName = 'Code'").rows == [
        ("User.Code",)
    ]
    assert again.execute("SELECT OWNER FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = 'Code'").rows == [
        ("_SYSTEM",)
    ]
    again.close()
