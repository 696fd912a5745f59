"""What every session store does; each test runs on SQLite and on a real Redis."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from iris_quart.errors import StoreUnavailable
from iris_quart.sessions import Ended, Session, SessionStore, Withdrawal
from iris_quart.sessions.redis import RedisStore
from iris_quart.sessions.session import key_of
from iris_quart.sessions.sqlite import SqliteStore

from .conftest import ALICE, CREDENTIALS, PASSWORD, Kind, make_settings, opened, until

Pair = tuple[SessionStore, SessionStore]
T = TypeVar("T")


async def soon(items: AsyncIterator[T], seconds: float = 3) -> T:
    async with asyncio.timeout(seconds):
        return await anext(items)


async def signed_in(store: SessionStore, **changes: object) -> tuple[str, Session]:
    session_id = await store.create(dataclasses.replace(ALICE, **changes), CREDENTIALS)  # type: ignore[arg-type]
    session = await store.get(session_id)
    assert session is not None
    return session_id, session


async def test_created_session_is_found_by_its_id_in_every_worker(pair: Pair) -> None:
    session_id, session = await signed_in(pair[0])
    assert await pair[1].get(session_id) == session
    assert session.user == "alice"
    assert session.server == "demo"
    assert session.server_key == "key-of-demo"
    assert session.namespace == "USER"
    assert session.read_only is False
    assert session.target == ALICE.target
    assert session.address == "192.0.2.7"
    assert session.user_agent == "Test/1"
    assert session.key == key_of(session_id)
    assert len(session_id) == 43
    assert abs(session.created - pair[0].now()) < 5
    assert session.idle_until - session.created == pytest.approx(1800, abs=0.1)
    assert session.absolute_until - session.created == pytest.approx(43200, abs=0.1)


async def test_absent_namespace_and_read_only_survive(store: SessionStore) -> None:
    _, session = await signed_in(store, namespace=None, read_only=True, user="Zoë \u202e\x00|")
    assert session.namespace is None
    assert session.read_only is True
    assert session.user == "Zoë \u202e\x00|"


async def test_empty_namespace_is_not_absent(store: SessionStore) -> None:
    _, session = await signed_in(store, namespace="")
    assert session.namespace == ""


@pytest.mark.parametrize(
    "session_id", ["", "x", "../../etc/passwd", "'; DROP TABLE sessions; --", "\udcff", "a" * 9999]
)
async def test_unknown_ids_find_nothing(store: SessionStore, session_id: str) -> None:
    await signed_in(store)
    assert await store.get(session_id) is None
    assert await store.count() == 1


async def test_the_key_is_not_the_id(store: SessionStore) -> None:
    _, session = await signed_in(store)
    assert await store.get(session.key) is None


async def test_ids_differ(store: SessionStore) -> None:
    ids = {(await signed_in(store))[0] for _ in range(20)}
    assert len(ids) == 20


async def test_credentials_open_with_the_id_alone(pair: Pair) -> None:
    session_id, session = await signed_in(pair[0])
    credentials = await pair[1].credentials(session_id, session)
    assert credentials is not None
    assert credentials.username == "alice"
    assert credentials.password.get_secret_value() == PASSWORD
    assert await pair[1].credentials("another id", session) is None


async def test_credentials_of_another_session_do_not_open(store: SessionStore) -> None:
    first_id, _ = await signed_in(store)
    _, second = await signed_in(store)
    assert await store.credentials(first_id, second) is None


async def test_credentials_are_gone_with_the_session(store: SessionStore) -> None:
    session_id, session = await signed_in(store)
    assert await store.end(session.key, "logout")
    assert await store.credentials(session_id, session) is None


async def test_changed_row_does_not_give_its_credentials(store: SessionStore) -> None:
    session_id, session = await signed_in(store)
    for change in ({"user": "bob"}, {"server_key": "evil"}, {"created": session.created + 1}):
        assert await store.credentials(session_id, dataclasses.replace(session, **change)) is None


async def test_ended_session_is_gone_everywhere(pair: Pair) -> None:
    session_id, session = await signed_in(pair[0])
    assert await pair[1].end(session.key, "logout")
    assert await pair[0].get(session_id) is None
    assert await pair[0].touch(session) is None
    assert await pair[0].recheck([session.key]) == {session.key: None}
    assert not await pair[0].end(session.key, "logout")


async def test_what_is_read_together_grows_old_with_the_turn_of_the_loop(pair: Pair) -> None:
    _, session = await signed_in(pair[0])
    assert await pair[0].recheck([session.key], together=True) == {session.key: session}
    assert await pair[1].end(session.key, "logout")
    assert await pair[0].recheck([session.key], together=True) == {session.key: None}


async def test_touch_slides_the_idle_deadline_only(pair: Pair) -> None:
    session_id, session = await signed_in(pair[0])
    touched = await pair[1].touch(session)
    assert touched is not None
    assert touched.idle_until > session.idle_until
    assert dataclasses.replace(touched, idle_until=session.idle_until) == session
    assert await pair[0].get(session_id) == touched


async def test_idle_session_ends_at_its_deadline(kind: Kind, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, store=kind.url, session_idle_seconds=0.3)
    async with opened(settings) as store:
        ended = store.watch()
        session_id, session = await signed_in(store)
        assert await soon(ended) == Ended(session.key, "idle")
        assert store.now() >= session.idle_until
        assert await store.get(session_id) is None
        assert await store.touch(session) is None
        assert await store.credentials(session_id, session) is None


async def test_touched_session_outlives_its_first_deadline_but_not_the_absolute_one(
    kind: Kind, tmp_path: Path
) -> None:
    settings = make_settings(tmp_path, store=kind.url, session_idle_seconds=0.5, session_absolute_seconds=1.2)
    async with opened(settings) as store:
        ended = store.watch()
        session_id, first = await signed_in(store)
        session: Session | None = first
        while session is not None:
            session = await store.touch(session)
            await asyncio.sleep(0.05)
        assert store.now() - first.created == pytest.approx(1.2, abs=0.3)
        assert await soon(ended) == Ended(first.key, "absolute")
        assert await store.get(session_id) is None


async def test_past_its_deadline_a_session_is_not_found_even_before_it_is_swept(
    kind: Kind, tmp_path: Path
) -> None:
    settings = make_settings(tmp_path, store=kind.url, session_idle_seconds=0.2)
    async with opened(settings) as store:
        session_id, session = await signed_in(store)

        async def gone() -> bool:
            return await store.get(session_id) is None

        await until(gone)
        assert store.now() - session.idle_until < 0.15
        assert await store.list() == []
        assert await store.count() == 0


async def test_other_workers_hear_of_an_end(pair: Pair) -> None:
    heard = pair[1].watch()
    _, first = await signed_in(pair[0])
    _, second = await signed_in(pair[0])
    await pair[0].end(first.key, "logout")
    await pair[0].end(second.key, "replaced")
    assert [await soon(heard), await soon(heard)] == [
        Ended(first.key, "logout"),
        Ended(second.key, "replaced"),
    ]


async def test_the_own_worker_hears_at_once(kind: Kind, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, store=kind.url, sessions_poll_seconds=5)
    async with opened(settings) as store:
        heard = store.watch()
        _, session = await signed_in(store)
        waiting = asyncio.ensure_future(anext(heard))
        await asyncio.sleep(0.1)
        await store.end(session.key, "logout")
        assert await asyncio.wait_for(waiting, 1) == Ended(session.key, "logout")


async def test_ends_before_the_watch_but_after_the_start_are_not_missed(pair: Pair) -> None:
    _, session = await signed_in(pair[0])
    await pair[0].end(session.key, "logout")
    assert await soon(pair[1].watch()) == Ended(session.key, "logout")


async def test_recheck_reads_many(store: SessionStore) -> None:
    sessions = [(await signed_in(store))[1] for _ in range(3)]
    await store.end(sessions[1].key, "logout")
    keys = [session.key for session in sessions]
    assert await store.recheck([*keys, "unknown"]) == {
        keys[0]: sessions[0],
        keys[1]: None,
        keys[2]: sessions[2],
        "unknown": None,
    }
    assert await store.recheck([]) == {}
    many = [f"unknown {number}" for number in range(1200)] + keys[:1]
    assert sum(found is not None for found in (await store.recheck(many)).values()) == 1


async def test_ending_the_others_keeps_one_and_strangers(pair: Pair) -> None:
    heard = pair[1].watch()
    _, mine = await signed_in(pair[0])
    _, other = await signed_in(pair[0])
    _, elsewhere = await signed_in(pair[0], server_key="another server")
    _, bob = await signed_in(pair[0], user="bob")
    assert await pair[0].end_others("alice", "key-of-demo", mine.key) == 1
    assert await soon(heard) == Ended(other.key, "ended")
    assert {session.key for session in await pair[1].list()} == {mine.key, elsewhere.key, bob.key}


async def test_a_user_is_the_same_in_any_letter_case(store: SessionStore) -> None:
    """Whoever signed in with a stolen password as ALICE is seen, and sent away, by alice."""
    _, mine = await signed_in(store)
    _, other = await signed_in(store, user="ALICE")
    _, third = await signed_in(store, user=" Alice")
    _, bob = await signed_in(store, user="bob")
    assert {session.key for session in await store.list("aLice")} == {mine.key, other.key, third.key}
    assert await store.end_others("alice", "key-of-demo", mine.key) == 2
    assert {session.key for session in await store.list()} == {mine.key, bob.key}


async def test_list_filters_and_orders(store: SessionStore) -> None:
    first = (await signed_in(store))[1]
    second = (await signed_in(store, user="bob"))[1]
    third = (await signed_in(store, server_key="other"))[1]
    assert list(await store.list()) == [first, second, third]
    assert list(await store.list("alice")) == [first, third]
    assert list(await store.list("alice", "other")) == [third]
    assert list(await store.list(server_key="key-of-demo")) == [first, second]
    assert await store.count() == 3


async def test_ticket_works_once_in_any_worker(pair: Pair) -> None:
    session_id, _ = await signed_in(pair[0])
    ticket = await pair[0].make_ticket(session_id)
    assert ticket != session_id
    assert await pair[1].take_ticket(ticket) == session_id
    assert await pair[0].take_ticket(ticket) is None
    assert await pair[1].take_ticket("never made") is None


async def test_of_many_takers_of_a_ticket_one_gets_it(pair: Pair) -> None:
    ticket = await pair[0].make_ticket("an id")
    taken = await asyncio.gather(*(pair[number % 2].take_ticket(ticket) for number in range(10)))
    assert sorted(taken, key=str) == [None] * 9 + ["an id"]


async def test_old_ticket_is_refused(store: SessionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iris_quart.sessions.records.TICKET_SECONDS", 0.05)
    ticket = await store.make_ticket("an id")
    await asyncio.sleep(0.1)
    assert await store.take_ticket(ticket) is None


async def test_sixth_try_of_a_user_has_to_wait(pair: Pair) -> None:
    for number in range(5):
        assert (await pair[number % 2].attempt("alice", "server", f"192.0.2.{number}")).allowed
    refused = await pair[0].attempt("ALICE ", "server", "192.0.2.99")
    assert not refused.allowed
    assert 50 < refused.seconds <= 60
    assert (await pair[0].attempt("bob", "server", "192.0.2.99")).allowed
    assert (await pair[0].attempt("alice", "another server", "192.0.2.99")).allowed


async def test_parallel_tries_are_counted_exactly(pair: Pair) -> None:
    answers = await asyncio.gather(*(pair[number % 2].attempt("alice", "s", "a") for number in range(12)))
    assert sum(answer.allowed for answer in answers) == 5


async def test_an_address_is_limited_over_all_users(kind: Kind, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, store=kind.url, login_attempts_per_address=3)
    async with opened(settings) as store:
        for number in range(3):
            assert (await store.attempt(f"user {number}", "server", "192.0.2.1")).allowed
        assert not (await store.attempt("user 4", "server", "192.0.2.1")).allowed
        assert (await store.attempt("user 4", "server", "192.0.2.2")).allowed


@pytest.mark.parametrize(
    "addresses",
    [
        [f"2001:db8:1:2::{number:x}" for number in range(4)],
        ["192.0.2.1", "192.0.2.1:50001", "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:50002"],
    ],
    ids=["of one customer", "of one spelling"],
)
async def test_addresses_of_one_peer_are_limited_together(
    kind: Kind, tmp_path: Path, addresses: list[str]
) -> None:
    settings = make_settings(tmp_path, store=kind.url, login_attempts_per_address=3)
    async with opened(settings) as store:
        tries = [
            await store.attempt(f"user {place}", "s", address) for place, address in enumerate(addresses)
        ]
        assert [admission.allowed for admission in tries] == [True, True, True, False]
        assert (await store.attempt("user 5", "s", "2001:db8:1:3::1")).allowed


async def test_forgiven_tries_count_no_more_but_failed_ones_do(store: SessionStore) -> None:
    for _ in range(4):
        assert (await store.attempt("alice", "server", "a")).allowed
    for _ in range(10):
        assert (await store.attempt("alice", "server", "a")).allowed
        await store.forgive("alice", "server", "a")
    assert (await store.attempt("alice", "server", "a")).allowed
    assert not (await store.attempt("alice", "server", "a")).allowed


async def test_tries_are_forgotten_after_their_minute(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iris_quart.sessions.records.ATTEMPT_SECONDS", 0.2)
    for _ in range(5):
        assert (await store.attempt("alice", "server", "a")).allowed

    async def allowed() -> bool:
        return (await store.attempt("alice", "server", "a")).allowed

    assert not await allowed()
    await until(allowed, 2)


async def test_a_write_is_claimed_once_and_its_answer_kept(pair: Pair) -> None:
    assert await pair[0].begin("owner", "w1", "print") is None
    mine = await pair[0].begin("owner", "w1", "print")
    assert mine is not None
    assert (mine.state, mine.mine, mine.alive) == ("claimed", True, True)
    theirs = await pair[1].begin("owner", "w1", "other print")
    assert theirs is not None
    assert (theirs.state, theirs.fingerprint, theirs.mine) == ("claimed", "print", False)
    assert theirs.alive
    await pair[0].finish("owner", "w1", "done", b'{"n": 1}')
    done = await pair[1].begin("owner", "w1", "print")
    assert done is not None
    assert (done.state, done.answer, done.mine) == ("done", b'{"n": 1}', False)
    assert await pair[1].begin("another owner", "w1", "print") is None
    assert await pair[1].begin("owner", "w2", "print") is None


async def test_of_many_claimants_of_a_write_one_wins(pair: Pair) -> None:
    claims = await asyncio.gather(*(pair[number % 2].begin("owner", "w", "p") for number in range(10)))
    assert sum(claim is None for claim in claims) == 1


async def test_finished_write_runs_no_more(store: SessionStore) -> None:
    await store.begin("owner", "w1", "print")
    await store.finish("owner", "w1", "unknown", b"")
    record = await store.begin("owner", "w1", "print")
    assert record is not None
    assert (record.state, record.mine) == ("unknown", False)


async def test_known_end_of_a_write_is_only_replaced_by_who_runs_it(pair: Pair) -> None:
    await pair[0].begin("owner", "w1", "print")
    await pair[1].finish("owner", "w1", "done", b"guessed")
    await pair[0].finish("owner", "w1", "done", b"seen")
    for state in ("unknown", "done"):
        await pair[1].finish("owner", "w1", state, b"looked at later")
        record = await pair[1].begin("owner", "w1", "print")
        assert record is not None
        assert (record.state, record.answer) == ("done", b"seen")
    await pair[0].begin("owner", "w2", "print")
    await pair[0].finish("owner", "w2", "unknown", b"")
    await pair[1].finish("owner", "w2", "done", b"settled")
    settled = await pair[0].begin("owner", "w2", "print")
    assert settled is not None
    assert (settled.state, settled.answer) == ("done", b"settled")


async def test_started_write_of_a_dead_worker_is_told_from_one_that_runs(
    pair: Pair, kind: Kind, tmp_path: Path
) -> None:
    async with opened(make_settings(tmp_path, store=kind.url)) as dying:
        await dying.begin("owner", "w1", "print")
        assert await dying.mark_started("owner", "w1")
        running = await pair[0].begin("owner", "w1", "print")
        assert running is not None
        assert (running.state, running.mine, running.alive) == ("started", False, True)
    record = await pair[0].begin("owner", "w1", "print")
    assert record is not None
    assert (record.state, record.mine, record.alive) == ("started", False, False)


async def test_claim_of_a_dead_worker_that_was_not_started_is_taken_over(
    pair: Pair, kind: Kind, tmp_path: Path
) -> None:
    async with opened(make_settings(tmp_path, store=kind.url)) as dying:
        await dying.begin("owner", "w1", "print")
        await dying.begin("owner", "w2", "print")
        assert await pair[0].begin("owner", "w1", "print") is not None
    other = await pair[0].begin("owner", "w2", "other print")
    assert other is not None
    assert (other.fingerprint, other.alive) == ("print", False)
    claims = await asyncio.gather(*(pair[number % 2].begin("owner", "w1", "print") for number in range(6)))
    assert claims.count(None) == 1


async def test_write_is_started_only_by_the_worker_that_holds_its_claim(pair: Pair) -> None:
    await pair[0].begin("owner", "w1", "print")
    assert not await pair[1].mark_started("owner", "w1")
    assert await pair[0].mark_started("owner", "w1")
    assert not await pair[0].mark_started("owner", "w1")
    assert not await pair[0].mark_started("owner", "never claimed")
    assert await pair[0].begin("owner", "w2", "print", started=True) is None
    record = await pair[1].peek("owner", "w2")
    assert record is not None
    assert (record.state, record.alive) == ("started", True)


async def test_withdrawn_write_is_not_started_by_the_run_that_had_claimed_it(pair: Pair) -> None:
    await pair[0].begin("owner", "claimed", "print")
    await pair[0].begin("owner", "sent", "print", started=True)
    await pair[0].begin("owner", "other", "other print")
    items = [Withdrawal("owner", name, "print", b"skipped") for name in ("claimed", "sent", "new", "other")]
    found = await pair[1].withdraw(items)
    assert [None if one is None else one.state for one in found] == [None, "started", None, "claimed"]
    assert not await pair[0].mark_started("owner", "claimed")
    for name in ("claimed", "new"):
        record = await pair[0].begin("owner", name, "print")
        assert record is not None
        assert (record.state, record.answer) == ("done", b"skipped")


async def test_of_start_and_withdrawal_exactly_one_wins(pair: Pair) -> None:
    names = [f"w{number}" for number in range(20)]
    for name in names:
        await pair[0].begin("owner", name, "print")
    starts, withdrawals = await asyncio.gather(
        asyncio.gather(*(pair[0].mark_started("owner", name) for name in names)),
        asyncio.gather(*(pair[1].withdraw([Withdrawal("owner", name, "print", b"")]) for name in names)),
    )
    assert [
        started == (found[0] is not None) for started, found in zip(starts, withdrawals, strict=True)
    ] == [True] * len(names)


async def test_released_write_is_run_only_for_commands_that_come_later(pair: Pair) -> None:
    before = pair[1].now()
    await pair[0].begin("owner", "w1", "print")
    assert await pair[0].withdraw([Withdrawal("owner", "w1", "print", b"skipped")], released=True) == [None]
    old = await pair[1].begin("owner", "w1", "print", since=before)
    assert old is not None
    assert (old.state, old.answer) == ("released", b"skipped")
    assert await pair[1].begin("owner", "w1", "print", since=pair[1].now() + 0.5) is None


async def test_claim_that_was_let_go_is_free_and_an_ended_write_stays(pair: Pair) -> None:
    await pair[0].begin("owner", "w1", "print")
    await pair[1].release("owner", "w1")
    assert await pair[1].begin("owner", "w1", "print") is not None
    await pair[0].release("owner", "w1")
    assert await pair[1].begin("owner", "w1", "print") is None
    await pair[1].finish("owner", "w1", "done", b"")
    await pair[1].release("owner", "w1")
    assert await pair[0].peek("owner", "w1") is not None
    assert await pair[0].peek("owner", "w2") is None


async def test_claim_made_while_another_run_lets_go_of_the_id_is_held(pair: Pair) -> None:
    store = pair[0]
    for number in range(50):
        key = "owner", f"w{number}"
        assert await store.begin(*key, "print") is None
        _, taken = await asyncio.gather(store.release(*key), store.begin(*key, "print"))
        if taken is not None:
            assert await store.begin(*key, "print") is None
        third = await store.begin(*key, "print")
        assert third is not None
        assert (third.state, third.alive) == ("claimed", True)
        assert await store.mark_started(*key)
        assert (await store.peek(*key)).alive  # type: ignore[union-attr]


def _break(store: SessionStore, patched: pytest.MonkeyPatch) -> None:
    """Let each step of a store fail."""

    def lose(batch: list[Any]) -> None:
        for item in batch:
            item.error = StoreUnavailable("The disk is full.")

    async def fail(*_arguments: object) -> None:
        raise StoreUnavailable("The disk is full.")

    if isinstance(store, SqliteStore):
        patched.setattr(store._db, "_transaction", lose)
    else:
        assert isinstance(store, RedisStore)
        patched.setattr(store._server, "run", fail)


async def test_failed_claim_of_a_second_run_does_not_end_the_first(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await store.begin("owner", "w1", "print") is None

    with monkeypatch.context() as patched:
        _break(store, patched)
        with pytest.raises(StoreUnavailable):
            await store.begin("owner", "w1", "print")
    record = await store.peek("owner", "w1")
    assert record is not None
    assert record.alive


async def test_run_that_let_go_of_an_id_does_not_hold_it_when_the_store_was_away(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = pair[0]
    assert await store.begin("owner", "w1", "print") is None
    with monkeypatch.context() as patched:
        _break(store, patched)
        with pytest.raises(StoreUnavailable):
            await store.release("owner", "w1")
    record = await store.peek("owner", "w1")
    assert record is not None
    assert not record.alive
    assert await store.begin("owner", "w1", "print") is None
    assert await store.mark_started("owner", "w1")


async def test_taken_over_claim_is_not_ended_by_the_worker_that_lost_it(pair: Pair) -> None:
    await pair[0].begin("owner", "w1", "print")
    await pair[1].withdraw([Withdrawal("owner", "w1", "print", b"skipped")])
    await pair[0].finish("owner", "w1", "done", b"failed")
    record = await pair[0].peek("owner", "w1")
    assert record is not None
    assert record.answer == b"skipped"


async def test_record_is_kept_for_its_time_after_that_of_the_id(kind: Kind, tmp_path: Path) -> None:
    async with opened(make_settings(tmp_path, store=kind.url, write_result_seconds=60)) as store:
        await store.begin("owner", "ahead", "print", made=store.now() + 30)
        await store.finish("owner", "ahead", "done", b"")
        if isinstance(store, SqliteStore):
            store._clock = lambda: time.time() + 80
            assert await store.peek("owner", "ahead") is not None
        else:
            assert isinstance(store, RedisStore)
            (key,) = await store._server.client.keys("iris_quart:write:*")
            assert 80_000 < await store._server.client.pttl(key) < 91_000


async def test_result_of_a_write_outlives_the_session(store: SessionStore) -> None:
    _, session = await signed_in(store)
    await store.begin("owner", "w1", "print")
    await store.finish("owner", "w1", "done", b"answer")
    await store.end(session.key, "logout")
    record = await store.begin("owner", "w1", "print")
    assert record is not None
    assert record.answer == b"answer"


async def test_changes_reach_other_workers_in_order_and_not_the_own(pair: Pair) -> None:
    own, others = pair[0].changes(), pair[1].changes()
    await pair[0].publish(b"one \x00\xff")
    await pair[0].publish(b"two")
    assert [await soon(others), await soon(others)] == [b"one \x00\xff", b"two"]
    await pair[1].publish(b"three")
    assert await soon(own) == b"three"


async def test_a_late_worker_gets_no_old_changes(kind: Kind, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, store=kind.url)
    async with opened(settings) as first:
        await first.publish(b"old")
        async with opened(settings) as late:
            changes = late.changes()
            await first.publish(b"new")
            assert await soon(changes) == b"new"


async def test_iterators_end_when_the_store_closes(kind: Kind, tmp_path: Path) -> None:
    async with opened(make_settings(tmp_path, store=kind.url)) as store:

        async def collect(items: AsyncIterator[object]) -> list[object]:
            return [item async for item in items]

        tasks = [asyncio.create_task(collect(store.watch())), asyncio.create_task(collect(store.changes()))]
        await asyncio.sleep(0.05)
    assert await asyncio.wait_for(asyncio.gather(*tasks), 3) == [[], []]


async def test_health(kind: Kind, tmp_path: Path) -> None:
    async with opened(make_settings(tmp_path, store=kind.url)) as store:
        assert await store.healthy()
    assert not await store.healthy()
