"""`instance/config.example.toml` says what the settings say."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from iris_quart.config import ServerSettings, Settings
from iris_quart.example_settings import example_text

FILE = Path(__file__).parent.parent / "instance" / "config.example.toml"


def test_the_file_matches_the_settings() -> None:
    assert FILE.read_text() == example_text(), "run: iris-quart settings --write"


def test_as_it_stands_it_changes_nothing() -> None:
    assert tomllib.loads(FILE.read_text()) == {}


def test_without_its_comment_signs_it_names_every_setting_and_is_valid(tmp_path: Path) -> None:
    text = re.sub(r"^# (\[|[a-z_]+ = )", r"\1", FILE.read_text(), flags=re.MULTILINE)
    values = tomllib.loads(text)
    assert set(values) == set(Settings.model_fields) - {"instance"}
    assert set(values["servers"]["demo"]) == set(ServerSettings.model_fields)
    settings = Settings(instance=tmp_path, **values)
    plain = Settings(instance=tmp_path)
    for name in set(values) - {"servers", "public_origin", "blueprints"}:
        assert getattr(settings, name) == getattr(plain, name), name
