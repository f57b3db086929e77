"""Corrections as a use case: the log, the report and the audit trail follow."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, time, timedelta

import pytest

from smartabsen import InvalidInputError, NotFoundError, PunchMethod, SmartAbsen, Status
from smartabsen.kernel.actors import acting_as
from smartabsen.trust import audit_rows

MONDAY = date(2026, 11, 2)


@pytest.fixture(autouse=True)
def siti(app: SmartAbsen) -> None:
    app.enrol("Siti Rahma", [], code="E001")


def lines(app: SmartAbsen) -> list[dict[str, str]]:
    with (app.settings.csv_dir / f"{MONDAY}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_original_stays_and_log_report_and_day_follow(app: SmartAbsen) -> None:
    """The log has both lines, and the second one names the first."""
    recorded = app.corrections.add("E001", MONDAY, time(8, 30), reason="camera broken").entry
    with acting_as("siti"):
        app.corrections.correct(recorded.id, time(7, 55), reason="clock was wrong")
    app.corrections.add("E001", MONDAY, time(17, 0), reason="forgot to punch out")

    record = app.corrections.get_day("E001", MONDAY)
    assert [(f"{entry.at:%H:%M}", entry.counts, entry.superseded_by) for entry in record.entries] == [
        ("07:55", True, None),
        ("08:30", False, 2),
        ("17:00", True, None),
    ]
    assert [(line["time"], line["method"], line["supersedes"]) for line in lines(app)] == [
        ("08:30:00", "correction", ""),
        ("07:55:00", "correction", "1"),
        ("17:00:00", "correction", ""),
    ]
    (total,) = app.report(MONDAY, MONDAY).totals
    assert (total.present, total.late, total.worked_minutes) == (1, 0, 545)


def test_the_audit_trail_has_who_why_before_and_after(app: SmartAbsen) -> None:
    """Enough to tell the story without the other tables."""
    recorded = app.corrections.add("E001", MONDAY, time(8, 30), reason="camera broken").entry
    with acting_as("siti"):
        app.corrections.correct(recorded.id, time(7, 55), reason="clock was wrong")
    with app.services.database.read() as session:
        entry = audit_rows.latest(session, 1)[0]
    assert (entry.actor, entry.action, entry.subject) == ("siti", "punch.correction", "E001")
    assert entry.details == {
        "date": "2026-11-02",
        "punch": "1",
        "entry": "2",
        "before": "08:30:00",
        "after": "07:55:00",
        "reason": "clock was wrong",
        "day_before": "Terlambat +30 min, 0:00 h",
        "day_after": "Hadir, 0:00 h",
    }


def test_a_repeated_form_is_one_correction(app: SmartAbsen) -> None:
    """One row, one line, one entry in the audit trail."""
    for _ in range(2):
        app.corrections.add("E001", MONDAY, time(8, 0), reason="forgotten", key="form-1")
    assert len(lines(app)) == 1
    with app.services.database.read() as session:
        assert [entry.action for entry in audit_rows.latest(session)].count("punch.correction") == 1


def test_a_punch_taken_out_leaves_the_report_and_can_be_brought_back(app: SmartAbsen) -> None:
    """Taking out is an entry like any other, and can be corrected itself."""
    recorded = app.corrections.add("E001", MONDAY, time(8, 30), reason="x").entry
    gone = app.corrections.void(recorded.id, reason="somebody else's")
    assert (gone.entry.method, app.report(MONDAY, MONDAY).days) == (PunchMethod.VOID, ())
    assert app.reconcile_log() == 0

    app.corrections.correct(gone.entry.id, time(8, 5), reason="it was hers after all")
    assert [day.status for day in app.report(MONDAY, MONDAY).days] == [Status.LATE]


def test_the_log_is_repaired_with_corrections_in_it(app: SmartAbsen) -> None:
    """What the database knows comes back, the new column included."""
    recorded = app.corrections.add("E001", MONDAY, time(8, 30), reason="x").entry
    app.corrections.correct(recorded.id, time(8, 0), reason="y")
    before = lines(app)
    (app.settings.csv_dir / f"{MONDAY}.csv").unlink()

    assert app.reconcile_log() == 2
    assert lines(app) == before


def test_only_the_past_can_be_corrected(app: SmartAbsen) -> None:
    """A punch in the future would be a promise."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=2)
    with pytest.raises(InvalidInputError, match="future"):
        app.corrections.add("E001", tomorrow, time(8, 0), reason="x")
    with pytest.raises(NotFoundError):
        app.corrections.correct(99, time(8, 0), reason="x")
    with pytest.raises(NotFoundError):
        app.corrections.add("E999", MONDAY, time(8, 0), reason="x")


def test_a_log_of_before_corrections_is_taken_over_without_a_copy(app: SmartAbsen) -> None:
    """Its header and lines lack the last column and nothing else: nothing is lost by writing them anew."""
    app.corrections.add("E001", MONDAY, time(8, 30), reason="x")
    path = app.settings.csv_dir / f"{MONDAY}.csv"
    head, line, _ = path.read_bytes().split(b"\n")
    path.write_bytes(head.removesuffix(b",supersedes") + b"\n" + line.removesuffix(b",") + b"\n")

    assert app.reconcile_log() == 0

    assert path.read_bytes().split(b"\n")[:2] == [head, line]
    assert [each.name for each in app.settings.csv_dir.glob("*replaced*")] == []


def test_a_file_that_cannot_be_written_holds_no_correction_up(app: SmartAbsen) -> None:
    """It counts when the database has it; a remark says that the file follows, and the next correction completes it."""
    log = app.services.csv_log.path(MONDAY)
    log.mkdir(parents=True)

    app.corrections.add("E001", MONDAY, time(8, 30), reason="camera broken")

    assert len(app.corrections.get_day("E001", MONDAY).entries) == 1
    assert app.remarks[0][0].startswith("The punch is recorded; its line is added")
    log.rmdir()
    app.corrections.add("E001", MONDAY, time(17, 0), reason="forgot to punch out")
    assert [line["time"] for line in lines(app)] == ["08:30:00", "17:00:00"]


def test_a_torn_file_is_whole_after_the_next_correction(app: SmartAbsen) -> None:
    """What a crash left of a line is written again, not only at the next start."""
    app.corrections.add("E001", MONDAY, time(8, 30), reason="camera broken")
    log = app.services.csv_log.path(MONDAY)
    log.write_bytes(log.read_bytes()[:-9])

    app.corrections.add("E001", MONDAY, time(17, 0), reason="forgot to punch out")

    assert [line["time"] for line in lines(app)] == ["08:30:00", "17:00:00"]
