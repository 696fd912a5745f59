"""The formats of an export, by name: a new one is a module beside this one and an entry here."""

from __future__ import annotations

from .csv_writer import CSV
from .writing import Format

__all__ = ["FORMATS"]

FORMATS: dict[str, Format] = {"csv": CSV}
"""A key is the value of the parameter `format`."""
