"""What `hypercorn iris_quart.asgi:app` loads."""

from __future__ import annotations

import sys

from .app import create_app, settle_process
from .config import BadSettings

__all__ = ["app"]

try:
    app = create_app()
    app.before_serving(settle_process)
except BadSettings as error:
    print(f"iris-quart: {error}", file=sys.stderr)
    raise SystemExit(2) from None
