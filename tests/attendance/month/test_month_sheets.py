"""The workbook of a period."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from smartabsen.attendance.month.sheets import write_month
from smartabsen.attendance.rules.model import DayStatus

from .test_month_rules import day, person


def test_each_view_has_a_sheet_with_durations_and_dates_that_a_sheet_can_sum(tmp_path: Path) -> None:
    """A name that begins like a formula stays text; hours are durations, days of Alpa are dates."""
    came = person("E1", day(2, DayStatus.LATE, worked=1500, late=15), department="TOKO")
    never = replace(person("E2", day(2, DayStatus.ABSENT)), name="=1+1")

    write_month(tmp_path / "a.xlsx", [came, never], date(2026, 11, 1), date(2026, 11, 3))

    book: Any = load_workbook(tmp_path / "a.xlsx")
    assert len(book.sheetnames) == 6
    recap, departments, grid, late, absent, _legend = (list(sheet.iter_rows()) for sheet in book)
    titles = [cell.value for cell in recap[0]]
    worked = recap[1][titles.index("Worked")]
    assert (worked.value, worked.number_format) == (timedelta(hours=25), "[h]:mm")
    assert recap[2][titles.index("Alpa")].value == 1
    assert [cell.value for cell in grid[2]] == ["E2", "=1+1", "-", "A", "-"]
    assert (grid[2][1].data_type, grid[0][2].value.date()) == ("s", date(2026, 11, 1))
    assert len(departments) == 3
    assert [cell.value for cell in late[1]] == ["E1", "Contoh 1", "TOKO", 1, timedelta(minutes=15)]
    assert absent[1][3].value.date() == date(2026, 11, 2)
    assert absent[1][4].value == "yes"
