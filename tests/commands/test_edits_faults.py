"""Edits under every fault the embedded IRIS knows: what is said is what is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from iris_quart.demo import FaultRule
from iris_quart.dispatch import Withdrawal, WriteRecord
from iris_quart.errors import AuthExpired, StoreUnavailable
from iris_quart.tables import edits as edits_module
from tests.faults.stage import Client, Stage, open_stage

UPDATE = {
    "changeId": "write-of-this-test",
    "kind": "update",
    "rowId": "1",
    "values": {"Name": "New"},
    "base": {"Name": "Ann"},
}
DELETE = {
    "changeId": "write-of-this-test",
    "kind": "delete",
    "rowId": "1",
    "base": {"Name": "Ann", "Age": 41},
}
INSERT = {"changeId": "write-of-this-test", "kind": "insert", "values": {"Name": "New", "Age": 9}}
WRITES = r"^(UPDATE|INSERT|DELETE)"

AFTER = [
    "reset_after",
    "close_after",
    "status_after",
    "reset_mid_body",
    "truncated",
    "content_type",
    "content_encoding",
]
BEFORE = ["reset_before", "close_before"]
CHANGES = {"update": UPDATE, "delete": DELETE, "insert": INSERT}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often and not for long: the machine of a test has no minutes."""
    monkeypatch.setattr(edits_module, "SETTLE_SECONDS", (0.0, 0.02, 0.05))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as stage:
        stage.sql("INSERT INTO Edit.Cell (Name, Age) VALUES (?, ?)", "Ann", 41)
        yield stage


@pytest.fixture
async def client(stage: Stage) -> Client:
    client = await stage.client(request_seconds=5.0)
    # Sign in before anything goes wrong.
    await client.run("previewChanges", {"namespace": "USER", "tableName": "Edit.Cell", "changes": [UPDATE]})
    await client.atelier.encoding("USER")
    return client


def applied(stage: Stage, kind: str) -> bool:
    rows = stage.sql("SELECT Name FROM Edit.Cell")
    return {"update": ("New",) in rows, "delete": ("Ann",) not in rows, "insert": ("New",) in rows}[kind]


@pytest.mark.parametrize("kind", list(CHANGES))
@pytest.mark.parametrize("fault", AFTER)
async def test_applied_although_the_answer_was_lost(
    stage: Stage, client: Client, kind: str, fault: Any
) -> None:
    stage.iris.add_fault(FaultRule(kind=fault, sql=WRITES, times=1))
    result, _ = await client.save("Edit.Cell", [CHANGES[kind]])
    assert result["outcome"] == "saved", result
    assert applied(stage, kind)
    assert len([sql for sql in stage.statements() if not sql.startswith("SELECT")]) == 1
    assert client.announced[0].changes[0].kind == kind


@pytest.mark.parametrize("kind", list(CHANGES))
@pytest.mark.parametrize("fault", BEFORE)
async def test_lost_before_it_was_applied_is_unknown_and_settles(
    stage: Stage, client: Client, kind: str, fault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client.context.tables.edits, "_doubt_seconds", 0.3)
    stage.iris.add_fault(FaultRule(kind=fault, sql=WRITES, times=1))
    result, counts = await client.save("Edit.Cell", [CHANGES[kind]])
    assert result["outcome"] == "unknown"
    assert result["error"]["code"] == "OUTCOME_UNKNOWN"
    assert counts["unknown"] == 1
    settled = await until_settled(client, CHANGES[kind])
    assert settled["outcome"] == "failed"
    assert "not made" in settled["error"]["message"]
    assert not applied(stage, kind)
    assert client.announced == []
    assert [entry.outcome for entry in client.audited] == ["started", "unknown", "failed"]


async def test_new_row_that_somebody_deleted_at_once_is_not_called_unmade(
    stage: Stage, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits = client.context.tables.edits
    monkeypatch.setattr(edits, "_doubt_seconds", 0.3)
    inserts = edits._proofs.inserts
    look = inserts.look
    made = []

    async def look_too_late(*arguments: Any, **options: Any) -> Any:
        if applied(stage, "insert"):
            made.append(stage.sql("DELETE FROM Edit.Cell WHERE Name = ?", "New"))
        return await look(*arguments, **options)

    monkeypatch.setattr(inserts, "look", look_too_late)
    stage.iris.add_fault(FaultRule(kind="reset_after", sql=WRITES, times=1))
    result, _ = await client.save("Edit.Cell", [CHANGES["insert"]])
    assert result["outcome"] == "unknown"
    settled = await until_settled(client, CHANGES["insert"])
    assert len(made) == 1
    assert settled["outcome"] == "failed"
    assert "deleted it since" in settled["error"]["message"]


@pytest.mark.parametrize("kind", list(CHANGES))
async def test_applied_late_is_told_when_it_is_known(
    stage: Stage, client: Client, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.iris.add_fault(FaultRule(kind="late", sql=WRITES, times=1, delay=0.4))
    result, _ = await client.save("Edit.Cell", [CHANGES[kind]])
    assert result["outcome"] == "unknown"
    settled = await until_settled(client, CHANGES[kind])
    assert settled["outcome"] == "saved"
    assert applied(stage, kind)
    assert [entry.outcome for entry in client.audited][-1] == "saved"
    assert client.announced[-1].changes[0].kind == kind
    assert len(stage.sql("SELECT Name FROM Edit.Cell WHERE Name = 'New'")) == (kind != "delete")


@pytest.mark.parametrize("kind", list(CHANGES))
async def test_hanging_iris_ends_with_the_deadline(stage: Stage, kind: str) -> None:
    client = await stage.client(request_seconds=0.5)
    await client.atelier.encoding("USER")
    await client.context.tables.catalogue.table("USER", "Edit.Cell", settled=True)
    stage.iris.add_fault(FaultRule(kind="hang", sql=WRITES, times=1))
    result, _ = await client.save("Edit.Cell", [CHANGES[kind]])
    assert result["outcome"] == "unknown"
    assert not applied(stage, kind)


@pytest.mark.parametrize("kind", list(CHANGES))
@pytest.mark.parametrize("fault", ["unauthorized", "cookie_loss"])
async def test_lost_iris_session_is_opened_anew(stage: Stage, client: Client, kind: str, fault: Any) -> None:
    stage.iris.add_fault(FaultRule(kind=fault, sql=WRITES, times=1))
    result, _ = await client.save("Edit.Cell", [CHANGES[kind]])
    assert result["outcome"] == "saved"
    assert applied(stage, kind)
    assert len(stage.sql("SELECT Name FROM Edit.Cell")) == {"update": 1, "delete": 0, "insert": 2}[kind]


@pytest.mark.parametrize("kind", list(CHANGES))
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (
            FaultRule("sqlcode", sqlcode=-110, text="Unable to acquire lock for UPDATE of table 'A.B'"),
            "ROW_LOCKED",
        ),
        (
            FaultRule("sqlcode", sqlcode=-99, text="User alice is not privileged for the operation"),
            "NOT_ALLOWED",
        ),
        (FaultRule("licence"), "LICENSE_LIMIT"),
        (FaultRule("forbidden"), "NOT_ALLOWED"),
        (FaultRule("redirect"), "INVALID_RESPONSE"),
    ],
    ids=lambda value: value.kind if isinstance(value, FaultRule) else value,
)
async def test_refusal_is_told_and_changes_nothing(
    stage: Stage, client: Client, kind: str, fault: FaultRule, code: str
) -> None:
    rule = FaultRule(fault.kind, sql=WRITES, times=1, sqlcode=fault.sqlcode, text=fault.text)
    stage.iris.add_fault(rule)
    result, _ = await client.save("Edit.Cell", [CHANGES[kind]])
    assert rule.struck == 1
    assert (result["outcome"], result["error"]["code"]) == ("failed", code)
    assert not applied(stage, kind)


@pytest.mark.parametrize("fault", ["status", "html"])
async def test_page_of_a_gateway_leaves_doubt(stage: Stage, client: Client, fault: Any) -> None:
    stage.iris.add_fault(FaultRule(kind=fault, sql=WRITES, times=1, status=503))
    result, _ = await client.save("Edit.Cell", [UPDATE])
    assert result["outcome"] == "unknown"


async def test_proof_that_cannot_be_read_leaves_doubt(stage: Stage, client: Client) -> None:
    rule = stage.iris.add_fault(FaultRule(kind="reset_before", sql=r"^SELECT .*%ID AS", times=None))
    result, _ = await client.save("Edit.Cell", [UPDATE])
    assert result["outcome"] == "unknown"
    assert rule.struck >= 2
    stage.iris.clear_faults()
    assert (await until_settled(client, UPDATE))["outcome"] == "saved"


async def test_broken_read_of_the_proof_is_repeated(stage: Stage, client: Client) -> None:
    stage.iris.add_fault(FaultRule(kind="reset_after", sql=r"^SELECT .*%ID AS", times=1))
    result, _ = await client.save("Edit.Cell", [UPDATE])
    assert result["outcome"] == "saved"


async def test_unreachable_iris_fails_without_doubt(stage: Stage, client: Client) -> None:
    await stage.iris.stop()
    result, _ = await client.save("Edit.Cell", [{**UPDATE, "base": {"Name": "Ann"}}])
    assert result["outcome"] == "failed"
    assert result["error"]["code"] == "SERVER_UNREACHABLE"


async def test_silent_iris_leaves_the_rest_staged(stage: Stage, client: Client) -> None:
    stage.iris.add_fault(FaultRule(kind="reset_before", times=None))
    changes = [
        {
            "changeId": f"c{number}",
            "kind": "update",
            "rowId": "1",
            "values": {"Age": number},
            "base": {"Age": 41},
        }
        for number in range(40)
    ]
    *results, counts = await client.save("Edit.Cell", changes)
    assert counts == {"saved": 0, "conflicts": 0, "failed": 0, "unknown": 3, "skipped": 37}
    assert len(results) == 40
    stage.iris.clear_faults()
    assert (await client.save("Edit.Cell", changes[5:6]))[0]["outcome"] == "skipped"
    again = [{**changes[5], "changeId": "again"}]
    assert (await client.save("Edit.Cell", again))[0]["outcome"] == "saved"


async def test_credentials_refused_in_the_middle_leave_what_was_sent_in_doubt(
    stage: Stage, client: Client
) -> None:
    for number in range(2, 8):
        stage.sql("INSERT INTO Edit.Cell (Name, Age) VALUES (?, ?)", f"P{number}", number)
    changes = [
        {
            "changeId": f"change-of-row-{number:03}",
            "kind": "update",
            "rowId": str(number),
            "values": {"Age": 0},
            "base": {"Age": number},
        }
        for number in range(2, 8)
    ]
    stage.iris.add_fault(FaultRule(kind="unauthorized", sql=r"^UPDATE", times=None))
    strike = FaultRule.strikes

    def later(rule: FaultRule, path: str, sql: str | None) -> bool:
        return bool(
            sql and sql.startswith("UPDATE") and len(stage.statements(of="Edit.Cell")) > 4
        ) and strike(rule, path, sql)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FaultRule, "strikes", later)
        with pytest.raises(AuthExpired):
            await client.save("Edit.Cell", changes)
    stage.iris.clear_faults()
    made = [number for (number,) in stage.sql("SELECT Age FROM Edit.Cell")].count(0)
    assert 0 < made < 6
    again = await stage.client()
    *results, _ = await again.save("Edit.Cell", changes)
    outcomes = [result["outcome"] for result in results]
    assert outcomes == ["saved"] * made + ["skipped"] * (6 - made)


async def test_others_go_on_when_one_is_in_doubt(stage: Stage, client: Client) -> None:
    for number in range(2, 8):
        stage.sql("INSERT INTO Edit.Cell (Name, Age) VALUES (?, ?)", f"P{number}", number)
    stage.iris.add_fault(FaultRule(kind="reset_before", sql="^UPDATE", times=1))
    changes = [
        {
            "changeId": f"c{number}",
            "kind": "update",
            "rowId": str(number),
            "values": {"Age": 0},
            "base": {"Age": number},
        }
        for number in range(2, 8)
    ]
    *results, counts = await client.save("Edit.Cell", changes)
    assert sorted(result["outcome"] for result in results) == ["saved"] * 5 + ["unknown"]
    assert counts == {"saved": 5, "conflicts": 0, "failed": 0, "unknown": 1, "skipped": 0}


async def test_doubt_that_turned_into_a_conflict_is_settled(stage: Stage, client: Client) -> None:
    stage.iris.add_fault(FaultRule(kind="reset_before", sql=WRITES, times=1))
    result, _ = await client.save("Edit.Cell", [UPDATE])
    assert result["outcome"] == "unknown"
    stage.sql("UPDATE Edit.Cell SET Name = 'Other' WHERE %ID = 1")
    settled = await until_settled(client, UPDATE)
    assert settled["outcome"] == "conflict"
    assert settled["conflict"]["Name"] == {"base": "Ann", "mine": "New", "theirs": "Other"}


@pytest.mark.parametrize("kind", list(CHANGES))
@pytest.mark.parametrize("was_applied", [False, True])
async def test_write_of_a_dead_worker_is_looked_up_and_never_repeated(
    stage: Stage, client: Client, kind: str, was_applied: bool
) -> None:
    change = CHANGES[kind]
    client.context.results = DeadWorker()
    if was_applied:
        statement = {
            "update": "UPDATE Edit.Cell SET Name = 'New' WHERE %ID = 1",
            "delete": "DELETE FROM Edit.Cell WHERE %ID = 1",
            "insert": "INSERT INTO Edit.Cell (Name, Age) VALUES ('New', 9)",
        }[kind]
        stage.sql(statement)
    result, _ = await client.save("Edit.Cell", [change])
    sent = [sql for sql in stage.statements() if sql.startswith(("UPDATE", "INSERT", "DELETE"))]
    assert sent == []
    # Without a key nobody can tell a new row of ours from an equal one of somebody else's.
    assert result["outcome"] == ("saved" if was_applied and kind != "insert" else "unknown")


async def test_row_with_the_key_of_a_dead_workers_insert_may_be_anybodys(
    stage: Stage, client: Client
) -> None:
    client.context.results = DeadWorker()
    change = {"changeId": "write-of-this-test", "kind": "insert", "values": {"K": "k", "V": "v"}}
    stage.sql("INSERT INTO Edit.Keyed (K, V) VALUES ('k', 'v')")
    result, _ = await client.save("Edit.Keyed", [change])
    # Nobody knows whether it was there before: what is known is said, and no more.
    assert (result["outcome"], result["error"]["code"]) == ("unknown", "OUTCOME_UNKNOWN")
    assert "A row with this key is there" in result["error"]["message"]
    other = {"changeId": "x", "kind": "insert", "values": {"K": "k", "V": "other"}}
    result, _ = await client.save("Edit.Keyed", [other])
    # Another row of this key, or ours, changed since: nobody can tell.
    assert (result["outcome"], result["error"]["code"]) == ("unknown", "OUTCOME_UNKNOWN")


async def test_write_that_still_runs_here_is_waited_for(stage: Stage, client: Client) -> None:
    stage.iris.add_fault(FaultRule(kind="latency", sql=WRITES, times=1, delay=0.3))
    other = await stage.client()
    first, second = await asyncio.gather(
        client.save("Edit.Cell", [INSERT]), other.save("Edit.Cell", [INSERT])
    )
    assert first == second
    assert first[0]["outcome"] == "saved"
    assert len(stage.sql("SELECT Name FROM Edit.Cell WHERE Name = 'New'")) == 1


async def test_store_that_is_away_lets_nothing_start(stage: Stage, client: Client) -> None:
    client.context.results = StoreAway()
    result, _ = await client.save("Edit.Cell", [UPDATE])
    # Another run of the same id may be saving it: only the store could say that nothing was sent.
    assert (result["outcome"], result["error"]["code"]) == ("unknown", "STORE_UNAVAILABLE")
    assert not applied(stage, "update")


async def test_store_that_goes_away_meanwhile_spoils_no_answer(stage: Stage, client: Client) -> None:
    client.context.results = StoreGoes()
    result, _ = await client.save("Edit.Cell", [UPDATE])
    assert result["outcome"] == "saved"


async def test_refused_credentials_end_the_command(stage: Stage, client: Client) -> None:
    stage.iris.add_fault(FaultRule(kind="unauthorized", times=None))
    with pytest.raises(AuthExpired):
        await client.save("Edit.Cell", [UPDATE])
    assert not applied(stage, "update")


class DeadWorker:
    """A store that says of every id that another worker started it and did not end it."""

    def __init__(self) -> None:
        self.finished: list[str] = []

    async def begin(self, owner: str, write_id: str, fingerprint: str, **_more: Any) -> WriteRecord | None:
        return WriteRecord("started", fingerprint, b"")

    async def mark_started(self, owner: str, write_id: str) -> bool:
        return False

    async def withdraw(
        self, withdrawals: Sequence[Withdrawal], *, released: bool = False
    ) -> Sequence[WriteRecord | None]:
        return [WriteRecord("started", item.fingerprint, b"") for item in withdrawals]

    async def release(self, owner: str, write_id: str) -> None:
        raise AssertionError("nothing was claimed")

    async def peek(self, owner: str, write_id: str) -> WriteRecord | None:
        raise AssertionError("nobody waits for a dead worker")

    async def finish(self, owner: str, write_id: str, state: str, answer: bytes) -> None:
        self.finished.append(state)


class StoreAway:
    """A store that does not answer."""

    async def begin(self, owner: str, write_id: str, fingerprint: str, **_more: Any) -> WriteRecord | None:
        raise StoreUnavailable("The session store does not answer.")

    async def mark_started(self, owner: str, write_id: str) -> bool:
        raise StoreUnavailable("The session store does not answer.")

    async def withdraw(
        self, withdrawals: Sequence[Withdrawal], *, released: bool = False
    ) -> Sequence[WriteRecord | None]:
        raise StoreUnavailable("The session store does not answer.")

    async def release(self, owner: str, write_id: str) -> None:
        raise StoreUnavailable("The session store does not answer.")

    async def peek(self, owner: str, write_id: str) -> WriteRecord | None:
        raise StoreUnavailable("The session store does not answer.")

    async def finish(self, owner: str, write_id: str, state: str, answer: bytes) -> None:
        raise StoreUnavailable("The session store does not answer.")


class StoreGoes(StoreAway):
    """A store that goes away once an id is claimed and its statement about to be sent."""

    async def begin(self, owner: str, write_id: str, fingerprint: str, **_more: Any) -> WriteRecord | None:
        return None

    async def mark_started(self, owner: str, write_id: str) -> bool:
        return True


async def until_settled(client: Client, change: dict[str, Any]) -> dict[str, Any]:
    """Ask again with the same id until the outcome is known."""
    async with asyncio.timeout(15):
        while True:
            result, _ = await client.save("Edit.Cell", [change])
            if result["outcome"] != "unknown":
                return result
            await asyncio.sleep(0.05)
