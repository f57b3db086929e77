"""Rules belong to the site of the person and to the date, whichever machine looks or corrects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from pathlib import Path

import pytest

from smartabsen import SmartAbsen, Status

DAY = date(2026, 11, 2)
OCTOBER = date(2026, 10, 5)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """One database for several machines."""
    return f"sqlite:///{tmp_path / 'shared.db'}"


def machine(tmp_path: Path, url: str, name: str, **more: object) -> SmartAbsen:
    """Open the installation of a machine on that database."""
    settings = {f"{'site' if key == 'zone' else 'attendance'}.{key}": value for key, value in more.items()}
    flags = {"home": str(tmp_path / name), "engine": "fake", "database_url": url, "kiosk.sound": "off"}
    return SmartAbsen.open(flags={**flags, **settings})


@pytest.fixture
def makassar(tmp_path: Path, url: str) -> Iterator[SmartAbsen]:
    """The machine that was there first: work starts at eight in Makassar."""
    with machine(tmp_path, url, "makassar", zone="Asia/Makassar") as app:
        app.enrol("Contoh Satu", [], code="E1")
        yield app


def test_another_site_that_corrects_the_departure_leaves_the_arrival_as_late_as_it_was(
    makassar: SmartAbsen, tmp_path: Path, url: str
) -> None:
    """Half past eight in Makassar is half past seven in Jakarta, and thirty minutes late in both."""
    makassar.corrections.add("E1", DAY, time(8, 30), reason="kamera rusak")
    with machine(tmp_path, url, "jakarta", zone="Asia/Jakarta") as jakarta:
        done = jakarta.corrections.add("E1", DAY, time(17, 0), reason="lupa")
        day = jakarta.days.look("E1", DAY)
        (shown,) = jakarta.report(DAY, DAY).days
    assert done.after is not None
    assert (done.after.status, done.after.late_minutes, done.after.worked_minutes) == (Status.LATE, 30, 510)
    came, left = day.local(day.result.clock_in), day.local(day.result.clock_out)
    assert came and left
    assert (came.isoformat(), left.isoformat()) == ("2026-11-02T08:30:00+08:00", "2026-11-02T17:00:00+08:00")
    assert (shown.status, shown.late_minutes) == (Status.LATE, 30)


def test_a_start_that_moves_leaves_the_arrivals_before_it_punctual(tmp_path: Path, url: str) -> None:
    """Correcting a departure of October judges it by the start of October, and so does a second run over it."""
    with machine(tmp_path, url, "office", zone="Asia/Jakarta", start="08:00") as app:
        app.enrol("Contoh Satu", [], code="E1")
        app.corrections.add("E1", OCTOBER, time(7, 45), reason="kamera rusak")
    with machine(tmp_path, url, "office", zone="Asia/Jakarta", start="07:30") as app:
        done = app.corrections.add("E1", OCTOBER, time(17, 0), reason="lupa")
        again = app.results.recompute(OCTOBER, OCTOBER)
        today = app.punch("E1").day
        verdict = app.audit.verify_attendance()
    assert done.after is not None
    assert (done.after.status, done.after.late_minutes) == (Status.PRESENT, 0)
    assert again.changed == 0
    assert today.status in (Status.PRESENT, Status.LATE)
    assert not verdict.problems


def test_nobody_is_absent_before_the_week_is_confirmed(makassar: SmartAbsen) -> None:
    """From then on a Monday without a punch is Alpa, and a Sunday is a day off."""
    monday, sunday = date(2026, 11, 9), date(2026, 11, 8)
    before = makassar.days.look("E1", monday).result.status
    makassar.confirm_week(DAY)
    after = [makassar.days.look("E1", day).result.status for day in (monday, sunday, OCTOBER)]
    assert (before, after) == (Status.OFF, [Status.ABSENT, Status.OFF, Status.OFF])
    total = makassar.report(DAY, sunday).totals[0]
    assert (total.absent, total.off) == (5, 2)
    assert makassar.results.recompute(DAY, sunday).changed == 7
    assert makassar.results.recompute(DAY, sunday).changed == 0
    assert makassar.report(DAY, sunday).totals[0] == total
