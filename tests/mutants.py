"""Mutation check of what the promise rests on: python -m tests.mutants --count 200 --seed 1.

Makes a seeded sample of small changes in iris_quart/sql, tables and commands, runs for each the tests that run its
lines, the quickest first, in a copy of the project (see mutant_runs), and prints each mutant that no test noticed with
its difference. Results are kept in a file for each state of the packages, so that an interrupted run continues.
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
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("sql", "tables", "commands")
COPIED = ("iris_quart", "tests", "static", "templates", "docs", "instance", "pyproject.toml")
TESTS = ("tests/sql", "tests/tables", "tests/commands", "tests/web/test_values.py", "tests/web/export")
"""Tests that run the packages inside the process of pytest."""
JOB_VARIABLE = "IRIS_QUART_MUTANTS_JOB"
"""Environment variable with the path of the job for the plugin of tests/mutant_runs.py."""
MUTANT_FIELDS = ("module", "place", "variant", "kind", "line")
MUTANT_SECONDS = 300.0
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
    return ast.unparse(tree), ast.unparse(mutated_tree(source, mutant))


def mutated_tree(source: str, mutant: Mutant) -> ast.Module:
    """Return the syntax tree of the module with the change; its other nodes keep their lines."""
    tree = ast.parse(source)
    target = next(node for place, node in enumerate(ast.walk(tree)) if place == mutant.place)
    _kind, change = list(changes_of(target))[mutant.variant]
    changed = ast.copy_location(change(copy.deepcopy(target)), target)

    class Put(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            return changed if node is target else super().generic_visit(node)

    changed_tree: ast.Module = ast.fix_missing_locations(Put().visit(tree))
    return changed_tree


def difference(plain: str, changed: str) -> str:
    """Return the lines that differ, with two around them."""
    lines = difflib.unified_diff(plain.splitlines(), changed.splitlines(), lineterm="", n=2)
    return "\n".join(list(lines)[2:])


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
    parser.add_argument("--results", type=Path, default=Path(tempfile.gettempdir()) / "iris-quart-mutants")
    parser.add_argument("--modules", default="", help="only modules whose name begins so, as sql/values")
    parser.add_argument("--again", default="", help="results to check again, as survived,timed out")
    parser.add_argument("--tests", nargs="*", default=TESTS, help="test files and folders to choose from")
    parser.add_argument(
        "--part", default="1/1", help="which part of the sample, as 1/2 and 2/2 in two processes"
    )
    parser.add_argument("--most", type=int, help="tests of one mutant, for a quick first look")
    parser.add_argument("--least", type=float, default=0.92, help="share that must be noticed")
    options = parser.parse_args()
    options.results.mkdir(exist_ok=True)
    mutants = [m for m in all_mutants(ROOT) if m.module.startswith(tuple(options.modules.split(",")))]
    sample = random.Random(options.seed).sample(mutants, min(options.count, len(mutants)))
    results = options.results / f"{source_hash(ROOT)}.jsonl"
    known = read_results(results)
    again = set(options.again.split(","))
    part, parts = map(int, options.part.split("/"))
    sample = sample[part - 1 :: parts]
    left = [m for m in sample if m.key not in known or known[m.key]["result"] in again]
    with tempfile.TemporaryDirectory(prefix="iris-quart-mutants-") as folder:
        copied = Path(folder)
        copy_project(copied)
        if left:
            job = {
                "mutants": [asdict(mutant) for mutant in left],
                "most": options.most,
                "results": str(results),
                "traces": str(options.results / f"{source_hash(ROOT)}.traces.json"),
            }
            (copied / "job.json").write_text(json.dumps(job), "utf-8")
            run_tests(copied, ["-s", *options.tests], job=copied / "job.json")
        known = read_results(results)
        for mutant in left:
            found = known.get(mutant.key, {})
            if found.get("result") == "at import":
                found = check_import(copied, mutant, found["tests"] or options.tests)
                with results.open("a", encoding="utf-8") as output:
                    output.write(json.dumps({**asdict(mutant), **found}) + "\n")
                print(f"{found['result']:9} {found['seconds']:6} s  {mutant.key}", flush=True)
    known = read_results(results)
    for mutant in sample:
        if known.get(mutant.key, {}).get("result") not in {"killed", None}:
            source = (ROOT / "iris_quart" / mutant.module).read_text("utf-8")
            print(f"{known[mutant.key]['result']}: {mutant.key}\n{difference(*mutated(source, mutant))}")
    counts = Counter(known.get(mutant.key, {}).get("result", "not checked") for mutant in sample)
    noticed = counts["killed"] / max(1, len(sample))
    print(f"{len(sample)} mutants: {dict(counts)}, {noticed:.1%} noticed")
    return 0 if noticed >= options.least else 1


def read_results(path: Path) -> dict[str, dict[str, Any]]:
    """Return the last result of each mutant by its key."""
    found = {}
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        item = json.loads(line)
        found[Mutant(**{name: item[name] for name in MUTANT_FIELDS}).key] = item
    return found


def copy_project(copied: Path) -> None:
    """Copy what the tests need, so that work on the project can go on."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copied / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, copied / name)


def run_tests(
    copied: Path, arguments: Sequence[str], job: Path | None = None, seconds: float | None = None
) -> int | None:
    """Run pytest in the copy; the exit code, None when the time is up."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", "-p", "no:cacheprovider"]
    command += [f"--basetemp={copied / 'temporary'}", "-p", "tests.mutant_runs", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(copied), "PYTHONDONTWRITEBYTECODE": "1", "CI": "1"}
    if job:
        environment[JOB_VARIABLE] = str(job)
    process = subprocess.Popen(
        command,
        cwd=copied,
        env=environment,
        stdout=None if job else subprocess.DEVNULL,
        stderr=None if job else subprocess.DEVNULL,
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


def check_import(copied: Path, mutant: Mutant, tests: Sequence[str]) -> dict[str, Any]:
    """Write a mutant whose code runs at import into the copy, and run the files of its tests."""
    path = copied / "iris_quart" / mutant.module
    source = path.read_text("utf-8")
    started = time.monotonic()
    try:
        path.write_text(mutated(source, mutant)[1], "utf-8")
        files = dict.fromkeys(name.partition("::")[0].partition("@")[0] for name in tests)
        code = run_tests(copied, list(files), seconds=MUTANT_SECONDS)
    finally:
        path.write_text(source, "utf-8")
    result = "survived" if code == 0 else "timed out" if code is None else "killed"
    return {"result": result, "seconds": round(time.monotonic() - started, 1)}


if __name__ == "__main__":
    sys.exit(main())
