"""Imports go one way: every module imports only from those before it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "iris_quart"

TIERS = [
    {"errors", "config", "names", "client_address", "sql", "process"},
    {"logs", "metrics", "background", "proxy"},
    {"protocol"},
    {"atelier"},
    {"tables"},
    {"sessions"},
    {"context"},
    {"dispatch", "extensions", "read_only"},
    {"audit", "check", "administer"},
    {"commands"},
    {"live"},
    {"services"},
    {"web"},
    {"app"},
    {"asgi", "serve", "reference", "page_protocol", "example_settings"},
    {"cli"},
]
"""From left to right; modules of one tier may import each other, except that live and web do not."""

DEMO_TIERS = [
    {"core"},
    {"functions", "parse"},
    {"catalog"},
    {"translate"},
    {"engine"},
    {"http"},
    {"samples", "behaviours"},
    {"verify"},
    {"server", "__main__", "__init__"},
]
"""The folders of the embedded IRIS from left to right; those of one tier do not import each other."""

RANK = {name: rank for rank, tier in enumerate(TIERS) for name in tier}
DEMO_RANK = {name: rank for rank, tier in enumerate(DEMO_TIERS) for name in tier}
APART = {frozenset({"live", "web"})}
ANYWHERE = {"", "__init__"}


def parts() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Give line and top-level part of each import from the package, also those for types only."""
    package = ["iris_quart", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            base = node.module or ""
            if node.level:
                base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
            names = [base] if base != "iris_quart" else [f"iris_quart.{alias.name}" for alias in node.names]
        for name in names:
            steps = name.split(".")
            if steps[0] == "iris_quart":
                yield node.lineno, steps[1] if len(steps) > 1 else ""


def demo_parts() -> list[Path]:
    return sorted((PACKAGE / "demo").rglob("*.py"))


def demo_part_of(path: Path) -> str:
    return path.relative_to(PACKAGE / "demo").parts[0].removesuffix(".py")


def demo_imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and first part below ``iris_quart.demo`` of each import from it, also those for types only."""
    package = ["iris_quart", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        base = node.module or ""
        if node.level:
            base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
        names = [base] if base != "iris_quart.demo" else [f"{base}.{alias.name}" for alias in node.names]
        for name in names:
            steps = name.split(".")
            if steps[:2] == ["iris_quart", "demo"]:
                yield node.lineno, steps[2]


@pytest.mark.parametrize("path", parts(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_only_from_the_left(path: Path) -> None:
    importer = part_of(path)
    wrong = []
    for line, name in imported(path):
        if name in ANYWHERE or name == importer or name.startswith("__"):
            continue
        if importer == "demo":
            allowed = False
        elif name == "demo":
            allowed = importer == "cli"
        elif importer in ANYWHERE:
            allowed = name in {"app", "config"}
        else:
            allowed = RANK[name] <= RANK[importer] and frozenset({name, importer}) not in APART
        if not allowed:
            wrong.append(f"line {line} imports {name}")
    assert not wrong


@pytest.mark.parametrize("path", demo_parts(), ids=lambda path: str(path.relative_to(PACKAGE / "demo")))
def test_the_embedded_iris_imports_only_from_the_left(path: Path) -> None:
    importer = demo_part_of(path)
    wrong = [
        f"line {line} imports {name}"
        for line, name in demo_imports(path)
        if name != importer
        and not (DEMO_RANK[name] < DEMO_RANK[importer] or {name, importer} <= DEMO_TIERS[-1])
    ]
    assert not wrong


def test_every_part_has_its_place() -> None:
    found = {part_of(path) for path in parts()} - ANYWHERE - {"demo", "__main__"}
    assert found <= set(RANK)


def test_the_check_sees_a_wrong_import() -> None:
    assert RANK["tables"] > RANK["sql"]
    lines = dict(imported(PACKAGE / "context.py"))
    assert "sessions" in lines.values()
    # Those under TYPE_CHECKING count too.
    assert "tables" in lines.values()


JS = PACKAGE.parent / "static" / "js"
JS_TIERS = ["data", "net", "ui", "grid", "panel", "table", "shell"]
"""Folders of the page's modules; each imports only from those before it, and from the modules beside the folders."""


def js_modules() -> list[Path]:
    return [path for folder in JS_TIERS for path in sorted((JS / folder).rglob("*.js"))]


@pytest.mark.parametrize("path", js_modules(), ids=lambda path: str(path.relative_to(JS)))
def test_javascript_imports_only_from_below(path: Path) -> None:
    importer = path.relative_to(JS).parts[0]
    wrong = []
    for name in re.findall(r"""(?:from|import)\s*\(?\s*"(\.[^"]+)\"""", path.read_text("utf-8")):
        target = (path.parent / name).resolve().relative_to(JS.parent).parts
        folder = target[1] if target[0] == "js" and len(target) > 2 else None
        if folder is not None and JS_TIERS.index(folder) > JS_TIERS.index(importer):
            wrong.append(name)
    assert wrong == []
