"""What the dashboard shows, on both kinds of database: filtered, sorted, paged, counted."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import text
from sqlalchemy.orm import Session

from smartabsen import InvalidInputError, SmartAbsen, Status, wire
from smartabsen.attendance import desk as desk_module
from smartabsen.attendance.desk import DayFilter, DayQuery
from smartabsen.attendance.desk_export import export_days
from smartabsen.attendance.reporting import report_text
from smartabsen.kernel import pages
from smartabsen.kernel.i18n import use_language
from smartabsen.trust import audit_rows

MONDAY = date(2026, 11, 2)
MONTH = DayFilter(date(2026, 11, 1), date(2026, 11, 30))
PEOPLE = {"E1": "ani Wijaya", "E2": "Budi Santoso", "E3": "Citra Dewi", "E4": "Dodi"}


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def app(
    request: pytest.FixtureRequest, flags: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> Iterator[SmartAbsen]:
    """Four people and some days of November; a page has two rows."""
    if request.param == "mariadb":
        flags["database_url"] = request.getfixturevalue("mariadb_url")
    for module in (desk_module, pages):
        monkeypatch.setattr(module, "PAGE", 2)
    with SmartAbsen.open(flags=flags) as opened:
        for code, name in PEOPLE.items():
            opened.enrol(name, [], code=code, position="Kasir" if code == "E3" else "")
        for code, day, clock in (
            ("E1", 2, time(7, 50)),
            ("E1", 2, time(17, 0)),
            ("E2", 2, time(8, 20)),
            ("E3", 2, time(8, 5)),
            ("E1", 3, time(8, 1)),
            ("E1", 9, time(9, 0)),
        ):
            opened.corrections.add(code, date(2026, 11, day), clock, reason="forgotten")
        opened.leave.enter("E3", date(2026, 11, 3), date(2026, 11, 4), Status.SICK, note="flu")
        opened.deactivate_employee("E4")
        yield opened


def shown(app: SmartAbsen, query: DayQuery) -> list[tuple[str, int]]:
    return [(row.code, row.work_date.day) for row in app.desk.days(query).page.rows]


def test_days_are_paged_and_a_page_beyond_the_end_is_the_last_one(app: SmartAbsen) -> None:
    """Sums are over all pages, whichever is shown."""
    pages = [app.desk.days(DayQuery(MONTH, page=number)) for number in (1, 2, 4, 99)]

    assert [page.page.number for page in pages] == [1, 2, 4, 4]
    assert {(page.page.pages, page.page.total) for page in pages} == {(4, 7)}
    assert [len(page.page.rows) for page in pages] == [2, 2, 1, 1]
    sums = pages[0].sums
    assert (sums.rows, sums.present, sums.late, sums.sick, sums.excused, sums.gone) == (7, 1, 4, 2, 0, 1)
    assert (sums.late_minutes, sums.worked_minutes) == (20 + 5 + 1 + 60, 550)


@pytest.mark.parametrize(
    ("sort", "descending", "expected"),
    [
        ("date", False, [("E1", 2), ("E2", 2)]),
        ("date", True, [("E1", 9), ("E3", 4)]),
        ("name", False, [("E1", 2), ("E1", 3)]),
        ("name", True, [("E3", 2), ("E3", 3)]),
        ("in", True, [("E1", 9), ("E1", 3)]),
        ("out", False, [("E1", 2), ("E2", 2)]),
        ("late", True, [("E1", 9), ("E2", 2)]),
        ("worked", True, [("E1", 2), ("E2", 2)]),
        ("status", True, [("E2", 2), ("E3", 2)]),
        ("code", True, [("E3", 2), ("E3", 3)]),
    ],
)
def test_the_database_sorts(app: SmartAbsen, sort: str, descending: bool, expected: list[tuple[str, int]]) -> None:
    """By each column in both directions, names without case; what is missing comes last."""
    assert shown(app, DayQuery(MONTH, sort=sort, descending=descending)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (replace(MONTH, search="wijaya"), [("E1", 2), ("E1", 3)]),
        (replace(MONTH, search="kasir"), [("E3", 2), ("E3", 3)]),
        (replace(MONTH, status="Sakit"), [("E3", 3), ("E3", 4)]),
        (replace(MONTH, status="Hadir"), [("E1", 2)]),
        (replace(MONTH, search="100%"), []),
        (DayFilter(MONDAY, MONDAY, status="Terlambat"), [("E3", 2), ("E2", 2)]),
        (DayFilter(date(2026, 11, 3), date(2026, 11, 3), everyone=True), [("E1", 3), ("E2", 3)]),
        (DayFilter(date(2026, 11, 3), date(2026, 11, 3), everyone=True, status="absent"), [("E2", 3), ("E4", 3)]),
        (replace(MONTH, status="absent", everyone=True), [("E2", 3), ("E2", 9)]),
    ],
)
def test_the_database_filters(app: SmartAbsen, wanted: DayFilter, expected: list[tuple[str, int]]) -> None:
    """By period, words and status; a single day can show everyone who is active, also without a row."""
    sort = "in" if wanted.status == "Terlambat" else "name"
    assert shown(app, DayQuery(wanted, sort=sort)) == expected


def test_times_are_those_of_the_site_and_corrected_days_are_marked(app: SmartAbsen) -> None:
    """What a person reads is the clock on their wall."""
    first, second = app.desk.days(DayQuery(DayFilter(MONDAY, MONDAY), sort="in")).page.rows
    assert first.clock_in is not None and first.clock_out is not None
    assert (f"{first.clock_in:%H:%M}", f"{first.clock_out:%H:%M}", first.corrected) == ("07:50", "17:00", True)
    assert second.clock_out is None


@pytest.mark.parametrize(
    "query",
    [
        DayQuery(DayFilter(MONDAY, MONDAY - timedelta(days=1))),
        DayQuery(DayFilter(MONDAY, MONDAY + timedelta(days=366))),
        DayQuery(DayFilter(MONDAY, MONDAY, status="x' OR 1=1")),
        DayQuery(MONTH, sort="nama; DROP TABLE"),  # type: ignore[arg-type]
    ],
)
def test_a_query_that_is_none_is_refused(app: SmartAbsen, query: DayQuery) -> None:
    """What comes from an address bar reaches the database as a known word or not at all."""
    with pytest.raises(InvalidInputError):
        app.desk.days(query)


def test_the_month_is_a_grid_of_letters(app: SmartAbsen) -> None:
    """H, T, I, S and - for an absence; days on which nobody came or that are to come are empty; people are paged."""
    grid = app.desk.month(date(2026, 10, 17))
    assert (grid.first, len(grid.days), grid.page.total) == (date(2026, 10, 1), 31, 3)
    rows = [*app.desk.month(MONDAY).page.rows, *app.desk.month(MONDAY, page=2).page.rows]
    assert [row.name for row in rows] == ["ani Wijaya", "Budi Santoso", "Citra Dewi", "Dodi"]
    assert rows[0].letters[:9] == ("", "H", "T", "", "", "", "", "", "T")
    assert rows[1].letters[:9] == ("", "T", "-", "", "", "", "", "", "-")
    assert rows[2].letters[:9] == ("", "T", "S", "S", "", "", "", "", "-")
    assert dict(grid.counts[0]) == dict.fromkeys("HTIS", 0)
    assert dict(rows[0].counts)["T"] == 2
    future = app.desk.month(app.desk.work_date() + timedelta(days=62))
    assert set(future.page.rows[0].letters) == {""}
    assert [row.code for row in app.desk.month(MONDAY, search="budi").page.rows] == ["E2"]


def absent_in_export(app: SmartAbsen) -> dict[str, int]:
    """Column “Absent” of the totals of the month's export."""
    with use_language("en"):
        file = export_days(app.services, DayQuery(replace(MONTH, everyone=True)), format="xlsx")
    sheet = load_workbook(io.BytesIO(file.data))["Totals"]
    titles, *rows = sheet.iter_rows(values_only=True)
    return {str(row[0]): int(str(row[titles.index("Absent")])) for row in rows}


def test_page_month_export_and_report_agree_who_was_absent_how_often(app: SmartAbsen) -> None:
    """On the days on which somebody came; who never came is in each of them."""
    expected = {"E1": 0, "E2": 2, "E3": 1, "E4": 3}
    assert absent_in_export(app) == expected
    grid = [*app.desk.month(MONDAY).page.rows, *app.desk.month(MONDAY, page=2).page.rows]
    assert {row.code: dict(row.counts)["-"] for row in grid} == expected
    assert {total.code: total.absent for total in app.report(MONTH.first, MONTH.last).totals} == expected
    report = app.report(MONTH.first, MONTH.last)
    with use_language("en"):
        assert "E4,Dodi,2026-11-02,,,Absent,0,0" in report_text(report).splitlines()
    assert [day.status for day in wire.Attendance.of(report).days].count("absent") == 6
    absences = [day for day in app.report(MONTH.first, MONTH.last).days if day.status is None]
    assert Counter(day.code for day in absences) == Counter(expected)
    assert app.desk.days(DayQuery(replace(MONTH, everyone=True))).sums.absent == 6
    listed = app.desk.all_days(DayQuery(replace(MONTH, status="absent", everyone=True)))
    assert Counter(row.code for row in listed) == Counter({code: count for code, count in expected.items() if count})


def test_nobody_is_absent_before_they_were_added_or_after_they_left(app: SmartAbsen) -> None:
    """Those of the first day are there from the first recorded day on; others from their own."""

    def work(session: Session) -> None:
        for statement in (
            "UPDATE karyawan SET created_at = '2026-10-01 01:00:00'",
            "UPDATE karyawan SET created_at = '2026-11-03 02:00:00' WHERE kode = 'E2'",
            "UPDATE karyawan SET nonaktif_sejak = '2026-11-03 10:00:00' WHERE kode = 'E4'",
        ):
            session.execute(text(statement))

    app.services.database.run_write(work)
    assert absent_in_export(app) == {"E1": 0, "E2": 2, "E3": 1, "E4": 1}
    assert app.desk.month(MONDAY).page.total == 4


def test_the_chart_of_the_month_counts_everybody_and_not_one_page(app: SmartAbsen) -> None:
    """A page has two rows here; on the second of November three people came."""
    grid = app.desk.month(MONDAY)
    assert len(grid.page.rows) == 2
    assert dict(grid.counts[1]) == {"H": 1, "T": 2, "I": 0, "S": 0}
    assert dict(app.desk.month(MONDAY, search="budi").counts[1])["T"] == 1


def test_lateness_is_summed_by_week_with_empty_weeks_between(app: SmartAbsen) -> None:
    """Weeks begin on Monday; the last one is that of the date given."""
    weeks = app.desk.late_weeks(date(2026, 11, 15), weeks=3)
    assert [(week.monday.day, week.late_minutes, week.late, week.attended) for week in weeks] == [
        (26, 0, 0, 0),
        (2, 26, 3, 4),
        (9, 60, 1, 1),
    ]


def test_arrivals_are_counted_by_quarter_hour_without_gaps(app: SmartAbsen) -> None:
    """07:50, 08:05 and 08:20 lie in three quarters, of which the first is on time."""
    quarters = app.desk.arrivals(MONDAY)
    assert [(f"{quarter.start:%H:%M}", quarter.on_time, quarter.late) for quarter in quarters] == [
        ("07:45", 1, 0),
        ("08:00", 0, 1),
        ("08:15", 0, 1),
    ]
    assert app.desk.arrivals(date(2026, 11, 20)) == ()


def test_today_says_who_is_there_and_who_is_not(app: SmartAbsen) -> None:
    """Everybody active is counted once; whoever punched is not missing."""
    app.punch("E1")
    today = app.desk.today()
    assert today.sums.rows == 3
    assert today.sums.present + today.sums.late == 1
    assert [row.code for row in today.missing] == ["E2", "E3"]
    assert [(punch.code, punch.name) for punch in today.last_punches] == [("E1", "ani Wijaya")]
    assert sum(quarter.on_time + quarter.late for quarter in today.arrivals) == 1


def test_employees_are_paged_by_name(app: SmartAbsen) -> None:
    """Inactive ones can be left out; a search looks into code, name and position."""
    assert [person.code for person in app.desk.employees().rows] == ["E1", "E2"]
    second = app.desk.employees(page=2)
    assert ([person.code for person in second.rows], second.total, second.pages) == (["E3", "E4"], 4, 2)
    assert app.desk.employees(include_inactive=False).total == 3
    assert [person.code for person in app.desk.employees(search="kasir").rows] == ["E3"]


def test_the_audit_trail_is_read_backwards_page_by_page(app: SmartAbsen) -> None:
    """An entry that comes meanwhile moves nothing; filters are joined by and."""
    first = app.desk.audit()
    app.punch("E1")
    second = app.desk.audit(before=first.older)
    assert len(first.entries) == 2
    assert [entry.id for entry in second.entries] == [first.entries[-1].id - 1, first.entries[-1].id - 2]
    assert {entry.action for entry in app.desk.audit(action="leave.").entries} == {"leave.enter"}
    assert [entry.subject for entry in app.desk.audit(subject="E4", action="employee.d").entries] == ["E4"]
    assert app.desk.audit(actor="nobody").entries == ()
    today = datetime.now(app.services.site_zone).date()
    assert app.desk.audit(first=today, last=today).entries
    assert app.desk.audit(last=today - timedelta(days=1)).entries == ()


def test_an_export_has_all_pages_and_adds_up(app: SmartAbsen) -> None:
    """CSV and XLSX have the same rows in the order of the screen; totals equal the sums on it; it is audited."""
    from openpyxl import load_workbook

    query = DayQuery(MONTH, sort="name")
    sums = app.desk.days(query).sums
    with use_language("en"):
        text = export_days(app.services, query, format="csv")
        book = export_days(app.services, query, format="xlsx")
    rows = list(csv.DictReader(io.StringIO(text.data.decode("utf-8-sig"))))
    sheets = load_workbook(io.BytesIO(book.data)).worksheets
    days = list(sheets[0].values)
    totals = list(sheets[1].values)

    assert (text.name, book.name) == ("smartabsen-2026-11-01-2026-11-30.csv", "smartabsen-2026-11-01-2026-11-30.xlsx")
    assert [row["Code"] for row in rows] == [day[1] for day in days[1:]] == ["E1", "E1", "E1", "E2", "E3", "E3", "E3"]
    assert sum(int(row["Minutes late"]) for row in rows) == sums.late_minutes
    assert sum(day[7] for day in days[1:]) == sum(total[-2] for total in totals[1:]) == sums.late_minutes  # type: ignore[misc]
    assert sum(total[-1] for total in totals[1:]) == sums.worked_minutes  # type: ignore[misc]
    with app.services.database.read() as session:
        entry = audit_rows.latest(session, 1)[0]
    assert (entry.action, entry.details["rows"]) == ("attendance.export", "7")


def test_an_export_has_the_separator_of_the_settings(flags: dict[str, object]) -> None:
    """As reports of the command line have it: Excel opens it in columns where lists are separated by it."""
    with SmartAbsen.open(flags={**flags, "report.csv_separator": ";"}) as app, use_language("en"):
        text = export_days(app.services, DayQuery(MONTH), format="csv").data.decode("utf-8-sig")
    assert text.splitlines()[0].startswith("Date;Code;Name;")


def test_an_export_of_one_day_names_who_was_absent(app: SmartAbsen) -> None:
    """The word for it is in the language of the reader."""
    query = DayQuery(DayFilter(date(2026, 11, 3), date(2026, 11, 3), everyone=True), sort="name")
    with use_language("id"):
        text = export_days(app.services, query, format="csv").data.decode("utf-8-sig")
    assert [line.split(";")[6] for line in text.splitlines()[1:]] == [
        "Terlambat",
        "Tidak hadir",
        "Sakit",
        "Tidak hadir",
    ]


def test_a_name_that_is_a_formula_is_disarmed(app: SmartAbsen, tmp_path: Path) -> None:
    """A spreadsheet shows it and does not run it."""
    app.enrol("=1+1", [], code="E9")
    app.corrections.add("E9", MONDAY, time(8, 0), reason="x")
    text = export_days(app.services, DayQuery(replace(MONTH, search="e9")), format="csv").data.decode("utf-8-sig")
    assert ",'=1+1," in text
    assert datetime.now(UTC).year >= 2026
