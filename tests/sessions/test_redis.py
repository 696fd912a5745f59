"""The Redis store when its server dies, freezes, comes back empty, or belongs to another secret."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from iris_quart.config import BadSettings
from iris_quart.errors import StoreUnavailable
from iris_quart.sessions import Ended, open_store, open_vault

from .conftest import ALICE, CREDENTIALS, PASSWORD, RedisServer, make_settings, opened, until
from .test_store_contract import signed_in, soon

pytestmark = pytest.mark.redis


async def test_without_its_server_everything_is_refused_at_once(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    async with opened(make_settings(tmp_path, store=own_redis.url)) as store:
        session_id, session = await signed_in(store)
        own_redis.kill()
        started = time.monotonic()
        assert not await store.healthy()
        for call in (
            store.get(session_id),
            store.create(ALICE, CREDENTIALS),
            store.touch(session),
            store.credentials(session_id, session),
            store.attempt("alice", "server", "address"),
            store.begin("owner", "id", "print"),
            store.make_ticket(session_id),
            store.take_ticket("ticket"),
            store.publish(b"change"),
            store.count(),
        ):
            with pytest.raises(StoreUnavailable):
                await call
        assert time.monotonic() - started < 3


async def test_frozen_server_is_given_up_after_half_a_second(own_redis: RedisServer, tmp_path: Path) -> None:
    async with opened(make_settings(tmp_path, store=own_redis.url)) as store:
        session_id, session = await signed_in(store)
        assert own_redis.process is not None
        os.kill(own_redis.process.pid, signal.SIGSTOP)
        try:
            started = time.monotonic()
            with pytest.raises(StoreUnavailable):
                await store.get(session_id)
            assert time.monotonic() - started < 1.5
        finally:
            os.kill(own_redis.process.pid, signal.SIGCONT)
        await until(store.healthy)
        assert await store.get(session_id) == session


async def test_sessions_outlive_a_restart_of_a_server_that_keeps_them(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    own_redis.kill()
    own_redis.start(keep=True)
    async with opened(make_settings(tmp_path, store=own_redis.url)) as store:
        session_id, session = await signed_in(store)
        own_redis.kill()
        assert not await store.healthy()
        own_redis.start(keep=True)
        started = time.monotonic()
        await until(store.healthy)
        assert time.monotonic() - started < 5
        assert await store.get(session_id) == session


async def test_after_an_empty_restart_every_session_has_ended(own_redis: RedisServer, tmp_path: Path) -> None:
    async with opened(make_settings(tmp_path, store=own_redis.url)) as store:
        heard = store.watch()
        session_id, session = await signed_in(store)
        own_redis.kill()
        own_redis.start()
        assert await soon(heard, 5) == Ended(session.key, "lost")
        assert await store.get(session_id) is None
        await signed_in(store)


async def test_session_ended_while_the_server_was_away_stays_ended(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    own_redis.kill()
    own_redis.start(keep=True)
    settings = make_settings(tmp_path, store=own_redis.url)
    async with opened(settings) as one, opened(settings) as other:
        session_id, session = await signed_in(one)
        assert await other.get(session_id) == session
        heard, far = one.watch(), other.watch()
        own_redis.kill()
        assert await one.end(session.key, "logout")
        assert await soon(heard) == Ended(session.key, "logout")
        own_redis.start(keep=True)
        assert await soon(far, 5) == Ended(session.key, "logout")
        await until(one.healthy)
        assert await one.get(session_id) is None
        assert await other.get(session_id) is None
        # Nobody hears of it twice.
        _, next_session = await signed_in(one)
        await one.end(next_session.key, "logout")
        assert await soon(heard) == await soon(far) == Ended(next_session.key, "logout")


async def test_news_of_an_absence_are_not_lost(own_redis: RedisServer, tmp_path: Path) -> None:
    """A worker whose connection breaks hears afterwards what happened meanwhile."""
    settings = make_settings(tmp_path, store=own_redis.url)
    async with opened(settings) as one, opened(settings) as other:
        _, session = await signed_in(one)
        changes, ended = other.changes(), other.watch()
        await one.publish(b"before")
        assert await soon(changes) == b"before"
        own_redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await until(one.healthy)
        await one.publish(b"after")
        await one.end(session.key, "logout")
        assert await soon(changes, 5) == b"after"
        assert await soon(ended, 5) == Ended(session.key, "logout")


async def test_news_that_nobody_understands_stop_nobody_from_listening(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    """Another release may write more into the streams; a worker that has gone deaf would leave sockets open."""
    settings = make_settings(tmp_path, store=own_redis.url)
    async with opened(settings) as one, opened(settings) as other:
        _, session = await signed_in(one)
        heard, changes = other.watch(), other.changes()
        for stream in ("iris_quart:ended", "iris_quart:changes"):
            own_redis.command("XADD", stream, "*", "new-field", "1")
        await one.publish(b"a change")
        await one.end(session.key, "logout")
        assert await soon(heard, 5) == Ended(session.key, "logout")
        assert await soon(changes, 5) == b"a change"


async def test_ends_reach_other_workers_within_50_ms(own_redis: RedisServer, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, store=own_redis.url)
    async with opened(settings) as one, opened(settings) as other:
        heard = other.watch()
        delays = []
        for _ in range(20):
            _, session = await signed_in(one)
            waiting = asyncio.ensure_future(anext(heard))
            await asyncio.sleep(0.01)
            started = time.perf_counter()
            await one.end(session.key, "logout")
            await asyncio.wait_for(waiting, 2)
            delays.append(time.perf_counter() - started)
        assert sorted(delays)[len(delays) // 2] < 0.05


async def test_a_worker_may_start_before_its_server(own_redis: RedisServer, tmp_path: Path) -> None:
    own_redis.kill()
    async with opened(make_settings(tmp_path, store=own_redis.url)) as store:
        assert not await store.healthy()
        own_redis.start()
        await until(store.healthy)
        heard = store.watch()
        _, session = await signed_in(store)
        await store.end(session.key, "logout")
        assert await soon(heard, 5) == Ended(session.key, "logout")


async def test_another_machines_secret_is_noticed_at_the_start(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    async with opened(make_settings(tmp_path / "one", store=own_redis.url)):
        pass
    settings = make_settings(tmp_path / "two", store=own_redis.url)
    store = open_store(settings, open_vault(settings.instance))
    with pytest.raises(BadSettings, match=r"secret\.key"):
        await store.start()


async def test_two_machines_with_the_same_secret_share_sessions(
    own_redis: RedisServer, tmp_path: Path
) -> None:
    async with opened(make_settings(tmp_path / "one", store=own_redis.url)) as one:
        (tmp_path / "two").mkdir(mode=0o700)
        copy = tmp_path / "two" / "secret.key"
        copy.write_bytes((tmp_path / "one" / "secret.key").read_bytes())
        copy.chmod(0o600)
        async with opened(make_settings(tmp_path / "two", store=own_redis.url)) as two:
            session_id, session = await signed_in(one)
            assert await two.get(session_id) == session
            credentials = await two.credentials(session_id, session)
            assert credentials is not None
            assert credentials.password.get_secret_value() == PASSWORD


async def test_nothing_secret_lies_in_redis_in_clear(own_redis: RedisServer, tmp_path: Path) -> None:
    async with opened(make_settings(tmp_path, store=own_redis.url)) as store:
        session_id, _ = await signed_in(store)
        ticket = await store.make_ticket(session_id)
        own_redis.command("SAVE")
        dump = (tmp_path / "dump.rdb").read_bytes()
        assert b"alice" in dump
        for secret in (PASSWORD, session_id, ticket):
            assert secret.encode() not in dump


async def test_it_may_be_reached_by_a_unix_socket(own_redis: RedisServer, tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    own_redis.kill()
    own_redis.start(unix=path)
    async with opened(make_settings(tmp_path, store=f"unix://{path}")) as store:
        session_id, session = await signed_in(store)
        assert await store.get(session_id) == session


async def test_password_and_database_come_from_the_address(own_redis: RedisServer, tmp_path: Path) -> None:
    own_redis.command("CONFIG", "SET", "requirepass", "canary-redis-pw")
    url = own_redis.url.replace("//", "//:canary-redis-pw@").replace("/0", "/3")
    async with opened(make_settings(tmp_path / "right", store=url)) as store:
        await signed_in(store)
    async with opened(make_settings(tmp_path / "wrong", store=own_redis.url)) as store:
        with pytest.raises(StoreUnavailable) as caught:
            await store.count()
        assert "canary" not in str(caught.value) + str(caught.value.details)
