"""Shared by the tests of the Atelier client."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest


@pytest.fixture
def uvloop_run() -> Callable[[Coroutine[Any, Any, None]], None]:
    """Run a coroutine on uvloop."""
    uvloop = pytest.importorskip("uvloop")

    def run(work: Coroutine[Any, Any, None]) -> None:
        uvloop.run(work)

    return run
