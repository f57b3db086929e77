"""Files that the facade writes for people: reports, rejects, the log; and where it makes none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from smartabsen import ConflictError, DatabaseError, ImportReport, InvalidInputError, Outcome, SmartAbsen, StorageError
from smartabsen.app.demo import run_demo
from smartabsen.kernel.messages import fill
from smartabsen.qr.terminal import Terminal

TODAY = (datetime.now(UTC).date() - timedelta(days=1), datetime.now(UTC).date() + timedelta(days=1))


def test_a_log_that_cannot_be_written_is_completed_by_the_next_punch(app: SmartAbsen) -> None:
    """Open in a spreadsheet on Windows: the punch counts, and its line comes later."""
    for code in ("E1", "E2"):
        app.enrol(f"Contoh {code}", [], code=code)
    day = app.punch("E1").day.work_date
    file = app.settings.csv_dir / f"{day}.csv"
    file.unlink()
    file.mkdir()
    assert app.punch("E2").outcome is Outcome.RECOGNIZED
    first, second = (fill(*remark) for remark in app.remarks)
    assert first.startswith("The punch is recorded; its line is added")
    assert str(file) in second
    file.rmdir()
    assert app.punch("E1").outcome is Outcome.ALREADY_RECORDED
    assert [line.split(",")[1] for line in file.read_text(encoding="utf-8-sig").splitlines()[1:]] == ["E1", "E2"]


def test_a_report_that_ends_before_it_begins_is_refused(app: SmartAbsen) -> None:
    """The message names both days."""
    with pytest.raises(InvalidInputError, match="2026-01-01"):
        app.report(date(2026, 2, 1), date(2026, 1, 1))


@pytest.mark.parametrize(("totals", "title"), [(False, "Date"), (True, "Sick")])
def test_a_csv_holds_the_days_or_the_totals(app: SmartAbsen, tmp_path: Path, totals: bool, title: str) -> None:
    """One file is one table."""
    app.enrol("Contoh", [], code="E1")
    app.punch("E1")
    app.write_report(app.report(*TODAY), tmp_path / "r.csv", format="csv", totals=totals)
    header, row = (tmp_path / "r.csv").read_text(encoding="utf-8-sig").splitlines()
    assert title in header.split(",")
    assert row.startswith("E1,Contoh,")


def test_a_csv_is_separated_as_the_settings_say(flags: dict[str, object], tmp_path: Path) -> None:
    """An Excel with Indonesian settings opens it in columns; the daily log keeps its commas."""
    with SmartAbsen.open(flags={**flags, "report.csv_separator": ";"}) as app:
        app.enrol("Contoh", [], code="E1")
        day = app.punch("E1").day.work_date
        app.write_report(app.report(*TODAY), tmp_path / "r.csv", format="csv")
        log = (app.settings.csv_dir / f"{day}.csv").read_text(encoding="utf-8-sig")
    assert (tmp_path / "r.csv").read_text(encoding="utf-8-sig").splitlines()[1].startswith("E1;Contoh;")
    assert ",E1,Contoh," in log


def test_a_workbook_holds_days_and_totals(app: SmartAbsen, tmp_path: Path) -> None:
    """Each on a sheet of its own."""
    app.enrol("Contoh", [], code="E1")
    app.punch("E1")
    path = tmp_path / "r.xlsx"
    app.write_report(app.report(*TODAY), path, format="xlsx")
    days, totals = load_workbook(path).worksheets
    assert [days["A2"].value, totals["A2"].value, totals.max_row] == ["E1", "E1", 2]
    assert totals["C2"].value + totals["D2"].value == 1


def test_no_directory_is_made_outside_the_home(flags: dict[str, object], tmp_path: Path) -> None:
    """A typing error in a path is told, and leaves nothing behind."""
    missing = tmp_path / "mssing"
    with SmartAbsen.open(flags=flags) as app:
        with pytest.raises(StorageError, match="no directory"):
            app.write_report(app.report(*TODAY), missing / "r.csv", format="csv")
        with pytest.raises(StorageError, match="no directory"):
            app.write_rejects(ImportReport((), dry_run=False), missing / "r.csv")
        with pytest.raises(StorageError, match="no directory"):
            app.audit.export(missing / "audit.jsonl")
    with (
        SmartAbsen.open(flags={**flags, "database_url": f"sqlite:///{missing}/a.db"}) as app,
        pytest.raises(DatabaseError, match="no directory"),
    ):
        app.employees()
    assert not missing.exists()


def test_a_demonstration_leaves_a_directory_with_other_files_alone(tmp_path: Path) -> None:
    """It wants an empty one."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ConflictError, match="not empty"):
        run_demo(tmp_path, say=lambda _: None, terminal=Terminal("utf-8"), flags={})
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
