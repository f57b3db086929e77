"""Sessions and counts in Redis: the same behaviour as in the database, and nothing that is planted there runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from smartabsen import SmartAbsen
from smartabsen.kernel.errors import ConfigError, DatabaseError
from smartabsen.org.web_session_rows import Browser
from smartabsen.store.redis_store import PREFIX, RedisLink, RedisRateLimits, RedisWebSessions
from tests.conftest import REDIS
from tests.faults.gate import Gate

from ..org.test_rate_limit_rows import (
    Clock as TryClock,
    test_a_key_can_be_forgotten,
    test_a_try_can_be_given_back,
    test_keys_do_not_touch_each_other,
    test_looking_at_the_wait_counts_nothing,
    test_the_limit_holds_for_its_time,
)
from ..org.test_web_session_rows import (
    Clock,
    test_a_listed_session_is_ended_by_its_user,
    test_a_renewed_session_has_another_id,
    test_a_session_ends_however_much_it_is_used,
    test_a_session_ends_when_it_is_not_used,
    test_a_session_keeps_its_data,
    test_all_sessions_end_at_once,
    test_it_is_noted_when_a_session_near_its_end_was_seen,
    test_sessions_are_revoked_one_by_one_and_by_user,
    test_the_sessions_of_a_user_are_listed,
)

__all__ = [
    "test_a_key_can_be_forgotten",
    "test_a_listed_session_is_ended_by_its_user",
    "test_a_renewed_session_has_another_id",
    "test_a_session_ends_however_much_it_is_used",
    "test_a_session_ends_when_it_is_not_used",
    "test_a_session_keeps_its_data",
    "test_a_try_can_be_given_back",
    "test_all_sessions_end_at_once",
    "test_it_is_noted_when_a_session_near_its_end_was_seen",
    "test_keys_do_not_touch_each_other",
    "test_looking_at_the_wait_counts_nothing",
    "test_sessions_are_revoked_one_by_one_and_by_user",
    "test_the_limit_holds_for_its_time",
    "test_the_sessions_of_a_user_are_listed",
]


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    """An empty database of a real Redis."""
    import redis

    opened = redis.Redis.from_url(redis_url, socket_connect_timeout=2)
    opened.flushdb()
    yield opened
    opened.flushdb()
    opened.close()


@pytest.fixture
def link(client: Any) -> Iterator[RedisLink]:
    opened = RedisLink(REDIS)
    yield opened
    opened.close()


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> Any:
    return TryClock() if {"limits", "tries"} & set(request.fixturenames) else Clock()


@pytest.fixture
def table(request: pytest.FixtureRequest, link: RedisLink, clock: Any) -> Any:
    """What the borrowed tests call the table: sessions or counts, by the test's home."""
    if request.function.__module__.endswith("test_rate_limit_rows"):
        return RedisRateLimits(link, clock=clock)
    return RedisWebSessions(link, clock=clock)


@pytest.fixture
def limits(link: RedisLink, clock: TryClock) -> RedisRateLimits:
    return RedisRateLimits(link, clock=clock)


@pytest.fixture
def sessions(link: RedisLink, clock: Clock) -> RedisWebSessions:
    return RedisWebSessions(link, clock=clock)


class Bomb:
    """Leaves a mark where somebody unpickles it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def test_a_planted_pickle_runs_nothing_and_lets_nobody_in(
    sessions: RedisWebSessions, client: Any, tmp_path: Path
) -> None:
    """In a field, in the place of the whole session, or as an id's value: the session has ended."""
    import pickle

    mark = tmp_path / "it ran"
    planted = pickle.dumps(Bomb(mark))
    sid = sessions.create({"a": 1}, idle_s=60, absolute_s=600, user_id=1)
    key = f"{PREFIX}session:{sha256(sid.encode()).hexdigest()}"
    for field in ("data", "user_id", "idle_s", "expires_at", "created_at", "idle_until"):
        before = client.hget(key, field)
        client.hset(key, field, planted)
        assert sessions.load(sid, touch=False) is None, field
        client.hset(key, field, before)
    assert sessions.load(sid) is not None
    client.delete(key)
    client.set(key, planted)
    assert sessions.load(sid) is None
    assert not mark.exists()


@pytest.mark.parametrize("data", ["[1]", "1", "null", "{", '"x"', '{"a": NaN'])
def test_what_is_no_session_has_ended(sessions: RedisWebSessions, client: Any, data: str) -> None:
    """Only an object is the data of one."""
    sid = sessions.create({}, idle_s=60, absolute_s=600)
    client.hset(f"{PREFIX}session:{sha256(sid.encode()).hexdigest()}", "data", data)
    assert sessions.load(sid) is None


def test_ids_are_stored_as_hashes_and_end_by_themselves(sessions: RedisWebSessions, client: Any) -> None:
    """Who reads Redis can impersonate nobody, and nothing stays for ever."""
    sid = sessions.create({}, idle_s=60, absolute_s=600, user_id=4)
    keys = [key.decode() for key in client.scan_iter()]
    assert len(keys) == 2 and not any(sid in key for key in keys)
    assert all(client.ttl(key) > 0 for key in keys)


def test_a_login_moves_a_session_to_its_user(sessions: RedisWebSessions) -> None:
    """So that it is among those that a change of the password ends."""
    sid = sessions.renew(sessions.create({}, idle_s=60, absolute_s=600), user_id=7)
    assert sid is not None
    assert sessions.revoke_user(7) == 1
    assert sessions.load(sid) is None


def test_a_session_that_ended_is_not_brought_back(sessions: RedisWebSessions, clock: Clock, client: Any) -> None:
    """Neither by saving nor by a use."""
    sid = sessions.create({}, idle_s=60, absolute_s=600)
    clock.pass_time(61)
    assert not sessions.save(sid, {"a": 1})
    assert sessions.load(sid) is None
    client.flushdb()
    assert not sessions.save(sid, {"a": 1})
    assert client.keys() == []


@pytest.mark.parametrize("state", ["silent", "closed"])
def test_a_redis_that_does_not_answer_is_an_error_soon(state: str) -> None:
    """Sessions fail closed: an error, never a session and never a free try."""
    with Gate(state=state) as gate:
        link = RedisLink(f"redis://:secret@127.0.0.1:{gate.port}/0")
        for use in (
            lambda: RedisWebSessions(link).load("x"),
            lambda: RedisWebSessions(link).create({}, idle_s=1, absolute_s=1),
            lambda: RedisRateLimits(link).hit("x", limit=1, per_s=1),
        ):
            began = time.monotonic()
            with pytest.raises(DatabaseError, match="does not answer") as caught:
                use()
            assert time.monotonic() - began < 3
            assert "secret" not in str(caught.value)
        link.close()


def test_it_works_again_when_redis_is_back(client: Any) -> None:
    """Without a restart."""
    with Gate("127.0.0.1", 6379) as gate:
        link = RedisLink(f"redis://127.0.0.1:{gate.port}/15")
        sessions = RedisWebSessions(link)
        sid = sessions.create({"a": 1}, idle_s=60, absolute_s=600)
        gate.set("closed")
        with pytest.raises(DatabaseError):
            sessions.load(sid)
        gate.set("open")
        assert sessions.load(sid) is not None
        link.close()


def test_an_address_that_is_none_is_refused() -> None:
    """And a password in it is not repeated."""
    with pytest.raises(ConfigError):
        RedisLink("http://:secret@host")
    assert "secret" not in RedisLink("redis://user:secret@host:6379/2").address


def test_the_installation_uses_redis_where_it_is_set(client: Any, tmp_path: Path) -> None:
    """Sessions and counts lie there, and doctor says which one it is."""
    with SmartAbsen.open(flags={"home": str(tmp_path), "engine": "fake", "redis_url": REDIS}) as app:
        sid = app.web_sessions.create({"a": 1}, idle_s=60, absolute_s=600)
        assert app.limits.hit("login:siti", limit=1, per_s=60) == 0
        assert len(client.keys(f"{PREFIX}*")) == 2
        found = app.web_sessions.load(sid)
        assert found is not None and found.data == {"a": 1}
        assert [check.level for check in app.check_health() if check.name == "redis"] == ["ok"]


def test_a_session_of_the_version_before_goes_on(sessions: RedisWebSessions, client: Any) -> None:
    """It is read and listed, though nothing is known of its browser."""
    sid = sessions.create({"a": 1}, idle_s=60, absolute_s=600, user_id=1, browser=Browser("192.0.2.7", "Firefox"))
    client.hdel(f"{PREFIX}session:{sha256(sid.encode()).hexdigest()}", "last_seen_at", "address", "label")
    assert sessions.load(sid) is not None
    (listed,) = sessions.list_user(1)
    assert (listed.address, listed.label) == ("", "")


def test_a_list_leaves_out_what_is_no_session(sessions: RedisWebSessions, client: Any) -> None:
    """What was planted in a session's place, and sessions that Redis has removed."""
    ids = [sessions.create({}, idle_s=60, absolute_s=600, user_id=1) for _ in range(3)]
    keys = [f"{PREFIX}session:{sha256(sid.encode()).hexdigest()}" for sid in ids]
    client.hset(keys[0], "created_at", "1e999")
    client.delete(keys[1])
    assert [each.id for each in sessions.list_user(1)] == [keys[2].rpartition(":")[2][:16]]
    assert client.scard(f"{PREFIX}user:1") == 2
