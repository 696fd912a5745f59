"""The table of behaviours, run against the embedded server in each setting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from iris_quart.demo import DemoOptions, Encoding, Release, running_in_thread
from iris_quart.demo.behaviours import SOURCES, Behaviour, counts, load, parse
from iris_quart.demo.behaviours.__main__ import main
from iris_quart.demo.behaviours.running import Asker, Runner, detect, release_of, tables

BEHAVIOURS = list(load())
SETTINGS = {
    "default": (Encoding(), Release(2025, 1)),
    "odbc": (Encoding(dates="odbc", nulls="null"), Release(2025, 1)),
    "older": (
        Encoding(nulls="merged", big_integers="string", numerics="string", doubles="digits", digits="number"),
        Release(2024, 1),
    ),
}


@pytest.fixture(scope="module", params=SETTINGS)
def runner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """Run an embedded server in a setting, with the tables of the behaviours made."""
    setting: str = request.param
    encoding, release = SETTINGS[setting]
    directory: Path = tmp_path_factory.mktemp(setting)
    options = DemoOptions(
        directory=directory, encoding=encoding, release=release, licences=None, careless_order=False
    )
    with running_in_thread(options) as server:
        asker = Asker(server.url, "_SYSTEM", "SYS")
        with tables(asker):
            yield Runner(asker, encoding, (release.year, release.minor), embedded=True)


def claims(setting: str) -> list[Behaviour]:
    """Give the rows that claim something about a setting; of the third, those that only it tells apart."""
    encoding, release = SETTINGS[setting]
    offline = Runner(
        Asker("http://127.0.0.1", "", ""), encoding, (release.year, release.minor), embedded=True
    )
    return [
        behaviour
        for behaviour in BEHAVIOURS
        if offline.applies(behaviour) and (setting != "older" or behaviour.setting or behaviour.before)
    ]


def named(behaviour: Behaviour) -> str:
    """Name a test after its row."""
    return behaviour.id


def judge(runner: Runner, behaviour: Behaviour) -> None:
    """Run a row; one that is marked as not met must not be met."""
    difference = runner.run(behaviour)
    if behaviour.unmet:
        assert difference, "met by now: take the mark away"
        pytest.xfail(behaviour.unmet)
    assert difference is None


@pytest.mark.parametrize("runner", ["default"], indirect=True)
@pytest.mark.parametrize("behaviour", claims("default"), ids=named)
def test_the_embedded_server_does_as_claimed(runner: Runner, behaviour: Behaviour) -> None:
    judge(runner, behaviour)


@pytest.mark.parametrize("runner", ["odbc"], indirect=True)
@pytest.mark.parametrize("behaviour", claims("odbc"), ids=named)
def test_it_does_so_with_odbc_dates_and_null(runner: Runner, behaviour: Behaviour) -> None:
    judge(runner, behaviour)


@pytest.mark.parametrize("runner", ["older"], indirect=True)
@pytest.mark.parametrize("behaviour", claims("older"), ids=named)
def test_it_does_so_with_the_other_encodings_of_an_older_release(
    runner: Runner, behaviour: Behaviour
) -> None:
    judge(runner, behaviour)


def test_a_setting_is_recognised_by_asking(runner: Runner) -> None:
    assert detect(runner.asker) == runner.encoding
    assert release_of(runner.asker) == runner.release


def test_every_row_applies_somewhere() -> None:
    claimed = {behaviour.id for setting in SETTINGS for behaviour in claims(setting)}
    assert claimed == {behaviour.id for behaviour in BEHAVIOURS}


def test_rows_have_distinct_names_and_known_sources() -> None:
    assert len({behaviour.id for behaviour in BEHAVIOURS}) == len(BEHAVIOURS)
    assert set(counts()) == set(SOURCES)
    assert counts().total() == len(BEHAVIOURS)


@pytest.mark.parametrize("line", [
    '{"name": "x", "source": "guess", "reference": "y", "statement": "SELECT 1", "rows": []}',
    '{"name": "x", "source": "doc", "statement": "SELECT 1", "rows": []}',
    '{"name": "x", "source": "doc", "reference": "y", "rows": []}',
    '{"name": "x", "source": "doc", "reference": "y", "statement": "SELECT 1"}',
    '{"name": "x", "source": "doc", "reference": "y", "statement": "SELECT 1", "rows": [], "extra": 1}',
])  # fmt: skip
def test_a_row_that_is_not_well_formed_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="envelope"):
        parse("envelope", line)


@pytest.mark.parametrize("runner", ["default", "odbc"], indirect=True)  # NULL and '' look alike in the third
@pytest.mark.parametrize("claim", [
    '"statement": "SELECT 1 AS a", "rows": [[2]]', '"statement": "SELECT 1 AS a", "rows": [["1"]]',
    '"statement": "SELECT 1 AS a", "rows": []', '"statement": "SELECT 1 AS a", "columns": ["b"]',
    '"statement": "SELECT 1 AS a", "error": -1',
    '"statement": "SELECT 1 AS a", "raw": "{\\"content\\":[{\\"a\\":1.0}]}"',
    '"statement": "SELECT * FROM No.Thing", "rows": []', '"statement": "SELECT * FROM No.Thing", "error": -29',
    '"statement": "SELECT * FROM No.Thing", "error": -30, "text": "elsewhere"',
    '"statement": "SELECT NULL AS a", "rows": [[""]]', '"statement": "SELECT \'\' AS a", "rows": [[null]]',
    '"statement": "SELECT 1 AS a", "rows": [[1]], "then": [["SELECT 1 AS b", [[2]]]]',
    '"request": {"method": "GET", "path": "/"}, "response": {"status": 200}',
])  # fmt: skip
def test_a_false_claim_is_found_out(runner: Runner, claim: str) -> None:
    behaviour = parse("envelope", f'{{"name": "x", "source": "inferred", "reference": "y", {claim}}}')
    assert runner.run(behaviour)


def test_counts_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    assert f"({len(BEHAVIOURS)} in all" in capsys.readouterr().out
