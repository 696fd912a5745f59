"""Autobahn's cases, groups 1 to 7 and 10, against an echo over our bounds and our connection."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections import Counter

import kosoku
import pytest

from .servers import ROOT, free_port

pytestmark = [pytest.mark.live, pytest.mark.slow]

CASES = {"1": 16, "2": 11, "3": 7, "4": 10, "5": 20, "6": 145, "7": 37, "10": 1}
PASSED = {"OK", "NON-STRICT", "INFORMATIONAL"}


async def test_all_cases_pass() -> None:
    """The suite (kosoku) raises when a case fails; 1.2.1 and the other binary ones get 1003 at `/ws`."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "tests.live.echo", str(port)], cwd=ROOT) as process:
        try:
            async with asyncio.timeout(30):
                while not answers(port):
                    assert process.poll() is None
                    await asyncio.sleep(0.1)
            results = await kosoku.run_fuzzingclient(
                f"ws://127.0.0.1:{port}", cases=[f"{group}.*" for group in CASES], concurrency=4
            )
        finally:
            process.kill()
    # All of them were run, and none is let pass as not implemented.
    assert Counter(result.case_id.partition(".")[0] for result in results) == CASES
    assert [result for result in results if result.behavior.value not in PASSED] == []
    assert [result for result in results if result.behavior_close.value not in PASSED] == []


def answers(port: int) -> bool:
    """Tell whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
