"""Prepare a serving process: no core dumps, garbage collection tuned for serving."""

from __future__ import annotations

import contextlib
import gc
import resource

__all__ = ["GC_THRESHOLDS", "forbid_core_dumps", "settle_process"]


GC_THRESHOLDS = (50_000, 10, 10)
"""A young collection costs most under load, so it is rare; the two older generations keep the default ratios, because
some reference cycles of the libraries survive until a full collection."""


def forbid_core_dumps() -> None:
    """Forbid core dumps of this process: they would hold the passwords of everybody who is signed in.

    Every application does this before it serves, whichever server it runs under.
    """
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def settle_process() -> None:
    """Prepare the garbage collector of a process that does nothing but serve; call it after everything is imported.

    Objects made at start live until the end, so they are frozen: the garbage collector does not visit them again.
    """
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    gc.enable()
