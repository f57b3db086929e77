"""What the audit trail proves of an installation, and what it forgets, on both kinds of database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from smartabsen import InvalidInputError, KeyMissingError, SmartAbsen
from smartabsen.privacy.audit_check_rows import ProblemKind
from smartabsen.store.tables import Base

from ..installation import Draw

PERSON = ("Rahmawati Contoh", "KODE-71", "rahma@example.org", "+628123456789")


@pytest.fixture
def busy(home: dict[str, object], draw: Draw) -> Iterator[SmartAbsen]:
    """Somebody about whom every kind of entry was made, and somebody else."""
    name, code, mail, phone = PERSON
    with SmartAbsen.open(flags=home) as app:
        app.enrol("Rahmawati Lama", [draw("a.png", 1)], code=code, consent=True)
        app.rename_employee(code.lower(), name)
        app.enrol("Contoh 2", [draw("b.png", 2)], code="E2", consent=True)
        with app.services.database.connect(exclusive=True) as connection:
            values = {"mail": mail, "phone": phone, "code": code}
            connection.execute(text("UPDATE karyawan SET email = :mail, telepon = :phone WHERE kode = :code"), values)
        app.phones.set_pin(code, "482913")
        app.punch(code, note=f"{name} forgot the card")
        app.punch("E2", note="gate closed")
        app.train()
        app.templates_of(code.lower())
        app.deactivate_employee(code, reason=f"{name} left")
        app.activate_employee(code)
        yield app


def everything(app: SmartAbsen) -> str:
    """All rows of all tables, and all files of the home but keys and pictures."""
    found = []
    with app.services.database.read() as session:
        for table in Base.metadata.sorted_tables:
            found += [repr(tuple(row)) for row in session.execute(select(table))]
    app.services.database.close()
    for path in app.settings.home.rglob("*"):
        if path.is_file():
            found.append(path.name + path.read_bytes().decode("utf-8", errors="replace"))
    return "\n".join(found)


def test_an_erased_person_is_in_no_table_and_no_file_and_the_trail_still_holds(busy: SmartAbsen) -> None:
    """Not in the audit trail either: what was done stays, about whom does not; the chain can be checked."""
    assert [word for word in (*PERSON, "Rahmawati Lama") if word not in everything(busy)] == []
    before = busy.audit.verify()

    done = busy.privacy.erase("KODE-71", reason="asked for it in writing")

    content = everything(busy)
    assert [word for word in (*PERSON, "Rahmawati", "rahma") if word.casefold() in content.casefold()] == []
    verdict = busy.audit.verify()
    assert (before.problems, before.erased, verdict.problems) == ((), 0, ())
    assert verdict.erased >= 7 and verdict.signed == verdict.entries > before.entries
    actions = [entry.action for entry in busy.audit.entries(subject=done.pseudonym)]
    assert {"employee.enrol", "employee.rename", "punch.manual", "pin.set", "biometric.read"} <= set(actions)
    assert all(not entry.details for entry in busy.audit.entries(subject=done.pseudonym)[1:])
    assert busy.audit.entries(action="privacy.erase")[0].details["reason"] == "asked for it in writing"
    (note,) = [entry.details["note"] for entry in busy.audit.entries(subject="E2", action="punch")]
    assert note == "gate closed"
    assert busy.audit.verify_attendance().problems == ()
    assert busy.privacy.apply_tombstones() == 0 and busy.audit.verify().erased == verdict.erased


def test_an_entry_that_somebody_empties_is_changed_not_erased(busy: SmartAbsen) -> None:
    """Only what the entry of an erasure lists counts as erased; what is put into an emptied one does not."""
    busy.privacy.erase("KODE-71", reason="asked for it")
    erased = busy.audit.entries(action="employee.rename")[0].number
    kept = busy.audit.entries(action="punch", subject="E2")[0].number
    with busy.services.database.connect(exclusive=True) as connection:
        empty = "UPDATE audit SET details = '{}', salt = NULL, subject = 'ERASED-1' WHERE number = :number"
        connection.execute(text(empty), {"number": kept})
        connection.execute(text('UPDATE audit SET details = \'{"to": "X"}\' WHERE number = :n'), {"n": erased})
    problems = {(problem.kind, problem.number) for problem in busy.audit.verify().problems}
    assert problems == {(ProblemKind.CHANGED, kept), (ProblemKind.CHANGED, erased)}


@pytest.mark.parametrize("reason", ["", "  ", "rahmawati contoh asked", "KODE-71 left", "x" * 501])
def test_an_erasure_needs_a_reason_that_names_nobody(busy: SmartAbsen, reason: str) -> None:
    """The reason stays for ever."""
    with pytest.raises(InvalidInputError):
        busy.privacy.erase("KODE-71", reason=reason)
    assert busy.get_employee("KODE-71").active


def test_a_trail_that_was_set_back_shows_on_the_machine_that_wrote_it(busy: SmartAbsen) -> None:
    """Whoever can only write the database cannot make the home forget what it wrote."""
    numbers = [entry.number for entry in busy.audit.entries(limit=3)]
    kept = busy.audit.entries(limit=4)[3]
    with busy.services.database.connect(exclusive=True) as connection:
        connection.execute(text("DELETE FROM audit WHERE number > :number"), {"number": kept.number})
        head = {"head": f"{kept.number}:{kept.digest}"}
        connection.execute(text("UPDATE meta SET value = :head WHERE name = 'audit_head'"), head)
    assert len(numbers) == 3
    assert [(problem.kind, problem.number) for problem in busy.audit.verify().problems] == [
        (ProblemKind.CUT_OFF, kept.number)
    ]
    # Going on does not heal it: the home remembers what it had written until somebody answers for it.
    for _ in range(6):
        busy.rename_employee("E2", "Contoh Lain")
    lost = kept.number + 3
    assert [(problem.kind, problem.number) for problem in busy.audit.verify().problems] == [(ProblemKind.LOST, lost)]
    assert busy.audit.unsigned().heads == 1
    assert busy.audit.sign(reason="the database server crashed").heads == 1
    assert busy.audit.verify().problems == () and busy.audit.unsigned().heads == 0
    assert busy.audit.entries(limit=1)[0].details["lost"].startswith(f"{lost}:")


def test_after_a_restore_the_trail_says_what_it_replaced_and_where_that_is(
    busy: SmartAbsen, home: dict[str, object], tmp_path: Path
) -> None:
    """The replaced end can be checked in the safety copy; a machine that knew it is told, not alarmed."""
    made = busy.backups.create(recipient="")
    busy.punch("E2", key="later")
    other = tmp_path / "other"
    (other / "secrets").mkdir(parents=True)
    for name in ("keys.json", "audit-heads.json"):
        (other / "secrets" / name).write_bytes((busy.settings.home / "secrets" / name).read_bytes())
    (kept,) = json.loads((other / "secrets" / "audit-heads.json").read_text()).values()
    known = kept["last"]["head"]

    done = busy.backups.restore(made.path)

    verdict = busy.audit.verify()
    (restore,) = verdict.restores
    assert verdict.problems == () and done.safety is not None
    assert (restore.safety, restore.replaced) == (done.safety.name, known)
    assert busy.backups.verify_trail(busy.backups.find(Path(restore.safety)), anchor=restore.replaced).problems == ()
    older = busy.backups.verify_trail(made.path, anchor=restore.replaced)
    assert [problem.kind for problem in older.problems] == [ProblemKind.CUT_OFF]
    url = str(home.get("database_url", f"sqlite:///{busy.settings.home / 'smartabsen.db'}"))
    with SmartAbsen.open(flags={**home, "home": str(other), "database_url": url}) as elsewhere:
        # Also where that machine has gone on before anybody looked.
        elsewhere.rename_employee("E2", "Contoh Dua")
        assert elsewhere.audit.unsigned().heads == 1
        assert elsewhere.audit.verify().problems == ()
        assert elsewhere.audit.unsigned().heads == 0
        # A restore explains what it replaced, and nothing that was written after it.
        entry = busy.audit.entries(action="backup.restore")[0]
        with busy.services.database.connect(exclusive=True) as connection:
            connection.execute(text("DELETE FROM audit WHERE number > :number"), {"number": entry.number})
            head = {"head": f"{entry.number}:{entry.digest}"}
            connection.execute(text("UPDATE meta SET value = :head WHERE name = 'audit_head'"), head)
        assert [problem.kind for problem in elsewhere.audit.verify().problems] == [ProblemKind.CUT_OFF]


def test_what_was_written_without_the_key_waits_for_somebody_to_vouch_for_it(busy: SmartAbsen) -> None:
    """Attendance needs no key; the rows are named until they are signed, with a reason."""
    keys = busy.services.key_chain.path
    keys.rename(keys.with_name("away"))
    busy.rename_employee("E2", "Contoh Dua")
    with pytest.raises(KeyMissingError):
        busy.audit.sign(reason="x")
    assert not busy.audit.verify().signatures_checked
    keys.with_name("away").rename(keys)
    assert [problem.kind for problem in busy.audit.verify().problems] == [ProblemKind.UNSIGNED]
    assert busy.audit.unsigned().entries == 1
    assert busy.audit.sign(reason="the key disk was away on Monday").entries == 1
    assert busy.audit.verify().problems == ()
    assert busy.audit.entries(limit=1)[0].details["reason"] == "the key disk was away on Monday"


def test_a_rotation_that_forgets_old_keys_keeps_the_trail_provable(busy: SmartAbsen) -> None:
    """Signatures move to the new key."""
    busy.keys.rotate(reason="yearly")
    assert busy.audit.verify().problems == ()
    busy.keys.rotate(forget_old=True)
    verdict = busy.audit.verify()
    assert (verdict.problems, verdict.signed) == ((), verdict.entries)
    assert busy.audit.verify_attendance().problems == ()


def test_who_looks_at_faces_or_attendance_is_noted(busy: SmartAbsen, draw: Draw) -> None:
    """Once for each command or page, also where nothing is changed."""
    first = busy.audit.entries(limit=1)[0].number
    busy.identify([draw("x.png", 1)])
    busy.evaluation.of_gallery()
    busy.keys.check()
    busy.keys.rotate(reason="yearly")
    for _ in range(2):
        busy.audit.note_page("attendance.read", date="2026-11-02")
    found = [entry for entry in busy.audit.entries() if entry.number > first][::-1]
    assert [entry.action for entry in found] == [
        "biometric.identify", "biometric.compare", "biometric.read", "keys.rotate", "attendance.read",
    ]  # fmt: skip
    assert found[3].details["reason"] == "yearly"


def test_a_copy_of_the_database_can_be_gone_on_with(busy: SmartAbsen, home: dict[str, object], tmp_path: Path) -> None:
    """It lacks the entry that it was made; that is no end that somebody cut off."""
    url = f"sqlite:///{tmp_path / 'copy.db'}"
    busy.databases.copy(url)
    with SmartAbsen.open(flags={**home, "database_url": url}) as copy:
        assert copy.audit.verify().problems == ()
        assert copy.audit.verify_attendance().problems == ()
    assert busy.audit.verify().problems == ()


def test_what_a_lost_key_signed_is_vouched_for_with_the_new_one(busy: SmartAbsen) -> None:
    """The old signatures prove nothing to anybody any more."""
    busy.services.key_chain.path.unlink()
    busy.keys.init(discard_lost=True)
    # That faces were discarded was noted when there was no key at all.
    found = {problem.kind for problem in busy.audit.verify().problems}
    assert found == {ProblemKind.NO_KEY, ProblemKind.UNSIGNED}
    assert busy.audit.sign(reason="the key was lost with the old server").total > 10
    assert busy.audit.verify().problems == () and busy.audit.verify_attendance().problems == ()


def test_an_erasure_without_the_key_leaves_attendance_to_be_vouched_for(busy: SmartAbsen) -> None:
    """Notes go at once; whoever has the key says later that the rows are right."""
    keys = busy.services.key_chain.path
    keys.rename(keys.with_name("away"))
    busy.privacy.erase("KODE-71", reason="asked for it")
    keys.with_name("away").rename(keys)
    found = {problem.kind.value for problem in busy.audit.verify_attendance().problems}
    assert found == {"punch_unsigned", "day_unsigned"}
    busy.audit.sign(reason="erased while the key was away")
    assert busy.audit.verify_attendance().problems == () and busy.audit.verify().problems == ()
