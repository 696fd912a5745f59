"""The command `iris-quart`, as a user types it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from iris_quart import __version__, cli
from iris_quart.demo import DemoOptions, ThreadedDemoServer, running_in_thread
from tests.live.servers import WebServer, free_port

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadedDemoServer]:
    with running_in_thread(DemoOptions(directory=tmp_path_factory.mktemp("iris"))) as server:
        yield server


def config(folder: Path, url: str) -> Path:
    (folder / "config.toml").write_text(f'[servers.one]\nurl = "{url}"\n', "utf-8")
    return folder


def run_cli(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "iris_quart.cli", *arguments],
        cwd=ROOT,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"iris-quart {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["nothing"], ["sessions"], ["sessions", "end"], ["demo", "--port", "x"]]
)
def test_wrong_options_are_explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: iris-quart" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["serve"], ["check"], ["sessions", "list"], ["demo"]])
def test_wrong_settings_end_with_one_line(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRIS_QUART_PAGE_SIZE_MAX", "none")
    assert cli.main([*command, "--instance", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("iris-quart: IRIS_QUART_PAGE_SIZE_MAX: ")
    assert said.count("\n") == 1


def test_the_asgi_module_ends_with_one_line_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import iris_quart.asgi"],
        cwd=ROOT,
        env={**os.environ, "IRIS_QUART_INSTANCE": str(tmp_path), "IRIS_QUART_PAGE_SIZE_MAX": "none"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("iris-quart: IRIS_QUART_PAGE_SIZE_MAX: ")
    assert done.stderr.count("\n") == 1


def test_serving_needs_a_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "--instance", str(tmp_path)]) == 2
    assert "servers: none is configured" in capsys.readouterr().err


@pytest.mark.parametrize("bind", ["0.0.0.0:8000", "[::]:8000", "192.0.2.1:8000"])
def test_plain_http_beyond_loopback_is_refused(
    bind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["serve", "--instance", str(config(tmp_path, "http://host")), "--bind", bind]) == 2
    assert "plain http beyond loopback" in capsys.readouterr().err


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_taken_is_said(workers: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        done = run_cli(
            "serve", "--workers", workers, "--bind", bind, "--instance", str(config(tmp_path, "http://host"))
        )
    assert done.returncode == 1
    assert "iris-quart: Address already in use" in done.stderr


def test_check_without_a_user_sees_that_somebody_answers(
    iris: ThreadedDemoServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", "--instance", str(config(tmp_path, iris.url))]) == 0
    told = capsys.readouterr().out
    assert "answers and asks for a sign-in" in told
    assert "is in doubt for 65 s" in told
    assert "warning" not in told


def test_check_names_time_outs_that_do_not_fit(
    iris: ThreadedDemoServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IRIS_QUART_REQUEST_TIMEOUT_SECONDS", "600")
    assert cli.main(["check", "--instance", str(config(tmp_path, iris.url))]) == 0
    told = capsys.readouterr().out
    assert "is in doubt for 610 s" in told
    assert "  warning: write_result_seconds (900) is less than" in told


def test_check_with_a_user_says_what_it_found(iris: ThreadedDemoServer, tmp_path: Path) -> None:
    done = run_cli("check", "--user", "_SYSTEM", "--instance", str(config(tmp_path, iris.url)), given="SYS\n")
    assert done.returncode == 0, done.stdout + done.stderr
    for word in (
        "version     IRIS",
        "api ",
        "namespaces  %SYS, USER, SAMPLES",
        "values as seen in USER",
        "in the same round trip",
    ):
        assert word in done.stdout
    assert "SYS\n" not in done.stdout.replace("%SYS", "")


@pytest.mark.parametrize(("user", "password"), [("_SYSTEM", "wrong"), ("nodev", "nodev")])
def test_check_with_refused_credentials_fails(
    iris: ThreadedDemoServer, tmp_path: Path, user: str, password: str
) -> None:
    done = run_cli(
        "check", "--user", user, "--instance", str(config(tmp_path, iris.url)), given=f"{password}\n"
    )
    assert done.returncode == 1
    assert "failed: " in done.stdout
    assert "Traceback" not in done.stderr


def test_check_of_a_server_that_is_not_there_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", "--instance", str(config(tmp_path, f"http://127.0.0.1:{free_port()}"))]) == 1
    assert "failed: " in capsys.readouterr().out


def test_protocol_prints_page_and_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["protocol"]) == 0
    assert capsys.readouterr().out.startswith("# The protocol\n")
    assert cli.main(["protocol", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "iris-quart protocol"


@pytest.mark.live
async def test_sessions_are_listed_and_ended(
    iris: ThreadedDemoServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        done = run_cli("sessions", *arguments, "--instance", str(tmp_path))
        return done.returncode, done.stdout + done.stderr

    with WebServer(tmp_path, iris.url) as server:
        async with (
            server.person() as one,
            server.person("alice", "alice") as two,
            one.socket() as first,
            two.socket() as second,
        ):
            await first.ask("getSession")
            await second.ask("getSession")
            code, text = run("list")
            assert code == 0
            lines = text.splitlines()
            assert [line.split()[1] for line in lines[1:]] == ["_SYSTEM", "alice"]
            assert run("end", "12345")[0] == 2
            assert run("end", "000000000000")[0] == 1
            assert run("end", lines[1].split()[0]) == (0, "1 session ended\n")
            await first.closed(4002)
            await second.ask("getSession")
            assert run("end", "--user", "alice") == (0, "1 session ended\n")
            await second.closed(4002)
    assert run("end", "--all") == (0, "0 sessions ended\n")


@pytest.mark.live
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo_says_where_it_is_and_stops_cleanly(tmp_path: Path, number: int) -> None:
    port, iris_port = free_port(), free_port()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "iris_quart.cli",
            "demo",
            "--port",
            str(port),
            "--iris-port",
            str(iris_port),
            "--instance",
            str(tmp_path),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=60), timeout=10) as client:
            deadline = time.monotonic() + 40
            while True:
                try:
                    assert client.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
                    break
                except httpx.TransportError:
                    assert time.monotonic() < deadline
                    assert process.poll() is None
            answer = client.get(f"http://127.0.0.1:{port}/login")
            page = answer.text
            # All ports of a host share their cookies: another demo's have another name.
            assert f"iris_quart_{port}_form" in answer.cookies
            assert client.get(f"http://127.0.0.1:{iris_port}/api/atelier/").status_code == 401
        process.send_signal(number)
        begun = time.monotonic()
        out, err = process.communicate(timeout=15)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert time.monotonic() - begun < 6
    for word in (
        f"http://127.0.0.1:{port}\n",
        f"http://127.0.0.1:{iris_port}/api/atelier/",
        "_SYSTEM / SYS",
        "alice / alice",
    ):
        assert word in out
    assert err == ""
    assert "alice" in page
