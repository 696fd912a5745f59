"""The example of docs/extending.md, taken from the page and run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from iris_quart.demo import ThreadedDemoServer

from .servers import ROOT, Refused, WebServer

pytestmark = pytest.mark.live

PAGE = (ROOT / "docs" / "extending.md").read_text("utf-8")
EXAMPLE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
SETTING = re.findall(r'```toml\nblueprints = \["(.*?)"\]\n```', PAGE)[0]
ROUTE = '''
from quart import Blueprint

pages = Blueprint("notes", __name__)


@pages.get("/notes")
async def notes() -> str:
    """Answer a signed-in person."""
    return "notes"


@pages.post("/notes")
async def add_note() -> str:
    """Accept a note."""
    return "added"
'''


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the package of the example where new processes of Python find it."""
    module: Path = tmp_path / "packages" / (SETTING.partition(":")[0].replace(".", "/") + ".py")
    module.parent.mkdir(parents=True)
    (module.parent / "__init__.py").touch()
    module.write_text(EXAMPLE + ROUTE, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "packages"), str(ROOT)]))
    return module


@pytest.fixture
def server(packages: Path, tmp_path: Path, iris: ThreadedDemoServer) -> Iterator[WebServer]:
    module = SETTING.partition(":")[0]
    names = f'["{SETTING}", "{module}:pages"]'
    with WebServer(tmp_path / "instance", iris.url, blueprints=names) as server:
        yield server


async def test_the_command_of_the_example_answers_over_the_socket(server: WebServer) -> None:
    async with server.person() as person, person.socket() as socket:
        asked = {"namespace": "SAMPLES", "tableName": "Sample.Person", "column": "Name"}
        answer = await socket.ask("countMissing", asked)
        assert answer == {"column": "Name", "missing": 0}
        with pytest.raises(Refused) as refused:
            await socket.ask("countMissing", {**asked, "column": "No such column"})
        assert refused.value.payload["code"] == "INVALID_INPUT"


async def test_a_socket_without_a_session_does_not_reach_it(server: WebServer) -> None:
    async with server.person() as person:
        await person.sign_out()
        async with person.socket() as socket:
            await socket.closed(4001)


async def test_its_routes_need_a_session_and_our_own_pages(server: WebServer) -> None:
    async with httpx.AsyncClient(base_url=server.url, follow_redirects=False) as stranger:
        assert (await stranger.get("/notes")).text != "notes"
    async with server.person() as person:
        answer = await person.http.get("/notes")
        assert (answer.status_code, answer.text) == (200, "notes")
        assert answer.headers["Content-Security-Policy"]
        foreign = await person.http.post("/notes", headers={"Origin": "https://elsewhere.example"})
        assert foreign.status_code == 403


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "iris_quart.cli", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=ROOT, env={**os.environ, **environment}
    )


def test_the_reference_names_it(packages: Path, tmp_path: Path) -> None:
    shown = run("protocol", "--instance", str(tmp_path), IRIS_QUART_BLUEPRINTS=f'["{SETTING}"]')
    assert "### countMissing" in shown.stdout
    assert "### missingCounted" in shown.stdout


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("our_team.missing:quality", "cannot be imported"),
        ("our_team.notes:nothing", "cannot be imported"),
        ("our_team.notes:CountMissing", "is not a CommandBlueprint"),
        ("our_team.notes", "package.module:attribute"),
    ],
)
def test_a_wrong_name_stops_the_start_with_one_line(
    packages: Path, tmp_path: Path, name: str, why: str
) -> None:
    stopped = run("protocol", "--instance", str(tmp_path), IRIS_QUART_BLUEPRINTS=f'["{name}"]')
    assert stopped.returncode == 2
    (line,) = stopped.stderr.splitlines()
    assert line.startswith("iris-quart: ")
    assert "blueprints" in line.lower()
    assert why in line
