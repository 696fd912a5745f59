"""The sample data: made once into a directory, the same on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iris_quart.demo.engine.interface import EngineOptions
from iris_quart.demo.engine.namespace import Namespace
from iris_quart.demo.samples.building import CONTENTS, build_missing, database_path

if TYPE_CHECKING:
    from iris_quart.demo.http.settings import DemoOptions


def open_namespaces(options: DemoOptions) -> dict[str, Namespace]:
    """Open every namespace, after making what is not there yet; blocking.

    Raises OSError when the directory cannot be written.
    """
    directory = options.directory
    directory.mkdir(parents=True, exist_ok=True)
    engine_options = EngineOptions(
        release=options.release,
        lock_timeout=options.lock_timeout,
        careless_order=options.careless_order,
        shuffle_unordered=options.shuffle_unordered,
        json_tables=options.json_tables,
    )
    build_missing(directory, options.rows)
    return {name: Namespace(name, database_path(directory, name), engine_options) for name in CONTENTS}
