"""Speed without a stopwatch where possible: what SQLite reads for a page, and what a plan costs."""

from __future__ import annotations

import time

import pytest

from iris_quart.demo.engine.namespace import Namespace
from iris_quart.demo.translate.plans import bind

ITEMS = '%ID AS "k", "Name", %ODBCOUT("DOB") AS "DOB", "Salary"'
PAGES = [
    (f'SELECT TOP 100 {ITEMS} FROM "Sample"."Person" ORDER BY %ID', ()),
    (f'SELECT TOP 100 {ITEMS} FROM "Sample"."Person" WHERE %ID > ? ORDER BY %ID', ("2",)),
    (f'SELECT TOP 100 {ITEMS} FROM "Sample"."Person"', ()),
    (f'SELECT TOP 100 {ITEMS} FROM "Sample"."Person" ORDER BY "Name", %ID', ()),
    (
        f"""SELECT TOP 100 {ITEMS} FROM "Sample"."Person" WHERE ("Name" > ? OR ("Name" = ? AND %ID > ?))
        ORDER BY "Name", %ID""",
        ("a", "a", "1"),
    ),
    (
        f"""SELECT TOP 100 {ITEMS} FROM "Sample"."Person" WHERE (("DOB" < TO_DATE(?, 'YYYY-MM-DD') OR "DOB" IS NULL)
        OR ("DOB" = TO_DATE(?, 'YYYY-MM-DD') AND %ID > ?)) ORDER BY "DOB" DESC, %ID""",
        ("1985-01-01", "1985-01-01", "1"),
    ),
    ('SELECT "Name" FROM "Sample"."Person" WHERE "SSN" = ?', ("111",)),
    ('UPDATE "Sample"."Person" SET "Name" = ? WHERE %ID = ? AND %EXACT("Name") = ?', ("x", "1", "y")),
]


@pytest.mark.parametrize(("sql", "parameters"), PAGES, ids=[page[0][40:110] for page in PAGES])
def test_a_page_reads_an_index_in_order(namespace: Namespace, sql: str, parameters: tuple[str, ...]) -> None:
    namespace.run_script("CREATE INDEX N ON Sample.Person (Name); CREATE INDEX D ON Sample.Person (DOB);")
    query = namespace._plan(sql, odbc=False).query
    assert query is not None
    with namespace._storage.reader() as connection:
        bound = bind(query.slots, parameters, odbc=False)
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query.sql}", bound)]
    joined = "; ".join(steps)
    assert "MULTI-INDEX" not in joined
    assert "USE TEMP B-TREE FOR ORDER BY" not in joined
    for step in steps:
        if step.startswith("SCAN"):
            assert "USING INDEX" in step or "WHERE" not in sql or step.startswith("SCAN (")


def test_a_cached_plan_costs_microseconds_and_a_new_one_few_milliseconds(namespace: Namespace) -> None:
    sql = PAGES[4][0]
    namespace._plan(sql, odbc=False)
    started = time.thread_time()
    for _ in range(2000):
        namespace._plan(sql, odbc=False)
    cached = (time.thread_time() - started) / 2000
    started = time.thread_time()
    for number in range(50):
        namespace._plan(sql.replace('"k"', f'"k{number}"'), odbc=False)
    fresh = (time.thread_time() - started) / 50
    assert cached < 5e-6
    assert fresh < 3e-3
