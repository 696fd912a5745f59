"""The ASGI application that `hypercorn iris_quart.asgi:app` loads."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

from .config import BadSettings

if TYPE_CHECKING:
    from quart import Quart

__all__ = ["app"]


def _load() -> Quart:
    # What is made now lives to the end: looking for garbage in it only holds up the start. Settling ends this.
    gc.disable()
    from iris_quart.app import create_app
    from iris_quart.process import settle_process

    made = create_app()
    made.before_serving(settle_process)
    return made


try:
    app = _load()
except BadSettings as error:
    print(f"iris-quart: {error}", file=sys.stderr)
    raise SystemExit(2) from None
