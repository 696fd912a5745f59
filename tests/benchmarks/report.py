"""Figures, how they are shown and where they are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Figure", "at_least", "at_most", "show", "write"]


@dataclass(frozen=True)
class Figure:
    """One measured value; goal and met are None where it only informs."""

    name: str
    value: float
    unit: str
    goal: str | None = None
    met: bool | None = None


def at_most(name: str, value: float, unit: str, limit: float) -> Figure:
    """Judge a value that must not be greater."""
    return Figure(name, round(value, 4), unit, f"<= {limit:g}", value <= limit)


def at_least(name: str, value: float, unit: str, limit: float) -> Figure:
    """Judge a value that must not be less."""
    return Figure(name, round(value, 4), unit, f">= {limit:g}", value >= limit)


def show(title: str, figures: Iterable[Figure]) -> None:
    """Print one table."""
    figures = list(figures)
    width = max((len(figure.name) for figure in figures), default=0)
    print(f"\n{title}")
    for figure in figures:
        verdict = {True: "met", False: "NOT MET", None: ""}[figure.met]
        print(
            f"  {figure.name:<{width}}  {figure.value:>12,.3f} {figure.unit:<12} {figure.goal or '':>10}  {verdict}"
        )


def write(figures: Iterable[Figure], path: Path) -> None:
    """Write all figures as one JSON list."""
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n", "utf-8")
