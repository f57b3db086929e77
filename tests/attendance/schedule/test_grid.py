"""The roster of a month as a sheet, out and in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from smartabsen import InvalidInputError, SmartAbsen
from smartabsen.attendance.rules.model import Shift, Span
from smartabsen.attendance.schedule.grid import GridReport, RowVerdict
from smartabsen.attendance.schedule.model import ScopeKind

NOVEMBER, MONDAY = date(2026, 11, 1), date(2026, 11, 2)


@pytest.fixture
def firm(app: SmartAbsen) -> Iterator[SmartAbsen]:
    """Siti has a pattern, Budi has none."""
    app.enrol("Siti Contoh", [], code="E001")
    app.enrol("Budi Contoh", [], code="E002")
    app.shifts.add_shift(Shift("PAGI", "", (Span(480, 1020),)))
    app.shifts.add_shift(Shift("MALAM", "", (Span(1320, 1800),)))
    app.shifts.add_pattern("KANTOR", "PAGI:5,OFF:2")
    app.roster.assign(ScopeKind.EMPLOYEE, "E001", "KANTOR", date(2026, 1, 1))
    yield app


def edited(path: Path, *cells: tuple[str, int, str | None]) -> Path:
    """Put texts into cells, by the code of a person and the day of the month."""
    book = openpyxl.load_workbook(path)
    sheet = book.active
    assert sheet is not None
    lines = {str(row[0].value): row[0].row for row in sheet.iter_rows(min_row=2)}
    for code, day, text in cells:
        sheet.cell(lines[code], day + 2).value = text
    book.save(path)
    return path


def verdicts(report: GridReport) -> dict[str, RowVerdict]:
    return {row.code: row.verdict for row in report.rows}


def test_a_month_goes_out_and_comes_back_unchanged(firm: SmartAbsen, tmp_path: Path) -> None:
    """Shifts and days off as planned, nothing where nobody planned."""
    path = tmp_path / "november.xlsx"
    assert firm.roster_grid.export(path, NOVEMBER) == 2
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0][:4] == ["code", "name", "2026-11-01", "2026-11-02"]
    assert len(rows[0]) == 32
    assert rows[2][:4] == ["E001", "Siti Contoh", "OFF", "PAGI"]
    assert [cell for cell in rows[1][2:] if cell] == []
    report = firm.roster_grid.import_file(path, NOVEMBER, reason="roster", dry_run=False)
    assert set(verdicts(report).values()) == {RowVerdict.UNCHANGED}
    assert firm.roster.view(NOVEMBER, date(2026, 11, 30)).days == ()


def test_changed_cells_become_single_dates_after_a_dry_run(firm: SmartAbsen, tmp_path: Path) -> None:
    """Once more the same file changes nothing, and a dash takes back."""
    path = tmp_path / "november.xlsx"
    firm.roster_grid.export(path, NOVEMBER)
    edited(path, ("E001", 2, "malam"), ("E001", 3, None), ("E002", 2, "PAGI"), ("E002", 3, "OFF"))
    dry = firm.roster_grid.import_file(path, NOVEMBER, reason="roster", dry_run=True)
    assert firm.roster.view(NOVEMBER, date(2026, 11, 30)).days == ()
    done = firm.roster_grid.import_file(path, NOVEMBER, reason="roster", dry_run=False)
    assert dry.rows == done.rows
    assert [(each.work_date.day, each.shift) for each in firm.roster.view(MONDAY, date(2026, 11, 30)).days] == [
        (2, "MALAM"),
        (2, "PAGI"),
        (3, None),
    ]
    again = firm.roster_grid.import_file(path, NOVEMBER, reason="roster", dry_run=False)
    assert again.count(RowVerdict.UNCHANGED) == 2
    edited(path, ("E001", 2, "-"))
    firm.roster_grid.import_file(path, NOVEMBER, reason="roster", dry_run=False)
    plan = firm.planning.day("E001", MONDAY)[1]
    assert (plan.shift and plan.shift.code, plan.source) == ("PAGI", "employee")


def test_a_row_that_cannot_be_taken_says_why_and_the_others_are_taken(firm: SmartAbsen, tmp_path: Path) -> None:
    """An unknown shift, an unknown person, a person twice."""
    path = tmp_path / "roster.csv"
    path.write_text(
        "kode;2026-11-02;2026-11-03\nE001;SORE;MALAM\nE009;PAGI;\nE002;PAGI;PAGI\ne002;OFF;\n", encoding="utf-8"
    )
    report = firm.roster_grid.import_file(path, NOVEMBER, reason="roster", dry_run=False)
    assert [(row.code, row.verdict.value) for row in report.rows] == [
        ("E001", "rejected"),
        ("E009", "rejected"),
        ("E002", "changed"),
        ("e002", "rejected"),
    ]
    assert dict(report.rows[0].params) == {"date": "2026-11-02", "code": "SORE"}
    assert len(firm.roster.view(NOVEMBER, date(2026, 11, 30)).days) == 2


def test_a_sheet_of_another_month_is_refused(firm: SmartAbsen, tmp_path: Path) -> None:
    """It would change nothing, and nobody would notice."""
    path = tmp_path / "november.xlsx"
    firm.roster_grid.export(path, NOVEMBER)
    with pytest.raises(InvalidInputError, match="no column for a date of 2026-12"):
        firm.roster_grid.import_file(path, date(2026, 12, 1), reason="roster", dry_run=True)
    with pytest.raises(InvalidInputError):
        firm.roster_grid.export(tmp_path / "november.pdf", NOVEMBER)
