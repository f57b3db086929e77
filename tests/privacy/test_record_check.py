"""What somebody does to rows that the audit trail tells of, with SQL and without the key, on both kinds of database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from smartabsen import SmartAbsen, Status

from ..installation import Draw

MONDAY = date(2026, 11, 2)
TUESDAY = date(2026, 11, 3)
Found = list[tuple[str, str, date | None]]


@pytest.fixture
def office(home: dict[str, object], draw: Draw) -> Iterator[SmartAbsen]:
    """Siti and Budi with consents, and a Monday of Siti's that was entered by hand."""
    with SmartAbsen.open(flags=home) as app:
        app.enrol("Siti Rahma", [draw("a.png", 1)], code="E001", consent=True)
        app.enrol("Budi Santoso", [draw("b.png", 2)], code="E002", consent=True)
        app.corrections.add("E001", MONDAY, time(8, 30), reason="camera broken")
        assert proven(app)
        yield app


def sql(app: SmartAbsen, *statements: str, **values: object) -> None:
    with app.services.database.connect(exclusive=True) as connection:
        for statement in statements:
            connection.execute(text(statement), values)


def rows(app: SmartAbsen, query: str) -> list[dict[str, Any]]:
    with app.services.database.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(text(query))]


def put_back(app: SmartAbsen, table: str, row: dict[str, Any]) -> None:
    sql(app, f"UPDATE {table} SET {', '.join(f'{name} = :{name}' for name in row)} WHERE id = :id", **row)


def import_again(app: SmartAbsen, code: str, name: str) -> None:
    """Give somebody a name by an import."""
    path = app.settings.home / "people.csv"
    path.write_text(f"code,name\n{code},{name}\n")
    app.import_people(path, on_conflict="update")


def found(app: SmartAbsen) -> Found:
    return [(problem.kind.value, problem.code, problem.day) for problem in app.audit.compare_record()]


def proven(app: SmartAbsen) -> bool:
    """Whether chain, signatures and attendance show nothing, so that only the comparison can."""
    return not (app.audit.verify().problems or app.audit.verify_attendance().problems)


def test_what_was_entered_is_as_the_trail_has_it(office: SmartAbsen) -> None:
    """Whatever is entered, changed, taken back or erased with the library is no problem."""
    (entry,) = office.corrections.get_day("E001", MONDAY).entries
    office.corrections.correct(entry.punch.id, time(7, 55), reason="clock was wrong")
    office.corrections.add("E001", MONDAY, time(17, 0), reason="forgot")
    office.punch("E002", note="no camera")
    office.leave.enter("E001", TUESDAY, date(2026, 11, 6), Status.SICK)
    office.leave.enter("E001", date(2026, 11, 5), date(2026, 11, 9), Status.EXCUSED)
    office.leave.take_back("E001", TUESDAY, TUESDAY)
    office.rename_employee("E001", "Siti Rahmawati")
    office.enrolments.edit("E001", name="Siti R.", position="Kasir")
    import_again(office, "E002", "Budi S.")
    office.deactivate_employee("E002", reason="left")
    assert found(office) == [] and proven(office)
    office.privacy.erase("E002", reason="asked for it", scope="face")
    assert found(office) == []
    office.privacy.erase("E001", reason="asked for it")
    office.enrol("Siti Baru", [], code="E001")
    assert found(office) == [] and proven(office)


def test_an_older_day_that_is_put_back_without_its_correction_is_found(office: SmartAbsen) -> None:
    """The older row has a good signature, and its punches fit to it; the trail tells of one more."""
    (day,) = rows(office, "SELECT * FROM absensi")
    office.corrections.add("E001", MONDAY, time(7, 30), reason="came earlier")
    sql(office, "DELETE FROM punches WHERE id = 2")
    put_back(office, "absensi", day)
    assert proven(office)
    assert found(office) == [("punch_gone", "E001", MONDAY)]
    # The number of the row goes to the next punch, and that is another one.
    office.punch("E001", key="next")
    assert found(office) == [("punch_gone", "E001", MONDAY)]
    office.corrections.add("E001", MONDAY, time(7, 40), reason="entered again")
    assert found(office) == [("punch_gone", "E001", MONDAY)]


def test_a_correction_that_follows_in_place_of_a_deleted_one_does_not_hide_it(office: SmartAbsen) -> None:
    """It may get the same row number, on the same day."""
    (day,) = rows(office, "SELECT * FROM absensi")
    office.corrections.add("E001", MONDAY, time(7, 30), reason="came earlier")
    sql(office, "DELETE FROM punches WHERE id = 2")
    put_back(office, "absensi", day)
    office.corrections.add("E001", MONDAY, time(7, 40), reason="entered again")
    assert proven(office)
    assert found(office) == [("punch_gone", "E001", MONDAY)]


@pytest.mark.parametrize("by_phone", [False, True])
def test_a_punch_by_hand_or_phone_that_was_deleted_with_its_day_is_found(office: SmartAbsen, by_phone: bool) -> None:
    """Those have an entry each."""
    if by_phone:
        office.phones.set_pin("E002", "482913")
        paired = office.phones.complete_pairing(office.phones.start_pairing("E002").token)
        phone = office.phones.find_phone(paired.value)
        assert phone is not None
        punch = office.phones.punch_by_pin(phone, "482913", key="by-phone").punch
    else:
        punch = office.punch("E002", note="no camera").punch
    assert punch is not None
    work_date = punch.work_date
    sql(office, "DELETE FROM absensi WHERE karyawan_id = 2", "DELETE FROM punches WHERE karyawan_id = 2")
    assert proven(office)
    assert found(office) == [("punch_gone", "E002", work_date)]


def test_leave_that_was_set_back_is_found(office: SmartAbsen) -> None:
    """A day before leave, a leave that was taken back, a leave that was deleted: each has a good signature, or none."""
    (plain,) = rows(office, "SELECT * FROM absensi")
    office.leave.enter("E001", MONDAY, TUESDAY, Status.SICK)
    (sick,) = rows(office, f"SELECT * FROM absensi WHERE tanggal = '{MONDAY}'")
    put_back(office, "absensi", plain)
    assert proven(office) and found(office) == [("leave_differs", "E001", MONDAY)]
    put_back(office, "absensi", sick)
    sql(office, f"DELETE FROM absensi WHERE tanggal = '{TUESDAY}'")
    assert proven(office) and found(office) == [("leave_differs", "E001", TUESDAY)]
    office.leave.enter("E001", MONDAY, TUESDAY, Status.SICK)
    assert found(office) == []
    office.leave.take_back("E001", MONDAY, TUESDAY)
    assert found(office) == []
    (again,) = rows(office, "SELECT * FROM absensi")
    put_back(office, "absensi", {**sick, "id": again["id"]})
    assert proven(office) and found(office) == [("leave_differs", "E001", MONDAY)]


def test_leave_that_somebody_slipped_in_or_whose_note_was_changed_is_found(office: SmartAbsen) -> None:
    """A day has no signature that would show it."""
    office.leave.enter("E001", TUESDAY, TUESDAY, Status.SICK, note=" flu ")
    assert found(office) == []
    sql(office, f"UPDATE absensi SET keterangan = 'party' WHERE tanggal = '{TUESDAY}'")
    assert proven(office) and found(office) == [("leave_differs", "E001", TUESDAY)]
    sql(office, f"UPDATE absensi SET keterangan = 'flu' WHERE tanggal = '{TUESDAY}'")
    sql(office, f"UPDATE absensi SET status = 'Izin', menit_terlambat = 0 WHERE tanggal = '{MONDAY}'")
    assert proven(office) and found(office) == [("leave_unrecorded", "E001", MONDAY)]


def test_two_people_whose_names_and_codes_were_swapped_are_found(office: SmartAbsen) -> None:
    """Faces and attendance hang on the row; the trail has the code and the name of each row."""
    first, second = rows(office, "SELECT id, kode, kode_kunci, nama FROM karyawan ORDER BY id")
    put_back(office, "karyawan", {**first, "kode": "x", "kode_kunci": "x"})
    put_back(office, "karyawan", {**first, "id": 2})
    put_back(office, "karyawan", {**second, "id": 1})
    assert proven(office)
    swapped = [(kind, code) for kind, code, _ in found(office)]
    for code in ("E001", "E002"):
        assert ("code_differs", code) in swapped and ("name_differs", code) in swapped
    # Enrolling more photos, as HR does meanwhile, makes nobody of it.
    import_again(office, "E001", "Siti Rahma")
    assert {("code_differs", "E001"), ("code_differs", "E002")} <= {(kind, code) for kind, code, _ in found(office)}


@pytest.mark.parametrize(
    ("statement", "kinds"),
    [
        ("UPDATE karyawan SET nama = 'Orang Lain' WHERE kode = 'E001'", ["name_differs"]),
        ("UPDATE karyawan SET aktif = 0 WHERE kode = 'E001'", ["active_differs"]),
        (
            "INSERT INTO karyawan (id, kode, kode_kunci, nama, jabatan, cari, aktif, created_at) SELECT 9, 'E9', 'e9',"
            " 'Hantu', '', '', 1, created_at FROM karyawan WHERE id = 1",
            ["person_unrecorded"],
        ),
        ("DELETE FROM consents WHERE karyawan_id = 1", ["consent_gone"]),
        ("UPDATE consents SET text_sha256 = 'ab' WHERE karyawan_id = 1", ["consent_unrecorded", "consent_gone"]),
        ("UPDATE consents SET karyawan_id = 2 WHERE karyawan_id = 1", ["consent_gone", "consent_unrecorded"]),
        ("UPDATE consents SET withdrawn_at = at_utc WHERE karyawan_id = 1", ["consent_differs"]),
    ],
)
def test_people_and_consents_that_were_changed_by_hand_are_found(
    office: SmartAbsen, statement: str, kinds: list[str]
) -> None:
    """The employee is named."""
    sql(office, statement)
    assert proven(office)
    assert [kind for kind, _, _ in found(office)] == kinds


def test_a_changed_name_stays_known_after_somebody_corrects_it(office: SmartAbsen) -> None:
    """The entry of the correction has the name that nobody had entered."""
    sql(office, "UPDATE karyawan SET nama = 'Orang Lain' WHERE kode = 'E001'")
    office.enrolments.edit("E001", name="Orang Lain", position="Kasir")
    assert [kind for kind, _, _ in found(office)] == ["name_differs"]


def test_a_consent_that_ended_does_not_come_back(office: SmartAbsen) -> None:
    """Whoever withdrew it stays without."""
    office.privacy.erase("E001", reason="asked for it", scope="face")
    sql(office, "UPDATE consents SET withdrawn_at = NULL WHERE karyawan_id = 1")
    assert [kind for kind, _, _ in found(office)] == ["consent_differs"]


def test_attendance_that_a_retention_period_took_is_not_missed(home: dict[str, object]) -> None:
    """What is entered for such a day afterwards is."""
    with SmartAbsen.open(flags={**home, "privacy.attendance_months": 2}) as app:
        app.enrol("Siti Rahma", [], code="E001")
        old = datetime.now(UTC).date() - timedelta(days=150)
        app.corrections.add("E001", old, time(8, 30), reason="camera broken")
        app.leave.enter("E001", old + timedelta(days=1), old + timedelta(days=1), Status.SICK)
        app.privacy.purge(dry_run=False)
        assert rows(app, "SELECT id FROM punches") == [] and found(app) == []
        app.corrections.add("E001", old, time(8, 30), reason="needed after all")
        assert found(app) == []
        sql(app, "DELETE FROM absensi", "DELETE FROM punches")
        assert found(app) == [("punch_gone", "E001", old)]
