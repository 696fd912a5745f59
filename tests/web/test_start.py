"""The start of a worker: what it puts off is made good before the first request."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

SERVING = """
import asyncio, gc, resource
from iris_quart.asgi import app

async def serve():
    await app.startup()
    print(gc.isenabled(), gc.get_freeze_count() > 50_000, resource.getrlimit(resource.RLIMIT_CORE)[0])
    await app.shutdown()

asyncio.run(serve())
"""


def test_a_serving_process_collects_garbage_again_and_dumps_no_memory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVING],
        cwd=ROOT,
        env={**os.environ, "IRIS_QUART_INSTANCE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "True", "0"]


def test_what_only_some_installations_need_is_not_loaded_at_the_start(tmp_path: Path) -> None:
    loaded = "import iris_quart.asgi, sys; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", loaded],
        cwd=ROOT,
        env={**os.environ, "IRIS_QUART_INSTANCE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    names = set(done.stdout.split())
    assert "quart" in names
    assert not names & {"redis", "prometheus_client", "sqlglot", "httpcore"}
