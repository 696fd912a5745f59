"""Two applications in one process share nothing: no module of the package holds what one of them could change."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "iris_quart"
CONTAINERS = {
    "dict",
    "list",
    "set",
    "OrderedDict",
    "defaultdict",
    "deque",
    "Counter",
    "WeakKeyDictionary",
    "WeakSet",
    "WeakValueDictionary",
}
ALLOWED = {
    "live/patches/bounds.py:_lingering": "holds tasks of Hypercorn's streams until they end; nobody reads it",
}


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "demo" not in path.relative_to(PACKAGE).parts]


def _is_empty_container(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Dict):
        return not value.keys
    if isinstance(value, ast.List | ast.Set):
        return not value.elts
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Name | ast.Attribute)
        and not value.args
        and (value.func.id if isinstance(value.func, ast.Name) else value.func.attr) in CONTAINERS
    )


def shared(path: Path) -> Iterator[str]:
    """Name the containers of a module that start empty, and the variables that its functions rebind."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and _is_empty_container(node.value):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield ast.unparse(target)
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Global):
            yield from inner.names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_hold_nothing_that_is_filled_later(path: Path) -> None:
    found = {f"{path.relative_to(PACKAGE)}:{name}" for name in shared(path)}
    assert found <= set(ALLOWED)


def test_the_check_sees_a_container(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("a: dict[str, int] = {}\nb = set()\nc = {1: 2}\n\ndef f():\n    global c\n    c = 3\n")
    assert list(shared(module)) == ["a", "b", "c"]
