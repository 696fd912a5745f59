"""The engine needs nothing but Python: no SQL parser to break, nothing of the web server."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import iris_quart.demo

PACKAGE = Path(iris_quart.demo.__file__).parent
NAME = "iris_quart.demo"


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports; those of the demo by their full name, others by the first part."""
    found: set[str] = set()
    here = ".".join([NAME, *path.relative_to(PACKAGE).parent.parts])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level < 2
            base = ".".join(filter(None, [here, node.module])) if node.level else str(node.module)
            if not base.startswith(NAME):
                found.add(base.partition(".")[0])
                continue
            for alias in node.names:
                below = f"{base}.{alias.name}"
                found.add(below if file_of(below).is_file() else base)
    return found


def file_of(module: str) -> Path:
    """Return the file of a module of the demo."""
    return PACKAGE.joinpath(*module.removeprefix(NAME).split(".")).with_suffix(".py")


def reachable() -> set[Path]:
    """Return every file that the engine is made of."""
    found: set[Path] = set()
    open_files = [PACKAGE / "engine" / "namespace.py"]
    while open_files:
        path = open_files.pop()
        if path in found:
            continue
        found.add(path)
        open_files.extend(file_of(name) for name in imported(path) if name.startswith(NAME))
    return found


def test_the_engine_imports_only_the_standard_library() -> None:
    files = reachable()
    assert len(files) > 30
    foreign = {
        name for path in files for name in imported(path) if not name.startswith(NAME)
    } - sys.stdlib_module_names
    assert foreign == set()


@pytest.mark.parametrize("path", sorted(reachable()), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
