"""A pytest plugin that runs the tests of each mutant in a fork of one collected session.

The driver is tests/mutants.py. Each test is traced once, on the project as it is, for the lines of the packages that
it runs. A mutant inside a function is put into the running code of a fork, where only the tests that run its lines are
run, some quick ones of each file first, until one fails. What runs at import is left to the driver.
"""

from __future__ import annotations

import ast
import gc
import hashlib
import json
import os
import resource
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.mutants import JOB_VARIABLE, PACKAGES, Mutant, mutated_tree

ROOT = Path(__file__).resolve().parents[1]
CPU_SECONDS = 3
"""Processor time for one test of a mutant, besides five times what it needs without: beyond, the mutant is noticed."""
TEST_SECONDS = 60
"""Time for one test of a mutant, at least; a test that exceeds it is a time-out, which is not counted as noticed."""
MEMORY_BYTES = 4 << 30


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Check the mutants instead of running the collected tests, where the driver asks for it."""
    if JOB_VARIABLE not in os.environ:
        return None
    job = json.loads(Path(os.environ[JOB_VARIABLE]).read_text("utf-8"))
    Runs(session, job).run()
    return True


def _names_of_items(items: list[pytest.Item]) -> dict[str, pytest.Item]:
    """Return the items by their node ID and a hash of their file, so that a changed test is traced again."""
    hashes: dict[Path, str] = {}
    named = {}
    for item in items:
        if item.path not in hashes:
            hashes[item.path] = hashlib.sha256(item.path.read_bytes()).hexdigest()[:8]
        named[f"{item.nodeid}@{hashes[item.path]}"] = item
    return named


class Runs:
    """The mutants of one job, checked one after the other."""

    def __init__(self, session: pytest.Session, job: dict[str, Any]) -> None:
        self.items = _names_of_items([item for item in session.items if not item.get_closest_marker("slow")])
        self.mutants = [Mutant(**item) for item in job["mutants"]]
        self.most: int | None = job["most"]
        self.results = Path(job["results"])
        self.traces = Path(job["traces"])
        self.known: dict[str, Any] = json.loads(self.traces.read_text()) if self.traces.exists() else {}

    def run(self) -> None:
        """Trace the tests that are not traced yet, then check each mutant and append its result."""
        new = [name for name in self.items if name not in self.known]
        print(f"\n{len(self.items)} tests, {len(new)} to trace", flush=True)
        while new:
            _in_fork(partial(self._trace, new[:100]), self._note_trace, 1800)
            left = [name for name in new if name not in self.known]
            if len(left) == len(new):
                raise RuntimeError(f"{new[0]} ended the process that traced it")
            new = left
            self.traces.write_text(json.dumps(self.known))
        for number, mutant in enumerate(self.mutants, 1):
            found = self._check(mutant)
            with self.results.open("a", encoding="utf-8") as output:
                output.write(json.dumps({**asdict(mutant), **found}) + "\n")
            text = f"{found['result']:9} {found['seconds']:6} s  {mutant.key}  {found.get('test', '')}"
            print(f"{number}/{len(self.mutants)} {text}", flush=True)

    def _note_trace(self, line: str) -> None:
        name, passed, seconds, lines = json.loads(line)
        self.known[name] = {"passed": passed, "seconds": seconds, "lines": lines}

    def _trace(self, names: list[str], write: Callable[[str], None]) -> None:
        for name, following in zip(names, [*names[1:], None], strict=True):
            lines = _Lines()
            started = time.process_time()
            with lines:
                passed = _passes(self.items[name], self.items.get(following or ""))
            seconds = round(time.process_time() - started, 3)
            write(
                json.dumps([name, passed, seconds, {key: sorted(found) for key, found in lines.seen.items()}])
            )

    def _check(self, mutant: Mutant) -> dict[str, Any]:
        source = (ROOT / "iris_quart" / mutant.module).read_text("utf-8")
        started = time.monotonic()
        replaced = list(replacements(source, mutant))
        if not replaced:
            return {"result": "at import", "seconds": 0.0, "tests": self._tests(mutant, source)}
        names = self._tests(mutant, source)[: self.most]
        if not names:
            return {"result": "not run", "seconds": 0.0}
        last: dict[str, Any] = {}

        def note(line: str) -> None:
            last.update(json.loads(line))

        _in_fork(partial(self._run_mutant, replaced, names), note, 600)
        last.setdefault("result", "timed out")
        if last["result"] == "started":
            last["result"], last["reason"] = "timed out", "the process ended"
        return {**last, "seconds": round(time.monotonic() - started, 1)}

    def _tests(self, mutant: Mutant, source: str) -> list[str]:
        """Return the tests that run the statement of a mutant, else those that run its function."""
        for first, last in spans(ast.parse(source), mutant.place):
            names = [
                name
                for name in self.items
                if self.known[name]["passed"]
                and any(first <= line <= last for line in self.known[name]["lines"].get(mutant.module, ()))
            ]
            if names:
                return self._ordered(names, f"tests/{mutant.module.partition('/')[0]}/")
        return []

    def _ordered(self, names: list[str], folder: str) -> list[str]:
        """Order tests: some quick ones of each file first, then the others; those of the mutant's layer first."""
        files: dict[str, list[str]] = defaultdict(list)
        for name in sorted(names, key=lambda name: float(self.known[name]["seconds"])):
            files[name.partition("::")[0]].append(name)
        groups = sorted(
            files.values(),
            key=lambda group: (not group[0].startswith(folder), float(self.known[group[0]]["seconds"])),
        )
        return [name for group in groups for name in group[:3]] + [
            name for group in groups for name in group[3:]
        ]

    def _run_mutant(
        self, replaced: list[tuple[CodeType, CodeType]], names: list[str], write: Callable[[str], None]
    ) -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        _replace(replaced)
        current = ""

        def stop(_number: int, _frame: FrameType | None) -> None:
            write(json.dumps({"result": "timed out", "test": current}))
            os._exit(0)

        def stop_loop(_number: int, _frame: FrameType | None) -> None:
            write(json.dumps({"result": "killed", "test": current, "reason": "processor time"}))
            os._exit(0)

        signal.signal(signal.SIGALRM, stop)
        signal.signal(signal.SIGPROF, stop_loop)
        for current, following in zip(names, [*names[1:], None], strict=True):
            write(json.dumps({"result": "started", "test": current}))
            seconds = float(self.known[current]["seconds"])
            signal.alarm(int(TEST_SECONDS + 30 * seconds))
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS + 5 * seconds)
            reason = _failure(self.items[current], self.items.get(following or ""))
            if reason is not None:
                write(json.dumps({"result": "killed", "test": current, "reason": reason}))
                return
        write(json.dumps({"result": "survived", "test": "", "count": len(names)}))


def _in_fork(
    work: Callable[[Callable[[str], None]], None], note: Callable[[str], None], seconds: float
) -> None:
    """Run work in a fork and pass each line that it writes to note; end it when the time is up."""
    read_end, write_end = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        os.setpgid(0, 0)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        try:
            work(lambda line: _write_all(write_end, line))
        finally:
            os._exit(0)
    os.close(write_end)
    watch = threading.Timer(seconds, os.killpg, (child, signal.SIGKILL))
    watch.start()
    with os.fdopen(read_end, encoding="utf-8") as lines:
        for line in lines:
            note(line)
    watch.cancel()
    watch.join()
    os.waitpid(child, 0)


def _write_all(end: int, line: str) -> None:
    data = (line + "\n").encode()
    while data:
        data = data[os.write(end, data) :]


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    return all(report.passed for report in runtestprotocol(item, log=False, nextitem=following))


def _failure(item: pytest.Item, following: pytest.Item | None) -> str | None:
    """Run a test and return the end of its failure, None when it passes."""
    for report in runtestprotocol(item, log=False, nextitem=following):
        if report.failed:
            return str(report.longrepr)[-400:]
    return None


class _Lines:
    """The lines of the packages that run while this is open, by module."""

    def __init__(self) -> None:
        self.seen: dict[str, set[int]] = {}
        self._modules: dict[CodeType, set[int] | None] = {}
        self._prefixes = tuple(str(ROOT / "iris_quart" / package) + os.sep for package in PACKAGES)

    def __enter__(self) -> _Lines:
        threading.settrace(self._call)
        sys.settrace(self._call)
        return self

    def __exit__(self, *_error: object) -> None:
        sys.settrace(None)
        threading.settrace(None)

    def _call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        code = frame.f_code
        if code not in self._modules:
            name = code.co_filename
            module = name.removeprefix(str(ROOT / "iris_quart") + os.sep)
            self._modules[code] = (
                self.seen.setdefault(module, set()) if name.startswith(self._prefixes) else None
            )
        lines = self._modules[code]
        if lines is None:
            return None
        lines.add(frame.f_lineno)

        def note(inner: FrameType, _event: str, _argument: Any) -> Any:
            lines.add(inner.f_lineno)
            return note

        return note


def spans(tree: ast.Module, place: int) -> Iterator[tuple[int, int]]:
    """Yield the lines of the statement that holds a node (its head, where it has a body), then of its function."""
    target = next(node for number, node in enumerate(ast.walk(tree)) if number == place)
    holders = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and any(inner is target for inner in ast.walk(node))
    ]
    statement = min(holders, key=lambda node: (node.end_lineno or 0) - node.lineno)
    body = getattr(statement, "body", None)
    last = body[0].lineno - 1 if isinstance(body, list) else statement.end_lineno or statement.lineno
    yield statement.lineno, max(last, statement.lineno)
    functions = [node for node in holders if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    if functions:
        function = max(functions, key=lambda node: node.lineno)
        yield function.body[0].lineno, function.end_lineno or function.lineno


def replacements(source: str, mutant: Mutant) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield the code of each function that a mutant changes, before and after; none where import-time code changes."""
    name = str(ROOT / "iris_quart" / mutant.module)
    before = compile(source, name, "exec", dont_inherit=True)
    after = compile(mutated_tree(source, mutant), name, "exec", dont_inherit=True)
    found: list[tuple[CodeType, CodeType]] = []
    if _compare(before, after, found):
        yield from found


def _compare(before: CodeType, after: CodeType, found: list[tuple[CodeType, CodeType]]) -> bool:
    """Collect the functions that differ in two modules or classes; False when the code around them differs."""
    inner_before = [item for item in before.co_consts if isinstance(item, CodeType)]
    inner_after = [item for item in after.co_consts if isinstance(item, CodeType)]
    plain_before = [repr(item) for item in before.co_consts if not isinstance(item, CodeType)]
    plain_after = [repr(item) for item in after.co_consts if not isinstance(item, CodeType)]
    if (
        before.co_code != after.co_code
        or before.co_names != after.co_names
        or plain_before != plain_after
        or len(inner_before) != len(inner_after)
    ):
        return False
    for old, new in zip(inner_before, inner_after, strict=True):
        if old == new:
            continue
        if old.co_flags & 2:  # CO_NEWLOCALS: a function; a class body has no new locals
            found.append((old, new))
        elif not _compare(old, new, found):
            return False
    return True


def _replace(replaced: list[tuple[CodeType, CodeType]]) -> None:
    """Put new code into every function that has the old."""
    codes = {(old.co_filename, old.co_qualname, old.co_firstlineno): new for old, new in replaced}
    count = 0
    for item in gc.get_objects():
        if isinstance(item, FunctionType):
            code = item.__code__
            new = codes.get((code.co_filename, code.co_qualname, code.co_firstlineno))
            if new is not None:
                item.__code__ = new
                count += 1
    if not count:
        raise LookupError(f"no function to change: {list(codes)}")
