"""Settings: sources in order, bounds, and one line for whatever is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from iris_quart.config import BadSettings, Settings, is_loopback, load_settings, unknown_variables


def written(folder: Path, text: str) -> Path:
    (folder / "config.toml").write_text(text, "utf-8")
    return folder


def test_arguments_win_over_environment_over_file_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "page_size_max = 1\nreads_in_flight = 1\nchanges_max = 1\n")
    monkeypatch.setenv("IRIS_QUART_READS_IN_FLIGHT", "2")
    monkeypatch.setenv("IRIS_QUART_CHANGES_MAX", "2")
    settings = load_settings(instance=tmp_path, changes_max=3, page_size_max=None)
    assert (settings.page_size_max, settings.reads_in_flight, settings.changes_max) == (1, 2, 3)
    assert settings.preview_characters == 200


def test_the_environment_names_the_folder_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "page_size_max = 7\n")
    monkeypatch.setenv("IRIS_QUART_INSTANCE", str(tmp_path))
    assert load_settings().page_size_max == 7


@pytest.mark.parametrize(
    ("written_as", "known_as"),
    [
        ("https://Editor.example.org/", "https://editor.example.org"),
        ("https://editor.example.org:443", "https://editor.example.org"),
        ("https://editor.example.org:8443", "https://editor.example.org:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_an_origin_is_the_one_that_a_browser_sends(tmp_path: Path, written_as: str, known_as: str) -> None:
    settings = Settings(instance=tmp_path, public_origin=written_as, allowed_origins=(written_as,))
    assert (settings.public_origin, settings.allowed_origins) == (known_as, (known_as,))


def test_servers_from_file_and_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, '[servers.one]\nurl = "http://host:52773/prefix/"\nread_only = ["USER"]\n')
    server = load_settings(instance=tmp_path).servers["one"]
    assert (server.url, server.read_only) == ("http://host:52773/prefix", ("USER",))
    monkeypatch.setenv("IRIS_QUART_SERVERS", '{"two": {"url": "https://host"}}')
    assert list(load_settings(instance=tmp_path).servers) == ["one", "two"]
    monkeypatch.setenv("IRIS_QUART_SERVERS", '{"one": {"url": "https://other"}}')
    assert load_settings(instance=tmp_path).servers["one"].url == "https://other"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no_such_setting = 1\n", "unknown setting 'no_such_setting'"),
        ("page_size_max = 0\n", "config.toml: page_size_max:"),
        ("page_size_max = 'canary'\n", "config.toml: page_size_max:"),
        ("page_size_max = \n", "not valid TOML"),
        ("instance = '/'\n", "cannot be set in its own file"),
        ('[servers.x]\nurl = "ftp://canary"\n', "config.toml: servers.x.url: write it as"),
        (
            '[servers.x]\nurl = "http://user:canary@host"\n',
            "config.toml: servers.x.url: leave the user name out",
        ),
        ('[servers."a b"]\nurl = "http://host"\n', "config.toml: servers: a server's name"),
        ('[servers.x]\nurl = "http://host"\nmore = 1\n', "config.toml: servers.x.more:"),
        (
            "session_idle_seconds = 100\nsession_absolute_seconds = 10\n",
            "session_absolute_seconds must not be less",
        ),
        ("heartbeat_seconds = 50\n", "dead_peer_seconds must be greater"),
        ('store = "mysql://canary"\n', "config.toml: store: must be sqlite"),
        ('public_origin = "http://editor.example.org"\n', "public_origin is plain http"),
        ('public_origin = "https://editor.example.org/path"\n', "config.toml: public_origin: write it as"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_without_the_value(
    tmp_path: Path, text: str, expected: str
) -> None:
    with pytest.raises(BadSettings) as caught:
        load_settings(instance=written(tmp_path, text))
    said = str(caught.value)
    assert expected in said
    assert "\n" not in said
    assert "canary" not in said


@pytest.mark.parametrize(
    ("name", "value"), [("PAGE_SIZE_MAX", "none"), ("SERVERS", "{canary"), ("SERVERS", '{"x": {"url": 1}}')]
)
def test_a_wrong_variable_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"IRIS_QUART_{name}", value)
    with pytest.raises(BadSettings) as caught:
        load_settings(instance=tmp_path)
    assert name in str(caught.value).upper()
    assert "\n" not in str(caught.value)
    assert "canary" not in str(caught.value)


def test_unknown_variables_only_warn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IRIS_QUART_SERVICE_HOST", "10.0.0.1")
    load_settings(instance=tmp_path)
    assert unknown_variables() == ["IRIS_QUART_SERVICE_HOST"]
    warning = capsys.readouterr().err
    assert warning.count("\n") == 1
    assert "IRIS_QUART_SERVICE_HOST" in warning


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org", False),
        ("", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings: Any = Settings(instance=tmp_path)
    with pytest.raises(ValueError, match="frozen"):
        settings.page_size_max = 1


def test_doubt_time_follows_the_other_time_outs(tmp_path: Path) -> None:
    assert Settings(instance=tmp_path).doubt_time == 65
    assert Settings(instance=tmp_path, request_timeout_seconds=600).doubt_time == 610
    assert Settings(instance=tmp_path, request_timeout_seconds=30, doubt_seconds=300).doubt_time == 300
    with pytest.raises(ValidationError, match=r"doubt_seconds must be at least .* 130"):
        Settings(instance=tmp_path, request_timeout_seconds=120, doubt_seconds=65)


def test_time_outs_that_do_not_fit_are_named_in_one_line_each(tmp_path: Path) -> None:
    assert Settings(instance=tmp_path).time_out_notes() == []
    (gateway,) = Settings(instance=tmp_path, doubt_seconds=45).time_out_notes()
    assert gateway.startswith("doubt_seconds (45)")
    (forgotten,) = Settings(instance=tmp_path, request_timeout_seconds=600).time_out_notes()
    assert "write_result_seconds (900)" in forgotten
    assert "\n" not in gateway + forgotten
