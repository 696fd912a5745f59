"""SQL errors as IRIS words them (texts from public issues and logs), and what people read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_quart.atelier.sqlerrors import SQL_ERRORS, sql_error
from iris_quart.errors import (
    ColumnNotFound,
    ConstraintViolation,
    ErrorCode,
    IrisQuartError,
    NotAllowed,
    RowGone,
    RowLocked,
    SqlError,
    TableNotFound,
    ValueRefused,
)


def of(sqlcode: int, message: str, spacing: str = " ") -> IrisQuartError:
    return sql_error(f"ERROR #5540: SQLCODE: {sqlcode} Message:{spacing}{message}")


@pytest.mark.parametrize(
    ("sqlcode", "message", "error", "details", "words"),
    [
        (-30, "Table 'SQLUSER.X' not found", TableNotFound, {"table": "SQLUSER.X"}, "SQLUSER.X"),
        (
            -29,
            "Field 'VALUE' not found in the applicable tables^ SELECT Name , Value FROM",
            ColumnNotFound,
            {"column": "VALUE"},
            "VALUE",
        ),
        (
            -104,
            "Field 'SQLUser.My.T.col_7' (value 'it''s (value ''x'') failed') failed validation",
            ValueRefused,
            {"column": "col_7", "table": "SQLUser.My.T", "value": "it''s (value ''x'') failed"},
            "col_7",
        ),
        (
            -105,
            "Field 'A.B.C' (value '" + "y" * 500 + "') failed validation",
            ValueRefused,
            {"column": "C", "table": "A.B", "value": "y" * 99 + "…"},
            "C does not accept",
        ),
        (-108, "Required field missing; INSERT or UPDATE not allowed", ConstraintViolation, None, "required"),
        (
            -108,
            "'Name' in table 'Sample.Person' required field missing; INSERT or UPDATE not allowed",
            ConstraintViolation,
            {"table": "Sample.Person"},
            "required",
        ),
        (
            -110,
            "Unable to acquire lock for UPDATE of table 'Sample.Person' on row with RowID = '10'",
            RowLocked,
            {"table": "Sample.Person", "rowId": "10"},
            "Row 10 is being changed",
        ),
        (
            -119,
            "Table 'xobw.WebServer', Constraint 'ienIndex' (Field 'ien') failed unique check",
            ConstraintViolation,
            {"table": "xobw.WebServer", "constraint": "ienIndex", "column": "ien"},
            "this value of ien (constraint ienIndex)",
        ),
        (
            -119,
            "Table 'G.edges', Constraint 'u_spo', Field(s) s=\"a\",p=\"R\",g=$c(0); failed unique check",
            ConstraintViolation,
            {"table": "G.edges", "constraint": "u_spo", "column": "s, p, g"},
            "u_spo",
        ),
        (-99, "User xxx is not privileged for the operation", NotAllowed, None, "privilege"),
        (
            -146,
            "Unable to convert date input to a valid logical date value",
            ValueRefused,
            None,
            "YYYY-MM-DD",
        ),
        (-109, "Row not found", RowGone, None, "no longer exists"),
        (-138, "Cannot INSERT/UPDATE a value for a read-only field", NotAllowed, None, "read-only"),
        (
            -121,
            "Foreign Key Constraint 'CompanyFK' failed referential check upon INSERT",
            ConstraintViolation,
            {"constraint": "CompanyFK"},
            "foreign key CompanyFK",
        ),
        (-777, "Something new", SqlError, None, "SQLCODE -777"),
        (
            -149,
            "SQL Function X failed with error:  SQLCODE=-400,%msg=ERROR #5002: ...",
            SqlError,
            None,
            "function",
        ),
    ],
)
@pytest.mark.parametrize("spacing", [" ", "  "])
def test_error_says_what_iris_named(
    sqlcode: int,
    message: str,
    error: type[IrisQuartError],
    details: dict[str, str] | None,
    words: str,
    spacing: str,
) -> None:
    found = of(sqlcode, message, spacing)
    assert type(found) is error
    assert found.sqlcode == sqlcode
    assert found.details == details
    assert found.field == (details or {}).get("column")
    assert words in found.message
    assert found.server_text == f"ERROR #5540: SQLCODE: {sqlcode} Message:{spacing}{message}"


def test_value_cannot_pose_as_the_name_of_something() -> None:
    found = of(-104, "Field 'A.B.C' (value 'Constraint 'evil' on Table 'X.Y'') failed validation")
    assert found.details is not None
    assert "constraint" not in found.details
    assert found.details["table"] == "A.B"


@pytest.mark.parametrize("sqlcode", sorted(SQL_ERRORS))
def test_every_sentence_stands_without_names(sqlcode: int) -> None:
    message = of(sqlcode, "nothing that helps").message
    assert message[0].isupper()
    assert message.endswith(".")
    assert not any(mark in message for mark in "{}%")
    assert "  " not in message
    assert " ." not in message


@pytest.mark.parametrize(
    ("sqlcodes", "code"),
    [
        ((-108, -119, -120, -121, -122, -123, -124), ErrorCode.CONSTRAINT_VIOLATION),
        ((-104, -105, -146, -147, -29), ErrorCode.INVALID_INPUT),
        ((-110, -114), ErrorCode.ROW_LOCKED),
        ((-99, -35, -107, -111, -112, -115, -138, -139), ErrorCode.NOT_ALLOWED),
        ((-106, -109), ErrorCode.ROW_GONE),
        ((-30,), ErrorCode.TABLE_NOT_FOUND),
        ((-1, -12, -25, -51, -400), ErrorCode.UNKNOWN_ERROR),
    ],
)
def test_codes_on_the_wire(sqlcodes: tuple[int, ...], code: ErrorCode) -> None:
    assert {of(sqlcode, "x").code for sqlcode in sqlcodes} == {code}


@given(st.text(max_size=300))
def test_any_text_gives_an_error(text: str) -> None:
    for found in (sql_error(text), of(-119, text), of(-104, f"Field '{text}' (value '{text}') failed")):
        assert found.message
        assert found.server_text is not None
