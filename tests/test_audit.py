"""The audit file."""

from __future__ import annotations

import json
import logging
import multiprocessing
import stat
from pathlib import Path

import pytest

from iris_quart.atelier import Target
from iris_quart.audit import FILE_NAME, Audit
from iris_quart.config import Settings
from iris_quart.context import AuditEntry
from iris_quart.sessions import Session

SESSION = Session("ab" * 32, "alice", "demo", "key", "USER", False, Target("http://127.0.0.1:9"), 0, 1, 2)
ENTRY = AuditEntry(
    "USER", "Sample.Person", "update", "7", ["Name\n\u2028"], "saved", "w1", None, {"Name": ["old", "new"]}
)


def read(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / FILE_NAME).read_text().splitlines()]


def test_each_write_is_one_line_without_values(tmp_path: Path) -> None:
    audit = Audit(Settings(instance=tmp_path))
    audit.write(SESSION, ENTRY)
    audit.write(SESSION, AuditEntry("USER", "T", "delete", None, [], "failed", "w2", -104))
    audit.close()
    first, second = read(tmp_path)
    assert str(first.pop("time")).endswith("Z")
    assert first == {
        "user": "alice",
        "server": "demo",
        "session": "ab" * 6,
        "namespace": "USER",
        "table": "Sample.Person",
        "kind": "update",
        "rowId": "7",
        "columns": ["Name\n\u2028"],
        "outcome": "saved",
        "writeId": "w1",
    }
    assert (second["rowId"], second["sqlcode"]) == (None, -104)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_values_only_when_asked_for(tmp_path: Path) -> None:
    audit = Audit(Settings(instance=tmp_path, audit_values=True))
    audit.write(SESSION, ENTRY)
    audit.close()
    assert read(tmp_path)[0]["values"] == {"Name": ["old", "new"]}


def test_it_can_be_off(tmp_path: Path) -> None:
    audit = Audit(Settings(instance=tmp_path, audit=False))
    audit.write(SESSION, ENTRY)
    assert list(tmp_path.iterdir()) == []


def test_it_appends_and_follows_a_rotation(tmp_path: Path) -> None:
    audit = Audit(Settings(instance=tmp_path))
    audit.write(SESSION, ENTRY)
    (tmp_path / FILE_NAME).rename(tmp_path / "old")
    audit.write(SESSION, ENTRY)
    audit.write(SESSION, ENTRY)
    audit.close()
    assert len(read(tmp_path)) == 2
    assert len((tmp_path / "old").read_text().splitlines()) == 1


def test_a_line_that_cannot_be_written_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    audit = Audit(Settings(instance=tmp_path))
    (tmp_path / FILE_NAME).mkdir()
    with caplog.at_level(logging.ERROR):
        audit.write(SESSION, ENTRY)
    assert "audit line lost" in caplog.text


def _write_many(folder: Path) -> None:
    audit = Audit(Settings(instance=folder))
    for _ in range(300):
        audit.write(SESSION, ENTRY)
    audit.close()


def test_lines_of_several_workers_do_not_mix(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.map(_write_many, [tmp_path] * 3)
    assert len(read(tmp_path)) == 900
