"""A part of the campaign: no false answer, whatever breaks."""

from __future__ import annotations

import pytest

from tests.faults.run import run


async def test_a_few_edits_under_faults() -> None:
    verdict = await run(edits=60, seed=5, kills=0)
    assert not verdict.findings, "\n".join(map(str, verdict.findings))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("seed", "kills"), [(11, 0), (12, 2), (13, 4)])
async def test_many_edits_under_faults(seed: int, kills: int) -> None:
    verdict = await run(edits=700, seed=seed, kills=kills)
    assert not verdict.findings, "\n".join(map(str, verdict.findings))
    # A part of the campaign has too few edits for its goals of 0.5 % and 2 %; `make faults` judges by those.
    assert verdict.unknown_share < 0.05
