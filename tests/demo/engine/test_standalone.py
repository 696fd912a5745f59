"""The engine needs nothing but Python: no SQL parser to break, nothing of the web server."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import iris_quart.demo.engine

PACKAGE = Path(iris_quart.demo.engine.__file__).parent


def imported(path: Path) -> set[str]:
    """Return the absolute modules that a file imports; those of its own package as ``.name``."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level < 2
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found.update(f".{name}" if node.level else str(name).partition(".")[0] for name in names)
    return found


def reachable() -> set[Path]:
    """Return every file that the engine is made of."""
    found: set[Path] = set()
    open_files = [PACKAGE / "engine.py"]
    while open_files:
        path = open_files.pop()
        if path in found:
            continue
        found.add(path)
        open_files.extend(PACKAGE / f"{name[1:]}.py" for name in imported(path) if name.startswith("."))
    return found


def test_the_engine_imports_only_the_standard_library() -> None:
    files = reachable()
    assert len(files) > 30
    foreign = {
        name for path in files for name in imported(path) if not name.startswith(".")
    } - sys.stdlib_module_names
    assert foreign == set()


@pytest.mark.parametrize("path", sorted(reachable()), ids=lambda path: path.name)
def test_modules_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
