"""Signatures of entries, punches and days: whoever can write the database but has no key is found out."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from smartabsen.attendance.recording_rows import record
from smartabsen.attendance.rules import Rules
from smartabsen.kernel.domain import Punch
from smartabsen.kernel.errors import KeyMissingError
from smartabsen.people import employee_rows
from smartabsen.privacy.attendance_check_rows import AttendanceVerdict, check
from smartabsen.privacy.audit_check_rows import AuditVerdict, ProblemKind, verify
from smartabsen.store import meta
from smartabsen.store.database import Database
from smartabsen.trust import audit_rows, signing_rows
from smartabsen.trust.audit_head import AuditHead
from smartabsen.trust.sealing import KeyRing, Signature, key_id_of
from smartabsen.trust.trail_keeper import TrailKeeper

from ..rows import make_ring

DAY = date(2026, 11, 2)
Make = Callable[..., Punch]


@pytest.fixture
def keeper(tmp_path: Path, ring: KeyRing) -> TrailKeeper:
    """A key, and a home that remembers heads."""
    return TrailKeeper(lambda: ring, tmp_path / "secrets" / "audit-heads.json")


@pytest.fixture
def signed(database_url: str, keeper: TrailKeeper) -> Iterator[Database]:
    """A database that signs from its first row on."""
    opened = Database(database_url, keeper=keeper)
    signing_rows.begin(opened)
    yield opened
    opened.close()


@pytest.fixture
def worked(signed: Database, rules: Rules, attempt: Make) -> Database:
    """An employee who came at 07:55 and left at 17:00."""
    with signed.write() as session:
        siti = employee_rows.add(session, code="E001", name="Siti Rahma")
    for wall in ("2026-11-02 07:55:00", "2026-11-02 17:00:00"):
        with signed.write() as session:
            record(session, attempt(siti.id, wall), rules)
    return signed


def write(database: Database, count: int) -> None:
    for number in range(count):
        with database.write() as session:
            audit_rows.append(session, actor="root", action="x", subject=f"S{number}")


def tamper(database: Database, *statements: str) -> None:
    with database.connect(exclusive=True) as connection:
        for statement in statements:
            connection.execute(text(statement))


def cut_off(database: Database, last: int) -> None:
    """Delete all entries after one, and put the head of then back."""
    head = f"CONCAT('{last}:', digest)" if database.path is None else f"'{last}:' || digest"
    tamper(
        database, f"DELETE FROM audit WHERE number > {last}",
        f"UPDATE meta SET value = (SELECT {head} FROM audit WHERE number = {last}) WHERE name = 'audit_head'",
    )  # fmt: skip


def known(database: Database, keeper: TrailKeeper) -> tuple[AuditHead | None, list[AuditHead]]:
    """The last head that a home knows, and the lost ones."""
    with database.read() as session:
        found = keeper.known(meta.database_id(session))
    return found.last and found.last.head, [each.head for each in found.lost]


def head_of(database: Database) -> AuditHead:
    with database.read() as session:
        return audit_rows.head(session)


def trail(database: Database, ring: KeyRing | None, *known: AuditHead) -> AuditVerdict:
    with database.read() as session:
        return verify(session, *known, ring=ring)


def kinds(verdict: AuditVerdict) -> list[tuple[ProblemKind, int, int]]:
    return [(problem.kind, problem.number, problem.last) for problem in verdict.problems]


def attendance(database: Database, rules: Rules, ring: KeyRing | None) -> AttendanceVerdict:
    with database.read() as session:
        return check(session, rules, ring)


def found(database: Database, rules: Rules, ring: KeyRing | None) -> list[tuple[str, str]]:
    verdict = attendance(database, rules, ring)
    assert all((problem.code, problem.work_date) == ("E001", DAY) for problem in verdict.problems)
    return [(problem.kind.value, problem.column or str(problem.punch or "")) for problem in verdict.problems]


def test_a_signature_says_who_has_the_key_and_for_what(ring: KeyRing) -> None:
    """Neither other facts, nor another purpose, nor another key pass."""
    signature = ring.sign("punch", [1, "a"])
    assert ring.check_signature(signature, "punch", [1, "a"]) is Signature.GOOD
    assert ring.check_signature(signature, "punch", [1, "b"]) is Signature.BROKEN
    assert ring.check_signature(signature, "day", [1, "a"]) is Signature.BROKEN
    assert make_ring(2).check_signature(signature, "punch", [1, "a"]) is Signature.NO_KEY
    assert ring.check_signature(None, "punch", [1, "a"]) is Signature.NONE
    assert KeyRing.of({}, active="", place="").sign("punch", [1]) is None
    assert "01" * 8 not in repr(make_ring(1))


def test_every_entry_is_signed_from_the_beginning_on(signed: Database, ring: KeyRing) -> None:
    """Signing begins once, whoever asks for it."""
    write(signed, 3)
    signing_rows.begin(signed)
    verdict = trail(signed, ring)
    assert (verdict.entries, verdict.signed, verdict.unsigned_before, verdict.problems) == (4, 4, 0, ())
    assert verdict.signatures_checked and not trail(signed, None).signatures_checked


def test_a_tail_that_is_written_anew_without_the_key_is_found(
    signed: Database, database_url: str, ring: KeyRing
) -> None:
    """Chain and head of the forger are consistent; the signatures are not there."""
    write(signed, 3)
    cut_off(signed, 2)
    forger = Database(database_url)
    write(forger, 2)
    forger.close()
    assert trail(signed, None).problems == ()
    assert kinds(trail(signed, ring)) == [(ProblemKind.UNSIGNED, 3, 4)]
    write(signed, 1)
    assert kinds(trail(signed, ring)) == [(ProblemKind.UNSIGNED, 3, 4)]


def test_a_copied_signature_does_not_fit_elsewhere(signed: Database, ring: KeyRing) -> None:
    """Each one is of one entry."""
    write(signed, 3)
    with signed.read() as session:
        first = next(iter(audit_rows.entries(session)))
    tamper(signed, f"UPDATE audit SET signature = '{first.signature}' WHERE number = 3")
    assert kinds(trail(signed, ring)) == [(ProblemKind.FORGED, 3, 0)]


def test_a_tail_that_is_cut_off_with_its_head_shows_where_it_was_written(
    signed: Database, keeper: TrailKeeper, ring: KeyRing
) -> None:
    """An earlier state of the database is signed as it should be: only a head kept elsewhere knows of a later one."""
    write(signed, 3)
    head = head_of(signed)
    assert known(signed, keeper) == (head, [])
    cut_off(signed, 2)
    assert trail(signed, ring).problems == ()
    assert kinds(trail(signed, ring, head)) == [(ProblemKind.CUT_OFF, 2, 0)]


@pytest.mark.parametrize("more", [1, 2, 5])
def test_a_trail_that_was_cut_does_not_heal_by_going_on(
    signed: Database, keeper: TrailKeeper, ring: KeyRing, more: int
) -> None:
    """The head that the home had written stays lost, whatever is written after it."""
    write(signed, 3)
    head = head_of(signed)
    cut_off(signed, 2)
    for _ in range(2):
        write(signed, more)
        assert known(signed, keeper) == (head_of(signed), [head])
        verdict = trail(signed, ring)
        assert verdict.problems == ()
    with signed.read() as session:
        found = keeper.known(meta.database_id(session))
        assert kinds(verify(session, lost=[head], ring=ring)) == [(ProblemKind.LOST, 4, 0)]
        keeper.settle(meta.database_id(session), found.lost)
    assert known(signed, keeper) == (head_of(signed), [])


def test_machines_that_write_in_turn_lose_nothing(
    signed: Database, database_url: str, keeper: TrailKeeper, ring: KeyRing, tmp_path: Path
) -> None:
    """Each sees whether the trail still holds what it wrote last, however far others have gone on."""
    other_keeper = TrailKeeper(lambda: ring, tmp_path / "other" / "heads.json")
    other = Database(database_url, keeper=other_keeper)
    for _ in range(3):
        write(signed, 1)
        write(other, 2)
    assert known(other, other_keeper) == (head_of(signed), [])
    left = known(signed, keeper)[0]
    assert left is not None and left.number == head_of(signed).number - 2
    write(signed, 1)
    assert known(signed, keeper) == (head_of(signed), [])
    of_other = known(other, other_keeper)[0]
    cut_off(signed, 3)
    write(other, 9)
    write(signed, 1)
    assert known(other, other_keeper)[1] == [of_other]
    assert [each.number for each in known(signed, keeper)[1]] == [11]
    other.close()


def test_a_home_with_several_writers_at_once_loses_nothing(
    signed: Database, database_url: str, keeper: TrailKeeper
) -> None:
    """Whoever of them is the last to remember."""

    def work() -> None:
        own = Database(database_url, keeper=keeper)
        for _ in range(8):
            own.run_write(lambda session: audit_rows.append(session, actor="root", action="x"))
        own.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    write(signed, 1)
    assert known(signed, keeper) == (head_of(signed), []) and head_of(signed).number == 34


def test_a_heads_file_that_is_damaged_keeps_nobody_from_working(signed: Database, tmp_path: Path) -> None:
    """It begins anew."""
    for content in ("{", "[]", '{"x": 1}'):
        (tmp_path / "secrets" / "audit-heads.json").write_text(content)
        write(signed, 1)
        assert json.loads((tmp_path / "secrets" / "audit-heads.json").read_text())


def test_an_identity_that_was_changed_shows(signed: Database, ring: KeyRing) -> None:
    """It is what the heads of a home are kept by: another one would hide a cut."""
    write(signed, 2)
    tamper(signed, "UPDATE meta SET value = 'another' WHERE name = 'database_id'")
    write(signed, 1)
    assert kinds(trail(signed, ring)) == [(ProblemKind.OTHER_DATABASE, 1, 0)]


def test_a_beginning_that_was_taken_away_shows(signed: Database, ring: KeyRing) -> None:
    """Signing begins once; a second beginning would let everything before it go unsigned."""
    tamper(signed, "DELETE FROM meta WHERE name = 'signing_begun'")
    signing_rows.begin(signed)
    assert kinds(trail(signed, ring)) == [(ProblemKind.BEGUN_AGAIN, 2, 0)]


def test_without_a_key_entries_are_written_and_somebody_can_vouch_for_them(
    signed: Database, database_url: str, ring: KeyRing, tmp_path: Path
) -> None:
    """Attendance goes on; the rows are named until somebody with the key signs them."""

    def missing() -> KeyRing:
        raise KeyMissingError("away")

    keyless = Database(database_url, keeper=TrailKeeper(missing, tmp_path / "other" / "heads.json"))
    write(keyless, 2)
    keyless.close()
    write(signed, 1)
    assert kinds(trail(signed, ring)) == [(ProblemKind.UNSIGNED, 2, 3)]
    with signed.write() as session:
        assert signing_rows.count_unsigned(session, ring).total == 2
        assert signing_rows.sign_unsigned(session, ring) == signing_rows.Unsigned(2, 0, 0)
    assert trail(signed, ring).problems == ()


def test_a_key_that_is_dropped_signs_what_it_had_signed_anew(worked: Database, rules: Rules, ring: KeyRing) -> None:
    """What was forged with it stays forged."""
    tamper(worked, "UPDATE punches SET at_utc = '2026-11-02 00:00:00.000000' WHERE id = 1")
    old, new = (bytes([seed]) * 32 for seed in (1, 2))
    both = KeyRing.of({key_id_of(old): old, key_id_of(new): new}, active=key_id_of(new), place="")
    signing_rows.sign_anew(worked, both, frozenset({key_id_of(old)}))
    only = make_ring(2)
    assert trail(worked, only).problems == ()
    assert next(kind for kind, _ in found(worked, rules, only)) == "punch_no_key"


def test_attendance_as_it_was_written_passes(worked: Database, rules: Rules, ring: KeyRing) -> None:
    """With the key by its signatures; without it by what the punches give."""
    verdict = attendance(worked, rules, ring)
    assert (verdict.punches, verdict.days, verdict.signed, verdict.problems) == (2, 1, 3, ())
    assert attendance(worked, rules, None).problems == ()


@pytest.mark.parametrize(
    ("statement", "with_key", "without"),
    [
        (
            "UPDATE absensi SET jam_masuk = '2026-11-02 00:30:00.000000'",
            [("day_changed", ""), ("differs", "jam_masuk")],
            [("differs", "jam_masuk")],
        ),
        ("UPDATE absensi SET status = 'Terlambat'", [("day_changed", ""), ("differs", "status")],
         [("differs", "status")]),
        ("UPDATE absensi SET menit_kerja = 9", [("day_changed", ""), ("differs", "menit_kerja")],
         [("differs", "menit_kerja")]),
        ("UPDATE absensi SET status = 'Sakit'", [("day_changed", "")], []),
        ("UPDATE absensi SET keterangan = 'x', signature = NULL", [("day_unsigned", "")], []),
        ("DELETE FROM absensi", [("day_missing", "")], [("day_missing", "")]),
        (
            "UPDATE punches SET at_utc = '2026-11-02 00:30:00.000000' WHERE id = 1",
            [("punch_changed", "1")],
            [("differs", "jam_masuk"), ("differs", "menit_kerja")],
        ),
        ("UPDATE punches SET kiosk = 'elsewhere' WHERE id = 2", [("punch_changed", "2")], []),
        (
            "DELETE FROM punches WHERE id = 2",
            [("day_changed", ""), ("differs", "jam_pulang"), ("differs", "menit_kerja")],
            [("differs", "jam_pulang"), ("differs", "menit_kerja")],
        ),
        ("DELETE FROM punches", [("day_changed", ""), ("day_empty", "")], [("day_empty", "")]),
        (
            "INSERT INTO punches (karyawan_id, idempotency_key, at_utc, work_date, method, status, kiosk, model_digest,"
            " note, created_at, supersedes_id) SELECT karyawan_id, 'x', at_utc, work_date, 'void', status, kiosk,"
            " model_digest, 'x', created_at, 2 FROM punches WHERE id = 2",
            [
                ("punch_unsigned", "3"), ("punch_unrecorded", "3"), ("day_changed", ""),
                ("differs", "jam_pulang"), ("differs", "menit_kerja"),
            ],
            [("punch_unrecorded", "3"), ("differs", "jam_pulang"), ("differs", "menit_kerja")],
        ),
    ],
)  # fmt: skip
def test_whatever_is_done_to_attendance_by_hand_is_found(
    worked: Database, rules: Rules, ring: KeyRing, statement: str, with_key: list[object], without: list[object]
) -> None:
    """The employee, the date, and the column or the punch are named."""
    tamper(worked, statement)
    assert found(worked, rules, ring) == with_key
    assert found(worked, rules, None) == without


def test_days_of_other_rules_are_proven_by_their_signature(worked: Database, rules: Rules, ring: KeyRing) -> None:
    """A start of work that changes later makes nobody's old days wrong."""
    from dataclasses import replace
    from datetime import time

    earlier = replace(rules, start=time(7, 0), min_work_minutes=600)
    assert attendance(worked, earlier, ring).problems == ()
    columns = {problem.column for problem in attendance(worked, earlier, None).problems}
    assert columns == {"jam_pulang", "menit_kerja"}


def test_attendance_from_before_signing_began_is_compared_with_its_punches(
    database_url: str, keeper: TrailKeeper, rules: Rules, ring: KeyRing, attempt: Make
) -> None:
    """Until somebody vouches for it; from then on its signature speaks."""
    old = Database(database_url)
    with old.write() as session:
        siti = employee_rows.add(session, code="E001", name="Siti Rahma")
    with old.write() as session:
        record(session, attempt(siti.id, "2026-11-02 07:55:00"), rules)
    old.close()
    opened = Database(database_url, keeper=keeper)
    signing_rows.begin(opened)
    verdict = attendance(opened, rules, ring)
    assert (verdict.signed, verdict.problems) == (0, ())
    with opened.write() as session:
        assert signing_rows.sign_unsigned(session, ring) == signing_rows.Unsigned(0, 1, 1)
    assert attendance(opened, rules, ring).signed == 2
    opened.close()
