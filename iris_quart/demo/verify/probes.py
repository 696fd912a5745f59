"""The twelve questions that no public source answers, each with what iris-quart does until somebody has asked.

Each probe writes to the kit's own tables only, and records shapes of answers, not the rows of other tables.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from iris_quart.demo.behaviours.running import SCHEMA

from .inquiry import Inquiry, NotRun, Reply
from .long_statements import cancel_from_another_session, outlast_the_gateway

TARGET = f"{SCHEMA}.Target"
KEPT = f"SELECT COUNT(*) AS n FROM {TARGET} WHERE Code %STARTSWITH ?"


@dataclass(frozen=True)
class Probe:
    """One open question; `ask` returns the answer as a sentence or raises NotRun."""

    id: str
    question: str
    falls_back_to: str
    ask: Callable[[Inquiry], str]


def _kept(inquiry: Inquiry, prefix: str) -> str:
    reply = inquiry.ask(KEPT, prefix)
    return reply.outcome(f"{reply.rows[0][0] if reply.rows else 0} rows stored")


def _insert_from_json_table(inquiry: Inquiry) -> str:
    reply = inquiry.ask(
        f"INSERT INTO {TARGET} (Code, Txt) SELECT a, b FROM"
        " JSON_TABLE(?, '$' COLUMNS (a VARCHAR(10) PATH '$.a', b VARCHAR(10) PATH '$.b'))",
        json.dumps([{"a": "j1", "b": "x"}, {"a": "j2", "b": "y"}]),
    )
    return reply.outcome("") if reply.error is not None else f"accepted, {_kept(inquiry, 'j')}"


VALUES: Mapping[str, object] = {
    "null": None, "empty text": "", "long text": "x" * 5000, "digits": "0042", "number": 42,
    "beyond the BMP": "\U0001d11e",
}  # fmt: skip


def _values_of_json_table(inquiry: Inquiry) -> str:
    found = []
    for name, value in (*VALUES.items(), ("missing", ...)):
        given = {} if value is ... else {"b": value}
        reply = inquiry.ask(
            "SELECT CASE WHEN b IS NULL THEN 'NULL' WHEN b = '' THEN 'empty' ELSE 'value' END AS k,"
            " CHAR_LENGTH(b) AS n, b FROM JSON_TABLE(?, '$' COLUMNS (b VARCHAR(6000) PATH '$.b'))",
            json.dumps([given]),
        )
        if reply.error is not None:
            raise NotRun(f"JSON_TABLE with a parameter is {reply.outcome('')}")
        if len(reply.rows) != 1:
            found.append(f"{name}: {len(reply.rows)} rows")
            continue
        kind, length, text = reply.rows[0]
        same = ", unchanged" if text == value else ""
        found.append(f"{name}: {kind}" + (f" of length {length}{same}" if kind == "value" else ""))
    return "; ".join(found)


def _rows_in_one_insert(inquiry: Inquiry) -> str:
    answers = []
    forms = (
        ("SELECT UNION ALL without FROM", "u", "SELECT ?, ? UNION ALL SELECT ?, ?"),
        ("VALUES of several rows", "v", "VALUES (?, ?), (?, ?)"),
    )
    for name, letter, form in forms:
        reply = inquiry.ask(f"INSERT INTO {TARGET} (Code, Txt) {form}", f"{letter}1", "x", f"{letter}2", "y")
        kept = f"accepted, {_kept(inquiry, letter)}" if reply.error is None else reply.outcome("")
        answers.append(f"{name}: {kept}")
    return "; ".join(answers)


def _class_of(inquiry: Inquiry, table: str) -> str:
    reply = inquiry.ask(
        "SELECT CLASSNAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
        SCHEMA,
        table,
    )
    if not reply.rows:
        raise NotRun(f"the class of {SCHEMA}.{table} is not listed: {reply.outcome('no row')}")
    return str(reply.rows[0][0])


def _parameters_of_properties(inquiry: Inquiry) -> str:
    name = _class_of(inquiry, "Target")
    answers = []
    forms = ("%Dictionary.GetParameterValue", "%Dictionary.SQLProcedure_GetParameterValue")
    for form in forms:
        reply = inquiry.ask(
            f"SELECT {form}(Parameters, 'MAXLEN') AS p FROM %Dictionary.CompiledProperty"
            " WHERE parent = ? AND Name = 'Code'",
            name,
        )
        value = reply.rows[0][0] if reply.rows else "no row"
        answers.append(f"{form}: {reply.outcome(f'works, MAXLEN of a VARCHAR(10) is {value!r}')}")
    reply = inquiry.ask(
        "SELECT Parameters FROM %Dictionary.CompiledProperty WHERE parent = ? AND Name = 'Code'", name
    )
    text = reply.rows[0][0] if reply.rows else None
    answers.append(f"Parameters in JSON: {reply.outcome(f'{json.dumps(text)[:200]}')}")
    return "; ".join(answers)


def _current_statements(inquiry: Inquiry) -> str:
    reply = inquiry.ask(
        "SELECT ProcessID, SQLStatementID, StatementIndexHash, UserName FROM INFORMATION_SCHEMA.CURRENT_STATEMENTS"
        " WHERE ProcessID = $JOB"
    )
    if reply.error is not None:
        return reply.outcome("")
    answers = [f"readable; the lookup itself is {'listed' if reply.rows else 'not listed'}"]
    hashed = str(reply.rows[0][2]) if reply.rows else "0"
    text = inquiry.ask(
        "SELECT INFORMATION_SCHEMA.GetSQLStatement(?, ?) AS t", inquiry.asker.namespace, hashed
    )
    shown = text.rows[0][0] if text.rows else None
    answers.append("GetSQLStatement " + text.outcome(f"answers with {'a text' if shown else 'nothing'}"))
    return "; ".join(answers)


def _catalogue_procedures(inquiry: Inquiry) -> str:
    def shape(reply: Reply) -> str:
        return reply.outcome(f"{len(reply.rows)} rows, columns {', '.join(reply.columns) or 'not known'}")

    fields = inquiry.ask("CALL %Library.SQLCatalog_SQLFields(?)", TARGET)
    rights = inquiry.ask("CALL %Library.SQLCatalogPriv_SQLUserPrivs(?)", inquiry.user)
    return f"SQLFields: {shape(fields)}; SQLUserPrivs: {shape(rights)}"


def _references_as_keys(inquiry: Inquiry) -> str:
    """Look at Sample.Employee, whose Company refers to another class: SQL alone cannot create such a column."""
    for namespace in dict.fromkeys((inquiry.asker.namespace, "SAMPLES")):
        if namespace not in inquiry.namespaces:
            continue
        columns = inquiry.ask(
            "SELECT COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = 'Sample'"
            " AND TABLE_NAME = 'Employee' AND COLUMN_NAME = 'Company'",
            namespace=namespace,
        )
        if not columns.rows:
            continue
        keys = inquiry.ask(
            "SELECT CONSTRAINT_NAME, REFERENCED_TABLE_NAME FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE"
            " WHERE CONSTRAINT_TYPE = 'FOREIGN KEY' AND TABLE_SCHEMA = 'Sample' AND TABLE_NAME = 'Employee'"
            " AND COLUMN_NAME = 'Company'",
            namespace=namespace,
        )
        return keys.outcome(
            f"{'listed' if keys.rows else 'not listed'} as a foreign key, seen at Sample.Employee"
        )
    raise NotRun("no class Sample.Employee with a reference is here, and SQL cannot create one")


def _positional_answers(inquiry: Inquiry) -> str:
    asked = (
        ("EXPLAIN", f"EXPLAIN SELECT Code FROM {TARGET}"),
        ("CALL", "CALL %SQL_MANAGER.TablesTree(0, 'IrisQuartCheck.*')"),
        ("DML", f"UPDATE {TARGET} SET Txt = 'p' WHERE Code = 'a'"),
    )
    answers = []
    for name, statement in asked:
        reply = inquiry.ask(statement, version="v6", options={"max": "2", "positional": "1"})
        sets = len(reply.result) if isinstance(reply.result, list) else "no list"
        shown = f"result sets {sets}, columns {reply.columns}, {len(reply.rows)} rows"
        answers.append(f"{name}: {reply.outcome(shown)}")
    return "; ".join(answers)


def _statistics(inquiry: Inquiry) -> str:
    asked = (
        ("COLUMN_HISTOGRAMS", "SELECT TOP 1 * FROM INFORMATION_SCHEMA.COLUMN_HISTOGRAMS"),
        (
            "CompiledStorageProperty",
            "SELECT TOP 1 Name, Selectivity FROM %Dictionary.CompiledStorageProperty",
        ),
    )
    return "; ".join(f"{name}: {inquiry.ask(statement).outcome('readable')}" for name, statement in asked)


def _value_outside_its_list(inquiry: Inquiry) -> str:
    created = inquiry.ask(
        f"CREATE TABLE {SCHEMA}.Child2 (Number INTEGER, Colour %Library.String(VALUELIST = ',red,green'))"
    )
    if created.error is not None:
        raise NotRun(f"a column with a VALUELIST is {created.outcome('')}")
    written = inquiry.ask(f"INSERT INTO {SCHEMA}.Child2 (Number, Colour) VALUES (1, 'blue')")
    if written.error is not None:
        return written.outcome("")
    reply = inquiry.ask(
        f"SELECT CASE WHEN Colour IS NULL THEN 'NULL' ELSE Colour END AS c FROM {SCHEMA}.Child2 WHERE Number = 1"
    )
    stored = str(reply.rows[0][0]) if reply.rows else "no row"
    return reply.outcome(f"accepted; stored as {stored}")


PROBES = (
    Probe(
        "H1",
        "INSERT ... SELECT from JSON_TABLE(?, ...): is the parameter allowed?",
        "several rows in one INSERT (H3)",
        _insert_from_json_table,
    ),
    Probe(
        "H2",
        "JSON_TABLE: what do null, a missing key, empty and long text, digits and non-BMP characters give?",
        "single rows",
        _values_of_json_table,
    ),
    Probe(
        "H3",
        "Several rows in one INSERT: UNION ALL without FROM, or VALUES?",
        "one row a request",
        _rows_in_one_insert,
    ),
    Probe(
        "H4",
        "Which SQL name has GetParameterValue, and how does Parameters look in JSON?",
        "no drop-down lists",
        _parameters_of_properties,
    ),
    Probe(
        "H5",
        "CancelQuery from another session: does it work, and what does the cancelled request answer?",
        "time limit only",
        cancel_from_another_session,
    ),
    Probe(
        "H6",
        "CURRENT_STATEMENTS and GetSQLStatement: may this user read them, and is the lookup itself listed?",
        "ask the user to choose",
        _current_statements,
    ),
    Probe(
        "H7",
        "CALL %Library.SQLCatalog_... and SQLUserPrivs: which rows come, may this user call them?",
        "INFORMATION_SCHEMA only",
        _catalogue_procedures,
    ),
    Probe(
        "H8",
        "Are object references listed in KEY_COLUMN_USAGE?",
        "SQLRelationships or CompiledProperty.Type",
        _references_as_keys,
    ),
    Probe(
        "H9", "max and positional with EXPLAIN, CALL and DML", "the answers of API v1", _positional_answers
    ),
    Probe(
        "H10",
        "COLUMN_HISTOGRAMS and CompiledStorageProperty: may this user read them?",
        "a sample only",
        _statistics,
    ),
    Probe(
        "H11",
        "Time-out of the web gateway: which status, and does the statement go on?",
        "assume that it is not known",
        outlast_the_gateway,
    ),
    Probe(
        "H12",
        "A value outside a VALUELIST in a field that is not required: is it stored as NULL?",
        "check in the editor",
        _value_outside_its_list,
    ),
)

__all__ = ["PROBES", "Probe"]
