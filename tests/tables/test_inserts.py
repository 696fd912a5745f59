"""What is remembered before an INSERT, so that its row is told from others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from iris_quart.sql.identifiers import quote
from iris_quart.sql.metadata import Column, Identity, IdentityKind, Table, TableKind
from iris_quart.sql.projection import Projection
from iris_quart.sql.server_format import ServerFormat
from iris_quart.sql.values import Category, Parameter
from iris_quart.tables.inserts import InsertMark, Inserts
from iris_quart.tables.validation import ChangeKind, Plan
from tests.tables.engine import Reply


class Server:
    """Answers the greatest row ID and the rows that hold what is asked for."""

    def __init__(self, newest: Any, same: Sequence[str] = ()) -> None:
        self.newest = newest
        self.same = same

    async def query(
        self, namespace: str, sql: str, parameters: Sequence[Parameter] = (), **_options: Any
    ) -> Reply:
        """Answer one statement."""
        if "MAX(" in sql:
            return Reply([{"newest": self.newest}])
        return Reply([{"row_id": row_id, "Code": row_id, "V": "v"} for row_id in self.same])


def table_with_key(category: Category) -> Table:
    code = Column(
        "Code",
        category.value,
        category,
        has_default=True,
        is_primary_key=True,
        unique=True,
        sql=quote("Code"),
    )
    value = Column("V", "varchar", Category.TEXT, max_length=9, sql=quote("V"))
    identity = Identity(IdentityKind.ROW_ID)
    return Table("USER", "S", "T", TableKind.TABLE, (code, value), identity, unique_keys=(("Code",),))


def inserts(server: Server) -> Inserts:
    async def project(table: Table, columns: Sequence[Column], _longest: int) -> Projection:
        return Projection(table, columns, ServerFormat(), preview=1000)

    return Inserts(server, project)  # type: ignore[arg-type]


@pytest.mark.parametrize("newest", [900, "900"])
async def test_text_key_that_a_default_fills_may_be_the_row_id_and_then_does_not_count_up(
    newest: Any,
) -> None:
    table = table_with_key(Category.TEXT)
    plan = Plan(table, ChangeKind.INSERT, None, {table.columns[1]: "v"}, None)
    server = Server(newest, ["17"])
    mark = await inserts(server).mark(plan)
    assert mark == InsertMark(before=frozenset({"17"}))
    server.same = ["17", "1000"]
    found = await inserts(server).look(plan, mark, in_doubt=False)
    assert found is not None
    assert found.row_id == "1000"
    server.same = ["17"]
    lost = await inserts(server).look(plan, mark, in_doubt=True)
    assert lost is not None
    assert lost.outcome == "unknown"


async def test_counter_that_was_left_out_counts_up() -> None:
    table = table_with_key(Category.INTEGER)
    plan = Plan(table, ChangeKind.INSERT, None, {table.columns[1]: "v"}, None)
    assert (await inserts(Server(900)).mark(plan)).newest == 900
