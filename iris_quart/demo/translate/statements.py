"""Statements to plans: the entry of the translation."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from iris_quart.demo.catalog.tables import Catalog
from iris_quart.demo.core.errors import SqlError
from iris_quart.demo.core.types import VARCHAR
from iris_quart.demo.parse import nodes

from .plans import Output, Plan, Query, Unordered
from .scope import Names
from .translation import Translation
from .typed import constant

QUERY, DEFINITION, SESSION = "query", "definition", "session"


def translate(
    statement: nodes.Statement, catalog: Catalog, *, odbc: bool, unordered: Unordered, text: str
) -> Plan:
    """Return the plan of a statement; raise SqlError for what it cannot mean."""
    if isinstance(statement.body, nodes.Definition):
        return Plan(DEFINITION, statement.parameters, definition=statement.body, text=text)
    translation = Translation(catalog, Names(statement.tokens), odbc=odbc, unordered=unordered)
    return PLANS[type(statement.body)](translation, statement.body, statement.parameters)


def _query(translation: Translation, body: nodes.Query, parameters: int) -> Plan:
    query = translation.queries.outermost(body)
    return Plan(QUERY, parameters, query=query, reads=frozenset(translation.reads))


def _explain(translation: Translation, body: nodes.Explain, parameters: int) -> Plan:
    """Return a plan that answers one row with a plan as XML, the shape seen on live servers; it runs nothing."""
    try:
        PLANS[type(body.body)](translation, body.body, parameters)
    except SqlError as error:
        raise SqlError(
            -482, f"EXPLAIN of an invalid statement: SQLCODE {error.sqlcode}, {error.text}"
        ) from None
    lines = ["<plans>", " <plan>", "   SQL:", f"   {escape(body.text, quote=False)}", "   Information:"]
    lines += [f"   Table {escape(name, quote=False)} is not tuned." for name in sorted(translation.reads)]
    lines += [
        "   Cost: 1",
        "   Module: FIRST",
        "   The embedded server has no plans of IRIS.",
        " </plan>",
        "</plans>",
    ]
    text = constant("".join(f"{line}\r\n" for line in lines))
    query = Query(f"SELECT {text} AS c1", (), (Output("Plan", VARCHAR),))
    return Plan(QUERY, 0, query=query, reads=frozenset(translation.reads))


def _session(translation: Translation, body: nodes.SessionWord, parameters: int) -> Plan:
    if body.table is not None:
        translation.sources.table(body.table)
    return Plan(SESSION, parameters, text=body.word)


PLANS: dict[type, Callable[[Translation, Any, int], Plan]] = {
    nodes.Delete: lambda translation, body, parameters: translation.writes.delete(body, parameters),
    nodes.Explain: _explain,
    nodes.Insert: lambda translation, body, parameters: translation.writes.insert(body, parameters),
    nodes.Select: _query,
    nodes.SessionWord: _session,
    nodes.SetOperation: _query,
    nodes.Truncate: lambda translation, body, parameters: translation.writes.truncate(body, parameters),
    nodes.Update: lambda translation, body, parameters: translation.writes.update(body, parameters),
    nodes.With: _query,
}
"""How each kind of statement becomes a plan; definitions run as they are."""

__all__ = ["DEFINITION", "QUERY", "SESSION", "translate"]
