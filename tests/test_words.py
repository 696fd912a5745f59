"""Plain technical English: words that the style of this project replaces do not come back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from iris_quart import errors

ROOT = Path(__file__).resolve().parent.parent
BANNED = {
    r"anew": "again",
    r"(?:clients?|users?) of old": "legacy",
    r"shall": "must, will",
    r"whoever": "a client, a person, a task",
    r"what becomes of": "the result of",
    r"so many seconds": "`seconds`",
    r"by chance": "random",
    r"behind it in time": "after",
    r"(?:it|it is) made from the code": "generated from the code",
    r"(?<!there )(?<!otherwise )is no (?!longer|more)(?:valid |such )?\w+": "is not a ...",
}
PYTHON_ONLY = {words for words in BANNED if words.startswith("(?<!")}
"""The page's modules are read by words of their own."""
PEOPLE_READ = {*errors.__all__, "BadSettings", "Field", "add_argument", "add_parser", "print", "failed"}
"""Calls whose texts users, administrators or authors of clients read."""
FOR_PEOPLE = {
    r"(?:takes?|took)(?! effect| longer| over)": "accept",
    r"gives?|gave|given back": "return, send, assign",
    r"tells?|told|says?": "report, show",
    r"nobody|somebody|everybody|whoever": "a person, an account, no ...",
    r"so (?:many|long)": "this number of, this time",
    r"in clear": "unencrypted",
}
FOLDERS = {
    "iris_quart": "*.py",
    "static/js": "*.js",
    "templates": "*.html",
    "docs": "*.md",
}
FILES = ["README.md", "CONTRIBUTING.md", "Makefile"]
FIRST_WORDS = re.compile(r'"""(?:Give|Gives|Tell|Tells|Say|Says|Let|Lets|Who|How|Which) ')


def texts() -> list[Path]:
    found = [path for folder, pattern in FOLDERS.items() for path in (ROOT / folder).rglob(pattern)]
    return [*found, *(ROOT / name for name in FILES)]


@pytest.mark.parametrize("words", sorted(BANNED))
def test_replaced_words_do_not_come_back(words: str) -> None:
    pattern = re.compile(rf"\b{words}\b", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in texts()
        if not (words in PYTHON_ONLY and path.suffix == ".js")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == [], f"write {BANNED[words]!r} instead"


def messages() -> Iterator[tuple[str, str]]:
    """Yield place and text of what people read: errors, the fields of settings and payloads, the command's help."""
    for path in sorted((ROOT / "iris_quart").rglob("*.py")):
        if "demo" in path.parts:
            continue
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            if name in PEOPLE_READ:
                for part in [*call.args, *(keyword.value for keyword in call.keywords)]:
                    for text in ast.walk(part):
                        if isinstance(text, ast.Constant) and isinstance(text.value, str):
                            yield f"{path.relative_to(ROOT)}:{text.lineno}", text.value


@pytest.mark.parametrize("words", sorted(FOR_PEOPLE))
def test_messages_use_the_usual_words(words: str) -> None:
    pattern = re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    found = [f"{place}: {text}" for place, text in messages() if pattern.search(text)]
    assert found == [], f"write {FOR_PEOPLE[words]!r} instead"


def test_docstrings_start_with_a_verb_of_the_style_guide() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in (ROOT / "iris_quart").rglob("*.py")
        if "demo" not in path.parts
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if FIRST_WORDS.search(line)
    ]
    assert found == []


def test_comments_are_no_section_headings() -> None:
    """A comment says why; one that stands alone between blank lines names a part of the file instead."""
    heading = re.compile(r"(?<=\n\n) *# [A-Z][^\n]{0,60}\n(?=\n)")
    found = [
        f"{path.relative_to(ROOT)}: {match[0].strip()}"
        for path in (ROOT / "iris_quart").rglob("*.py")
        for match in heading.finditer(path.read_text("utf-8"))
    ]
    assert found == []
