"""A server in production under load: one-time tokens, slow clients, logins, and its memory over hours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from . import endurance, logins, slow_clients, tokens_and_previews
from .plain_client import running


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs Gunicorn")
def test_tokens_are_used_once_and_previews_change_nothing_with_several_workers(tmp_path: Path) -> None:
    """Of clients that confirm at the same instant one succeeds, whichever worker it met."""
    with running(tmp_path, workers=2) as server:
        tokens = tokens_and_previews.measure_tokens(server, tokens=10, clients=4)
        previews = tokens_and_previews.measure_previews(server, times=10)
    assert tokens.clean, tokens
    assert sum(tokens.statuses.values()) == 40
    assert previews.clean, previews


@pytest.mark.rehearse
@pytest.mark.skipif(os.name != "posix", reason="needs Gunicorn")
@pytest.mark.parametrize("https", [False, True])
@pytest.mark.parametrize("kind", slow_clients.KINDS)
@pytest.mark.parametrize("workers", [2, 8])
def test_honest_requests_take_less_than_a_second_beside_a_hundred_slow_clients(
    workers: int, kind: str, https: bool
) -> None:
    """On the defaults of a server in production, from the same address; and SIGTERM ends it within ten seconds."""
    found = slow_clients.measure(kind, workers=workers, slow=100, requests=40, https=https)
    assert (found.failed, found.slowest_s < 1.0, found.ended_s < 10.0) == (0, True, True), found


@pytest.mark.rehearse
@pytest.mark.skipif(os.name != "posix", reason="needs Gunicorn")
@pytest.mark.parametrize("workers", [2, 8])
def test_eight_logins_at_once_are_all_answered_and_starve_no_page(tmp_path: Path, workers: int) -> None:
    """200 logins on SQLite: none is told that the server is busy."""
    with running(tmp_path, workers=workers) as server:
        found = logins.measure(server, logins=8, seconds=3600, count=200)
    assert found.login_statuses == {302: 200} and set(found.page_statuses) == {200}, found
    assert logins.percentile(found.pages_s, 0.95) < 1.0


@pytest.mark.rehearse
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads the memory of processes as Linux tells")
def test_the_memory_of_a_server_does_not_grow_in_two_hours(tmp_path: Path) -> None:
    """Flat after the first half hour of sign-ins and bursts."""
    home, bursts = tokens_and_previews.make_home(tmp_path)
    with running(home, workers=2) as server:
        looks = endurance.measure(server, bursts, minutes=120)
    assert endurance.growth_mib(looks) < 10, looks


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs Gunicorn")
def test_slow_clients_and_logins_are_measured() -> None:
    """A few of each; how long anything takes is no matter here."""
    found = slow_clients.measure("body", workers=1, slow=20, requests=2)
    assert (found.failed, len(found.took_s)) == (0, 2)


def test_growth_is_told_after_the_first_quarter() -> None:
    """What is taken at the start is no growth."""
    looks = [endurance.Look(minute, 100.0 if minute > 30 else 50.0 + minute, 0, 0) for minute in range(1, 121)]
    assert endurance.growth_mib(looks) == 0
    assert endurance.growth_mib([endurance.Look(minute, float(minute), 0, 0) for minute in range(1, 121)]) > 50
