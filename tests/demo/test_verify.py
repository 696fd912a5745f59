"""The live kit against the embedded server: what it reports, and that it changes nothing but its own schema."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from iris_quart import cli
from iris_quart.demo import DemoOptions, Encoding, FaultRule, ThreadedDemoServer, running_in_thread
from iris_quart.demo.behaviours import Behaviour, load
from iris_quart.demo.behaviours.running import Answer, Asker
from iris_quart.demo.http.settings import ENCODING_VARIABLE, ENCODINGS
from iris_quart.demo.verify import Report, SchemaOccupied, Unreachable, as_json, as_text, verify
from iris_quart.demo.verify.own_schema import OwnSchema

ROOT = Path(__file__).resolve().parents[2]
LEFT = "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'IrisQuartCheck'"
FEW = [behaviour for behaviour in load() if behaviour.topic in ("encodings", "parameters")]
ONE = [behaviour for behaviour in FEW if behaviour.statement][:1]
PROBES = [f"H{number}" for number in range(1, 13)]


def ask(server: ThreadedDemoServer, behaviours: list[Behaviour] | None = None, **options: Any) -> Report:
    return verify(
        lambda patience: Asker(server.url, "_SYSTEM", "SYS", "USER", patience),
        "_SYSTEM",
        kit="test",
        behaviours=behaviours,
        **options,
    )


def contents(directory: Path) -> dict[str, list[str]]:
    """Return all that the databases hold, except the counter of row versions, which every namespace has one of."""
    found = {}
    for path in sorted(directory.glob("*.sqlite*")):
        if path.suffix in (".sqlite", ".sqlite3", ".db"):
            with sqlite3.connect(path) as connection:
                found[path.name] = sorted(
                    line for line in connection.iterdump() if "'%rowversion'" not in line
                )
            connection.close()
    return found


def tables_left(server: ThreadedDemoServer) -> list[Any]:
    return [row[0] for row in server.namespace("USER").execute(LEFT).rows]


@pytest.fixture
def server(directory: Path) -> Iterator[ThreadedDemoServer]:
    options = DemoOptions(directory=directory, careless_order=False, licences=3)
    with running_in_thread(options) as running:
        yield running


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_it_confirms_the_whole_table_in_every_encoding_and_changes_nothing_else(
    encoding: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENCODING_VARIABLE, encoding)
    with running_in_thread(DemoOptions(directory=directory, careless_order=False, licences=3)) as server:
        before = contents(directory)
        assert len(before) > 1
        report = ask(server)
        assert contents(directory) == before
        assert tables_left(server) == []
        assert len(server.server.app.sessions) == 0
    assert (report.stopped, report.broken, report.left_behind) == (None, {}, [])
    assert [row for row in report.rows if row.verdict == "refuted"] == []
    assert [row.id for row in report.rows] == [behaviour.id for behaviour in load()]
    reasons = {row.detail for row in report.rows if row.verdict == "not run"}
    assert not any(reason is None or "answer" in reason for reason in reasons)
    assert report.counts()["confirmed"] > 400
    assert report.encoding["dates"] == ENCODINGS[encoding].dates
    assert report.encoding["nulls"] == ENCODINGS[encoding].nulls
    assert [probe.id for probe in report.probes] == PROBES
    answers = {probe.id: (probe.verdict, probe.answer) for probe in report.probes}
    assert answers["H1"] == ("new", "accepted, 2 rows stored")
    assert answers["H2"][0] == "new"
    assert answers["H2"][1].startswith(
        "null: NULL; empty text: empty; long text: value of length 5000, unchanged"
    )
    assert answers["H3"] == (
        "new",
        "SELECT UNION ALL without FROM: accepted, 2 rows stored; VALUES of several rows: accepted, 2 rows stored",
    )
    assert "CancelQuery accepted" in answers["H5"][1]
    assert "SQLCODE: -456" in answers["H5"][1]
    assert answers["H6"] == (
        "new",
        "readable; the lookup itself is listed; GetSQLStatement answers with nothing",
    )
    assert answers["H8"] == ("new", "listed as a foreign key, seen at Sample.Employee")
    assert answers["H11"][0] == "not run"


def test_the_report_names_neither_user_nor_values(server: ThreadedDemoServer) -> None:
    report = ask(server, ONE)
    for text in (as_text(report, "_SYSTEM"), as_json(report, "_SYSTEM")):
        assert "_SYSTEM" not in text
        assert server.url not in text
    data = json.loads(as_json(report, "_SYSTEM"))
    assert data["format"] == 1
    assert sum(data["counts"].values()) == len(ONE) + len(PROBES)
    assert set(data["counts"]) == {"confirmed", "refuted", "new", "not run"}


def test_a_claim_that_does_not_hold_is_refuted(directory: Path) -> None:
    options = DemoOptions(directory=directory, encoding=Encoding(empty_parameter="empty"))
    with running_in_thread(options) as server:
        report = ask(server, FEW)
    refuted = [row for row in report.rows if row.verdict == "refuted"]
    assert [row.id for row in refuted] == ["parameters: an empty string binds as NULL"]
    assert refuted[0].detail is not None
    assert refuted[0].detail.startswith("rows ")


class Interfered(Asker):
    """A session whose statements fail as `failures` says, by a text in the statement."""

    failures: Mapping[str, type[Exception] | str] = {}

    def query(self, statement: str, *arguments: Any, **options: Any) -> Answer:
        for text, failure in self.failures.items():
            if text in statement and isinstance(failure, str):
                body = {"status": {"errors": [{"error": failure}], "summary": ""}, "result": {}}
                return Answer(200, {}, json.dumps(body).encode())
            if text in statement and not isinstance(failure, str):
                raise failure(text)
        return super().query(statement, *arguments, **options)


def ask_interfered(
    server: ThreadedDemoServer, failures: Mapping[str, type[BaseException] | str], behaviours: list[Behaviour]
) -> Report:
    def connect(patience: float) -> Asker:
        asker = Interfered(server.url, "_SYSTEM", "SYS", "USER", patience)
        asker.failures = failures  # type: ignore[assignment]  # also KeyboardInterrupt, which Ctrl+C raises
        return asker

    return verify(connect, "_SYSTEM", kit="test", behaviours=behaviours)


def test_rows_about_a_table_that_cannot_be_created_are_not_run(server: ThreadedDemoServer) -> None:
    refusal = "ERROR #5540: SQLCODE: -400 Message: no"
    report = ask_interfered(server, {"CREATE TABLE IrisQuartCheck.Thing": refusal}, list(load()))
    assert report.broken == {"Thing": refusal}
    told = {row.detail for row in report.rows if row.verdict == "not run" and "Thing" in (row.detail or "")}
    assert told == {f"IrisQuartCheck.Thing could not be created: {refusal}"}
    assert [row for row in report.rows if row.verdict == "refuted"] == []
    assert tables_left(server) == []


@pytest.mark.parametrize("failure", [TimeoutError, ConnectionResetError])
def test_a_silent_server_is_left_alone_and_cleaned_up(
    server: ThreadedDemoServer, failure: type[Exception]
) -> None:
    report = ask_interfered(server, {"IrisQuartCheck.Word": failure}, list(load()))
    assert report.stopped is not None
    assert tables_left(server) == []


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ConnectionResetError])
@pytest.mark.parametrize("where", ["CREATE VIEW IrisQuartCheck.Simple", "SELECT ?, ? UNION ALL"])
def test_an_early_end_still_drops_the_tables(
    server: ThreadedDemoServer, failure: type[BaseException], where: str
) -> None:
    report = ask_interfered(server, {where: failure}, ONE)
    assert report.stopped
    assert report.left_behind == []
    assert tables_left(server) == []
    assert "STOPPED EARLY" in as_text(report, "_SYSTEM")


def test_an_unexpected_error_still_drops_the_tables(server: ThreadedDemoServer) -> None:
    with pytest.raises(ZeroDivisionError):
        ask_interfered(server, {"CREATE VIEW IrisQuartCheck.Narrow": ZeroDivisionError}, ONE)
    assert tables_left(server) == []


def test_tables_that_stay_behind_are_named(server: ThreadedDemoServer) -> None:
    refusal = "ERROR #5540: SQLCODE: -99 Message: no"
    report = ask_interfered(server, {"DROP TABLE IrisQuartCheck.Word": refusal}, ONE)
    assert report.left_behind == ["Word"]
    assert "STILL THERE, drop by hand: Word" in as_text(report, "_SYSTEM")


def test_a_schema_that_exists_is_not_touched(server: ThreadedDemoServer) -> None:
    namespace = server.namespace("USER")
    namespace.execute("CREATE TABLE IrisQuartCheck.Word (Mine INTEGER)")
    namespace.execute("INSERT INTO IrisQuartCheck.Word (Mine) VALUES (1)")
    with pytest.raises(SchemaOccupied, match="holds Word"):
        ask(server, ONE)
    assert namespace.execute("SELECT Mine FROM IrisQuartCheck.Word").rows == [(1,)]
    assert ask(server, ONE, replace=True).stopped is None
    assert tables_left(server) == []


def test_what_could_reach_further_is_not_run() -> None:
    schema = OwnSchema(Asker("http://127.0.0.1", "", ""))
    whys = {behaviour.id: schema.why_not(behaviour) for behaviour in load() if not behaviour.embedded}
    assert whys["http: a wrong password is 401"] == "a failed sign-in could lock an account"
    assert (
        whys["errors: cancelling where nothing runs is -400"] == "it could stop a statement of somebody else"
    )
    assert (
        whys["writes: START TRANSACTION is accepted"]
        == "it could change something outside the kit's own schema"
    )


def test_the_gateway_is_outlasted_on_request(server: ThreadedDemoServer) -> None:
    report = ask(server, ONE, gateway_seconds=1.0)
    (found,) = [probe for probe in report.probes if probe.id == "H11"]
    assert found.verdict == "new"
    assert found.answer.startswith("after 1 s: TimeoutError")
    assert tables_left(server) == []


def test_no_server_and_a_refused_sign_in_are_told_apart_from_findings(server: ThreadedDemoServer) -> None:
    with pytest.raises(Unreachable, match="HTTP 401"):
        verify(lambda patience: Asker(server.url, "_SYSTEM", "wrong"), "_SYSTEM", kit="test")
    with pytest.raises(Unreachable, match="cannot be reached"):
        verify(lambda patience: Asker("http://127.0.0.1:9", "_SYSTEM", "SYS"), "_SYSTEM", kit="test")


def config(folder: Path, url: str, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.toml").write_text(f'[servers.one]\nurl = "{url}"\n{more}\n', "utf-8")
    return folder


@pytest.mark.parametrize(("more", "options", "told"), [
    ("read_only = true", [], "one is set to read-only"),
    ('read_only = ["USER"]', [], "USER is set to read-only"),
    ('read_only = ["USER"]', ["--namespace", "user"], "USER is set to read-only"),
    ('namespaces = ["SAMPLES"]', ["--namespace", "USER"], "USER is not one of SAMPLES"),
    ("", ["--namespace", "%SYS"], "%SYS belongs to IRIS itself"),
    ("", ["--namespace", "a/b"], "--namespace: "),
    ("", ["--output", "nowhere"], "nowhere is not a folder"),
    ("", ["--server", "two"], "two is not configured; known are one"),
])  # fmt: skip
def test_where_nothing_must_be_changed_it_does_not_start(
    more: str, options: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    instance = str(config(tmp_path / "i", "http://127.0.0.1:9", more))
    assert cli.main(["verify", "--server", "one", "--user", "u", "--instance", instance, *options]) == 2
    assert told in capsys.readouterr().err


def command(server: ThreadedDemoServer, folder: Path) -> tuple[list[str], dict[str, str]]:
    instance = str(config(folder / "instance", server.url))
    arguments = [sys.executable, "-m", "iris_quart.cli", "verify", "--server", "one", "--user", "_SYSTEM"]
    environment = {**os.environ, "IRIS_PASSWORD": "SYS", "PYTHONPATH": str(ROOT)}
    return [*arguments, "--instance", instance], environment


def test_ctrl_c_leaves_nothing_behind_but_a_report(server: ThreadedDemoServer, tmp_path: Path) -> None:
    arguments, environment = command(server, tmp_path)
    # Slow enough that the rest is surely not over when the signal comes.
    server.add_fault(FaultRule("latency", delay=0.02, times=None))
    with subprocess.Popen(
        arguments, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if "Behaviour 51 of" in line:
                process.send_signal(signal.SIGINT)
                server.clear_faults()
                break
        said = process.stdout.read()
        failure = process.stderr.read()
    assert process.returncode == 1
    assert "Dropping the tables" in said
    assert "not complete: interrupted" in failure
    assert tables_left(server) == []
    (report,) = tmp_path.glob("iris-quart-verify-*.json")
    data = json.loads(report.read_text("utf-8"))
    assert data["stopped"] == "interrupted"
    assert 50 <= len(data["rows"]) < len(list(load()))


def test_the_command_writes_both_reports(server: ThreadedDemoServer, tmp_path: Path) -> None:
    arguments, environment = command(server, tmp_path)
    done = subprocess.run(
        arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "drops the tables. Nothing else is changed," in done.stdout
    (written,) = tmp_path.glob("iris-quart-verify-*.json")
    data = json.loads(written.read_text("utf-8"))
    assert data["counts"]["refuted"] == 0
    assert data["stopped"] is None
    text = written.with_suffix(".txt").read_text("utf-8")
    assert "SYS" not in data["version"]
    for probe in PROBES:
        assert f"\n{probe} [" in text
