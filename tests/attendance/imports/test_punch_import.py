"""Punches of other devices are taken in once, by line, on both kinds of database."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from smartabsen.attendance.imports.model import Verdict
from smartabsen.attendance.imports.reading import read_punches, read_wall
from smartabsen.attendance.imports.service import PunchImport
from smartabsen.attendance.results.model import DaySources
from smartabsen.attendance.results.service import Results
from smartabsen.kernel.domain import Employee
from smartabsen.kernel.errors import InvalidInputError
from smartabsen.people import employee_rows
from smartabsen.store.database import Database, Session
from smartabsen.store.sheet_writer import Sheet, write_xlsx
from smartabsen.store.tables import PunchRow
from smartabsen.trust import audit_rows
from smartabsen.trust.work import Units

from ..days import OFFICE, TERMS, plan

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
ATTLOG = (
    "     E001\t2026-11-02 07:55:00\t1\t0\t1\t0\n"
    "     E001\t2026-11-02 17:00:00\t1\t1\t1\t0\n"
    "    00123\t2026-11-02 08:20:00\t1\t0\t1\t0\n"
    "      123\t2026-11-02 08:21:00\t1\t0\t1\t0\n"
    "     E001\t2026-11-02 07:55:00\t1\t0\t1\t0\n"
    "     E001\t2026-11-21 07:55:00\t1\t0\t1\t0\n"
    "     E001\tnot a time\n"
)


def source(find: Callable[[int, date], object]) -> Callable[..., Callable[[int, date], object]]:
    """Return a source that looks nothing up."""

    def load(_session: Session, _ids: Collection[int], _first: date, _last: date) -> Callable[[int, date], object]:
        return find

    return load


@pytest.fixture
def taking(database: Database, siti: Employee) -> PunchImport:
    """An office with Siti and 00123; everything up to 3 November is closed."""
    with database.write() as session:
        employee_rows.add(session, code="00123", name="Budi", position="")
    closed = source(lambda _id, day: day.month < 11)
    sources = DaySources(
        plans=source(lambda _id, day: plan(day, OFFICE if day.weekday() < 5 else None)),  # type: ignore[arg-type]
        terms=source(lambda _id, _day: TERMS),  # type: ignore[arg-type]
        leave=source(lambda _id, _day: ()),  # type: ignore[arg-type]
        orders=source(lambda _id, _day: ()),  # type: ignore[arg-type]
        closed=closed,  # type: ignore[arg-type]
    )
    units = Units(database)
    results = Results(units, sources, lambda: NOW)
    return PunchImport(units, results, closed, home_zone="Asia/Jakarta", now=lambda: NOW)  # type: ignore[arg-type]


def test_each_line_has_a_verdict_and_is_taken_once(
    taking: PunchImport, database: Database, siti: Employee, tmp_path: Path
) -> None:
    """A PIN is text; the dry run says the same and stores nothing; a second run takes nothing."""
    file = tmp_path / "attlog.dat"
    file.write_text(ATTLOG)
    expected = [
        Verdict.NEW,
        Verdict.NEW,
        Verdict.NEW,
        Verdict.UNKNOWN_PIN,
        Verdict.KNOWN,
        Verdict.FUTURE,
        Verdict.UNREADABLE,
    ]

    dry = taking.take(file, dry_run=True)
    assert [each.verdict for each in dry.lines] == expected
    with database.read() as session:
        assert session.scalars(select(PunchRow.id)).all() == []
    done = taking.take(file)
    assert [each.verdict for each in done.lines] == expected
    assert (done.taken, dict(done.unknown_pins)) == (3, {"123": 1})
    assert taking.take(file).taken == 0

    with database.read() as session:
        stored = session.execute(select(PunchRow.at_utc, PunchRow.method).order_by(PunchRow.id)).all()
        entries = [each for each in audit_rows.latest(session) if each.action == "punches.import"]
    assert stored[0] == (datetime(2026, 11, 2, 0, 55, tzinfo=UTC), "import")
    assert [each.details["punches"] for each in entries] == ["3"]
    day = taking._results.find(siti.id, date(2026, 11, 2))
    assert day is not None
    assert (day.result.status, day.result.clock_out) == ("Hadir", datetime(2026, 11, 2, 10, tzinfo=UTC))


def test_a_punch_of_a_closed_month_is_stored_and_its_day_stays(
    taking: PunchImport, siti: Employee, tmp_path: Path
) -> None:
    """It is an adjustment of the next one."""
    file = tmp_path / "x.dat"
    file.write_text("E001\t2026-10-05 07:55:00\t1\t0\n")
    (line,) = taking.take(file).lines
    assert line.verdict is Verdict.ADJUSTMENT
    assert taking._results.find(siti.id, date(2026, 10, 5)) is None


def test_tables_of_biotime_and_of_people_are_read(taking: PunchImport, tmp_path: Path) -> None:
    """CSV with titles, XLSX with real times; another device with the same PIN and time is another punch."""
    table = tmp_path / "biotime.csv"
    table.write_text(
        "Employee ID,First Name,Punch Time,Punch State,Device SN\n"
        "E001,Siti,2026-11-03 07:50:00,Check In,AB1\n"
        "E001,Siti,03/11/2026 05:05 PM,Check Out,AB1\n"
        "E001,Siti,2026-11-03 07:50:00,Check In,AB2\n"
    )
    found = taking.take(table)
    assert (found.taken, found.lines[1].line.at) == (3, datetime.fromisoformat("2026-11-03T17:05"))
    book = tmp_path / "book.xlsx"
    write_xlsx(book, Sheet("Absen", ["kode", "tanggal", "jam"], [["E001", date(2026, 11, 4), "07:58"]]))
    assert taking.take(book, device="Lobby").taken == 1


def test_a_table_without_times_is_refused(tmp_path: Path) -> None:
    """And says which column is missing."""
    table = tmp_path / "x.csv"
    table.write_text("kode,nama\nE001,Siti\n")
    with pytest.raises(InvalidInputError, match="no column with the time"):
        list(read_punches(table))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-02 07:55", datetime.fromisoformat("2026-11-02T07:55")),
        ("2/11/2026 12:05:09 AM", datetime.fromisoformat("2026-11-02T00:05:09")),
        ("2026-11-02T23:59:59", datetime.fromisoformat("2026-11-02T23:59:59")),
        ("2026-11-02", None),
        ("2026-13-02 07:00", None),
        ("2026-11-02 25:00", None),
        ("13:00 PM", None),
    ],
)
def test_times_of_devices(text: str, expected: datetime | None) -> None:
    """A date with a time, or nothing."""
    assert read_wall(text) == expected
