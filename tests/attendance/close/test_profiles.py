"""Payroll profiles: each writes its golden file from the same frozen month; profiles of one's own are checked."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from smartabsen.attendance.close.freezing import difference, frozen_day, frozen_recap
from smartabsen.attendance.close.profiles import NAMES, find_profile
from smartabsen.attendance.close.recap import PayTerms, recap
from smartabsen.attendance.close.rendering import render
from smartabsen.attendance.leave.model import LeaveSum
from smartabsen.attendance.policy.rulesets import ruleset_on
from smartabsen.attendance.rules.model import DayKind, DayStatus, Minutes
from smartabsen.attendance.rules.overtime import OvertimeTerms, Wage
from smartabsen.kernel.errors import InvalidInputError, NotFoundError

from ..days import NIGHT, OFFICE, annual, judged, order, plan

GOLDEN = Path(__file__).with_name("golden")
MONDAY = date(2026, 11, 2)


def parts() -> list[Mapping[str, Any]]:
    """Return November of two people: late, overtime before and after, a night, leave, a rest day; one adjustment."""
    early = replace(OFFICE, early_counts=True)
    terms = OvertimeTerms(ruleset_on(MONDAY), 5)
    sunday = plan(MONDAY - timedelta(days=1), None, kind=DayKind.REST_DAY)
    siti = [
        judged("08:20", "17:00", day=MONDAY),
        judged("07:00", "19:00", day=MONDAY + timedelta(days=1), planned=early, orders=(order(150),)),
        judged(day=MONDAY + timedelta(days=2), leave=(annual(),)),
        judged(day=MONDAY + timedelta(days=3)),
        judged("08:00", "13:00", day=sunday.work_date, planned=sunday, orders=(order(300),)),
    ]
    budi = [judged("22:00", "+1 06:00", day=MONDAY, planned=NIGHT)]
    before = frozen_day(judged("08:00", "17:00", day=date(2026, 10, 30)), zone="Asia/Jakarta")
    after = frozen_day(judged("09:00", "17:00", day=date(2026, 10, 30)), zone="Asia/Jakarta")
    adjustment = {
        "month": "2026-10",
        "date": "2026-10-30",
        "before": before,
        "after": after,
        "minutes": difference(before, after),
        "amount": 0,
    }

    def pay(_day: date) -> PayTerms:
        return PayTerms(terms, Wage(basic=Fraction(5_000_000)))

    def part(code: str, name: str, days: list[Any], adjusted: list[Any], leave: LeaveSum) -> dict[str, Any]:
        frozen = [frozen_day(each, revision=1, zone="Asia/Jakarta", site="JKT", department="OPS") for each in days]
        totals = frozen_recap(recap(days, pay, leave=leave))
        who = {"code": code, "name": name, "site": "JKT", "department": "OPS"}
        return {**who, "days": frozen, "recap": totals, "adjustments": adjusted}

    leave = LeaveSum({"tahunan": 2}, {"tahunan": 19})
    return [
        part("E002", "Contoh Dua", budi, [], LeaveSum()),
        part("E001", "Contoh Satu", sorted(siti, key=lambda each: each.work_date), [adjustment], leave),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_each_profile_writes_its_golden_file(name: str) -> None:
    """Byte by byte; of a workbook, what its cells say, and the same bytes twice."""
    profile = find_profile(name)
    written = render(profile, parts(), "2026-11")
    assert render(profile, reversed(parts()), "2026-11") == written
    if profile.format == "xlsx":
        buffer = io.StringIO()
        sheet = load_workbook(io.BytesIO(written)).active
        assert sheet is not None
        csv.writer(buffer, lineterminator="\n").writerows(sheet.iter_rows(values_only=True))
        written = buffer.getvalue().encode()
    assert written.decode() == (GOLDEN / f"{name}.csv").read_text(encoding="utf-8")


def test_the_recap_is_an_independent_sum() -> None:
    """Days by status, minutes and tiers of one person, counted by hand."""
    (siti,) = (each for each in parts() if each["code"] == "E001")
    found = siti["recap"]
    assert found["days"] == {"Hadir": 2, "Terlambat": 1, "Cuti": 1, "Alpa": 1}
    assert found["minutes"]["late"] == 20
    assert found["overtime"]["tiers"] == {"1.5": 60, "2": 90 + 300}
    assert found["overtime"]["units"] == "14.5"
    assert found["overtime"]["amount"] == 419_075


def test_without_a_wage_there_is_no_amount_and_past_the_last_tier_it_is_told() -> None:
    """Units are known; 13 hours on a holiday of a week of five days are refused."""
    base = judged("08:00", "17:00", day=MONDAY)
    long = replace(base, kind=DayKind.HOLIDAY, minutes={Minutes.OVERTIME: 780, Minutes.OVERTIME_APPROVED: 780})
    short = replace(base, minutes={Minutes.OVERTIME: 60, Minutes.OVERTIME_APPROVED: 60})
    terms = PayTerms(OvertimeTerms(ruleset_on(MONDAY), 5))
    found = recap([long, short], lambda _day: terms)
    assert found.overtime.unpayable == (MONDAY,)
    assert (found.overtime.amount, found.overtime.units) == (None, Fraction(3, 2))
    assert found.count(DayStatus.PRESENT) == 2


def test_a_profile_of_ones_own_is_a_file(tmp_path: Path) -> None:
    """Titles, order, separator and format of the date are the receiver's; an unknown field is refused by name."""
    file = tmp_path / "gaji.toml"
    file.write_text(
        'rows = "day"\nseparator = ";"\ndate_format = "%d/%m/%Y"\n'
        'columns = [{title = "NIK", field = "code"}, {title = "Tgl", field = "date"}, {title = "PT", text = "ABC"},'
        ' {title = "Telat", field = "minutes.late"}]\n'
    )
    lines = render(find_profile(str(file)), parts(), "2026-11").decode().splitlines()
    assert lines[:3] == ["NIK;Tgl;PT;Telat", "E001;01/11/2026;ABC;0", "E001;02/11/2026;ABC;20"]
    file.write_text('rows = "day"\ncolumns = [{title = "X", field = "salary"}]\n')
    with pytest.raises(InvalidInputError, match="salary"):
        find_profile(str(file))
    with pytest.raises(NotFoundError, match="talenta-overtime"):
        find_profile("talenta")
