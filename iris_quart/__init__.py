"""A live table editor for InterSystems IRIS in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quart import Quart

    from .config import Settings

__version__ = "0.1.0"

__all__ = ["__version__", "create_app"]


def create_app(settings: Settings | None = None) -> Quart:
    """Create the application; see `iris_quart.app.create_app`."""
    from .app import create_app as create

    return create(settings)
