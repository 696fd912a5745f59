"""The live kit: ask a server what the table of behaviours claims and what public sources leave open, and report it.

It creates tables in a schema of its own, drops them in the end, and changes nothing else. `iris-quart verify` runs it.
"""

from __future__ import annotations

from .checking import SchemaOccupied, Unreachable, verify
from .report import Report, as_json, as_text

__all__ = ["Report", "SchemaOccupied", "Unreachable", "as_json", "as_text", "verify"]
