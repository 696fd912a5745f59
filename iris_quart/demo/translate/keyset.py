"""Keyset conditions, rewritten so that SQLite can start in the middle of an index.

A client that pages by the last row it saw asks for `a > ? OR (a = ? AND b > ?)`, or in descending order, where NULL
comes last, for `a < ? OR a IS NULL OR (a = ? AND b > ?)`. SQLite would read and sort every row after that one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from iris_quart.demo.parse import nodes

Bounds = dict[nodes.Name, tuple[set[str], list[nodes.Expression]]]


def implied_bound(node: nodes.Logical) -> tuple[str, nodes.Name, list[nodes.Expression]] | None:
    """Return the bound that every branch of an OR implies: operator, column, and the values to take the widest of.

    `a > x OR (a = y AND b > z)` implies `a >= least(x, y)`.
    """
    branches = [_bounds(branch) for branch in alternatives(node)]
    for column in branches[0]:
        if not all(column in branch for branch in branches):
            continue
        words = set().union(*(branch[column][0] for branch in branches))
        values = [value for branch in branches for value in branch[column][1]]
        if ">" in words and words <= {">", ">=", "="}:
            return ">=", column, values
        if "<" in words and words <= {"<", "<=", "="}:
            return "<=", column, values
    return None


def split_nulls(node: nodes.Select) -> tuple[nodes.Select, nodes.Select] | None:
    """Return a page in descending order as two: the rows that have a value, then those that have none.

    None where the query is not such a page.
    """
    if node.limit is None or node.offset is not None or not node.order or node.where is None:
        return None
    first = node.order[0]
    if node.distinct or node.distinct_by or node.group or node.having or not first.descending:
        return None
    if not isinstance(first.expression, nodes.Name):
        return None
    column = _unplaced(first.expression)
    conjuncts = list(_conjuncts(node.where))
    for index, conjunct in enumerate(conjuncts):
        if not isinstance(conjunct, nodes.Logical) or conjunct.operator != "OR":
            continue
        branches = list(alternatives(conjunct))
        nulls = [branch for branch in branches if _is_null(branch, column)]
        rest = [branch for branch in branches if branch not in nulls]
        if not nulls or not rest or not all(column in _bounds(branch) for branch in rest):
            continue
        others = [*conjuncts[:index], *conjuncts[index + 1 :]]
        valued = rest[0] if len(rest) == 1 else nodes.Logical("OR", tuple(rest))
        return (
            replace(node, where=_joined([*others, valued])),
            replace(node, where=_joined([*others, nulls[0]])),
        )
    return None


def alternatives(node: nodes.Expression) -> Iterator[nodes.Expression]:
    """Yield the branches of nested ORs."""
    if isinstance(node, nodes.Logical) and node.operator == "OR":
        for operand in node.operands:
            yield from alternatives(operand)
    else:
        yield node


def _conjuncts(node: nodes.Expression) -> Iterator[nodes.Expression]:
    if isinstance(node, nodes.Logical) and node.operator == "AND":
        for operand in node.operands:
            yield from _conjuncts(operand)
    else:
        yield node


def _joined(tests: list[nodes.Expression]) -> nodes.Expression:
    return tests[0] if len(tests) == 1 else nodes.Logical("AND", tuple(tests))


def _bounds(branch: nodes.Expression) -> Bounds:
    found: Bounds = {}
    for test in _conjuncts(branch):
        if not isinstance(test, nodes.Comparison) or not isinstance(test.left, nodes.Name):
            continue
        if test.quantifier is None and _is_constant(test.right):
            found.setdefault(_unplaced(test.left), ({test.operator}, [test.right]))
    return found


def _is_constant(node: nodes.Expression) -> bool:
    if isinstance(node, nodes.Cast):
        return _is_constant(node.operand)
    if isinstance(node, nodes.Call):
        return node.window is None and node.name.startswith("TO_") and all(map(_is_constant, node.arguments))
    return isinstance(node, (nodes.Literal, nodes.Parameter, nodes.TypedLiteral))


def _is_null(node: nodes.Expression, column: nodes.Name) -> bool:
    if not isinstance(node, nodes.IsNull) or node.negated or not isinstance(node.operand, nodes.Name):
        return False
    return _unplaced(node.operand) == column


def _unplaced(name: nodes.Name) -> nodes.Name:
    return nodes.Name(name.column, name.table, name.delimited, 0)


__all__ = ["Bounds", "alternatives", "implied_bound", "split_nulls"]
