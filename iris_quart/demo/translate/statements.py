"""Statements to plans: the entry of the translation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from iris_quart.demo.catalog.tables import Catalog
from iris_quart.demo.parse import nodes

from .plans import Plan
from .scope import Names
from .translation import Translation

QUERY, DEFINITION = "query", "definition"


def translate(
    statement: nodes.Statement, catalog: Catalog, *, odbc: bool, shuffle: int | None, text: str
) -> Plan:
    """Return the plan of a statement; raise SqlError for what it cannot mean."""
    if isinstance(statement.body, nodes.Definition):
        return Plan(DEFINITION, statement.parameters, definition=statement.body, text=text)
    translation = Translation(catalog, Names(statement.tokens), odbc=odbc, shuffle=shuffle)
    return PLANS[type(statement.body)](translation, statement.body, statement.parameters)


def _query(translation: Translation, body: nodes.Query, parameters: int) -> Plan:
    query = translation.queries.outermost(body)
    return Plan(QUERY, parameters, query=query, reads=frozenset(translation.reads))


PLANS: dict[type, Callable[[Translation, Any, int], Plan]] = {
    nodes.Delete: lambda translation, body, parameters: translation.writes.delete(body, parameters),
    nodes.Insert: lambda translation, body, parameters: translation.writes.insert(body, parameters),
    nodes.Select: _query,
    nodes.SetOperation: _query,
    nodes.Truncate: lambda translation, body, parameters: translation.writes.truncate(body, parameters),
    nodes.Update: lambda translation, body, parameters: translation.writes.update(body, parameters),
    nodes.With: _query,
}
"""How each kind of statement becomes a plan; definitions run as they are."""

__all__ = ["DEFINITION", "QUERY", "translate"]
