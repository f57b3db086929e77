"""The attendance log: whole lines, once each, equal to the database after one start."""

from __future__ import annotations

import csv
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from smartabsen.attendance import recording_rows
from smartabsen.attendance.csv_log import COLUMNS, CsvLog
from smartabsen.attendance.csv_sync import reconcile
from smartabsen.attendance.punch_rows import LoggedPunch, logged_on
from smartabsen.attendance.rules import Rules
from smartabsen.kernel.domain import Punch, PunchMethod, Status
from smartabsen.kernel.errors import StorageError
from smartabsen.people import employee_rows
from smartabsen.store.database import Database

MONDAY = date(2026, 11, 2)


@pytest.fixture
def log(tmp_path: Path) -> CsvLog:
    return CsvLog(tmp_path / "Attendance", zone="Asia/Jakarta")


def logged(number: int = 1, *, name: str = "Siti", note: str = "", at: datetime | None = None) -> LoggedPunch:
    at = at or datetime(2026, 11, 2, 0, 58, 12, 250_000, tzinfo=UTC)
    punch = Punch(
        number, 7, at, MONDAY, PunchMethod.FACE, "Lobby", f"k{number}", 0.73124, "", note, status=Status.PRESENT
    )
    return LoggedPunch(punch, "E001", name)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def two_days(sqlite: Database, rules: Rules, attempt: Callable[..., Punch], log: CsvLog) -> list[LoggedPunch]:
    """Two people's punches on two days, in the database and in the log."""
    with sqlite.write() as session:
        people = [
            employee_rows.add(session, code=f"E{n}", name=name) for n, name in ((1, "Siti"), (2, "Ngurah, 'Budi'"))
        ]
    stored = []
    for wall in ("2026-11-02 07:58:12", "2026-11-02 17:00", "2026-11-03 08:01"):
        for person in people:
            tried = attempt(person.id, wall, note="=1+1")
            with sqlite.write() as session:
                done = recording_rows.record(session, tried, rules)
            stored.append(LoggedPunch(done.punch, person.code, person.name))
            log.append(stored[-1])
    return stored


def content(log: CsvLog) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(log.directory.glob("*.csv"))}


def test_a_punch_is_one_line_that_shows_local_time_and_the_exact_instant(log: CsvLog) -> None:
    """Under a header that was written once, in a file that Excel reads as UTF-8."""
    log.append(logged(1))
    log.append(logged(2, name="Zoë 😀"))

    path = log.path(MONDAY)
    assert path.name == "2026-11-02.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbf" + ",".join(COLUMNS).encode() + b"\n")
    first, second = rows(path)
    assert first == {
        "punch_id": "1",
        "code": "E001",
        "name": "Siti",
        "date": "2026-11-02",
        "time": "07:58:12",
        "status": "Hadir",
        "method": "face",
        "kiosk": "Lobby",
        "similarity": "0.7312",
        "note": "",
        "utc": "2026-11-02T00:58:12.250000Z",
        "supersedes": "",
    }
    assert second["name"] == "Zoë 😀"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes of files")
def test_the_log_is_private(log: CsvLog) -> None:
    """Who came when is read by the owner alone."""
    log.append(logged())

    assert stat.S_IMODE(log.path(MONDAY).stat().st_mode) == 0o600
    assert stat.S_IMODE(log.directory.stat().st_mode) == 0o700


def test_a_line_is_appended_once(log: CsvLog) -> None:
    """A repetition of the same punch, as after a lost answer, adds nothing."""
    assert [log.append(logged(12)), log.append(logged(12)), log.append(logged(2))] == [True, False, True]

    assert [row["punch_id"] for row in rows(log.path(MONDAY))] == ["12", "2"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+62 812", "'+62 812"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'=1"),
        ("\t=1", "'=1"),
        ("a\r\n99,E9,forged", "a 99,E9,forged"),
        ('say "hi", ok', 'say "hi", ok'),
    ],
)
def test_what_a_person_wrote_is_no_formula_and_no_second_line(log: CsvLog, text: str, shown: str) -> None:
    """Cells that a spreadsheet would run get an apostrophe; line breaks become blanks."""
    log.append(logged(1, name=text, note=text))

    (row,) = rows(log.path(MONDAY))
    assert (row["name"], row["note"]) == (shown, shown)
    assert log.path(MONDAY).read_bytes().count(b"\n") == 2


def test_a_full_disk_takes_a_part_of_a_line_back(log: CsvLog) -> None:
    """The error says so, the file keeps its whole lines, and the next append works."""
    resource = pytest.importorskip("resource")
    log.append(logged(1))
    before = log.path(MONDAY).read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
    try:
        with pytest.raises(StorageError, match="full"):
            log.append(logged(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert log.path(MONDAY).read_bytes() == before
    assert log.append(logged(2))


def test_a_log_in_order_is_left_as_it_is(sqlite: Database, log: CsvLog, two_days: list[LoggedPunch]) -> None:
    """A reconciliation changes nothing, and the next one does not even read the files."""
    before = content(log)

    first, second = reconcile(sqlite, log), reconcile(sqlite, log)

    assert content(log) == before
    assert (first.checked, first.added, first.rewritten) == (2, 0, ())
    assert second.checked == 0


def test_a_file_cut_anywhere_is_whole_again_after_one_start(
    sqlite: Database, log: CsvLog, two_days: list[LoggedPunch]
) -> None:
    """Whatever a crash left of the last lines, or of the header, nothing is lost, doubled or half there."""
    path = log.path(MONDAY)
    whole = path.read_bytes()
    for length in (*range(0, 60, 4), *range(len(whole) - 200, len(whole), 4), len(whole) - 1):
        path.write_bytes(whole[:length])

        repaired = reconcile(sqlite, log)

        assert path.read_bytes() == whole, length
        assert repaired.kept == ()


def test_a_punch_after_a_torn_line_starts_a_line_of_its_own(log: CsvLog) -> None:
    """A process that goes on writing behind a crash does not glue its line to the torn one."""
    log.append(logged(1))
    log.append(logged(2))
    path = log.path(MONDAY)
    path.write_bytes(path.read_bytes()[:-7])

    log.append(logged(3))

    assert [row["punch_id"] for row in rows(path)] == ["1", "3"]


def test_a_last_line_that_lost_its_line_feed_alone_gets_it(log: CsvLog) -> None:
    """It is whole, so it stays: nothing is dropped until the next start."""
    log.append(logged(1))
    log.append(logged(2))
    path = log.path(MONDAY)
    path.write_bytes(path.read_bytes()[:-1])

    log.append(logged(3))

    assert [row["punch_id"] for row in rows(path)] == ["1", "2", "3"]


def test_a_torn_line_is_written_anew_by_the_next_punch_that_can_ask_the_database(
    sqlite: Database, log: CsvLog, two_days: list[LoggedPunch]
) -> None:
    """Not only at the next start."""
    path = log.path(MONDAY)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-2]) + lines[-2][:-9])

    def read() -> tuple[LoggedPunch, ...]:
        with sqlite.read() as session:
            return logged_on(session, MONDAY)

    assert log.append(read()[-1], read)
    assert path.read_bytes() == whole


def test_a_punch_by_a_clock_that_was_not_trusted_carries_a_mark(log: CsvLog) -> None:
    """Behind what a person noted."""
    log.append(logged(1, note="late bus"))
    marked = logged(2, note="late bus")
    log.append(replace(marked, punch=replace(marked.punch, clock_trusted=False)))

    assert [row["note"] for row in rows(log.path(MONDAY))] == ["late bus", "late bus [clock?]"]


def test_deleted_files_and_lost_lines_come_back(sqlite: Database, log: CsvLog, two_days: list[LoggedPunch]) -> None:
    """Missing lines are appended in the order of their ids, under one header."""
    before = content(log)
    reconcile(sqlite, log)
    log.path(MONDAY).unlink()
    tuesday = log.path(date(2026, 11, 3))
    tuesday.write_bytes(b"".join(tuesday.read_bytes().splitlines(keepends=True)[:2]))

    repaired = reconcile(sqlite, log)

    assert content(log) == before
    assert (repaired.added, repaired.rewritten) == (5, ())


@pytest.mark.parametrize(
    "edit",
    [
        lambda lines: [lines[0], lines[1].replace(b"07:58:12", b"07:48:12"), *lines[2:]],
        lambda lines: [*lines, b"999,E9,Forged,2026-11-02,07:00:00,Hadir,face,x,,,2026-11-02T00:00:00.000000Z\n"],
        lambda lines: [line.replace(b",", b";") for line in lines],
        lambda lines: lines[1:],
        lambda lines: [b"\0" * 4096],
    ],
    ids=["edited", "forged", "semicolons", "no header", "zeros"],
)
def test_what_the_database_does_not_know_is_put_right_and_kept_beside(
    sqlite: Database, log: CsvLog, two_days: list[LoggedPunch], edit: Callable[[list[bytes]], list[bytes]]
) -> None:
    """The file equals the database again, and nothing that somebody had in it is destroyed."""
    before = content(log)
    reconcile(sqlite, log)
    path = log.path(MONDAY)
    edited = b"".join(edit(path.read_bytes().splitlines(keepends=True)))
    path.write_bytes(edited)

    repaired = reconcile(sqlite, log)

    assert content(log) == before
    assert repaired.rewritten == (MONDAY,)
    assert [kept.read_bytes() for kept in repaired.kept] == (
        [edited] if b"punch_id" in edited or b"\0" in edited else []
    )


def test_doubled_lines_are_removed_without_a_copy(sqlite: Database, log: CsvLog, two_days: list[LoggedPunch]) -> None:
    """Nothing is lost with a second copy of a line."""
    before = content(log)
    path = log.path(MONDAY)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, *lines[1:]]))

    assert reconcile(sqlite, log).kept == ()
    assert content(log) == before


def test_a_renamed_person_is_renamed_in_the_files_that_are_read_again(
    sqlite: Database, log: CsvLog, two_days: list[LoggedPunch]
) -> None:
    """A new name alone is nothing to keep the old file for."""
    with sqlite.write() as session:
        employee_rows.update(session, "E1", name="Siti Aminah")

    repaired = reconcile(sqlite, log)

    assert repaired.kept == ()
    assert {row["name"] for row in rows(log.path(MONDAY))} == {"Siti Aminah", "Ngurah, 'Budi'"}


def test_a_date_without_punches_keeps_no_lines(sqlite: Database, log: CsvLog) -> None:
    """A file that the database knows nothing of, as after restoring an older copy, is emptied and kept beside."""
    with sqlite.write():
        pass
    log.append(logged(1))

    repaired = reconcile(sqlite, log)

    assert rows(log.path(MONDAY)) == []
    assert [len(rows(kept)) for kept in repaired.kept] == [1]


def test_an_empty_database_makes_no_files(sqlite: Database, log: CsvLog) -> None:
    """The first start writes nothing."""
    assert reconcile(sqlite, log).checked == 0
    assert not log.directory.exists()


def test_a_lost_memory_of_what_was_checked_costs_only_time(
    sqlite: Database, log: CsvLog, two_days: list[LoggedPunch]
) -> None:
    """Nonsense in its place makes every file be read again; so does asking for a thorough check."""
    before = content(log)
    reconcile(sqlite, log)
    assert reconcile(sqlite, log, thorough=True).checked == 2
    (log.directory / ".checked-2.json").write_bytes(b"{\0")

    assert reconcile(sqlite, log).checked == 2
    assert content(log) == before


def test_a_file_that_cannot_be_mended_does_not_keep_the_others_from_it(
    sqlite: Database, log: CsvLog, two_days: list[LoggedPunch]
) -> None:
    """The trouble is reported after all others were checked."""
    before = content(log)
    log.path(MONDAY).unlink()
    log.path(MONDAY).mkdir()
    log.path(date(2026, 11, 3)).unlink()

    with pytest.raises(StorageError, match="2026-11-02"):
        reconcile(sqlite, log)

    assert log.path(date(2026, 11, 3)).read_bytes() == before["2026-11-03.csv"]


def test_other_files_in_the_directory_are_left_alone(sqlite: Database, log: CsvLog) -> None:
    """Only names that are dates are ours."""
    log.append(logged(1))
    for name in ("notes.csv", "2026-13-40.csv", "2026-11-02.csv.bak"):
        (log.directory / name).write_text("mine")

    reconcile(sqlite, log)

    assert log.dates() == (MONDAY,)
    assert (log.directory / "2026-13-40.csv").read_text() == "mine"


def test_similarity_and_status_are_empty_where_there_is_none(log: CsvLog) -> None:
    """A manual punch has no similarity."""
    manual = logged(1)
    log.append(replace(manual, punch=replace(manual.punch, similarity=None, method=PunchMethod.MANUAL)))

    (row,) = rows(log.path(MONDAY))
    assert (row["similarity"], row["method"]) == ("", "manual")


@pytest.mark.slow
def test_processes_that_append_at_once_write_one_header_and_whole_lines(
    log: CsvLog, run_workers: Callable[..., list[str]]
) -> None:
    """200 lines of 8 processes, each appended twice, are there once."""
    answers = " ".join(run_workers(8, "append-lines", log.directory, 25)).split()

    assert (answers.count("True"), answers.count("False")) == (200, 200)
    lines = log.path(MONDAY).read_bytes().splitlines()
    assert sum(b"punch_id" in line for line in lines) == 1
    assert {int(row["punch_id"]) for row in rows(log.path(MONDAY))} == {
        number * 1000 + step for number in range(8) for step in range(1, 26)
    }
    assert len(lines) == 201
