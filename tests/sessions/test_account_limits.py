"""What every session store bounds: sign-in tries, sessions and transfers of an account, on SQLite and on Redis."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from iris_quart.errors import RateLimited
from iris_quart.sessions import Ended, SessionStore

from .conftest import ALICE, CREDENTIALS, Kind, make_settings, opened, until
from .test_store_contract import Pair, signed_in, soon


async def test_all_tries_together_are_slowed_down_and_then_refused(kind: Kind, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, store=kind.url, login_attempts_overall=60, login_wait_seconds=5)
    async with opened(settings) as one, opened(settings) as other:
        pair, begun = (one, other), time.monotonic()
        tries = [await pair[n % 2].attempt(f"user {n}", "server", f"192.0.{n}.1") for n in range(60)]
        # Half of them at once, then one in two seconds, of which those of five seconds wait.
        assert [(admission.allowed, admission.seconds) for admission in tries[:30]] == [(True, 0.0)] * 30
        assert 32 <= sum(admission.allowed for admission in tries) <= 33 + (time.monotonic() - begun) / 2
        assert all(admission.seconds <= 5 for admission in tries if admission.allowed)
        assert max(admission.seconds for admission in tries if admission.allowed) > 1
        assert all(1 <= admission.seconds <= 2 for admission in tries if not admission.allowed)


async def test_a_few_networks_do_not_use_up_what_others_may_try(kind: Kind, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, store=kind.url, login_wait_seconds=2)
    async with opened(settings) as store:
        spray = [
            await store.attempt(f"user {network}.{host}", "server", f"198.51.{network}.{host}")
            for network in range(3)
            for host in range(200)
        ]
        assert sum(admission.allowed for admission in spray) < 100
        newcomer = await store.attempt("alice", "server", "203.0.113.7")
        assert (newcomer.allowed, newcomer.seconds) == (True, 0.0)
        prefixed = [await store.attempt(f"u{n}", "s", f"2001:db8:1:{n:x}::1") for n in range(100)]
        assert sum(admission.allowed for admission in prefixed) < 60
        assert (await store.attempt("bob", "s", "2001:db8:2::1")).seconds == 0


async def test_no_spray_refuses_a_known_account_at_its_known_address(pair: Pair) -> None:
    for user in ("alice", "bob"):
        assert (await pair[0].attempt(user, "server", "203.0.113.7")).allowed
        await pair[0].forgive(user, "server", "203.0.113.7")
    for network in range(12):
        for host in range(30):
            await pair[0].attempt(f"user {host}", "server", f"198.51.{network}.{host}")
            await pair[0].attempt("alice", "server", f"198.51.{network}.{host}")
    assert (await pair[0].attempt("carol", "server", "198.51.100.1")).seconds > 0
    assert not (await pair[0].attempt("alice", "server", "198.51.100.1")).allowed
    for host in range(25):
        await pair[0].attempt(f"neighbour {host}", "server", "203.0.113.7")
    for user in ("ALICE", "bob"):
        for _ in range(3):
            known = await pair[1].attempt(user, "server", "203.0.113.7")
            assert (known.allowed, known.seconds) == (True, 0.0)


async def test_an_address_where_somebody_signed_in_is_spared_by_a_spray(store: SessionStore) -> None:
    assert (await store.attempt("alice", "server", "203.0.113.7")).allowed
    await store.forgive("alice", "server", "203.0.113.7")
    for network in range(12):
        for host in range(30):
            await store.attempt(f"user {host}", "server", f"198.51.{network}.{host}")
    tries = [await store.attempt(f"new {n}", "server", "203.0.113.7") for n in range(21)]
    assert [admission.allowed for admission in tries] == [True] * 20 + [False]
    assert {admission.seconds for admission in tries[:20]} == {0.0}


async def test_a_known_account_is_guessed_no_faster(store: SessionStore) -> None:
    """Five tries a minute from everywhere else together, and five at each address that knows the account."""
    await store.forgive("alice", "server", "203.0.113.7")
    here = [await store.attempt("alice", "server", "203.0.113.7") for _ in range(12)]
    assert sum(admission.allowed for admission in here) == 5
    elsewhere = [await store.attempt("alice", "server", f"198.51.100.{n}") for n in range(12)]
    assert sum(admission.allowed for admission in elsewhere) == 0
    assert (await store.attempt("alice", "another server", "203.0.113.7")).allowed


async def test_a_good_account_gives_its_network_no_more_tries(store: SessionStore) -> None:
    allowed = 0
    for number in range(200):
        assert (await store.attempt("mallory", "server", "198.51.100.1")).allowed
        await store.forgive("mallory", "server", "198.51.100.1")
        address = f"198.51.100.{2 + number % 250}"
        allowed += (await store.attempt(f"user {number}", "server", address)).allowed
    assert allowed < 50


async def test_what_is_known_is_forgotten(kind: Kind, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, store=kind.url, login_known_seconds=2, login_attempts_per_address=2)
    async with opened(settings) as store:

        async def allowed(user: str) -> bool:
            return (await store.attempt(user, "server", "203.0.113.7")).allowed

        await store.forgive("alice", "server", "203.0.113.7")
        assert [await allowed(f"user {n}") for n in range(3)] == [True, True, False]
        assert await allowed("alice")

        async def forgotten() -> bool:
            return not await allowed("alice")

        await until(forgotten)


async def test_one_session_too_many_ends_the_longest_idle_one(kind: Kind, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, store=kind.url, sessions_per_account=20)
    # What this store touches looks as if it had been used five minutes before.
    earlier = make_settings(tmp_path, store=kind.url, session_idle_seconds=1500)
    async with opened(settings) as one, opened(settings) as other, opened(earlier) as past:
        heard = other.watch()
        sessions = [(await signed_in((one, other)[n % 2]))[1] for n in range(20)]
        await signed_in(one, user="bob")
        await signed_in(one, server_key="another server")
        with pytest.raises(
            RateLimited, match="Sign out of one of them, or try again in 60 seconds"
        ) as caught:
            await signed_in(other, user="ALICE")
        assert caught.value.details
        assert 40 < caught.value.details["retryAfter"] <= 60
        forgotten = sessions[7]
        assert await past.touch(forgotten)
        _, latest = await signed_in(other, user="ALICE")
        assert await soon(heard) == Ended(forgotten.key, "limit")
        alive = {session.key for session in await one.list("alice", "key-of-demo")}
        assert alive == {session.key for session in sessions} - {forgotten.key} | {latest.key}


async def test_a_session_that_is_replaced_needs_no_other_place(kind: Kind, tmp_path: Path) -> None:
    async with opened(make_settings(tmp_path, store=kind.url, sessions_per_account=1)) as store:
        _, first = await signed_in(store)
        session_id = await store.create(ALICE, CREDENTIALS, replaced=first.key)
        assert await store.get(session_id) is not None
        assert await store.end(first.key, "replaced")
        with pytest.raises(RateLimited):
            await store.create(ALICE, CREDENTIALS)


async def test_parallel_sign_ins_stay_within_the_limit(kind: Kind, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, store=kind.url, sessions_per_account=3)
    async with opened(settings) as one, opened(settings) as other:
        begun = [(one, other)[n % 2].create(ALICE, CREDENTIALS) for n in range(12)]
        answers = await asyncio.gather(*begun, return_exceptions=True)
        assert sum(isinstance(answer, str) for answer in answers) == 3
        assert await one.count() == 3


async def test_transfers_of_an_account_are_counted_over_all_workers(pair: Pair) -> None:
    places = [await pair[n % 2].begin_transfer("alice", "server") for n in range(6)]
    assert all(places)
    assert await pair[0].begin_transfer("ALICE", "server") is None
    assert await pair[1].begin_transfer("alice", "server") is None
    other = await pair[1].begin_transfer("bob", "server")
    assert other
    assert await pair[0].begin_transfer("alice", "another server")
    assert places[1]
    await pair[1].end_transfer(places[1])
    await pair[1].end_transfer(places[1])
    assert await pair[0].begin_transfer("alice", "server")
    assert await pair[0].begin_transfer("alice", "server") is None


async def test_places_of_a_dead_worker_fall_free_and_those_of_others_do_not(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iris_quart.sessions.records.LEASE_SECONDS", 2.0)
    monkeypatch.setattr("iris_quart.sessions.records.LEASE_RENEWAL_SECONDS", 0.2)
    settings = make_settings(tmp_path, store=kind.url, transfers_per_account=2)
    async with opened(settings) as living:
        async with opened(settings) as dying:
            assert await living.begin_transfer("alice", "server")
            assert await dying.begin_transfer("alice", "server")
            assert await living.begin_transfer("alice", "server") is None

        async def freed() -> bool:
            return await living.begin_transfer("alice", "server") is not None

        await until(freed)
        assert await living.begin_transfer("alice", "server") is None
