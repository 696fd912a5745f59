"""Triggers, which only scripts of sample data declare."""

from __future__ import annotations

from pathlib import Path

import pytest

from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.engine.namespace import Namespace

SCRIPT = """CREATE TABLE T (A VARCHAR(5), N INTEGER, V ROWVERSION)
    WITH %TRIGGER Up UPDATE A AS (UPPER(A) || 'x'), %TRIGGER More UPDATE N AS (N + 1);
    INSERT INTO T (A, N) VALUES ('a', 1); INSERT INTO T (A, N) VALUES (NULL, NULL)"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


def test_a_trigger_runs_on_update_alone_and_outlives_the_file(path: Path) -> None:
    first = Namespace("X", path)
    first.run_script(SCRIPT)
    assert first.execute("SELECT A, N FROM T ORDER BY %ID").rows == [("a", 1), (None, None)]
    first.close()
    again = Namespace("X", path)
    again.execute("UPDATE T SET A = 'b'")
    assert again.execute("SELECT A, N FROM T ORDER BY %ID").rows == [("Bx", 2), ("Bx", None)]
    assert again.execute(
        "SELECT TRIGGER_NAME, ACTION_ORDER FROM INFORMATION_SCHEMA.TRIGGERS ORDER BY 2"
    ).rows == [
        ("Up", 1),
        ("More", 2),
    ]
    again.close()


def test_a_value_that_a_trigger_makes_is_checked_and_nothing_stays(path: Path) -> None:
    namespace = Namespace("X", path)
    namespace.run_script(SCRIPT)
    before = namespace.execute("SELECT * FROM T").rows
    with pytest.raises(SqlError) as caught:
        namespace.execute("UPDATE T SET A = 'abcde'")
    assert caught.value.sqlcode == -105
    assert namespace.execute("SELECT * FROM T").rows == before
    namespace.close()


def test_a_trigger_names_a_column_of_its_table(path: Path) -> None:
    namespace = Namespace("X", path)
    with pytest.raises(SqlError) as caught:
        namespace.execute("CREATE TABLE T (A INTEGER) WITH %TRIGGER Up UPDATE B AS (A)")
    assert caught.value.sqlcode == -31
    namespace.close()
