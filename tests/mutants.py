"""Mutation check of what the promise rests on: python -m tests.mutants --count 200 --seed 1.

Makes a seeded sample of small changes in iris_quart/sql, tables and commands, runs for each the tests that concern the
changed module, the quickest first, in a copy of the project, and prints each mutant that no test noticed with its
difference. Results are kept in a JSON file, so that a run that was broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import ast
import copy
import difflib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("sql", "tables", "commands")
COPIED = ("iris_quart", "tests", "static", "templates", "docs", "instance", "pyproject.toml")
TESTS = {
    "sql": ("tests/sql", "tests/tables", "tests/commands"),
    "tables": ("tests/tables", "tests/commands", "tests/faults/test_machine.py"),
    "commands": ("tests/commands", "tests/faults/test_machine.py", "tests/live/test_commands.py"),
}
"""Tests that concern the modules of a package."""
OWN_TESTS = {
    "sql/view_definition.py": ("tests/sql/test_view_definition.py", "tests/commands/test_views.py"),
    "sql/identifiers.py": ("tests/sql/test_identifiers.py",),
    "tables/whole_values.py": ("tests/tables/test_whole_values.py", "tests/web/test_values.py"),
    "tables/time_slices.py": ("tests/tables/test_paging.py", "tests/web/export/test_routes.py"),
    "tables/counts.py": ("tests/tables/test_counts.py",),
    "tables/caches.py": ("tests/tables/test_caches.py",),
    "tables/catalogue.py": ("tests/tables/test_catalogue.py",),
    "commands/namespaces.py": ("tests/live/test_commands.py",),
    "commands/connection.py": ("tests/live/test_commands.py",),
    "commands/tables.py": ("tests/live/test_commands.py", "tests/commands/test_browsing.py"),
}
"""Tests that a module has for itself, run before those of its package."""
MUTANT_SECONDS = 240.0
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.BitOr: ast.BitAnd,
}


@dataclass(frozen=True)
class Mutant:
    """One small change: the place of a node among all nodes of its module, and what is done to it."""

    module: str
    place: int
    variant: int
    kind: str
    line: int

    @property
    def key(self) -> str:
        """Name it in the file of results."""
        return f"{self.module}:{self.line}:{self.kind}:{self.place}.{self.variant}"


def changes_of(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], ast.AST]]]:
    """Yield the changes that can be made to a node: what it is called, and how a copy of the node is changed."""
    match node:
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                if type(operator) in COMPARISONS:
                    yield "comparison", _flip(index)
        case ast.BoolOp():
            yield "and/or", _swap
        case ast.UnaryOp(op=ast.Not()):
            yield "not removed", lambda item: item.operand
        case ast.If() | ast.While() | ast.IfExp():
            yield "condition negated", _negate
        case ast.BinOp() if type(node.op) in ARITHMETIC and not _is_text(node):
            yield "arithmetic", _other_operator
        case ast.Constant(value=bool()):
            yield "constant", lambda item: ast.Constant(not item.value)
        case ast.Constant(value=int() | float()):
            yield "off by one", lambda item: ast.Constant(item.value + 1)
        case ast.Return(value=ast.AST()) if not isinstance(node.value, ast.Constant):
            yield "returns nothing", lambda item: ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign() | ast.Raise() | ast.Continue():
            yield "statement removed", lambda item: ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield "statement removed", lambda item: ast.Pass()


def _flip(index: int) -> Callable[[Any], ast.AST]:
    def change(item: ast.Compare) -> ast.AST:
        item.ops[index] = COMPARISONS[type(item.ops[index])]()
        return item

    return change


def _swap(item: ast.BoolOp) -> ast.AST:
    item.op = ast.Or() if isinstance(item.op, ast.And) else ast.And()
    return item


def _negate(item: Any) -> ast.AST:
    item.test = ast.UnaryOp(ast.Not(), item.test)
    return item  # type: ignore[no-any-return]  # a node with a test: if, while, conditional expression


def _other_operator(item: ast.BinOp) -> ast.AST:
    item.op = ARITHMETIC[type(item.op)]()
    return item


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (node.left, node.right)
    )


def candidates(tree: ast.Module) -> Iterator[tuple[int, ast.AST]]:
    """Yield the nodes that run, by their place in a walk: no annotations, no docstrings, no class bodies of types."""
    ignored: set[int] = set()
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.AnnAssign | ast.arg):
            parts = [node.annotation]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts = [node.returns, *node.decorator_list]
        elif isinstance(node, ast.ClassDef):
            parts = [*node.decorator_list]
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            parts = [node]
        for part in parts:
            if part is not None:
                ignored.update(id(inner) for inner in ast.walk(part))
    for place, node in enumerate(ast.walk(tree)):
        if id(node) not in ignored:
            yield place, node


def all_mutants(root: Path) -> list[Mutant]:
    """List every mutant of the packages, in a fixed order."""
    found = []
    for package in PACKAGES:
        for path in sorted((root / "iris_quart" / package).glob("*.py")):
            module = f"{package}/{path.name}"
            tree = ast.parse(path.read_text("utf-8"))
            for place, node in candidates(tree):
                for variant, (kind, _change) in enumerate(changes_of(node)):
                    found.append(Mutant(module, place, variant, kind, getattr(node, "lineno", 0)))
    return found


def mutated(source: str, mutant: Mutant) -> tuple[str, str]:
    """Return the text of the module without and with the change, both as the syntax tree is written."""
    tree = ast.parse(source)
    plain = ast.unparse(tree)
    target = next(node for place, node in enumerate(ast.walk(tree)) if place == mutant.place)
    _kind, change = list(changes_of(target))[mutant.variant]
    changed = change(copy.deepcopy(target))

    class Put(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            return changed if node is target else super().generic_visit(node)

    return plain, ast.unparse(ast.fix_missing_locations(Put().visit(tree)))


def difference(plain: str, changed: str) -> str:
    """Return the lines that differ, with two around them."""
    lines = difflib.unified_diff(plain.splitlines(), changed.splitlines(), lineterm="", n=2)
    return "\n".join(list(lines)[2:])


class Checker:
    """Runs the tests in a copy of the project."""

    def __init__(self, copied: Path, known: dict[str, Any], seconds: float) -> None:
        self.copied = copied
        self.times: dict[str, float] = known.setdefault("seconds", {})
        self.seconds = seconds

    def files(self, module: str) -> list[str]:
        """Return the test files for a module: its own, then those of its package, the quickest first."""
        own = [name for name in OWN_TESTS.get(module, ()) if (self.copied / name).exists()]
        rest = []
        for name in TESTS[module.partition("/")[0]]:
            path = self.copied / name
            found = sorted(path.glob("test_*.py")) if path.is_dir() else [path]
            rest += [str(item.relative_to(self.copied)) for item in found if item.exists()]
        files = [*own, *sorted(dict.fromkeys(rest), key=lambda name: self.times.get(name, 60.0))]
        return [name for name in dict.fromkeys(files) if self.times.get(name, 0.0) >= 0]

    def measure(self, names: Sequence[str]) -> None:
        """Run files once on the project as it is; one that fails there is left out, marked by -1."""
        new = [name for name in names if name not in self.times]
        if not new:
            return
        report = self.copied / "report.xml"
        self.run(new, self.seconds * 10, "-o", "junit_family=xunit1", f"--junit-xml={report}", stop=False)
        found: dict[str, float] = defaultdict(float)
        broken: set[str] = set()
        for case in ElementTree.parse(report).iter("testcase"):
            name = case.get("file") or ""
            found[name] += float(case.get("time") or 0)
            if case.find("failure") is not None or case.find("error") is not None:
                broken.add(name)
        for name in new:
            self.times[name] = -1.0 if name in broken or name not in found else round(found[name], 1)
            print(f"{name}: {self.times[name]} s", flush=True)

    def run(self, names: Sequence[str], seconds: float, *options: str, stop: bool = True) -> int | None:
        """Run tests until the first failure; the exit code, None when the time is up."""
        command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider", *options]
        command += ["-x"] if stop else []
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.copied),
            "CI": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        process = subprocess.Popen(
            [*command, *names],
            cwd=self.copied,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def check(self, mutant: Mutant) -> dict[str, Any]:
        """Run the tests on one mutant."""
        path = self.copied / "iris_quart" / mutant.module
        source = path.read_text("utf-8")
        plain, changed = mutated(source, mutant)
        started = time.monotonic()
        try:
            path.write_text(changed, "utf-8")
            code = self.run(self.files(mutant.module), self.seconds)
        finally:
            path.write_text(source, "utf-8")
        result = "survived" if code == 0 else "timed out" if code is None else "killed"
        seconds = round(time.monotonic() - started, 1)
        return {**asdict(mutant), "result": result, "seconds": seconds, "diff": difference(plain, changed)}


def source_hash(root: Path) -> str:
    """Return a hash of the packages: results of another state are not mixed in."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((root / "iris_quart" / package).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def main() -> int:
    """Check a sample; 0 when the share that was noticed is large enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--results", type=Path, default=Path(tempfile.gettempdir()) / "iris-quart-mutants.json"
    )
    parser.add_argument("--modules", default="", help="only modules whose name begins so, as sql/values")
    parser.add_argument("--seconds", type=float, default=MUTANT_SECONDS, help="time limit of one mutant")
    parser.add_argument("--least", type=float, default=0.92, help="share that must be noticed")
    options = parser.parse_args()
    state = source_hash(ROOT)
    known: dict[str, Any] = json.loads(options.results.read_text()) if options.results.exists() else {}
    if known.get("state") != state:
        known = {"state": state, "seconds": known.get("seconds", {}), "mutants": {}}
    mutants = [mutant for mutant in all_mutants(ROOT) if mutant.module.startswith(options.modules)]
    sample = random.Random(options.seed).sample(mutants, min(options.count, len(mutants)))
    with tempfile.TemporaryDirectory(prefix="iris-quart-mutants-") as folder:
        copied = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copied / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                shutil.copy(source, copied / name)
        checker = Checker(copied, known, options.seconds)
        for number, mutant in enumerate(sample, 1):
            checker.measure(checker.files(mutant.module))
            if mutant.key not in known["mutants"]:
                known["mutants"][mutant.key] = checker.check(mutant)
                options.results.write_text(json.dumps(known, indent=1))
            found = known["mutants"][mutant.key]
            print(
                f"{number}/{len(sample)} {found['result']:9} {found['seconds']:6} s  {mutant.key}",
                flush=True,
            )
            if found["result"] == "survived":
                print(found["diff"], flush=True)
    counts = Counter(known["mutants"][mutant.key]["result"] for mutant in sample)
    noticed = (counts["killed"] + counts["timed out"]) / max(1, len(sample))
    print(f"{len(sample)} mutants: {dict(counts)}, {noticed:.1%} noticed")
    return 0 if noticed >= options.least else 1


if __name__ == "__main__":
    sys.exit(main())
