"""The instance's secret file, and what is sealed with it."""

from __future__ import annotations

import base64
import json
import multiprocessing
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iris_quart.config import BadSettings
from iris_quart.sessions.vault import FILE_NAME, Vault, open_vault

KEY, OTHER = bytes(range(32)), bytes(32)
VAULT = Vault({"1": KEY}, "1")


@given(st.text(), st.binary(), st.binary())
def test_what_is_sealed_opens_again(secret: str, associated: bytes, value: bytes) -> None:
    assert VAULT.open(secret, associated, VAULT.seal(secret, associated, value)) == value


def test_sealed_twice_differs() -> None:
    assert VAULT.seal("s", b"a", b"v") != VAULT.seal("s", b"a", b"v")


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_any_changed_byte_is_noticed(place: int, change: int) -> None:
    sealed = bytearray(VAULT.seal("secret", b"row 1", b"value"))
    sealed[place % len(sealed)] ^= change
    assert VAULT.open("secret", b"row 1", bytes(sealed)) is None


def test_it_opens_only_with_its_secret_its_row_and_its_key() -> None:
    sealed = VAULT.seal("secret", b"row 1", b"value")
    assert VAULT.open("another", b"row 1", sealed) is None
    assert VAULT.open("secret", b"row 2", sealed) is None
    assert Vault({"1": OTHER}, "1").open("secret", b"row 1", sealed) is None
    assert VAULT.open("secret", b"row 1", sealed[:12]) is None
    assert VAULT.open("secret", b"row 1", b"") is None


def test_a_second_key_seals_anew_and_still_opens_what_is_old() -> None:
    old = VAULT.seal("s", b"a", b"v")
    both = Vault({"1": KEY, "2": OTHER}, "2")
    assert both.open("s", b"a", old) == b"v"
    new = both.seal("s", b"a", b"v")
    assert VAULT.open("s", b"a", new) is None
    assert Vault({"2": OTHER}, "2").open("s", b"a", new) == b"v"
    assert both.signing_keys("cookie")[1:] == VAULT.signing_keys("cookie")
    assert both.signing_keys("cookie")[0] != both.signing_keys("forms")[0]


def test_the_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "instance"
    vault = open_vault(folder)
    path = folder / FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]
    assert open_vault(folder).fingerprints() == vault.fingerprints()
    assert open_vault(tmp_path / "another").fingerprints() != vault.fingerprints()


def _fingerprint(folder: Path) -> str:
    return str(open_vault(folder).fingerprints())


def test_workers_that_start_together_get_the_same_secret(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(_fingerprint, [tmp_path / "instance"] * 8))) == 1
    assert [path.name for path in (tmp_path / "instance").iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    open_vault(tmp_path)
    (tmp_path / FILE_NAME).chmod(mode)
    with pytest.raises(BadSettings, match="chmod 600"):
        open_vault(tmp_path)


def _text(**keys: str) -> str:
    return json.dumps({"current": "1", "keys": keys})


GOOD = base64.urlsafe_b64encode(KEY).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "canary",
        "[]",
        "{}",
        '{"current": "1"}',
        '{"current": "1", "keys": []}',
        '{"current": "2", "keys": {"1": "' + GOOD + '"}}',
        json.dumps({"current": "1", "keys": {"1": "canary"}}),
        json.dumps({"current": "1", "keys": {"1": GOOD[:-8]}}),
        json.dumps({"current": "x", "keys": {"x": GOOD}}),
        json.dumps({"current": "256", "keys": {"256": GOOD}}),
        json.dumps({"current": "1", "keys": {"1": 7}}),
    ],
)
def test_a_damaged_file_ends_the_start_without_being_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / FILE_NAME
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(BadSettings, match="damaged") as caught:
        open_vault(tmp_path)
    assert "canary" not in str(caught.value)
    assert path.read_text() == text


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadSettings, match="instance"):
        open_vault(tmp_path / "file" / "instance")
