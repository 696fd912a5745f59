"""Table services over the embedded engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from iris_quart.config import Settings
from iris_quart.demo.engine.namespace import Namespace
from iris_quart.demo.samples.building import CONTENTS, build, database_path
from iris_quart.tables import Tables
from tests.tables.engine import EngineClient


@pytest.fixture(scope="session")
def samples_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sample data once."""
    directory = tmp_path_factory.mktemp("samples")
    for name in ("USER", "SAMPLES"):
        build(name, CONTENTS[name], database_path(directory, name))
    return directory


@pytest.fixture(scope="session")
def samples(samples_directory: Path) -> Iterator[Namespace]:
    """Open the sample namespace; tests of reading leave it as it is."""
    namespace = Namespace("SAMPLES", database_path(samples_directory, "SAMPLES"))
    yield namespace
    namespace.close()


@pytest.fixture
def client(samples: Namespace) -> EngineClient:
    """Give a client of the sample namespace with a log of its own."""
    return EngineClient(samples)


@pytest.fixture
async def tables(client: EngineClient) -> AsyncIterator[Tables]:
    """Give table services that know nothing yet."""
    services = Tables(client, Settings(), server_key="test")
    yield services
    await services.close()
