"""How often something may be tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from smartabsen.org.rate_limit_rows import RateLimitTable
from smartabsen.qr.memory import MemoryTries
from smartabsen.store.database import Database

BEGIN = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of the counts."""
    return Clock()


@pytest.fixture
def table(database: Database, clock: Clock) -> RateLimitTable:
    """The counts in an empty database."""
    return RateLimitTable(database, clock=clock)


@pytest.fixture(params=["memory", "sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def limits(request: pytest.FixtureRequest, clock: Clock, tmp_path: Path) -> Iterator[Any]:
    """The counts in a database, and those in memory that say what is meant."""
    if request.param == "memory":
        yield MemoryTries(lambda: clock.now.timestamp())
        return
    url = request.getfixturevalue("mariadb_url") if request.param == "mariadb" else f"sqlite:///{tmp_path}/a.db"
    opened = Database(url)
    yield RateLimitTable(opened, clock=clock)
    opened.close()


def test_the_limit_holds_for_its_time(limits: Any, clock: Clock) -> None:
    """Then it begins anew; the answer is how long to wait."""
    assert [limits.hit("a", limit=2, per_s=60) for _ in range(4)] == [0, 0, 60, 60]
    clock.now += timedelta(seconds=59.5)
    assert limits.hit("a", limit=2, per_s=60) == 1
    clock.now += timedelta(seconds=0.5)
    assert [limits.hit("a", limit=2, per_s=60) for _ in range(3)] == [0, 0, 60]


def test_keys_do_not_touch_each_other(limits: Any) -> None:
    """Who types wrongly hinders nobody else."""
    assert [limits.hit(key, limit=1, per_s=60) for key in ("a", "b", "a")] == [0, 0, 60]


def test_a_try_can_be_given_back(limits: Any) -> None:
    """And never more than there were."""
    limits.hit("a", limit=1, per_s=60)
    for _ in range(3):
        limits.give_back("a")
    limits.give_back("never tried")
    assert [limits.hit("a", limit=1, per_s=60) for _ in range(2)] == [0, 60]


def test_looking_at_the_wait_counts_nothing(table: RateLimitTable, clock: Clock) -> None:
    """Neither for a known key nor for an unknown one."""
    assert table.wait_s("a", limit=1) == 0
    table.hit("a", limit=1, per_s=60)
    assert [table.wait_s("a", limit=1) for _ in range(3)] == [60] * 3
    assert table.wait_s("a", limit=2) == 0
    clock.now += timedelta(seconds=60)
    assert table.wait_s("a", limit=1) == 0


def test_a_key_can_be_forgotten(table: RateLimitTable) -> None:
    """As after a new password."""
    table.hit("a", limit=1, per_s=60)
    table.forget("a")
    assert table.hit("a", limit=1, per_s=60) == 0


def test_a_flood_over_the_limit_writes_nothing(table: RateLimitTable, database: Database) -> None:
    """The database is read, and no disk is touched."""
    table.hit("a", limit=1, per_s=60)
    statements: list[str] = []
    event.listen(database._engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    for _ in range(20):
        assert table.hit("a", limit=1, per_s=60)
    assert not [each for each in statements if each.startswith(("UPDATE", "INSERT", "DELETE"))]


def test_what_is_counted_is_not_stored_in_clear(table: RateLimitTable, database: Database) -> None:
    """Addresses and names of people who log in are nobody's business."""
    table.hit("login:siti@192.0.2.7", limit=1, per_s=60)

    with database.read() as session:
        assert "siti" not in str(session.execute(text("SELECT * FROM rate_limits")).all())


def test_old_counts_are_removed_on_the_way(table: RateLimitTable, database: Database, clock: Clock) -> None:
    """Now and then, at a try that is counted anyway."""
    table.hit("a", limit=1, per_s=60)
    clock.now += timedelta(minutes=6)
    table.hit("b", limit=1, per_s=60)

    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM rate_limits")) == 1


@pytest.mark.slow
def test_processes_count_together(database_url: str, run_workers: Callable[..., list[str]]) -> None:
    """Of 4 processes with 10 tries each, exactly 20 tries are allowed."""
    Database(database_url).run_write(lambda session: None)

    answers = " ".join(run_workers(4, "rate-limit", database_url, 20, 10)).split()
    assert (len(answers), answers.count("0")) == (40, 20)
