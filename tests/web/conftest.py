"""The whole application over a real session store and the embedded IRIS."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from quart import Quart
from quart.typing import TestClientProtocol as Client
from werkzeug.datastructures import Headers

from iris_quart.app import create_app
from iris_quart.config import ServerSettings, Settings
from iris_quart.demo import DemoOptions, DemoServer
from iris_quart.services import EXTENSION, AppServices
from iris_quart.sessions import SessionStore

USER, PASSWORD = "_SYSTEM", "SYS"
CONNECT = {"server": "demo", "namespace": "SAMPLES", "username": USER, "password": PASSWORD}


def _add_test_routes(app: Quart) -> None:
    @app.get("/boom")
    async def boom() -> str:
        raise RuntimeError("canary: secret text of an exception")


@dataclass
class Site:
    """An application under test and what stands around it."""

    app: Quart
    settings: Settings
    store: SessionStore
    iris: DemoServer
    services: AppServices

    def client(self) -> Client:
        """A browser of its own, with its own cookies."""
        return self.app.test_client()

    async def connected(self) -> Client:
        """A browser that has signed in by JSON."""
        client = self.client()
        response = await client.post("/api/connect", json=CONNECT)
        assert response.status_code == 200, await response.get_data(as_text=True)
        return client


def make_settings(folder: Path, **changes: Any) -> Settings:
    """Settings for quick tests."""
    values: dict[str, Any] = {
        "instance": folder,
        "login_floor_seconds": 0.0,
        "sessions_poll_seconds": 0.05,
        "login_attempts_per_address": 1000,
        "sessions_per_account": 1000,
        "connect_timeout_seconds": 1.0,
    }
    return Settings(**(values | changes))


@pytest.fixture(scope="session")
def iris_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sample data of the embedded IRIS, made once."""
    return tmp_path_factory.mktemp("iris")


@pytest.fixture
async def iris(iris_folder: Path) -> AsyncIterator[DemoServer]:
    """The embedded IRIS."""
    async with DemoServer(DemoOptions(directory=iris_folder)) as server:
        yield server


@pytest.fixture
def changes() -> dict[str, Any]:
    """Settings that a test module or class wants otherwise."""
    return {}


@pytest.fixture
async def site(tmp_path: Path, iris: DemoServer, changes: dict[str, Any]) -> AsyncIterator[Site]:
    """The application, its store and its IRIS."""
    servers = {
        "demo": ServerSettings(url=iris.url, label="Demo"),
        "demo-readonly": ServerSettings(url=iris.url, read_only=True),
        "narrow": ServerSettings(url=iris.url, namespaces=("USER",)),
        "nobody": ServerSettings(url="http://127.0.0.1:9"),
    }
    settings = make_settings(tmp_path, **({"servers": servers} | changes))
    app = create_app(settings)
    _add_test_routes(app)
    async with app.test_app():
        services: AppServices = app.extensions[EXTENSION]
        yield Site(app, settings, services.store, iris, services)


async def form_token(client: Client, path: str = "/login") -> str:
    """Read the form's token as a browser does."""
    response = await client.get(path)
    html = await response.get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', html) or re.search(
        r'data-csrf="([0-9a-f]+)"', html
    )
    assert found, html
    return found[1]


async def post_login(client: Client, headers: dict[str, str] | None = None, **fields: str) -> Any:
    """Fill in the sign-in form and send it."""
    form = {"server": "demo", "username": USER, "password": PASSWORD} | fields
    form.setdefault("csrf_token", await form_token(client))
    return await client.post("/login", form=form, headers=headers)


def cookies(headers: Headers) -> list[str]:
    """All Set-Cookie headers."""
    return headers.getlist("Set-Cookie")
