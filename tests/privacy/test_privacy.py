"""What a person may ask for, on both kinds of database: a copy of everything, and erasure that lasts."""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path

import cv2
import pytest
from sqlalchemy import text

from smartabsen import KioskEventKind, NotFoundError, Outcome, SmartAbsen
from smartabsen.attendance.punch import attempt_by_face
from smartabsen.camera.fake import FakeSource
from smartabsen.gallery.model_file import load_model
from smartabsen.kernel.domain import ClockReading, Punch, PunchMethod

from ..installation import Draw, picture

WORDS = ("Contoh 1", "KODE1", "ticket of one")


@pytest.fixture
def two(home: dict[str, object], draw: Draw) -> Iterator[SmartAbsen]:
    """Two people with faces, consents, phones' PINs and punches, and a trained model."""
    with SmartAbsen.open(flags=home) as app:
        for person in (1, 2):
            files = [draw(f"{person}-{number}.png", person, size_px=130 + 12 * number) for number in range(2)]
            app.enrol(f"Contoh {person}", files, code=f"KODE{person}", consent=True)
            app.phones.set_pin(f"KODE{person}", "482913")
        app.punch("KODE1", note="ticket of one")
        app.punch("KODE2", note="ticket of two")
        app.train()
        yield app


def all_files(directory: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())


def test_an_export_has_everything_about_one_person_and_nothing_of_another(two: SmartAbsen, tmp_path: Path) -> None:
    """Tables as CSV, all of it as JSON, faces as pictures; private files; no secret, nobody else."""
    done = two.privacy.export("KODE1", tmp_path / "export")

    assert done.faces_missing == "" and done.rows["templates"] == 2 and done.rows["punches"] == 1
    document = json.loads((tmp_path / "export" / "person.json").read_text(encoding="utf-8"))
    tables = document["tables"]
    assert tables["karyawan"][0]["nama"] == "Contoh 1"
    assert len(tables["templates"][0]["embedding_f32_base64"]) > 100
    assert tables["punches"][0]["note"] == "ticket of one" and len(tables["consents"]) == 1
    assert [entry["action"] for entry in tables["audit"]][:2] == ["consent.record", "employee.enrol"]
    with (tmp_path / "export" / "punches.csv").open(encoding="utf-8-sig") as source:
        assert [row["note"] for row in csv.DictReader(source)] == ["ticket of one"]
    face = cv2.imread(str(tmp_path / "export" / "faces" / "01.jpg"))
    assert face is not None and face.shape[0] >= 200
    content = all_files(tmp_path / "export")
    assert b"Contoh 2" not in content and b"KODE2" not in content and b"ticket of two" not in content
    assert b"$2b$" not in content and b"pin_hash" not in content
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "export").rglob("*") if path.is_file()} == {0}


def test_an_export_without_the_key_has_all_but_the_face(
    two: SmartAbsen, home: dict[str, object], tmp_path: Path
) -> None:
    """And says so."""
    two.services.key_chain.path.unlink()
    with SmartAbsen.open(flags=home) as other:
        done = other.privacy.export("KODE1", tmp_path / "export")
    assert "missing" in done.faces_missing and done.rows["punches"] == 1


def test_an_erased_person_is_nowhere_any_more(two: SmartAbsen, home: dict[str, object], draw: Draw) -> None:
    """Database, model, log and its copies; attendance stays under a pseudonym; the others are as before."""
    log = next(two.settings.csv_dir.glob("*.csv"))
    with log.open("ab") as file:
        file.write(b"999,KODE1,Contoh 1,torn\n")
    assert two.reconcile_log() == 0
    assert [path for path in two.settings.csv_dir.iterdir() if ".replaced-" in path.name]
    plan = two.privacy.plan_erasure("KODE1")
    assert plan.rows["templates"] == 2 and plan.attendance == "pseudonymise"

    done = two.privacy.erase("KODE1", reason="asked for it")

    assert done.pseudonym.startswith("ERASED-") and done.rows["templates"] == 2 and done.rows["pins"] == 1
    with pytest.raises(NotFoundError):
        two.get_employee("KODE1")
    (day,) = two.report(*period(), code=done.pseudonym).days
    assert (day.name, day.status.value) == (done.pseudonym, two.report(*period(), code="KODE2").days[0].status.value)
    trained = load_model(two.settings.assets_dir, two.services.key_chain.ring())
    assert len(trained.employee_ids) == 2
    assert [face.outcome for face in two.identify([draw("x.png", 1)])[0].faces] == [Outcome.UNKNOWN]
    assert [face.employee.code for face in two.identify([draw("y.png", 2)])[0].faces if face.employee] == ["KODE2"]
    logs = all_files(two.settings.csv_dir)
    assert b"KODE2" in logs and b"ticket of two" in logs
    assert [word for word in WORDS if word.encode() in logs] == []
    if "database_url" not in home:
        two.services.database.close()
        content = (two.settings.home / "smartabsen.db").read_bytes()
        assert b"Contoh 2" in content and b"Contoh 1" not in content


def period() -> tuple:
    today = datetime.now(UTC).date()
    return today - timedelta(days=1), today + timedelta(days=1)


def test_attendance_can_be_deleted_too(home: dict[str, object], two: SmartAbsen) -> None:
    """As the policy says; the file of a date without anybody is gone."""
    with SmartAbsen.open(flags={**home, "privacy.attendance_after_erasure": "delete"}) as app:
        app.privacy.erase("KODE1", reason="asked for it")
        assert [day.code for day in app.report(*period()).days] == ["KODE2"]
        assert [person.code for person in app.employees()] == ["KODE2"]
        app.privacy.erase("KODE2", reason="asked for it")
        assert app.employees() == () and not list(app.settings.csv_dir.glob("*.csv*"))


def test_an_erased_persons_waiting_punches_leave_the_queue_of_the_kiosk(two: SmartAbsen) -> None:
    """Nobody else's do."""
    queue, now = two.services.punch_queue, datetime.now(UTC)
    for code in ("KODE1", "KODE2"):
        owner = two.get_employee(code).id
        queue.add(Punch(0, owner, now, now.date(), PunchMethod.FACE, "k", f"waiting-{code}"), database_id="this")
    two.privacy.erase("KODE1", reason="asked for it")
    assert [waiting.punch.key for waiting in queue.oldest()] == ["waiting-KODE2"]


def test_only_the_face_can_be_erased(two: SmartAbsen, draw: Draw) -> None:
    """The person stays, punches by hand, and may agree again later."""
    two.privacy.erase("KODE1", reason="asked for it", scope="face")

    person = two.get_employee("KODE1")
    assert (person.name, person.active, person.templates) == ("Contoh 1", True, 0)
    assert two.privacy.consents("KODE1")[0].withdrawn_at is not None
    assert two.punch("KODE1").outcome is Outcome.ALREADY_RECORDED
    assert [face.outcome for face in two.identify([draw("x.png", 1)])[0].faces] == [Outcome.UNKNOWN]
    two.enrol("Contoh 1", [draw("again.png", 1, size_px=150)], code="KODE1", consent=True)
    two.train()
    assert two.privacy.apply_tombstones() == 0
    assert two.get_employee("KODE1").templates == 1
    assert two.identify([draw("z.png", 1)])[0].faces[0].outcome is Outcome.RECOGNIZED


def test_whom_an_older_backup_brings_back_is_erased_again(flags: dict[str, object], draw: Draw, tmp_path: Path) -> None:
    """The home remembers, also when database, model and log are those of before; nobody else is touched."""
    with SmartAbsen.open(flags=flags) as app:
        for person in (1, 2):
            app.enrol(f"Contoh {person}", [draw(f"{person}.png", person)], code=f"KODE{person}")
        app.punch("KODE1")
        app.train()
        home = app.settings.home
    for name in ("smartabsen.db", "assets", "Attendance"):
        copy = shutil.copytree if (home / name).is_dir() else shutil.copy
        copy(home / name, tmp_path / f"old-{name}")
    with SmartAbsen.open(flags=flags) as app:
        app.privacy.erase("KODE1", reason="asked for it")
    (home / "smartabsen.db").unlink()
    shutil.copy(tmp_path / "old-smartabsen.db", home / "smartabsen.db")
    for name in ("assets", "Attendance"):
        shutil.rmtree(home / name)
        shutil.copytree(tmp_path / f"old-{name}", home / name)

    with SmartAbsen.open(flags=flags) as app:
        assert len(app.employees()) == 2 and app.get_employee("KODE1").templates == 1
        assert app.privacy.apply_tombstones() == 1
        assert app.privacy.apply_tombstones() == 0
        assert sorted(person.code for person in app.employees()) == ["ERASED-1", "KODE2"]
        assert b"Contoh 1" not in all_files(app.settings.csv_dir)
        assert len(load_model(app.settings.assets_dir, app.services.key_chain.ring()).employee_ids) == 1


def test_a_restored_backup_does_not_bring_anybody_back(two: SmartAbsen, draw: Draw) -> None:
    """Who was erased after it was made is erased in it before it is put in place, and in its files right after."""
    backup = two.backups.create(recipient="")
    erased = two.privacy.erase("KODE1", reason="asked for it")

    two.backups.restore(backup.path)

    assert sorted(person.code for person in two.employees()) == [erased.pseudonym, "KODE2"]
    assert b"Contoh 1" not in all_files(two.settings.csv_dir)
    trained = load_model(two.settings.assets_dir, two.services.key_chain.ring())
    assert len(set(trained.employee_ids.tolist())) == 1
    assert [face.outcome for face in two.identify([draw("x.png", 1)])[0].faces] == [Outcome.UNKNOWN]
    assert two.privacy.apply_tombstones() == 0
    assert all(problem.level.value != "fail" for problem in two.check_health() if problem.name in ("keys", "consent"))


def test_a_tombstone_of_another_database_erases_nobody(flags: dict[str, object], draw: Draw, tmp_path: Path) -> None:
    """A home may get a new database, in which the same row id is another person."""
    with SmartAbsen.open(flags=flags) as app:
        app.enrol("Contoh 1", [], code="KODE1")
        app.privacy.erase("KODE1", reason="asked for it")
    with SmartAbsen.open(flags={**flags, "database_url": f"sqlite:///{tmp_path / 'other.db'}"}) as other:
        other.enrol("Contoh 7", [], code="E7")
        other.privacy.apply_tombstones()
        assert other.get_employee("E7").name == "Contoh 7"


@pytest.mark.parametrize("cut", range(3))
def test_an_erasure_that_was_cut_off_is_completed(
    flags: dict[str, object], draw: Draw, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    """After each of its transactions, the next start does the rest."""
    with SmartAbsen.open(flags=flags) as app:
        app.enrol("Contoh 1", [draw("1.png", 1)], code="KODE1")
        app.enrol("Contoh 2", [draw("2.png", 2)], code="KODE2")
        app.punch("KODE1")
        app.train()
        run_write = app.services.database.run_write
        left = [cut]

        def die(work: object) -> object:
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            return run_write(work)  # type: ignore[arg-type]

        monkeypatch.setattr(app.services.database, "run_write", die)
        with contextlib.suppress(KeyboardInterrupt):
            app.privacy.erase("KODE1", reason="asked for it")
        monkeypatch.undo()
    with SmartAbsen.open(flags=flags) as app:
        app.privacy.apply_tombstones()
        assert sorted(person.code for person in app.employees()) == ["ERASED-1", "KODE2"]
        assert b"Contoh 1" not in all_files(app.settings.csv_dir)
        assert len(load_model(app.settings.assets_dir, app.services.key_chain.ring()).employee_ids) == 1
        assert app.privacy.apply_tombstones() == 0


@pytest.mark.slow
def test_a_running_kiosk_drops_an_erased_person_within_five_seconds(
    home: dict[str, object], two: SmartAbsen, draw: Draw, tmp_path: Path
) -> None:
    """Also one on another machine, with a home and a trained model of its own."""
    elsewhere = {**home, "home": str(tmp_path / "elsewhere")}
    elsewhere.setdefault("database_url", two.settings.database_address)
    (tmp_path / "elsewhere" / "secrets").mkdir(parents=True)
    shutil.copy(two.services.key_chain.path, tmp_path / "elsewhere" / "secrets" / "keys.json")
    empty_room = FakeSource(repeat(picture(shade=80)), live=True, period_s=0.1)
    dropped: list[float] = []
    started = threading.Event()
    stop = threading.Event()

    def run() -> None:
        with SmartAbsen.open(flags=elsewhere) as kiosk:
            kiosk.train()
            kiosk.services.open_camera = lambda *_args, **_kwargs: empty_room  # type: ignore[method-assign]

            def tell(event: object) -> None:
                started.set()
                if event.kind is KioskEventKind.MODEL_RELOADED:  # type: ignore[attr-defined]
                    dropped.append(time.monotonic())
                    stop.set()

            kiosk.run_kiosk(camera=str(tmp_path / "room"), on_event=tell, stop=stop, max_seconds=14)

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(20)
    asked = time.monotonic()
    two.privacy.erase("KODE1", reason="asked for it")
    thread.join(30)
    assert dropped and dropped[0] - asked < 5.0
    with SmartAbsen.open(flags=elsewhere) as kiosk:
        trained = load_model(kiosk.settings.assets_dir, kiosk.services.key_chain.ring())
        assert len(set(trained.employee_ids.tolist())) == 1


def test_what_was_kept_long_enough_is_deleted(two: SmartAbsen, home: dict[str, object], draw: Draw) -> None:
    """Faces of people who left, old kept faces, old attendance with its files; a dry run only counts."""
    periods = {"privacy.face_days_after_leaving": 30, "privacy.crop_days": 60, "privacy.attendance_months": 12}
    with SmartAbsen.open(flags={**home, **periods}) as app:
        assert app.privacy.purge(dry_run=True).empty
        app.deactivate_employee("KODE1")
        old = datetime.now(UTC) - timedelta(days=500)
        with app.services.database.write() as session:
            values = {"old": old.replace(tzinfo=None), "day": old.date()}
            session.execute(text("UPDATE karyawan SET nonaktif_sejak = :old WHERE kode = 'KODE1'"), values)
            session.execute(text("UPDATE face_crops SET created_at = :old WHERE karyawan_id = 2"), values)
            session.execute(text("UPDATE punches SET work_date = :day WHERE karyawan_id = 1"), values)
            session.execute(text("UPDATE absensi SET tanggal = :day WHERE karyawan_id = 1"), values)
        app.reconcile_log()
        assert app.services.csv_log.path(old.date()).exists()
        queue = app.services.punch_queue
        for number, at in enumerate((old, datetime.now(UTC)), start=1):
            queue.add(attempt_by_face(app.services, 2, similarity=0.9, reading=ClockReading(at)), database_id="")
            queue.refuse(number, "inactive")

        found = app.privacy.purge(dry_run=True)
        assert ([person.code for person in found.faces_of], found.crops, found.log_files) == (["KODE1"], 2, 1)
        assert (found.refused, len(queue.refused())) == (1, 2)
        assert app.get_employee("KODE1").templates == 2

        app.privacy.purge(dry_run=False)

        assert app.get_employee("KODE1").templates == 0 and app.get_employee("KODE2").templates == 2
        assert not app.services.csv_log.path(old.date()).exists()
        assert [day.code for day in app.report(*period()).days] == ["KODE2"]
        assert [one.number for one in queue.refused()] == [2]
        assert app.privacy.purge(dry_run=True).empty
        assert app.reconcile_log() == 0
