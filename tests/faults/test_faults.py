"""Seeded edits under faults, with workers killed: no lie, no duplicate, nothing lost."""

from __future__ import annotations

import pytest

from tests.faults.run import run


async def test_a_few_edits_under_faults() -> None:
    verdict = await run(edits=80, seed=5, kills=1)
    assert (verdict.lies, verdict.duplicates, verdict.lost) == (0, 0, 0), verdict.findings


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [11, 12])
async def test_a_thousand_edits_under_faults(seed: int) -> None:
    verdict = await run(edits=1000, seed=seed, kills=4)
    assert (verdict.lies, verdict.duplicates, verdict.lost) == (0, 0, 0), verdict.findings
    assert verdict.unknown < 100
