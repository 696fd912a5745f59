"""A full disk, played by a limit on the size of files or by a small tmpfs, kills no worker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

NEW_LABELS = """
import sys
from pathlib import Path
from iris_quart.config import Settings
from iris_quart.metrics import Metrics

folder = Path(sys.argv[1])
metrics = Metrics(Settings(instance=folder, metrics_bind="127.0.0.1:9"))
try:
    with (folder / "filler").open("wb", buffering=0) as filler:
        while filler.write(bytes(4096)):
            pass
except OSError:
    pass
for number in range(2000):
    metrics.command(f"command{number}", "ok", 0.01)
print("alive", b"iris_quart" in metrics.text())
"""


@pytest.mark.parametrize("size", ["64k", "256k", "1m"])
def test_new_labels_on_a_full_disk_kill_no_worker(tmp_path: Path, size: str) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(tmp_path)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a tmpfs needs privileges that this machine does not grant")
    try:
        command = [sys.executable, "-c", NEW_LABELS, str(tmp_path)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("alive")
