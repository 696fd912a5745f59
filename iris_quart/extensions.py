"""Blueprints of other packages, named by the setting `blueprints`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module

from quart import Blueprint

from .config import BadSettings

__all__ = ["load_blueprints"]


def load_blueprints(names: Sequence[str]) -> Iterator[Blueprint]:
    """Import the blueprints that are named as `package.module:attribute`.

    Raises BadSettings when a module or attribute is missing, or is not a blueprint of Quart.
    """
    for name in names:
        module_name, _, attribute = name.partition(":")
        try:
            found = getattr(import_module(module_name), attribute)
        except (ImportError, AttributeError) as error:
            raise BadSettings(f"blueprints: {name} cannot be imported: {error}") from None
        if not isinstance(found, Blueprint):
            raise BadSettings(f"blueprints: {name} is not a CommandBlueprint or a blueprint of Quart")
        yield found
