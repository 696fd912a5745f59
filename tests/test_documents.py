"""The pages for people who change the code name layers, files and commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from iris_quart.protocol import CloseCode
from iris_quart.reference import CLOSES

from .test_imports import TIERS

ROOT = Path(__file__).resolve().parent.parent
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PAGES = {"architecture.md": ARCHITECTURE, "CONTRIBUTING.md": CONTRIBUTING}


def test_every_layer_has_a_heading() -> None:
    headings = "\n".join(line for line in ARCHITECTURE.splitlines() if line.startswith("### "))
    named = set(re.findall(r"`([\w/]+)`", headings))
    assert {part for tier in TIERS for part in tier} - named == set()
    assert "demo" in named


@pytest.mark.parametrize("page", sorted(PAGES))
def test_named_files_exist(page: str) -> None:
    named = re.findall(r"`([\w./-]+/[\w.-]+\.(?:py|js|md)|[\w./-]+/)`", PAGES[page])
    assert named or page == "CONTRIBUTING.md"
    places = (ROOT, ROOT / "iris_quart")
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


def test_named_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", CONTRIBUTING)) <= targets


def test_links_lead_somewhere() -> None:
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\((?!https?:)([^)#\s]+)", path.read_text("utf-8")):
            assert (path.parent / link).exists(), f"{path.name}: {link}"


def test_close_codes_stand_where_the_recipe_says() -> None:
    assert set(CLOSES) == set(CloseCode)
