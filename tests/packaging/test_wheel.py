"""The wheel, installed alone into an empty environment."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from iris_quart import __version__
from iris_quart.demo import DemoOptions, running_in_thread
from tests.live.servers import ROOT, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the source archive, as who packages it would."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)], check=True)
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own and give the command."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=True)
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([home / "bin" / "pip", "install", "--quiet", *constraints, str(wheel)], check=True)
    return home / "bin" / "iris-quart"


@pytest.fixture
def served(program: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    """Run it in an empty folder, and give a client of its pages."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "IRIS_QUART_INSTANCE": str(tmp_path / "state"),
        "IRIS_QUART_SERVERS": json.dumps({"mine": {"url": "http://127.0.0.1:9"}}),
    }
    arguments = [str(program), "serve", "--bind", f"127.0.0.1:{port}"]
    with subprocess.Popen(arguments, cwd=tmp_path, env=environment) as process:
        try:
            transport = httpx.HTTPTransport(retries=40)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=20) as client:
                client.get("/readyz").raise_for_status()
                yield client
        finally:
            process.terminate()


def test_the_installed_wheel_serves_pages_with_all_they_name(served: httpx.Client) -> None:
    page = served.get("/login")
    assert page.status_code == 200
    assert __version__ in page.text
    places = set(re.findall(r'(?:href|src)="([^"]*/static/[^"#]+)', page.text))
    assert {place.rpartition(".")[2] for place in places} >= {"css", "js", "svg"}
    for place in places:
        assert served.get(place).status_code == 200, place


def test_the_installed_wheel_knows_its_commands_and_version(program: Path, tmp_path: Path) -> None:
    shown = subprocess.run(
        [program, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert all(command in shown for command in ("demo", "serve", "check", "verify", "protocol", "sessions"))


def test_the_installed_wheel_holds_the_table_of_behaviours(program: Path, tmp_path: Path) -> None:
    with running_in_thread(DemoOptions(directory=tmp_path / "demo", careless_order=False)) as server:
        (tmp_path / "config.toml").write_text(f'[servers.one]\nurl = "{server.url}"\n', "utf-8")
        arguments = ["verify", "--server", "one", "--user", "_SYSTEM", "--instance", str(tmp_path)]
        shown = subprocess.run(
            [program, *arguments], cwd=tmp_path, input="SYS\n", capture_output=True, text=True, check=True
        ).stdout
    assert ", 0 refuted, " in shown


def test_the_installed_wheel_holds_no_tests_and_no_state(wheel: Path) -> None:
    names = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(wheel)], capture_output=True, text=True, check=True
    ).stdout
    assert "iris_quart/templates/login.html" in names
    assert "iris_quart/static/vendor/slickgrid/LICENSE" in names
    assert "tests/" not in names
    assert "secret.key" not in names
