"""Sessions of browsers: on the server, hashed, revocable, with two ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text

from smartabsen.org.web_session_rows import Browser, WebSessionTable
from smartabsen.store.database import Database


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    """The clock of the table."""
    return Clock()


@pytest.fixture
def table(database: Database, clock: Clock) -> WebSessionTable:
    """The sessions in an empty database."""
    return WebSessionTable(database, clock=clock)


def test_a_session_keeps_its_data(table: WebSessionTable, clock: Clock) -> None:
    """As it was given, for whoever has the id."""
    sid = table.create({"language": "id", "n": [1, {"a": None}]}, idle_s=60, absolute_s=600, user_id=3)

    found = table.load(sid)
    assert found is not None
    assert (found.data, found.user_id, found.created_at) == ({"language": "id", "n": [1, {"a": None}]}, 3, clock.now)
    assert table.load("guess") is None
    assert table.save(sid, {"language": "en"})
    after = table.load(sid)
    assert after is not None
    assert after.data == {"language": "en"}


def test_ids_are_random_and_stored_as_hashes(table: WebSessionTable, database: Database) -> None:
    """Who reads the database can impersonate nobody."""
    ids = {table.create({}, idle_s=60, absolute_s=600) for _ in range(3)}

    with database.read() as session:
        rows = str(session.execute(text("SELECT * FROM web_sessions")).all())
    assert [len(sid) for sid in ids] == [43, 43, 43]
    assert not any(sid in rows for sid in ids)


def test_a_session_ends_when_it_is_not_used(table: WebSessionTable, clock: Clock) -> None:
    """Each use puts the end off."""
    sid = table.create({}, idle_s=60, absolute_s=600)
    for _ in range(3):
        clock.pass_time(50)
        assert table.load(sid) is not None

    clock.pass_time(60)
    assert table.load(sid) is None
    assert not table.save(sid, {})
    assert table.renew(sid) is None


def test_a_session_ends_however_much_it_is_used(table: WebSessionTable, clock: Clock) -> None:
    """At its absolute end."""
    sid = table.create({}, idle_s=60, absolute_s=100)
    clock.pass_time(50)
    assert table.load(sid) is not None
    clock.pass_time(49)
    assert table.load(sid) is not None
    clock.pass_time(1)
    assert table.load(sid) is None


def test_what_a_page_asks_by_itself_is_no_use(table: WebSessionTable, clock: Clock, database: Database) -> None:
    """Nothing is written, and the idle end stays where it is."""
    sid = table.create({}, idle_s=60, absolute_s=600)
    statements: list[str] = []
    event.listen(database._engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    for _ in range(3):
        clock.pass_time(20)
        table.load(sid, touch=False)
    assert not [each for each in statements if not each.lstrip().startswith(("SELECT", "START", "SET"))]
    assert table.load(sid) is None


def test_seldom_is_a_use_written(table: WebSessionTable, clock: Clock, database: Database) -> None:
    """Ten times within the idle time at most."""
    sid = table.create({}, idle_s=100, absolute_s=6000)
    statements: list[str] = []
    event.listen(database._engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    for _ in range(100):
        clock.pass_time(1)
        table.load(sid)
    assert 5 <= sum(each.startswith("UPDATE") for each in statements) <= 10


def test_a_renewed_session_has_another_id(table: WebSessionTable) -> None:
    """The old one is dead, the data and its user stay, or change with the login."""
    old = table.create({"a": 1}, idle_s=60, absolute_s=600)
    new = table.renew(old)
    assert new is not None
    assert table.load(old) is None
    found = table.load(new)
    assert found is not None
    assert (found.data, found.user_id) == ({"a": 1}, None)

    newer = table.renew(new, user_id=5)
    assert newer is not None
    logged_in = table.load(newer)
    assert logged_in is not None
    assert logged_in.user_id == 5


def test_sessions_are_revoked_one_by_one_and_by_user(table: WebSessionTable) -> None:
    """All of a user's but the one that goes on."""
    mine, mine_too, other = (table.create({}, idle_s=60, absolute_s=600, user_id=user) for user in (1, 1, 2))
    assert table.revoke(other)
    assert not table.revoke(other)
    assert table.load(other) is None

    assert table.revoke_user(1, keep=mine) == 1
    assert table.load(mine) is not None
    assert table.load(mine_too) is None
    assert table.revoke_user(1) == 1


def test_ended_sessions_are_removed_on_the_way(table: WebSessionTable, clock: Clock, database: Database) -> None:
    """No daemon is needed."""
    for _ in range(3):
        table.create({}, idle_s=60, absolute_s=600)
    clock.pass_time(60)
    table.create({}, idle_s=60, absolute_s=600)

    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM web_sessions")) == 1
    assert table.sweep() == 0


def test_the_sessions_of_a_user_are_listed(table: WebSessionTable, clock: Clock) -> None:
    """Those that have not ended, the latest first, with where and when last seen; under names that open nothing."""
    first = table.create({}, idle_s=60, absolute_s=600, user_id=1, browser=Browser("192.0.2.7", "Firefox, Windows"))
    began = clock.now
    clock.pass_time(20)
    second = table.create({}, idle_s=60, absolute_s=600, user_id=1)
    table.create({}, idle_s=60, absolute_s=600, user_id=2)
    table.create({}, idle_s=10, absolute_s=600, user_id=1)
    clock.pass_time(20)
    assert table.load(first) is not None
    newer, older = table.list_user(1)
    assert (older.address, older.label, newer.address, newer.label) == ("192.0.2.7", "Firefox, Windows", "", "")
    assert (older.began_at, older.last_seen_at) == (began, clock.now)
    assert older.ends_at == began + timedelta(seconds=600)
    assert newer.last_seen_at == newer.began_at
    assert not {older.id, newer.id} & {first, second} and table.load(older.id) is None


def test_a_listed_session_is_ended_by_its_user(table: WebSessionTable) -> None:
    """Not under another user, and once."""
    mine = table.create({}, idle_s=60, absolute_s=600, user_id=1)
    (listed,) = table.list_user(1)
    assert not table.revoke_listed(2, listed.id)
    assert not table.revoke_listed(1, "")
    assert table.load(mine) is not None
    assert table.revoke_listed(1, listed.id)
    assert table.load(mine) is None
    assert not table.revoke_listed(1, listed.id)


def test_it_is_noted_when_a_session_near_its_end_was_seen(table: WebSessionTable, clock: Clock) -> None:
    """Use cannot put the absolute end off, and is noted all the same."""
    sid = table.create({}, idle_s=60, absolute_s=70, user_id=1)
    clock.pass_time(50)
    table.load(sid)
    clock.pass_time(15)
    table.load(sid)
    assert table.list_user(1)[0].last_seen_at == clock.now


def test_sessions_of_the_version_before_are_listed(table: WebSessionTable, database: Database) -> None:
    """Nothing is known of their browsers."""
    table.create({}, idle_s=60, absolute_s=600, user_id=1, browser=Browser("192.0.2.7", "Firefox"))
    with database.write() as session:
        session.execute(text("UPDATE web_sessions SET last_seen_at = NULL, address = NULL, label = NULL"))
    (listed,) = table.list_user(1)
    assert (listed.address, listed.label, listed.last_seen_at) == ("", "", listed.began_at)


def test_all_sessions_end_at_once(table: WebSessionTable) -> None:
    """As with a restore: those of users and those of nobody."""
    sids = [table.create({}, idle_s=60, absolute_s=600, user_id=user_id) for user_id in (1, 2, None)]
    table.end_all()
    assert [table.load(sid) for sid in sids] == [None, None, None]
    again = table.create({}, idle_s=60, absolute_s=600, user_id=1)
    assert table.load(again) is not None
