"""Plain technical English: words that the style of this project replaces do not come back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

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
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == [], f"write {BANNED[words]!r} instead"


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
