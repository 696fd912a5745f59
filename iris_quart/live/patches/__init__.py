"""Replacements for private parts of Hypercorn and wsproto; a test watches the code that they replace."""

from __future__ import annotations
