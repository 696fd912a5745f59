"""Autobahn's cases, groups 1 to 7 and 10, against an echo over our bounds and our connection."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import kosoku
import pytest

from .servers import ROOT, free_port

pytestmark = [pytest.mark.live, pytest.mark.slow]

GROUPS = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]
CASES = 247


async def test_all_cases_pass() -> None:
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "tests.live.echo", str(port)], cwd=ROOT) as process:
        try:
            async with asyncio.timeout(30):
                while not answers(port):
                    assert process.poll() is None
                    await asyncio.sleep(0.1)
            results = await kosoku.run_fuzzingclient(f"ws://127.0.0.1:{port}", cases=GROUPS, concurrency=4)
        finally:
            process.kill()
    assert len(results) == CASES


def answers(port: int) -> bool:
    """Tell whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
