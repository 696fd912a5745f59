"""What the documents of deployment and security say is there is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from iris_quart.config import load_settings
from tests.live.servers import ROOT

DEPLOY = (ROOT / "docs" / "deploy.md").read_text("utf-8")
SECURITY = (ROOT / "docs" / "security.md").read_text("utf-8")


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`(tests/[^`]+)`", SECURITY + DEPLOY))))
def test_every_named_test_is_there(named: str) -> None:
    path, _, name = named.partition("::")
    assert (ROOT / path).exists()
    if name:
        assert re.search(rf"^\s*(async )?def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE)


def test_every_row_of_a_defence_names_its_test() -> None:
    rows = [line for line in SECURITY.splitlines() if line.startswith("|") and not line.startswith("|---")]
    heads = [row for row in rows if row.endswith("| shown by |")]
    assert len(heads) == SECURITY.count("| shown by |") >= 4
    for row in rows:
        assert row in heads or "`tests/" in row.rsplit("|", 2)[1], row


def test_the_configuration_that_is_shown_is_valid(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", DEPLOY, re.DOTALL)
    (tmp_path / "config.toml").write_text(block)
    settings = load_settings(instance=tmp_path)
    assert settings.public_origin == "https://editor.example.org"
    assert set(settings.servers) == {"production", "test"}


def test_files_that_are_copied_are_there() -> None:
    named = re.findall(r"\b(deploy/[\w./@-]+\w)", DEPLOY)
    assert len(named) >= 3
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_settings_that_are_named_exist() -> None:
    from iris_quart.config import ServerSettings, Settings

    known = {*Settings.model_fields, *ServerSettings.model_fields}
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)[`= ]", DEPLOY + SECURITY)) - {"secret_key"}
    assert named
    # nginx's own words stand in the same style.
    assert named - known <= {"max_fails", "fail_timeout"}, named - known
