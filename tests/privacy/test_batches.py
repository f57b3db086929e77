"""Purge and erasure work in bounded batches: what is killed between two of them leaves the rest to the next call."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from smartabsen import SmartAbsen
from smartabsen.privacy import erase as erasure, purge as purging
from smartabsen.privacy.checks import check_privacy

from ..installation import Draw

DAYS = 12
"""Dates with attendance that is older than the retention period."""
WORKER = """
import os, signal, sys
from smartabsen import SmartAbsen
from smartabsen.privacy import erase as erasure, purge as purging
from smartabsen.store.database import Database

purging.BATCH = erasure.BATCH = 4
home, task, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
run_write = Database.run_write

def write(database, work):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return run_write(database, work)

with SmartAbsen.open(flags={"home": home, "engine": "fake", "privacy.attendance_months": 12}) as app:
    Database.run_write = write
    if task == "purge":
        app.privacy.purge(dry_run=False)
    else:
        app.privacy.erase("KODE1", reason="asked for it")
"""


@pytest.fixture
def app(home: dict[str, object], draw: Draw, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmartAbsen]:
    """Somebody with a face and punches on many old dates and on today's."""
    monkeypatch.setattr(purging, "BATCH", 4)
    monkeypatch.setattr(erasure, "BATCH", 4)
    with SmartAbsen.open(flags={**home, "privacy.attendance_months": 12, "attendance.cooldown_s": 0}) as opened:
        fill(opened, draw)
        yield opened


def fill(app: SmartAbsen, draw: Draw) -> None:
    """Enrol, and punch twice on each date: all but the last are moved to old dates."""
    app.enrol("Contoh 1", [draw("1.png", 1)], code="KODE1", consent=True)
    app.enrol("Contoh 2", [], code="KODE2")
    today = datetime.now(UTC)
    for number in range(DAYS + 1):
        app.punch("KODE1", note=f"a note {number}")
        app.punch("KODE2")
    old = (today - timedelta(days=600)).date()
    with app.services.database.write() as session:
        ids = session.execute(text("SELECT id FROM punches ORDER BY id")).scalars().all()
        for place, punch_id in enumerate(ids[:-2]):
            values = {"id": punch_id, "day": old + timedelta(days=place // 2)}
            session.execute(text("UPDATE punches SET work_date = :day WHERE id = :id"), values)
    app.services.reconcile_log()


def count(app: SmartAbsen, query: str) -> int:
    """The first number that a query gives."""
    with app.services.database.read() as session:
        return int(session.execute(text(query)).scalar_one())


def purges(app: SmartAbsen) -> int:
    """Entries of the audit trail about purges."""
    return count(app, "SELECT COUNT(*) FROM audit WHERE action = 'privacy.purge'")


def test_a_purge_deletes_in_batches_that_the_audit_trail_tells_of(app: SmartAbsen) -> None:
    """Of four rows about, by whole dates; each with the first date that is kept from then on."""
    done = app.privacy.purge(dry_run=False)
    assert (done.finished, done.attendance["punches"], count(app, "SELECT COUNT(*) FROM punches")) == (True, 24, 2)
    assert purges(app) >= DAYS / 2
    assert app.privacy.purge(dry_run=True).empty


def test_a_purge_with_a_limit_says_that_it_is_not_finished_and_goes_on(app: SmartAbsen) -> None:
    """Each call deletes some of it; what the log has of those dates goes with them."""
    finished, calls = False, 0
    while not finished:
        before = count(app, "SELECT COUNT(*) FROM punches")
        finished = app.privacy.purge(dry_run=False, limit=6).finished
        calls += 1
        assert before - count(app, "SELECT COUNT(*) FROM punches") <= 8
        assert app.reconcile_log() == 0
    assert calls > 2 and app.privacy.purge(dry_run=True).empty


def test_an_erasure_changes_few_rows_in_one_transaction(app: SmartAbsen) -> None:
    """Notes of all punches are gone in the end."""
    written: list[int] = []
    run_write = app.services.database.run_write

    def counting(work: object) -> object:
        before = count(app, "SELECT COUNT(*) FROM punches WHERE note <> ''")
        done = run_write(work)  # type: ignore[arg-type]
        written.append(before - count(app, "SELECT COUNT(*) FROM punches WHERE note <> ''"))
        return done

    app.services.database.run_write = counting  # type: ignore[assignment,method-assign]
    app.privacy.erase("KODE1", reason="asked for it")
    assert (sum(written), max(written)) == (DAYS + 1, 4)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("after", [1, 2, 4])
@pytest.mark.parametrize("task", ["purge", "erase-pseudonymise", "erase-delete"])
def test_what_is_killed_between_two_batches_is_completed_by_the_next_call(
    tmp_path: Path, draw: Draw, task: str, after: int
) -> None:
    """``kill -9`` after so many transactions; database, log and audit trail agree afterwards."""
    how = task.partition("-")[2] or "pseudonymise"
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "smartabsen.toml").write_text(f'[privacy]\nattendance_after_erasure = "{how}"\n')
    flags = {
        "home": str(tmp_path / "home"),
        "engine": "fake",
        "privacy.attendance_months": 12,
        "attendance.cooldown_s": 0,
    }
    with SmartAbsen.open(flags=flags) as opened:
        fill(opened, draw)
    worker = [sys.executable, "-c", WORKER, str(tmp_path / "home"), task.partition("-")[0], str(after)]
    assert subprocess.run(worker, check=False).returncode == -signal.SIGKILL
    with SmartAbsen.open(flags=flags) as opened:
        if task == "purge":
            assert 0 < count(opened, "SELECT COUNT(*) FROM punches") < 26, "it was not killed between two batches"
            assert not opened.privacy.purge(dry_run=True).empty
            assert opened.privacy.purge(dry_run=False).finished
            assert count(opened, "SELECT COUNT(*) FROM punches") == 2
        else:
            assert "erasures" in [row.name for row in check_privacy(opened.services)]
            assert opened.privacy.apply_tombstones() == 1
            left = 0 if how == "delete" else DAYS + 1
            assert count(opened, "SELECT COUNT(*) FROM punches WHERE karyawan_id = 1") == left
            assert count(opened, "SELECT COUNT(*) FROM punches WHERE note <> ''") == 0
            assert "KODE1" not in [person.code for person in opened.employees()]
            assert opened.privacy.apply_tombstones() == 0
        assert opened.reconcile_log() == 0
        assert opened.audit.verify().problems == ()
